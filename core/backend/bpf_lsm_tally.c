/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many alerts there were and what became of them, by domain, and the limit of their rate. The
 * kernel counts; this resets a count when its id is another domain's, and reads.
 */
#include "backend/bpf_lsm_tally.h"

#include <string.h>

#include "backend/bpf_lsm_pins.h"
#include "base/cleanup.h"

/* A rule may burst before its rate counts: as many as it earns in so many seconds. */
#define BURST_SECONDS 4u

void pcl_bpf_tally_prepare(const struct pcl_pins *pins, const struct pcl_backend_input *input)
{
	for (size_t i = 0; i < input->domain_count; i++) {
		struct pcl_bpf_tally *tally = &pins->tallies[input->domains[i].id];

		if (tally->incarnation == input->domains[i].incarnation)
			continue;
		memset(tally, 0, sizeof(*tally));
		tally->incarnation = input->domains[i].incarnation;
	}
	__atomic_store_n(&pins->control->alert_burst, input->alert_rate * BURST_SECONDS,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&pins->control->alert_rate, input->alert_rate, __ATOMIC_RELEASE);
}

void pcl_bpf_tally_sum(const struct pcl_pins *pins, struct pcl_backend_tally *ret_sum)
{
	struct pcl_backend_tally sum = {0};

	for (size_t i = 0; i < PCL_BPF_DOMAINS_MAX; i++) {
		sum.sent += pins->tallies[i].sent;
		sum.lost += pins->tallies[i].lost;
		sum.suppressed += pins->tallies[i].suppressed;
	}
	*ret_sum = sum;
}

int pcl_bpf_tally_read(const uint32_t *ids, size_t count, struct pcl_backend_tally *ret_tallies,
		       struct pcl_diag *diag)
{
	pcl_cleanup(pcl_pins_close) struct pcl_pins pins;
	int error = pcl_pins_open(&pins, diag);

	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		const struct pcl_bpf_tally *tally = &pins.tallies[ids[i]];

		ret_tallies[i] = (struct pcl_backend_tally){
			.sent = tally->sent,
			.lost = tally->lost,
			.suppressed = tally->suppressed,
		};
	}
	return 0;
}
