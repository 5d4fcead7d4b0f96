/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of rules against the backends: what each backend does of each.
 */
#ifndef PCL_CLI_MATRIX_H
#define PCL_CLI_MATRIX_H

#include <stdbool.h>

/*
 * Prints the table, on any machine the same, as Markdown or as one JSON object. Returns an exit
 * code.
 */
int pcl_cli_print_matrix(bool json);

#endif
