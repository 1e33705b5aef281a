/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent as a whole: spools, batch, sender and invocations, opened in this
 * order, closed in the other, and the words said about them at the end.
 */
#ifndef TALLY_AGENT_AGENT_H
#define TALLY_AGENT_AGENT_H

#include "agent/options.h"
#include "core/sys/env.h"

/* The program's exit status. Blocks SIGINT and SIGTERM, and takes them as the
 * wish to end; must be called before any thread is made. */
int agent_run(const struct env *env, struct agent_options *options);

#endif
