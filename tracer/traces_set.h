/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of traces: those of a time range that a filter selects, and those of a
 * list of ids; and the service map of such a set. A filter is asked of each
 * trace, read from where it is stored: 10 to 50 us a trace, so there is a limit
 * to how many are looked at, newest first.
 */
#ifndef TALLY_TRACER_TRACES_SET_H
#define TALLY_TRACER_TRACES_SET_H

#include "tracer/facts.h"
#include "tracer/filter.h"
#include "tracer/traces.h"

enum { TRACES_SET_MAX = 50000 }; /* looked at for one question */

struct traces_set {
	const struct scope *scope;
	int64_t start_ns, end_ns;    /* traces with anything in it */
	const struct filter *filter; /* NULL: all of them */
	/* Filled in: traces in the range, those selected, and whether there
	 * were more than TRACES_SET_MAX to look at. */
	uint64_t processed, selected;
	bool cut;
};

/* Each that is selected, newest start first. 0: go on; < 0: an error, which is
 * returned. What it is given is valid in the call only. */
typedef int traces_set_fn(void *arg, const struct trace *trace,
			  struct facts *facts);
int traces_set_each(struct traces *t, struct traces_set *set, traces_set_fn *fn,
		    void *arg) MUST_USE;

/* The calls of a set's traces that began in its range, widened to whole
 * minutes, as the stored map has them. */
int traces_set_calls(struct traces *t, struct traces_set *set,
		     graph_call_fn *fn, void *arg) MUST_USE;
/* Their map; *out is the caller's: graph_fini. */
int traces_set_map(struct traces *t, struct traces_set *set,
		   struct graph *out) MUST_USE;

/* The stored map of a range, widened to whole minutes, piece by piece: each
 * call of the head, and graphs of one minute. call is made under the view's
 * lock. page: 0, or an error that ends it and is returned. */
struct traces_minutes {
	graph_call_fn *call;
	int (*page)(void *arg, int64_t minute_ns, const struct graph *g);
	void *arg;
};
int traces_map_minutes(struct traces *t, const struct scope *scope,
		       int64_t start_ns, int64_t end_ns,
		       const struct traces_minutes *sink) MUST_USE;

/* The map of the traces with these ids, all of each; *missing counts ids that
 * are not known. */
int traces_ids_map(struct traces *t, const struct scope *scope,
		   uint8_t (*ids)[TRACE_ID_SIZE], size_t count,
		   struct graph *out, size_t *missing) MUST_USE;

#endif
