/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strain switch ROUNDS: one ruleset after another is applied ROUNDS times, while tasks of the host
 * and of a container do over and over what the rulesets decide.
 *
 * Two rulesets take turns. One blocks the files a and b, the other neither but c; every one blocks
 * the file "both". Now and then one comes that has classes of rules which the others have not, so
 * that programs are attached and detached. Three things are counted that must not be:
 *
 *   free   "both" could be opened: a moment without enforcement
 *   mixed  a and b, or two names of one rename, were judged by different rulesets, the later one
 *          first; or a rename that either ruleset refuses went through
 *   wrong  a verdict that was not that of the ruleset which was live before and after
 *
 * The last line is "ROUNDS TRIED FREE MIXED WRONG". Exit code 1 where the engine fails.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../bpf/abi.h"
#include "base/cleanup.h"
#include "engine/engine.h"
#include "node/cgroup.h"
#include "strain.h"

#define DIR_NAME "/strain"
#define GROUP PCL_CGROUP_DIR "/strain"
#define CONTROL PCL_BPFFS_DIR "/portcullis/maps/control"
#define ACTORS 2 /* the first of the host, the second of the container */
/* Generations whose ruleset is kept; an actor never lags so far behind. */
#define GENERATIONS 4096
#define RARE 25

enum ruleset {
	RULESET_AB,
	RULESET_C,
	RULESET_MORE, /* as RULESET_C, with network and process rules besides */
	RULESET_COUNT,
};

/* What an actor counts. */
struct tally {
	unsigned long tried, free, mixed, wrong;
};

struct shared {
	volatile bool stop;
	volatile unsigned char ruleset[GENERATIONS]; /* enum ruleset, by generation */
	struct tally tallies[ACTORS];
};

static struct shared *shared;
static const struct pcl_bpf_control *control;

/* --- an actor ----------------------------------------------------------------------------------
 */

static bool refused(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES;
	(void)close(fd);
	return false;
}

static enum ruleset ruleset_of(uint64_t live)
{
	return shared->ruleset[(live >> 1) % GENERATIONS];
}

static bool blocks_ab(uint64_t live)
{
	return ruleset_of(live) == RULESET_AB;
}

/* The one ruleset refuses a change of "from", the other of "to", so that none lets it through. */
static void rename_once(struct tally *tally)
{
	tally->tried++;
	if (rename(DIR_NAME "/from", DIR_NAME "/to") == 0) {
		tally->mixed++;
		(void)rename(DIR_NAME "/to", DIR_NAME "/from");
	}
}

static void act(struct tally *tally)
{
	uint64_t before = __atomic_load_n(&control->live, __ATOMIC_ACQUIRE), after;
	bool a = refused(DIR_NAME "/a"), b = refused(DIR_NAME "/b"), c = refused(DIR_NAME "/c");

	tally->free += !refused(DIR_NAME "/both");
	tally->tried += 4;
	after = __atomic_load_n(&control->live, __ATOMIC_ACQUIRE);
	if (before == after)
		tally->wrong += a != blocks_ab(after) || b != a || c == a;
	else if (after >> 1 == (before >> 1) + 1 && blocks_ab(before) != blocks_ab(after))
		tally->mixed += a == blocks_ab(after) && b != a;
	rename_once(tally);
}

static pid_t start_actor(size_t index)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* They fill what the engine leaves: it, not they, decides how long the rounds take. */
	(void)setpriority(PRIO_PROCESS, 0, 19);
	if (index && strain_write(GROUP "/cgroup.procs", "0"))
		_exit(1);
	while (!shared->stop)
		act(&shared->tallies[index]);
	_exit(0);
}

/* --- the rulesets ------------------------------------------------------------------------------
 */

static char *print_ruleset(enum ruleset ruleset)
{
	static const char *const heads[] = {
		"kind: KubeArmorHostPolicy\nmetadata: {name: host}\nspec:\n"
		"  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n",
		"kind: KubeArmorPolicy\nmetadata: {name: box}\nspec:\n"
		"  selector: {matchLabels: {app: strain}}\n",
	};
	static const char *const paths[] = {
		[RULESET_AB] = "{path: /strain/a}, {path: /strain/b}, {path: /strain/from}",
		[RULESET_C] = "{path: /strain/c}, {path: /strain/to}",
		[RULESET_MORE] = "{path: /strain/c}, {path: /strain/to}",
	};
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	for (size_t i = 0; stream && i < PCL_ARRAY_SIZE(heads); i++) {
		fprintf(stream,
			"---\napiVersion: security.kubearmor.com/v1\n%s  action: Block\n"
			"  file: {matchPaths: [{path: /strain/both}, %s]}\n",
			heads[i], paths[ruleset]);
		if (ruleset == RULESET_MORE)
			fputs("  process: {matchPaths: [{path: /strain/program}]}\n"
			      "  network: {matchProtocols: [{protocol: raw}]}\n",
			      stream);
	}
	if (!stream || fclose(stream))
		return NULL;
	return text;
}

static int apply(struct pcl_engine *engine, enum ruleset ruleset, struct pcl_diag *diag)
{
	struct pcl_apply_options options = {.alert_rate = 1};
	pcl_cleanup(pcl_policy_set_free) struct pcl_policy_set *set = NULL;
	pcl_autofree char *text = print_ruleset(ruleset);
	int error = text ? pcl_policy_set_new(&set) : -ENOMEM;

	shared->ruleset[(engine->live.generation + 1) % GENERATIONS] = (unsigned char)ruleset;
	if (!error)
		error = pcl_policy_set_read_memory(set, "strain.yaml", text, strlen(text), diag);
	return error ? error : pcl_engine_apply(engine, pcl_take_ptr(set), &options, diag);
}

static int add_domain(struct pcl_engine *engine, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_home_fini) struct pcl_home home = PCL_HOME_NONE;
	struct pcl_domain *domain = NULL;
	int error = pcl_cgroup_open(GROUP, &home.cgroup, &home.cgroup_id, diag);

	/* A domain is a generation, too. */
	shared->ruleset[(engine->live.generation + 1) % GENERATIONS] = RULESET_AB;
	if (!error)
		error = pcl_domain_new("strain", NULL, "app=strain", &domain, diag);
	return error ? error : pcl_engine_add_domain(engine, domain, &home, NULL, diag);
}

/* --- the run -----------------------------------------------------------------------------------
 */

static int prepare(void)
{
	static const char *const names[] = {"a", "b", "c", "both", "from", "program"};
	char path[64];

	if ((mkdir(DIR_NAME, 0755) && errno != EEXIST) || (mkdir(GROUP, 0755) && errno != EEXIST))
		return -errno;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), DIR_NAME "/%s", names[i]);
		if (strain_write(path, "x\n"))
			return -EIO;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED ? -errno : 0;
}

static int open_control(void)
{
	pcl_autoclose int fd = bpf_obj_get(CONTROL);
	void *memory =
		fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*control), PROT_READ, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	control = memory;
	return 0;
}

static int switch_often(struct pcl_engine *engine, unsigned long rounds, struct pcl_diag *diag)
{
	int error = 0;

	for (unsigned long i = 1; i <= rounds && !error; i++)
		error = apply(engine,
			      i % RARE == 0 ? RULESET_MORE
			      : i % 2	    ? RULESET_C
					    : RULESET_AB,
			      diag);
	return error;
}

static int run(struct pcl_engine *engine, unsigned long rounds, struct pcl_diag *diag)
{
	struct tally sum = {0};
	pid_t actors[ACTORS];
	int error = apply(engine, RULESET_AB, diag);

	if (!error)
		error = add_domain(engine, diag);
	if (!error && open_control())
		error = pcl_diag_errno(diag, -errno, "cannot map " CONTROL);
	if (error)
		return error;
	for (size_t i = 0; i < ACTORS; i++)
		actors[i] = start_actor(i);
	error = switch_often(engine, rounds, diag);
	shared->stop = true;
	for (size_t i = 0; i < ACTORS; i++) {
		const struct tally *tally = &shared->tallies[i];
		int status = 1;

		if ((waitpid(actors[i], &status, 0) < 0 || status) && !error)
			error = pcl_diag_set(diag, -ECHILD, "an actor did not end well");
		sum.tried += tally->tried;
		sum.free += tally->free;
		sum.mixed += tally->mixed;
		sum.wrong += tally->wrong;
	}
	printf("%lu %lu %lu %lu %lu\n", rounds, sum.tried, sum.free, sum.mixed, sum.wrong);
	return error;
}

int strain_switch(int argc, char **argv)
{
	pcl_cleanup(pcl_engine_close) struct pcl_engine *engine = NULL;
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	unsigned long rounds = argc == 1 ? strtoul(argv[0], NULL, 10) : 0;
	int error;

	if (!rounds)
		return strain_usage();
	error = prepare();
	if (error)
		return strain_fail(pcl_diag_errno(&diag, error, "cannot prepare"), &diag);
	error = pcl_engine_open(0, &engine, &diag);
	if (!error)
		error = run(engine, rounds, &diag);
	return error ? strain_fail(error, &diag) : EXIT_SUCCESS;
}
