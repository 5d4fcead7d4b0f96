/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the policy reader share; for core/policy only.
 *
 * read.c finds policies in files, read_policy.c reads a policy's head and selectors, read_rule.c
 * turns the sections' entries into rules, read_value.c reads what entries are made of, names.c
 * knows the words for capabilities, system calls and device classes.
 *
 * A function that returns an error has said it in reader->diag. pcl_reader_catch() keeps it and
 * lets the reading go on, so that one run finds several mistakes.
 */
#ifndef PCL_POLICY_READER_H
#define PCL_POLICY_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/yaml.h"
#include "policy/policy.h"

struct pcl_reader {
	const struct pcl_yaml_file *file;
	struct pcl_policy_set *set; /* policies and notices go here */
	struct pcl_diag *diag;
	struct pcl_problems *problems; /* what was caught */
	/* The document has unknown words; one of them is likely what seems to be missing. */
	bool suspect;
};

/* What an entry inherits: set where its pointer is not NULL or its flag is set. */
struct pcl_attributes {
	bool has_action;
	enum pcl_action action;
	int severity;			  /* 0: not said */
	const struct pcl_yaml_node *tags; /* NULL: not said; a sequence of texts, checked */
	const char *message;		  /* NULL: not said; borrowed from the tree */
};

void pcl_rule_free(struct pcl_rule **rule);
void pcl_policy_free(struct pcl_policy **policy);

/* --- problems (problems.c) --- */

/* Adds what diag says, and empties it. 0 or -ENOMEM. */
int pcl_problems_add(struct pcl_problems *problems, struct pcl_diag *diag);
/* Those from the given one on, which are of one file, by their places. */
void pcl_problems_sort(struct pcl_problems *problems, size_t from);
/* Keeps error among the problems and returns 0; returns -ENOMEM itself. 0 stays 0. */
int pcl_reader_catch(struct pcl_reader *reader, int error);
/* "FILE:LINE:COLUMN: WHAT; HINT", a new string or NULL. */
char *pcl_problem_text(const struct pcl_problem *problem);

/* --- values (read_value.c) --- */

int pcl_reader_no_memory(struct pcl_reader *reader);

/* Adds "FILE:LINE:COLUMN: text" to the set's notices. 0, or -ENOMEM with diag. */
int pcl_reader_notice(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The child under key, or NULL where it is missing or null. Borrowed. */
const struct pcl_yaml_node *pcl_reader_get(const struct pcl_yaml_node *mapping, const char *key);

/*
 * -EINVAL where mapping is none; a key that is not in words (NULL-terminated) becomes a problem.
 * context is how a user calls the mapping.
 */
int pcl_reader_words(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
		     const char *const *words, const char *context);

/* -EINVAL where node is no list; what its items should be. */
int pcl_reader_list(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		    const char *context, const char *items);

/*
 * Reads action, severity, tags and message of mapping over what *attributes has from above.
 * Mistakes become problems.
 */
int pcl_reader_attributes(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			  struct pcl_attributes *attributes);

/* mapping's boolean under key; false where it is missing. */
int pcl_reader_flag(struct pcl_reader *reader, const struct pcl_yaml_node *mapping, const char *key,
		    bool *ret_value);

enum pcl_path_kind {
	PCL_PATH_FILE,		/* no slash at the end */
	PCL_PATH_DIRECTORY,	/* a slash at the end; a missing one is noticed */
	PCL_PATH_ANY_DIRECTORY, /* with or without */
};

/* A path in its one spelling; complaints name field. */
int pcl_reader_path(struct pcl_reader *reader, const struct pcl_yaml_node *node, const char *field,
		    enum pcl_path_kind kind, char **ret_path);

/* A list of texts, sorted and without duplicates. */
int pcl_reader_texts(struct pcl_reader *reader, const struct pcl_yaml_node *list,
		     const char *context, char ***ret_texts, size_t *ret_count);

/* fromSource of entry into rule; directories: those of system calls may be directories. */
int pcl_reader_sources(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
		       bool directories, struct pcl_rule *rule);

/* -EINVAL for a word that is none of known, naming the nearest; what says what the word is. */
int pcl_reader_unknown(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		       const char *what, const char *word, const char *const *known);

void pcl_texts_sort(char **texts, size_t *count);

/* --- rules (read_rule.c) --- */

/* Reads all sections of spec into policy's rules. Mistakes in entries become problems. */
int pcl_reader_sections(struct pcl_reader *reader, struct pcl_policy *policy,
			const struct pcl_yaml_node *spec, const struct pcl_attributes *attributes);

/* --- policies (read_policy.c) --- */

/* Reads a document of the kind into the set; mistakes become problems. */
int pcl_reader_policy(struct pcl_reader *reader, enum pcl_kind kind,
		      const struct pcl_yaml_node *document);

#endif
