/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The preflight; see preflight.h. A guest that is not what it should be gives no result at all, for
 * whatever came out would be reported under a name that it does not deserve.
 */
#include "preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest.h"
#include "text.h"

#define PROVE GNT_GUEST_TOOLS "/prove"
/* Loading one BPF program parses the kernel's BTF: a second under emulation, more when loaded. */
#define PROVE_TIMEOUT_MS 60000
#define PROOFS_MAX 16

static const char *text_or(const json_t *value, const char *otherwise)
{
	const char *text = json_string_value(value);

	return text ? text : otherwise;
}

static bool contains(const json_t *list, const char *word)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		if (strcmp(text_or(entry, ""), word) == 0)
			return true;
	}
	return false;
}

static bool expected(const struct gnt_preflight_options *options, const char *lsm)
{
	for (size_t i = 0; i < options->lsm_count; i++) {
		if (strcmp(options->lsm[i], lsm) == 0)
			return true;
	}
	return false;
}

static char *join_json(const json_t *list)
{
	char *text = gnt_text_new("%s", "");
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		(void)gnt_text_set(&text, "%s%s%s", text ? text : "", i ? "," : "",
				   text_or(entry, "?"));
	return text;
}

static char *join_words(char *const *words, size_t count)
{
	char *text = gnt_text_new("%s", "");

	for (size_t i = 0; i < count; i++)
		(void)gnt_text_set(&text, "%s%s%s", text ? text : "", i ? "," : "", words[i]);
	return text;
}

/* Exactly the manifest's list in its order; for --lsm each name must be there. */
static void compare_lsm(const json_t *hello, const struct gnt_preflight_options *options,
			char **unmet)
{
	const json_t *active = json_object_get(hello, "lsm");
	pcl_autofree char *has = join_json(active);
	pcl_autofree char *wants = join_words(options->lsm, options->lsm_count);

	for (size_t i = 0; i < options->lsm_count; i++) {
		if (!contains(active, options->lsm[i]))
			(void)gnt_text_add(unmet,
					   "LSM %s of the target is not active; active: %s, "
					   "expected: %s",
					   options->lsm[i], has ? has : "", wants ? wants : "");
	}
	if (!*unmet && !options->lsm_replaced && has && wants && strcmp(has, wants) != 0)
		(void)gnt_text_add(unmet, "LSMs are %s, expected %s", has, wants);
}

static void compare_word(const char *what, const char *has, const char *wants, char **unmet)
{
	if (strcmp(has, wants) != 0)
		(void)gnt_text_add(unmet, "%s is %s, expected %s", what, has, wants);
}

/* Options of the mount that is on top at path, or NULL. Borrowed. */
static const json_t *find_mount(const json_t *mounts, const char *path)
{
	const json_t *mount, *found = NULL;
	size_t i;

	json_array_foreach(mounts, i, mount) {
		if (strcmp(text_or(json_object_get(mount, "path"), ""), path) == 0)
			found = mount;
	}
	return found;
}

static bool has_option(const char *options, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = options; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		if (strncmp(at, word, len) == 0 && (at[len] == ',' || !at[len]))
			return true;
	}
	return false;
}

/* What decides whether a file can be executed or written there. */
static void compare_mount(const json_t *mounts, const struct gnt_mount *wanted, char **unmet)
{
	static const char *const looked_at[] = {"noexec", "nosuid", "nodev", "ro"};
	const json_t *mount = find_mount(mounts, wanted->path);
	const char *has = text_or(json_object_get(mount, "options"), "");

	if (!mount) {
		(void)gnt_text_add(unmet, "%s is not mounted, expected %s", wanted->path,
				   wanted->type);
		return;
	}
	for (size_t i = 0; i < PCL_ARRAY_SIZE(looked_at); i++) {
		if (has_option(has, looked_at[i]) != has_option(wanted->options, looked_at[i])) {
			(void)gnt_text_add(unmet, "%s is mounted %s, expected %s", wanted->path,
					   has, wanted->options);
			return;
		}
	}
}

static void compare_mounts(const json_t *facts, const struct gnt_target *target, char **unmet)
{
	const json_t *mounts = json_object_get(facts, "mounts");
	const char *root = text_or(json_object_get(find_mount(mounts, "/"), "options"), "");

	if (has_option(root, "ro") != (target->rootfs == GNT_ROOTFS_READ_ONLY))
		(void)gnt_text_add(unmet, "the root is mounted %s, expected %s", root,
				   gnt_rootfs_name(target->rootfs));
	for (size_t i = 0; i < target->mount_count; i++)
		compare_mount(mounts, &target->mounts[i], unmet);
}

/* What an LSM has of its own is asked for only where the LSM is. */
static void compare_facts(const json_t *facts, const struct gnt_preflight_options *options,
			  char **unmet)
{
	const struct gnt_target *target = options->target;
	bool bpffs = json_is_true(json_object_get(facts, "bpffs"));

	if (target->lockdown && expected(options, "lockdown"))
		compare_word("lockdown", text_or(json_object_get(facts, "lockdown"), "absent"),
			     target->lockdown, unmet);
	if (expected(options, "selinux"))
		compare_word("SELinux", text_or(json_object_get(facts, "selinux"), "absent"),
			     gnt_selinux_mode_name(target->selinux_mode), unmet);
	for (size_t i = 0; expected(options, "apparmor") && i < target->apparmor_count; i++) {
		if (!contains(json_object_get(facts, "apparmor"), target->apparmor[i]))
			(void)gnt_text_add(unmet, "AppArmor has no feature %s, expected it",
					   target->apparmor[i]);
	}
	compare_word("cgroup", text_or(json_object_get(facts, "cgroup"), "absent"),
		     gnt_cgroup_name(target->cgroup), unmet);
	if (bpffs != target->bpffs)
		(void)gnt_text_add(unmet, "/sys/fs/bpf is %s, expected it %s",
				   bpffs ? "mounted" : "not mounted",
				   target->bpffs ? "mounted" : "not mounted");
	compare_mounts(facts, target, unmet);
}

char *gnt_preflight_compare(const json_t *hello, const struct gnt_preflight_options *options)
{
	const json_t *failures = json_object_get(hello, "failures"), *line;
	const json_t *facts = json_object_get(hello, "facts");
	bool wants_btf = expected(options, "bpf");
	char *unmet = NULL;
	size_t i;

	compare_lsm(hello, options, &unmet);
	if (wants_btf && !json_is_true(json_object_get(hello, "btf")))
		(void)gnt_text_add(&unmet, "the kernel has no BTF, expected it with bpf");
	/* An agent in a place that is not set up by us says nothing of it. */
	if (json_is_object(facts))
		compare_facts(facts, options, &unmet);
	json_array_foreach(failures, i, line)
		(void)gnt_text_add(&unmet, "the guest could not be set up: %s", text_or(line, "?"));
	return unmet;
}

/* The words for the prover, NULL-terminated; each owned. */
static size_t proof_words(const struct gnt_preflight_options *options, char *words[PROOFS_MAX])
{
	/* ima and evm refuse nothing without a policy of their own, and none is loaded. */
	static const char *const known[] = {"capability", "landlock", "lockdown",
					    "yama",	  "bpf",      "apparmor"};
	const struct gnt_target *target = options->target;
	size_t count = 0;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(known); i++) {
		if (!expected(options, known[i]))
			continue;
		words[count++] =
			strcmp(known[i], "lockdown") == 0
				? gnt_text_new("lockdown:%s",
					       target->lockdown ? target->lockdown : "none")
				: strdup(known[i]);
	}
	/* Without a policy, and when permissive, SELinux refuses nothing. */
	if (expected(options, "selinux") && target->selinux_mode == GNT_SELINUX_ENFORCING)
		words[count++] = gnt_text_new("selinux:%s", target->selinux_policy);
	return count;
}

static void take_proofs(const char *out, char **unmet)
{
	for (const char *line = out; *line;) {
		size_t len = strcspn(line, "\n");
		json_t *proof = json_loadb(line, len, 0, NULL);

		if (proof && !json_is_true(json_object_get(proof, "ok")))
			(void)gnt_text_add(unmet, "LSM %s is in the list and does not refuse: %s",
					   text_or(json_object_get(proof, "lsm"), "?"),
					   text_or(json_object_get(proof, "detail"), "?"));
		json_decref(proof);
		line += len + (line[len] == '\n');
	}
}

static int prove(struct gnt_vm *vm, const struct gnt_preflight_options *options, char **unmet,
		 struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	char *argv[PROOFS_MAX + 2] = {(char *)PROVE};
	size_t count = proof_words(options, argv + 1);
	struct gnt_exec exec = {.argv = (const char *const *)argv, .timeout_ms = PROVE_TIMEOUT_MS};
	int error = count ? gnt_guest_exec(vm, &exec, &result, diag) : 0;

	for (size_t i = 1; i <= count; i++)
		free(argv[i]);
	if (error || !count)
		return error;
	take_proofs(result.out, unmet);
	if (!*unmet && result.exit_code != 0) {
		pcl_autofree char *said = gnt_text_first_line(result.err, 200);

		(void)gnt_text_add(unmet, "the proofs of the LSMs ended with %d: %s",
				   result.exit_code, said ? said : "");
	}
	return 0;
}

int gnt_preflight(struct gnt_vm *vm, const struct gnt_preflight_options *options, char **ret_unmet,
		  struct pcl_diag *diag)
{
	pcl_autofree char *unmet = gnt_preflight_compare(gnt_vm_hello(vm), options);
	/* Where the list is wrong already, there is nothing to prove. */
	int error = unmet ? 0 : prove(vm, options, &unmet, diag);

	if (!error)
		*ret_unmet = pcl_take_ptr(unmet);
	return error;
}
