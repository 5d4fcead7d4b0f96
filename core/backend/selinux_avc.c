/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KERNEL: "avc:  denied  { PERMISSION... } for  KEY=VALUE...", or "granted"; and where a policy was
 * loaded, "policy loaded", from 5.10 on with KEY=VALUE words before or behind it.
 */
#include "backend/selinux_avc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/audit_word.h"
#include "backend/selinux_fs.h"
#include "base/array.h"

static int set_text(char **field, const struct pcl_audit_word *word)
{
	free(*field);
	*field = pcl_audit_word_text(word);
	return *field ? 0 : -ENOMEM;
}

static int set_type(char **field, const struct pcl_audit_word *word)
{
	char *context = pcl_audit_word_text(word);
	size_t len = 0;
	const char *type = context ? pcl_selinux_type_in(context, &len) : NULL;

	free(*field);
	*field = type ? strndup(type, len) : NULL;
	free(context);
	return *field || !type ? 0 : -ENOMEM;
}

static int take_word(struct pcl_selinux_avc *avc, const struct pcl_audit_word *word)
{
	unsigned long long number = strtoull(word->value, NULL, 10);

	if (pcl_audit_word_is_key(word, "pid"))
		avc->pid = (uint32_t)number;
	else if (pcl_audit_word_is_key(word, "ino"))
		avc->inode = number;
	else if (pcl_audit_word_is_key(word, "capability"))
		avc->capability = (int)number;
	else if (pcl_audit_word_is_key(word, "permissive"))
		avc->permissive = number;
	else if (pcl_audit_word_is_key(word, "path"))
		return set_text(&avc->path, word);
	else if (pcl_audit_word_is_key(word, "name"))
		return set_text(&avc->name, word);
	else if (pcl_audit_word_is_key(word, "comm"))
		return set_text(&avc->comm, word);
	else if (pcl_audit_word_is_key(word, "tclass"))
		return set_text(&avc->class_name, word);
	else if (pcl_audit_word_is_key(word, "scontext"))
		return set_type(&avc->source, word);
	else if (pcl_audit_word_is_key(word, "tcontext"))
		return set_type(&avc->target, word);
	return 0;
}

/* "{ ONE TWO }"; *text is moved behind it. -ENOMSG where it is not there. */
static int take_permissions(const char **text, struct pcl_selinux_avc *avc)
{
	const char *at = strchr(*text, '{'), *end = at ? strchr(at, '}') : NULL;

	if (!end)
		return -ENOMSG;
	for (at++; at < end;) {
		size_t len = strcspn(at, " }");
		char word[64];

		if (len && len < sizeof(word)) {
			memcpy(word, at, len);
			word[len] = '\0';
			if (pcl_strings_add(&avc->permissions, &avc->permissions_count, word))
				return -ENOMEM;
		}
		at += len + 1;
	}
	*text = end + 1;
	return 0;
}

static int take_avc(const char *text, struct pcl_selinux_avc *avc)
{
	static const char denied[] = "denied", granted[] = "granted", what[] = " for ";
	struct pcl_audit_word word;
	int error;

	text += strspn(text, " ");
	avc->denied = !strncmp(text, denied, strlen(denied));
	if (!avc->denied && strncmp(text, granted, strlen(granted)) != 0)
		return -ENOMSG;
	error = take_permissions(&text, avc);
	if (error)
		return error;
	if (!strncmp(text, what, strlen(what)))
		text += strlen(what);
	while (!error && pcl_audit_word_next(&text, &word))
		error = take_word(avc, &word);
	return !error && !(avc->class_name && avc->target) ? -ENOMSG : error;
}

int pcl_selinux_avc_parse(const char *text, struct pcl_selinux_avc *ret_avc)
{
	struct pcl_selinux_avc avc = {.capability = -1};
	static const char mark[] = "avc: ";
	unsigned milliseconds;
	uint64_t seconds;
	int skip = 0, error;

	if (sscanf(text, "audit(%" SCNu64 ".%u:%" SCNu64 "): %n", &seconds, &milliseconds,
		   &avc.serial, &skip) != 3 ||
	    !skip)
		return -ENOMSG;
	avc.time_ns = seconds * 1000000000u + (uint64_t)milliseconds * 1000000u;
	text += skip;
	if (!strncmp(text, mark, strlen(mark)))
		error = take_avc(text + strlen(mark), &avc);
	else if ((avc.loaded = strstr(text, "lsm=selinux") || strstr(text, "policy loaded")))
		error = 0;
	else
		error = -ENOMSG;
	if (error) {
		pcl_selinux_avc_fini(&avc);
		return error;
	}
	*ret_avc = avc;
	return 0;
}

static bool asks_only(const struct pcl_selinux_avc *avc, const char *const *permissions)
{
	for (size_t i = 0; i < avc->permissions_count; i++) {
		size_t at = 0;

		while (permissions[at] && strcmp(permissions[at], avc->permissions[i]) != 0)
			at++;
		if (!permissions[at])
			return false;
	}
	return avc->permissions_count;
}

/*
 * KERNEL: with fs.protected_hardlinks, who makes a hard link is asked whether it may read and write
 * the file, and goes on where it may not but owns it, or may act as if; then whether it may link.
 */
bool pcl_selinux_avc_is_same_link(const struct pcl_selinux_avc *first,
				  const struct pcl_selinux_avc *next)
{
	static const char *const asked_first[] = {"read", "write", NULL};
	static const char *const asked_next[] = {"link", NULL};

	return first->denied && next->denied && first->inode && first->inode == next->inode &&
	       first->pid == next->pid && next->serial - first->serial <= 1 &&
	       asks_only(first, asked_first) && asks_only(next, asked_next) &&
	       !strcmp(first->target, next->target);
}

void pcl_selinux_avc_fini(struct pcl_selinux_avc *avc)
{
	pcl_strings_free(&avc->permissions, &avc->permissions_count);
	free(avc->path);
	free(avc->name);
	free(avc->comm);
	free(avc->source);
	free(avc->target);
	free(avc->class_name);
	*avc = (struct pcl_selinux_avc){0};
}
