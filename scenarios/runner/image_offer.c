/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a maker offers: the version behind "latest", the addresses, and a checksum for each that has
 * passed the manifest's check. Documents are fetched whole into memory, with a limit.
 */
#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "digest.h"
#include "fetch.h"
#include "image_fetch.h"
#include "text.h"
#include "tuf.h"

/* Checksums, signatures and keys have some KiB; a folder's page that is discovered, some more. */
#define DOCUMENT_MAX (4u << 20)
#define VERSION_WORD "{version}"

void gnt_offer_fini(struct gnt_offer *offer)
{
	free(offer->version);
	free(offer->proof);
	for (int i = 0; i < GNT_IMAGE_FILE_COUNT; i++)
		free(offer->urls[i]);
	*offer = (struct gnt_offer){0};
}

/* A version goes into addresses and file names. */
static bool is_plain(const char *version)
{
	return *version && *version != '.' &&
	       strspn(version, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			       "._-+") == strlen(version);
}

static int match_version(const struct gnt_image *image, const char *url, char **ret_version,
			 struct pcl_diag *diag)
{
	pcl_autofree char *version = NULL;
	regmatch_t groups[2];
	regex_t pattern;
	int got;

	if (regcomp(&pattern, image->discover_match, REG_EXTENDED) != 0 || pattern.re_nsub != 1) {
		return pcl_diag_set(diag, -EINVAL,
				    "%s: source.match must be a regular expression with one group",
				    image->manifest);
	}
	got = regexec(&pattern, url, PCL_ARRAY_SIZE(groups), groups, 0);
	regfree(&pattern);
	if (got != 0)
		return pcl_diag_set(diag, -ENOENT, "%s leads to %s, which names no version",
				    image->discover_url, url);
	version = strndup(url + groups[1].rm_so, (size_t)(groups[1].rm_eo - groups[1].rm_so));
	if (!version)
		return pcl_diag_errno(diag, -ENOMEM, "%s", url);
	if (!is_plain(version))
		return pcl_diag_set(diag, -EINVAL, "%s leads to a version \"%s\" with odd letters",
				    image->discover_url, version);
	*ret_version = pcl_take_ptr(version);
	return 0;
}

static int discover(const struct gnt_image *image, char **ret_version, struct pcl_diag *diag)
{
	pcl_autofree char *page = NULL, *url = NULL;
	size_t len = 0;
	int error;

	if (!image->discover_url)
		return 0;
	error = gnt_fetch_text(image->discover_url, DOCUMENT_MAX, &page, &len, &url, diag);
	return error ? error : match_version(image, url, ret_version, diag);
}

static char *expand(const char *text, const char *version)
{
	pcl_autofree char *done = strdup("");

	for (const char *word; version && (word = strstr(text, VERSION_WORD)) != NULL;
	     text = word + strlen(VERSION_WORD)) {
		if (gnt_text_set(&done, "%s%.*s%s", done ? done : "", (int)(word - text), text,
				 version))
			return NULL;
	}
	return done ? gnt_text_new("%s%s", done, text) : NULL;
}

bool gnt_image_file_fits(const struct gnt_image *image, const char *file)
{
	const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	const char *published = image->files[GNT_IMAGE_DISK];
	pcl_autofree char *whole = NULL;
	regex_t pattern;
	bool fits;

	if (!published)
		return false;
	if (image->tuf_root) {
		whole = gnt_text_new("^(%s)$", published);
		if (!whole || regcomp(&pattern, whole, REG_EXTENDED | REG_NOSUB) != 0)
			return false;
		fits = regexec(&pattern, name, 0, NULL, 0) == 0;
		regfree(&pattern);
		return fits;
	}
	published = strrchr(published, '/') ? strrchr(published, '/') + 1 : published;
	whole = expand(published, "*");
	return whole && fnmatch(whole, name, 0) == 0;
}

/* The document beside a file: its address with another last part. */
static char *beside(const char *url, const char *name)
{
	const char *slash = strrchr(url, '/');

	return slash ? gnt_text_new("%.*s/%s", (int)(slash - url), url, name) : NULL;
}

static int read_key(const char *from, char **ret_key, size_t *ret_len, struct pcl_diag *diag)
{
	FILE *file pcl_autofclose = NULL;
	pcl_autofree char *key = NULL;

	if (strncmp(from, "http://", 7) == 0 || strncmp(from, "https://", 8) == 0)
		return gnt_fetch_text(from, DOCUMENT_MAX, ret_key, ret_len, NULL, diag);
	file = fopen(from, "re");
	key = malloc(DOCUMENT_MAX);
	if (!file || !key)
		return pcl_diag_errno(diag, file ? -ENOMEM : -errno, "key %s", from);
	*ret_len = fread(key, 1, DOCUMENT_MAX, file);
	*ret_key = pcl_take_ptr(key);
	return 0;
}

static int check_signature(const struct gnt_image *image, const char *work_dir,
			   const char *sums_url, const char *sums, size_t sums_len,
			   struct pcl_diag *diag)
{
	pcl_autofree char *url = beside(sums_url, image->signature);
	pcl_autofree char *signature = NULL, *key = NULL;
	size_t signature_len = 0, key_len = 0;
	int error;

	if (!url)
		return pcl_diag_errno(diag, -ENOMEM, "signature");
	if ((error = gnt_fetch_text(url, DOCUMENT_MAX, &signature, &signature_len, NULL, diag)) ||
	    (error = read_key(image->key, &key, &key_len, diag)))
		return error;
	error = gnt_signature_check(work_dir, sums, sums_len, signature, signature_len, key,
				    key_len, image->fingerprint, diag);
	return error ? pcl_diag_context(diag, error, "%s", url) : 0;
}

/* Without a signature only the transport vouches for the checksums. */
static bool is_safe(const char *url)
{
	return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://127.0.0.1:", 17) == 0;
}

/* sums of one file; kernel and initrd may lie in another folder than the disk. */
static int check_by_sums(const struct gnt_image *image, const char *work_dir, int file,
			 struct gnt_offer *offer, struct pcl_diag *diag)
{
	pcl_autofree char *url = beside(offer->urls[file], image->sums), *sums = NULL;
	size_t len = 0;
	int error;

	if (!url)
		return pcl_diag_set(diag, -EINVAL, "%s: files.%s is no address", image->manifest,
				    gnt_image_file_name((enum gnt_image_file)file));
	if (!image->signature && !is_safe(url))
		return pcl_diag_set(diag, -EPERM,
				    "%s: checksums without a signature must come by https", url);
	error = gnt_fetch_text(url, DOCUMENT_MAX, &sums, &len, NULL, diag);
	if (!error && image->signature)
		error = check_signature(image, work_dir, url, sums, len, diag);
	if (error)
		return error;
	error = gnt_sums_find(sums, strrchr(offer->urls[file], '/') + 1, offer->sha256[file], diag);
	return error ? pcl_diag_context(diag, error, "%s", url) : 0;
}

static int get_by_tuf(const struct gnt_image *image, struct gnt_offer *offer, struct pcl_diag *diag)
{
	struct gnt_tuf_target target = {0};
	const struct gnt_tuf_source source = {
		.root_url = image->tuf_root,
		.root_sha512 = image->tuf_root_sha512,
		.metadata_url = image->tuf_metadata,
		.targets_url = image->tuf_targets,
		.pattern = image->files[GNT_IMAGE_DISK],
	};
	int error = gnt_tuf_find(&source, &target, diag);

	if (error)
		return error;
	offer->urls[GNT_IMAGE_DISK] = target.url;
	offer->version = target.version;
	offer->proof = target.proof;
	memcpy(offer->sha256[GNT_IMAGE_DISK], target.sha256, sizeof(target.sha256));
	return 0;
}

static int get(const struct gnt_image *image, const char *work_dir, struct gnt_offer *offer,
	       struct pcl_diag *diag)
{
	int error;

	if (image->by_hand)
		return pcl_diag_set(diag, -ENOENT, "%s has no public source; get it by hand: %s",
				    image->id, image->by_hand);
	if (image->tuf_root)
		return get_by_tuf(image, offer, diag);
	error = discover(image, &offer->version, diag);
	for (int i = 0; i < GNT_IMAGE_FILE_COUNT && !error; i++) {
		if (!image->files[i])
			continue;
		offer->urls[i] = expand(image->files[i], offer->version);
		if (!offer->urls[i])
			return pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
		if (image->sums)
			error = check_by_sums(image, work_dir, i, offer, diag);
		else
			memcpy(offer->sha256[i], image->sha256[i], sizeof(offer->sha256[i]));
	}
	if (error)
		return error;
	offer->proof = image->signature ? gnt_text_new("signature by %s", image->fingerprint)
		       : image->sums	? strdup("checksums by https, unsigned")
					: strdup("checksum of the manifest");
	return offer->proof ? 0 : pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
}

int gnt_offer_get(const struct gnt_image *image, const char *work_dir, struct gnt_offer *ret_offer,
		  struct pcl_diag *diag)
{
	struct gnt_offer offer = {0};
	int error = get(image, work_dir, &offer, diag);

	if (error)
		gnt_offer_fini(&offer);
	else
		*ret_offer = offer;
	return error;
}
