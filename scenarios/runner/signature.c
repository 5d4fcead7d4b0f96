/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detached OpenPGP signatures, by gpgv. Its exit status alone says too little: it is content with
 * any key that is in the keyring, and the keyring here comes from the network. So its status lines
 * are read, and the one key counts whose fingerprint stands in the manifest.
 */
#include "digest.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "text.h"
#include "tool.h"

#define ARMOUR "-----BEGIN PGP "
#define FINGERPRINT_LEN 40
/* VALIDSIG FPR DATE TIMESTAMP EXPIRY VERSION RESERVED PUBKEY HASH CLASS PRIMARY */
#define PRIMARY_FIELD 11

/* gpgv takes keyrings in binary only. ret_data is owned. */
static int unarmour(const char *data, size_t len, char **ret_data, size_t *ret_len)
{
	pcl_autofree unsigned char *packed = malloc(len + 4), *plain = malloc(len + 4);
	const char *at = memmem(data, len, "\n\n", 2);
	size_t packed_len = 0, padding = 0;
	int got;

	if (!packed || !plain)
		return -ENOMEM;
	if (!at)
		at = memmem(data, len, "\r\n\r\n", 4);
	/* A line that begins with "=" is the check of the armour, not of the key. */
	for (; at && at < data + len && *at != '-' && !(*at == '=' && at[-1] == '\n'); at++) {
		if (isspace((unsigned char)*at))
			continue;
		padding += *at == '=';
		packed[packed_len++] = (unsigned char)*at;
	}
	if (!packed_len || packed_len % 4 || padding > 2)
		return -EINVAL;
	got = EVP_DecodeBlock(plain, packed, (int)packed_len);
	if (got < 0)
		return -EINVAL;
	*ret_len = (size_t)got - padding;
	*ret_data = (char *)pcl_take_ptr(plain);
	return 0;
}

static int write_file(const char *path, const void *data, size_t len, struct pcl_diag *diag)
{
	FILE *file = fopen(path, "we");
	bool good = file && fwrite(data, 1, len, file) == len;

	if (!file || fclose(file) != 0 || !good)
		return pcl_diag_errno(diag, errno ? -errno : -EIO, "%s", path);
	return 0;
}

/* The word number field (from 0) of a status line, as long as a fingerprint; else NULL. */
static const char *status_field(const char *line, int field)
{
	for (; field > 0; field--) {
		line += strcspn(line, " \n");
		if (*line != ' ')
			return NULL;
		line++;
	}
	return strcspn(line, " \n") == FINGERPRINT_LEN ? line : NULL;
}

/* Reads "[GNUPG:] ..." lines. */
static int judge(const char *status, const char *fingerprint, struct pcl_diag *diag)
{
	const char *bad = strstr(status, "[GNUPG:] BADSIG ");
	const char *missing = strstr(status, "[GNUPG:] NO_PUBKEY ");
	pcl_autofree char *other = NULL;

	if (bad)
		return pcl_diag_set(diag, -EKEYREJECTED,
				    "the signature does not fit: what it signs was changed");
	for (const char *at = status; (at = strstr(at, "[GNUPG:] VALIDSIG ")) != NULL; at++) {
		const char *key = status_field(at, 2), *primary = status_field(at, PRIMARY_FIELD);

		if ((key && strncasecmp(key, fingerprint, FINGERPRINT_LEN) == 0) ||
		    (primary && strncasecmp(primary, fingerprint, FINGERPRINT_LEN) == 0))
			return 0;
		free(other);
		other = strndup(key ? key : "?", FINGERPRINT_LEN);
	}
	if (other)
		return pcl_diag_set(diag, -EKEYREJECTED,
				    "the signature is by the key %s, and not by %s", other,
				    fingerprint);
	if (missing)
		return pcl_diag_set(
			diag, -EKEYREJECTED,
			"the signature is by a key %.16s that is not the one expected, %s",
			missing + strlen("[GNUPG:] NO_PUBKEY "), fingerprint);
	if (strstr(status, "[GNUPG:] EXPKEYSIG ") || strstr(status, "[GNUPG:] REVKEYSIG "))
		return pcl_diag_set(diag, -EKEYREJECTED,
				    "the signature is by a key that has expired or was withdrawn");
	return pcl_diag_set(diag, -EKEYREJECTED, "this is no signature that gpgv can read");
}

struct files {
	char *data, *signature, *key;
};

static void files_fini(struct files *files)
{
	char *const all[] = {files->data, files->signature, files->key};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(all); i++) {
		if (all[i])
			(void)unlink(all[i]);
		free(all[i]);
	}
}

int gnt_signature_check(const char *work_dir, const void *data, size_t data_len,
			const char *signature, size_t signature_len, const char *key,
			size_t key_len, const char *fingerprint, struct pcl_diag *diag)
{
	struct files files pcl_cleanup(files_fini) = {gnt_text_new("%s/signed", work_dir),
						      gnt_text_new("%s/signature", work_dir),
						      gnt_text_new("%s/keyring", work_dir)};
	pcl_autofree char *plain = NULL, *status = NULL;
	size_t plain_len = 0;
	int error = 0;

	if (!files.data || !files.signature || !files.key)
		return pcl_diag_errno(diag, -ENOMEM, "signature");
	if (key_len > strlen(ARMOUR) && memcmp(key, ARMOUR, strlen(ARMOUR)) == 0)
		error = unarmour(key, key_len, &plain, &plain_len);
	if (error)
		return pcl_diag_set(diag, -EKEYREJECTED,
				    "the key is damaged: its armour cannot be "
				    "read");
	if ((error = write_file(files.data, data, data_len, diag)) ||
	    (error = write_file(files.signature, signature, signature_len, diag)) ||
	    (error = write_file(files.key, plain ? plain : key, plain ? plain_len : key_len, diag)))
		return error;
	error = gnt_tool_run((const char *const[]){"gpgv", "--status-fd", "1", "--keyring",
						   files.key, files.signature, files.data, NULL},
			     -1, &status, diag);
	/* Why it was refused is in its status lines; a good exit is not yet enough. */
	if (error && error != -EREMOTEIO)
		return error;
	return judge(status ? status : "", fingerprint, diag);
}
