/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching, importing, verifying; see image_fetch.h. The checksum is that of what the maker
 * publishes; what is kept of it after conversion has one of our own, in the record.
 */
#include "image_fetch.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "digest.h"
#include "fetch.h"
#include "image_store.h"
#include "text.h"

static const char *const kept_names[] = {[GNT_IMAGE_DISK] = GNT_STORE_DISK,
					 [GNT_IMAGE_KERNEL] = GNT_STORE_KERNEL,
					 [GNT_IMAGE_INITRD] = GNT_STORE_INITRD};

static void decref(json_t **json)
{
	json_decref(*json);
}

static void tell(gnt_say_fn say, const char *what, const char *about)
{
	pcl_autofree char *text = say ? gnt_text_new("%s %s", what, about) : NULL;

	if (text)
		say(text);
}

static int check_sum(const char *path, const char *name, const char *expected,
		     struct pcl_diag *diag)
{
	char hex[GNT_SHA256_HEX_SIZE];
	int error = gnt_sha256_file(path, hex, diag);

	if (error)
		return error;
	return strcmp(hex, expected) == 0
		       ? 0
		       : pcl_diag_set(diag, -EBADMSG,
				      "%s is not what was published: sha256 %s, expected %s", name,
				      hex, expected);
}

/* Under the name that it is kept by, or for the disk one that it is converted from. */
static char *raw_path(const struct gnt_work *work, int file)
{
	return gnt_text_new("%s/%s", work->dir,
			    file == GNT_IMAGE_DISK ? "published" : kept_names[file]);
}

static int fetch_one(const struct gnt_work *work, const struct gnt_offer *offer, int file,
		     gnt_say_fn say, struct pcl_diag *diag)
{
	pcl_autofree char *path = raw_path(work, file);
	int error;

	if (!path)
		return pcl_diag_errno(diag, -ENOMEM, "%s", offer->urls[file]);
	tell(say, "fetching", offer->urls[file]);
	error = gnt_fetch_file(offer->urls[file], path, diag);
	return error ? error : check_sum(path, offer->urls[file], offer->sha256[file], diag);
}

/* --- the record ---------------------------------------------------------------------------------
 */

static int add_kept(json_t *record, const struct gnt_work *work, struct pcl_diag *diag)
{
	json_t *kept = json_object();

	(void)json_object_set_new(record, "kept", kept);
	for (int i = 0; i < GNT_IMAGE_FILE_COUNT; i++) {
		pcl_autofree char *path = gnt_text_new("%s/%s", work->dir, kept_names[i]);
		char hex[GNT_SHA256_HEX_SIZE];
		int error;

		if (!path || access(path, F_OK) != 0)
			continue;
		error = gnt_sha256_file(path, hex, diag);
		if (error)
			return error;
		(void)json_object_set_new(kept, kept_names[i], json_string(hex));
	}
	return 0;
}

static json_t *record_new(const struct gnt_image *image, const char *source, const char *version,
			  const char *sha256, const char *proof)
{
	char date[sizeof("2026-11-24T20:00:00Z")];
	time_t now = time(NULL);
	struct tm when;

	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &when));
	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s}", "id", image->id, "source", source,
			 "version", version, "sha256", sha256, "proof", proof, "date", date);
}

/* Converts the disk, and puts all in place. record is given up. */
static int keep(const struct gnt_image *image, struct gnt_work *work, const char *disk,
		json_t *new_record, gnt_say_fn say, struct pcl_diag *diag)
{
	json_t *record pcl_cleanup(decref) = new_record;
	pcl_autofree char *to = gnt_text_new("%s/" GNT_STORE_DISK, work->dir);
	pcl_autofree char *published = raw_path(work, GNT_IMAGE_DISK);
	int error;

	if (!record || !to || !published)
		return pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
	if (image->format != GNT_FORMAT_QCOW2)
		tell(say, "converting", gnt_image_format_name(image->format));
	error = gnt_image_convert(image->format, disk, to, work->dir, diag);
	(void)unlink(published);
	if (!error)
		error = add_kept(record, work, diag);
	return error ? error : gnt_work_finish(work, image->id, record, diag);
}

/* --- fetch --------------------------------------------------------------------------------------
 */

/* The same disk is at hand, and whole. */
static bool is_at_hand(const struct gnt_image *image, const struct gnt_offer *offer)
{
	json_t *record pcl_cleanup(decref) = NULL;
	const char *sha256;

	if (gnt_store_record(image, &record, NULL) != 0)
		return false;
	sha256 = json_string_value(json_object_get(record, "sha256"));
	return sha256 && strcmp(sha256, offer->sha256[GNT_IMAGE_DISK]) == 0 &&
	       gnt_image_verify(image, NULL) == 0;
}

static int fetch(const struct gnt_image *image, struct gnt_work *work, gnt_say_fn say,
		 bool *ret_news, struct pcl_diag *diag)
{
	struct gnt_offer offer pcl_cleanup(gnt_offer_fini) = {0};
	pcl_autofree char *disk = raw_path(work, GNT_IMAGE_DISK);
	int error = gnt_offer_get(image, work->dir, &offer, diag);

	if (error)
		return error;
	*ret_news = !is_at_hand(image, &offer);
	if (!*ret_news)
		return 0;
	for (int i = 0; i < GNT_IMAGE_FILE_COUNT && !error; i++)
		if (offer.urls[i])
			error = fetch_one(work, &offer, i, say, diag);
	if (error || !disk)
		return error ? error : pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
	return keep(image, work, disk,
		    record_new(image, offer.urls[GNT_IMAGE_DISK], offer.version,
			       offer.sha256[GNT_IMAGE_DISK], offer.proof),
		    say, diag);
}

int gnt_image_fetch(const struct gnt_image *image, gnt_say_fn say, bool *ret_news,
		    struct pcl_diag *diag)
{
	struct gnt_work work pcl_cleanup(gnt_work_fini) = {.lock_fd = -1};
	int error = gnt_work_open(image->id, &work, diag);

	if (error)
		return error;
	error = fetch(image, &work, say, ret_news, diag);
	/* A part that was cut is good as far as it goes; the checksum is over the whole. */
	if (error != -ECONNRESET)
		gnt_work_clear(&work);
	return error ? pcl_diag_context(diag, error, "%s", image->id) : 0;
}

/* --- import -------------------------------------------------------------------------------------
 */

static int copy_file(const char *from, const char *to, struct pcl_diag *diag)
{
	FILE *in pcl_autofclose = fopen(from, "re");
	FILE *out = in ? fopen(to, "we") : NULL;
	char chunk[1 << 16];
	size_t got;
	bool good = true;

	if (!out)
		return pcl_diag_errno(diag, -errno, "cannot copy %s", from);
	while (good && (got = fread(chunk, 1, sizeof(chunk), in)) > 0)
		good = fwrite(chunk, 1, got, out) == got;
	good = good && !ferror(in);
	if (fclose(out) != 0 || !good)
		return pcl_diag_set(diag, -EIO, "cannot copy %s to %s", from, to);
	return 0;
}

static int import(const struct gnt_image *image, struct gnt_work *work, const char *file,
		  const char *sha256, gnt_say_fn say, struct pcl_diag *diag)
{
	struct gnt_offer offer pcl_cleanup(gnt_offer_fini) = {0};
	pcl_autofree char *disk = raw_path(work, GNT_IMAGE_DISK);
	const char *expected = sha256 ? sha256 : offer.sha256[GNT_IMAGE_DISK];
	bool needs_more = image->files[GNT_IMAGE_KERNEL] != NULL;
	int error = 0;

	if (!disk)
		return pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
	if (!sha256 && image->by_hand)
		return pcl_diag_set(
			diag, -EINVAL,
			"nobody publishes a checksum of %s: give the one that was noted "
			"where the file was made, with --sha256",
			image->id);
	if (!sha256 || needs_more)
		error = gnt_offer_get(image, work->dir, &offer, diag);
	if (error || (error = check_sum(file, file, expected, diag)))
		return error;
	for (int i = GNT_IMAGE_KERNEL; i < GNT_IMAGE_FILE_COUNT && !error; i++)
		if (offer.urls[i])
			error = fetch_one(work, &offer, i, say, diag);
	/* The file is somebody else's: a copy is checked again, since it may have changed. */
	if (!error)
		error = copy_file(file, disk, diag);
	if (!error)
		error = check_sum(disk, file, expected, diag);
	if (error)
		return error;
	return keep(image, work, disk,
		    record_new(image, file, offer.version, expected,
			       sha256 ? "checksum given at import" : offer.proof),
		    say, diag);
}

int gnt_image_import(const struct gnt_image *image, const char *file, const char *sha256,
		     gnt_say_fn say, struct pcl_diag *diag)
{
	struct gnt_work work pcl_cleanup(gnt_work_fini) = {.lock_fd = -1};
	int error = gnt_work_open(image->id, &work, diag);

	if (error)
		return error;
	error = import(image, &work, file, sha256, say, diag);
	gnt_work_clear(&work);
	return error ? pcl_diag_context(diag, error, "%s", image->id) : 0;
}

/* --- verify -------------------------------------------------------------------------------------
 */

int gnt_image_verify(const struct gnt_image *image, struct pcl_diag *diag)
{
	json_t *record pcl_cleanup(decref) = NULL;
	pcl_autofree char *dir = NULL;
	const char *name;
	const json_t *value;
	json_t *kept;
	int error = gnt_store_record(image, &record, diag);

	if (!error)
		error = gnt_store_dir(image->id, &dir, diag);
	kept = json_object_get(record, "kept");
	if (!error && !json_object_get(kept, GNT_STORE_DISK))
		error = pcl_diag_set(diag, -EINVAL,
				     "the record of %s names no disk: fetch it again", image->id);
	if (error)
		return error;
	json_object_foreach(kept, name, value) {
		pcl_autofree char *path = gnt_text_new("%s/%s", dir, name);
		char hex[GNT_SHA256_HEX_SIZE];

		if (!path)
			return pcl_diag_errno(diag, -ENOMEM, "%s", image->id);
		error = gnt_sha256_file(path, hex, diag);
		if (error)
			return error;
		if (!json_is_string(value) || strcmp(json_string_value(value), hex) != 0)
			return pcl_diag_set(diag, -EBADMSG,
					    "%s has changed since it was checked: fetch %s again",
					    path, image->id);
	}
	return 0;
}

int gnt_image_verify_file(const struct gnt_image *image, const char *file, const char *sha256,
			  struct pcl_diag *diag)
{
	struct gnt_offer offer pcl_cleanup(gnt_offer_fini) = {0};
	struct gnt_work work pcl_cleanup(gnt_work_fini) = {.lock_fd = -1};
	int error;

	if (sha256)
		return check_sum(file, file, sha256, diag);
	if (access(file, R_OK) != 0)
		return pcl_diag_errno(diag, -errno, "%s", file);
	error = gnt_work_open(image->id, &work, diag);
	if (!error)
		error = gnt_offer_get(image, work.dir, &offer, diag);
	if (!error)
		error = check_sum(file, file, offer.sha256[GNT_IMAGE_DISK], diag);
	return error;
}
