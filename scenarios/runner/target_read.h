/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a target manifest, one layer of it at a time: a manifest's own mapping lies over that
 * of the manifest it is "like", and a cell's over both.
 */
#ifndef GNT_TARGET_READ_H
#define GNT_TARGET_READ_H

#include "base/yaml.h"
#include "target.h"

/* The layer belongs to a cell: its title comes behind the one below, and id, like, cells are not
 * for it. */
#define GNT_LAYER_CELL (1u << 0)

/*
 * Reads a mapping over what target holds: a key replaces what was there, but differences and known
 * add to it, since a cell differs in all that its manifest differs in. 0 or -errno with diag, and
 * then target may hold half of the layer.
 */
int gnt_target_read_layer(const struct pcl_yaml_file *file, const struct pcl_yaml_node *mapping,
			  unsigned flags, struct gnt_target *target, struct pcl_diag *diag);

/* What all layers together must hold; node is the place that a complaint names. */
int gnt_target_check(const struct pcl_yaml_file *file, const struct pcl_yaml_node *node,
		     const struct gnt_target *target, struct pcl_diag *diag);

/* A required or optional string of a mapping; the old *ret_text is freed when there is a new one.
 */
int gnt_target_read_string(const struct pcl_yaml_file *file, const struct pcl_yaml_node *mapping,
			   const char *key, char **ret_text, struct pcl_diag *diag);

#endif
