/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_file PROGRAM [ARGUMENT...]: forks and executes a program. To act as another source, a case
 * copies this program to the source's path and runs it from there.
 */
#include "spawn.h"

int main(int argc, char **argv)
{
	if (argc < 2)
		return replay_usage("exec_file PROGRAM [ARGUMENT...]");
	return spawn_and_report(argv + 1);
}
