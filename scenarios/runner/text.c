/* SPDX-License-Identifier: Apache-2.0 */
/* Owned strings; see text.h. */
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static char *format_new(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static char *format_new(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		return NULL;
	return text;
}

char *gnt_text_new(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_new(format, args);
	va_end(args);
	return text;
}

int gnt_text_set(char **text, const char *format, ...)
{
	va_list args;
	char *fresh;

	va_start(args, format);
	fresh = format_new(format, args);
	va_end(args);
	if (!fresh)
		return -ENOMEM;
	free(*text);
	*text = fresh;
	return 0;
}

int gnt_text_add(char **text, const char *format, ...)
{
	pcl_autofree char *part = NULL;
	va_list args;

	va_start(args, format);
	part = format_new(format, args);
	va_end(args);
	if (!part)
		return -ENOMEM;
	if (!*text || !**text)
		return gnt_text_set(text, "%s", part);
	return gnt_text_set(text, "%s; %s", *text, part);
}

char *gnt_text_first_line(const char *text, int max)
{
	size_t len = strcspn(text, "\n");
	char *line = strndup(text, len > (size_t)max ? (size_t)max : len);

	for (char *at = line; at && *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	return line;
}
