/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawn policies as the policy file that they stand for, in the order in which they were drawn or
 * in another one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "generate.h"
#include "policy/question.h"
#include "support.h"

static void print_texts(FILE *stream, const char *key, const char *const *texts, size_t count,
			unsigned bits)
{
	const char *comma = "";

	(void)fprintf(stream, ", %s: [", key);
	for (size_t i = 0; i < count; i++) {
		if (!(bits & GEN_BIT(i)))
			continue;
		(void)fprintf(stream, "%s\"%s\"", comma, texts[i]);
		comma = ", ";
	}
	(void)fputs("]", stream);
}

static void print_sources(FILE *stream, const struct gen_rule *rule)
{
	const char *comma = "";

	if (!rule->sources && !rule->source_dirs)
		return;
	(void)fputs(", fromSource: [", stream);
	for (size_t i = 0; i < GEN_SOURCE_COUNT; i++) {
		if (!(rule->sources & GEN_BIT(i)))
			continue;
		(void)fprintf(stream, "%s{path: %s}", comma, gen_sources[i]);
		comma = ", ";
	}
	for (size_t i = 0; i < GEN_SOURCE_DIR_COUNT; i++) {
		const struct pcl_source_dir *dir = &gen_source_dirs[i];

		if (!(rule->source_dirs & GEN_BIT(i)))
			continue;
		(void)fprintf(stream, "%s{dir: %s%s, recursive: %s}", comma, dir->path,
			      dir->path[1] ? "/" : "", dir->recursive ? "true" : "false");
		comma = ", ";
	}
	(void)fputs("]", stream);
}

static void print_device(FILE *stream, const struct pcl_device *device)
{
	if (device->class == PCL_DEVICE_ANY)
		(void)fputs("class: ALL", stream);
	else
		(void)fprintf(stream, "class: \"%d\"", device->class);
	if (device->sub_class != PCL_DEVICE_ANY)
		(void)fprintf(stream, ", subClass: %d", device->sub_class);
	if (device->protocol != PCL_DEVICE_ANY)
		(void)fprintf(stream, ", protocol: %d", device->protocol);
	if (device->level != PCL_DEVICE_ANY)
		(void)fprintf(stream, ", level: %d", device->level);
}

static void print_object(FILE *stream, const struct gen_rule *rule)
{
	const char *word = gen_lists[rule->list].word;

	switch (rule->list) {
	case GEN_PROCESS_NAME:
		(void)fprintf(stream, "%s: %s", word, gen_names[rule->object]);
		break;
	case GEN_PROCESS_PATTERN:
	case GEN_FILE_PATTERN:
		(void)fprintf(stream, "%s: \"%s\"", word, gen_patterns[rule->object]);
		break;
	case GEN_PROTOCOL:
		(void)fprintf(stream, "%s: %s", word,
			      pcl_protocol_name((enum pcl_protocol)rule->object));
		break;
	case GEN_DNS:
		(void)fprintf(stream, "%s: %s", word, gen_dns_names[rule->object]);
		break;
	case GEN_CAPABILITY:
		(void)fprintf(stream, "%s: %s", word, gen_capability_words[rule->object]);
		break;
	case GEN_DEVICE:
		print_device(stream, &gen_devices[rule->object]);
		break;
	case GEN_PRESET:
		(void)fprintf(stream, "%s: %s", word,
			      pcl_preset_name((enum pcl_preset)rule->object));
		break;
	case GEN_SYSCALL:
		(void)fprintf(stream, "severity: %u", 1 + rule->severity);
		break;
	case GEN_PROCESS_PATH:
	case GEN_PROCESS_DIR:
	case GEN_FILE_PATH:
	case GEN_FILE_DIR:
	case GEN_SYSCALL_PATH:
		(void)fprintf(stream, "%s: %s", word, gen_paths[rule->object]);
		break;
	}
}

static void print_rule(FILE *stream, const struct gen_rule *rule)
{
	bool dir = rule->list == GEN_PROCESS_DIR || rule->list == GEN_FILE_DIR;
	bool syscalls = gen_lists[rule->list].section_index == 4;

	(void)fputs("    - {", stream);
	print_object(stream, rule);
	if ((dir || (rule->list == GEN_SYSCALL_PATH && rule->slash)) && rule->object)
		(void)fputs("/", stream);
	if ((dir || rule->list == GEN_SYSCALL_PATH) && rule->recursive)
		(void)fputs(", recursive: true", stream);
	if (rule->flags & PCL_RULE_READ_ONLY)
		(void)fputs(", readOnly: true", stream);
	if (rule->flags & PCL_RULE_OWNER_ONLY)
		(void)fputs(", ownerOnly: true", stream);
	if (rule->flags & PCL_RULE_NO_TERMINAL)
		(void)fputs(", pts: false", stream);
	if (rule->flags & PCL_RULE_ALLOWED_ARGS)
		print_texts(stream, "allowedArgs", gen_args, GEN_ARG_COUNT, rule->args);
	if (syscalls)
		print_texts(stream, "syscall", gen_syscalls, GEN_SYSCALL_COUNT, rule->syscalls);
	print_sources(stream, rule);
	if (rule->action != GEN_INHERIT)
		(void)fprintf(stream, ", action: %s",
			      pcl_action_name((enum pcl_action)rule->action));
	if (rule->severity && rule->list != GEN_SYSCALL)
		(void)fprintf(stream, ", severity: %u", rule->severity);
	(void)fputs("}\n", stream);
}

static void print_expression(FILE *stream, const char *key, bool negated, unsigned bits)
{
	const char *comma = "";
	bool labels = !strcmp(key, "label");
	size_t count = labels ? GEN_LABEL_COUNT : GEN_NAMESPACE_COUNT;

	if (!bits)
		return;
	(void)fprintf(stream, "    - {key: %s, operator: %s, values: [", key,
		      negated ? "NotIn" : "In");
	for (size_t i = 0; i < count; i++) {
		if (!(bits & GEN_BIT(i)))
			continue;
		if (labels)
			(void)fprintf(stream, "%s%s=%s", comma, gen_labels[i].key,
				      gen_labels[i].value);
		else
			(void)fprintf(stream, "%s%s", comma, gen_namespaces[i]);
		comma = ", ";
	}
	(void)fputs("]}\n", stream);
}

static void print_selector(FILE *stream, const struct gen_policy *policy)
{
	bool host = policy->kind == PCL_KIND_HOST;

	(void)fprintf(stream, "  %s:\n", host ? "nodeSelector" : "selector");
	if (host || policy->labels)
		(void)fputs("    matchLabels:\n", stream);
	if (host)
		(void)fputs("      kubearmor.io/hostname: \"*\"\n", stream);
	for (size_t i = 0; i < GEN_LABEL_COUNT; i++)
		if (policy->labels & GEN_BIT(i))
			(void)fprintf(stream, "      %s: %s\n", gen_labels[i].key,
				      gen_labels[i].value);
	if (policy->container)
		(void)fprintf(stream, "    containers: [%s]\n", GEN_CONTAINER);
	if (policy->in || policy->not_in || policy->ns_in || policy->ns_not_in)
		(void)fputs("    matchExpressions:\n", stream);
	print_expression(stream, "label", false, policy->in);
	print_expression(stream, "label", true, policy->not_in);
	print_expression(stream, "namespace", false, policy->ns_in);
	print_expression(stream, "namespace", true, policy->ns_not_in);
}

static void shuffle(struct gen_random *random, size_t *order, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = gen_pick(random, i), held = order[i - 1];

		order[i - 1] = order[other];
		order[other] = held;
	}
}

/* One list of a section, without its rules. Whether the section's head was written is in *open. */
static void print_list(FILE *stream, const struct gen_set *set, const size_t *order, size_t policy,
		       enum gen_list list, bool *open)
{
	int action = set->policies[policy].section_actions[gen_lists[list].section_index];
	bool head = false;

	for (size_t i = 0; i < set->rule_count; i++) {
		const struct gen_rule *rule = &set->rules[order[i]];

		/* Paths and names stand in one list. */
		if (rule->policy != policy ||
		    (rule->list == GEN_PROCESS_NAME ? GEN_PROCESS_PATH : rule->list) != list)
			continue;
		if (!*open) {
			(void)fprintf(stream, "  %s:\n", gen_lists[list].section);
			if (action != GEN_INHERIT && gen_lists[list].key)
				(void)fprintf(stream, "    action: %s\n",
					      pcl_action_name((enum pcl_action)action));
			*open = true;
		}
		if (!head && gen_lists[list].key)
			(void)fprintf(stream, "    %s:\n", gen_lists[list].key);
		head = true;
		print_rule(stream, rule);
	}
}

static void print_policy(FILE *stream, const struct gen_set *set, const size_t *order, size_t index,
			 bool again)
{
	const struct gen_policy *policy = &set->policies[index];
	bool open = false;

	(void)fprintf(stream,
		      "---\napiVersion: security.kubearmor.com/v1\nkind: %s\nmetadata:\n"
		      "  name: p%zu%s\n",
		      pcl_kind_name(policy->kind), index, again ? "-again" : "");
	if (policy->kind == PCL_KIND_CONTAINER)
		(void)fprintf(stream, "  namespace: %s\n", gen_namespaces[policy->ns]);
	(void)fputs("spec:\n", stream);
	if (policy->action != GEN_INHERIT)
		(void)fprintf(stream, "  action: %s\n",
			      pcl_action_name((enum pcl_action)policy->action));
	if (policy->severity)
		(void)fprintf(stream, "  severity: %u\n", policy->severity);
	print_selector(stream, policy);
	for (int list = 0; list < GEN_LIST_COUNT; list++) {
		if (list && gen_lists[list].section_index != gen_lists[list - 1].section_index)
			open = false;
		print_list(stream, set, order, index, (enum gen_list)list, &open);
	}
}

static bool has_rules(const struct gen_set *set, size_t policy)
{
	for (size_t i = 0; i < set->rule_count; i++)
		if (set->rules[i].policy == policy)
			return true;
	return false;
}

char *gen_print(const struct gen_set *set, unsigned flags, struct gen_random *random)
{
	size_t policies[GEN_POLICIES_MAX], rules[GEN_RULES_MAX + 1], len = 0;
	char *text = NULL;
	FILE *stream = open_memstream(&text, &len);

	assert_non_null(stream);
	for (size_t i = 0; i < set->policy_count; i++)
		policies[i] = i;
	for (size_t i = 0; i < set->rule_count; i++)
		rules[i] = i;
	if (flags & GEN_SHUFFLED_POLICIES)
		shuffle(random, policies, set->policy_count);
	if (flags & GEN_SHUFFLED_RULES)
		shuffle(random, rules, set->rule_count);
	for (size_t i = 0; i < set->policy_count; i++) {
		/* One that lost its rules in shrinking is only noise. */
		if (!has_rules(set, policies[i]))
			continue;
		print_policy(stream, set, rules, policies[i], false);
		if (flags & GEN_TWICE)
			print_policy(stream, set, rules, policies[i], true);
	}
	assert_int_equal(fclose(stream), 0);
	return text;
}

void gen_print_case(const struct gen_case *draw)
{
	pcl_autofree char *operation = pcl_question_print(&draw->operation);

	print_message("domain %u (%s), postures: file %d, network %d, capabilities %d, device %d; "
		      "%s\n",
		      draw->domain, gen_domain(draw->domain)->name, (int)draw->postures.file,
		      (int)draw->postures.network, (int)draw->postures.capabilities,
		      (int)draw->postures.device, operation ? operation : "?");
}
