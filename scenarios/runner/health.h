/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a guest's kernel: what one console line says, which functions were at work,
 * and the short fingerprint by which the same trouble is known again in another boot. Pure.
 *
 * A fingerprint is KIND:FUNCTION>FUNCTION>FUNCTION, innermost first, without addresses, offsets,
 * compiler's suffixes and the functions that only report; without a trace the words of the line.
 */
#ifndef GNT_HEALTH_H
#define GNT_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "health_allow.h"

enum gnt_health_kind {
	GNT_HEALTH_NONE,
	GNT_HEALTH_PANIC,
	GNT_HEALTH_OOPS,
	GNT_HEALTH_GPF,
	GNT_HEALTH_BUG,
	GNT_HEALTH_WARN,
	GNT_HEALTH_SOFT_LOCKUP,
	GNT_HEALTH_HARD_LOCKUP,
	GNT_HEALTH_RCU_STALL,
	GNT_HEALTH_HUNG_TASK,
	GNT_HEALTH_KASAN,
	GNT_HEALTH_KCSAN,
	GNT_HEALTH_KMSAN,
	GNT_HEALTH_KFENCE,
	GNT_HEALTH_UBSAN,
	GNT_HEALTH_LOCKDEP,
	GNT_HEALTH_REFCOUNT,
	GNT_HEALTH_STACK,
	GNT_HEALTH_TAINT, /* no line of the console: /proc/sys/kernel/tainted changed */
};
#define GNT_HEALTH_KIND_COUNT 19

/* Enough to tell two troubles apart, short enough to be written into a list by hand. */
#define GNT_FINDING_FUNCTIONS 3

struct gnt_finding {
	enum gnt_health_kind kind;
	char *line;	   /* the line that told it, without its time stamp */
	char *during;	   /* the mark before it, or NULL: while the guest booted */
	char *fingerprint; /* as far as the trace is known */
	char *functions[GNT_FINDING_FUNCTIONS];
	size_t function_count;
	unsigned count;				/* the same again, under the same mark */
	unsigned lines;				/* of its trace so far */
	bool in_interrupt;			/* between <IRQ> and </IRQ> of its trace */
	bool closed;				/* nothing more belongs to it */
	const struct gnt_health_entry *allowed; /* why it is no failure, or NULL; borrowed */
};

/* What one line says; GNT_HEALTH_NONE for all that is no trouble. */
enum gnt_health_kind gnt_health_judge(const char *line);
/* Whether the line only goes on about a trouble that another line announced ("Oops: 0002"). */
bool gnt_health_continues(const char *line);
/* The line behind time stamp and caller: "[   12.1][  T71] BUG: x" is "BUG: x". Borrowed. */
const char *gnt_health_text(const char *line);

const char *gnt_health_kind_name(enum gnt_health_kind kind);
/* GNT_HEALTH_NONE for a word that is none. */
enum gnt_health_kind gnt_health_kind_parse(const char *word);
/* Lockups, stalls, hung tasks: a hang of the kernel rather than a complaint. */
bool gnt_health_is_stuck(enum gnt_health_kind kind);

/* A trouble that begins with line; NULL without memory. during may be NULL. */
struct gnt_finding *gnt_finding_new(enum gnt_health_kind kind, const char *line,
				    const char *during);
/* Kernel taint bits that are set now and were not before; bits that findings explain are left out
 * by the caller. */
struct gnt_finding *gnt_finding_new_taint(unsigned long long bits, const char *during);
void gnt_finding_free(struct gnt_finding **finding);
/* Takes the next line of the console for it; may close it. */
void gnt_finding_add(struct gnt_finding *finding, const char *line);
bool gnt_finding_same(const struct gnt_finding *a, const struct gnt_finding *b);
/* Taint bits that a trouble of this kind sets by itself. */
unsigned long long gnt_health_taint_of(enum gnt_health_kind kind);
/* "WE" for taint bits, into text of at least GNT_TAINT_TEXT_SIZE bytes. */
#define GNT_TAINT_TEXT_SIZE 72
void gnt_health_taint_text(unsigned long long bits, char *text);
/* {target, during, kind, fingerprint, line, count, allowed?}; a new object. */
json_t *gnt_finding_json(const struct gnt_finding *finding, const char *target);

#endif
