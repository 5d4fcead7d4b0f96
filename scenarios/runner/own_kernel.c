/* SPDX-License-Identifier: Apache-2.0 */
/* The user's own kernel; see own_kernel.h. */
#include "own_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "paths.h"
#include "text.h"
#include "verdict.h"

#define SCRIPT "scripts/own-kernel"
/* Its exit code for a kernel that is whole, but lacks what a guest needs. */
#define SCRIPT_LACKS 3
/* Two paths and a tab. */
#define ANSWER_MAX 8192

void gnt_own_kernel_fini(struct gnt_own_kernel *kernel)
{
	gnt_words_fini(&kernel->debs);
	free(kernel->image_path);
	free(kernel->modules_path);
	memset(kernel, 0, sizeof(*kernel));
}

int gnt_own_kernel_take(struct gnt_own_kernel *kernel, const char *name, const char *value,
			struct pcl_diag *diag)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = {
		{"--kernel", &kernel->image},
		{"--modules", &kernel->modules},
		{"--kernel-tree", &kernel->tree},
	};

	if (!name)
		return 1;
	if (strcmp(name, "--deb") == 0)
		return *value ? gnt_words_add(&kernel->debs, value, diag)
			      : pcl_diag_set(diag, -EINVAL, "%s needs a value", name);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].name, name) != 0)
			continue;
		if (!*value)
			return pcl_diag_set(diag, -EINVAL, "%s needs a value", name);
		*texts[i].text = value;
		return 0;
	}
	return 1;
}

static int check_words(const struct gnt_own_kernel *kernel, struct pcl_diag *diag)
{
	int sources = (kernel->image != NULL) + (kernel->tree != NULL) + (kernel->debs.count > 0);

	if (kernel->modules && !kernel->image)
		return pcl_diag_set(diag, -EINVAL, "--modules goes with --kernel BZIMAGE");
	if (sources > 1)
		return pcl_diag_set(diag, -EINVAL,
				    "one kernel at a time: --kernel, --kernel-tree or --deb");
	if (kernel->image && access(kernel->image, R_OK) != 0)
		return pcl_diag_errno(diag, -errno, "cannot read the kernel %s", kernel->image);
	if (kernel->modules && access(kernel->modules, R_OK | X_OK) != 0)
		return pcl_diag_errno(diag, -errno, "cannot read the modules folder %s",
				      kernel->modules);
	return 0;
}

/* The script's words; the array is owned, its strings are borrowed. */
static const char **script_words(const struct gnt_own_kernel *kernel, const char *script)
{
	const char **words = calloc(kernel->debs.count + 6, sizeof(*words));
	size_t count = 0;

	if (!words)
		return NULL;
	words[count++] = script;
	if (kernel->tree) {
		words[count++] = "--tree";
		words[count++] = kernel->tree;
	} else if (kernel->image) {
		words[count++] = "--image";
		words[count++] = kernel->image;
		if (kernel->modules) {
			words[count++] = "--modules";
			words[count++] = kernel->modules;
		}
	} else {
		words[count++] = "--deb";
		for (size_t i = 0; i < kernel->debs.count; i++)
			words[count++] = kernel->debs.items[i];
	}
	return words;
}

/* The last line that the script says is why it refused. */
static void read_pipes(int out_fd, int err_fd, char *answer, char **ret_complaint)
{
	FILE *err pcl_autofclose = fdopen(err_fd, "r");
	char *line pcl_autofree = NULL;
	size_t size = 0, len = 0;
	ssize_t got;

	/* What it prints fits into a pipe, so it never waits for us. */
	while (err && getline(&line, &size, err) >= 0) {
		const char *text = strncmp(line, "own-kernel: ", 12) == 0 ? line + 12 : line;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(text, "notice: ", 8) == 0)
			fprintf(stderr, "gauntlet: %s\n", text + 8);
		else
			(void)gnt_text_set(ret_complaint, "%s", text);
	}
	while (len + 1 < ANSWER_MAX && (got = read(out_fd, answer + len, ANSWER_MAX - 1 - len)) > 0)
		len += (size_t)got;
	answer[len] = '\0';
}

static int run_script(const char *const *words, char *answer, struct pcl_diag *diag)
{
	char *complaint pcl_autofree = NULL;
	int out[2], err[2], status = 0;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) != 0)
		return pcl_diag_errno(diag, -errno, "cannot make a pipe");
	if (pipe2(err, O_CLOEXEC) != 0) {
		(void)close(out[0]);
		(void)close(out[1]);
		return pcl_diag_errno(diag, -errno, "cannot make a pipe");
	}
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0)
			_exit(127);
		(void)execv(words[0], (char *const *)words);
		_exit(127);
	}
	(void)close(out[1]);
	(void)close(err[1]);
	if (pid > 0)
		read_pipes(out[0], err[0], answer, &complaint);
	else
		(void)close(err[0]);
	(void)close(out[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return pcl_diag_set(diag, -EIO, "cannot run %s", words[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return pcl_diag_set(diag,
			    WIFEXITED(status) && WEXITSTATUS(status) == SCRIPT_LACKS ? -ENOTSUP
										     : -EINVAL,
			    "%s", complaint ? complaint : "the kernel cannot be made ready");
}

int gnt_own_kernel_prepare(struct gnt_own_kernel *kernel, struct pcl_diag *diag)
{
	char *script pcl_autofree = NULL;
	const char **words pcl_autofree = NULL;
	char answer[ANSWER_MAX];
	char *tab;
	int error = check_words(kernel, diag);

	if (error || (!kernel->image && !kernel->tree && !kernel->debs.count))
		return error;
	error = gnt_path_below_root(SCRIPT, &script, diag);
	if (error)
		return error;
	words = script_words(kernel, script);
	if (!words)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = run_script(words, answer, diag);
	if (error)
		return error;
	answer[strcspn(answer, "\n")] = '\0';
	tab = strchr(answer, '\t');
	if (!tab)
		return pcl_diag_set(diag, -EPROTO, SCRIPT " named no kernel");
	*tab = '\0';
	kernel->image_path = strdup(answer);
	kernel->modules_path = tab[1] ? strdup(tab + 1) : NULL;
	return kernel->image_path ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
}

int gnt_own_kernel_exit(int error)
{
	return error == -ENOTSUP ? GNT_EXIT_ENV_UNMET : GNT_EXIT_USAGE;
}

char *gnt_own_kernel_words(const struct gnt_own_kernel *kernel)
{
	const struct {
		const char *name;
		const char *value;
	} parts[] = {{"--kernel", kernel->image},
		     {"--modules", kernel->modules},
		     {"--kernel-tree", kernel->tree}};
	char *text = gnt_text_new("%s", "");

	for (size_t i = 0; i < PCL_ARRAY_SIZE(parts); i++)
		if (parts[i].value)
			(void)gnt_text_set(&text, "%s %s %s", text ? text : "", parts[i].name,
					   parts[i].value);
	for (size_t i = 0; i < kernel->debs.count; i++)
		(void)gnt_text_set(&text, "%s --deb %s", text ? text : "", kernel->debs.items[i]);
	return text;
}
