/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted on one node or edge of the service map: how calls ended, how
 * long they took, between when and when. All of it adds up, and but for first
 * and last it can be taken back as exactly: a map of the last hour is the one
 * of a minute ago, less the minute that left it, and a trace that changed
 * leaves as it came.
 *
 * Times are integers in nanoseconds. A histogram keeps the steps that occur:
 * 100 a decade, the numbers of two significant digits and the halves between
 * them below 2 (1.00, 1.05 ... 1.95, 2.0, 2.1 ... 9.9), so that what people
 * write comes back as it was and all else within 2.5 %.
 */
#ifndef TALLY_TRACER_GRAPH_STATS_H
#define TALLY_TRACER_GRAPH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"
#include "tracer/segment.h"

enum {
	GRAPH_DECADES = 11, /* from 1 us to 27 hours; below it is 0 */
	GRAPH_STEPS = 100,  /* of a decade */
	GRAPH_BUCKETS = 1 + GRAPH_DECADES * GRAPH_STEPS,
};

/* Count and step in eight bytes, since most of a map is these. A count is never
 * 0, of trailing it may be negative, and wraps at 2^47. */
struct graph_bucket {
	int64_t packed; /* count << 16 | step */
};

static inline struct graph_bucket graph_bucket(int64_t count, unsigned step)
{
	return (struct graph_bucket){ (int64_t)((uint64_t)count << 16 | step) };
}

static inline int64_t graph_bucket_count(struct graph_bucket b)
{
	return b.packed >> 16;
}

static inline unsigned graph_bucket_step(struct graph_bucket b)
{
	return (uint16_t)b.packed;
}

/* By step, ascending. Grows by doubling. */
struct graph_histogram {
	struct graph_bucket *items;
	uint16_t used, cap;
};

struct graph_stats {
	uint64_t seen; /* calls, with those that have no response (yet) */
	uint64_t ok, error, throttle, fault; /* of those that have one */
	uint64_t total_time_ns; /* of response times, or of ages; saturating */
	int64_t first_ns, last_ns;    /* start of the first, end of the last; 0:
				    * not known */
	uint64_t roots;               /* calls that began a trace */
	uint64_t own;                 /* calls the node itself tells of */
	struct graph_histogram times; /* response times; of a link: ages */
	/* Durations are response times plus this: a segment that works on
	 * after its response is one less at the one, one more at the other. */
	struct graph_histogram trailing;
};

void graph_stats_fini(struct graph_stats *s);
/* Sum of the four: calls that have a response. */
static inline uint64_t graph_total(const struct graph_stats *s)
{
	return s->ok + s->error + s->throttle + s->fault;
}

/* One call, added or (sign -1) taken back. */
struct graph_count {
	int64_t start_ns, end_ns;
	uint64_t duration_ns; /* response time, or an event's age */
	uint64_t work_ns;     /* until all its work was done; 0: the same */
	enum segment_status status;
	bool counted; /* it has a response */
	bool untimed; /* it has no duration to count */
	bool root, own;
};
/* ERR_NOMEM: s is as it was. Memory is needed for adding alone, or for a step
 * that is new. */
int graph_stats_count(struct graph_stats *s, const struct graph_count *c,
		      int sign) MUST_USE;
int graph_stats_merge(struct graph_stats *to, const struct graph_stats *from,
		      int sign) MUST_USE;

/* Adds n to one step. */
int graph_histogram_add(struct graph_histogram *h, unsigned step,
			int64_t n) MUST_USE;
/* The step of a time, and the time of a step. */
unsigned graph_step(uint64_t ns);
uint64_t graph_step_ns(unsigned step);
/* The response time, in ns, at or below which the share q (0 to 1) lies, by
 * nearest rank; 0: none. */
uint64_t graph_quantile(const struct graph_stats *s, double q);
/* The histogram of durations, into *out, which is the caller's to free. */
int graph_durations(const struct graph_stats *s,
		    struct graph_histogram *out) MUST_USE;

/* The stored form, of everything but first and last: varints, what is nothing
 * left out. */
void graph_stats_put(const struct graph_stats *s, struct buf *out);
/* Adds what is at the front of *rest to s and takes it off. ERR_CORRUPT,
 * ERR_NOMEM: s may have a part of it. */
int graph_stats_take(struct graph_stats *s, struct sv *rest, int sign) MUST_USE;
void graph_put_varint(struct buf *out, uint64_t v);
bool graph_take_varint(struct sv *rest, uint64_t *out) MUST_USE;

#endif
