/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel has what arguments are read by, from its list of symbols.
 */
#include <string.h>

#include "backend/bpf_lsm_memory.h"
#include "base/cleanup.h"
#include "support.h"

static struct pcl_bpf_memory parse(const char *text)
{
	pcl_autofclose FILE *file = fmemopen((void *)text, strlen(text), "r");
	struct pcl_bpf_memory memory;

	assert_non_null(file);
	pcl_bpf_memory_parse(file, &memory);
	return memory;
}

static void variables_are_found_among_others(void **state)
{
	struct pcl_bpf_memory memory = parse("0000000000000000 A fixed_percpu_data\n"
					     "ffffffff82a1b2c8 D page_offset_base\n"
					     "ffffffff82a1b2d0 D page_offset_base_not\n"
					     "ffffffff82e00010 d pgdir_shift\n"
					     "ffffffff82a1b2e0 D physical_mask\n");

	(void)state;
	assert_true(memory.page_offset_base_at == 0xffffffff82a1b2c8u);
	assert_true(memory.pgdir_shift_at == 0xffffffff82e00010u);
	assert_true(memory.physical_mask_at == 0xffffffff82a1b2e0u);
}

static void what_is_not_told_is_not_there(void **state)
{
	struct pcl_bpf_memory memory = parse("0000000000000000 D page_offset_base\n");

	(void)state;
	assert_true(memory.page_offset_base_at == 0);
	assert_true(memory.pgdir_shift_at == 0);
}

/* A module may call something of its own by the same name. */
static void modules_do_not_count(void **state)
{
	struct pcl_bpf_memory memory = parse("ffffffffc0001000 d page_offset_base\t[rogue]\n");

	(void)state;
	assert_true(memory.page_offset_base_at == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_found_among_others),
		cmocka_unit_test(what_is_not_told_is_not_there),
		cmocka_unit_test(modules_do_not_count),
	};

	return cmocka_run_group_tests_name("bpf_lsm-memory", tests, NULL, NULL);
}
