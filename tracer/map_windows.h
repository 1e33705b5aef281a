/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps of the last hour that the traces view keeps ready
 * (tracer/graph_window.h), one for each scope that asked for its own lately.
 *
 * What is counted of a trace of the head is its digest, remembered as `mapped`.
 * A trace that changes gets into the head's list; the next question takes back
 * what was counted of it and counts what it says now. So nothing happens when
 * something is applied, and a question costs what changed since the last. A
 * trace that is sealed stays counted as it is, for that is what its block says.
 * At first a window is filled from the head and from the blocks' minutes.
 *
 * All under the view's lock, if not said otherwise.
 */
#ifndef TALLY_TRACER_MAP_WINDOWS_H
#define TALLY_TRACER_MAP_WINDOWS_H

#include "tracer/graph_window.h"
#include "tracer/head.h"

enum {
	MAP_WINDOWS_MAX = 4,
	/* Of all windows; over it the one that was asked longest ago goes. */
	MAP_WINDOWS_BYTES = 40 << 20,
	MAP_WINDOWS_IDLE_MINUTES = 30,  /* not asked for so long: it goes */
	MAP_WINDOWS_RETRY_MINUTES = 10, /* after one met a limit */
};

struct traces;

struct map_window {
	struct scope scope;
	struct graph_window *window; /* NULL: it met a limit, or not in use */
	bool used, ready;            /* ready: all of it has been filled in */
	int64_t asked_minute, retry_minute;
	uint64_t asked;  /* the higher, the later */
	uint64_t number; /* of all that were made */
};

struct map_windows {
	struct map_window list[MAP_WINDOWS_MAX];
	int64_t minute; /* now, since 1970; 0: not known yet */
	uint64_t asks, made;
};

void map_windows_fini(struct traces *t);
/* Drops all: what is stored is no longer what was counted. */
void map_windows_forget(struct traces *t);
/* In the applying thread, not under the lock: what time it is. */
void map_windows_note(struct traces *t, int64_t now_ns);
/* Before the head is replaced by `kept`, which has some of its traces. */
void map_windows_seal(struct traces *t, struct head *kept);
/* Not under the lock. 1: *out is the map of the minutes, shared; 0: it is not
 * theirs to answer; < 0: an error. */
int map_windows_ask(struct traces *t, const struct scope *scope,
		    int64_t from_minute, int64_t to_minute,
		    struct graph *out) MUST_USE;

#endif
