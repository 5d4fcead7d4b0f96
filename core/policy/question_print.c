/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operation in words, as question.c reads them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/names.h"
#include "policy/question.h"

/* An answer must not depend on which numbers: only whether they are the same. */
#define EXAMPLE_UID 1000

static void print_word(FILE *stream, const char *word)
{
	if (*word && !strpbrk(word, " \"")) {
		(void)fputs(word, stream);
		return;
	}
	(void)fputc('"', stream);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			(void)fputc('\\', stream);
		(void)fputc(*word, stream);
	}
	(void)fputc('"', stream);
}

static void print_socket(FILE *stream, const struct pcl_socket *socket)
{
	const char *family = pcl_family_name(socket->family);
	const char *type = pcl_socket_type_name(socket->type);
	const struct pcl_socket *example;
	int protocol = 0;

	while (!pcl_protocol_matches((enum pcl_protocol)protocol, socket))
		protocol++;
	example = pcl_protocol_example((enum pcl_protocol)protocol);
	(void)fprintf(stream, "connect %s", pcl_protocol_name((enum pcl_protocol)protocol));
	if (family && example->family != socket->family)
		(void)fprintf(stream, " family %s", family);
	if (type && example->type != socket->type)
		(void)fprintf(stream, " type %s", type);
}

static void print_device(FILE *stream, const struct pcl_device *device)
{
	const char *name = pcl_device_class_name(device->class);

	if (name)
		(void)fprintf(stream, "device %s", name);
	else
		(void)fprintf(stream, "device %d", device->class);
	if (device->sub_class)
		(void)fprintf(stream, " subclass %d", device->sub_class);
	if (device->protocol)
		(void)fprintf(stream, " protocol %d", device->protocol);
	if (device->level != 1)
		(void)fprintf(stream, " level %d", device->level);
}

/* A capability that is newer than the table has a number only. */
static void print_capability(FILE *stream, unsigned capability)
{
	unsigned known = 0;

	while (known < capability && pcl_capability_names[known])
		known++;
	if (pcl_capability_names[known])
		(void)fprintf(stream, "capability %s", pcl_capability_names[known]);
	else
		(void)fprintf(stream, "capability %u", capability);
}

static void print_start(FILE *stream, const struct pcl_operation *operation)
{
	switch (operation->access) {
	case PCL_ACCESS_EXECUTE:
		(void)fputs("exec ", stream);
		break;
	case PCL_ACCESS_READ:
		(void)fputs("file read ", stream);
		break;
	case PCL_ACCESS_WRITE:
		(void)fputs("file write ", stream);
		break;
	case PCL_ACCESS_MAP:
		(void)fputs("map", stream);
		return;
	case PCL_ACCESS_SOCKET:
		print_socket(stream, &operation->socket);
		return;
	case PCL_ACCESS_RESOLVE:
		(void)fputs("resolve ", stream);
		print_word(stream, operation->name ? operation->name : "");
		return;
	case PCL_ACCESS_CAPABILITY:
		print_capability(stream, operation->capability);
		return;
	case PCL_ACCESS_SYSCALL:
		(void)fprintf(stream, "syscall %s", operation->name ? operation->name : "");
		if (!operation->object)
			return;
		(void)fputc(' ', stream);
		break;
	case PCL_ACCESS_DEVICE:
		print_device(stream, &operation->device);
		return;
	}
	print_word(stream, operation->object ? operation->object : PCL_QUESTION_NO_PATH);
}

static void print_args(FILE *stream, const struct pcl_operation *operation)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *list = operation->arg_count ? open_memstream(&text, &len) : NULL;

	for (size_t i = 0; list && i < operation->arg_count; i++) {
		if (i)
			(void)fputc(',', list);
		for (const char *at = operation->args[i]; *at; at++) {
			if (*at == ',' || *at == '\\')
				(void)fputc('\\', list);
			(void)fputc(*at, list);
		}
	}
	if (!list || fclose(list))
		return;
	(void)fputs(" args ", stream);
	print_word(stream, text);
}

char *pcl_question_print(const struct pcl_operation *operation)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		return NULL;
	print_start(stream, operation);
	if (operation->source) {
		(void)fputs(" by ", stream);
		print_word(stream, operation->source);
	}
	if (operation->owner)
		(void)fprintf(stream, " uid %d owner %d", EXAMPLE_UID, EXAMPLE_UID);
	if (operation->terminal)
		(void)fputs(" terminal", stream);
	if (operation->entered)
		(void)fputs(" entered", stream);
	if (operation->own_process)
		(void)fputs(" own", stream);
	if (operation->object_unknown)
		(void)fputs(" unknown", stream);
	print_args(stream, operation);
	return fclose(stream) ? NULL : pcl_take_ptr(text);
}
