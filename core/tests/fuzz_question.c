/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations in words under libFuzzer: any text is taken or refused with an explanation, and what
 * is taken is printed so that it reads back as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcl_diag diag pcl_cleanup(pcl_diag_fini) = {0};
	pcl_cleanup(pcl_question_free) struct pcl_question *question = NULL;
	pcl_cleanup(pcl_question_free) struct pcl_question *again = NULL;
	pcl_autofree char *text = strndup((const char *)data, size);
	pcl_autofree char *printed = NULL, *printed_again = NULL;

	if (!text)
		return 0;
	if (pcl_question_parse(text, &question, &diag)) {
		if (!diag.text || question)
			abort();
		return 0;
	}
	printed = pcl_question_print(&question->operation);
	if (!printed || pcl_question_parse(printed, &again, NULL))
		abort();
	printed_again = pcl_question_print(&again->operation);
	if (!printed_again || strcmp(printed, printed_again) != 0 ||
	    again->operation.access != question->operation.access)
		abort();
	return 0;
}
