/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invocations: C workers, each a thread with at most one sandbox, take the
 * next number until count are done. A worker keeps its sandbox as long as it
 * is sound; what fails it (time-out, memory, exit) makes the next one a cold
 * start. As Lambda does, an init that fails outside an invocation is tried
 * once more inside it, on the invocation's time.
 */
#ifndef TALLY_AGENT_INVOKE_H
#define TALLY_AGENT_INVOKE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/batch.h"
#include "agent/events.h"
#include "agent/function.h"
#include "core/sys/env.h"

enum { CONCURRENCY_MAX = 256, COUNT_MAX = 100000000 };

struct invoke_options {
	const struct function *function;
	const struct events *events;
	struct batch *batch;
	uint64_t count;
	unsigned concurrency;
	int stop_fd; /* readable: end soon */
	bool json;
	bool quiet; /* only the first invocation is shown */
};

struct invoke_totals {
	uint64_t runs, ok, errors, timeouts, out_of_memory, cold;
	uint64_t billed_ms;
	uint64_t duration_us; /* all together */
	uint64_t duration_us_max;
	bool spool_full; /* stopped before the count for it */
	bool stopped;
	bool broken; /* a sandbox could not be made; diag says why */
};

/* Returns when all are done or it was told to end; no process is left. Prints
 * answers on stdout, log lines on stderr. */
int invoke_all(const struct env *env, const struct invoke_options *options,
	       struct invoke_totals *totals, struct diag *diag) MUST_USE;

#endif
