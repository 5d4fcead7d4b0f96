/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the policy reader share; for core/policy only.
 *
 * read.c finds policies in documents, read_rule.c turns a section's entries into rules . The words
 * of the language stand in word lists that also name what KubeArmor has and this version does not
 * enforce, so that such a word is refused by name and a misspelt one gets the right suggestion.
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
};

/* The first enforced_count words are enforced; the rest belong to KubeArmor's language only. */
struct pcl_words {
	const char *const *words; /* NULL-terminated */
	size_t enforced_count;
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

/*
 * -EINVAL for a key of mapping that is in no list, -EOPNOTSUPP for one past enforced_count that
 * says something (an empty value, or ownerOnly: false, says nothing).
 */
int pcl_reader_check_words(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			   const struct pcl_words *words, const char *context);

/* Adds "FILE:LINE:COLUMN: text" to the set's notices. 0 or -ENOMEM. */
int pcl_reader_notice(struct pcl_reader *reader, const struct pcl_yaml_node *node,
		      const char *format, ...) __attribute__((format(printf, 3, 4)));

int pcl_reader_no_memory(struct pcl_reader *reader);

/* The child under key, or NULL where it is missing or null. Borrowed. */
const struct pcl_yaml_node *pcl_reader_get(const struct pcl_yaml_node *mapping, const char *key);

/* Reads action, severity, tags and message of mapping over what *attributes has from above. */
int pcl_reader_attributes(struct pcl_reader *reader, const struct pcl_yaml_node *mapping,
			  struct pcl_attributes *attributes);

/* Reads spec.process or spec.file (section) into policy's rules. */
int pcl_reader_section(struct pcl_reader *reader, struct pcl_policy *policy, enum pcl_class class,
		       const struct pcl_yaml_node *section, const struct pcl_attributes *inherited);

#endif
