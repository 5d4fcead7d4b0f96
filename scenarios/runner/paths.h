/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things lie, found from where the program lies: the checkout above build/gauntlet, its
 * cases, manifests and results, and the corpus of policies if there is one.
 */
#ifndef GNT_PATHS_H
#define GNT_PATHS_H

#include "base/diag.h"

/* This program; owned. */
int gnt_path_self(char **ret_path, struct pcl_diag *diag);
/* guest/ beside this program, where make build puts what guests need; owned. */
int gnt_path_guest(char **ret_path, struct pcl_diag *diag);
/* The folder above the program that holds vm-images/ and scenarios/; owned. */
int gnt_path_root(char **ret_root, struct pcl_diag *diag);
/* ROOT/below; owned. */
int gnt_path_below_root(const char *below, char **ret_path, struct pcl_diag *diag);
/*
 * The corpus: given (--corpus), else $PORTCULLIS_CORPUS, else ../shared/corpus beside the checkout.
 * A folder that was named and is not there is an error; none found by default is NULL.
 */
int gnt_path_corpus(const char *given, char **ret_path, struct pcl_diag *diag);

#endif
