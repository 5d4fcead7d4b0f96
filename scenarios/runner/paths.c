/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie; see paths.h. */
#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "text.h"

#define CORPUS_ENV "PORTCULLIS_CORPUS"
#define CORPUS_BESIDE "../shared/corpus"

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_root(const char *path)
{
	pcl_autofree char *images = gnt_text_new("%s/vm-images", path);
	pcl_autofree char *cases = gnt_text_new("%s/scenarios/cases", path);

	return images && cases && is_dir(images) && is_dir(cases);
}

int gnt_path_self(char **ret_path, struct pcl_diag *diag)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		return pcl_diag_errno(diag, -errno, "cannot tell where this program lies");
	path[len] = '\0';
	*ret_path = strdup(path);
	return *ret_path ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
}

int gnt_path_guest(char **ret_path, struct pcl_diag *diag)
{
	pcl_autofree char *self = NULL;
	int error = gnt_path_self(&self, diag);

	if (error)
		return error;
	*ret_path = gnt_text_new("%.*s/guest", (int)(strrchr(self, '/') - self), self);
	return *ret_path ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
}

int gnt_path_root(char **ret_root, struct pcl_diag *diag)
{
	pcl_autofree char *path = NULL;
	char *slash;
	int error = gnt_path_self(&path, diag);

	if (error)
		return error;
	while ((slash = strrchr(path, '/')) != NULL && slash != path) {
		*slash = '\0';
		if (!is_root(path))
			continue;
		*ret_root = strdup(path);
		return *ret_root ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
	}
	return pcl_diag_set(diag, -ENOENT,
			    "no folder above this program holds vm-images/ and scenarios/cases/: "
			    "run build/gauntlet of a checkout");
}

int gnt_path_below_root(const char *below, char **ret_path, struct pcl_diag *diag)
{
	pcl_autofree char *root = NULL;
	int error = gnt_path_root(&root, diag);

	if (error)
		return error;
	*ret_path = gnt_text_new("%s/%s", root, below);
	return *ret_path ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
}

int gnt_path_corpus(const char *given, char **ret_path, struct pcl_diag *diag)
{
	const char *named = given ? given : getenv(CORPUS_ENV);
	pcl_autofree char *beside = NULL;
	int error;

	*ret_path = NULL;
	if (named && *named) {
		if (!is_dir(named))
			return pcl_diag_set(diag, -ENOENT, "%s %s is no folder",
					    given ? "--corpus" : CORPUS_ENV "=", named);
		*ret_path = strdup(named);
		return *ret_path ? 0 : pcl_diag_set(diag, -ENOMEM, "no memory");
	}
	error = gnt_path_below_root(CORPUS_BESIDE, &beside, diag);
	if (error)
		return error;
	if (is_dir(beside))
		*ret_path = pcl_take_ptr(beside);
	return 0;
}
