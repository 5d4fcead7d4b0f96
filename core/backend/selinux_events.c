/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record names a type, a class, permissions, and of the file no more than its number and the last
 * part of its name; where it lies was written down as it got its label, or is found in the
 * directories that have one. Which rule it was, the model says. What the node's own policy refuses
 * is no event: only what some constraint of ours is about.
 */
#include "backend/selinux_events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backend/audit_actor.h"
#include "backend/audit_stream.h"
#include "backend/selinux_avc.h"
#include "backend/selinux_plan.h"
#include "backend/selinux_watch.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "policy/names.h"

#define CURSOR_PATH "/run/portcullis/selinux.read"
#define LOAD_PATH "/sys/fs/selinux/load"

/* KERNEL: a record that a policy was loaded begins with the words, or with who loaded it. */
static const char *const marks[] = {"avc: ", "policy loaded", "auid=", NULL};

struct cursor {
	struct pcl_audit_place place; /* of the last record that was read */
	uint64_t sent;
	uint64_t lost;
	uint64_t suppressed; /* as the kernel's log told it last */
	uint64_t loads;	     /* of other policies, that nobody was told of yet */
};

struct reader {
	struct cursor cursor;
	struct pcl_audit_place at; /* since the reading began */
	const struct pcl_selinux_record *applied;
	struct pcl_selinux_record later; /* what was applied since, while it follows */
	struct pcl_selinux_avc last;	 /* what was told, if the record before this one was */
	bool follows;			 /* what is read is of now */
	struct pcl_selinux_watch watch;	 /* while it follows */
	pcl_event_fn fn;		 /* NULL: only the place is wanted */
	void *context;
	struct pcl_diag *diag;
};

static void reader_fini(struct reader *reader)
{
	pcl_selinux_watch_fini(&reader->watch);
	pcl_selinux_record_fini(&reader->later);
	pcl_selinux_avc_fini(&reader->last);
}

/* --- how far was read --------------------------------------------------------------------------
 */

static void load_cursor(struct cursor *cursor)
{
	pcl_autofclose FILE *file = fopen(CURSOR_PATH, "re");

	*cursor = (struct cursor){0};
	if (file &&
	    fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &cursor->place.serial, &cursor->sent, &cursor->lost, &cursor->suppressed,
		   &cursor->loads, &cursor->place.records) != 6)
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
		      cursor->place.serial, cursor->sent, cursor->lost, cursor->suppressed,
		      cursor->loads, cursor->place.records);
	if (fclose(file) == 0)
		(void)rename(CURSOR_PATH ".new", CURSOR_PATH);
}

void pcl_selinux_events_forget(void)
{
	(void)unlink(CURSOR_PATH);
}

void pcl_selinux_events_tally(struct pcl_backend_tally *ret_tally)
{
	struct cursor cursor;

	load_cursor(&cursor);
	*ret_tally = (struct pcl_backend_tally){.sent = cursor.sent, .lost = cursor.lost};
}

void pcl_selinux_events_note_load(void)
{
	struct cursor cursor;

	load_cursor(&cursor);
	cursor.loads++;
	save_cursor(&cursor);
}

/* --- which file --------------------------------------------------------------------------------
 */

static bool is_last_part(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return slash && !strcmp(slash + 1, name);
}

/* What has got such a label since lies in a directory that has it. */
static char *find_in_directories(const struct pcl_selinux_record *applied,
				 const struct pcl_selinux_avc *avc)
{
	for (size_t i = 0; i < applied->place_count; i++) {
		const struct pcl_selinux_place *place = &applied->places[i];
		pcl_autofree char *path = NULL;
		struct stat status;

		if (!place->directory ||
		    asprintf(&path, "%s/%s", strcmp(place->path, "/") ? place->path : "",
			     avc->name) < 0)
			continue;
		if (!lstat(path, &status) && status.st_ino == avc->inode)
			return pcl_take_ptr(path);
	}
	return NULL;
}

/* Owned; NULL where it cannot be known. */
static char *find_path(const struct pcl_selinux_record *applied, const struct pcl_selinux_avc *avc)
{
	if (avc->path && avc->path[0] == '/')
		return strdup(avc->path);
	for (size_t i = 0; i < applied->place_count && avc->inode; i++)
		if (applied->places[i].inode == avc->inode &&
		    (!avc->name || is_last_part(applied->places[i].path, avc->name)))
			return strdup(applied->places[i].path);
	return avc->name && avc->inode ? find_in_directories(applied, avc) : NULL;
}

static bool is_among(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool lies_in_type(const struct pcl_selinux_record *applied, const char *path,
			 const char *type)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	for (size_t i = 0; i < applied->place_count; i++) {
		const struct pcl_selinux_place *place = &applied->places[i];

		if (place->directory && !strcmp(place->type, type) &&
		    !strncmp(place->path, path, len ? len : 1) && !place->path[len ? len : 1])
			return true;
	}
	return false;
}

/* KERNEL: that a directory gets a hard link is told with the name that the file has elsewhere. */
static bool is_new_link(const struct pcl_selinux_record *applied, const struct pcl_selinux_avc *avc,
			const char *path)
{
	return path && avc->inode && !strcmp(avc->class_name, "dir") &&
	       is_among(avc->permissions, avc->permissions_count, "add_name") &&
	       !lies_in_type(applied, path, avc->target);
}

struct places {
	char **paths;
	size_t count;
};

static void places_fini(struct places *places)
{
	pcl_strings_free(&places->paths, &places->count);
}

static int add_place(const struct pcl_selinux_place *place, const char *name, struct places *places)
{
	pcl_autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", strcmp(place->path, "/") ? place->path : "", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return pcl_strings_add(&places->paths, &places->count, path);
}

/* Whether what is made in a directory of the type gets the record's: the directory's, or another.
 */
static bool is_made_in(const struct pcl_selinux_record *applied, const char *type,
		       const struct pcl_selinux_avc *avc)
{
	if (!strcmp(type, avc->target))
		return true;
	for (size_t i = 0; i < applied->changes.enters_count; i++) {
		const struct pcl_selinux_enter *enter = &applied->changes.enters[i];

		if (!strcmp(enter->target, type) && !strcmp(enter->class_name, avc->class_name) &&
		    !strcmp(enter->result, avc->target))
			return true;
	}
	return false;
}

/* Of a file that was there its names; of what is not, where it may be. */
static int find_places(const struct pcl_selinux_record *applied, const struct pcl_selinux_avc *avc,
		       bool there, const char *name, struct places *places)
{
	int error = 0;

	for (size_t i = 0; !error && i < applied->place_count; i++) {
		const struct pcl_selinux_place *place = &applied->places[i];

		if (there && place->inode == avc->inode && !strcmp(place->type, avc->target))
			error = pcl_strings_add(&places->paths, &places->count, place->path);
		else if (!there && place->directory && name &&
			 is_made_in(applied, place->type, avc))
			error = add_place(place, name, places);
	}
	return error;
}

/* --- what it stands for ------------------------------------------------------------------------
 */

static bool share(char *const *names, size_t count, char *const *others, size_t other_count)
{
	for (size_t i = 0; i < count; i++)
		if (is_among(others, other_count, names[i]))
			return true;
	return false;
}

static bool is_from(const struct pcl_selinux_refuse *refuse, const struct pcl_selinux_avc *avc)
{
	return !refuse->sources_count ||
	       (avc->source &&
		is_among(refuse->sources, refuse->sources_count, avc->source) != refuse->others);
}

/* Whether a constraint, or a rule that tells, of ours is about it. */
static bool is_ours(const struct pcl_selinux_changes *changes, const struct pcl_selinux_avc *avc)
{
	for (size_t i = 0; i < changes->refuses_count && avc->denied; i++) {
		const struct pcl_selinux_refuse *refuse = &changes->refuses[i];

		if (!strcmp(refuse->class_name, avc->class_name) &&
		    share(refuse->permissions, refuse->permissions_count, avc->permissions,
			  avc->permissions_count) &&
		    (!refuse->targets_count ||
		     is_among(refuse->targets, refuse->targets_count, avc->target)) &&
		    is_from(refuse, avc))
			return true;
	}
	for (size_t i = 0; i < changes->audits_count && !avc->denied; i++) {
		const struct pcl_selinux_audit *audit = &changes->audits[i];

		if (!strcmp(audit->class_name, avc->class_name) &&
		    !strcmp(audit->target, avc->target) &&
		    share(audit->permissions, audit->permissions_count, avc->permissions,
			  avc->permissions_count))
			return true;
	}
	return false;
}

static bool asks(const struct pcl_selinux_avc *avc, const char *const *permissions)
{
	for (; *permissions; permissions++)
		if (is_among(avc->permissions, avc->permissions_count, *permissions))
			return true;
	return false;
}

static void add_operation(struct pcl_event *event, enum pcl_access access,
			  struct pcl_operation operation)
{
	operation.access = access;
	event->operations[event->operation_count++] = operation;
}

/* The likeliest first: what asks for several things is refused for any of them. */
static void add_file(const struct pcl_selinux_avc *avc, const char *path, struct pcl_event *event)
{
	static const char *const runs[] = {"execute", "execute_no_trans", "entrypoint", NULL};
	static const char *const changes[] = {"write",	  "append", "create",	   "unlink",
					      "rename",	  "link",   "setattr",	   "relabelfrom",
					      "add_name", "rmdir",  "remove_name", NULL};
	struct pcl_operation operation = {.object = path, .source = event->source};
	bool executes = asks(avc, runs), writes = asks(avc, changes);

	if (executes)
		add_operation(event, PCL_ACCESS_EXECUTE, operation);
	if (writes)
		add_operation(event, PCL_ACCESS_WRITE, operation);
	if (!writes)
		add_operation(event, PCL_ACCESS_READ, operation);
	/* Moving a program away is refused for the sake of the rule that it may not run. */
	if (!executes)
		add_operation(event, PCL_ACCESS_EXECUTE, operation);
}

static const struct {
	const char *class_name;
	struct pcl_socket socket;
	const char *text;
} sockets[] = {
#define INET 2
#define PACKET 17
	{"tcp_socket", {INET, 1, 6}, "domain=AF_INET type=SOCK_STREAM protocol=TCP"},
	{"udp_socket", {INET, 2, 17}, "domain=AF_INET type=SOCK_DGRAM protocol=UDP"},
	{"sctp_socket", {INET, 5, 132}, "domain=AF_INET type=SOCK_SEQPACKET protocol=SCTP"},
	{"dccp_socket", {INET, 6, 33}, "domain=AF_INET type=SOCK_DCCP protocol=DCCP"},
	{"packet_socket", {PACKET, 3, 0}, "domain=AF_PACKET type=SOCK_RAW"},
	{"rawip_socket", {INET, 3, 255}, "domain=AF_INET type=SOCK_RAW"},
};

/* KERNEL: the classes of capabilities from the 32nd on have names of their own, and count on. */
static bool add_capability(const struct pcl_selinux_avc *avc, struct pcl_event *event)
{
	struct pcl_operation operation = {.source = event->source};

	if (avc->capability < 0)
		return false;
	operation.capability = (unsigned)avc->capability;
	event->object = avc->permissions_count ? avc->permissions[0] : "";
	add_operation(event, PCL_ACCESS_CAPABILITY, operation);
	return true;
}

static bool add_socket(const struct pcl_selinux_avc *avc, struct pcl_event *event)
{
	static const char suffix[] = "socket";
	struct pcl_operation operation = {.source = event->source};
	size_t len = strlen(avc->class_name);

	if (len < strlen(suffix) || strcmp(avc->class_name + len - strlen(suffix), suffix) != 0)
		return false;
	event->object = avc->class_name;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(sockets); i++)
		if (!strcmp(sockets[i].class_name, avc->class_name)) {
			event->object = sockets[i].text;
			operation.socket = sockets[i].socket;
		}
	add_operation(event, PCL_ACCESS_SOCKET, operation);
	return true;
}

/* KubeArmor names the kernel's hooks; a record names what was asked for. */
static const char *hook_of(const struct pcl_selinux_avc *avc)
{
	static const struct {
		const char *permission, *hook;
	} hooks[] = {
		{"execute", "BPRM_CHECK_SECURITY"},
		{"execute_no_trans", "BPRM_CHECK_SECURITY"},
		{"entrypoint", "BPRM_CHECK_SECURITY"},
		{"create", "INODE_CREATE"},
		{"unlink", "INODE_UNLINK"},
		{"rename", "INODE_RENAME"},
		{"link", "INODE_LINK"},
		{"rmdir", "INODE_RMDIR"},
		{"setattr", "INODE_SETATTR"},
		{"relabelfrom", "INODE_SETXATTR"},
		{"add_name", "INODE_RENAME"},
		{"read", "FILE_OPEN"},
		{"write", "FILE_OPEN"},
		{"append", "FILE_OPEN"},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(hooks); i++)
		if (is_among(avc->permissions, avc->permissions_count, hooks[i].permission))
			return hooks[i].hook;
	return "SELINUX";
}

static const char *socket_hook(const struct pcl_selinux_avc *avc)
{
	static const struct {
		const char *permission, *hook;
	} hooks[] = {
		{"create", "SOCKET_CREATE"},   {"bind", "SOCKET_BIND"},
		{"connect", "SOCKET_CONNECT"}, {"listen", "SOCKET_LISTEN"},
		{"accept", "SOCKET_ACCEPT"},   {"write", "SOCKET_SENDMSG"},
		{"read", "SOCKET_RECVMSG"},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(hooks); i++)
		if (is_among(avc->permissions, avc->permissions_count, hooks[i].permission))
			return hooks[i].hook;
	return "SELINUX";
}

/* What its domain says that it runs, which is what decided; NULL: none of the rules' sources. */
static const char *find_source(const struct pcl_selinux_record *applied,
			       const struct pcl_selinux_avc *avc)
{
	const size_t prefix = strlen(PCL_SELINUX_PREFIX);

	if (!avc->source || strncmp(avc->source, PCL_SELINUX_PREFIX, prefix) != 0)
		return NULL;
	for (size_t i = 0; i < applied->mark_count; i++) {
		size_t len = strlen(applied->marks[i].name);

		if (!strncmp(avc->source + prefix, applied->marks[i].name, len) &&
		    avc->source[prefix + len] == '_')
			return applied->marks[i].path;
	}
	return NULL;
}

/* --- one record --------------------------------------------------------------------------------
 */

static int hand_over(struct reader *reader, const struct pcl_event *event)
{
	reader->cursor.sent++;
	return reader->fn(event, reader->context);
}

/* path: NULL where none is known for certain. */
static int add_object(const struct pcl_selinux_record *applied, const struct pcl_selinux_avc *avc,
		      const char *path, struct places *places, struct pcl_event *event)
{
	const char *name = avc->name;

	if (is_new_link(applied, avc, path)) {
		path = NULL;
		name = PCL_SELINUX_MADE_NAME;
	} else if (avc->inode && find_places(applied, avc, true, NULL, places)) {
		return -ENOMEM;
	}
	if (!path && places->count)
		path = places->paths[0];
	if (!path && find_places(applied, avc, false, name, places))
		return -ENOMEM;
	/* What is being made where one directory has the type is made in that one. */
	if (!path && places->count == 1 && !avc->inode)
		path = places->paths[0];
	if (!path)
		event->flags |= PCL_EVENT_NO_NAME | (places->count ? 0 : PCL_EVENT_NO_RULE);
	event->object = path ? path : avc->name ? avc->name : "";
	event->objects = (const char *const *)places->paths;
	event->object_count = places->count;
	if (path || places->count)
		add_file(avc, path ? path : places->paths[0], event);
	return 0;
}

static int tell(struct reader *reader, const struct pcl_selinux_avc *avc)
{
	struct places places pcl_cleanup(places_fini) = {0};
	pcl_autofree char *path = NULL;
	struct pcl_audit_actor actor;
	struct pcl_event event;
	const char *source;

	pcl_audit_actor_find(avc->pid, avc->comm, &actor);
	source = find_source(reader->applied, avc);
	event = (struct pcl_event){
		.time_ns = avc->time_ns,
		.generation = reader->applied->generation,
		.flags = avc->denied ? PCL_EVENT_REFUSAL : 0,
		.hook = hook_of(avc),
		.pid = avc->pid,
		.ppid = actor.ppid,
		.uid = actor.uid,
		.pid_in_domain = actor.pid_in_domain,
		.comm = avc->comm ? avc->comm : "",
		.source = source ? source : actor.exe,
		.cwd = actor.cwd,
	};
	if (add_capability(avc, &event)) {
		event.hook = "CAPABLE";
	} else if (add_socket(avc, &event)) {
		event.hook = socket_hook(avc);
	} else {
		path = find_path(reader->applied, avc);
		if (add_object(reader->applied, avc, path, &places, &event))
			return -ENOMEM;
	}
	event.access = event.operation_count ? event.operations[0].access : PCL_ACCESS_READ;
	return hand_over(reader, &event);
}

/* What no record is of. */
static int tell_found(struct reader *reader, const char *hook, const char *object, unsigned flags)
{
	struct timespec now = {0};
	struct pcl_event event = {
		.generation = reader->applied->generation,
		.flags = PCL_EVENT_NO_RULE | flags,
		.access = PCL_ACCESS_WRITE,
		.hook = hook,
		.comm = "",
		.object = object,
		.source = "",
		.cwd = "",
	};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	event.time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return hand_over(reader, &event);
}

static int tell_place(enum pcl_selinux_found found, const char *path, void *context)
{
	static const char *const hooks[] = {
		[PCL_SELINUX_REPLACED] = "FILE_REPLACED",
		[PCL_SELINUX_ESCAPED] = "FILE_ESCAPED",
		[PCL_SELINUX_APPEARED] = "FILE_APPEARED",
		[PCL_SELINUX_UNWATCHED] = "NOT_WATCHED",
	};

	return tell_found(context, hooks[found], path,
			  found == PCL_SELINUX_APPEARED ? PCL_EVENT_APPLY_AGAIN : 0);
}

/* After a change it is another; after a removal what comes late is still of the last one. */
static int use_applied(struct reader *reader)
{
	struct pcl_selinux_record later = {0};
	int error = pcl_selinux_record_load(PCL_SELINUX_APPLIED, &later, reader->diag);

	if (error)
		return error == -ENOENT ? 0 : error;
	if (reader->watch.applied && later.generation == reader->later.generation) {
		pcl_selinux_record_fini(&later);
		return pcl_selinux_watch_again(&reader->watch);
	}
	pcl_selinux_watch_end(&reader->watch);
	pcl_selinux_record_fini(&reader->later);
	reader->later = later;
	reader->applied = &reader->later;
	return pcl_selinux_watch_begin(&reader->watch, &reader->later);
}

static int take_watched(void *context)
{
	struct reader *reader = context;

	return pcl_selinux_watch_read(&reader->watch);
}

/* Another policy's load is put right at once; where it was ours, another ruleset may hold now. */
static int take_load(struct reader *reader)
{
	struct cursor noted;
	int error = 0;

	if (reader->follows) {
		save_cursor(&reader->cursor);
		error = pcl_selinux_repair(reader->diag);
		if (!error)
			error = use_applied(reader);
		load_cursor(&noted);
		reader->cursor.loads = noted.loads;
	}
	for (; !error && reader->fn && reader->cursor.loads; reader->cursor.loads--)
		error = tell_found(reader, "POLICY_LOADED", LOAD_PATH, 0);
	return error;
}

static bool is_told(const struct reader *reader, const struct pcl_selinux_avc *avc)
{
	return reader->fn && !avc->permissive && is_ours(&reader->applied->changes, avc);
}

/* What was refused once is told once. avc is taken. */
static int take_avc(struct reader *reader, struct pcl_selinux_avc *avc)
{
	bool told = is_told(reader, avc);
	int error =
		told && !(reader->last.target && pcl_selinux_avc_is_same_link(&reader->last, avc))
			? tell(reader, avc)
			: 0;

	pcl_selinux_avc_fini(&reader->last);
	if (told) {
		reader->last = *avc;
		*avc = (struct pcl_selinux_avc){0};
	}
	return error;
}

static int take_line(const char *text, void *context)
{
	struct pcl_selinux_avc avc pcl_cleanup(pcl_selinux_avc_fini) = {0};
	struct reader *reader = context;
	int error = pcl_selinux_avc_parse(text, &avc);

	if (error)
		return error == -ENOMSG ? 0 : error;
	if (!pcl_audit_place_pass(&reader->cursor.place, &reader->at, avc.serial))
		return 0;
	return avc.loaded ? take_load(reader) : take_avc(reader, &avc);
}

/* --- reading -----------------------------------------------------------------------------------
 */

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

int pcl_selinux_events_read(const struct pcl_selinux_record *applied, int timeout_ms,
			    pcl_event_fn fn, void *context, struct pcl_diag *diag)
{
	struct reader reader pcl_cleanup(reader_fini) = {
		.applied = applied,
		.fn = fn,
		.context = context,
		.diag = diag,
		.watch = PCL_SELINUX_WATCH_INIT(tell_place, &reader),
	};
	const struct pcl_audit_beside beside = {&reader.watch.fd, take_watched};
	pcl_autoclose int fd = -1;
	int error;

	load_cursor(&reader.cursor);
	/* First, so that nothing comes between the two. */
	if (timeout_ms && (fd = pcl_audit_stream_listen(diag)) < 0)
		return fd;
	error = read_past(&reader, diag);
	if (!error)
		error = take_load(&reader);
	if (!error)
		save_cursor(&reader.cursor);
	reader.follows = true;
	reader.at = (struct pcl_audit_place){0};
	if (!error && timeout_ms)
		error = use_applied(&reader);
	if (!error && timeout_ms)
		error = pcl_audit_stream_follow(fd, timeout_ms, marks, take_line, &beside, &reader,
						&reader.cursor.lost, diag);
	save_cursor(&reader.cursor);
	return error;
}

void pcl_selinux_events_begin(void)
{
	struct reader reader = {.watch = PCL_SELINUX_WATCH_INIT(NULL, NULL)};

	load_cursor(&reader.cursor);
	(void)read_past(&reader, NULL);
	reader.cursor = (struct cursor){.place = reader.cursor.place,
					.suppressed = reader.cursor.suppressed};
	save_cursor(&reader.cursor);
}
