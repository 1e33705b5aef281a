/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudWatch: GetMetricStatistics. Periods start where the question does (once
 * that is rounded), not at multiples since 1970, as the API reference's
 * examples show; so steps are read as fine as they are kept and joined here.
 */
#include "collector/api/api.h"

#include <math.h>

#include "collector/api/cloudwatch_shapes.h"
#include "collector/door/answer.h"
#include "core/store/sketch.h"
#include "core/wire/check.h"

enum {
	DATAPOINTS_MAX = 1440, /* of one answer */
	PERIOD_MAX_S = 86400,
	DAY_S = 86400,
};

/* One question, checked. */
struct question {
	const struct get_metric_statistics *in;
	int64_t start_ns, end_ns, period_ns;
	uint32_t step_s; /* as fine as data of that age is kept */
};

static bool invalid(struct request *r, const char *message)
{
	answer_error(r, "InvalidParameterValueException", message);
	return false;
}

/* The API reference: the start is rounded down by its age, and what is older
 * than 15 and 63 days is there in coarser steps. */
static uint32_t step_of(int64_t age_ns)
{
	if (age_ns <= 15 * DAY_S * NS_PER_S)
		return 60;
	return age_ns <= 63 * DAY_S * NS_PER_S ? 300 : 3600;
}

static bool check_period(struct request *r, const struct question *q)
{
	int64_t period_s = q->in->period.value;
	char text[160];

	if (period_s == 1 || period_s == 5 || period_s == 10 ||
	    period_s == 20 || period_s == 30)
		return invalid(r, "The parameter Period must be a multiple of "
				  "60: data is kept by the minute, also what "
				  "came with a StorageResolution of 1.");
	if (period_s % 60)
		return invalid(r, "The parameter Period must be a multiple of "
				  "60.");
	if (period_s > PERIOD_MAX_S)
		return invalid(r, "The parameter Period must be less than or "
				  "equal to 86400.");
	if (period_s % q->step_s) {
		snprintf(text, sizeof(text),
			 "The parameter Period must be a multiple of %u for a "
			 "StartTime of that age.",
			 q->step_s);
		return invalid(r, text);
	}
	return true;
}

static bool check_count(struct request *r, const struct question *q)
{
	int64_t count =
		(q->end_ns - q->start_ns + q->period_ns - 1) / q->period_ns;
	char text[200];

	if (count <= DATAPOINTS_MAX)
		return true;
	snprintf(text, sizeof(text),
		 "You have requested up to %lld datapoints, which exceeds the "
		 "limit of %d. You may reduce the datapoints requested by "
		 "increasing Period, or decreasing the time range.",
		 (long long)count, (int)DATAPOINTS_MAX);
	answer_error(r, "InvalidParameterCombinationException", text);
	return false;
}

static bool check_statistics(struct request *r,
			     const struct get_metric_statistics *in)
{
	if (!in->statistics.count && !in->extended_statistics.count) {
		answer_error(r, "InvalidParameterCombinationException",
			     "At least one of the parameters Statistics and "
			     "ExtendedStatistics must be specified.");
		return false;
	}
	for (size_t i = 0; i < in->extended_statistics.count; i++) {
		struct sv name = in->extended_statistics.items[i];

		if (!name.len || name.ptr[0] != 'p' ||
		    !series_statistic_known(name))
			return invalid(r, "The parameter ExtendedStatistics "
					  "must have percentiles, such as "
					  "p99.9; others are not kept.");
	}
	return true;
}

static bool in_range(int64_t ns)
{
	return ns >= 0 && ns < RECORD_TIME_NS_MAX;
}

static bool check(struct api *a, struct request *r, struct question *q)
{
	const struct get_metric_statistics *in = q->in;
	int64_t now = env_wall(a->env).ns;

	if (!check_statistics(r, in))
		return false;
	if (!in_range(in->start_time.ns) || !in_range(in->end_time.ns))
		return invalid(r, "The parameters StartTime and EndTime must "
				  "be between 1970 and 2100.");
	if (in->start_time.ns >= in->end_time.ns)
		return invalid(r, "The parameter StartTime must be less than "
				  "the parameter EndTime.");
	q->step_s = step_of(now - in->start_time.ns);
	q->start_ns =
		in->start_time.ns - in->start_time.ns % (q->step_s * NS_PER_S);
	q->end_ns = in->end_time.ns;
	if (!check_period(r, q))
		return false;
	q->period_ns = in->period.value * NS_PER_S;
	return check_count(r, q);
}

/* Steps that have become one. */
struct sum {
	struct series_point point;
	struct sketch sketch;
	bool distributed; /* every one of them has a distribution */
};

static int sum_add(struct sum *s, const struct series_point *p, bool first)
{
	if (first) {
		s->point = *p;
		s->distributed = true;
	} else {
		s->point.sum += p->sum;
		s->point.count += p->count;
		s->point.min = fmin(s->point.min, p->min);
		s->point.max = fmax(s->point.max, p->max);
	}
	s->distributed = s->distributed && p->dist;
	return s->distributed ? sketch_merge(&s->sketch, p->dist) : 0;
}

static bool wants(const struct question *q, const char *statistic)
{
	for (size_t i = 0; i < q->in->statistics.count; i++)
		if (sv_eq(q->in->statistics.items[i], sv_from(statistic)))
			return true;
	return false;
}

static struct shape_double put(const struct question *q,
			       const struct series_point *p, const char *name)
{
	struct shape_double v = { 0 };

	v.set = wants(q, name) && series_statistic(p, sv_from(name), &v.value);
	return v;
}

static int put_extended(const struct question *q, const struct series_point *p,
			struct arena *arena, struct datapoint *out)
{
	size_t count = q->in->extended_statistics.count;
	struct sv *keys = arena_array(arena, count, sizeof(*keys));
	struct shape_double *values =
		arena_array(arena, count, sizeof(*values));
	size_t n = 0;

	if (!keys || !values)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		keys[n] = q->in->extended_statistics.items[i];
		values[n].set = true;
		n += series_statistic(p, keys[n], &values[n].value);
	}
	out->extended_statistics.keys = keys;
	out->extended_statistics.values = values;
	out->extended_statistics.count = n;
	out->extended_statistics.set = n > 0;
	return 0;
}

/* False: it has none of the statistics that were asked for. */
static int put_datapoint(const struct question *q, struct sum *s,
			 int64_t start_ns, struct arena *arena,
			 struct get_metric_statistics_output *out)
{
	struct datapoint *d = &out->datapoints.items[out->datapoints.count];
	int e;

	s->point.dist = s->distributed ? &s->sketch : NULL;
	*d = (struct datapoint){
		.timestamp = { start_ns, true },
		.sample_count = put(q, &s->point, "SampleCount"),
		.average = put(q, &s->point, "Average"),
		.sum = put(q, &s->point, "Sum"),
		.minimum = put(q, &s->point, "Minimum"),
		.maximum = put(q, &s->point, "Maximum"),
	};
	e = put_extended(q, &s->point, arena, d);
	if (!e && (q->in->statistics.count || d->extended_statistics.count))
		out->datapoints.count++;
	return e;
}

/* Steps to periods; both ascend. */
static int join(const struct question *q, const struct series_point *points,
		size_t count, struct arena *arena,
		struct get_metric_statistics_output *out)
{
	int e = 0;

	out->datapoints.items = arena_array(arena, DATAPOINTS_MAX,
					    sizeof(*out->datapoints.items));
	out->datapoints.set = true;
	if (!out->datapoints.items)
		return ERR_NOMEM;
	for (size_t i = 0; !e && i < count;) {
		int64_t n = (points[i].time_ns - q->start_ns) / q->period_ns;
		int64_t start_ns = q->start_ns + n * q->period_ns;
		struct sum s = { .sketch = { .arena = arena } };
		size_t first = i;

		for (; !e && i < count &&
		       points[i].time_ns < start_ns + q->period_ns;
		     i++)
			e = sum_add(&s, &points[i], i == first);
		if (!e)
			e = put_datapoint(q, &s, start_ns, arena, out);
	}
	return e;
}

static int answer(struct api *a, struct request *r, const struct question *q,
		  struct get_metric_statistics_output *out)
{
	const struct series_query query = {
		.scope = &r->caller.scope,
		.ns = q->in->namespace,
		.name = q->in->metric_name,
		.dimensions = q->in->dimensions.items,
		.dimension_count = q->in->dimensions.count,
		.period_s = q->step_s,
		.start_ns = q->start_ns,
		.end_ns = q->end_ns,
		.distribution = q->in->extended_statistics.count > 0,
	};
	struct series_point *points;
	size_t count;
	int e = series_read(a->series, &query, &r->arena, &points, &count);

	return e ? e : join(q, points, count, &r->arena, out);
}

void api_get_metric_statistics(struct api *a, struct request *r)
{
	struct get_metric_statistics_output out = { 0 };
	struct get_metric_statistics in;
	struct question q = { .in = &in };
	int e;

	if (!answer_read(r, &get_statistics_shape, &in) || !check(a, r, &q))
		return;
	out.label = in.metric_name;
	e = answer(a, r, &q, &out);
	if (e == ERR_INVALID || e == ERR_LIMIT)
		answer_error(r, "InvalidParameterValueException",
			     "the series cannot be read by these times and "
			     "dimensions");
	else if (e)
		answer_error(r, "ServiceUnavailableException",
			     "the collector is busy: ask again");
	else
		answer_write(r, &get_statistics_output_shape, &out);
}
