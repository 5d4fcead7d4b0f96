/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links are followed below the root of the domain: the host's, or that of some process in the
 * container's cgroup or namespaces. Where there is none yet, paths are taken as written.
 */
#include "engine/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "engine/places.h"
#include "node/cgroup.h"
#include "node/spaces.h"

void pcl_input_free(struct pcl_input **input)
{
	if (!*input)
		return;
	for (size_t i = 0; i < (*input)->count; i++) {
		if ((*input)->rulesets)
			pcl_ruleset_free(&(*input)->rulesets[i]);
		if ((*input)->aliases)
			pcl_aliases_fini(&(*input)->aliases[i]);
	}
	free((void *)(*input)->rulesets);
	free((*input)->aliases);
	free((*input)->domains);
	pcl_strings_free(&(*input)->notes, &(*input)->note_count);
	free((void *)(*input)->rules);
	free(*input);
	*input = NULL;
}

/* Some process of a member, or 0. Looked for once: there may be thousands of members. */
static pid_t any_pid(const struct pcl_member *member)
{
	if (member->domain->host)
		return 1;
	return member->cgroup ? pcl_cgroup_any_pid(member->cgroup)
			      : pcl_spaces_any_pid(member->mount_ns, member->pid_ns);
}

/* The root directory of a member's process; -1 where it cannot be had. */
static int open_root(const struct pcl_member *member, pid_t pid)
{
	char path[64];

	if (member->domain->host)
		return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The mount namespace of a process; 0 where it cannot be had. */
static uint32_t mount_namespace(pid_t pid)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return stat(path, &status) < 0 ? 0 : (uint32_t)status.st_ino;
}

static int find_places(const struct pcl_member *member, pid_t pid, struct pcl_input *input,
		       size_t index, struct pcl_diag *diag)
{
	pcl_autoclose int root_fd = open_root(member, pid);

	return root_fd < 0 ? 0
			   : pcl_places_find(input->rulesets[index], root_fd, (int)pid,
					     &input->aliases[index], &input->notes,
					     &input->note_count, diag);
}

static int fill(struct pcl_input *input, const struct pcl_state *state, struct pcl_diag *diag)
{
	size_t rule_count;

	if (pcl_policy_set_rules(state->set, &input->rules, &rule_count))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	for (size_t i = 0; i < input->count; i++) {
		const struct pcl_member *member = &state->members[i];
		pid_t pid = any_pid(member);
		int error = pcl_state_resolve(state, member->domain, &input->rulesets[i]);

		if (error)
			return pcl_diag_set(diag, error, "out of memory");
		if (pid)
			error = find_places(member, pid, input, i, diag);
		if (error)
			return error;
		input->domains[i] = (struct pcl_backend_domain){
			.ruleset = input->rulesets[i],
			.aliases = &input->aliases[i],
			.id = member->id,
			.incarnation = member->incarnation,
			.cgroup_id = member->cgroup_id,
			.id_mount_ns = member->mount_ns,
			.id_pid_ns = member->pid_ns,
			.mnt_ns = pid ? mount_namespace(pid) : 0,
		};
	}
	input->backend = (struct pcl_backend_input){
		.generation = state->generation,
		.domains = input->domains,
		.domain_count = input->count,
		.rules = input->rules,
		.rule_count = rule_count,
		.alert_rate = state->alert_rate,
	};
	return 0;
}

int pcl_input_make(const struct pcl_state *state, struct pcl_input **ret_input,
		   struct pcl_diag *diag)
{
	pcl_cleanup(pcl_input_free) struct pcl_input *input = calloc(1, sizeof(*input));
	int error;

	if (!input)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	input->count = state->member_count;
	input->rulesets = calloc(input->count + 1, sizeof(*input->rulesets));
	input->aliases = calloc(input->count + 1, sizeof(*input->aliases));
	input->domains = calloc(input->count + 1, sizeof(*input->domains));
	if (!input->rulesets || !input->aliases || !input->domains)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	error = fill(input, state, diag);
	if (error)
		return error;
	*ret_input = pcl_take_ptr(input);
	return 0;
}
