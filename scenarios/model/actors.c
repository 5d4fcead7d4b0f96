/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that do the operations, one for each combination of domain, program, user and
 * terminal. Each serves requests from a pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "backend/apparmor_plan.h"
#include "base/cleanup.h"
#include "labels.h"
#include "node/cgroup.h"
#include "question.h"

#define ACTORS (MODEL_DOMAINS * MODEL_SOURCES * 4)

struct process {
	pid_t pid; /* 0: none */
	int to, from;
	int terminal; /* the other side of its terminal; -1: none */
	bool known;   /* by a label */
};

static struct process processes[MODEL_DOMAINS][MODEL_SOURCES][2][2];
/* Whether each operation is done by a process of its own. */
static bool each_apart;
/* Whether actors start under profiles, and which programs have one of their own, by domain. */
static bool profiles;
static bool has_own[MODEL_DOMAINS][MODEL_SOURCES];
/* Whether labels say which program one runs, and what comes of starting one, by its user. */
static bool labels;
static enum model_start start_how;
static struct model_started started[MODEL_SOURCES][2];

int model_join(const char *name, struct pcl_diag *diag)
{
	char path[128], pid[16];
	pcl_autoclose int fd = -1;
	int len = snprintf(pid, sizeof(pid), "%d", (int)getpid());

	snprintf(path, sizeof(path), PCL_CGROUP_DIR "/model-%s", name);
	if (mkdir(path, 0755) && errno != EEXIST)
		return pcl_diag_errno(diag, -errno, "cannot make %s", path);
	strncat(path, "/cgroup.procs", sizeof(path) - strlen(path) - 1);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, pid, (size_t)len) != len)
		return pcl_diag_errno(diag, -errno, "cannot write %s", path);
	return 0;
}

/* A pseudo-terminal that becomes the caller's own. Its other side is left open in the parent. */
static int take_terminal(int main_fd)
{
	char name[64];
	int fd;

	if (ptsname_r(main_fd, name, sizeof(name)))
		return -errno;
	if (setsid() < 0)
		return -errno;
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
		return -errno;
	return 0;
}

/*
 * As a container runtime puts its first program into a profile; here into that of the program, if
 * it has one. The host's are entered by executing alone.
 */
static int choose_profile(const struct model_actor *actor)
{
	pcl_autofclose FILE *file = NULL;

	if (!profiles || !actor->domain)
		return 0;
	file = fopen("/proc/self/attr/apparmor/exec", "we");
	if (!file)
		return -errno;
	(void)fputs("exec ", file);
	pcl_apparmor_print_profile_name(model_domain_names[actor->domain],
					has_own[actor->domain][actor->source]
						? model_sources[actor->source]
						: NULL,
					file);
	return fflush(file) ? -errno : 0;
}

static int become(const struct model_actor *actor, int terminal, struct pcl_diag *diag)
{
	gid_t group = actor->uid;

	/* It may stand against what one becomes by executing. */
	if (labels && actor->uid && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (choose_profile(actor))
		return -errno;
	if (actor->domain && model_join(model_domain_names[actor->domain], diag))
		return diag->error;
	if (actor->terminal ? take_terminal(terminal) : (setsid() < 0 ? -errno : 0))
		return -errno;
	if (actor->uid && (setgroups(0, NULL) || setresgid(group, group, group) ||
			   setresuid(actor->uid, actor->uid, actor->uid)))
		return -errno;
	return 0;
}

static int open_terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 || grantpt(fd) || unlockpt(fd) ? -errno : fd;
}

static void execute(const struct model_actor *actor)
{
	const char *program = model_sources[actor->source];

	if (labels && start_how == MODEL_SCRIPTED)
		execl(model_scripts[actor->source].path, program, (char *)NULL);
	else
		execl(program, program, each_apart ? "serve-each" : "serve", (char *)NULL);
}

static int start(const struct model_actor *actor, struct process *process, struct pcl_diag *diag)
{
	int to[2], from[2], terminal = actor->terminal ? open_terminal() : -1;
	pid_t pid;

	if (actor->terminal && terminal < 0)
		return pcl_diag_errno(diag, terminal, "cannot get a pseudo-terminal");
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return pcl_diag_errno(diag, -errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0)
		return pcl_diag_errno(diag, -errno, "cannot fork");
	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!become(actor, terminal, diag) && dup2(to[0], STDIN_FILENO) >= 0 &&
		    dup2(from[1], STDOUT_FILENO) >= 0)
			execute(actor);
		_exit(errno);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	*process = (struct process){pid, to[1], from[0], terminal, false};
	return 0;
}

static int talk(struct process *process, const struct act_request *request,
		struct act_reply *ret_reply)
{
	return write(process->to, request, sizeof(*request)) != (ssize_t)sizeof(*request) ||
			       read(process->from, ret_reply, sizeof(*ret_reply)) !=
				       (ssize_t)sizeof(*ret_reply)
		       ? -EIO
		       : 0;
}

/* One that cannot be asked any more ends. */
static int end(struct process *process)
{
	int status = 0;

	(void)close(process->to);
	(void)close(process->from);
	if (process->terminal >= 0)
		(void)close(process->terminal);
	(void)waitpid(process->pid, &status, 0);
	process->pid = 0;
	return status;
}

static struct process *process_of(const struct model_actor *actor)
{
	return &processes[actor->domain][actor->source][actor->uid != 0][actor->terminal];
}

static struct model_actor actor_at(unsigned index)
{
	return (struct model_actor){.domain = index / 4 / MODEL_SOURCES,
				    .source = index / 4 % MODEL_SOURCES,
				    .uid = index & 1 ? MODEL_USER : 0,
				    .terminal = index & 2};
}

/* --- where labels say who runs what ------------------------------------------------------------
 */

static struct model_started *started_of(const struct model_actor *actor)
{
	return &started[actor->source][actor->uid != 0];
}

static int expect_end(const struct model_actor *actor, int error, int status, struct pcl_diag *diag)
{
	if (error == ECHILD ? WIFSIGNALED(status)
			    : WIFEXITED(status) && WEXITSTATUS(status) == error)
		return 0;
	return pcl_diag_set(diag, -EIO,
			    "starting %s as user %u ends with status %#x, the model says %d",
			    model_sources[actor->source], (unsigned)actor->uid, (unsigned)status,
			    error);
}

/* KERNEL: what one becomes does not depend on whether it may. */
static int start_anyway(const struct model_actor *actor, struct process *process,
			struct pcl_diag *diag)
{
	const struct act_request greeting = {.op = ACT_READ, .a = "/"};
	struct act_reply reply;
	int error = model_labels_enforce(false, diag);

	if (error)
		return error;
	error = start(actor, process, diag);
	if (!error && talk(process, &greeting, &reply))
		error = pcl_diag_set(diag, -EIO, "%s cannot be started",
				     model_sources[actor->source]);
	return model_labels_enforce(true, diag) ? diag->error : error;
}

static int start_labelled(const struct model_actor *actor, struct process *process,
			  struct pcl_diag *diag)
{
	const struct model_started *expected = started_of(actor);
	int error = start(actor, process, diag);

	if (!error && expected->error) {
		error = expect_end(actor, expected->error, end(process), diag);
		if (!error)
			error = start_anyway(actor, process, diag);
	}
	process->known = expected->known;
	return error;
}

bool model_actor_is_known(const struct model_actor *actor)
{
	const struct process *process = process_of(actor);

	return process->pid ? process->known : started_of(actor)->known;
}

void model_actors_label(const struct model_rulesets *rulesets, enum model_start how)
{
	if (how != MODEL_RUNNING)
		model_actors_end();
	labels = true;
	start_how = how;
	for (unsigned i = 0; i < MODEL_SOURCES * 2; i++) {
		const struct model_actor actor = {.source = i / 2, .uid = i & 1 ? MODEL_USER : 0};

		model_expect_start(rulesets, &actor, how, started_of(&actor));
	}
}

/* --- all of them -------------------------------------------------------------------------------
 */

int model_actors_start(bool apart, struct pcl_diag *diag)
{
	int error = 0;

	each_apart = apart;
	for (unsigned i = 0; !error && i < ACTORS; i++) {
		struct model_actor actor = actor_at(i);

		error = start(&actor, process_of(&actor), diag);
	}
	return error;
}

static void note_sources(const struct model_rulesets *rulesets, unsigned domain)
{
	const struct pcl_ruleset *ruleset = rulesets->of[domain];

	memset(has_own[domain], 0, sizeof(has_own[domain]));
	for (unsigned s = 0; s < MODEL_SOURCES; s++)
		for (size_t r = 0; r < ruleset->rule_count; r++)
			has_own[domain][s] |=
				ruleset->rules[r]->source_count &&
				pcl_rule_matches_source(ruleset->rules[r], model_sources[s]);
}

void model_actors_end(void)
{
	for (unsigned i = 0; i < ACTORS; i++) {
		struct model_actor actor = actor_at(i);
		struct process *process = process_of(&actor);

		if (!process->pid)
			continue;
		(void)kill(process->pid, SIGKILL);
		(void)end(process);
	}
}

void model_actors_confine(const struct model_rulesets *rulesets)
{
	model_actors_end();
	profiles = true;
	each_apart = true;
	for (unsigned i = 0; i < MODEL_DOMAINS; i++)
		note_sources(rulesets, i);
}

int model_act(const struct model_operation *operation, struct act_reply *ret_reply,
	      struct pcl_diag *diag)
{
	const struct model_actor *actor = &operation->actor;
	struct process *process = process_of(actor);
	int error = 0;

	if (!process->pid)
		error = labels ? start_labelled(actor, process, diag) : start(actor, process, diag);
	if (error)
		return error;
	if (talk(process, &operation->request, ret_reply))
		return pcl_diag_set(diag, -EIO, "an actor of %s is gone",
				    model_domain_names[actor->domain]);
	return 0;
}
