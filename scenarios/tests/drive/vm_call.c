/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives the VM layer from a shell test: boots a target, sends the requests of standard input (one
 * JSON object a line) and prints what came back (one a line), the hello first. agent.bats builds
 * it.
 *
 * usage: vm_call TARGET LOG-DIR [icount | beat MS | size CPUS MIB]
 * A request may have "host_timeout_ms". A call that fails prints {"failed": text, "state": name}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "scenarios/runner/vm.h"

#define BOOT_TIMEOUT_MS 60000
#define CALL_TIMEOUT_MS 30000

static const char *const state_names[] = {
	[GNT_VM_RUNNING] = "running", [GNT_VM_OFF] = "off",   [GNT_VM_PANIC] = "panic",
	[GNT_VM_SPLAT] = "splat",     [GNT_VM_HANG] = "hang", [GNT_VM_DEAD] = "dead",
};

static void print(json_t *value)
{
	char *text pcl_autofree = json_dumps(value, JSON_COMPACT);

	puts(text ? text : "null");
	(void)fflush(stdout);
	json_decref(value);
}

static void print_failure(const struct pcl_diag *diag, enum gnt_vm_state state)
{
	print(json_pack("{s:s, s:s}", "failed", pcl_diag_text(diag), "state", state_names[state]));
}

static void call(struct gnt_vm *vm, const char *line)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	json_error_t error;
	json_t *request = json_loads(line, 0, &error), *reply = NULL;
	const json_t *timeout = json_object_get(request, "host_timeout_ms");

	if (!request) {
		fprintf(stderr, "vm_call: %s: %s\n", line, error.text);
		exit(2);
	}
	if (gnt_vm_call(vm, request, timeout ? (int)json_integer_value(timeout) : CALL_TIMEOUT_MS,
			&reply, &diag))
		print_failure(&diag, gnt_vm_state(vm));
	else
		print(reply);
	json_decref(request);
}

static struct gnt_target *find(struct gnt_target **targets, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(targets[i]->id, id) == 0)
			return targets[i];
	}
	fprintf(stderr, "vm_call: no target %s\n", id);
	exit(2);
}

int main(int argc, char **argv)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct gnt_vm_options options = {.guest_dir = "build/guest",
					 .boot_timeout_ms = BOOT_TIMEOUT_MS};
	struct gnt_vm *vm pcl_cleanup(gnt_vm_free) = NULL;
	struct gnt_target **targets = NULL, *target;
	char *line pcl_autofree = NULL;
	enum gnt_vm_state state;
	size_t size = 0, count = 0;

	if (argc < 3) {
		fputs("usage: vm_call TARGET LOG-DIR [icount | beat MS | size CPUS MIB]\n", stderr);
		return 2;
	}
	if (gnt_targets_load("vm-images", &targets, &count, &diag)) {
		fprintf(stderr, "vm_call: %s\n", pcl_diag_text(&diag));
		return 2;
	}
	options.target = target = find(targets, count, argv[1]);
	options.log_dir = argv[2];
	if (argc > 3 && strcmp(argv[3], "icount") == 0)
		options.flags |= GNT_VM_ICOUNT;
	if (argc > 4 && strcmp(argv[3], "beat") == 0)
		options.beat_lost_ms = atoi(argv[4]);
	if (argc > 5 && strcmp(argv[3], "size") == 0) {
		options.cpus = atoi(argv[4]);
		target->memory_mib = atoi(argv[5]);
	}
	if (gnt_vm_start(&options, &vm, &state, &diag)) {
		print_failure(&diag, state);
		gnt_targets_free(&targets, count);
		return 1;
	}
	print(json_deep_copy(gnt_vm_hello(vm)));
	while (getline(&line, &size, stdin) > 0)
		call(vm, line);
	print(json_pack("{s:s}", "state", state_names[gnt_vm_state(vm)]));
	gnt_vm_free(&vm);
	gnt_targets_free(&targets, count);
	return 0;
}
