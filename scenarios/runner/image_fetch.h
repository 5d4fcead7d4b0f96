/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an image's manifest to checked files in the cache.
 *
 * Guarantee: what does not pass every check of its manifest is removed, and what was at hand before
 * stays. Only a transfer that was cut leaves its part, to go on from there.
 */
#ifndef GNT_IMAGE_FETCH_H
#define GNT_IMAGE_FETCH_H

#include <stdbool.h>

#include "base/diag.h"
#include "image.h"

/* A word to the user about what is done now. */
typedef void (*gnt_say_fn)(const char *text);

/* What the maker publishes of an image at this moment. */
struct gnt_offer {
	char *version;			       /* as discovered, or NULL */
	char *urls[GNT_IMAGE_FILE_COUNT];      /* NULL: there is no such file */
	char sha256[GNT_IMAGE_FILE_COUNT][65]; /* each is one that passed the manifest's check */
	char *proof;			       /* "signature by FPR", "tuf, root 3, targets 12" */
};

void gnt_offer_fini(struct gnt_offer *offer);

/* Asks the maker, and checks the answer; work_dir is for files in between. */
int gnt_offer_get(const struct gnt_image *image, const char *work_dir, struct gnt_offer *ret_offer,
		  struct pcl_diag *diag);

/* Fetches, checks, converts, keeps. ret_news: false where the same was at hand already. */
int gnt_image_fetch(const struct gnt_image *image, gnt_say_fn say, bool *ret_news,
		    struct pcl_diag *diag);

/*
 * The same with a disk that somebody brings. sha256 (64 lower-case digits) says what it must be,
 * and then the maker is not asked; NULL: what the maker publishes.
 */
int gnt_image_import(const struct gnt_image *image, const char *file, const char *sha256,
		     gnt_say_fn say, struct pcl_diag *diag);

/* Whether the files at hand are still those that were checked. */
int gnt_image_verify(const struct gnt_image *image, struct pcl_diag *diag);

/* Whether a file is what the maker publishes as the disk. */
int gnt_image_verify_file(const struct gnt_image *image, const char *file, const char *sha256,
			  struct pcl_diag *diag);

/* Whether the file's name is one that the maker gives the disk. */
bool gnt_image_file_fits(const struct gnt_image *image, const char *file);

/* image_convert.c: any format to qcow2. A disk that leans on another file is refused: -EPERM. */
int gnt_image_convert(enum gnt_image_format format, const char *from, const char *to,
		      const char *work_dir, struct pcl_diag *diag);

#endif
