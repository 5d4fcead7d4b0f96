/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explained errors. Out of memory never hides the error code: the text is then missing and
 * pcl_diag_text() falls back to the system's word for the code.
 */
#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A novel in the wrong place stays short. */
#define SUBJECT_LEN_MAX 200

static void forget_place(struct pcl_diag *diag)
{
	free(diag->file);
	free(diag->subject);
	diag->file = NULL;
	diag->subject = NULL;
	diag->line = 0;
	diag->column = 0;
}

void pcl_diag_fini(struct pcl_diag *diag)
{
	forget_place(diag);
	free(diag->text);
	diag->text = NULL;
	diag->error = 0;
}

void pcl_diag_set_place(struct pcl_diag *diag, const char *file, unsigned line, unsigned column,
			const char *subject)
{
	if (!diag)
		return;
	forget_place(diag);
	diag->file = strdup(file);
	diag->subject = subject ? strndup(subject, SUBJECT_LEN_MAX) : NULL;
	if (diag->subject)
		pcl_text_one_line(diag->subject);
	diag->line = line;
	diag->column = column;
}

void pcl_text_one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void replace_text(struct pcl_diag *diag, int error, char *text)
{
	if (text)
		pcl_text_one_line(text);
	free(diag->text);
	diag->text = text;
	diag->error = error;
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		return NULL;
	return text;
}

int pcl_diag_set(struct pcl_diag *diag, int error, const char *format, ...)
{
	va_list args;

	if (!diag)
		return error;
	va_start(args, format);
	replace_text(diag, error, format_text(format, args));
	va_end(args);
	forget_place(diag);
	return error;
}

int pcl_diag_errno(struct pcl_diag *diag, int error, const char *format, ...)
{
	char *text, *whole = NULL;
	va_list args;

	if (!diag)
		return error;
	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	if (asprintf(&whole, "%s: %s", text ? text : "error", strerror(-error)) < 0)
		whole = NULL;
	free(text);
	replace_text(diag, error, whole);
	forget_place(diag);
	return error;
}

int pcl_diag_context(struct pcl_diag *diag, int error, const char *format, ...)
{
	char *text, *whole = NULL;
	va_list args;

	if (!diag)
		return error;
	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	if (!diag->error)
		diag->error = error;
	if (asprintf(&whole, "%s: %s", text ? text : "error", pcl_diag_text(diag)) < 0)
		whole = NULL;
	free(text);
	replace_text(diag, diag->error, whole);
	return diag->error;
}

const char *pcl_diag_text(const struct pcl_diag *diag)
{
	if (!diag)
		return "unexplained error";
	if (diag->text)
		return diag->text;
	return diag->error ? strerror(-diag->error) : "no error";
}
