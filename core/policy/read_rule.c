/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in: the sections of a policy, their lists and entries, and inheritance.
 *
 * Guarantee: an entry becomes rules, one or one for each word of its comma list, or a problem;
 * nothing that an entry says is dropped in silence. It must not decide precedence (resolve.c and
 * decide.c do).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "policy/entry.h"

/* Longest "process.matchDirectories[N]", for messages and ids. */
#define CONTEXT_SIZE 64

#define ATTRIBUTE_WORDS "action", "severity", "tags", "message"

static int copy_attributes(struct pcl_reader *reader, const struct pcl_attributes *attributes,
			   struct pcl_rule *rule)
{
	rule->action = attributes->has_action ? attributes->action : PCL_ACTION_BLOCK;
	rule->severity = attributes->severity;
	if (attributes->message) {
		rule->message = strdup(attributes->message);
		if (!rule->message)
			return pcl_reader_no_memory(reader);
	}
	for (size_t i = 0; attributes->tags && i < attributes->tags->count; i++)
		if (pcl_strings_add(&rule->tags, &rule->tag_count,
				    attributes->tags->items[i]->text))
			return pcl_reader_no_memory(reader);
	return 0;
}

/* pts: true is what holds anyway. */
static int read_terminal(struct pcl_entry *entry, struct pcl_rule *rule)
{
	const struct pcl_yaml_node *node = pcl_reader_get(entry->node, "pts");
	bool pts = true;
	int error;

	if (!node)
		return 0;
	error = pcl_yaml_bool(entry->reader->file, node, &pts, entry->reader->diag);
	if (error)
		return error;
	if (!pts)
		rule->flags |= PCL_RULE_NO_TERMINAL;
	else
		error = pcl_reader_notice(entry->reader, node,
					  "pts: true says nothing; only pts: false does");
	return error;
}

static int read_flags(struct pcl_entry *entry, struct pcl_rule *rule)
{
	bool read_only = false, owner_only = false;
	int error;

	error = pcl_reader_flag(entry->reader, entry->node, "readOnly", &read_only);
	if (!error)
		error = pcl_reader_flag(entry->reader, entry->node, "ownerOnly", &owner_only);
	if (!error)
		error = read_terminal(entry, rule);
	rule->flags |=
		(read_only ? PCL_RULE_READ_ONLY : 0) | (owner_only ? PCL_RULE_OWNER_ONLY : 0);
	return error;
}

int pcl_entry_new_rule(struct pcl_entry *entry, enum pcl_match match, const char *object,
		       struct pcl_rule **ret_rule)
{
	pcl_cleanup(pcl_rule_free) struct pcl_rule *rule = calloc(1, sizeof(*rule));
	int error;

	if (!rule)
		return pcl_reader_no_memory(entry->reader);
	rule->class = entry->list->class;
	rule->match = match;
	rule->place = entry->node->place;
	rule->policy = entry->policy;
	rule->object = strdup(object);
	if (!rule->object)
		return pcl_reader_no_memory(entry->reader);
	error = read_flags(entry, rule);
	if (!error)
		error = pcl_reader_sources(entry->reader, entry->node,
					   rule->class == PCL_CLASS_SYSCALL, rule);
	if (!error)
		error = copy_attributes(entry->reader, &entry->attributes, rule);
	if (error)
		return error;
	*ret_rule = pcl_take_ptr(rule);
	return 0;
}

int pcl_entry_add_rule(struct pcl_entry *entry, struct pcl_rule *rule, const char *part)
{
	pcl_cleanup(pcl_rule_free) struct pcl_rule *owned = rule;
	struct pcl_policy *policy = entry->policy;
	const char *scope = policy->kind == PCL_KIND_CLUSTER ? "*" : policy->ns;

	if (asprintf(&rule->id, "%s%s%s#%s%s%s", scope ? scope : "", scope ? "/" : "", policy->name,
		     entry->context, part ? "." : "", part ? part : "") < 0) {
		rule->id = NULL;
		return pcl_reader_no_memory(entry->reader);
	}
	if (pcl_array_grow(&policy->rules, policy->rule_count, sizeof(*policy->rules)))
		return pcl_reader_no_memory(entry->reader);
	policy->rules[policy->rule_count++] = pcl_take_ptr(owned);
	return 0;
}

static int read_native(struct pcl_reader *reader, struct pcl_policy *policy,
		       const struct pcl_yaml_node *node, const struct pcl_attributes *attributes)
{
	static const struct pcl_list list = {.section = "apparmor", .class = PCL_CLASS_NATIVE};
	struct pcl_entry entry = {reader, policy, &list, node, "apparmor", *attributes, false};
	struct pcl_rule *rule = NULL;
	const char *text;
	int error = pcl_yaml_string(reader->file, node, &text, reader->diag);

	if (!error)
		error = pcl_entry_new_rule(&entry, PCL_MATCH_NATIVE, text, &rule);
	return error ? error : pcl_entry_add_rule(&entry, rule, NULL);
}

static const char *const process_path_words[] = {"path",	  "execname",	 "ownerOnly",
						 "pts",		  "allowedArgs", "fromSource",
						 ATTRIBUTE_WORDS, NULL};
static const char *const process_dir_words[] = {"dir",	      "recursive",     "ownerOnly", "pts",
						"fromSource", ATTRIBUTE_WORDS, NULL};
static const char *const process_pattern_words[] = {"pattern", "ownerOnly", ATTRIBUTE_WORDS, NULL};
static const char *const file_path_words[] = {"path",	    "readOnly",	     "ownerOnly", "pts",
					      "fromSource", ATTRIBUTE_WORDS, NULL};
static const char *const file_dir_words[] = {"dir", "recursive",  "readOnly",	   "ownerOnly",
					     "pts", "fromSource", ATTRIBUTE_WORDS, NULL};
static const char *const file_pattern_words[] = {"pattern", "readOnly", "ownerOnly",
						 ATTRIBUTE_WORDS, NULL};
static const char *const protocol_words[] = {"protocol", "pts", "fromSource", ATTRIBUTE_WORDS,
					     NULL};
static const char *const domain_words[] = {"domain", "fromSource", ATTRIBUTE_WORDS, NULL};
static const char *const capability_words[] = {"capability", "fromSource", ATTRIBUTE_WORDS, NULL};
static const char *const syscall_words[] = {"syscall", "fromSource", ATTRIBUTE_WORDS, NULL};
static const char *const syscall_path_words[] = {"path",       "recursive",	"syscall",
						 "fromSource", ATTRIBUTE_WORDS, NULL};
static const char *const device_words[] = {"class", "subClass",	     "protocol",
					   "level", ATTRIBUTE_WORDS, NULL};
static const char *const preset_words[] = {"name", ATTRIBUTE_WORDS, NULL};

static const struct pcl_list lists[] = {
	{"process", "matchPaths", PCL_CLASS_PROCESS, "path: /...", pcl_entry_read_path,
	 process_path_words},
	{"process", "matchDirectories", PCL_CLASS_PROCESS, "dir: /.../", pcl_entry_read_dir,
	 process_dir_words},
	{"process", "matchPatterns", PCL_CLASS_PROCESS, "pattern: /...", pcl_entry_read_pattern,
	 process_pattern_words},
	{"file", "matchPaths", PCL_CLASS_FILE, "path: /...", pcl_entry_read_path, file_path_words},
	{"file", "matchDirectories", PCL_CLASS_FILE, "dir: /.../", pcl_entry_read_dir,
	 file_dir_words},
	{"file", "matchPatterns", PCL_CLASS_FILE, "pattern: /...", pcl_entry_read_pattern,
	 file_pattern_words},
	{"network", "matchProtocols", PCL_CLASS_NETWORK, "protocol: tcp", pcl_entry_read_protocol,
	 protocol_words},
	{"network", "matchDNSQueries", PCL_CLASS_DNS, "domain: example.com", pcl_entry_read_domain,
	 domain_words},
	{"capabilities", "matchCapabilities", PCL_CLASS_CAPABILITY, "capability: net_raw",
	 pcl_entry_read_capability, capability_words},
	{"syscalls", "matchSyscalls", PCL_CLASS_SYSCALL, "syscall: [unlink]",
	 pcl_entry_read_syscall, syscall_words},
	{"syscalls", "matchPaths", PCL_CLASS_SYSCALL, "path: /...", pcl_entry_read_syscall_path,
	 syscall_path_words},
	{"device", "matchDevice", PCL_CLASS_DEVICE, "class: HID", pcl_entry_read_device,
	 device_words},
	{"presets", NULL, PCL_CLASS_PROCESS, "name: exec", pcl_entry_read_preset, preset_words},
};

static const char *const sections[] = {"process",  "file",   "network", "capabilities",
				       "syscalls", "device", "presets", NULL};

static int read_entry(struct pcl_reader *reader, struct pcl_policy *policy,
		      const struct pcl_list *list, const struct pcl_yaml_node *node,
		      const char *context, const struct pcl_attributes *inherited)
{
	struct pcl_entry entry = {reader, policy, list, node, context, *inherited, false};
	size_t problems = reader->problems->count + reader->problems->left_out;
	int error;

	error = pcl_reader_words(reader, node, list->words, context);
	entry.suspect = reader->problems->count + reader->problems->left_out > problems;
	if (!error)
		error = pcl_reader_attributes(reader, node, &entry.attributes);
	return error ? error : list->read(&entry);
}

static int read_list(struct pcl_reader *reader, struct pcl_policy *policy,
		     const struct pcl_list *list, const struct pcl_yaml_node *entries,
		     const struct pcl_attributes *inherited)
{
	const char *dot = list->key ? "." : "", *key = list->key ? list->key : "";
	char context[CONTEXT_SIZE];
	int error;

	error = pcl_reader_list(reader, entries, list->key ? list->key : list->section,
				list->example);
	if (error)
		return pcl_reader_catch(reader, error);
	for (size_t i = 0; !error && i < entries->count; i++) {
		(void)snprintf(context, sizeof(context), "%s%s%s[%zu]", list->section, dot, key, i);
		error = pcl_reader_catch(reader, read_entry(reader, policy, list, entries->items[i],
							    context, inherited));
	}
	return error;
}

/* The keys of section's lists, and the attributes. */
static int check_section(struct pcl_reader *reader, const char *section,
			 const struct pcl_yaml_node *node)
{
	const char *words[] = {NULL, NULL, NULL, ATTRIBUTE_WORDS, NULL};
	char context[CONTEXT_SIZE];
	size_t count = 0, kept = 0;

	for (size_t l = 0; l < PCL_ARRAY_SIZE(lists); l++)
		if (!strcmp(lists[l].section, section))
			words[count++] = lists[l].key;
	/* Close the gap that a short section leaves. */
	for (size_t i = 0; i + 1 < PCL_ARRAY_SIZE(words); i++)
		if (words[i])
			words[kept++] = words[i];
	words[kept] = NULL;
	(void)snprintf(context, sizeof(context), "spec.%s", section);
	return pcl_reader_words(reader, node, words, context);
}

static int read_section(struct pcl_reader *reader, struct pcl_policy *policy, const char *section,
			const struct pcl_yaml_node *node, const struct pcl_attributes *inherited)
{
	struct pcl_attributes attributes = *inherited;
	bool presets = !strcmp(section, "presets");
	int error = 0;

	if (!presets) {
		error = check_section(reader, section, node);
		if (!error)
			error = pcl_reader_attributes(reader, node, &attributes);
	}
	if (!error && !strcmp(section, "syscalls") && attributes.has_action &&
	    attributes.action != PCL_ACTION_AUDIT)
		error = pcl_reader_notice(reader, node,
					  "system calls are audited, whatever the action: %s is "
					  "read as Audit",
					  pcl_action_name(attributes.action));
	for (size_t l = 0; !error && l < PCL_ARRAY_SIZE(lists); l++) {
		const struct pcl_yaml_node *entries;

		if (strcmp(lists[l].section, section) != 0)
			continue;
		entries = presets ? node : pcl_reader_get(node, lists[l].key);
		if (entries)
			error = read_list(reader, policy, &lists[l], entries, &attributes);
	}
	return error;
}

int pcl_reader_sections(struct pcl_reader *reader, struct pcl_policy *policy,
			const struct pcl_yaml_node *spec, const struct pcl_attributes *attributes)
{
	const struct pcl_yaml_node *native = pcl_reader_get(spec, "apparmor");
	int error = 0;

	for (size_t s = 0; !error && sections[s]; s++) {
		const struct pcl_yaml_node *node = pcl_reader_get(spec, sections[s]);

		if (node)
			error = pcl_reader_catch(reader, read_section(reader, policy, sections[s],
								      node, attributes));
	}
	if (!error && native)
		error = pcl_reader_catch(reader, read_native(reader, policy, native, attributes));
	return error;
}
