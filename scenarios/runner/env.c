/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment check: what the guest says of itself against what target, contender and case
 * need. Names in lsm= that a kernel does not have are dropped silently, so only the guest's own
 * list counts.
 */
#include <stdlib.h>
#include <string.h>

#include "arms.h"
#include "base/cleanup.h"
#include "kernel.h"
#include "text.h"

static bool has_lsm(const json_t *active, const char *lsm)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(active, i, entry) {
		const char *name = json_string_value(entry);

		if (name && strcmp(name, lsm) == 0)
			return true;
	}
	return false;
}

static char *lsm_list(const json_t *active)
{
	char *list = gnt_text_new("%s", "");
	const json_t *entry;
	size_t i;

	json_array_foreach(active, i, entry) {
		const char *name = json_string_value(entry);

		(void)gnt_text_set(&list, "%s%s%s", list, i ? "," : "", name ? name : "?");
	}
	return list;
}

char *gnt_env_unmet(const json_t *hello, char *const *expected_lsm, size_t expected_lsm_count,
		    const struct gnt_case *test_case, const struct gnt_contender *contender)
{
	const json_t *active = json_object_get(hello, "lsm");
	pcl_autofree char *list = lsm_list(active);
	bool btf = json_is_true(json_object_get(hello, "btf"));

	for (size_t i = 0; i < expected_lsm_count; i++)
		if (!has_lsm(active, expected_lsm[i]))
			return gnt_text_new("LSM %s of the target is not active; active: %s",
					    expected_lsm[i], list);
	for (size_t i = 0; i < test_case->requires_lsm_count; i++)
		if (!has_lsm(active, test_case->requires_lsm[i]))
			return gnt_text_new("the case needs LSM %s; active: %s",
					    test_case->requires_lsm[i], list);
	if (contender->lsm && !has_lsm(active, contender->lsm))
		return gnt_text_new("%s needs LSM %s; active: %s", contender->id, contender->lsm,
				    list);
	if ((test_case->requires_btf || contender->btf) && !btf)
		return gnt_text_new("%s needs BTF; the kernel has none",
				    contender->btf ? contender->id : "the case");
	return NULL;
}

char *gnt_env_too_old(const json_t *hello, const struct gnt_case *test_case)
{
	const char *release = json_string_value(json_object_get(hello, "kernel"));
	const char *needed = test_case->requires_kernel;

	if (!needed || !release || gnt_kernel_number(release) >= gnt_kernel_number(needed))
		return NULL;
	return gnt_text_new("the kernel does not have what the attack uses: from %s", needed);
}
