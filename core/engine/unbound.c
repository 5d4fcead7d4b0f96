/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over the processes. Each belongs to the domain whose cgroup it is in or below, or whose
 * namespaces it is in, or else to the host.
 */
#include "engine/unbound.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "node/cgroup.h"

#define PATH_LEN 64

/* KERNEL: the kernel's own threads run no program, and neither does what has ended. */
static bool runs_a_program(pid_t pid)
{
	char path[PATH_LEN], target[8];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return readlink(path, target, sizeof(target)) >= 0;
}

static uint32_t namespace_of(pid_t pid, const char *name)
{
	char path[PATH_LEN];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return stat(path, &status) < 0 ? 0 : (uint32_t)status.st_ino;
}

static bool is_below(const char *cgroup, const char *root)
{
	size_t len = strlen(root);

	return !strncmp(cgroup, root, len) && (!cgroup[len] || cgroup[len] == '/');
}

static size_t member_of(const struct pcl_state *state, pid_t pid)
{
	pcl_autofree char *cgroup = NULL;
	uint32_t mount_ns = namespace_of(pid, "mnt"), pid_ns = namespace_of(pid, "pid");
	uint64_t id;

	if (pcl_cgroup_of_pid(pid, &cgroup, &id, NULL))
		cgroup = NULL;
	for (size_t i = 1; i < state->member_count; i++) {
		const struct pcl_member *member = &state->members[i];

		if (member->cgroup ? cgroup && is_below(cgroup, member->cgroup)
				   : (member->mount_ns && member->mount_ns == mount_ns) ||
					     (member->pid_ns && member->pid_ns == pid_ns))
			return i;
	}
	return 0;
}

static int add_name(struct pcl_unbound *unbound, enum pcl_binding binding, pid_t pid)
{
	pcl_autofree char *before = unbound->names[binding];
	pcl_autofclose FILE *file = NULL;
	char path[PATH_LEN], name[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, sizeof(name), file))
		*name = '\0';
	name[strcspn(name, "\n")] = '\0';
	unbound->names[binding] = NULL;
	return asprintf(&unbound->names[binding], "%s%s%d %s", before ? before : "",
			before ? ", " : "", (int)pid, name) < 0
		       ? -ENOMEM
		       : 0;
}

static int look_at(const struct pcl_state *state, const struct pcl_backend *backend, pid_t pid,
		   struct pcl_unbound *unbound)
{
	size_t member = member_of(state, pid);
	enum pcl_binding binding = backend->binding(pid, state->members[member].domain);

	/* Gone meanwhile, it is bound by nothing and harms nobody. */
	if (!runs_a_program(pid))
		return 0;
	if (unbound[member].counts[binding]++ >= PCL_UNBOUND_NAMES || binding == PCL_BINDING_NOW)
		return 0;
	return add_name(&unbound[member], binding, pid);
}

int pcl_unbound_find(const struct pcl_state *state, const struct pcl_backend *backend,
		     struct pcl_unbound **ret_unbound)
{
	struct pcl_unbound *unbound = NULL;
	pcl_autoclosedir DIR *proc = NULL;
	const struct dirent *entry;
	int error = 0;

	*ret_unbound = NULL;
	if (!backend || !backend->binding)
		return 0;
	unbound = calloc(state->member_count, sizeof(*unbound));
	proc = opendir("/proc");
	if (!unbound || !proc) {
		free(unbound);
		return -ENOMEM;
	}
	while (!error && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		/* This one changes the rules, and ends. */
		if (pid > 0 && pid != getpid() && runs_a_program(pid))
			error = look_at(state, backend, pid, unbound);
	}
	if (error)
		pcl_unbound_free(&unbound, state->member_count);
	else
		*ret_unbound = unbound;
	return error;
}

void pcl_unbound_free(struct pcl_unbound **unbound, size_t count)
{
	for (size_t i = 0; *unbound && i < count; i++)
		for (int binding = 0; binding < PCL_BINDING_COUNT; binding++)
			free((*unbound)[i].names[binding]);
	free(*unbound);
	*unbound = NULL;
}

/* Processes are looked at by their numbers, so the first one is named first. */
#define MANAGER "1 systemd"

static const char *until(enum pcl_binding binding, const struct pcl_domain *domain)
{
	if (binding == PCL_BINDING_EXEC)
		return "until the next program that it executes";
	return domain->host ? "until it is started anew by one that is"
			    : "until it is started anew in the domain's profile";
}

char *pcl_unbound_text(const struct pcl_unbound *unbound, enum pcl_binding binding,
		       const struct pcl_backend *backend, const struct pcl_domain *domain)
{
	size_t count = unbound->counts[binding];
	const char *names = unbound->names[binding];
	const char *more = count > PCL_UNBOUND_NAMES ? ", ..." : "";
	char *text = NULL;

	if (!count || binding == PCL_BINDING_NOW)
		return NULL;
	if (asprintf(&text, "%s: %zu running process%s not bound by %s %s (%s%s)%s", domain->name,
		     count, count == 1 ? " is" : "es are", backend->name, until(binding, domain),
		     names ? names : "", more,
		     names && !strncmp(names, MANAGER, strlen(MANAGER))
			     ? "; \"systemctl daemon-reexec\" binds process 1 and what it starts"
			     : "") < 0)
		return NULL;
	return text;
}
