/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that make a plan of the AppArmor backend share. Private to them.
 */
#ifndef PCL_BACKEND_APPARMOR_MAKER_H
#define PCL_BACKEND_APPARMOR_MAKER_H

#include <stdio.h>

#include "backend/apparmor_plan.h"

/* FNV-1a, 64 bits. */
#define PCL_APPARMOR_HASH_START 0xcbf29ce484222325ull

enum pcl_apparmor_grant {
	PCL_APPARMOR_GRANT_ALL,	   /* what no rule refuses */
	PCL_APPARMOR_GRANT_LISTED, /* what a rule allows */
};

/* How the class at hand is granted. */
struct pcl_apparmor_class {
	enum pcl_apparmor_grant grant;
	bool audited; /* every grant is told of, and the model says which is worth an alert */
	bool told;    /* some grants are, at least */
	bool rest;    /* what no rule allows is granted too, and told of */
};

/* A directory that must stay where it is, because of what lies below it. */
struct pcl_apparmor_guarded {
	char *path;
	const struct pcl_rule *rule;
};

struct pcl_apparmor_glob {
	char *text; /* without its first slash */
	const struct pcl_rule *rule;
};

/* Any file's name. */
#define PCL_APPARMOR_ANY_NAME "\"/{,**}\""

enum pcl_apparmor_form {
	PCL_APPARMOR_FORM_ACCESS,  /* deeds */
	PCL_APPARMOR_FORM_LINK_TO, /* a hard link to it, under whichever name */
	PCL_APPARMOR_FORM_LINK_OF, /* that a hard link gets its name */
	PCL_APPARMOR_FORM_STAY,	   /* that it changes its name */
};

/* What is granted or refused alike. */
struct pcl_apparmor_line {
	const char *verb; /* static, as who is: each is empty or has a blank at its end */
	const char *who;
	enum pcl_apparmor_form form;
	unsigned deeds; /* for FORM_ACCESS */
	struct pcl_apparmor_glob *globs;
	size_t glob_count;
};

/* Globs of files that a list allows to change, without their first slash, and commas between. */
struct pcl_apparmor_listed {
	FILE *out;
	char *globs;
	size_t len;
	size_t count;
};

struct pcl_apparmor_maker {
	const struct pcl_backend_input *input;
	struct pcl_apparmor_plan *plan;
	struct pcl_diag *diag;
	/* The domain at hand. */
	const struct pcl_backend_domain *domain;
	char **sources; /* all names of the programs that its rules name; sorted, distinct */
	size_t source_count;
	/* The profile at hand. */
	const char *source; /* the program that it is of, or NULL */
	struct pcl_apparmor_class classes[PCL_CLASS_COUNT];
	struct pcl_apparmor_guarded *guards;
	size_t guard_count;
	struct pcl_apparmor_listed listed[2]; /* by whether it takes the owner */
	struct pcl_apparmor_line *lines;
	size_t line_count;
	bool globs_failed; /* without memory */
	FILE *out;
	char *text;
	size_t text_len;
	size_t line_start;
	uint64_t hash;
};

static inline bool pcl_apparmor_is_place(const struct pcl_rule *rule)
{
	return rule->match == PCL_MATCH_PATH || rule->match == PCL_MATCH_DIR ||
	       rule->match == PCL_MATCH_DIR_RECURSIVE;
}

/* --- apparmor_lines.c --------------------------------------------------------------------------
 */

uint64_t pcl_apparmor_hash_bytes(uint64_t hash, const char *bytes, size_t len);
/* What is printed between these two counts for the hash; comments do not. A line's end starts the
 * next one. */
void pcl_apparmor_start_line(struct pcl_apparmor_maker *maker);
void pcl_apparmor_end_line(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule);
/* The rule's name, its file and line, in a comment. */
void pcl_apparmor_put_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule);
/* Of the domain at hand; source may be NULL. */
void pcl_apparmor_put_profile_name(const struct pcl_apparmor_maker *maker, const char *source,
				   FILE *out);
/* Whether the rule holds in the profile at hand. */
bool pcl_apparmor_is_active(const struct pcl_apparmor_maker *maker, const struct pcl_rule *rule);
/* Whether the line of a rule that allows is to be told of. */
bool pcl_apparmor_is_told(const struct pcl_apparmor_maker *maker, const struct pcl_rule *rule);

/* --- apparmor_globs.c --------------------------------------------------------------------------
 */

/*
 * A glob, without its first slash, of a rule, for a line like that one, whose own globs are not
 * looked at. Takes glob over; NULL counts as no memory, which put_globs() tells of.
 */
void pcl_apparmor_add_glob(struct pcl_apparmor_maker *maker, const struct pcl_apparmor_line *like,
			   char *glob, const struct pcl_rule *rule);
/* The lines of all that were added. 0 or -ENOMEM. */
int pcl_apparmor_put_globs(struct pcl_apparmor_maker *maker);
void pcl_apparmor_free_globs(struct pcl_apparmor_maker *maker);

/* --- apparmor_paths.c: 0 or -ENOMEM ------------------------------------------------------------
 */

int pcl_apparmor_add_path_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule);
/* Of a line with that verb, bits of DO_* (apparmor_paths.c). */
void pcl_apparmor_put_permissions(const struct pcl_apparmor_maker *maker, unsigned deeds,
				  const char *verb);
/* All that may be done to a path in class. */
void pcl_apparmor_put_class(struct pcl_apparmor_maker *maker, enum pcl_class class);
/* Hard links, whichever their names. */
void pcl_apparmor_put_any_link(struct pcl_apparmor_maker *maker);
/* Before rules are added, and behind them: hard links between what a list allows to change. */
int pcl_apparmor_open_listed(struct pcl_apparmor_maker *maker);
int pcl_apparmor_put_listed(struct pcl_apparmor_maker *maker);
/* What no rule of class allows outright; patterns and conditions are left to the model. */
int pcl_apparmor_put_path_rest(struct pcl_apparmor_maker *maker, enum pcl_class class);
/* Executing a source enters its profile. An exact name goes before every glob. */
int pcl_apparmor_put_sources(struct pcl_apparmor_maker *maker);
/* The directories that rules added so far keep where they are. */
void pcl_apparmor_add_guards(struct pcl_apparmor_maker *maker);
void pcl_apparmor_free_guards(struct pcl_apparmor_maker *maker);

/* --- apparmor_numbers.c: sockets and capabilities ----------------------------------------------
 */

void pcl_apparmor_add_number_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule);
/* Whether a rule of sockets refuses this one because it cannot tell what it carries. */
bool pcl_apparmor_guards_socket(const struct pcl_rule *rule, const struct pcl_socket *socket);
/* What no rule of class allows. */
void pcl_apparmor_put_number_rest(struct pcl_apparmor_maker *maker, enum pcl_class class);

#endif
