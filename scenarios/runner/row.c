/* SPDX-License-Identifier: Apache-2.0 */
/* One line of results.json's "cases" or "skipped". */
#include <jansson.h>

#include "base/cleanup.h"
#include "run.h"
#include "support.h"
#include "text.h"

json_t *gnt_row_new(const struct gnt_run_options *options, const struct gnt_target *target,
		    struct gnt_run_line line, enum gnt_verdict verdict, enum gnt_incident incident,
		    const char *detail)
{
	const struct gnt_known *known = gnt_target_known(target, line.test_case->id);
	enum gnt_verdict expected = gnt_case_expected(line.test_case, line.contender->id);
	pcl_autofree char *reproduce =
		gnt_text_new("%s run %s --on %s --contender %s%s", options->reproduce,
			     line.test_case->id, target->id, line.contender->id,
			     options->reproduce_options);
	/* An error is never a pass, not even where a case would name it as expected. */
	bool error = gnt_verdict_exit(verdict, incident, true) != GNT_EXIT_OK;
	enum pcl_status worst = PCL_STATUS_EXACT;
	json_t *row;

	/* What cannot be read here fails in the guest, and says why. */
	if (!gnt_support_worst(line.test_case, line.contender, options->corpus_dir, &worst, NULL) &&
	    worst == PCL_STATUS_UNSUPPORTED)
		expected = GNT_VERDICT_UNSUPPORTED;
	/* The manifest's words were checked when it was read. */
	if (known)
		(void)gnt_verdict_parse(known->verdict, &expected);
	row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:n, s:n, s:i, s:s}", "target",
			target->id, "contender", line.contender->id, "case", line.test_case->id,
			"mitre", line.test_case->mitre_id, "verdict", gnt_verdict_name(verdict),
			"expected", gnt_verdict_name(expected), "pass",
			verdict == expected && !error, "errno", "event_rule", "duration_ms", 0,
			"reproduce", reproduce ? reproduce : "");

	if (row && known)
		(void)json_object_set_new(row, "known", json_string(known->reason));
	if (row && detail)
		(void)json_object_set_new(row, "detail", json_string(detail));
	if (row && incident != GNT_INCIDENT_NONE)
		(void)json_object_set_new(row, "incident",
					  json_string(gnt_incident_name(incident)));
	return row;
}

json_t *gnt_skip_new(const struct gnt_target *target, struct gnt_run_line line, const char *reason)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "target", target->id, "contender",
			 line.contender->id, "case", line.test_case->id, "reason", reason);
}

size_t gnt_run_line_count(const struct gnt_run_options *options)
{
	return options->case_count * options->contender_count;
}

struct gnt_run_line gnt_run_line(const struct gnt_run_options *options, size_t index)
{
	return (struct gnt_run_line){
		.test_case = options->cases[index / options->contender_count],
		.contender = options->contenders[index % options->contender_count],
	};
}
