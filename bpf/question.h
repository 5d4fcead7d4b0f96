/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a hook asks; what a judge understands. */
#ifndef PCL_BPF_QUESTION_H
#define PCL_BPF_QUESTION_H

/* pcl_question.flags */
#define ASK_BELOW (1u << 0)    /* the object is a directory about to move: ask for rules below it */
#define ASK_DELETED (1u << 1)  /* the object may have lost its name: then it matches no Allow */
#define ASK_NAMED (1u << 2)    /* only whether a rule refuses: no posture, no alert */
#define ASK_FAST (1u << 3)     /* a constant: this hook is called all the time */
#define ASK_QUIET (1u << 4)    /* only a refusal is told: the rest was told before */
#define ASK_HAS_NAME (1u << 5) /* what has no name was never the business of this hook */
#define ASK_MOVE (1u << 6)     /* the object gets another name: no preset's business */
#define ASK_MORE (1u << 7)     /* the operation asked before: by the same ruleset (task.h) */

/* pcl_number.quiet */
#define NUMBER_QUIET (1u << 0)	 /* no alert at all */
#define NUMBER_PENDING (1u << 1) /* no alert where it is permitted: another hook follows */

#endif
