/* SPDX-License-Identifier: Apache-2.0 */
/* Where a reader of the audit stream goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/audit_stream.h"

/* A reading of records with these serials, up to a 0: how many were new. */
static int read_on(struct pcl_audit_place *place, const uint64_t *serials)
{
	struct pcl_audit_place at = {0};
	int passed = 0;

	for (; *serials; serials++)
		passed += pcl_audit_place_pass(place, &at, *serials);
	return passed;
}

static void a_record_is_told_once(void **state)
{
	struct pcl_audit_place place = {0};

	(void)state;
	assert_int_equal(read_on(&place, (const uint64_t[]){3, 4, 7, 0}), 3);
	assert_int_equal(read_on(&place, (const uint64_t[]){3, 4, 7, 0}), 0);
	assert_int_equal(read_on(&place, (const uint64_t[]){4, 7, 8, 0}), 1);
}

static void records_of_one_call_are_all_told(void **state)
{
	struct pcl_audit_place place = {0};

	(void)state;
	assert_int_equal(read_on(&place, (const uint64_t[]){3, 3, 0}), 2);
	assert_int_equal(read_on(&place, (const uint64_t[]){3, 3, 3, 4, 4, 0}), 3);
	assert_int_equal(read_on(&place, (const uint64_t[]){3, 3, 3, 4, 4, 0}), 0);
	assert_int_equal(read_on(&place, (const uint64_t[]){4, 4, 5, 0}), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_told_once),
		cmocka_unit_test(records_of_one_call_are_all_told),
	};

	return cmocka_run_group_tests_name("audit-stream", tests, NULL, NULL);
}
