/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser is a child with a text on its standard input and what it makes on its standard output,
 * so that nothing of it depends on a disk that may be full. It is believed only as far as its
 * output looks like a profile; the kernel looks at the rest.
 */
#include "backend/apparmor_compile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"

#define CACHE_DIR "/run/portcullis/apparmor"
#define CACHE_MODE 0700
/* A thousand rules take a fraction of a second; an emulated machine is fifty times slower. */
#define PARSER_TIMEOUT_MS 120000
/* Of its complaint only the line that says what is wrong is told. */
#define COMPLAINT_MAX 4096
/* Above any profile that the kernel could be asked to take. */
#define OUTPUT_MAX (256u << 20)
#define READ_CHUNK 65536
/* What each compiled profile begins with: the tag of a name, and that name. */
static const char blob_head[] = "\x04\x08\x00version";

static const char *const parsers[] = {"/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", NULL};

/* --- keys --------------------------------------------------------------------------------------
 */

/* FNV-1a: what it names is written by root alone, and a kernel looks at the content. */
#define HASH_START 0xcbf29ce484222325u
#define HASH_FACTOR 0x100000001b3u

uint64_t pcl_apparmor_hash(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * HASH_FACTOR;
	return hash;
}

/* Another parser is another file, so nobody need ask it for its version. */
static uint64_t key_of(const char *features, const struct stat *parser)
{
	char file[128];

	snprintf(file, sizeof(file), "%ju %ju %jd %jd.%ld", (uintmax_t)parser->st_dev,
		 (uintmax_t)parser->st_ino, (intmax_t)parser->st_size,
		 (intmax_t)parser->st_mtim.tv_sec, parser->st_mtim.tv_nsec);
	return pcl_apparmor_hash(pcl_apparmor_hash(HASH_START, features), file);
}

int pcl_apparmor_compiler_init(char *features, struct pcl_apparmor_compiler *ret_compiler,
			       struct pcl_diag *diag)
{
	pcl_autofree char *owned = features;
	const char *parser = NULL;
	struct stat status;

	for (size_t i = 0; parsers[i] && !parser; i++)
		if (stat(parsers[i], &status) == 0 && S_ISREG(status.st_mode) &&
		    access(parsers[i], X_OK) == 0)
			parser = parsers[i];
	if (!parser)
		return pcl_diag_set(
			diag, -EOPNOTSUPP,
			"apparmor: there is no %s to compile profiles with; install the "
			"distribution's package apparmor",
			parsers[0]);
	*ret_compiler = (struct pcl_apparmor_compiler){
		.parser = parser,
		.key = key_of(owned, &status),
	};
	ret_compiler->features = pcl_take_ptr(owned);
	return 0;
}

void pcl_apparmor_compiler_fini(struct pcl_apparmor_compiler *compiler)
{
	free(compiler->features);
	pcl_strings_free(&compiler->used, &compiler->used_count);
	*compiler = (struct pcl_apparmor_compiler){0};
}

/* --- the parser as a child ---------------------------------------------------------------------
 */

struct child {
	pid_t pid; /* 0: none */
	int out, err;
	struct pcl_apparmor_blob said; /* its output */
	char complaint[COMPLAINT_MAX];
	size_t complaint_len;
};

static void child_fini(struct child *child)
{
	if (child->pid > 0) {
		(void)kill(child->pid, SIGKILL);
		(void)waitpid(child->pid, NULL, 0);
	}
	pcl_closep(&child->out);
	pcl_closep(&child->err);
	free(child->said.data);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A file in memory that holds text, at its beginning. */
static int open_text(const char *text)
{
	pcl_autoclose int fd = memfd_create("portcullis", MFD_CLOEXEC);
	size_t left = strlen(text);

	while (fd >= 0 && left) {
		ssize_t put = write(fd, text, left);

		if (put < 0)
			return -errno;
		text += put;
		left -= (size_t)put;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return pcl_take_fd(&fd);
}

/* fds: standard input, output, error, features. They become 0 to 3. */
__attribute__((noreturn)) static void run_parser(const char *parser, char *const *argv, int fds[4])
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *const environment[] = {path, locale, NULL};

	/* Out of the way of the numbers that are given away first. */
	for (int i = 0; i < 4; i++)
		if ((fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10)) < 0)
			_exit(127);
	for (int i = 0; i < 4; i++)
		if (dup2(fds[i], i) < 0)
			_exit(127);
	(void)execve(parser, argv, environment);
	_exit(127);
}

static int start(struct child *child, const char *parser, char *const *argv, const char *input,
		 const char *features)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, error = 0;
	pcl_autoclose int input_fd = open_text(input);
	pcl_autoclose int features_fd = open_text(features);

	if (input_fd < 0 || features_fd < 0)
		return input_fd < 0 ? input_fd : features_fd;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || (child->pid = fork()) < 0)
		error = -errno;
	if (!error && !child->pid)
		run_parser(parser, argv, (int[4]){input_fd, out[1], err[1], features_fd});
	pcl_closep(&out[1]);
	pcl_closep(&err[1]);
	child->out = out[0];
	child->err = err[0];
	return error;
}

/* Returns whether there may be more. */
static bool read_output(struct child *child, int *ret_error)
{
	char buffer[READ_CHUNK];
	ssize_t len = read(child->out, buffer, sizeof(buffer));

	if (len < 0)
		return errno == EINTR;
	if (child->said.len + (size_t)len > OUTPUT_MAX)
		*ret_error = -EFBIG;
	else if (pcl_apparmor_blob_add(&child->said, buffer, (size_t)len))
		*ret_error = -ENOMEM;
	return len > 0 && !*ret_error;
}

static bool read_complaint(struct child *child)
{
	char buffer[READ_CHUNK];
	ssize_t len = read(child->err, buffer, sizeof(buffer));
	size_t space = sizeof(child->complaint) - 1 - child->complaint_len, kept;

	if (len < 0)
		return errno == EINTR;
	kept = (size_t)len < space ? (size_t)len : space;
	memcpy(child->complaint + child->complaint_len, buffer, kept);
	child->complaint_len += kept;
	return len > 0;
}

/* Until both its outputs are at their end. */
static int read_all(struct child *child)
{
	struct pollfd wait[] = {{.fd = child->out, .events = POLLIN},
				{.fd = child->err, .events = POLLIN}};
	int64_t deadline = now_ms() + PARSER_TIMEOUT_MS;
	int error = 0;

	while (!error && (wait[0].fd >= 0 || wait[1].fd >= 0)) {
		int64_t left = deadline - now_ms();

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(wait, 2, (int)left) <= 0)
			continue;
		if (wait[0].revents && !read_output(child, &error))
			wait[0].fd = -1;
		if (wait[1].revents && !read_complaint(child))
			wait[1].fd = -1;
	}
	return error;
}

static int wait_for(struct child *child, int *ret_status)
{
	pid_t pid = child->pid;

	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	child->pid = 0;
	return 0;
}

/* --- what the parser says ------------------------------------------------------------------------
 */

/* The line that names an error, else the last one. */
static const char *complaint_line(char *text)
{
	char *rest = text, *line;
	const char *last = "it said nothing";

	while ((line = strsep(&rest, "\n"))) {
		if (strstr(line, "rror"))
			return line;
		if (*line)
			last = line;
	}
	return last;
}

static int refuse(const struct pcl_apparmor_compiler *compiler, const char *name,
		  struct child *child, int status, struct pcl_diag *diag)
{
	char how[64];

	child->complaint[child->complaint_len] = '\0';
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(how, sizeof(how), "ended with %d", WEXITSTATUS(status));
	else
		snprintf(how, sizeof(how), "made no profile");
	return pcl_diag_set(diag, -ENOEXEC, "apparmor: %s %s for %s: %s", compiler->parser, how,
			    name, complaint_line(child->complaint));
}

static bool is_blob(const struct pcl_apparmor_blob *blob)
{
	return blob->len > sizeof(blob_head) && !memcmp(blob->data, blob_head, sizeof(blob_head));
}

/*
 * Leaves what it made in child. The features say what the kernel has and what the profile is
 * written for at once, whatever parser.conf pins: a class that only one of the two names is not
 * mediated.
 */
static int run(const struct pcl_apparmor_compiler *compiler, const char *name, const char *text,
	       struct child *child, struct pcl_diag *diag)
{
	static char quiet[] = "-q", no_kernel[] = "-Q", no_cache[] = "-K", no_read[] = "-T",
		    stdout_word[] = "-S", features[] = "--features-file=/proc/self/fd/3";
	char *const argv[] = {(char *)compiler->parser,
			      quiet,
			      no_kernel,
			      no_cache,
			      no_read,
			      features,
			      stdout_word,
			      NULL};
	int status = 0, error;

	error = start(child, compiler->parser, argv, text, compiler->features);
	if (!error)
		error = read_all(child);
	if (!error)
		error = wait_for(child, &status);
	if (error)
		return pcl_diag_errno(diag, error, "apparmor: cannot run %s", compiler->parser);
	/* A parser that cannot write says so nowhere, so an empty profile is looked for here. */
	if (status || !is_blob(&child->said))
		return refuse(compiler, name, child, status, diag);
	return 0;
}

/* --- the cache ----------------------------------------------------------------------------------
 */

static int read_file(const char *path, struct pcl_apparmor_blob *blob)
{
	pcl_autofclose FILE *file = fopen(path, "re");
	char buffer[READ_CHUNK];
	size_t len;
	int error = 0;

	if (!file)
		return -errno;
	while (!error && (len = fread(buffer, 1, sizeof(buffer), file)))
		error = pcl_apparmor_blob_add(blob, buffer, len);
	return error ? error : ferror(file) ? -EIO : 0;
}

/* Under another name first, so that what has the name is whole. */
static int write_file(const char *path, const struct pcl_apparmor_blob *blob)
{
	pcl_autofree char *temporary = NULL;
	FILE *file;
	int error = 0;

	if ((mkdir(CACHE_DIR, CACHE_MODE) < 0 && errno != EEXIST) ||
	    asprintf(&temporary, "%s.new", path) < 0)
		return -errno;
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	if (fwrite(blob->data, 1, blob->len, file) != blob->len)
		error = -EIO;
	if (fclose(file) != 0)
		error = -EIO;
	pcl_fault_point("apparmor: a compiled profile is written");
	if (!error && rename(temporary, path) < 0)
		error = -errno;
	if (error)
		(void)unlink(temporary);
	return error;
}

int pcl_apparmor_compile(struct pcl_apparmor_compiler *compiler, const char *name, const char *text,
			 uint64_t hash, struct pcl_apparmor_blob *blob, struct pcl_diag *diag)
{
	struct child child pcl_cleanup(child_fini) = {.out = -1, .err = -1};
	char file[64], path[128];
	int error = pcl_fault_fails("apparmor: a profile to compile", diag);

	if (error)
		return error;
	snprintf(file, sizeof(file), "%016" PRIx64 "-%016" PRIx64, hash, compiler->key);
	snprintf(path, sizeof(path), CACHE_DIR "/%s", file);
	if (pcl_strings_add(&compiler->used, &compiler->used_count, file))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	if (read_file(path, &child.said) || !is_blob(&child.said)) {
		child.said.len = 0;
		error = run(compiler, name, text, &child, diag);
		if (error)
			return error;
		/* Without it, the next time takes as long as this one. */
		(void)write_file(path, &child.said);
	}
	return pcl_apparmor_blob_add(blob, child.said.data, child.said.len)
		       ? pcl_diag_set(diag, -ENOMEM, "out of memory")
		       : 0;
}

static bool is_used(const struct pcl_apparmor_compiler *compiler, const char *file)
{
	for (size_t i = 0; compiler && i < compiler->used_count; i++)
		if (!strcmp(compiler->used[i], file))
			return true;
	return false;
}

static void prune(const struct pcl_apparmor_compiler *compiler)
{
	pcl_autoclosedir DIR *dir = opendir(CACHE_DIR);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !is_used(compiler, entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
}

void pcl_apparmor_cache_prune(const struct pcl_apparmor_compiler *compiler)
{
	prune(compiler);
}

void pcl_apparmor_cache_remove(void)
{
	prune(NULL);
	(void)rmdir(CACHE_DIR);
}

char *pcl_apparmor_parser_version(const struct pcl_apparmor_compiler *compiler)
{
	struct child child pcl_cleanup(child_fini) = {.out = -1, .err = -1};
	static char version_word[] = "-V";
	char *const argv[] = {(char *)compiler->parser, version_word, NULL};
	char version[32];
	int status;

	if (start(&child, compiler->parser, argv, "", "") || read_all(&child) ||
	    wait_for(&child, &status) || pcl_apparmor_blob_add(&child.said, "", 1) ||
	    sscanf((char *)child.said.data, "AppArmor parser version %31s", version) != 1)
		return NULL;
	return strdup(version);
}
