/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State files: what was saved is loaded, what is damaged is refused and never half read.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "scratch.h"
#include "support.h"

#define autostate pcl_cleanup(pcl_state_free) struct pcl_state
#define autodiag struct pcl_diag pcl_cleanup(pcl_diag_fini)

static struct pcl_state *load(uint64_t generation)
{
	struct pcl_state *state = NULL;
	autodiag diag = {0};

	if (pcl_state_load(generation, &state, &diag))
		fail_msg("%s", pcl_diag_text(&diag));
	return state;
}

/* Expects that the file of generation 1 is refused, in words that hold part. */
static void refused(const char *part)
{
	struct pcl_state *state = NULL;
	autodiag diag = {0};

	assert_int_equal(pcl_state_load(1, &state, &diag), -EBADMSG);
	assert_null(state);
	test_contains(pcl_diag_text(&diag), "generation-1.json");
	test_contains(pcl_diag_text(&diag), part);
	test_contains(pcl_diag_text(&diag), "portcullis remove");
}

static void what_was_saved_is_loaded(void **state)
{
	autostate *saved = scratch_state(1);
	autostate *loaded = NULL;
	const struct pcl_member *box;

	(void)state;
	scratch_save(saved);
	loaded = load(1);
	assert_int_equal(loaded->generation, 1);
	assert_string_equal(loaded->backend, "bpf_lsm");
	assert_int_equal(loaded->postures.file, PCL_POSTURE_BLOCK);
	assert_int_equal(loaded->postures.network, PCL_POSTURE_AUDIT);
	assert_int_equal(loaded->postures.capabilities, PCL_POSTURE_BLOCK);
	assert_int_equal(loaded->postures.device, PCL_POSTURE_AUDIT);
	assert_string_equal(loaded->node_labels, "role=db");
	assert_int_equal(loaded->alert_rate, 7);
	assert_int_equal(loaded->kernel, 1);
	assert_int_equal(pcl_statuses_count(&loaded->statuses, PCL_STATUS_EXACT), 2);
	assert_int_equal(pcl_statuses_get(&loaded->statuses, 3).status, PCL_STATUS_LOOSER);
	assert_string_equal(pcl_statuses_get(&loaded->statuses, 3).reason, "misses what is far");
	assert_int_equal(pcl_state_status(loaded, loaded->set->policies[1]->rules[0]).status,
			 PCL_STATUS_LOOSER);
	assert_int_equal(pcl_state_status(loaded, loaded->set->policies[0]->rules[1]).status,
			 PCL_STATUS_EXACT);
	assert_int_equal(loaded->last_id, 9);
	assert_int_equal(loaded->last_incarnation, 4);
	assert_int_equal(loaded->set->policy_count, 2);
	assert_int_equal(loaded->member_count, 2);
	assert_true(loaded->members[0].domain->host);
	assert_int_equal(loaded->members[0].id, 0);
	box = pcl_state_member(loaded, 9);
	assert_ptr_equal(box, &loaded->members[1]);
	assert_string_equal(box->domain->name, "box");
	assert_string_equal(box->domain->ns, "shop");
	assert_int_equal(box->domain->label_count, 2);
	assert_string_equal(box->cgroup, "/sys/fs/cgroup/box");
	assert_true(box->cgroup_id == 0xfedcba9876543210u);
	assert_int_equal(box->incarnation, 4);
	assert_true(pcl_domain_selected(box->domain, loaded->set->policies[1]));
	assert_true(pcl_domain_selected(loaded->members[0].domain, loaded->set->policies[0]));
}

static void an_empty_state_is_the_host_alone(void **state)
{
	autostate *saved = NULL;
	autostate *loaded = NULL;

	(void)state;
	assert_int_equal(pcl_state_new("node", NULL, &saved, NULL), 0);
	saved->generation = 1;
	saved->backend = strdup("none");
	scratch_save(saved);
	loaded = load(1);
	assert_int_equal(loaded->member_count, 1);
	assert_int_equal(loaded->set->policy_count, 0);
	assert_null(loaded->node_labels);
	assert_int_equal(loaded->postures.file, PCL_POSTURE_AUDIT);
}

static void the_hosts_labels_are_the_same_after_loading(void **state)
{
	const char *labels = "kubernetes.io/hostname=other,zone=a";
	autostate *saved = NULL;
	autostate *loaded = NULL;
	const struct pcl_domain *was, *is;

	(void)state;
	assert_int_equal(pcl_state_new("node", labels, &saved, NULL), 0);
	saved->generation = 1;
	saved->backend = strdup("none");
	scratch_save(saved);
	loaded = load(1);
	was = saved->members[0].domain;
	is = loaded->members[0].domain;
	assert_string_equal(loaded->hostname, "node");
	assert_int_equal(is->label_count, was->label_count);
	for (size_t i = 0; i < was->label_count; i++) {
		assert_string_equal(is->labels[i].key, was->labels[i].key);
		assert_string_equal(is->labels[i].value, was->labels[i].value);
	}
}

static void only_root_reads_the_file(void **state)
{
	autostate *saved = scratch_state(1);
	pcl_autofree char *path = NULL;
	struct stat status;

	(void)state;
	scratch_save(saved);
	assert_true(asprintf(&path, "%s/generation-1.json", scratch_dir()) > 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_rule_is_found_by_its_number(void **state)
{
	autostate *one = scratch_state(1);

	(void)state;
	assert_null(pcl_state_rule(one, 0));
	assert_string_equal(pcl_state_rule(one, 1)->object, "/etc/secret");
	assert_string_equal(pcl_state_rule(one, 2)->object, "/etc/\xc3\xa4");
	assert_string_equal(pcl_state_rule(one, 3)->object, "/srv");
	assert_null(pcl_state_rule(one, 4));
	assert_null(pcl_state_rule(one, UINT32_MAX));
	assert_null(pcl_state_member(one, 8));
}

static void a_file_that_was_cut_is_refused(void **state)
{
	autostate *saved = scratch_state(1);
	pcl_autofree char *whole = NULL;

	(void)state;
	scratch_save(saved);
	whole = scratch_read("generation-1.json");
	for (size_t len = strlen(whole); len--;) {
		whole[len] = '\0';
		scratch_write("generation-1.json", whole);
		refused("damaged");
	}
}

/* key of object in the saved JSON becomes value (JSON text), or goes where that is NULL. */
static void change(const char *object, const char *key, const char *value, const char *part)
{
	autostate *saved = scratch_state(1);
	pcl_autofree char *text = NULL, *changed = NULL;
	json_t *json, *at;

	scratch_save(saved);
	text = scratch_read("generation-1.json");
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	at = object ? json_array_get(json_object_get(json, object), 0) : json;
	assert_non_null(at);
	if (value)
		json_object_set_new(at, key, json_loads(value, JSON_DECODE_ANY, NULL));
	else
		assert_int_equal(json_object_del(at, key), 0);
	changed = json_dumps(json, 0);
	json_decref(json);
	scratch_write("generation-1.json", changed);
	refused(part);
}

static void whatever_is_missing_is_noticed(void **state)
{
	static const char *const keys[] = {"schema",   "generation", "backend", "postures",
					   "hostname", "domains",    "last_id", "last_incarnation",
					   "policies", "alert_rate", "kernel",	"statuses"};
	static const char *const of_member[] = {"name",	  "cgroup", "cgroup_id",  "mount_ns",
						"pid_ns", "id",	    "incarnation"};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(keys); i++)
		change(NULL, keys[i], NULL, "damaged");
	for (size_t i = 0; i < PCL_ARRAY_SIZE(of_member); i++)
		change("domains", of_member[i], NULL, "damaged");
}

static void values_that_no_state_has_are_noticed(void **state)
{
	static const struct {
		const char *object, *key, *value;
	} wrong[] = {
		{NULL, "generation", "2"},
		{NULL, "postures", "[2, 0, 0, 0]"},
		{NULL, "domains", "{}"},
		{NULL, "domains", "[1]"},
		{NULL, "policies", "{}"},
		{NULL, "policies", "[1]"},
		{NULL, "node_labels", "\"=\""},
		{NULL, "last_id", "10240"},
		{NULL, "alert_rate", "-1"},
		{NULL, "alert_rate", "1000001"},
		{NULL, "last_incarnation", "-1"},
		{NULL, "kernel", "-1"},
		{NULL, "statuses", "{}"},
		{NULL, "statuses", "[1]"},
		{"statuses", "status", "0"},
		{"statuses", "status", "4"},
		{"statuses", "reason", "1"},
		{"statuses", "rules", "[]"},
		{"statuses", "rules", "[0]"},
		{"statuses", "rules", "[4]"},
		{"statuses", "rules", "[3, 3]"},
		{"statuses", "rules", "[\"3\"]"},
		{"statuses", "unheard-of", "1"},
		{NULL, "unheard-of", "1"},
		{"domains", "name", "\"a b\""},
		{"domains", "name", "\"host\""},
		{"domains", "id", "0"},
		{"domains", "id", "10240"},
		{"domains", "id", "-1"},
		{"domains", "id", "4294967305"},
		{"domains", "incarnation", "0"},
		{"domains", "cgroup_id", "0"},
		{"domains", "mount_ns", "1"},
		{"domains", "mount_ns", "-1"},
		{"domains", "pid_ns", "4294967296"},
		{"domains", "labels", "\"x\""},
		{"domains", "unheard-of", "1"},
		{"policies", "kind", "7"},
		{NULL, "postures", "[0, 0, 0]"},
		{NULL, "postures", "[0, 0, 0, 2]"},
		{NULL, "postures", "[0, 0, -1, 0]"},
		{NULL, "postures", "1"},
	};

	(void)state;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(wrong); i++)
		change(wrong[i].object, wrong[i].key, wrong[i].value, "damaged");
	change(NULL, "schema", "1", "another version's (schema 1");
}

/* A second domain that has the first one's value under same, and others otherwise. */
static void add_domain_like(const char *same)
{
	autostate *saved = scratch_state(1);
	pcl_autofree char *text = NULL, *changed = NULL;
	json_t *json, *domains, *second;

	scratch_save(saved);
	text = scratch_read("generation-1.json");
	json = json_loads(text, 0, NULL);
	domains = json_object_get(json, "domains");
	second = json_deep_copy(json_array_get(domains, 0));
	if (strcmp(same, "name"))
		json_object_set_new(second, "name", json_string("other"));
	if (strcmp(same, "id"))
		json_object_set_new(second, "id", json_integer(10));
	if (strcmp(same, "cgroup_id"))
		json_object_set_new(second, "cgroup_id", json_integer(78));
	json_array_append_new(domains, second);
	changed = json_dumps(json, 0);
	json_decref(json);
	scratch_write("generation-1.json", changed);
}

static void two_domains_share_nothing_that_tells_them_apart(void **state)
{
	autostate *loaded = NULL;

	(void)state;
	add_domain_like("name");
	refused("damaged");
	add_domain_like("id");
	refused("damaged");
	add_domain_like("cgroup_id");
	refused("damaged");
	add_domain_like("");
	loaded = load(1);
	assert_int_equal(loaded->member_count, 3);
}

static void a_domain_may_be_told_by_namespaces(void **state)
{
	autostate *saved = scratch_state(1);
	autostate *loaded = NULL;
	const struct pcl_member *box;
	pcl_autofree char *place = NULL;

	(void)state;
	free(saved->members[1].cgroup);
	saved->members[1].cgroup = NULL;
	saved->members[1].cgroup_id = 0;
	saved->members[1].mount_ns = 4026532116u;
	saved->members[1].pid_ns = 4026532117u;
	scratch_save(saved);
	loaded = load(1);
	box = pcl_state_member(loaded, 9);
	assert_null(box->cgroup);
	assert_int_equal(box->mount_ns, 4026532116u);
	assert_int_equal(box->pid_ns, 4026532117u);
	place = pcl_member_place(box);
	assert_string_equal(place, "mnt:[4026532116] pid:[4026532117]");
}

static void a_pod_shares_its_pid_namespace(void **state)
{
	struct pcl_member one = {.mount_ns = 1, .pid_ns = 5}, other = {.mount_ns = 2, .pid_ns = 5};
	struct pcl_member group = {.cgroup_id = 1};

	(void)state;
	assert_false(pcl_member_same_place(&one, &other));
	assert_true(pcl_member_same_place(&one, &one));
	assert_false(pcl_member_same_place(&one, &group));
	one.mount_ns = 0;
	assert_false(pcl_member_same_place(&one, &other));
	other.mount_ns = 0;
	assert_true(pcl_member_same_place(&one, &other));
	other.pid_ns = one.pid_ns = 0;
	assert_false(pcl_member_same_place(&one, &other));
}

static void a_missing_file_is_no_damage(void **state)
{
	struct pcl_state *none = NULL;
	autodiag diag = {0};

	(void)state;
	assert_int_equal(pcl_state_load(5, &none, &diag), -ENOENT);
	assert_null(none);
	assert_int_equal(diag.error, 0);
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
	autostate *one = scratch_state(1);
	autodiag diag = {0};

	(void)state;
	pcl_state_use_dir("/nonexistent/portcullis");
	assert_int_equal(pcl_state_save(one, &diag), -ENOENT);
	pcl_state_use_dir(scratch_dir());
	test_contains(pcl_diag_text(&diag), "/nonexistent/portcullis/generation-1.json");

	free(one->members[1].cgroup);
	one->members[1].cgroup = strdup("/sys/fs/cgroup/caf\xe9");
	assert_int_equal(pcl_state_save(one, &diag), -EILSEQ);
	test_contains(pcl_diag_text(&diag), "rename");
	assert_int_equal(pcl_state_last(), 0);
}

static void a_full_disk_leaves_nothing(void **state)
{
	autostate *one = scratch_state(1);
	pcl_autofree char *fresh = NULL;
	autodiag diag = {0};

	(void)state;
	assert_true(asprintf(&fresh, "%s/generation-1.json.new", scratch_dir()) > 0);
	assert_int_equal(symlink("/dev/full", fresh), 0);
	assert_int_equal(pcl_state_save(one, &diag), -ENOSPC);
	test_contains(pcl_diag_text(&diag), "generation-1.json");
	assert_int_equal(access(fresh, F_OK), -1);
	assert_int_equal(pcl_state_last(), 0);
}

static void old_generations_are_pruned(void **state)
{
	static const char *const others[] = {"generation--7.json", "generation-+8.json",
					     "generation-09.json", "generation-99.json.old",
					     "generation-.json",   "lock"};
	autostate *one = scratch_state(1);
	autostate *loaded = NULL;

	(void)state;
	assert_int_equal(pcl_state_last(), 0);
	for (uint64_t generation = 8; generation <= 12; generation++) {
		one->generation = generation;
		scratch_save(one);
	}
	for (size_t i = 0; i < PCL_ARRAY_SIZE(others); i++)
		scratch_write(others[i], "x");
	scratch_write("generation-13.json.new", "cut short");
	assert_int_equal(pcl_state_last(), 12);
	pcl_state_prune(10);
	assert_int_equal(pcl_state_load(10, &loaded, NULL), -ENOENT);
	loaded = load(11);
	pcl_state_delete(12);
	assert_int_equal(pcl_state_last(), 11);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(others); i++) {
		pcl_autofree char *text = scratch_read(others[i]);

		assert_string_equal(text, "x");
	}
}

/* The directory is removed with the last state, so nothing that was cut short may stay in it. */
static void a_file_that_was_cut_short_goes_too(void **state)
{
	pcl_autofree char *path = NULL;

	(void)state;
	assert_true(asprintf(&path, "%s/generation-13.json.new", scratch_dir()) > 0);
	scratch_write("generation-13.json.new", "cut short");
	pcl_state_prune(UINT64_MAX);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, scratch_empty)
	const struct CMUnitTest tests[] = {
		TEST(what_was_saved_is_loaded),
		TEST(an_empty_state_is_the_host_alone),
		TEST(the_hosts_labels_are_the_same_after_loading),
		TEST(only_root_reads_the_file),
		TEST(a_rule_is_found_by_its_number),
		TEST(a_file_that_was_cut_is_refused),
		TEST(whatever_is_missing_is_noticed),
		TEST(values_that_no_state_has_are_noticed),
		TEST(two_domains_share_nothing_that_tells_them_apart),
		TEST(a_domain_may_be_told_by_namespaces),
		TEST(a_pod_shares_its_pid_namespace),
		TEST(a_missing_file_is_no_damage),
		TEST(what_cannot_be_written_leaves_nothing),
		TEST(a_full_disk_leaves_nothing),
		TEST(old_generations_are_pruned),
		TEST(a_file_that_was_cut_short_goes_too),
	};
#undef TEST

	return cmocka_run_group_tests_name("state", tests, scratch_make, scratch_remove);
}
