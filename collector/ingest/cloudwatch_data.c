/* SPDX-License-Identifier: Apache-2.0 */
/* CloudWatch's rules for data, with its messages. */
#include "collector/ingest/cloudwatch.h"

#include <math.h>
#include <stdarg.h>

#include "collector/series/series.h"
#include "core/wire/check.h"

/* The item that is looked at, as its parameter is called. */
struct at {
	struct cloudwatch_fault *fault;
	const char *list; /* "MetricData" */
	size_t index;     /* from 0 */
	struct wall now;
};

static int refuse(const struct at *at, const char *shape, const char *format,
		  ...) __attribute__((format(printf, 3, 4)));

static int refuse(const struct at *at, const char *shape, const char *format,
		  ...)
{
	va_list ap;

	at->fault->shape = shape;
	va_start(ap, format);
	vsnprintf(at->fault->message, sizeof(at->fault->message), format, ap);
	va_end(ap);
	return ERR_INVALID;
}

/* "The parameter MetricData.member.1.NAME WHAT" */
static int refuse_value(const struct at *at, const char *name, const char *what)
{
	return refuse(at, "InvalidParameterValueException",
		      "The parameter %s.member.%zu.%s %s", at->list,
		      at->index + 1, name, what);
}

static int refuse_both(const struct at *at, const char *a, const char *b)
{
	return refuse(at, "InvalidParameterCombinationException",
		      "The parameters %s.member.%zu.%s and %s.member.%zu.%s "
		      "are mutually exclusive and you have specified both.",
		      at->list, at->index + 1, a, at->list, at->index + 1, b);
}

static bool value_ok(double v)
{
	return isfinite(v) && fabs(v) <= 0x1p360;
}

#define OUT_OF_RANGE "must be a number from -2^360 to 2^360."

static bool is_ascii_text(struct sv s)
{
	bool blank = true;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c > 0x7e)
			return false;
		blank &= c == ' ';
	}
	return !blank;
}

static int take_dimensions(const struct at *at, const struct metric_datum *in,
			   struct arena *arena, struct datum *out)
{
	size_t count = in->dimensions.count;
	struct dimension *list = arena_array(arena, count, sizeof(*list));

	if (!list)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		list[i] = in->dimensions.items[i];
		if (!is_ascii_text(list[i].name) || list[i].name.ptr[0] == ':')
			return refuse_value(
				at, "Dimensions",
				"must have names of ASCII characters that do "
				"not start with a colon.");
		if (!is_ascii_text(list[i].value))
			return refuse_value(at, "Dimensions",
					    "must have values of ASCII "
					    "characters, not all blank.");
	}
	dimensions_sort(list, count);
	for (size_t i = 1; i < count; i++)
		if (sv_eq(list[i - 1].name, list[i].name))
			return refuse_value(at, "Dimensions",
					    "must not contain a name twice.");
	out->dimensions = list;
	out->dimension_count = count;
	return 0;
}

static int take_statistics(const struct at *at, const struct statistic_set *in,
			   struct datum *out)
{
	out->has_statistics = true;
	out->sample_count = in->sample_count.value;
	out->sum = in->sum.value;
	out->minimum = in->minimum.value;
	out->maximum = in->maximum.value;
	if (!value_ok(out->sample_count) || !value_ok(out->sum) ||
	    !value_ok(out->minimum) || !value_ok(out->maximum))
		return refuse_value(at, "StatisticValues", OUT_OF_RANGE);
	if (out->sample_count <= 0)
		return refuse_value(at, "StatisticValues.SampleCount",
				    "must be greater than 0.");
	if (out->minimum > out->maximum)
		return refuse_value(at, "StatisticValues.Maximum",
				    "must be greater than or equal to the "
				    "Minimum.");
	return 0;
}

static int take_values(const struct at *at, const struct metric_datum *in,
		       struct arena *arena, struct datum *out)
{
	size_t count = in->values.count;
	double *values = arena_array(arena, count, sizeof(*values));
	double *counts = arena_array(arena, count, sizeof(*counts));

	if (!values || !counts)
		return ERR_NOMEM;
	if (in->counts.set && in->counts.count != count)
		return refuse_value(at, "Counts",
				    "must have as many items as Values.");
	for (size_t i = 0; i < count; i++) {
		values[i] = in->values.items[i].value;
		if (!value_ok(values[i]))
			return refuse_value(at, "Values", OUT_OF_RANGE);
		if (!in->counts.set)
			continue;
		counts[i] = in->counts.items[i].value;
		if (!value_ok(counts[i]) || counts[i] <= 0)
			return refuse_value(at, "Counts",
					    "must be greater than 0.");
	}
	out->values = values;
	out->counts = in->counts.set ? counts : NULL;
	out->value_count = count;
	return 0;
}

static int take_value(const struct at *at, const struct metric_datum *in,
		      struct arena *arena, struct datum *out)
{
	double *value;

	if (in->value.set && in->statistic_values)
		return refuse_both(at, "Value", "StatisticValues");
	if (in->value.set && in->values.count)
		return refuse_both(at, "Value", "Values");
	if (in->values.count && in->statistic_values)
		return refuse_both(at, "Values", "StatisticValues");
	if (in->counts.count && !in->values.count)
		return refuse_value(at, "Counts",
				    "must not be specified without Values.");
	if (in->statistic_values)
		return take_statistics(at, in->statistic_values, out);
	if (in->values.count)
		return take_values(at, in, arena, out);
	if (!in->value.set)
		return refuse(at, "MissingRequiredParameterException",
			      "At least one of the parameters "
			      "%s.member.%zu.Value, Values or StatisticValues "
			      "must be specified.",
			      at->list, at->index + 1);
	if (!value_ok(in->value.value))
		return refuse_value(at, "Value", OUT_OF_RANGE);
	value = arena_new(arena, double);
	if (!value)
		return ERR_NOMEM;
	*value = in->value.value;
	out->values = value;
	out->value_count = 1;
	return 0;
}

static int take_time(const struct at *at, const struct metric_datum *in,
		     struct datum *out)
{
	out->time_ns = in->timestamp.set ? in->timestamp.ns : at->now.ns;
	if (series_time_ok(at->now, out->time_ns))
		return 0;
	return refuse_value(at, "Timestamp",
			    out->time_ns < at->now.ns ?
				    "must specify a time within the past two "
				    "weeks." :
				    "must specify a time no more than two "
				    "hours in the future.");
}

static int take_datum(const struct at *at, struct sv ns,
		      const struct metric_datum *in, struct arena *arena,
		      struct datum *out)
{
	struct fault fault;
	int e;

	out->ns = ns;
	out->name = in->metric_name;
	out->unit = in->unit.ptr ? in->unit : SV("None");
	out->resolution_s = in->storage_resolution.set ?
				    (uint32_t)in->storage_resolution.value :
				    60;
	if (in->storage_resolution.set && in->storage_resolution.value != 1 &&
	    in->storage_resolution.value != 60)
		return refuse_value(at, "StorageResolution",
				    "must be 1 or 60.");
	if (!is_ascii_text(out->name))
		return refuse_value(at, "MetricName",
				    "must have ASCII characters, not all "
				    "blank.");
	e = take_time(at, in, out);
	if (!e)
		e = take_dimensions(at, in, arena, out);
	if (!e)
		e = take_value(at, in, arena, out);
	/* What is left of the rules of all data. */
	if (!e && !datum_check(out, &fault))
		e = refuse(at, "InvalidParameterValueException", "%.*s",
			   SV_ARG(fault.message));
	return e;
}

static int check_namespace(const struct at *at, struct sv ns)
{
	if (sv_starts(ns, SV("AWS/")))
		return refuse(at, "InvalidParameterValueException",
			      "The value AWS/ for parameter Namespace is "
			      "invalid.");
	for (size_t i = 0; i < ns.len; i++) {
		unsigned char c = (unsigned char)ns.ptr[i];

		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			continue;
		if ((c >= '0' && c <= '9') || (c == ':' && i) ||
		    (c && strchr(".-_/# ", c)))
			continue;
		return refuse(at, "InvalidParameterValueException",
			      "The parameter Namespace must have letters, "
			      "digits and . - _ / # : only, and no colon in "
			      "front.");
	}
	return 0;
}

static size_t count_data(const struct put_metric_data *in)
{
	size_t n = in->metric_data.count;

	for (size_t i = 0; i < in->entity_metric_data.count; i++)
		n += in->entity_metric_data.items[i].metric_data.count;
	return n;
}

static int take_list(struct at *at, struct sv ns,
		     const struct metric_datum *items, size_t count,
		     struct arena *arena, struct records *records)
{
	int e = 0;

	for (size_t i = 0; !e && i < count; i++) {
		at->index = i;
		e = take_datum(at, ns, &items[i], arena,
			       &records->data[records->datum_count++]);
	}
	return e;
}

int cloudwatch_data(const struct put_metric_data *in, struct wall now,
		    struct arena *arena, struct records *records,
		    struct cloudwatch_fault *fault)
{
	struct at at = { .fault = fault, .list = "MetricData", .now = now };
	size_t count = count_data(in);
	int e = check_namespace(&at, in->namespace);

	if (e)
		return e;
	if (!count)
		return refuse(&at, "MissingRequiredParameterException",
			      "The parameter MetricData is required.");
	if (count > CLOUDWATCH_DATA_MAX)
		return refuse(&at, "InvalidParameterValueException",
			      "The collection MetricData must not have a size "
			      "greater than %d.",
			      (int)CLOUDWATCH_DATA_MAX);
	records->data = arena_array(arena, count, sizeof(*records->data));
	if (!records->data)
		return ERR_NOMEM;
	e = take_list(&at, in->namespace, in->metric_data.items,
		      in->metric_data.count, arena, records);
	at.list = "EntityMetricData.member.N.MetricData";
	for (size_t i = 0; !e && i < in->entity_metric_data.count; i++)
		e = take_list(&at, in->namespace,
			      in->entity_metric_data.items[i].metric_data.items,
			      in->entity_metric_data.items[i].metric_data.count,
			      arena, records);
	return e;
}
