/* SPDX-License-Identifier: Apache-2.0 */
/* Records of AppArmor as the kernel writes them, and which rule the model finds for one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/apparmor_blob.h"
#include "backend/apparmor_record.h"
#include "base/cleanup.h"

#define RECORD struct pcl_apparmor_record pcl_cleanup(pcl_apparmor_record_fini)

static void reads_a_refused_open(void **state)
{
	RECORD record = {0};

	(void)state;
	assert_int_equal(pcl_apparmor_record_parse(
				 "audit(1795975397.183:9): apparmor=\"DENIED\" operation=\"open\" "
				 "class=\"file\" profile=\"portcullis-host\" name=\"/etc/shadow\" "
				 "pid=146 comm=\"cat\" requested_mask=\"r\" denied_mask=\"r\" "
				 "fsuid=0 ouid=1000",
				 &record),
			 0);
	assert_int_equal(record.serial, 9);
	assert_true(record.time_ns == 1795975397183000000u);
	assert_int_equal(record.verdict, PCL_APPARMOR_DENIED);
	assert_string_equal(record.operation, "open");
	assert_string_equal(record.profile, "portcullis-host");
	assert_string_equal(record.name, "/etc/shadow");
	assert_false(record.directory);
	assert_string_equal(record.comm, "cat");
	assert_string_equal(record.denied, "r");
	assert_int_equal(record.pid, 146);
	assert_int_equal(record.fsuid, 0);
	assert_int_equal(record.ouid, 1000);
	assert_true(record.has_owner);
	assert_int_equal(record.capability, -1);
	assert_null(record.family);
}

static void reads_a_path_of_odd_bytes(void **state)
{
	RECORD record = {0};

	(void)state;
	/* "/tmp/a" b"\n, which is no other word of the record. */
	assert_int_equal(pcl_apparmor_record_parse(
				 "audit(1.0:2): apparmor=\"DENIED\" operation=\"open\" "
				 "profile=\"p\" name=2F746D702F612220620A pid=1 comm=\"x\"",
				 &record),
			 0);
	assert_string_equal(record.name, "/tmp/a\" b\n");
	assert_false(record.has_owner);
}

static void reads_a_directory_as_rules_name_it(void **state)
{
	RECORD record = {0};
	RECORD root = {0};

	(void)state;
	assert_int_equal(pcl_apparmor_record_parse(
				 "audit(1.0:2): apparmor=\"DENIED\" operation=\"rename_src\" "
				 "profile=\"p\" name=\"/srv/a/\" target=\"/srv/b/\" pid=1",
				 &record),
			 0);
	assert_string_equal(record.name, "/srv/a");
	assert_string_equal(record.target, "/srv/b");
	assert_true(record.directory);
	assert_int_equal(
		pcl_apparmor_record_parse("audit(1.0:2): apparmor=\"DENIED\" operation=\"open\" "
					  "profile=\"p\" name=\"/\" pid=1",
					  &root),
		0);
	assert_string_equal(root.name, "/");
}

static void reads_sockets_and_capabilities(void **state)
{
	RECORD socket = {0};
	RECORD capable = {0};

	(void)state;
	assert_int_equal(pcl_apparmor_record_parse(
				 "audit(1.0:2): apparmor=\"AUDIT\" operation=\"create\" "
				 "class=\"net\" profile=\"p\" pid=1 comm=\"x\" family=\"inet\" "
				 "sock_type=\"stream\" protocol=6 requested_mask=\"create\"",
				 &socket),
			 0);
	assert_int_equal(socket.verdict, PCL_APPARMOR_AUDITED);
	assert_string_equal(socket.family, "inet");
	assert_string_equal(socket.type, "stream");
	assert_int_equal(socket.protocol, 6);
	assert_int_equal(pcl_apparmor_record_parse(
				 "audit(1.0:2): apparmor=\"DENIED\" operation=\"capable\" "
				 "class=\"cap\" profile=\"p\" pid=1 comm=\"x\" capability=12  "
				 "capname=\"net_admin\"",
				 &capable),
			 0);
	assert_int_equal(capable.capability, 12);
	assert_string_equal(capable.capname, "net_admin");
}

static void refuses_what_is_no_record(void **state)
{
	static const char *const texts[] = {
		"",
		"audit(1.0:2): avc:  denied  { read }",
		"audit(1.0:2): apparmor=\"ALLOWED\" operation=\"open\" profile=\"p\"",
		"audit(1.0:2): apparmor=\"DENIED\" operation=\"open\"",
		"audit(1.0:2): apparmor=\"DENIED\" profile=\"p\"",
		"audit(1.0:x): apparmor=\"DENIED\" operation=\"open\" profile=\"p\"",
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(texts); i++) {
		RECORD record = {0};

		assert_int_equal(pcl_apparmor_record_parse(texts[i], &record), -ENOMSG);
	}
}

/* A path cut off by the kernel's log ends the record; nothing behind its end is read. */
static void reads_a_record_that_was_cut(void **state)
{
	RECORD record = {0};

	(void)state;
	assert_int_equal(
		pcl_apparmor_record_parse("audit(1.0:2): apparmor=\"DENIED\" operation=\"open\" "
					  "profile=\"p\" name=\"/very/long",
					  &record),
		0);
	assert_string_equal(record.name, "/very/long");
	assert_null(record.denied);
}

static void makes_a_profile_without_a_parser(void **state)
{
	static const uint8_t head[] = {4,   8,	 0, 'v', 'e', 'r', 's', 'i',
				       'o', 'n', 0, 2,	 5,   0,   0,	0};
	struct pcl_apparmor_blob blob = {0};
	size_t len;
	char *name;

	(void)state;
	assert_int_equal(pcl_apparmor_blob_add_profile(&blob, "a", PCL_APPARMOR_CLOSED), 0);
	assert_memory_equal(blob.data, head, sizeof(head));
	len = blob.len;
	assert_int_equal(pcl_apparmor_blob_add_profile(&blob, "a", PCL_APPARMOR_FREE), 0);
	assert_int_equal(blob.len, 2 * len);
	assert_memory_equal(blob.data + len, head, sizeof(head));
	/* The mode alone tells them apart. */
	assert_memory_not_equal(blob.data, blob.data + len, len);
	name = calloc(1, 70000);
	assert_non_null(name);
	memset(name, 'n', 69999);
	assert_int_equal(pcl_apparmor_blob_add_profile(&blob, name, PCL_APPARMOR_FREE), -EINVAL);
	assert_int_equal(blob.len, 2 * len);
	free(name);
	free(blob.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_refused_open),
		cmocka_unit_test(reads_a_path_of_odd_bytes),
		cmocka_unit_test(reads_a_directory_as_rules_name_it),
		cmocka_unit_test(reads_sockets_and_capabilities),
		cmocka_unit_test(refuses_what_is_no_record),
		cmocka_unit_test(reads_a_record_that_was_cut),
		cmocka_unit_test(makes_a_profile_without_a_parser),
	};

	return cmocka_run_group_tests_name("apparmor_record", tests, NULL, NULL);
}
