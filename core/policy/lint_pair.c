/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that another rule makes needless or hopeless: duplicates, shadowed and contradicting ones.
 *
 * A rule is called covered only where that is certain from how both are written; what two patterns
 * have in common, say, is not computed. Nothing here decides: what follows from a covered rule is
 * the first two lines of the decision, Block before Allow.
 */
#include <string.h>

#include "base/cleanup.h"
#include "policy/glob.h"
#include "policy/linter.h"

static bool is_below(const char *path, size_t path_len, const char *dir)
{
	size_t len = strcmp(dir, "/") ? strlen(dir) : 0;

	return path_len > len && !memcmp(path, dir, len) && path[len] == '/';
}

static bool has_text(char *const *texts, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(texts[i], text))
			return true;
	return false;
}

static bool has_texts(char *const *texts, size_t count, char *const *wanted, size_t wanted_count)
{
	for (size_t i = 0; i < wanted_count; i++)
		if (!has_text(texts, count, wanted[i]))
			return false;
	return true;
}

static bool same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
	return a_count == b_count && has_texts(a, a_count, b, b_count);
}

static bool same_source_dirs(const struct pcl_rule *a, const struct pcl_rule *b)
{
	if (a->source_dir_count != b->source_dir_count)
		return false;
	for (size_t i = 0; i < a->source_dir_count; i++)
		if (strcmp(a->source_dirs[i].path, b->source_dirs[i].path) ||
		    a->source_dirs[i].recursive != b->source_dirs[i].recursive)
			return false;
	return true;
}

static bool same_matcher(const struct pcl_rule *a, const struct pcl_rule *b)
{
	return a->class == b->class && a->match == b->match && !strcmp(a->object, b->object) &&
	       same_texts(a->sources, a->source_count, b->sources, b->source_count) &&
	       same_source_dirs(a, b) &&
	       same_texts(a->syscalls, a->syscall_count, b->syscalls, b->syscall_count);
}

static bool covers_source(const struct pcl_rule *wide, const struct pcl_rule *narrow)
{
	if (!wide->source_count && !wide->source_dir_count)
		return true;
	return narrow->source_count && !narrow->source_dir_count &&
	       has_texts(wide->sources, wide->source_count, narrow->sources, narrow->source_count);
}

static bool covers_protocol(unsigned wide, unsigned narrow)
{
	switch ((enum pcl_protocol)wide) {
	case PCL_PROTOCOL_ALL:
		return true;
	case PCL_PROTOCOL_STREAM:
	case PCL_PROTOCOL_DGRAM:
	case PCL_PROTOCOL_TCP:
	case PCL_PROTOCOL_UDP:
	case PCL_PROTOCOL_ICMP:
	case PCL_PROTOCOL_ICMPV6:
	case PCL_PROTOCOL_SCTP:
	case PCL_PROTOCOL_DCCP:
	case PCL_PROTOCOL_RAW:
	case PCL_PROTOCOL_RDM:
	case PCL_PROTOCOL_SEQPACKET:
	case PCL_PROTOCOL_PACKET:
		return wide == narrow;
	}
	return false;
}

static bool covers_domain(const char *wide, const char *narrow)
{
	size_t wide_len = strlen(wide), len = strlen(narrow);

	return len >= wide_len && !strcmp(narrow + len - wide_len, wide) &&
	       (len == wide_len || narrow[len - wide_len - 1] == '.');
}

/* Whether every object of narrow is one of wide, whose matcher holds an object of narrow's. */
static bool covers_object(const struct pcl_rule *wide, const struct pcl_rule *narrow)
{
	const char *prefix;
	size_t len = 0;

	if (wide->match == narrow->match && !strcmp(wide->object, narrow->object))
		return true;
	switch (narrow->match) {
	case PCL_MATCH_PATH:
		return wide->match <= PCL_MATCH_NAME &&
		       pcl_rule_matches_object(wide, narrow->object);
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		if (wide->match != PCL_MATCH_DIR_RECURSIVE)
			return false;
		return !strcmp(wide->object, narrow->object) ||
		       is_below(narrow->object, strlen(narrow->object), wide->object);
	case PCL_MATCH_PATTERN:
		prefix = pcl_glob_prefix(narrow->glob, &len);
		return wide->match == PCL_MATCH_DIR_RECURSIVE &&
		       is_below(prefix, len, wide->object);
	case PCL_MATCH_PROTOCOL:
		return wide->match == PCL_MATCH_PROTOCOL &&
		       covers_protocol(wide->number, narrow->number);
	case PCL_MATCH_DOMAIN:
		return wide->match == PCL_MATCH_DOMAIN &&
		       covers_domain(wide->object, narrow->object);
	case PCL_MATCH_CAPABILITY:
	case PCL_MATCH_NAME:
	case PCL_MATCH_SYSCALL:
	case PCL_MATCH_DEVICE:
	case PCL_MATCH_PRESET:
	case PCL_MATCH_NATIVE:
		return false;
	}
	return false;
}

static bool covers(const struct pcl_rule *wide, const struct pcl_rule *narrow)
{
	if (wide->class != narrow->class || narrow->class == PCL_CLASS_SYSCALL)
		return false;
	return covers_source(wide, narrow) && covers_object(wide, narrow);
}

static bool has_label(const struct pcl_policy *policy, const struct pcl_label *label)
{
	for (size_t i = 0; i < policy->selector_count; i++)
		if (!strcmp(policy->selector[i].key, label->key) &&
		    !strcmp(policy->selector[i].value, label->value))
			return true;
	return false;
}

static bool has_expression(const struct pcl_policy *policy, const struct pcl_expression *expression)
{
	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *own = &policy->expressions[i];

		if (own->on_namespace == expression->on_namespace &&
		    own->negated == expression->negated &&
		    same_texts(own->values, own->value_count, expression->values,
			       expression->value_count))
			return true;
	}
	return false;
}

/* Whether wide selects, for certain, every domain that narrow selects. */
static bool covers_policy(const struct pcl_policy *wide, const struct pcl_policy *narrow)
{
	if (wide == narrow)
		return true;
	if ((wide->kind == PCL_KIND_HOST) != (narrow->kind == PCL_KIND_HOST))
		return false;
	if (wide->ns && (!narrow->ns || strcmp(wide->ns, narrow->ns) != 0))
		return false;
	for (size_t i = 0; i < wide->selector_count; i++)
		if (!has_label(narrow, &wide->selector[i]))
			return false;
	for (size_t i = 0; i < wide->expression_count; i++)
		if (!has_expression(narrow, &wide->expressions[i]))
			return false;
	return !wide->container_count ||
	       (narrow->container_count && has_texts(wide->containers, wide->container_count,
						     narrow->containers, narrow->container_count));
}

static bool is_duplicate(const struct pcl_rule *a, const struct pcl_rule *b)
{
	return a->action == b->action && a->flags == b->flags && same_matcher(a, b) &&
	       same_texts(a->args, a->arg_count, b->args, b->arg_count);
}

/* What follows for rule from other, which covers it; PCL_LINT_LIMIT: nothing. */
static enum pcl_lint_kind judge(const struct pcl_rule *rule, const struct pcl_rule *other)
{
	if (other->flags)
		/* With the same flags both do the same to any operation. */
		return other->action == rule->action && other->flags == rule->flags &&
				       same_texts(other->args, other->arg_count, rule->args,
						  rule->arg_count)
			       ? PCL_LINT_SHADOWED
			       : PCL_LINT_LIMIT;
	if (other->action == PCL_ACTION_BLOCK)
		return rule->action == PCL_ACTION_ALLOW ? PCL_LINT_CONTRADICTION
							: PCL_LINT_SHADOWED;
	if (other->action == rule->action && !rule->flags)
		return PCL_LINT_SHADOWED;
	return PCL_LINT_LIMIT;
}

static int warn_pair(struct pcl_linter *linter, enum pcl_lint_kind kind,
		     const struct pcl_rule *rule, const struct pcl_rule *other)
{
	struct pcl_finding finding = {.kind = kind, .rule = rule, .other = other};
	const char *file = other->policy->file, *object = finding.rule->object;
	bool everywhere = covers_policy(other->policy, rule->policy);
	unsigned line = other->place.line;

	if (rule->class == PCL_CLASS_SYSCALL)
		object = rule->syscalls[0];
	switch (kind) {
	case PCL_LINT_DUPLICATE:
		finding.hint = "remove one of the two";
		return pcl_linter_warn(linter, &finding, "the %s of \"%s\" stands at %s:%u already",
				       pcl_action_name(rule->action), object, file, line);
	case PCL_LINT_CONTRADICTION:
		finding.hint = "remove the Allow, or narrow the Block";
		return pcl_linter_warn(linter, &finding,
				       "the Allow of \"%s\" never permits anything%s: the Block of "
				       "\"%s\" at %s:%u beats it, though it still makes an "
				       "allow-list",
				       object, everywhere ? "" : " where both policies hold",
				       other->object, file, line);
	default:
		finding.hint = "remove it, or narrow the other";
		return pcl_linter_warn(linter, &finding,
				       "the %s of \"%s\" never matters: the %s of \"%s\" at %s:%u "
				       "decides all of it",
				       pcl_action_name(rule->action), object,
				       pcl_action_name(other->action), other->object, file, line);
	}
}

/*
 * Whether rule is not needed beside other, which says at least as much of its objects: wherever
 * rule holds, other holds. Of two that are needless for each other the later one is spoken of.
 */
static bool is_needless(const struct pcl_rule *rule, const struct pcl_rule *other, bool other_first)
{
	return covers_policy(other->policy, rule->policy) &&
	       (other_first || !covers_policy(rule->policy, other->policy));
}

/* What rule is made needless by, with the operation that finds it. */
static int compare_with(struct pcl_linter *linter, const struct pcl_rule *rule,
			const struct pcl_near *near)
{
	enum pcl_lint_kind worst = PCL_LINT_LIMIT;
	const struct pcl_rule *by = NULL;
	bool before = true;

	for (size_t i = 0; i < near->count; i++) {
		const struct pcl_rule *other = near->rules[i];
		enum pcl_lint_kind kind;

		if (other == rule) {
			before = false;
			continue;
		}
		if (other->class != rule->class)
			continue;
		if (is_duplicate(other, rule)) {
			if (is_needless(rule, other, before))
				return warn_pair(linter, PCL_LINT_DUPLICATE, rule, other);
			continue;
		}
		kind = covers(other, rule) ? judge(rule, other) : PCL_LINT_LIMIT;
		if (kind == PCL_LINT_SHADOWED &&
		    !is_needless(rule, other,
				 before || !covers(rule, other) ||
					 judge(other, rule) != PCL_LINT_SHADOWED))
			continue;
		/* That nothing is permitted is worse than that it is permitted already. */
		if (kind != PCL_LINT_LIMIT && worst != PCL_LINT_CONTRADICTION &&
		    (!by || kind == PCL_LINT_CONTRADICTION)) {
			worst = kind;
			by = other;
		}
	}
	return worst == PCL_LINT_LIMIT ? 0 : warn_pair(linter, worst, rule, by);
}

int pcl_lint_pairs(struct pcl_linter *linter, const struct pcl_rule *rule)
{
	struct pcl_lint_objects objects pcl_cleanup(pcl_lint_objects_fini) = {0};
	struct pcl_near near;
	int error = pcl_lint_objects(rule, &objects);

	if (error || !objects.count)
		return error;
	/* What covers the rule holds its first object, and with a directory what is in it. */
	if (!pcl_linter_near(linter, rule, &objects.operations[0], &near, &error))
		return error;
	if (near.count == 1)
		return 0;
	return compare_with(linter, rule, &near);
}
