/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KERNEL: a record is KEY=VALUE words. What others may have chosen (paths, names of programs)
 * stands in double quotes where all its bytes are printable and none is a quote or a blank, and
 * else as digits in base 16 without quotes; so it cannot be taken for another word.
 */
#include "backend/apparmor_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/audit_word.h"
#include "base/cleanup.h"

static int set_text(char **field, const struct pcl_audit_word *word)
{
	free(*field);
	*field = pcl_audit_word_text(word);
	return *field ? 0 : -ENOMEM;
}

static int take_text(struct pcl_apparmor_record *record, const struct pcl_audit_word *word)
{
	const struct {
		const char *key;
		char **field;
	} fields[] = {
		{"operation", &record->operation}, {"profile", &record->profile},
		{"name", &record->name},	   {"target", &record->target},
		{"comm", &record->comm},	   {"requested_mask", &record->requested},
		{"denied_mask", &record->denied},  {"family", &record->family},
		{"sock_type", &record->type},	   {"capname", &record->capname},
		{"info", &record->info},
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(fields); i++)
		if (pcl_audit_word_is_key(word, fields[i].key))
			return set_text(fields[i].field, word);
	return 0;
}

static void take_number(struct pcl_apparmor_record *record, const struct pcl_audit_word *word)
{
	unsigned long value = strtoul(word->value, NULL, 10);

	if (pcl_audit_word_is_key(word, "pid"))
		record->pid = (uint32_t)value;
	else if (pcl_audit_word_is_key(word, "protocol"))
		record->protocol = (int)value;
	else if (pcl_audit_word_is_key(word, "capability"))
		record->capability = (int)value;
	else if (pcl_audit_word_is_key(word, "fsuid"))
		record->fsuid = (uint32_t)value;
	if (!pcl_audit_word_is_key(word, "ouid"))
		return;
	record->ouid = (uint32_t)value;
	record->has_owner = true;
}

static int take_verdict(struct pcl_apparmor_record *record, const struct pcl_audit_word *word)
{
	static const char *const words[] = {
		[PCL_APPARMOR_DENIED] = "DENIED",
		[PCL_APPARMOR_AUDITED] = "AUDIT",
		[PCL_APPARMOR_STATUS] = "STATUS",
	};

	for (size_t i = 0; i < PCL_ARRAY_SIZE(words); i++)
		if (pcl_audit_word_is_value(word, words[i])) {
			record->verdict = (enum pcl_apparmor_verdict)i;
			return 0;
		}
	return -ENOMSG;
}

static int take_words(const char *text, struct pcl_apparmor_record *record)
{
	struct pcl_audit_word word;
	int error;

	if (!pcl_audit_word_next(&text, &word) || !pcl_audit_word_is_key(&word, "apparmor"))
		return -ENOMSG;
	error = take_verdict(record, &word);
	while (!error && pcl_audit_word_next(&text, &word)) {
		error = take_text(record, &word);
		if (!word.quoted)
			take_number(record, &word);
	}
	if (!error && (!record->operation || !record->profile))
		error = -ENOMSG;
	return error;
}

/* AppArmor puts a slash behind a directory's name; rules have none there. Whether there was one. */
static bool strip_slash(char *path)
{
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || path[len - 1] != '/')
		return false;
	path[len - 1] = '\0';
	return true;
}

int pcl_apparmor_record_parse(const char *text, struct pcl_apparmor_record *ret_record)
{
	struct pcl_apparmor_record record = {.capability = -1};
	uint64_t seconds, serial;
	unsigned milliseconds;
	int skip = 0, error;

	if (sscanf(text, "audit(%" SCNu64 ".%u:%" SCNu64 "): %n", &seconds, &milliseconds, &serial,
		   &skip) != 3 ||
	    !skip)
		return -ENOMSG;
	record.serial = serial;
	record.time_ns = seconds * 1000000000u + (uint64_t)milliseconds * 1000000u;
	error = take_words(text + skip, &record);
	if (error) {
		pcl_apparmor_record_fini(&record);
		return error;
	}
	record.directory = strip_slash(record.name);
	(void)strip_slash(record.target);
	*ret_record = record;
	return 0;
}

void pcl_apparmor_record_fini(struct pcl_apparmor_record *record)
{
	free(record->operation);
	free(record->profile);
	free(record->name);
	free(record->target);
	free(record->comm);
	free(record->requested);
	free(record->denied);
	free(record->family);
	free(record->type);
	free(record->capname);
	free(record->info);
	*record = (struct pcl_apparmor_record){0};
}
