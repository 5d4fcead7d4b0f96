/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis probe: what this node has, and which backends can enforce here, or why not.
 */
#include <stdio.h>

#include "backend/backend.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "cli/auto.h"
#include "cli/cli.h"
#include "cli/matrix.h"

enum {
	OPT_JSON = 1,
	OPT_MATRIX,
	OPT_POLICY,
};

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"matrix", no_argument, NULL, OPT_MATRIX},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int help(void)
{
	(void)puts(
		"usage: portcullis probe [--json] [--matrix | --policy PATH...]\n"
		"Says what this node has: kernel, active LSMs, BTF, cgroup v2; and of each backend\n"
		"whether it can enforce here, or what it lacks. Changes nothing.\n\n"
		"  --matrix  instead, what each backend does of each kind of rule on any of its\n"
		"            kernels: exact, stricter, looser or unsupported, with the reasons\n"
		"  --policy PATH\n"
		"            instead, which backend apply takes for the policies and why: what each does\n"
		"            of each rule here; a file, a directory, or - for standard input; may be\n"
		"            repeated\n"
		"  --json    one JSON object on standard output\n\n"
		"Exit codes: 0 some backend can enforce here (with --policy: apply takes the set), 3\n"
		"none can (apply refuses it); 2 bad policy.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static json_t *node_json(const struct pcl_node *node)
{
	json_t *lsms = json_array();

	for (size_t i = 0; i < node->lsm_count; i++)
		(void)json_array_append_new(lsms, json_string(node->lsms[i]));
	return json_pack("{s:s, s:s, s:o, s:b, s:b, s:b, s:b}", "hostname", node->hostname,
			 "kernel", node->kernel, "lsm", lsms, "btf", (int)node->btf, "bpffs",
			 (int)node->bpffs, "cgroup2", (int)node->cgroup2, "root",
			 (int)node->privileged);
}

static void print_node(const struct pcl_node *node)
{
	(void)printf("kernel    %s\nlsm       ", node->kernel);
	for (size_t i = 0; i < node->lsm_count; i++)
		(void)printf("%s%s", i ? "," : "", node->lsms[i]);
	(void)printf("%s\nbtf       %s\nbpffs     %s\ncgroup v2 %s\n",
		     node->lsms_known ? "" : "unknown (securityfs is not mounted)",
		     node->btf ? "yes" : "no", node->bpffs ? "yes" : "no",
		     node->cgroup2 ? "yes" : "no");
}

struct request {
	char **policies; /* owned */
	size_t policy_count;
	bool json;
	bool matrix;
};

static void request_fini(struct request *request)
{
	pcl_strings_free(&request->policies, &request->policy_count);
}

static bool take_option(struct request *request, int option)
{
	switch (option) {
	case OPT_JSON:
		request->json = true;
		return true;
	case OPT_MATRIX:
		request->matrix = true;
		return true;
	case OPT_POLICY:
		return !pcl_strings_add(&request->policies, &request->policy_count, optarg) ||
		       pcl_cli_fail(0, "probe: out of memory");
	default:
		return false; /* the error was printed */
	}
}

static int print_backends(const struct pcl_node *node, bool json)
{
	json_t *backends = json_array();
	bool can = false;

	if (!json)
		print_node(node);
	for (size_t i = 0; pcl_backends[i]; i++) {
		pcl_cleanup(pcl_diag_fini) struct pcl_diag why = {0};
		bool usable = !pcl_backends[i]->probe(node, &why);
		pcl_autofree char *how =
			usable && pcl_backends[i]->describe ? pcl_backends[i]->describe() : NULL;

		/* The backend that enforces nothing does not make a node able to enforce. */
		can |= usable && pcl_backends[i]->events;
		if (!json)
			(void)printf("%-9s %s%s%s%s\n", pcl_backends[i]->name,
				     usable ? "can be used" : pcl_diag_text(&why), how ? " (" : "",
				     how ? how : "", how ? ")" : "");
		(void)json_array_append_new(backends,
					    json_pack("{s:s, s:b, s:s, s:s*}", "name",
						      pcl_backends[i]->name, "usable", (int)usable,
						      "reason", usable ? "" : pcl_diag_text(&why),
						      "flavour", how));
	}
	if (json && pcl_cli_print_json(json_pack("{s:o, s:O}", "node", node_json(node), "backends",
						 backends))) {
		json_decref(backends);
		return PCL_EXIT_NO;
	}
	json_decref(backends);
	return pcl_cli_finish(can ? PCL_EXIT_YES : PCL_EXIT_UNSUPPORTED);
}

static int print_auto(const struct request *request, const struct pcl_node *node)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	int exit_code = pcl_cli_read_policies(request->policies, (int)request->policy_count, &set);

	if (exit_code)
		return exit_code;
	pcl_cli_print_notices(set);
	return pcl_cli_print_auto(set, node, request->json);
}

int pcl_cmd_probe(int argc, char **argv)
{
	struct request pcl_cleanup(request_fini) request = {0};
	pcl_cleanup(pcl_node_free) struct pcl_node *node = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	int option;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (!take_option(&request, option))
			return PCL_EXIT_USAGE;
	}
	if (request.matrix && request.policy_count)
		return pcl_cli_fail(PCL_EXIT_USAGE, "probe: one of --matrix and --policy");
	if (request.matrix)
		return pcl_cli_print_matrix(request.json);
	if (pcl_node_probe(&node, &diag))
		return pcl_cli_fail_diag(PCL_EXIT_NO, &diag);
	return request.policy_count ? print_auto(&request, node)
				    : print_backends(node, request.json);
}
