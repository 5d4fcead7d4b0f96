/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing arrays without a stored capacity: the capacity is always the next power of two.
 *
 * An array is a pointer and a count, as in the model's structs. It must have been grown by nothing
 * else, or the capacity would be another one.
 */
#ifndef PCL_BASE_ARRAY_H
#define PCL_BASE_ARRAY_H

#include <stddef.h>

/*
 * Makes room for one more item behind count items of item_size bytes; array points to the array
 * pointer. 0, or -ENOMEM with the array as before. The caller stores the item and counts it.
 */
int pcl_array_grow(void *array, size_t count, size_t item_size);

/* How many items an array of count must get room for, so that one more fits; 0: it has the room. */
size_t pcl_array_next(size_t count);

/* Appends a copy of text to an array of strings. 0 or -ENOMEM with the array as before. */
int pcl_strings_add(char ***array, size_t *count, const char *text);

/* Frees the strings and the array, which becomes NULL and empty. */
void pcl_strings_free(char ***array, size_t *count);

#endif
