/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories above all places are watched, not the files: a file that is put in the place of
 * another is told of by the directory. What is told is only where to look.
 *
 * KERNEL: inotify tells a directory's watcher of names that are made in it or moved to it, and that
 * attributes of what lies in it change, labels among them. It takes no watch on what may not be
 * read: a directory that rules keep from being read is one that nothing is put into either.
 *
 * KERNEL: that a label changes is told before it does, and who looks at once may see the old one.
 * So it is looked at again a little later.
 */
#include "backend/selinux_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "backend/selinux_between.h"
#include "backend/selinux_coming.h"
#include "backend/selinux_fs.h"
#include "backend/selinux_live.h"
#include "backend/selinux_look.h"
#include "backend/selinux_plan.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "policy/glob.h"

#define WANTED (IN_CREATE | IN_MOVED_TO | IN_ATTRIB)
#define HOW (IN_ONLYDIR | IN_DONT_FOLLOW)
#define BUFFER_SIZE 16384
#define LATER_NS 100000000
#define SECOND_NS 1000000000
/* Where files come all the time, one processor is busy with them for a tenth of it. */
#define QUIET_TIMES 9

static void close_one(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void pcl_selinux_watch_end(struct pcl_selinux_watch *watch)
{
	struct pcl_selinux_watch kept;

	for (size_t i = 0; i < watch->directory_count; i++)
		free(watch->directories[i].path);
	for (size_t i = 0; watch->told && i < watch->applied->place_count; i++)
		free(watch->told[i]);
	close_one(watch->fd);
	close_one(watch->names);
	close_one(watch->timer);
	for (size_t i = 0; watch->globs && i < watch->applied->coming_count; i++)
		pcl_glob_free(&watch->globs[i]);
	free(watch->directories);
	free(watch->told);
	free(watch->due);
	free(watch->later);
	free(watch->unwatched);
	free(watch->globs);
	kept = *watch;
	*watch = (struct pcl_selinux_watch)PCL_SELINUX_WATCH_INIT(kept.fn, kept.context);
	watch->pause = kept.pause;
	watch->appeared = kept.appeared;
	watch->seen = kept.seen;
	watch->seen_count = kept.seen_count;
	watch->quiet_until = kept.quiet_until;
}

void pcl_selinux_watch_fini(struct pcl_selinux_watch *watch)
{
	pcl_selinux_watch_end(watch);
	close_one(watch->pause);
	free(watch->appeared);
	pcl_strings_free(&watch->seen, &watch->seen_count);
}

/* --- names -------------------------------------------------------------------------------------
 *
 * Places are in the order of their paths, and directories are put into it; so what lies below one
 * comes in a row.
 */

/* The first that is not before path. */
static size_t find_place(const struct pcl_selinux_record *applied, const char *path)
{
	size_t from = 0, to = applied->place_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(applied->places[middle].path, path) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool is_place(const struct pcl_selinux_record *applied, const char *path)
{
	size_t at = find_place(applied, path);

	return at < applied->place_count && !strcmp(applied->places[at].path, path);
}

/* Or is path itself. */
static bool lies_below(const char *name, const char *path)
{
	size_t len = strlen(path);

	return !strncmp(name, path, len) && (!name[len] || name[len] == '/');
}

static int compare_directories(const void *a, const void *b)
{
	const struct pcl_selinux_watched *left = a, *right = b;

	return strcmp(left->path, right->path);
}

/* Up to the slash; the root's is its name. */
static int add_directory(struct pcl_selinux_watch *watch, const char *path, size_t len)
{
	struct pcl_selinux_watched *added;

	if (pcl_array_grow(&watch->directories, watch->directory_count, sizeof(*added)))
		return -ENOMEM;
	added = &watch->directories[watch->directory_count];
	*added = (struct pcl_selinux_watched){strndup(path, len ? len : 1), -1};
	if (!added->path)
		return -ENOMEM;
	watch->directory_count++;
	return 0;
}

/* Each that path lies in, but those that before lies in, too, which have been added with it. */
static int add_above(struct pcl_selinux_watch *watch, const char *path, const char *before)
{
	for (const char *slash = path; slash[1] && (slash = strchr(slash, '/')); slash++) {
		size_t len = (size_t)(slash - path);

		if (strncmp(before, path, len + 1) != 0 && add_directory(watch, path, len))
			return -ENOMEM;
	}
	return 0;
}

static void drop_twins(struct pcl_selinux_watch *watch)
{
	size_t count = 0;

	for (size_t i = 0; i < watch->directory_count; i++)
		if (count &&
		    !compare_directories(&watch->directories[count - 1], &watch->directories[i]))
			free(watch->directories[i].path);
		else
			watch->directories[count++] = watch->directories[i];
	watch->directory_count = count;
}

static int add_directories(struct pcl_selinux_watch *watch)
{
	const struct pcl_selinux_record *applied = watch->applied;
	const char *before = "";
	int error = 0;

	for (size_t i = 0; !error && i < applied->place_count; i++) {
		error = add_above(watch, applied->places[i].path, before);
		before = applied->places[i].path;
	}
	for (size_t i = 0; !error && i < applied->coming_count; i++)
		if (!applied->comings[i].pattern)
			error = add_above(watch, applied->comings[i].name, "");
	for (size_t i = 0; !error && i < applied->await_count; i++) {
		error = add_above(watch, applied->awaits[i], "");
		if (!error)
			error = add_directory(watch, applied->awaits[i],
					      strlen(applied->awaits[i]));
	}
	if (!watch->directory_count)
		return error;
	qsort(watch->directories, watch->directory_count, sizeof(*watch->directories),
	      compare_directories);
	drop_twins(watch);
	return error;
}

/* --- watching ----------------------------------------------------------------------------------
 */

/* Of all that are not, one is told. */
static void note_unwatched(struct pcl_selinux_watch *watch, const char *path)
{
	if (!watch->unwatched)
		watch->unwatched = strdup(path);
}

/* One that is there already keeps its number. */
static void watch_directory(struct pcl_selinux_watch *watch, struct pcl_selinux_watched *directory)
{
	directory->number = inotify_add_watch(watch->names, directory->path, WANTED | HOW);
	if (directory->number >= 0 || errno == ENOENT || errno == ENOTDIR)
		return;
	if (errno != EACCES || !is_place(watch->applied, directory->path))
		note_unwatched(watch, directory->path);
}

static void watch_all(struct pcl_selinux_watch *watch)
{
	for (size_t i = 0; i < watch->directory_count; i++)
		watch_directory(watch, &watch->directories[i]);
}

static void watch_below(struct pcl_selinux_watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->directory_count; i++)
		if (lies_below(watch->directories[i].path, path))
			watch_directory(watch, &watch->directories[i]);
}

/* --- looking -----------------------------------------------------------------------------------
 */

static bool is_other(const struct pcl_selinux_place *place, const char *context)
{
	size_t len = 0;
	const char *type = pcl_selinux_type_in(context, &len);

	return type && (strlen(place->type) != len || strncmp(type, place->type, len) != 0);
}

bool pcl_selinux_has_escaped(const struct pcl_selinux_place *place)
{
	pcl_autofree char *context = pcl_selinux_label_get(place->path);

	return context && is_other(place, context);
}

/* The clone of what type stands for with the place's letters. Owned; NULL: there is none. */
static char *find_clone(const struct pcl_selinux_record *applied,
			const struct pcl_selinux_place *place, const char *type)
{
	size_t len = (size_t)(pcl_selinux_base(place->type) - place->type);
	char *name = NULL;

	if (asprintf(&name, "%.*s%s", (int)len, place->type, pcl_selinux_base(type)) < 0)
		return NULL;
	if (pcl_selinux_has_clone(&applied->changes, name))
		return name;
	free(name);
	return NULL;
}

static bool is_empty(const char *path)
{
	pcl_autoclosedir DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	while (dir && count < 3 && (entry = readdir(dir)))
		count++;
	return dir && count < 3;
}

/*
 * Where it is a thing of the same kind: letters mean something else of a directory, and what a link
 * leads to may be anything. Of a directory that holds something only an apply knows what that is.
 */
static bool can_stand_in(const struct pcl_selinux_place *place, const struct stat *status)
{
	return S_ISDIR(status->st_mode) == place->directory &&
	       S_ISLNK(status->st_mode) == place->link &&
	       (!place->directory || is_empty(place->path));
}

/* Owned: the type that it has got; NULL: it gets none. */
static char *give_label(const struct pcl_selinux_record *applied,
			const struct pcl_selinux_place *place, const struct stat *status,
			const char *context, const char *type)
{
	pcl_autofree char *clone =
		can_stand_in(place, status) ? find_clone(applied, place, type) : NULL;
	pcl_autofree char *label = clone ? pcl_selinux_with_type(context, clone) : NULL;

	return label && !pcl_selinux_label_set(place->path, label) ? pcl_take_ptr(clone) : NULL;
}

/* What was found, told when the lock is given back. */
struct findings {
	struct finding {
		enum pcl_selinux_found found;
		const char *path; /* the place's */
	} * items;
	size_t count;
	bool changed; /* places are not as they were written down */
};

static void findings_fini(struct findings *findings)
{
	free(findings->items);
}

static int add_finding(struct findings *findings, enum pcl_selinux_found found, const char *path)
{
	if (pcl_array_grow(&findings->items, findings->count, sizeof(*findings->items)))
		return -ENOMEM;
	findings->items[findings->count++] = (struct finding){found, path};
	return 0;
}

/* Events know a file by its number. */
static void note_file(struct pcl_selinux_place *place, const struct stat *status,
		      struct findings *findings)
{
	findings->changed |= place->inode != status->st_ino;
	place->inode = status->st_ino;
}

/* *told: the type that it was told of with. */
static int look_at_other(const struct pcl_selinux_record *applied, struct pcl_selinux_place *place,
			 const struct stat *status, const char *context, char **told,
			 struct findings *findings)
{
	size_t len = 0;
	const char *found = pcl_selinux_type_in(context, &len);
	pcl_autofree char *type = found ? strndup(found, len) : NULL;
	char *given;

	if (!type)
		return found ? -ENOMEM : 0;
	given = give_label(applied, place, status, context, type);
	if (given) {
		free(*told);
		*told = NULL;
		free(place->type);
		place->type = given;
		note_file(place, status, findings);
		findings->changed = true;
		return add_finding(findings, PCL_SELINUX_REPLACED, place->path);
	}
	if (*told && !strcmp(*told, type))
		return 0;
	free(*told);
	*told = pcl_take_ptr(type);
	return add_finding(findings, PCL_SELINUX_ESCAPED, place->path);
}

/* What is gone is nobody's to use. */
static int look_at(struct pcl_selinux_watch *watch, size_t at, struct findings *findings)
{
	struct pcl_selinux_place *place = &watch->applied->places[at];
	pcl_autofree char *context = pcl_selinux_label_get(place->path);
	struct stat status;

	if (!context || lstat(place->path, &status))
		return 0;
	if (is_other(place, context))
		return look_at_other(watch->applied, place, &status, context, &watch->told[at],
				     findings);
	note_file(place, &status, findings);
	free(watch->told[at]);
	watch->told[at] = NULL;
	return 0;
}

/* That applied is what holds, and nobody is about to change it. */
static bool holds(const struct pcl_selinux_record *applied)
{
	pcl_selinux_autorecord next = {0};

	return pcl_selinux_record_load(PCL_SELINUX_NEXT, &next, NULL) == -ENOENT &&
	       pcl_selinux_generation_is_loaded(applied->generation);
}

/*
 * Into what is written down as it is now, which may have more types than when it was read. Where it
 * cannot be, labels are right, and who reads events later may not know a file's name.
 */
static void write_down(const struct pcl_selinux_record *applied)
{
	pcl_selinux_autorecord written = {0};

	if (pcl_selinux_record_load(PCL_SELINUX_APPLIED, &written, NULL) ||
	    written.generation != applied->generation ||
	    written.place_count != applied->place_count)
		return;
	for (size_t i = 0; i < written.place_count; i++) {
		char *type = strdup(applied->places[i].type);

		if (!type)
			return;
		free(written.places[i].type);
		written.places[i].type = type;
		written.places[i].inode = applied->places[i].inode;
	}
	(void)pcl_selinux_record_save(PCL_SELINUX_APPLIED, &written, NULL);
}

static int look_at_due(struct pcl_selinux_watch *watch, struct findings *findings)
{
	pcl_autoclose int lock = -1;
	int error = 0;

	pcl_selinux_lock(&lock);
	if (!holds(watch->applied))
		return 0;
	for (size_t i = 0; !error && i < watch->applied->place_count; i++) {
		if (!watch->due[i])
			continue;
		error = look_at(watch, i, findings);
		watch->due[i] = false;
	}
	if (findings->changed)
		write_down(watch->applied);
	return error;
}

static bool is_any_due(const struct pcl_selinux_watch *watch)
{
	for (size_t i = 0; watch->applied && i < watch->applied->place_count; i++)
		if (watch->due[i])
			return true;
	return false;
}

static int tell_unwatched(struct pcl_selinux_watch *watch)
{
	pcl_autofree char *path = pcl_take_ptr(watch->unwatched);

	return path ? watch->fn(PCL_SELINUX_UNWATCHED, path, watch->context) : 0;
}

int pcl_selinux_watch_again(struct pcl_selinux_watch *watch)
{
	struct findings findings pcl_cleanup(findings_fini) = {0};
	int error = tell_unwatched(watch);

	if (!error && is_any_due(watch))
		error = look_at_due(watch, &findings);
	for (size_t i = 0; !error && i < findings.count; i++)
		error = watch->fn(findings.items[i].found, findings.items[i].path, watch->context);
	return error;
}

/* --- names that come ---------------------------------------------------------------------------
 *
 * What a name means depends on the rules, and which types the policy has on the files that were
 * there; so all is applied again. That takes a while, and many times as long nothing more is told.
 */

static int64_t now_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static bool was_seen(const struct pcl_selinux_watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->seen_count; i++)
		if (!strcmp(watch->seen[i], path))
			return true;
	return false;
}

/* One is told for all that come meanwhile. */
static void note_appeared(struct pcl_selinux_watch *watch, const char *path)
{
	int64_t wait = watch->quiet_until - now_ns();
	struct itimerspec soon = {0};
	struct stat status;

	if (lstat(path, &status) || !pcl_selinux_is_looked_at(status.st_dev))
		return;
	if (watch->appeared)
		return;
	watch->appeared = strdup(path);
	wait = wait > LATER_NS ? wait : LATER_NS;
	soon.it_value.tv_sec = wait / SECOND_NS;
	soon.it_value.tv_nsec = wait % SECOND_NS;
	(void)timerfd_settime(watch->pause, 0, &soon, NULL);
}

static int tell_appeared(struct pcl_selinux_watch *watch)
{
	pcl_autofree char *path = NULL;
	uint64_t times;
	int64_t begin = now_ns();
	int error;

	if (read(watch->pause, &times, sizeof(times)) != sizeof(times))
		return 0;
	path = pcl_take_ptr(watch->appeared);
	error = path ? watch->fn(PCL_SELINUX_APPEARED, path, watch->context) : 0;
	watch->quiet_until = now_ns() + QUIET_TIMES * (now_ns() - begin);
	return error;
}

static bool is_awaited(const struct pcl_selinux_watch *watch, size_t at, const char *path,
		       bool directory)
{
	const struct pcl_selinux_coming *coming = &watch->applied->comings[at];
	size_t len;

	if (!coming->pattern)
		return !strcmp(coming->name, path);
	if (watch->globs[at] && pcl_glob_match(watch->globs[at], path))
		return true;
	len = pcl_selinux_await_len(coming->name);
	return directory && pcl_selinux_is_deep(coming->name) &&
	       !strncmp(path, coming->name, len + 1);
}

static bool is_any_awaited(const struct pcl_selinux_watch *watch, const char *path, bool directory)
{
	for (size_t i = 0; i < watch->applied->coming_count; i++)
		if (is_awaited(watch, i, path, directory))
			return true;
	return false;
}

/* path has come; a directory perhaps with all that is in it. */
static void take_coming(struct pcl_selinux_watch *watch, const char *path, bool directory)
{
	const struct pcl_selinux_record *applied = watch->applied;

	if (is_any_awaited(watch, path, directory))
		note_appeared(watch, path);
	for (size_t i = 0; directory && i < applied->coming_count; i++)
		if (!applied->comings[i].pattern && lies_below(applied->comings[i].name, path))
			note_appeared(watch, applied->comings[i].name);
	for (size_t i = 0; directory && i < applied->await_count; i++)
		if (lies_below(applied->awaits[i], path))
			note_appeared(watch, applied->awaits[i]);
}

/* What still has no label after it was seen once will not get one by being applied again. */
struct names {
	char **items;
	size_t count;
};

static void look_for(struct pcl_selinux_watch *watch, const char *path, struct names *names)
{
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) ||
	    is_place(watch->applied, path) || pcl_strings_add(&names->items, &names->count, path))
		return;
	if (!was_seen(watch, path))
		note_appeared(watch, path);
}

/* What has come before it was watched. */
static void look_into(struct pcl_selinux_watch *watch, const char *directory, struct names *names)
{
	pcl_autoclosedir DIR *dir = opendir(directory);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		pcl_autofree char *path = NULL;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&path, "%s/%s", directory[1] ? directory : "", entry->d_name) < 0) {
			path = NULL;
			return;
		}
		if (is_any_awaited(watch, path, false))
			look_for(watch, path, names);
	}
}

static void look_for_comings(struct pcl_selinux_watch *watch)
{
	const struct pcl_selinux_record *applied = watch->applied;
	struct names names = {0};

	for (size_t i = 0; i < applied->coming_count; i++)
		if (!applied->comings[i].pattern)
			look_for(watch, applied->comings[i].name, &names);
	for (size_t i = 0; i < applied->await_count; i++)
		look_into(watch, applied->awaits[i], &names);
	pcl_strings_free(&watch->seen, &watch->seen_count);
	watch->seen = names.items;
	watch->seen_count = names.count;
	if (applied->await_count == PCL_SELINUX_AWAITS_MAX)
		note_unwatched(watch, applied->awaits[PCL_SELINUX_AWAITS_MAX - 1]);
}

static int read_globs(struct pcl_selinux_watch *watch)
{
	const struct pcl_selinux_record *applied = watch->applied;
	const char *reason;
	size_t offset;

	watch->globs = calloc(applied->coming_count + 1, sizeof(struct pcl_glob *));
	if (!watch->globs)
		return -ENOMEM;
	for (size_t i = 0; i < applied->coming_count; i++)
		if (applied->comings[i].pattern &&
		    pcl_glob_new(applied->comings[i].name, &watch->globs[i], &reason, &offset) ==
			    -ENOMEM)
			return -ENOMEM;
	return 0;
}

/* --- what is told ------------------------------------------------------------------------------
 */

static void note_due(struct pcl_selinux_watch *watch, size_t at, uint32_t mask)
{
	const struct itimerspec soon = {.it_value.tv_nsec = LATER_NS};

	watch->due[at] = true;
	watch->later[at] |= (mask & IN_ATTRIB) != 0;
	if (watch->later[at] && !watch->runs)
		watch->runs = !timerfd_settime(watch->timer, 0, &soon, NULL);
}

static void take_timer(struct pcl_selinux_watch *watch)
{
	uint64_t times;

	if (read(watch->timer, &times, sizeof(times)) != sizeof(times))
		return;
	watch->runs = false;
	for (size_t i = 0; i < watch->applied->place_count; i++) {
		watch->due[i] |= watch->later[i];
		watch->later[i] = false;
	}
}

static void take_name(struct pcl_selinux_watch *watch, const char *path, uint32_t mask)
{
	const struct pcl_selinux_record *applied = watch->applied;
	bool below = mask & IN_ISDIR && mask & (IN_CREATE | IN_MOVED_TO);

	/* First, so that nothing is put there between the two. */
	if (below)
		watch_below(watch, path);
	for (size_t i = find_place(applied, path);
	     i < applied->place_count && !strncmp(applied->places[i].path, path, strlen(path)); i++)
		if (below ? lies_below(applied->places[i].path, path)
			  : !strcmp(applied->places[i].path, path))
			note_due(watch, i, mask);
	if (mask & (IN_CREATE | IN_MOVED_TO) && !is_place(applied, path))
		take_coming(watch, path, below);
}

/* One directory may be at several paths. */
static int take_event(struct pcl_selinux_watch *watch, const struct inotify_event *event)
{
	for (size_t i = 0; i < watch->directory_count && event->len; i++) {
		const struct pcl_selinux_watched *directory = &watch->directories[i];
		pcl_autofree char *path = NULL;

		if (directory->number != event->wd)
			continue;
		if (asprintf(&path, "%s/%s", directory->path[1] ? directory->path : "",
			     event->name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		take_name(watch, path, event->mask);
	}
	return 0;
}

static void take_all(struct pcl_selinux_watch *watch)
{
	watch_all(watch);
	for (size_t i = 0; i < watch->applied->place_count; i++)
		watch->due[i] = true;
	look_for_comings(watch);
}

int pcl_selinux_watch_read(struct pcl_selinux_watch *watch)
{
	_Alignas(struct inotify_event) char buffer[BUFFER_SIZE];
	ssize_t len = read(watch->names, buffer, sizeof(buffer));
	int error = 0;

	take_timer(watch);
	for (char *at = buffer; !error && len > 0 && at < buffer + len;) {
		const struct inotify_event *event = (const struct inotify_event *)(void *)at;

		/* More happened than the kernel keeps. */
		if (event->mask & IN_Q_OVERFLOW)
			take_all(watch);
		else
			error = take_event(watch, event);
		at += sizeof(*event) + event->len;
	}
	if (!error)
		error = pcl_selinux_watch_again(watch);
	return error ? error : tell_appeared(watch);
}

static bool wakes(const struct pcl_selinux_watch *watch, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return fd >= 0 && !epoll_ctl(watch->fd, EPOLL_CTL_ADD, fd, &event);
}

/* Where one cannot be had, no directory will be watched, and so it is told. */
static void open_all(struct pcl_selinux_watch *watch)
{
	watch->fd = epoll_create1(EPOLL_CLOEXEC);
	watch->names = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch->pause < 0)
		watch->pause = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (wakes(watch, watch->names) && wakes(watch, watch->timer) && wakes(watch, watch->pause))
		return;
	close_one(watch->names);
	watch->names = -1;
}

int pcl_selinux_watch_begin(struct pcl_selinux_watch *watch, struct pcl_selinux_record *applied)
{
	pcl_selinux_watch_end(watch);
	watch->applied = applied;
	watch->due = calloc(applied->place_count + 1, sizeof(*watch->due));
	watch->told = calloc(applied->place_count + 1, sizeof(*watch->told));
	watch->later = calloc(applied->place_count + 1, sizeof(*watch->later));
	if (!watch->due || !watch->told || !watch->later || add_directories(watch) ||
	    read_globs(watch))
		return -ENOMEM;
	open_all(watch);
	take_all(watch);
	return pcl_selinux_watch_again(watch);
}
