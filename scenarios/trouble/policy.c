/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy VERSION DOMAIN TYPE BOOLEAN: an SELinux policy, read from standard input, as one of a
 * newer version and with what only that can say, on standard output. From 34 on DOMAIN may ask
 * files of TYPE by ioctl for nothing but COMMAND, while BOOLEAN is on; from 35 on DOMAIN is
 * neveraudit. Says so and exits 1 where its libsepol does not know VERSION.
 */
#include <sepol/debug.h>
#include <sepol/policydb/conditional.h>
#include <sepol/policydb/policydb.h>
#include <stdio.h>
#include <stdlib.h>

#define USAGE "usage: policy VERSION DOMAIN TYPE BOOLEAN <OLD >NEW"
#define COMMAND 0x5402u /* TCSETS; stty asks for TCGETS first */

static int failed(const char *what)
{
	fprintf(stderr, "policy: cannot %s\n", what);
	return 1;
}

#ifdef POLICYDB_VERSION_COND_XPERMS

static uint32_t type_value(const policydb_t *db, const char *name)
{
	const type_datum_t *type = (const type_datum_t *)hashtab_search(db->p_types.table, name);

	return type ? type->s.value : 0;
}

static int add_rule(policydb_t *db, uint32_t domain, uint32_t type, cond_av_list_t **list)
{
	const class_datum_t *class =
		(const class_datum_t *)hashtab_search(db->p_classes.table, "file");
	avtab_extended_perms_t permissions = {
		.specified = AVTAB_XPERMS_IOCTLFUNCTION,
		.driver = COMMAND >> 8,
		.perms[(COMMAND & 0xff) / 32] = UINT32_C(1) << COMMAND % 32,
	};
	avtab_key_t key = {
		.source_type = (uint16_t)domain,
		.target_type = (uint16_t)type,
		.target_class = (uint16_t)(class ? class->s.value : 0),
		.specified = AVTAB_XPERMS_ALLOWED,
	};
	avtab_datum_t datum = {.xperms = &permissions};

	*list = calloc(1, sizeof(**list));
	if (!class || !*list)
		return -1;
	(*list)->node = avtab_insert_nonunique(&db->te_cond_avtab, &key, &datum);
	if (!(*list)->node)
		return -1;
	(*list)->node->parse_context = *list; /* what has nothing here is not written */
	return 0;
}

static int add_condition(policydb_t *db, uint32_t domain, uint32_t type, const char *boolean)
{
	const cond_bool_datum_t *found =
		(const cond_bool_datum_t *)hashtab_search(db->p_bools.table, boolean);
	cond_node_t *node = calloc(1, sizeof(*node));

	if (!found || !node || !(node->expr = calloc(1, sizeof(*node->expr)))) {
		free(node);
		return -1;
	}
	node->expr->expr_type = COND_BOOL;
	node->expr->boolean = found->s.value;
	node->next = db->cond_list;
	db->cond_list = node;
	return add_rule(db, domain, type, &node->true_list) || evaluate_conds(db);
}

static int change(policydb_t *db, unsigned version, char **names)
{
	uint32_t domain = type_value(db, names[0]), type = type_value(db, names[1]);

	if (version > POLICYDB_VERSION_MAX)
		return failed("write that version: libsepol does not know it");
	if (!domain || !type || add_condition(db, domain, type, names[2]))
		return failed("find what is named");
#ifdef POLICYDB_VERSION_NEVERAUDIT
	if (version >= POLICYDB_VERSION_NEVERAUDIT &&
	    ebitmap_set_bit(&db->neveraudit_map, domain, 1))
		return failed("mark the domain");
#endif
	db->policyvers = version;
	return 0;
}

#else

static int change(policydb_t *db, unsigned version, char **names)
{
	(void)db;
	(void)version;
	(void)names;
	return failed("write that version: libsepol does not know it");
}

#endif

int main(int argc, char **argv)
{
	struct policy_file in, out;
	policydb_t db;
	int error;

	if (argc != 5) {
		fprintf(stderr, USAGE "\n");
		return 2;
	}
	sepol_debug(0);
	policy_file_init(&in);
	policy_file_init(&out);
	in.type = out.type = PF_USE_STDIO;
	in.fp = stdin;
	out.fp = stdout;
	if (policydb_init(&db) || policydb_read(&db, &in, 0))
		return failed("read the policy");
	error = change(&db, (unsigned)strtoul(argv[1], NULL, 10), argv + 2);
	if (!error && (policydb_write(&db, &out) || fflush(stdout)))
		error = failed("write the policy");
	policydb_destroy(&db);
	return error;
}
