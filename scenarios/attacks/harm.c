/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harm WAY PATH: changes a file, its name or its metadata, mostly without opening it for writing.
 * The ways are in harm_ways.h and harm_more.h. A way that needs a second name makes it in the
 * scratch folder; what PATH has to be (a file, a directory, something not there yet) is the way's.
 */
#include "harm_more.h"

#define USAGE "harm WAY PATH"

static const struct {
	const char *name;
	int (*run)(const char *path);
} ways[] = {
	{"truncate", harm_truncate},
	{"open-truncate", harm_open_truncate},
	{"write", harm_write},
	{"unlink", harm_unlink},
	{"unlink-at", harm_unlink_at},
	{"rmdir", harm_rmdir},
	{"rename", harm_rename},
	{"rename-over", harm_rename_over},
	{"exchange", harm_exchange},
	{"link", harm_link},
	{"link-into", harm_link_into},
	{"tmpfile-link", harm_tmpfile_link},
	{"symlink", harm_symlink},
	{"mkdir", harm_mkdir},
	{"mknod", harm_mknod},
	{"socket", harm_socket},
	{"create", harm_create},
	{"chmod", harm_chmod},
	{"fchmod", harm_fchmod},
	{"proc-chmod", harm_proc_chmod},
	{"fchmodat2", harm_fchmodat2},
	{"chown", harm_chown},
	{"fchown", harm_fchown},
	{"setxattr", harm_setxattr},
	{"fsetxattr", harm_fsetxattr},
	{"removexattr", harm_removexattr},
	{"set-acl", harm_set_acl},
	{"utimes", harm_utimes},
	{"futimens", harm_futimens},
	{"chattr", harm_chattr},
	{"map-shared", harm_map_shared},
	{"copy-range", harm_copy_range},
	{"sendfile", harm_sendfile},
	{"splice", harm_splice},
	{"handle", harm_handle},
	{"acct", harm_acct},
	{"core", harm_core},
	{"loop", harm_loop},
	{"ring-write", harm_ring_write},
	{"ring-unlink", harm_ring_unlink},
	{"ring-rename", harm_ring_rename},
	{"ring-link", harm_ring_link},
	{"ring-mkdir", harm_ring_mkdir},
	{"ring-xattr", harm_ring_xattr},
	{"kept-write", harm_kept_write},
	{"kept-truncate", harm_kept_truncate},
	{"kept-map", harm_kept_map},
	{"kept-mapping", harm_kept_mapping},
	{"kept-chmod", harm_kept_chmod},
	{"kept-xattr", harm_kept_xattr},
	{"received-write", harm_received_write},
	{"received-ring", harm_received_ring},
};

int main(int argc, char **argv)
{
	int attempt;

	if (argc != 3)
		return replay_usage(USAGE);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		attempt = scratch_make();
		if (!attempt)
			attempt = ways[i].run(argv[2]);
		return attempt ? attempt_report(attempt)
			       : replay_done(argv[1], argv[2], strlen(argv[2]));
	}
	return replay_usage(USAGE);
}
