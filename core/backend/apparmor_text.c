/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two readers must be satisfied: the parser's scanner, which takes escapes out of what is quoted,
 * and then the reader of its globs. So a byte that means something to the first is given by its
 * number, and one that means something to the second has a backslash, which the scanner leaves.
 */
#include "backend/apparmor_text.h"

#include <string.h>

/* Wildcards, and what would begin a variable. */
#define GLOB_LETTERS "*?[]{}^,"

static void put_byte(unsigned char byte, FILE *out)
{
	if (byte == '\\')
		(void)fputs("\\\\\\\\", out);
	else if (byte <= ' ' || byte >= 0x7f || byte == '"')
		(void)fprintf(out, "\\%03o", byte);
	else if (strchr(GLOB_LETTERS, byte))
		(void)fprintf(out, "\\%c", byte);
	else
		(void)fputc(byte, out);
}

void pcl_apparmor_put_path(const char *path, FILE *out)
{
	for (; *path; path++)
		put_byte((unsigned char)*path, out);
}

/* From behind "[" to behind "]". In AppArmor a set may hold the slash, here none that says "not".
 */
static const char *put_set(const char *at, FILE *out)
{
	(void)fputc('[', out);
	if (*at == '^') {
		(void)fputs("^/", out);
		at++;
	}
	for (; *at && *at != ']'; at++) {
		if (*at == '\\' && at[1])
			put_byte((unsigned char)*++at, out);
		else if (*at == '-')
			(void)fputc('-', out);
		else
			put_byte((unsigned char)*at, out);
	}
	(void)fputc(']', out);
	return *at ? at + 1 : at;
}

/*
 * Whether a star is a whole name, from one slash to the next or to the end, so that it stands for
 * one letter at least. KERNEL: the parser knows that only where no brace stands behind it.
 */
static bool is_whole_name(const char *pattern, const char *at, size_t depth)
{
	if (at > pattern && at[-1] != '/')
		return false;
	at += strspn(at, "*");
	return !*at || *at == '/' || (depth && strchr(",}", *at));
}

void pcl_apparmor_put_pattern(const char *pattern, FILE *out)
{
	const char *start = pattern;
	size_t depth = 0;

	while (*pattern) {
		char byte = *pattern++;

		if (byte == '*' && is_whole_name(start, pattern - 1, depth))
			(void)fputc('?', out);
		if (byte == '[') {
			pattern = put_set(pattern, out);
		} else if (byte == '\\') {
			put_byte((unsigned char)*pattern++, out);
		} else if (strchr("*?{}", byte) || (byte == ',' && depth)) {
			depth += byte == '{';
			depth -= byte == '}';
			(void)fputc(byte, out);
		} else {
			put_byte((unsigned char)byte, out);
		}
	}
}

void pcl_apparmor_put_comment(const char *text, FILE *out)
{
	for (; *text; text++)
		(void)fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

bool pcl_apparmor_is_whole(const char *text)
{
	size_t depth = 0;

	for (; *text; text++) {
		if (*text == '\\' && text[1]) {
			text++;
		} else if (*text == '#') {
			text += strcspn(text, "\n");
			if (!*text)
				break;
		} else if (*text == '"') {
			for (text++; *text && *text != '"'; text++)
				text += *text == '\\' && text[1];
			if (!*text)
				return false;
		} else if (*text == '{') {
			depth++;
		} else if (*text == '}' && !depth--) {
			return false;
		}
	}
	return !depth;
}
