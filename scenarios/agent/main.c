/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process 1: set the guest up, say hello, serve. Every way out of here is a power-off, because the
 * end of process 1 is a kernel panic, and a panic must only ever mean a panic.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

/* Set by the operation of that name. */
static bool mute;

static int op_ping(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	(void)request;
	(void)diag;
	return json_object_set_new(reply, "pong", json_true());
}

/* The reply to a power-off is the end of QEMU. */
static int op_poweroff(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	(void)request;
	(void)reply;
	sync();
	(void)reboot(RB_POWER_OFF);
	return pcl_diag_errno(diag, -errno, "poweroff");
}

/* A crash on purpose, so that the harness can prove that it notices one. */
static int op_panic(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	int fd pcl_autoclose = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	(void)request;
	(void)reply;
	if (fd < 0 || write(fd, "c", 1) != 1)
		return pcl_diag_errno(diag, -errno, "panic: /proc/sysrq-trigger");
	return 0;
}

/* A hang on purpose; every signal that could wake it is blocked. */
static int op_hang(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	sigset_t all;

	(void)request;
	(void)reply;
	(void)diag;
	sigfillset(&all);
	(void)sigsuspend(&all);
	return 0;
}

/* An agent that ends on purpose. KERNEL: the end of process 1 is a panic. */
static int op_die(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	(void)request;
	(void)reply;
	(void)diag;
	_exit(1);
}

/* An agent that is dead though the guest lives: it answers this, and then never again. */
static int op_mute(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	(void)request;
	(void)reply;
	(void)diag;
	mute = true;
	return 0;
}

static const struct {
	const char *name;
	agt_operation_fn run;
} operations[] = {
	{"ping", op_ping},
	{"exec", agt_exec},
	{"put", agt_put},
	{"get", agt_get},
	{"mkdir", agt_mkdir},
	{"unlink", agt_unlink},
	{"copy", agt_copy},
	{"stat", agt_stat},
	{"mark", agt_mark},
	{"container_start", agt_container_start},
	{"container_stop", agt_container_stop},
	{"poweroff", op_poweroff},
	{"panic", op_panic},
	{"hang", op_hang},
	{"die", op_die},
	{"mute", op_mute},
};

/*
 * What a case puts on a read-only root is put there as if it had come with the image: the root is
 * opened for that one operation, and for a program of the setup. No other program has a part in it.
 */
static int run_operation(agt_operation_fn run, const json_t *request, json_t *reply,
			 struct pcl_diag *diag)
{
	bool setup = json_is_true(json_object_get(request, "setup"));
	int error = setup && agt_target_root_is_closed() ? -EROFS : run(request, reply, diag);
	int opened, closed;

	if (error != -EROFS || !agt_target_root_is_closed())
		return error;
	opened = agt_target_root_open();
	if (opened)
		return pcl_diag_errno(diag, opened, "cannot open the read-only root");
	error = run(request, reply, diag);
	closed = agt_target_root_close();
	if (closed && !error)
		return pcl_diag_errno(diag, closed, "cannot close the read-only root again");
	return error;
}

static int dispatch(const json_t *request, json_t *reply, struct pcl_diag *diag)
{
	const char *name;
	int error = agt_text_member(request, "op", &name, diag);

	if (error)
		return error;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(operations); i++) {
		if (strcmp(operations[i].name, name) == 0)
			return run_operation(operations[i].run, request, reply, diag);
	}
	return pcl_diag_set(diag, -ENOSYS, "no operation \"%s\"", name);
}

/* The reply to a request, a new object. */
static json_t *serve_one(const json_t *request)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	json_t *reply = json_object();
	json_t *id = json_object_get(request, "id");

	(void)json_object_set(reply, "id", id ? id : json_null());
	if (dispatch(request, reply, &diag) < 0)
		(void)json_object_set_new(reply, "error",
					  agt_text_json(pcl_diag_text(&diag),
							strlen(pcl_diag_text(&diag))));
	return reply;
}

static int answer(int channel_fd, const json_t *request, const struct pcl_diag *bad_frame)
{
	json_t *reply = request ? serve_one(request)
				: json_pack("{s:n, s:s}", "id", "error", pcl_diag_text(bad_frame));
	int error = agt_channel_send(channel_fd, reply);

	json_decref(reply);
	return error;
}

/* Returns when the host is gone. */
static void serve(int channel_fd)
{
	for (;;) {
		struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
		json_t *request = NULL;
		int error = agt_channel_receive(channel_fd, &request, &diag);

		if (error && error != -EBADMSG) {
			fprintf(stderr, "agent: channel: %s\n", strerror(-error));
			return;
		}
		agt_beat_busy(true);
		error = answer(channel_fd, request, &diag);
		agt_beat_busy(false);
		json_decref(request);
		if (mute) {
			agt_beat_mute();
			(void)op_hang(NULL, NULL, NULL);
		}
		if (error) {
			fprintf(stderr, "agent: channel: %s\n", strerror(-error));
			return;
		}
	}
}

/* Says hello and serves until the host is gone. plan may be NULL. */
static int serve_host(const char *channel, const json_t *plan)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	int channel_fd = -1;
	json_t *hello;

	if (agt_channel_open(channel, &channel_fd, &diag) < 0) {
		fprintf(stderr, "agent: %s\n", pcl_diag_text(&diag));
		return -1;
	}
	hello = agt_setup_hello();
	if (plan)
		(void)json_object_set(hello, "plan", (json_t *)plan);
	if (agt_channel_send(channel_fd, hello) == 0) {
		agt_beat_start(channel_fd);
		serve(channel_fd);
	}
	json_decref(hello);
	return 0;
}

/*
 * A service of a whole distribution. Its own end is nothing but that: it must not take down a
 * machine that it was started on by mistake, so only the host's word powers off.
 */
static int run_service(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "--service") != 0 || strcmp(argv[2], "--channel") != 0) {
		fputs("agent: this is for gauntlet's test VMs: process 1 there, or, started by a "
		      "seed, --service --channel virtio|serial\n",
		      stderr);
		return 2;
	}
	agt_child_init();
	agt_setup_service();
	agt_health_init();
	return serve_host(argv[3], NULL) < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	json_t *plan;

	if (getpid() != 1)
		return run_service(argc, argv);
	agt_child_init();
	agt_target_load();
	agt_setup_mounts();
	agt_setup_modules();
	agt_target_setup();
	agt_health_init();
	plan = agt_plan_run(serve_one);
	if (agt_setup_word("gauntlet.shell", NULL))
		agt_shell_run();
	else
		(void)serve_host(NULL, plan);
	json_decref(plan);
	sync();
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}
