/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing two sets of traces, such as slow and fast ones: which properties
 * are more common in one than in the other, and on whose account the critical
 * path is longer. A property counts once a trace; what might as well be chance
 * is left out: a difference of shares below COMPARE_SIGMAS standard errors.
 *
 * Costs a hash look-up for each property of a trace. A name with over
 * COMPARE_VALUES_MAX values (order numbers) says nothing in common of a set, so
 * further values of it are counted in `cut`, as is all beyond
 * COMPARE_PROPERTIES_MAX. Takes at most 4 MiB. Pure.
 */
#ifndef TALLY_TRACER_COMPARE_H
#define TALLY_TRACER_COMPARE_H

#include "tracer/facts.h"
#include "tracer/graph_stats.h"

enum {
	COMPARE_PROPERTIES_MAX = 8192,
	COMPARE_VALUES_MAX = 100,   /* of one name */
	COMPARE_TEXT_MAX = 128,     /* bytes of a name or a value; cut */
	COMPARE_TRACES_MAX = 50000, /* of a set; more are not added */
	COMPARE_SIGMAS = 2,
};

enum compare_side { COMPARE_A, COMPARE_B, COMPARE_SIDES };

enum compare_kind {
	COMPARE_SERVICE,    /* the trace went through it */
	COMPARE_STATUS,     /* of the root: ok, error, throttle, fault */
	COMPARE_HTTP,       /* the root's status */
	COMPARE_ANNOTATION, /* name and value */
	COMPARE_USER,
	COMPARE_EXCEPTION, /* its type */
	COMPARE_ROOT,      /* the root's name */
	COMPARE_URL,       /* the root's, without what is behind a '?' */
	COMPARE_FAILED,    /* name: how; value: the service or call */
	COMPARE_KINDS,
};

/* "service", "status", ... */
const char *compare_kind_name(enum compare_kind kind);

struct compare_property {
	enum compare_kind kind;
	struct sv name, value; /* name: of annotations, and how it failed */
	uint64_t count[COMPARE_SIDES]; /* traces that have it */
};

/* Whose time the critical path is. */
struct compare_time {
	struct sv name;                 /* of a span */
	int64_t path_ns[COMPARE_SIDES]; /* in all traces together */
};

struct compare;

/* ERR_NOMEM. */
int compare_new(struct compare **out) MUST_USE;
void compare_free(struct compare *c);
/* One trace. ERR_NOMEM; ERR_LIMIT: COMPARE_TRACES_MAX are there. */
int compare_add(struct compare *c, enum compare_side side,
		struct facts *facts) MUST_USE;

uint64_t compare_traces(const struct compare *c, enum compare_side side);
/* Of the response times: that of which `permille` are at most as long; 0 where
 * there are none. Sorts them. */
int64_t compare_quantile_ns(struct compare *c, enum compare_side side,
			    unsigned permille);
/* The distribution of response times, into *out, whose items are the caller's
 * to free. ERR_NOMEM. */
int compare_histogram(const struct compare *c, enum compare_side side,
		      struct graph_histogram *out) MUST_USE;
/* Properties and values that there was no room for. */
uint64_t compare_cut(const struct compare *c);
/* Those that tell the sets from each other, the largest difference of shares
 * first; at most max. Borrowed from c. Returns how many. */
size_t compare_properties(struct compare *c, struct compare_property *out,
			  size_t max);
/* The largest difference of means first. */
size_t compare_times(struct compare *c, struct compare_time *out, size_t max);

#endif
