/* SPDX-License-Identifier: Apache-2.0 */
/* Whether backends agree: what counts as alike, as named, as a difference, and as compared. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenarios/runner/agree.h"

#define SET "set 7 0badcafe\n"
#define READ "0 11111111 read 13 2 - -\n"

static int add(struct gnt_agree *agree, const char *backend, const char *target, const char *text)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

	return gnt_agree_add(agree, backend, target, text, &diag);
}

/* What BPF-LSM saw on one target, and SELinux on another. */
static struct gnt_agreement agreement_of(const char *by_bpf, const char *by_selinux)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_agree *agree pcl_cleanup(gnt_agree_free) = NULL;
	struct gnt_agreement agreement;

	assert_int_equal(gnt_agree_new(&agree, &diag), 0);
	assert_int_equal(add(agree, "bpf_lsm", "one", by_bpf), 0);
	assert_int_equal(add(agree, "selinux", "two", by_selinux), 0);
	assert_int_equal(gnt_agree_compare(agree, &agreement, &diag), 0);
	return agreement;
}

static void assert_differs(const char *by_bpf, const char *by_selinux, const char *what)
{
	struct gnt_agreement agreement pcl_cleanup(gnt_agreement_fini) =
		agreement_of(by_bpf, by_selinux);

	assert_int_equal(agreement.differences, 1);
	assert_int_equal(agreement.alike, 0);
	assert_int_equal(agreement.told_count, 1);
	assert_non_null(strstr(agreement.told[0].text, what));
	assert_int_equal(agreement.told[0].seed, 7);
	assert_int_equal(agreement.told[0].index, 0);
}

static void alike(void **state)
{
	struct gnt_agreement agreement pcl_cleanup(gnt_agreement_fini) =
		agreement_of(SET READ, "another line\n" SET READ "{\"backend\": 1}\n");

	(void)state;
	assert_int_equal(agreement.operations, 1);
	assert_int_equal(agreement.pairs, 1);
	assert_int_equal(agreement.alike, 1);
	assert_int_equal(agreement.differences, 0);
	assert_int_equal(agreement.told_count, 0);
	assert_int_equal(agreement.backend_count, 2);
	assert_int_equal(agreement.backends[0].compared, 1);
	assert_int_equal(agreement.backends[1].compared, 1);
}

static void each_respect_differs(void **state)
{
	(void)state;
	assert_differs(SET READ, SET "0 11111111 read 1 2 - -\n", "errno differs");
	assert_differs(SET READ, SET "0 11111111 read 13 3 - -\n", "refused by differs");
	assert_differs(SET READ, SET "0 11111111 read 13 2 1 -\n", "told of by differs");
	assert_differs(SET READ, SET "0 11111112 read 13 2 - ert\n", "what was done differs");
	assert_differs(SET READ, "set 7 0badcaff\n" READ, "what was done differs");
}

static void a_name_excuses_its_own_respect_alone(void **state)
{
	struct gnt_agreement agreement pcl_cleanup(gnt_agreement_fini) =
		agreement_of(SET READ, SET "0 11111111 read = - - er\n");

	(void)state;
	assert_int_equal(agreement.differences, 0);
	assert_int_equal(agreement.alike, 0);
	assert_int_equal(agreement.backends[0].named_count, 0);
	assert_int_equal(agreement.backends[1].named_count, 1);
	assert_string_equal(agreement.backends[1].named[0].word, "read");
	assert_int_equal(agreement.backends[1].named[0].pairs, 1);
	assert_differs(SET READ, SET "0 11111111 read = - 1 er\n", "told of by differs");
	assert_differs(SET "0 11111111 read = - 1 er\n", SET READ, "told of by differs");
	assert_differs(SET READ, SET "0 11111111 read = - - rt\n", "errno differs");
}

static void one_difference_of_each_operation_is_told(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_agree *agree pcl_cleanup(gnt_agree_free) = NULL;
	struct gnt_agreement agreement pcl_cleanup(gnt_agreement_fini) = {0};

	(void)state;
	assert_int_equal(gnt_agree_new(&agree, &diag), 0);
	assert_int_equal(add(agree, "bpf_lsm", "one", SET READ "9 2 read = - - -\n"), 0);
	assert_int_equal(add(agree, "apparmor", "one", SET "9 2 read 13 1 - -\n" READ), 0);
	assert_int_equal(add(agree, "selinux", "two", SET "9 2 read 1 1 - -\n" READ), 0);
	assert_int_equal(gnt_agree_compare(agree, &agreement, &diag), 0);
	assert_int_equal(agreement.differences, 3);
	assert_int_equal(agreement.alike, 3);
	assert_int_equal(agreement.told_count, 1);
	assert_int_equal(agreement.told[0].index, 9);
}

/* What only one did, or one backend twice, is not compared; but it must do the same twice. */
static void who_is_compared(void **state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_agree *agree pcl_cleanup(gnt_agree_free) = NULL;
	struct gnt_agreement agreement pcl_cleanup(gnt_agreement_fini) = {0};

	(void)state;
	assert_int_equal(gnt_agree_new(&agree, &diag), 0);
	assert_int_equal(add(agree, "bpf_lsm", "one", SET READ "1 22222222 read = - - -\n"), 0);
	assert_int_equal(add(agree, "apparmor", "one", SET READ "2 33333333 read = - - -\n"), 0);
	assert_int_equal(add(agree, "bpf_lsm", "two", SET READ "1 22222222 read = - 4 -\n"), 0);
	assert_int_equal(add(agree, "selinux", "two", SET READ), 0);
	assert_int_equal(gnt_agree_compare(agree, &agreement, &diag), 0);
	assert_int_equal(agreement.operations, 1);
	assert_int_equal(agreement.by_three, 1);
	assert_int_equal(agreement.pairs, 7);
	assert_int_equal(agreement.alike, 6);
	assert_int_equal(agreement.differences, 1);
	assert_int_equal(agreement.backend_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(agreement.backends[i].compared, 1);
}

static void broken_lines_are_refused(void **state)
{
	static const char *const broken[] = {
		READ, /* of no set */
		SET "0 11111111 read 13 2 -\n",
		SET "0 11111111 read 13 2 - - more\n",
		SET "0 11111111 read 13 2",
		SET "0 nothing read 13 2 - -\n",
	};
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(broken); i++) {
		struct gnt_agree *agree pcl_cleanup(gnt_agree_free) = NULL;

		assert_int_equal(gnt_agree_new(&agree, &diag), 0);
		assert_int_equal(add(agree, "bpf_lsm", "one", broken[i]), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alike),
		cmocka_unit_test(each_respect_differs),
		cmocka_unit_test(a_name_excuses_its_own_respect_alone),
		cmocka_unit_test(one_difference_of_each_operation_is_told),
		cmocka_unit_test(who_is_compared),
		cmocka_unit_test(broken_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
