/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribution: which rule of which policy an event's number stands for, in the generation under
 * which the kernel decided.
 */
#include "engine/alert.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "backend/backend.h"
#include "base/cleanup.h"
#include "engine/model_json.h"

/* A reader that follows sees many generations; events come from the last few. */
#define STATES_MAX 4

static void drop_json(json_t **json)
{
	json_decref(*json);
}

void pcl_alerts_fini(struct pcl_alerts *alerts)
{
	for (size_t i = 0; i < alerts->state_count; i++)
		pcl_state_free(&alerts->states[i]);
	free((void *)alerts->states);
	alerts->states = NULL;
	alerts->state_count = 0;
}

static void drop_oldest(struct pcl_alerts *alerts)
{
	size_t oldest = 0;

	for (size_t i = 1; i < alerts->state_count; i++)
		if (alerts->states[i]->generation < alerts->states[oldest]->generation)
			oldest = i;
	pcl_state_free(&alerts->states[oldest]);
	alerts->states[oldest] = alerts->states[--alerts->state_count];
}

/* The state of a generation, or NULL where its file is gone. */
static const struct pcl_state *state_of(struct pcl_alerts *alerts, uint64_t generation)
{
	struct pcl_state *state = NULL;

	for (size_t i = 0; i < alerts->state_count; i++)
		if (alerts->states[i]->generation == generation)
			return alerts->states[i];
	if (pcl_state_load(generation, &state, NULL))
		return NULL;
	if (alerts->state_count == STATES_MAX)
		drop_oldest(alerts);
	if (pcl_array_grow(&alerts->states, alerts->state_count, sizeof(struct pcl_state *))) {
		pcl_state_free(&state);
		return NULL;
	}
	alerts->states[alerts->state_count++] = state;
	return state;
}

/* --- which rule it was --------------------------------------------------------------------------
 */

/* Whether a verdict of the model's is one that the event can be of. */
static bool fits(const struct pcl_event *event, const struct pcl_verdict *verdict)
{
	return event->flags & PCL_EVENT_REFUSAL ? verdict->refused
						: !verdict->refused && verdict->alert;
}

/* NULL: the posture. An Audit rule is named before a list that leaves the object out. */
static const struct pcl_rule *rule_of(const struct pcl_verdict *verdict)
{
	if (!verdict->refused)
		return verdict->audit_rule;
	return verdict->by_posture ? NULL : verdict->rule;
}

/* Whether a backend that refuses more than rules say did so for the sake of one. */
static bool attribute_guard(const struct pcl_state *state, const struct pcl_ruleset *ruleset,
			    struct pcl_event *event)
{
	const struct pcl_backend *backend = pcl_backend_find(state->backend);

	for (size_t i = 0; backend && backend->guard && i < event->operation_count; i++) {
		const struct pcl_rule *rule = backend->guard(ruleset, &event->operations[i]);

		if (!rule)
			continue;
		event->rule = pcl_state_rule_number(state, rule);
		event->access = event->operations[i].access;
		if (event->operations[i].object)
			event->flags |= PCL_EVENT_RULE_BELOW;
		return true;
	}
	return false;
}

static bool attribute_operation(const struct pcl_state *state, const struct pcl_ruleset *ruleset,
				struct pcl_event *event)
{
	for (size_t i = 0; i < event->operation_count; i++) {
		const struct pcl_operation *operation = &event->operations[i];
		struct pcl_verdict verdict;

		pcl_decide(ruleset, operation, &verdict);
		if (!fits(event, &verdict))
			continue;
		event->rule = pcl_state_rule_number(state, rule_of(&verdict));
		event->access = operation->access;
		if (operation->object)
			event->object = operation->object;
		return true;
	}
	return event->flags & PCL_EVENT_REFUSAL && attribute_guard(state, ruleset, event);
}

static bool attribute_object(const struct pcl_state *state, const struct pcl_ruleset *ruleset,
			     const char *object, struct pcl_event *event)
{
	for (size_t i = 0; i < event->operation_count; i++)
		event->operations[i].object = object;
	return attribute_operation(state, ruleset, event);
}

/* Of several objects a rule is named that decides on each of them. */
static bool attribute_all(const struct pcl_state *state, const struct pcl_ruleset *ruleset,
			  struct pcl_event *event)
{
	struct pcl_event first = {0};

	for (size_t i = 0; i < event->object_count; i++) {
		struct pcl_event one = *event;

		if (!attribute_object(state, ruleset, event->objects[i], &one) ||
		    (i && (one.rule != first.rule || one.access != first.access)))
			return false;
		first = one;
	}
	event->rule = first.rule;
	event->access = first.access;
	return true;
}

/* Of several names that of which a rule decides is told. */
static bool attribute_names(const struct pcl_state *state, const struct pcl_ruleset *ruleset,
			    struct pcl_event *event)
{
	for (size_t i = 0; i < event->object_count; i++) {
		struct pcl_event one = *event;

		if (!attribute_object(state, ruleset, event->objects[i], &one))
			continue;
		*event = one;
		return true;
	}
	return false;
}

static bool attribute(const struct pcl_state *state, const struct pcl_ruleset *ruleset,
		      struct pcl_event *event)
{
	if (event->object_count && event->flags & PCL_EVENT_NO_NAME)
		return attribute_all(state, ruleset, event);
	return attribute_operation(state, ruleset, event) || attribute_names(state, ruleset, event);
}

bool pcl_event_attribute(const struct pcl_state *state, struct pcl_event *event)
{
	const struct pcl_member *member = pcl_state_member(state, event->domain);
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;
	bool one_of = event->object_count && event->flags & PCL_EVENT_NO_NAME;
	bool told = one_of || event->flags & PCL_EVENT_REFUSAL;

	if (member && !pcl_state_resolve(state, member->domain, &ruleset) &&
	    attribute(state, ruleset, event))
		return true;
	/*
	 * The backend is stricter than the rules, or was under others, or does not know the object:
	 * told, and no rule blamed.
	 */
	if (told)
		event->flags |= PCL_EVENT_NO_RULE;
	return told;
}

bool pcl_alert_attribute(struct pcl_alerts *alerts, struct pcl_event *event)
{
	const struct pcl_state *state =
		event->operation_count ? state_of(alerts, event->generation) : NULL;

	return state ? pcl_event_attribute(state, event) : true;
}

/* --- what it says
 * --------------------------------------------------------------------------------- */

/* A path may hold bytes that are no UTF-8; JSON cannot, so those are shown as '?'. */
static int put_text(json_t *alert, const char *key, const char *text)
{
	return json_object_set_new(alert, key, pcl_text_to_json(text ? text : ""));
}

static int put_time(json_t *alert, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000u);
	char day[32], text[64];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%06uZ", day, (unsigned)(time_ns / 1000 % 1000000));
	if (json_object_set_new(alert, "Timestamp", json_integer((json_int_t)seconds)) < 0)
		return -1;
	return put_text(alert, "UpdatedTime", text);
}

static int put_tags(json_t *alert, const struct pcl_rule *rule)
{
	pcl_cleanup(drop_json) json_t *list = json_array();
	pcl_autofree char *joined = strdup("");

	for (size_t i = 0; rule && i < rule->tag_count; i++) {
		char *longer = NULL;

		(void)json_array_append_new(list, json_string(rule->tags[i]));
		if (asprintf(&longer, "%s%s%s", joined ? joined : "", i ? "," : "", rule->tags[i]) <
		    0)
			longer = NULL;
		free(joined);
		joined = longer;
	}
	if (put_text(alert, "Tags", joined) < 0)
		return -1;
	return json_object_set(alert, "ATags", list);
}

/*
 * Whether an event without a rule is the posture's: one whose path could not be built is that only
 * where no rule of the class can refuse.
 */
static bool is_by_posture(const struct pcl_state *state, const struct pcl_event *event)
{
	const struct pcl_member *member = pcl_state_member(state, event->domain);
	pcl_cleanup(pcl_ruleset_free) struct pcl_ruleset *ruleset = NULL;

	if (event->rule || event->flags & PCL_EVENT_NO_RULE)
		return false;
	if (!(event->flags & PCL_EVENT_NO_PATH))
		return true;
	if (!member || pcl_state_resolve(state, member->domain, &ruleset))
		return false;
	return !ruleset->any_block[pcl_access_class(event->access)];
}

/* Not one of KubeArmor's either, so only for a rule that is not enforced exactly. */
static int put_status(json_t *alert, const struct pcl_state *state, uint32_t rule)
{
	struct pcl_rule_status status = {PCL_STATUS_EXACT, NULL};

	if (state)
		status = pcl_statuses_get(&state->statuses, rule);
	if (status.status == PCL_STATUS_EXACT)
		return 0;
	return put_text(alert, "RuleStatus", pcl_status_name(status.status)) < 0
		       ? -1
		       : put_text(alert, "RuleStatusReason", status.reason);
}

static int put_rule(json_t *alert, const struct pcl_state *state, const struct pcl_event *event)
{
	const struct pcl_rule *rule = state ? pcl_state_rule(state, event->rule) : NULL;
	bool posture = state && is_by_posture(state, event);
	char severity[16] = "";

	if (rule && rule->severity)
		snprintf(severity, sizeof(severity), "%d", rule->severity);
	if (put_text(alert, "PolicyName",
		     rule      ? rule->policy->name
		     : posture ? PCL_DEFAULT_POSTURE_NAME
			       : "") < 0 ||
	    put_text(alert, "RuleID", rule ? rule->id : "") < 0 ||
	    put_text(alert, "Severity", severity) < 0 || put_tags(alert, rule) < 0 ||
	    put_status(alert, state, event->rule) < 0)
		return -1;
	return put_text(alert, "Message", rule ? rule->message : NULL);
}

static int put_member(json_t *alert, const struct pcl_state *state, const struct pcl_event *event)
{
	const struct pcl_member *member = state ? pcl_state_member(state, event->domain) : NULL;
	const struct pcl_domain *domain = member ? member->domain : NULL;
	bool host = event->domain == 0;
	pcl_autofree char *labels = NULL;

	if (domain)
		labels = pcl_labels_text(domain->labels, domain->label_count);
	if (put_text(alert, "HostName", state ? state->hostname : NULL) < 0 ||
	    put_text(alert, "NamespaceName", domain ? domain->ns : NULL) < 0 ||
	    put_text(alert, "ContainerName", domain && !host ? domain->name : NULL) < 0 ||
	    put_text(alert, "Labels", labels) < 0 ||
	    put_text(alert, "Domain", domain ? domain->name : NULL) < 0)
		return -1;
	return put_text(alert, "Type", host ? "MatchedHostPolicy" : "MatchedPolicy");
}

static const char *const operation_names[] = {
	[PCL_CLASS_PROCESS] = "Process",	 [PCL_CLASS_FILE] = "File",
	[PCL_CLASS_NETWORK] = "Network",	 [PCL_CLASS_DNS] = "Network",
	[PCL_CLASS_CAPABILITY] = "Capabilities", [PCL_CLASS_SYSCALL] = "Syscall",
	[PCL_CLASS_DEVICE] = "Device",		 [PCL_CLASS_NATIVE] = "",
};
_Static_assert(PCL_ARRAY_SIZE(operation_names) == PCL_CLASS_COUNT, "a class without a name");

/* KubeArmor calls the program that is to run the process, and who runs it the parent. */
static int put_operation(json_t *alert, const struct pcl_event *event)
{
	enum pcl_class class = pcl_access_class(event->access);
	bool process = event->access == PCL_ACCESS_EXECUTE;
	char data[64];

	snprintf(data, sizeof(data), "lsm=%s", event->hook);
	if (put_text(alert, "Operation", operation_names[class]) < 0 ||
	    put_text(alert, "Resource", event->object) < 0 ||
	    put_text(alert, "Source", event->source) < 0 ||
	    put_text(alert, "ProcessName", process ? event->object : event->source) < 0 ||
	    put_text(alert, "ParentProcessName", process ? event->source : "") < 0 ||
	    put_text(alert, "Comm", event->comm) < 0 || put_text(alert, "Cwd", event->cwd) < 0)
		return -1;
	return put_text(alert, "Data", data);
}

/* As the caller's errno has it. */
static const char *result_of(const struct pcl_event *event)
{
	if (!(event->flags & PCL_EVENT_REFUSAL))
		return "Passed";
	return pcl_access_class(event->access) == PCL_CLASS_CAPABILITY ? "Operation not permitted"
								       : "Permission denied";
}

static int put_numbers(json_t *alert, const struct pcl_event *event)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{"HostPPID", event->ppid},     {"HostPID", event->pid},
		{"PID", event->pid_in_domain}, {"PPID", event->ppid_in_domain},
		{"UID", event->uid},	       {"Generation", event->generation},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(numbers); i++)
		if (json_object_set_new(alert, numbers[i].key,
					json_integer((json_int_t)numbers[i].value)) < 0)
			return -1;
	/* Not one of KubeArmor's, so only where there is something to say. */
	if (event->suppressed &&
	    json_object_set_new(alert, "Suppressed", json_integer(event->suppressed)) < 0)
		return -1;
	return 0;
}

json_t *pcl_alert_make(struct pcl_alerts *alerts, const struct pcl_event *event)
{
	const struct pcl_state *state = state_of(alerts, event->generation);
	bool refused = event->flags & PCL_EVENT_REFUSAL;
	json_t *alert = json_object();

	if (put_time(alert, event->time_ns) < 0 || put_member(alert, state, event) < 0 ||
	    put_rule(alert, state, event) < 0 || put_operation(alert, event) < 0 ||
	    put_numbers(alert, event) < 0 ||
	    put_text(alert, "Enforcer", alerts->backend->enforcer) < 0 ||
	    put_text(alert, "Action", refused ? "Block" : "Audit") < 0 ||
	    put_text(alert, "Result", result_of(event)) < 0) {
		json_decref(alert);
		return NULL;
	}
	return alert;
}
