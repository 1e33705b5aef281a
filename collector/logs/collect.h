/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best of what is offered, in bounded memory: the first `limit` lines by
 * key (or the last, descending) that fit `bytes_max` of text. Lines may be
 * offered in any order, so sources are read one after the other, each only as
 * far as it can still matter. A heap with the worst line on top.
 *
 * One line over the limit is kept, so that "there is more" is known exactly;
 * a line that was put out for its bytes is a bar that nothing behind it passes.
 */
#ifndef TALLY_COLLECTOR_LOGS_COLLECT_H
#define TALLY_COLLECTOR_LOGS_COLLECT_H

#include "collector/logs/keys.h"
#include "core/base/arena.h"

struct collect_item;

struct collect {
	size_t limit;
	uint64_t bytes_max;
	bool descending;
	struct collect_item **items;
	size_t count, capacity;
	uint64_t bytes;
	bool has_bar;
	struct event_key bar;
};

void logs_collect_fini(struct collect *c);
/* Copies the line, unless it is worse than all that can be kept. */
int logs_collect_add(struct collect *c, const struct line *line) MUST_USE;
/* True: no line at this time or further can get in. */
bool logs_collect_done(const struct collect *c, int64_t time_ns);
/* Best first, copied to the arena. */
int logs_collect_take(struct collect *c, struct arena *arena,
		      struct log_event **events, size_t *count,
		      bool *truncated) MUST_USE;

#endif
