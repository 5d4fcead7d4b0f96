/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches over HTTP. Nothing that comes is trusted here; the caller checks it.
 *
 * Guarantee: from https a redirect never leads to http; what a server sends without end is cut off;
 * a file appears under its name only when all of it came.
 */
#ifndef GNT_FETCH_H
#define GNT_FETCH_H

#include <stddef.h>

#include "base/diag.h"

/* A document of at most max bytes, with a NUL behind it. ret_url (may be NULL): after redirects. */
int gnt_fetch_text(const char *url, size_t max, char **ret_text, size_t *ret_len, char **ret_url,
		   struct pcl_diag *diag);

/*
 * A large file. A transfer that is cut goes on from where it stopped if the server can do that, a
 * few times; then it is -ECONNRESET, and PATH.part stays, so that the next call goes on from there.
 */
int gnt_fetch_file(const char *url, const char *path, struct pcl_diag *diag);

#endif
