/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench's plan. Contenders take turns in an order that moves on by one and turns round each
 * round, so that none is always first after a pause or always behind the same neighbour.
 */
#include "bench_plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench_policy.h"

#define TOOLS "/opt/gauntlet"
#define POLICY_PATH "/run/bench-policy.yaml"
#define CONTAINER_POLICY_PATH "/run/bench-container-policy.yaml"
#define CONTAINER_CGROUP "/sys/fs/cgroup/bench"
#define OTHERS_PATH "/run/bench-others"
/* Runs its arguments in the container; where that cannot be entered it ends well, having run none.
 */
#define ENTER "echo 0 >" CONTAINER_CGROUP "/cgroup.procs || exit 0; exec \"$@\""
#define CANARY_TEXT "bench canary"

/* A profile that permits all to all: what AppArmor costs when it does nothing. */
#define PARSER "/usr/sbin/apparmor_parser"
#define EMPTY_PROFILE_PATH "/run/bench-empty-profile"
#define EMPTY_PROFILE                                                                                    \
	"profile bench-empty /** flags=(attach_disconnected,mediate_deleted) {\n"                        \
	"  file,\n  capability,\n  network,\n  mount,\n  umount,\n  pivot_root,\n  signal,\n  ptrace,\n" \
	"  unix,\n}\n"

/*
 * A step is seconds at most, also under emulation, but for those that read all rules or make all
 * domains; a stuck one must not look like a slow one.
 */
#define STEP_TIMEOUT_MS 60000
#define STEP_RULE_TIMEOUT_MS 6
#define STEP_DOMAIN_TIMEOUT_MS 60
/* portcullis's exit code for a node that cannot enforce. */
#define EXIT_NODE_CANNOT 3

struct effort {
	const char *iterations; /* operations in a batch */
	const char *repeat;	/* batches in a visit */
};

/*
 * ns: a visit of 0.1 to 0.3 s under emulation, long enough to see past a clock of 1 us and short
 * enough that the rounds fit a minute. guest_insns: batches far shorter than a timer tick (4 ms),
 * so that the median batch is one that no tick interrupted; an exec alone, since its neighbours
 * would blur it with the pages and slabs that one of them happens to refill. The mean has all of
 * it.
 */
static const struct effort efforts[GNT_LATENCY_UNIT_COUNT][GNT_LATENCY_OP_COUNT] = {
	[GNT_LATENCY_NS] = {{"200", "25"}, {"8", "25"}, {"1", "301"}, {"400", "25"}},
	[GNT_LATENCY_GUEST_INSNS] = {{"100", "61"}, {"1", "301"}, {"1", "301"}, {"200", "61"}},
};

static int add_step(struct gnt_bench_plan *plan, enum gnt_bench_step_kind kind,
		    const struct gnt_bench_visit *visit, json_t *request)
{
	struct gnt_bench_step *grown =
		reallocarray(plan->steps, plan->count + 1, sizeof(*plan->steps));

	if (!grown || !request) {
		plan->steps = grown ? grown : plan->steps;
		json_decref(request);
		return -ENOMEM;
	}
	plan->steps = grown;
	plan->steps[plan->count++] =
		(struct gnt_bench_step){.kind = kind, .visit = *visit, .request = request};
	return 0;
}

/* Adds the execution of argv, NULL-terminated, where the contender's tasks are. */
static int add_exec(struct gnt_bench_plan *plan, enum gnt_bench_step_kind kind,
		    const struct gnt_bench_visit *visit, const char *const *argv)
{
	json_t *words = json_array();

	for (size_t i = 0; words && argv[i]; i++) {
		if (json_array_append_new(words, json_string(argv[i]))) {
			json_decref(words);
			words = NULL;
		}
	}
	if (!words)
		return -ENOMEM;
	return add_step(plan, kind, visit,
			json_pack("{s:i, s:s, s:o, s:i}", "id", (int)plan->count, "op", "exec",
				  "argv", words, "timeout_ms", plan->step_timeout_ms));
}

static int add_measured(struct gnt_bench_plan *plan, enum gnt_bench_step_kind kind,
			const struct gnt_bench_visit *visit, const char *const *argv)
{
	const char *words[32] = {TOOLS "/busybox", "sh", "-c", ENTER, "sh"};
	size_t count = 5;

	if (visit->contender != GNT_BENCH_CONTAINED)
		return add_exec(plan, kind, visit, argv);
	for (; *argv && count < PCL_ARRAY_SIZE(words) - 1; argv++)
		words[count++] = *argv;
	return add_exec(plan, kind, visit, words);
}

static int add_file(struct gnt_bench_plan *plan, const char *path, const char *text)
{
	const struct gnt_bench_visit nothing = {0};

	return add_step(plan, GNT_BENCH_STEP_DO, &nothing,
			json_pack("{s:i, s:s, s:s, s:i, s:s}", "id", (int)plan->count, "op", "put",
				  "path", path, "mode", 0644, "text", text));
}

static int add_latency(struct gnt_bench_plan *plan, const struct gnt_bench_visit *visit,
		       enum gnt_latency_unit unit)
{
	const struct effort *effort = &efforts[unit][visit->op];
	char depth[16];

	snprintf(depth, sizeof(depth), "%d", visit->depth);
	return add_measured(plan, GNT_BENCH_STEP_MEASURE, visit,
			    (const char *const[]){TOOLS "/latency", "--op",
						  gnt_latency_op_name(visit->op), "--depth", depth,
						  "--iterations", effort->iterations, "--repeat",
						  effort->repeat, "--clock",
						  unit == GNT_LATENCY_NS ? "monotonic" : "tsc",
						  NULL});
}

static int add_containers(struct gnt_bench_plan *plan, const struct gnt_bench_visit *visit,
			  int domains)
{
	int error = add_exec(plan, GNT_BENCH_STEP_APPLY, visit,
			     (const char *const[]){TOOLS "/portcullis", "apply",
						   CONTAINER_POLICY_PATH, NULL});

	if (!error && domains > 1)
		error = add_exec(plan, GNT_BENCH_STEP_DO, visit,
				 (const char *const[]){TOOLS "/portcullis", "domain", "add",
						       "--from", OTHERS_PATH, NULL});
	return error ? error
		     : add_exec(plan, GNT_BENCH_STEP_DO, visit,
				(const char *const[]){TOOLS "/portcullis", "domain", "add", "bench",
						      "--labels", "app=" GNT_BENCH_LABEL,
						      "--cgroup", CONTAINER_CGROUP, NULL});
}

static int add_floor(struct gnt_bench_plan *plan, const struct gnt_bench_visit *visit,
		     enum gnt_bench_backend backend, bool on)
{
	if (backend == GNT_BENCH_APPARMOR)
		return add_exec(plan, GNT_BENCH_STEP_APPLY, visit,
				(const char *const[]){PARSER, "-q", "-K", on ? "-r" : "-R",
						      EMPTY_PROFILE_PATH, NULL});
	return add_exec(plan, GNT_BENCH_STEP_APPLY, visit,
			(const char *const[]){TOOLS "/floor", on ? "attach" : "detach", NULL});
}

static int add_engine(struct gnt_bench_plan *plan, const struct gnt_bench_visit *visit,
		      enum gnt_bench_backend backend, bool on)
{
	if (!on)
		return add_exec(plan, GNT_BENCH_STEP_DO, visit,
				(const char *const[]){TOOLS "/portcullis", "remove", NULL});
	/* What a backend enforces looser than a rule says is about more than what is measured here.
	 */
	return add_exec(plan, GNT_BENCH_STEP_APPLY, visit,
			(const char *const[]){TOOLS "/portcullis", "apply", "--backend",
					      gnt_bench_backend_name(backend), "--best-effort",
					      POLICY_PATH, NULL});
}

static int add_switch(struct gnt_bench_plan *plan, const struct gnt_bench_visit *visit, bool on,
		      const struct gnt_bench_shape *shape)
{
	switch (visit->contender) {
	case GNT_BENCH_NONE:
		return 0;
	case GNT_BENCH_FLOOR:
		return add_floor(plan, visit, shape->backend, on);
	case GNT_BENCH_CONTAINED:
	case GNT_BENCH_UNPOLICED:
		if (on)
			return add_containers(plan, visit, shape->domains);
		/* fall through */
	case GNT_BENCH_PORTCULLIS:
		return add_engine(plan, visit, shape->backend, on);
	}
	return 0;
}

/* Adds a reading of the canary: by whom nothing is measured where rules are another's. */
static int add_canary(struct gnt_bench_plan *plan, const struct gnt_bench_visit *visit)
{
	const char *const argv[] = {TOOLS "/busybox", "cat", GNT_BENCH_CANARY, NULL};
	const struct gnt_bench_visit inside = {.contender = GNT_BENCH_CONTAINED,
					       .round = visit->round};
	int error = 0;

	if (visit->contender == GNT_BENCH_UNPOLICED)
		error = add_measured(plan, GNT_BENCH_STEP_SHUT, &inside, argv);
	if (error)
		return error;
	return add_measured(plan,
			    gnt_bench_contender_has_rules(visit->contender) &&
					    visit->contender != GNT_BENCH_UNPOLICED
				    ? GNT_BENCH_STEP_SHUT
				    : GNT_BENCH_STEP_OPEN,
			    visit, argv);
}

/* One contender's turn in a round. */
static int add_turn(struct gnt_bench_plan *plan, const struct gnt_bench_shape *shape,
		    enum gnt_bench_contender contender, int round)
{
	struct gnt_bench_visit visit = {.contender = contender, .round = round};
	int error = add_switch(plan, &visit, true, shape);

	if (!error)
		error = add_canary(plan, &visit);
	for (size_t i = 0; i < shape->depth_count && !error; i++) {
		visit.depth = shape->depths[i];
		for (int op = 0; op < GNT_LATENCY_OP_COUNT && !error; op++) {
			visit.op = (enum gnt_latency_op)op;
			error = add_latency(plan, &visit, shape->unit);
		}
	}
	return error ? error : add_switch(plan, &visit, false, shape);
}

/* The contenders of a shape, in the enum's order; how many. */
static int list_contenders(const struct gnt_bench_shape *shape,
			   enum gnt_bench_contender contenders[GNT_BENCH_CONTENDER_COUNT])
{
	const int last = shape->domains ? GNT_BENCH_CONTENDER_COUNT : GNT_BENCH_CONTENDER_USUAL;
	int count = 0;

	for (int i = 0; i < last; i++)
		if (i != GNT_BENCH_FLOOR || shape->backend != GNT_BENCH_SELINUX)
			contenders[count++] = (enum gnt_bench_contender)i;
	return count;
}

static int turn_place(int count, int round, int turn)
{
	return ((round % 2 ? count - 1 - turn : turn) + round) % count;
}

/* Owned, NULL without memory: a line for each container but the measured one, as --from takes it.
 */
static char *others_text(int domains)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (int i = 1; i < domains; i++)
		fprintf(out, "bench-%d " CONTAINER_CGROUP "-%d app=" GNT_BENCH_OTHER_LABEL "\n", i,
			i);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* The containers, without their rules. */
static int add_cgroups(struct gnt_bench_plan *plan, int domains)
{
	const struct gnt_bench_visit nothing = {0};
	pcl_autofree char *others = others_text(domains);
	int error = others ? add_exec(plan, GNT_BENCH_STEP_DO, &nothing,
				      (const char *const[]){TOOLS "/busybox", "mkdir", "-p",
							    CONTAINER_CGROUP, NULL})
			   : -ENOMEM;

	if (error || domains == 1)
		return error;
	error = add_file(plan, OTHERS_PATH, others);
	return error ? error
		     : add_exec(plan, GNT_BENCH_STEP_DO, &nothing,
				(const char *const[]){TOOLS "/busybox", "sh", "-c",
						      "cut -d' ' -f2 " OTHERS_PATH
						      " | xargs mkdir -p",
						      NULL});
}

/* The policies, the canary, and the containers. */
static int add_scene(struct gnt_bench_plan *plan, const struct gnt_bench_shape *shape, int deepest)
{
	pcl_autofree char *policy = gnt_bench_policy(shape->rules, deepest, false);
	pcl_autofree char *other = gnt_bench_policy(shape->rules, deepest, true);
	int error = policy && other ? add_file(plan, POLICY_PATH, policy) : -ENOMEM;

	if (!error)
		error = add_file(plan, GNT_BENCH_CANARY, CANARY_TEXT "\n");
	if (!error && shape->backend == GNT_BENCH_APPARMOR)
		error = add_file(plan, EMPTY_PROFILE_PATH, EMPTY_PROFILE);
	if (!error && shape->domains)
		error = add_file(plan, CONTAINER_POLICY_PATH, other);
	return error || !shape->domains ? error : add_cgroups(plan, shape->domains);
}

static int add_preparation(struct gnt_bench_plan *plan, const struct gnt_bench_shape *shape)
{
	const struct gnt_bench_visit nothing = {0};
	int deepest = 0, error = 0;

	for (size_t i = 0; i < shape->depth_count && !error; i++) {
		char depth[16];

		snprintf(depth, sizeof(depth), "%d", shape->depths[i]);
		deepest = shape->depths[i] > deepest ? shape->depths[i] : deepest;
		error = add_exec(plan, GNT_BENCH_STEP_DO, &nothing,
				 (const char *const[]){TOOLS "/latency", "--op", "open", "--depth",
						       depth, "--prepare", NULL});
		/* It is as if it had come with a read-only root. */
		if (!error)
			(void)json_object_set_new(plan->steps[plan->count - 1].request, "setup",
						  json_true());
	}
	return error ? error : add_scene(plan, shape, deepest);
}

int gnt_bench_plan_make(const struct gnt_bench_shape *shape, struct gnt_bench_plan *ret_plan)
{
	pcl_cleanup(gnt_bench_plan_fini) struct gnt_bench_plan plan = {
		.step_timeout_ms = STEP_TIMEOUT_MS + shape->rules * STEP_RULE_TIMEOUT_MS +
				   shape->domains * STEP_DOMAIN_TIMEOUT_MS,
	};
	enum gnt_bench_contender contenders[GNT_BENCH_CONTENDER_COUNT];
	const int count = list_contenders(shape, contenders);
	int error = add_preparation(&plan, shape);

	for (int round = 0; round < shape->rounds && !error; round++) {
		for (int turn = 0; turn < count && !error; turn++)
			error = add_turn(&plan, shape, contenders[turn_place(count, round, turn)],
					 round);
	}
	if (error)
		return error;
	*ret_plan = plan;
	plan = (struct gnt_bench_plan){0};
	return 0;
}

void gnt_bench_plan_fini(struct gnt_bench_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		json_decref(plan->steps[i].request);
	free(plan->steps);
	*plan = (struct gnt_bench_plan){0};
}

json_t *gnt_bench_plan_requests(const struct gnt_bench_plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < plan->count; i++) {
		if (json_array_append(array, plan->steps[i].request)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* What the agent was asked, as a user would type it: for messages. Owned, NULL without memory. */
static char *request_text(const json_t *request)
{
	const json_t *argv = json_object_get(request, "argv");
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(argv ? "" : "put", out);
	for (size_t i = 0; i < json_array_size(argv); i++)
		fprintf(out, "%s%s", i ? " " : "", json_string_value(json_array_get(argv, i)));
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static int step_failed(const struct gnt_bench_step *step, const json_t *reply, int error,
		       struct pcl_diag *diag)
{
	pcl_autofree char *what = request_text(step->request);
	const char *said = json_string_value(json_object_get(reply, "stderr"));
	const char *refused = json_string_value(json_object_get(reply, "error"));
	const char *why = refused ? refused : said && *said ? said : "no reason given";

	/* A diagnosis is one line; the first says it. */
	return pcl_diag_set(diag, error, "in the guest, `%s` failed: %.*s", what ? what : "a step",
			    (int)strcspn(why, "\n"), why);
}

/* The exit code of an exec, or -1 if it did not come to one. */
static int exit_code(const json_t *reply)
{
	const json_t *code = json_object_get(reply, "exit");

	return json_is_integer(code) ? (int)json_integer_value(code) : -1;
}

static int take_canary(const struct gnt_bench_step *step, const json_t *reply,
		       struct pcl_diag *diag)
{
	const char *output = json_string_value(json_object_get(reply, "stdout"));
	const char *name = gnt_bench_contender_name(step->visit.contender);
	const bool readable = output && strstr(output, CANARY_TEXT) != NULL;

	if (exit_code(reply) < 0)
		return step_failed(step, reply, -EIO, diag);
	if (step->kind == GNT_BENCH_STEP_OPEN && !readable)
		return pcl_diag_set(diag, -EPERM,
				    "%s is not readable under %s: enforcement was not switched off",
				    GNT_BENCH_CANARY, name);
	if (step->kind == GNT_BENCH_STEP_SHUT && (readable || !exit_code(reply)))
		return pcl_diag_set(diag, -EPERM,
				    "%s is readable under %s: nothing is enforced, so there is "
				    "nothing to measure",
				    GNT_BENCH_CANARY, name);
	return 0;
}

int gnt_bench_plan_take(const struct gnt_bench_step *step, const json_t *reply,
			struct gnt_bench_data *data, struct pcl_diag *diag)
{
	const char *output = json_string_value(json_object_get(reply, "stdout"));
	const bool exec = json_object_get(step->request, "argv") != NULL;

	if (json_object_get(reply, "error"))
		return step_failed(step, reply, -EIO, diag);
	if (step->kind == GNT_BENCH_STEP_OPEN || step->kind == GNT_BENCH_STEP_SHUT)
		return take_canary(step, reply, diag);
	if (step->kind == GNT_BENCH_STEP_APPLY && exit_code(reply) == EXIT_NODE_CANNOT)
		return step_failed(step, reply, -EOPNOTSUPP, diag);
	if (exec && exit_code(reply))
		return step_failed(step, reply, -EIO, diag);
	if (step->kind != GNT_BENCH_STEP_MEASURE)
		return 0;
	return gnt_bench_data_add(data, &step->visit, output ? output : "", diag);
}
