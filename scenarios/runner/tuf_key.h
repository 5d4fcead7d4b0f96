/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures in TUF's metadata: the bytes that are signed (canonical JSON), and keys.
 */
#ifndef GNT_TUF_KEY_H
#define GNT_TUF_KEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Canonical JSON as TUF signs it: keys sorted, no spaces, in strings only '"' and '\' escaped,
 * whole numbers only. ret_text is owned. -EINVAL for a fraction or a NUL inside a string.
 */
int gnt_tuf_canonical(const json_t *value, char **ret_text, size_t *ret_len);

/* Whether id is what the key's own bytes make it; a root could else name one key twice. */
bool gnt_tuf_key_has_id(const json_t *key, const char *id);

/* rsassa-pss-sha256, ed25519, ecdsa-sha2-nistp256; any other scheme verifies nothing. */
bool gnt_tuf_key_verifies(const json_t *key, const char *signature_hex, const void *data,
			  size_t data_len);

#endif
