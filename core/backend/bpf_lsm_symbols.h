/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the kernel's variables, from its list of symbols. Private to the backend.
 */
#ifndef PCL_BACKEND_BPF_LSM_SYMBOLS_H
#define PCL_BACKEND_BPF_LSM_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PCL_SYMBOLS "/proc/kallsyms"

struct pcl_symbol {
	const char *name;
	uint64_t *at;
};

/* What is not in the running kernel's list, or is not told, becomes 0. */
void pcl_symbols_find(const struct pcl_symbol *wanted, size_t count);

/* The same of a list that has the form of PCL_SYMBOLS. */
void pcl_symbols_parse(FILE *list, const struct pcl_symbol *wanted, size_t count);

#endif
