/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver: sets, operations, comparison, and what is told of a difference.
 *
 * usage: model [--seed N] [--operations N] [--backend NAME] [--per-set N]
 *        model ... --beside NAME [--print N]
 *
 * --beside: the sequence that all backends have, of which those sets are done that both take, until
 * each backend has had so many operations that another one takes, too; and what was seen of each
 * (common.h). --print: the case of one of them instead, the N-th under the set of the seed.
 *
 * The last line of standard output is a JSON object of counts; a difference is told before it, with
 * the seed, the policy made smaller, the operation, and a case file between lines of "----". Exit
 * code 0: no difference; 1: one; 2: wrong use; 3: this guest cannot.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/cleanup.h"
#include "common.h"
#include "labels.h"

#define DEFAULT_OPERATIONS 20000
#define DEFAULT_PER_SET 200
/* Where each set costs a policy's load, and a look at every file of the guest. */
#define DEFAULT_PER_SET_BY_LABEL 800
/* Events are read after so many operations, long before the kernel's buffer is full. */
#define BATCH 40
/*
 * How long to wait for an alert that is not there yet, and how often. KERNEL: a reader gets no
 * further than an event that is being written, and who writes it may have lost the CPU.
 */
#define WAIT_MS 50
#define WAITS 40
/* How far apart the clocks of an event and of its actor may read. */
#define SLACK_NS 200000
/* So many of others are between two operations of one; emulated, each takes 100 us at least. */
#define APART 3
#define REASONS 32

struct run {
	struct model_random random;
	uint64_t seed; /* of the set at hand */
	const struct pcl_backend *backend;
	unsigned kernel; /* of the backend's */
	enum model_judge judge;
	uint64_t asked[MODEL_DOMAINS]; /* for which capabilities, a bit each, under the set at hand
					*/
	unsigned long operations, per_set;
	/* Counts. */
	unsigned long done, sets, refused, alerts, rules_left_out, by_op[ACT_COUNT];
	unsigned long with_sources; /* operations under sets that have some */
	unsigned long by_sources;   /* of these, about which a rule with a source says something */
	struct {
		const char *text; /* borrowed */
		unsigned long operations;
	} reasons[REASONS]; /* for which operations were left out */
	size_t reason_count;
	/* Of the sequence that all backends have: the other one in this guest; NULL: it is not that
	 * one. */
	const struct pcl_backend *beside;
	bool taken[MODEL_BACKENDS];	      /* the set at hand */
	unsigned long shared[MODEL_BACKENDS]; /* operations that another one takes, too */
	bool names_something;		      /* statuses, of the set at hand */
	bool has_sources;		      /* the set at hand */
	struct model_actor last[APART];	      /* that were drawn, by their operations' numbers */
	unsigned long one;		      /* that is printed as a case */
	bool print_one;
};

struct done {
	unsigned long index; /* under its set */
	struct model_operation operation;
	struct model_expected expected;
	struct act_reply reply;
	bool alone; /* its process did nothing else */
};

/* --- what is left out --------------------------------------------------------------------------
 */

/* Where labels decide, each source costs as much as a set does besides. */
static bool takes(void *context, const struct model_set *set, size_t index)
{
	const struct run *run = context;

	return model_may_have_sources(set, index, run->seed % 2) &&
	       !model_rule_left_out(run->backend, run->kernel, set, index);
}

static void leave_out_rules(struct run *run, struct model_set *set)
{
	for (size_t i = set->rule_count; i-- > 0;)
		if (model_rule_left_out(run->backend, run->kernel, set, i)) {
			model_drop_rule(set, i);
			run->rules_left_out++;
		}
}

static void note_left_out(struct run *run, const char *reason)
{
	size_t at = 0;

	while (at < run->reason_count && strcmp(run->reasons[at].text, reason) != 0)
		at++;
	if (at == REASONS)
		return;
	if (at == run->reason_count)
		run->reasons[run->reason_count++].text = reason;
	run->reasons[at].operations++;
}

/* Why the set is not done here: it is left out, or nobody is there to be compared with. */
static const char *set_left_out(const struct run *run, const struct model_set *set)
{
	const char *reason;

	if (!run->beside)
		return NULL;
	reason = model_set_left_out(run->backend, set);
	if (reason)
		return reason;
	return model_set_left_out(run->beside, set) ? "the backend beside it does not take it"
						    : NULL;
}

/* Which backends take an operation of the sequence, in whichever guest. */
static void note_shared(struct run *run, const struct model_set *set,
			const struct act_request *request)
{
	size_t count = 0;
	bool takes_it[MODEL_BACKENDS];

	for (size_t i = 0; i < MODEL_BACKENDS; i++) {
		takes_it[i] =
			run->taken[i] && !model_operation_left_out(model_backends[i], set, request);
		count += takes_it[i];
	}
	for (size_t i = 0; count > 1 && i < MODEL_BACKENDS; i++)
		run->shared[i] += takes_it[i];
}

/* --- comparing ---------------------------------------------------------------------------------
 */

static bool is_of(const struct model_event *event, const struct done *done)
{
	bool capability = event->access == PCL_ACCESS_CAPABILITY;
	uint32_t op = done->operation.request.op;

	if (event->pid != (uint32_t)done->reply.pid)
		return false;
	if (!done->alone && (event->time_ns + SLACK_NS < done->reply.begin_ns ||
			     event->time_ns > done->reply.end_ns + SLACK_NS))
		return false;
	/* The kernel asks for capabilities on the way, too; only where one decides is it ours. */
	return !capability || op >= ACT_SOCKET;
}

static bool is_expected_alert(const struct model_expected *expected, const char *rule)
{
	if (expected->unnamed && !strcmp(rule, MODEL_NO_RULE))
		return true;
	for (size_t i = 0; i < expected->alert_count; i++)
		if (!strcmp(expected->alerts[i].rule, rule))
			return true;
	return false;
}

static bool has_alert(const struct done *done, const struct model_event *events, size_t count,
		      bool refused, const char *rule)
{
	for (size_t i = 0; i < count; i++)
		if (is_of(&events[i], done) && events[i].refused == refused &&
		    !strcmp(events[i].rule, rule))
			return true;
	return false;
}

static bool has_all_alerts(const struct done *done, const struct model_event *events, size_t count)
{
	const struct model_expected *expected = &done->expected;

	if (expected->refused && expected->told &&
	    !has_alert(done, events, count, true, expected->rule))
		return false;
	for (size_t i = 0; i < expected->alert_count; i++)
		if (expected->alerts[i].required &&
		    !has_alert(done, events, count, false, expected->alerts[i].rule))
			return false;
	return true;
}

/* What the kernel told of a batch (owned); all that is expected, if it comes in time. */
static int read_events(const struct done *batch, size_t batch_count,
		       struct model_event **ret_events, size_t *ret_count, struct pcl_diag *diag)
{
	int error = model_events(ret_events, ret_count, diag);

	for (size_t i = 0, waits = 0; !error && i < batch_count && waits < WAITS;) {
		pcl_autofree struct model_event *more = NULL;
		struct model_event *all;
		size_t count = 0;

		if (has_all_alerts(&batch[i], *ret_events, *ret_count)) {
			i++;
			continue;
		}
		waits++;
		(void)poll(NULL, 0, WAIT_MS);
		error = model_events(&more, &count, diag);
		all = reallocarray(*ret_events, *ret_count + count + 1, sizeof(*all));
		if (!all)
			return pcl_diag_set(diag, -ENOMEM, "no memory");
		*ret_events = all;
		for (size_t n = 0; n < count; n++)
			all[(*ret_count)++] = more[n];
	}
	return error;
}

static bool is_expected(const struct model_expected *expected, const struct model_event *event)
{
	if (!event->refused)
		return is_expected_alert(expected, event->rule);
	return expected->refused && (!strcmp(event->rule, expected->rule) ||
				     (expected->also && !strcmp(event->rule, expected->also)) ||
				     (expected->unnamed && !strcmp(event->rule, MODEL_NO_RULE)));
}

/* NULL where all is as expected, else what is not; a buffer of the function's own. */
static const char *differs(const struct done *done, const struct model_event *events, size_t count)
{
	static char what[2048];
	const struct model_expected *expected = &done->expected;

	if (done->reply.error != expected->error) {
		snprintf(what, sizeof(what), "errno is %d, the model says %d%s%s",
			 done->reply.error, expected->error, expected->refused ? " by " : "",
			 expected->refused ? expected->rule : "");
		return what;
	}
	if (expected->refused && expected->told &&
	    !has_alert(done, events, count, true, expected->rule)) {
		snprintf(what, sizeof(what), "no event of a refusal by \"%s\"", expected->rule);
		return what;
	}
	for (size_t i = 0; i < expected->alert_count; i++)
		if (expected->alerts[i].required &&
		    !has_alert(done, events, count, false, expected->alerts[i].rule)) {
			snprintf(what, sizeof(what), "no alert of \"%s\"",
				 expected->alerts[i].rule);
			return what;
		}
	for (size_t i = 0; i < count; i++) {
		const struct model_event *event = &events[i];

		if (!is_of(event, done) || is_expected(expected, event))
			continue;
		snprintf(what, sizeof(what), "an alert that nobody expects: %s by \"%s\" of \"%s\"",
			 event->refused ? "refused" : "permitted", event->rule, event->object);
		return what;
	}
	return NULL;
}

/* --- doing -------------------------------------------------------------------------------------
 */

/* Under sets with sources each in turn; where backends are compared, as they all know it. */
static enum model_start start_of(const struct run *run, const struct model_set *set)
{
	static const enum model_start starts[] = {MODEL_EXECUTED, MODEL_RUNNING, MODEL_SCRIPTED};

	if (!model_has_sources(set))
		return MODEL_RUNNING;
	return run->beside ? MODEL_EXECUTED : starts[run->seed / 2 % PCL_ARRAY_SIZE(starts)];
}

/*
 * KERNEL: AppArmor and SELinux bind a process as it executes a program, so the actors are started
 * anew.
 */
static int apply_set(const struct run *run, const struct model_set *set, const char *text,
		     const struct model_rulesets *rulesets, struct pcl_diag *diag)
{
	int error;

	if (run->judge == MODEL_BY_NAME)
		model_actors_confine(rulesets);
	else if (run->judge == MODEL_BY_LABEL)
		model_actors_label(rulesets, start_of(run, set));
	error = model_apply(text, &set->postures, diag);
	return !error && run->judge == MODEL_BY_LABEL ? model_labels_note(diag) : error;
}

static int do_one(const struct run *run, struct done *done, struct pcl_diag *diag)
{
	int error = model_act(&done->operation, &done->reply, diag);

	done->alone = run->judge != MODEL_BY_FILE;
	if (error || done->reply.error)
		return error;
	return run->judge == MODEL_BY_LABEL ? model_labels_restore(&done->operation.request, diag)
					    : model_world_restore(&done->operation.request, diag);
}

/* What the kernel reported of an operation's task, for people. */
static void print_events(const struct done *done, const struct model_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (events[i].pid == (uint32_t)done->reply.pid)
			printf("model: event: %s by \"%s\", access %u of \"%s\", %lld us from its "
			       "begin%s\n",
			       events[i].refused ? "refused" : "permitted", events[i].rule,
			       events[i].access, events[i].object,
			       ((long long)events[i].time_ns - (long long)done->reply.begin_ns) /
				       1000,
			       is_of(&events[i], done) ? "" : ", of another operation");
}

/* Lets the kernel say what became of an operation under a set. Returns as differs(). */
static const char *try_alone(const struct run *run, const struct model_set *set, struct done *done,
			     struct pcl_diag *diag)
{
	struct model_rulesets rulesets pcl_cleanup(model_rulesets_fini) = {0};
	pcl_autofree struct model_event *events = NULL;
	pcl_autofree char *text = model_print_set(set);
	size_t count = 0;
	const char *what;

	if (!text || model_rulesets_make(text, &set->postures, &rulesets, diag) ||
	    apply_set(run, set, text, &rulesets, diag) || do_one(run, done, diag))
		return NULL;
	model_expect(&rulesets, &done->operation, run->judge, &done->expected);
	if (read_events(done, 1, &events, &count, diag))
		return NULL;
	what = differs(done, events, count);
	/* The rules' names end with the rulesets. */
	done->expected.rule = done->expected.refused ? "" : NULL;
	done->expected.alert_count = 0;
	return what;
}

static void shrink(const struct run *run, struct model_set *set, struct done *done,
		   struct pcl_diag *diag)
{
	struct model_set next = *set;

	next.filler = 0;
	if (set->filler && try_alone(run, &next, done, diag))
		*set = next;
	for (size_t i = set->rule_count; i-- > 0;) {
		next = *set;
		model_drop_rule(&next, i);
		if (next.rule_count && try_alone(run, &next, done, diag))
			*set = next;
	}
}

static void tell(const struct run *run, struct model_set *set, struct done *done, const char *first,
		 struct pcl_diag *diag)
{
	struct model_rulesets rulesets pcl_cleanup(model_rulesets_fini) = {0};
	pcl_autofree char *title = NULL, *text = NULL;
	bool again = try_alone(run, set, done, diag) != NULL;

	if (again)
		shrink(run, set, done, diag);
	text = model_print_set(set);
	if (!text || model_rulesets_make(text, &set->postures, &rulesets, diag))
		return;
	model_expect(&rulesets, &done->operation, run->judge, &done->expected);
	printf("model: seed %llu: ", (unsigned long long)run->seed);
	model_print_operation(&done->operation, stdout);
	printf("\nmodel: %s%s\nmodel: the policies, posture %s:\n%s", first,
	       again ? "" : " (not so when it is done alone)",
	       set->postures.file == PCL_POSTURE_BLOCK ? "block" : "audit", text);
	if (asprintf(&title, "Model and kernel differ, seed %llu", (unsigned long long)run->seed) <
	    0)
		return;
	puts("----");
	model_print_case(set, &done->operation, &done->expected, title, stdout);
	puts("----");
}

/* Where all rules are exact only this is named: of one capability a refusal is told of once. */
static void keep_told(const struct run *run, const struct done *done, char *named)
{
	bool once = run->judge == MODEL_BY_NAME && done->expected.capability;
	size_t kept = 0;

	for (size_t i = 0; named[i]; i++)
		if (once && named[i] != 'e')
			named[kept++] = named[i];
	named[kept] = '\0';
}

static void trace(const struct run *run, const struct model_rulesets *rulesets,
		  const struct done *done, const struct model_event *events, size_t count)
{
	struct model_seen seen = {.error = done->reply.error};
	struct model_expected plain;
	char named[4];

	for (size_t i = 0; i < count; i++)
		if (is_of(&events[i], done))
			model_seen_add(&seen, events[i].refused,
				       model_rule_number(rulesets, events[i].rule));
	model_expect(rulesets, &done->operation, MODEL_BY_FILE, &plain);
	model_named(&done->expected, &plain, named);
	if (!run->names_something)
		keep_told(run, done, named);
	model_trace_operation(done->index, &done->operation, &seen, named);
}

static bool has_source(const struct model_rulesets *rulesets, const char *id)
{
	const struct pcl_ruleset *ruleset = rulesets->of[0];

	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (!strcmp(ruleset->rules[i]->id, id))
			return ruleset->rules[i]->source_count;
	return false;
}

static bool is_by_source(const struct model_rulesets *rulesets,
			 const struct model_expected *expected)
{
	for (size_t i = 0; i < expected->alert_count; i++)
		if (has_source(rulesets, expected->alerts[i].rule))
			return true;
	return expected->refused && has_source(rulesets, expected->rule);
}

static void count(struct run *run, const struct model_rulesets *rulesets, const struct done *done)
{
	run->done++;
	run->refused += done->expected.refused;
	run->alerts += done->expected.alert_count != 0;
	run->by_op[done->operation.request.op]++;
	run->with_sources += run->has_sources;
	run->by_sources += run->has_sources && is_by_source(rulesets, &done->expected);
}

/* 0, 1 after a difference that was told, or a negative errno. */
static int compare_batch(struct run *run, struct model_set *set,
			 const struct model_rulesets *rulesets, struct done *batch,
			 size_t batch_count, struct pcl_diag *diag)
{
	pcl_autofree struct model_event *events = NULL;
	size_t event_count = 0;
	int error = read_events(batch, batch_count, &events, &event_count, diag);

	for (size_t i = 0; !error && i < batch_count; i++) {
		const char *what = differs(&batch[i], events, event_count);

		count(run, rulesets, &batch[i]);
		if (what) {
			pcl_autofree char *kept = strdup(what);

			print_events(&batch[i], events, event_count);
			tell(run, set, &batch[i], kept ? kept : "", diag);
			return 1;
		}
		if (run->beside)
			trace(run, rulesets, &batch[i], events, event_count);
	}
	return error;
}

/* KERNEL: AppArmor tells of one capability's use by one profile once, until another is told of. */
static void expect_once(struct run *run, struct done *done)
{
	uint64_t *asked = &run->asked[done->operation.actor.domain];
	uint64_t bit = 1ull << done->expected.capability;

	if (run->judge != MODEL_BY_NAME || done->operation.request.op < ACT_SOCKET)
		return;
	if (*asked & bit) {
		done->expected.told =
			done->operation.request.op == ACT_SOCKET && done->expected.error != EPERM;
		for (size_t i = 0; i < done->expected.alert_count; i++)
			done->expected.alerts[i].required = false;
	}
	if (done->expected.capability)
		*asked |= bit;
}

static bool same_actor(const struct model_actor *a, const struct model_actor *b)
{
	return a->domain == b->domain && a->source == b->source && a->uid == b->uid &&
	       a->terminal == b->terminal;
}

static bool acted_lately(const struct run *run, unsigned long index,
			 const struct model_actor *actor)
{
	for (unsigned long i = index < APART ? 0 : index - APART; i < index; i++)
		if (same_actor(&run->last[i % APART], actor))
			return true;
	return false;
}

/* Never one actor again at once: their events must lie apart in time. */
static void draw_operation(struct run *run, const struct model_set *set, unsigned long index,
			   struct model_operation *ret_operation)
{
	do
		model_draw_operation(&run->random, set, ret_operation);
	while (acted_lately(run, index, &ret_operation->actor));
	run->last[index % APART] = ret_operation->actor;
	note_shared(run, set, &ret_operation->request);
}

static bool has_enough(const struct run *run)
{
	if (!run->beside)
		return run->done >= run->operations;
	for (size_t i = 0; i < MODEL_BACKENDS; i++)
		if (run->shared[i] < run->operations)
			return false;
	return true;
}

/* All that is left out, so that it is counted. */
static void pass_over(struct run *run, const struct model_set *set, const char *reason)
{
	struct model_operation operation;

	for (unsigned long i = 0; i < run->per_set; i++) {
		draw_operation(run, set, i, &operation);
		note_left_out(run, reason);
	}
}

/* Draws the next operations up to a batch of such as are not left out, and does them. */
static int do_batch(struct run *run, const struct model_set *set,
		    const struct model_rulesets *rulesets, unsigned long *index, struct done *batch,
		    size_t *ret_count, struct pcl_diag *diag)
{
	size_t count = 0;
	int error = 0;

	while (!error && count < BATCH && *index < run->per_set) {
		struct done *done = &batch[count];
		const char *reason;

		done->index = *index;
		draw_operation(run, set, (*index)++, &done->operation);
		reason = model_operation_left_out(run->backend, set, &done->operation.request);
		if (reason) {
			note_left_out(run, reason);
			continue;
		}
		model_expect(rulesets, &done->operation, run->judge, &done->expected);
		expect_once(run, done);
		error = do_one(run, done, diag);
		count++;
	}
	*ret_count = count;
	return error;
}

static int run_operations(struct run *run, struct model_set *set,
			  const struct model_rulesets *rulesets, struct pcl_diag *diag)
{
	static struct done batch[BATCH];
	int error = 0;

	/* A sequence for all ends with a set, for all at the same. */
	for (unsigned long i = 0;
	     !error && i < run->per_set && (run->beside || !has_enough(run));) {
		size_t count = 0;

		error = do_batch(run, set, rulesets, &i, batch, &count, diag);
		if (!error)
			error = compare_batch(run, set, rulesets, batch, count, diag);
	}
	return error;
}

static void draw_set(struct run *run, struct model_set *ret_set)
{
	const struct model_takers takers = {run->judge == MODEL_BY_LABEL,
					    run->judge == MODEL_BY_LABEL ? takes : NULL, run};

	run->random.state = run->seed * 0x9E3779B97F4A7C15u + 1;
	if (!run->beside) {
		model_draw_set(&run->random, &takers, ret_set);
		leave_out_rules(run, ret_set);
		return;
	}
	model_draw_common(&run->random, run->seed, ret_set);
	run->per_set = model_common_per_set(run->seed);
	for (size_t i = 0; i < MODEL_BACKENDS; i++)
		run->taken[i] = !model_set_left_out(model_backends[i], ret_set);
	run->names_something = model_names_something(run->backend, run->kernel, ret_set);
}

static int run_set(struct run *run, struct pcl_diag *diag)
{
	struct model_rulesets rulesets pcl_cleanup(model_rulesets_fini) = {0};
	pcl_autofree struct model_event *stale = NULL;
	pcl_autofree char *text = NULL;
	const char *reason;
	struct model_set set;
	size_t count;
	int error;

	draw_set(run, &set);
	if (!set.rule_count)
		return 0;
	reason = set_left_out(run, &set);
	if (reason) {
		pass_over(run, &set, reason);
		return 0;
	}
	text = model_print_set(&set);
	if (!text)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = model_rulesets_make(text, &set.postures, &rulesets, diag);
	if (!error)
		error = apply_set(run, &set, text, &rulesets, diag);
	if (error)
		return pcl_diag_context(diag, error, "seed %llu: policies:\n%s",
					(unsigned long long)run->seed, text);
	error = model_events(&stale, &count, diag);
	run->sets++;
	run->has_sources = model_has_sources(&set);
	memset(run->asked, 0, sizeof(run->asked));
	if (run->beside)
		model_trace_set(run->seed, text);
	if (!error)
		error = run_operations(run, &set, &rulesets, diag);
	return error < 0 ? pcl_diag_context(diag, error, "seed %llu", (unsigned long long)run->seed)
			 : error;
}

/* The case of one operation of the sequence, which is not done. */
static int print_one(struct run *run, struct pcl_diag *diag)
{
	struct model_rulesets rulesets pcl_cleanup(model_rulesets_fini) = {0};
	pcl_autofree char *text = NULL, *title = NULL;
	struct model_operation operation;
	struct model_expected expected;
	struct model_set set;
	int error;

	draw_set(run, &set);
	text = model_print_set(&set);
	if (!text || asprintf(&title, "Backends differ, seed %llu, operation %lu",
			      (unsigned long long)run->seed, run->one) < 0)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	error = model_rulesets_make(text, &set.postures, &rulesets, diag);
	if (error)
		return error;
	for (unsigned long i = 0; i <= run->one; i++)
		draw_operation(run, &set, i, &operation);
	model_expect(&rulesets, &operation, MODEL_BY_FILE, &expected);
	model_print_operation(&operation, stdout);
	puts("\n----");
	model_print_case(&set, &operation, &expected, title, stdout);
	puts("----");
	return 0;
}

/* --- beginning and end -------------------------------------------------------------------------
 */

static int learn(struct pcl_diag *diag)
{
	struct model_operation map = {.request = {.op = ACT_MAP}};
	struct act_reply mapped;
	int error = model_act(&map, &mapped, diag);

	if (!error)
		model_note_error(&map.request, 0, mapped.error);
	for (size_t i = 0; !error && i < model_socket_count() * 2; i++) {
		struct model_operation operation = {.actor.uid = i & 1 ? MODEL_USER : 0};
		struct act_reply reply;

		model_socket_request(i / 2, &operation.request);
		error = model_act(&operation, &reply, diag);
		if (!error)
			model_note_error(&operation.request, operation.actor.uid, reply.error);
	}
	return error;
}

/* Each actor is where it belongs once it has answered. */
static int greet_actors(struct pcl_diag *diag)
{
	int error = 0;

	for (unsigned i = 0; !error && i < MODEL_DOMAINS * MODEL_SOURCES * 4; i++) {
		struct model_operation operation = {
			.actor = {.domain = i / 4 / MODEL_SOURCES,
				  .source = i / 4 % MODEL_SOURCES,
				  .uid = i & 1 ? MODEL_USER : 0,
				  .terminal = i & 2},
			.request = {.op = ACT_READ, .a = MODEL_ROOT "/a/f"},
		};
		struct act_reply reply;

		error = model_act(&operation, &reply, diag);
		if (!error && reply.error)
			error = pcl_diag_errno(diag, -reply.error, "an actor cannot read");
	}
	return error;
}

static int set_kernel(const char *path, const char *value, struct pcl_diag *diag)
{
	pcl_autofclose FILE *file = fopen(path, "we");

	return !file || fputs(value, file) < 0 || fflush(file)
		       ? pcl_diag_errno(diag, -errno, "cannot write %s", path)
		       : 0;
}

/* Every audit record is to be in the kernel's log, and none on the slow console. */
static int keep_log(struct pcl_diag *diag)
{
	int error = set_kernel("/proc/sys/kernel/printk_ratelimit", "0", diag);

	return error ? error : set_kernel("/proc/sys/kernel/printk", "1", diag);
}

static int prepare(const struct run *run, struct pcl_diag *diag)
{
	int error;

	(void)signal(SIGPIPE, SIG_IGN);
	if (mkdir("/dev/pts", 0755) && errno != EEXIST)
		return pcl_diag_errno(diag, -errno, "cannot make /dev/pts");
	if (mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666,mode=0666") && errno != EBUSY)
		return pcl_diag_errno(diag, -errno, "cannot mount /dev/pts");
	error = keep_log(diag);
	if (!error)
		error = model_world_make(diag);
	if (!error && run->judge == MODEL_BY_LABEL)
		error = model_labels_keep(diag);
	if (!error)
		error = model_actors_start(run->judge == MODEL_BY_LABEL, diag);
	if (!error)
		error = greet_actors(diag);
	if (!error)
		error = learn(diag);
	if (!error)
		error = model_applier_start(run->backend->name, diag);
	for (unsigned i = 1; !error && i < MODEL_DOMAINS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/fs/cgroup/model-%s", model_domain_names[i]);
		if (mkdir(path, 0755) && errno != EEXIST)
			error = pcl_diag_errno(diag, -errno, "cannot make %s", path);
	}
	return error ? error : model_join("driver", diag);
}

static void print_counts(const struct run *run)
{
	printf("{\"backend\": \"%s\", \"operations\": %lu, \"sets\": %lu, \"refused\": %lu, "
	       "\"alerts\": %lu, \"with_sources\": %lu, \"by_sources\": %lu, "
	       "\"rules_left_out\": %lu, \"left_out\": {",
	       run->backend->name, run->done, run->sets, run->refused, run->alerts,
	       run->with_sources, run->by_sources, run->rules_left_out);
	for (size_t i = 0; i < run->reason_count; i++)
		printf("%s\"%s\": %lu", i ? ", " : "", run->reasons[i].text,
		       run->reasons[i].operations);
	fputs("}, \"by_operation\": {", stdout);
	for (size_t i = 0; i < ACT_COUNT; i++)
		printf("%s\"%s\": %lu", i ? ", " : "", act_words[i], run->by_op[i]);
	puts("}}");
}

static int usage(void)
{
	fputs("usage: model [--seed N] [--operations N] [--backend NAME] [--per-set N]\n"
	      "       model ... --beside NAME [--print N]\n",
	      stderr);
	return 2;
}

static int read_options(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
						{"operations", required_argument, NULL, 'n'},
						{"backend", required_argument, NULL, 'b'},
						{"per-set", required_argument, NULL, 'p'},
						{"beside", required_argument, NULL, 'w'},
						{"print", required_argument, NULL, 'o'},
						{0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			run->seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			run->operations = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			run->per_set = strtoul(optarg, NULL, 10);
		else if (option == 'b')
			run->backend = pcl_backend_find(optarg);
		else if (option == 'w' && pcl_backend_find(optarg))
			run->beside = pcl_backend_find(optarg);
		else if (option == 'o') {
			run->one = strtoul(optarg, NULL, 10);
			run->print_one = true;
		} else
			return -EINVAL;
	}
	if (run->beside ? run->per_set : run->print_one)
		return -EINVAL;
	return optind == argc && run->backend && run->operations ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct run run = {.seed = 1,
			  .operations = DEFAULT_OPERATIONS,
			  .backend = &pcl_backend_bpf_lsm};
	int error;

	if (read_options(&run, argc, argv))
		return usage();
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	run.kernel = run.backend->kernel();
	run.judge = model_judge_of(run.backend);
	if (!run.per_set)
		run.per_set =
			run.judge == MODEL_BY_LABEL ? DEFAULT_PER_SET_BY_LABEL : DEFAULT_PER_SET;
	if (run.print_one) {
		if (print_one(&run, &diag))
			fprintf(stderr, "model: %s\n", pcl_diag_text(&diag));
		return diag.error ? 3 : 0;
	}
	error = prepare(&run, &diag);
	for (; !error && !has_enough(&run); run.seed++)
		error = run_set(&run, &diag);
	if (error < 0)
		fprintf(stderr, "model: %s\n", pcl_diag_text(&diag));
	/* What they are called by their labels stays as long as they run. */
	model_actors_end();
	if (!error && model_applier_stop(&diag))
		error = -EIO;
	print_counts(&run);
	return error < 0 ? 3 : error;
}
