/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this guest has, as it says itself: for the host to compare with the target's manifest. Reads
 * and judges nothing.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

#define APPARMOR_FEATURES "/sys/kernel/security/apparmor/features"
#define LINE_SIZE 1024
/* linux/magic.h */
#define MAGIC_BPF 0xcafe4a11
#define MAGIC_CGROUP2 0x63677270

static bool read_text(const char *path, char text[LINE_SIZE])
{
	int fd pcl_autoclose = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, LINE_SIZE - 1);

	if (len < 0)
		return false;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/* "none [integrity] confidentiality": the one in brackets. */
static json_t *lockdown_mode(void)
{
	char text[LINE_SIZE], *from, *to;

	if (!read_text("/sys/kernel/security/lockdown", text))
		return json_null();
	from = strchr(text, '[');
	to = from ? strchr(from, ']') : NULL;
	return to ? json_stringn(from + 1, (size_t)(to - from - 1)) : json_null();
}

static bool is_magic(const char *path, unsigned long magic)
{
	struct statfs info;

	return statfs(path, &info) == 0 && (unsigned long)info.f_type == magic;
}

/* KERNEL: before a policy is loaded every context is the bare name of an initial one. */
static json_t *selinux_mode(void)
{
	char text[LINE_SIZE];

	if (!read_text("/proc/self/attr/current", text) || !strchr(text, ':') ||
	    !read_text("/sys/fs/selinux/enforce", text))
		return json_string("unloaded");
	return json_string(*text == '1' ? "enforcing" : "permissive");
}

static json_t *context(void)
{
	char text[LINE_SIZE];

	return read_text("/proc/self/attr/current", text) ? json_string(text) : json_null();
}

static json_t *apparmor_features(void)
{
	DIR *dir pcl_autoclosedir = opendir(APPARMOR_FEATURES);
	const struct dirent *entry;
	json_t *list = json_array();

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			(void)json_array_append_new(list, json_string(entry->d_name));
	}
	return list;
}

/* {path, type, options} of each mount; of two at one path the later is on top. */
static json_t *all_mounts(void)
{
	FILE *file pcl_autofclose = fopen("/proc/self/mounts", "re");
	char line[LINE_SIZE], path[256], type[64], options[512];
	json_t *list = json_array();

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %255s %63s %511s", path, type, options) == 3)
			(void)json_array_append_new(list,
						    json_pack("{s:s, s:s, s:s}", "path", path,
							      "type", type, "options", options));
	}
	return list;
}

json_t *agt_facts(void)
{
	return json_pack("{s:o, s:b, s:s, s:o, s:o, s:o, s:o}", "lockdown", lockdown_mode(),
			 "bpffs", (int)is_magic("/sys/fs/bpf", MAGIC_BPF), "cgroup",
			 is_magic("/sys/fs/cgroup", MAGIC_CGROUP2) ? "v2" : "v1", "selinux",
			 selinux_mode(), "context", context(), "apparmor", apparmor_features(),
			 "mounts", all_mounts());
}
