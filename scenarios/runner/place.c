/* SPDX-License-Identifier: Apache-2.0 */
/* Rewrites requests; see place.h. */
#include "place.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* "/opt/gauntlet" as a whole path or its beginning, and not inside "/x/opt/gauntlet" or "...ets".
 */
static bool is_path(const char *text, const char *at)
{
	unsigned char after = (unsigned char)at[strlen(GNT_PLACE)];
	unsigned char before = at > text ? (unsigned char)at[-1] : ' ';

	return !isalnum(after) && after != '-' && after != '_' && after != '.' &&
	       !isalnum(before) && before != '.' && before != '_' && before != '-';
}

static json_t *move_text(const char *text, const char *place)
{
	pcl_autofree char *moved = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&moved, &len);
	const char *rest = text, *at;

	if (!out)
		return NULL;
	while ((at = strstr(rest, GNT_PLACE)) != NULL) {
		(void)fwrite(rest, 1, (size_t)(at - rest), out);
		(void)fputs(is_path(text, at) ? place : GNT_PLACE, out);
		rest = at + strlen(GNT_PLACE);
	}
	(void)fputs(rest, out);
	return fclose(out) == 0 ? json_string(moved) : NULL;
}

json_t *gnt_place_move(const json_t *value, const char *place)
{
	json_t *copy = NULL, *item;
	const char *key;
	size_t i;

	if (json_is_string(value))
		return move_text(json_string_value(value), place);
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach(value, i, item)
			(void)json_array_append_new(copy, gnt_place_move(item, place));
		return copy;
	}
	if (!json_is_object(value))
		return json_deep_copy(value);
	copy = json_object();
	json_object_foreach((json_t *)value, key, item)
		(void)json_object_set_new(copy, key, gnt_place_move(item, place));
	return copy;
}
