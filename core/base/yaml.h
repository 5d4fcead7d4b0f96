/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML document as a tree that keeps places, for policies, cases and manifests alike.
 *
 * Built on libyaml's event parser. Guarantees bounded work: input size, node count, nesting depth
 * and aliases (refused outright) are limited before memory is spent. Knows nothing of policies.
 */
#ifndef PCL_BASE_YAML_H
#define PCL_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"

enum pcl_yaml_type {
	PCL_YAML_SCALAR,
	PCL_YAML_SEQUENCE,
	PCL_YAML_MAPPING,
};

/* A place in a file; line and column count from 1 and point at the first character. */
struct pcl_place {
	uint32_t line;
	uint32_t column;
};

struct pcl_yaml_node {
	enum pcl_yaml_type type;
	struct pcl_place place;
	/* Scalar: bytes of the value, NUL-terminated; a NUL inside the value is refused. */
	char *text;
	size_t text_len;
	bool quoted; /* '...' or "..." or a block: `"true"` is a string, `true` a boolean */
	/* Sequence and mapping: count children. Mapping: keys[i] (scalars only) belongs to
	 * items[i]. */
	struct pcl_yaml_node **items;
	struct pcl_yaml_node **keys;
	size_t count;
};

struct pcl_yaml_file {
	char *name; /* as given by the user; "-" is standard input */
	/* One root per document; an empty document is left out. */
	struct pcl_yaml_node **documents;
	size_t document_count;
	struct pcl_arena arena; /* all that the roots lead to, and their array */
};

/*
 * Reads a whole file ("-" reads standard input). On error ret_file is untouched and diag says
 * FILE:LINE:COLUMN: what, and how to mend it. -EINVAL bad YAML (also a duplicate key, an alias,
 * an anchor, a non-scalar key), -E2BIG over a limit, else the errno of open or read.
 */
int pcl_yaml_load(const char *path, struct pcl_yaml_file **ret_file, struct pcl_diag *diag);

/* The same from memory; name stands in for the file's name in places. */
int pcl_yaml_load_memory(const char *name, const char *data, size_t data_len,
			 struct pcl_yaml_file **ret_file, struct pcl_diag *diag);

void pcl_yaml_free(struct pcl_yaml_file **file);

/* The value under key in a mapping, or NULL. Borrowed. */
const struct pcl_yaml_node *pcl_yaml_get(const struct pcl_yaml_node *mapping, const char *key);

/* Typed reads; on a mismatch -EINVAL and diag names file, line, column, what was expected. */
int pcl_yaml_string(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		    const char **ret_text, struct pcl_diag *diag);
int pcl_yaml_bool(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		  bool *ret_value, struct pcl_diag *diag);
int pcl_yaml_int(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node, int64_t min,
		 int64_t max, int64_t *ret_value, struct pcl_diag *diag);

/* Says "FILE:LINE:COLUMN: " and the formatted text; returns error. */
int pcl_yaml_error(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		   struct pcl_diag *diag, int error, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Refuses any key of mapping that is not in known (NULL-terminated), naming the nearest known
 * word where one is near. context is how a user calls the mapping ("policy.spec.file").
 */
int pcl_yaml_only_keys(const struct pcl_yaml_file *file, const struct pcl_yaml_node *mapping,
		       const char *const *known, const char *context, struct pcl_diag *diag);

/* The nearest of known (NULL-terminated) to word within a small edit distance, or NULL. Borrowed.
 */
const char *pcl_nearest_word(const char *word, const char *const *known);

#endif
