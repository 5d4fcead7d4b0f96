/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to be smuggled into a dynamic program by LD_PRELOAD: says so before the program's own
 * main, which is all the evidence that is needed.
 */
#include <unistd.h>

__attribute__((constructor)) static void tell(void)
{
	static const char text[] = "the-library-ran\n";

	(void)!write(1, text, sizeof(text) - 1);
}
