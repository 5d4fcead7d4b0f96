/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the tools lie in a guest. Cases, policies and we ourselves say /opt/gauntlet; a
 * distribution that lets nothing be executed there has them elsewhere, and is told that place
 * instead.
 */
#ifndef GNT_PLACE_H
#define GNT_PLACE_H

#include <jansson.h>

#define GNT_PLACE "/opt/gauntlet"

/* A copy of value in which every path below GNT_PLACE, in any string, lies below place; or NULL. */
json_t *gnt_place_move(const json_t *value, const char *place);

#endif
