/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: an event's number becomes the rule of the generation that decided, and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/alert.h"
#include "scratch.h"
#include "support.h"

#define autostate pcl_cleanup(pcl_state_free) struct pcl_state
#define autoalerts pcl_cleanup(pcl_alerts_fini) struct pcl_alerts
#define autojson pcl_cleanup(drop_json) json_t

static const struct pcl_backend backend = {.name = "test", .enforcer = "TestLSM"};

/* A write to a file of the container's, refused by its rule. */
static const struct pcl_event refusal = {
	.time_ns = 1700000000123456789u,
	.generation = 1,
	.rule = 3,
	.domain = 9,
	.flags = PCL_EVENT_REFUSAL,
	.access = PCL_ACCESS_WRITE,
	.hook = "FILE_OPEN",
	.pid = 4711,
	.ppid = 4700,
	.uid = 1000,
	.pid_in_domain = 7,
	.ppid_in_domain = 6,
	.comm = "sh",
	.object = "/srv/data",
	.source = "/bin/sh",
	.cwd = "/srv",
};

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static json_t *make(struct pcl_alerts *alerts, const struct pcl_event *event)
{
	json_t *alert = pcl_alert_make(alerts, event);

	assert_non_null(alert);
	return alert;
}

static void says(const json_t *alert, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(alert, key));

	if (!text || strcmp(text, value))
		fail_msg("%s is \"%s\", not \"%s\"", key, text ? text : "(none)", value);
}

static void counts(const json_t *alert, const char *key, json_int_t value)
{
	assert_true(json_is_integer(json_object_get(alert, key)));
	assert_int_equal(json_integer_value(json_object_get(alert, key)), value);
}

static void save(uint64_t generation)
{
	autostate *state = scratch_state(generation);

	scratch_save(state);
}

static void a_refusal_names_rule_policy_and_domain(void **state)
{
	autoalerts alerts = {.backend = &backend};
	autojson *alert = NULL;

	(void)state;
	save(1);
	alert = make(&alerts, &refusal);
	says(alert, "PolicyName", "web");
	says(alert, "RuleID", "shop/web#file.matchDirectories[0]");
	says(alert, "Severity", "10");
	says(alert, "Tags", "MITRE,T1003");
	assert_int_equal(json_array_size(json_object_get(alert, "ATags")), 2);
	says(alert, "Message", "say \"no\"");
	says(alert, "Type", "MatchedPolicy");
	says(alert, "Domain", "box");
	says(alert, "ContainerName", "box");
	says(alert, "NamespaceName", "shop");
	says(alert, "Labels", "app=web,tier=front");
	says(alert, "HostName", "node");
	says(alert, "Operation", "File");
	says(alert, "Resource", "/srv/data");
	says(alert, "Source", "/bin/sh");
	says(alert, "ProcessName", "/bin/sh");
	says(alert, "ParentProcessName", "");
	says(alert, "Comm", "sh");
	says(alert, "Cwd", "/srv");
	says(alert, "Data", "lsm=FILE_OPEN");
	says(alert, "Enforcer", "TestLSM");
	says(alert, "Action", "Block");
	says(alert, "Result", "Permission denied");
	says(alert, "UpdatedTime", "2023-11-14T22:13:20.123456Z");
	counts(alert, "Timestamp", 1700000000);
	counts(alert, "HostPID", 4711);
	counts(alert, "HostPPID", 4700);
	counts(alert, "PID", 7);
	counts(alert, "PPID", 6);
	counts(alert, "UID", 1000);
	counts(alert, "Generation", 1);
	says(alert, "RuleStatus", "looser");
	says(alert, "RuleStatusReason", "misses what is far");
	assert_null(json_object_get(alert, "Suppressed"));
}

static void an_exact_rule_needs_no_word(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *alert = NULL;

	(void)state;
	save(1);
	event.rule = 1;
	alert = make(&alerts, &event);
	says(alert, "PolicyName", "hosts");
	assert_null(json_object_get(alert, "RuleStatus"));
	assert_null(json_object_get(alert, "RuleStatusReason"));
}

static void what_was_left_out_before_is_said(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *alert = NULL;

	(void)state;
	save(1);
	event.suppressed = 12;
	alert = make(&alerts, &event);
	counts(alert, "Suppressed", 12);
}

static void an_execution_names_the_program_and_who_runs_it(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *alert = NULL;

	(void)state;
	save(1);
	event.domain = 0;
	event.rule = 1;
	event.access = PCL_ACCESS_EXECUTE;
	event.object = "/usr/bin/nc";
	event.flags = 0;
	alert = make(&alerts, &event);
	says(alert, "PolicyName", "hosts");
	says(alert, "Type", "MatchedHostPolicy");
	says(alert, "Domain", "host");
	says(alert, "ContainerName", "");
	says(alert, "NamespaceName", "");
	says(alert, "Operation", "Process");
	says(alert, "ProcessName", "/usr/bin/nc");
	says(alert, "ParentProcessName", "/bin/sh");
	says(alert, "Severity", "3");
	says(alert, "Tags", "");
	says(alert, "Message", "");
	says(alert, "Action", "Audit");
	says(alert, "Result", "Passed");
}

static void no_rule_is_the_posture(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *alert = NULL;

	(void)state;
	save(1);
	event.rule = 0;
	alert = make(&alerts, &event);
	says(alert, "PolicyName", PCL_DEFAULT_POSTURE_NAME);
	says(alert, "RuleID", "");
	says(alert, "Severity", "");
}

/* No rule can be named for it; but where none can refuse, it was the posture all the same. */
static void an_unknown_path_is_the_postures_only_without_blocks(void **state)
{
	autoalerts alerts = {.backend = &backend};
	autostate *without = scratch_state(2);
	struct pcl_event event = refusal;
	autojson *by_block = NULL, *by_posture = NULL, *elsewhere = NULL;

	(void)state;
	save(1);
	without->set->policies[1]->rules[0]->flags = 0;
	scratch_save(without);
	event.rule = 0;
	event.flags |= PCL_EVENT_NO_PATH;
	by_block = make(&alerts, &event);
	says(by_block, "PolicyName", "");
	event.generation = 2;
	by_posture = make(&alerts, &event);
	says(by_posture, "PolicyName", PCL_DEFAULT_POSTURE_NAME);
	event.domain = 0;
	elsewhere = make(&alerts, &event);
	says(elsewhere, "PolicyName", "");
}

static void an_event_is_its_own_generations(void **state)
{
	autoalerts alerts = {.backend = &backend};
	autostate *next = scratch_state(2);
	struct pcl_event event = refusal;
	autojson *old = NULL, *new = NULL, *again = NULL;

	(void)state;
	save(1);
	/* The same number stands for another rule there. */
	next->set->policies[1]->rules[0]->match = PCL_MATCH_PATH;
	scratch_save(next);
	old = make(&alerts, &event);
	event.generation = 2;
	new = make(&alerts, &event);
	event.generation = 1;
	/* Known by now, so the file may go. */
	pcl_state_delete(1);
	again = make(&alerts, &event);
	says(old, "RuleID", "shop/web#file.matchDirectories[0]");
	says(new, "RuleID", "hosts#file.matchPaths[1]");
	assert_true(json_equal(old, again));
}

static void an_event_of_a_forgotten_generation_keeps_its_facts(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *alert = NULL, *posture = NULL;

	(void)state;
	alert = make(&alerts, &event);
	says(alert, "PolicyName", "");
	says(alert, "RuleID", "");
	says(alert, "Domain", "");
	says(alert, "HostName", "");
	says(alert, "Type", "MatchedPolicy");
	says(alert, "Resource", "/srv/data");
	says(alert, "Action", "Block");
	/* Whose posture it was is not known either. */
	event.rule = 0;
	posture = make(&alerts, &event);
	says(posture, "PolicyName", "");
}

static void numbers_that_stand_for_nothing_name_nothing(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *alert = NULL;

	(void)state;
	save(1);
	event.rule = 4;
	event.domain = 8;
	alert = make(&alerts, &event);
	says(alert, "PolicyName", "");
	says(alert, "RuleID", "");
	says(alert, "Domain", "");
}

static void bytes_that_are_no_utf8_are_shown(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *alert = NULL;

	(void)state;
	save(1);
	event.object = "/srv/caf\xe9\n\x7f";
	event.source = "/bin/\xc3\xa4";
	alert = make(&alerts, &event);
	says(alert, "Resource", "/srv/caf?\n\x7f");
	says(alert, "Source", "/bin/\xc3\xa4");
}

/* A reader that follows for months must not keep every policy set there was. */
static void few_generations_are_kept(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = refusal;
	autojson *recent = NULL, *old = NULL;

	(void)state;
	for (event.generation = 1; event.generation <= 20; event.generation++) {
		autojson *alert = NULL;

		save(event.generation);
		alert = make(&alerts, &event);
		says(alert, "PolicyName", "web");
		assert_true(alerts.state_count <= 4);
	}
	/* The last four, which need no file any more. */
	(void)scratch_empty(state);
	event.generation = 17;
	recent = make(&alerts, &event);
	says(recent, "PolicyName", "web");
	event.generation = 16;
	old = make(&alerts, &event);
	says(old, "PolicyName", "");
}

/* As a backend hands it out that is not told which rule decided. */
static struct pcl_event unattributed(const char *object, enum pcl_access access)
{
	struct pcl_event event = refusal;

	event.rule = 0;
	event.object = object;
	event.operation_count = 1;
	event.operations[0] =
		(struct pcl_operation){.access = access, .object = object, .source = "/bin/a"};
	return event;
}

static void the_model_names_the_rule(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = unattributed("/srv/data", PCL_ACCESS_WRITE);
	autojson *alert = NULL;

	(void)state;
	save(1);
	/* A second guess that fits; the first does not. */
	event.operations[1] = event.operations[0];
	event.operations[0].access = PCL_ACCESS_READ;
	event.operation_count = 2;
	assert_true(pcl_alert_attribute(&alerts, &event));
	alert = make(&alerts, &event);
	says(alert, "RuleID", "shop/web#file.matchDirectories[0]");
	says(alert, "Resource", "/srv/data");
}

/* AppArmor keeps a directory where it is, for the sake of what lies below. */
static void a_backend_names_the_rule_that_it_guards(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = unattributed("/etc", PCL_ACCESS_WRITE);
	autostate *saved = scratch_state(1);
	autojson *alert = NULL;

	(void)state;
	event.domain = 0;
	free(saved->backend);
	saved->backend = strdup("apparmor");
	scratch_save(saved);
	assert_true(pcl_alert_attribute(&alerts, &event));
	assert_true(event.flags & PCL_EVENT_RULE_BELOW);
	alert = make(&alerts, &event);
	says(alert, "RuleID", "hosts#file.matchPaths[0]");
	says(alert, "Resource", "/etc");
}

static void what_no_rule_refuses_blames_none(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = unattributed("/srv/data", PCL_ACCESS_READ);
	autojson *alert = NULL;

	(void)state;
	save(1);
	assert_true(pcl_alert_attribute(&alerts, &event));
	alert = make(&alerts, &event);
	says(alert, "RuleID", "");
	says(alert, "PolicyName", "");
	says(alert, "Action", "Block");
}

static void what_is_permitted_is_told_where_a_rule_asks(void **state)
{
	autoalerts alerts = {.backend = &backend};
	struct pcl_event event = unattributed("/srv/data", PCL_ACCESS_READ);
	autostate *saved = scratch_state(1);

	(void)state;
	saved->postures.file = PCL_POSTURE_AUDIT;
	scratch_save(saved);
	event.flags = 0;
	assert_false(pcl_alert_attribute(&alerts, &event));
	/* Not listed: the posture permits and tells. */
	event.operations[0].object = "/etc/hosts";
	assert_true(pcl_alert_attribute(&alerts, &event));
	assert_int_equal(event.rule, 0);
	assert_int_equal(event.flags & PCL_EVENT_NO_RULE, 0);
}

static void read_rules(struct pcl_state *saved, const char *rules)
{
	pcl_autofree char *text = NULL;

	assert_true(asprintf(&text,
			     "apiVersion: security.kubearmor.com/v1\n"
			     "kind: KubeArmorPolicy\n"
			     "metadata: {name: watch, namespace: shop}\n"
			     "spec:\n"
			     "  selector: {matchLabels: {app: web}}\n"
			     "  action: Block\n"
			     "  %s\n",
			     rules) > 0);
	assert_int_equal(pcl_policy_set_read_memory(saved->set, "watch.yaml", text, strlen(text),
						    NULL),
			 0);
	assert_int_equal(pcl_state_number(saved), 0);
}

/* As the model decides it: one alert, by the rule that asks for it. */
static void an_audit_rule_is_named_before_the_posture(void **state)
{
	static const char audited[] = "apiVersion: security.kubearmor.com/v1\n"
				      "kind: KubeArmorPolicy\n"
				      "metadata: {name: watch, namespace: shop}\n"
				      "spec:\n"
				      "  selector: {matchLabels: {app: web}}\n"
				      "  action: Audit\n"
				      "  file: {matchPaths: [{path: /etc/hosts}]}\n";
	struct pcl_event event = unattributed("/etc/hosts", PCL_ACCESS_READ);
	autostate *saved = scratch_state(1);
	const struct pcl_rule *rule;

	(void)state;
	saved->postures.file = PCL_POSTURE_AUDIT;
	assert_int_equal(pcl_policy_set_read_memory(saved->set, "watch.yaml", audited,
						    sizeof(audited) - 1, NULL),
			 0);
	assert_int_equal(pcl_state_number(saved), 0);
	event.flags = 0;
	assert_true(pcl_event_attribute(saved, &event));
	rule = pcl_state_rule(saved, event.rule);
	assert_non_null(rule);
	assert_string_equal(rule->id, "shop/watch#file.matchPaths[0]");
}

/* Which of several objects it was is not known: a rule is named that decides on all of them. */
static void of_several_objects_all_must_agree(void **state)
{
	static const char *const objects[] = {"/etc/keys/a", "/etc/keys/b", "/etc/hosts"};
	struct pcl_event event = unattributed(objects[0], PCL_ACCESS_WRITE);
	autostate *saved = scratch_state(1);

	(void)state;
	read_rules(saved, "file: {matchDirectories: [{dir: /etc/keys/}]}");
	event.object = "name";
	event.objects = objects;
	event.object_count = 2;
	event.flags |= PCL_EVENT_NO_NAME;
	assert_true(pcl_event_attribute(saved, &event));
	assert_string_equal(pcl_state_rule(saved, event.rule)->id,
			    "shop/watch#file.matchDirectories[0]");
	assert_string_equal(event.object, "name");
	event.rule = 0;
	event.object_count = 3;
	assert_true(pcl_event_attribute(saved, &event));
	assert_int_equal(event.rule, 0);
	assert_int_not_equal(event.flags & PCL_EVENT_NO_RULE, 0);
}

/* One file of several names has the strictest answer, so a rule on any of them is named. */
static void of_several_names_any_decides(void **state)
{
	static const char *const names[] = {"/etc/hosts", "/etc/keys/a"};
	struct pcl_event event = unattributed("/etc/other", PCL_ACCESS_WRITE);
	autostate *saved = scratch_state(1);

	(void)state;
	saved->postures.file = PCL_POSTURE_AUDIT;
	read_rules(saved, "file: {matchDirectories: [{dir: /etc/keys/}]}");
	event.objects = names;
	event.object_count = PCL_ARRAY_SIZE(names);
	assert_true(pcl_event_attribute(saved, &event));
	assert_string_equal(pcl_state_rule(saved, event.rule)->id,
			    "shop/watch#file.matchDirectories[0]");
	assert_string_equal(event.object, "/etc/keys/a");
	assert_int_equal(event.flags & PCL_EVENT_NO_RULE, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, scratch_empty)
	const struct CMUnitTest tests[] = {
		TEST(a_refusal_names_rule_policy_and_domain),
		TEST(an_exact_rule_needs_no_word),
		TEST(what_was_left_out_before_is_said),
		TEST(an_execution_names_the_program_and_who_runs_it),
		TEST(no_rule_is_the_posture),
		TEST(an_unknown_path_is_the_postures_only_without_blocks),
		TEST(an_event_is_its_own_generations),
		TEST(an_event_of_a_forgotten_generation_keeps_its_facts),
		TEST(numbers_that_stand_for_nothing_name_nothing),
		TEST(bytes_that_are_no_utf8_are_shown),
		TEST(few_generations_are_kept),
		TEST(the_model_names_the_rule),
		TEST(a_backend_names_the_rule_that_it_guards),
		TEST(what_no_rule_refuses_blames_none),
		TEST(what_is_permitted_is_told_where_a_rule_asks),
		TEST(an_audit_rule_is_named_before_the_posture),
		TEST(of_several_objects_all_must_agree),
		TEST(of_several_names_any_decides),
	};
#undef TEST

	return cmocka_run_group_tests_name("alert", tests, scratch_make, scratch_remove);
}
