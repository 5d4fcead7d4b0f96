/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder for state files, and a state to put there.
 */
#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "support.h"

static char dir_path[] = "/tmp/portcullis-state-XXXXXX";

static const char policies[] =
	"apiVersion: security.kubearmor.com/v1\n"
	"kind: KubeArmorHostPolicy\n"
	"metadata: {name: hosts}\n"
	"spec:\n"
	"  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n"
	"  severity: 3\n"
	"  file: {matchPaths: [{path: /etc/secret}, {path: /etc/\xc3\xa4}]}\n"
	"---\n"
	"apiVersion: security.kubearmor.com/v1\n"
	"kind: KubeArmorPolicy\n"
	"metadata: {name: web, namespace: shop}\n"
	"spec:\n"
	"  selector: {matchLabels: {app: web, tier: front}}\n"
	"  tags: [MITRE, T1003]\n"
	"  message: \"say \\\"no\\\"\"\n"
	"  severity: 10\n"
	"  action: Allow\n"
	"  file:\n"
	"    matchDirectories:\n"
	"    - dir: /srv/\n"
	"      recursive: true\n"
	"      readOnly: true\n"
	"      fromSource: [{path: /bin/b}, {path: /bin/a}]\n";

/* What is by directory is looser on kernel 1. */
static struct pcl_rule_status status(const struct pcl_rule *rule, unsigned kernel)
{
	if (kernel == 1 && rule->match == PCL_MATCH_DIR_RECURSIVE)
		return (struct pcl_rule_status){PCL_STATUS_LOOSER, "misses what is far"};
	return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
}

static const struct pcl_backend scratch_backend = {.name = "bpf_lsm", .status = status};

int scratch_make(void **state)
{
	(void)state;
	if (!mkdtemp(dir_path))
		return -1;
	pcl_state_use_dir(dir_path);
	return 0;
}

int scratch_empty(void **state)
{
	pcl_autoclosedir DIR *dir = opendir(dir_path);
	struct dirent *entry;

	(void)state;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	return 0;
}

int scratch_remove(void **state)
{
	(void)scratch_empty(state);
	return rmdir(dir_path);
}

const char *scratch_dir(void)
{
	return dir_path;
}

static FILE *open_file(const char *name, const char *mode)
{
	pcl_autofree char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", dir_path, name) > 0);
	file = fopen(path, mode);
	if (!file)
		fail_msg("cannot open %s", path);
	return file;
}

char *scratch_read(const char *name)
{
	FILE *file = open_file(name, "re");
	char *text = NULL;
	size_t capacity = 0;

	if (getdelim(&text, &capacity, '\0', file) < 0)
		fail_msg("%s is empty", name);
	(void)fclose(file);
	return text;
}

void scratch_write(const char *name, const char *text)
{
	FILE *file = open_file(name, "we");

	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

struct pcl_state *scratch_state(uint64_t generation)
{
	struct pcl_state *state = NULL;
	struct pcl_member *box;

	assert_int_equal(pcl_state_new("node", "role=db", &state, NULL), 0);
	state->generation = generation;
	state->backend = strdup("bpf_lsm");
	state->postures.file = PCL_POSTURE_BLOCK;
	state->postures.capabilities = PCL_POSTURE_BLOCK;
	pcl_policy_set_free(&state->set);
	state->set = test_read(policies);
	assert_int_equal(pcl_state_number(state), 0);
	state->kernel = 1;
	assert_int_equal(pcl_statuses_ask(&scratch_backend, state->kernel, state->rules,
					  state->rule_count, &state->statuses),
			 0);
	assert_int_equal(pcl_array_grow(&state->members, 1, sizeof(*state->members)), 0);
	box = &state->members[state->member_count++];
	*box = (struct pcl_member){.cgroup_id = 0xfedcba9876543210u, .id = 9, .incarnation = 4};
	box->cgroup = strdup("/sys/fs/cgroup/box");
	assert_int_equal(pcl_domain_new("box", "shop", "app=web,tier=front", &box->domain, NULL),
			 0);
	state->alert_rate = 7;
	state->last_id = 9;
	state->last_incarnation = 4;
	return state;
}

void scratch_save(const struct pcl_state *state)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};

	if (pcl_state_save(state, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
}
