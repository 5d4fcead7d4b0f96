/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of sockets and capabilities, and what a list of them leaves out.
 */
#include <sys/socket.h>

#include "backend/apparmor_maker.h"
#include "policy/names.h"

#define INET(type) "inet " type, "inet6 " type
/* Families whose raw sockets the word raw means: all but unix and netlink. */
#define RAW_FAMILIES(of)                                                                           \
	of("inet"), of("ax25"), of("ipx"), of("appletalk"), of("netrom"), of("bridge"),            \
		of("atmpvc"), of("x25"), of("inet6"), of("rose"), of("netbeui"), of("security"),   \
		of("key"), of("packet"), of("ash"), of("econet"), of("atmsvc"), of("rds"),         \
		of("sna"), of("irda"), of("pppox"), of("wanpipe"), of("llc"), of("ib"),            \
		of("mpls"), of("can"), of("tipc"), of("bluetooth"), of("iucv"), of("rxrpc"),       \
		of("isdn"), of("phonet"), of("ieee802154"), of("caif"), of("alg"), of("nfc"),      \
		of("vsock"), of("kcm"), of("qipcrtr"), of("smc"), of("xdp")
#define RAW_OF(family) family " raw"
#define FAMILY_OF(family) family

static const char *const socket_families[] = {"unix", "netlink", RAW_FAMILIES(FAMILY_OF), NULL};
static const char *const socket_types[] = {"stream", "dgram",  "seqpacket", "rdm",
					   "raw",    "packet", NULL};

/* What stands behind "network"; for the others there is nothing (apparmor_status.c). */
static const char *const sockets[PCL_PROTOCOL_COUNT][48] = {
	[PCL_PROTOCOL_TCP] = {INET("stream")},
	[PCL_PROTOCOL_UDP] = {INET("dgram")},
	[PCL_PROTOCOL_RAW] = {RAW_FAMILIES(RAW_OF)},
	[PCL_PROTOCOL_STREAM] = {"stream"},
	[PCL_PROTOCOL_DGRAM] = {"dgram"},
	[PCL_PROTOCOL_RDM] = {"rdm"},
	[PCL_PROTOCOL_SEQPACKET] = {"seqpacket"},
	[PCL_PROTOCOL_PACKET] = {"packet"},
	[PCL_PROTOCOL_ALL] = {""},
};

/* What a raw socket carries is not told, so these are refused, and told of, whatever it is. */
static const char *const raw_sockets[PCL_PROTOCOL_COUNT][3] = {
	[PCL_PROTOCOL_TCP] = {INET("raw")},
	[PCL_PROTOCOL_UDP] = {INET("raw")},
};

static void print_sockets(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
			  const char *verb, const char *const *words)
{
	for (; *words; words++) {
		(void)fprintf(maker->out, "\t%snetwork%s%s", verb, **words ? " " : "", *words);
		pcl_apparmor_end_line(maker, rule);
	}
}

static void print_number_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule,
			      const char *verb)
{
	if (rule->class == PCL_CLASS_CAPABILITY) {
		(void)fprintf(maker->out, "\t%scapability %s", verb, rule->object);
		pcl_apparmor_end_line(maker, rule);
		return;
	}
	print_sockets(maker, rule, verb, sockets[rule->number]);
	if (rule->action != PCL_ACTION_ALLOW)
		print_sockets(maker, rule, verb, raw_sockets[rule->number]);
}

bool pcl_apparmor_guards_socket(const struct pcl_rule *rule, const struct pcl_socket *socket)
{
	bool inet = socket->family == AF_INET || socket->family == AF_INET6;

	return rule->action == PCL_ACTION_BLOCK && *raw_sockets[rule->number] && inet &&
	       socket->type == SOCK_RAW;
}

void pcl_apparmor_add_number_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	const struct pcl_apparmor_class *class = &maker->classes[rule->class];
	enum pcl_access access =
		rule->class == PCL_CLASS_NETWORK ? PCL_ACCESS_SOCKET : PCL_ACCESS_CAPABILITY;

	switch (pcl_rule_effect(rule, access, false)) {
	case PCL_EFFECT_BLOCK:
		print_number_rule(maker, rule, "audit deny ");
		break;
	case PCL_EFFECT_ALLOW:
		if (class->grant == PCL_APPARMOR_GRANT_LISTED)
			print_number_rule(maker, rule,
					  pcl_apparmor_is_told(maker, rule) ? "audit " : "");
		break;
	case PCL_EFFECT_AUDIT:
		if (class->grant == PCL_APPARMOR_GRANT_ALL)
			print_number_rule(maker, rule, "audit ");
		break;
	case PCL_EFFECT_NONE:
		break;
	}
}

static bool is_allowed(const struct pcl_apparmor_maker *maker,
		       const struct pcl_operation *operation)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (ruleset->rules[i]->class == pcl_access_class(operation->access) &&
		    ruleset->rules[i]->action == PCL_ACTION_ALLOW &&
		    pcl_rule_matches(ruleset->rules[i], operation) &&
		    pcl_apparmor_is_active(maker, ruleset->rules[i]))
			return true;
	return false;
}

static bool is_socket_allowed(const struct pcl_apparmor_maker *maker, size_t family, size_t type)
{
	const struct pcl_operation operation = {
		.access = PCL_ACCESS_SOCKET,
		.socket = {.family = pcl_family_number(socket_families[family]),
			   .type = pcl_socket_type_number(socket_types[type])},
	};

	return is_allowed(maker, &operation);
}

/* A family is one line where no type of it is allowed. */
static void print_rest_of_sockets(struct pcl_apparmor_maker *maker)
{
	for (size_t f = 0; socket_families[f]; f++) {
		size_t allowed = 0;

		for (size_t t = 0; socket_types[t]; t++)
			allowed += is_socket_allowed(maker, f, t);
		if (!allowed) {
			(void)fprintf(maker->out, "\taudit network %s", socket_families[f]);
			pcl_apparmor_end_line(maker, NULL);
		}
		for (size_t t = 0; allowed && socket_types[t]; t++) {
			if (is_socket_allowed(maker, f, t))
				continue;
			(void)fprintf(maker->out, "\taudit network %s %s", socket_families[f],
				      socket_types[t]);
			pcl_apparmor_end_line(maker, NULL);
		}
	}
}

static void print_rest_of_capabilities(struct pcl_apparmor_maker *maker)
{
	struct pcl_operation operation = {.access = PCL_ACCESS_CAPABILITY};

	for (; pcl_capability_names[operation.capability]; operation.capability++) {
		if (is_allowed(maker, &operation))
			continue;
		(void)fprintf(maker->out, "\taudit capability %s",
			      pcl_capability_names[operation.capability]);
		pcl_apparmor_end_line(maker, NULL);
	}
}

void pcl_apparmor_put_number_rest(struct pcl_apparmor_maker *maker, enum pcl_class class)
{
	if (class == PCL_CLASS_NETWORK)
		print_rest_of_sockets(maker);
	else
		print_rest_of_capabilities(maker);
}
