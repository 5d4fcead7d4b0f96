/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulesets to profiles. A domain has a profile of its own, and one for each program that a rule of
 * it names as a source: that one holds while the program runs, is entered when it is executed, and
 * left when it executes another. What a rule does is asked of policy/decide.h, for who owns the
 * object and for who does not.
 *
 * Besides what rules say, "audit deny" stands where another name would take an object out of its
 * rule: for the directories above it, and for a program that may not be executed.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/apparmor_maker.h"
#include "backend/apparmor_text.h"
#include "base/array.h"
#include "base/cleanup.h"

static void plan_classes(struct pcl_apparmor_maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;

	for (enum pcl_class class = 0; (int)class < PCL_CLASS_COUNT; class ++) {
		bool blocks = pcl_postures_get(&ruleset->postures, class) == PCL_POSTURE_BLOCK;
		bool list = ruleset->allow_list[class];

		maker->classes[class] = (struct pcl_apparmor_class){
			.grant =
				list && blocks ? PCL_APPARMOR_GRANT_LISTED : PCL_APPARMOR_GRANT_ALL,
			.told = list && !blocks,
			.rest = list && !blocks,
		};
	}
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct pcl_rule *rule = ruleset->rules[i];
		struct pcl_apparmor_class *class = &maker->classes[rule->class];

		if (rule->action != PCL_ACTION_AUDIT || !pcl_apparmor_is_active(maker, rule))
			continue;
		class->told = true;
		class->audited |= class->grant == PCL_APPARMOR_GRANT_LISTED;
	}
}

static bool is_path_class(enum pcl_class class)
{
	return class == PCL_CLASS_PROCESS || class == PCL_CLASS_FILE;
}

static int print_grants(struct pcl_apparmor_maker *maker)
{
	static const enum pcl_class order[] = {PCL_CLASS_PROCESS, PCL_CLASS_FILE, PCL_CLASS_NETWORK,
					       PCL_CLASS_CAPABILITY};
	static const char *const grants[PCL_CLASS_COUNT] = {
		/* KERNEL: what lies in memory without a name is executed as "/". */
		[PCL_CLASS_PROCESS] = "\"/{,**}\" ",
		[PCL_CLASS_FILE] = "\"/{,**}\" ",
		[PCL_CLASS_NETWORK] = "network",
		[PCL_CLASS_CAPABILITY] = "capability",
	};

	/* No rule is about it (apparmor_features.c). */
	(void)fputs("\tptrace", maker->out);
	pcl_apparmor_end_line(maker, NULL);
	for (size_t i = 0; i < PCL_ARRAY_SIZE(order); i++) {
		const struct pcl_apparmor_class *class = &maker->classes[order[i]];

		if (class->grant != PCL_APPARMOR_GRANT_ALL)
			continue;
		(void)fprintf(maker->out, "\t%s", grants[order[i]]);
		if (is_path_class(order[i]))
			pcl_apparmor_put_class(maker, order[i]);
		pcl_apparmor_end_line(maker, NULL);
		if (order[i] == PCL_CLASS_FILE)
			pcl_apparmor_put_any_link(maker);
		if (!class->rest)
			continue;
		if (!is_path_class(order[i]))
			pcl_apparmor_put_number_rest(maker, order[i]);
		else if (pcl_apparmor_put_path_rest(maker, order[i]))
			return -ENOMEM;
	}
	return 0;
}

/*
 * A container runtime puts what it starts into a profile. But nobody puts himself out of all of
 * them, or into one that is a program's; so the host's own is left only by executing.
 */
static void print_changes(struct pcl_apparmor_maker *maker)
{
	if (!maker->domain->ruleset->domain->host)
		return;
	(void)fputs("\tchange_profile -> [^:]**", maker->out);
	pcl_apparmor_end_line(maker, NULL);
	(void)fputs("\taudit deny change_profile -> unconfined", maker->out);
	pcl_apparmor_end_line(maker, NULL);
	(void)fputs("\taudit deny change_profile -> ", maker->out);
	pcl_apparmor_put_profile_name(maker, NULL, maker->out);
	(void)fprintf(maker->out, "%c*", PCL_APPARMOR_SOURCE_MARK);
	pcl_apparmor_end_line(maker, NULL);
}

/* AppArmor's own words, as they stand, behind the rule that they are of. */
static int add_native_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	if (!pcl_apparmor_is_whole(rule->object)) {
		(void)pcl_diag_set(maker->diag, -EINVAL,
				   "rule %s: its lines end the profile that they stand in; close "
				   "only braces and quotes that they open",
				   rule->id);
		return -EINVAL;
	}
	(void)fputs("\t# ", maker->out);
	pcl_apparmor_put_comment(rule->id, maker->out);
	(void)fputc('\n', maker->out);
	(void)fflush(maker->out);
	maker->line_start = maker->text_len;
	(void)fprintf(maker->out, "%s\n", rule->object);
	(void)fflush(maker->out);
	maker->hash = pcl_apparmor_hash_bytes(maker->hash, maker->text + maker->line_start,
					      maker->text_len - maker->line_start);
	maker->line_start = maker->text_len;
	return 0;
}

static int add_rule(struct pcl_apparmor_maker *maker, const struct pcl_rule *rule)
{
	switch (rule->class) {
	case PCL_CLASS_PROCESS:
	case PCL_CLASS_FILE:
		return pcl_apparmor_add_path_rule(maker, rule);
	case PCL_CLASS_NETWORK:
	case PCL_CLASS_CAPABILITY:
		pcl_apparmor_add_number_rule(maker, rule);
		return 0;
	case PCL_CLASS_NATIVE:
		return add_native_rule(maker, rule);
	case PCL_CLASS_DNS:
	case PCL_CLASS_SYSCALL:
	case PCL_CLASS_DEVICE:
		break;
	}
	assert(false);
	return 0;
}

/*
 * KERNEL: a file that is not below the root of its namespace, or was deleted, has no name without
 * these flags, and is then refused whatever the rules say.
 */
#define FLAGS "flags=(attach_disconnected,mediate_deleted)"

/* A profile of the host's is entered by whatever is executed by a task that has none. */
static void print_head(struct pcl_apparmor_maker *maker)
{
	(void)fputs("profile \"", maker->out);
	pcl_apparmor_put_profile_name(maker, maker->source, maker->out);
	(void)fputs("\" ", maker->out);
	if (maker->domain->ruleset->domain->host) {
		(void)fputc('"', maker->out);
		if (maker->source)
			pcl_apparmor_put_path(maker->source, maker->out);
		else
			(void)fputs("/{,**}", maker->out);
		(void)fputs("\" ", maker->out);
	}
	(void)fputs(FLAGS " {\n", maker->out);
}

static int print_body(struct pcl_apparmor_maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	int error, listed_error;

	plan_classes(maker);
	print_head(maker);
	error = print_grants(maker);
	print_changes(maker);
	if (!error)
		error = pcl_apparmor_open_listed(maker);
	for (size_t i = 0; !error && i < ruleset->rule_count; i++)
		if (pcl_apparmor_is_active(maker, ruleset->rules[i]))
			error = add_rule(maker, ruleset->rules[i]);
	pcl_apparmor_add_guards(maker);
	pcl_apparmor_free_guards(maker);
	if (!error)
		error = pcl_apparmor_put_globs(maker);
	pcl_apparmor_free_globs(maker);
	listed_error = pcl_apparmor_put_listed(maker);
	if (!error)
		error = listed_error;
	if (!error)
		error = pcl_apparmor_put_sources(maker);
	(void)fputs("}\n", maker->out);
	return error;
}

static void profile_fini(struct pcl_apparmor_profile *profile)
{
	free(profile->name);
	free(profile->source);
	free(profile->text);
}

static int name_profile(const struct pcl_apparmor_maker *maker,
			struct pcl_apparmor_profile *profile)
{
	size_t len;
	FILE *out = open_memstream(&profile->name, &len);

	if (!out)
		return -ENOMEM;
	pcl_apparmor_put_profile_name(maker, maker->source, out);
	if (fclose(out) != 0)
		return -ENOMEM;
	if (!maker->source)
		return 0;
	profile->source = strdup(maker->source);
	return profile->source ? 0 : -ENOMEM;
}

static int add_profile(struct pcl_apparmor_maker *maker, const char *source)
{
	struct pcl_apparmor_profile pcl_cleanup(profile_fini)
		profile = {.domain = maker->domain->id};
	struct pcl_apparmor_plan *plan = maker->plan;
	int error;

	maker->source = source;
	maker->hash = PCL_APPARMOR_HASH_START;
	maker->line_start = 0;
	maker->out = open_memstream(&maker->text, &maker->text_len);
	if (!maker->out)
		return -ENOMEM;
	error = print_body(maker);
	if (fclose(maker->out) != 0 && !error)
		error = -ENOMEM;
	profile.text = pcl_take_ptr(maker->text);
	profile.hash = maker->hash;
	if (!error)
		error = name_profile(maker, &profile);
	if (!error && pcl_array_grow(&plan->profiles, plan->count, sizeof(*plan->profiles)))
		error = -ENOMEM;
	if (error)
		return error;
	plan->profiles[plan->count++] = profile;
	memset(&profile, 0, sizeof(profile));
	return 0;
}

/* --- domains ------------------------------------------------------------------------------------
 */

static int add_source(void *context, const char *name)
{
	struct pcl_apparmor_maker *maker = context;

	return pcl_strings_add(&maker->sources, &maker->source_count, name);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect_sources(struct pcl_apparmor_maker *maker)
{
	const struct pcl_ruleset *ruleset = maker->domain->ruleset;
	size_t kept = 0;

	for (size_t r = 0; r < ruleset->rule_count; r++)
		for (size_t i = 0; i < ruleset->rules[r]->source_count; i++)
			if (pcl_aliases_each(maker->domain->aliases, ruleset->rules[r]->sources[i],
					     add_source, maker))
				return -ENOMEM;
	if (!maker->source_count)
		return 0;
	qsort(maker->sources, maker->source_count, sizeof(*maker->sources), compare_texts);
	for (size_t i = 0; i < maker->source_count; i++) {
		if (kept && !strcmp(maker->sources[kept - 1], maker->sources[i]))
			free(maker->sources[i]);
		else
			maker->sources[kept++] = maker->sources[i];
	}
	maker->source_count = kept;
	return 0;
}

/* The host's profile would confine every program, so there is none without a rule. */
static int add_domain(struct pcl_apparmor_maker *maker)
{
	int error;

	if (maker->domain->ruleset->domain->host && !maker->domain->ruleset->rule_count)
		return 0;
	error = collect_sources(maker);
	if (!error)
		error = add_profile(maker, NULL);
	for (size_t i = 0; !error && i < maker->source_count; i++)
		error = add_profile(maker, maker->sources[i]);
	pcl_strings_free(&maker->sources, &maker->source_count);
	return error;
}

static const char *missing_feature(const struct pcl_rule *rule,
				   const struct pcl_apparmor_features *features)
{
	if (is_path_class(rule->class) && !features->file)
		return "does not mediate files on this kernel";
	if (rule->class == PCL_CLASS_NETWORK && !features->network)
		return "does not mediate sockets on this kernel";
	if (rule->class == PCL_CLASS_CAPABILITY && !features->capabilities)
		return "does not mediate capabilities on this kernel";
	return NULL;
}

static int check_support(const struct pcl_backend_input *input,
			 const struct pcl_apparmor_features *features, struct pcl_diag *diag)
{
	for (size_t i = 0; i < input->domain_count; i++) {
		const struct pcl_ruleset *ruleset = input->domains[i].ruleset;

		for (size_t r = 0; r < ruleset->rule_count; r++) {
			const struct pcl_rule *rule = ruleset->rules[r];
			const struct pcl_rule_status status = pcl_apparmor_status(rule, 0);
			const char *reason = status.status == PCL_STATUS_UNSUPPORTED
						     ? status.reason
						     : missing_feature(rule, features);

			if (reason)
				return pcl_diag_set(diag, -EOPNOTSUPP,
						    "rule %s cannot be enforced: backend apparmor "
						    "%s",
						    rule->id, reason);
		}
	}
	return 0;
}

int pcl_apparmor_plan(const struct pcl_backend_input *input,
		      const struct pcl_apparmor_features *features,
		      struct pcl_apparmor_plan **ret_plan, struct pcl_diag *diag)
{
	static const struct pcl_apparmor_features all = {true, true, true};
	pcl_cleanup(pcl_apparmor_plan_free) struct pcl_apparmor_plan *plan =
		calloc(1, sizeof(*plan));
	struct pcl_apparmor_maker maker = {.input = input, .plan = plan, .diag = diag};
	int error = check_support(input, features ? features : &all, diag);

	if (!plan)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < input->domain_count; i++) {
		maker.domain = &input->domains[i];
		error = add_domain(&maker);
	}
	if (error == -ENOMEM)
		return pcl_diag_set(diag, error, "out of memory");
	if (error)
		return error;
	*ret_plan = pcl_take_ptr(plan);
	return 0;
}

void pcl_apparmor_plan_free(struct pcl_apparmor_plan **plan)
{
	if (!*plan)
		return;
	for (size_t i = 0; i < (*plan)->count; i++)
		profile_fini(&(*plan)->profiles[i]);
	free((*plan)->profiles);
	free(*plan);
	*plan = NULL;
}
