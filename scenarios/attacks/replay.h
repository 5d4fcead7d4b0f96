/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all replay programs share: the answer. One JSON line on standard output, {"ok", "step",
 * "errno", "data"}, and an exit code: 0 the operation went through, 10 the kernel refused it,
 * 2 wrong use, 3 it broke for another reason. The runner believes the exit code and this line
 * only where they agree.
 *
 * These are small static programs; each file is one program.
 */
#ifndef GNT_ATTACK_REPLAY_H
#define GNT_ATTACK_REPLAY_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum replay_exit {
	REPLAY_DONE = 0,
	REPLAY_USAGE = 2,
	REPLAY_BROKEN = 3,
	REPLAY_REFUSED = 10,
};

/* How much of what was read is shown as evidence. */
#define REPLAY_DATA_MAX 4096

static inline void replay_put_string(const char *text, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c == '\n')
			fputs("\\n", stdout);
		else if (c < ' ' || c > '~')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* The operation went through; data is evidence (what was read, what the program said). */
static inline int replay_done(const char *step, const char *data, size_t data_len)
{
	printf("{\"ok\": true, \"step\": \"%s\", \"errno\": 0, \"data\": ", step);
	replay_put_string(data, data_len);
	puts("}");
	return REPLAY_DONE;
}

static inline int replay_failed(const char *step, int error, int code)
{
	printf("{\"ok\": false, \"step\": \"%s\", \"errno\": %d}\n", step, error);
	return code;
}

/* The kernel said no at step. */
static inline int replay_refused(const char *step, int error)
{
	return replay_failed(step, error, REPLAY_REFUSED);
}

/* Something beside the operation went wrong; this is no denial. */
static inline int replay_broken(const char *step, int error)
{
	return replay_failed(step, error, REPLAY_BROKEN);
}

static inline int replay_usage(const char *usage)
{
	(void)fprintf(stderr, "usage: %s\n", usage);
	return REPLAY_USAGE;
}

#endif
