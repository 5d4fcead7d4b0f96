/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random policies about the world, and the policy file that they stand for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model.h"

const char *const model_labels[MODEL_DOMAINS] = {NULL, "a", "b"};
const char *const model_domain_names[MODEL_DOMAINS] = {"host", "first", "second"};

static const char *const protocols[] = {"tcp", "udp", "icmp", "raw", "all", "stream", "dgram"};
static const char *const capabilities[] = {"sys_chroot", "sys_nice", "sys_boot", "sys_pacct"};
static const char *const syscalls[] = {"unlink", "mkdir",    "rmdir", "symlink",
				       "link",	 "truncate", "chroot"};

struct list_words {
	const char *section, *key, *word;
	bool has_sources, has_terminal, has_owner, has_read_only;
};

static const struct list_words lists[MODEL_LIST_COUNT] = {
	[MODEL_PROCESS_PATH] = {"process", "matchPaths", "path", true, true, true, false},
	[MODEL_PROCESS_NAME] = {"process", "matchPaths", "execname", true, true, true, false},
	[MODEL_PROCESS_DIR] = {"process", "matchDirectories", "dir", true, true, true, false},
	[MODEL_PROCESS_PATTERN] = {"process", "matchPatterns", "pattern", false, false, true,
				   false},
	[MODEL_FILE_PATH] = {"file", "matchPaths", "path", true, true, true, true},
	[MODEL_FILE_DIR] = {"file", "matchDirectories", "dir", true, true, true, true},
	[MODEL_FILE_PATTERN] = {"file", "matchPatterns", "pattern", false, false, true, true},
	[MODEL_PROTOCOL] = {"network", "matchProtocols", "protocol", true, true, false, false},
	[MODEL_CAPABILITY] = {"capabilities", "matchCapabilities", "capability", true, false, false,
			      false},
	[MODEL_SYSCALL] = {"syscalls", "matchSyscalls", "syscall", true, false, false, false},
	[MODEL_PRESET] = {"presets", NULL, "name", false, false, false, false},
};

static bool is_dir(const struct model_object *object)
{
	return object->kind == MODEL_DIR || object->kind == MODEL_EMPTY_DIR;
}

static const char *draw_path(struct model_random *random, bool dir)
{
	const struct model_object *object;

	do
		object = &model_objects[model_pick(random, model_object_count)];
	while (is_dir(object) != dir);
	return object->path;
}

static const char *draw_object(struct model_random *random, enum model_list list)
{
	switch (list) {
	case MODEL_PROCESS_PATH:
	case MODEL_FILE_PATH:
		return draw_path(random, !model_pick(random, 6));
	case MODEL_PROCESS_DIR:
	case MODEL_FILE_DIR:
		return draw_path(random, true);
	case MODEL_PROCESS_NAME:
		return model_names[model_pick(random, model_name_count)];
	case MODEL_PROCESS_PATTERN:
	case MODEL_FILE_PATTERN:
		return model_patterns[model_pick(random, model_pattern_count)];
	case MODEL_PROTOCOL:
		return protocols[model_pick(random, PCL_ARRAY_SIZE(protocols))];
	case MODEL_SYSCALL:
		return syscalls[model_pick(random, PCL_ARRAY_SIZE(syscalls))];
	case MODEL_PRESET:
		return pcl_preset_name((enum pcl_preset)model_pick(random, PCL_PRESET_COUNT));
	case MODEL_CAPABILITY:
	case MODEL_LIST_COUNT:
		break;
	}
	return capabilities[model_pick(random, PCL_ARRAY_SIZE(capabilities))];
}

static bool is_harmless(const char *protocol)
{
	return !strcmp(protocol, "tcp") || !strcmp(protocol, "udp");
}

static void draw_rule(struct model_random *random, bool host_only, const struct model_set *set,
		      struct model_rule *rule)
{
	const struct list_words *words;

	memset(rule, 0, sizeof(*rule));
	rule->policy = model_pick(random, set->policy_count);
	rule->list = (enum model_list)model_pick(random, MODEL_LIST_COUNT);
	/* The language has none for the host. */
	if (rule->list == MODEL_PRESET && !set->domain_of[rule->policy])
		rule->list = MODEL_PROCESS_PATH;
	words = &lists[rule->list];
	rule->object = draw_object(random, rule->list);
	rule->recursive = model_pick(random, 2);
	rule->owner_only = words->has_owner && !model_pick(random, 5);
	rule->read_only = words->has_read_only && !model_pick(random, 4);
	rule->no_terminal = words->has_terminal && !model_pick(random, 6);
	if (words->has_sources && !model_pick(random, 3))
		rule->sources = model_pick(random, 1u << MODEL_SOURCES);
	if ((rule->list == MODEL_PROCESS_PATH || rule->list == MODEL_PROCESS_NAME) &&
	    !model_pick(random, 3))
		rule->args = model_pick(random, 1u << ACT_ARGS);
	rule->severity = 1 + model_pick(random, 10);
	rule->action = (enum pcl_action)model_pick(random, PCL_ACTION_COUNT);
	/* The host's own services must live: no list that refuses them. */
	if (rule->action == PCL_ACTION_ALLOW && !set->domain_of[rule->policy] &&
	    set->postures.file == PCL_POSTURE_BLOCK)
		rule->action = PCL_ACTION_BLOCK;
	if (rule->list == MODEL_PRESET && rule->action == PCL_ACTION_ALLOW)
		rule->action = PCL_ACTION_AUDIT;
	/* What the driver and the applier talk by must live. */
	if (rule->list == MODEL_PROTOCOL && !set->domain_of[rule->policy] && !rule->sources &&
	    !(host_only && is_harmless(rule->object)))
		rule->sources = 1;
}

/* What few rules are taken of is not worth more. */
#define DRAWS_MAX 1000

static void draw_taken(struct model_random *random, const struct model_takers *takers,
		       struct model_set *set, size_t index)
{
	for (unsigned i = 0; i < DRAWS_MAX; i++) {
		draw_rule(random, takers->host_only, set, &set->rules[index]);
		if (!takers->takes || takers->takes(takers->context, set, index))
			return;
	}
}

void model_draw_set(struct model_random *random, const struct model_takers *takers,
		    struct model_set *ret_set)
{
	enum pcl_posture posture = model_pick(random, 2) ? PCL_POSTURE_BLOCK : PCL_POSTURE_AUDIT;

	memset(ret_set, 0, sizeof(*ret_set));
	ret_set->postures =
		(struct pcl_postures){.file = posture, .network = posture, .capabilities = posture};
	ret_set->policy_count = 1 + model_pick(random, MODEL_POLICIES);
	for (size_t i = 0; i < ret_set->policy_count; i++)
		ret_set->domain_of[i] = takers->host_only ? 0 : model_pick(random, MODEL_DOMAINS);
	ret_set->rule_count = 1 + model_pick(random, MODEL_RULES);
	for (size_t i = 0; i < ret_set->rule_count; i++)
		draw_taken(random, takers, ret_set, i);
	if (!model_pick(random, 12))
		ret_set->filler = 1000;
}

bool model_has_sources(const struct model_set *set)
{
	for (size_t i = 0; i < set->rule_count; i++)
		if (set->rules[i].sources)
			return true;
	return false;
}

void model_drop_rule(struct model_set *set, size_t index)
{
	memmove(&set->rules[index], &set->rules[index + 1],
		(set->rule_count - index - 1) * sizeof(set->rules[0]));
	set->rule_count--;
}

/* Double quotes of YAML, in which any byte but a broken UTF-8 one may stand. */
void model_print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_rule(const struct model_rule *rule, FILE *out)
{
	const struct list_words *words = &lists[rule->list];
	bool dir = rule->list == MODEL_PROCESS_DIR || rule->list == MODEL_FILE_DIR;
	char object[ACT_PATH_MAX + 1];

	snprintf(object, sizeof(object), "%s%s", rule->object, dir ? "/" : "");
	fprintf(out, "      - %s: ", words->word);
	/* The one word that takes a list. */
	if (rule->list == MODEL_SYSCALL)
		fprintf(out, "[%s]", object);
	else
		model_print_quoted(object, out);
	fputc('\n', out);
	if (dir && rule->recursive)
		fputs("        recursive: true\n", out);
	if (rule->owner_only)
		fputs("        ownerOnly: true\n", out);
	if (rule->read_only)
		fputs("        readOnly: true\n", out);
	if (rule->no_terminal)
		fputs("        pts: false\n", out);
	if (rule->args)
		fputs("        allowedArgs:\n", out);
	for (unsigned i = 0; i < ACT_ARGS; i++)
		if (rule->args & 1u << i)
			fprintf(out, "          - \"%s\"\n", act_args[i]);
	if (rule->sources)
		fputs("        fromSource:\n", out);
	for (unsigned i = 0; i < MODEL_SOURCES; i++)
		if (rule->sources & 1u << i)
			fprintf(out, "          - path: %s\n", model_sources[i]);
	fprintf(out, "        severity: %u\n        action: %s\n", rule->severity,
		pcl_action_name(rule->action));
}

/* The rules of one list, and the filler behind the file paths of the first policy. */
static void print_list(const struct model_set *set, unsigned policy, enum model_list list,
		       bool *section, const char **key, FILE *out)
{
	const struct list_words *words = &lists[list];
	unsigned filler = policy == 0 && list == MODEL_FILE_PATH ? set->filler : 0;

	for (size_t i = 0; i < set->rule_count + filler; i++) {
		const struct model_rule *rule = i < set->rule_count ? &set->rules[i] : NULL;

		if (rule && (rule->policy != policy || rule->list != list))
			continue;
		if (!*section)
			fprintf(out, "  %s:\n", words->section);
		if (words->key && (!*key || strcmp(*key, words->key) != 0))
			fprintf(out, "    %s:\n", words->key);
		*section = true;
		*key = words->key;
		if (rule)
			print_rule(rule, out);
		else
			fprintf(out,
				"      - path: " MODEL_ROOT "/filler/%zu/file\n"
				"        action: Block\n",
				i);
	}
}

static void print_policy(const struct model_set *set, unsigned policy, FILE *out)
{
	const char *label = model_labels[set->domain_of[policy]], *last = NULL;
	bool section = false;
	const char *key = NULL;

	fprintf(out,
		"---\napiVersion: security.kubearmor.com/v1\nkind: %s\n"
		"metadata: {name: policy-%u%s}\nspec:\n",
		label ? "KubeArmorPolicy" : "KubeArmorHostPolicy", policy,
		label ? ", namespace: model" : "");
	if (label)
		fprintf(out, "  selector: {matchLabels: {app: %s}}\n", label);
	else
		fputs("  nodeSelector: {matchLabels: {kubearmor.io/hostname: \"*\"}}\n", out);
	for (enum model_list list = 0; list < MODEL_LIST_COUNT; list++) {
		if (!last || strcmp(last, lists[list].section) != 0) {
			section = false;
			key = NULL;
		}
		last = lists[list].section;
		print_list(set, policy, list, &section, &key, out);
	}
}

static bool has_rules(const struct model_set *set, unsigned policy)
{
	if (!policy && set->filler)
		return true;
	for (size_t i = 0; i < set->rule_count; i++)
		if (set->rules[i].policy == policy)
			return true;
	return false;
}

char *model_print_set(const struct model_set *set)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (unsigned i = 0; i < set->policy_count; i++)
		if (has_rules(set, i))
			print_policy(set, i, out);
	return fclose(out) ? NULL : text;
}
