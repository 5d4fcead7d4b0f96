/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which numbers a system call has on the machine that this was built for: one for each kind of
 * program that the machine runs. Private to the backend; pure.
 */
#ifndef PCL_BACKEND_BPF_LSM_SYSCALLS_H
#define PCL_BACKEND_BPF_LSM_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* Native, 32-bit, x32. */
#define PCL_SYSCALL_NUMBERS_MAX 3u

/* How many it has; 0 for a name that the machine's headers do not know. */
size_t pcl_bpf_syscall_numbers(const char *name, uint32_t ret_numbers[PCL_SYSCALL_NUMBERS_MAX]);

/* NULL for a number that no call has. */
const char *pcl_bpf_syscall_name(uint32_t number);

#endif
