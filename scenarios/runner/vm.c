/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one VM. All waiting is done in wait_message(): on the channel, on the end of QEMU and
 * on a deadline, with a look at the console in between, so that whatever happens to the guest is
 * noticed within a tick and given its own name.
 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "channel.h"
#include "cmdline.h"
#include "console.h"
#include "disk.h"
#include "hang.h"
#include "image.h"
#include "initramfs.h"
#include "kernel.h"
#include "place.h"
#include "qemu.h"
#include "text.h"

/* How often the console is looked at while nothing else happens. */
#define TICK_MS 100
/* A guest that was asked to power off does it in 0.1 to 0.3 s, under emulation too. */
#define POWEROFF_WAIT_MS 3000
/* After a panic or a closed channel QEMU ends at once; this is for a machine under load. */
#define END_WAIT_MS 3000
/* Of the host's memory beside the guest's: QEMU itself and its translation cache. */
#define QEMU_OVERHEAD_MIB 128
/* A console log has some KiB; a guest in trouble writes its traces there. */
#define LOG_SPACE_BYTES (1u << 20)
/* Longer than the kernel's own watchdogs need to say what is wrong (soft lockup: 20 to 26 s). */
#define BEAT_LOST_MS 30000
/* A line into the kernel's log and a number out of /proc; a busy machine takes seconds to boot. */
#define MARK_TIMEOUT_MS 15000

struct gnt_vm {
	struct gnt_disk disk; /* of a distribution; its files go with the VM */
	char *place;	      /* where the tools lie there, if not where everybody says; or NULL */
	struct gnt_qemu qemu;
	struct gnt_qmp qmp;
	int keys_fd;	    /* what is written here is typed on the console; -1: nowhere */
	char *console_pipe; /* DIR/console, while its .in and .out are there */
	char *dump_path;
	bool dumped;
	bool beats;	    /* the agent has sent a heartbeat */
	int64_t beat_ms;    /* when the last one came */
	json_int_t busy_ms; /* how long the agent was busy by then */
	int64_t heard_ms;   /* when anything came from it */
	int beat_lost_ms;
	int64_t gave_up_ms; /* when it was found to hang */
	struct gnt_channel_end channel;
	struct gnt_console console;
	enum gnt_vm_state state;
	bool off_asked;
	bool kvm;
	unsigned flags;
	json_int_t next_id;
	json_t *hello;
	int64_t started_ms;
	int boot_ms;
	char *console_path;
	char *log_path;
	const struct gnt_health_list *allow;
	size_t acknowledged;	    /* so many findings are noted by the caller */
	unsigned long long tainted; /* at the last mark */
	bool tainted_known;
	char *detail;
	bool has_terminal;
	struct termios terminal;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- how it is ----------------------------------------------------------------------------------
 */

/* The last line of a file that is not empty, owned, or NULL. */
static char *last_line(const char *path)
{
	FILE *file pcl_autofclose = fopen(path, "re");
	char *line pcl_autofree = NULL, *last = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!*line)
			continue;
		free(last);
		last = strdup(line);
	}
	return last;
}

/* What fails a run first: a panic, else the oldest that is neither allowed nor acknowledged. */
static const struct gnt_finding *worst_finding(const struct gnt_vm *vm)
{
	const struct gnt_finding *worst = NULL;

	for (size_t i = 0; i < vm->console.finding_count; i++) {
		const struct gnt_finding *finding = vm->console.findings[i];

		if (finding->kind == GNT_HEALTH_PANIC)
			return finding;
		if (!worst && i >= vm->acknowledged && !finding->allowed)
			worst = finding;
	}
	return worst;
}

/* What an entry is about may depend on the kernel's release, so nothing is allowed before hello. */
static void look_up_allowed(struct gnt_vm *vm)
{
	const char *release = json_string_value(json_object_get(vm->hello, "kernel"));

	for (size_t i = 0; release && i < vm->console.finding_count; i++) {
		struct gnt_finding *finding = vm->console.findings[i];

		/* Of an open one the trace, and so the fingerprint, is not all there yet. */
		if (finding->closed && !finding->allowed)
			finding->allowed = gnt_health_list_find(vm->allow, finding, release);
	}
}

/* Looks at console and process; states only ever get worse. */
static void update_state(struct gnt_vm *vm)
{
	bool ended = gnt_qemu_ended(&vm->qemu, 0);
	const struct gnt_finding *worst;

	gnt_console_scan(&vm->console);
	look_up_allowed(vm);
	worst = worst_finding(vm);
	if (vm->state == GNT_VM_PANIC || vm->state == GNT_VM_DEAD || vm->state == GNT_VM_OFF ||
	    vm->state == GNT_VM_HANG)
		return;
	if (worst && worst->kind == GNT_HEALTH_PANIC)
		vm->state = GNT_VM_PANIC;
	else if (ended)
		vm->state = vm->off_asked ? GNT_VM_OFF : GNT_VM_DEAD;
	else if (vm->state == GNT_VM_RUNNING || vm->state == GNT_VM_SPLAT)
		vm->state = worst && vm->hello ? GNT_VM_SPLAT : GNT_VM_RUNNING;
}

/* Says why there is no answer; returns -EIO, or -ETIMEDOUT for a hang. */
static int explain(struct gnt_vm *vm, int waited_ms, struct pcl_diag *diag)
{
	char *status pcl_autofree = gnt_qemu_status_text(&vm->qemu);
	char *words pcl_autofree = last_line(vm->log_path);
	const char *last = vm->console.last ? vm->console.last : "nothing";
	char beat[96] = "";

	if (vm->state == GNT_VM_PANIC)
		return pcl_diag_set(diag, -EIO, "the guest's kernel panicked: %s (%s)",
				    gnt_vm_state_detail(vm), vm->console_path);
	if (vm->state == GNT_VM_DEAD)
		return pcl_diag_set(diag, -EIO, "QEMU ended by itself, %s%s%s (%s)",
				    status ? status : "", words ? ": " : "", words ? words : "",
				    vm->log_path);
	if (vm->state == GNT_VM_OFF)
		return pcl_diag_set(diag, -EIO, "the VM is off");
	if (vm->beats)
		(void)snprintf(beat, sizeof(beat),
			       "; last heartbeat %.1f s ago, then busy for %.1f s",
			       (double)(vm->gave_up_ms - vm->beat_ms) / 1000,
			       (double)vm->busy_ms / 1000);
	return pcl_diag_set(diag, -ETIMEDOUT,
			    "the guest gave no answer in %d ms%s; last on its console: %s (%s)",
			    waited_ms, beat, last, vm->dumped ? vm->dump_path : vm->console_path);
}

/* It hangs. Everything that can still be learnt is written down; it must be ended afterwards. */
static int give_up(struct gnt_vm *vm, int waited_ms, struct pcl_diag *diag)
{
	struct gnt_hang hang = {.qmp = &vm->qmp,
				.keys_fd = vm->keys_fd,
				.console_path = vm->console_path,
				.dump_path = vm->dump_path};
	struct pcl_diag why pcl_cleanup(pcl_diag_fini) = {0};
	char *last pcl_autofree = NULL;
	int error;

	vm->state = GNT_VM_HANG;
	if (!vm->gave_up_ms)
		vm->gave_up_ms = now_ms();
	error = explain(vm, waited_ms, diag);
	if (vm->dumped || vm->qmp.fd < 0)
		return error;
	vm->dumped = true;
	/* The trace that it is asked for is no trouble of its own. */
	gnt_console_take(&vm->console, NULL);
	vm->console.deaf = true;
	last = vm->console.last ? strdup(vm->console.last) : NULL;
	(void)explain(vm, waited_ms, &why);
	hang.why = pcl_diag_text(&why);
	vm->dumped = gnt_hang_dump(&hang, NULL) == 0;
	gnt_console_scan(&vm->console);
	free(vm->console.last);
	vm->console.last = pcl_take_ptr(last);
	return explain(vm, waited_ms, diag);
}

/* The channel is closed or speaks nonsense: usually the end of QEMU, which then is near. */
static int channel_failed(struct gnt_vm *vm, int error, struct pcl_diag *diag)
{
	if (error == -EBADMSG || error == -ENOMEM)
		return error;
	(void)gnt_qemu_ended(&vm->qemu, END_WAIT_MS);
	update_state(vm);
	if (vm->state == GNT_VM_RUNNING || vm->state == GNT_VM_SPLAT)
		return give_up(vm, END_WAIT_MS, diag);
	return explain(vm, END_WAIT_MS, diag);
}

/* What is no heartbeat is handed on; -EAGAIN while there is nothing else. */
static int pull(struct gnt_vm *vm, json_t **ret_message, struct pcl_diag *diag)
{
	json_t *message = NULL;
	int error;

	while (!(error = gnt_channel_pull(&vm->channel, &message, diag))) {
		const json_t *beat = json_object_get(message, "beat");

		vm->heard_ms = now_ms();
		if (!json_is_integer(beat)) {
			*ret_message = message;
			return 0;
		}
		vm->beats = true;
		vm->beat_ms = vm->heard_ms;
		vm->busy_ms = json_integer_value(beat);
		json_decref(message);
	}
	return error;
}

static int wait_message(struct gnt_vm *vm, int timeout_ms, json_t **ret_message,
			struct pcl_diag *diag)
{
	int64_t started = now_ms(), deadline = started + timeout_ms;

	/* Nobody listened before; what was sent meanwhile is read at once. */
	vm->heard_ms = started;
	for (;;) {
		struct pollfd wait[] = {{.fd = vm->channel.fd, .events = POLLIN},
					{.fd = vm->qemu.pidfd, .events = POLLIN}};
		int error = gnt_channel_push(&vm->channel);
		int64_t left = deadline - now_ms();

		if (!error)
			error = pull(vm, ret_message, diag);
		update_state(vm);
		if (!error)
			return 0;
		if (error != -EAGAIN)
			return channel_failed(vm, error, diag);
		if (vm->state != GNT_VM_RUNNING && vm->state != GNT_VM_SPLAT)
			return explain(vm, timeout_ms, diag);
		if (left <= 0 || (vm->beats && now_ms() - vm->heard_ms > vm->beat_lost_ms))
			return give_up(vm, (int)(now_ms() - started), diag);
		if (vm->channel.out_done < vm->channel.out_len)
			wait[0].events |= POLLOUT;
		(void)poll(wait, PCL_ARRAY_SIZE(wait), left < TICK_MS ? (int)left : TICK_MS);
	}
}

/* --- start --------------------------------------------------------------------------------------
 */

/* A refusal before QEMU's start reads better than its own, and nothing was started. */
static int check_memory(int memory_mib, struct pcl_diag *diag)
{
	FILE *file pcl_autofclose = fopen("/proc/meminfo", "re");
	char line[256];
	long available_kib = -1;

	while (file && available_kib < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "MemAvailable:", 13) == 0)
			available_kib = strtol(line + 13, NULL, 10);
	}
	if (available_kib >= 0 && available_kib / 1024 < memory_mib + QEMU_OVERHEAD_MIB)
		return pcl_diag_set(
			diag, -ENOMEM,
			"a VM needs %d MiB of memory and %ld are free: use fewer --jobs",
			memory_mib + QEMU_OVERHEAD_MIB, available_kib / 1024);
	return 0;
}

static int open_logs(struct gnt_vm *vm, const char *dir, struct pcl_diag *diag)
{
	int fd pcl_autoclose = -1;
	struct statvfs space;
	int error;

	if (asprintf(&vm->console_path, "%s/console.log", dir) < 0 ||
	    asprintf(&vm->log_path, "%s/qemu.log", dir) < 0)
		return pcl_diag_errno(diag, -ENOMEM, "logs");
	(void)unlink(vm->log_path);
	fd = open(vm->console_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return pcl_diag_errno(diag, -errno, "%s", vm->console_path);
	/* QEMU goes on in silence when it cannot write; then a panic would leave no trace. */
	if (fstatvfs(fd, &space) == 0 && space.f_bavail * space.f_frsize < LOG_SPACE_BYTES)
		return pcl_diag_set(diag, -ENOSPC, "%s: the disk is full; %u KiB must be free",
				    vm->console_path, LOG_SPACE_BYTES / 1024);
	error = gnt_console_open(&vm->console, vm->console_path);
	return error ? pcl_diag_errno(diag, error, "%s", vm->console_path) : 0;
}

static void remove_keys(struct gnt_vm *vm)
{
	static const char *const ends[] = {"in", "out"};

	for (size_t i = 0; vm->console_pipe && i < PCL_ARRAY_SIZE(ends); i++) {
		char *path pcl_autofree = gnt_text_new("%s.%s", vm->console_pipe, ends[i]);

		if (path)
			(void)unlink(path);
	}
	free(pcl_take_ptr(vm->console_pipe));
}

/*
 * A console that can be typed on: QEMU's pipe, whose way out is the log. It opens both by their
 * names, which are removed when the guest has said hello.
 */
static int open_keys(struct gnt_vm *vm, const char *dir, struct pcl_diag *diag)
{
	char *in pcl_autofree = gnt_text_new("%s/console.in", dir);
	char *out pcl_autofree = gnt_text_new("%s/console.out", dir);

	vm->console_pipe = gnt_text_new("%s/console", dir);
	vm->dump_path = gnt_text_new("%s/hang.txt", dir);
	if (!in || !out || !vm->console_pipe || !vm->dump_path)
		return pcl_diag_errno(diag, -ENOMEM, "logs");
	(void)unlink(in);
	(void)unlink(out);
	(void)unlink(vm->dump_path);
	if (mkfifo(in, 0600) < 0 || symlink("console.log", out) < 0)
		return pcl_diag_errno(diag, -errno, "%s", in);
	vm->keys_fd = open(in, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return vm->keys_fd < 0 ? pcl_diag_errno(diag, -errno, "%s", in) : 0;
}

/* ret_guest_fd is QEMU's end. */
static int open_pair(int *ret_fd, int *ret_guest_fd, struct pcl_diag *diag)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return pcl_diag_errno(diag, -errno, "cannot make a socket");
	*ret_fd = pair[0];
	*ret_guest_fd = pair[1];
	return 0;
}

static int choose_accel(const struct gnt_vm_options *options, bool *ret_kvm, struct pcl_diag *diag)
{
	static bool noticed; /* one line for a run, however many VMs */
	char *reason pcl_autofree = NULL;
	int error;

	*ret_kvm = options->accel == GNT_ACCEL_KVM;
	/* KVM is tried with this machine's own kind of guest only. */
	if ((options->flags & GNT_VM_ICOUNT) || options->target->arch != GNT_ARCH_X86_64) {
		*ret_kvm = false;
		return 0;
	}
	if (options->accel != GNT_ACCEL_AUTO)
		return 0;
	error = gnt_kvm_probe(ret_kvm, &reason, diag);
	if (!error && !*ret_kvm && !__atomic_exchange_n(&noticed, true, __ATOMIC_RELAXED))
		fprintf(stderr, "gauntlet: emulating (TCG), for KVM does not work here: %s\n",
			reason ? reason : "unknown");
	return error;
}

/* The target's, and of the others those that this kernel has. The names are borrowed. */
static int choose_modules(const struct gnt_vm_options *options, const struct gnt_kernel *kernel,
			  char ***ret_names, size_t *ret_count, struct pcl_diag *diag)
{
	const struct gnt_target *target = options->target;
	char **names =
		calloc(target->module_count + options->more_module_count + 1, sizeof(*names));
	size_t count = 0;

	if (!names)
		return pcl_diag_set(diag, -ENOMEM, "no memory");
	for (size_t i = 0; i < target->module_count; i++)
		names[count++] = target->modules[i];
	for (size_t i = 0; i < options->more_module_count; i++)
		if (gnt_kernel_has_module(kernel, options->more_modules[i]))
			names[count++] = options->more_modules[i];
	*ret_names = names;
	*ret_count = count;
	return 0;
}

/* Our ends of what leads to the guest and its QEMU; a shell has none. */
static int open_ends(struct gnt_vm *vm, const struct gnt_vm_options *options, int *ret_guest_fd,
		     int *ret_qmp_fd, struct pcl_diag *diag)
{
	int error = 0;

	if (!(vm->flags & GNT_VM_INTERACTIVE))
		error = open_pair(&vm->channel.fd, ret_guest_fd, diag);
	/* A counted guest has nothing beside it that could disturb it. */
	if (!error && !(vm->flags & (GNT_VM_INTERACTIVE | GNT_VM_ICOUNT))) {
		error = open_keys(vm, options->log_dir, diag);
		if (!error)
			error = open_pair(&vm->qmp.fd, ret_qmp_fd, diag);
	}
	return error;
}

/* As launch(), for a target whose root is the disk of a distribution. */
static int launch_disk(struct gnt_vm *vm, const struct gnt_vm_options *options,
		       struct pcl_diag *diag)
{
	const struct gnt_target *target = options->target;
	struct gnt_disk *disk = &vm->disk;
	char *cmdline pcl_autofree = NULL;
	int initrd_fd pcl_autoclose = -1, guest_fd pcl_autoclose = -1, qmp_fd pcl_autoclose = -1;
	int error;

	if ((error = check_memory(target->memory_mib, diag)) ||
	    (error = gnt_disk_prepare(options, target->channel, disk, diag)) ||
	    (error = choose_accel(options, &vm->kvm, diag)) ||
	    (error = gnt_cmdline_build(options, target->channel, &cmdline, diag)) ||
	    (error = open_logs(vm, options->log_dir, diag)) ||
	    (error = open_ends(vm, options, &guest_fd, &qmp_fd, diag)))
		return error;
	if (disk->initrd) {
		initrd_fd = open(disk->initrd, O_RDONLY | O_CLOEXEC);
		if (initrd_fd < 0)
			return pcl_diag_errno(diag, -errno, "%s", disk->initrd);
	}
	if (strcmp(target->image->agent_dir, GNT_PLACE) != 0 &&
	    !(vm->place = strdup(target->image->agent_dir)))
		return pcl_diag_errno(diag, -ENOMEM, "%s", target->id);
	vm->started_ms = now_ms();
	return gnt_qemu_spawn(&(struct gnt_qemu_config){.image = disk->kernel,
							.initrd_fd = initrd_fd,
							.cmdline = cmdline,
							.console_path = vm->console_path,
							.console_pipe = vm->console_pipe,
							.qmp_fd = qmp_fd,
							.log_path = vm->log_path,
							.channel = target->channel,
							.channel_fd = guest_fd,
							.memory_mib = target->memory_mib,
							.cpus = options->cpus,
							.kvm = vm->kvm,
							.flags = vm->flags,
							.more = disk->args,
							.more_count = disk->arg_count},
			      &vm->qemu, diag);
}

/* Everything up to a running QEMU; what fails here started nothing. */
static int launch(struct gnt_vm *vm, const struct gnt_vm_options *options, struct pcl_diag *diag)
{
	const struct gnt_target *target = options->target;
	struct gnt_kernel kernel pcl_cleanup(gnt_kernel_fini) = {0};
	char *cmdline pcl_autofree = NULL, **modules pcl_autofree = NULL;
	size_t module_count = 0;
	int initrd_fd pcl_autoclose = -1, guest_fd pcl_autoclose = -1, qmp_fd pcl_autoclose = -1;
	int error;
	/* Virtio is served by a thread of QEMU's own, at moments that never repeat. */
	enum gnt_channel channel = vm->flags & GNT_VM_ICOUNT ? GNT_CHANNEL_SERIAL : target->channel;

	if (target->arch == GNT_ARCH_ARM64 && channel == GNT_CHANNEL_SERIAL)
		return pcl_diag_set(
			diag, -ENOTSUP,
			"%s: an arm64 machine has one serial port, and nothing is counted "
			"there: no bench",
			target->id);
	error = options->kernel_path
			? gnt_kernel_own(options->kernel_path, options->modules_dir, &kernel, diag)
			: gnt_kernel_find(target->kernel, &kernel, diag);
	if (error || (error = check_memory(target->memory_mib, diag)) ||
	    (error = choose_accel(options, &vm->kvm, diag)))
		return error;
	/* A probe for KVM is no part of this VM's boot. */
	vm->started_ms = now_ms();
	if ((error = gnt_cmdline_build(options, channel, &cmdline, diag)) ||
	    (error = choose_modules(options, &kernel, &modules, &module_count, diag)) ||
	    (error = gnt_initramfs_open(
		     &(struct gnt_initramfs_options){.guest_dir = options->guest_dir,
						     .kernel = &kernel,
						     .target = target,
						     .modules = modules,
						     .module_count = module_count,
						     .plan = options->plan},
		     &initrd_fd, diag)) ||
	    (error = open_logs(vm, options->log_dir, diag)))
		return error;
	error = open_ends(vm, options, &guest_fd, &qmp_fd, diag);
	if (error)
		return error;
	return gnt_qemu_spawn(&(struct gnt_qemu_config){.arch = target->arch,
							.image = kernel.image,
							.initrd_fd = initrd_fd,
							.cmdline = cmdline,
							.console_path = vm->console_path,
							.console_pipe = vm->console_pipe,
							.qmp_fd = qmp_fd,
							.log_path = vm->log_path,
							.channel = channel,
							.channel_fd = guest_fd,
							.memory_mib = target->memory_mib,
							.cpus = options->cpus,
							.kvm = vm->kvm,
							.flags = vm->flags},
			      &vm->qemu, diag);
}

/* A distribution takes as long as its manifest says, and never less than others get. */
static int boot_timeout_ms(const struct gnt_vm_options *options)
{
	const struct gnt_image *image = options->target->image;
	int own_ms = image ? image->boot_timeout_s * 1000 : 0;

	return own_ms > options->boot_timeout_ms ? own_ms : options->boot_timeout_ms;
}

int gnt_vm_start(const struct gnt_vm_options *options, struct gnt_vm **ret_vm,
		 enum gnt_vm_state *ret_state, struct pcl_diag *diag)
{
	struct gnt_vm *vm pcl_cleanup(gnt_vm_free) = calloc(1, sizeof(*vm));
	int error;

	*ret_state = GNT_VM_OFF;
	if (!vm)
		return pcl_diag_errno(diag, -ENOMEM, "VM");
	vm->qemu.pidfd = vm->channel.fd = vm->console.fd = vm->qmp.fd = vm->keys_fd = -1;
	vm->beat_lost_ms = options->beat_lost_ms ? options->beat_lost_ms : BEAT_LOST_MS;
	vm->flags = options->flags;
	vm->allow = options->allow;
	vm->state = GNT_VM_OFF;
	vm->has_terminal = (vm->flags & GNT_VM_INTERACTIVE) && tcgetattr(0, &vm->terminal) == 0;
	error = options->target->image ? launch_disk(vm, options, diag) : launch(vm, options, diag);
	if (error)
		return error;
	vm->state = GNT_VM_RUNNING;
	if (!(vm->flags & GNT_VM_INTERACTIVE)) {
		error = wait_message(vm, boot_timeout_ms(options), &vm->hello, diag);
		*ret_state = vm->state;
		if (error)
			return pcl_diag_context(diag, error, "boot of %s", options->target->id);
		remove_keys(vm);
	}
	vm->boot_ms = (int)(now_ms() - vm->started_ms);
	*ret_state = vm->state;
	*ret_vm = pcl_take_ptr(vm);
	return 0;
}

/* --- use ----------------------------------------------------------------------------------------
 */

int gnt_vm_call(struct gnt_vm *vm, const json_t *request, int timeout_ms, json_t **ret_reply,
		struct pcl_diag *diag)
{
	json_t *numbered =
		vm->place ? gnt_place_move(request, vm->place) : json_copy((json_t *)request);
	json_int_t id = ++vm->next_id;
	json_t *reply = NULL;
	int64_t deadline = now_ms() + timeout_ms;
	int error;

	update_state(vm);
	error = numbered ? json_object_set_new(numbered, "id", json_integer(id)) : -1;
	if (!error && (vm->state == GNT_VM_RUNNING || vm->state == GNT_VM_SPLAT))
		error = gnt_channel_queue(&vm->channel, numbered);
	else
		error = error ? -ENOMEM : -EIO;
	json_decref(numbered);
	if (error == -EIO)
		return explain(vm, timeout_ms, diag);
	if (error)
		return pcl_diag_errno(diag, error, "request");
	do {
		int64_t left = deadline - now_ms();

		json_decref(reply);
		reply = NULL;
		error = wait_message(vm, left > 0 ? (int)left : 0, &reply, diag);
		if (error)
			return error;
		/* An answer to a request that was given up is of no use to anybody. */
	} while (json_integer_value(json_object_get(reply, "id")) != id);
	*ret_reply = reply;
	return 0;
}

const json_t *gnt_vm_hello(const struct gnt_vm *vm)
{
	return vm->hello;
}

enum gnt_vm_state gnt_vm_state(struct gnt_vm *vm)
{
	update_state(vm);
	return vm->state;
}

const char *gnt_vm_state_detail(struct gnt_vm *vm)
{
	const struct gnt_finding *worst = worst_finding(vm);

	if (!worst)
		return NULL;
	(void)gnt_text_set(&vm->detail, "%s: %s (%s)", worst->fingerprint, worst->line,
			   worst->during ? worst->during : "boot");
	return vm->detail;
}

const struct gnt_finding *gnt_vm_trouble(struct gnt_vm *vm)
{
	update_state(vm);
	return worst_finding(vm);
}

const struct gnt_finding *gnt_vm_finding(struct gnt_vm *vm, size_t index)
{
	update_state(vm);
	return index < vm->console.finding_count ? vm->console.findings[index] : NULL;
}

void gnt_vm_acknowledge(struct gnt_vm *vm)
{
	update_state(vm);
	vm->acknowledged = vm->console.finding_count;
	update_state(vm);
}

/* Taint bits that no trouble under this mark explains: each of those is listed by itself. */
static unsigned long long unexplained(const struct gnt_vm *vm, unsigned long long bits,
				      const char *during)
{
	for (size_t i = 0; i < vm->console.finding_count; i++) {
		const struct gnt_finding *finding = vm->console.findings[i];

		if (finding->during && during && strcmp(finding->during, during) == 0)
			bits &= ~gnt_health_taint_of(finding->kind);
	}
	return bits;
}

int gnt_vm_mark(struct gnt_vm *vm, const char *text, struct pcl_diag *diag)
{
	char *before pcl_autofree = vm->console.mark ? strdup(vm->console.mark) : NULL;
	json_t *request = json_pack("{s:s, s:s}", "op", "mark", "text", text), *reply = NULL;
	const json_t *tainted;
	unsigned long long now, fresh;
	int error;

	if (!request)
		return pcl_diag_errno(diag, -ENOMEM, "request");
	error = gnt_vm_call(vm, request, MARK_TIMEOUT_MS, &reply, diag);
	json_decref(request);
	if (error)
		return error;
	tainted = json_object_get(reply, "tainted");
	if (json_is_integer(tainted)) {
		now = (unsigned long long)json_integer_value(tainted);
		fresh = vm->tainted_known ? unexplained(vm, now & ~vm->tainted, before) : 0;
		if (fresh)
			gnt_console_take(&vm->console, gnt_finding_new_taint(fresh, before));
		vm->tainted = now;
		vm->tainted_known = true;
	}
	json_decref(reply);
	return 0;
}

const char *gnt_vm_accel(const struct gnt_vm *vm)
{
	return vm->kvm ? "kvm" : "tcg";
}

int gnt_vm_boot_ms(const struct gnt_vm *vm)
{
	return vm->boot_ms;
}

/* --- end ----------------------------------------------------------------------------------------
 */

static void ask_off(struct gnt_vm *vm)
{
	json_t *request = json_pack("{s:s, s:i}", "op", "poweroff", "id", 0);

	vm->off_asked = true;
	if (request && gnt_channel_queue(&vm->channel, request) == 0 &&
	    gnt_channel_push(&vm->channel) == 0)
		(void)gnt_qemu_ended(&vm->qemu, POWEROFF_WAIT_MS);
	json_decref(request);
}

void gnt_vm_stop(struct gnt_vm *vm)
{
	update_state(vm);
	if (vm->channel.fd >= 0 && (vm->state == GNT_VM_RUNNING || vm->state == GNT_VM_SPLAT))
		ask_off(vm);
	gnt_qemu_fini(&vm->qemu);
	gnt_disk_fini(&vm->disk);
	free(vm->place);
	/* What it said in going down. */
	update_state(vm);
	gnt_console_take(&vm->console, NULL);
	/* QEMU puts the terminal back by itself unless it was killed. */
	if (vm->has_terminal)
		(void)tcsetattr(0, TCSANOW, &vm->terminal);
	gnt_channel_fini(&vm->channel);
	gnt_qmp_fini(&vm->qmp);
	pcl_closep(&vm->keys_fd);
	vm->keys_fd = -1;
	remove_keys(vm);
}

void gnt_vm_free(struct gnt_vm **vm_ptr)
{
	struct gnt_vm *vm = *vm_ptr;

	*vm_ptr = NULL;
	if (!vm)
		return;
	gnt_vm_stop(vm);
	gnt_console_fini(&vm->console);
	json_decref(vm->hello);
	free(vm->console_path);
	free(vm->log_path);
	free(vm->dump_path);
	free(vm->detail);
	free(vm);
}

int gnt_vm_wait(struct gnt_vm *vm, struct pcl_diag *diag)
{
	(void)gnt_qemu_ended(&vm->qemu, -1);
	vm->off_asked = vm->qemu.status == 0;
	update_state(vm);
	return vm->state == GNT_VM_OFF ? 0 : explain(vm, 0, diag);
}
