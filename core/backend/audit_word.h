/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KEY=VALUE words of which records in the audit stream consist. For backends that have no
 * events of their own.
 */
#ifndef PCL_BACKEND_AUDIT_WORD_H
#define PCL_BACKEND_AUDIT_WORD_H

#include <stdbool.h>
#include <stddef.h>

/* Borrowed from the record; value is not terminated. */
struct pcl_audit_word {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
	bool quoted;
};

/* The next one of *text, which is moved behind it; false where there is none. */
bool pcl_audit_word_next(const char **text, struct pcl_audit_word *ret_word);
bool pcl_audit_word_is_key(const struct pcl_audit_word *word, const char *key);
bool pcl_audit_word_is_value(const struct pcl_audit_word *word, const char *value);
/* What is in digits, as bytes; what is not, as it is (the kernel's own words). NULL: no memory. */
char *pcl_audit_word_text(const struct pcl_audit_word *word);

#endif
