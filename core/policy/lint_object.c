/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations that lint makes up from a rule.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/glob.h"
#include "policy/linter.h"

static void add(struct pcl_lint_objects *objects, struct pcl_operation operation)
{
	if (objects->count < PCL_LINT_OBJECTS_MAX)
		objects->operations[objects->count++] = operation;
}

static void add_path(struct pcl_lint_objects *objects, const struct pcl_rule *rule,
		     const char *path)
{
	add(objects, (struct pcl_operation){
			     .access = rule->class == PCL_CLASS_PROCESS ? PCL_ACCESS_EXECUTE
									: PCL_ACCESS_READ,
			     .object = path,
			     .name = rule->syscall_count ? rule->syscalls[0] : NULL,
		     });
}

/* An operation on what stands in front followed by what stands behind. */
static int add_made_path(struct pcl_lint_objects *objects, const struct pcl_rule *rule,
			 const char *front, const char *behind)
{
	char **path = &objects->owned[objects->count];

	if (asprintf(path, "%s%s", front, behind) < 0) {
		*path = NULL;
		return -ENOMEM;
	}
	add_path(objects, rule, *path);
	return 0;
}

static int add_directory(struct pcl_lint_objects *objects, const struct pcl_rule *rule)
{
	bool root = !strcmp(rule->object, "/");
	int error = add_made_path(objects, rule, rule->object, root ? "x" : "/x");

	if (!error && rule->match == PCL_MATCH_DIR_RECURSIVE)
		error = add_made_path(objects, rule, rule->object, root ? "x/y" : "/x/y");
	if (!error)
		add_path(objects, rule, rule->object);
	return error;
}

/* Matches of a pattern, where they are paths: near ones, and a deeper one where there is. */
static int add_pattern(struct pcl_lint_objects *objects, const struct pcl_rule *rule)
{
	static const unsigned variants[PCL_ARRAY_SIZE(objects->owned)] = {0, 1, 3};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(variants); i++) {
		char *text;

		if (pcl_glob_example(rule->glob, variants[i], &objects->owned[i]))
			return -ENOMEM;
		text = objects->owned[i];
		if (text[0] == '/' && text[1] && strlen(text) < PCL_LINT_OBJECT_SIZE)
			add_path(objects, rule, text);
	}
	return 0;
}

static const struct {
	enum pcl_protocol protocol;
	struct pcl_socket socket;
} sockets[] = {
	{PCL_PROTOCOL_TCP, {AF_INET, SOCK_STREAM, 0}},
	{PCL_PROTOCOL_TCP, {AF_UNIX, SOCK_STREAM, 0}},
	{PCL_PROTOCOL_UDP, {AF_INET, SOCK_DGRAM, 0}},
	{PCL_PROTOCOL_UDP, {AF_UNIX, SOCK_DGRAM, 0}},
	{PCL_PROTOCOL_ICMP, {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}},
	{PCL_PROTOCOL_ICMP, {AF_INET, SOCK_RAW, IPPROTO_ICMP}},
	{PCL_PROTOCOL_ICMPV6, {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}},
	{PCL_PROTOCOL_SCTP, {AF_INET, SOCK_STREAM, IPPROTO_SCTP}},
	{PCL_PROTOCOL_DCCP, {AF_INET, SOCK_DCCP, 0}},
	{PCL_PROTOCOL_RAW, {AF_INET, SOCK_RAW, IPPROTO_ICMP}},
	{PCL_PROTOCOL_RAW, {AF_NETLINK, SOCK_RAW, 0}},
	{PCL_PROTOCOL_STREAM, {AF_INET, SOCK_STREAM, 0}},
	{PCL_PROTOCOL_DGRAM, {AF_INET, SOCK_DGRAM, 0}},
	{PCL_PROTOCOL_RDM, {AF_TIPC, SOCK_RDM, 0}},
	{PCL_PROTOCOL_SEQPACKET, {AF_UNIX, SOCK_SEQPACKET, 0}},
	{PCL_PROTOCOL_PACKET, {AF_PACKET, SOCK_DGRAM, 0}},
	{PCL_PROTOCOL_PACKET, {AF_PACKET, SOCK_RAW, 0}},
	{PCL_PROTOCOL_ALL, {AF_INET, SOCK_STREAM, 0}},
	{PCL_PROTOCOL_ALL, {AF_INET, SOCK_DGRAM, 0}},
};

static void add_sockets(struct pcl_lint_objects *objects, const struct pcl_rule *rule)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(sockets); i++)
		if (sockets[i].protocol == (enum pcl_protocol)rule->number)
			add(objects, (struct pcl_operation){.access = PCL_ACCESS_SOCKET,
							    .socket = sockets[i].socket});
}

static void add_preset(struct pcl_lint_objects *objects, const struct pcl_rule *rule)
{
	struct pcl_operation operation = {.access = PCL_ACCESS_EXECUTE};

	switch ((enum pcl_preset)rule->number) {
	case PCL_PRESET_FILELESS_EXEC:
		break;
	case PCL_PRESET_ANONYMOUS_MAP_EXEC:
		operation.access = PCL_ACCESS_MAP;
		break;
	case PCL_PRESET_PROTECT_ENV:
	case PCL_PRESET_PROTECT_PROC:
		operation.access = PCL_ACCESS_READ;
		operation.object = "/proc/1/environ";
		break;
	case PCL_PRESET_EXEC:
		operation.entered = true;
		add(objects, operation);
		operation.object = "/usr/bin/ls";
		break;
	}
	add(objects, operation);
}

int pcl_lint_objects(const struct pcl_rule *rule, struct pcl_lint_objects *ret_objects)
{
	int error = 0;

	switch (rule->match) {
	case PCL_MATCH_PATH:
		add_path(ret_objects, rule, rule->object);
		break;
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		error = add_directory(ret_objects, rule);
		break;
	case PCL_MATCH_PATTERN:
		error = add_pattern(ret_objects, rule);
		break;
	case PCL_MATCH_NAME:
		error = add_made_path(ret_objects, rule, "/usr/bin/", rule->object);
		break;
	case PCL_MATCH_PROTOCOL:
		add_sockets(ret_objects, rule);
		break;
	case PCL_MATCH_DOMAIN:
		add(ret_objects,
		    (struct pcl_operation){.access = PCL_ACCESS_RESOLVE, .name = rule->object});
		break;
	case PCL_MATCH_CAPABILITY:
		add(ret_objects, (struct pcl_operation){.access = PCL_ACCESS_CAPABILITY,
							.capability = rule->number});
		break;
	case PCL_MATCH_SYSCALL:
		add(ret_objects, (struct pcl_operation){.access = PCL_ACCESS_SYSCALL,
							.name = rule->syscalls[0]});
		break;
	case PCL_MATCH_DEVICE:
		add(ret_objects,
		    (struct pcl_operation){
			    .access = PCL_ACCESS_DEVICE,
			    .device = {rule->device.class < 0 ? 8 : rule->device.class,
				       rule->device.sub_class < 0 ? 0 : rule->device.sub_class,
				       rule->device.protocol < 0 ? 0 : rule->device.protocol,
				       rule->device.level < 0 ? 1 : rule->device.level},
		    });
		break;
	case PCL_MATCH_PRESET:
		add_preset(ret_objects, rule);
		break;
	case PCL_MATCH_NATIVE:
		break;
	}
	for (size_t i = 0; i < ret_objects->count; i++)
		if (rule->class == PCL_CLASS_SYSCALL)
			ret_objects->operations[i].access = PCL_ACCESS_SYSCALL;
	return error;
}

void pcl_lint_objects_fini(struct pcl_lint_objects *objects)
{
	for (size_t i = 0; i < PCL_ARRAY_SIZE(objects->owned); i++)
		free(objects->owned[i]);
}
