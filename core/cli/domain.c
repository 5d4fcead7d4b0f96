/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portcullis domain: containers as domains that policies select by label.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/model_json.h"
#include "node/cgroup.h"

enum {
	OPT_LABELS = 1,
	OPT_CGROUP,
	OPT_PID,
	OPT_NAMESPACE,
	OPT_FROM,
	OPT_BACKEND,
	OPT_JSON,
};

static const struct option options[] = {
	{"labels", required_argument, NULL, OPT_LABELS},
	{"cgroup", required_argument, NULL, OPT_CGROUP},
	{"pid", required_argument, NULL, OPT_PID},
	{"namespace", required_argument, NULL, OPT_NAMESPACE},
	{"from", required_argument, NULL, OPT_FROM},
	{"backend", required_argument, NULL, OPT_BACKEND},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	const char *labels;
	const char *cgroup;
	const char *pid;
	const char *ns;
	const char *from;
	const char *backend;
	bool json;
};

static int help(void)
{
	(void)puts(
		"usage: portcullis domain add NAME [--labels K=V,...] [--namespace NS]\n"
		"                             (--cgroup PATH | --pid PID) [--backend NAME]\n"
		"       portcullis domain add --from FILE [--backend NAME]\n"
		"       portcullis domain list [--json]\n"
		"       portcullis domain remove NAME\n"
		"A container becomes a domain: the tasks of its cgroup (v2) and of those below it, or\n"
		"where it has none (cgroup v1), the tasks of its mount and pid namespaces.\n"
		"Policies select it by its labels, also those that were applied before. A task stays\n"
		"in its domain wherever it moves, and so do its children.\n\n"
		"  --labels K=V,..  what selector.matchLabels asks for\n"
		"  --namespace NS   the container's namespace; without it, policies of any namespace\n"
		"                   may select the domain\n"
		"  --cgroup PATH    the container's cgroup, absolute or below /sys/fs/cgroup\n"
		"  --pid PID        a process of the container, whose cgroup is taken, or namespaces\n"
		"  --from FILE      many at once, all or none: a line \"NAME CGROUP [K=V,...]\" each\n"
		"  --backend NAME   where nothing is applied yet, who will; default: the first that\n"
		"                   this node can\n\n"
		"Exit codes: 0 done, 1 failed, 2 wrong command line, 3 this node can't.");
	return pcl_cli_finish(PCL_EXIT_YES);
}

static int find_place(const struct arguments *arguments, struct pcl_home *ret_place,
		      struct pcl_diag *diag)
{
	char *end;
	long pid;

	if (arguments->cgroup)
		return pcl_cgroup_open(arguments->cgroup, &ret_place->cgroup, &ret_place->cgroup_id,
				       diag);
	errno = 0;
	pid = strtol(arguments->pid, &end, 10);
	if (errno || *end || end == arguments->pid || pid <= 0 || pid > INT32_MAX)
		return pcl_diag_set(diag, -EINVAL, "--pid \"%s\" is no process number",
				    arguments->pid);
	return pcl_home_of_pid((pid_t)pid, ret_place, diag);
}

static int add(const char *name, const struct arguments *arguments)
{
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	pcl_cleanup(pcl_home_fini) struct pcl_home place = PCL_HOME_NONE;
	int error;

	if (!arguments->cgroup == !arguments->pid)
		return pcl_cli_fail(PCL_EXIT_USAGE, "domain add: give either --cgroup or --pid");
	error = pcl_domain_new(name, arguments->ns, arguments->labels, &domain, &diag);
	if (!error)
		error = find_place(arguments, &place, &diag);
	if (!error)
		error = pcl_engine_open(0, &engine, &diag);
	if (!error)
		error = pcl_engine_add_domain(engine, pcl_take_ptr(domain), &place,
					      arguments->backend, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	pcl_cli_print_notes(engine);
	return pcl_cli_finish(PCL_EXIT_YES);
}

struct newcomers {
	struct pcl_newcomer *items;
	size_t count;
};

static void newcomers_fini(struct newcomers *newcomers)
{
	for (size_t i = 0; i < newcomers->count; i++) {
		pcl_domain_free(&newcomers->items[i].domain);
		pcl_home_fini(&newcomers->items[i].place);
	}
	free(newcomers->items);
}

static int read_line(char *line, struct newcomers *newcomers, struct pcl_diag *diag)
{
	static const char blanks[] = " \t\n";
	char *rest, *name = strtok_r(line, blanks, &rest);
	const char *cgroup = strtok_r(NULL, blanks, &rest);
	const char *labels = strtok_r(NULL, blanks, &rest);
	struct pcl_newcomer *newcomer;
	int error;

	if (!name)
		return 0;
	if (!cgroup || strtok_r(NULL, blanks, &rest))
		return pcl_diag_set(diag, -EINVAL, "a line is NAME CGROUP [K=V,...]");
	if (pcl_array_grow(&newcomers->items, newcomers->count, sizeof(*newcomers->items)))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	newcomer = &newcomers->items[newcomers->count++];
	*newcomer = (struct pcl_newcomer){.place = PCL_HOME_NONE};
	error = pcl_domain_new(name, NULL, labels, &newcomer->domain, diag);
	return error ? error
		     : pcl_cgroup_open(cgroup, &newcomer->place.cgroup, &newcomer->place.cgroup_id,
				       diag);
}

static int read_lines(const char *path, struct newcomers *newcomers, struct pcl_diag *diag)
{
	pcl_autofclose FILE *file = fopen(path, "re");
	pcl_autofree char *line = NULL;
	size_t size = 0, number = 0;

	if (!file)
		return pcl_diag_errno(diag, -errno, "cannot read %s", path);
	while (getline(&line, &size, file) >= 0) {
		pcl_cleanup(pcl_diag_fini) struct pcl_diag why = {0};
		int error = read_line(line, newcomers, &why);

		number++;
		if (error)
			return pcl_diag_set(diag, error, "%s:%zu: %s", path, number,
					    pcl_diag_text(&why));
	}
	return ferror(file) ? pcl_diag_set(diag, -EIO, "cannot read %s", path) : 0;
}

static int add_from(const char *path, const char *backend)
{
	pcl_cleanup(newcomers_fini) struct newcomers newcomers = {0};
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	int error = read_lines(path, &newcomers, &diag);

	if (!error)
		error = pcl_engine_open(0, &engine, &diag);
	if (!error)
		error = pcl_engine_add_domains(engine, newcomers.items, newcomers.count, backend,
					       &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	pcl_cli_print_notes(engine);
	return pcl_cli_finish(PCL_EXIT_YES);
}

static int remove_one(const char *name)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	int error = pcl_engine_open(0, &engine, &diag);

	if (!error)
		error = pcl_engine_remove_domain(engine, name, &diag);
	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	return pcl_cli_finish(PCL_EXIT_YES);
}

static json_t *member_json(const struct pcl_member *member, const char *labels)
{
	json_t *json = json_pack("{s:s, s:i, s:s, s:s*, s:s*}", "name", member->domain->name, "id",
				 (int)member->id, "labels", labels ? labels : "", "namespace",
				 member->domain->ns, "cgroup", member->cgroup);

	if (member->mount_ns)
		(void)json_object_set_new(json, "mount_ns", json_integer(member->mount_ns));
	if (member->pid_ns)
		(void)json_object_set_new(json, "pid_ns", json_integer(member->pid_ns));
	return json;
}

static int list(bool json)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	json_t *domains;
	int error = pcl_engine_open(0, &engine, &diag);

	if (error)
		return pcl_cli_fail_diag(pcl_cli_exit_code(error), &diag);
	domains = json_array();
	for (size_t i = 0; i < engine->state->member_count; i++) {
		const struct pcl_member *member = &engine->state->members[i];
		pcl_autofree char *labels =
			pcl_labels_text(member->domain->labels, member->domain->label_count);
		pcl_autofree char *place = pcl_member_place(member);

		if (!json)
			(void)printf("%-16s %-40s %s\n", member->domain->name, labels ? labels : "",
				     place ? place : "");
		(void)json_array_append_new(domains, member_json(member, labels));
	}
	if (json)
		return pcl_cli_print_json(domains);
	json_decref(domains);
	return pcl_cli_finish(PCL_EXIT_YES);
}

static int unknown_command(const char *word)
{
	static const char *const words[] = {"add", "list", "remove", NULL};
	const char *near = pcl_nearest_word(word, words);

	return pcl_cli_fail(PCL_EXIT_USAGE,
			    "domain: unknown command \"%s\"%s%s%s; see portcullis "
			    "domain --help",
			    word, near ? "; did you mean \"" : "", near ? near : "",
			    near ? "\"?" : "");
}

int pcl_cmd_domain(int argc, char **argv)
{
	struct arguments arguments = {0};
	const char *command;
	int option, count;

	while ((option = pcl_cli_getopt(argc, argv, options)) != -1) {
		if (option == 'h')
			return help();
		if (option == OPT_LABELS)
			arguments.labels = optarg;
		else if (option == OPT_CGROUP)
			arguments.cgroup = optarg;
		else if (option == OPT_PID)
			arguments.pid = optarg;
		else if (option == OPT_NAMESPACE)
			arguments.ns = optarg;
		else if (option == OPT_FROM)
			arguments.from = optarg;
		else if (option == OPT_BACKEND)
			arguments.backend = optarg;
		else if (option == OPT_JSON)
			arguments.json = true;
		else
			return PCL_EXIT_USAGE;
	}
	if (optind == argc)
		return pcl_cli_fail(PCL_EXIT_USAGE, "domain: add, list or remove? See portcullis "
						    "domain --help");
	command = argv[optind];
	count = argc - optind - 1;
	if (!strcmp(command, "list") && count == 0)
		return list(arguments.json);
	if (!strcmp(command, "add") && arguments.from)
		return count || arguments.labels || arguments.cgroup || arguments.pid ||
				       arguments.ns
			       ? pcl_cli_fail(PCL_EXIT_USAGE,
					      "domain add: with --from, all stands in the file")
			       : add_from(arguments.from, arguments.backend);
	if (!strcmp(command, "add") && count == 1)
		return add(argv[optind + 1], &arguments);
	if (!strcmp(command, "remove") && count == 1)
		return remove_one(argv[optind + 1]);
	if (strcmp(command, "list") && strcmp(command, "add") && strcmp(command, "remove"))
		return unknown_command(command);
	return pcl_cli_fail(PCL_EXIT_USAGE, "domain %s: takes %s; see portcullis domain --help",
			    command, !strcmp(command, "list") ? "no argument" : "one NAME");
}
