/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of value that a case file is made of, each read strictly: 0, or a negative errno with
 * FILE:LINE:COLUMN in the reader's diag. For case_read.c.
 */
#ifndef GNT_CASE_VALUE_H
#define GNT_CASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/yaml.h"
#include "case.h"

struct gnt_case_reader {
	const struct pcl_yaml_file *file;
	struct pcl_diag *diag;
};

/* Says so; returns -ENOMEM. */
int gnt_case_no_memory(const struct gnt_case_reader *r);
/* what is how a user calls the node. */
int gnt_case_need(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		  enum pcl_yaml_type type, const char *what);
/* Owned. */
int gnt_case_string(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		    char **ret_text);
/* The string under key; a missing key is an error unless optional, and then leaves ret_text. */
int gnt_case_key(const struct gnt_case_reader *r, const struct pcl_yaml_node *mapping,
		 const char *key, bool optional, char **ret_text);
/* An absolute path; owned. */
int gnt_case_path(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		  char **ret_path);
/* A list of strings as a NULL-terminated array; both outputs are valid to free after an error. */
int gnt_case_words(const struct gnt_case_reader *r, const struct pcl_yaml_node *node,
		   const char *what, char ***ret_words, size_t *ret_count);
/* "in: host" or "in: container"; without the key ret_in_container is left. */
int gnt_case_where(const struct gnt_case_reader *r, const struct pcl_yaml_node *mapping,
		   const struct gnt_case *c, bool *ret_in_container);
/* "mode", in octal; without the key ret_mode is left. */
int gnt_case_mode(const struct gnt_case_reader *r, const struct pcl_yaml_node *mapping,
		  int *ret_mode);

#endif
