/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a tool with its output in memory files, which never fill and block as a pipe would.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* More of a tool's words than anybody reads. */
#define OUTPUT_MAX (1u << 20)
#define EXIT_NOT_FOUND 127

static const struct {
	const char *tool;
	const char *package;
} packages[] = {
	{"qemu-img", "qemu-utils"},  {"gpgv", "gpgv"},	       {"xorriso", "xorriso"},
	{"mkfs.vfat", "dosfstools"}, {"mcopy", "mtools"},      {"lz4", "lz4"},
	{"xz", "xz-utils"},	     {"debugfs", "e2fsprogs"}, {"tar", "tar"},
};

static int not_installed(const char *tool, struct pcl_diag *diag)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(packages); i++) {
		if (strcmp(packages[i].tool, tool) == 0)
			return pcl_diag_set(diag, -ENOENT,
					    "%s is not installed: apt-get install %s", tool,
					    packages[i].package);
	}
	return pcl_diag_set(diag, -ENOENT, "%s is not installed", tool);
}

/* All of a memory file as text, owned. */
static char *read_all(int fd)
{
	char *text = malloc(OUTPUT_MAX + 1);
	ssize_t len = text ? pread(fd, text, OUTPUT_MAX, 0) : -1;

	if (len < 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

/* The last line that is not empty; points into text. */
static const char *last_line(char *text)
{
	size_t len = strlen(text);
	char *line;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

__attribute__((noreturn)) static void child_main(const char *const *argv, pid_t parent, int in_fd,
						 int out_fd, int err_fd)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_NOT_FOUND);
	(void)dup2(in_fd, 0);
	(void)dup2(out_fd, 1);
	(void)dup2(err_fd, 2);
	(void)execvp(argv[0], (char *const *)argv);
	_exit(EXIT_NOT_FOUND);
}

/* Debian keeps administrators' tools out of the PATH of others. */
static void add_sbin(void)
{
	const char *path = getenv("PATH");
	char *longer = NULL;

	if (path && strstr(path, "/usr/sbin"))
		return;
	if (asprintf(&longer, "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin") > 0)
		(void)setenv("PATH", longer, 1);
	free(longer);
}

int gnt_tool_run(const char *const *argv, int out_fd, char **ret_out, struct pcl_diag *diag)
{
	int null_fd pcl_autoclose = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int own_fd pcl_autoclose = memfd_create("out", MFD_CLOEXEC);
	int err_fd pcl_autoclose = memfd_create("err", MFD_CLOEXEC);
	pcl_autofree char *complaint = NULL;
	pid_t child, parent = getpid();
	int status;

	if (null_fd < 0 || own_fd < 0 || err_fd < 0)
		return pcl_diag_errno(diag, -errno, "cannot run %s", argv[0]);
	add_sbin();
	child = fork();
	if (child < 0)
		return pcl_diag_errno(diag, -errno, "cannot run %s", argv[0]);
	if (child == 0)
		child_main(argv, parent, null_fd, out_fd >= 0 ? out_fd : own_fd, err_fd);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND)
		return not_installed(argv[0], diag);
	if (out_fd < 0 && ret_out) {
		*ret_out = read_all(own_fd);
		if (!*ret_out)
			return pcl_diag_errno(diag, -ENOMEM, "%s", argv[0]);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	complaint = read_all(err_fd);
	if (WIFSIGNALED(status))
		return pcl_diag_set(diag, -EREMOTEIO, "%s was ended by signal %d", argv[0],
				    WTERMSIG(status));
	return pcl_diag_set(diag, -EREMOTEIO, "%s, exit status %d: %s", argv[0],
			    WEXITSTATUS(status), complaint ? last_line(complaint) : "");
}
