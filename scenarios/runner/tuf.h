/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of The Update Framework, as much of it as finding one target needs: from a root that the
 * caller pins by its checksum, over its successors, to timestamp, snapshot, targets.
 *
 * Guarantee: every step has enough valid signatures by the keys that the root names, is not
 * expired, and is the very file that the step before names by version, and by length and hash where
 * given. Delegated targets are not followed.
 */
#ifndef GNT_TUF_H
#define GNT_TUF_H

#include <stddef.h>

#include "base/diag.h"

struct gnt_tuf_source {
	const char *root_url;
	const char *root_sha512; /* of the root.json that is there */
	const char *metadata_url;
	const char *targets_url;
	const char *pattern; /* extended regular expression on whole names; its first group, the
				version, decides which is the newest */
};

struct gnt_tuf_target {
	char *url; /* owned */
	char *version;
	char *proof; /* which versions of the metadata vouch for it */
	char sha256[65];
};

int gnt_tuf_find(const struct gnt_tuf_source *source, struct gnt_tuf_target *ret_target,
		 struct pcl_diag *diag);

#endif
