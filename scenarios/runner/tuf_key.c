/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON, and signatures by libcrypto; see tuf_key.h. */
#include "tuf_key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "digest.h"

#define ED25519_KEY_LEN 32

/* --- canonical JSON -----------------------------------------------------------------------------
 */

static int print_value(FILE *out, const json_t *value);

static int print_string(FILE *out, const char *text, size_t len)
{
	if (memchr(text, '\0', len))
		return -EINVAL;
	(void)fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			(void)fputc('\\', out);
		(void)fputc(text[i], out);
	}
	(void)fputc('"', out);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int print_object(FILE *out, const json_t *object)
{
	size_t count = json_object_size(object), i = 0;
	pcl_autofree const char **keys = calloc(count + 1, sizeof(*keys));
	const char *key;
	json_t *value;
	int error = keys ? 0 : -ENOMEM;

	if (error)
		return error;
	json_object_foreach((json_t *)object, key, value)
		keys[i++] = key;
	qsort(keys, count, sizeof(*keys), compare_keys);
	(void)fputc('{', out);
	for (i = 0; i < count && !error; i++) {
		if (i)
			(void)fputc(',', out);
		error = print_string(out, keys[i], strlen(keys[i]));
		(void)fputc(':', out);
		if (!error)
			error = print_value(out, json_object_get(object, keys[i]));
	}
	(void)fputc('}', out);
	return error;
}

static int print_array(FILE *out, const json_t *array)
{
	const json_t *item;
	size_t i;
	int error = 0;

	(void)fputc('[', out);
	json_array_foreach(array, i, item) {
		if (i)
			(void)fputc(',', out);
		error = print_value(out, item);
		if (error)
			return error;
	}
	(void)fputc(']', out);
	return 0;
}

static int print_value(FILE *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return print_object(out, value);
	case JSON_ARRAY:
		return print_array(out, value);
	case JSON_STRING:
		return print_string(out, json_string_value(value), json_string_length(value));
	case JSON_INTEGER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		fputs(json_is_true(value) ? "true" : "false", out);
		return 0;
	case JSON_NULL:
		fputs("null", out);
		return 0;
	case JSON_REAL:
		break;
	}
	return -EINVAL;
}

int gnt_tuf_canonical(const json_t *value, char **ret_text, size_t *ret_len)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int error;

	if (!out)
		return -ENOMEM;
	error = print_value(out, value);
	if (fclose(out) != 0)
		error = -ENOMEM;
	if (error)
		return error;
	*ret_text = pcl_take_ptr(text);
	*ret_len = len;
	return 0;
}

/* --- keys ---------------------------------------------------------------------------------------
 */

static void pkey_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void context_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_hex(const char *hex, unsigned char **ret_data, size_t *ret_len)
{
	size_t len = strlen(hex);
	pcl_autofree unsigned char *data = malloc(len / 2 + 1);

	if (!data)
		return -ENOMEM;
	if (len % 2)
		return -EINVAL;
	for (size_t i = 0; i < len / 2; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		data[i] = (unsigned char)(high << 4 | low);
	}
	*ret_len = len / 2;
	*ret_data = pcl_take_ptr(data);
	return 0;
}

bool gnt_tuf_key_has_id(const json_t *key, const char *id)
{
	pcl_autofree char *text = NULL;
	char hex[GNT_SHA256_HEX_SIZE];
	size_t len;

	return gnt_tuf_canonical(key, &text, &len) == 0 && gnt_sha256_data(text, len, hex) == 0 &&
	       strcmp(hex, id) == 0;
}

static EVP_PKEY *read_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static EVP_PKEY *read_ed25519(const char *hex)
{
	pcl_autofree unsigned char *raw = NULL;
	size_t len = 0;

	if (read_hex(hex, &raw, &len) != 0 || len != ED25519_KEY_LEN)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, len);
}

/* The key must be of the kind that the scheme is for, whatever the metadata calls it. */
static bool verify(EVP_PKEY *key, int kind, bool pss, const unsigned char *signature,
		   size_t signature_len, const void *data, size_t data_len)
{
	EVP_MD_CTX *context pcl_cleanup(context_free) = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings = NULL;
	const EVP_MD *digest = kind == EVP_PKEY_ED25519 ? NULL : EVP_sha256();

	if (!context || !key || EVP_PKEY_base_id(key) != kind ||
	    EVP_DigestVerifyInit(context, &settings, digest, NULL, key) != 1)
		return false;
	if (pss && (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) <= 0 ||
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_AUTO) <= 0))
		return false;
	return EVP_DigestVerify(context, signature, signature_len, data, data_len) == 1;
}

bool gnt_tuf_key_verifies(const json_t *key, const char *signature_hex, const void *data,
			  size_t data_len)
{
	const char *scheme = json_string_value(json_object_get(key, "scheme"));
	const char *public_key =
		json_string_value(json_object_get(json_object_get(key, "keyval"), "public"));
	EVP_PKEY *pkey pcl_cleanup(pkey_free) = NULL;
	pcl_autofree unsigned char *signature = NULL;
	size_t len = 0;

	if (!scheme || !public_key || read_hex(signature_hex, &signature, &len) != 0)
		return false;
	if (strcmp(scheme, "ed25519") == 0) {
		pkey = read_ed25519(public_key);
		return verify(pkey, EVP_PKEY_ED25519, false, signature, len, data, data_len);
	}
	pkey = read_pem(public_key);
	if (strcmp(scheme, "rsassa-pss-sha256") == 0)
		return verify(pkey, EVP_PKEY_RSA, true, signature, len, data, data_len);
	return strcmp(scheme, "ecdsa-sha2-nistp256") == 0 &&
	       verify(pkey, EVP_PKEY_EC, false, signature, len, data, data_len);
}
