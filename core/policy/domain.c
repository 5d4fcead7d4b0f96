/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains and the selectors that choose them.
 *
 * Works on names and labels only; it must not ask the system who it is.
 */
#include "policy/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* As Kubernetes limits them: names and label values, and prefix/name of a label key. */
#define NAME_LEN_MAX 63
#define LABEL_KEY_LEN_MAX (253 + 1 + 63)

#define ANY_HOST_LABEL "kubearmor.io/hostname"
#define CONTAINER_NAME_LABEL "kubearmor.io/container.name"

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

static bool is_name(const char *text, size_t len, size_t len_max, const char *letters)
{
	return len <= len_max && strspn(text, letters) >= len;
}

static struct pcl_label *find_label(const struct pcl_domain *domain, const char *key)
{
	for (size_t i = 0; i < domain->label_count; i++)
		if (!strcmp(domain->labels[i].key, key))
			return &domain->labels[i];
	return NULL;
}

/* Takes key and value, also on error. A label that is there already gets the new value. */
static int set_label(struct pcl_domain *domain, char *key, char *value)
{
	pcl_autofree char *owned_key = key, *owned_value = value;
	struct pcl_label *label;

	if (!key || !value)
		return -ENOMEM;
	label = find_label(domain, key);
	if (label) {
		free(label->value);
		label->value = pcl_take_ptr(owned_value);
		return 0;
	}
	if (pcl_array_grow(&domain->labels, domain->label_count, sizeof(*domain->labels)))
		return -ENOMEM;
	label = &domain->labels[domain->label_count++];
	label->key = pcl_take_ptr(owned_key);
	label->value = pcl_take_ptr(owned_value);
	return 0;
}

/* builtin_count labels from the front may be replaced, those of the list itself may not. */
static int parse_label(struct pcl_domain *domain, const char *text, size_t len,
		       size_t builtin_count, struct pcl_diag *diag)
{
	const char *equals = memchr(text, '=', len);
	size_t key_len = equals ? (size_t)(equals - text) : 0;
	pcl_autofree char *key = NULL;
	const struct pcl_label *old;
	int error;

	if (!key_len)
		return pcl_diag_set(diag, -EINVAL, "label \"%.*s\" is not of the form key=value",
				    (int)len, text);
	if (!is_name(text, key_len, LABEL_KEY_LEN_MAX, NAME_LETTERS "/"))
		return pcl_diag_set(diag, -EINVAL,
				    "label key \"%.*s\" must consist of letters, digits, \"-\", "
				    "\".\", \"_\" and \"/\"",
				    (int)key_len, text);
	if (!is_name(equals + 1, len - key_len - 1, NAME_LEN_MAX, NAME_LETTERS))
		return pcl_diag_set(diag, -EINVAL,
				    "the value of label \"%.*s\" must be at most %d letters, "
				    "digits, \"-\", \".\" and \"_\"",
				    (int)key_len, text, NAME_LEN_MAX);
	key = strndup(text, key_len);
	if (!key)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	old = find_label(domain, key);
	if (old && old >= domain->labels + builtin_count)
		return pcl_diag_set(diag, -EINVAL, "label \"%s\" is given twice", key);
	error = set_label(domain, pcl_take_ptr(key), strndup(equals + 1, len - key_len - 1));
	return error ? pcl_diag_set(diag, error, "out of memory") : 0;
}

static int parse_labels(struct pcl_domain *domain, const char *labels, struct pcl_diag *diag)
{
	size_t builtin_count = domain->label_count;

	while (labels && *labels) {
		size_t len = strcspn(labels, ",");
		int error = parse_label(domain, labels, len, builtin_count, diag);

		if (error)
			return error;
		labels += len;
		labels += *labels == ',';
	}
	return 0;
}

void pcl_domain_free(struct pcl_domain **domain)
{
	if (!*domain)
		return;
	for (size_t i = 0; i < (*domain)->label_count; i++) {
		free((*domain)->labels[i].key);
		free((*domain)->labels[i].value);
	}
	free((*domain)->labels);
	free((*domain)->name);
	free((*domain)->ns);
	free(*domain);
	*domain = NULL;
}

int pcl_domain_copy(const struct pcl_domain *domain, struct pcl_domain **ret_copy)
{
	pcl_cleanup(pcl_domain_free) struct pcl_domain *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	copy->host = domain->host;
	copy->name = strdup(domain->name);
	copy->ns = domain->ns ? strdup(domain->ns) : NULL;
	if (!copy->name || (domain->ns && !copy->ns))
		return -ENOMEM;
	for (size_t i = 0; i < domain->label_count; i++)
		if (set_label(copy, strdup(domain->labels[i].key), strdup(domain->labels[i].value)))
			return -ENOMEM;
	*ret_copy = pcl_take_ptr(copy);
	return 0;
}

int pcl_domain_new(const char *name, const char *ns, const char *labels,
		   struct pcl_domain **ret_domain, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	int error;

	if (!*name || !is_name(name, strlen(name), NAME_LEN_MAX, NAME_LETTERS))
		return pcl_diag_set(diag, -EINVAL,
				    "domain name \"%s\" must be 1 to %d letters, digits, \"-\", "
				    "\".\" and \"_\"",
				    name, NAME_LEN_MAX);
	if (!strcmp(name, PCL_HOST_DOMAIN_NAME))
		return pcl_diag_set(diag, -EINVAL,
				    "the domain name \"%s\" is taken by the host; choose another",
				    name);
	if (ns && (!*ns || !is_name(ns, strlen(ns), NAME_LEN_MAX, NAME_LETTERS)))
		return pcl_diag_set(diag, -EINVAL,
				    "namespace \"%s\" must be 1 to %d letters, digits, \"-\", "
				    "\".\" and \"_\"",
				    ns, NAME_LEN_MAX);
	domain = calloc(1, sizeof(*domain));
	if (domain) {
		domain->name = strdup(name);
		domain->ns = ns ? strdup(ns) : NULL;
	}
	if (!domain || !domain->name || (ns && !domain->ns))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	error = parse_labels(domain, labels, diag);
	if (error)
		return error;
	*ret_domain = pcl_take_ptr(domain);
	return 0;
}

int pcl_domain_new_host(const char *hostname, const char *labels, struct pcl_domain **ret_domain,
			struct pcl_diag *diag)
{
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	int error;

	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	domain->host = true;
	domain->name = strdup(PCL_HOST_DOMAIN_NAME);
	error = domain->name ? 0 : -ENOMEM;
	if (!error)
		error = set_label(domain, strdup("kubernetes.io/hostname"), strdup(hostname));
	if (!error)
		error = set_label(domain, strdup(ANY_HOST_LABEL), strdup(hostname));
	if (!error)
		error = set_label(domain, strdup("kubernetes.io/os"), strdup("linux"));
	if (error)
		return pcl_diag_set(diag, error, "out of memory");
	error = parse_labels(domain, labels, diag);
	if (error)
		return error;
	*ret_domain = pcl_take_ptr(domain);
	return 0;
}

static bool label_holds(const struct pcl_domain *domain, const struct pcl_label *wanted)
{
	const struct pcl_label *label = find_label(domain, wanted->key);

	if (label && !strcmp(label->value, wanted->value))
		return true;
	if (domain->host)
		return !strcmp(wanted->key, ANY_HOST_LABEL) && !strcmp(wanted->value, "*");
	/* Outside of Kubernetes a policy picks a container by its name, written as a label. */
	return !label && !strcmp(wanted->key, CONTAINER_NAME_LABEL) &&
	       !strcmp(wanted->value, domain->name);
}

static bool has_text(char *const *texts, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(texts[i], text))
			return true;
	return false;
}

/* text is "key=value". */
static bool label_text_holds(const struct pcl_domain *domain, const char *text)
{
	size_t key_len = strcspn(text, "=");

	for (size_t i = 0; i < domain->label_count; i++)
		if (!strncmp(domain->labels[i].key, text, key_len) &&
		    !domain->labels[i].key[key_len] &&
		    !strcmp(domain->labels[i].value, text + key_len + 1))
			return true;
	return false;
}

static bool expression_holds(const struct pcl_domain *domain,
			     const struct pcl_expression *expression)
{
	bool found = false;

	if (expression->on_namespace) {
		/* A container outside of Kubernetes has no namespace to be told apart by. */
		if (!domain->ns)
			return true;
		found = has_text(expression->values, expression->value_count, domain->ns);
	}
	for (size_t i = 0; !expression->on_namespace && !found && i < expression->value_count; i++)
		found = label_text_holds(domain, expression->values[i]);
	return found != expression->negated;
}

static bool container_holds(const struct pcl_domain *domain, const struct pcl_policy *policy)
{
	const struct pcl_label *label = find_label(domain, CONTAINER_NAME_LABEL);

	return !policy->container_count || has_text(policy->containers, policy->container_count,
						    label ? label->value : domain->name);
}

/* A label, as a selector asks for it: "key=value". */
static int add_label(struct pcl_domain *domain, const char *key, size_t key_len, const char *value)
{
	struct pcl_label *label;

	if (pcl_array_grow(&domain->labels, domain->label_count, sizeof(*label)))
		return -ENOMEM;
	label = &domain->labels[domain->label_count++];
	label->key = strndup(key, key_len);
	label->value = strdup(value);
	return label->key && label->value ? 0 : -ENOMEM;
}

int pcl_domain_describe(const struct pcl_policy *policy, struct pcl_domain **ret_domain)
{
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = calloc(1, sizeof(*domain));
	const char *ns = policy->ns;
	int error = 0;

	if (!domain)
		return -ENOMEM;
	domain->host = policy->kind == PCL_KIND_HOST;
	for (size_t i = 0; !error && i < policy->selector_count; i++)
		error = add_label(domain, policy->selector[i].key, strlen(policy->selector[i].key),
				  policy->selector[i].value);
	for (size_t i = 0; !error && i < policy->expression_count; i++) {
		const struct pcl_expression *expression = &policy->expressions[i];
		const char *value = expression->values[0];

		if (!expression->negated && expression->on_namespace)
			ns = value;
		else if (!expression->negated)
			error = add_label(domain, value, strcspn(value, "="),
					  strchr(value, '=') + 1);
	}
	domain->name = strdup(domain->host		? PCL_HOST_DOMAIN_NAME
			      : policy->container_count ? policy->containers[0]
							: "container");
	domain->ns = ns ? strdup(ns) : NULL;
	if (error || !domain->name || (ns && !domain->ns))
		return -ENOMEM;
	*ret_domain = pcl_take_ptr(domain);
	return 0;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool pcl_domain_equal(const struct pcl_domain *a, const struct pcl_domain *b)
{
	if (a->host != b->host || a->label_count != b->label_count ||
	    !is_same_text(a->name, b->name) || !is_same_text(a->ns, b->ns))
		return false;
	for (size_t i = 0; i < a->label_count; i++)
		if (strcmp(a->labels[i].key, b->labels[i].key) != 0 ||
		    strcmp(a->labels[i].value, b->labels[i].value) != 0)
			return false;
	return true;
}

bool pcl_domain_selected(const struct pcl_domain *domain, const struct pcl_policy *policy)
{
	if (domain->host != (policy->kind == PCL_KIND_HOST))
		return false;
	if (domain->ns && policy->ns && strcmp(domain->ns, policy->ns) != 0)
		return false;
	for (size_t i = 0; i < policy->selector_count; i++)
		if (!label_holds(domain, &policy->selector[i]))
			return false;
	for (size_t i = 0; i < policy->expression_count; i++)
		if (!expression_holds(domain, &policy->expressions[i]))
			return false;
	return container_holds(domain, policy);
}
