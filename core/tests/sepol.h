/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux policies for tests: compiled from CIL, and asked by libsepol as the kernel would be. One
 * at a time is asked, for libsepol has one place for it.
 */
#ifndef PCL_TESTS_SEPOL_H
#define PCL_TESTS_SEPOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fails the test where text does not compile. Owned by the caller. */
void test_sepol_compile(const char *text, void **ret_policy, size_t *ret_size);
/* The same with version as the policy's. */
void test_sepol_compile_for(const char *text, int version, void **ret_policy, size_t *ret_size);

/* What is asked from here on. policy may be freed. Fails the test where it is none. */
void test_sepol_ask(const void *policy, size_t size);
void test_sepol_end(void);

struct test_sepol_answer {
	uint32_t allowed;
	uint32_t audited;  /* of what is allowed */
	uint32_t silenced; /* of what is not */
};

/* Contexts are whole. Fails the test where one is not valid. */
void test_sepol_access(const char *source, const char *target, const char *class_name,
		       struct test_sepol_answer *ret_answer);
bool test_sepol_allows(const char *source, const char *target, const char *class_name,
		       const char *permission);
bool test_sepol_silences(const char *source, const char *target, const char *class_name,
			 const char *permission);
bool test_sepol_is_valid(const char *context);
/* The context of what source makes of, or executes as, target. Owned by the caller. */
char *test_sepol_transition(const char *source, const char *target, const char *class_name);
/* Whether a change of a file's context passes the validatetrans rules. */
bool test_sepol_may_relabel(const char *before, const char *after, const char *who,
			    const char *class_name);
uint32_t test_sepol_bit(const char *class_name, const char *permission);

/* The type of what source makes below target of that name; NULL: by no rule of names. Borrowed. */
const char *test_sepol_named(const char *source, const char *target, const char *class_name,
			     const char *name);
/* How many rules of extended permissions there are of source on target. */
unsigned test_sepol_extended(const char *source, const char *target);
/*
 * Whether extended permissions let a command pass that is asked for by ioctl, given that ioctl is
 * permitted: where some rule speaks of a pair, those that are named do alone.
 */
bool test_sepol_passes(const char *source, const char *target, const char *class_name,
		       uint16_t command);
/* Conditional rules are asked by how booleans are. Fails the test where there is none. */
void test_sepol_switch(const char *boolean, bool on);
bool test_sepol_is_permissive(const char *type);
/* false also where libsepol does not know this. */
bool test_sepol_is_never_audited(const char *type);
/* One of the policy itself. */
bool test_sepol_has_capability(const char *name);
/* The whole policy, in an order of its own. Owned by the caller. */
char *test_sepol_text(void);
const char *test_sepol_bound(const char *type);

#endif
