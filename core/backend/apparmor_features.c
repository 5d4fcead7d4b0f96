/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features of a kernel's AppArmor, as the parser reads them: nested "name {value}".
 *
 * KERNEL: a class of operations is mediated only if the loaded profile has a state for it, and the
 * parser makes one for each that the features name. So what no rule of ours is about (mounts,
 * signals, buses, namespaces, queues) is left out of them: it is then as it was before. Ptrace is
 * kept, and granted whole: without a state for it AppArmor asks for the capability sys_ptrace where
 * two profiles meet, even to read what proc says of a process.
 */
#include "backend/apparmor_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* What plans use; "network" was another mediation, of Ubuntu's kernels. */
static const char *const kept[] = {"caps",	 "capability", "domain", "file",
				   "network_v8", "policy",     "ptrace"};

/* The length of the word or value at text up to its "{" or the end. */
static size_t name_len(const char *text)
{
	return strcspn(text, " \t\n{}");
}

/* Behind the "}" that ends what begins at text, a "{"; NULL where there is none. */
static const char *skip_value(const char *text)
{
	size_t depth = 0;

	for (; *text; text++) {
		depth += *text == '{';
		if (*text == '}' && !--depth)
			return text + 1;
	}
	return NULL;
}

static bool is_kept(const char *name, size_t len)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(kept); i++)
		if (strlen(kept[i]) == len && !strncmp(kept[i], name, len))
			return true;
	return false;
}

static void note(struct pcl_apparmor_features *features, const char *name, size_t len)
{
	features->file |= len == 4 && !strncmp(name, "file", len);
	features->network |= len == 10 && !strncmp(name, "network_v8", len);
	features->capabilities |= len == 4 && !strncmp(name, "caps", len);
}

static int reduce(const char *text, struct pcl_apparmor_features *features, FILE *out)
{
	while (*(text += strspn(text, " \t\n"))) {
		size_t len = name_len(text);
		const char *value = text + len + strspn(text + len, " \t\n");
		const char *end = len && *value == '{' ? skip_value(value) : NULL;

		if (!end)
			return -EINVAL;
		note(features, text, len);
		if (is_kept(text, len) && fprintf(out, "%.*s\n", (int)(end - text), text) < 0)
			return -ENOMEM;
		text = end;
	}
	return 0;
}

int pcl_apparmor_features_parse(const char *text, struct pcl_apparmor_features *ret_features,
				char **ret_reduced, struct pcl_diag *diag)
{
	struct pcl_apparmor_features features = {0};
	pcl_autofree char *reduced = NULL;
	size_t reduced_len = 0;
	FILE *out = open_memstream(&reduced, &reduced_len);
	int error = out ? reduce(text, &features, out) : -ENOMEM;

	if (out && fclose(out) != 0)
		error = -ENOMEM;
	if (error)
		return pcl_diag_set(diag, error,
				    error == -EINVAL
					    ? "apparmor: the kernel's features cannot be read"
					    : "out of memory");
	*ret_features = features;
	if (ret_reduced)
		*ret_reduced = pcl_take_ptr(reduced);
	return 0;
}
