/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts: from what happened in the three arms of a case to one word. Pure: no VM, no I/O.
 *
 * An alert never decides whether an attack was stopped; the kernel's answer and the canary do. The
 * alert only tells a proven denial from an unproven one, and DETECT_ONLY from MISSED.
 */
#ifndef GNT_VERDICT_H
#define GNT_VERDICT_H

#include <stdbool.h>

enum gnt_verdict {
	GNT_VERDICT_INLINE_DENY, /* refused as expected, canary intact, an event names the rule */
	GNT_VERDICT_UNPROVEN,	 /* refused, but other errno, no event, or not the rule's event */
	GNT_VERDICT_DETECT_ONLY, /* it happened, and an event names the rule */
	GNT_VERDICT_MISSED,	 /* it happened */
	GNT_VERDICT_OVERBLOCK,	 /* the harmless twin was refused too */
	GNT_VERDICT_BASELINE_BLOCKED, /* refused without any policy */
	GNT_VERDICT_UNSUPPORTED,   /* refused at apply: the engine says that it cannot do a rule */
	GNT_VERDICT_ENV_UNMET,	   /* the target lacks what case or contender need */
	GNT_VERDICT_BROKEN_REPLAY, /* attack or twin fail without policy for their own reasons */
	GNT_VERDICT_INFRA,	   /* the guest died, hung, or did not answer */
};
#define GNT_VERDICT_COUNT 10

/* What befell the guest or its environment, beside the arms. */
enum gnt_incident {
	GNT_INCIDENT_NONE,
	GNT_INCIDENT_ENV,   /* what is needed is not there */
	GNT_INCIDENT_PANIC, /* kernel panic */
	GNT_INCIDENT_SPLAT, /* oops, warning, lockup, taint: the kernel goes on, but is not well */
	GNT_INCIDENT_HANG,  /* no answer in time */
	GNT_INCIDENT_INFRA, /* QEMU died, no memory, the agent refused an operation */
};
#define GNT_INCIDENT_COUNT 6

enum gnt_outcome {
	GNT_OUTCOME_NOT_RUN,
	GNT_OUTCOME_DONE,    /* the operation went through */
	GNT_OUTCOME_REFUSED, /* the kernel refused it; error says how */
	GNT_OUTCOME_BROKEN,  /* neither: the program failed for its own reasons */
};

struct gnt_attempt {
	enum gnt_outcome outcome;
	int error;	    /* positive errno where refused */
	bool canary_intact; /* attacks only: what the attack is after is untouched */
	const char *detail; /* step that failed, or what the program said; NULL; borrowed */
};

struct gnt_observation {
	enum gnt_incident incident;
	const char *incident_detail;  /* borrowed */
	struct gnt_attempt baseline;  /* arm A: attack without policy */
	struct gnt_attempt twin_free; /* twin without policy */
	struct gnt_attempt attack;    /* arm B */
	struct gnt_attempt twin;      /* arm C */
	const char *apply_error;      /* the contender did not take the policy; NULL; borrowed */
	bool unsupported; /* for it cannot enforce some rule, and says so (exit code 3) */
	int rule_events;  /* events of arm B that name the expected rule: its refusals, or audits */
	int other_events; /* Block events of other rules during arm B */
};

struct gnt_expectation {
	int error;  /* positive errno of a denial */
	int events; /* exact number of events that name the rule; 0: at least one */
};

/* Process exit codes; the numbers are the interface (harness table in scenarios/README.md). */
enum gnt_exit {
	GNT_EXIT_OK = 0,
	GNT_EXIT_UNEXPECTED = 1,
	GNT_EXIT_USAGE = 2,
	GNT_EXIT_ENV_UNMET = 3,
	GNT_EXIT_PANIC = 4,
	GNT_EXIT_HANG = 5,
	GNT_EXIT_INFRA = 6,
	GNT_EXIT_LATENCY = 7,
	GNT_EXIT_BROKEN_REPLAY = 8,
	GNT_EXIT_NOTHING_RAN = 9,
};
#define GNT_EXIT_COUNT 10

/* ret_detail (owned) explains in one line; NULL where there is nothing to add. */
enum gnt_verdict gnt_verdict_judge(const struct gnt_observation *seen,
				   const struct gnt_expectation *expected, char **ret_detail);

const char *gnt_verdict_name(enum gnt_verdict verdict);
/* 0, or -EINVAL for a word that is no verdict. */
int gnt_verdict_parse(const char *word, enum gnt_verdict *ret_verdict);
/* All names, NULL-terminated. */
const char *const *gnt_verdict_names(void);
const char *gnt_incident_name(enum gnt_incident incident);
/* GNT_INCIDENT_INFRA for a word that is none. */
enum gnt_incident gnt_incident_parse(const char *word);

/* What a finished case contributes: an error is never a pass, whatever was expected. */
enum gnt_exit gnt_verdict_exit(enum gnt_verdict verdict, enum gnt_incident incident, bool pass);
/* The more serious of two exit codes. */
enum gnt_exit gnt_exit_worse(enum gnt_exit a, enum gnt_exit b);
/* What an exit code says, for the last line of a run. */
const char *gnt_exit_text(enum gnt_exit code);

/* "EACCES" for 13; the number in digits for an errno without a name here. Borrowed or static. */
const char *gnt_errno_name(int error);
/* Positive errno, or -EINVAL. */
int gnt_errno_parse(const char *name);

#endif
