/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs that an LSM is not only in the list but refuses something: each does one thing that works,
 * and then the same thing so that this LSM alone must refuse it. Nothing is left behind.
 */
#ifndef GNT_PROOF_H
#define GNT_PROOF_H

#include <stddef.h>

/* What a proof works with; made and removed by main(). */
#define PROOF_FILE "/run/gauntlet-proof"
#define PROOF_OTHER "/run/gauntlet-proof.other"

struct proof {
	const char *word; /* what follows the colon of lsm:WORD, or NULL */
	char detail[256]; /* why it is no proof */
};

/* 0: it refused. Else -1, and detail says what happened instead. */
typedef int (*proof_fn)(struct proof *proof);

int proof_bpf(struct proof *proof);
int proof_apparmor(struct proof *proof);
int proof_selinux(struct proof *proof);
int proof_landlock(struct proof *proof);
int proof_lockdown(struct proof *proof);
int proof_yama(struct proof *proof);
int proof_capability(struct proof *proof);

int proof_failed(struct proof *proof, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Runs act in a child and returns what it returns (0 or a positive errno); -1 where that cannot be
 * told. What the child does to itself ends with it.
 */
int proof_in_child(int (*act)(const void *argument), const void *argument);

/* 0, or the positive errno of opening path for reading, or for writing. */
int proof_open(const char *path);
int proof_open_for_writing(const char *path);

#endif
