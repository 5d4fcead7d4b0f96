/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State files: PCL_STATE_DIR/generation-N.json. Strict on the way in, as model_json.c.
 */
#include "engine/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "engine/model_json.h"

#define STATE_SCHEMA 4
#define STATE_NAME "generation-%" PRIu64 ".json"
#define STATE_NAME_MAX 64

#define DAMAGED " damaged; run \"portcullis remove\" and apply the policies again"

static const char *state_dir = PCL_STATE_DIR;

void pcl_state_use_dir(const char *dir)
{
	state_dir = dir;
}

/* NULL without memory. */
static char *path_of(uint64_t generation, const char *suffix)
{
	char *path = NULL;

	if (asprintf(&path, "%s/" STATE_NAME "%s", state_dir, generation, suffix) < 0)
		return NULL;
	return path;
}

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static void member_fini(struct pcl_member *member)
{
	pcl_domain_free(&member->domain);
	free(member->cgroup);
}

void pcl_state_free(struct pcl_state **state)
{
	if (!*state)
		return;
	for (size_t i = 0; i < (*state)->member_count; i++)
		member_fini(&(*state)->members[i]);
	free((*state)->members);
	free((void *)(*state)->rules);
	pcl_statuses_fini(&(*state)->statuses);
	pcl_policy_set_free(&(*state)->set);
	free((*state)->backend);
	free((*state)->hostname);
	free((*state)->node_labels);
	free(*state);
	*state = NULL;
}

int pcl_state_new(const char *hostname, const char *node_labels, struct pcl_state **ret_state,
		  struct pcl_diag *diag)
{
	pcl_cleanup(pcl_state_free) struct pcl_state *state = calloc(1, sizeof(*state));
	int error;

	if (!state || pcl_policy_set_new(&state->set))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	state->hostname = strdup(hostname);
	if (node_labels)
		state->node_labels = strdup(node_labels);
	if (!state->hostname || (node_labels && !state->node_labels) ||
	    pcl_array_grow(&state->members, 0, sizeof(*state->members)))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	state->members[0] = (struct pcl_member){.incarnation = 1};
	state->last_incarnation = 1;
	state->alert_rate = PCL_ALERT_RATE;
	state->member_count = 1;
	error = pcl_domain_new_host(hostname, node_labels, &state->members[0].domain, diag);
	if (error)
		return error;
	*ret_state = pcl_take_ptr(state);
	return 0;
}

/* --- out ------------------------------------------------------------------------------------- */

static json_t *member_to_json(const struct pcl_member *member)
{
	pcl_autofree char *labels = NULL;

	labels = pcl_labels_text(member->domain->labels, member->domain->label_count);
	if (member->domain->label_count && !labels)
		return NULL;
	return json_pack("{s:s, s:s*, s:s*, s:s*, s:I, s:I, s:I, s:I, s:I}", "name",
			 member->domain->name, "namespace", member->domain->ns, "labels", labels,
			 "cgroup", member->cgroup, "cgroup_id", (json_int_t)member->cgroup_id,
			 "mount_ns", (json_int_t)member->mount_ns, "pid_ns",
			 (json_int_t)member->pid_ns, "id", (json_int_t)member->id, "incarnation",
			 (json_int_t)member->incarnation);
}

static json_t *state_to_json(const struct pcl_state *state)
{
	pcl_cleanup(drop_json) json_t *members = json_array();

	/* The host is made anew from its name and the node's labels. */
	for (size_t i = 1; i < state->member_count; i++)
		if (json_array_append_new(members, member_to_json(&state->members[i])) < 0)
			return NULL;
	return json_pack("{s:i, s:I, s:s, s:[iiii], s:s*, s:I, s:o, s:O, s:I, s:I, s:o, s:i, s:o}",
			 "schema", STATE_SCHEMA, "generation", (json_int_t)state->generation,
			 "backend", state->backend, "postures", (int)state->postures.file,
			 (int)state->postures.network, (int)state->postures.capabilities,
			 (int)state->postures.device, "node_labels", state->node_labels,
			 "alert_rate", (json_int_t)state->alert_rate, "hostname",
			 pcl_text_to_json(state->hostname), "domains", members, "last_id",
			 (json_int_t)state->last_id, "last_incarnation",
			 (json_int_t)state->last_incarnation, "policies",
			 pcl_policies_to_json(state->set), "kernel", (int)state->kernel, "statuses",
			 pcl_statuses_to_json(&state->statuses));
}

static int write_synced(const char *path, const json_t *json, struct pcl_diag *diag)
{
	pcl_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pcl_autofclose FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return pcl_diag_errno(diag, -errno, "cannot write %s", path);
	(void)pcl_take_fd(&fd);
	errno = 0;
	/* Buffered: to a descriptor jansson writes word by word. */
	if (json_dumpf(json, file, JSON_COMPACT) < 0 || fflush(file))
		return pcl_diag_errno(diag, errno ? -errno : -EIO, "cannot write %s", path);
	if (fsync(fileno(file)) < 0)
		return pcl_diag_errno(diag, -errno, "cannot write %s", path);
	return 0;
}

/* A cgroup must be found again by its name, so it is not written with '?' for what JSON cannot. */
static int check_cgroups(const struct pcl_state *state, struct pcl_diag *diag)
{
	for (size_t i = 1; i < state->member_count; i++) {
		const char *cgroup = state->members[i].cgroup;
		pcl_cleanup(drop_json) json_t *text = json_string(cgroup ? cgroup : "");

		if (!text)
			return pcl_diag_set(diag, -EILSEQ,
					    "the name of cgroup \"%s\" is no UTF-8; rename it",
					    state->members[i].cgroup);
	}
	return 0;
}

int pcl_state_save(const struct pcl_state *state, struct pcl_diag *diag)
{
	pcl_autofree char *path = path_of(state->generation, "");
	pcl_autofree char *fresh = path_of(state->generation, ".new");
	pcl_cleanup(drop_json) json_t *json = NULL;
	int error = check_cgroups(state, diag);

	if (error)
		return error;
	json = state_to_json(state);
	if (!json || !path || !fresh)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	error = pcl_fault_fails("state: write", diag);
	if (!error)
		error = write_synced(fresh, json, diag);
	pcl_fault_point("state: file has its first name");
	if (!error && rename(fresh, path) < 0)
		error = pcl_diag_errno(diag, -errno, "cannot write %s", path);
	if (error)
		(void)unlink(fresh);
	return error;
}

/* --- in -------------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_ids(const void *a, const void *b)
{
	const struct pcl_member *const *one = a, *const *other = b;

	return compare_numbers((*one)->id, (*other)->id);
}

static int compare_names(const void *a, const void *b)
{
	const struct pcl_member *const *one = a, *const *other = b;

	return strcmp((*one)->domain->name, (*other)->domain->name);
}

/* 0 where pcl_member_same_place() says so, and in an order besides. */
static int compare_places(const void *a, const void *b)
{
	const struct pcl_member *one = *(const struct pcl_member *const *)a;
	const struct pcl_member *other = *(const struct pcl_member *const *)b;
	int order = compare_numbers(one->cgroup_id, other->cgroup_id);

	if (!order && !one->cgroup_id)
		order = compare_numbers(one->mount_ns, other->mount_ns);
	if (!order && !one->cgroup_id && !one->mount_ns)
		order = compare_numbers(one->pid_ns, other->pid_ns);
	return order;
}

/* No two have the same id, name or place. Sorted, since there may be thousands. */
static int check_different(const struct pcl_state *state, struct pcl_diag *diag)
{
	static int (*const compare[])(const void *, const void *) = {compare_ids, compare_names,
								     compare_places};
	const struct pcl_member **list = calloc(state->member_count, sizeof(*list));
	int error = list ? 0 : pcl_diag_set(diag, -ENOMEM, "out of memory");

	for (size_t i = 0; list && i < state->member_count; i++)
		list[i] = &state->members[i];
	for (size_t c = 0; !error && c < PCL_ARRAY_SIZE(compare); c++) {
		qsort((void *)list, state->member_count, sizeof(*list), compare[c]);
		for (size_t i = 1; i < state->member_count; i++)
			if (!compare[c](&list[i - 1], &list[i]))
				error = -EBADMSG;
	}
	free((void *)list);
	return error;
}

static bool is_place(const struct pcl_member *member, const char *cgroup)
{
	bool by_spaces = member->mount_ns || member->pid_ns;

	return !cgroup == !member->cgroup_id && by_spaces == !cgroup;
}

static int member_from_json(const json_t *json, struct pcl_state *state, struct pcl_diag *diag)
{
	const char *name, *ns = NULL, *labels = NULL, *cgroup = NULL;
	pcl_cleanup(pcl_domain_free) struct pcl_domain *domain = NULL;
	json_int_t cgroup_id, mount_ns, pid_ns, id, incarnation;
	struct pcl_member *member, place;
	int error;

	if (json_unpack((json_t *)json, "{s:s, s?s, s?s, s?s, s:I, s:I, s:I, s:I, s:I !}", "name",
			&name, "namespace", &ns, "labels", &labels, "cgroup", &cgroup, "cgroup_id",
			&cgroup_id, "mount_ns", &mount_ns, "pid_ns", &pid_ns, "id", &id,
			"incarnation", &incarnation) < 0 ||
	    id <= 0 || id >= (json_int_t)PCL_DOMAINS_MAX || incarnation <= 0 ||
	    incarnation > UINT32_MAX || mount_ns < 0 || mount_ns > UINT32_MAX || pid_ns < 0 ||
	    pid_ns > UINT32_MAX)
		return -EBADMSG;
	place = (struct pcl_member){
		.cgroup_id = (uint64_t)cgroup_id,
		.mount_ns = (uint32_t)mount_ns,
		.pid_ns = (uint32_t)pid_ns,
		.id = (uint32_t)id,
		.incarnation = (uint32_t)incarnation,
	};
	if (!is_place(&place, cgroup))
		return -EBADMSG;
	error = pcl_domain_new(name, ns, labels, &domain, diag);
	if (error)
		return error == -EINVAL ? -EBADMSG : error;
	if (pcl_array_grow(&state->members, state->member_count, sizeof(*member)))
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	member = &state->members[state->member_count++];
	*member = place;
	member->domain = pcl_take_ptr(domain);
	if (!cgroup)
		return 0;
	member->cgroup = strdup(cgroup);
	return member->cgroup ? 0 : pcl_diag_set(diag, -ENOMEM, "out of memory");
}

static int members_from_json(const json_t *json, struct pcl_state *state, struct pcl_diag *diag)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(json))
		return -EBADMSG;
	json_array_foreach(json, i, item) {
		int error = member_from_json(item, state, diag);

		if (error)
			return error;
	}
	return check_different(state, diag);
}

static int postures_from_json(json_t *json, struct pcl_postures *ret_postures)
{
	int values[4];

	if (json_unpack(json, "[iiii!]", &values[0], &values[1], &values[2], &values[3]) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < PCL_ARRAY_SIZE(values); i++)
		if (values[i] < 0 || values[i] >= PCL_POSTURE_COUNT)
			return -EBADMSG;
	*ret_postures = (struct pcl_postures){
		.file = (enum pcl_posture)values[0],
		.network = (enum pcl_posture)values[1],
		.capabilities = (enum pcl_posture)values[2],
		.device = (enum pcl_posture)values[3],
	};
	return 0;
}

/* A version that writes another schema may write anything else differently too. */
static int check_schema(const json_t *json, struct pcl_diag *diag)
{
	const json_t *schema = json_object_get(json, "schema");

	if (!json_is_integer(schema))
		return -EBADMSG;
	if (json_integer_value(schema) != STATE_SCHEMA)
		return pcl_diag_set(diag, -EBADMSG,
				    "the saved state is another version's (schema %lld, not %d); "
				    "run \"portcullis remove\" and apply the policies again",
				    (long long)json_integer_value(schema), STATE_SCHEMA);
	return 0;
}

/* -EBADMSG without a word in diag for what is damaged in whatever way. */
static int state_from_json(const json_t *json, struct pcl_state **ret_state, struct pcl_diag *diag)
{
	pcl_cleanup(pcl_state_free) struct pcl_state *state = NULL;
	const char *backend, *node_labels = NULL, *hostname;
	json_int_t generation, alert_rate, last_id, last_incarnation;
	json_t *domains, *policies, *postures, *statuses;
	int schema, kernel, error;

	error = check_schema(json, diag);
	if (error)
		return error;
	if (json_unpack((json_t *)json,
			"{s:i, s:I, s:s, s:o, s?s, s:I, s:s, s:o, s:I, s:I, s:o, s:i, s:o !}",
			"schema", &schema, "generation", &generation, "backend", &backend,
			"postures", &postures, "node_labels", &node_labels, "alert_rate",
			&alert_rate, "hostname", &hostname, "domains", &domains, "last_id",
			&last_id, "last_incarnation", &last_incarnation, "policies", &policies,
			"kernel", &kernel, "statuses", &statuses) < 0 ||
	    alert_rate < 0 || alert_rate > PCL_ALERT_RATE_MAX || last_id < 0 ||
	    last_id >= (json_int_t)PCL_DOMAINS_MAX || last_incarnation <= 0 ||
	    last_incarnation > UINT32_MAX || kernel < 0)
		return -EBADMSG;
	error = pcl_state_new(hostname, node_labels, &state, diag);
	if (error)
		return error == -EINVAL ? -EBADMSG : error;
	state->generation = (uint64_t)generation;
	state->alert_rate = (uint32_t)alert_rate;
	state->kernel = (unsigned)kernel;
	if (postures_from_json(postures, &state->postures))
		return -EBADMSG;
	state->last_id = (uint32_t)last_id;
	state->last_incarnation = (uint32_t)last_incarnation;
	state->backend = strdup(backend);
	if (!state->backend)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	pcl_policy_set_free(&state->set);
	error = pcl_policies_from_json(policies, &state->set, diag);
	if (!error)
		error = members_from_json(domains, state, diag);
	if (!error && pcl_state_number(state))
		error = pcl_diag_set(diag, -ENOMEM, "out of memory");
	if (!error)
		error = pcl_statuses_from_json(statuses, state->rule_count, &state->statuses);
	if (!error)
		*ret_state = pcl_take_ptr(state);
	return error;
}

int pcl_state_load(uint64_t generation, struct pcl_state **ret_state, struct pcl_diag *diag)
{
	struct pcl_diag inner pcl_cleanup(pcl_diag_fini) = {0};
	pcl_autofree char *path = path_of(generation, "");
	pcl_cleanup(pcl_state_free) struct pcl_state *state = NULL;
	pcl_cleanup(drop_json) json_t *json = NULL;
	json_error_t fault;
	int error;

	if (!path)
		return pcl_diag_set(diag, -ENOMEM, "out of memory");
	if (access(path, R_OK) < 0)
		return errno == ENOENT ? -ENOENT : pcl_diag_errno(diag, -errno, "%s", path);
	json = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);
	error = json ? state_from_json(json, &state, &inner) : -EBADMSG;
	if (!error && state->generation != generation)
		error = -EBADMSG;
	if (error == -EBADMSG && inner.error != -EBADMSG)
		return pcl_diag_set(diag, error, "%s is" DAMAGED, path);
	if (error)
		return pcl_diag_set(diag, error, "%s: %s", path, pcl_diag_text(&inner));
	*ret_state = pcl_take_ptr(state);
	return 0;
}

void pcl_state_delete(uint64_t generation)
{
	pcl_autofree char *path = path_of(generation, "");

	if (path)
		(void)unlink(path);
}

/* --- files ----------------------------------------------------------------------------------- */

/* The generation a file name stands for, 0: none. */
static uint64_t generation_of(const char *name)
{
	char again[STATE_NAME_MAX];
	uint64_t generation;

	if (sscanf(name, STATE_NAME, &generation) != 1)
		return 0;
	/* scanf takes more than printf gives: signs, spaces, what follows the number. */
	snprintf(again, sizeof(again), STATE_NAME, generation);
	return strcmp(name, again) ? 0 : generation;
}

/* A file that was being written when the engine was killed. */
static bool is_leftover(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".new");
}

uint64_t pcl_state_last(void)
{
	pcl_autoclosedir DIR *dir = opendir(state_dir);
	struct dirent *entry;
	uint64_t last = 0;

	while (dir && (entry = readdir(dir))) {
		uint64_t generation = generation_of(entry->d_name);

		if (generation > last)
			last = generation;
	}
	return last;
}

void pcl_state_prune(uint64_t last)
{
	pcl_autoclosedir DIR *dir = opendir(state_dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		uint64_t generation = generation_of(entry->d_name);

		if ((generation && generation <= last) || is_leftover(entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

/* --- members ------------------------------------------------------------------------------ */

int pcl_state_number(struct pcl_state *state)
{
	const struct pcl_rule **rules;
	size_t count;
	int error = pcl_policy_set_rules(state->set, &rules, &count);

	if (error)
		return error;
	free((void *)state->rules);
	state->rules = rules;
	state->rule_count = count;
	return 0;
}

const struct pcl_rule *pcl_state_rule(const struct pcl_state *state, uint32_t number)
{
	return number && number <= state->rule_count ? state->rules[number - 1] : NULL;
}

static int compare_rules(const void *a, const void *b)
{
	return pcl_rule_compare(*(const struct pcl_rule *const *)a,
				*(const struct pcl_rule *const *)b);
}

uint32_t pcl_state_rule_number(const struct pcl_state *state, const struct pcl_rule *rule)
{
	const struct pcl_rule **found = NULL;

	if (rule && state->rule_count)
		found = bsearch((const void *)&rule, (const void *)state->rules, state->rule_count,
				sizeof(struct pcl_rule *), compare_rules);
	return found ? (uint32_t)(found - state->rules) + 1 : 0;
}

struct pcl_rule_status pcl_state_status(const struct pcl_state *state, const struct pcl_rule *rule)
{
	return pcl_statuses_get(&state->statuses, pcl_state_rule_number(state, rule));
}

/* Policies of the state without the rules that nothing is done of; those are borrowed. */
struct applied {
	struct pcl_policy_set set;
	struct pcl_policy *policies;
	struct pcl_rule **rules;
};

static void applied_fini(struct applied *applied)
{
	free(applied->rules);
	free(applied->policies);
	free((void *)applied->set.policies);
}

static int applied_make(const struct pcl_state *state, struct applied *applied)
{
	const struct pcl_policy_set *set = state->set;
	size_t count = 0;

	applied->policies = calloc(set->policy_count + 1, sizeof(*applied->policies));
	applied->set.policies = calloc(set->policy_count + 1, sizeof(struct pcl_policy *));
	applied->rules = calloc(state->rule_count + 1, sizeof(struct pcl_rule *));
	if (!applied->policies || !applied->set.policies || !applied->rules)
		return -ENOMEM;
	for (size_t i = 0; i < set->policy_count; i++) {
		struct pcl_policy *policy = &applied->policies[i];

		*policy = *set->policies[i];
		policy->rules = &applied->rules[count];
		policy->rule_count = 0;
		for (size_t r = 0; r < set->policies[i]->rule_count; r++) {
			struct pcl_rule *rule = set->policies[i]->rules[r];

			if (pcl_state_status(state, rule).status != PCL_STATUS_UNSUPPORTED)
				policy->rules[policy->rule_count++] = rule;
		}
		count += policy->rule_count;
		applied->set.policies[applied->set.policy_count++] = policy;
	}
	return 0;
}

int pcl_state_resolve(const struct pcl_state *state, const struct pcl_domain *domain,
		      struct pcl_ruleset **ret_ruleset)
{
	pcl_cleanup(applied_fini) struct applied applied = {0};
	int error;

	if (!pcl_statuses_count(&state->statuses, PCL_STATUS_UNSUPPORTED))
		return pcl_resolve(state->set, domain, &state->postures, ret_ruleset);
	error = applied_make(state, &applied);
	return error ? error : pcl_resolve(&applied.set, domain, &state->postures, ret_ruleset);
}

const struct pcl_member *pcl_state_member(const struct pcl_state *state, uint32_t id)
{
	for (size_t i = 0; i < state->member_count; i++)
		if (state->members[i].id == id)
			return &state->members[i];
	return NULL;
}

bool pcl_member_same_place(const struct pcl_member *a, const struct pcl_member *b)
{
	if (a->cgroup_id || b->cgroup_id)
		return a->cgroup_id == b->cgroup_id;
	if (a->mount_ns || b->mount_ns)
		return a->mount_ns == b->mount_ns;
	return a->pid_ns && a->pid_ns == b->pid_ns;
}

char *pcl_member_place(const struct pcl_member *member)
{
	char *text = NULL;

	if (member->cgroup)
		return strdup(member->cgroup);
	if (!member->mount_ns && !member->pid_ns)
		return strdup("");
	if (asprintf(&text, "mnt:[%u] pid:[%u]", member->mount_ns, member->pid_ns) < 0)
		return NULL;
	return text;
}
