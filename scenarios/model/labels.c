/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world where labels decide. A file that is put back must be the one that has got its label, so
 * each has a second name outside of the world; a directory that is made again gets the label that
 * it had.
 *
 * KERNEL: rules bind all that runs on the node, the driver too, so it puts things back while
 * SELinux is permissive. Nobody else acts then, and what is told of it is not told as an alert.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "labels.h"

#define KEPT "/m.kept"
#define ENFORCE "/sys/fs/selinux/enforce"
#define PASSES "/sys/fs/selinux/policy_capabilities/nnp_nosuid_transition"
#define LABEL "security.selinux"
#define LABEL_MAX 256
#define WALK_FDS 16

/* By the index of model_objects. */
struct noted {
	char label[LABEL_MAX];
	bool again; /* made again since the policies were applied */
};

static struct noted *noted;
static struct model_directory *directories;
static size_t directory_count;

static int no_memory(struct pcl_diag *diag)
{
	return pcl_diag_set(diag, -ENOMEM, "no memory");
}

static struct noted *noted_of(const struct model_object *object)
{
	return &noted[object - model_objects];
}

static char *kept_name(const struct model_object *object)
{
	char *name = NULL;

	return asprintf(&name, KEPT "/%td", object - model_objects) < 0 ? NULL : name;
}

/*
 * KERNEL: what tells of a file by number alone is given the name that was made last, so that must
 * be the world's.
 */
static int keep(const struct model_object *object)
{
	pcl_autofree char *name = kept_name(object);

	if (!name)
		return -ENOMEM;
	return rename(object->path, name) || link(name, object->path) ? -errno : 0;
}

int model_labels_keep(struct pcl_diag *diag)
{
	noted = calloc(model_object_count, sizeof(*noted));
	if (!noted)
		return no_memory(diag);
	if (mkdir(KEPT, 0700))
		return pcl_diag_errno(diag, -errno, "cannot make " KEPT);
	for (size_t i = 0; i < model_object_count; i++) {
		const struct model_object *object = &model_objects[i];
		int error = object->kind == MODEL_FILE ? keep(object) : 0;

		if (error)
			return pcl_diag_errno(diag, error, "cannot keep %s", object->path);
	}
	return 0;
}

/* --- which label -------------------------------------------------------------------------------
 */

static int read_label(const char *path, char label[LABEL_MAX])
{
	ssize_t len = lgetxattr(path, LABEL, label, LABEL_MAX - 1);

	if (len < 0)
		return -errno;
	label[len] = '\0';
	return 0;
}

/* nftw() takes no argument for its callback; the driver has one thread. */
static int note_directory(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	struct model_directory *directory;
	char label[LABEL_MAX];

	(void)status;
	(void)where;
	if (kind != FTW_D)
		return 0;
	if (read_label(path, label))
		return -errno;
	if (pcl_array_grow(&directories, directory_count, sizeof(*directories)))
		return -ENOMEM;
	directory = &directories[directory_count++];
	*directory = (struct model_directory){.path = strdup(path), .label = strdup(label)};
	return directory->path && directory->label ? 0 : -ENOMEM;
}

static void forget_directories(void)
{
	for (size_t i = 0; i < directory_count; i++) {
		free(directories[i].path);
		free(directories[i].label);
	}
	directory_count = 0;
	free(directories);
	directories = NULL;
}

int model_labels_enforce(bool enforcing, struct pcl_diag *diag)
{
	pcl_autoclose int fd = open(ENFORCE, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, enforcing ? "1" : "0", 1) != 1
		       ? pcl_diag_errno(diag, -errno, "cannot write " ENFORCE)
		       : 0;
}

bool model_labels_pass_no_new_privs(void)
{
	pcl_autofclose FILE *file = fopen(PASSES, "re");

	return file && fgetc(file) == '1';
}

static int note_all(struct pcl_diag *diag)
{
	int error = 0;

	forget_directories();
	if (nftw(MODEL_ROOT, note_directory, WALK_FDS, FTW_PHYS))
		return pcl_diag_errno(diag, -EIO, "cannot look through " MODEL_ROOT);
	for (size_t i = 0; !error && i < model_object_count; i++) {
		noted[i].again = false;
		if (model_objects[i].kind != MODEL_ABSENT)
			error = read_label(model_objects[i].path, noted[i].label);
		if (error)
			return pcl_diag_errno(diag, error, "cannot read the label of %s",
					      model_objects[i].path);
	}
	return 0;
}

int model_labels_note(struct pcl_diag *diag)
{
	int error = model_labels_enforce(false, diag);

	if (!error)
		error = note_all(diag);
	if (model_labels_enforce(true, diag))
		return diag->error;
	return error;
}

const struct model_directory *model_labels_directories(size_t *ret_count)
{
	*ret_count = directory_count;
	return directories;
}

bool model_labels_are_old(const char *path)
{
	const struct model_object *object = model_object_find(path);

	return object && noted_of(object)->again;
}

/* --- putting back ------------------------------------------------------------------------------
 */

/* Whoever acts empties files, and writes nothing into them. */
static int fill(const char *path)
{
	pcl_autoclose int in = open(MODEL_NOP, O_RDONLY | O_CLOEXEC);
	pcl_autoclose int out = open(path, O_WRONLY | O_CLOEXEC);
	struct stat whole, present;

	if (in < 0 || out < 0 || fstat(in, &whole) || fstat(out, &present))
		return -errno;
	while (present.st_size < whole.st_size) {
		ssize_t got = sendfile(out, in, NULL, (size_t)(whole.st_size - present.st_size));

		if (got <= 0)
			return got ? -errno : -EIO;
		present.st_size += got;
	}
	return 0;
}

static int put_back_file(const struct model_object *object)
{
	pcl_autofree char *name = kept_name(object);

	if (!name)
		return -ENOMEM;
	if ((unlink(object->path) && errno != ENOENT) || link(name, object->path))
		return -errno;
	return fill(object->path);
}

static int put_back_directory(const struct model_object *object)
{
	const char *label = noted_of(object)->label;
	char present[LABEL_MAX];
	int error;

	if (!mkdir(object->path, 0777))
		noted_of(object)->again = true;
	else if (errno != EEXIST)
		return -errno;
	error = read_label(object->path, present);
	if (error || !strcmp(present, label))
		return error;
	return lsetxattr(object->path, LABEL, label, strlen(label) + 1, 0) ? -errno : 0;
}

static int put_back(const char *path)
{
	const struct model_object *object = model_object_find(path);

	if (!object)
		return 0;
	switch (object->kind) {
	case MODEL_FILE:
		return put_back_file(object);
	case MODEL_EMPTY_DIR:
		return put_back_directory(object);
	case MODEL_ABSENT:
		return unlink(path) && errno != ENOENT && (errno != EISDIR || rmdir(path)) ? -errno
											   : 0;
	case MODEL_DIR:
	case MODEL_SCRIPT:
		break;
	}
	return 0;
}

static int put_back_both(const struct act_request *request)
{
	int error = put_back(request->a);

	return error ? error : put_back(request->b);
}

int model_labels_restore(const struct act_request *request, struct pcl_diag *diag)
{
	int error = model_changes(request) ? put_back_both(request) : 0;

	if (error == -EACCES || error == -EPERM) {
		error = model_labels_enforce(false, diag);
		if (error)
			return error;
		error = put_back_both(request);
		if (model_labels_enforce(true, diag))
			return diag->error;
	}
	return error ? pcl_diag_errno(diag, error, "cannot put back %s or %s", request->a,
				      request->b)
		     : 0;
}
