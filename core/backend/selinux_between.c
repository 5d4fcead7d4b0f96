/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of changes, and what holds between two of them.
 */
#include "backend/selinux_between.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

bool pcl_selinux_has_clone(const struct pcl_selinux_changes *changes, const char *name)
{
	for (size_t i = 0; i < changes->clones_count; i++)
		if (!strcmp(changes->clones[i].name, name))
			return true;
	return false;
}

int pcl_selinux_clone_add(struct pcl_selinux_changes *changes, const char *name, const char *base)
{
	struct pcl_selinux_clone *clone;

	if (pcl_selinux_has_clone(changes, name))
		return 0;
	if (pcl_array_grow(&changes->clones, changes->clones_count, sizeof(*clone)))
		return -ENOMEM;
	clone = &changes->clones[changes->clones_count++];
	*clone = (struct pcl_selinux_clone){
		.name = strdup(name),
		.base = base ? strdup(base) : NULL,
	};
	return clone->name && (clone->base || !base) ? 0 : -ENOMEM;
}

int pcl_selinux_clones_add(struct pcl_selinux_changes *changes,
			   const struct pcl_selinux_changes *from)
{
	for (size_t i = 0; i < from->clones_count; i++)
		if (from->clones[i].base && !pcl_selinux_has_clone(changes, from->clones[i].name)) {
			if (pcl_selinux_clone_add(changes, from->clones[i].name,
						  from->clones[i].base))
				return -ENOMEM;
			changes->clones[changes->clones_count - 1].plain = from->clones[i].plain;
		}
	return 0;
}

static int add_words(char ***to, size_t *to_count, char *const *from, size_t count,
		     const char *without)
{
	for (size_t i = 0; i < count; i++)
		if ((!without || strcmp(from[i], without) != 0) &&
		    pcl_strings_add(to, to_count, from[i]))
			return -ENOMEM;
	return 0;
}

static int copy_refuse(const struct pcl_selinux_refuse *from, struct pcl_selinux_refuse *to,
		       const struct pcl_selinux_changes *of)
{
	to->class_name = strdup(from->class_name);
	to->others = from->others;
	if (!to->class_name ||
	    add_words(&to->permissions, &to->permissions_count, from->permissions,
		      from->permissions_count, "relabelfrom") ||
	    add_words(&to->sources, &to->sources_count, from->sources, from->sources_count, NULL))
		return -ENOMEM;
	for (size_t i = 0; i < from->targets_count; i++)
		if ((!of || pcl_selinux_has_clone(of, from->targets[i])) &&
		    pcl_strings_add(&to->targets, &to->targets_count, from->targets[i]))
			return -ENOMEM;
	return 0;
}

static bool has_enter(const struct pcl_selinux_changes *changes,
		      const struct pcl_selinux_enter *enter)
{
	for (size_t i = 0; i < changes->enters_count; i++)
		if (!strcmp(changes->enters[i].target, enter->target) &&
		    !strcmp(changes->enters[i].source, enter->source) &&
		    !strcmp(changes->enters[i].class_name, enter->class_name))
			return true;
	return false;
}

/* Types that mean something else have other names, so both may hold at once. */
static int add_enters(struct pcl_selinux_changes *changes, const struct pcl_selinux_changes *from)
{
	for (size_t i = 0; i < from->enters_count; i++) {
		const struct pcl_selinux_enter *old = &from->enters[i];
		struct pcl_selinux_enter *enter;

		if (has_enter(changes, old))
			continue;
		if (pcl_array_grow(&changes->enters, changes->enters_count, sizeof(*enter)))
			return -ENOMEM;
		enter = &changes->enters[changes->enters_count++];
		*enter = (struct pcl_selinux_enter){strdup(old->source), strdup(old->target),
						    strdup(old->class_name), strdup(old->result)};
		if (!enter->source || !enter->target || !enter->class_name || !enter->result)
			return -ENOMEM;
	}
	return 0;
}

/* One more of a kind does no harm. */
static int add_leaves(struct pcl_selinux_changes *changes, const struct pcl_selinux_changes *from)
{
	for (size_t i = 0; i < from->leaves_count; i++) {
		struct pcl_selinux_leave *leave;

		if (pcl_array_grow(&changes->leaves, changes->leaves_count, sizeof(*leave)))
			return -ENOMEM;
		leave = &changes->leaves[changes->leaves_count++];
		*leave = (struct pcl_selinux_leave){strdup(from->leaves[i].source),
						    strdup(from->leaves[i].result)};
		if (!leave->source || !leave->result)
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->runs_count; i++)
		if (pcl_strings_add(&changes->runs, &changes->runs_count, from->runs[i]))
			return -ENOMEM;
	return 0;
}

/* Without relabelling, and where of is not NULL, of its clones only. */
static int add_refuses(struct pcl_selinux_changes *changes, const struct pcl_selinux_changes *from,
		       const struct pcl_selinux_changes *of)
{
	for (size_t i = 0; i < from->refuses_count; i++) {
		struct pcl_selinux_refuse *refuse;

		if (pcl_array_grow(&changes->refuses, changes->refuses_count, sizeof(*refuse)))
			return -ENOMEM;
		refuse = &changes->refuses[changes->refuses_count++];
		*refuse = (struct pcl_selinux_refuse){0};
		if (copy_refuse(&from->refuses[i], refuse, of))
			return -ENOMEM;
		/* None left means all targets to a patch, and here that nothing is to be done. */
		if (!refuse->permissions_count || (of && !refuse->targets_count))
			pcl_selinux_refuse_fini(&changes->refuses[--changes->refuses_count]);
	}
	return 0;
}

int pcl_selinux_between(const struct pcl_selinux_record *old, const struct pcl_selinux_record *new,
			struct pcl_selinux_changes *ret_changes)
{
	if (pcl_selinux_clones_add(ret_changes, &old->changes) ||
	    pcl_selinux_clones_add(ret_changes, &new->changes) ||
	    add_enters(ret_changes, &old->changes) || add_enters(ret_changes, &new->changes) ||
	    add_leaves(ret_changes, &old->changes) || add_leaves(ret_changes, &new->changes) ||
	    add_refuses(ret_changes, &old->changes, NULL))
		return -ENOMEM;
	return add_refuses(ret_changes, &new->changes, &new->changes);
}
