/* SPDX-License-Identifier: Apache-2.0 */
/* What the SELinux backend writes down and reads back, and records of the kernel's about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/selinux_avc.h"
#include "backend/selinux_fs.h"
#include "backend/selinux_record.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "support.h"

#define RECORD struct pcl_selinux_record pcl_cleanup(pcl_selinux_record_fini)
#define AVC struct pcl_selinux_avc pcl_cleanup(pcl_selinux_avc_fini)

static char whole[] =
	"generation\t7\n"
	"clone\tportcullis_rw_etc_t\tetc_t\tplain\n"
	"clone\tportcullis_generation_7_t\t\tany\n"
	"refuse\tfile\tthese\tread write\tportcullis_rw_etc_t\t\n"
	"refuse\tcapability\tothers\tkill\t\tdaemon_t init_t\n"
	"enter\tuser_t\tportcullis_rw_etc_t\tfile\tetc_t\n"
	"leave\tportcullis_0123abcd_user_t\tportcullis_o_user_t\n"
	"run\tbin_t\n"
	"run\tetc_t\n"
	"audit\tdomain\tportcullis_rw_etc_t\tfile\tread append\n"
	"label\tu:object_r:etc_t:s0\tu:object_r:portcullis_rw_etc_t:s0\t/etc/a b\\011c\\134d\n"
	"place\t42\tdir\tportcullis_rw_etc_t\t/etc/line\\012\n"
	"place\t43\tlink\tportcullis_rw_etc_t\t/etc/rc\n"
	"mark\t0123abcd\t/usr/bin/a b\n"
	"coming\tpath\t/etc/new\\012\n"
	"coming\tpattern\t/etc/*.key\n"
	"await\t/etc/a\\011b\n"
	"end\n";

static void a_record_is_read_as_it_was_written(void **state)
{
	pcl_autofree char *text = strdup(whole), *again = NULL;
	RECORD record = {0};
	size_t len = 0;
	FILE *out = open_memstream(&again, &len);

	(void)state;
	assert_non_null(text);
	assert_non_null(out);
	assert_int_equal(pcl_selinux_record_parse(text, &record), 0);
	assert_int_equal(record.generation, 7);
	assert_int_equal(record.changes.clones_count, 2);
	assert_string_equal(record.changes.clones[0].base, "etc_t");
	assert_null(record.changes.clones[1].base);
	assert_true(record.changes.clones[0].plain);
	assert_false(record.changes.clones[1].plain);
	assert_int_equal(record.changes.refuses_count, 2);
	assert_int_equal(record.changes.refuses[0].permissions_count, 2);
	assert_int_equal(record.changes.refuses[0].sources_count, 0);
	assert_false(record.changes.refuses[0].others);
	assert_int_equal(record.changes.refuses[1].targets_count, 0);
	assert_string_equal(record.changes.refuses[1].sources[1], "init_t");
	assert_true(record.changes.refuses[1].others);
	assert_string_equal(record.changes.enters[0].result, "etc_t");
	assert_string_equal(record.changes.audits[0].permissions[1], "append");
	assert_string_equal(record.labels[0].path, "/etc/a b\tc\\d");
	assert_string_equal(record.labels[0].before, "u:object_r:etc_t:s0");
	assert_string_equal(record.places[0].path, "/etc/line\n");
	assert_int_equal(record.places[0].inode, 42);
	assert_true(record.places[0].directory);
	assert_false(record.places[0].link);
	assert_true(record.places[1].link);
	assert_string_equal(record.changes.leaves[0].source, "portcullis_0123abcd_user_t");
	assert_string_equal(record.changes.leaves[0].result, "portcullis_o_user_t");
	assert_int_equal(record.changes.runs_count, 2);
	assert_string_equal(record.changes.runs[1], "etc_t");
	assert_string_equal(record.marks[0].name, "0123abcd");
	assert_string_equal(record.marks[0].path, "/usr/bin/a b");
	assert_string_equal(record.comings[0].name, "/etc/new\n");
	assert_false(record.comings[0].pattern);
	assert_true(record.comings[1].pattern);
	assert_string_equal(record.awaits[0], "/etc/a\tb");
	assert_int_equal(pcl_selinux_record_print(&record, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(again, whole);
}

/* Cut off anywhere, or with something else in it, it is none. */
static void a_record_that_is_not_whole_is_none(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(whole) - 1; len++) {
		pcl_autofree char *text = strndup(whole, len);
		RECORD record = {0};

		assert_non_null(text);
		/* Up to the line that ends it. */
		assert_int_equal(pcl_selinux_record_parse(text, &record), -EBADMSG);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const others[] = {"clone\ta\tb\nend\n", "what\tis\tthis\nend\n",
						     "label\ta\tb\nend\n"};
		pcl_autofree char *text = strdup(others[i]);
		RECORD record = {0};

		assert_non_null(text);
		assert_int_equal(pcl_selinux_record_parse(text, &record), -EBADMSG);
	}
}

static void records_are_kept_in_files(void **state)
{
	char dir[] = "/tmp/portcullis-selinux-XXXXXX";
	pcl_autofree char *records = NULL, *text = strdup(whole);
	pcl_autofree void *policy = NULL;
	RECORD record = {0};
	RECORD read = {0};
	size_t size = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(asprintf(&records, "%s/selinux", dir) > 0);
	pcl_selinux_records_use_dir(records);
	assert_false(pcl_selinux_records_exist());
	assert_int_equal(pcl_selinux_record_load(PCL_SELINUX_NEXT, &read, NULL), -ENOENT);
	assert_int_equal(pcl_selinux_original_load(&policy, &size, NULL), -ENOENT);
	assert_int_equal(pcl_selinux_record_parse(text, &record), 0);
	assert_int_equal(pcl_selinux_record_save(PCL_SELINUX_NEXT, &record, NULL), 0);
	assert_int_equal(pcl_selinux_original_save("a\0b", 3, NULL), 0);
	assert_true(pcl_selinux_records_exist());
	assert_int_equal(pcl_selinux_record_load(PCL_SELINUX_APPLIED, &read, NULL), -ENOENT);
	assert_int_equal(pcl_selinux_record_keep(NULL), 0);
	assert_int_equal(pcl_selinux_record_load(PCL_SELINUX_NEXT, &read, NULL), -ENOENT);
	assert_int_equal(pcl_selinux_record_load(PCL_SELINUX_APPLIED, &read, NULL), 0);
	assert_int_equal(read.generation, 7);
	assert_int_equal(pcl_selinux_original_load(&policy, &size, NULL), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(policy, "a\0b", 3);
	pcl_selinux_records_delete();
	assert_false(pcl_selinux_records_exist());
	assert_int_equal(rmdir(dir), 0);
}

static void reads_a_refused_read(void **state)
{
	AVC avc = {0};

	(void)state;
	assert_int_equal(
		pcl_selinux_avc_parse(
			"audit(1795990296.667:7): avc:  denied  { read open } for  pid=85 comm=\"cat\" "
			"name=\"a\" dev=\"rootfs\" ino=360 scontext=u:r:user_t:s0-s0:c0.c1023 "
			"tcontext=u:object_r:portcullis_rw_etc_t:s0 tclass=file permissive=0",
			&avc),
		0);
	assert_int_equal(avc.serial, 7);
	assert_true(avc.time_ns == 1795990296667000000u);
	assert_true(avc.denied);
	assert_false(avc.permissive);
	assert_int_equal(avc.permissions_count, 2);
	assert_string_equal(avc.permissions[0], "read");
	assert_string_equal(avc.permissions[1], "open");
	assert_string_equal(avc.name, "a");
	assert_null(avc.path);
	assert_string_equal(avc.comm, "cat");
	assert_string_equal(avc.source, "user_t");
	assert_string_equal(avc.target, "portcullis_rw_etc_t");
	assert_string_equal(avc.class_name, "file");
	assert_int_equal(avc.inode, 360);
	assert_int_equal(avc.pid, 85);
	assert_int_equal(avc.capability, -1);
}

static void reads_what_was_permitted(void **state)
{
	AVC avc = {0};

	(void)state;
	assert_int_equal(
		pcl_selinux_avc_parse(
			"audit(1.5:9): avc:  granted  { write } for  pid=1 comm=6120622063 "
			"path=2F612062 scontext=a:b:c tcontext=u:object_r:etc_t tclass=file",
			&avc),
		0);
	assert_false(avc.denied);
	assert_string_equal(avc.path, "/a b");
	assert_string_equal(avc.comm, "a b c");
	assert_string_equal(avc.target, "etc_t");
}

static void reads_a_capability_and_a_load(void **state)
{
	static const char *const loads[] = {
		"audit(2.0:1): policy loaded auid=0 ses=1",
		"audit(2.0:1): auid=4294967295 ses=4294967295 lsm=selinux res=1",
	};
	AVC capability = {0};

	(void)state;
	assert_int_equal(
		pcl_selinux_avc_parse("audit(1.5:9): avc:  denied  { kill } for  pid=3 comm=\"x\" "
				      "capability=5  scontext=u:r:user_t tcontext=u:r:user_t "
				      "tclass=capability permissive=1",
				      &capability),
		0);
	assert_int_equal(capability.capability, 5);
	assert_true(capability.permissive);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(loads); i++) {
		AVC load = {0};

		assert_int_equal(pcl_selinux_avc_parse(loads[i], &load), 0);
		assert_true(load.loaded);
	}
}

static bool is_link_behind(const char *first, const char *next)
{
	AVC before = {0}, after = {0};

	assert_int_equal(pcl_selinux_avc_parse(first, &before), 0);
	assert_int_equal(pcl_selinux_avc_parse(next, &after), 0);
	return pcl_selinux_avc_is_same_link(&before, &after);
}

static void a_link_is_asked_for_twice(void **state)
{
#define ABOUT " for  pid=7 ino=5 tcontext=u:r:a_t tclass=file"
	static const char asked[] = "audit(1.0:8): avc:  denied  { read write }" ABOUT;
	static const char *const others[] = {
		"audit(1.0:9): avc:  denied  { read link }" ABOUT,
		"audit(1.0:9): avc:  denied  { read write }" ABOUT,
		"audit(1.0:9): avc:  granted  { link }" ABOUT,
		"audit(1.0:10): avc:  denied  { link }" ABOUT,
		"audit(1.0:9): avc:  denied  { link } for  pid=8 ino=5 tcontext=u:r:a_t tclass=file",
		"audit(1.0:9): avc:  denied  { link } for  pid=7 ino=6 tcontext=u:r:a_t tclass=file",
		"audit(1.0:9): avc:  denied  { link } for  pid=7 ino=5 tcontext=u:r:b_t tclass=file",
	};

	(void)state;
	assert_true(is_link_behind(asked, "audit(1.0:9): avc:  denied  { link }" ABOUT));
	assert_true(is_link_behind("audit(1.0:8): avc:  denied  { write }" ABOUT,
				   "audit(1.0:8): avc:  denied  { link }" ABOUT));
	for (size_t i = 0; i < PCL_ARRAY_SIZE(others); i++)
		assert_false(is_link_behind(asked, others[i]));
	assert_false(is_link_behind("audit(1.0:8): avc:  denied  { read open }" ABOUT,
				    "audit(1.0:9): avc:  denied  { link }" ABOUT));
#undef ABOUT
}

static void other_records_are_none(void **state)
{
	static const char *const others[] = {
		"audit(1.0:1): apparmor=\"DENIED\" operation=\"open\" profile=\"p\"",
		"audit(1.0:1): auid=0 ses=1 op=login",
		"audit(1.0:1): avc:  denied  no braces",
		"audit(1.0:1): avc:  netlabel { read } for  tcontext=a:b:c tclass=file",
		"audit(1.0:1): avc:  denied  { read } for  pid=1",
		"avc:  denied  { read } for  tcontext=a:b:c tclass=file",
		"",
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(others); i++) {
		AVC avc = {0};

		assert_int_equal(pcl_selinux_avc_parse(others[i], &avc), -ENOMSG);
	}
}

static void a_type_is_replaced_in_its_context(void **state)
{
	pcl_autofree char *ranged = pcl_selinux_with_type("u:r:old_t:s0-s0:c0.c1023", "new_t");
	pcl_autofree char *plain = pcl_selinux_with_type("u:r:old_t", "new_t");
	size_t len = 0;

	(void)state;
	assert_string_equal(ranged, "u:r:new_t:s0-s0:c0.c1023");
	assert_string_equal(plain, "u:r:new_t");
	assert_null(pcl_selinux_type_in("unlabeled", &len));
	assert_null(pcl_selinux_type_in("u:r", &len));
	assert_null(pcl_selinux_type_in("u:r:", &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_as_it_was_written),
		cmocka_unit_test(a_record_that_is_not_whole_is_none),
		cmocka_unit_test(records_are_kept_in_files),
		cmocka_unit_test(reads_a_refused_read),
		cmocka_unit_test(reads_what_was_permitted),
		cmocka_unit_test(reads_a_capability_and_a_load),
		cmocka_unit_test(a_link_is_asked_for_twice),
		cmocka_unit_test(other_records_are_none),
		cmocka_unit_test(a_type_is_replaced_in_its_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
