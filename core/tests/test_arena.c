/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

#define PIECES 5000

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	static unsigned char *pieces[PIECES];
	struct pcl_arena arena = {0};

	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		size_t size = i % 97 + 1;

		pieces[i] = pcl_arena_alloc(&arena, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t byte = 0; byte < size; byte++)
			assert_int_equal(pieces[i][byte], 0);
		memset(pieces[i], (int)(i % 255 + 1), size);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t byte = 0; byte < i % 97 + 1; byte++)
			assert_int_equal(pieces[i][byte], i % 255 + 1);
	pcl_arena_fini(&arena);
	assert_null(arena.blocks);
}

static void large_piece_leaves_the_room_of_small_ones(void **state)
{
	struct pcl_arena arena = {0};
	char *before, *large, *after;

	(void)state;
	before = pcl_arena_alloc(&arena, 16);
	large = pcl_arena_alloc(&arena, (size_t)1 << 20);
	after = pcl_arena_alloc(&arena, 16);
	assert_non_null(before);
	assert_non_null(large);
	assert_ptr_equal(after, before - 16);
	large[0] = large[((size_t)1 << 20) - 1] = 1;
	pcl_arena_fini(&arena);
}

static void size_that_cannot_be_is_refused(void **state)
{
	struct pcl_arena arena = {0};
	uint64_t *numbers = NULL;

	(void)state;
	assert_null(pcl_arena_alloc(&arena, SIZE_MAX));
	assert_null(pcl_arena_alloc(&arena, SIZE_MAX - 16));
	assert_int_not_equal(pcl_arena_grow(&arena, &numbers, (size_t)1 << 62, sizeof(*numbers)),
			     0);
	assert_null(numbers);
	assert_null(arena.blocks);
}

static void array_grows_and_keeps_its_items(void **state)
{
	struct pcl_arena arena = {0};
	uint64_t *numbers = NULL;
	size_t moves = 0;

	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		const uint64_t *before = numbers;

		assert_int_equal(pcl_arena_grow(&arena, &numbers, i, sizeof(*numbers)), 0);
		moves += numbers != before;
		numbers[i] = i;
	}
	for (size_t i = 0; i < PIECES; i++)
		assert_int_equal(numbers[i], i);
	/* 4, 8, ... 8192 */
	assert_int_equal(moves, 12);
	pcl_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(large_piece_leaves_the_room_of_small_ones),
		cmocka_unit_test(size_that_cannot_be_is_refused),
		cmocka_unit_test(array_grows_and_keeps_its_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
