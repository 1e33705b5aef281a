/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's counters, one row each in stats.def. Relaxed atomics: each
 * counter is exact, a snapshot of several is not of one instant.
 */
#ifndef TALLY_COLLECTOR_STATS_H
#define TALLY_COLLECTOR_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/base/text.h"

struct stats {
#define COUNTER(id, metric, labels, help) _Atomic uint64_t id;
#include "collector/stats.def"
#undef COUNTER
};

static inline void stats_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline uint64_t stats_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Appends all counters in Prometheus' text format. */
void stats_prometheus(const struct stats *s, struct buf *out);
enum { STATS_COUNT = sizeof(struct stats) / sizeof(_Atomic uint64_t) };

/* All values, in the order of stats.def. */
void stats_copy(const struct stats *s, uint64_t out[STATS_COUNT]);
/* Calls each for the rows of one metric: i in the order of stats.def, the value
 * of its label. */
void stats_each_of(const char *metric,
		   void (*each)(void *arg, size_t i, struct sv label),
		   void *arg);
/* Calls each(arg, identifier, value) for every counter. */
void stats_each(const struct stats *s,
		void (*each)(void *arg, const char *id, uint64_t value),
		void *arg);

#endif
