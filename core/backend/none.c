/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend that enforces nothing: it says so of every rule and remembers the generation. It is
 * the floor of the bench, and the proof that a harness that reports a denial has seen one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "base/cleanup.h"

/* Gone with the next boot, as every other backend's live state is. */
#define LIVE_PATH "/run/portcullis/none.live"

static int probe(const struct pcl_node *node, struct pcl_diag *diag)
{
	(void)node;
	(void)diag;
	return 0;
}

static int apply(const struct pcl_backend_input *input, struct pcl_diag *diag)
{
	FILE *file = fopen(LIVE_PATH ".new", "we");
	int error = 0;

	if (!file)
		return pcl_diag_errno(diag, -errno, "none: cannot write " LIVE_PATH);
	if (fprintf(file, "%" PRIu64 "\n", input->generation) < 0)
		error = -errno;
	if (fclose(file) != 0 && !error)
		error = -errno;
	if (!error && rename(LIVE_PATH ".new", LIVE_PATH) < 0)
		error = -errno;
	return error ? pcl_diag_errno(diag, error, "none: cannot write " LIVE_PATH) : 0;
}

static int remove_live(struct pcl_diag *diag)
{
	if (unlink(LIVE_PATH) < 0 && errno != ENOENT)
		return pcl_diag_errno(diag, -errno, "none: cannot remove " LIVE_PATH);
	return 0;
}

static int live(struct pcl_backend_live *ret_live, struct pcl_diag *diag)
{
	pcl_autofclose FILE *file = fopen(LIVE_PATH, "re");

	memset(ret_live, 0, sizeof(*ret_live));
	if (!file)
		return errno == ENOENT ? 0 : pcl_diag_errno(diag, -errno, "none: " LIVE_PATH);
	if (fscanf(file, "%" SCNu64, &ret_live->generation) != 1)
		return pcl_diag_set(diag, -EBADMSG,
				    "none: " LIVE_PATH " holds no generation; "
				    "run \"portcullis remove\"");
	return 0;
}

static const char *const kernels[] = {"any", NULL};

static unsigned kernel(void)
{
	return 0;
}

static struct pcl_rule_status status(const struct pcl_rule *rule, unsigned on)
{
	(void)rule;
	(void)on;
	return (struct pcl_rule_status){PCL_STATUS_UNSUPPORTED, "enforces nothing"};
}

const struct pcl_backend pcl_backend_none = {
	.name = "none",
	.enforcer = "none",
	.probe = probe,
	.kernels = kernels,
	.kernel = kernel,
	.status = status,
	.idle = true,
	.apply = apply,
	.remove = remove_live,
	.live = live,
};
