/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a whole domain loses: allow-lists and what they leave out, and a host that can no longer be
 * run, entered or repaired. All of it is asked of the decision itself.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/linter.h"
#include "policy/question.h"

#define SHELL "/usr/bin/bash"
#define INIT "/usr/lib/systemd/systemd"
#define SSHD "/usr/sbin/sshd"
#define LOGIN "/usr/bin/login"
#define ENGINE "/usr/bin/portcullis"

/* Things that any system does all day, to show what an allow-list leaves out. */
static const struct pcl_operation everyday[] = {
	{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/ls", .source = SHELL},
	{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/sh", .source = INIT},
	{.access = PCL_ACCESS_EXECUTE, .object = "/usr/sbin/cron", .source = INIT},
	{.access = PCL_ACCESS_READ, .object = "/etc/ld.so.cache", .source = "/usr/bin/ls"},
	{.access = PCL_ACCESS_READ, .object = "/dev/null", .source = SHELL},
	{.access = PCL_ACCESS_READ, .object = "/etc/passwd", .source = "/usr/bin/ls"},
	{.access = PCL_ACCESS_SOCKET, .source = SHELL, .socket = {AF_INET, SOCK_DGRAM, 0}},
	{.access = PCL_ACCESS_SOCKET, .source = SHELL, .socket = {AF_UNIX, SOCK_STREAM, 0}},
	{.access = PCL_ACCESS_SOCKET, .source = SHELL, .socket = {AF_INET, SOCK_STREAM, 0}},
	{.access = PCL_ACCESS_RESOLVE, .source = SHELL, .name = "www.example.org"},
	{.access = PCL_ACCESS_RESOLVE, .source = SHELL, .name = "kubernetes.default.svc"},
	{.access = PCL_ACCESS_CAPABILITY, .source = INIT, .capability = CAP_SETUID},
	{.access = PCL_ACCESS_CAPABILITY, .source = INIT, .capability = CAP_CHOWN},
	{.access = PCL_ACCESS_DEVICE, .device = {3, 1, 1, 1}},
	{.access = PCL_ACCESS_DEVICE, .device = {8, 6, 80, 1}},
};

/* What a host needs to be run, entered and repaired, and whom it takes away. */
static const struct {
	struct pcl_operation operation;
	const char *loses;
} essentials[] = {
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/sh", .source = SSHD}, "the shell"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/bin/sh", .source = SSHD}, "the shell"},
	{{.access = PCL_ACCESS_EXECUTE, .object = SHELL, .source = SSHD}, "the shell"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/bin/bash", .source = SSHD}, "the shell"},
	{{.access = PCL_ACCESS_EXECUTE, .object = SHELL, .source = LOGIN}, "the console's shell"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/dash", .source = INIT}, "the shell"},
	{{.access = PCL_ACCESS_EXECUTE, .object = LOGIN, .source = "/usr/sbin/agetty"},
	 "login on the console"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/sbin/agetty", .source = INIT},
	 "login on the console"},
	{{.access = PCL_ACCESS_EXECUTE, .object = SSHD, .source = INIT}, "ssh"},
	{{.access = PCL_ACCESS_EXECUTE, .object = SSHD, .source = SSHD}, "ssh"},
	{{.access = PCL_ACCESS_READ, .object = "/etc/ssh/sshd_config", .source = SSHD}, "ssh"},
	{{.access = PCL_ACCESS_READ, .object = "/etc/shadow", .source = SSHD}, "ssh"},
	{{.access = PCL_ACCESS_SOCKET, .source = SSHD, .socket = {AF_INET, SOCK_STREAM, 0}}, "ssh"},
	{{.access = PCL_ACCESS_CAPABILITY, .source = SSHD, .capability = CAP_SETUID}, "ssh"},
	{{.access = PCL_ACCESS_EXECUTE, .object = INIT, .source = INIT}, "init"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/sbin/init", .source = INIT}, "init"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/sbin/init", .source = INIT}, "init"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/systemctl", .source = SHELL}, "init"},
	{{.access = PCL_ACCESS_READ, .object = "/etc/ld.so.cache", .source = INIT},
	 "every program's libraries"},
	{{.access = PCL_ACCESS_READ,
	  .object = "/usr/lib/x86_64-linux-gnu/libc.so.6",
	  .source = INIT},
	 "every program's libraries"},
	{{.access = PCL_ACCESS_WRITE, .object = "/dev/null", .source = SHELL}, "the shell"},
	{{.access = PCL_ACCESS_READ, .object = "/etc/passwd", .source = LOGIN},
	 "login on the console"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/sudo", .source = SHELL},
	 "becoming root"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/bin/su", .source = SHELL}, "becoming root"},
	{{.access = PCL_ACCESS_EXECUTE, .object = ENGINE, .source = SHELL}, "the engine itself"},
	{{.access = PCL_ACCESS_EXECUTE, .object = "/usr/local/bin/portcullis", .source = SHELL},
	 "the engine itself"},
	{{.access = PCL_ACCESS_WRITE, .object = "/run/portcullis/state.json", .source = ENGINE},
	 "the engine itself"},
	{{.access = PCL_ACCESS_READ, .object = "/sys/fs/bpf/portcullis/links", .source = ENGINE},
	 "the engine itself"},
	{{.access = PCL_ACCESS_CAPABILITY, .source = ENGINE, .capability = CAP_SYS_ADMIN},
	 "the engine itself"},
	{{.access = PCL_ACCESS_CAPABILITY, .source = ENGINE, .capability = CAP_BPF},
	 "the engine itself"},
};

const struct pcl_rule *pcl_linter_first_allow(const struct pcl_linter *linter, enum pcl_class class)
{
	for (size_t i = 0; i < linter->part->policy_count; i++) {
		const struct pcl_policy *policy = linter->part->policies[i];

		for (size_t r = 0; r < policy->rule_count; r++)
			if (policy->rules[r]->class == class &&
			    policy->rules[r]->action == PCL_ACTION_ALLOW)
				return policy->rules[r];
	}
	return NULL;
}

static void set_posture(struct pcl_linter *linter, enum pcl_posture posture)
{
	linter->ruleset->postures = (struct pcl_postures){posture, posture, posture, posture};
}

/* At most two everyday operations of class that only the posture speaks of. */
static char *left_out(const struct pcl_linter *linter, enum pcl_class class)
{
	pcl_autofree char *text = NULL;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(everyday); i++) {
		pcl_autofree char *one = NULL, *both = NULL;
		struct pcl_verdict verdict;

		if (pcl_access_class(everyday[i].access) != class)
			continue;
		pcl_decide(linter->ruleset, &everyday[i], &verdict);
		if (!verdict.by_posture)
			continue;
		one = pcl_question_print(&everyday[i]);
		if (!one)
			return NULL;
		if (!text) {
			text = pcl_take_ptr(one);
			continue;
		}
		if (asprintf(&both, "%s\" and \"%s", text, one) < 0)
			both = NULL;
		return pcl_take_ptr(both);
	}
	return text ? pcl_take_ptr(text) : strdup("");
}

static int warn_allow_list(struct pcl_linter *linter, enum pcl_class class)
{
	const struct pcl_rule *rule = pcl_linter_first_allow(linter, class);
	pcl_autofree char *examples = left_out(linter, class);

	if (!examples)
		return -ENOMEM;
	if (!rule)
		return 0;
	return pcl_linter_warn(
		linter,
		&(struct pcl_finding){
			.kind = PCL_LINT_ALLOW_LIST,
			.rule = rule,
			.hint = "allow all that is needed, or write what is not as Block instead",
		},
		"this Allow makes an allow-list of the class %s%s%s: what no rule allows is alerted "
		"under the posture audit and refused under block%s%s%s",
		pcl_class_name(class), linter->ruleset->domain->host ? " on the host" : "",
		rule->source_count ? ", for every other source too" : "",
		examples[0] ? ", for example \"" : "", examples, examples[0] ? "\"" : "");
}

static int lint_lockout(struct pcl_linter *linter, enum pcl_posture posture)
{
	set_posture(linter, posture);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(essentials); i++) {
		const struct pcl_operation *operation = &essentials[i].operation;
		pcl_autofree char *example = NULL;
		struct pcl_finding finding = {.kind = PCL_LINT_LOCKOUT};
		struct pcl_verdict verdict;
		int error;

		pcl_decide(linter->ruleset, operation, &verdict);
		if (!verdict.refused)
			continue;
		finding.rule = verdict.rule;
		finding.hint = "leave it out by a narrower rule";
		if (verdict.by_posture) {
			finding.rule =
				pcl_linter_first_allow(linter, pcl_access_class(operation->access));
			finding.hint = "allow it too";
		}
		example = pcl_question_print(operation);
		if (!example)
			return -ENOMEM;
		if (!finding.rule)
			continue;
		error = pcl_linter_warn(linter, &finding,
					"this would lock the host%s: it takes away %s, for example "
					"\"%s\"",
					verdict.by_posture ? " under the posture block" : "",
					essentials[i].loses, example);
		if (error)
			return error;
	}
	return 0;
}

int pcl_lint_domain(struct pcl_linter *linter)
{
	int error = 0;

	for (int class = 0; !error && class < PCL_CLASS_COUNT; class ++)
		if (linter->ruleset->allow_list[class])
			error = warn_allow_list(linter, (enum pcl_class) class);
	if (!error && linter->ruleset->domain->host) {
		error = lint_lockout(linter, PCL_POSTURE_AUDIT);
		if (!error)
			error = lint_lockout(linter, PCL_POSTURE_BLOCK);
		set_posture(linter, PCL_POSTURE_AUDIT);
	}
	return error;
}
