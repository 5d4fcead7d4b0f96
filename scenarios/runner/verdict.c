/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts and exit codes; see verdict.h. Two tables and one ladder, nothing else decides. */
#include "verdict.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "text.h"

static const char *const verdict_names[GNT_VERDICT_COUNT + 1] = {
	[GNT_VERDICT_INLINE_DENY] = "INLINE_DENY",
	[GNT_VERDICT_UNPROVEN] = "UNPROVEN",
	[GNT_VERDICT_DETECT_ONLY] = "DETECT_ONLY",
	[GNT_VERDICT_MISSED] = "MISSED",
	[GNT_VERDICT_OVERBLOCK] = "OVERBLOCK",
	[GNT_VERDICT_BASELINE_BLOCKED] = "BASELINE_BLOCKED",
	[GNT_VERDICT_UNSUPPORTED] = "UNSUPPORTED",
	[GNT_VERDICT_ENV_UNMET] = "ENV_UNMET",
	[GNT_VERDICT_BROKEN_REPLAY] = "BROKEN_REPLAY",
	[GNT_VERDICT_INFRA] = "INFRA",
};

static const char *const incident_names[GNT_INCIDENT_COUNT] = {
	[GNT_INCIDENT_NONE] = "none",	[GNT_INCIDENT_ENV] = "environment",
	[GNT_INCIDENT_PANIC] = "panic", [GNT_INCIDENT_SPLAT] = "splat",
	[GNT_INCIDENT_HANG] = "hang",	[GNT_INCIDENT_INFRA] = "infra",
};

/*
 * Seriousness, most serious first. A kernel that fell over says more than any verdict; then
 * come the errors that leave a verdict open; then a wrong verdict; then a budget.
 */
static const enum gnt_exit by_seriousness[] = {
	GNT_EXIT_PANIC,		GNT_EXIT_HANG,	    GNT_EXIT_INFRA,	  GNT_EXIT_USAGE,
	GNT_EXIT_BROKEN_REPLAY, GNT_EXIT_ENV_UNMET, GNT_EXIT_NOTHING_RAN, GNT_EXIT_UNEXPECTED,
	GNT_EXIT_LATENCY,	GNT_EXIT_OK,
};
static_assert(PCL_ARRAY_SIZE(by_seriousness) == GNT_EXIT_COUNT, "each exit code has its place");

static const char *const exit_texts[GNT_EXIT_COUNT] = {
	[GNT_EXIT_OK] = "all as expected",
	[GNT_EXIT_UNEXPECTED] = "an expectation failed",
	[GNT_EXIT_USAGE] = "usage or bad case",
	[GNT_EXIT_ENV_UNMET] = "a target lacks what was asked of it",
	[GNT_EXIT_PANIC] = "kernel panic, oops or warning",
	[GNT_EXIT_HANG] = "hang or time-out",
	[GNT_EXIT_INFRA] = "infrastructure failed",
	[GNT_EXIT_LATENCY] = "latency budget exceeded",
	[GNT_EXIT_BROKEN_REPLAY] = "a replay is broken",
	[GNT_EXIT_NOTHING_RAN] = "nothing ran",
};

/* The errnos by which Linux security hooks and the file system refuse. */
static const struct {
	int error;
	const char *name;
} errnos[] = {
	{EPERM, "EPERM"},	  {ENOENT, "ENOENT"},	      {EIO, "EIO"},
	{ENXIO, "ENXIO"},	  {ENOEXEC, "ENOEXEC"},	      {EBADF, "EBADF"},
	{EAGAIN, "EAGAIN"},	  {ENOMEM, "ENOMEM"},	      {EACCES, "EACCES"},
	{EBUSY, "EBUSY"},	  {EEXIST, "EEXIST"},	      {EXDEV, "EXDEV"},
	{ENODEV, "ENODEV"},	  {ENOTDIR, "ENOTDIR"},	      {EISDIR, "EISDIR"},
	{EINVAL, "EINVAL"},	  {ETXTBSY, "ETXTBSY"},	      {ENOSPC, "ENOSPC"},
	{EROFS, "EROFS"},	  {EMLINK, "EMLINK"},	      {ENAMETOOLONG, "ENAMETOOLONG"},
	{ENOSYS, "ENOSYS"},	  {ELOOP, "ELOOP"},	      {ENOTEMPTY, "ENOTEMPTY"},
	{ETIMEDOUT, "ETIMEDOUT"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {ECONNREFUSED, "ECONNREFUSED"},
};

static enum gnt_verdict judge_incident(const struct gnt_observation *seen, char **detail)
{
	(void)gnt_text_add(detail, "%s",
			   seen->incident_detail ? seen->incident_detail
						 : gnt_incident_name(seen->incident));
	return seen->incident == GNT_INCIDENT_ENV ? GNT_VERDICT_ENV_UNMET : GNT_VERDICT_INFRA;
}

/*
 * What the target's layout refuses: a root that cannot be written, and a link or a rename from
 * there to where something can be.
 */
static bool is_layout(int error)
{
	return error == EROFS || error == EXDEV;
}

static bool is_denial(int error)
{
	return error == EACCES || error == EPERM;
}

static const char *or_nothing(const char *text)
{
	return text ? text : "it said nothing";
}

/* Arm A. true: it decides, as *ret_verdict. */
static bool judge_baseline(const struct gnt_observation *seen, enum gnt_verdict *ret_verdict,
			   char **detail)
{
	const struct gnt_attempt *free_run = &seen->baseline;

	if (free_run->outcome == GNT_OUTCOME_REFUSED &&
	    (is_denial(free_run->error) || is_layout(free_run->error))) {
		(void)gnt_text_add(detail, "refused with %s without any policy (%s)",
				   gnt_errno_name(free_run->error), or_nothing(free_run->detail));
		*ret_verdict = GNT_VERDICT_BASELINE_BLOCKED;
		return true;
	}
	*ret_verdict = GNT_VERDICT_BROKEN_REPLAY;
	if (free_run->outcome != GNT_OUTCOME_DONE) {
		(void)gnt_text_add(detail, "the attack fails without policy: %s",
				   or_nothing(free_run->detail));
		return true;
	}
	if (free_run->canary_intact) {
		(void)gnt_text_add(
			detail,
			"the canary does not notice an attack that succeeds without policy");
		return true;
	}
	if (seen->twin_free.outcome != GNT_OUTCOME_DONE) {
		(void)gnt_text_add(detail, "the twin fails without policy: %s",
				   or_nothing(seen->twin_free.detail));
		return true;
	}
	return false;
}

/* Arm B where the attack was refused and the canary is intact. */
static enum gnt_verdict judge_denial(const struct gnt_observation *seen,
				     const struct gnt_expectation *expected, char **detail)
{
	bool proven = true;

	if (seen->attack.error != expected->error) {
		(void)gnt_text_add(detail, "refused with %s, expected %s",
				   gnt_errno_name(seen->attack.error),
				   gnt_errno_name(expected->error));
		proven = false;
	}
	if (seen->rule_events == 0) {
		(void)gnt_text_add(detail, "refused, but no event names the rule");
		proven = false;
	} else if (expected->events && seen->rule_events != expected->events) {
		(void)gnt_text_add(detail, "%d events name the rule, expected %d",
				   seen->rule_events, expected->events);
		proven = false;
	}
	if (!proven && seen->other_events)
		(void)gnt_text_add(detail, "%d events name another rule", seen->other_events);
	return proven ? GNT_VERDICT_INLINE_DENY : GNT_VERDICT_UNPROVEN;
}

static enum gnt_verdict judge_attack(const struct gnt_observation *seen,
				     const struct gnt_expectation *expected, char **detail)
{
	bool happened = seen->attack.outcome == GNT_OUTCOME_DONE || !seen->attack.canary_intact;

	if (seen->apply_error)
		(void)gnt_text_add(detail, "policy not applied: %s", seen->apply_error);
	/* Where nothing was applied, nothing may be in the way either. */
	if (seen->apply_error && seen->unsupported && happened)
		return GNT_VERDICT_UNSUPPORTED;
	if (!happened && seen->attack.outcome == GNT_OUTCOME_BROKEN) {
		(void)gnt_text_add(detail, "the attack breaks with the policy on: %s",
				   or_nothing(seen->attack.detail));
		return GNT_VERDICT_UNPROVEN;
	}
	if (!happened)
		return judge_denial(seen, expected, detail);
	if (seen->attack.outcome == GNT_OUTCOME_REFUSED)
		(void)gnt_text_add(detail, "refused with %s, yet the canary is hit",
				   gnt_errno_name(seen->attack.error));
	return seen->rule_events ? GNT_VERDICT_DETECT_ONLY : GNT_VERDICT_MISSED;
}

enum gnt_verdict gnt_verdict_judge(const struct gnt_observation *seen,
				   const struct gnt_expectation *expected, char **ret_detail)
{
	pcl_autofree char *detail = NULL;
	enum gnt_verdict verdict;

	if (seen->incident != GNT_INCIDENT_NONE) {
		verdict = judge_incident(seen, &detail);
	} else if (!judge_baseline(seen, &verdict, &detail)) {
		verdict = judge_attack(seen, expected, &detail);
		if (seen->twin.outcome != GNT_OUTCOME_DONE) {
			(void)gnt_text_add(&detail, "the twin fails with the policy on: %s%s%s",
					   seen->twin.error ? gnt_errno_name(seen->twin.error) : "",
					   seen->twin.error ? " at " : "",
					   or_nothing(seen->twin.detail));
			/* An attack that got through is the worse news of the two. */
			if (verdict == GNT_VERDICT_INLINE_DENY || verdict == GNT_VERDICT_UNPROVEN)
				verdict = GNT_VERDICT_OVERBLOCK;
		}
	}
	*ret_detail = pcl_take_ptr(detail);
	return verdict;
}

const char *gnt_verdict_name(enum gnt_verdict verdict)
{
	return verdict_names[verdict];
}

const char *const *gnt_verdict_names(void)
{
	return verdict_names;
}

int gnt_verdict_parse(const char *word, enum gnt_verdict *ret_verdict)
{
	for (int i = 0; i < GNT_VERDICT_COUNT; i++) {
		if (strcmp(verdict_names[i], word) == 0) {
			*ret_verdict = (enum gnt_verdict)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *gnt_incident_name(enum gnt_incident incident)
{
	return incident_names[incident];
}

enum gnt_incident gnt_incident_parse(const char *word)
{
	for (int i = 0; i < GNT_INCIDENT_COUNT; i++)
		if (strcmp(incident_names[i], word) == 0)
			return (enum gnt_incident)i;
	return GNT_INCIDENT_INFRA;
}

enum gnt_exit gnt_verdict_exit(enum gnt_verdict verdict, enum gnt_incident incident, bool pass)
{
	if (verdict == GNT_VERDICT_ENV_UNMET)
		return GNT_EXIT_ENV_UNMET;
	if (verdict == GNT_VERDICT_BROKEN_REPLAY)
		return GNT_EXIT_BROKEN_REPLAY;
	if (verdict == GNT_VERDICT_INFRA &&
	    (incident == GNT_INCIDENT_PANIC || incident == GNT_INCIDENT_SPLAT))
		return GNT_EXIT_PANIC;
	if (verdict == GNT_VERDICT_INFRA && incident == GNT_INCIDENT_HANG)
		return GNT_EXIT_HANG;
	if (verdict == GNT_VERDICT_INFRA)
		return GNT_EXIT_INFRA;
	return pass ? GNT_EXIT_OK : GNT_EXIT_UNEXPECTED;
}

enum gnt_exit gnt_exit_worse(enum gnt_exit a, enum gnt_exit b)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(by_seriousness); i++)
		if (by_seriousness[i] == a || by_seriousness[i] == b)
			return by_seriousness[i];
	return a;
}

const char *gnt_exit_text(enum gnt_exit code)
{
	return exit_texts[code];
}

const char *gnt_errno_name(int error)
{
	static char digits[16];

	for (size_t i = 0; i < PCL_ARRAY_SIZE(errnos); i++)
		if (errnos[i].error == error)
			return errnos[i].name;
	(void)snprintf(digits, sizeof(digits), "%d", error);
	return digits;
}

int gnt_errno_parse(const char *name)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(errnos); i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].error;
	return -EINVAL;
}
