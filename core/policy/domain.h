/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain: the tasks a policy applies to, the host or one container, as selectors see it.
 * How a task is recognised as a member (cgroup, namespaces) is the business of node/ and backends.
 */
#ifndef PCL_POLICY_DOMAIN_H
#define PCL_POLICY_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "policy/policy.h"

#define PCL_HOST_DOMAIN_NAME "host"

struct pcl_domain {
	char *name;
	bool host;
	char *ns; /* namespace of a container; NULL: policies of every namespace may select it */
	struct pcl_label *labels;
	size_t label_count;
};

/* labels is "k=v,k=v" or NULL. -EINVAL with diag for a bad name or label. */
int pcl_domain_new(const char *name, const char *ns, const char *labels,
		   struct pcl_domain **ret_domain, struct pcl_diag *diag);
/*
 * The host's domain: labels kubernetes.io/hostname and kubearmor.io/hostname (the host name) and
 * kubernetes.io/os=linux, then extra labels as above. hostname is given, not asked of the system.
 */
int pcl_domain_new_host(const char *hostname, const char *labels, struct pcl_domain **ret_domain,
			struct pcl_diag *diag);
void pcl_domain_free(struct pcl_domain **domain);
/* A copy of its own. 0 or -ENOMEM. */
int pcl_domain_copy(const struct pcl_domain *domain, struct pcl_domain **ret_copy);
/* The domain that has just what the policy's selector asks for. 0 or -ENOMEM. */
int pcl_domain_describe(const struct pcl_policy *policy, struct pcl_domain **ret_domain);
/* The same name, namespace and labels in the same order. */
bool pcl_domain_equal(const struct pcl_domain *a, const struct pcl_domain *b);

/*
 * Whether policy selects domain: host policies the host only, container policies containers only;
 * every selector label must be there with the same value; the value "*" of kubearmor.io/hostname
 * means any host; kubearmor.io/container.name stands for a container domain's name where it has no
 * such label; an empty selector of a container policy selects every container of its namespace.
 * Every expression must hold, too; one on the namespace holds for a domain without one.
 */
bool pcl_domain_selected(const struct pcl_domain *domain, const struct pcl_policy *policy);

#endif
