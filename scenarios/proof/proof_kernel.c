/* SPDX-License-Identifier: Apache-2.0 */
/* What the small LSMs refuse: landlock, lockdown, yama, capability; and SELinux by its policy. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proof.h"

#define PLAIN_USER 1000
#define YAMA_SCOPE "/proc/sys/kernel/yama/ptrace_scope"

/* --- capability --------------------------------------------------------------------------------
 */

static int chroot_as_nobody(const void *argument)
{
	(void)argument;
	if (setgid(PLAIN_USER) < 0 || setuid(PLAIN_USER) < 0)
		return ENOSYS;
	return chroot("/") < 0 ? errno : 0;
}

static int chroot_as_root(const void *argument)
{
	(void)argument;
	return chroot("/") < 0 ? errno : 0;
}

int proof_capability(struct proof *proof)
{
	int error = proof_in_child(chroot_as_root, NULL);

	if (error)
		return proof_failed(proof, "chroot is refused to root: %s", strerror(error));
	error = proof_in_child(chroot_as_nobody, NULL);
	return error == EPERM ? 0
			      : proof_failed(proof, "chroot without the capability: %s",
					     error ? strerror(error) : "it worked");
}

/* --- landlock ----------------------------------------------------------------------------------
 */

static int open_restricted(const void *argument)
{
	const struct landlock_ruleset_attr rules = {.handled_access_fs =
							    LANDLOCK_ACCESS_FS_READ_FILE};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	(void)argument;
	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return ENOSYS;
	return proof_open(PROOF_FILE);
}

int proof_landlock(struct proof *proof)
{
	int error = proof_open(PROOF_FILE);

	if (error)
		return proof_failed(proof, "refused already without it: %s", strerror(error));
	error = proof_in_child(open_restricted, NULL);
	return error == EACCES ? 0
			       : proof_failed(proof, "reading under a ruleset without rules: %s",
					      error ? strerror(error) : "it worked");
}

/* --- lockdown ----------------------------------------------------------------------------------
 */

/* Nothing is refused in mode "none", so there is nothing to prove. */
int proof_lockdown(struct proof *proof)
{
	int error;

	if (!proof->word || strcmp(proof->word, "none") == 0)
		return 0;
	error = proof_open("/dev/mem");
	return error == EPERM ? 0
			      : proof_failed(proof, "opening /dev/mem under lockdown %s: %s",
					     proof->word, error ? strerror(error) : "it worked");
}

/* --- yama --------------------------------------------------------------------------------------
 */

static void become_plain(void)
{
	if (setgid(PLAIN_USER) < 0 || setuid(PLAIN_USER) < 0)
		_exit(ENOSYS);
	/* KERNEL: a change of user takes it away, and then nobody may trace the process. */
	(void)prctl(PR_SET_DUMPABLE, 1);
}

static int attach_to(const void *argument)
{
	pid_t victim = *(const pid_t *)argument;
	int error = 0;

	become_plain();
	if (ptrace(PTRACE_ATTACH, victim, NULL, NULL) < 0)
		return errno;
	(void)waitpid(victim, NULL, __WALL);
	(void)ptrace(PTRACE_DETACH, victim, NULL, NULL);
	return error;
}

/* Tracing a process that is no child of the tracer's, at a scope. */
static int trace_at(char scope)
{
	int fd = open(YAMA_SCOPE, O_WRONLY | O_CLOEXEC), ready[2], error;
	pid_t victim;
	char byte;

	if (fd < 0 || write(fd, &scope, 1) != 1 || pipe(ready) < 0)
		return -1;
	(void)close(fd);
	victim = fork();
	if (victim == 0) {
		become_plain();
		(void)!write(ready[1], "r", 1);
		for (;;)
			(void)pause();
	}
	(void)!read(ready[0], &byte, 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	error = proof_in_child(attach_to, &victim);
	(void)kill(victim, SIGKILL);
	(void)waitpid(victim, NULL, 0);
	return error;
}

int proof_yama(struct proof *proof)
{
	char before = '0';
	int fd = open(YAMA_SCOPE, O_RDONLY | O_CLOEXEC), error;

	if (fd < 0 || read(fd, &before, 1) != 1)
		return proof_failed(proof, "cannot read " YAMA_SCOPE ": %s", strerror(errno));
	(void)close(fd);
	error = trace_at('0');
	if (error)
		return proof_failed(proof, "tracing fails at scope 0 too: %s", strerror(error));
	error = trace_at('1');
	fd = open(YAMA_SCOPE, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, &before, 1) != 1)
		return proof_failed(proof, "cannot put " YAMA_SCOPE " back");
	(void)close(fd);
	return error == EPERM ? 0
			      : proof_failed(proof, "tracing a stranger at scope 1: %s",
					     error ? strerror(error) : "it worked");
}

/* --- selinux -----------------------------------------------------------------------------------
 */

/* As a domain that may load no policy: context is that domain. */
static int open_load_as(const void *argument)
{
	const char *context = argument;
	int fd = open("/proc/self/attr/current", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, context, strlen(context)) < 0)
		return ENOSYS;
	(void)close(fd);
	return proof_open_for_writing(PROOF_FILE);
}

/* Memory of the heap that is to be executed: no ordinary domain of refpolicy may. */
static int execute_heap(const void *argument)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t heap = ((uintptr_t)sbrk((intptr_t)(2 * page)) + page - 1) & ~(page - 1);

	(void)argument;
	*(volatile char *)heap = 1;
	return mprotect((void *)heap, page, PROT_READ | PROT_WRITE | PROT_EXEC) < 0 ? errno : 0;
}

int proof_selinux(struct proof *proof)
{
	static const char container[] = "system_u:system_r:container_t:s0";
	int error;

	if (!proof->word || strcmp(proof->word, "debian") == 0) {
		error = proof_in_child(execute_heap, NULL);
		return error == EACCES ? 0
				       : proof_failed(proof, "execution of the heap: %s",
						      error ? strerror(error) : "it worked");
	}
	error = proof_open_for_writing(PROOF_FILE);
	if (error)
		return proof_failed(proof, "refused already to this domain: %s", strerror(error));
	error = proof_in_child(open_load_as, container);
	return error == EACCES ? 0
			       : proof_failed(proof, "container_t writing a file of the host: %s",
					      error ? strerror(error) : "it worked");
}
