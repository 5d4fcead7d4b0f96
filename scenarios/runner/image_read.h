/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of an image's manifest.
 */
#ifndef GNT_IMAGE_READ_H
#define GNT_IMAGE_READ_H

#include "base/yaml.h"
#include "image.h"

/* Reads a whole manifest but for target and cells, and refuses what is incomplete. */
int gnt_image_read(const struct pcl_yaml_file *file, struct gnt_image **ret_image,
		   struct pcl_diag *diag);

#endif
