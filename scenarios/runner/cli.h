/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one parser for all verbs, which answers a mistake with the nearest right word.
 * Verbs return a process exit code (enum gnt_exit). Only cli*.c, cmd_*.c, main.c print.
 */
#ifndef GNT_CLI_H
#define GNT_CLI_H

#include <stddef.h>

#include "base/diag.h"

struct gnt_cli_option {
	const char *name;     /* "--on" */
	const char *argument; /* "TARGET", or NULL: a flag */
	const char *help;
};

struct gnt_cli {
	const char *usage; /* the lines after "usage: " */
	const char *about;
	const struct gnt_cli_option *options; /* ends with a NULL name */
	/*
	 * One option (value NULL for a flag) or, with name NULL, one plain argument. 0, or -EINVAL
	 * with diag.
	 */
	int (*take)(void *context, const char *name, const char *value, struct pcl_diag *diag);
};

#define GNT_CLI_GO (-1) /* parsed; carry on */

/* argv[0] is the verb. GNT_CLI_GO, or the exit code after --help (0) or a mistake (2, printed). */
int gnt_cli_parse(const struct gnt_cli *cli, int argc, char **argv, void *context);

/* Prints "gauntlet: TEXT" and returns code. */
int gnt_cli_fail(int code, const struct pcl_diag *diag);

/* A whole number within limits; -EINVAL with diag. */
int gnt_cli_number(const char *option, const char *value, int min, int max, int *ret_number,
		   struct pcl_diag *diag);

/* A growing list of borrowed words. */
struct gnt_words {
	const char **items;
	size_t count;
};
int gnt_words_add(struct gnt_words *words, const char *word, struct pcl_diag *diag);
void gnt_words_fini(struct gnt_words *words);

/* "did you mean X?" and the like for a word that is not in known (count words); owned, never NULL
 * unless out of memory. */
char *gnt_cli_hint(const char *word, const char *const *known, size_t count);

int gnt_cmd_run(int argc, char **argv);
int gnt_cmd_list(int argc, char **argv);
int gnt_cmd_shell(int argc, char **argv);
int gnt_cmd_bench(int argc, char **argv);
int gnt_cmd_model(int argc, char **argv);
int gnt_cmd_images(int argc, char **argv);
/* Not for people: QEMU starts one for each connection to the metadata server. */
int gnt_cmd_metadata(int argc, char **argv);

/* As the program was called, for lines that say how to do it again. */
extern const char *gnt_program;

#endif
