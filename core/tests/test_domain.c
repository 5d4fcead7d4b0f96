/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains, and which policies select them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/domain.h"
#include "support.h"

#define autoset pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set
#define autodomain pcl_cleanup(pcl_domain_free) struct pcl_domain

static struct pcl_domain *container(const char *name, const char *ns, const char *labels)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_domain *domain = NULL;

	if (pcl_domain_new(name, ns, labels, &domain, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return domain;
}

static struct pcl_domain *host(const char *hostname, const char *labels)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct pcl_domain *domain = NULL;

	if (pcl_domain_new_host(hostname, labels, &domain, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return domain;
}

/* Whether a policy of kind with this selector ("{a: b}") selects domain. */
static bool selected(const struct pcl_domain *domain, const char *kind, const char *ns,
		     const char *labels)
{
	bool is_host = !strcmp(kind, TEST_HOST);
	pcl_autofree char *text = NULL;
	autoset *set = NULL;

	assert_true(asprintf(&text,
			     "apiVersion: security.kubearmor.com/v1\nkind: %s\n"
			     "metadata: {name: p, namespace: %s}\nspec: {%s: {matchLabels: %s}}\n",
			     kind, ns, is_host ? "nodeSelector" : "selector", labels) > 0);
	set = test_read(text);
	return pcl_domain_selected(domain, set->policies[0]);
}

static void labels_are_parsed(void **state)
{
	autodomain *domain = container("web-1", "shop", "app=web,example.org/tier=,x=y.z_1-2,");

	(void)state;
	assert_false(domain->host);
	assert_string_equal(domain->ns, "shop");
	assert_int_equal(domain->label_count, 3);
	assert_string_equal(domain->labels[1].key, "example.org/tier");
	assert_string_equal(domain->labels[1].value, "");
	assert_string_equal(domain->labels[2].value, "y.z_1-2");
}

static void bad_names_and_labels_are_refused(void **state)
{
	static const struct {
		const char *name;
		const char *ns;
		const char *labels;
		const char *part;
	} bad[] = {
		{"", NULL, NULL, "domain name"},
		{"host", NULL, NULL, "taken by the host"},
		{"a/b", NULL, NULL, "domain name"},
		{"a b", NULL, NULL, "domain name"},
		{"a", "", NULL, "namespace"},
		{"a", "n/s", NULL, "namespace"},
		{"a", NULL, "b", "key=value"},
		{"a", NULL, "=b", "key=value"},
		{"a", NULL, ",b=c", "key=value"},
		{"a", NULL, "b=c,,d=e", "key=value"},
		{"a", NULL, "b c=d", "label key"},
		{"a", NULL, "b=c/d", "the value of label \"b\""},
		{"a", NULL, "b=*", "the value of label \"b\""},
		{"a", NULL, "b=1,c=2,b=3", "given twice"},
		{"a2345678901234567890123456789012345678901234567890123456789012345", NULL, NULL,
		 "1 to 63"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(bad); i++) {
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
		autodomain *domain = NULL;

		assert_int_equal(pcl_domain_new(bad[i].name, bad[i].ns, bad[i].labels, &domain,
						&diag),
				 -EINVAL);
		test_contains(pcl_diag_text(&diag), bad[i].part);
		assert_null(domain);
	}
}

static void every_selector_label_must_hold(void **state)
{
	autodomain *domain = container("web", "shop", "app=web,tier=front");

	(void)state;
	assert_true(selected(domain, TEST_CONTAINER, "shop", "{app: web}"));
	assert_true(selected(domain, TEST_CONTAINER, "shop", "{app: web, tier: front}"));
	assert_true(selected(domain, TEST_CONTAINER, "shop", "{}"));
	assert_false(selected(domain, TEST_CONTAINER, "shop", "{app: web, tier: back}"));
	assert_false(selected(domain, TEST_CONTAINER, "shop", "{app: web, zone: a}"));
	assert_false(selected(domain, TEST_CONTAINER, "shop", "{app: \"*\"}"));
	assert_false(selected(domain, TEST_CONTAINER, "other", "{app: web}"));
	assert_false(selected(domain, TEST_HOST, "shop", "{kubearmor.io/hostname: \"*\"}"));
	assert_false(selected(domain, TEST_CONTAINER, "shop", "{kubearmor.io/hostname: \"*\"}"));
}

static void a_domain_without_a_namespace_is_in_all(void **state)
{
	autodomain *domain = container("web", NULL, "app=web");

	(void)state;
	assert_true(selected(domain, TEST_CONTAINER, "shop", "{app: web}"));
	assert_true(selected(domain, TEST_CONTAINER, "other", "{app: web}"));
}

static void a_container_is_picked_by_its_name(void **state)
{
	autodomain *domain = container("web", NULL, NULL);
	autodomain *labelled = container("web", NULL, "kubearmor.io/container.name=other");

	(void)state;
	assert_true(selected(domain, TEST_CONTAINER, "n", "{kubearmor.io/container.name: web}"));
	assert_false(selected(domain, TEST_CONTAINER, "n", "{kubearmor.io/container.name: we}"));
	assert_false(selected(labelled, TEST_CONTAINER, "n", "{kubearmor.io/container.name: web}"));
}

static void the_host_is_selected_by_host_policies_only(void **state)
{
	autodomain *domain = host("node-1", "zone=a");

	(void)state;
	assert_true(domain->host);
	assert_string_equal(domain->name, PCL_HOST_DOMAIN_NAME);
	assert_true(selected(domain, TEST_HOST, "x", "{kubearmor.io/hostname: \"*\"}"));
	assert_true(selected(domain, TEST_HOST, "x", "{kubearmor.io/hostname: node-1}"));
	assert_true(selected(domain, TEST_HOST, "x", "{kubernetes.io/hostname: node-1}"));
	assert_true(selected(domain, TEST_HOST, "x", "{kubernetes.io/os: linux, zone: a}"));
	assert_false(selected(domain, TEST_HOST, "x", "{kubernetes.io/hostname: \"*\"}"));
	assert_false(selected(domain, TEST_HOST, "x", "{kubernetes.io/hostname: node-2}"));
	assert_false(selected(domain, TEST_HOST, "x", "{zone: b}"));
	assert_false(selected(domain, TEST_CONTAINER, "x", "{}"));
	assert_false(selected(domain, TEST_CONTAINER, "x", "{zone: a}"));
}

static void extra_labels_may_replace_the_hosts_own(void **state)
{
	autodomain *domain = host("node-1", "kubernetes.io/hostname=other");

	(void)state;
	assert_int_equal(domain->label_count, 3);
	assert_true(selected(domain, TEST_HOST, "x", "{kubernetes.io/hostname: other}"));
}

static void copies_as(const struct pcl_domain *domain)
{
	autodomain *copy = NULL;

	assert_int_equal(pcl_domain_copy(domain, &copy), 0);
	assert_ptr_not_equal(copy, domain);
	assert_ptr_not_equal(copy->name, domain->name);
	assert_string_equal(copy->name, domain->name);
	assert_int_equal(copy->host, domain->host);
	assert_true(!copy->ns == !domain->ns);
	if (domain->ns)
		assert_string_equal(copy->ns, domain->ns);
	assert_int_equal(copy->label_count, domain->label_count);
	for (size_t i = 0; i < domain->label_count; i++) {
		assert_ptr_not_equal(copy->labels[i].value, domain->labels[i].value);
		assert_string_equal(copy->labels[i].key, domain->labels[i].key);
		assert_string_equal(copy->labels[i].value, domain->labels[i].value);
	}
}

static void a_copy_is_the_same_and_its_own(void **state)
{
	autodomain *web = container("web", "shop", "app=web,tier=front,a=,b=1,c=2");
	autodomain *bare = container("bare", NULL, NULL);
	autodomain *node = host("node-1", "kubernetes.io/hostname=other,zone=a");

	(void)state;
	copies_as(web);
	copies_as(bare);
	copies_as(node);
}

/* The same with an expression, of a policy of namespace "n". */
static bool expressed(const struct pcl_domain *domain, const char *kind, const char *expressions)
{
	pcl_autofree char *text = NULL;
	autoset *set = NULL;

	assert_true(asprintf(&text,
			     "apiVersion: security.kubearmor.com/v1\nkind: %s\n"
			     "metadata: {name: p%s}\nspec: {selector: {matchExpressions: [%s]}}\n",
			     kind, strcmp(kind, TEST_CONTAINER) ? "" : ", namespace: n",
			     expressions) > 0);
	set = test_read(text);
	return pcl_domain_selected(domain, set->policies[0]);
}

#define CLUSTER "KubeArmorClusterPolicy"
#define IN(key, values) "{key: " key ", operator: In, values: [" values "]}"
#define NOT_IN(key, values) "{key: " key ", operator: NotIn, values: [" values "]}"

static void expressions_on_labels(void **state)
{
	autodomain *domain = container("c", "n", "app=web,tier=front");

	(void)state;
	assert_true(expressed(domain, TEST_CONTAINER, IN("label", "app=web")));
	assert_true(expressed(domain, TEST_CONTAINER, IN("label", "app=db, app=web")));
	assert_false(expressed(domain, TEST_CONTAINER, IN("label", "app=db")));
	assert_false(expressed(domain, TEST_CONTAINER, IN("label", "ap=web")));
	assert_false(expressed(domain, TEST_CONTAINER, NOT_IN("label", "app=db, app=web")));
	assert_true(expressed(domain, TEST_CONTAINER, NOT_IN("label", "app=db, none=x")));
	assert_true(expressed(domain, TEST_CONTAINER,
			      IN("label", "app=web") ", " NOT_IN("label", "tier=back")));
	assert_false(expressed(domain, TEST_CONTAINER,
			       IN("label", "app=web") ", " NOT_IN("label", "tier=front")));
}

static void cluster_policies_select_by_namespace(void **state)
{
	autodomain *domain = container("c", "shop", "app=web");
	autodomain *nowhere = container("c", NULL, "app=web");
	autodomain *node = host("node-1", NULL);

	(void)state;
	assert_true(expressed(domain, CLUSTER, IN("namespace", "shop, other")));
	assert_false(expressed(domain, CLUSTER, IN("namespace", "other")));
	assert_false(expressed(domain, CLUSTER, NOT_IN("namespace", "shop")));
	assert_true(expressed(domain, CLUSTER, NOT_IN("namespace", "other")));
	assert_false(expressed(domain, CLUSTER,
			       IN("namespace", "shop") ", " NOT_IN("label", "app=web")));
	assert_true(expressed(domain, CLUSTER, ""));
	assert_true(expressed(nowhere, CLUSTER, IN("namespace", "other")));
	assert_false(expressed(node, CLUSTER, ""));
}

static void a_list_of_containers_picks_one_of_them(void **state)
{
	autodomain *domain = container("web-1", "shop", "app=web");

	(void)state;
	assert_true(selected(domain, TEST_CONTAINER, "shop",
			     "{kubearmor.io/container.name: \"[db-1, web-1]\"}"));
	assert_false(selected(domain, TEST_CONTAINER, "shop",
			      "{kubearmor.io/container.name: \"[db-1]\"}"));
	assert_false(selected(domain, TEST_CONTAINER, "shop",
			      "{app: db, kubearmor.io/container.name: \"[web-1]\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_parsed),
		cmocka_unit_test(bad_names_and_labels_are_refused),
		cmocka_unit_test(every_selector_label_must_hold),
		cmocka_unit_test(a_domain_without_a_namespace_is_in_all),
		cmocka_unit_test(a_container_is_picked_by_its_name),
		cmocka_unit_test(the_host_is_selected_by_host_policies_only),
		cmocka_unit_test(extra_labels_may_replace_the_hosts_own),
		cmocka_unit_test(a_copy_is_the_same_and_its_own),
		cmocka_unit_test(expressions_on_labels),
		cmocka_unit_test(cluster_policies_select_by_namespace),
		cmocka_unit_test(a_list_of_containers_picks_one_of_them),
	};

	return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
