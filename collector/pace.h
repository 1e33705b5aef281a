/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pace: how fast the counters go, over about the last minute. All of them are
 * copied every PACE_STEP_S, the last PACE_SAMPLES copies are kept, and a rate
 * is the difference to the oldest copy over the time since. Right after the
 * start the time is shorter.
 */
#ifndef TALLY_COLLECTOR_PACE_H
#define TALLY_COLLECTOR_PACE_H

#include "collector/stats.h"
#include "core/sys/env.h"

enum { PACE_STEP_S = 10, PACE_SAMPLES = 6 };

struct pace;

int pace_new(struct pace **out, const struct env *env,
	     const struct stats *stats) MUST_USE;
void pace_free(struct pace *p); /* NULL is allowed */
/* Call it at least every PACE_STEP_S; more often does no harm. */
void pace_tick(struct pace *p);
/* Of counter i (stats_each_of), a second; any thread. */
double pace_per_s(struct pace *p, size_t i);

#endif
