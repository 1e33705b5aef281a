/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minutes of the service map, as a block has them: calls of many traces in
 * any order become one graph for each scope and minute. A few graphs are open
 * at a time; the one that was not used for longest is written down to pages
 * when another minute comes, and may have more pages later, so that memory
 * does not grow with the number of minutes that documents tell of.
 */
#ifndef TALLY_TRACER_MINUTES_H
#define TALLY_TRACER_MINUTES_H

#include "core/store/block.h"
#include "tracer/graph.h"
#include "tracer/rows.h"

enum { MINUTES_OPEN = 32 };

struct minute_graph {
	struct row_key key;
	struct graph graph;
	uint64_t used;
};

struct minute_page {
	struct row_key key;
	size_t at, len; /* in pages */
};

struct map_minutes {
	struct minute_graph open[MINUTES_OPEN];
	size_t open_count, last;
	uint64_t clock;
	struct buf pages;
	struct minute_page *list;
	size_t count, cap;
	int err; /* the first one */
};

#define MAP_MINUTES_INIT \
	{                \
		0        \
	}

void minutes_fini(struct map_minutes *m);
/* One call of a trace of key's scope. */
void minutes_count(struct map_minutes *m, const struct trace_key *key,
		   const struct graph_call *call);
/* Writes all pages, sorted by key (row_key_minute). */
int minutes_write(struct map_minutes *m, struct block_writer *w) MUST_USE;

#endif
