/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's and USB's words: capabilities, system calls, sockets, device classes.
 */
#ifndef PCL_POLICY_NAMES_H
#define PCL_POLICY_NAMES_H

#include "policy/decide.h"

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

/* "inet", "unix", ...; NULL-terminated. */
extern const char *const pcl_family_names[];
/* AF_* and back; -1 or NULL for none. */
int pcl_family_number(const char *name);
const char *pcl_family_name(int number);

/* "stream", "dgram", ...; NULL-terminated. */
extern const char *const pcl_socket_type_names[];
/* SOCK_* and back; -1 or NULL for none. */
int pcl_socket_type_number(const char *name);
const char *pcl_socket_type_name(int number);

/* A socket that is of the protocol, and of as few others as can be. */
const struct pcl_socket *pcl_protocol_example(enum pcl_protocol protocol);

#endif
