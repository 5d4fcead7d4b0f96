/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model back as policies. Inheritance is gone: every entry says all for itself.
 *
 * A rule's id tells the list and the place in it that it was read from, and is made anew from them
 * when the text is read; so entries are printed in the order of the ids, and the words of a comma
 * list are put together again.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/policy.h"

/* --- texts ----------------------------------------------------------------------------------- */

/* One character of UTF-8 at *text, which is moved behind it; a stray byte stands for itself. */
static uint32_t take_character(const unsigned char **text)
{
	const unsigned char *at = *text;
	size_t len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	uint32_t character = len == 1 ? at[0] : at[0] & (0x7fu >> len);

	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			*text += 1;
			return at[0];
		}
		character = character << 6 | (at[i] & 0x3f);
	}
	*text += len;
	return character;
}

/* What YAML would refuse, or take for the end of a line. */
static bool must_escape(uint32_t character)
{
	return character < ' ' || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
	       character == 0x2029 || character == 0xfeff || character == 0xfffe ||
	       character == 0xffff;
}

static void print_text(FILE *stream, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	(void)fputc('"', stream);
	while (*at) {
		const unsigned char *start = at;
		uint32_t character = take_character(&at);

		if (must_escape(character)) {
			(void)fprintf(stream, "\\u%04x", character);
			continue;
		}
		if (character == '"' || character == '\\')
			(void)fputc('\\', stream);
		(void)fwrite(start, 1, (size_t)(at - start), stream);
	}
	(void)fputc('"', stream);
}

static void print_list(FILE *stream, char *const *texts, size_t count)
{
	(void)fputc('[', stream);
	for (size_t i = 0; i < count; i++) {
		(void)fputs(i ? ", " : "", stream);
		print_text(stream, texts[i]);
	}
	(void)fputs("]\n", stream);
}

static void print_pair(FILE *stream, const char *indent, const char *key, const char *text)
{
	(void)fprintf(stream, "%s%s: ", indent, key);
	print_text(stream, text);
	(void)fputc('\n', stream);
}

static void print_attributes(FILE *stream, const char *indent, const struct pcl_rule *rule)
{
	(void)fprintf(stream, "%saction: %s\n", indent, pcl_action_name(rule->action));
	if (rule->severity)
		(void)fprintf(stream, "%sseverity: %d\n", indent, rule->severity);
	if (rule->tag_count) {
		(void)fprintf(stream, "%stags: ", indent);
		print_list(stream, rule->tags, rule->tag_count);
	}
	if (rule->message)
		print_pair(stream, indent, "message", rule->message);
}

/* --- entries --------------------------------------------------------------------------------- */

/* Behind "- ", which begins an entry. */
#define ENTRY_INDENT "      "

static void print_directory(FILE *stream, const char *key, const char *path)
{
	pcl_autofree char *text = NULL;

	if (asprintf(&text, "%s%s", path, path[1] ? "/" : "") < 0)
		text = NULL;
	print_pair(stream, "", key, text ? text : path);
}

static void print_number(FILE *stream, const char *key, int number)
{
	if (number != PCL_DEVICE_ANY)
		(void)fprintf(stream, ENTRY_INDENT "%s: %d\n", key, number);
}

static void print_device(FILE *stream, const struct pcl_device *device)
{
	if (device->class == PCL_DEVICE_ANY)
		(void)fputs("class: ALL\n", stream);
	else
		(void)fprintf(stream, "class: %d\n", device->class);
	print_number(stream, "subClass", device->sub_class);
	print_number(stream, "protocol", device->protocol);
	print_number(stream, "level", device->level);
}

/* The matcher's first line, which follows "- ". words holds the objects of a comma list. */
static void print_object(FILE *stream, const struct pcl_rule *rule, const char *words)
{
	switch (rule->match) {
	case PCL_MATCH_PATH:
		print_pair(stream, "", "path", rule->object);
		break;
	case PCL_MATCH_DIR:
	case PCL_MATCH_DIR_RECURSIVE:
		print_directory(stream, rule->class == PCL_CLASS_SYSCALL ? "path" : "dir",
				rule->object);
		if (rule->match == PCL_MATCH_DIR_RECURSIVE)
			(void)fputs(ENTRY_INDENT "recursive: true\n", stream);
		break;
	case PCL_MATCH_PATTERN:
		print_pair(stream, "", "pattern", rule->object);
		break;
	case PCL_MATCH_NAME:
		print_pair(stream, "", "execname", rule->object);
		break;
	case PCL_MATCH_PROTOCOL:
		print_pair(stream, "", "protocol", words);
		break;
	case PCL_MATCH_DOMAIN:
		print_pair(stream, "", "domain", words);
		break;
	case PCL_MATCH_CAPABILITY:
		print_pair(stream, "", "capability", words);
		break;
	case PCL_MATCH_PRESET:
		print_pair(stream, "", "name", rule->object);
		break;
	case PCL_MATCH_DEVICE:
		print_device(stream, &rule->device);
		break;
	case PCL_MATCH_SYSCALL:
	case PCL_MATCH_NATIVE:
		break;
	}
}

static void print_sources(FILE *stream, const struct pcl_rule *rule)
{
	if (!rule->source_count && !rule->source_dir_count)
		return;
	(void)fputs(ENTRY_INDENT "fromSource:\n", stream);
	for (size_t i = 0; i < rule->source_count; i++)
		print_pair(stream, ENTRY_INDENT "- ", "path", rule->sources[i]);
	for (size_t i = 0; i < rule->source_dir_count; i++) {
		print_pair(stream, ENTRY_INDENT "- ", "dir", rule->source_dirs[i].path);
		if (rule->source_dirs[i].recursive)
			(void)fputs(ENTRY_INDENT "  recursive: true\n", stream);
	}
}

static void print_entry(FILE *stream, const struct pcl_rule *rule, const char *words)
{
	bool list_first = rule->match == PCL_MATCH_SYSCALL;

	(void)fputs("    - ", stream);
	print_object(stream, rule, words);
	if (rule->syscall_count) {
		(void)fputs(list_first ? "syscall: " : ENTRY_INDENT "syscall: ", stream);
		print_list(stream, rule->syscalls, rule->syscall_count);
	}
	if (rule->flags & PCL_RULE_READ_ONLY)
		(void)fputs(ENTRY_INDENT "readOnly: true\n", stream);
	if (rule->flags & PCL_RULE_OWNER_ONLY)
		(void)fputs(ENTRY_INDENT "ownerOnly: true\n", stream);
	if (rule->flags & PCL_RULE_NO_TERMINAL)
		(void)fputs(ENTRY_INDENT "pts: false\n", stream);
	if (rule->flags & PCL_RULE_ALLOWED_ARGS) {
		(void)fputs(ENTRY_INDENT "allowedArgs: ", stream);
		print_list(stream, rule->args, rule->arg_count);
	}
	print_sources(stream, rule);
	print_attributes(stream, ENTRY_INDENT, rule);
}

/* --- lists ----------------------------------------------------------------------------------- */

/* What an id says of its rule's place: "process", "matchPaths", "[0]" and a word, or less. */
struct origin {
	const char *section;
	size_t section_len;
	const char *list; /* empty for a section that is a list */
	size_t list_len;
	size_t entry_len; /* of all up to the entry's "]", from section */
	const char *part; /* "" or the word of a comma list */
};

static struct origin origin_of(const struct pcl_rule *rule)
{
	const char *section = strchr(rule->id, '#');
	struct origin origin = {.section = section ? section + 1 : rule->id};
	const char *end;

	origin.section_len = strcspn(origin.section, ".[");
	origin.list = origin.section + origin.section_len;
	origin.list += *origin.list == '.';
	origin.list_len = strcspn(origin.list, "[");
	end = origin.list + origin.list_len;
	end += strcspn(end, "]");
	end += *end == ']';
	origin.entry_len = (size_t)(end - origin.section);
	origin.part = *end == '.' ? end + 1 : end;
	return origin;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && !strncmp(a, b, a_len);
}

/* The first rule behind start that is of another entry. */
static size_t end_of_entry(const struct pcl_policy *policy, size_t start)
{
	struct origin first = origin_of(policy->rules[start]);
	size_t end = start + 1;

	while (end < policy->rule_count) {
		struct origin next = origin_of(policy->rules[end]);

		if (!same(first.section, first.entry_len, next.section, next.entry_len))
			break;
		end++;
	}
	return end;
}

/* The objects of an entry's rules, with commas. */
static char *words_of(const struct pcl_policy *policy, size_t start, size_t end)
{
	bool twice = end == start + 1 && *origin_of(policy->rules[start]).part;
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		return NULL;
	for (size_t i = start; i < end; i++)
		(void)fprintf(stream, "%s%s", i > start ? "," : "", policy->rules[i]->object);
	/* A list whose only word was said twice is still a list. */
	if (twice)
		(void)fprintf(stream, ",%s", policy->rules[start]->object);
	return fclose(stream) ? NULL : pcl_take_ptr(text);
}

static int print_rules(FILE *stream, const struct pcl_policy *policy)
{
	struct origin last = {.section = "", .list = ""};
	size_t end;

	for (size_t i = 0; i < policy->rule_count; i = end) {
		const struct pcl_rule *rule = policy->rules[i];
		struct origin origin = origin_of(rule);
		pcl_autofree char *words = NULL;

		end = end_of_entry(policy, i);
		if (rule->match == PCL_MATCH_NATIVE)
			continue;
		words = words_of(policy, i, end);
		if (!words)
			return -ENOMEM;
		if (!same(last.section, last.section_len, origin.section, origin.section_len)) {
			(void)fprintf(stream, "  %.*s:\n", (int)origin.section_len, origin.section);
			last.list_len = 0;
		}
		if (origin.list_len &&
		    !same(last.list, last.list_len, origin.list, origin.list_len))
			(void)fprintf(stream, "    %.*s:\n", (int)origin.list_len, origin.list);
		print_entry(stream, rule, words);
		last = origin;
	}
	return 0;
}

/* --- policies -------------------------------------------------------------------------------- */

static void print_selector(FILE *stream, const struct pcl_policy *policy)
{
	(void)fprintf(stream, "  %s:\n",
		      policy->kind == PCL_KIND_HOST ? "nodeSelector" : "selector");
	if (policy->selector_count)
		(void)fputs("    matchLabels:\n", stream);
	/* A key that is written so may be of any length. */
	for (size_t i = 0; i < policy->selector_count; i++) {
		(void)fputs("      ? ", stream);
		print_text(stream, policy->selector[i].key);
		(void)fputs("\n      : ", stream);
		print_text(stream, policy->selector[i].value);
		(void)fputc('\n', stream);
	}
	if (policy->expression_count)
		(void)fputs("    matchExpressions:\n", stream);
	for (size_t i = 0; i < policy->expression_count; i++) {
		const struct pcl_expression *expression = &policy->expressions[i];

		(void)fprintf(stream, "    - key: %s\n      operator: %s\n      values: ",
			      expression->on_namespace ? "namespace" : "label",
			      expression->negated ? "NotIn" : "In");
		print_list(stream, expression->values, expression->value_count);
	}
	if (policy->container_count) {
		(void)fputs("    containers: ", stream);
		print_list(stream, policy->containers, policy->container_count);
	}
}

static const struct pcl_rule *native_rule(const struct pcl_policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i]->match == PCL_MATCH_NATIVE)
			return policy->rules[i];
	return NULL;
}

static int print_policy(FILE *stream, const struct pcl_policy *policy)
{
	const struct pcl_rule *native = native_rule(policy);

	(void)fprintf(stream, "---\napiVersion: security.kubearmor.com/v1\nkind: %s\nmetadata:\n",
		      pcl_kind_name(policy->kind));
	print_pair(stream, "  ", "name", policy->name);
	if (policy->ns)
		print_pair(stream, "  ", "namespace", policy->ns);
	(void)fputs("spec:\n", stream);
	print_selector(stream, policy);
	/* AppArmor's words have no entry: what is said of them is said of the whole policy. */
	if (native) {
		print_attributes(stream, "  ", native);
		print_pair(stream, "  ", "apparmor", native->object);
	}
	return print_rules(stream, policy);
}

int pcl_policy_set_print(const struct pcl_policy_set *set, char **ret_text)
{
	pcl_autofree char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	int error = 0;

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; !error && i < set->policy_count; i++)
		error = print_policy(stream, set->policies[i]);
	if (fclose(stream) || error)
		return -ENOMEM;
	*ret_text = pcl_take_ptr(text);
	return 0;
}
