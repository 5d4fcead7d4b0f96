/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk from root to target; see tuf.h. Versions that were seen before are not remembered, so an
 * old but unexpired state of the repository is believed.
 */
#include "tuf.h"

#include <errno.h>
#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "digest.h"
#include "fetch.h"
#include "text.h"
#include "tuf_key.h"

/* Bottlerocket's targets.json has some 100 KiB. */
#define DOCUMENT_MAX (16u << 20)
/* Roots are renewed a few times a year. */
#define ROOTS_MAX 1024

/* One file of metadata. */
struct document {
	char *url;
	char *text;
	size_t len;
	json_t *root;
	const json_t *signed_part; /* borrowed from root */
};

static void document_fini(struct document *document)
{
	free(document->url);
	free(document->text);
	json_decref(document->root);
	*document = (struct document){0};
}

static int document_fetch(const char *url, struct document *document, struct pcl_diag *diag)
{
	json_error_t parse;
	int error;

	document->url = strdup(url);
	if (!document->url)
		return pcl_diag_errno(diag, -ENOMEM, "%s", url);
	error = gnt_fetch_text(url, DOCUMENT_MAX, &document->text, &document->len, NULL, diag);
	if (error)
		return error;
	document->root = json_loadb(document->text, document->len, JSON_REJECT_DUPLICATES, &parse);
	document->signed_part = json_object_get(document->root, "signed");
	if (!json_is_object(document->signed_part))
		return pcl_diag_set(diag, -EBADMSG, "%s is no signed metadata", url);
	return 0;
}

static json_int_t version_of(const struct document *document)
{
	return json_integer_value(json_object_get(document->signed_part, "version"));
}

/* Whether one of the role's keys made this signature. */
static bool is_valid(const json_t *keys, const json_t *role, const json_t *signature,
		     const char *text, size_t len)
{
	const char *id = json_string_value(json_object_get(signature, "keyid"));
	const char *hex = json_string_value(json_object_get(signature, "sig"));
	const json_t *key = id ? json_object_get(keys, id) : NULL, *allowed;
	size_t i;

	if (!key || !hex || !gnt_tuf_key_has_id(key, id))
		return false;
	json_array_foreach(json_object_get(role, "keyids"), i, allowed) {
		if (strcmp(json_string_value(allowed) ? json_string_value(allowed) : "", id) == 0)
			return gnt_tuf_key_verifies(key, hex, text, len);
	}
	return false;
}

/* Enough signatures of different keys that root names for the role. */
static int check_signatures(const struct document *document, const struct document *root,
			    const char *role_name, struct pcl_diag *diag)
{
	const json_t *keys = json_object_get(root->signed_part, "keys");
	const json_t *role =
		json_object_get(json_object_get(root->signed_part, "roles"), role_name);
	json_int_t threshold = json_integer_value(json_object_get(role, "threshold")), good = 0;
	pcl_autofree char *text = NULL;
	json_t *seen = json_object();
	const json_t *signature;
	size_t len = 0, i;

	if (gnt_tuf_canonical(document->signed_part, &text, &len) != 0 || !seen) {
		json_decref(seen);
		return pcl_diag_set(diag, -EBADMSG, "%s cannot be signed in this form",
				    document->url);
	}
	json_array_foreach(json_object_get(document->root, "signatures"), i, signature) {
		const char *id = json_string_value(json_object_get(signature, "keyid"));

		if (!id || json_object_get(seen, id) || !is_valid(keys, role, signature, text, len))
			continue;
		(void)json_object_set_new(seen, id, json_true());
		good++;
	}
	json_decref(seen);
	if (threshold >= 1 && good >= threshold)
		return 0;
	return pcl_diag_set(diag, -EKEYREJECTED,
			    "%s has %lld valid signatures of keys for %s, and needs %lld",
			    document->url, (long long)good, role_name, (long long)threshold);
}

static int check_type(const struct document *document, const char *role, struct pcl_diag *diag)
{
	const char *type = json_string_value(json_object_get(document->signed_part, "_type"));

	return type && strcmp(type, role) == 0
		       ? 0
		       : pcl_diag_set(diag, -EBADMSG, "%s is of type \"%s\" and not %s",
				      document->url, type ? type : "", role);
}

static int check_expiry(const struct document *document, struct pcl_diag *diag)
{
	const char *expires = json_string_value(json_object_get(document->signed_part, "expires"));
	struct tm date = {0};
	const char *end = expires ? strptime(expires, "%Y-%m-%dT%H:%M:%S", &date) : NULL;

	if (!end)
		return pcl_diag_set(diag, -EBADMSG, "%s says not when it expires", document->url);
	return timegm(&date) > time(NULL) ? 0
					  : pcl_diag_set(diag, -EKEYEXPIRED,
							 "%s expired at %s: it may be an old state "
							 "that hides a newer one",
							 document->url, expires);
}

/* --- root ---------------------------------------------------------------------------------------
 */

static int pinned_root(const struct gnt_tuf_source *source, struct document *root,
		       struct pcl_diag *diag)
{
	char hex[GNT_SHA512_HEX_SIZE];
	int error = document_fetch(source->root_url, root, diag);

	if (error)
		return error;
	if (gnt_sha512_data(root->text, root->len, hex) != 0)
		return pcl_diag_errno(diag, -ENOMEM, "%s", source->root_url);
	if (strcmp(hex, source->root_sha512) != 0)
		return pcl_diag_set(diag, -EKEYREJECTED,
				    "%s is not the root that the manifest trusts: sha512 %.16s..., "
				    "expected %.16s...",
				    source->root_url, hex, source->root_sha512);
	error = check_type(root, "root", diag);
	return error ? error : check_signatures(root, root, "root", diag);
}

/* A new root is signed by the keys of the old one and by its own. */
static int newest_root(const struct gnt_tuf_source *source, struct document *root,
		       struct pcl_diag *diag)
{
	int error = pinned_root(source, root, diag);

	for (int i = 0; i < ROOTS_MAX && !error; i++) {
		struct document next pcl_cleanup(document_fini) = {0};
		json_int_t version = version_of(root) + 1;
		pcl_autofree char *url =
			gnt_text_new("%s/%lld.root.json", source->metadata_url, (long long)version);

		if (!url)
			return pcl_diag_errno(diag, -ENOMEM, "root");
		error = document_fetch(url, &next, diag);
		/* The server has no further one. */
		if (error == -ENOENT)
			return check_expiry(root, diag);
		if (error || (error = check_type(&next, "root", diag)) ||
		    (error = check_signatures(&next, root, "root", diag)) ||
		    (error = check_signatures(&next, &next, "root", diag)))
			return error;
		if (version_of(&next) != version)
			return pcl_diag_set(diag, -EBADMSG, "%s is of version %lld", url,
					    (long long)version_of(&next));
		document_fini(root);
		*root = next;
		next = (struct document){0};
	}
	return error ? error : pcl_diag_set(diag, -ELOOP, "there is no end to the roots");
}

/* --- timestamp, snapshot, targets ---------------------------------------------------------------
 */

/* The file that meta names: by version, and by length and hash where they are given. */
static int check_meta(const struct document *document, const json_t *meta, struct pcl_diag *diag)
{
	const json_t *length = json_object_get(meta, "length");
	const char *hash =
		json_string_value(json_object_get(json_object_get(meta, "hashes"), "sha256"));
	char hex[GNT_SHA256_HEX_SIZE];

	if (version_of(document) != json_integer_value(json_object_get(meta, "version")))
		return pcl_diag_set(diag, -EBADMSG, "%s is of version %lld, expected %lld",
				    document->url, (long long)version_of(document),
				    (long long)json_integer_value(
					    json_object_get(meta, "version")));
	if (length && (size_t)json_integer_value(length) != document->len)
		return pcl_diag_set(diag, -EBADMSG, "%s has %zu bytes, expected %lld",
				    document->url, document->len,
				    (long long)json_integer_value(length));
	if (hash &&
	    (gnt_sha256_data(document->text, document->len, hex) != 0 || strcmp(hex, hash) != 0))
		return pcl_diag_set(diag, -EBADMSG, "%s has another checksum than the one signed",
				    document->url);
	return 0;
}

/* NAME.json as from names it, or as it is for a timestamp, with meta NULL. */
static int step(const struct gnt_tuf_source *source, const struct document *root,
		const struct document *from, const char *role, struct document *document,
		struct pcl_diag *diag)
{
	pcl_autofree char *name = gnt_text_new("%s.json", role), *url = NULL;
	const json_t *meta =
		from && name ? json_object_get(json_object_get(from->signed_part, "meta"), name)
			     : NULL;
	int error;

	if (from && !meta)
		return pcl_diag_set(diag, -EBADMSG, "%s names no %s.json", from->url, role);
	if (meta && json_is_true(json_object_get(root->signed_part, "consistent_snapshot")))
		url = gnt_text_new("%s/%lld.%s.json", source->metadata_url,
				   (long long)json_integer_value(json_object_get(meta, "version")),
				   role);
	else
		url = gnt_text_new("%s/%s.json", source->metadata_url, role);
	if (!url)
		return pcl_diag_errno(diag, -ENOMEM, "%s", role);
	if ((error = document_fetch(url, document, diag)) ||
	    (error = check_type(document, role, diag)) ||
	    (error = check_signatures(document, root, role, diag)) ||
	    (error = check_expiry(document, diag)))
		return error;
	return meta ? check_meta(document, meta, diag) : 0;
}

/* --- the target ---------------------------------------------------------------------------------
 */

/* Matches whole names; ret_version (owned) is the first group. */
static bool name_matches(const regex_t *pattern, const char *name, char **ret_version)
{
	regmatch_t groups[2];

	if (regexec(pattern, name, PCL_ARRAY_SIZE(groups), groups, 0) != 0 ||
	    groups[0].rm_so != 0 || name[groups[0].rm_eo])
		return false;
	*ret_version = strndup(name + groups[1].rm_so, (size_t)(groups[1].rm_eo - groups[1].rm_so));
	return *ret_version != NULL;
}

static int newest_target(const struct document *targets, const char *text, const char **ret_name,
			 char **ret_version, struct pcl_diag *diag)
{
	json_t *all = json_object_get(targets->signed_part, "targets");
	const char *name, *newest = NULL;
	pcl_autofree char *newest_version = NULL;
	const json_t *value;
	regex_t pattern;

	if (regcomp(&pattern, text, REG_EXTENDED) != 0 || pattern.re_nsub != 1)
		return pcl_diag_set(diag, -EINVAL,
				    "files.disk \"%s\" must be a regular expression "
				    "with one group, the version",
				    text);
	json_object_foreach(all, name, value) {
		pcl_autofree char *version = NULL;

		if (!name_matches(&pattern, name, &version) ||
		    (newest && strverscmp(version, newest_version) <= 0))
			continue;
		newest = name;
		free(newest_version);
		newest_version = pcl_take_ptr(version);
	}
	regfree(&pattern);
	if (!newest)
		return pcl_diag_set(diag, -ENOENT, "%s has no target that is called \"%s\"",
				    targets->url, text);
	*ret_name = newest;
	*ret_version = pcl_take_ptr(newest_version);
	return 0;
}

static int take_target(const struct gnt_tuf_source *source, const struct document *root,
		       const struct document *targets, struct gnt_tuf_target *target,
		       struct pcl_diag *diag)
{
	const char *name = NULL, *hash;
	int error = newest_target(targets, source->pattern, &name, &target->version, diag);

	if (error)
		return error;
	hash = json_string_value(json_object_get(
		json_object_get(json_object_get(json_object_get(targets->signed_part, "targets"),
						name),
				"hashes"),
		"sha256"));
	if (!hash || strlen(hash) != GNT_SHA256_HEX_SIZE - 1 ||
	    strspn(hash, "0123456789abcdef") != GNT_SHA256_HEX_SIZE - 1 || strchr(name, '/'))
		return pcl_diag_set(diag, -EBADMSG, "%s: target %s has no usable sha256",
				    targets->url, name);
	memcpy(target->sha256, hash, GNT_SHA256_HEX_SIZE);
	target->url = json_is_true(json_object_get(root->signed_part, "consistent_snapshot"))
			      ? gnt_text_new("%s/%s.%s", source->targets_url, hash, name)
			      : gnt_text_new("%s/%s", source->targets_url, name);
	target->proof = gnt_text_new("tuf, root %lld, targets %lld", (long long)version_of(root),
				     (long long)version_of(targets));
	return target->url && target->proof ? 0 : pcl_diag_errno(diag, -ENOMEM, "%s", name);
}

int gnt_tuf_find(const struct gnt_tuf_source *source, struct gnt_tuf_target *ret_target,
		 struct pcl_diag *diag)
{
	struct document root pcl_cleanup(document_fini) = {0};
	struct document timestamp pcl_cleanup(document_fini) = {0};
	struct document snapshot pcl_cleanup(document_fini) = {0};
	struct document targets pcl_cleanup(document_fini) = {0};
	struct gnt_tuf_target target = {0};
	int error = newest_root(source, &root, diag);

	if (error || (error = step(source, &root, NULL, "timestamp", &timestamp, diag)) ||
	    (error = step(source, &root, &timestamp, "snapshot", &snapshot, diag)) ||
	    (error = step(source, &root, &snapshot, "targets", &targets, diag)))
		return error;
	error = take_target(source, &root, &targets, &target, diag);
	if (error) {
		free(target.url);
		free(target.version);
		free(target.proof);
		return error;
	}
	*ret_target = target;
	return 0;
}
