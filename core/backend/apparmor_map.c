/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is "PROFILE DOMAIN KEPT", KEPT being 0 or 1, and for a source's profile " SOURCE", in base
 * 16 since a path may hold anything.
 */
#include "backend/apparmor_map.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

#define MAP_DIR "/run/portcullis"
#define MAP_NAME "apparmor.map."

int pcl_apparmor_map_add(struct pcl_apparmor_map *map, const struct pcl_apparmor_place *place)
{
	struct pcl_apparmor_place copy = *place;

	if (pcl_array_grow(&map->places, map->count, sizeof(copy)))
		return -ENOMEM;
	copy.profile = strdup(place->profile);
	copy.source = place->source ? strdup(place->source) : NULL;
	if (!copy.profile || (place->source && !copy.source)) {
		free(copy.profile);
		free(copy.source);
		return -ENOMEM;
	}
	map->places[map->count++] = copy;
	return 0;
}

void pcl_apparmor_map_fini(struct pcl_apparmor_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->places[i].profile);
		free(map->places[i].source);
	}
	free(map->places);
	*map = (struct pcl_apparmor_map){0};
}

const struct pcl_apparmor_place *pcl_apparmor_map_find(const struct pcl_apparmor_map *map,
						       const char *profile)
{
	for (size_t i = 0; i < map->count; i++)
		if (!strcmp(map->places[i].profile, profile))
			return &map->places[i];
	return NULL;
}

/* --- files -------------------------------------------------------------------------------------
 */

static void map_path(uint64_t generation, char path[64])
{
	snprintf(path, 64, MAP_DIR "/" MAP_NAME "%" PRIu64, generation);
}

static void print_place(FILE *file, const struct pcl_apparmor_place *place)
{
	(void)fprintf(file, "%s %" PRIu32 " %d", place->profile, place->domain, place->kept);
	for (const char *at = place->source; at && *at; at++)
		(void)fprintf(file, "%s%02x", at == place->source ? " " : "", (unsigned char)*at);
	(void)fputc('\n', file);
}

int pcl_apparmor_map_save(const struct pcl_apparmor_map *map, uint64_t generation,
			  struct pcl_diag *diag)
{
	char path[64];
	FILE *file;
	bool bad;

	map_path(generation, path);
	file = fopen(path, "we");
	if (!file)
		return pcl_diag_errno(diag, -errno, "apparmor: cannot write %s", path);
	for (size_t i = 0; i < map->count; i++)
		print_place(file, &map->places[i]);
	bad = ferror(file);
	if (fclose(file) != 0 || bad) {
		int error = errno ? -errno : -EIO;

		(void)unlink(path);
		return pcl_diag_errno(diag, error, "apparmor: cannot write %s", path);
	}
	return 0;
}

/* In place. False for what is no such text. */
static bool read_hex(char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len / 2; i++) {
		unsigned byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		text[i] = (char)byte;
	}
	text[len / 2] = '\0';
	return len % 2 == 0;
}

static int read_line(char *line, struct pcl_apparmor_map *map)
{
	char *rest = line, *profile = strsep(&rest, " \n"), *domain = strsep(&rest, " \n");
	char *kept = strsep(&rest, " \n"), *source = strsep(&rest, " \n");
	char *end = NULL;
	unsigned long id = domain ? strtoul(domain, &end, 10) : 0;

	if (!kept || !end || end == domain || *end || (source && *source && !read_hex(source)))
		return -EBADMSG;
	return pcl_apparmor_map_add(map, &(struct pcl_apparmor_place){.profile = profile,
								      .source = source && *source
											? source
											: NULL,
								      .domain = (uint32_t)id,
								      .kept = *kept == '1'});
}

int pcl_apparmor_map_load(uint64_t generation, struct pcl_apparmor_map *ret_map)
{
	struct pcl_apparmor_map map pcl_cleanup(pcl_apparmor_map_fini) = {0};
	pcl_autofclose FILE *file = NULL;
	pcl_autofree char *line = NULL;
	size_t size = 0;
	char path[64];
	int error = 0;

	map_path(generation, path);
	file = fopen(path, "re");
	if (!file && errno != ENOENT)
		return -errno;
	while (file && !error && getline(&line, &size, file) >= 0)
		error = read_line(line, &map);
	if (error)
		return error;
	*ret_map = map;
	map = (struct pcl_apparmor_map){0};
	return 0;
}

void pcl_apparmor_map_delete(uint64_t generation)
{
	char path[64];

	map_path(generation, path);
	(void)unlink(path);
}

void pcl_apparmor_maps_prune(uint64_t last)
{
	pcl_autoclosedir DIR *dir = opendir(MAP_DIR);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		uint64_t generation;
		int len = 0;

		if (sscanf(entry->d_name, MAP_NAME "%" SCNu64 "%n", &generation, &len) == 1 &&
		    !entry->d_name[len] && generation <= last)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
}
