/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench's policy. A rule far away from the measured file is dismissed at the first component by
 * any decent matcher, so the siblings come first: they make every directory on the way one in which
 * the matcher has to look.
 */
#include "bench_policy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Rule number `index` of a class turns through these. */
enum kind {
	KIND_FILE,
	KIND_DIR,
	KIND_TREE,
};
#define KIND_COUNT 3

/* Applications that the rules elsewhere are spread over. */
#define ELSEWHERE_APPS 7

/* Writes the directory `level` components below the root, as bench/latency.c names them. */
static void print_ancestor(FILE *out, int level)
{
	if (level >= 1)
		fputs("/bench", out);
	for (int i = 2; i <= level; i++)
		fprintf(out, "/d%d", i);
}

/* A sibling of the measured path in the directory `level` components below the root. */
static void print_sibling(FILE *out, enum kind kind, int level)
{
	static const char *const names[KIND_COUNT] = {"locked-file", "locked-dir/", "locked-tree/"};

	print_ancestor(out, level);
	fprintf(out, "/%s", names[kind]);
}

static void print_elsewhere(FILE *out, enum kind kind, int index)
{
	const int app = index % ELSEWHERE_APPS;

	switch (kind) {
	case KIND_FILE:
		fprintf(out, "/srv/app-%d/etc/credentials/key-%d.pem", app, index);
		break;
	case KIND_DIR:
		fprintf(out, "/srv/app-%d/releases/%d/bin/", app, index);
		break;
	case KIND_TREE:
		fprintf(out, "/var/lib/app-%d/private/tenant-%d/", app, index);
		break;
	}
}

/*
 * The path of rule `index` of a class: siblings from /bench downwards and in / last, then the
 * directory rule on /bench, then elsewhere.
 */
static void print_rule_path(FILE *out, int index, int depth)
{
	const int siblings = KIND_COUNT * (depth + 1);
	const enum kind kind = (enum kind)(index % KIND_COUNT);

	if (index == siblings + KIND_DIR && depth >= 2)
		fputs("/bench/", out);
	else if (index < siblings)
		print_sibling(out, kind, (index / KIND_COUNT + 1) % (depth + 1));
	else
		print_elsewhere(out, kind, index);
}

/* The rules of one list; YAML wants exact paths and directories in lists of their own. */
static void print_list(FILE *out, int rules, int depth, bool directories)
{
	fprintf(out, "    %s:\n", directories ? "matchDirectories" : "matchPaths");
	for (int i = 0; i < rules; i++) {
		if ((i % KIND_COUNT != KIND_FILE) != directories)
			continue;
		fprintf(out, "    - %s: ", directories ? "dir" : "path");
		print_rule_path(out, i, depth);
		fprintf(out, "\n%s", i % KIND_COUNT == KIND_TREE ? "      recursive: true\n" : "");
	}
}

static void print_class(FILE *out, const char *name, int rules, int depth)
{
	fprintf(out, "  %s:\n", name);
	print_list(out, rules, depth, false);
	print_list(out, rules, depth, true);
}

static void print_selector(FILE *out, bool container)
{
	fputs(container ? "  selector:\n"
			  "    matchLabels:\n"
			  "      app: " GNT_BENCH_LABEL "\n"
			: "  nodeSelector:\n"
			  "    matchLabels:\n"
			  "      kubearmor.io/hostname: \"*\"\n",
	      out);
}

char *gnt_bench_policy(int rules, int depth, bool container)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out,
		"apiVersion: security.kubearmor.com/v1\n"
		"kind: %s\n"
		"metadata:\n"
		"  name: bench-%d\n"
		"spec:\n"
		"  severity: 5\n",
		container ? "KubeArmorPolicy" : "KubeArmorHostPolicy", rules);
	print_selector(out, container);
	print_class(out, "file", rules - rules / 2, depth);
	print_class(out, "process", rules / 2, depth);
	fputs("  action: Block\n", out);
	if (container)
		fputs("---\n"
		      "apiVersion: security.kubearmor.com/v1\n"
		      "kind: KubeArmorPolicy\n"
		      "metadata: {name: bench-other}\n"
		      "spec:\n"
		      "  selector: {matchLabels: {app: " GNT_BENCH_OTHER_LABEL "}}\n"
		      "  file: {matchPaths: [{path: " GNT_BENCH_CANARY "}]}\n"
		      "  action: Block\n",
		      out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
