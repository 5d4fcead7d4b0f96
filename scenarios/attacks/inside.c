/* SPDX-License-Identifier: Apache-2.0 */
/* inside: has the keeper execute a program where the keeper is, and says what that said. */
#include "keeper.h"

int main(void)
{
	struct keeper_answer answer = {0};
	int connection = keeper_connect();

	if (connection < 0)
		return replay_broken("keeper", errno);
	if (keeper_ask(connection, 'e', &answer, NULL))
		return replay_broken("ask", errno);
	if (answer.error)
		return replay_refused("execve", answer.error);
	return replay_done("execve", answer.data, (size_t)answer.len);
}
