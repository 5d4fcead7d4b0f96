/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that make a plan of the SELinux backend share. Private to them.
 */
#ifndef PCL_BACKEND_SELINUX_MAKER_H
#define PCL_BACKEND_SELINUX_MAKER_H

#include <stdint.h>

#include "backend/selinux_plan.h"
#include "policy/decide.h"

/* What is refused and told of an object; a type's letters, in their order. */
#define PCL_SELINUX_READ (1u << 0)
#define PCL_SELINUX_WRITE (1u << 1)
#define PCL_SELINUX_EXECUTE (1u << 2)  /* by a rule: mapping executable too */
#define PCL_SELINUX_UNLISTED (1u << 3) /* executing, by the posture of a list */
#define PCL_SELINUX_KEEP (1u << 4)     /* it keeps its name */
#define PCL_SELINUX_TELL_READ (1u << 5)
#define PCL_SELINUX_TELL_WRITE (1u << 6)
#define PCL_SELINUX_TELL_EXECUTE (1u << 7)
#define PCL_SELINUX_BIT_COUNT 8
/* A directory's type has those of what is made in it this much higher. */
#define PCL_SELINUX_MADE_SHIFT PCL_SELINUX_BIT_COUNT
/* What is moved or linked there is refused, too. Of directories only; no letter of its own. */
#define PCL_SELINUX_DIR (1u << 16)

#define PCL_SELINUX_REASONS_MAX 12

/* Each multiplies the domains; so many bits a set of them has. */
#define PCL_SELINUX_SOURCES_MAX 16
/* Besides, in such a set: the file has a name that is none of them. */
#define PCL_SELINUX_NO_SOURCE (1u << PCL_SELINUX_SOURCES_MAX)

/* What holds for an object, and why. */
struct pcl_selinux_answer {
	unsigned bits;			      /* for who runs none of the programs below */
	unsigned of[PCL_SELINUX_SOURCES_MAX]; /* for who runs a program, by its index */
	unsigned sources;		      /* those that the object is, by their indexes */
	const struct pcl_rule *rules[PCL_SELINUX_REASONS_MAX]; /* in no order */
	size_t rule_count;
};

/* A program that rules name as their source: one file, perhaps by several of the rules' names. */
struct pcl_selinux_program {
	unsigned sources; /* its names, by their indexes */
	char name[9];	  /* the same whenever its names are */
	char **domains;	  /* what may be running it */
	size_t domain_count;
};

struct pcl_selinux_programs {
	struct pcl_selinux_program items[PCL_SELINUX_SOURCES_MAX];
	size_t count;
};

/* A rule whose path is another's name as well. */
struct pcl_selinux_alias {
	size_t rank; /* in the ruleset */
	const char *name;
};

/* A directory that keeps its name, because of what lies below it. */
struct pcl_selinux_kept {
	char *path;
	const struct pcl_rule *rule;
};

struct pcl_selinux_judge {
	const struct pcl_ruleset *ruleset;
	const char *sources[PCL_SELINUX_SOURCES_MAX]; /* as rules write them, distinct */
	size_t source_count;
	struct pcl_selinux_alias *aliases;
	size_t alias_count;
	struct pcl_selinux_kept *kept; /* sorted by path */
	size_t kept_count;
	const struct pcl_rule **matched; /* room for all the rules of the ruleset */
	size_t *ranks;
	size_t rank_count;
};

/* A type to be made. */
struct pcl_selinux_kind {
	const char *base;
	size_t base_len;
	unsigned bits;
	unsigned of[PCL_SELINUX_SOURCES_MAX];	   /* for who runs a program */
	const struct pcl_selinux_program *program; /* that its files are, or NULL */
	char *name;
	const struct pcl_rule **rules; /* distinct, in no order */
	size_t rule_count;
};

struct pcl_selinux_maker {
	const struct pcl_selinux_view *view;
	struct pcl_selinux_plan *plan;
	struct pcl_selinux_judge judge;
	struct pcl_selinux_programs programs;
	const struct pcl_aliases *aliases;
	struct pcl_selinux_answer *answers; /* of the view's entries */
	struct pcl_selinux_kind *kinds;	    /* sorted by base and bits */
	size_t kind_count;
	struct pcl_diag *diag;
};

/* --- selinux_answers.c -------------------------------------------------------------------------
 */

/* 0 or -ENOMEM. domain is borrowed, and so is its ruleset. */
int pcl_selinux_judge_init(struct pcl_selinux_judge *judge,
			   const struct pcl_backend_domain *domain);
void pcl_selinux_judge_fini(struct pcl_selinux_judge *judge);

/* Of one name; its answer has what it is as a source, and gets the rest. 0 or -ENOMEM. */
int pcl_selinux_judge(struct pcl_selinux_judge *judge, const struct pcl_selinux_programs *programs,
		      const struct pcl_selinux_entry *entry, struct pcl_selinux_answer *answer);
/* Of what no rule is about; a directory's has what is made in it. */
unsigned pcl_selinux_unruled(const struct pcl_selinux_judge *judge, bool directory);
/* What holds for one holds for the other, too. */
void pcl_selinux_answer_join(struct pcl_selinux_answer *answer,
			     const struct pcl_selinux_answer *other);

/* --- selinux_sources.c -------------------------------------------------------------------------
 */

/*
 * The distinct sources of the rules. -EOPNOTSUPP with diag where they are too many. Borrowed from
 * the rules.
 */
int pcl_selinux_find_sources(const struct pcl_ruleset *ruleset,
			     const char *ret_sources[PCL_SELINUX_SOURCES_MAX], size_t *ret_count,
			     struct pcl_diag *diag);
/* Which of them a file of that path is, also by what their names mean besides. */
unsigned pcl_selinux_sources_of(const char *const *sources, size_t count,
				const struct pcl_aliases *aliases, const char *path);
/* Whether a rule with a source is about who runs a program. */
bool pcl_selinux_is_about(const struct pcl_rule *rule, const struct pcl_selinux_judge *judge,
			  const struct pcl_selinux_program *program);
/* The program of these names, made where there is none; NULL where it cannot be told apart. */
struct pcl_selinux_program *pcl_selinux_program_for(const struct pcl_selinux_judge *judge,
						    struct pcl_selinux_programs *programs,
						    unsigned sources);
/* What becomes of who executes a file of type base: domains of the program's. 0 or -ENOMEM. */
int pcl_selinux_add_domains(struct pcl_selinux_program *program,
			    const struct pcl_selinux_view *view, const char *base);
/* Of no use are those that nobody may execute. */
void pcl_selinux_drop_idle(struct pcl_selinux_programs *programs);
/* The program's index; count where it is none. */
size_t pcl_selinux_program_of(const struct pcl_selinux_programs *programs, unsigned sources);
/* What a domain is called that runs a program, or that has run one (NULL). Owned. */
char *pcl_selinux_domain_name(const struct pcl_selinux_program *program, const char *domain);
void pcl_selinux_programs_fini(struct pcl_selinux_programs *programs);
/* Names whatever stands for those that run one of a set of programs. 0 or -ENOMEM. */
int pcl_selinux_name_sources(const struct pcl_selinux_programs *programs, unsigned set,
			     char ***array, size_t *count);

/* --- selinux_numbers.c -------------------------------------------------------------------------
 */

/* Adds what is refused of sockets and capabilities. 0, -ENOMEM, or -EOPNOTSUPP with diag. */
int pcl_selinux_plan_numbers(const struct pcl_selinux_judge *judge,
			     const struct pcl_selinux_programs *programs,
			     const struct pcl_selinux_view *view, struct pcl_selinux_plan *plan,
			     struct pcl_diag *diag);

/* --- selinux_domains.c -------------------------------------------------------------------------
 */

/* Once all kinds are there. 0 or -ENOMEM. */
int pcl_selinux_plan_domains(struct pcl_selinux_maker *maker);

/* --- selinux_plan.c ----------------------------------------------------------------------------
 */

/* The base of a file's type, where it can be labelled. Owned; NULL with 0 where it cannot. */
int pcl_selinux_known_base(const struct pcl_selinux_maker *maker,
			   const struct pcl_selinux_entry *entry, char **ret_base);
/* Takes copies. 0 or -ENOMEM. */
int pcl_selinux_add_clone(struct pcl_selinux_plan *plan, const char *name, const char *base,
			  size_t base_len, const struct pcl_rule *const *rules, size_t rule_count);
/* Takes copies. 0 or -ENOMEM. */
int pcl_selinux_add_refuse(struct pcl_selinux_plan *plan, const char *class_name,
			   const char *const *permissions, size_t permission_count,
			   struct pcl_selinux_reason *reason,
			   struct pcl_selinux_refuse **ret_refuse);
/* Sorted and without duplicates, in an array of its own. 0 or -ENOMEM. */
int pcl_selinux_reason_make(const struct pcl_rule *const *rules, size_t count,
			    struct pcl_selinux_reason *ret_reason);

#endif
