/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision about one object: where it lies, which set of rules applies, what the set says.
 * Precedence was decided when the ruleset was compiled; here it is only looked up.
 */
#ifndef PCL_BPF_DECIDE_H
#define PCL_BPF_DECIDE_H

#include "args.h"
#include "cache.h"
#include "event.h"
#include "match.h"
#include "pattern.h"
#include "preset.h"
#include "question.h"
#include "steady.h"
#include "task.h"
#include "verdict.h"

/* The edge with a number for a name: the root of the sources, a variant of a set. */
static __always_inline struct pcl_trie_edge *numbered_edge(void *trie, __u32 node, __u32 number)
{
	struct pcl_trie_key key = {.node = node, .len = number};
	__u64 hash = hash_key(&key);
	struct pcl_trie_entry *entry = bpf_map_lookup_elem(trie, &hash);

	return entry && same_key(&entry->key, &key) ? &entry->edge : NULL;
}

/*
 * Which of the ruleset's sources the current task's executable is; 0: none of them. An executable
 * without a name is no source, so a rule for a source does not reach it.
 */
static __always_inline __u32 current_source(struct pcl_task *state, void *trie, __u64 live)
{
	struct pcl_trie_edge *root;
	struct pcl_object exe;

	if (!executable_of(current_task(), &exe))
		return 0;
	root = numbered_edge(trie, PCL_NODE_SOURCES, 0);
	if (!root || gather(state, &exe, ~0u) != WALK_TOP)
		return 0;
	return descend(state, root, &exe, live) ? 0 : state->down.set;
}

/* The variant of a set for the current task's executable, or the set itself. */
static __always_inline __u32 variant_for_source(struct pcl_task *state, __u32 set, __u64 live)
{
	void *trie = trie_of(live);
	struct pcl_trie_edge *edge = NULL;
	__u32 source;

	if (!trie)
		return set;
	source = current_source(state, trie, live);
	if (source)
		edge = numbered_edge(trie, PCL_NODE_SET | (set & PCL_SET_NUMBER), source);
	return edge ? edge->self : set;
}

#ifdef PCL_OLD_KERNEL
__noinline __u32 own_variant(__u32 set, __u64 live)
{
	struct pcl_task *state = task_state(current_task());

	return state ? variant_for_source(state, set, live) : set;
}
#define set_for_source(state, set, live) own_variant(set, live)
#else
__noinline __u32 set_for_source(struct pcl_task *state, __u32 set, __u64 live)
{
	return state ? variant_for_source(state, set, live) : set;
}
#endif

/* Of what conditions ask for, what holds: PCL_CONDITION_*. */
static __always_inline __u32 conditions_of(__u64 dentry)
{
	struct task_struct *task = current_task();
	__u32 conditions = 0;
	__u64 inode = (__u64)READ_FIELD(struct dentry, dentry, d_inode);

	/* What is about to be made will be the acting user's. */
	if (!inode || READ_FIELD(struct inode, inode, i_uid.val) ==
			      FOLLOW2(struct task_struct, task, cred, struct cred, fsuid.val))
		conditions |= PCL_CONDITION_OWNER;
	if (FOLLOW2(struct task_struct, task, signal, struct signal_struct, tty))
		conditions |= PCL_CONDITION_TERMINAL;
	return conditions;
}

/*
 * Joins to outcome what a part's set says of the access. Returns 0, or -EACCES where the maps are
 * broken. The path of the executable may be gathered for it, so what is gathered of the object is
 * lost.
 */
static __always_inline int join_set(const struct pcl_question *ask, struct pcl_task *state,
				    __u32 set, __u64 live, struct pcl_bpf_outcome *outcome)
{
	__u32 index = live & 1;
	struct pcl_bpf_set *found;
	void *map;

	if (set == PCL_SET_PERMIT)
		return 0;
	if (set & PCL_SET_SOURCES)
		set = set_for_source(state, set & ~PCL_SET_SOURCES, live);
	if (set & PCL_SET_ARGS) {
		set = set_for_args(state, set & PCL_SET_NUMBER, live);
		if (!set)
			return -EACCES;
		set |= PCL_SET_CONDITIONS;
	}
	if (set & PCL_SET_CONDITIONS)
		set = (set & PCL_SET_NUMBER) + conditions_of(ask->object.dentry);
	map = bpf_map_lookup_elem(&sets, &index);
	found = map ? bpf_map_lookup_elem(map, &set) : NULL;
	if (!found)
		return -EACCES;
	pcl_join_outcomes(outcome, &found->access[ask->access & (PCL_BPF_ACCESS_SLOTS - 1)]);
	return 0;
}

/*
 * The set for an object that is a number: a kind of socket, a capability. The engine has put it
 * there by pcl_maker_add_number().
 */
static __always_inline __u32 set_of_number(void *trie, const struct pcl_trie_edge *root,
					   __u32 number)
{
	struct pcl_trie_key key = {.node = root->node, .len = number};
	__u64 hash = hash_key(&key);
	struct pcl_trie_entry *entry;

	if (!(root->filter & (1ULL << pcl_filter_bit(hash))))
		return root->self;
	entry = bpf_map_lookup_elem(trie, &hash);
	return entry && same_key(&entry->key, &key) ? entry->edge.self : root->self;
}

static __always_inline bool has_no_name(__u64 dentry)
{
	/* KERNEL: d_unhashed(). */
	return !READ_FIELD(struct dentry, dentry, d_hash.pprev);
}

/* A function of its own, so that the alert is not on the stack while paths are walked. */
GLOBAL int say(const struct pcl_question *ask, struct pcl_task *state, __u64 live,
	       const struct pcl_bpf_outcome *outcome, __u32 flags)
{
	struct pcl_alert alert = {.generation = live >> 1, .flags = flags};

	if (!ask || !state || !outcome)
		return -EACCES;
	if (outcome->flags & PCL_OUTCOME_REFUSE)
		alert.flags |= PCL_EVENT_REFUSED;
	alert.object = ask->object;
	alert.rule = pcl_outcome_named(outcome);
	alert.domain = state->domain;
	alert.hook = ask->hook;
	alert.access = ask->access;
	if ((outcome->flags & PCL_OUTCOME_ALERT) &&
	    (!(ask->flags & ASK_QUIET) || (outcome->flags & PCL_OUTCOME_REFUSE)))
		send_alert(&alert, state);
	return outcome->flags & PCL_OUTCOME_REFUSE ? -EACCES : 0;
}

/*
 * The set where there is no path to go by; which kind of object it is goes into ret_flags. Of parts
 * those remain that ask for something else.
 */
static __always_inline __u32 set_without_path(int end, __u32 class, struct pcl_bpf_domain *domain,
					      __u32 *ret_flags, __u32 *parts)
{
	*parts &= ~PCL_PARTS_BY_PATH;
	if (end == WALK_NAMELESS) {
		*ret_flags = PCL_EVENT_NAMELESS;
		return domain->nameless[class];
	}
	/* FAIL-OPEN: an overlay's layer is reached by the kernel alone, for a file that was judged
	 * by its own name. A layer that has a name in the domain ends at the top, and is judged. */
	if (end == WALK_BACKING) {
		*parts = 0;
		return PCL_SET_PERMIT;
	}
	*ret_flags = PCL_EVENT_UNKNOWN;
	__sync_fetch_and_add(&resident.control.unknown, 1);
	return domain->unknown[class];
}

/* The place of the object in the trie of its class. Returns enum pcl_walk_end. */
static __always_inline int find_place(struct pcl_task *state, const struct pcl_object *object,
				      const struct pcl_trie_edge *root, __u64 live, bool fast,
				      bool *ret_short)
{
	int end = fast ? gather_fast(state, object) : gather(state, object, ~0u);

	if (end != WALK_TOP)
		return end;
	*ret_short = fast && state->walk.depth <= PCL_WINDOW && descend_short(state, root, live);
	if (!*ret_short && descend(state, root, object, live))
		return WALK_UNKNOWN;
	return WALK_TOP;
}

#ifdef PCL_OLD_KERNEL
/* Old kernels only ask whether nothing moved at all (steady.h). */
static __always_inline int find_again(struct pcl_task *state, const struct pcl_object *object,
				      const struct pcl_trie_edge *root, __u64 live)
{
	struct pcl_moment moment;
	bool is_short = false;
	int end;

	moment_take(&moment);
	end = find_place(state, object, root, live, false, &is_short);
	return moment_holds(&moment) ? end : WALK_UNKNOWN;
}
#else
#define find_again(state, object, root, live) find_steadily(state, object, root, live)
#endif

/* The set for an object whose place was looked for. end is enum pcl_walk_end. */
static __always_inline __u32 set_of_place(int end, const struct pcl_question *ask,
					  struct pcl_task *state, struct pcl_bpf_domain *domain,
					  __u32 *ret_flags, __u32 *parts)
{
	__u32 class = ask->class ? PCL_BPF_FILE : PCL_BPF_PROCESS;

	if (end == WALK_NAMELESS && (ask->flags & ASK_HAS_NAME)) {
		*parts = 0;
		return PCL_SET_PERMIT;
	}
	return end == WALK_TOP ? state->down.set
			       : set_without_path(end, class, domain, ret_flags, parts);
}

/*
 * The set for the object. fast is a constant. As long as ret_moment holds the object is still
 * there.
 */
static __always_inline __u32 set_for_object(const struct pcl_question *ask, struct pcl_task *state,
					    struct pcl_bpf_domain *domain, __u64 live, bool fast,
					    struct pcl_moment *ret_moment, __u32 *ret_flags,
					    __u32 *parts)
{
	__u32 class = ask->class ? PCL_BPF_FILE : PCL_BPF_PROCESS;
	struct pcl_dir *cache = fast ? dir_cache(state, &ask->object) : NULL;
	bool is_short = false;
	int end;

	state->down.below_rule = 0;
	state->walk.layer = 0;
	if (cache) {
		if (!cache_hit(cache, &ask->object, state, live, class, ret_moment))
			return state->down.set;
	} else {
		moment_take(ret_moment);
	}
	end = find_place(state, &ask->object, &domain->root[class], live, fast, &is_short);
	if (!moment_holds(ret_moment))
		end = find_again(state, &ask->object, &domain->root[class], live);
	else if (is_short && cache)
		cache_fill(cache, &ask->object, state, live, class, ret_moment);
	/* What has no path is looked at each time: no odd number ever holds. */
	if (end != WALK_TOP)
		ret_moment->rename_seq = 1;
	return set_of_place(end, ask, state, domain, ret_flags, parts);
}

/*
 * The set for the object's base name. Where its name cannot be read that of an unknown object,
 * which joined to anything is as if it alone were there.
 */
static __always_inline __u32 set_of_name(const struct pcl_question *ask, struct pcl_task *state,
					 struct pcl_bpf_domain *domain, __u32 class, __u64 live)
{
	int end = gather(state, &ask->object, 1);

	if ((end != WALK_INTERRUPTED && end != WALK_TOP) ||
	    descend(state, &domain->names[class], &ask->object, live))
		return domain->unknown[class];
	return state->down.set;
}

/* The sets that patterns have for the object. */
static __always_inline void look_in_patterns(const struct pcl_question *ask, struct pcl_task *state,
					     struct pcl_bpf_domain *domain, __u32 class, __u64 live)
{
	const struct pcl_pattern_group *groups = domain->patterns[class];
	void *blocks = blocks_of(live);
	__u32 i;

	if (!blocks || run_patterns(state, &ask->object, groups, live)) {
		state->found[PCL_FOUND_PATTERN] = domain->unknown[class];
		return;
	}
	for (i = 0; i < PCL_PATTERN_GROUPS; i++)
		state->found[PCL_FOUND_PATTERN + i] =
			run_word(&state->run, i, PCL_PATTERN_SET, blocks);
	if (ask->flags & ASK_BELOW)
		state->below_rule = pattern_below(state, groups, live);
}

static __always_inline void forget_parts(struct pcl_task *state)
{
	__u32 i;

	for (i = 0; i < PCL_FOUND_MAX; i++)
		state->found[i] = PCL_SET_PERMIT;
	state->below_rule = 0;
}

/* Fills state->found by the parts besides the trie. 0, or -EACCES where the maps are broken. */
static __always_inline int look_in_parts(const struct pcl_question *ask, struct pcl_task *state,
					 __u32 parts, __u64 live)
{
	__u32 class = ask->class ? PCL_BPF_FILE : PCL_BPF_PROCESS;
	struct pcl_bpf_domain *domain = domain_entry(live, state->domain);

	if (!domain)
		return -EACCES;
	forget_parts(state);
	if (parts & PCL_PART_NAMES)
		state->found[PCL_FOUND_NAME] = set_of_name(ask, state, domain, class, live);
	if (parts & PCL_PART_PATTERNS)
		look_in_patterns(ask, state, domain, class, live);
	state->preset = PCL_SET_PERMIT;
	if (parts & PCL_PART_PRESETS)
		state->preset = set_of_preset(ask, state, domain);
	return 0;
}

#ifdef PCL_OLD_KERNEL
__noinline int look_parked(__u32 parts, __u64 live)
{
	struct pcl_task *state = task_state(current_task());

	return state ? look_in_parts(&state->ask, state, parts, live) : -EACCES;
}
#define find_in_parts(ask, state, parts, live) look_parked(parts, live)
#else
__noinline int find_in_parts(const struct pcl_question *ask, struct pcl_task *state, __u32 parts,
			     __u64 live)
{
	return ask && state ? look_in_parts(ask, state, parts, live) : -EACCES;
}
#endif

/*
 * The place of an object and what the parts say of it, at one moment, where something moved while
 * they were looked at one after the other. Returns enum pcl_walk_end.
 */
#ifdef PCL_OLD_KERNEL
static __always_inline int find_all_again(const struct pcl_question *ask, struct pcl_task *state,
					  const struct pcl_trie_edge *root, __u32 parts, __u64 live)
{
	struct pcl_moment moment;
	bool is_short = false;
	int end;

	moment_take(&moment);
	if (find_in_parts(ask, state, parts, live))
		return WALK_UNKNOWN;
	end = find_place(state, &ask->object, root, live, false, &is_short);
	return moment_holds(&moment) ? end : WALK_UNKNOWN;
}
#else
__noinline int find_all_again(const struct pcl_question *ask, struct pcl_task *state,
			      const struct pcl_trie_edge *root, __u32 parts, __u64 live)
{
	__u64 before;
	int end;

	if (!ask || !state || !root)
		return WALK_UNKNOWN;
	for (__u32 i = 0; i < STEADY_TRIES; i++) {
		before = sum_up(state, &ask->object);
		if (find_in_parts(ask, state, parts, live))
			return WALK_UNKNOWN;
		end = gather(state, &ask->object, ~0u);
		if (end == WALK_TOP && descend(state, root, &ask->object, live))
			end = WALK_UNKNOWN;
		if (before && before == sum_up(state, &ask->object))
			return end;
	}
	return WALK_UNKNOWN;
}
#endif

/* As set_for_object() and find_in_parts(), at one moment. */
static __always_inline __u32 set_at_one_moment(const struct pcl_question *ask,
					       struct pcl_task *state,
					       struct pcl_bpf_domain *domain, __u64 live,
					       __u32 *ret_flags, __u32 *parts)
{
	__u32 class = ask->class ? PCL_BPF_FILE : PCL_BPF_PROCESS, set;
	int end = find_all_again(ask, state, &domain->root[class], *parts, live);

	set = set_of_place(end, ask, state, domain, ret_flags, parts);
	if (!(*parts & PCL_PARTS_BY_PATH))
		forget_parts(state);
	return set;
}

/* Joins what was found in parts. Apart from the search, since both go deep. */
static __always_inline int join_found(const struct pcl_question *ask, struct pcl_task *state,
				      __u64 live, struct pcl_bpf_outcome *outcome)
{
	__u32 i;

	for (i = 0; i < PCL_FOUND_MAX; i++)
		if (join_set(ask, state, state->found[i], live, outcome))
			return -EACCES;
	return 0;
}

/*
 * Whether it is judged as what has no name, though its path could be built: a name that was removed
 * matches no Allow, and running what has none is a preset's business. A rule that refuses it by the
 * name that it had still does.
 */
static __always_inline bool is_judged_nameless(const struct pcl_question *ask,
					       const struct pcl_bpf_outcome *outcome, __u32 parts)
{
	bool preset = ask->class == PCL_BPF_PROCESS && (parts & PCL_PART_PRESETS) &&
		      !pcl_outcome_is_ruled(outcome);

	return ((outcome->flags & PCL_OUTCOME_ALLOWED) || preset) && (ask->flags & ASK_DELETED) &&
	       has_no_name(ask->object.dentry);
}

/* Keeps what is permitted without a word, if nothing but names led to it. */
static __always_inline void keep_verdict(const struct pcl_question *ask, struct pcl_task *state,
					 const struct pcl_bpf_domain *domain, __u32 set,
					 __u32 parts, __u64 live,
					 const struct pcl_bpf_outcome *outcome,
					 const struct pcl_moment *moment)
{
	__u32 all = set, i;
	__u64 accesses = 1ull << ask->access;

	if (!(ask->flags & ASK_FAST) || (outcome->flags & ~PCL_OUTCOME_ALLOWED) ||
	    (parts & ~PCL_PARTS_BY_PATH) || state->walk.layer)
		return;
	for (i = 0; parts && i < PCL_FOUND_MAX; i++)
		all |= state->found[i];
	/* Every flag of a set asks for something besides the name. */
	if (all & ~PCL_SET_NUMBER)
		return;
	/* Nothing is said of the object at all. */
	if (all == PCL_SET_PERMIT && ask->class == PCL_BPF_FILE)
		accesses = 1ull << PCL_BPF_READ | 1ull << PCL_BPF_WRITE;
	if (outcome->flags)
		accesses |= PCL_VERDICT_NAMED;
	verdict_keep(&ask->object, state, domain->alone ? PCL_VERDICT_ANYONE : domain_word(state),
		     live, accesses, moment);
}

/* The whole decision for a domain that has rules of the class. 0 or -EACCES. fast is a constant. */
static __always_inline int decide(const struct pcl_question *ask, struct pcl_task *state,
				  struct pcl_bpf_domain *domain, __u64 live, bool fast)
{
	struct pcl_bpf_outcome outcome = {};
	struct pcl_moment moment = {0};
	__u32 parts = domain->parts[ask->class ? PCL_BPF_FILE : PCL_BPF_PROCESS];
	__u32 set, below_rule, layer, flags = 0;

	set = set_for_object(ask, state, domain, live, fast, &moment, &flags, &parts);
	layer = state->walk.layer;
	below_rule = (ask->flags & ASK_BELOW) ? state->down.below_rule : 0;
	if (set == PCL_SET_PERMIT && !below_rule && !parts) {
		keep_verdict(ask, state, domain, set, parts, live, &outcome, &moment);
		return 0;
	}
	if (parts) {
		if (find_in_parts(ask, state, parts, live))
			return -EACCES;
		if ((parts & PCL_PARTS_BY_PATH) && !moment_holds(&moment)) {
			set = set_at_one_moment(ask, state, domain, live, &flags, &parts);
			layer = state->walk.layer;
			below_rule = (ask->flags & ASK_BELOW) ? state->down.below_rule : 0;
		}
		below_rule = pcl_first_rule(below_rule, state->below_rule);
	}
	if (join_set(ask, state, set, live, &outcome))
		return -EACCES;
	if (parts && join_found(ask, state, live, &outcome))
		return -EACCES;
	if (is_judged_nameless(ask, &outcome, parts)) {
		flags |= PCL_EVENT_NAMELESS;
		outcome.rule = outcome.flags = 0;
		set = domain->nameless[ask->class ? PCL_BPF_FILE : PCL_BPF_PROCESS];
		if (join_set(ask, state, set, live, &outcome))
			return -EACCES;
	}
	if ((parts & PCL_PART_PRESETS) && join_set(ask, state, state->preset, live, &outcome))
		return -EACCES;
	if ((ask->flags & ASK_MOVE) && (outcome.flags & PCL_OUTCOME_BY_PRESET))
		outcome.flags = 0;
	if (((ask->flags & ASK_NAMED) || layer) && !pcl_outcome_is_ruled(&outcome))
		outcome.flags = 0;
	if (below_rule && !(outcome.flags & PCL_OUTCOME_REFUSE)) {
		flags |= PCL_EVENT_BELOW;
		outcome.rule = below_rule;
		outcome.flags = PCL_OUTCOME_REFUSE | PCL_OUTCOME_ALERT;
	}
	keep_verdict(ask, state, domain, set, parts, live, &outcome, &moment);
	return say(ask, state, live, &outcome, flags);
}

#endif
