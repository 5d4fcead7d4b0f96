/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy model as JSON and back. Strict on the way in: the file is our own, so anything
 * unexpected means that it was damaged.
 */
#include "engine/model_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/glob.h"
#include "policy/names.h"
#include "policy/path.h"

static void drop_json(json_t **json)
{
	json_decref(*json);
}

/* --- out ------------------------------------------------------------------------------------- */

static json_t *strings_to_json(char *const *strings, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(array, json_string(strings[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *labels_to_json(const struct pcl_label *labels, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		if (json_object_set_new(object, labels[i].key, json_string(labels[i].value)) < 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static json_t *dirs_to_json(const struct pcl_rule *rule)
{
	json_t *array = json_array();

	for (size_t i = 0; i < rule->source_dir_count; i++)
		if (json_array_append_new(array, json_pack("{s:s, s:b}", "path",
							   rule->source_dirs[i].path, "recursive",
							   (int)rule->source_dirs[i].recursive)) <
		    0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *rule_to_json(const struct pcl_rule *rule)
{
	return json_pack(
		"{s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:[iiii], s:o, s:o, s:o, s:o, s:i, s:o, s:s*,"
		" s:i, s:i}",
		"id", rule->id, "class", (int)rule->class, "match", (int)rule->match, "action",
		(int)rule->action, "flags", (int)rule->flags, "object", rule->object, "number",
		(int)rule->number, "device", rule->device.class, rule->device.sub_class,
		rule->device.protocol, rule->device.level, "sources",
		strings_to_json(rule->sources, rule->source_count), "source_dirs",
		dirs_to_json(rule), "args", strings_to_json(rule->args, rule->arg_count),
		"syscalls", strings_to_json(rule->syscalls, rule->syscall_count), "severity",
		rule->severity, "tags", strings_to_json(rule->tags, rule->tag_count), "message",
		rule->message, "line", (int)rule->place.line, "column", (int)rule->place.column);
}

static json_t *expressions_to_json(const struct pcl_policy *policy)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *expression = &policy->expressions[i];

		if (json_array_append_new(array,
					  json_pack("{s:b, s:b, s:o}", "namespace",
						    (int)expression->on_namespace, "negated",
						    (int)expression->negated, "values",
						    strings_to_json(expression->values,
								    expression->value_count))) <
		    0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

json_t *pcl_text_to_json(const char *text)
{
	pcl_autofree char *shown = NULL;
	json_t *json = json_string(text);

	if (json)
		return json;
	shown = strdup(text);
	for (char *at = shown; at && *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	return shown ? json_string(shown) : NULL;
}

static json_t *policy_to_json(const struct pcl_policy *policy)
{
	pcl_cleanup(drop_json) json_t *rules = json_array();

	for (size_t i = 0; i < policy->rule_count; i++)
		if (json_array_append_new(rules, rule_to_json(policy->rules[i])) < 0)
			return NULL;
	return json_pack("{s:i, s:s, s:s*, s:o, s:i, s:i, s:o, s:o, s:o, s:O}", "kind",
			 (int)policy->kind, "name", policy->name, "namespace", policy->ns, "file",
			 pcl_text_to_json(policy->file), "line", (int)policy->place.line, "column",
			 (int)policy->place.column, "selector",
			 labels_to_json(policy->selector, policy->selector_count), "expressions",
			 expressions_to_json(policy), "containers",
			 strings_to_json(policy->containers, policy->container_count), "rules",
			 rules);
}

json_t *pcl_policies_to_json(const struct pcl_policy_set *set)
{
	pcl_cleanup(drop_json) json_t *policies = json_array();

	for (size_t i = 0; i < set->policy_count; i++)
		if (json_array_append_new(policies, policy_to_json(set->policies[i])) < 0)
			return NULL;
	return pcl_take_ptr(policies);
}

char *pcl_labels_text(const struct pcl_label *labels, size_t count)
{
	char *text = NULL;

	for (size_t i = 0; i < count; i++) {
		char *longer = NULL;

		if (asprintf(&longer, "%s%s%s=%s", text ? text : "", text ? "," : "", labels[i].key,
			     labels[i].value) < 0)
			longer = NULL;
		free(text);
		text = longer;
		if (!text)
			return NULL;
	}
	return text;
}

/* --- in -------------------------------------------------------------------------------------- */

/* 0 or -ENOMEM; text may be NULL. */
static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int strings_from_json(const json_t *json, char ***ret_strings, size_t *ret_count)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(json))
		return -EBADMSG;
	json_array_foreach(json, i, item) {
		if (!json_is_string(item))
			return -EBADMSG;
		if (pcl_strings_add(ret_strings, ret_count, json_string_value(item)))
			return -ENOMEM;
	}
	return 0;
}

static int labels_from_json(json_t *json, struct pcl_label **ret_labels, size_t *ret_count)
{
	const char *key;
	json_t *value;

	/* An empty selector selects everything, so nothing may pass for one. */
	if (!json_is_object(json))
		return -EBADMSG;
	json_object_foreach(json, key, value) {
		struct pcl_label label = {0};

		if (!json_is_string(value))
			return -EBADMSG;
		if (pcl_array_grow(ret_labels, *ret_count, sizeof(label)))
			return -ENOMEM;
		(*ret_labels)[(*ret_count)++] = label;
		if (copy_text(key, &(*ret_labels)[*ret_count - 1].key) ||
		    copy_text(json_string_value(value), &(*ret_labels)[*ret_count - 1].value))
			return -ENOMEM;
	}
	return 0;
}

static int dirs_from_json(const json_t *json, struct pcl_rule *rule)
{
	json_t *item;
	size_t i;

	if (!json_is_array(json))
		return -EBADMSG;
	json_array_foreach(json, i, item) {
		struct pcl_source_dir *dir;
		const char *path;
		int recursive;

		if (json_unpack(item, "{s:s, s:b !}", "path", &path, "recursive", &recursive) < 0)
			return -EBADMSG;
		if (pcl_array_grow(&rule->source_dirs, rule->source_dir_count, sizeof(*dir)))
			return -ENOMEM;
		dir = &rule->source_dirs[rule->source_dir_count++];
		*dir = (struct pcl_source_dir){.recursive = recursive};
		if (copy_text(path, &dir->path))
			return -ENOMEM;
	}
	return 0;
}

static int expressions_from_json(const json_t *json, struct pcl_policy *policy)
{
	json_t *item, *values;
	size_t i;

	if (!json_is_array(json))
		return -EBADMSG;
	json_array_foreach(json, i, item) {
		struct pcl_expression *expression;
		int on_namespace, negated, error;

		if (json_unpack(item, "{s:b, s:b, s:o !}", "namespace", &on_namespace, "negated",
				&negated, "values", &values) < 0)
			return -EBADMSG;
		if (pcl_array_grow(&policy->expressions, policy->expression_count,
				   sizeof(*expression)))
			return -ENOMEM;
		expression = &policy->expressions[policy->expression_count++];
		*expression =
			(struct pcl_expression){.on_namespace = on_namespace, .negated = negated};
		error = strings_from_json(values, &expression->values, &expression->value_count);
		if (error)
			return error;
	}
	return 0;
}

/* --- what decide and the backends rely on ---------------------------------------------------- */

static bool is_normal_path(const char *path)
{
	pcl_autofree char *normal = NULL;
	const char *reason;

	return !pcl_path_normalise(path, &normal, &reason) && !strcmp(path, normal);
}

/* Lists are searched by halves. */
static bool is_sorted(char *const *texts, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(texts[i - 1], texts[i]) >= 0)
			return false;
	return true;
}

#define PATHS (1u << PCL_MATCH_PATH | 1u << PCL_MATCH_DIR | 1u << PCL_MATCH_DIR_RECURSIVE)

/* The matchers that rules of a class may have, a bit each. */
static const unsigned class_matches[PCL_CLASS_COUNT] = {
	[PCL_CLASS_PROCESS] =
		PATHS | 1u << PCL_MATCH_PATTERN | 1u << PCL_MATCH_NAME | 1u << PCL_MATCH_PRESET,
	[PCL_CLASS_FILE] = PATHS | 1u << PCL_MATCH_PATTERN | 1u << PCL_MATCH_PRESET,
	[PCL_CLASS_NETWORK] = 1u << PCL_MATCH_PROTOCOL,
	[PCL_CLASS_DNS] = 1u << PCL_MATCH_DOMAIN,
	[PCL_CLASS_CAPABILITY] = 1u << PCL_MATCH_CAPABILITY,
	[PCL_CLASS_SYSCALL] = PATHS | 1u << PCL_MATCH_SYSCALL,
	[PCL_CLASS_DEVICE] = 1u << PCL_MATCH_DEVICE,
	[PCL_CLASS_NATIVE] = 1u << PCL_MATCH_NATIVE,
};

static bool is_device_number(int number, int max)
{
	return number >= PCL_DEVICE_ANY && number <= max;
}

static bool is_device(const struct pcl_device *device)
{
	return is_device_number(device->class, UINT8_MAX) &&
	       is_device_number(device->sub_class, UINT8_MAX) &&
	       is_device_number(device->protocol, UINT8_MAX) &&
	       is_device_number(device->level, UINT8_MAX);
}

/* What only some matchers use is zero with the others. */
static bool has_sound_numbers(const struct pcl_rule *rule)
{
	const unsigned numbered =
		1u << PCL_MATCH_PROTOCOL | 1u << PCL_MATCH_CAPABILITY | 1u << PCL_MATCH_PRESET;
	const struct pcl_device *device = &rule->device;

	if (rule->number && !(numbered & 1u << rule->match))
		return false;
	return rule->match == PCL_MATCH_DEVICE ||
	       !(device->class || device->sub_class || device->protocol || device->level);
}

static bool has_sound_object(const struct pcl_rule *rule)
{
	const char *word = NULL;

	switch (rule->match) {
	case PCL_MATCH_PATH:
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		return is_normal_path(rule->object);
	case PCL_MATCH_PATTERN:
		return rule->glob;
	case PCL_MATCH_NAME:
		return *rule->object && !strchr(rule->object, '/');
	case PCL_MATCH_PROTOCOL:
		if (rule->number < PCL_PROTOCOL_COUNT)
			word = pcl_protocol_name((enum pcl_protocol)rule->number);
		return word && !strcmp(rule->object, word);
	case PCL_MATCH_DOMAIN:
		return *rule->object && strlen(rule->object) <= PCL_DOMAIN_LEN_MAX;
	case PCL_MATCH_CAPABILITY:
		return pcl_capability_number(rule->object) == (int)rule->number;
	case PCL_MATCH_SYSCALL:
		return !*rule->object;
	case PCL_MATCH_DEVICE:
		return is_device(&rule->device);
	case PCL_MATCH_PRESET:
		if (rule->number < PCL_PRESET_COUNT &&
		    pcl_preset_class((enum pcl_preset)rule->number) == rule->class)
			word = pcl_preset_name((enum pcl_preset)rule->number);
		return word && !strcmp(rule->object, word);
	case PCL_MATCH_NATIVE:
		return true;
	}
	return false;
}

static bool has_sound_lists(const struct pcl_rule *rule)
{
	bool syscall = rule->class == PCL_CLASS_SYSCALL;

	if (!is_sorted(rule->sources, rule->source_count) ||
	    !is_sorted(rule->args, rule->arg_count) ||
	    !is_sorted(rule->syscalls, rule->syscall_count))
		return false;
	for (size_t i = 0; i < rule->source_count; i++)
		if (!is_normal_path(rule->sources[i]))
			return false;
	for (size_t i = 0; i < rule->source_dir_count; i++)
		if (!is_normal_path(rule->source_dirs[i].path))
			return false;
	return syscall == (rule->syscall_count > 0) &&
	       !(rule->flags & PCL_RULE_ALLOWED_ARGS) == !rule->arg_count;
}

static bool is_sound_rule(const struct pcl_rule *rule)
{
	const unsigned flags = PCL_RULE_READ_ONLY | PCL_RULE_OWNER_ONLY | PCL_RULE_NO_TERMINAL |
			       PCL_RULE_ALLOWED_ARGS;

	return *rule->id && !(rule->flags & ~flags) && rule->severity >= 0 &&
	       rule->severity <= PCL_SEVERITY_MAX &&
	       class_matches[rule->class] & 1u << rule->match && has_sound_numbers(rule) &&
	       has_sound_object(rule) && has_sound_lists(rule);
}

static bool is_sound_policy(const struct pcl_policy *policy)
{
	if (!policy->ns != (policy->kind != PCL_KIND_CONTAINER))
		return false;
	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *expression = &policy->expressions[i];

		if (!expression->value_count ||
		    !is_sorted(expression->values, expression->value_count) ||
		    (expression->on_namespace && policy->kind != PCL_KIND_CLUSTER))
			return false;
	}
	return is_sorted(policy->containers, policy->container_count);
}

/* --- rules and policies ---------------------------------------------------------------------- */

/* The parts of a rule that are no numbers or texts; borrowed. */
struct rule_parts {
	json_t *device, *sources, *source_dirs, *args, *syscalls, *tags;
};

static int parts_from_json(const struct rule_parts *parts, struct pcl_rule *rule)
{
	struct pcl_device *device = &rule->device;
	const char *reason;
	size_t offset;
	int error;

	if (json_unpack(parts->device, "[iiii!]", &device->class, &device->sub_class,
			&device->protocol, &device->level) < 0)
		return -EBADMSG;
	error = strings_from_json(parts->sources, &rule->sources, &rule->source_count);
	if (!error)
		error = dirs_from_json(parts->source_dirs, rule);
	if (!error)
		error = strings_from_json(parts->args, &rule->args, &rule->arg_count);
	if (!error)
		error = strings_from_json(parts->syscalls, &rule->syscalls, &rule->syscall_count);
	if (!error)
		error = strings_from_json(parts->tags, &rule->tags, &rule->tag_count);
	if (!error && rule->match == PCL_MATCH_PATTERN)
		error = pcl_glob_new(rule->object, &rule->glob, &reason, &offset);
	return error == -EINVAL ? -EBADMSG : error;
}

/* Adds an empty rule first, so that whatever is filled in is owned by the policy at once. */
static int rule_from_json(const json_t *json, struct pcl_policy *policy)
{
	int class, match, action, flags, number, line, column, error;
	const char *id, *object, *message = NULL;
	struct rule_parts parts;
	struct pcl_rule *rule;

	rule = calloc(1, sizeof(*rule));
	if (!rule || pcl_array_grow(&policy->rules, policy->rule_count, sizeof(rule))) {
		free(rule);
		return -ENOMEM;
	}
	policy->rules[policy->rule_count++] = rule;
	rule->policy = policy;
	if (json_unpack((json_t *)json,
			"{s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:i, s:o, "
			"s?s, s:i, s:i !}",
			"id", &id, "class", &class, "match", &match, "action", &action, "flags",
			&flags, "object", &object, "number", &number, "device", &parts.device,
			"sources", &parts.sources, "source_dirs", &parts.source_dirs, "args",
			&parts.args, "syscalls", &parts.syscalls, "severity", &rule->severity,
			"tags", &parts.tags, "message", &message, "line", &line, "column",
			&column) < 0)
		return -EBADMSG;
	if (class < 0 || class >= PCL_CLASS_COUNT || match < 0 || match >= PCL_MATCH_COUNT ||
	    action < 0 || action >= PCL_ACTION_COUNT || number < 0 || line < 0 || column < 0)
		return -EBADMSG;
	rule->class = (enum pcl_class) class;
	rule->match = (enum pcl_match)match;
	rule->action = (enum pcl_action)action;
	rule->flags = (unsigned)flags;
	rule->number = (unsigned)number;
	rule->place = (struct pcl_place){(uint32_t)line, (uint32_t)column};
	if (copy_text(id, &rule->id) || copy_text(object, &rule->object) ||
	    copy_text(message, &rule->message))
		return -ENOMEM;
	error = parts_from_json(&parts, rule);
	return !error && !is_sound_rule(rule) ? -EBADMSG : error;
}

static int policy_from_json(const json_t *json, struct pcl_policy_set *set)
{
	json_t *selector, *expressions, *containers, *rules, *item;
	const char *name, *ns = NULL, *file;
	struct pcl_policy *policy;
	int kind, line, column, error;
	size_t i;

	policy = calloc(1, sizeof(*policy));
	if (!policy || pcl_array_grow(&set->policies, set->policy_count, sizeof(policy))) {
		free(policy);
		return -ENOMEM;
	}
	set->policies[set->policy_count++] = policy;
	if (json_unpack((json_t *)json, "{s:i, s:s, s?s, s:s, s:i, s:i, s:o, s:o, s:o, s:o !}",
			"kind", &kind, "name", &name, "namespace", &ns, "file", &file, "line",
			&line, "column", &column, "selector", &selector, "expressions",
			&expressions, "containers", &containers, "rules", &rules) < 0 ||
	    kind < 0 || kind >= PCL_KIND_COUNT || line < 0 || column < 0 || !json_is_array(rules))
		return -EBADMSG;
	policy->kind = (enum pcl_kind)kind;
	policy->place = (struct pcl_place){(uint32_t)line, (uint32_t)column};
	if (copy_text(name, &policy->name) || copy_text(ns, &policy->ns) ||
	    copy_text(file, &policy->file))
		return -ENOMEM;
	error = labels_from_json(selector, &policy->selector, &policy->selector_count);
	if (!error)
		error = expressions_from_json(expressions, policy);
	if (!error)
		error = strings_from_json(containers, &policy->containers,
					  &policy->container_count);
	json_array_foreach(rules, i, item) {
		if (error)
			return error;
		error = rule_from_json(item, policy);
	}
	return !error && !is_sound_policy(policy) ? -EBADMSG : error;
}

int pcl_policies_from_json(const json_t *json, struct pcl_policy_set **ret_set,
			   struct pcl_diag *diag)
{
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	const json_t *item;
	size_t i;
	int error = pcl_policy_set_new(&set);

	if (!error && !json_is_array(json))
		error = -EBADMSG;
	json_array_foreach(json, i, item) {
		if (error)
			break;
		error = policy_from_json(item, set);
	}
	if (error == -EBADMSG)
		return pcl_diag_set(diag, error,
				    "the saved policies are damaged; run \"portcullis remove\" "
				    "and apply the policies again");
	if (error)
		return pcl_diag_set(diag, error, "out of memory");
	*ret_set = pcl_take_ptr(set);
	return 0;
}
