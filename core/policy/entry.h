/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry of a policy's list on its way to become rules; for the reader only. read_rule.c finds
 * the entries, read_entry.c reads those of each list.
 */
#ifndef PCL_POLICY_ENTRY_H
#define PCL_POLICY_ENTRY_H

#include "policy/reader.h"

struct pcl_list;

struct pcl_entry {
	struct pcl_reader *reader;
	struct pcl_policy *policy; /* gets the rules */
	const struct pcl_list *list;
	const struct pcl_yaml_node *node;
	const char *context; /* "process.matchPaths[0]": also the end of the ids */
	struct pcl_attributes attributes;
	bool suspect; /* has unknown words: what is missing is told by them */
};

/* One list of a section: how its entries name their object, and the words they may use. */
struct pcl_list {
	const char *section;
	const char *key; /* NULL: the section is the list */
	enum pcl_class class;
	const char *example; /* an item, for messages */
	/* Adds the entry's rules to its policy. */
	int (*read)(struct pcl_entry *entry);
	const char *const *words;
};

/*
 * A rule with all but its matcher, which the caller fills before pcl_entry_add_rule(). object is
 * copied.
 */
int pcl_entry_new_rule(struct pcl_entry *entry, enum pcl_match match, const char *object,
		       struct pcl_rule **ret_rule);
/* Takes rule. part is the word of a comma list, or NULL. */
int pcl_entry_add_rule(struct pcl_entry *entry, struct pcl_rule *rule, const char *part);

int pcl_entry_read_path(struct pcl_entry *entry);
int pcl_entry_read_dir(struct pcl_entry *entry);
int pcl_entry_read_pattern(struct pcl_entry *entry);
int pcl_entry_read_protocol(struct pcl_entry *entry);
int pcl_entry_read_domain(struct pcl_entry *entry);
int pcl_entry_read_capability(struct pcl_entry *entry);
int pcl_entry_read_syscall(struct pcl_entry *entry);
int pcl_entry_read_syscall_path(struct pcl_entry *entry);
int pcl_entry_read_device(struct pcl_entry *entry);
int pcl_entry_read_preset(struct pcl_entry *entry);

#endif
