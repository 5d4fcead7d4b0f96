/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

json_t *gnt_report_run(const char *commit, const char *command)
{
	struct utsname name;
	char start[32], host[256];
	time_t now = time(NULL);
	struct tm utc;

	(void)uname(&name);
	(void)gmtime_r(&now, &utc);
	(void)strftime(start, sizeof(start), "%Y-%m-%dT%H:%M:%SZ", &utc);
	(void)snprintf(host, sizeof(host), "%s %s %s, %ld CPUs", name.sysname, name.release,
		       name.machine, sysconf(_SC_NPROCESSORS_ONLN));
	return json_pack("{s:s, s:s, s:s, s:s}", "start", start, "commit", commit, "host", host,
			 "command", command);
}
