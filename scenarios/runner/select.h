/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to choose from (cases, targets, contenders), and the choice of a command line.
 * A word that names nothing is refused with the nearest that does.
 */
#ifndef GNT_SELECT_H
#define GNT_SELECT_H

#include "case.h"
#include "cli.h"
#include "contender.h"
#include "target.h"

#define GNT_TARGETS_BELOW_ROOT "vm-images"
#define GNT_CASES_BELOW_ROOT "scenarios/cases"

struct gnt_stock {
	struct gnt_case **cases;
	size_t case_count;
	struct gnt_target **targets;
	size_t target_count;
};

/* cases_dir NULL: those of the checkout. 0 or negative errno with diag. */
int gnt_stock_load_cases(struct gnt_stock *stock, const char *cases_dir, struct pcl_diag *diag);
int gnt_stock_load_targets(struct gnt_stock *stock, struct pcl_diag *diag);
void gnt_stock_fini(struct gnt_stock *stock);

/*
 * The named ones in the order of the stock, each once; no words: all cases, and the usual targets.
 * A case may also be named by its area ("file" or "file/"), a target by its alias ("debian-7"), by
 * a pattern ("bottlerocket-*"), and all of them by "all". Owned array of borrowed pointers.
 */
int gnt_select_cases(const struct gnt_stock *stock, const struct gnt_words *words,
		     const struct gnt_case ***ret_cases, size_t *ret_count, struct pcl_diag *diag);
int gnt_select_targets(const struct gnt_stock *stock, const struct gnt_words *words,
		       const struct gnt_target ***ret_targets, size_t *ret_count,
		       struct pcl_diag *diag);
/* No words: none and portcullis. */
int gnt_select_contenders(const struct gnt_words *words, const struct gnt_contender ***ret,
			  size_t *ret_count, struct pcl_diag *diag);

#endif
