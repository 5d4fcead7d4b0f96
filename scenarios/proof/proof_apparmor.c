/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile without any rule refuses every file. Its compiled form is written here by hand, so that
 * the proof needs no parser.
 *
 * KERNEL: the binary form is a sequence of tags with values, little-endian; version 5 is taken by
 * every kernel that is a target. A profile without a table of file rules allows no file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proof.h"

#define APPARMOR "/sys/kernel/security/apparmor"
#define PROFILE "gauntlet-proof"
#define FORMAT_VERSION 5

enum tag {
	TAG_U32 = 2,
	TAG_NAME = 4,
	TAG_STRING = 5,
	TAG_STRUCT = 7,
	TAG_STRUCT_END = 8,
};

struct blob {
	uint8_t data[512];
	size_t len;
};

static void put(struct blob *blob, const void *data, size_t len)
{
	memcpy(blob->data + blob->len, data, len);
	blob->len += len;
}

static void put_tag(struct blob *blob, enum tag tag)
{
	uint8_t byte = (uint8_t)tag;

	put(blob, &byte, 1);
}

static void put_text(struct blob *blob, enum tag tag, const char *text)
{
	uint16_t size = (uint16_t)(strlen(text) + 1);

	put_tag(blob, tag);
	put(blob, &size, sizeof(size));
	put(blob, text, size);
}

static void put_u32(struct blob *blob, const char *name, uint32_t value)
{
	if (name)
		put_text(blob, TAG_NAME, name);
	put_tag(blob, TAG_U32);
	put(blob, &value, sizeof(value));
}

static void put_struct(struct blob *blob, const char *name)
{
	put_text(blob, TAG_NAME, name);
	put_tag(blob, TAG_STRUCT);
}

static void make_profile(struct blob *blob)
{
	put_u32(blob, "version", FORMAT_VERSION);
	put_struct(blob, "profile");
	put_text(blob, TAG_STRING, PROFILE);
	put_struct(blob, "flags");
	put_u32(blob, NULL, 0); /* no hat */
	put_u32(blob, NULL, 0); /* enforce */
	put_u32(blob, NULL, 0); /* audit only what is refused */
	put_tag(blob, TAG_STRUCT_END);
	/* Capabilities: allowed, audited, quiet, and what kills. */
	for (int i = 0; i < 4; i++)
		put_u32(blob, NULL, 0);
	put_tag(blob, TAG_STRUCT_END);
}

static int write_to(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	/* KERNEL: a profile is taken only as one write at offset 0. */
	if (write(fd, data, len) < 0)
		error = errno;
	(void)close(fd);
	return error;
}

/* Exit 0: it went through; the errno else. The descriptor is opened before, so only the open
 * counts. */
static int open_confined(const void *argument)
{
	static const char change[] = "changeprofile " PROFILE;
	int error = write_to("/proc/self/attr/current", change, sizeof(change) - 1);

	(void)argument;
	return error ? ENOSYS : proof_open(PROOF_FILE);
}

int proof_apparmor(struct proof *proof)
{
	struct blob blob = {.len = 0};
	int error = proof_open(PROOF_FILE);

	if (error)
		return proof_failed(proof, "refused already without it: %s", strerror(error));
	make_profile(&blob);
	error = write_to(APPARMOR "/.replace", blob.data, blob.len);
	if (error)
		return proof_failed(proof, "cannot load a profile: %s", strerror(error));
	error = proof_in_child(open_confined, NULL);
	if (write_to(APPARMOR "/.remove", PROFILE, sizeof(PROFILE) - 1))
		return proof_failed(proof, "cannot remove the profile again");
	return error == EACCES ? 0
			       : proof_failed(proof, "reading under a profile without rules: %s",
					      error == ENOSYS ? "the profile could not be entered"
					      : error	      ? strerror(error)
							      : "it worked");
}
