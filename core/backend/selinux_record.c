/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as text: a word for the kind of line, then words apart by tabs, lists apart by blanks;
 * what could be taken for these in a path is written as \OOO. The last line says that it is whole.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/selinux_record.h"
#include "base/array.h"
#include "base/cleanup.h"

/* Below the engine's, on a file system that is gone with the boot as the loaded policy is. */
#define RECORDS_DIR "/run/portcullis/selinux"
#define ORIGINAL "original"
#define END "end"
#define WORDS_MAX 7

static const char *records_dir = RECORDS_DIR;

void pcl_selinux_records_use_dir(const char *dir)
{
	records_dir = dir;
}

static void free_place(struct pcl_selinux_place *place)
{
	free(place->path);
	free(place->type);
}

void pcl_selinux_record_fini(struct pcl_selinux_record *record)
{
	pcl_selinux_changes_fini(&record->changes);
	for (size_t i = 0; i < record->label_count; i++) {
		free(record->labels[i].path);
		free(record->labels[i].before);
		free(record->labels[i].after);
	}
	for (size_t i = 0; i < record->place_count; i++)
		free_place(&record->places[i]);
	for (size_t i = 0; i < record->mark_count; i++) {
		free(record->marks[i].name);
		free(record->marks[i].path);
	}
	for (size_t i = 0; i < record->coming_count; i++)
		free(record->comings[i].name);
	pcl_strings_free(&record->awaits, &record->await_count);
	free(record->labels);
	free(record->places);
	free(record->marks);
	free(record->comings);
	*record = (struct pcl_selinux_record){0};
}

int pcl_selinux_record_add_label(struct pcl_selinux_record *record, const char *path,
				 const char *before, const char *after)
{
	struct pcl_selinux_label *label;

	if (pcl_array_grow(&record->labels, record->label_count, sizeof(*label)))
		return -ENOMEM;
	label = &record->labels[record->label_count++];
	*label = (struct pcl_selinux_label){strdup(path), strdup(before), strdup(after)};
	return label->path && label->before && label->after ? 0 : -ENOMEM;
}

int pcl_selinux_record_add_place(struct pcl_selinux_record *record,
				 const struct pcl_selinux_place *place)
{
	struct pcl_selinux_place *added;

	if (pcl_array_grow(&record->places, record->place_count, sizeof(*added)))
		return -ENOMEM;
	added = &record->places[record->place_count++];
	*added = *place;
	added->path = strdup(place->path);
	added->type = strdup(place->type);
	return added->path && added->type ? 0 : -ENOMEM;
}

int pcl_selinux_record_add_mark(struct pcl_selinux_record *record, const char *name,
				const char *path)
{
	struct pcl_selinux_mark *mark;

	if (pcl_array_grow(&record->marks, record->mark_count, sizeof(*mark)))
		return -ENOMEM;
	mark = &record->marks[record->mark_count++];
	*mark = (struct pcl_selinux_mark){strdup(name), strdup(path)};
	return mark->name && mark->path ? 0 : -ENOMEM;
}

int pcl_selinux_record_add_coming(struct pcl_selinux_record *record, const char *name, bool pattern)
{
	struct pcl_selinux_coming *coming;

	if (pcl_array_grow(&record->comings, record->coming_count, sizeof(*coming)))
		return -ENOMEM;
	coming = &record->comings[record->coming_count++];
	*coming = (struct pcl_selinux_coming){strdup(name), pattern};
	return coming->name ? 0 : -ENOMEM;
}

/* --- out ---------------------------------------------------------------------------------------
 */

static void print_path(FILE *out, const char *path)
{
	for (; *path; path++)
		if (iscntrl((unsigned char)*path) || *path == '\\')
			(void)fprintf(out, "\\%03o", (unsigned)(unsigned char)*path);
		else
			(void)fputc(*path, out);
}

static void print_list(FILE *out, char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, "%s%s", i ? " " : "", words[i]);
}

static void print_refuse(FILE *out, const struct pcl_selinux_refuse *refuse)
{
	(void)fprintf(out, "refuse\t%s\t%s\t", refuse->class_name,
		      refuse->others ? "others" : "these");
	print_list(out, refuse->permissions, refuse->permissions_count);
	(void)fputc('\t', out);
	print_list(out, refuse->targets, refuse->targets_count);
	(void)fputc('\t', out);
	print_list(out, refuse->sources, refuse->sources_count);
	(void)fputc('\n', out);
}

static void print_changes(FILE *out, const struct pcl_selinux_changes *changes)
{
	for (size_t i = 0; i < changes->clones_count; i++)
		(void)fprintf(out, "clone\t%s\t%s\t%s\n", changes->clones[i].name,
			      changes->clones[i].base ? changes->clones[i].base : "",
			      changes->clones[i].plain ? "plain" : "any");
	for (size_t i = 0; i < changes->refuses_count; i++)
		print_refuse(out, &changes->refuses[i]);
	for (size_t i = 0; i < changes->enters_count; i++)
		(void)fprintf(out, "enter\t%s\t%s\t%s\t%s\n", changes->enters[i].source,
			      changes->enters[i].target, changes->enters[i].class_name,
			      changes->enters[i].result);
	for (size_t i = 0; i < changes->leaves_count; i++)
		(void)fprintf(out, "leave\t%s\t%s\n", changes->leaves[i].source,
			      changes->leaves[i].result);
	for (size_t i = 0; i < changes->runs_count; i++)
		(void)fprintf(out, "run\t%s\n", changes->runs[i]);
	for (size_t i = 0; i < changes->audits_count; i++) {
		const struct pcl_selinux_audit *audit = &changes->audits[i];

		(void)fprintf(out, "audit\t%s\t%s\t%s\t", audit->source, audit->target,
			      audit->class_name);
		print_list(out, audit->permissions, audit->permissions_count);
		(void)fputc('\n', out);
	}
}

int pcl_selinux_record_print(const struct pcl_selinux_record *record, FILE *out)
{
	(void)fprintf(out, "generation\t%" PRIu64 "\n", record->generation);
	print_changes(out, &record->changes);
	for (size_t i = 0; i < record->label_count; i++) {
		(void)fprintf(out, "label\t%s\t%s\t", record->labels[i].before,
			      record->labels[i].after);
		print_path(out, record->labels[i].path);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < record->place_count; i++) {
		const struct pcl_selinux_place *place = &record->places[i];

		(void)fprintf(out, "place\t%" PRIu64 "\t%s\t%s\t", place->inode,
			      place->directory ? "dir"
			      : place->link    ? "link"
					       : "file",
			      place->type);
		print_path(out, place->path);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < record->mark_count; i++) {
		(void)fprintf(out, "mark\t%s\t", record->marks[i].name);
		print_path(out, record->marks[i].path);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < record->coming_count; i++) {
		(void)fprintf(out, "coming\t%s\t", record->comings[i].pattern ? "pattern" : "path");
		print_path(out, record->comings[i].name);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < record->await_count; i++) {
		(void)fputs("await\t", out);
		print_path(out, record->awaits[i]);
		(void)fputc('\n', out);
	}
	(void)fputs(END "\n", out);
	return ferror(out) ? -EIO : 0;
}

/* --- in ----------------------------------------------------------------------------------------
 */

/* In place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		/* A text that ends within a byte has none there. */
		if (*text == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static int parse_list(char *text, char ***array, size_t *count)
{
	char *word;

	while ((word = strsep(&text, " ")))
		if (*word && pcl_strings_add(array, count, word))
			return -ENOMEM;
	return 0;
}

static int parse_clone(char *const *words, struct pcl_selinux_changes *changes)
{
	struct pcl_selinux_clone *clone;

	if (pcl_array_grow(&changes->clones, changes->clones_count, sizeof(*clone)))
		return -ENOMEM;
	clone = &changes->clones[changes->clones_count++];
	*clone = (struct pcl_selinux_clone){
		.name = strdup(words[1]),
		.base = *words[2] ? strdup(words[2]) : NULL,
		.plain = !strcmp(words[3], "plain"),
	};
	return clone->name && (clone->base || !*words[2]) ? 0 : -ENOMEM;
}

static int parse_refuse(char *const *words, struct pcl_selinux_changes *changes)
{
	struct pcl_selinux_refuse *refuse;

	if (pcl_array_grow(&changes->refuses, changes->refuses_count, sizeof(*refuse)))
		return -ENOMEM;
	refuse = &changes->refuses[changes->refuses_count++];
	*refuse = (struct pcl_selinux_refuse){.class_name = strdup(words[1]),
					      .others = !strcmp(words[2], "others")};
	return refuse->class_name &&
			       !parse_list(words[3], &refuse->permissions,
					   &refuse->permissions_count) &&
			       !parse_list(words[4], &refuse->targets, &refuse->targets_count) &&
			       !parse_list(words[5], &refuse->sources, &refuse->sources_count)
		       ? 0
		       : -ENOMEM;
}

static int parse_enter(char *const *words, struct pcl_selinux_changes *changes)
{
	struct pcl_selinux_enter *enter;

	if (pcl_array_grow(&changes->enters, changes->enters_count, sizeof(*enter)))
		return -ENOMEM;
	enter = &changes->enters[changes->enters_count++];
	*enter = (struct pcl_selinux_enter){strdup(words[1]), strdup(words[2]), strdup(words[3]),
					    strdup(words[4])};
	return enter->source && enter->target && enter->class_name && enter->result ? 0 : -ENOMEM;
}

static int parse_leave(char *const *words, struct pcl_selinux_changes *changes)
{
	struct pcl_selinux_leave *leave;

	if (pcl_array_grow(&changes->leaves, changes->leaves_count, sizeof(*leave)))
		return -ENOMEM;
	leave = &changes->leaves[changes->leaves_count++];
	*leave = (struct pcl_selinux_leave){strdup(words[1]), strdup(words[2])};
	return leave->source && leave->result ? 0 : -ENOMEM;
}

static int parse_audit(char *const *words, struct pcl_selinux_changes *changes)
{
	struct pcl_selinux_audit *audit;

	if (pcl_array_grow(&changes->audits, changes->audits_count, sizeof(*audit)))
		return -ENOMEM;
	audit = &changes->audits[changes->audits_count++];
	*audit = (struct pcl_selinux_audit){
		.source = strdup(words[1]),
		.target = strdup(words[2]),
		.class_name = strdup(words[3]),
	};
	return audit->source && audit->target && audit->class_name &&
			       !parse_list(words[4], &audit->permissions, &audit->permissions_count)
		       ? 0
		       : -ENOMEM;
}

static int parse_change(char *const *words, size_t count, struct pcl_selinux_record *record)
{
	if (count == 4 && !strcmp(words[0], "clone"))
		return parse_clone(words, &record->changes);
	if (count == 6 && !strcmp(words[0], "refuse"))
		return parse_refuse(words, &record->changes);
	if (count == 5 && !strcmp(words[0], "enter"))
		return parse_enter(words, &record->changes);
	if (count == 3 && !strcmp(words[0], "leave"))
		return parse_leave(words, &record->changes);
	if (count == 2 && !strcmp(words[0], "run"))
		return pcl_strings_add(&record->changes.runs, &record->changes.runs_count,
				       words[1]);
	if (count == 5 && !strcmp(words[0], "audit"))
		return parse_audit(words, &record->changes);
	return -EBADMSG;
}

static int parse_line(char *line, struct pcl_selinux_record *record)
{
	char *words[WORDS_MAX] = {NULL}, *word;
	size_t count = 0;

	while (count < WORDS_MAX && (word = strsep(&line, "\t")))
		words[count++] = word;
	if (count == 2 && !strcmp(words[0], "generation")) {
		record->generation = strtoull(words[1], NULL, 10);
		return 0;
	}
	if (count == 4 && !strcmp(words[0], "label")) {
		unescape(words[3]);
		return pcl_selinux_record_add_label(record, words[3], words[1], words[2]);
	}
	if (count == 5 && !strcmp(words[0], "place")) {
		unescape(words[4]);
		return pcl_selinux_record_add_place(record,
						    &(struct pcl_selinux_place){
							    .path = words[4],
							    .type = words[3],
							    .inode = strtoull(words[1], NULL, 10),
							    .directory = !strcmp(words[2], "dir"),
							    .link = !strcmp(words[2], "link"),
						    });
	}
	if (count == 3 && !strcmp(words[0], "mark")) {
		unescape(words[2]);
		return pcl_selinux_record_add_mark(record, words[1], words[2]);
	}
	if (count == 3 && !strcmp(words[0], "coming")) {
		unescape(words[2]);
		return pcl_selinux_record_add_coming(record, words[2],
						     !strcmp(words[1], "pattern"));
	}
	if (count == 2 && !strcmp(words[0], "await")) {
		unescape(words[1]);
		return pcl_strings_add(&record->awaits, &record->await_count, words[1]);
	}
	return parse_change(words, count, record);
}

int pcl_selinux_record_parse(char *text, struct pcl_selinux_record *ret_record)
{
	struct pcl_selinux_record record pcl_cleanup(pcl_selinux_record_fini) = {0};
	char *line;

	while ((line = strsep(&text, "\n"))) {
		int error;

		if (!strcmp(line, END)) {
			*ret_record = record;
			record = (struct pcl_selinux_record){0};
			return 0;
		}
		error = parse_line(line, &record);
		if (error)
			return error;
	}
	return -EBADMSG;
}

/* --- files -------------------------------------------------------------------------------------
 */

static int path_of(const char *name, const char *suffix, char **ret_path, struct pcl_diag *diag)
{
	if (asprintf(ret_path, "%s/%s%s", records_dir, name, suffix) < 0) {
		*ret_path = NULL;
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	}
	return 0;
}

static int sync_dir(void)
{
	pcl_autoclose int fd = open(records_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t len = write(fd, data, size);

		if (len < 0 && errno != EINTR)
			return -errno;
		data += len < 0 ? 0 : len;
		size -= len < 0 ? 0 : (size_t)len;
	}
	return fsync(fd) ? -errno : 0;
}

/* Beside the name first, so that what is there under it is always whole. */
static int write_file(const char *name, const void *data, size_t size, struct pcl_diag *diag)
{
	pcl_autofree char *path = NULL, *new = NULL;
	pcl_autoclose int fd = -1;
	int error = path_of(name, "", &path, diag);

	if (!error)
		error = path_of(name, ".new", &new, diag);
	if (error)
		return error;
	if (mkdir(records_dir, 0700) && errno != EEXIST)
		return pcl_diag_errno(diag, -errno, "selinux: cannot make %s", records_dir);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	error = fd < 0 ? -errno : write_all(fd, data, size);
	if (!error && rename(new, path))
		error = -errno;
	if (!error)
		error = sync_dir();
	return error ? pcl_diag_errno(diag, error, "selinux: cannot write %s", path) : 0;
}

/* What is read ends with a NUL that does not count. */
static int read_file(const char *name, char **ret_data, size_t *ret_size, struct pcl_diag *diag)
{
	pcl_autofree char *path = NULL, *data = NULL;
	pcl_autofclose FILE *file = NULL;
	struct stat status;
	int error = path_of(name, "", &path, diag);

	if (error)
		return error;
	file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return -ENOENT;
	if (!file || fstat(fileno(file), &status))
		return pcl_diag_errno(diag, -errno, "selinux: cannot read %s", path);
	data = malloc((size_t)status.st_size + 1);
	if (!data)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	*ret_size = fread(data, 1, (size_t)status.st_size, file);
	if (ferror(file))
		return pcl_diag_errno(diag, -EIO, "selinux: cannot read %s", path);
	data[*ret_size] = '\0';
	*ret_data = pcl_take_ptr(data);
	return 0;
}

int pcl_selinux_record_save(const char *name, const struct pcl_selinux_record *record,
			    struct pcl_diag *diag)
{
	pcl_autofree char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int error;

	if (!out)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	error = pcl_selinux_record_print(record, out);
	if (fclose(out) || error)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	return write_file(name, text, size, diag);
}

int pcl_selinux_record_load(const char *name, struct pcl_selinux_record *ret_record,
			    struct pcl_diag *diag)
{
	pcl_autofree char *text = NULL;
	size_t size = 0;
	int error = read_file(name, &text, &size, diag);

	if (error)
		return error;
	error = pcl_selinux_record_parse(text, ret_record);
	if (error == -ENOMEM)
		return pcl_diag_set(diag, error, "out of memory");
	return error ? pcl_diag_set(
			       diag, -EBADMSG,
			       "selinux: %s/%s is damaged; run \"portcullis remove\" and apply "
			       "the policies again",
			       records_dir, name)
		     : 0;
}

int pcl_selinux_record_keep(struct pcl_diag *diag)
{
	pcl_autofree char *next = NULL, *applied = NULL;
	int error = path_of(PCL_SELINUX_NEXT, "", &next, diag);

	if (!error)
		error = path_of(PCL_SELINUX_APPLIED, "", &applied, diag);
	if (error)
		return error;
	if (rename(next, applied) || sync_dir())
		return pcl_diag_errno(diag, -errno, "selinux: cannot write %s", applied);
	return 0;
}

void pcl_selinux_record_delete(const char *name)
{
	pcl_autofree char *path = NULL;

	if (!path_of(name, "", &path, NULL))
		(void)unlink(path);
}

int pcl_selinux_original_save(const void *policy, size_t size, struct pcl_diag *diag)
{
	return write_file(ORIGINAL, policy, size, diag);
}

int pcl_selinux_original_load(void **ret_policy, size_t *ret_size, struct pcl_diag *diag)
{
	char *data = NULL;
	int error = read_file(ORIGINAL, &data, ret_size, diag);

	if (!error)
		*ret_policy = data;
	return error;
}

bool pcl_selinux_records_exist(void)
{
	return access(records_dir, F_OK) == 0;
}

void pcl_selinux_records_delete(void)
{
	static const char *const names[] = {
		PCL_SELINUX_NEXT,	 PCL_SELINUX_APPLIED,	     ORIGINAL,
		PCL_SELINUX_NEXT ".new", PCL_SELINUX_APPLIED ".new", ORIGINAL ".new"};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(names); i++)
		pcl_selinux_record_delete(names[i]);
	(void)rmdir(records_dir);
}
