/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For cppcheck alone, which does not read system headers: what the macros of libbpf and jansson
 * expand to, as far as a checker must know. Never compiled.
 */
#define LIBBPF_OPTS(type, name, ...) struct type name = {0}
#define json_array_foreach(array, i, value)                                                        \
	for (i = 0; i < json_array_size(array) && (value = json_array_get(array, i)); i++)
#define json_object_foreach(object, key, value)                                                    \
	for (key = json_object_iter_key(json_object_iter(object));                                 \
	     key && (value = json_object_get(object, key)); key = next_key(object, key))
#define json_object_foreach_safe(object, n, key, value) json_object_foreach(object, key, value)
