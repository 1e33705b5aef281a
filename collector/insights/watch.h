/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch: once a minute has been quiet for WATCH_SETTLE_S, counts the traces
 * of every group of every account in it, in one thread that yields to all
 * others. What it finds is
 *
 *   AWS/XRay ApproximateTraceCount, ApproximateFaultCount {GroupName}
 *
 * data of that minute, journalled (ingest/measured.h), so that they can be drawn
 * and alarms be set on them; and, for groups with insights, incidents by the
 * rule of judge.h, which are kept in the catalogue. What comes after a minute
 * was counted is not counted any more: hence approximate.
 *
 * It keeps nothing in memory between two minutes: whether a minute was counted
 * is asked of the series, what came before too, and whether there is an
 * incident of the catalogue. So after a start it looks at the last
 * WATCH_CATCH_UP minutes again, and counts none twice. The group Default is
 * watched only where its insights are on.
 */
#ifndef TALLY_COLLECTOR_INSIGHTS_WATCH_H
#define TALLY_COLLECTOR_INSIGHTS_WATCH_H

#include "collector/catalogue/catalogue.h"
#include "collector/ingest/ingest.h"
#include "collector/series/series.h"
#include "tracer/traces.h"

enum {
	WATCH_SETTLE_S = 60,
	WATCH_CATCH_UP = 15, /* minutes */
	WATCH_EVERY_S = 10,
	WATCH_NICE = 10,
	WATCH_BYTES = 16 << 20, /* for one minute of one scope */
	WATCH_SCOPES_MAX = 1024,
	WATCH_APPLY_MS = 5000, /* longest wait for data to be applied */
};

struct watch_parts {
	const struct env *env;
	struct ingest *ingest;
	struct catalogue *catalogue;
	struct traces *traces;
	struct series *series;
};

struct watch;

int watch_start(struct watch **out, const struct watch_parts *parts,
		struct diag *diag) MUST_USE;
/* Ends its thread. NULL: nothing. */
void watch_stop(struct watch *w);

/* All that is to be done for the minute from start_ns on; what watch_start's
 * thread does. 0, or the first error: what went well is done. */
int watch_minute(const struct watch_parts *parts, int64_t start_ns) MUST_USE;

#endif
