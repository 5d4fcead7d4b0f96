/* SPDX-License-Identifier: Apache-2.0 */
/* A BPF program that refuses the opening of one file, and of no other. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "proof.h"
#include "prove.skel.h"

static int look(struct proof *proof, struct prove_bpf *skel)
{
	struct stat info;
	int error;

	if (stat(PROOF_FILE, &info) < 0)
		return proof_failed(proof, "cannot look at " PROOF_FILE ": %s", strerror(errno));
	skel->bss->guarded_inode = info.st_ino;
	error = -prove_bpf__attach(skel);
	if (error)
		return proof_failed(proof, "cannot attach a program: %s", strerror(error));
	error = proof_open(PROOF_FILE);
	if (error != EPERM)
		return proof_failed(proof, "a program that refuses a file let it be opened (%s)",
				    strerror(error));
	error = proof_open(PROOF_OTHER);
	return error ? proof_failed(proof, "its neighbour was refused too: %s", strerror(error))
		     : 0;
}

int proof_bpf(struct proof *proof)
{
	struct prove_bpf *skel;
	int result, error = proof_open(PROOF_FILE);

	if (error)
		return proof_failed(proof, "refused already without it: %s", strerror(error));
	errno = 0;
	skel = prove_bpf__open_and_load();
	if (!skel)
		return proof_failed(proof, "cannot load a program: %s", strerror(errno));
	result = look(proof, skel);
	prove_bpf__destroy(skel);
	return result;
}
