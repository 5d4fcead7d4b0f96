/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel has what the programs read by address, from its list of symbols.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/bpf_lsm_symbols.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "support.h"

static uint64_t page_offset_base, pgdir_shift, physical_mask;

static const struct pcl_symbol wanted[] = {
	{"page_offset_base", &page_offset_base},
	{"pgdir_shift", &pgdir_shift},
	{"physical_mask", &physical_mask},
};

static void parse(const char *text)
{
	pcl_autofclose FILE *file = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(file);
	page_offset_base = pgdir_shift = physical_mask = 1;
	pcl_symbols_parse(file, wanted, PCL_ARRAY_SIZE(wanted));
}

static void variables_are_found_among_others(void **state)
{
	(void)state;
	parse("0000000000000000 A fixed_percpu_data\n"
	      "ffffffff82a1b2c0 D not_page_offset_base\n"
	      "ffffffff82a1b2c8 D page_offset_base\n"
	      "ffffffff82a1b2d0 D page_offset_base_not\n"
	      "ffffffff82e00010 d pgdir_shift\n"
	      "ffffffff82a1b2e0 D physical_mask\n");
	assert_true(page_offset_base == 0xffffffff82a1b2c8u);
	assert_true(pgdir_shift == 0xffffffff82e00010u);
	assert_true(physical_mask == 0xffffffff82a1b2e0u);
}

static void what_is_not_told_is_not_there(void **state)
{
	(void)state;
	parse("0000000000000000 D page_offset_base\n");
	assert_true(page_offset_base == 0);
	assert_true(pgdir_shift == 0);
}

/* A module may call something of its own by the same name. */
static void modules_do_not_count(void **state)
{
	(void)state;
	parse("ffffffffc0001000 d page_offset_base\t[rogue]\n");
	assert_true(page_offset_base == 0);
}

/* Wherever the pieces begin in which the list is read. */
static void a_long_list_is_read_to_its_end(void **state)
{
	static const char line[] = "ffffffff81000000 T a_function\n",
			  last[] = "ffffffff82a1b2e0 D physical_mask\n";
	const size_t lines = 10000;

	(void)state;
	for (size_t shift = 0; shift < sizeof(last); shift++) {
		pcl_autofree char *text = calloc(1, shift + lines * sizeof(line) + sizeof(last));
		char *end;

		assert_non_null(text);
		memset(text, 'x', shift);
		end = text + shift;
		for (size_t i = 0; i < lines; i++)
			end = stpcpy(end, line);
		stpcpy(end, last);
		parse(text);
		assert_true(physical_mask == 0xffffffff82a1b2e0u);
		assert_true(page_offset_base == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_found_among_others),
		cmocka_unit_test(what_is_not_told_is_not_there),
		cmocka_unit_test(modules_do_not_count),
		cmocka_unit_test(a_long_list_is_read_to_its_end),
	};

	return cmocka_run_group_tests_name("bpf_lsm-symbols", tests, NULL, NULL);
}
