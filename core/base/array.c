/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing arrays. Doubling keeps appending linear; the pointer is read and written by memcpy so
 * that one function serves arrays of any type.
 */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* First capacity; a power of two. Most arrays of a policy stay below it. */
#define CAPACITY_FIRST 4

size_t pcl_array_next(size_t count)
{
	/* Full only when empty or when count has reached a power of two from the first on. */
	if (count && (count < CAPACITY_FIRST || (count & (count - 1))))
		return 0;
	return count ? count * 2 : CAPACITY_FIRST;
}

int pcl_array_grow(void *array, size_t count, size_t item_size)
{
	size_t capacity = pcl_array_next(count);
	void *items;

	if (!capacity)
		return 0;
	memcpy(&items, array, sizeof(items));
	items = reallocarray(items, capacity, item_size);
	if (!items)
		return -ENOMEM;
	memcpy(array, &items, sizeof(items));
	return 0;
}

int pcl_strings_add(char ***array, size_t *count, const char *text)
{
	char *copy;

	if (pcl_array_grow(array, *count, sizeof(**array)))
		return -ENOMEM;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	(*array)[(*count)++] = copy;
	return 0;
}

void pcl_strings_free(char ***array, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free((*array)[i]);
	free(*array);
	*array = NULL;
	*count = 0;
}
