/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet list targets|cases|contenders [--json] */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli.h"
#include "image.h"
#include "select.h"
#include "text.h"
#include "verdict.h"

struct list_options {
	const char *what;
	const char *cases_dir;
	bool json;
};

static const char *const kinds[] = {"targets", "cases", "contenders"};

static int take(void *context, const char *name, const char *value, struct pcl_diag *diag)
{
	struct list_options *options = context;
	pcl_autofree char *hint = NULL;

	if (name && strcmp(name, "--json") == 0) {
		options->json = true;
		return 0;
	}
	if (name) {
		options->cases_dir = value;
		return 0;
	}
	if (options->what)
		return pcl_diag_set(diag, -EINVAL, "list one thing at a time, not also \"%s\"",
				    value);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], value) == 0)
			options->what = value;
	if (options->what)
		return 0;
	hint = gnt_cli_hint(value, kinds, PCL_ARRAY_SIZE(kinds));
	return pcl_diag_set(diag, -EINVAL, "cannot list \"%s\"%s (targets, cases or contenders)",
			    value, hint ? hint : "");
}

static const struct gnt_cli cli = {
	.usage = "gauntlet list targets|cases|contenders [--json]",
	.about = "Lists what a run can be made of.",
	.options =
		(const struct gnt_cli_option[]){
			{"--json", NULL, "an array of objects, each with \"id\""},
			{"--cases", "DIR", "cases from another folder"},
			{0},
		},
	.take = take,
};

static json_t *words_json(char *const *words, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(array, json_string(words[i]));
	return array;
}

static json_t *mounts_json(const struct gnt_target *t)
{
	json_t *array = json_array();

	for (size_t i = 0; i < t->mount_count; i++)
		(void)json_array_append_new(array,
					    json_pack("{s:s, s:s, s:s}", "path", t->mounts[i].path,
						      "type", t->mounts[i].type, "options",
						      t->mounts[i].options));
	return array;
}

static json_t *known_json(const struct gnt_target *t)
{
	json_t *array = json_array();

	for (size_t i = 0; i < t->known_count; i++)
		(void)json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "case",
							     t->known[i].test_case, "verdict",
							     t->known[i].verdict, "reason",
							     t->known[i].reason));
	return array;
}

static json_t *target_json(const struct gnt_target *t)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:s?, s:o}", "id", t->id, "title",
				   t->title, "kernel", t->version, "lsm",
				   words_json(t->lsm, t->lsm_count), "stands_for", t->stands_for,
				   "differences", words_json(t->differences, t->difference_count));

	if (!object)
		return json_null();
	(void)json_object_set_new(object, "usual", json_boolean(t->usual));
	(void)json_object_set_new(object, "cmdline",
				  t->cmdline ? json_string(t->cmdline) : json_null());
	(void)json_object_set_new(object, "userland", words_json(t->userland, t->userland_count));
	(void)json_object_set_new(object, "rootfs", json_string(gnt_rootfs_name(t->rootfs)));
	(void)json_object_set_new(object, "mounts", mounts_json(t));
	(void)json_object_set_new(object, "cgroup", json_string(gnt_cgroup_name(t->cgroup)));
	(void)json_object_set_new(object, "selinux",
				  json_pack("{s:s?, s:s}", "policy", t->selinux_policy, "mode",
					    gnt_selinux_mode_name(t->selinux_mode)));
	(void)json_object_set_new(object, "lockdown",
				  t->lockdown ? json_string(t->lockdown) : json_null());
	(void)json_object_set_new(object, "known", known_json(t));
	/* A real image says whether anybody has ever run it; null: a kernel with our initramfs. */
	(void)json_object_set_new(object, "verified",
				  !t->image ? json_null()
					    : json_string(t->image->verified_date
								  ? t->image->verified_date
								  : "never"));
	return object;
}

static json_t *list_targets(const struct gnt_stock *stock)
{
	json_t *array = json_array();

	for (size_t i = 0; i < stock->target_count; i++)
		(void)json_array_append_new(array, target_json(stock->targets[i]));
	return array;
}

static json_t *list_cases(const struct gnt_stock *stock)
{
	json_t *array = json_array();

	for (size_t i = 0; i < stock->case_count; i++) {
		const struct gnt_case *c = stock->cases[i];

		(void)json_array_append_new(array,
					    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "id",
						      c->id, "title", c->title, "class", c->class,
						      "mitre", c->mitre_id, "mitre_version",
						      c->mitre_version, "rule", c->expect_rule,
						      "needs_corpus", gnt_case_needs_corpus(c)));
	}
	return array;
}

static json_t *list_contenders(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < gnt_contender_count; i++)
		(void)json_array_append_new(array, json_pack("{s:s, s:s, s:s?}", "id",
							     gnt_contenders[i].id, "title",
							     gnt_contenders[i].title, "lsm",
							     gnt_contenders[i].lsm));
	return array;
}

static void print_plain(const json_t *array)
{
	const json_t *entry;
	int width = 0;
	size_t i;

	json_array_foreach(array, i, entry) {
		int len = (int)json_string_length(json_object_get(entry, "id"));

		width = len > width ? len : width;
	}
	json_array_foreach(array, i, entry) {
		const char *title = json_string_value(json_object_get(entry, "title"));
		const char *id = json_string_value(json_object_get(entry, "id"));

		printf("%-*s  %s\n", width, id ? id : "?", title ? title : "");
	}
}

int gnt_cmd_list(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_stock stock pcl_cleanup(gnt_stock_fini) = {0};
	struct list_options options = {0};
	int code = gnt_cli_parse(&cli, argc, argv, &options);
	json_t *array;
	int error = 0;

	if (code != GNT_CLI_GO)
		return code;
	if (!options.what) {
		(void)pcl_diag_set(&diag, -EINVAL, "list what: targets, cases or contenders?");
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	}
	if (strcmp(options.what, "targets") == 0)
		error = gnt_stock_load_targets(&stock, &diag);
	else if (strcmp(options.what, "cases") == 0)
		error = gnt_stock_load_cases(&stock, options.cases_dir, &diag);
	if (error)
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	if (strcmp(options.what, "targets") == 0)
		array = list_targets(&stock);
	else if (strcmp(options.what, "cases") == 0)
		array = list_cases(&stock);
	else
		array = list_contenders();
	if (options.json)
		(void)json_dumpf(array, stdout, JSON_INDENT(2));
	else
		print_plain(array);
	if (options.json)
		(void)putchar('\n');
	json_decref(array);
	return GNT_EXIT_OK;
}
