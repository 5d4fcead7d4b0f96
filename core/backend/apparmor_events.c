/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profile that marks a generation is loaded in one set with the others, and the stream tells of
 * it: so the records themselves say under which generation the ones behind it were made.
 *
 * How far was read is kept in a file, since the kernel keeps its log for everybody.
 */
#include "backend/apparmor_events.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/apparmor_map.h"
#include "backend/apparmor_record.h"
#include "backend/audit_actor.h"
#include "backend/audit_stream.h"
#include "base/cleanup.h"
#include "policy/names.h"

#define CURSOR_PATH "/run/portcullis/apparmor.read"
#define TEXT_MAX 256

static const char *const marks[] = {"apparmor=", NULL};

struct cursor {
	struct pcl_audit_place place; /* of the last record that was read */
	uint64_t generation;
	uint64_t sent;
	uint64_t lost;
	uint64_t suppressed; /* as the kernel's log told it last */
};

struct reader {
	struct cursor cursor;
	struct pcl_audit_place at; /* since the reading began */
	struct pcl_apparmor_map map;
	pcl_event_fn fn; /* NULL: only the place is wanted */
	void *context;
};

static void reader_fini(struct reader *reader)
{
	pcl_apparmor_map_fini(&reader->map);
}

/* --- how far was read ----------------------------------------------------------------------------
 */

static void load_cursor(struct cursor *cursor)
{
	pcl_autofclose FILE *file = fopen(CURSOR_PATH, "re");

	*cursor = (struct cursor){0};
	if (file &&
	    fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &cursor->place.serial, &cursor->generation, &cursor->sent, &cursor->lost,
		   &cursor->suppressed, &cursor->place.records) != 6)
		*cursor = (struct cursor){0};
}

/* Without it the next reader is told again what this one was told, which is the lesser harm. */
static void save_cursor(const struct cursor *cursor)
{
	FILE *file = fopen(CURSOR_PATH ".new", "we");

	if (!file)
		return;
	(void)fprintf(file,
		      "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		      cursor->place.serial, cursor->generation, cursor->sent, cursor->lost,
		      cursor->suppressed, cursor->place.records);
	if (fclose(file) == 0)
		(void)rename(CURSOR_PATH ".new", CURSOR_PATH);
}

void pcl_apparmor_events_forget(void)
{
	(void)unlink(CURSOR_PATH);
}

void pcl_apparmor_events_tally(struct pcl_backend_tally *ret_tally)
{
	struct cursor cursor;

	load_cursor(&cursor);
	*ret_tally = (struct pcl_backend_tally){.sent = cursor.sent, .lost = cursor.lost};
}

static void use_generation(struct reader *reader, uint64_t generation)
{
	struct pcl_apparmor_map map = {0};

	reader->cursor.generation = generation;
	/* Without it records of it cannot be told from those of others, and are left out. */
	(void)pcl_apparmor_map_load(generation, &map);
	pcl_apparmor_map_fini(&reader->map);
	reader->map = map;
}

/* --- what a record stands for
 * --------------------------------------------------------------------- */

static bool is_word(const char *text, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

/* KubeArmor names the kernel's hooks; a record names the operation. */
static const char *hook_of(const struct pcl_apparmor_record *record)
{
	static const struct {
		const char *operation, *hook;
	} hooks[] = {
		{"exec", "BPRM_CHECK_SECURITY"},
		{"open", "FILE_OPEN"},
		{"file_perm", "FILE_PERMISSION"},
		{"file_receive", "FILE_RECEIVE"},
		{"file_inherit", "FILE_RECEIVE"},
		{"file_mmap", "MMAP_FILE"},
		{"file_mprotect", "FILE_MPROTECT"},
		{"file_lock", "FILE_LOCK"},
		{"getattr", "INODE_GETATTR"},
		{"mkdir", "PATH_MKDIR"},
		{"rmdir", "PATH_RMDIR"},
		{"mknod", "PATH_MKNOD"},
		{"unlink", "PATH_UNLINK"},
		{"truncate", "PATH_TRUNCATE"},
		{"symlink", "PATH_SYMLINK"},
		{"link", "PATH_LINK"},
		{"rename_src", "PATH_RENAME"},
		{"rename_dest", "PATH_RENAME"},
		{"chmod", "PATH_CHMOD"},
		{"chown", "PATH_CHOWN"},
		{"create", "SOCKET_CREATE"},
		{"bind", "SOCKET_BIND"},
		{"connect", "SOCKET_CONNECT"},
		{"listen", "SOCKET_LISTEN"},
		{"accept", "SOCKET_ACCEPT"},
		{"sendmsg", "SOCKET_SENDMSG"},
		{"recvmsg", "SOCKET_RECVMSG"},
		{"capable", "CAPABLE"},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(hooks); i++)
		if (!strcmp(hooks[i].operation, record->operation))
			return hooks[i].hook;
	return "APPARMOR";
}

static void add_operation(struct pcl_event *event, struct pcl_operation operation)
{
	if (event->operation_count < PCL_EVENT_OPERATIONS_MAX)
		event->operations[event->operation_count++] = operation;
}

static void add_socket(const struct pcl_apparmor_record *record, struct pcl_operation operation,
		       struct pcl_event *event)
{
	operation.access = PCL_ACCESS_SOCKET;
	operation.socket.family = pcl_family_number(record->family);
	operation.socket.type = record->type ? pcl_socket_type_number(record->type) : 0;
	operation.socket.protocol = record->protocol;
	add_operation(event, operation);
	/* KERNEL: hooks are not told the protocol, so it was refused as any of its type. */
	if (record->verdict != PCL_APPARMOR_DENIED || !record->protocol)
		return;
	operation.socket.protocol = 0;
	add_operation(event, operation);
}

/*
 * Letters: w, a, c, d, l, k change the object, or its name or its locks; r looks at it; x executes
 * it, and so does m for who maps a program by hand.
 */
static enum pcl_access access_of(const char *mask)
{
	if (mask && strpbrk(mask, "xm"))
		return PCL_ACCESS_EXECUTE;
	return mask && strpbrk(mask, "wacdlk") ? PCL_ACCESS_WRITE : PCL_ACCESS_READ;
}

/* A link asks for all that its target lacks, so what was denied says no more than that. */
static void add_move(const struct pcl_apparmor_record *record, struct pcl_operation operation,
		     struct pcl_event *event)
{
	operation.access = PCL_ACCESS_WRITE;
	operation.object = record->name;
	add_operation(event, operation);
	if (record->target) {
		operation.object = record->target;
		add_operation(event, operation);
	}
	/* A program may be kept from getting a name that no rule knows. */
	if (record->verdict != PCL_APPARMOR_DENIED)
		return;
	operation.access = PCL_ACCESS_EXECUTE;
	add_operation(event, operation);
}

static void add_file(const struct pcl_apparmor_record *record, struct pcl_operation operation,
		     struct pcl_event *event)
{
	static const char *const moves[] = {"link", "rename_src", "rename_dest", NULL};
	const char *mask = record->denied ? record->denied : record->requested;

	if (is_word(record->operation, moves)) {
		add_move(record, operation, event);
		return;
	}
	operation.access = access_of(mask);
	operation.object = record->name;
	add_operation(event, operation);
	if (record->verdict != PCL_APPARMOR_DENIED || !mask || !strchr(mask, 'm'))
		return;
	/* A program that comes from another profile is read anew, to be mapped. */
	operation.access = PCL_ACCESS_READ;
	add_operation(event, operation);
}

static void add_operations(const struct pcl_apparmor_record *record,
			   const struct pcl_apparmor_place *place, struct pcl_event *event)
{
	struct pcl_operation operation = {
		.source = place->source,
		.owner = record->has_owner && record->fsuid == record->ouid,
		.directory = record->directory,
	};

	if (record->capability >= 0) {
		operation.access = PCL_ACCESS_CAPABILITY;
		operation.capability = (unsigned)record->capability;
		add_operation(event, operation);
	} else if (record->family) {
		add_socket(record, operation, event);
	} else {
		add_file(record, operation, event);
	}
}

/* --- what it is called
 * ---------------------------------------------------------------------------- */

/* As the other backend calls them. */
static void print_upper(FILE *out, const char *prefix, const char *name)
{
	(void)fputs(prefix, out);
	for (; *name; name++)
		(void)fputc(toupper((unsigned char)*name), out);
}

static void print_socket(FILE *out, const struct pcl_apparmor_record *record)
{
	static const struct {
		int number;
		const char *name;
	} protocols[] = {
		{IPPROTO_ICMP, "ICMP"}, {IPPROTO_TCP, "TCP"},	    {IPPROTO_UDP, "UDP"},
		{IPPROTO_SCTP, "SCTP"}, {IPPROTO_ICMPV6, "ICMPV6"}, {IPPROTO_RAW, "RAW"},
	};
	const char *name = NULL;

	for (size_t i = 0; i < PCL_ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == record->protocol)
			name = protocols[i].name;
	print_upper(out, "domain=AF_", record->family);
	print_upper(out, " type=SOCK_", record->type ? record->type : "");
	if (name)
		(void)fprintf(out, " protocol=%s", name);
	else
		(void)fprintf(out, " protocol=%d", record->protocol);
}

/* ret_text is used where the object is no path. */
static const char *object_text(const struct pcl_apparmor_record *record, char ret_text[TEXT_MAX])
{
	FILE *out;

	if (record->capability < 0 && !record->family)
		return record->name ? record->name : "";
	out = fmemopen(ret_text, TEXT_MAX, "w");
	*ret_text = '\0';
	if (!out)
		return ret_text;
	if (record->family)
		print_socket(out, record);
	else
		print_upper(out, "CAP_", record->capname ? record->capname : "");
	(void)fclose(out);
	return ret_text;
}

/* --- one record
 * ------------------------------------------------------------------------------------ */

/* A profile that is stacked with others stands among them. */
static const struct pcl_apparmor_place *place_of(struct reader *reader, char *label)
{
	for (char *rest = label, *end; rest; rest = end) {
		const struct pcl_apparmor_place *place;

		end = strstr(rest, "//&");
		if (end) {
			*end = '\0';
			end += 3;
		}
		place = pcl_apparmor_map_find(&reader->map, rest);
		if (place)
			return place;
	}
	return NULL;
}

static int tell(struct reader *reader, const struct pcl_apparmor_record *record)
{
	pcl_autofree char *label = strdup(record->profile);
	const struct pcl_apparmor_place *place = label ? place_of(reader, label) : NULL;
	char text[TEXT_MAX];
	struct pcl_audit_actor actor;
	struct pcl_event event;

	if (!place || !reader->fn)
		return 0;
	pcl_audit_actor_find(record->pid, record->comm, &actor);
	event = (struct pcl_event){
		.time_ns = record->time_ns,
		.generation = reader->cursor.generation,
		.domain = place->domain,
		.flags = record->verdict == PCL_APPARMOR_DENIED ? PCL_EVENT_REFUSAL : 0,
		.hook = hook_of(record),
		.pid = record->pid,
		.ppid = actor.ppid,
		.uid = record->fsuid,
		.pid_in_domain = actor.pid_in_domain,
		.comm = record->comm ? record->comm : "",
		.object = object_text(record, text),
		.source = place->source ? place->source : actor.exe,
		.cwd = actor.cwd,
	};
	add_operations(record, place, &event);
	event.access = event.operations[0].access;
	reader->cursor.sent++;
	return reader->fn(&event, reader->context);
}

static void take_status(struct reader *reader, const struct pcl_apparmor_record *record)
{
	const size_t len = strlen(PCL_APPARMOR_GENERATION);

	if (record->name && !strcmp(record->operation, "profile_load") &&
	    !strncmp(record->name, PCL_APPARMOR_GENERATION, len))
		use_generation(reader, strtoull(record->name + len, NULL, 10));
}

static int take_line(const char *text, void *context)
{
	struct pcl_apparmor_record record pcl_cleanup(pcl_apparmor_record_fini) = {0};
	struct reader *reader = context;
	int error = pcl_apparmor_record_parse(text, &record);

	if (error)
		return error == -ENOMSG ? 0 : error;
	if (!pcl_audit_place_pass(&reader->cursor.place, &reader->at, record.serial))
		return 0;
	/* KERNEL: looking at metadata is always permitted; the model has no such operation. */
	if (!strcmp(record.operation, "getattr"))
		return 0;
	if (record.verdict != PCL_APPARMOR_STATUS)
		return tell(reader, &record);
	take_status(reader, &record);
	return 0;
}

/* --- reading
 * --------------------------------------------------------------------------------------- */

static int read_past(struct reader *reader, struct pcl_diag *diag)
{
	uint64_t suppressed = 0;
	int error = pcl_audit_stream_past(marks, take_line, reader, &suppressed, diag);

	/* The log forgets, so a smaller number is a part of what was counted before. */
	if (suppressed > reader->cursor.suppressed)
		reader->cursor.lost += suppressed - reader->cursor.suppressed;
	reader->cursor.suppressed = suppressed;
	return error;
}

int pcl_apparmor_events_read(uint64_t generation, int timeout_ms, pcl_event_fn fn, void *context,
			     struct pcl_diag *diag)
{
	struct reader reader pcl_cleanup(reader_fini) = {.fn = fn, .context = context};
	pcl_autoclose int fd = -1;
	int error;

	load_cursor(&reader.cursor);
	use_generation(&reader, reader.cursor.generation ? reader.cursor.generation : generation);
	/* First, so that nothing comes between the two. */
	if (timeout_ms && (fd = pcl_audit_stream_listen(diag)) < 0)
		return fd;
	error = read_past(&reader, diag);
	/* The mark's record may be among those that the log left out. */
	if (!error && reader.cursor.generation < generation)
		use_generation(&reader, generation);
	if (!error)
		save_cursor(&reader.cursor);
	reader.at = (struct pcl_audit_place){0};
	if (!error && timeout_ms)
		error = pcl_audit_stream_follow(fd, timeout_ms, marks, take_line, NULL, &reader,
						&reader.cursor.lost, diag);
	save_cursor(&reader.cursor);
	return error;
}

void pcl_apparmor_events_begin(void)
{
	struct reader reader pcl_cleanup(reader_fini) = {0};

	load_cursor(&reader.cursor);
	(void)read_past(&reader, NULL);
	reader.cursor = (struct cursor){.place = reader.cursor.place,
					.suppressed = reader.cursor.suppressed};
	save_cursor(&reader.cursor);
}
