/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the decision of an open costs without emulation, on the machine's own kernel, which may load
 * no LSM programs (bpf/native.bpf.c): getppid() with nothing on the raw tracepoint, with the floor,
 * with a verdict that was kept (where the kernel names the locks by which names stay as they are),
 * and with a decision made anew. They take turns, in alternating order, on one CPU and on all at
 * once. And what it takes to make rules hold: reading, planning, filling the tables.
 *
 * Usage: native COMMIT OUT: OUT is the JSON file. Root; exits 3 where the kernel loads no raw
 * tracepoint programs. Loopback, files and the machine's mounts are left alone: the file lies on a
 * file system of the process's own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "backend/bpf_lsm_load.h"
#include "backend/bpf_lsm_slot.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "bench/report.h"
#include "bench/stats.h"
#include "native.skel.h"
#include "policy/resolve.h"
#include "scenarios/runner/bench_policy.h"

#define CALLS 20000
#define ROUNDS 31
#define EXIT_CANNOT 3

enum contender {
	NONE,
	FLOOR,
	CACHED,
	DECIDED,
	CONTENDERS,
};
static const char *const names[CONTENDERS] = {"none", "floor", "cached", "decided"};

struct shape {
	int rules;
	int depth;
	bool everywhere; /* on all CPUs at once */
};
static const struct shape shapes[] = {
	{100, 2, false},    {100, 6, false},  {100, 12, false},
	{100, 30, false},   {1000, 6, false}, {10000, 6, false},
	{100000, 6, false}, {100, 6, true},   {100000, 6, true},
};
#define CPUS_MAX 256

static _Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "native: cannot %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static void try(int result, const char *what)
{
	if (result < 0)
		die(what, strerror(errno));
}

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

/* --- the file -------------------------------------------------------------------------------- */

/* A root file system of this process's own, which goes with it. */
static void make_root(void)
{
	static const char dir[] = "/tmp";

	try(unshare(CLONE_NEWNS), "make a mount namespace");
	try(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "keep mounts apart");
	try(mount("tmpfs", dir, "tmpfs", 0, NULL), "mount a file system");
	try(chdir(dir), "enter the file system");
	try(mkdir("sys", 0755), "make a directory");
	try(mkdir("proc", 0755), "make a directory");
	try(mount("sysfs", "sys", "sysfs", 0, NULL), "mount sysfs, for the kernel's BTF");
	try(mount("proc", "proc", "proc", 0, NULL), "mount proc");
	/* KERNEL: the old root comes to lie on the new one, and goes again. */
	try((int)syscall(SYS_pivot_root, ".", "."), "change the root");
	try(umount2(".", MNT_DETACH), "leave the old root");
	try(chdir("/"), "enter the root");
}

/* /bench/d2/.../dDEPTH/file, as scenarios/runner/bench_policy.h has its siblings. */
static int open_file(int depth)
{
	char path[256] = "/bench";
	size_t len = strlen(path);
	int fd;

	(void)mkdir(path, 0755);
	for (int i = 2; i <= depth; i++) {
		len += (size_t)snprintf(path + len, sizeof(path) - len, "/d%d", i);
		(void)mkdir(path, 0755);
	}
	(void)snprintf(path + len, sizeof(path) - len, "/file");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	try(fd, "make the file");
	return fd;
}

/* --- the rules ------------------------------------------------------------------------------- */

struct loaded {
	struct pcl_policy_set *set;
	struct pcl_domain *host;
	struct pcl_ruleset *ruleset;
	const struct pcl_rule **rules;
	size_t count;
};

static void loaded_fini(struct loaded *loaded)
{
	free((void *)loaded->rules);
	pcl_ruleset_free(&loaded->ruleset);
	pcl_domain_free(&loaded->host);
	pcl_policy_set_free(&loaded->set);
}

static void read_rules(const char *text, struct loaded *ret_loaded)
{
	const struct pcl_postures postures = {.file = PCL_POSTURE_AUDIT};
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};

	if (pcl_policy_set_new(&ret_loaded->set) ||
	    pcl_policy_set_read_memory(ret_loaded->set, "bench", text, strlen(text), &diag) ||
	    pcl_domain_new_host("node", NULL, &ret_loaded->host, &diag) ||
	    pcl_resolve(ret_loaded->set, ret_loaded->host, &postures, &ret_loaded->ruleset) ||
	    pcl_policy_set_rules(ret_loaded->set, &ret_loaded->rules, &ret_loaded->count))
		die("make the ruleset", pcl_diag_text(&diag));
}

static struct pcl_bpf_plan *make_plan(const struct loaded *loaded)
{
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	const struct pcl_backend_domain domain = {.ruleset = loaded->ruleset};
	const struct pcl_backend_input input = {
		.generation = 1,
		.domains = &domain,
		.domain_count = 1,
		.rules = loaded->rules,
		.rule_count = loaded->count,
	};
	struct pcl_bpf_plan *plan = NULL;

	if (pcl_bpf_plan_make(&input, &plan, &diag))
		die("plan the rules", pcl_diag_text(&diag));
	return plan;
}

static struct native_bpf *load(int fd)
{
	struct native_bpf *skel = native_bpf__open();
	struct pcl_bpf_machine machine = {0};

	if (!skel)
		die("open the programs", strerror(errno));
	skel->rodata->native_tgid = (uint32_t)getpid();
	skel->rodata->native_call = SYS_getppid;
	skel->rodata->native_fd = (uint32_t)fd;
	pcl_bpf_locks_find(&machine);
	pcl_bpf_machine_tell(skel->obj, &machine);
	/* libbpf does not ask for it where all variables are static. */
	errno = -bpf_map__set_map_flags(skel->maps.bss, BPF_F_MMAPABLE);
	if (errno)
		die("share the variables", strerror(errno));
	errno = -native_bpf__load(skel);
	if (errno) {
		(void)fprintf(stderr, "native: this kernel does not take the programs: %s\n",
			      strerror(errno));
		exit(EXIT_CANNOT);
	}
	return skel;
}

/* The host's objects have the names that they have in this process's mount namespace. */
static void set_rules(const struct native_bpf *skel, const struct pcl_bpf_plan *plan)
{
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	struct pcl_pins pins pcl_cleanup(pcl_pins_close);
	struct pcl_bpf_home home = {.since = 1};
	const uint32_t host = PCL_BPF_DOMAIN_HOST;
	struct stat ns;

	try(stat("/proc/self/ns/mnt", &ns), "find the mount namespace");
	home.mnt_ns = (uint32_t)ns.st_ino;
	if (pcl_pins_take(&pins, skel->obj, &diag) || pcl_bpf_slot_fill(&pins, plan, 0, &diag))
		die("fill the maps", pcl_diag_text(&diag));
	try(bpf_map_update_elem(pins.map_fds[PCL_MAP_HOMES], &host, &home, BPF_ANY),
	    "name the host");
	pins.control->alone = 1;
	pins.control->live = 1 << 1;
}

/* --- measuring ------------------------------------------------------------------------------- */

/* The thread of one CPU. */
struct worker {
	pthread_t thread;
	pthread_barrier_t *start;
	int cpu;
	double ns; /* of a call */
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	cpu_set_t here;
	double start;

	CPU_ZERO(&here);
	CPU_SET(worker->cpu, &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		die("stay on a CPU", strerror(errno));
	/* What is kept is kept by a decision. */
	for (int i = 0; i < 1000; i++)
		(void)syscall(SYS_getppid);
	(void)pthread_barrier_wait(worker->start);
	start = now_ns();
	for (int i = 0; i < CALLS; i++)
		(void)syscall(SYS_getppid);
	worker->ns = (now_ns() - start) / CALLS;
	return NULL;
}

/* The CPUs that this process may use; how many. */
static int find_cpus(int cpus[CPUS_MAX])
{
	cpu_set_t allowed;
	int count = 0;

	try(sched_getaffinity(0, sizeof(allowed), &allowed), "find the CPUs");
	for (int i = 0; i < CPU_SETSIZE && count < CPUS_MAX; i++)
		if (CPU_ISSET(i, &allowed))
			cpus[count++] = i;
	return count;
}

/* The mean of a call on the first count CPUs at once. */
static double time_calls(int count)
{
	static struct worker workers[CPUS_MAX];
	int cpus[CPUS_MAX], error = 0;
	pthread_barrier_t start;
	double sum = 0;

	(void)find_cpus(cpus);
	(void)pthread_barrier_init(&start, NULL, (unsigned)count);
	for (int i = 0; i < count && !error; i++) {
		workers[i].start = &start;
		workers[i].cpu = cpus[i];
		error = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	if (error)
		die("start a thread", strerror(error));
	for (int i = 0; i < count; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		sum += workers[i].ns;
	}
	(void)pthread_barrier_destroy(&start);
	return sum / count;
}

static double measure(const struct native_bpf *skel, enum contender contender, int cpus)
{
	const struct bpf_program *programs[CONTENDERS] = {
		[FLOOR] = skel->progs.native_floor,
		[CACHED] = skel->progs.native_cached,
		[DECIDED] = skel->progs.native_decided,
	};
	struct bpf_link *link = NULL;
	double ns;

	if (programs[contender])
		link = bpf_program__attach(programs[contender]);
	if (programs[contender] && !link)
		die("attach a program", strerror(errno));
	ns = time_calls(cpus);
	(void)bpf_link__destroy(link);
	return ns;
}

static void add(json_t *results, const struct shape *shape, int cpus,
		double samples[CONTENDERS][ROUNDS], bool keeps)
{
	struct gnt_stats stats, floor;

	if (gnt_stats_compute(samples[FLOOR], ROUNDS, &floor))
		die("compute", "out of memory");
	for (int i = 0; i < CONTENDERS; i++) {
		if (i == CACHED && !keeps) {
			(void)printf(
				"%6d rules, depth %2d, CPUs %d: %-8s left out: this kernel has "
				"no KALLSYMS_ALL, so nothing is kept\n",
				shape->rules, shape->depth, cpus, names[i]);
			continue;
		}
		if (gnt_stats_compute(samples[i], ROUNDS, &stats))
			die("compute", "out of memory");
		(void)printf("%6d rules, depth %2d, CPUs %d: %-8s %6.1f ns a call, spread %.1f, "
			     "%.3f x floor\n",
			     shape->rules, shape->depth, cpus, names[i], stats.median, stats.iqr,
			     stats.median / floor.median);
		(void)json_array_append_new(
			results,
			json_pack("{s:s, s:i, s:i, s:i, s:s, s:f, s:f, s:f, s:f}", "contender",
				  names[i], "rules", shape->rules, "depth", shape->depth, "cpus",
				  cpus, "unit", "ns", "median", stats.median, "iqr", stats.iqr,
				  "vs_floor", stats.median / floor.median, "above_floor",
				  stats.median - floor.median));
	}
}

static void measure_shape(json_t *results, const struct shape *shape)
{
	static double samples[CONTENDERS][ROUNDS];
	pcl_autofree char *text = gnt_bench_policy(shape->rules, shape->depth, false);
	pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan *plan = NULL;
	struct loaded loaded pcl_cleanup(loaded_fini) = {0};
	pcl_autoclose int fd = open_file(shape->depth);
	struct native_bpf *skel = load(fd);
	int all[CPUS_MAX];
	const int cpus = shape->everywhere ? find_cpus(all) : 1;

	if (!text)
		die("make the policy", "out of memory");
	read_rules(text, &loaded);
	plan = make_plan(&loaded);
	set_rules(skel, plan);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < CONTENDERS; i++) {
			int turn = round & 1 ? CONTENDERS - 1 - i : i;

			samples[turn][round] = measure(skel, (enum contender)turn, cpus);
		}
	if (skel->data_native->native_refused || !skel->data_native->native_permitted)
		die("measure", "the file was refused, or nothing was asked");
	add(results, shape, cpus, samples, skel->data_native->native_keeps);
	native_bpf__destroy(skel);
}

/* --- making it hold ----------------------------------------------------------------------------
 */

enum part {
	READ, /* and resolve */
	PLAN,
	FILL,
	PARTS,
};
static const char *const part_names[PARTS] = {"read", "plan", "fill"};

static void add_part(json_t *results, int rules, enum part part, const double samples[ROUNDS])
{
	struct gnt_stats stats;

	if (gnt_stats_compute(samples, ROUNDS, &stats))
		die("compute", "out of memory");
	(void)printf("%6d rules, to make them hold: %-4s %7.2f ms, spread %.2f\n", rules,
		     part_names[part], stats.median, stats.iqr);
	(void)json_array_append_new(results,
				    json_pack("{s:s, s:i, s:s, s:f, s:f}", "part", part_names[part],
					      "rules", rules, "unit", "ms", "median", stats.median,
					      "iqr", stats.iqr));
}

/* All of it is done again whatever changed, so it is what a change of one rule costs, too. */
static void measure_change(json_t *results, int rules)
{
	static double samples[PARTS][ROUNDS];
	pcl_autofree char *text = gnt_bench_policy(rules, 6, false);
	pcl_cleanup(pcl_diag_fini) struct pcl_diag diag = {0};
	struct pcl_pins pins pcl_cleanup(pcl_pins_close);
	pcl_autoclose int fd = open_file(6);
	struct native_bpf *skel = load(fd);

	if (!text || pcl_pins_take(&pins, skel->obj, &diag))
		die("find the maps", text ? pcl_diag_text(&diag) : "out of memory");
	for (int round = 0; round < ROUNDS; round++) {
		pcl_cleanup(pcl_bpf_plan_free) struct pcl_bpf_plan *plan = NULL;
		struct loaded loaded pcl_cleanup(loaded_fini) = {0};
		double times[PARTS + 1] = {now_ns()};

		read_rules(text, &loaded);
		times[1 + READ] = now_ns();
		plan = make_plan(&loaded);
		times[1 + PLAN] = now_ns();
		if (pcl_bpf_slot_fill(&pins, plan, (uint32_t)round & 1, &diag))
			die("fill the maps", pcl_diag_text(&diag));
		times[1 + FILL] = now_ns();
		for (int i = 0; i < PARTS; i++)
			samples[i][round] = (times[1 + i] - times[i]) / 1e6;
	}
	for (int i = 0; i < PARTS; i++)
		add_part(results, rules, (enum part)i, samples[i]);
	native_bpf__destroy(skel);
}

int main(int argc, char **argv)
{
	json_t *results = json_array(), *changes = json_array(), *all;
	FILE *out;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: native COMMIT OUT\n");
		return 2;
	}
	out = fopen(argv[2], "we");
	if (!out)
		die("write the results", strerror(errno));
	make_root();
	for (size_t i = 0; i < PCL_ARRAY_SIZE(shapes); i++)
		measure_shape(results, &shapes[i]);
	for (int rules = 1000; rules <= 100000; rules *= 10)
		measure_change(changes, rules);
	all = json_pack("{s:i, s:o, s:o, s:o}", "schema", 1, "run",
			gnt_report_run(argv[1], "make bench-native"), "native", results, "change",
			changes);
	if (!all || json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) || fclose(out))
		die("write the results", strerror(errno));
	json_decref(all);
	return EXIT_SUCCESS;
}
