/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of sockets: what a network rule can tell apart. Two sockets are of one kind when every
 * word of the language takes both or neither. Made by asking the model, so that the kernel, which
 * gets the result as tables, has no second opinion. Private to the backend; pure.
 */
#ifndef PCL_BACKEND_BPF_LSM_KINDS_H
#define PCL_BACKEND_BPF_LSM_KINDS_H

#include "../../bpf/abi.h"
#include "policy/decide.h"

/* Far more than the language tells apart; an assertion says so when it grows. */
#define PCL_SOCKET_KINDS_MAX 128u

struct pcl_socket_kinds {
	struct pcl_bpf_kinds tables;
	struct pcl_socket examples[PCL_SOCKET_KINDS_MAX]; /* one socket of each kind */
	unsigned count;
};

void pcl_socket_kinds_init(struct pcl_socket_kinds *kinds);

/* What bpf/network.h computes. */
unsigned pcl_socket_kind_of(const struct pcl_bpf_kinds *tables, const struct pcl_socket *socket);

#endif
