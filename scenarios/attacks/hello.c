/* SPDX-License-Identifier: Apache-2.0 */
/* hello TEXT [MORE]: says TEXT. Stands in for a program that a policy blocks: the text is its
 * trace. */
#include <stdio.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	return puts(argv[1]) < 0 ? 3 : 0;
}
