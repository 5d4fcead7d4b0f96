/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds QEMU's command line and minds the process.
 *
 * The child sets its own parent-death signal, so not even SIGKILL for the runner leaves a VM
 * behind. KERNEL: that signal is sent at the end of the thread that forked, not of the process; a
 * VM therefore must not outlive the thread that started it.
 */
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vm.h"

/* More than the longest command line below; overflow is an assertion of ours, not of a user. */
#define ARGS_MAX 128

struct args {
	char *items[ARGS_MAX + 1];
	size_t count;
	bool failed;
};

static void args_fini(struct args *args)
{
	for (size_t i = 0; i < args->count; i++)
		free(args->items[i]);
}

__attribute__((format(printf, 2, 3))) static void add(struct args *args, const char *format, ...)
{
	char *item = NULL;
	va_list list;

	va_start(list, format);
	if (args->count == ARGS_MAX || vasprintf(&item, format, list) < 0)
		args->failed = true;
	else
		args->items[args->count++] = item;
	va_end(list);
}

/* In QEMU's option lists a comma inside a value is written twice. */
static char *quote_commas(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 1), *at = quoted;

	if (!quoted)
		return NULL;
	for (; *text; text++) {
		*at++ = *text;
		if (*text == ',')
			*at++ = ',';
	}
	*at = '\0';
	return quoted;
}

/*
 * Five-level page tables would cost every guest memory access of x86 one more emulated step, and
 * pointer authentication every call of arm64 many: cortex-a72 has none.
 */
static const struct {
	const char *program;
	const char *machine;
	const char *cpu;
} machines[] = {
	[GNT_ARCH_X86_64] = {GNT_QEMU_PROGRAM, "q35", "max,la57=off"},
	[GNT_ARCH_ARM64] = {"qemu-system-aarch64", "virt", "cortex-a72"},
};

static void add_machine(struct args *args, const struct gnt_qemu_config *config)
{
	static const char *const bare[] = {"-nodefaults", "-no-user-config",
					   "-no-reboot",  "-display",
					   "none",	  "-machine"};
	bool icount = config->flags & GNT_VM_ICOUNT;

	add(args, "%s", machines[config->arch].program);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(bare); i++)
		add(args, "%s", bare[i]);
	add(args, "%s", machines[config->arch].machine);
	add(args, "-cpu");
	/*
	 * Emulated, each step of a string instruction counts, and takes its time. With erms Linux
	 * and libc clear and copy byte by byte, which is one instruction on a real machine and
	 * 4,096 a page here; without it they go by words.
	 */
	add(args, "%s%s", machines[config->arch].cpu,
	    !config->kvm && config->arch == GNT_ARCH_X86_64 ? ",erms=off,fsrm=off" : "");
	add(args, "-smp");
	add(args, "%d", config->cpus ? config->cpus : 1);
	add(args, "-m");
	add(args, "%d", config->memory_mib);
	add(args, "-accel");
	/*
	 * QEMU 7.2 with a thread for each CPU lets one run code that another is patching, and Linux
	 * patches itself: so they take turns, which can be anywhere in a program, too.
	 */
	add(args, "%s",
	    config->kvm			 ? "kvm"
	    : icount || config->cpus > 1 ? "tcg,thread=single"
					 : "tcg");
	if (!icount)
		return;
	add(args, "-icount");
	add(args, "shift=0,sleep=off");
	add(args, "-seed");
	add(args, "1");
	add(args, "-rtc");
	add(args, "base=2026-01-01T00:00:00,clock=vm");
}

static void add_devices(struct args *args, const struct gnt_qemu_config *config)
{
	const char *path = config->console_pipe ? config->console_pipe : config->console_path;
	char *console pcl_autofree = quote_commas(path);

	args->failed |= !console;
	add(args, "-chardev");
	if (config->flags & GNT_VM_INTERACTIVE)
		add(args, "stdio,id=console,signal=off,logfile=%s,logappend=on", console);
	else
		add(args, "%s,id=console,path=%s", config->console_pipe ? "pipe" : "file", console);
	add(args, "-serial");
	add(args, "chardev:console");
	if (config->qmp_fd >= 0) {
		add(args, "-chardev");
		add(args, "socket,id=qmp,fd=%d", config->qmp_fd);
		add(args, "-mon");
		add(args, "chardev=qmp,mode=control");
	}
	if (config->channel_fd < 0)
		return;
	add(args, "-chardev");
	add(args, "socket,id=agent,fd=%d", config->channel_fd);
	if (config->channel == GNT_CHANNEL_SERIAL) {
		add(args, "-serial");
		add(args, "chardev:agent");
		return;
	}
	add(args, "-device");
	add(args, "virtio-serial-pci");
	add(args, "-device");
	add(args, "virtserialport,chardev=agent,name=portcullis.agent");
}

static void add_kernel(struct args *args, const struct gnt_qemu_config *config)
{
	add(args, "-kernel");
	add(args, "%s", config->image);
	if (config->initrd_fd >= 0) {
		add(args, "-initrd");
		add(args, "/proc/self/fd/%d", config->initrd_fd);
	}
	add(args, "-append");
	add(args, "%s", config->cmdline);
}

/* Only what is safe between fork and exec in a program with threads. */
__attribute__((noreturn)) static void child_main(const struct gnt_qemu_config *config,
						 char *const *argv, pid_t parent, int log_fd,
						 int null_fd, int error_fd)
{
	bool interactive = config->flags & GNT_VM_INTERACTIVE;
	sigset_t none;
	int error;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/* Its own process group: Ctrl-C is the runner's to answer, except in a shell. */
	if (!interactive) {
		(void)setsid();
		(void)dup2(null_fd, 0);
		(void)dup2(log_fd, 1);
	}
	(void)dup2(log_fd, 2);
	if (config->channel_fd >= 0)
		(void)fcntl(config->channel_fd, F_SETFD, 0);
	if (config->initrd_fd >= 0)
		(void)fcntl(config->initrd_fd, F_SETFD, 0);
	if (config->qmp_fd >= 0)
		(void)fcntl(config->qmp_fd, F_SETFD, 0);
	(void)execvp(argv[0], argv);
	error = errno;
	(void)!write(error_fd, &error, sizeof(error));
	_exit(127);
}

/* The errno of the child's execvp, 0 when it runs. */
static int exec_errno(int fd)
{
	int error = 0;

	while (read(fd, &error, sizeof(error)) < 0 && errno == EINTR)
		continue;
	return error;
}

static int spawn(const struct gnt_qemu_config *config, char *const *argv, struct gnt_qemu *ret_qemu,
		 struct pcl_diag *diag)
{
	int log_fd pcl_autoclose =
		open(config->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int null_fd pcl_autoclose = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int errors[2], error;
	struct gnt_qemu qemu = {.pidfd = -1};
	pid_t parent = getpid();

	if (log_fd < 0)
		return pcl_diag_errno(diag, -errno, "%s", config->log_path);
	if (null_fd < 0 || pipe2(errors, O_CLOEXEC) < 0)
		return pcl_diag_errno(diag, -errno, "cannot start QEMU");
	qemu.pid = fork();
	if (qemu.pid == 0)
		child_main(config, argv, parent, log_fd, null_fd, errors[1]);
	error = qemu.pid < 0 ? errno : 0;
	(void)close(errors[1]);
	if (!error)
		error = exec_errno(errors[0]);
	(void)close(errors[0]);
	if (!error) {
		qemu.pidfd = pidfd_open(qemu.pid, 0);
		error = qemu.pidfd < 0 ? errno : 0;
	}
	if (error) {
		gnt_qemu_fini(&qemu);
		if (error == ENOENT)
			return pcl_diag_set(diag, -ENOENT, "%s is not installed: run scripts/setup",
					    argv[0]);
		return pcl_diag_errno(diag, -error, "cannot start %s", argv[0]);
	}
	*ret_qemu = qemu;
	return 0;
}

int gnt_qemu_spawn(const struct gnt_qemu_config *config, struct gnt_qemu *ret_qemu,
		   struct pcl_diag *diag)
{
	struct args args pcl_cleanup(args_fini) = {0};

	add_machine(&args, config);
	add_devices(&args, config);
	if (config->image)
		add_kernel(&args, config);
	for (size_t i = 0; i < config->more_count; i++)
		add(&args, "%s", config->more[i]);
	if (args.failed)
		return pcl_diag_errno(diag, -ENOMEM, "QEMU's command line");
	return spawn(config, args.items, ret_qemu, diag);
}

bool gnt_qemu_ended(struct gnt_qemu *qemu, int timeout_ms)
{
	struct pollfd wait = {.fd = qemu->pidfd, .events = POLLIN};
	int got;

	if (!qemu->pid)
		return true;
	do {
		got = poll(&wait, 1, timeout_ms);
	} while (got < 0 && errno == EINTR && timeout_ms < 0);
	if (got <= 0)
		return false;
	while (waitpid(qemu->pid, &qemu->status, 0) < 0 && errno == EINTR)
		continue;
	qemu->pid = 0;
	return true;
}

void gnt_qemu_fini(struct gnt_qemu *qemu)
{
	if (qemu->pid > 0) {
		(void)kill(qemu->pid, SIGKILL);
		while (waitpid(qemu->pid, &qemu->status, 0) < 0 && errno == EINTR)
			continue;
	}
	qemu->pid = 0;
	pcl_closep(&qemu->pidfd);
	qemu->pidfd = -1;
}

char *gnt_qemu_status_text(const struct gnt_qemu *qemu)
{
	char *text = NULL;
	int got = WIFSIGNALED(qemu->status)
			  ? asprintf(&text, "signal %d", WTERMSIG(qemu->status))
			  : asprintf(&text, "exit status %d", WEXITSTATUS(qemu->status));

	return got < 0 ? NULL : text;
}

int gnt_qemu_version(char **ret_version, struct pcl_diag *diag)
{
	FILE *pipe = popen(GNT_QEMU_PROGRAM " --version 2>/dev/null", "re");
	char *line pcl_autofree = NULL;
	size_t size = 0;
	ssize_t got;

	if (!pipe)
		return pcl_diag_errno(diag, -errno, GNT_QEMU_PROGRAM);
	got = getline(&line, &size, pipe);
	if (pclose(pipe) != 0 || got <= 0)
		return pcl_diag_set(diag, -ENOENT,
				    GNT_QEMU_PROGRAM " is not installed: run scripts/setup");
	line[strcspn(line, "\n")] = '\0';
	*ret_version = pcl_take_ptr(line);
	return 0;
}
