/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arms of a case against a guest that is made up here: the order of what is done, what is put
 * back, and what becomes of a guest that fails. The fake stands in for vm.c at link time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenarios/runner/arms.h"
#include "scenarios/runner/kernel.h"

#define DONE "{\"ok\": true, \"step\": \"read\", \"errno\": 0, \"data\": \"s3cret\"}\n"
#define DENIED "{\"ok\": false, \"step\": \"open\", \"errno\": 13}\n"
#define RULE_EVENT                                                                                 \
	"{\"Action\": \"Block\", \"Result\": \"Permission denied\", \"RuleID\": \"r#1\"}\n"

/* What the made-up guest is like. */
static struct {
	bool enforces;	 /* a denial while a policy is applied */
	bool alerts;	 /* with an event */
	bool overblocks; /* the twin too */
	bool refuses;	 /* apply exits 2 */
	int die_at;	 /* call number that fails, 0: never */
	enum gnt_vm_state state;
	bool applied;
	int calls;
	struct gnt_engine engine;
	const char *more; /* lines of the case */
	char log[4096];
	char marks[4096];
	struct gnt_finding trouble;
} guest;

static json_t *ran(int code, const char *out)
{
	return json_pack("{s:i, s:n, s:b, s:s, s:s}", "exit", code, "signal", "timed_out", 0,
			 "stdout", out, "stderr", "");
}

static json_t *engine_reply(const char *verb)
{
	if (strcmp(verb, "apply") == 0) {
		if (guest.refuses)
			return json_pack("{s:i, s:s, s:s}", "exit", 2, "stdout", "", "stderr",
					 "p.yaml:1:1: no\nmore\n");
		guest.applied = true;
	} else if (strcmp(verb, "remove") == 0 || strcmp(verb, "idle") == 0) {
		guest.applied = false;
	} else if (strcmp(verb, "events") == 0) {
		/* Pending events are told once; the first time, right after apply, there is none.
		 */
		return ran(0, guest.alerts && strstr(guest.log, "attack+") ? RULE_EVENT : "");
	}
	return ran(0, "");
}

static json_t *exec_reply(const json_t *request)
{
	const json_t *argv = json_object_get(request, "argv");
	const char *program = json_string_value(json_array_get(argv, 0));
	const char *verb = json_string_value(json_array_get(argv, 1));
	const char *file = json_string_value(json_array_get(argv, 2));
	const char *last = json_string_value(json_array_get(argv, json_array_size(argv) - 1));
	bool denied;

	assert_non_null(program);
	if (strstr(program, "portcullis")) {
		/* The policy that selects nobody, and no other. */
		if (strcmp(verb, "apply") == 0 && file && strstr(file, "/idle.yaml") &&
		    !strstr(last, "/0.yaml"))
			verb = "idle";
		(void)strcat(strcat(guest.log, verb), " ");
		return engine_reply(verb);
	}
	denied = guest.applied && guest.enforces && (strstr(program, "attack") || guest.overblocks);
	(void)strcat(strcat(guest.log, strrchr(program, '/') + 1), guest.applied ? "+ " : " ");
	return denied ? ran(10, DENIED) : ran(0, DONE);
}

int gnt_vm_call(struct gnt_vm *vm, const json_t *request, int timeout_ms, json_t **ret_reply,
		struct pcl_diag *diag)
{
	const char *op = json_string_value(json_object_get(request, "op"));

	(void)vm;
	assert_true(timeout_ms > 0);
	if (++guest.calls == guest.die_at) {
		guest.state = GNT_VM_PANIC;
		return pcl_diag_set(diag, -EIO, "gone");
	}
	if (strcmp(op, "exec") == 0)
		*ret_reply = exec_reply(request);
	else if (strcmp(op, "stat") == 0)
		*ret_reply = json_pack("{s:b}", "exists", 0);
	else
		*ret_reply = json_object();
	return 0;
}

enum gnt_vm_state gnt_vm_state(struct gnt_vm *vm)
{
	(void)vm;
	return guest.state;
}

const struct gnt_finding *gnt_vm_trouble(struct gnt_vm *vm)
{
	(void)vm;
	return guest.trouble.kind ? &guest.trouble : NULL;
}

int gnt_vm_mark(struct gnt_vm *vm, const char *text, struct pcl_diag *diag)
{
	json_t *request = json_pack("{s:s}", "op", "mark"), *reply = NULL;
	int error = gnt_vm_call(vm, request, 1, &reply, diag);

	if (!error)
		(void)strcat(strcat(guest.marks, strstr(text, " none ") ? "" : text), ",");
	json_decref(request);
	json_decref(reply);
	return error;
}

const char *gnt_vm_state_detail(struct gnt_vm *vm)
{
	(void)vm;
	return guest.state == GNT_VM_RUNNING ? NULL : "Kernel panic";
}

static const char case_text[] = "title: t\n"
				"mitre: {id: T1, version: \"17\"}\n"
				"class: file\n"
				"source: here\n"
				"setup:\n"
				"- {put: /secret, text: s3cret}\n"
				"policy:\n"
				"- inline: \"kind: X\"\n"
				"attack: {run: [/bin/attack]}\n"
				"canary:\n"
				"- hidden: s3cret\n"
				"twin: {run: [/bin/twin]}\n"
				"expect: {rule: \"r#1\", events: 1}\n";

/* Runs the case; word must be in the detail (NULL: none). */
static enum gnt_incident run(const char *contender, enum gnt_verdict want, const char *word)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_case *c pcl_cleanup(gnt_case_free) = NULL;
	struct gnt_arms_result result pcl_cleanup(gnt_arms_result_fini) = {0};
	struct gnt_arms_options options = {.engine = &guest.engine};
	pcl_autofree char *detail = NULL;
	char path[] = "/tmp/test-arms-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, case_text, strlen(case_text)), strlen(case_text));
	if (guest.more)
		assert_int_equal(write(fd, guest.more, strlen(guest.more)), strlen(guest.more));
	(void)close(fd);
	assert_int_equal(gnt_case_load(path, "a/b", &c, &diag), 0);
	(void)unlink(path);
	gnt_arms_run(NULL, c, gnt_contender_find(contender), &options, &result);
	assert_string_equal(gnt_verdict_name(gnt_verdict_judge(&result.seen, &c->expect, &detail)),
			    gnt_verdict_name(want));
	if (word && !strstr(detail ? detail : "", word))
		fail_msg("want \"%s\" in: %s", word, detail ? detail : "nothing");
	return result.seen.incident;
}

static int fresh(void **state)
{
	(void)state;
	memset(&guest, 0, sizeof(guest));
	guest.enforces = true;
	guest.alerts = true;
	return 0;
}

static void test_denied(void **state)
{
	(void)state;
	(void)run("portcullis", GNT_VERDICT_INLINE_DENY, NULL);
	assert_string_equal(guest.log, "attack twin apply events attack+ events twin+ idle ");
	assert_string_equal(guest.marks, "a/b portcullis arm A,a/b portcullis arm B,"
					 "a/b portcullis arm C,a/b portcullis after,");
	assert_false(guest.applied);
}

/* The domain that keeps programs attached is added once, and not for what enforces nothing. */
static void test_programs_stay_attached(void **state)
{
	(void)state;
	guest.engine.keep = true;
	(void)run("portcullis/none", GNT_VERDICT_INLINE_DENY, NULL);
	assert_null(strstr(guest.log, "domain"));
	*guest.log = '\0';
	(void)run("portcullis", GNT_VERDICT_INLINE_DENY, NULL);
	assert_string_equal(guest.log,
			    "attack twin domain apply events attack+ events twin+ idle ");
	*guest.log = '\0';
	(void)run("portcullis", GNT_VERDICT_INLINE_DENY, NULL);
	assert_string_equal(guest.log, "attack twin apply events attack+ events twin+ idle ");
}

/* What an earlier case left in the kernel is gone in the first arm, and nothing is left after. */
static void test_case_with_a_new_engine(void **state)
{
	(void)state;
	guest.engine.keep = true;
	guest.more = "engine: new\n";
	(void)run("portcullis", GNT_VERDICT_INLINE_DENY, NULL);
	assert_string_equal(guest.log,
			    "attack twin apply events attack+ events twin+ idle remove ");
	guest.more = NULL;
	(void)run("portcullis", GNT_VERDICT_INLINE_DENY, NULL);
	*guest.log = '\0';
	guest.more = "engine: new\n";
	(void)run("portcullis", GNT_VERDICT_INLINE_DENY, NULL);
	assert_string_equal(guest.log,
			    "remove attack twin apply events attack+ events twin+ idle remove ");
}

static void test_none_applies_nothing(void **state)
{
	(void)state;
	(void)run("none", GNT_VERDICT_MISSED, NULL);
	assert_string_equal(guest.log, "attack twin attack twin ");
}

static void test_engine_that_does_nothing(void **state)
{
	(void)state;
	guest.enforces = false;
	(void)run("portcullis/none", GNT_VERDICT_DETECT_ONLY, NULL);
	(void)fresh(state);
	guest.enforces = false;
	guest.alerts = false;
	(void)run("portcullis/none", GNT_VERDICT_MISSED, NULL);
}

static void test_silent_engine(void **state)
{
	(void)state;
	guest.alerts = false;
	(void)run("portcullis", GNT_VERDICT_UNPROVEN, "no event names the rule");
}

static void test_overblocking_engine(void **state)
{
	(void)state;
	guest.overblocks = true;
	(void)run("portcullis", GNT_VERDICT_OVERBLOCK, "twin");
}

static void test_engine_that_refuses(void **state)
{
	(void)state;
	guest.refuses = true;
	(void)run("portcullis", GNT_VERDICT_MISSED, "portcullis apply, exit 2: p.yaml:1:1: no");
	/* Also what it may have left half-way is taken away. */
	assert_string_equal(guest.log, "attack twin apply attack twin remove ");
}

static void test_guest_that_dies_anywhere(void **state)
{
	int calls;

	(void)run("portcullis", GNT_VERDICT_INLINE_DENY, NULL);
	calls = guest.calls;
	assert_true(calls > 10);
	for (int at = 1; at <= calls; at++) {
		(void)fresh(state);
		guest.die_at = at;
		(void)run("portcullis", GNT_VERDICT_INFRA, "Kernel panic");
		assert_int_equal(guest.calls, at);
	}
}

static void test_splat_is_no_pass(void **state)
{
	(void)state;
	guest.state = GNT_VM_SPLAT;
	assert_int_equal(run("portcullis", GNT_VERDICT_INFRA, "Kernel panic"), GNT_INCIDENT_SPLAT);
	guest.trouble.kind = GNT_HEALTH_WARN;
	assert_int_equal(run("portcullis", GNT_VERDICT_INFRA, "Kernel panic"), GNT_INCIDENT_SPLAT);
	/* A CPU that was stuck is a hang, though the guest came back. */
	guest.trouble.kind = GNT_HEALTH_SOFT_LOCKUP;
	assert_int_equal(run("portcullis", GNT_VERDICT_INFRA, "Kernel panic"), GNT_INCIDENT_HANG);
}

static void test_kernels_too_old(void **state)
{
	struct gnt_case c = {.requires_kernel = NULL};
	json_t *hello = json_pack("{s:s}", "kernel", "5.10.0-46-cloud-amd64");
	pcl_autofree char *reason = NULL;

	(void)state;
	assert_null(gnt_env_too_old(hello, &c));
	c.requires_kernel = (char[]){"5.10"};
	assert_null(gnt_env_too_old(hello, &c));
	c.requires_kernel = (char[]){"5.9"};
	assert_null(gnt_env_too_old(hello, &c));
	c.requires_kernel = (char[]){"5.11"};
	reason = gnt_env_too_old(hello, &c);
	assert_non_null(reason);
	assert_non_null(strstr(reason, "5.11"));
	assert_true(gnt_kernel_number("6.1") < gnt_kernel_number("6.12.117+deb12"));
	assert_true(gnt_kernel_number("6.18") < gnt_kernel_number("7.0"));
	assert_true(gnt_kernel_number("six") < 0 && gnt_kernel_number("6") < 0);
	json_decref(hello);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_denied, fresh),
		cmocka_unit_test_setup(test_programs_stay_attached, fresh),
		cmocka_unit_test_setup(test_case_with_a_new_engine, fresh),
		cmocka_unit_test_setup(test_none_applies_nothing, fresh),
		cmocka_unit_test_setup(test_engine_that_does_nothing, fresh),
		cmocka_unit_test_setup(test_silent_engine, fresh),
		cmocka_unit_test_setup(test_overblocking_engine, fresh),
		cmocka_unit_test_setup(test_engine_that_refuses, fresh),
		cmocka_unit_test_setup(test_guest_that_dies_anywhere, fresh),
		cmocka_unit_test_setup(test_splat_is_no_pass, fresh),
		cmocka_unit_test(test_kernels_too_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
