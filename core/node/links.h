/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symbolic links on a rule's path: a rule means the name that it gives and the file behind it.
 */
#ifndef PCL_NODE_LINKS_H
#define PCL_NODE_LINKS_H

#include <stddef.h>

#include "base/diag.h"

/* name, as a policy gives it, also means the places in targets. */
struct pcl_alias {
	char *name;
	char *targets[2]; /* the last component with the links above it resolved; what it links to
			   */
	size_t target_count;
	char **more; /* found otherwise: names by an older mount, hard links */
	size_t more_count;
};

/* Sorted by name. */
struct pcl_aliases {
	struct pcl_alias *items;
	size_t count;
};

/*
 * Adds what name (absolute, normalised) means below root_fd, if links make it another place; a path
 * that does not exist is resolved as far as it does, one whose links never end or are too long
 * means what is above that link. Names must be added in ascending order; one that was added last is
 * not added again. 0 or -ENOMEM with diag.
 */
int pcl_aliases_add(struct pcl_aliases *aliases, int root_fd, const char *name,
		    struct pcl_diag *diag);
/* Another place that name means, if it is not known yet. After all names were added. 0 or -ENOMEM.
 */
int pcl_aliases_add_more(struct pcl_aliases *aliases, const char *name, const char *place);
void pcl_aliases_fini(struct pcl_aliases *aliases);

/* The alias of name, or NULL. aliases may be NULL. Borrowed. */
const struct pcl_alias *pcl_aliases_find(const struct pcl_aliases *aliases, const char *name);

/* Calls add for name and for everything else that it means; stops at an error, which it returns. */
int pcl_aliases_each(const struct pcl_aliases *aliases, const char *name,
		     int (*add)(void *context, const char *name), void *context);

#endif
