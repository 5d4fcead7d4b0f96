/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case: one attack as data, read from cases/AREA/NAME.yaml; its id is AREA/NAME.
 *
 * Reading is strict: an unknown key, a wrong type or a missing field is refused with its place.
 * Nothing here talks to a guest; the meaning of each field is in scenarios/cases/README.md.
 */
#ifndef GNT_CASE_H
#define GNT_CASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "verdict.h"

/* A file operation that prepares the guest. */
enum gnt_step_op {
	GNT_STEP_PUT,	/* text to path */
	GNT_STEP_COPY,	/* path to to, a real copy */
	GNT_STEP_MKDIR, /* path */
	GNT_STEP_RUN,	/* argv, which must exit 0; what it starts may stay */
};
#define GNT_STEP_OP_COUNT 4

struct gnt_step {
	enum gnt_step_op op;
	char *path;  /* run: NULL */
	char *to;    /* copy only */
	char *text;  /* put only */
	char **argv; /* run only; NULL-terminated */
	size_t argc;
	int mode;	   /* -1: copy keeps the source's */
	bool in_container; /* path (of copy: to) is seen from the container's root */
};

enum gnt_policy_from {
	GNT_POLICY_CORPUS, /* path below the corpus folder */
	GNT_POLICY_FILE,   /* path relative to the case's own folder */
	GNT_POLICY_INLINE, /* the text itself */
};

struct gnt_policy_ref {
	enum gnt_policy_from from;
	char *value;
};

/* A program to run: the attack, or its harmless twin. */
struct gnt_program {
	char **argv; /* NULL-terminated; NULL where agent_op is set */
	size_t argc;
	bool in_container;
	int uid;
	/* Instead of a program, an operation of the agent ("panic", "hang"): the harness's own
	 * tests. */
	char *agent_op;
};

enum gnt_canary_kind {
	GNT_CANARY_HIDDEN,    /* text must not come out of the attack */
	GNT_CANARY_UNCHANGED, /* the file at path keeps its content and mode */
	GNT_CANARY_ABSENT,    /* nothing may come to be at path */
};
#define GNT_CANARY_KIND_COUNT 3

struct gnt_canary {
	enum gnt_canary_kind kind;
	char *value;
	bool in_container;
};

struct gnt_container_spec {
	char *name;
	char *ns;     /* namespace of the domain; NULL: none given */
	char *labels; /* "k=v,k=v" */
	char *root;   /* "own" or "shared" */
};

/* What a contender is expected to come to; name "portcullis" also covers "portcullis/BACKEND". */
struct gnt_case_verdict {
	char *contender;
	enum gnt_verdict verdict;
};

struct gnt_case {
	char *id;
	char *dir; /* folder of its file, for policies by file */
	char *title;
	char *class;
	char *source;
	char *mitre_id;
	char *mitre_version;
	char **mitre_aliases;
	size_t mitre_alias_count;
	char **requires_lsm;
	size_t requires_lsm_count;
	bool requires_btf;
	char *requires_kernel; /* the first that has what the case uses, "6.1"; or NULL */
	char **requires_modules;
	size_t requires_module_count;
	struct gnt_step *setup;
	size_t setup_count;
	bool has_container;
	struct gnt_container_spec container;
	struct gnt_policy_ref *policies;
	size_t policy_count;
	char *posture;	  /* apply's --posture, or NULL */
	bool new_engine;  /* it is loaded for this case alone */
	bool best_effort; /* apply's --best-effort: a rule is looser than it says, by its status */
	struct gnt_program attack;
	struct gnt_program twin;
	struct gnt_canary *canaries;
	size_t canary_count;
	struct gnt_expectation expect;
	char *expect_rule;
	struct gnt_case_verdict *verdicts;
	size_t verdict_count;
	char **cleanup; /* paths that the attack makes; removed between the arms and at the end */
	size_t cleanup_count;
	int timeout_s;
};

/* One file; id is given by the caller. 0 or -errno with FILE:LINE:COLUMN in diag. */
int gnt_case_load(const char *path, const char *id, struct gnt_case **ret_case,
		  struct pcl_diag *diag);
void gnt_case_free(struct gnt_case **test_case);

/* All cases below dir (AREA/NAME.yaml), sorted by id. Owned array. */
int gnt_cases_load(const char *dir, struct gnt_case ***ret_cases, size_t *ret_count,
		   struct pcl_diag *diag);
void gnt_cases_free(struct gnt_case ***cases, size_t count);

bool gnt_case_needs_corpus(const struct gnt_case *test_case);
/* The verdict that is a pass for contender; by default MISSED for "none", else INLINE_DENY. */
enum gnt_verdict gnt_case_expected(const struct gnt_case *test_case, const char *contender);

#endif
