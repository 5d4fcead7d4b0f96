/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet images list|fetch|verify|import: real images of distributions. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli.h"
#include "image.h"
#include "image_store.h"
#include "text.h"
#include "verdict.h"

struct images_command {
	const char *verb;
	struct gnt_words words;
	bool json;
};

static void command_fini(struct images_command *command)
{
	gnt_words_fini(&command->words);
}

static int list(const struct images_command *command, struct gnt_image *const *images, size_t count,
		struct pcl_diag *diag);

static const struct {
	const char *name;
	size_t words_min, words_max;
	int (*run)(const struct images_command *command, struct gnt_image *const *images,
		   size_t count, struct pcl_diag *diag);
} verbs[] = {
	{"list", 0, 0, list},
};

static int take(void *context, const char *name, const char *value, struct pcl_diag *diag)
{
	struct images_command *command = context;

	if (name) {
		command->json = true;
		return 0;
	}
	if (command->verb)
		return gnt_words_add(&command->words, value, diag);
	command->verb = value;
	return 0;
}

static const struct gnt_cli cli = {
	.usage = "gauntlet images list [--json]",
	.about = "Real images of distributions: where they come from, and which are at hand.\n"
		 "One that is at hand is a target of its id (gauntlet run CASE --on ID).",
	.options =
		(const struct gnt_cli_option[]){
			{"--json", NULL, "list: an array of objects, each with \"id\""},
			{0},
		},
	.take = take,
};

static json_t *image_json(const struct gnt_image *image, json_t *record)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s?}", "id",
				   image->id, "title", image->title, "verified",
				   image->verified_date ? image->verified_date : "never", "at_hand",
				   record != NULL, "check", gnt_image_check_name(image), "format",
				   gnt_image_format_name(image->format), "disk",
				   gnt_bus_name(image->bus), "seed", gnt_seed_name(image->seed),
				   "source", image->files[GNT_IMAGE_DISK]);

	if (!object)
		return json_null();
	(void)json_object_set_new(object, "record", record ? json_incref(record) : json_null());
	(void)json_object_set_new(object, "verified_by",
				  image->verified_by ? json_string(image->verified_by)
						     : json_null());
	return object;
}

static int list(const struct images_command *command, struct gnt_image *const *images, size_t count,
		struct pcl_diag *diag)
{
	json_t *array = json_array();
	const json_t *entry;
	size_t i;

	(void)diag;
	for (i = 0; i < count; i++) {
		json_t *record = NULL;

		(void)gnt_store_record(images[i], &record, NULL);
		(void)json_array_append_new(array, image_json(images[i], record));
		json_decref(record);
	}
	if (command->json) {
		(void)json_dumpf(array, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		json_decref(array);
		return 0;
	}
	printf("%-24s %-8s %-10s %-22s %s\n", "IMAGE", "AT HAND", "VERIFIED", "CHECKED BY", "WHAT");
	json_array_foreach(array, i, entry) {
		printf("%-24s %-8s %-10s %-22s %s\n", images[i]->id,
		       json_is_true(json_object_get(entry, "at_hand")) ? "yes" : "no",
		       json_string_value(json_object_get(entry, "verified")),
		       gnt_image_check_name(images[i]), images[i]->title);
	}
	json_decref(array);
	return 0;
}

static int find_verb(const struct images_command *command, size_t *ret_verb, struct pcl_diag *diag)
{
	const char *known[PCL_ARRAY_SIZE(verbs)];
	pcl_autofree char *hint = NULL;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(verbs); i++) {
		known[i] = verbs[i].name;
		*ret_verb = i;
		if (!command->verb || strcmp(verbs[i].name, command->verb) != 0)
			continue;
		if (command->words.count >= verbs[i].words_min &&
		    command->words.count <= verbs[i].words_max)
			return 0;
		return pcl_diag_set(diag, -EINVAL,
				    "images %s: see gauntlet images --help for what "
				    "it takes",
				    command->verb);
	}
	if (!command->verb)
		return pcl_diag_set(diag, -EINVAL, "images what? see gauntlet images --help");
	hint = gnt_cli_hint(command->verb, known, PCL_ARRAY_SIZE(known));
	return pcl_diag_set(diag, -EINVAL, "no \"images %s\"%s", command->verb, hint ? hint : "");
}

int gnt_cmd_images(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct images_command command pcl_cleanup(command_fini) = {0};
	pcl_autofree char *dir = NULL;
	struct gnt_image **images = NULL;
	size_t count = 0, verb = 0;
	int error, code = gnt_cli_parse(&cli, argc, argv, &command);

	if (code != GNT_CLI_GO)
		return code;
	if (find_verb(&command, &verb, &diag) != 0 || gnt_images_dir(&dir, &diag) != 0 ||
	    gnt_images_load(dir, &images, &count, &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	error = verbs[verb].run(&command, images, count, &diag);
	gnt_images_free(&images, count);
	if (!error)
		return GNT_EXIT_OK;
	return gnt_cli_fail(error == -EINVAL ? GNT_EXIT_USAGE : GNT_EXIT_INFRA, &diag);
}
