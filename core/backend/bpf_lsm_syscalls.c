/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table is made by the Makefile from the headers of the system.
 */
#include "backend/bpf_lsm_syscalls.h"

#include <asm/unistd.h>
#include <assert.h>
#include <string.h>

#include "../../bpf/abi.h"
#include "base/cleanup.h"

static const struct {
	const char *name;
	uint32_t number;
} calls[] = {
#include "syscall_numbers.h"
};

size_t pcl_bpf_syscall_numbers(const char *name, uint32_t ret_numbers[PCL_SYSCALL_NUMBERS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].name, name) != 0)
			continue;
		assert(count < PCL_SYSCALL_NUMBERS_MAX);
		ret_numbers[count++] = calls[i].number;
	}
	return count;
}

const char *pcl_bpf_syscall_name(uint32_t number)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(calls); i++)
		if (calls[i].number == number)
			return calls[i].name;
	return NULL;
}
