/* SPDX-License-Identifier: Apache-2.0 */
/* tally-agent: hosts Lambda handlers and tells the collector about them. */
#include "agent/agent.h"

int main(int argc, char **argv)
{
	struct agent_options options;

	agent_options_parse(&options, argc, argv);
	return agent_run(env_posix(), &options);
}
