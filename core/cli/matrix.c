/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each kind of rule is a policy of one rule, read as any other is, and each backend's plan is asked
 * what it does of that rule on each of its kernels.
 */
#include "cli/matrix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_plan.h"
#include "backend/bpf_lsm_load.h"
#include "backend/bpf_lsm_plan.h"
#include "backend/selinux_plan.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "cli/cli.h"

#define COLUMNS_MAX 16
/* As many different reasons as there are gaps at most. */
#define REASONS_MAX 64

struct row {
	const char *name;
	const char *section; /* of a policy's spec */
};

/* Of the host; a container's get the same, but for what a row of theirs says. */
static const struct row host_rows[] = {
	{"process by path", "process: {matchPaths: [{path: /a}]}"},
	{"process by execname", "process: {matchPaths: [{execname: a}]}"},
	{"process by directory", "process: {matchDirectories: [{dir: /a/}]}"},
	{"process by directory, recursive",
	 "process: {matchDirectories: [{dir: /a/, recursive: true}]}"},
	{"process by pattern", "process: {matchPatterns: [{pattern: /a*}]}"},
	{"process, ownerOnly", "process: {matchPaths: [{path: /a, ownerOnly: true}]}"},
	{"process, pts: false", "process: {matchPaths: [{path: /a, pts: false}]}"},
	{"process, fromSource", "process: {matchPaths: [{path: /a, fromSource: [{path: /s}]}]}"},
	{"process, allowedArgs", "process: {matchPaths: [{path: /a, allowedArgs: [x]}]}"},
	{"process, allow-list", "process: {matchPaths: [{path: /a, action: Allow}]}"},
	{"file by path", "file: {matchPaths: [{path: /a}]}"},
	{"file by directory", "file: {matchDirectories: [{dir: /a/}]}"},
	{"file by directory, recursive", "file: {matchDirectories: [{dir: /a/, recursive: true}]}"},
	{"file by pattern", "file: {matchPatterns: [{pattern: /a*}]}"},
	{"file, readOnly", "file: {matchPaths: [{path: /a, readOnly: true}]}"},
	{"file, ownerOnly", "file: {matchPaths: [{path: /a, ownerOnly: true}]}"},
	{"file, pts: false", "file: {matchPaths: [{path: /a, pts: false}]}"},
	{"file, fromSource", "file: {matchPaths: [{path: /a, fromSource: [{path: /s}]}]}"},
	{"file, allow-list", "file: {matchPaths: [{path: /a, action: Allow}]}"},
	{"network by protocol", "network: {matchProtocols: [{protocol: tcp}]}"},
	{"network, all protocols", "network: {matchProtocols: [{protocol: all}]}"},
	{"network, fromSource",
	 "network: {matchProtocols: [{protocol: tcp, fromSource: [{path: /s}]}]}"},
	{"network, allow-list", "network: {matchProtocols: [{protocol: tcp, action: Allow}]}"},
	{"DNS query", "network: {matchDNSQueries: [{domain: a.b}]}"},
	{"capability, but for the next three",
	 "capabilities: {matchCapabilities: [{capability: net_raw}]}"},
	{"capability sys_rawio", "capabilities: {matchCapabilities: [{capability: sys_rawio}]}"},
	{"capability setpcap", "capabilities: {matchCapabilities: [{capability: setpcap}]}"},
	{"capability sys_admin", "capabilities: {matchCapabilities: [{capability: sys_admin}]}"},
	{"capability, allow-list",
	 "capabilities: {matchCapabilities: [{capability: net_raw, action: Allow}]}"},
	{"system call", "syscalls: {matchSyscalls: [{syscall: [unlink]}]}"},
	{"system call on a path", "syscalls: {matchPaths: [{syscall: [unlink], path: /a}]}"},
	{"system call, fromSource",
	 "syscalls: {matchSyscalls: [{syscall: [unlink], fromSource: [{path: /s}]}]}"},
	{"system call, fromSource a directory",
	 "syscalls: {matchSyscalls: [{syscall: [unlink], fromSource: [{dir: /s/}]}]}"},
	{"device", "device: {matchDevice: [{class: HID}]}"},
	{"apparmor", "apparmor: deny /x w,"},
};

static const struct row container_rows[] = {
	{"file by path, of a container", "file: {matchPaths: [{path: /a}]}"},
	{"preset filelessExec", "presets: [{name: filelessExec}]"},
	{"preset anonymousMapExec", "presets: [{name: anonymousMapExec}]"},
	{"preset protectEnv", "presets: [{name: protectEnv}]"},
	{"preset exec", "presets: [{name: exec}]"},
	{"preset protectProc", "presets: [{name: protectProc}]"},
};

struct backend {
	const char *name;
	const char *const *kernels;
	struct pcl_rule_status (*status)(const struct pcl_rule *rule, unsigned kernel);
};

static const struct backend backends[] = {
	{"bpf_lsm", pcl_bpf_kernel_names, pcl_bpf_status},
	{"apparmor", pcl_apparmor_kernel_names, pcl_apparmor_status},
	{"selinux", pcl_selinux_kernel_names, pcl_selinux_status},
};

struct column {
	const struct backend *backend;
	unsigned kernel;
};

struct matrix {
	struct column columns[COLUMNS_MAX];
	size_t column_count;
	const char *reasons[REASONS_MAX]; /* static texts of the backends */
	const struct backend *reason_of[REASONS_MAX];
	size_t reason_count;
};

static void find_columns(struct matrix *matrix)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(backends); i++)
		for (unsigned k = 0; backends[i].kernels[k]; k++)
			if (matrix->column_count < COLUMNS_MAX)
				matrix->columns[matrix->column_count++] =
					(struct column){&backends[i], k};
}

static int read_row(const struct row *row, bool host, struct pcl_policy_set *set,
		    struct pcl_diag *diag)
{
	pcl_autofree char *text = NULL;
	int len =
		asprintf(&text,
			 "apiVersion: security.kubearmor.com/v1\nkind: %s\nmetadata: {name: row}\n"
			 "spec:\n  %s\n  %s\n",
			 host ? "KubeArmorHostPolicy" : "KubeArmorClusterPolicy",
			 host ? "nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}"
			      : "selector: {matchExpressions: [{key: namespace, operator: NotIn, "
				"values: [nowhere]}]}",
			 row->section);

	if (len < 0)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	return pcl_policy_set_read_memory(set, row->name, text, (size_t)len, diag);
}

/* The number that the reason has below the table, from 1. */
static size_t number_of(struct matrix *matrix, const struct backend *backend, const char *reason)
{
	for (size_t i = 0; i < matrix->reason_count; i++)
		if (matrix->reason_of[i] == backend && !strcmp(matrix->reasons[i], reason))
			return i + 1;
	if (matrix->reason_count == REASONS_MAX)
		return 0;
	matrix->reasons[matrix->reason_count] = reason;
	matrix->reason_of[matrix->reason_count] = backend;
	return ++matrix->reason_count;
}

static void print_row(struct matrix *matrix, const struct row *row, const struct pcl_rule *rule)
{
	(void)printf("| %s |", row->name);
	for (size_t i = 0; i < matrix->column_count; i++) {
		const struct column *column = &matrix->columns[i];
		const struct pcl_rule_status status = column->backend->status(rule, column->kernel);

		(void)printf(" %s", pcl_status_name(status.status));
		if (status.reason)
			(void)printf(" (%zu)", number_of(matrix, column->backend, status.reason));
		(void)printf(" |");
	}
	(void)puts("");
}

static void print_head(const struct matrix *matrix)
{
	(void)printf("| rule |");
	for (size_t i = 0; i < matrix->column_count; i++)
		(void)printf(" %s, %s |", matrix->columns[i].backend->name,
			     matrix->columns[i].backend->kernels[matrix->columns[i].kernel]);
	(void)printf("\n| --- |");
	for (size_t i = 0; i < matrix->column_count; i++)
		(void)printf(" --- |");
	(void)puts("");
}

static void print_reasons(const struct matrix *matrix)
{
	(void)puts("");
	for (size_t i = 0; i < matrix->reason_count; i++)
		(void)printf("%zu. %s %s.\n", i + 1, matrix->reason_of[i]->name,
			     matrix->reasons[i]);
}

static json_t *row_json(const struct matrix *matrix, const struct row *row,
			const struct pcl_rule *rule)
{
	json_t *statuses = json_array();

	for (size_t i = 0; i < matrix->column_count; i++) {
		const struct column *column = &matrix->columns[i];
		const struct pcl_rule_status status = column->backend->status(rule, column->kernel);

		(void)json_array_append_new(statuses,
					    json_pack("{s:s, s:s, s:s, s:s*}", "backend",
						      column->backend->name, "kernel",
						      column->backend->kernels[column->kernel],
						      "status", pcl_status_name(status.status),
						      "reason", status.reason));
	}
	return json_pack("{s:s, s:s, s:o}", "rule", row->name, "example", row->section, "statuses",
			 statuses);
}

/* Prints the rows, or adds them to list if that is not NULL. An exit code after the error line. */
static int put_rows(struct matrix *matrix, const struct row *rows, size_t count, bool host,
		    json_t *list)
{
	for (size_t i = 0; i < count; i++) {
		pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
		pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};

		if (pcl_policy_set_new(&set) || read_row(&rows[i], host, set, &diag))
			return pcl_cli_fail_diag(PCL_EXIT_NO, &diag);
		if (list)
			(void)json_array_append_new(list, row_json(matrix, &rows[i],
								   set->policies[0]->rules[0]));
		else
			print_row(matrix, &rows[i], set->policies[0]->rules[0]);
	}
	return 0;
}

int pcl_cli_print_matrix(bool json)
{
	json_t *list = json ? json_array() : NULL;
	struct matrix matrix = {0};
	int exit_code;

	find_columns(&matrix);
	if (!json)
		print_head(&matrix);
	exit_code = put_rows(&matrix, host_rows, PCL_ARRAY_SIZE(host_rows), true, list);
	if (!exit_code)
		exit_code = put_rows(&matrix, container_rows, PCL_ARRAY_SIZE(container_rows), false,
				     list);
	if (exit_code) {
		json_decref(list);
		return exit_code;
	}
	if (json)
		return pcl_cli_print_json(json_pack("{s:o}", "rows", list));
	print_reasons(&matrix);
	return pcl_cli_finish(PCL_EXIT_YES);
}
