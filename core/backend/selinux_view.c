/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's view as text.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_plan.h"
#include "base/array.h"
#include "base/cleanup.h"

/* As find -printf %y; other kinds are no files of a file system. */
#define KINDS "fdlcbsp"
#define WORDS_MAX 6

/* KERNEL: security/selinux/include/classmap.h, the classes of sockets. */
static const char *const socket_classes[] = {
	"alg_socket",
	"appletalk_socket",
	"atmpvc_socket",
	"atmsvc_socket",
	"ax25_socket",
	"bluetooth_socket",
	"caif_socket",
	"can_socket",
	"dccp_socket",
	"decnet_socket",
	"icmp_socket",
	"ieee802154_socket",
	"ipx_socket",
	"irda_socket",
	"isdn_socket",
	"iucv_socket",
	"kcm_socket",
	"key_socket",
	"llc_socket",
	"mctp_socket",
	"netlink_audit_socket",
	"netlink_connector_socket",
	"netlink_crypto_socket",
	"netlink_dnrt_socket",
	"netlink_fib_lookup_socket",
	"netlink_generic_socket",
	"netlink_iscsi_socket",
	"netlink_kobject_uevent_socket",
	"netlink_netfilter_socket",
	"netlink_nflog_socket",
	"netlink_rdma_socket",
	"netlink_route_socket",
	"netlink_scsitransport_socket",
	"netlink_selinux_socket",
	"netlink_socket",
	"netlink_tcpdiag_socket",
	"netlink_xfrm_socket",
	"netrom_socket",
	"nfc_socket",
	"packet_socket",
	"phonet_socket",
	"pppox_socket",
	"qipcrtr_socket",
	"rawip_socket",
	"rds_socket",
	"rose_socket",
	"rxrpc_socket",
	"sctp_socket",
	"smc_socket",
	"socket",
	"tcp_socket",
	"tipc_socket",
	"tun_socket",
	"udp_socket",
	"unix_dgram_socket",
	"unix_stream_socket",
	"vsock_socket",
	"x25_socket",
	"xdp_socket",
};

struct reader {
	struct pcl_selinux_view *view;
	const char *name;
	unsigned line;
	struct pcl_diag *diag;
};

static int complain(const struct reader *reader, const char *what)
{
	return pcl_diag_set(reader->diag, -EINVAL, "%s:%u: %s", reader->name, reader->line, what);
}

/* "\040" and its like to the byte; false for a "\" without three octal digits, or NUL. */
static bool unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned byte = 0;

		if (*text != '\\') {
			*to++ = *text;
			continue;
		}
		for (size_t i = 1; i <= 3; i++) {
			if (text[i] < '0' || text[i] > '7')
				return false;
			byte = byte * 8 + (unsigned)(text[i] - '0');
		}
		if (!byte || byte > UINT8_MAX)
			return false;
		*to++ = (char)byte;
		text += 3;
	}
	*to = '\0';
	return true;
}

static bool read_kind(const char *word, struct pcl_selinux_entry *entry)
{
	int end = 0;

	if (!*word || !strchr(KINDS, *word))
		return false;
	entry->kind = *word;
	if (!word[1])
		return true;
	return sscanf(word + 1, "@%" SCNu64 ":%" SCNu64 "%n", &entry->device, &entry->inode,
		      &end) == 2 &&
	       !word[1 + end] && entry->inode;
}

static int read_entry(const struct reader *reader, char *const *words, size_t count)
{
	struct pcl_selinux_view *view = reader->view;
	struct pcl_selinux_entry entry = {0};

	if (count != 3)
		return complain(reader, "a file is PATH KIND CONTEXT; a blank in PATH is \\040");
	if (!unescape(words[0]))
		return complain(reader, "a \"\\\" in PATH must begin three octal digits");
	if (!read_kind(words[1], &entry))
		return complain(reader,
				"KIND must be one of f d l c b s p, as f or f@DEVICE:INODE");
	if (pcl_array_grow(&view->entries, view->entry_count, sizeof(entry)))
		return -ENOMEM;
	entry.path = strdup(words[0]);
	entry.context = strcmp(words[2], "-") ? strdup(words[2]) : NULL;
	view->entries[view->entry_count++] = entry;
	return entry.path && (entry.context || !strcmp(words[2], "-")) ? 0 : -ENOMEM;
}

static int read_making(const struct reader *reader, char *const *words, size_t count)
{
	struct pcl_selinux_view *view = reader->view;
	struct pcl_selinux_making *making;

	if (count != 5)
		return complain(reader, "a making is making SOURCE TARGET CLASS RESULT");
	if (pcl_array_grow(&view->makings, view->making_count, sizeof(*making)))
		return -ENOMEM;
	making = &view->makings[view->making_count++];
	*making = (struct pcl_selinux_making){strdup(words[1]), strdup(words[2]), strdup(words[3]),
					      strdup(words[4])};
	return making->source && making->target && making->class_name && making->result ? 0
											: -ENOMEM;
}

static int read_executor(const struct reader *reader, char *const *words, size_t count)
{
	struct pcl_selinux_view *view = reader->view;
	struct pcl_selinux_execution *executor;

	if (count != 3 && count != 4)
		return complain(reader, "an executor is executor TYPE DOMAIN [RESULT]");
	if (pcl_array_grow(&view->executors, view->executor_count, sizeof(*executor)))
		return -ENOMEM;
	executor = &view->executors[view->executor_count++];
	*executor = (struct pcl_selinux_execution){strdup(words[1]), strdup(words[2]),
						   count == 4 ? strdup(words[3]) : NULL};
	return executor->type && executor->domain && (executor->enters || count == 3) ? 0 : -ENOMEM;
}

static int read_name(const struct reader *reader, char *const *words, size_t count)
{
	struct pcl_selinux_view *view = reader->view;
	bool type = !strcmp(words[0], "type"), domain = !strcmp(words[0], "domain");

	if (!type && !domain && strcmp(words[0], "class") != 0)
		return complain(reader,
				"a line begins with a path, or is type, domain, class NAME, "
				"making SOURCE TARGET CLASS RESULT or executor TYPE DOMAIN "
				"[RESULT]");
	if (count != 2)
		return complain(reader, "one name is wanted");
	if (type)
		return pcl_strings_add(&view->types, &view->type_count, words[1]);
	if (domain)
		return pcl_strings_add(&view->domains, &view->domain_count, words[1]);
	return pcl_strings_add(&view->classes, &view->class_count, words[1]);
}

static int read_line(const struct reader *reader, char *line)
{
	char *words[WORDS_MAX] = {NULL}, *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(line, " \t\r", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, " \t\r", &rest))
		words[count++] = word;
	if (!count || words[0][0] == '#')
		return 0;
	if (words[0][0] == '/')
		return read_entry(reader, words, count);
	if (!strcmp(words[0], "executor"))
		return read_executor(reader, words, count);
	return !strcmp(words[0], "making") ? read_making(reader, words, count)
					   : read_name(reader, words, count);
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct pcl_selinux_entry *)a)->path,
		      ((const struct pcl_selinux_entry *)b)->path);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_names(char **names, size_t count)
{
	if (count)
		qsort((void *)names, count, sizeof(*names), compare_names);
}

static int finish(const struct reader *reader)
{
	struct pcl_selinux_view *view = reader->view;
	bool classes = view->class_count;

	for (size_t i = 0; !classes && i < PCL_ARRAY_SIZE(socket_classes); i++)
		if (pcl_strings_add(&view->classes, &view->class_count, socket_classes[i]))
			return -ENOMEM;
	sort_names(view->types, view->type_count);
	sort_names(view->classes, view->class_count);
	if (view->entry_count)
		qsort(view->entries, view->entry_count, sizeof(*view->entries), compare_entries);
	for (size_t i = 1; i < view->entry_count; i++)
		if (!compare_entries(&view->entries[i - 1], &view->entries[i]))
			return pcl_diag_set(reader->diag, -EINVAL, "%s: %s is there twice",
					    reader->name, view->entries[i].path);
	return 0;
}

int pcl_selinux_view_parse(const char *name, const char *text, struct pcl_selinux_view **ret_view,
			   struct pcl_diag *diag)
{
	pcl_cleanup(pcl_selinux_view_free) struct pcl_selinux_view *view = calloc(1, sizeof(*view));
	pcl_autofree char *copy = strdup(text);
	struct reader reader = {view, name, 0, diag};
	int error = view && copy ? 0 : -ENOMEM;

	for (char *line = copy, *next; line && !error; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		reader.line++;
		error = read_line(&reader, line);
	}
	if (!error)
		error = finish(&reader);
	if (error == -ENOMEM)
		return pcl_diag_set(diag, error, "out of memory");
	if (error)
		return error;
	*ret_view = pcl_take_ptr(view);
	return 0;
}

void pcl_selinux_view_free(struct pcl_selinux_view **view)
{
	struct pcl_selinux_view *old = *view;

	if (!old)
		return;
	for (size_t i = 0; i < old->entry_count; i++) {
		free(old->entries[i].path);
		free(old->entries[i].context);
	}
	for (size_t i = 0; i < old->making_count; i++) {
		free(old->makings[i].source);
		free(old->makings[i].target);
		free(old->makings[i].class_name);
		free(old->makings[i].result);
	}
	for (size_t i = 0; i < old->executor_count; i++) {
		free(old->executors[i].type);
		free(old->executors[i].domain);
		free(old->executors[i].enters);
	}
	free(old->entries);
	free(old->makings);
	free(old->executors);
	pcl_strings_free(&old->types, &old->type_count);
	pcl_strings_free(&old->domains, &old->domain_count);
	pcl_strings_free(&old->classes, &old->class_count);
	free(old);
	*view = NULL;
}
