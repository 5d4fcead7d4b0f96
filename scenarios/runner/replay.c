/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a replay's answer; see replay.h. */
#include "replay.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "text.h"

/* Enough of a foreign program's complaint to see what it was. */
#define COMPLAINT_MAX 120

static void decref(json_t **json)
{
	json_decref(*json);
}

/* The last line of out that is a JSON object with "ok"; NULL where there is none. */
static json_t *find_report(const char *out)
{
	for (const char *line = out; *line;) {
		size_t len = strcspn(line, "\n");
		json_t *report = *line == '{' ? json_loadb(line, len, 0, NULL) : NULL;

		if (report && json_is_boolean(json_object_get(report, "ok")))
			return report;
		json_decref(report);
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static char *complaint(const struct gnt_exec_result *result)
{
	pcl_autofree char *said =
		gnt_text_first_line(*result->err ? result->err : result->out, COMPLAINT_MAX);

	if (result->timed_out)
		return gnt_text_new("it did not end in time");
	if (result->signal)
		return gnt_text_new("killed by signal %d", result->signal);
	return gnt_text_new("exit %d%s%s", result->exit_code, said && *said ? ": " : "",
			    said ? said : "");
}

static void read_report(const struct gnt_exec_result *result, const json_t *report,
			enum gnt_outcome *ret_outcome, int *ret_errno, char **ret_detail)
{
	const char *step = json_string_value(json_object_get(report, "step"));
	int error = (int)json_integer_value(json_object_get(report, "errno"));
	bool ok = json_is_true(json_object_get(report, "ok"));

	if (ok && result->exit_code == GNT_REPLAY_EXIT_DONE) {
		*ret_outcome = GNT_OUTCOME_DONE;
	} else if (!ok && result->exit_code == GNT_REPLAY_EXIT_REFUSED && error > 0) {
		*ret_outcome = GNT_OUTCOME_REFUSED;
		*ret_errno = error;
		*ret_detail = gnt_text_new("%s: %s", step ? step : "?", strerror(error));
	} else {
		*ret_detail = gnt_text_new("exit %d at step %s, errno %d", result->exit_code,
					   step ? step : "?", error);
	}
}

void gnt_replay_read(const struct gnt_exec_result *result, enum gnt_outcome *ret_outcome,
		     int *ret_errno, char **ret_detail)
{
	json_t *report pcl_cleanup(decref) = NULL;

	*ret_outcome = GNT_OUTCOME_BROKEN;
	*ret_errno = 0;
	*ret_detail = NULL;
	if (result->spawn_errno) {
		*ret_outcome = GNT_OUTCOME_REFUSED;
		*ret_errno = result->spawn_errno;
		*ret_detail = gnt_text_new("execve: %s", strerror(result->spawn_errno));
		return;
	}
	if (!result->timed_out && !result->signal) {
		report = find_report(result->out);
		if (report) {
			read_report(result, report, ret_outcome, ret_errno, ret_detail);
			return;
		}
		if (result->exit_code == 0) {
			*ret_outcome = GNT_OUTCOME_DONE;
			return;
		}
	}
	*ret_detail = complaint(result);
}
