/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features of a kernel's AppArmor, as the parser reads them: nested "name {value}".
 *
 * KERNEL: a class of operations is mediated only if the loaded profile has a state for it, and the
 * parser makes one for each that the features name. So what no rule of ours is about (mounts,
 * signals, buses, namespaces, queues) is left out of them: it is then as it was before. Ptrace is
 * kept, and granted whole: without a state for it AppArmor asks for the capability sys_ptrace where
 * two profiles meet, even to read what proc says of a process.
 *
 * Of the ways in which a kernel takes a profile, those are left out that only some parsers know. So
 * each makes the one form that every kernel takes, and several profiles may follow one another.
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

/*
 * Of the entry "policy". A parser 5 that is told that the kernel takes compressed profiles makes
 * them so, and what is compressed cannot be joined to others; and 4.1.0 makes a table of
 * permissions five times as large as what it says, and another one each time.
 */
static const char *const left_out[] = {"compressed_load", "permstable32", "permstable32_version"};

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

static bool is_among(const char *name, size_t len, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && !strncmp(names[i], name, len))
			return true;
	return false;
}

/* Behind the entry that begins at text, a word; NULL where there is none. */
static const char *skip_entry(const char *text, size_t len)
{
	const char *value = text + len + strspn(text + len, " \t\n");

	return len && *value == '{' ? skip_value(value) : NULL;
}

/* The entry "policy" at text, without some of its own entries. */
static int print_policy(const char *text, FILE *out)
{
	const char *entry = strchr(text, '{') + 1;

	(void)fputs("policy {", out);
	while (*(entry += strspn(entry, " \t\n")) != '}') {
		size_t len = name_len(entry);
		const char *next = skip_entry(entry, len);

		if (!next)
			return -EINVAL;
		if (!is_among(entry, len, left_out, PCL_ARRAY_SIZE(left_out)))
			(void)fprintf(out, "%.*s\n", (int)(next - entry), entry);
		entry = next;
	}
	return fputs("}\n", out) < 0 ? -ENOMEM : 0;
}

static int print_entry(const char *text, size_t len, const char *end, FILE *out)
{
	if (len == strlen("policy") && !strncmp(text, "policy", len))
		return print_policy(text, out);
	return fprintf(out, "%.*s\n", (int)(end - text), text) < 0 ? -ENOMEM : 0;
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
		const char *end = skip_entry(text, len);
		int error = 0;

		if (!end)
			return -EINVAL;
		note(features, text, len);
		if (is_among(text, len, kept, PCL_ARRAY_SIZE(kept)))
			error = print_entry(text, len, end, out);
		if (error)
			return error;
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
