/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heartbeat: a thread that tells the host in regular frames that this guest still schedules,
 * and what the agent is busy with, so that a long case does not look dead and a dead guest does not
 * look busy. Only where the host asks for it (gauntlet.beat=MS): under deterministic time nothing
 * may run beside what is measured.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "base/cleanup.h"

#define BEAT_MIN_MS 100
#define BEAT_MAX_MS 60000

static int beat_fd = -1;
static long beat_ms;
static atomic_bool muted;
/* When the request under way began, or 0; milliseconds of the monotonic clock. */
static atomic_llong busy_since_ms;

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void send_beat(void)
{
	long long since = busy_since_ms;
	json_t *beat = json_pack("{s:I}", "beat", (json_int_t)(since ? now_ms() - since : 0));

	if (beat)
		(void)agt_channel_send(beat_fd, beat);
	json_decref(beat);
}

__attribute__((noreturn)) static void *beat_main(void *unused)
{
	struct timespec pause = {beat_ms / 1000, beat_ms % 1000 * 1000000};

	(void)unused;
	for (;;) {
		if (!muted)
			send_beat();
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
}

void agt_beat_start(int channel_fd)
{
	char *text pcl_autofree = NULL;
	pthread_t thread;
	int error;

	if (!agt_setup_word("gauntlet.beat", &text))
		return;
	beat_ms = strtol(text, NULL, 10);
	if (beat_ms < BEAT_MIN_MS || beat_ms > BEAT_MAX_MS)
		return;
	beat_fd = channel_fd;
	/* The signals that the agent reads from a descriptor are blocked in every thread. */
	error = pthread_create(&thread, NULL, beat_main, NULL);
	if (error)
		fprintf(stderr, "agent: no heartbeat: %s\n", strerror(error));
}

void agt_beat_busy(bool busy)
{
	busy_since_ms = busy ? now_ms() : 0;
}

void agt_beat_mute(void)
{
	muted = true;
}
