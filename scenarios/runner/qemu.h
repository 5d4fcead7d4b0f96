/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU as a child process: its command line, its start, its end.
 */
#ifndef GNT_QEMU_H
#define GNT_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "target.h"

/* For x86; the others are known to qemu.c. */
#define GNT_QEMU_PROGRAM "qemu-system-x86_64"

struct gnt_qemu_config {
	enum gnt_arch arch;
	const char *image;	  /* bzImage; NULL: the disk's own boot loader */
	int initrd_fd;		  /* -1: none */
	const char *cmdline;	  /* the kernel's */
	const char *console_path; /* the console is written here; the file exists */
	/* PIPE.in (a FIFO) and PIPE.out (leads to console_path) make a console that takes keys; or
	 * NULL. */
	const char *console_pipe;
	int qmp_fd;	      /* a socket for the monitor; -1: none */
	const char *log_path; /* QEMU's own words are appended here */
	enum gnt_channel channel;
	int channel_fd; /* a socket; -1: no channel */
	int memory_mib;
	int cpus; /* 0: one */
	bool kvm;
	unsigned flags; /* GNT_VM_* */
	/* Further words: disks and what belongs to them. */
	char *const *more;
	size_t more_count;
};

struct gnt_qemu {
	pid_t pid; /* 0: no process, or reaped */
	int pidfd; /* polls readable when it ended; -1 without a process */
	int status;
};

/*
 * Starts QEMU so that it dies with the calling thread. -ENOENT with the command that installs it
 * when there is none.
 */
int gnt_qemu_spawn(const struct gnt_qemu_config *config, struct gnt_qemu *ret_qemu,
		   struct pcl_diag *diag);

/* Waits up to timeout_ms for its end and reaps it; true when it ended, now or before. */
bool gnt_qemu_ended(struct gnt_qemu *qemu, int timeout_ms);

/* Ends it by SIGKILL if it still runs, and reaps it. */
void gnt_qemu_fini(struct gnt_qemu *qemu);

/* "exit status 1" or "signal 9" for people, owned; NULL without memory. */
char *gnt_qemu_status_text(const struct gnt_qemu *qemu);

/* The first line of --version, owned. */
int gnt_qemu_version(char **ret_version, struct pcl_diag *diag);

#endif
