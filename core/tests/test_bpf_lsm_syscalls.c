/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and numbers of system calls.
 */
#include <string.h>
#include <sys/syscall.h>

#include "../../bpf/abi.h"
#include "backend/bpf_lsm_syscalls.h"
#include "policy/names.h"
#include "support.h"

static void a_call_has_the_number_by_which_it_is_made(void **state)
{
	uint32_t numbers[PCL_SYSCALL_NUMBERS_MAX];

	(void)state;
	assert_true(pcl_bpf_syscall_numbers("read", numbers) >= 1);
	assert_int_equal(numbers[0], SYS_read);
	assert_true(pcl_bpf_syscall_numbers("unlinkat", numbers) >= 1);
	assert_int_equal(numbers[0], SYS_unlinkat);
	assert_int_equal(pcl_bpf_syscall_numbers("unheard_of", numbers), 0);
	assert_int_equal(pcl_bpf_syscall_numbers("", numbers), 0);
}

static void a_number_leads_back_to_its_name(void **state)
{
	size_t known = 0;

	(void)state;
	for (size_t i = 0; pcl_syscall_names[i]; i++) {
		uint32_t numbers[PCL_SYSCALL_NUMBERS_MAX];
		size_t count = pcl_bpf_syscall_numbers(pcl_syscall_names[i], numbers);

		known += count > 0;
		for (size_t n = 0; n < count; n++)
			assert_string_equal(pcl_bpf_syscall_name(numbers[n]), pcl_syscall_names[i]);
	}
	assert_true(known > 250);
	assert_null(pcl_bpf_syscall_name(0x3fffffff));
}

#ifdef __x86_64__
static void each_kind_of_program_has_numbers_of_its_own(void **state)
{
	uint32_t numbers[PCL_SYSCALL_NUMBERS_MAX];

	(void)state;
	assert_int_equal(pcl_bpf_syscall_numbers("unlink", numbers), 3);
	assert_int_equal(numbers[0], 87);
	assert_int_equal(numbers[1], PCL_SYSCALL_COMPAT | 10);
	assert_int_equal(numbers[2], 0x40000000 | 87);
	/* 32-bit programs alone have it. */
	assert_int_equal(pcl_bpf_syscall_numbers("waitpid", numbers), 1);
	assert_int_equal(numbers[0], PCL_SYSCALL_COMPAT | 7);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_has_the_number_by_which_it_is_made),
		cmocka_unit_test(a_number_leads_back_to_its_name),
#ifdef __x86_64__
		cmocka_unit_test(each_kind_of_program_has_numbers_of_its_own),
#endif
	};

	return cmocka_run_group_tests_name("bpf_lsm-syscalls", tests, NULL, NULL);
}
