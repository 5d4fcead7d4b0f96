/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor attach|detach: puts the empty LSM programs of bpf/floor.bpf.c on their hooks, or takes them
 * away. The links are pinned, so the programs stay when this process ends, just as portcullis's do;
 * all of them are attached or none.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.skel.h"

#define PIN_DIR "/sys/fs/bpf/portcullis-floor"
#define USAGE "usage: floor attach|detach"

static const char *const pins[] = {
	PIN_DIR "/file_open", PIN_DIR "/bprm_check",	PIN_DIR "/file_permission",
	PIN_DIR "/mmap_file", PIN_DIR "/file_mprotect", PIN_DIR "/d_instantiate",
};
#define PIN_COUNT (sizeof(pins) / sizeof(pins[0]))

/* Says what failed and returns the exit code for it. */
static int failed(const char *what, const char *where, int error)
{
	fprintf(stderr, "floor: cannot %s %s: %s\n", what, where, strerror(error));
	return 1;
}

static int detach(void)
{
	/* KERNEL: a pinned link ends with its last reference, here its name in bpffs. */
	for (size_t i = 0; i < PIN_COUNT; i++) {
		if (unlink(pins[i]) && errno != ENOENT)
			return failed("remove", pins[i], errno);
	}
	if (rmdir(PIN_DIR) && errno != ENOENT)
		return failed("remove", PIN_DIR, errno);
	return 0;
}

static int pin(const struct floor_bpf *skel)
{
	struct bpf_link *const links[PIN_COUNT] = {
		skel->links.floor_file_open,	   skel->links.floor_bprm_check,
		skel->links.floor_file_permission, skel->links.floor_mmap_file,
		skel->links.floor_file_mprotect,   skel->links.floor_d_instantiate,
	};

	if (mkdir(PIN_DIR, 0700))
		return failed(errno == EEXIST ? "attach twice," : "make", PIN_DIR, errno);
	for (size_t i = 0; i < PIN_COUNT; i++) {
		int error = bpf_link__pin(links[i], pins[i]);

		if (error) {
			(void)failed("pin", pins[i], -error);
			(void)detach();
			return 1;
		}
	}
	return 0;
}

static int attach(void)
{
	struct floor_bpf *skel;
	int result;

	errno = 0;
	skel = floor_bpf__open_and_load();
	if (!skel)
		return failed("load", "the empty programs", errno);
	result = -floor_bpf__attach(skel);
	if (result)
		result = failed("attach", "the empty programs", result);
	else
		result = pin(skel);
	floor_bpf__destroy(skel);
	return result;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "attach"))
		return attach();
	if (argc == 2 && !strcmp(argv[1], "detach"))
		return detach();
	fprintf(stderr, "floor: %s; %s\n", argc < 2 ? "nothing to do" : "unknown words", USAGE);
	return 2;
}
