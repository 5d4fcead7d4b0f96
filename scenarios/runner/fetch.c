/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching with libcurl. A part that is left from a cut transfer is only continued if the server
 * says by its validator (ETag, or the date of change) that the file is still the same; else two
 * halves of two files would be glued together, and the checksum would call the maker a liar.
 */
#include "fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "text.h"

#define CONNECT_TIMEOUT_S 30L
/* A transfer that brings nothing for so long is taken for cut. */
#define STALL_TIMEOUT_S 60L
#define REDIRECTS_MAX 8L
/* Cut so often without one new byte, the server will not do better. */
#define TRIES_MAX 4
/* No image that we know has half of it; a server that never ends must not fill the disk. */
#define FILE_MAX ((size_t)32 << 30)
#define HTTP_PARTIAL 206
#define HTTP_NOT_SATISFIABLE 416

struct transfer {
	CURL *curl;
	const char *url;
	char error[CURL_ERROR_SIZE];
	/* Into memory. */
	char *text;
	size_t len, max;
	bool too_long;
	/* Into a file. */
	int fd;
	int write_errno;
	bool began;
	char *validator; /* of what comes now; owned */
};

static void transfer_fini(struct transfer *transfer)
{
	if (transfer->curl)
		curl_easy_cleanup(transfer->curl);
	free(transfer->text);
	free(transfer->validator);
	pcl_closep(&transfer->fd);
}

static void init_library(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int transfer_init(struct transfer *transfer, const char *url, struct pcl_diag *diag)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	bool secure = strncmp(url, "https://", 8) == 0;

	(void)pthread_once(&once, init_library);
	transfer->url = url;
	transfer->curl = curl_easy_init();
	if (!transfer->curl)
		return pcl_diag_errno(diag, -ENOMEM, "%s", url);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_ERRORBUFFER, transfer->error);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_FAILONERROR, 1L);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(transfer->curl, CURLOPT_REDIR_PROTOCOLS_STR,
			       secure ? "https" : "http,https");
	(void)curl_easy_setopt(transfer->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT_S);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_USERAGENT, "gauntlet/" PCL_VERSION);
	return 0;
}

static long status_of(const struct transfer *transfer)
{
	long status = 0;

	(void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static int explain(const struct transfer *transfer, CURLcode code, struct pcl_diag *diag)
{
	const char *words = *transfer->error ? transfer->error : curl_easy_strerror(code);

	if (transfer->too_long)
		return pcl_diag_set(diag, -EFBIG, "%s: more than %zu bytes, which it never has",
				    transfer->url, transfer->max);
	if (transfer->write_errno)
		return pcl_diag_errno(diag, -transfer->write_errno, "%s: cannot keep it",
				      transfer->url);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return pcl_diag_set(diag, -ENOENT, "%s: the server answers %ld", transfer->url,
				    status_of(transfer));
	return pcl_diag_set(diag, -EIO, "%s: %s", transfer->url, words);
}

/* --- a document ---------------------------------------------------------------------------------
 */

static size_t take_text(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;
	char *longer;

	if (len > transfer->max - transfer->len) {
		transfer->too_long = true;
		return 0;
	}
	longer = realloc(transfer->text, transfer->len + len + 1);
	if (!longer)
		return 0;
	memcpy(longer + transfer->len, data, len);
	transfer->text = longer;
	transfer->len += len;
	transfer->text[transfer->len] = '\0';
	return len;
}

int gnt_fetch_text(const char *url, size_t max, char **ret_text, size_t *ret_len, char **ret_url,
		   struct pcl_diag *diag)
{
	struct transfer transfer pcl_cleanup(transfer_fini) = {.fd = -1, .max = max};
	const char *effective = NULL;
	CURLcode code;
	int error = transfer_init(&transfer, url, diag);

	if (error)
		return error;
	(void)curl_easy_setopt(transfer.curl, CURLOPT_WRITEFUNCTION, take_text);
	(void)curl_easy_setopt(transfer.curl, CURLOPT_WRITEDATA, &transfer);
	code = curl_easy_perform(transfer.curl);
	if (code != CURLE_OK)
		return explain(&transfer, code, diag);
	if (!transfer.text)
		transfer.text = strdup("");
	if (ret_url) {
		(void)curl_easy_getinfo(transfer.curl, CURLINFO_EFFECTIVE_URL, &effective);
		*ret_url = strdup(effective ? effective : url);
	}
	if (!transfer.text || (ret_url && !*ret_url))
		return pcl_diag_errno(diag, -ENOMEM, "%s", url);
	*ret_len = transfer.len;
	*ret_text = pcl_take_ptr(transfer.text);
	return 0;
}

/* --- a file -------------------------------------------------------------------------------------
 */

struct part {
	char *path; /* FILE.part */
	char *tag;  /* FILE.tag: address and validator of what is in it */
};

static void part_fini(struct part *part)
{
	free(part->path);
	free(part->tag);
}

static void part_remove(const struct part *part)
{
	(void)unlink(part->path);
	(void)unlink(part->tag);
}

/* The validator that the part came with, if it came from this address; owned, or NULL. */
static char *part_validator(const struct part *part, const char *url)
{
	FILE *file pcl_autofclose = fopen(part->tag, "re");
	pcl_autofree char *line = NULL, *validator = NULL;
	size_t size = 0, validator_size = 0;

	if (!file || getline(&line, &size, file) < 0 ||
	    getline(&validator, &validator_size, file) < 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	validator[strcspn(validator, "\n")] = '\0';
	return strcmp(line, url) == 0 && *validator ? pcl_take_ptr(validator) : NULL;
}

static void part_tag(const struct part *part, const char *url, const char *validator)
{
	FILE *file pcl_autofclose = fopen(part->tag, "we");

	if (file)
		fprintf(file, "%s\n%s\n", url, validator);
}

static char *header_value(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	char *value, *end;

	if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return NULL;
	value = strndup(line + name_len + 1, len - name_len - 1);
	if (!value)
		return NULL;
	memmove(value, value + strspn(value, " \t"), strlen(value + strspn(value, " \t")) + 1);
	for (end = value + strlen(value); end > value && strchr("\r\n ", end[-1]); end--)
		end[-1] = '\0';
	return value;
}

/* A weak ETag ("W/...") is no promise that the bytes are the same. */
static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;
	pcl_autofree char *etag = header_value(data, len, "ETag");
	pcl_autofree char *changed = header_value(data, len, "Last-Modified");

	if (len > 5 && strncmp(data, "HTTP/", 5) == 0)
		free(pcl_take_ptr(transfer->validator));
	if (etag && *etag == '"') {
		free(transfer->validator);
		transfer->validator = pcl_take_ptr(etag);
	} else if (changed && !transfer->validator) {
		transfer->validator = pcl_take_ptr(changed);
	}
	return len;
}

static size_t take_file(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count, done = 0;

	/* Not the part that was asked for but the whole: from the beginning. */
	if (!transfer->began && status_of(transfer) != HTTP_PARTIAL &&
	    (ftruncate(transfer->fd, 0) != 0 || lseek(transfer->fd, 0, SEEK_SET) != 0)) {
		transfer->write_errno = errno;
		return 0;
	}
	transfer->began = true;
	transfer->len += len;
	if (transfer->len > transfer->max) {
		transfer->too_long = true;
		return 0;
	}
	while (done < len) {
		ssize_t put = write(transfer->fd, data + done, len - done);

		if (put < 0) {
			transfer->write_errno = errno;
			return 0;
		}
		done += (size_t)put;
	}
	return len;
}

static bool is_cut(CURLcode code)
{
	return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
	       code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING ||
	       code == CURLE_SEND_ERROR;
}

static off_t size_of(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 ? info.st_size : 0;
}

/* One transfer, from where the part ends; *ret_size is how much there is of it then. */
static int fetch_once(const char *url, const struct part *part, off_t *ret_size, bool *ret_cut,
		      struct pcl_diag *diag)
{
	struct transfer transfer pcl_cleanup(transfer_fini) = {.fd = -1, .max = FILE_MAX};
	pcl_autofree char *validator = part_validator(part, url), *range = NULL, *condition = NULL;
	struct curl_slist *headers = NULL;
	off_t before;
	CURLcode code;
	int error = transfer_init(&transfer, url, diag);

	if (error)
		return error;
	if (!validator)
		part_remove(part);
	transfer.fd = open(part->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (transfer.fd < 0)
		return pcl_diag_errno(diag, -errno, "%s", part->path);
	before = size_of(transfer.fd);
	if (before) {
		range = gnt_text_new("%lld-", (long long)before);
		condition = gnt_text_new("If-Range: %s", validator);
		headers = condition ? curl_slist_append(NULL, condition) : NULL;
		(void)curl_easy_setopt(transfer.curl, CURLOPT_RANGE, range);
		(void)curl_easy_setopt(transfer.curl, CURLOPT_HTTPHEADER, headers);
	}
	(void)curl_easy_setopt(transfer.curl, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(transfer.curl, CURLOPT_HEADERDATA, &transfer);
	(void)curl_easy_setopt(transfer.curl, CURLOPT_WRITEFUNCTION, take_file);
	(void)curl_easy_setopt(transfer.curl, CURLOPT_WRITEDATA, &transfer);
	code = curl_easy_perform(transfer.curl);
	curl_slist_free_all(headers);
	if (transfer.validator)
		part_tag(part, url, transfer.validator);
	*ret_size = size_of(transfer.fd);
	*ret_cut = is_cut(code);
	if (code == CURLE_HTTP_RETURNED_ERROR && status_of(&transfer) == HTTP_NOT_SATISFIABLE &&
	    before) {
		/* There is no more of it, or it is shorter now. */
		part_remove(part);
		*ret_cut = true;
	}
	return code == CURLE_OK ? 0 : explain(&transfer, code, diag);
}

int gnt_fetch_file(const char *url, const char *path, struct pcl_diag *diag)
{
	struct part part pcl_cleanup(part_fini) = {gnt_text_new("%s.part", path),
						   gnt_text_new("%s.tag", path)};
	struct stat info;
	off_t size = 0, largest = 0;
	bool cut = false;
	int error = -EIO;

	if (!part.path || !part.tag)
		return pcl_diag_errno(diag, -ENOMEM, "%s", url);
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		error = fetch_once(url, &part, &size, &cut, diag);
		if (!error || !cut)
			break;
		/* Further than ever; the same again from the beginning does not count. */
		if (size > largest)
			tries = 0;
		largest = size > largest ? size : largest;
	}
	if (error && cut) {
		long long len = stat(part.path, &info) == 0 ? (long long)info.st_size : 0;

		(void)pcl_diag_set(diag, -ECONNRESET,
				   "%s: the transfer is cut again and again, after %lld bytes; "
				   "fetch once more to go on from there",
				   url, len);
		return -ECONNRESET;
	}
	if (error) {
		part_remove(&part);
		return error;
	}
	if (rename(part.path, path) != 0)
		return pcl_diag_errno(diag, -errno, "%s", path);
	(void)unlink(part.tag);
	return 0;
}
