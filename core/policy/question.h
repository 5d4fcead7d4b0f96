/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations as people write them: "exec /usr/bin/apt by /bin/bash uid 0". What explain takes, and
 * what lint and diff give as examples.
 *
 *   exec PATH                         file VERB PATH        (read, write, unlink, rename, ...)
 *   connect PROTOCOL                  (also socket, bind, listen, accept, send)
 *   resolve NAME                      capability NAME       syscall NAME [PATH]
 *   device CLASS                      map                   (anonymous memory, executable)
 *
 * and then, in any order: by SOURCE, uid N, owner N, args A,B,..., family NAME, type NAME, subclass
 * N, protocol N, level N, and the single words terminal, entered, own, unknown (a path that cannot
 * be built). PATH may be "none", for what has no path. A word with blanks stands in double quotes,
 * in which "\" takes the next byte as it is. What is not said is not so: without owner, the acting
 * user does not own the object.
 */
#ifndef PCL_POLICY_QUESTION_H
#define PCL_POLICY_QUESTION_H

#include "policy/decide.h"

/* Stands for what has no path. */
#define PCL_QUESTION_NO_PATH "none"

struct pcl_question {
	struct pcl_operation operation; /* borrows from the rest */
	char **words;
	size_t word_count;
	char *object;
	char *source;
	char **args;
	size_t arg_count;
};

/* 0, or -EINVAL with diag: the offending word and what may stand there. */
int pcl_question_parse(const char *text, struct pcl_question **ret_question, struct pcl_diag *diag);
void pcl_question_free(struct pcl_question **question);

/* The operation as pcl_question_parse() takes it: a new string, or NULL without memory. */
char *pcl_question_print(const struct pcl_operation *operation);

#endif
