/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KERNEL: the form is a sequence of tags with values, little-endian; every kernel takes version 5.
 * Profiles of several versions may follow one another, each with its own header.
 */
#include "backend/apparmor_blob.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FORMAT_VERSION 5u
#define NAME_SIZE_MAX UINT16_MAX
#define CAPABILITY_SETS 4

enum tag {
	TAG_U32 = 2,
	TAG_NAME = 4,
	TAG_STRING = 5,
	TAG_STRUCT = 7,
	TAG_STRUCT_END = 8,
};

/* As the kernel numbers modes. */
static const uint32_t modes[] = {
	[PCL_APPARMOR_CLOSED] = 0, /* enforce; without a table of rules it allows nothing */
	[PCL_APPARMOR_FREE] = 3,   /* unconfined */
};

int pcl_apparmor_blob_add(struct pcl_apparmor_blob *blob, const void *data, size_t len)
{
	uint8_t *grown = realloc(blob->data, blob->len + len + 1);

	if (!grown)
		return -ENOMEM;
	blob->data = grown;
	memcpy(blob->data + blob->len, data, len);
	blob->len += len;
	return 0;
}

static int add_tag(struct pcl_apparmor_blob *blob, enum tag tag)
{
	uint8_t byte = (uint8_t)tag;

	return pcl_apparmor_blob_add(blob, &byte, 1);
}

static int add_text(struct pcl_apparmor_blob *blob, enum tag tag, const char *text)
{
	size_t size = strlen(text) + 1;
	uint16_t field = htole16((uint16_t)size);

	if (size > NAME_SIZE_MAX)
		return -EINVAL;
	if (add_tag(blob, tag) || pcl_apparmor_blob_add(blob, &field, sizeof(field)))
		return -ENOMEM;
	return pcl_apparmor_blob_add(blob, text, size);
}

static int add_u32(struct pcl_apparmor_blob *blob, uint32_t value)
{
	uint32_t field = htole32(value);

	return add_tag(blob, TAG_U32) ? -ENOMEM
				      : pcl_apparmor_blob_add(blob, &field, sizeof(field));
}

static int add_struct(struct pcl_apparmor_blob *blob, const char *name)
{
	int error = add_text(blob, TAG_NAME, name);

	return error ? error : add_tag(blob, TAG_STRUCT);
}

/* No hat; the mode; audits only what is refused. */
static int add_flags(struct pcl_apparmor_blob *blob, uint32_t mode)
{
	if (add_struct(blob, "flags") || add_u32(blob, 0) || add_u32(blob, mode) ||
	    add_u32(blob, 0))
		return -ENOMEM;
	return add_tag(blob, TAG_STRUCT_END);
}

static int add_profile(struct pcl_apparmor_blob *blob, const char *name, uint32_t mode)
{
	int error;

	if ((error = add_text(blob, TAG_NAME, "version")) ||
	    (error = add_u32(blob, FORMAT_VERSION)) || (error = add_struct(blob, "profile")) ||
	    (error = add_text(blob, TAG_STRING, name)) || (error = add_flags(blob, mode)))
		return error;
	for (int i = 0; i < CAPABILITY_SETS && !error; i++)
		error = add_u32(blob, 0);
	return error ? error : add_tag(blob, TAG_STRUCT_END);
}

int pcl_apparmor_blob_add_profile(struct pcl_apparmor_blob *blob, const char *name,
				  enum pcl_apparmor_kind kind)
{
	size_t len = blob->len;
	int error = add_profile(blob, name, modes[kind]);

	if (error)
		blob->len = len;
	return error;
}
