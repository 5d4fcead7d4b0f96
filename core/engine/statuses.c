/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statuses by kinds: of many thousand rules few differ.
 */
#include "engine/statuses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

void pcl_statuses_fini(struct pcl_statuses *statuses)
{
	for (size_t i = 0; i < statuses->kind_count; i++)
		free(statuses->kinds[i].reason);
	free(statuses->kinds);
	free(statuses->kind_of);
	*statuses = (struct pcl_statuses){0};
}

#define autostatuses struct pcl_statuses pcl_cleanup(pcl_statuses_fini)

static int init(struct pcl_statuses *statuses, size_t count)
{
	statuses->kind_of = calloc(count + 1, sizeof(*statuses->kind_of));
	statuses->rule_count = count;
	return statuses->kind_of ? 0 : -ENOMEM;
}

/* The kind, as an index + 1; made where there is none. 0 without memory. */
static uint32_t kind_for(struct pcl_statuses *statuses, const struct pcl_rule_status *status)
{
	struct pcl_status_kind kind = {.status = status->status};

	for (size_t i = 0; i < statuses->kind_count; i++)
		if (statuses->kinds[i].status == status->status &&
		    !strcmp(statuses->kinds[i].reason, status->reason))
			return (uint32_t)i + 1;
	if (pcl_array_grow(&statuses->kinds, statuses->kind_count, sizeof(kind)))
		return 0;
	kind.reason = strdup(status->reason);
	if (!kind.reason)
		return 0;
	statuses->kinds[statuses->kind_count++] = kind;
	return (uint32_t)statuses->kind_count;
}

static int set(struct pcl_statuses *statuses, size_t index, const struct pcl_rule_status *status)
{
	uint32_t kind = kind_for(statuses, status);

	if (!kind)
		return -ENOMEM;
	statuses->kind_of[index] = kind;
	statuses->kinds[kind - 1].count++;
	return 0;
}

int pcl_statuses_ask(const struct pcl_backend *backend, unsigned kernel,
		     const struct pcl_rule *const *rules, size_t count,
		     struct pcl_statuses *ret_statuses)
{
	autostatuses statuses = {0};
	int error = init(&statuses, count);

	for (size_t i = 0; !error && i < count; i++) {
		const struct pcl_rule_status status = backend->status(rules[i], kernel);

		if (status.status != PCL_STATUS_EXACT)
			error = set(&statuses, i, &status);
	}
	if (error)
		return error;
	*ret_statuses = statuses;
	statuses = (struct pcl_statuses){0};
	return 0;
}

struct pcl_rule_status pcl_statuses_get(const struct pcl_statuses *statuses, uint32_t number)
{
	const struct pcl_status_kind *kind;

	if (!number || number > statuses->rule_count || !statuses->kind_of[number - 1])
		return (struct pcl_rule_status){PCL_STATUS_EXACT, NULL};
	kind = &statuses->kinds[statuses->kind_of[number - 1] - 1];
	return (struct pcl_rule_status){kind->status, kind->reason};
}

size_t pcl_statuses_count(const struct pcl_statuses *statuses, enum pcl_status status)
{
	size_t others = 0, count = 0;

	for (size_t i = 0; i < statuses->kind_count; i++) {
		others += statuses->kinds[i].count;
		if (statuses->kinds[i].status == status)
			count += statuses->kinds[i].count;
	}
	return status == PCL_STATUS_EXACT ? statuses->rule_count - others : count;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *numbers_of(const struct pcl_statuses *statuses, size_t kind)
{
	json_t *numbers = json_array();

	for (size_t i = 0; i < statuses->rule_count; i++)
		if (statuses->kind_of[i] == kind + 1 &&
		    json_array_append_new(numbers, json_integer((json_int_t)i + 1)) < 0) {
			json_decref(numbers);
			return NULL;
		}
	return numbers;
}

json_t *pcl_statuses_to_json(const struct pcl_statuses *statuses)
{
	json_t *array = json_array();

	for (size_t i = 0; i < statuses->kind_count; i++) {
		const struct pcl_status_kind *kind = &statuses->kinds[i];

		if (json_array_append_new(array,
					  json_pack("{s:i, s:s, s:o}", "status", (int)kind->status,
						    "reason", kind->reason, "rules",
						    numbers_of(statuses, i))) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static int kind_from_json(const json_t *json, struct pcl_statuses *statuses)
{
	struct pcl_rule_status status;
	json_t *numbers, *item;
	int value;
	size_t i;

	if (json_unpack((json_t *)json, "{s:i, s:s, s:o !}", "status", &value, "reason",
			&status.reason, "rules", &numbers) < 0 ||
	    value <= PCL_STATUS_EXACT || value >= PCL_STATUS_COUNT || !json_array_size(numbers))
		return -EBADMSG;
	status.status = (enum pcl_status)value;
	json_array_foreach(numbers, i, item) {
		json_int_t number = json_integer_value(item);
		int error;

		if (number <= 0 || number > (json_int_t)statuses->rule_count ||
		    statuses->kind_of[number - 1])
			return -EBADMSG;
		error = set(statuses, (size_t)number - 1, &status);
		if (error)
			return error;
	}
	return 0;
}

int pcl_statuses_from_json(const json_t *json, size_t count, struct pcl_statuses *ret_statuses)
{
	autostatuses statuses = {0};
	const json_t *item;
	int error;
	size_t i;

	if (!json_is_array(json))
		return -EBADMSG;
	error = init(&statuses, count);
	json_array_foreach(json, i, item) {
		if (!error)
			error = kind_from_json(item, &statuses);
	}
	if (error)
		return error;
	*ret_statuses = statuses;
	statuses = (struct pcl_statuses){0};
	return 0;
}
