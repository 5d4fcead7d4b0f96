/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to JSON and back: UTF-8 repair, base64, and the typed members of requests.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Length of the well-formed UTF-8 sequence at data, or 0. NUL counts as ill-formed here. */
static size_t sequence_len(const unsigned char *data, size_t left)
{
	unsigned char lowest = 0x80, highest = 0xbf;
	size_t len;

	if (data[0] >= 0x01 && data[0] <= 0x7f)
		return 1;
	if (data[0] >= 0xc2 && data[0] <= 0xdf)
		len = 2;
	else if ((data[0] & 0xf0) == 0xe0)
		len = 3;
	else if (data[0] >= 0xf0 && data[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (left < len)
		return 0;
	/* Overlong forms, surrogates and what is above U+10FFFF show in the second byte. */
	if (data[0] == 0xe0)
		lowest = 0xa0;
	else if (data[0] == 0xed)
		highest = 0x9f;
	else if (data[0] == 0xf0)
		lowest = 0x90;
	else if (data[0] == 0xf4)
		highest = 0x8f;
	if (data[1] < lowest || data[1] > highest)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

json_t *agt_text_json(const char *data, size_t data_len)
{
	static const char replacement[] = {'\xef', '\xbf', '\xbd'};
	char *out pcl_autofree = malloc(data_len * sizeof(replacement) + 1);
	size_t used = 0, len;

	if (!out)
		return json_string("(out of memory)");
	for (size_t i = 0; i < data_len; i += len ? len : 1) {
		len = sequence_len((const unsigned char *)data + i, data_len - i);
		memcpy(out + used, len ? data + i : replacement, len ? len : sizeof(replacement));
		used += len ? len : sizeof(replacement);
	}
	return json_stringn(out, used);
}

int agt_text_to_base64(const void *data, size_t data_len, char **ret_text)
{
	const unsigned char *in = data;
	char *out pcl_autofree = malloc((data_len + 2) / 3 * 4 + 1);
	size_t used = 0;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < data_len; i += 3) {
		size_t left = data_len - i;
		uint32_t bits = (uint32_t)in[i] << 16;

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		out[used++] = base64_digits[bits >> 18];
		out[used++] = base64_digits[bits >> 12 & 63];
		out[used++] = left > 1 ? base64_digits[bits >> 6 & 63] : '=';
		out[used++] = left > 2 ? base64_digits[bits & 63] : '=';
	}
	out[used] = '\0';
	*ret_text = pcl_take_ptr(out);
	return 0;
}

int agt_text_from_base64(const char *text, void **ret_data, size_t *ret_data_len)
{
	size_t len = strlen(text), used = 0;
	unsigned char *out pcl_autofree = malloc(len / 4 * 3 + 1);
	uint32_t bits = 0;
	int have = 0;

	if (!out)
		return -ENOMEM;
	if (len % 4)
		return -EINVAL;
	while (len && text[len - 1] == '=')
		len--;
	/* A last group of one digit has not even a byte in it. */
	if (len % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		const char *digit = strchr(base64_digits, text[i]);

		if (!digit || !*digit)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(digit - base64_digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[used++] = (unsigned char)(bits >> have);
		}
	}
	*ret_data = pcl_take_ptr(out);
	*ret_data_len = used;
	return 0;
}

int agt_text_member(const json_t *request, const char *key, const char **ret_text,
		    struct pcl_diag *diag)
{
	const char *text = json_string_value(json_object_get(request, key));

	if (!text)
		return pcl_diag_set(diag, -EINVAL, "the request has no string \"%s\"", key);
	*ret_text = text;
	return 0;
}

int agt_text_mode(const json_t *request, mode_t fallback, mode_t *ret_mode, struct pcl_diag *diag)
{
	const json_t *member = json_object_get(request, "mode");
	unsigned long mode = fallback;
	char *end = NULL;

	if (json_is_integer(member)) {
		mode = (unsigned long)json_integer_value(member);
	} else if (json_is_string(member)) {
		mode = strtoul(json_string_value(member), &end, 8);
		if (*end || end == json_string_value(member))
			mode = ~0ul;
	} else if (member && !json_is_null(member)) {
		mode = ~0ul;
	}
	if (mode > 07777)
		return pcl_diag_set(diag, -EINVAL,
				    "\"mode\" must be a number up to 07777 or octal text");
	*ret_mode = (mode_t)mode;
	return 0;
}
