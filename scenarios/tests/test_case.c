/* SPDX-License-Identifier: Apache-2.0 */
/* Cases: a whole one is read; each slip of the pen is refused with its place and a hint. */
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
#include "scenarios/runner/case.h"

#define TITLE "title: A title\n"
#define MITRE "mitre: {id: T1003.008, version: \"17\", aliases: [T1]}\n"
#define KIND "class: file\nsource: here\n"
#define CONTAINER "container: {name: box, labels: \"a=b\", namespace: ns}\n"
#define SETUP                                                                                      \
	"setup:\n- {put: /a, text: hello, mode: \"0600\"}\n"                                       \
	"- {copy: /bin/x, to: /b, in: container}\n- mkdir: /c\n- {run: [/bin/make, it]}\n"
#define POLICY "policy:\n- corpus: x/y.yaml\n- inline: |\n    kind: X\n"
#define ATTACK "attack: {run: [/bin/attack, /a], in: container, uid: 7}\n"
#define CANARY "canary:\n- hidden: hello\n- {unchanged: /a}\n"
#define TWIN "twin: {run: [/bin/twin]}\n"
#define EXPECT                                                                                     \
	"expect: {errno: EPERM, rule: r, events: 2, verdict: {portcullis: DETECT_ONLY, "           \
	"portcullis/none: MISSED}}\n"
#define REQUIRES "requires: {kernel: \"5.11\", modules: [overlay, loop]}\nposture: file=block\n"
#define REST "cleanup: [/z]\ntimeout_s: 9\n"

static int load(const char *text, struct gnt_case **ret_case, struct pcl_diag *diag)
{
	char path[] = "/tmp/test-case-XXXXXX";
	int fd = mkstemp(path), error;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	error = gnt_case_load(path, "area/name", ret_case, diag);
	(void)unlink(path);
	return error;
}

static void refused(const char *text, const char *place, const char *word)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_case *c = NULL;

	assert_true(load(text, &c, &diag) < 0);
	assert_null(c);
	if (!strstr(pcl_diag_text(&diag), place) || !strstr(pcl_diag_text(&diag), word))
		fail_msg("want %s and \"%s\" in: %s", place, word, pcl_diag_text(&diag));
}

static void test_whole_case(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_case *c pcl_cleanup(gnt_case_free) = NULL;

	(void)state;
	assert_int_equal(load(TITLE MITRE KIND REQUIRES CONTAINER SETUP POLICY ATTACK CANARY TWIN
				      EXPECT REST,
			      &c, &diag),
			 0);
	assert_string_equal(c->id, "area/name");
	assert_string_equal(c->mitre_id, "T1003.008");
	assert_int_equal(c->setup_count, 4);
	assert_int_equal(c->setup[3].op, GNT_STEP_RUN);
	assert_int_equal(c->setup[3].argc, 2);
	assert_string_equal(c->setup[3].argv[0], "/bin/make");
	assert_string_equal(c->requires_kernel, "5.11");
	assert_int_equal(c->requires_module_count, 2);
	assert_string_equal(c->requires_modules[1], "loop");
	assert_string_equal(c->posture, "file=block");
	assert_int_equal(c->setup[0].mode, 0600);
	assert_int_equal(c->setup[1].op, GNT_STEP_COPY);
	assert_true(c->setup[1].in_container);
	assert_int_equal(c->setup[1].mode, -1);
	assert_int_equal(c->policy_count, 2);
	assert_true(gnt_case_needs_corpus(c));
	assert_string_equal(c->policies[1].value, "kind: X\n");
	assert_int_equal(c->attack.argc, 2);
	assert_null(c->attack.argv[2]);
	assert_int_equal(c->attack.uid, 7);
	assert_true(c->attack.in_container);
	assert_false(c->twin.in_container);
	assert_int_equal(c->canary_count, 2);
	assert_int_equal(c->expect.error, EPERM);
	assert_int_equal(c->expect.events, 2);
	assert_string_equal(c->container.root, "own");
	assert_int_equal(c->timeout_s, 9);
	assert_int_equal(gnt_case_expected(c, "portcullis"), GNT_VERDICT_DETECT_ONLY);
	assert_int_equal(gnt_case_expected(c, "portcullis/bpf_lsm"), GNT_VERDICT_DETECT_ONLY);
	assert_int_equal(gnt_case_expected(c, "portcullis/none"), GNT_VERDICT_MISSED);
	assert_int_equal(gnt_case_expected(c, "none"), GNT_VERDICT_MISSED);
}

static void test_defaults(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_case *c pcl_cleanup(gnt_case_free) = NULL;

	(void)state;
	assert_int_equal(load(TITLE MITRE KIND "policy: []\nattack: {run: [/a]}\n" CANARY TWIN
					       "expect: {rule: r}\n",
			      &c, &diag),
			 0);
	assert_int_equal(c->expect.error, EACCES);
	assert_int_equal(c->expect.events, 0);
	assert_true(c->timeout_s > 0);
	assert_false(gnt_case_needs_corpus(c));
	/* With enforcement off the expectation stays, so that the harness can fail. */
	assert_int_equal(gnt_case_expected(c, "portcullis/none"), GNT_VERDICT_INLINE_DENY);
}

static void test_slips_are_refused(void **state)
{
	static const char rest[] = MITRE KIND POLICY TWIN EXPECT;
	char text[4096];

	(void)state;
	refused("titel: x\n", ":1:1", "title");
	refused(TITLE, ":1:1", "lacks \"mitre\"");
	refused("title: [x]\n", ":1:8", "expected a text");
	(void)snprintf(text, sizeof(text), TITLE "%s" CANARY "attack: {rum: [/x]}\n", rest);
	refused(text, ":", "run");
	(void)snprintf(text, sizeof(text), TITLE "%s" CANARY "attack: {run: [x]}\n", rest);
	refused(text, ":", "absolute path");
	(void)snprintf(text, sizeof(text), TITLE "%s" CANARY ATTACK, rest);
	refused(text, ":", "no container");
	(void)snprintf(text, sizeof(text), TITLE "%sattack: {run: [/x]}\ncanary: []\n", rest);
	refused(text, ":", "canary");
	(void)snprintf(text, sizeof(text), TITLE "%s" CANARY "attack: {run: [/x]}\n" SETUP, rest);
	refused(text, ":", "no container");
	(void)snprintf(text, sizeof(text),
		       TITLE "%s" CANARY "attack: {run: [/x]}\nsetup: [{put: /x}]\n", rest);
	refused(text, ":", "\"text\" is missing");
	(void)snprintf(text, sizeof(text),
		       TITLE "%s" CANARY "attack: {run: [/x]}\nsetup: [{mkdir: /x, mode: \"9\"}]\n",
		       rest);
	refused(text, ":", "octal");
	(void)snprintf(text, sizeof(text),
		       TITLE "%s" CANARY "attack: {run: [/x]}\nsetup: [{run: [x]}]\n", rest);
	refused(text, ":", "absolute path");
	(void)snprintf(text, sizeof(text),
		       TITLE "%s" CANARY "attack: {run: [/x]}\nrequires: {kernel: six}\n", rest);
	refused(text, ":", "such as \"6.1\"");
	refused(TITLE MITRE KIND POLICY "attack: {run: [/x]}\n" CANARY TWIN
					"expect: {rule: r, verdict: {portcullis: INLINE_DENNY}}\n",
		":", "INLINE_DENY");
	refused(TITLE MITRE KIND POLICY "attack: {run: [/x]}\n" CANARY TWIN
					"expect: {rule: r, verdict: {portculis: MISSED}}\n",
		":", "no contender");
	refused(TITLE MITRE KIND POLICY "attack: {run: [/x]}\n" CANARY TWIN
					"expect: {rule: r, errno: EWHAT}\n",
		":", "EWHAT");
	refused(TITLE MITRE KIND "policy: [{corpus: a, file: b}]\n", ":5:", "one of");
	refused("a: [\n", ":", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_case),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_slips_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
