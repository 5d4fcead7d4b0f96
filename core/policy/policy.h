/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy model: what a KubeArmor policy says, free of YAML and free of any LSM.
 *
 * Everything meets in these types: the reader fills them, resolve turns many policies into one
 * ruleset per domain, decide answers from a ruleset, a backend compiles it. Precedence is not
 * decided here (see resolve.h and decide.h), and never in a backend.
 */
#ifndef PCL_POLICY_POLICY_H
#define PCL_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/yaml.h"

enum pcl_class {
	PCL_CLASS_PROCESS, /* execute */
	PCL_CLASS_FILE,	   /* open, create, write, truncate, unlink, rename, ... */
};
#define PCL_CLASS_COUNT 2

enum pcl_action {
	PCL_ACTION_ALLOW,
	PCL_ACTION_AUDIT,
	PCL_ACTION_BLOCK,
};
#define PCL_ACTION_COUNT 3

enum pcl_match {
	PCL_MATCH_PATH,		 /* the object itself */
	PCL_MATCH_DIR,		 /* the directory itself and its direct children */
	PCL_MATCH_DIR_RECURSIVE, /* the directory itself and everything below it */
};
#define PCL_MATCH_COUNT 3

enum pcl_kind {
	PCL_KIND_CONTAINER, /* KubeArmorPolicy */
	PCL_KIND_HOST,	    /* KubeArmorHostPolicy */
};
#define PCL_KIND_COUNT 2

/* Rule flags. */
#define PCL_RULE_READ_ONLY                                                                         \
	(1u << 0) /* reading is Allowed, changing is Blocked, for Allow and Block alike */
#define PCL_RULE_OWNER_ONLY (1u << 1) /* the owner is Allowed, anyone else Blocked, likewise */

#define PCL_SEVERITY_MIN 1
#define PCL_SEVERITY_MAX 10

struct pcl_label {
	char *key;
	char *value;
};

struct pcl_rule {
	/*
	 * Stable on any machine: derived from the policy's kind, namespace and name and the rule's
	 * place in it, e.g. "multiubuntu/ksp-ubuntu-4-block-file#file.matchPaths[0]"; host policies
	 * have no namespace part. Unique within a policy set.
	 */
	char *id;
	enum pcl_class class;
	enum pcl_match match;
	enum pcl_action action; /* after inheritance entry > section > spec; absent means Block */
	unsigned flags;		/* PCL_RULE_* */
	/* Normalised absolute path: no doubled slashes, no "." or "..", no slash at the end ("/"
	 * itself excepted); match tells whether it is a directory rule. */
	char *object;
	/* fromSource paths, normalised as object, sorted, without duplicates; count 0: any source.
	 */
	char **sources;
	size_t source_count;
	int severity; /* after inheritance; 0 where the policy says nothing */
	char **tags;
	size_t tag_count;
	char *message;		/* after inheritance; NULL where the policy says nothing */
	struct pcl_place place; /* of the entry in the policy's file */
	const struct pcl_policy *policy;
};

struct pcl_policy {
	enum pcl_kind kind;
	char *name;
	char *ns; /* namespace; NULL for host policies; "default" where metadata says nothing */
	char *file;
	struct pcl_place place;
	struct pcl_label
		*selector; /* matchLabels (nodeSelector's for host policies), all must match */
	size_t selector_count;
	struct pcl_rule **rules;
	size_t rule_count;
};

/* Policies in the order of reading, which no decision depends on. Owns them. */
struct pcl_policy_set {
	struct pcl_policy **policies;
	size_t policy_count;
	/* "FILE:LINE:COLUMN: ..." lines that are no errors: skipped kinds, surprises. */
	char **notices;
	size_t notice_count;
};

int pcl_policy_set_new(struct pcl_policy_set **ret_set);
void pcl_policy_set_free(struct pcl_policy_set **set);

/*
 * Adds the policies of one file (several documents allowed; "-" is standard input; a directory is
 * read for *.yaml and *.yml, sorted by name). All or nothing: on error the set is as before and
 * diag has FILE:LINE:COLUMN, what, how to mend it.
 * -EINVAL for what the language does not have, -EOPNOTSUPP for what it has and this version does
 * not enforce (named), -EEXIST for a second policy of the same kind, namespace and name.
 */
int pcl_policy_set_read(struct pcl_policy_set *set, const char *path, struct pcl_diag *diag);

/* The same from memory, e.g. from the engine's own saved state. */
int pcl_policy_set_read_memory(struct pcl_policy_set *set, const char *name, const char *data,
			       size_t data_len, struct pcl_diag *diag);

const char *pcl_class_name(enum pcl_class class);    /* "process", "file" */
const char *pcl_action_name(enum pcl_action action); /* "Allow", "Audit", "Block" */
const char *pcl_match_name(enum pcl_match match);    /* "path", "dir", "dir-recursive" */
const char *pcl_kind_name(enum pcl_kind kind);	     /* "KubeArmorPolicy", ... */

#endif
