/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy's head: metadata, selectors, and what its sections inherit.
 *
 * A selector is never guessed: what a policy selects decides where it is enforced, so a mistake in
 * it refuses the policy, and an empty one is noticed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/reader.h"

#define DEFAULT_NAMESPACE "default"
/* Kubernetes' limits for object names and namespaces. */
#define NAME_LEN_MAX 253
#define NAMESPACE_LEN_MAX 63
/* With a list as its value it selects several containers of a pod. */
#define CONTAINER_NAME_LABEL "kubearmor.io/container.name"

static const char *const document_words[] = {"apiVersion", "kind",   "metadata",
					     "spec",	   "status", NULL};

/* What Kubernetes itself writes there has no meaning for enforcement. */
static const char *const metadata_words[] = {"name",
					     "namespace",
					     "labels",
					     "annotations",
					     "uid",
					     "generation",
					     "resourceVersion",
					     "creationTimestamp",
					     "deletionTimestamp",
					     "ownerReferences",
					     "finalizers",
					     "managedFields",
					     "selfLink",
					     "generateName",
					     "clusterName",
					     NULL};

#define SPEC_WORDS                                                                                 \
	"process", "file", "network", "capabilities", "syscalls", "apparmor", "severity", "tags",  \
		"message", "action"

static const char *const container_words[] = {"selector", SPEC_WORDS, "presets", NULL};
static const char *const host_words[] = {"nodeSelector", SPEC_WORDS, "device", NULL};
static const char *const *const spec_words[PCL_KIND_COUNT] = {
	[PCL_KIND_CONTAINER] = container_words,
	[PCL_KIND_HOST] = host_words,
	[PCL_KIND_CLUSTER] = container_words,
};

static const char *const container_selector_words[] = {"matchLabels", "matchExpressions",
						       "containers", NULL};
static const char *const host_selector_words[] = {"matchLabels", NULL};
static const char *const cluster_selector_words[] = {"matchExpressions", NULL};
static const char *const *const selector_words[PCL_KIND_COUNT] = {
	[PCL_KIND_CONTAINER] = container_selector_words,
	[PCL_KIND_HOST] = host_selector_words,
	[PCL_KIND_CLUSTER] = cluster_selector_words,
};

/* Names travel in rule ids ("NAMESPACE/NAME#..."), so they must not hold their separators. */
static int check_name(struct pcl_reader *reader, const struct pcl_yaml_node *node, const char *what,
		      size_t len_max)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-._";

	if (node->text_len > len_max)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "%s is longer than %zu characters; shorten it", what,
				      len_max);
	if (!node->text_len || node->text[strspn(node->text, letters)])
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "%s \"%.80s\" cannot be used; it must consist of letters, "
				      "digits, \"-\", \".\" and \"_\"",
				      what, node->text);
	return 0;
}

static int read_name(struct pcl_reader *reader, const struct pcl_yaml_node *node, const char *what,
		     size_t len_max, char **ret_name)
{
	const char *text;
	char *copy;
	int error;

	error = pcl_yaml_string(reader->file, node, &text, reader->diag);
	if (!error)
		error = check_name(reader, node, what, len_max);
	if (error)
		return error;
	copy = strdup(text);
	if (!copy)
		return pcl_reader_no_memory(reader);
	*ret_name = copy;
	return 0;
}

static int read_metadata(struct pcl_reader *reader, const struct pcl_yaml_node *document,
			 struct pcl_policy *policy)
{
	const struct pcl_yaml_node *metadata = pcl_reader_get(document, "metadata"), *node;
	int error;

	if (!metadata && reader->suspect)
		return 0;
	if (!metadata)
		return pcl_yaml_error(reader->file, document, reader->diag, -EINVAL,
				      "the policy has no metadata; add metadata.name");
	error = pcl_reader_words(reader, metadata, metadata_words, "metadata");
	if (error)
		return error;
	node = pcl_reader_get(metadata, "name");
	if (!node)
		return pcl_yaml_error(reader->file, metadata, reader->diag, -EINVAL,
				      "the policy has no metadata.name; add one");
	error = read_name(reader, node, "the policy's name", NAME_LEN_MAX, &policy->name);
	if (error)
		return error;
	node = pcl_reader_get(metadata, "namespace");
	if (policy->kind != PCL_KIND_CONTAINER)
		return node ? pcl_reader_notice(reader, node,
						"a %s has no namespace; it is ignored",
						pcl_kind_name(policy->kind))
			    : 0;
	if (node)
		return read_name(reader, node, "the namespace", NAMESPACE_LEN_MAX, &policy->ns);
	policy->ns = strdup(DEFAULT_NAMESPACE);
	return policy->ns ? 0 : pcl_reader_no_memory(reader);
}

static int add_label(struct pcl_reader *reader, struct pcl_policy *policy, const char *key,
		     const char *value)
{
	struct pcl_label label;

	if (pcl_array_grow(&policy->selector, policy->selector_count, sizeof(*policy->selector)))
		return pcl_reader_no_memory(reader);
	label.key = strdup(key);
	label.value = strdup(value);
	if (!label.key || !label.value) {
		free(label.key);
		free(label.value);
		return pcl_reader_no_memory(reader);
	}
	policy->selector[policy->selector_count++] = label;
	return 0;
}

/* "[one, two]", as text, for it is a label's value. */
static int read_container_list(struct pcl_reader *reader, const struct pcl_yaml_node *node,
			       struct pcl_policy *policy)
{
	const char *at = node->text + 1, *end = strchr(at, ']');

	if (!end || end[1])
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "the list of containers \"%.80s\" has no end; close it with "
				      "\"]\"",
				      node->text);
	while (at < end) {
		size_t len = strcspn(at, ",]");
		size_t skip = strspn(at, " "), name_len;
		pcl_autofree char *name = NULL;

		for (name_len = len; name_len > skip && at[name_len - 1] == ' ';)
			name_len--;
		if (name_len <= skip)
			return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
					      "the list of containers \"%.80s\" has an empty name; "
					      "remove it",
					      node->text);
		name = strndup(at + skip, name_len - skip);
		if (!name || pcl_strings_add(&policy->containers, &policy->container_count, name))
			return pcl_reader_no_memory(reader);
		at += len + 1;
	}
	return 0;
}

static int read_labels(struct pcl_reader *reader, const struct pcl_yaml_node *labels,
		       const char *context, struct pcl_policy *policy)
{
	if (labels->type != PCL_YAML_MAPPING)
		return pcl_yaml_error(reader->file, labels, reader->diag, -EINVAL,
				      "%s.matchLabels must be a mapping; write its labels as "
				      "\"name: value\"",
				      context);
	for (size_t i = 0; i < labels->count; i++) {
		const struct pcl_yaml_node *node = labels->items[i];
		const char *value;
		int error;

		error = pcl_yaml_string(reader->file, node, &value, reader->diag);
		if (!error && value[0] == '[' &&
		    !strcmp(labels->keys[i]->text, CONTAINER_NAME_LABEL))
			error = read_container_list(reader, node, policy);
		else if (!error)
			error = add_label(reader, policy, labels->keys[i]->text, value);
		if (error)
			return error;
	}
	return 0;
}

static int read_key(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
		    const struct pcl_policy *policy, struct pcl_expression *expression)
{
	static const char *const keys[] = {"label", "namespace", NULL};
	const struct pcl_yaml_node *node = pcl_reader_get(entry, "key");
	const char *key;
	int error;

	if (!node)
		return pcl_yaml_error(reader->file, entry, reader->diag, -EINVAL,
				      "the expression has no key; add key: label");
	error = pcl_yaml_string(reader->file, node, &key, reader->diag);
	if (error)
		return error;
	expression->on_namespace = !strcmp(key, keys[1]);
	if (!expression->on_namespace && strcmp(key, keys[0]) != 0)
		return pcl_reader_unknown(reader, node, "key of an expression", key, keys);
	if (expression->on_namespace && policy->kind != PCL_KIND_CLUSTER)
		return pcl_yaml_error(reader->file, node, reader->diag, -EINVAL,
				      "only a %s selects by namespace; set metadata.namespace, or "
				      "change the kind",
				      pcl_kind_name(PCL_KIND_CLUSTER));
	return 0;
}

static int read_operator(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
			 struct pcl_expression *expression)
{
	static const char *const operators[] = {"In", "NotIn", NULL};
	const struct pcl_yaml_node *node = pcl_reader_get(entry, "operator");
	const char *text;
	int error;

	if (!node)
		return pcl_yaml_error(reader->file, entry, reader->diag, -EINVAL,
				      "the expression has no operator; add operator: In or NotIn");
	error = pcl_yaml_string(reader->file, node, &text, reader->diag);
	if (error)
		return error;
	expression->negated = !strcmp(text, operators[1]);
	if (!expression->negated && strcmp(text, operators[0]) != 0)
		return pcl_reader_unknown(reader, node, "operator", text, operators);
	return 0;
}

static int read_values(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
		       struct pcl_expression *expression)
{
	const struct pcl_yaml_node *list = pcl_reader_get(entry, "values");
	int error;

	if (!list || (list->type == PCL_YAML_SEQUENCE && !list->count))
		return pcl_yaml_error(reader->file, list ? list : entry, reader->diag, -EINVAL,
				      "the expression has no values; add some");
	error = pcl_reader_texts(reader, list, "values", &expression->values,
				 &expression->value_count);
	for (size_t i = 0; !error && i < list->count; i++) {
		const char *text = list->items[i]->text, *equals = strchr(text, '=');

		if (!expression->on_namespace && (!equals || equals == text))
			error = pcl_yaml_error(reader->file, list->items[i], reader->diag, -EINVAL,
					       "\"%.80s\" is no label; write it as \"name=value\"",
					       text);
	}
	return error;
}

static int read_expression(struct pcl_reader *reader, const struct pcl_yaml_node *entry,
			   struct pcl_policy *policy)
{
	static const char *const words[] = {"key", "operator", "values", NULL};
	struct pcl_expression *expression;
	int error;

	error = pcl_reader_words(reader, entry, words, "matchExpressions");
	if (error)
		return error;
	if (pcl_array_grow(&policy->expressions, policy->expression_count, sizeof(*expression)))
		return pcl_reader_no_memory(reader);
	expression = &policy->expressions[policy->expression_count++];
	memset(expression, 0, sizeof(*expression));
	error = read_key(reader, entry, policy, expression);
	if (!error)
		error = read_operator(reader, entry, expression);
	return error ? error : read_values(reader, entry, expression);
}

static int read_selector_parts(struct pcl_reader *reader, const struct pcl_yaml_node *selector,
			       const char *key, struct pcl_policy *policy)
{
	const struct pcl_yaml_node *labels, *expressions, *containers;
	int error;

	error = pcl_reader_words(reader, selector, selector_words[policy->kind], key);
	if (error)
		return error;
	labels = pcl_reader_get(selector, "matchLabels");
	if (labels && policy->kind != PCL_KIND_CLUSTER)
		error = read_labels(reader, labels, key, policy);
	expressions = pcl_reader_get(selector, "matchExpressions");
	if (!error && expressions && policy->kind != PCL_KIND_HOST) {
		error = pcl_reader_list(reader, expressions, "matchExpressions", "key: label");
		for (size_t i = 0; !error && i < expressions->count; i++)
			error = pcl_reader_catch(reader,
						 read_expression(reader, expressions->items[i],
								 policy));
	}
	containers = pcl_reader_get(selector, "containers");
	if (!error && containers && policy->kind == PCL_KIND_CONTAINER)
		error = pcl_reader_texts(reader, containers, "containers", &policy->containers,
					 &policy->container_count);
	pcl_texts_sort(policy->containers, &policy->container_count);
	return error;
}

/* An empty selector of a host policy would silently mean every host, so it must say so. */
static int read_selector(struct pcl_reader *reader, const struct pcl_yaml_node *spec,
			 struct pcl_policy *policy)
{
	const char *key = policy->kind == PCL_KIND_HOST ? "nodeSelector" : "selector";
	const struct pcl_yaml_node *selector = pcl_reader_get(spec, key);
	const struct pcl_yaml_node *place = selector ? selector : spec;
	size_t problems = reader->problems->count;
	int error = 0;

	if (selector)
		error = read_selector_parts(reader, selector, key, policy);
	if (error || policy->selector_count || policy->expression_count ||
	    policy->container_count || reader->problems->count > problems)
		return error;
	switch (policy->kind) {
	case PCL_KIND_HOST:
		return pcl_yaml_error(reader->file, place, reader->diag, -EINVAL,
				      "nodeSelector.matchLabels is missing or empty; write "
				      "kubearmor.io/hostname: \"*\" for every host");
	case PCL_KIND_CONTAINER:
		return pcl_reader_notice(reader, place,
					 "the selector is empty; the policy holds for every "
					 "container of namespace %s",
					 policy->ns);
	case PCL_KIND_CLUSTER:
		return pcl_reader_notice(reader, place,
					 "the selector is empty; the policy holds for every "
					 "container of every namespace");
	}
	return 0;
}

static int read_spec(struct pcl_reader *reader, const struct pcl_yaml_node *document,
		     struct pcl_policy *policy)
{
	const struct pcl_yaml_node *spec = pcl_reader_get(document, "spec");
	struct pcl_attributes attributes = {0};
	size_t problems = reader->problems->count;
	int error;

	if (!spec && reader->suspect)
		return 0;
	if (!spec)
		return pcl_yaml_error(reader->file, document, reader->diag, -EINVAL,
				      "the policy has no spec; add one");
	error = pcl_reader_words(reader, spec, spec_words[policy->kind], "spec");
	if (!error)
		error = pcl_reader_catch(reader, read_selector(reader, spec, policy));
	if (!error)
		error = pcl_reader_attributes(reader, spec, &attributes);
	if (!error)
		error = pcl_reader_sections(reader, policy, spec, &attributes);
	if (!error && !policy->rule_count && reader->problems->count == problems)
		error = pcl_reader_notice(reader, document,
					  "policy \"%s\" has no rules; it does nothing",
					  policy->name);
	return error;
}

int pcl_reader_policy(struct pcl_reader *reader, enum pcl_kind kind,
		      const struct pcl_yaml_node *document)
{
	pcl_cleanup(pcl_policy_free) struct pcl_policy *policy = NULL;
	size_t problems = reader->problems->count + reader->problems->left_out;
	struct pcl_policy_set *set = reader->set;
	int error;

	error = pcl_reader_words(reader, document, document_words, "the policy");
	reader->suspect = reader->problems->count + reader->problems->left_out > problems;
	if (error)
		return error;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return pcl_reader_no_memory(reader);
	policy->kind = kind;
	policy->place = document->place;
	policy->file = strdup(reader->file->name);
	if (!policy->file)
		return pcl_reader_no_memory(reader);
	error = pcl_reader_catch(reader, read_metadata(reader, document, policy));
	/* A policy without a name goes on under none, to find its other mistakes. */
	if (!error && !policy->name)
		policy->name = strdup("");
	if (!error && kind == PCL_KIND_CONTAINER && !policy->ns)
		policy->ns = strdup(DEFAULT_NAMESPACE);
	if (!policy->name || (kind == PCL_KIND_CONTAINER && !policy->ns))
		error = pcl_reader_no_memory(reader);
	if (!error)
		error = read_spec(reader, document, policy);
	if (error)
		return error;
	if (pcl_array_grow(&set->policies, set->policy_count, sizeof(*set->policies)))
		return pcl_reader_no_memory(reader);
	set->policies[set->policy_count++] = pcl_take_ptr(policy);
	return 0;
}
