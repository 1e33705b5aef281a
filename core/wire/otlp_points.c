/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_points.h"

/* What the data of a Metric say of all their points. */
struct data {
	uint32_t kind; /* METRIC_GAUGE, ... */
	uint64_t temporality;
};

/* --- numbers ----------------------------------------------------------------------------- */

static int read_number(struct sv bytes, struct point *out)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int refusal = OTLP_OK;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		switch (PROTOBUF_TAG(f.number, f.type)) {
		case PROTOBUF_TAG(POINT_TIME, PROTOBUF_FIXED64):
			out->time_ns = f.value;
			break;
		case PROTOBUF_TAG(NUMBER_DOUBLE, PROTOBUF_FIXED64):
			out->value = protobuf_double(f.value);
			out->has_value = true;
			break;
		case PROTOBUF_TAG(NUMBER_INT, PROTOBUF_FIXED64):
			out->value = (double)(int64_t)f.value;
			out->has_value = true;
			break;
		case PROTOBUF_TAG(NUMBER_FLAGS, PROTOBUF_VARINT):
			out->empty = f.value & POINT_NO_VALUE;
			break;
		case PROTOBUF_TAG(NUMBER_ATTRIBUTES, PROTOBUF_BYTES):
			out->attribute_count++;
			refusal = otlp_worse(refusal,
					     otlp_check_attribute(f.bytes));
			break;
		case PROTOBUF_TAG(2, PROTOBUF_FIXED64): /* its start */
		case PROTOBUF_TAG(5, PROTOBUF_BYTES):   /* exemplars */
			break;
		default:
			/* 1 was labels once */
			if (f.number > 1 && f.number <= NUMBER_FLAGS)
				return ERR_SYNTAX;
		}
		if (refusal < 0)
			return refusal;
	}
	out->attributes = NUMBER_ATTRIBUTES;
	out->empty |= !out->has_value;
	return e ? e : refusal;
}

/* --- histograms -------------------------------------------------------------------------- */

struct histogram {
	struct sv counts, bounds; /* packed */
	bool has_sum, has_min, has_max;
};

static double bound_at(const struct histogram *h, size_t i)
{
	return protobuf_double(
		get_le64((const uint8_t *)h->bounds.ptr + 8 * i));
}

/* Where the sender has no least and greatest value: the bounds of the outermost
 * buckets that are not empty, and in an open one its only bound. */
static void guess_ends(const struct histogram *h, struct point *out)
{
	size_t buckets = h->counts.len / 8, bounds = h->bounds.len / 8;
	size_t first = buckets, last = 0;

	for (size_t i = 0; i < buckets; i++) {
		if (!get_le64((const uint8_t *)h->counts.ptr + 8 * i))
			continue;
		if (first == buckets)
			first = i;
		last = i;
	}
	if (!bounds || first == buckets || buckets != bounds + 1) {
		/* One bucket: all that is known is the mean. */
		if (!h->has_min)
			out->min = out->sum / (double)out->count;
		if (!h->has_max)
			out->max = out->sum / (double)out->count;
		return;
	}
	if (!h->has_min)
		out->min = bound_at(h, first ? first - 1 : 0);
	if (!h->has_max)
		out->max = bound_at(h, last < bounds ? last : bounds - 1);
	if (out->max < out->min) {
		if (h->has_min)
			out->max = out->min;
		else
			out->min = out->max;
	}
}

static int judge_histogram(const struct histogram *h, bool can_guess,
			   struct point *out)
{
	if (!out->count)
		out->empty = true;
	if (out->empty)
		return OTLP_OK;
	if (!h->has_sum)
		return OTLP_NO_SUM;
	if (h->has_min && h->has_max)
		return OTLP_OK;
	if (!can_guess)
		return OTLP_NO_SUM;
	guess_ends(h, out);
	return OTLP_OK;
}

/* Fields of the two kinds of histogram points that mean the same. */
struct numbers {
	uint32_t attributes, flags, min, max;
	uint32_t counts, bounds; /* 0: it has none */
};

static int read_histogram(struct sv bytes, const struct numbers *n,
			  struct point *out)
{
	struct protobuf r = protobuf_reader(bytes);
	struct histogram h = { { "", 0 }, { "", 0 }, false, false, false };
	struct protobuf_field f;
	int refusal = OTLP_OK;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		bool eight = f.type == PROTOBUF_FIXED64;

		if (f.number == n->attributes && f.type == PROTOBUF_BYTES) {
			out->attribute_count++;
			refusal = otlp_worse(refusal,
					     otlp_check_attribute(f.bytes));
			if (refusal < 0)
				return refusal;
		} else if (f.number == POINT_TIME && eight) {
			out->time_ns = f.value;
		} else if (f.number == HISTOGRAM_COUNT && eight) {
			out->count = f.value;
		} else if (f.number == HISTOGRAM_SUM && eight) {
			out->sum = protobuf_double(f.value);
			h.has_sum = true;
		} else if (f.number == n->min && eight) {
			out->min = protobuf_double(f.value);
			h.has_min = true;
		} else if (f.number == n->max && eight) {
			out->max = protobuf_double(f.value);
			h.has_max = true;
		} else if (f.number == n->flags && f.type == PROTOBUF_VARINT) {
			out->empty = f.value & POINT_NO_VALUE;
		} else if (n->counts && f.number == n->counts &&
			   f.type == PROTOBUF_BYTES && f.bytes.len % 8 == 0) {
			h.counts = f.bytes;
		} else if (n->bounds && f.number == n->bounds &&
			   f.type == PROTOBUF_BYTES && f.bytes.len % 8 == 0) {
			h.bounds = f.bytes;
		} else if (f.number == n->attributes ||
			   f.number == POINT_TIME ||
			   f.number == HISTOGRAM_COUNT ||
			   f.number == HISTOGRAM_SUM || f.number == n->min ||
			   f.number == n->max || f.number == n->flags) {
			return ERR_SYNTAX; /* of another type */
		}
	}
	out->attributes = n->attributes;
	if (e)
		return e;
	return otlp_worse(refusal, judge_histogram(&h, n->counts > 0, out));
}

static const struct numbers histogram_numbers = {
	.attributes = HISTOGRAM_ATTRIBUTES,
	.flags = HISTOGRAM_FLAGS,
	.min = HISTOGRAM_MIN,
	.max = HISTOGRAM_MAX,
	.counts = HISTOGRAM_COUNTS,
	.bounds = HISTOGRAM_BOUNDS,
};
static const struct numbers exponential_numbers = {
	.attributes = EXPONENTIAL_ATTRIBUTES,
	.flags = EXPONENTIAL_FLAGS,
	.min = EXPONENTIAL_MIN,
	.max = EXPONENTIAL_MAX,
};

/* --- a metric ------------------------------------------------------------------------------ */

static int read_point(const struct data *data, struct sv bytes,
		      struct point *out)
{
	int why;

	*out = (struct point){ .bytes = bytes };
	switch (data->kind) {
	case METRIC_GAUGE:
		return read_number(bytes, out);
	case METRIC_SUM:
		why = read_number(bytes, out);
		break;
	case METRIC_HISTOGRAM:
		why = read_histogram(bytes, &histogram_numbers, out);
		if (data->temporality == TEMPORALITY_CUMULATIVE)
			why = otlp_worse(why, OTLP_CUMULATIVE);
		break;
	case METRIC_EXPONENTIAL:
		why = read_histogram(bytes, &exponential_numbers, out);
		if (data->temporality == TEMPORALITY_CUMULATIVE)
			why = otlp_worse(why, OTLP_CUMULATIVE);
		break;
	default:
		return OTLP_QUANTILES;
	}
	if (data->temporality != TEMPORALITY_DELTA &&
	    data->temporality != TEMPORALITY_CUMULATIVE)
		why = otlp_worse(why, OTLP_NO_TEMPORALITY);
	return why;
}

/* Which field of a Metric holds points. */
static bool is_data(const struct protobuf_field *f)
{
	return f->number == METRIC_GAUGE || f->number == METRIC_SUM ||
	       f->number == METRIC_HISTOGRAM ||
	       f->number == METRIC_EXPONENTIAL || f->number == METRIC_SUMMARY;
}

static int read_temporality(struct sv bytes, struct data *data)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != DATA_TEMPORALITY)
			continue;
		if (f.type != PROTOBUF_VARINT)
			return ERR_SYNTAX;
		data->temporality = f.value;
	}
	return e;
}

static int walk_data(struct sv bytes, struct data *data,
		     const struct metric *metric, int refusal,
		     otlp_point_fn *fn, void *arg)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	struct point point;
	int e = read_temporality(bytes, data);

	while (!e && (e = protobuf_next(&r, &f)) > 0) {
		int why;

		e = 0;
		if (f.number != DATA_POINTS)
			continue;
		if (f.type != PROTOBUF_BYTES)
			return ERR_SYNTAX;
		why = otlp_worse(refusal, read_point(data, f.bytes, &point));
		e = why < 0 ? why : fn(arg, metric, &point, why);
	}
	return e;
}

/* Its name and unit stand somewhere in it. */
static int read_metric(struct sv bytes, struct metric *out)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	*out = (struct metric){ SV(""), SV("") };
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != METRIC_NAME && f.number != METRIC_UNIT &&
		    !is_data(&f))
			continue;
		if (f.type != PROTOBUF_BYTES)
			return ERR_SYNTAX;
		if (f.number == METRIC_NAME)
			out->name = f.bytes;
		else if (f.number == METRIC_UNIT)
			out->unit = f.bytes;
	}
	return e;
}

size_t otlp_points_count(struct sv metric)
{
	struct protobuf r = protobuf_reader(metric);
	struct protobuf_field f, point;
	size_t n = 0;

	while (protobuf_next(&r, &f) > 0) {
		struct protobuf in = protobuf_reader(f.bytes);

		while (is_data(&f) && protobuf_next(&in, &point) > 0)
			n += point.number == DATA_POINTS;
	}
	return n;
}

int otlp_points(struct sv metric, int refusal, otlp_point_fn *fn, void *arg)
{
	struct protobuf r = protobuf_reader(metric);
	struct protobuf_field f;
	struct metric m;
	int e = read_metric(metric, &m);

	while (!e && (e = protobuf_next(&r, &f)) > 0) {
		struct data data = { .kind = f.number };

		e = is_data(&f) ?
			    walk_data(f.bytes, &data, &m, refusal, fn, arg) :
			    0;
	}
	return e;
}
