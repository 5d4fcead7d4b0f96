/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that a record names, as far as it is still there.
 */
#include "backend/audit_actor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static void read_link(uint32_t pid, const char *name, char ret_text[PATH_MAX])
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	len = readlink(path, ret_text, PATH_MAX - 1);
	ret_text[len < 0 ? 0 : len] = '\0';
}

/* Its last number is the one in its own namespace. */
static uint32_t last_number(const char *text)
{
	const char *last = strrchr(text, '\t');

	return last ? (uint32_t)strtoul(last + 1, NULL, 10) : 0;
}

/* Another program may have the number by now, so one of another name is nobody we know. */
void pcl_audit_actor_find(uint32_t pid, const char *comm, struct pcl_audit_actor *ret_actor)
{
	pcl_autofclose FILE *file = NULL;
	pcl_autofree char *line = NULL;
	char path[64];
	size_t size = 0;

	memset(ret_actor, 0, sizeof(*ret_actor));
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/status", pid);
	file = fopen(path, "re");
	while (file && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "Name:\t", 6) && comm && strcmp(line + 6, comm))
			return;
		if (!strncmp(line, "PPid:\t", 6))
			ret_actor->ppid = last_number(line);
		else if (!strncmp(line, "Uid:\t", 5))
			ret_actor->uid = last_number(line);
		else if (!strncmp(line, "NStgid:\t", 8))
			ret_actor->pid_in_domain = last_number(line);
	}
	if (!file)
		return;
	read_link(pid, "exe", ret_actor->exe);
	read_link(pid, "cwd", ret_actor->cwd);
}
