/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain reads and writes of selinuxfs and of one extended attribute, for which libselinux would be
 * more than is needed.
 */
#include "backend/selinux_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cleanup.h"
#include "base/fault.h"

#define SELINUXFS "/sys/fs/selinux"
#define LABEL "security.selinux"
/* A context is bounded by the users, roles, types and categories that a policy names. */
#define CONTEXT_LEN_FIRST 256
/* KERNEL: what selinuxfs takes and gives of its small files is a page at most. */
#define ANSWER_SIZE 4096

/* --- small files -------------------------------------------------------------------------------
 */

static int read_small(const char *path, char ret_text[ANSWER_SIZE])
{
	pcl_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, ret_text, ANSWER_SIZE - 1);

	if (len < 0)
		return -errno;
	ret_text[len] = '\0';
	return 0;
}

enum pcl_selinux_mode pcl_selinux_mode_read(void)
{
	char text[ANSWER_SIZE];
	struct statfs status;

	if (statfs(SELINUXFS, &status) || (unsigned long)status.f_type != SELINUX_MAGIC)
		return PCL_SELINUX_ABSENT;
	/* KERNEL: without a policy every process is called by an initial context's name. */
	if (read_small("/proc/self/attr/current", text) || !strchr(text, ':'))
		return PCL_SELINUX_EMPTY;
	return read_small(SELINUXFS "/enforce", text) || strcmp(text, "1") != 0
		       ? PCL_SELINUX_PERMISSIVE
		       : PCL_SELINUX_ENFORCING;
}

/* --- the policy --------------------------------------------------------------------------------
 */

int pcl_selinux_policy_get(void **ret_policy, size_t *ret_size, struct pcl_diag *diag)
{
	pcl_autoclose int fd = open(SELINUXFS "/policy", O_RDONLY | O_CLOEXEC);
	pcl_autofree char *policy = NULL;
	struct stat status;
	size_t size = 0;

	/* KERNEL: the policy is written out for whoever opens it, and for one at a time (EBUSY). */
	if (fd < 0 || fstat(fd, &status))
		return pcl_diag_errno(diag, -errno,
				      "selinux: cannot read the loaded policy (" SELINUXFS
				      "/policy)");
	policy = malloc((size_t)status.st_size + 1);
	if (!policy)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	while (size < (size_t)status.st_size) {
		ssize_t len = read(fd, policy + size, (size_t)status.st_size - size);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return pcl_diag_errno(diag, len < 0 ? -errno : -EIO,
					      "selinux: cannot read the loaded policy");
		size += (size_t)len;
	}
	*ret_policy = pcl_take_ptr(policy);
	*ret_size = size;
	return 0;
}

int pcl_selinux_policy_load(const void *policy, size_t size, struct pcl_diag *diag)
{
	pcl_autoclose int fd = -1;
	int error = pcl_fault_fails("selinux: a policy is loaded", diag);

	if (error)
		return error;
	fd = open(SELINUXFS "/load", O_WRONLY | O_CLOEXEC);
	/* KERNEL: a policy is taken only as one write, and whole or not at all. */
	if (fd < 0 || write(fd, policy, size) < 0)
		return pcl_diag_errno(diag, -errno, "selinux: the kernel does not take the policy");
	return 0;
}

/* --- questions ---------------------------------------------------------------------------------
 */

const char *pcl_selinux_type_in(const char *context, size_t *ret_len)
{
	const char *type = strchr(context, ':');

	type = type ? strchr(type + 1, ':') : NULL;
	if (!type)
		return NULL;
	*ret_len = strcspn(++type, ":");
	return *ret_len ? type : NULL;
}

char *pcl_selinux_with_type(const char *context, const char *type)
{
	size_t len = 0;
	const char *old = pcl_selinux_type_in(context, &len);
	char *made = NULL;

	if (!old || asprintf(&made, "%.*s%s%s", (int)(old - context), context, type, old + len) < 0)
		return NULL;
	return made;
}

/* One question, by one descriptor: what is written, and what comes back into the same place. */
static int ask(const char *name, const char *question, char ret_answer[ANSWER_SIZE])
{
	pcl_autofree char *path = NULL;
	pcl_autoclose int fd = -1;
	ssize_t len;

	if (asprintf(&path, SELINUXFS "/%s", name) < 0)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, question, strlen(question)) < 0)
		return -errno;
	len = read(fd, ret_answer, ANSWER_SIZE - 1);
	if (len < 0)
		return -errno;
	ret_answer[len] = '\0';
	return 0;
}

bool pcl_selinux_type_is_loaded(const char *type)
{
	pcl_autofree char *initial = pcl_selinux_initial_context("security");
	pcl_autofree char *context = initial ? pcl_selinux_with_type(initial, type) : NULL;
	char answer[ANSWER_SIZE];

	return context && !ask("context", context, answer);
}

char *pcl_selinux_initial_context(const char *name)
{
	pcl_autofree char *path = NULL;
	char text[ANSWER_SIZE];

	if (asprintf(&path, SELINUXFS "/initial_contexts/%s", name) < 0 || read_small(path, text))
		return NULL;
	return strchr(text, ':') ? strdup(text) : NULL;
}

/* A class's or a permission's number; 0: the policy does not have it. */
static unsigned number_of(const char *class_name, const char *permission)
{
	pcl_autofree char *path = NULL;
	char text[ANSWER_SIZE];

	if (asprintf(&path, SELINUXFS "/class/%s/%s%s", class_name, permission ? "perms/" : "index",
		     permission ? permission : "") < 0 ||
	    read_small(path, text))
		return 0;
	return (unsigned)strtoul(text, NULL, 10);
}

int pcl_selinux_may(const char *context, const char *class_name, const char *permission,
		    struct pcl_diag *diag)
{
	unsigned class = number_of(class_name, NULL), bit = number_of(class_name, permission);
	pcl_autofree char *question = NULL;
	char own[ANSWER_SIZE], answer[ANSWER_SIZE];
	unsigned allowed = 0;
	int error;

	if (!class || !bit)
		return 0;
	error = read_small("/proc/self/attr/current", own);
	if (!error && asprintf(&question, "%s %s %u", own, context, class) < 0)
		error = -ENOMEM;
	if (!error)
		error = ask("access", question, answer);
	if (error)
		return pcl_diag_errno(diag, error,
				      "selinux: the loaded policy cannot be asked what it allows");
	if (sscanf(answer, "%x", &allowed) != 1 || !(allowed & 1u << (bit - 1)))
		return pcl_diag_set(
			diag, -EACCES,
			"selinux: the node's policy does not allow %s the permission %s "
			"of class %s on %s",
			own, permission, class_name, context);
	return 0;
}

/* --- labels ------------------------------------------------------------------------------------
 */

char *pcl_selinux_label_get(const char *path)
{
	pcl_autofree char *context = malloc(CONTEXT_LEN_FIRST);
	ssize_t len = context ? lgetxattr(path, LABEL, context, CONTEXT_LEN_FIRST - 1) : -1;

	if (len < 0 && context && errno == ERANGE) {
		len = lgetxattr(path, LABEL, NULL, 0);
		free(context);
		context = len < 0 ? NULL : malloc((size_t)len + 1);
		len = context ? lgetxattr(path, LABEL, context, (size_t)len) : -1;
	}
	if (len < 0)
		return NULL;
	context[len] = '\0';
	return pcl_take_ptr(context);
}

int pcl_selinux_label_set(const char *path, const char *context)
{
	return lsetxattr(path, LABEL, context, strlen(context) + 1, 0) ? -errno : 0;
}

/* --- processes ---------------------------------------------------------------------------------
 */

/* One that ends meanwhile has none any more. */
static char *type_of_process(const char *pid)
{
	char text[ANSWER_SIZE];
	pcl_autofree char *path = NULL;
	const char *type;
	size_t len = 0;

	if (asprintf(&path, "/proc/%s/attr/current", pid) < 0) {
		path = NULL;
		return NULL;
	}
	if (read_small(path, text))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	type = pcl_selinux_type_in(text, &len);
	return type ? strndup(type, len) : NULL;
}

int pcl_selinux_processes(int (*fn)(const char *type, void *context), void *context)
{
	pcl_autoclosedir DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int error = dir ? 0 : -errno;

	while (!error && (entry = readdir(dir))) {
		pcl_autofree char *type = NULL;

		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			type = type_of_process(entry->d_name);
		if (type)
			error = fn(type, context);
	}
	return error;
}
