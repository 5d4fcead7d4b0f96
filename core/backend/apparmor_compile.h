/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of a profile to what the kernel takes, by the system's parser, for what this kernel
 * mediates. Private to the backend.
 *
 * What was compiled once is kept below the state directory under a name that is made of the text,
 * the features and the parser, so the parser is run for what is new only. A cache that cannot be
 * written costs time and is no error.
 */
#ifndef PCL_BACKEND_APPARMOR_COMPILE_H
#define PCL_BACKEND_APPARMOR_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "backend/apparmor_blob.h"
#include "base/diag.h"

struct pcl_apparmor_compiler {
	char *features; /* what profiles are compiled for */
	const char *parser;
	uint64_t key; /* of the parser and the features */
	char **used;  /* names of the cache's files that were asked for */
	size_t used_count;
};

/* Finds the parser. -EOPNOTSUPP where there is none. Takes features, also on error. */
int pcl_apparmor_compiler_init(char *features, struct pcl_apparmor_compiler *ret_compiler,
			       struct pcl_diag *diag);
void pcl_apparmor_compiler_fini(struct pcl_apparmor_compiler *compiler);

/*
 * Adds what text compiles to. name is its profile, hash is of text. -ENOEXEC with the parser's own
 * words where it does not take the text.
 */
int pcl_apparmor_compile(struct pcl_apparmor_compiler *compiler, const char *name, const char *text,
			 uint64_t hash, struct pcl_apparmor_blob *blob, struct pcl_diag *diag);

/* Removes from the cache what was not asked for since init. */
void pcl_apparmor_cache_prune(const struct pcl_apparmor_compiler *compiler);
/* The whole of it. */
void pcl_apparmor_cache_remove(void);

/* A hash that goes on from another. */
uint64_t pcl_apparmor_hash(uint64_t hash, const char *text);

/* "3.0.8" (owned), or NULL where it does not say. */
char *pcl_apparmor_parser_version(const struct pcl_apparmor_compiler *compiler);

#endif
