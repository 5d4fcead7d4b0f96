/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts, views and plans for tests of SELinux's plans.
 */
#include "selinux_trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "support.h"

#define autodiag struct pcl_diag pcl_cleanup(pcl_diag_fini)

void selinux_host_fini(struct selinux_host *host)
{
	pcl_ruleset_free(&host->ruleset);
	pcl_domain_free(&host->domain);
	pcl_aliases_fini(&host->aliases);
	pcl_policy_set_free(&host->set);
}

void selinux_host_init(struct selinux_host *host, struct pcl_policy_set *set,
		       enum pcl_posture posture)
{
	const struct pcl_postures postures = {posture, posture, posture, posture};

	memset(host, 0, sizeof(*host));
	host->set = set;
	assert_int_equal(pcl_domain_new_host("node", NULL, &host->domain, NULL), 0);
	assert_int_equal(pcl_resolve(set, host->domain, &postures, &host->ruleset), 0);
	host->backend_domain = (struct pcl_backend_domain){
		.ruleset = host->ruleset,
		.aliases = &host->aliases,
	};
	host->input = (struct pcl_backend_input){
		.generation = 1,
		.domains = &host->backend_domain,
		.domain_count = 1,
		.rules = host->ruleset->rules,
		.rule_count = host->ruleset->rule_count,
	};
}

void selinux_host_of(struct selinux_host *host, const char *spec, enum pcl_posture posture)
{
	pcl_autofree char *text = test_policy_text(TEST_HOST, "p", spec);

	selinux_host_init(host, test_read(text), posture);
}

struct pcl_selinux_view *selinux_view_of(const char *text)
{
	struct pcl_selinux_view *view = NULL;
	autodiag diag = {0};

	if (pcl_selinux_view_parse("view", text, &view, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return view;
}

struct pcl_selinux_plan *selinux_plan_of(const struct selinux_host *host,
					 const struct pcl_selinux_view *view)
{
	struct pcl_selinux_plan *plan = NULL;
	autodiag diag = {0};

	if (pcl_selinux_plan(&host->input, view, &plan, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return plan;
}

char *selinux_type_of(const struct pcl_selinux_plan *plan, const struct pcl_selinux_entry *entry)
{
	const char *context = entry->context, *type;

	for (size_t i = 0; i < plan->relabel_count; i++)
		if (!strcmp(plan->relabels[i].path, entry->path))
			context = plan->relabels[i].after;
	type = strchr(strchr(context, ':') + 1, ':') + 1;
	return strndup(type, strcspn(type, ":"));
}

/* --- random ones -------------------------------------------------------------------------------
 */

static uint64_t random_state;

static unsigned pick(unsigned count)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % count;
}

/* Directories, by a slash at the end, and files. */
static const char *const paths[] = {
	"/a/",	 "/a/b/",    "/a/b/c/", "/a/b/c/x",  "/a/b/x", "/a/b/y",
	"/a/x",	 "/a/y.key", "/bin/",	"/bin/tool", "/bin/x", "/d/",
	"/d/a/", "/d/a/x",   "/d/x",	"/d/y.key",  "/e",
};
static const char *const patterns[] = {"/a/*", "/a/**", "/*/x", "/**.key", "/a/b/[xy]", "/d/*/x"};
const char *const selinux_types[SELINUX_TYPE_COUNT] = {"one_t", "two_t", "three_t"};

static void put_rule(FILE *out, bool process)
{
	static const char *const actions[] = {"Block", "Block", "Allow", "Audit"};
	static const char *const sources[] = {"/bin/tool", "/bin/x", "/e"};
	/* Of programs that one may execute, only a Block is about the executing one. */
	bool sourced = !pick(3);
	const char *path = paths[pick(PCL_ARRAY_SIZE(paths))];
	bool dir = path[strlen(path) - 1] == '/';

	switch (pick(process ? 4 : 3)) {
	case 0:
		sourced = false; /* patterns have no sources */
		(void)fprintf(out, "matchPatterns|pattern: \"%s\"",
			      patterns[pick(PCL_ARRAY_SIZE(patterns))]);
		break;
	case 3:
		(void)fprintf(out, "matchPaths|execname: %s", pick(2) ? "x" : "tool");
		break;
	default:
		if (dir && pick(4))
			(void)fprintf(out, "matchDirectories|dir: %s, recursive: %s", path,
				      pick(2) ? "true" : "false");
		else
			(void)fprintf(out, "matchPaths|path: %.*s", (int)strlen(path) - dir, path);
	}
	if (!process && !pick(4))
		(void)fputs(", readOnly: true", out);
	if (sourced)
		(void)fprintf(out, ", fromSource: [{path: %s}]",
			      sources[pick(PCL_ARRAY_SIZE(sources))]);
	(void)fprintf(out, ", action: %s",
		      sourced && process ? "Block" : actions[pick(PCL_ARRAY_SIZE(actions))]);
}

/* The rules of a section by their lists, each of which may be there once only. */
static void put_section(FILE *out, bool process)
{
	static const char *const lists[] = {"matchPaths", "matchDirectories", "matchPatterns"};
	char *rules[8] = {NULL};
	size_t count = 1 + pick(PCL_ARRAY_SIZE(rules) - 1);

	for (size_t i = 0; i < count; i++) {
		size_t len;
		FILE *rule = open_memstream(&rules[i], &len);

		put_rule(rule, process);
		assert_int_equal(fclose(rule), 0);
	}
	(void)fprintf(out, "  %s:\n", process ? "process" : "file");
	for (size_t l = 0; l < PCL_ARRAY_SIZE(lists); l++) {
		bool any = false;

		for (size_t i = 0; i < count; i++) {
			if (strncmp(rules[i], lists[l], strlen(lists[l])) != 0)
				continue;
			if (!any)
				(void)fprintf(out, "    %s:\n", lists[l]);
			any = true;
			(void)fprintf(out, "      - {%s}\n", strchr(rules[i], '|') + 1);
		}
	}
	for (size_t i = 0; i < count; i++)
		free(rules[i]);
}

static char *random_spec(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (pick(4))
		put_section(out, false);
	if (pick(3) || !ftell(out))
		put_section(out, true);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *random_view(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	/* The names of one file have one label. */
	const char *shared = selinux_types[pick(SELINUX_TYPE_COUNT)];

	for (size_t i = 0; i < SELINUX_TYPE_COUNT; i++)
		(void)fprintf(out, "type %s\n", selinux_types[i]);
	(void)fprintf(out, "/ d u:object_r:%s:s0\n", selinux_types[0]);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(paths); i++) {
		size_t path_len = strlen(paths[i]);
		bool dir = paths[i][path_len - 1] == '/', linked = !dir && !pick(4);

		if (dir || pick(5))
			(void)fprintf(out, "%.*s %s u:object_r:%s:s0\n", (int)(path_len - dir),
				      paths[i],
				      dir      ? "d"
				      : linked ? "f@1:9"
					       : "f",
				      linked ? shared : selinux_types[pick(SELINUX_TYPE_COUNT)]);
	}
	for (size_t i = 0; i < SELINUX_TYPE_COUNT; i++)
		(void)fprintf(out,
			      "executor %s user_t\nexecutor %s " SELINUX_MAKER
			      "%s\nexecutor %s " SELINUX_DAEMON "\n",
			      selinux_types[i], selinux_types[i], i == 1 ? " " SELINUX_DAEMON : "",
			      selinux_types[i]);
	/* Of one class in one type nobody makes two things. */
	for (size_t i = 0; i < SELINUX_TYPE_COUNT; i++)
		for (size_t dir = 0; dir < 2; dir++)
			if (!pick(4))
				(void)fprintf(out, "making " SELINUX_MAKER " %s %s %s\n",
					      selinux_types[i], dir ? "dir" : "file",
					      selinux_types[pick(SELINUX_TYPE_COUNT)]);
	assert_int_equal(fclose(out), 0);
	return text;
}

void selinux_trial_init(struct selinux_trial *trial, uint64_t seed)
{
	memset(trial, 0, sizeof(*trial));
	trial->seed = seed;
	random_state = seed * 0x9e3779b97f4a7c15u;
	trial->spec = random_spec();
	trial->view_text = random_view();
	selinux_host_of(&trial->host, trial->spec, pick(2) ? PCL_POSTURE_BLOCK : PCL_POSTURE_AUDIT);
	trial->view = selinux_view_of(trial->view_text);
	trial->plan = selinux_plan_of(&trial->host, trial->view);
}

void selinux_trial_fini(struct selinux_trial *trial)
{
	pcl_selinux_plan_free(&trial->plan);
	pcl_selinux_view_free(&trial->view);
	selinux_host_fini(&trial->host);
	free(trial->spec);
	free(trial->view_text);
}

static bool is_same_file(const struct pcl_selinux_entry *a, const struct pcl_selinux_entry *b)
{
	return a == b || (a->inode && a->inode == b->inode);
}

void selinux_trial_run(struct selinux_trial *trial, const struct pcl_selinux_entry *entry)
{
	trial->runs_count = 0;
	for (size_t i = 0; entry && i < trial->view->entry_count; i++)
		if (is_same_file(&trial->view->entries[i], entry) &&
		    trial->runs_count < PCL_ARRAY_SIZE(trial->runs))
			trial->runs[trial->runs_count++] = trial->view->entries[i].path;
}

bool selinux_model_refuses_path(const struct selinux_trial *trial, const char *path,
				enum pcl_access access)
{
	struct pcl_operation operation = {.access = access, .object = path};
	struct pcl_verdict verdict;
	bool refused = false;

	for (size_t i = 0; i < trial->runs_count || !i; i++) {
		operation.source = trial->runs_count ? trial->runs[i] : NULL;
		pcl_decide(trial->host.ruleset, &operation, &verdict);
		refused |= verdict.refused;
	}
	return refused;
}

static bool blocks_path(const struct selinux_trial *trial, const char *path)
{
	struct pcl_operation operation = {.access = PCL_ACCESS_EXECUTE, .object = path};
	struct pcl_verdict verdict;
	bool blocks = false;

	for (size_t i = 0; i < trial->runs_count || !i; i++) {
		operation.source = trial->runs_count ? trial->runs[i] : NULL;
		pcl_decide(trial->host.ruleset, &operation, &verdict);
		blocks |= verdict.refused && verdict.rule;
	}
	return blocks;
}

bool selinux_model_blocks(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry)
{
	for (size_t i = 0; i < trial->view->entry_count; i++) {
		const struct pcl_selinux_entry *other = &trial->view->entries[i];

		if ((other == entry || (entry->inode && other->inode == entry->inode)) &&
		    blocks_path(trial, other->path))
			return true;
	}
	return false;
}

bool selinux_model_refuses(const struct selinux_trial *trial, const struct pcl_selinux_entry *entry,
			   enum pcl_access access)
{
	for (size_t i = 0; i < trial->view->entry_count; i++) {
		const struct pcl_selinux_entry *other = &trial->view->entries[i];

		if (is_same_file(other, entry) &&
		    selinux_model_refuses_path(trial, other->path, access))
			return true;
	}
	return false;
}
