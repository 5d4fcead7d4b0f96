/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsepol's compiler and its decision, with the state that it keeps in one place for all.
 */
#include <sepol/cil/cil.h>
#include <sepol/debug.h>
#include <sepol/kernel_to_cil.h>
#include <sepol/policydb.h>
#include <sepol/policydb/services.h>
#include <sepol/policydb/conditional.h>
#include <sepol/policydb/polcaps.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selinux_patch.h"
#include "sepol.h"
#include "support.h"

static policydb_t asked;
static sidtab_t asked_sids;
static bool asking;

static void say_nothing(int level, const char *message)
{
	if (level == CIL_ERR)
		print_error("%s", message);
}

void test_sepol_compile_for(const char *text, int version, void **ret_policy, size_t *ret_size)
{
	cil_db_t *cil = NULL;
	sepol_policydb_t *db = NULL;

	cil_set_log_handler(say_nothing);
	cil_db_init(&cil);
	cil_set_mls(cil, 1);
	/* The bounds of a domain are to cut something. */
	cil_set_disable_neverallow(cil, 1);
	cil_set_policy_version(cil, version);
	cil_set_attrs_expand_generated(cil, 0);
	cil_set_attrs_expand_size(cil, 0);
	assert_int_equal(cil_add_file(cil, "test", text, strlen(text)), 0);
	assert_int_equal(cil_compile(cil), 0);
	assert_int_equal(cil_build_policydb(cil, &db), 0);
	assert_int_equal(sepol_policydb_to_image(NULL, db, ret_policy, ret_size), 0);
	sepol_policydb_free(db);
	cil_db_destroy(&cil);
}

void test_sepol_compile(const char *text, void **ret_policy, size_t *ret_size)
{
	test_sepol_compile_for(text, (int)pcl_selinux_policy_newest(), ret_policy, ret_size);
}

void test_sepol_end(void)
{
	if (!asking)
		return;
	sepol_sidtab_shutdown(&asked_sids);
	sepol_sidtab_destroy(&asked_sids);
	policydb_destroy(&asked);
	asking = false;
}

void test_sepol_ask(const void *policy, size_t size)
{
	struct policy_file file;

	test_sepol_end();
	sepol_debug(0);
	assert_int_equal(policydb_init(&asked), 0);
	policy_file_init(&file);
	file.type = PF_USE_MEMORY;
	file.data = (char *)policy;
	file.len = size;
	assert_int_equal(policydb_read(&asked, &file, 0), 0);
	assert_int_equal(policydb_load_isids(&asked, &asked_sids), 0);
	assert_int_equal(sepol_set_policydb(&asked), 0);
	assert_int_equal(sepol_set_sidtab(&asked_sids), 0);
	asking = true;
}

static sepol_security_id_t sid_of(const char *context)
{
	sepol_security_id_t sid = 0;

	if (sepol_context_to_sid((char *)context, strlen(context) + 1, &sid))
		fail_msg("%s is no valid context", context);
	return sid;
}

static const class_datum_t *class_of(const char *name)
{
	const class_datum_t *class =
		(const class_datum_t *)hashtab_search(asked.p_classes.table, name);

	assert_non_null(class);
	return class;
}

uint32_t test_sepol_bit(const char *class_name, const char *permission)
{
	const class_datum_t *class = class_of(class_name);
	const perm_datum_t *found =
		(const perm_datum_t *)hashtab_search(class->permissions.table, permission);

	if (!found && class->comdatum)
		found = (const perm_datum_t *)hashtab_search(class->comdatum->permissions.table,
							     permission);
	if (!found)
		fail_msg("%s has no permission %s", class_name, permission);
	return found ? UINT32_C(1) << (found->s.value - 1) : 0;
}

void test_sepol_access(const char *source, const char *target, const char *class_name,
		       struct test_sepol_answer *ret_answer)
{
	struct sepol_av_decision decision = {0};

	assert_int_equal(sepol_compute_av(sid_of(source), sid_of(target),
					  (sepol_security_class_t)class_of(class_name)->s.value, 0,
					  &decision),
			 0);
	*ret_answer = (struct test_sepol_answer){
		.allowed = decision.allowed,
		.audited = decision.allowed & decision.auditallow,
		.silenced = ~decision.allowed & ~decision.auditdeny,
	};
}

bool test_sepol_allows(const char *source, const char *target, const char *class_name,
		       const char *permission)
{
	struct test_sepol_answer answer;

	test_sepol_access(source, target, class_name, &answer);
	return answer.allowed & test_sepol_bit(class_name, permission);
}

bool test_sepol_silences(const char *source, const char *target, const char *class_name,
			 const char *permission)
{
	struct test_sepol_answer answer;

	test_sepol_access(source, target, class_name, &answer);
	return answer.silenced & test_sepol_bit(class_name, permission);
}

bool test_sepol_is_valid(const char *context)
{
	sepol_security_id_t sid = 0;

	return !sepol_context_to_sid((char *)context, strlen(context) + 1, &sid);
}

char *test_sepol_transition(const char *source, const char *target, const char *class_name)
{
	sepol_security_id_t sid = 0;
	char *context = NULL;
	size_t len = 0;

	assert_int_equal(sepol_transition_sid(sid_of(source), sid_of(target),
					      (sepol_security_class_t)class_of(class_name)->s.value,
					      &sid),
			 0);
	assert_int_equal(sepol_sid_to_context(sid, &context, &len), 0);
	return context;
}

bool test_sepol_may_relabel(const char *before, const char *after, const char *who,
			    const char *class_name)
{
	char *reason = NULL;
	int error = sepol_validate_transition_reason_buffer(
		sid_of(before), sid_of(after), sid_of(who),
		(sepol_security_class_t)class_of(class_name)->s.value, &reason, 0);

	free(reason);
	return !error;
}

static const type_datum_t *type_of(const char *name)
{
	const type_datum_t *type = (const type_datum_t *)hashtab_search(asked.p_types.table, name);

	if (!type)
		fail_msg("there is no type %s", name);
	return type;
}

const char *test_sepol_named(const char *source, const char *target, const char *class_name,
			     const char *name)
{
	const filename_trans_key_t key = {
		.ttype = type_of(target)->s.value,
		.tclass = class_of(class_name)->s.value,
		.name = (char *)name,
	};
	const filename_trans_datum_t *datum =
		hashtab_search(asked.filename_trans, (const_hashtab_key_t)&key);

	for (; datum; datum = datum->next)
		if (ebitmap_get_bit(&datum->stypes, type_of(source)->s.value - 1))
			return asked.p_type_val_to_name[datum->otype - 1];
	return NULL;
}

unsigned test_sepol_extended(const char *source, const char *target)
{
	const ebitmap_t *sources = &asked.type_attr_map[type_of(source)->s.value - 1];
	const ebitmap_t *targets = &asked.type_attr_map[type_of(target)->s.value - 1];
	unsigned count = 0;

	for (uint32_t i = 0; i < asked.te_avtab.nslot; i++)
		for (const struct avtab_node *node = asked.te_avtab.htable[i]; node;
		     node = node->next)
			count += (node->key.specified & AVTAB_XPERMS) && node->datum.xperms &&
				 ebitmap_get_bit(sources, node->key.source_type - 1) &&
				 ebitmap_get_bit(targets, node->key.target_type - 1);
	return count;
}

static bool names_command(const avtab_extended_perms_t *permissions, uint16_t command)
{
	uint8_t driver = (uint8_t)(command >> 8), function = (uint8_t)command;
	uint8_t bit = permissions->specified == AVTAB_XPERMS_IOCTLDRIVER ? driver : function;

	return (permissions->specified == AVTAB_XPERMS_IOCTLDRIVER ||
		permissions->driver == driver) &&
	       permissions->perms[bit / 32] & (UINT32_C(1) << bit % 32);
}

static void note_command(const struct avtab_node *node, uint16_t command, bool *spoken, bool *named)
{
	*spoken = true;
	*named |= names_command(node->datum.xperms, command);
}

bool test_sepol_passes(const char *source, const char *target, const char *class_name,
		       uint16_t command)
{
	const ebitmap_t *sources = &asked.type_attr_map[type_of(source)->s.value - 1];
	const ebitmap_t *targets = &asked.type_attr_map[type_of(target)->s.value - 1];
	const avtab_t *const tables[] = {&asked.te_avtab, &asked.te_cond_avtab};
	bool spoken = false, named = false;

	for (size_t t = 0; t < 2; t++)
		for (uint32_t i = 0; i < tables[t]->nslot; i++)
			for (const struct avtab_node *node = tables[t]->htable[i]; node;
			     node = node->next)
				if (node->key.specified & AVTAB_XPERMS_ALLOWED &&
				    (!t || node->key.specified & AVTAB_ENABLED) &&
				    node->key.target_class == class_of(class_name)->s.value &&
				    ebitmap_get_bit(sources, node->key.source_type - 1) &&
				    ebitmap_get_bit(targets, node->key.target_type - 1))
					note_command(node, command, &spoken, &named);
	return named || !spoken;
}

void test_sepol_switch(const char *boolean, bool on)
{
	cond_bool_datum_t *datum =
		(cond_bool_datum_t *)hashtab_search(asked.p_bools.table, boolean);

	assert_non_null(datum);
	if (datum)
		datum->state = on;
	assert_int_equal(evaluate_conds(&asked), 0);
}

bool test_sepol_is_permissive(const char *type)
{
	return ebitmap_get_bit(&asked.permissive_map, type_of(type)->s.value);
}

bool test_sepol_is_never_audited(const char *type)
{
	const type_datum_t *found = type_of(type);

#ifdef POLICYDB_VERSION_NEVERAUDIT
	return ebitmap_get_bit(&asked.neveraudit_map, found->s.value);
#else
	(void)found;
	return false;
#endif
}

bool test_sepol_has_capability(const char *name)
{
	int number = sepol_polcap_getnum(name);

	return number >= 0 && ebitmap_get_bit(&asked.policycaps, (unsigned)number);
}

const char *test_sepol_bound(const char *type)
{
	uint32_t bounds = type_of(type)->bounds;

	return bounds ? asked.p_type_val_to_name[bounds - 1] : NULL;
}

char *test_sepol_text(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(sepol_kernel_policydb_to_cil(out, &asked), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}
