/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service map of the last hour, ready to be asked: the counts of one scope
 * by minute, and running sums of the ranges that were asked last. What is
 * counted goes into its minute and into the sums that have this minute; a range
 * that moved on by a minute is the one before, less the minute that left and
 * with the one that came. So a question costs what has changed, not what is
 * there: a map of 1,000 nodes and 5,000 edges over an hour would take 60 times
 * as long to add up as it takes to hand over.
 *
 * It covers GRAPH_WINDOW_MINUTES, two of them ahead of its now for senders
 * whose clocks are. Counts of other minutes are not kept; a minute that a
 * count was not kept for, because it was still too far ahead, is never
 * answered for. A question that it does not cover is the asker's to answer
 * from what is stored.
 *
 * Minutes lie open (an array of statistics, by entry) while they fit in
 * GRAPH_WINDOW_OPEN_BYTES, the rest as the bytes of a stored page. No lock.
 */
#ifndef TALLY_TRACER_GRAPH_WINDOW_H
#define TALLY_TRACER_GRAPH_WINDOW_H

#include "tracer/graph.h"

enum {
	GRAPH_WINDOW_MINUTES = 64,
	GRAPH_WINDOW_AHEAD = 2, /* minutes of these behind now */
	GRAPH_WINDOW_SUMS = 2,  /* ranges that are kept ready */
	GRAPH_WINDOW_OPEN_BYTES = 6 << 20,
	/* With all of it; over it the window is of no use: `broken`. */
	GRAPH_WINDOW_BYTES_MAX = 32 << 20,
};

struct graph_window;

/* account: the scope's own. now: minutes since 1970. NULL: no memory. */
struct graph_window *graph_window_new(uint64_t account, int64_t now_minute);
void graph_window_free(struct graph_window *w);
/* Moves on; back is not possible and changes nothing. */
void graph_window_advance(struct graph_window *w, int64_t now_minute);
/* One count enters, or (sign -1) leaves as it had entered. */
void graph_window_count(struct graph_window *w, const struct graph_call *call,
			int sign);
/* All of g enters, whose counts are of one minute. */
void graph_window_merge(struct graph_window *w, int64_t minute,
			const struct graph *g);
/* A limit or memory's end was met: it answers nothing from now on. */
bool graph_window_broken(const struct graph_window *w);
bool graph_window_covers(const struct graph_window *w, int64_t from_minute,
			 int64_t to_minute);
/* The map of minutes [from, to), which it covers (assert); *out is shared and
 * the caller's to graph_fini; it may have nodes that are not `there`.
 * ERR_NOMEM. */
int graph_window_map(struct graph_window *w, int64_t from_minute,
		     int64_t to_minute, struct graph *out) MUST_USE;
size_t graph_window_bytes(const struct graph_window *w);

#endif
