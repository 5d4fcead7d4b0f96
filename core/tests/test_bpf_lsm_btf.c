/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's types by name, and what of them is handed on.
 */
#include "backend/bpf_lsm_btf.h"
#include "base/cleanup.h"
#include "support.h"

enum {
	KERNEL_INT = 1,
	KERNEL_OTHER,
	KERNEL_POINTER, /* to it */
	KERNEL_OUTER,
	KERNEL_INNER,
	KERNEL_ARRAY, /* of it */
	KERNEL_PROTO,
	KERNEL_HOOK,
	KERNEL_TWIN,	 /* has the name of OUTER */
	KERNEL_NAMESAKE, /* a function of that name */
	KERNEL_LAST,
};

static struct btf *make_kernel(void)
{
	struct btf *types = btf__new_empty();

	assert_int_equal(btf__add_int(types, "int", 4, BTF_INT_SIGNED), KERNEL_INT);
	assert_int_equal(btf__add_struct(types, "other", 4), KERNEL_OTHER);
	assert_int_equal(btf__add_field(types, "number", KERNEL_INT, 0, 0), 0);
	assert_int_equal(btf__add_ptr(types, KERNEL_OTHER), KERNEL_POINTER);
	assert_int_equal(btf__add_struct(types, "outer", 16), KERNEL_OUTER);
	assert_int_equal(btf__add_field(types, "other", KERNEL_POINTER, 0, 0), 0);
	assert_int_equal(btf__add_field(types, "inside", KERNEL_ARRAY, 64, 0), 0);
	assert_int_equal(btf__add_struct(types, "inner", 4), KERNEL_INNER);
	assert_int_equal(btf__add_field(types, "number", KERNEL_INT, 0, 0), 0);
	assert_int_equal(btf__add_array(types, KERNEL_INT, KERNEL_INNER, 2), KERNEL_ARRAY);
	assert_int_equal(btf__add_func_proto(types, KERNEL_INT), KERNEL_PROTO);
	assert_int_equal(btf__add_func_param(types, "a", KERNEL_INT), 0);
	assert_int_equal(btf__add_func_param(types, "b", KERNEL_POINTER), 0);
	assert_int_equal(btf__add_func(types, "hook", BTF_FUNC_GLOBAL, KERNEL_PROTO), KERNEL_HOOK);
	assert_int_equal(btf__add_struct(types, "outer", 8), KERNEL_TWIN);
	assert_int_equal(btf__add_field(types, "other", KERNEL_POINTER, 0, 0), 0);
	assert_int_equal(btf__add_func(types, "outer", BTF_FUNC_GLOBAL, KERNEL_PROTO),
			 KERNEL_NAMESAKE);
	assert_int_equal(btf__add_struct(types, "last", 4), KERNEL_LAST);
	return types;
}

static void functions_are_found_by_name(void **state)
{
	const struct pcl_btf *kernel = *state;

	assert_int_equal(pcl_btf_function(kernel, "hook"), KERNEL_HOOK);
	assert_int_equal(pcl_btf_arguments(kernel, "hook"), 2);
	assert_int_equal(pcl_btf_function(kernel, "outer"), KERNEL_NAMESAKE);
	assert_int_equal(pcl_btf_function(kernel, "other"), 0);
	assert_int_equal(pcl_btf_function(kernel, "hoo"), 0);
	assert_int_equal(pcl_btf_function(kernel, "hooks"), 0);
	assert_int_equal(pcl_btf_arguments(kernel, "other"), 0);
}

static void check_type(const struct btf *types, __u32 id, const char *name)
{
	const struct btf_type *type = btf__type_by_id(types, id);

	assert_true(btf_is_struct(type));
	assert_string_equal(btf__name_by_offset(types, type->name_off), name);
}

static void what_is_asked_for_keeps_its_number(void **state)
{
	struct btf *local = btf__new_empty();
	pcl_cleanup(pcl_btf_free) struct btf *types = NULL;
	const struct btf_type *outer;

	assert_int_equal(btf__add_struct(local, "outer___before", 8), 1);
	assert_int_equal(btf__add_struct(local, "nowhere", 8), 2);
	assert_int_equal(pcl_btf_extract(*state, (const struct btf *const[]){local}, 1, &types), 0);
	btf__free(local);
	assert_int_equal(btf__type_cnt(types), KERNEL_TWIN + 1);
	check_type(types, KERNEL_OUTER, "outer");
	check_type(types, KERNEL_INNER, "inner");
	check_type(types, KERNEL_TWIN, "outer");
	assert_true(btf_is_array(btf__type_by_id(types, KERNEL_ARRAY)));
	assert_true(btf_is_int(btf__type_by_id(types, KERNEL_INT)));
	assert_true(btf_is_ptr(btf__type_by_id(types, KERNEL_OTHER)));
	assert_true(btf_is_ptr(btf__type_by_id(types, KERNEL_POINTER)));
	assert_true(btf_is_ptr(btf__type_by_id(types, KERNEL_HOOK)));
	outer = btf__type_by_id(types, KERNEL_OUTER);
	assert_int_equal(btf_vlen(outer), 2);
	assert_int_equal(btf_members(outer)[1].type, KERNEL_ARRAY);
	assert_string_equal(btf__name_by_offset(types, btf_members(outer)[1].name_off), "inside");
	assert_int_equal(btf_member_bit_offset(outer, 1), 64);
}

static void nothing_asked_for_is_nothing(void **state)
{
	pcl_cleanup(pcl_btf_free) struct btf *types = NULL;

	assert_int_equal(pcl_btf_extract(*state, NULL, 0, &types), 0);
	assert_int_equal(btf__type_cnt(types), 1);
}

static int index_kernel(void **state)
{
	static struct pcl_btf kernel;

	*state = &kernel;
	return pcl_btf_index(make_kernel(), &kernel);
}

static int close_kernel(void **state)
{
	pcl_btf_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_found_by_name),
		cmocka_unit_test(what_is_asked_for_keeps_its_number),
		cmocka_unit_test(nothing_asked_for_is_nothing),
	};

	return cmocka_run_group_tests_name("bpf_lsm-btf", tests, index_kernel, close_kernel);
}
