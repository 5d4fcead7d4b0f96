/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checksums, files of checksums, and the OpenPGP signatures on them.
 */
#ifndef GNT_DIGEST_H
#define GNT_DIGEST_H

#include <stddef.h>

#include "base/diag.h"

#define GNT_SHA256_HEX_SIZE 65
#define GNT_SHA512_HEX_SIZE 129

int gnt_sha256_file(const char *path, char ret_hex[GNT_SHA256_HEX_SIZE], struct pcl_diag *diag);
int gnt_sha256_data(const void *data, size_t len, char ret_hex[GNT_SHA256_HEX_SIZE]);
int gnt_sha512_data(const void *data, size_t len, char ret_hex[GNT_SHA512_HEX_SIZE]);

/*
 * The checksum of a file in what sha256sum writes; its folder is not looked at. -ENOENT where it is
 * not listed, -EINVAL where it is listed with two, or the line is none of sha256sum's.
 */
int gnt_sums_find(const char *sums, const char *name, char ret_hex[GNT_SHA256_HEX_SIZE],
		  struct pcl_diag *diag);

/*
 * Whether signature (detached, binary or armoured) on data was made by the key with this
 * fingerprint (40 lower-case digits; also of its primary key), which key (the same forms) must
 * hold. Everything else is -EKEYREJECTED. Works in files of work_dir, and leaves none.
 */
int gnt_signature_check(const char *work_dir, const void *data, size_t data_len,
			const char *signature, size_t signature_len, const char *key,
			size_t key_len, const char *fingerprint, struct pcl_diag *diag);

#endif
