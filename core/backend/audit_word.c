/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KERNEL: what others may have chosen (paths, names of programs) stands in double quotes where all
 * its bytes are printable and none is a quote or a blank, and else as digits in base 16 without
 * quotes; so it cannot be taken for another word.
 */
#include "backend/audit_word.h"

#include <stdlib.h>
#include <string.h>

bool pcl_audit_word_next(const char **text, struct pcl_audit_word *ret_word)
{
	const char *at = *text + strspn(*text, " "), *equals = strpbrk(at, "= ");

	if (!*at || !equals || *equals != '=')
		return false;
	ret_word->key = at;
	ret_word->key_len = (size_t)(equals - at);
	ret_word->quoted = equals[1] == '"';
	ret_word->value = equals + 1 + ret_word->quoted;
	ret_word->value_len = strcspn(ret_word->value, ret_word->quoted ? "\"" : " ");
	at = ret_word->value + ret_word->value_len;
	*text = at + (ret_word->quoted && *at);
	return true;
}

bool pcl_audit_word_is_key(const struct pcl_audit_word *word, const char *key)
{
	return strlen(key) == word->key_len && !memcmp(key, word->key, word->key_len);
}

bool pcl_audit_word_is_value(const struct pcl_audit_word *word, const char *value)
{
	return strlen(value) == word->value_len && !memcmp(value, word->value, word->value_len);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *pcl_audit_word_text(const struct pcl_audit_word *word)
{
	char *text = strndup(word->value, word->value_len);
	size_t len = word->value_len;

	if (!text || word->quoted || !len || len % 2)
		return text;
	for (size_t i = 0; i < len; i++)
		if (digit(text[i]) < 0)
			return text;
	for (size_t i = 0; i < len / 2; i++)
		text[i] = (char)(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
	text[len / 2] = '\0';
	return text;
}
