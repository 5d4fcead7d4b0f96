/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that operations are about: every file is a program that ends at once, so that it may be
 * read, changed and executed; open to all users, so that nothing but a policy refuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "model.h"

/* As long as a chunk of the kernel's trie, one more, and as long as a name can be. */
#define LONG32 "pppppppppppppppppppppppppppppppp"
#define LONG33 LONG32 "q"
#define LONG96 LONG32 LONG32 LONG32
#define LONG255 LONG96 LONG96 LONG32 "ppppppppppppppppppppppppppppppp"
#define DEEP MODEL_ROOT "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20"

#define FILE_OF(path, owner)                                                                       \
	{                                                                                          \
		path, MODEL_FILE, owner, NULL                                                      \
	}
#define DIR_AT(path)                                                                               \
	{                                                                                          \
		path, MODEL_DIR, 0, NULL                                                           \
	}
#define NAME_AT(path)                                                                              \
	{                                                                                          \
		path, MODEL_ABSENT, 0, NULL                                                        \
	}

/* A directory stands before what is in it. */
const struct model_object model_objects[] = {
	DIR_AT(MODEL_ROOT),
	DIR_AT(MODEL_ROOT "/bin"),
	DIR_AT(MODEL_ROOT "/bin/sub"),
	DIR_AT(MODEL_ROOT "/a"),
	FILE_OF(MODEL_ROOT "/a/f", 0),
	FILE_OF(MODEL_ROOT "/a/g.txt", MODEL_USER),
	FILE_OF(MODEL_ROOT "/a/h.conf", 0),
	NAME_AT(MODEL_ROOT "/a/new"),
	DIR_AT(MODEL_ROOT "/a/b"),
	FILE_OF(MODEL_ROOT "/a/b/f", MODEL_USER),
	FILE_OF(MODEL_ROOT "/a/b/g.txt", 0),
	NAME_AT(MODEL_ROOT "/a/b/new"),
	{MODEL_ROOT "/a/b/empty", MODEL_EMPTY_DIR, 0, NULL},
	DIR_AT(MODEL_ROOT "/a/b/c"),
	FILE_OF(MODEL_ROOT "/a/b/c/f", 0),
	FILE_OF(MODEL_ROOT "/a/b/c/x.conf", MODEL_USER),
	NAME_AT(MODEL_ROOT "/a/b/c/n"),
	DIR_AT(MODEL_ROOT "/ab"),
	FILE_OF(MODEL_ROOT "/ab/f", 0),
	{MODEL_ROOT "/ab/empty", MODEL_EMPTY_DIR, 0, NULL},
	DIR_AT(MODEL_ROOT "/d"),
	FILE_OF(MODEL_ROOT "/d/g.txt", 0),
	FILE_OF(MODEL_ROOT "/d/odd '\"\xc3\xa9", MODEL_USER),
	{MODEL_ROOT "/d/script", MODEL_SCRIPT, 0, MODEL_ROOT "/a/f"},
	{MODEL_ROOT "/d/run.conf", MODEL_SCRIPT, MODEL_USER, MODEL_ROOT "/d/g.txt"},
	DIR_AT(MODEL_ROOT "/" LONG32),
	FILE_OF(MODEL_ROOT "/" LONG32 "/f", MODEL_USER),
	DIR_AT(MODEL_ROOT "/" LONG33),
	FILE_OF(MODEL_ROOT "/" LONG33 "/" LONG255, 0),
	NAME_AT(MODEL_ROOT "/" LONG33 "/" LONG32),
	DIR_AT(DEEP),
	FILE_OF(DEEP "/f", 0),
	FILE_OF(DEEP "/deep.conf", MODEL_USER),
	NAME_AT(DEEP "/new"),
};
const size_t model_object_count = PCL_ARRAY_SIZE(model_objects);

const char *const model_patterns[] = {
	MODEL_ROOT "/a/*",	MODEL_ROOT "/a/**",	   MODEL_ROOT "/**/f",
	MODEL_ROOT "/a/b/?",	MODEL_ROOT "/{a,d}/g.txt", MODEL_ROOT "/a/[f-h]*",
	MODEL_ROOT "/**.conf",	MODEL_ROOT "/*/*",	   MODEL_ROOT "/**new",
	MODEL_ROOT "/ppp*q/**", MODEL_ROOT "/1/**/20/*",   MODEL_ROOT "/**/{empty,n*}",
};
const size_t model_pattern_count = PCL_ARRAY_SIZE(model_patterns);

const char *const model_names[] = {"f", "g.txt", "x.conf", "script", LONG255};
const size_t model_name_count = PCL_ARRAY_SIZE(model_names);

const char *const model_sources[MODEL_SOURCES] = {MODEL_ROOT "/bin/x", MODEL_ROOT "/bin/y",
						  MODEL_ROOT "/bin/sub/z"};

#define SCRIPTS MODEL_ROOT ".scripts"
#define SCRIPT_AT(name, program)                                                                   \
	{                                                                                          \
		SCRIPTS "/" name, MODEL_SCRIPT, 0, program " serve-each"                           \
	}

const struct model_object model_scripts[MODEL_SOURCES] = {
	SCRIPT_AT("x", MODEL_ROOT "/bin/x"),
	SCRIPT_AT("y", MODEL_ROOT "/bin/y"),
	SCRIPT_AT("z", MODEL_ROOT "/bin/sub/z"),
};

unsigned model_pick(struct model_random *random, size_t count)
{
	/* An xorshift generator: quality does not matter here, repeating does. */
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (unsigned)((random->state >> 11) % count);
}

const struct model_object *model_object_find(const char *path)
{
	for (size_t i = 0; i < model_object_count; i++)
		if (!strcmp(model_objects[i].path, path))
			return &model_objects[i];
	return NULL;
}

static int copy_program(const char *from, const char *to, uid_t owner)
{
	pcl_autoclose int in = open(from, O_RDONLY | O_CLOEXEC);
	pcl_autoclose int out = -1;
	struct stat stat;

	if (in < 0 || fstat(in, &stat))
		return -errno;
	(void)unlink(to);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
	if (out < 0)
		return -errno;
	for (off_t done = 0; done < stat.st_size;) {
		ssize_t got = sendfile(out, in, NULL, (size_t)(stat.st_size - done));

		if (got <= 0)
			return got ? -errno : -EIO;
		done += got;
	}
	return fchmod(out, 0777) || fchown(out, owner, owner) ? -errno : 0;
}

static int write_script(const struct model_object *object)
{
	pcl_autoclose int fd = -1;

	(void)unlink(object->path);
	fd = open(object->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
	if (fd < 0 || dprintf(fd, "#!%s\n", object->interpreter) < 0 || fchmod(fd, 0777) ||
	    fchown(fd, object->owner, object->owner))
		return -errno;
	return 0;
}

/* With every directory above it. */
static int make_dir(const char *path)
{
	char part[ACT_PATH_MAX];

	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0777) && errno != EEXIST)
			return -errno;
	}
	return chmod(path, 0777) ? -errno : 0;
}

static int make_object(const struct model_object *object)
{
	switch (object->kind) {
	case MODEL_FILE:
		return copy_program(MODEL_TOOLS "/nop", object->path, object->owner);
	case MODEL_DIR:
	case MODEL_EMPTY_DIR:
		return make_dir(object->path);
	case MODEL_SCRIPT:
		return write_script(object);
	case MODEL_ABSENT:
		break;
	}
	return 0;
}

int model_world_make(struct pcl_diag *diag)
{
	int error = 0;

	(void)umask(0);
	for (size_t i = 0; !error && i < model_object_count; i++) {
		error = make_object(&model_objects[i]);
		if (error)
			return pcl_diag_errno(diag, error, "cannot make %s", model_objects[i].path);
	}
	if (!error)
		error = make_dir(SCRIPTS);
	for (size_t i = 0; !error && i < MODEL_SOURCES; i++) {
		error = copy_program(MODEL_TOOLS "/attacks/act", model_sources[i], 0);
		if (!error)
			error = make_object(&model_scripts[i]);
		if (error)
			return pcl_diag_errno(diag, error, "cannot make %s", model_sources[i]);
	}
	return 0;
}

/* As it was, whatever lies there now. */
static int make_again(const char *path)
{
	const struct model_object *object = model_object_find(path);

	if (!object)
		return -ENOENT;
	if (object->kind != MODEL_ABSENT)
		return make_object(object);
	if (unlink(path) && errno == EISDIR && rmdir(path))
		return -errno;
	return 0;
}

static bool changes_both(const struct act_request *request)
{
	return request->op >= ACT_RENAME && request->op <= ACT_LINK;
}

bool model_changes(const struct act_request *request)
{
	switch ((enum act_op)request->op) {
	case ACT_EMPTY:
	case ACT_TRUNCATE:
	case ACT_UNLINK:
	case ACT_CREATE:
	case ACT_SYMLINK:
	case ACT_MKDIR:
	case ACT_RMDIR:
	case ACT_MKNOD:
		return true;
	default:
		return changes_both(request);
	}
}

int model_world_restore(const struct act_request *request, struct pcl_diag *diag)
{
	int error = model_changes(request) ? make_again(request->a) : 0;

	if (!error && changes_both(request))
		error = make_again(request->b);
	return error ? pcl_diag_errno(diag, error, "cannot put back %s or %s", request->a,
				      request->b)
		     : 0;
}
