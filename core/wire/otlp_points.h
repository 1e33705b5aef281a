/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The points of one Metric, whatever kind it is of, as a number or as count,
 * sum, least and greatest; and which of them cannot be stored yet:
 *
 *   gauge, sum      its value. One that is cumulative is a level: what stood
 *                   on the counter at that time
 *   histogram       of delta: its statistics. Least and greatest are taken from
 *                   the bounds of the buckets where the sender has none.
 *                   Cumulative ones would count every value again and again
 *   exponential     likewise, but needs min and max
 *   summary         quantiles without values: refused
 */
#ifndef TALLY_CORE_WIRE_OTLP_POINTS_H
#define TALLY_CORE_WIRE_OTLP_POINTS_H

#include "core/wire/otlp_check.h"

struct metric {
	struct sv name, unit;
};

struct point {
	struct sv bytes;     /* all of it */
	uint32_t attributes; /* which field of it they are */
	size_t attribute_count;
	uint64_t time_ns;
	bool empty; /* it says that there was nothing */
	bool has_value;
	double value;
	uint64_t count; /* without a value: */
	double sum, min, max;
};

/* refusal: OTLP_OK, or why the point cannot be stored; then point is
 * unspecified. 0, or an error, which ends the walk. */
typedef int otlp_point_fn(void *arg, const struct metric *metric,
			  const struct point *point, int refusal);

size_t otlp_points_count(struct sv metric);
/* Calls fn for each point; refusal is what is wrong with resource or scope.
 * ERR_SYNTAX: the bytes are no Metric; or what fn returned. */
int otlp_points(struct sv metric, int refusal, otlp_point_fn *fn,
		void *arg) MUST_USE;

#endif
