/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One spelling for every path.
 *
 * It must not look at the file system: what a policy means must not depend on the machine that
 * reads it. Symlinks are resolved where the policy is applied.
 */
#include "policy/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int pcl_path_normalise(const char *path, char **ret_path, const char **ret_reason)
{
	pcl_autofree char *clean = NULL;
	size_t len = 0;

	/* KERNEL: PATH_MAX counts the NUL, NAME_MAX does not; nothing longer can be named. */
	if (path[0] != '/') {
		*ret_reason = "it must be absolute, beginning with \"/\"";
		return -EINVAL;
	}
	if (strlen(path) >= PATH_MAX) {
		*ret_reason = "it is longer than the kernel's limit of 4095 bytes";
		return -EINVAL;
	}
	clean = malloc(strlen(path) + 2);
	if (!clean)
		return -ENOMEM;
	while (*path) {
		size_t name_len;

		path += strspn(path, "/");
		name_len = strcspn(path, "/");
		if (name_len > NAME_MAX) {
			*ret_reason = "a name in it is longer than the kernel's limit of 255 bytes";
			return -EINVAL;
		}
		/* Dropping "a/.." would be wrong where a is a symlink. */
		if (name_len == 2 && !strncmp(path, "..", 2)) {
			*ret_reason = "write it without \"..\"";
			return -EINVAL;
		}
		if (name_len && !(name_len == 1 && path[0] == '.')) {
			clean[len++] = '/';
			memcpy(clean + len, path, name_len);
			len += name_len;
		}
		path += name_len;
	}
	if (!len)
		clean[len++] = '/';
	clean[len] = '\0';
	*ret_path = pcl_take_ptr(clean);
	return 0;
}
