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

static json_t *rule_to_json(const struct pcl_rule *rule)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:s, s:o, s:i, s:o, s:s*, s:i, s:i}", "id",
			 rule->id, "class", (int)rule->class, "match", (int)rule->match, "action",
			 (int)rule->action, "flags", (int)rule->flags, "object", rule->object,
			 "sources", strings_to_json(rule->sources, rule->source_count), "severity",
			 rule->severity, "tags", strings_to_json(rule->tags, rule->tag_count),
			 "message", rule->message, "line", (int)rule->place.line, "column",
			 (int)rule->place.column);
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
	return json_pack("{s:i, s:s, s:s*, s:o, s:i, s:i, s:o, s:O}", "kind", (int)policy->kind,
			 "name", policy->name, "namespace", policy->ns, "file",
			 pcl_text_to_json(policy->file), "line", (int)policy->place.line, "column",
			 (int)policy->place.column, "selector",
			 labels_to_json(policy->selector, policy->selector_count), "rules", rules);
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

static bool is_normal_path(const char *path)
{
	pcl_autofree char *normal = NULL;
	const char *reason;

	return !pcl_path_normalise(path, &normal, &reason) && !strcmp(path, normal);
}

/* What decide and the backends rely on. */
static bool is_sound(const struct pcl_rule *rule)
{
	const unsigned flags = PCL_RULE_READ_ONLY | PCL_RULE_OWNER_ONLY;

	if (!*rule->id || !is_normal_path(rule->object) || (rule->flags & ~flags) ||
	    rule->severity < 0 || rule->severity > PCL_SEVERITY_MAX)
		return false;
	for (size_t i = 0; i < rule->source_count; i++)
		if (!is_normal_path(rule->sources[i]) ||
		    (i && strcmp(rule->sources[i - 1], rule->sources[i]) >= 0))
			return false;
	return true;
}

/* Adds an empty rule first, so that whatever is filled in is owned by the policy at once. */
static int rule_from_json(const json_t *json, struct pcl_policy *policy)
{
	int class, match, action, flags, line, column, error;
	const char *id, *object, *message = NULL;
	json_t *sources, *tags;
	struct pcl_rule *rule;

	rule = calloc(1, sizeof(*rule));
	if (!rule || pcl_array_grow(&policy->rules, policy->rule_count, sizeof(rule))) {
		free(rule);
		return -ENOMEM;
	}
	policy->rules[policy->rule_count++] = rule;
	rule->policy = policy;
	if (json_unpack((json_t *)json,
			"{s:s, s:i, s:i, s:i, s:i, s:s, s:o, s:i, s:o, s?s, s:i, s:i !}", "id", &id,
			"class", &class, "match", &match, "action", &action, "flags", &flags,
			"object", &object, "sources", &sources, "severity", &rule->severity, "tags",
			&tags, "message", &message, "line", &line, "column", &column) < 0)
		return -EBADMSG;
	if (class < 0 || class >= PCL_CLASS_COUNT || match < 0 || match >= PCL_MATCH_COUNT ||
	    action < 0 || action >= PCL_ACTION_COUNT || line < 0 || column < 0)
		return -EBADMSG;
	rule->class = (enum pcl_class) class;
	rule->match = (enum pcl_match)match;
	rule->action = (enum pcl_action)action;
	rule->flags = (unsigned)flags;
	rule->place = (struct pcl_place){(uint32_t)line, (uint32_t)column};
	if (copy_text(id, &rule->id) || copy_text(object, &rule->object) ||
	    copy_text(message, &rule->message))
		return -ENOMEM;
	error = strings_from_json(sources, &rule->sources, &rule->source_count);
	if (!error)
		error = strings_from_json(tags, &rule->tags, &rule->tag_count);
	return !error && !is_sound(rule) ? -EBADMSG : error;
}

static int policy_from_json(const json_t *json, struct pcl_policy_set *set)
{
	const char *name, *ns = NULL, *file;
	json_t *selector, *rules, *item;
	struct pcl_policy *policy;
	int kind, line, column, error;
	size_t i;

	policy = calloc(1, sizeof(*policy));
	if (!policy || pcl_array_grow(&set->policies, set->policy_count, sizeof(policy))) {
		free(policy);
		return -ENOMEM;
	}
	set->policies[set->policy_count++] = policy;
	if (json_unpack((json_t *)json, "{s:i, s:s, s?s, s:s, s:i, s:i, s:o, s:o !}", "kind", &kind,
			"name", &name, "namespace", &ns, "file", &file, "line", &line, "column",
			&column, "selector", &selector, "rules", &rules) < 0 ||
	    kind < 0 || kind >= PCL_KIND_COUNT || !ns != (kind == PCL_KIND_HOST) || line < 0 ||
	    column < 0 || !json_is_array(rules))
		return -EBADMSG;
	policy->kind = (enum pcl_kind)kind;
	policy->place = (struct pcl_place){(uint32_t)line, (uint32_t)column};
	if (copy_text(name, &policy->name) || copy_text(ns, &policy->ns) ||
	    copy_text(file, &policy->file))
		return -ENOMEM;
	error = labels_from_json(selector, &policy->selector, &policy->selector_count);
	json_array_foreach(rules, i, item) {
		if (error)
			return error;
		error = rule_from_json(item, policy);
	}
	return error;
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
