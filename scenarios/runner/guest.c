/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the agent; see guest.h. One place builds each request and reads its reply. */
#include "guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* File operations touch a RAM disk: anything near this long is a guest that does not answer. */
#define FILE_TIMEOUT_MS 15000
/* A container with its own root copies the userland first. */
#define CONTAINER_TIMEOUT_MS 20000
/* The agent ends a program at its own limit; this long after that it should have said so. */
#define REPLY_GRACE_MS 5000

static void decref(json_t **json)
{
	json_decref(*json);
}

#define auto_json pcl_cleanup(decref) json_t *

/* Takes request. */
static int call(struct gnt_vm *vm, json_t *request, int timeout_ms, json_t **ret_reply,
		struct pcl_diag *diag)
{
	auto_json owned = request;
	auto_json reply = NULL;
	const char *op, *refusal;
	int error;

	if (!owned)
		return pcl_diag_set(diag, -ENOMEM, "cannot build a request to the guest");
	op = json_string_value(json_object_get(request, "op"));
	error = gnt_vm_call(vm, request, timeout_ms, &reply, diag);
	if (error)
		return error;
	refusal = json_string_value(json_object_get(reply, "error"));
	if (refusal)
		return pcl_diag_set(diag, -EREMOTEIO, "the guest's agent cannot %s: %s", op,
				    refusal);
	if (ret_reply)
		*ret_reply = pcl_take_ptr(reply);
	return 0;
}

void gnt_exec_result_fini(struct gnt_exec_result *result)
{
	free(result->out);
	free(result->err);
	memset(result, 0, sizeof(*result));
}

static char *text_of(const json_t *reply, const char *key)
{
	const char *text = json_string_value(json_object_get(reply, key));

	return strdup(text ? text : "");
}

static json_t *exec_request(const struct gnt_exec *exec)
{
	auto_json argv = json_array();
	json_t *request;

	for (size_t i = 0; exec->argv[i]; i++)
		if (json_array_append_new(argv, json_string(exec->argv[i])) != 0)
			return NULL;
	request = json_pack("{s:s, s:O, s:i}", "op", "exec", "argv", argv, "timeout_ms",
			    exec->timeout_ms);
	if (exec->container && request)
		(void)json_object_set_new(request, "container", json_string(exec->container));
	if (exec->profile && request)
		(void)json_object_set_new(request, "apparmor", json_string(exec->profile));
	if (exec->setup && request)
		(void)json_object_set_new(request, "setup", json_true());
	if (exec->uid && request) {
		(void)json_object_set_new(request, "uid", json_integer(exec->uid));
		(void)json_object_set_new(request, "gid", json_integer(exec->uid));
	}
	return request;
}

int gnt_guest_exec(struct gnt_vm *vm, const struct gnt_exec *exec,
		   struct gnt_exec_result *ret_result, struct pcl_diag *diag)
{
	struct gnt_exec_result result pcl_cleanup(gnt_exec_result_fini) = {0};
	auto_json reply = NULL;
	const json_t *code;
	int error = call(vm, exec_request(exec), exec->timeout_ms + REPLY_GRACE_MS, &reply, diag);

	if (error)
		return error;
	code = json_object_get(reply, "exit");
	result.exit_code = json_is_integer(code) ? (int)json_integer_value(code) : -1;
	result.signal = (int)json_integer_value(json_object_get(reply, "signal"));
	result.spawn_errno = (int)json_integer_value(json_object_get(reply, "spawn_errno"));
	result.timed_out = json_is_true(json_object_get(reply, "timed_out"));
	result.out = text_of(reply, "stdout");
	result.err = text_of(reply, "stderr");
	if (!result.out || !result.err)
		return pcl_diag_set(diag, -ENOMEM, "no memory for a program's output");
	*ret_result = result;
	memset(&result, 0, sizeof(result));
	return 0;
}

int gnt_guest_put(struct gnt_vm *vm, const char *path, int mode, const char *text,
		  struct pcl_diag *diag)
{
	return call(vm,
		    json_pack("{s:s, s:s, s:i, s:s}", "op", "put", "path", path, "mode", mode,
			      "text", text),
		    FILE_TIMEOUT_MS, NULL, diag);
}

int gnt_guest_copy(struct gnt_vm *vm, const char *from, const char *to, int mode,
		   struct pcl_diag *diag)
{
	json_t *request = json_pack("{s:s, s:s, s:s}", "op", "copy", "from", from, "to", to);

	if (mode >= 0 && request)
		(void)json_object_set_new(request, "mode", json_integer(mode));
	return call(vm, request, FILE_TIMEOUT_MS, NULL, diag);
}

int gnt_guest_mkdir(struct gnt_vm *vm, const char *path, int mode, struct pcl_diag *diag)
{
	return call(vm, json_pack("{s:s, s:s, s:i}", "op", "mkdir", "path", path, "mode", mode),
		    FILE_TIMEOUT_MS, NULL, diag);
}

int gnt_guest_remove(struct gnt_vm *vm, const char *path, struct pcl_diag *diag)
{
	struct gnt_file_stat st;
	int error = gnt_guest_stat(vm, path, &st, diag);

	if (error || !st.exists)
		return error;
	return call(vm, json_pack("{s:s, s:s}", "op", "unlink", "path", path), FILE_TIMEOUT_MS,
		    NULL, diag);
}

int gnt_guest_stat(struct gnt_vm *vm, const char *path, struct gnt_file_stat *ret_stat,
		   struct pcl_diag *diag)
{
	auto_json reply = NULL;
	const char *sum, *marks;
	int error = call(vm, json_pack("{s:s, s:s}", "op", "stat", "path", path), FILE_TIMEOUT_MS,
			 &reply, diag);

	if (error)
		return error;
	memset(ret_stat, 0, sizeof(*ret_stat));
	ret_stat->exists = json_is_true(json_object_get(reply, "exists"));
	ret_stat->size = json_integer_value(json_object_get(reply, "size"));
	ret_stat->mode = json_integer_value(json_object_get(reply, "mode"));
	sum = json_string_value(json_object_get(reply, "sha256"));
	(void)snprintf(ret_stat->sha256, sizeof(ret_stat->sha256), "%s", sum ? sum : "");
	marks = json_string_value(json_object_get(reply, "marks"));
	(void)snprintf(ret_stat->marks, sizeof(ret_stat->marks), "%s", marks ? marks : "");
	return 0;
}

int gnt_guest_container_start(struct gnt_vm *vm, const char *name, const char *root, int *ret_pid,
			      char **ret_cgroup, struct pcl_diag *diag)
{
	auto_json reply = NULL;
	const char *cgroup;
	int error = call(vm,
			 json_pack("{s:s, s:s, s:s}", "op", "container_start", "name", name, "root",
				   root),
			 CONTAINER_TIMEOUT_MS, &reply, diag);

	if (error)
		return error;
	cgroup = json_string_value(json_object_get(reply, "cgroup"));
	*ret_cgroup = cgroup ? strdup(cgroup) : NULL;
	if (cgroup && !*ret_cgroup)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	*ret_pid = (int)json_integer_value(json_object_get(reply, "pid"));
	return 0;
}

int gnt_guest_container_stop(struct gnt_vm *vm, const char *name, struct pcl_diag *diag)
{
	return call(vm, json_pack("{s:s, s:s}", "op", "container_stop", "name", name),
		    CONTAINER_TIMEOUT_MS, NULL, diag);
}

int gnt_guest_op(struct gnt_vm *vm, const char *op, int timeout_ms, struct pcl_diag *diag)
{
	return call(vm, json_pack("{s:s}", "op", op), timeout_ms, NULL, diag);
}
