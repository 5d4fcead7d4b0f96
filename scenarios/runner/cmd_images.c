/* SPDX-License-Identifier: Apache-2.0 */
/* gauntlet images list|fetch|verify|import: real images of distributions. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli.h"
#include "image.h"
#include "image_fetch.h"
#include "image_store.h"
#include "text.h"
#include "verdict.h"

#define SHA256_LEN 64

struct images_command {
	const char *verb;
	struct gnt_words words;
	const char *sha256;
	bool json;
};

static void command_fini(struct images_command *command)
{
	gnt_words_fini(&command->words);
}

/* What there is to choose from. */
struct shelf {
	struct gnt_image **images;
	size_t count;
};

static int list(const struct images_command *command, const struct shelf *shelf,
		struct pcl_diag *diag);
static int fetch(const struct images_command *command, const struct shelf *shelf,
		 struct pcl_diag *diag);
static int verify(const struct images_command *command, const struct shelf *shelf,
		  struct pcl_diag *diag);
static int import(const struct images_command *command, const struct shelf *shelf,
		  struct pcl_diag *diag);

static const struct {
	const char *name;
	size_t words_min, words_max;
	const char *words;
	int (*run)(const struct images_command *command, const struct shelf *shelf,
		   struct pcl_diag *diag);
} verbs[] = {
	{"list", 0, 0, "nothing else", list},
	{"fetch", 1, 1, "the ID of an image", fetch},
	{"verify", 1, 2, "the ID of an image, or a FILE, or both", verify},
	{"import", 2, 2, "the ID of an image and a FILE", import},
};

static int take(void *context, const char *name, const char *value, struct pcl_diag *diag)
{
	struct images_command *command = context;

	if (name && strcmp(name, "--json") == 0) {
		command->json = true;
		return 0;
	}
	if (name) {
		command->sha256 = value;
		if (strlen(value) == SHA256_LEN && strspn(value, "0123456789abcdef") == SHA256_LEN)
			return 0;
		return pcl_diag_set(diag, -EINVAL, "--sha256 needs %d hexadecimal digits",
				    SHA256_LEN);
	}
	if (command->verb)
		return gnt_words_add(&command->words, value, diag);
	command->verb = value;
	return 0;
}

static const struct gnt_cli cli = {
	.usage = "gauntlet images list [--json]\n"
		 "       gauntlet images fetch ID\n"
		 "       gauntlet images verify ID|FILE [--sha256 HEX]\n"
		 "       gauntlet images import ID FILE [--sha256 HEX]",
	.about = "Real images of distributions: where they come from, and which are at hand.\n"
		 "One that is at hand is a target of its id (gauntlet run CASE --on ID).",
	.options =
		(const struct gnt_cli_option[]){
			{"--json", NULL, "list: an array of objects, each with \"id\""},
			{"--sha256", "HEX", "what the file must be, instead of what is published"},
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

static int list(const struct images_command *command, const struct shelf *shelf,
		struct pcl_diag *diag)
{
	struct gnt_image *const *images = shelf->images;
	json_t *array = json_array();
	const json_t *entry;
	size_t i;

	(void)diag;
	for (i = 0; i < shelf->count; i++) {
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

static void say(const char *text)
{
	fprintf(stderr, "gauntlet: %s\n", text);
}

static const struct gnt_image *find_image(const struct shelf *shelf, const char *word)
{
	for (size_t i = 0; i < shelf->count; i++) {
		if (strcmp(shelf->images[i]->id, word) == 0)
			return shelf->images[i];
	}
	return NULL;
}

static int need_image(const struct shelf *shelf, const char *word,
		      const struct gnt_image **ret_image, struct pcl_diag *diag)
{
	pcl_autofree const char **ids = calloc(shelf->count + 1, sizeof(*ids));
	pcl_autofree char *hint = NULL;

	*ret_image = find_image(shelf, word);
	if (*ret_image)
		return 0;
	for (size_t i = 0; ids && i < shelf->count; i++)
		ids[i] = shelf->images[i]->id;
	hint = ids ? gnt_cli_hint(word, ids, shelf->count) : NULL;
	return pcl_diag_set(diag, -EINVAL, "no image \"%s\"%s (gauntlet images list)", word,
			    hint ? hint : "");
}

static int fetch(const struct images_command *command, const struct shelf *shelf,
		 struct pcl_diag *diag)
{
	const struct gnt_image *image = NULL;
	bool news = false;
	int error = need_image(shelf, command->words.items[0], &image, diag);

	if (!error)
		error = gnt_image_fetch(image, say, &news, diag);
	if (error)
		return error;
	if (news)
		printf("%s is at hand\n", image->id);
	else
		printf("%s is at hand already, and it is what is published now\n", image->id);
	return 0;
}

static int import(const struct images_command *command, const struct shelf *shelf,
		  struct pcl_diag *diag)
{
	const struct gnt_image *image = NULL;
	int error = need_image(shelf, command->words.items[0], &image, diag);

	if (!error)
		error = gnt_image_import(image, command->words.items[1], command->sha256, say,
					 diag);
	if (!error)
		printf("%s is at hand\n", image->id);
	return error;
}

/* The one image whose published file is called like this. */
static int image_of_file(const struct shelf *shelf, const char *file,
			 const struct gnt_image **ret_image, struct pcl_diag *diag)
{
	for (size_t i = 0; i < shelf->count; i++) {
		if (!gnt_image_file_fits(shelf->images[i], file))
			continue;
		if (*ret_image)
			return pcl_diag_set(diag, -EINVAL,
					    "%s may be %s or %s: gauntlet images verify ID FILE",
					    file, (*ret_image)->id, shelf->images[i]->id);
		*ret_image = shelf->images[i];
	}
	if (*ret_image)
		return 0;
	return pcl_diag_set(diag, -EINVAL,
			    "%s is called like no image's file: gauntlet images verify ID FILE",
			    file);
}

static int verify(const struct images_command *command, const struct shelf *shelf,
		  struct pcl_diag *diag)
{
	const char *word = command->words.items[0];
	const char *file = command->words.count > 1 ? command->words.items[1] : NULL;
	const struct gnt_image *image = find_image(shelf, word);
	int error = 0;

	if (file || (!image && access(word, F_OK) != 0)) {
		error = need_image(shelf, word, &image, diag);
	} else if (!image) {
		file = word;
		error = image_of_file(shelf, file, &image, diag);
	}
	if (!error)
		error = file ? gnt_image_verify_file(image, file, command->sha256, diag)
			     : gnt_image_verify(image, diag);
	if (!error && file)
		printf("%s is %s as it is published\n", file, image->id);
	else if (!error)
		printf("%s is as it was checked\n", image->id);
	return error;
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
	struct shelf shelf = {0};
	size_t verb = 0;
	int error, code = gnt_cli_parse(&cli, argc, argv, &command);

	if (code != GNT_CLI_GO)
		return code;
	if (find_verb(&command, &verb, &diag) != 0 || gnt_images_dir(&dir, &diag) != 0 ||
	    gnt_images_load(dir, &shelf.images, &shelf.count, &diag) != 0)
		return gnt_cli_fail(GNT_EXIT_USAGE, &diag);
	error = verbs[verb].run(&command, &shelf, &diag);
	gnt_images_free(&shelf.images, shelf.count);
	if (!error)
		return GNT_EXIT_OK;
	return gnt_cli_fail(error == -EINVAL ? GNT_EXIT_USAGE : GNT_EXIT_INFRA, &diag);
}
