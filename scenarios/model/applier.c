/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that applies and reads events, in the host's domain, as the engine does by itself.
 * Requests: one byte, then for 'a' the postures, a length and the text. Answers: an error and a
 * length, then a message or events.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "engine/alert.h"
#include "engine/engine.h"
#include "model.h"
#include "node/cgroup.h"

#define autoengine pcl_cleanup(pcl_engine_close) struct pcl_engine

static int channel = -1;
static pid_t applier;

struct head {
	char what;
	int32_t error;
	uint64_t len;
	struct pcl_postures postures;
};

static int send_all(const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t put = write(channel, (const char *)data + done, len - done);

		if (put <= 0)
			return -EIO;
		done += (size_t)put;
	}
	return 0;
}

static int receive_all(void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t got = read(channel, (char *)data + done, len - done);

		if (got <= 0)
			return -EIO;
		done += (size_t)got;
	}
	return 0;
}

static int send_head(char what, int error, const void *data, size_t len)
{
	struct head head = {.what = what, .error = error, .len = len};

	return send_all(&head, sizeof(head)) || send_all(data, len) ? -EIO : 0;
}

/* --- in the applier ----------------------------------------------------------------------------
 */

static int add_domain(struct pcl_engine *engine, const char *name, const char *label,
		      struct pcl_diag *diag)
{
	struct pcl_home home pcl_cleanup(pcl_home_fini) = PCL_HOME_NONE;
	struct pcl_domain *domain = NULL;
	char path[64], labels[32];
	int error;

	snprintf(path, sizeof(path), PCL_CGROUP_DIR "/model-%s", name);
	snprintf(labels, sizeof(labels), "app=%s", label);
	error = pcl_cgroup_open(path, &home.cgroup, &home.cgroup_id, diag);
	if (!error)
		error = pcl_domain_new(name, "model", labels, &domain, diag);
	return error ? error : pcl_engine_add_domain(engine, domain, &home, NULL, diag);
}

static int add_domains(struct pcl_engine *engine, struct pcl_diag *diag)
{
	int error = add_domain(engine, "driver", "driver", diag);

	for (unsigned i = 1; !error && i < MODEL_DOMAINS; i++)
		error = add_domain(engine, model_domain_names[i], model_labels[i], diag);
	return error;
}

static int apply(struct pcl_engine *engine, const char *backend, const char *text,
		 const struct pcl_postures *postures, struct pcl_diag *diag)
{
	struct pcl_apply_options options = {.backend = backend,
					    .postures = *postures,
					    .effort = PCL_EFFORT_BEST};
	struct pcl_policy_set *set = NULL;
	/* SELinux knows none. */
	bool domains = !engine->backend && strcmp(backend, "selinux") != 0;
	int error = pcl_policy_set_new(&set);

	if (!error)
		error = pcl_policy_set_read_memory(set, "model.yaml", text, strlen(text), diag);
	if (error) {
		pcl_policy_set_free(&set);
		return error;
	}
	error = pcl_engine_apply(engine, set, &options, diag);
	return !error && domains ? add_domains(engine, diag) : error;
}

static int serve_apply(struct pcl_engine *engine, const char *backend, const struct head *head)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *text = calloc(1, head->len + 1);
	const char *message;
	int error;

	if (!text || receive_all(text, head->len))
		return -EIO;
	error = apply(engine, backend, text, &head->postures, &diag);
	message = error ? pcl_diag_text(&diag) : "";
	return send_head('a', error, message, strlen(message));
}

struct collected {
	struct pcl_engine *engine;
	struct model_event *events;
	size_t count;
};

static int collect(const struct pcl_event *event, void *context)
{
	struct collected *collected = context;
	const struct pcl_state *state = collected->engine->state;
	struct pcl_event told = *event;
	const struct pcl_rule *rule;
	struct model_event *next;

	if (told.operation_count &&
	    (told.generation != state->generation || !pcl_event_attribute(state, &told)))
		return 0;
	rule = pcl_state_rule(state, told.rule);
	if (pcl_array_grow(&collected->events, collected->count, sizeof(*collected->events)))
		return -ENOMEM;
	next = &collected->events[collected->count++];
	memset(next, 0, sizeof(*next));
	next->time_ns = told.time_ns;
	next->pid = told.pid;
	next->access = (uint32_t)told.access;
	next->refused = told.flags & PCL_EVENT_REFUSAL;
	next->nameless = told.flags & PCL_EVENT_NO_NAME;
	snprintf(next->rule, sizeof(next->rule), "%s",
		 rule				  ? rule->id
		 : told.flags & PCL_EVENT_NO_RULE ? MODEL_NO_RULE
						  : "");
	snprintf(next->object, sizeof(next->object), "%s", told.object);
	return 0;
}

static int serve_events(struct pcl_engine *engine)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	struct collected collected = {.engine = engine};
	int error = engine->backend && engine->backend->events
			    ? engine->backend->events(0, collect, &collected, &diag)
			    : -EOPNOTSUPP;

	error = send_head('e', error, collected.events,
			  collected.count * sizeof(*collected.events));
	free(collected.events);
	return error;
}

static int serve(const char *backend)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	autoengine *engine = NULL;
	struct head head;
	int error = pcl_engine_open(0, &engine, &diag);

	while (!error && !receive_all(&head, sizeof(head))) {
		if (head.what == 'a')
			error = serve_apply(engine, backend, &head);
		else if (head.what == 'e')
			error = serve_events(engine);
		else
			break;
	}
	if (engine && !error)
		error = pcl_engine_remove(engine, &diag);
	if (error)
		fprintf(stderr, "model: %s\n", pcl_diag_text(&diag));
	return error ? 1 : 0;
}

/* --- in the driver -----------------------------------------------------------------------------
 */

int model_applier_start(const char *backend, struct pcl_diag *diag)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return pcl_diag_errno(diag, -errno, "cannot make a socket pair");
	applier = fork();
	if (applier < 0)
		return pcl_diag_errno(diag, -errno, "cannot fork");
	channel = applier ? pair[0] : pair[1];
	(void)close(applier ? pair[1] : pair[0]);
	if (!applier) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(serve(backend));
	}
	return 0;
}

static int receive(struct head *head, char **ret_data, struct pcl_diag *diag)
{
	pcl_autofree char *data = NULL;

	if (receive_all(head, sizeof(*head)))
		return pcl_diag_set(diag, -EIO, "the applier is gone");
	data = calloc(1, head->len + 1);
	if (!data || receive_all(data, head->len))
		return pcl_diag_set(diag, -EIO, "the applier is gone");
	*ret_data = pcl_take_ptr(data);
	return 0;
}

int model_apply(const char *text, const struct pcl_postures *postures, struct pcl_diag *diag)
{
	struct head head = {.what = 'a', .len = strlen(text), .postures = *postures};
	pcl_autofree char *message = NULL;
	int error = 0;

	if (send_all(&head, sizeof(head)) || send_all(text, strlen(text)))
		return pcl_diag_set(diag, -EIO, "the applier is gone");
	error = receive(&head, &message, diag);
	if (!error && head.error)
		error = pcl_diag_set(diag, head.error, "%s", message);
	return error;
}

int model_events(struct model_event **ret_events, size_t *ret_count, struct pcl_diag *diag)
{
	struct head head = {.what = 'e'};
	char *data = NULL;
	int error = send_all(&head, sizeof(head)) ? pcl_diag_set(diag, -EIO, "the applier is gone")
						  : receive(&head, &data, diag);

	if (error || head.error) {
		free(data);
		return error ? error : pcl_diag_errno(diag, head.error, "cannot read the events");
	}
	*ret_events = (struct model_event *)(void *)data;
	*ret_count = head.len / sizeof(**ret_events);
	return 0;
}

int model_applier_stop(struct pcl_diag *diag)
{
	struct head head = {.what = 'q'};
	int status;

	if (send_all(&head, sizeof(head)) || waitpid(applier, &status, 0) != applier ||
	    !WIFEXITED(status) || WEXITSTATUS(status))
		return pcl_diag_set(diag, -EIO, "the applier did not end well");
	return 0;
}
