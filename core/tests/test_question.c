/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations in words: what is understood, what is refused with a hint, and the way back.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/question.h"
#include "support.h"

#define autoquestion pcl_cleanup(pcl_question_free) struct pcl_question

static struct pcl_question *parse(const char *text)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_question *question = NULL;

	if (pcl_question_parse(text, &question, &diag))
		fail_msg("%s: %s", text, pcl_diag_text(&diag));
	return question;
}

static void an_execution(void **state)
{
	autoquestion *question =
		parse("exec /usr/bin//apt by /bin/bash uid 0 owner 0 args -m,a\\,b");
	const struct pcl_operation *operation = &question->operation;

	(void)state;
	assert_int_equal(operation->access, PCL_ACCESS_EXECUTE);
	assert_string_equal(operation->object, "/usr/bin/apt");
	assert_string_equal(operation->source, "/bin/bash");
	assert_true(operation->owner);
	assert_int_equal(operation->arg_count, 2);
	assert_string_equal(operation->args[0], "-m");
	assert_string_equal(operation->args[1], "a,b");
}

static void ownership_needs_both_numbers(void **state)
{
	autoquestion *same = parse("file read /a uid 7 owner 7");
	autoquestion *other = parse("file read /a uid 7 owner 8");
	autoquestion *open = parse("file read /a uid 0");

	(void)state;
	assert_true(same->operation.owner);
	assert_false(other->operation.owner);
	assert_false(open->operation.owner);
}

static void the_other_classes(void **state)
{
	autoquestion *tcp = parse("connect tcp family inet6");
	autoquestion *raw = parse("socket icmp type raw");
	autoquestion *name = parse("resolve Example.com");
	autoquestion *capability = parse("capability CAP_NET_RAW");
	autoquestion *call = parse("syscall unlink \"/a b\" by /c");
	autoquestion *device = parse("device HID protocol 2 level 3");
	autoquestion *nothing = parse("exec none");

	(void)state;
	assert_int_equal(tcp->operation.access, PCL_ACCESS_SOCKET);
	assert_int_equal(tcp->operation.socket.family, AF_INET6);
	assert_int_equal(tcp->operation.socket.protocol, IPPROTO_TCP);
	assert_int_equal(raw->operation.socket.type, SOCK_RAW);
	assert_int_equal(raw->operation.socket.protocol, IPPROTO_ICMP);
	assert_string_equal(name->operation.name, "Example.com");
	assert_int_equal(capability->operation.capability, 13);
	assert_string_equal(call->operation.name, "unlink");
	assert_string_equal(call->operation.object, "/a b");
	assert_int_equal(device->operation.device.class, 3);
	assert_int_equal(device->operation.device.level, 3);
	assert_null(nothing->operation.object);
}

static void mistakes_get_a_hint(void **state)
{
	static const struct {
		const char *text;
		const char *part;
	} bad[] = {
		{"", "too early; add an operation"},
		{"exce /a", "did you mean \"exec\"?"},
		{"exec", "add the path"},
		{"exec a", "must be absolute"},
		{"file raed /a", "did you mean \"read\"?"},
		{"connect tpc", "did you mean \"tcp\"?"},
		{"capability net_rwa", "did you mean \"net_raw\"?"},
		{"capability 64", "unknown capability"},
		{"capability 4294967301", "unknown capability"},
		{"capability 5x", "unknown capability"},
		{"device 256", "unknown device class"},
		{"device 022222222222222222222", "unknown device class"},
		{"syscall unlik", "did you mean \"unlink\"?"},
		{"exec /a uid x", "no number"},
		{"exec /a form /b", "unknown word \"form\""},
		{"exec /a by", "add the source"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(bad); i++) {
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
		autoquestion *question = NULL;

		assert_int_equal(pcl_question_parse(bad[i].text, &question, &diag), -EINVAL);
		test_contains(pcl_diag_text(&diag), bad[i].part);
	}
}

static void what_is_printed_reads_back(void **state)
{
	static const char *const texts[] = {
		"exec /usr/bin/apt by /bin/bash",
		"exec none entered",
		"exec /bin/python terminal args -m,a\\,b",
		"exec \"/a b\\\"c\" by \"/x y\"",
		"file read /etc/shadow uid 1000 owner 1000",
		"file write /proc/12/environ own",
		"file read none unknown",
		"map by /bin/x",
		"connect tcp",
		"connect udp family inet6",
		"connect icmp type raw",
		"connect stream",
		"connect dgram family packet",
		"connect all",
		"resolve example.com by /bin/curl",
		"capability net_raw",
		"syscall unlink /home",
		"syscall mount",
		"device MASS-STORAGE subclass 6 protocol 80 level 2",
		"device 77",
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(texts); i++) {
		autoquestion *question = parse(texts[i]);
		pcl_autofree char *text = pcl_question_print(&question->operation);

		assert_non_null(text);
		assert_string_equal(text, texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_execution),
		cmocka_unit_test(ownership_needs_both_numbers),
		cmocka_unit_test(the_other_classes),
		cmocka_unit_test(mistakes_get_a_hint),
		cmocka_unit_test(what_is_printed_reads_back),
	};

	return cmocka_run_group_tests_name("question", tests, NULL, NULL);
}
