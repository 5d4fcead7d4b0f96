/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 by libcrypto, and sha256sum's format; see digest.h. */
#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CHUNK (1u << 16)

static void print_hex(const unsigned char *digest, unsigned len, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < len; i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 15];
	}
	ret_hex[2 * len] = '\0';
}

static int digest_data(const EVP_MD *kind, const void *data, size_t len, char *ret_hex)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (EVP_Digest(data, len, digest, &digest_len, kind, NULL) != 1)
		return -ENOMEM;
	print_hex(digest, digest_len, ret_hex);
	return 0;
}

int gnt_sha256_data(const void *data, size_t len, char ret_hex[GNT_SHA256_HEX_SIZE])
{
	return digest_data(EVP_sha256(), data, len, ret_hex);
}

int gnt_sha512_data(const void *data, size_t len, char ret_hex[GNT_SHA512_HEX_SIZE])
{
	return digest_data(EVP_sha512(), data, len, ret_hex);
}

static void context_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

int gnt_sha256_file(const char *path, char ret_hex[GNT_SHA256_HEX_SIZE], struct pcl_diag *diag)
{
	EVP_MD_CTX *context pcl_cleanup(context_free) = EVP_MD_CTX_new();
	pcl_autofree unsigned char *chunk = malloc(CHUNK);
	unsigned char digest[EVP_MAX_MD_SIZE];
	int fd pcl_autoclose = open(path, O_RDONLY | O_CLOEXEC);
	unsigned digest_len;
	ssize_t got;

	if (fd < 0)
		return pcl_diag_errno(diag, -errno, "%s", path);
	if (!context || !chunk || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return pcl_diag_errno(diag, -ENOMEM, "%s", path);
	while ((got = read(fd, chunk, CHUNK)) > 0)
		(void)EVP_DigestUpdate(context, chunk, (size_t)got);
	if (got < 0)
		return pcl_diag_errno(diag, -errno, "%s", path);
	if (EVP_DigestFinal_ex(context, digest, &digest_len) != 1)
		return pcl_diag_errno(diag, -ENOMEM, "%s", path);
	print_hex(digest, digest_len, ret_hex);
	return 0;
}

/* "HEX  NAME" or "HEX *NAME"; whether NAME, without its folder, is name. */
static bool line_names(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	const char *file = line + GNT_SHA256_HEX_SIZE + 1;

	if (len < GNT_SHA256_HEX_SIZE + 1 + name_len)
		return false;
	if (memcmp(line + len - name_len, name, name_len) != 0)
		return false;
	return line + len - name_len == file || line[len - name_len - 1] == '/';
}

int gnt_sums_find(const char *sums, const char *name, char ret_hex[GNT_SHA256_HEX_SIZE],
		  struct pcl_diag *diag)
{
	char found[GNT_SHA256_HEX_SIZE] = "";

	for (const char *line = sums; *line;) {
		size_t len = strcspn(line, "\r\n");
		char hex[GNT_SHA256_HEX_SIZE];

		if (line_names(line, len, name)) {
			memcpy(hex, line, GNT_SHA256_HEX_SIZE - 1);
			hex[GNT_SHA256_HEX_SIZE - 1] = '\0';
			if (strspn(hex, "0123456789abcdef") != GNT_SHA256_HEX_SIZE - 1 ||
			    line[GNT_SHA256_HEX_SIZE - 1] != ' ')
				return pcl_diag_set(diag, -EINVAL,
						    "the line of %s is none of sha256sum's", name);
			if (*found && strcmp(found, hex) != 0)
				return pcl_diag_set(diag, -EINVAL,
						    "%s is listed twice, with two "
						    "checksums",
						    name);
			memcpy(found, hex, sizeof(found));
		}
		line += len + strspn(line + len, "\r\n");
	}
	if (!*found)
		return pcl_diag_set(diag, -ENOENT, "%s is not listed", name);
	memcpy(ret_hex, found, sizeof(found));
	return 0;
}
