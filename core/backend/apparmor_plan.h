/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of the AppArmor backend: rulesets to the text of profiles. Pure: no I/O, the same input
 * gives the same plan on any machine, so it is tested without a kernel and shown to anybody.
 *
 * AppArmor knows no precedence but that deny wins, which is also the model's first rule. What a
 * rule does to an access (policy/decide.h) becomes "deny" lines for what it blocks and plain lines
 * for what it allows; a class that is no allow-list, or one with posture audit, is granted whole.
 *
 * What is audited is a superset of what an alert is due for: AppArmor cannot take an "audit" back,
 * so who reads the records asks the model (pcl_decide()) about each and drops what it is silent on.
 */
#ifndef PCL_BACKEND_APPARMOR_PLAN_H
#define PCL_BACKEND_APPARMOR_PLAN_H

#include <stdio.h>

#include "backend/backend.h"
#include "policy/decide.h"

/* What the kernel's AppArmor mediates, by its features. */
struct pcl_apparmor_features {
	bool file;
	bool network; /* sockets by family and type, network_v8 */
	bool capabilities;
};

/*
 * One profile to load. Several may be of one domain: besides its own one for each program that
 * some rule names as a source. They enter each other by name, so they are loaded as one set.
 */
struct pcl_apparmor_profile {
	uint32_t domain; /* id; 0 is the host */
	/*
	 * As the kernel knows it: PREFIX and the domain's name, as in portcullis-host; behind a
	 * source's a PCL_APPARMOR_SOURCE_MARK, which no domain's name has, and a hash of its path.
	 */
	char *name;
	char *source;  /* the program whose profile it is; NULL: the domain's own */
	char *text;    /* a whole policy file for the parser */
	uint64_t hash; /* of text without its comments, so that of what the parser makes of it */
};

#define PCL_APPARMOR_PREFIX "portcullis-"
#define PCL_APPARMOR_SOURCE_MARK '+'

/* The name of a domain's own profile, or of that of a program which its rules name as a source. */
void pcl_apparmor_print_profile_name(const char *domain, const char *source, FILE *out);

struct pcl_apparmor_plan {
	struct pcl_apparmor_profile *profiles; /* in the order of domains, own ones first */
	size_t count;
};

/*
 * Reads the features as text, which is what the parser takes: "name {value}", nested. -EINVAL with
 * diag for what is no such text. *ret_reduced (owned; may be asked for by a pointer that is not
 * NULL) is the part of it that the parser is to be given: what a plan says nothing about is left
 * out, so that the kernel does not mediate it at all, instead of refusing it.
 */
int pcl_apparmor_features_parse(const char *text, struct pcl_apparmor_features *ret_features,
				char **ret_reduced, struct pcl_diag *diag);

/*
 * features: NULL for all of them. 0; -EOPNOTSUPP with diag for a rule that no AppArmor, or not the
 * one with these features, supports; -EINVAL with diag for AppArmor's own words that are not whole;
 * -ENOMEM.
 */
int pcl_apparmor_plan(const struct pcl_backend_input *input,
		      const struct pcl_apparmor_features *features,
		      struct pcl_apparmor_plan **ret_plan, struct pcl_diag *diag);
void pcl_apparmor_plan_free(struct pcl_apparmor_plan **plan);

/*
 * A plan refuses more than rules say: changes of directories above what they name, and of programs
 * that they block, for the sake of the names; and raw sockets that may carry what they block. The
 * rule for whose sake an operation (its path or socket, its source) is refused so, the first in the
 * ruleset's order; NULL: none.
 */
const struct pcl_rule *pcl_apparmor_guard(const struct pcl_ruleset *ruleset,
					  const struct pcl_operation *operation);

/* apparmor_status.c: as struct pcl_backend's status() and kernels. */
extern const char *const pcl_apparmor_kernel_names[];
struct pcl_rule_status pcl_apparmor_status(const struct pcl_rule *rule, unsigned kernel);

#endif
