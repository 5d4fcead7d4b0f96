/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's and USB's words: capabilities, system calls, device classes.
 */
#ifndef PCL_POLICY_NAMES_H
#define PCL_POLICY_NAMES_H

/* "chown" is CAP_CHOWN, index by number; NULL-terminated. */
extern const char *const pcl_capability_names[];
/* Sorted; NULL-terminated. */
extern const char *const pcl_syscall_names[];
/* As policies call them; NULL-terminated. */
extern const char *const pcl_device_class_names[];

/* CAP_* for "net_raw", "CAP_NET_RAW"; -1 for none. */
int pcl_capability_number(const char *name);
/* The USB class number of a name, whatever its case; -1 for none. */
int pcl_device_class_number(const char *name);
/* The name of a class number, or NULL. */
const char *pcl_device_class_name(int number);
/* 0 or -EINVAL. Both tables of system calls are the kernel's for x86-64 and arm64 taken together.
 */
int pcl_syscall_check(const char *name);

#endif
