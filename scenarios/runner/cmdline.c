/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every word with its reason; a target adds only what it is about.
 */
#include "cmdline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * loglevel=5: warnings and worse reach the console, which is where splats are looked for.
 * panic=-1: a panic reboots at once, and QEMU's -no-reboot makes that an exit.
 * cryptomgr.notests: saves 0.4 s of self tests at boot.
 * random.trust_cpu: nobody waits for entropy; under deterministic time it comes from a seed.
 */
#define RUNNER_WORDS "loglevel=5 panic=-1 cryptomgr.notests random.trust_cpu=on"

/*
 * For a guest that stops answering: magic keys over the serial console whatever sysctl says, and a
 * panic with a trace on an NMI; the heartbeat tells that it has stopped. Not under deterministic
 * time, which must not be disturbed.
 */
#define HANG_WORDS " sysrq_always_enabled unknown_nmi_panic gauntlet.beat=1000"

/*
 * What takes time away where it is not measured, and changes nothing of what is permitted.
 * norandmaps: a program lies at the same addresses each time, so QEMU has it translated already,
 * which is most of what a short program costs under emulation. rcupdate.rcu_expedited: KERNEL: an
 * update of a map of maps waits for a grace period, so each change of policies does so a few times;
 * an expedited one interrupts the CPUs in place of waiting for them.
 */
#define FAST_WORDS " norandmaps rcupdate.rcu_expedited=1"

static const char *const consoles[] = {[GNT_ARCH_X86_64] = "ttyS0", [GNT_ARCH_ARM64] = "ttyAMA0"};

/* Copies the target's words except lsm=, which comes from elsewhere. */
static void print_without_lsm(FILE *out, char *words)
{
	char *word;

	while ((word = strsep(&words, " \t\n")) != NULL) {
		if (*word && strncmp(word, "lsm=", 4) != 0)
			fprintf(out, " %s", word);
	}
}

int gnt_cmdline_build(const struct gnt_vm_options *options, enum gnt_channel channel,
		      char **ret_cmdline, struct pcl_diag *diag)
{
	char *words pcl_autofree = strdup(options->target->cmdline ? options->target->cmdline : "");
	char *line pcl_autofree = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);

	if (!words || !out) {
		if (out)
			(void)fclose(out);
		return pcl_diag_errno(diag, -ENOMEM, "kernel command line");
	}
	fprintf(out, "console=%s,115200 ", consoles[options->target->arch]);
	fputs(RUNNER_WORDS, out);
	if (options->lsm) {
		print_without_lsm(out, words);
		fprintf(out, " lsm=%s", options->lsm);
	} else if (*words) {
		fprintf(out, " %s", words);
	}
	fprintf(out, " gauntlet.channel=%s", channel == GNT_CHANNEL_SERIAL ? "serial" : "virtio");
	if (!(options->flags & GNT_VM_ICOUNT))
		fputs(HANG_WORDS FAST_WORDS, out);
	if (options->append)
		fprintf(out, " %s", options->append);
	if (options->flags & GNT_VM_INTERACTIVE)
		fputs(" gauntlet.shell", out);
	if (fclose(out) != 0)
		return pcl_diag_errno(diag, -ENOMEM, "kernel command line");
	/* KERNEL: x86 takes 2048 bytes and drops the rest without a word. */
	if (size >= 2048)
		return pcl_diag_set(diag, -E2BIG, "the kernel command line has %zu bytes of 2047",
				    size);
	*ret_cmdline = pcl_take_ptr(line);
	return 0;
}
