/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the unit tests share: reading policies from text, and looking into a set.
 */
#ifndef PCL_TESTS_SUPPORT_H
#define PCL_TESTS_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "policy/policy.h"

/* Fails the test with the explanation when text is not a good policy file. Owned by the caller. */
struct pcl_policy_set *test_read(const char *text);
/* Expects error and, in the explanation, every one of the texts that follow (NULL ends). */
void test_read_fails(const char *text, int error, ...) __attribute__((sentinel));
/* Fails the test unless text holds part. */
void test_contains(const char *text, const char *part);

/* A policy file's text from its parts; spec is indented by two spaces. Owned by the caller. */
char *test_policy_text(const char *kind, const char *name, const char *spec);
#define TEST_CONTAINER "KubeArmorPolicy"
#define TEST_HOST "KubeArmorHostPolicy"

/* In the order that backends number rules in. */
void test_sort_rules(const struct pcl_rule **rules, size_t count);

#endif
