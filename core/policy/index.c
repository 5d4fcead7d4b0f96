/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a ruleset.
 *
 * A path is hashed once from its beginning; the value at each "/" is that of the directory so far,
 * so one pass finds all the rules of paths, directories and patterns on the way, one look-up for
 * each component. A filter of bits, small enough for the cache, stands before the table, for most
 * directories have no rule.
 */
#include "policy/index.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/glob.h"

/* FNV-1a, by Fowler, Noll and Vo. */
#define HASH_SEED 0xcbf29ce484222325u
#define HASH_PRIME 0x100000001b3u

/* What is hashed, so that equal texts of different meaning have lists of their own. */
enum space {
	SPACE_PATH,  /* path, directory, and the directory in which a pattern's wildcards begin */
	SPACE_LOOSE, /* patterns that begin with a wildcard */
	SPACE_NAME,  /* last component */
	SPACE_DOMAIN,
	SPACE_SYSCALL,
	SPACE_NUMBER, /* protocol, capability, device class */
	SPACE_PRESET,
};

struct entry {
	uint64_t hash;
	uint32_t rank;
	uint32_t next; /* index + 1 */
};

struct pcl_index {
	struct entry *entries;
	size_t entry_count;
	uint32_t *table; /* index + 1 of the first entry */
	uint64_t *filter;
	uint64_t mask;	      /* of the table */
	uint64_t filter_mask; /* of the filter's bits */
	bool spaces[PCL_CLASS_COUNT][SPACE_PRESET + 1];
};

static uint64_t seed(enum pcl_class class, enum space space)
{
	return HASH_SEED ^ ((uint64_t) class << 56) ^ ((uint64_t)space << 48);
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * HASH_PRIME;
	return hash;
}

static uint64_t hash_number(uint64_t hash, unsigned number)
{
	return (hash ^ number) * HASH_PRIME;
}

/* The last bytes hardly reach the low bits otherwise. */
static uint64_t spread(uint64_t hash)
{
	hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93u;
	return hash ^ (hash >> 32);
}

/* --- making ---------------------------------------------------------------------------------- */

static void add(struct pcl_index *index, enum pcl_class class, enum space space, uint64_t hash,
		size_t rank)
{
	struct entry *entry = &index->entries[index->entry_count++];

	entry->hash = spread(hash);
	entry->rank = (uint32_t)rank;
	index->spaces[class][space] = true;
}

static void add_text(struct pcl_index *index, enum pcl_class class, enum space space,
		     const char *text, size_t len, size_t rank)
{
	add(index, class, space, hash_bytes(seed(class, space), text, len), rank);
}

/* Length of a path as the walk below hashes it: the root is "". */
static size_t path_len(const char *path)
{
	return path[1] ? strlen(path) : 0;
}

static void add_pattern(struct pcl_index *index, const struct pcl_rule *rule, size_t rank)
{
	size_t len;
	const char *prefix = pcl_glob_prefix(rule->glob, &len);

	if (!len || prefix[0] != '/') {
		add(index, rule->class, SPACE_LOOSE, seed(rule->class, SPACE_LOOSE), rank);
		return;
	}
	while (prefix[len - 1] != '/')
		len--;
	add_text(index, rule->class, SPACE_PATH, prefix, len - 1, rank);
}

static void add_rule(struct pcl_index *index, const struct pcl_rule *rule, size_t rank)
{
	enum pcl_class class = rule->class;

	if (class == PCL_CLASS_SYSCALL) {
		for (size_t i = 0; i < rule->syscall_count; i++)
			add_text(index, class, SPACE_SYSCALL, rule->syscalls[i],
				 strlen(rule->syscalls[i]), rank);
		return;
	}
	switch (rule->match) {
	case PCL_MATCH_PATH:
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		add_text(index, class, SPACE_PATH, rule->object, path_len(rule->object), rank);
		break;
	case PCL_MATCH_PATTERN:
		add_pattern(index, rule, rank);
		break;
	case PCL_MATCH_NAME:
		add_text(index, class, SPACE_NAME, rule->object, strlen(rule->object), rank);
		break;
	case PCL_MATCH_DOMAIN:
		add_text(index, class, SPACE_DOMAIN, rule->object, strlen(rule->object), rank);
		break;
	case PCL_MATCH_PROTOCOL:
	case PCL_MATCH_CAPABILITY:
		add(index, class, SPACE_NUMBER,
		    hash_number(seed(class, SPACE_NUMBER), rule->number), rank);
		break;
	case PCL_MATCH_DEVICE:
		add(index, class, SPACE_NUMBER,
		    hash_number(seed(class, SPACE_NUMBER), (unsigned)rule->device.class), rank);
		break;
	case PCL_MATCH_PRESET:
		add(index, class, SPACE_PRESET, seed(class, SPACE_PRESET), rank);
		break;
	case PCL_MATCH_SYSCALL:
	case PCL_MATCH_NATIVE:
		break;
	}
}

static size_t power_of_two(size_t at_least)
{
	size_t size = 64;

	while (size < at_least)
		size *= 2;
	return size;
}

static int make_table(struct pcl_index *index)
{
	size_t size = power_of_two(index->entry_count * 2);
	size_t bits = power_of_two(index->entry_count * 16);

	index->table = calloc(size, sizeof(*index->table));
	index->filter = calloc(bits / 64, sizeof(*index->filter));
	if (!index->table || !index->filter)
		return -ENOMEM;
	index->mask = size - 1;
	index->filter_mask = bits - 1;
	/* From the back, so that lists are in the order of rank. */
	for (size_t i = index->entry_count; i--;) {
		struct entry *entry = &index->entries[i];
		uint32_t *first = &index->table[entry->hash & index->mask];
		uint64_t bit = (entry->hash >> 32) & index->filter_mask;

		entry->next = *first;
		*first = (uint32_t)i + 1;
		index->filter[bit / 64] |= 1ull << (bit % 64);
	}
	return 0;
}

int pcl_index_new(const struct pcl_ruleset *ruleset, struct pcl_index **ret_index)
{
	pcl_cleanup(pcl_index_free) struct pcl_index *index = calloc(1, sizeof(*index));
	size_t count = ruleset->rule_count;

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		count += ruleset->rules[i]->syscall_count;
	if (count >= UINT32_MAX)
		return -ENOMEM;
	index->entries = calloc(count + 1, sizeof(*index->entries));
	if (!index->entries)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		add_rule(index, ruleset->rules[i], i);
	if (make_table(index))
		return -ENOMEM;
	*ret_index = pcl_take_ptr(index);
	return 0;
}

void pcl_index_free(struct pcl_index **index)
{
	if (!*index)
		return;
	free((*index)->entries);
	free((*index)->table);
	free((*index)->filter);
	free(*index);
	*index = NULL;
}

/* --- finding --------------------------------------------------------------------------------- */

struct search {
	const struct pcl_index *index;
	enum pcl_class class;
	void (*visit)(void *context, size_t rank);
	void *context;
};

static void look_up(const struct search *search, uint64_t hash)
{
	const struct pcl_index *index = search->index;
	uint64_t bit;

	hash = spread(hash);
	bit = (hash >> 32) & index->filter_mask;
	if (!(index->filter[bit / 64] & 1ull << (bit % 64)))
		return;
	for (uint32_t at = index->table[hash & index->mask]; at; at = index->entries[at - 1].next)
		if (index->entries[at - 1].hash == hash)
			search->visit(search->context, index->entries[at - 1].rank);
}

static bool has(const struct search *search, enum space space)
{
	return search->index->spaces[search->class][space];
}

static void look_up_number(const struct search *search, unsigned number)
{
	look_up(search, hash_number(seed(search->class, SPACE_NUMBER), number));
}

static void look_up_text(const struct search *search, enum space space, const char *text,
			 size_t len)
{
	look_up(search, hash_bytes(seed(search->class, space), text, len));
}

/* The root, every directory on the way, and the path itself. */
static void find_path(const struct search *search, const char *path)
{
	uint64_t hash = seed(search->class, SPACE_PATH);
	const char *slash = strrchr(path, '/');

	if (has(search, SPACE_PATH)) {
		if (path[0] == '/' && path[1])
			look_up(search, hash);
		for (size_t i = 0; path[i]; i++) {
			if (path[i] == '/' && i)
				look_up(search, hash);
			if (path[i] != '/' || path[i + 1])
				hash = (hash ^ (unsigned char)path[i]) * HASH_PRIME;
		}
		look_up(search, hash);
	}
	if (has(search, SPACE_LOOSE))
		look_up(search, seed(search->class, SPACE_LOOSE));
	if (has(search, SPACE_NAME) && slash)
		look_up_text(search, SPACE_NAME, slash + 1, strlen(slash + 1));
}

static void find_socket(const struct search *search, const struct pcl_socket *socket)
{
	for (int protocol = 0; protocol < PCL_PROTOCOL_COUNT; protocol++)
		if (pcl_protocol_matches((enum pcl_protocol)protocol, socket))
			look_up_number(search, (unsigned)protocol);
}

/* A name and every name above it. */
static void find_name(const struct search *search, const char *name)
{
	char lower[PCL_DOMAIN_LEN_MAX + 2];
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		len--;
	if (len > PCL_DOMAIN_LEN_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	for (size_t start = 0; start < len; start++)
		if (!start || lower[start - 1] == '.')
			look_up_text(search, SPACE_DOMAIN, lower + start, len - start);
}

void pcl_index_find(const struct pcl_index *index, const struct pcl_operation *operation,
		    void (*visit)(void *context, size_t rank), void *context)
{
	struct search search = {index, pcl_access_class(operation->access), visit, context};

	switch (operation->access) {
	case PCL_ACCESS_EXECUTE:
	case PCL_ACCESS_READ:
	case PCL_ACCESS_WRITE:
		if (operation->object && !operation->object_unknown)
			find_path(&search, operation->object);
		break;
	case PCL_ACCESS_SOCKET:
		find_socket(&search, &operation->socket);
		break;
	case PCL_ACCESS_RESOLVE:
		if (operation->name && !operation->object_unknown)
			find_name(&search, operation->name);
		break;
	case PCL_ACCESS_CAPABILITY:
		look_up_number(&search, operation->capability);
		break;
	case PCL_ACCESS_SYSCALL:
		if (operation->name)
			look_up_text(&search, SPACE_SYSCALL, operation->name,
				     strlen(operation->name));
		break;
	case PCL_ACCESS_DEVICE:
		look_up_number(&search, (unsigned)operation->device.class);
		look_up_number(&search, (unsigned)PCL_DEVICE_ANY);
		break;
	case PCL_ACCESS_MAP:
		break;
	}
	if (has(&search, SPACE_PRESET))
		look_up(&search, seed(search.class, SPACE_PRESET));
}
