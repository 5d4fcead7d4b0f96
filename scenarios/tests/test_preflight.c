/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest says of itself against its manifest: every difference is told with both values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenarios/runner/preflight.h"

#define HELLO                                                                                      \
	"{\"lsm\": [\"lockdown\", \"capability\", \"selinux\", \"bpf\"], \"btf\": true,"           \
	" \"failures\": [], \"facts\": {\"lockdown\": \"integrity\", \"bpffs\": true,"             \
	" \"cgroup\": \"v2\", \"selinux\": \"enforcing\", \"apparmor\": [],"                       \
	" \"mounts\": [{\"path\": \"/\", \"type\": \"rootfs\", \"options\": \"ro\"},"              \
	" {\"path\": \"/tmp\", \"type\": \"tmpfs\", \"options\": \"rw,nosuid,noexec\"}]}}"

static char *lsm[] = {"lockdown", "capability", "selinux", "bpf"};
static struct gnt_mount tmp = {"/tmp", "tmpfs", "noexec,nosuid,mode=1777"};

static struct gnt_target as_it_is(void)
{
	return (struct gnt_target){
		.lockdown = "integrity",
		.selinux_mode = GNT_SELINUX_ENFORCING,
		.selinux_policy = "own",
		.rootfs = GNT_ROOTFS_READ_ONLY,
		.bpffs = true,
		.mounts = &tmp,
		.mount_count = 1,
	};
}

static char *compare(const struct gnt_target *target, const char *text)
{
	struct gnt_preflight_options options = {.target = target,
						.lsm = lsm,
						.lsm_count = PCL_ARRAY_SIZE(lsm)};
	json_t *hello = json_loads(text, 0, NULL);
	char *unmet;

	assert_non_null(hello);
	unmet = gnt_preflight_compare(hello, &options);
	json_decref(hello);
	return unmet;
}

static void what_is_true_is_met(void **state)
{
	struct gnt_target target = as_it_is();
	char *unmet = compare(&target, HELLO);

	(void)state;
	if (unmet)
		fail_msg("%s", unmet);
}

/* From, to: one word of the hello is another. */
static void differs(const char *from, const char *to, const char *wants)
{
	struct gnt_target target = as_it_is();
	char text[2048], *unmet;
	const char *at = strstr(HELLO, from);

	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - HELLO), HELLO, to,
		       at + strlen(from));
	unmet = compare(&target, text);
	if (!unmet || !strstr(unmet, wants))
		fail_msg("got \"%s\", want \"%s\"", unmet ? unmet : "nothing", wants);
	free(unmet);
}

static void each_difference_is_told_with_both_values(void **state)
{
	(void)state;
	differs("enforcing", "permissive", "SELinux is permissive, expected enforcing");
	differs("enforcing", "unloaded", "SELinux is unloaded, expected enforcing");
	differs("integrity", "none", "lockdown is none, expected integrity");
	differs("v2", "v1", "cgroup is v1, expected v2");
	differs("\"bpffs\": true", "\"bpffs\": false", "not mounted, expected it mounted");
	differs("\"options\": \"ro\"", "\"options\": \"rw\"",
		"the root is mounted rw, expected read-only");
	differs("rw,nosuid,noexec", "rw,nosuid", "/tmp is mounted rw,nosuid, expected noexec");
	differs("/tmp", "/run", "/tmp is not mounted");
	differs(", \"bpf\"]", "]", "LSM bpf of the target is not active");
	differs("[\"lockdown\",", "[\"yama\", \"lockdown\",",
		"LSMs are yama,lockdown,capability,selinux,bpf, expected lockdown,");
	differs("\"btf\": true", "\"btf\": false", "no BTF");
	differs("\"failures\": []", "\"failures\": [\"mount /x: no\"]",
		"could not be set up: mount /x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_true_is_met),
		cmocka_unit_test(each_difference_is_told_with_both_values),
	};

	return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
