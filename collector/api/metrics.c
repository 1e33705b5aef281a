/* SPDX-License-Identifier: Apache-2.0 */
/* Series: their list, their points, and the table of functions. */
#include <math.h>
#include <stdlib.h>

#include "billing/rate.h"
#include "collector/api/api.h"
#include "core/store/sketch.h"

/* --- metrics/list ------------------------------------------------------------------ */

static void put_series(struct json_writer *w, const struct series_info *s)
{
	json_open_object(w);
	json_key(w, "namespace");
	json_put_sv(w, s->ns);
	json_key(w, "name");
	json_put_sv(w, s->name);
	json_key(w, "dimensions");
	api_put_dimensions(w, s->dimensions, s->dimension_count);
	json_key(w, "rrd");
	if (s->rrd_file) {
		json_open_object(w);
		json_key(w, "file");
		json_put_text(w, s->rrd_file);
		json_key(w, "slot");
		json_put_u64(w, s->rrd_slot);
		json_close_object(w);
	} else {
		json_put_null(w);
	}
	json_close_object(w);
}

void api_metrics_list(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	uint64_t limit = API_LIMIT_MAX;
	struct series_info *list;
	size_t count;
	int e;

	if (!api_query_number(r, "limit", API_LIMIT_MAX, &limit))
		return;
	e = series_list(a->series, &r->caller.scope,
			request_query(r, "namespace"), request_query(r, "name"),
			&r->arena, &list, &count);
	if (e) {
		api_error_of(r, e, "metric");
		return;
	}
	json_open_object(&w);
	json_key(&w, "metrics");
	json_open_array(&w);
	for (size_t i = 0; i < count && i < limit; i++)
		put_series(&w, &list[i]);
	json_close_array(&w);
	json_key(&w, "truncated");
	json_put_bool(&w, count > limit);
	json_close_object(&w);
	r->content_type = "application/json";
}

/* --- metrics/data -------------------------------------------------------------------- */

struct dimension_query {
	struct dimension list[DIMENSIONS_MAX];
	size_t count;
	bool too_many;
};

static void take_dimension(void *arg, struct sv name, struct sv value)
{
	struct dimension_query *q = arg;

	if (!sv_starts(name, SV("dim.")))
		return;
	if (q->count == DIMENSIONS_MAX) {
		q->too_many = true;
		return;
	}
	q->list[q->count++] = (struct dimension){
		.name = sv_make(name.ptr + 4, name.len - 4),
		.value = value,
	};
}

static void put_point(struct json_writer *w, const struct series_point *p,
		      struct sv statistic)
{
	double v;

	json_open_object(w);
	json_key(w, "time");
	json_put_seconds(w, p->time_ns);
	json_key(w, "sum");
	json_put_double(w, p->sum);
	json_key(w, "count");
	json_put_double(w, p->count);
	json_key(w, "min");
	json_put_double(w, p->min);
	json_key(w, "max");
	json_put_double(w, p->max);
	json_key(w, "avg");
	json_put_double(w, p->sum / p->count);
	if (statistic.len && series_statistic(p, statistic, &v)) {
		json_key(w, "stat");
		json_put_double(w, v);
	}
	json_close_object(w);
}

/* False: an error is in the reply. */
static bool read_source(struct request *r, enum series_source *out)
{
	struct sv source = request_query(r, "source");

	*out = SERIES_AUTO;
	if (!source.len || sv_eq(source, SV("auto")))
		return true;
	if (sv_eq(source, SV("blocks"))) {
		*out = SERIES_BLOCKS;
		return true;
	}
	if (sv_eq(source, SV("rrd"))) {
		*out = SERIES_RRD;
		return true;
	}
	api_error(r, 400, "InvalidParameterValue",
		  "source must be auto, blocks or rrd");
	return false;
}

void api_metrics_data(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	struct dimension_query dimensions = { .count = 0 };
	struct sv statistic = request_query(r, "stat");
	struct series_query q = {
		.scope = &r->caller.scope,
		.ns = request_query(r, "namespace"),
		.name = request_query(r, "name"),
	};
	struct series_point *points;
	uint64_t period = 60;
	const char *wrong = NULL;
	size_t count;
	int e;

	if (!api_query_range(a, r, 3600, &q.start_ns, &q.end_ns) ||
	    !api_query_number(r, "period", 86400, &period) ||
	    !read_source(r, &q.source))
		return;
	request_query_each(r, take_dimension, &dimensions);
	if (!q.ns.len || !q.name.len)
		wrong = "namespace and name must be given";
	else if (dimensions.too_many)
		wrong = "there are more than 30 dimensions";
	else if (statistic.len && !series_statistic_known(statistic))
		wrong = "stat must be one of CloudWatch's, such as p99 or tm95";
	else if (period == 0 || period % 60)
		wrong = "period must be a multiple of 60 seconds";
	if (wrong) {
		api_error(r, 400, "InvalidParameterValue", wrong);
		return;
	}
	q.period_s = (uint32_t)period;
	q.dimensions = dimensions.list;
	q.dimension_count = dimensions.count;
	q.distribution = statistic.len && statistic.ptr[0] == 'p';
	e = series_read(a->series, &q, &r->arena, &points, &count);
	if (e) {
		api_error_of(r, e, "metric data");
		return;
	}
	json_open_object(&w);
	json_key(&w, "period");
	json_put_u64(&w, period);
	json_key(&w, "points");
	json_open_array(&w);
	for (size_t i = 0; i < count; i++)
		put_point(&w, &points[i], statistic);
	json_close_array(&w);
	json_close_object(&w);
	r->content_type = "application/json";
}

/* --- functions ------------------------------------------------------------------------ */

/* One row: what AWS/Lambda's series and the ledger say of a function. */
struct function_row {
	struct sv name;
	double invocations, errors, throttles;
	double p50_ms, p99_ms;
	bool has_duration;
	double spark[API_SPARK_MINUTES];
	int64_t last_ns;
	int128 billed_ms;
	struct money cost;
	bool priced;
};

struct window {
	const struct scope *scope;
	int64_t start_ns, end_ns;
};

static int read_metric(struct api *a, struct arena *arena, struct sv function,
		       struct sv metric, const struct window *win,
		       bool distribution, struct series_point **points,
		       size_t *count)
{
	struct dimension d = { SV("FunctionName"), function };
	const struct series_query q = {
		.scope = win->scope,
		.ns = SV("AWS/Lambda"),
		.name = metric,
		.dimensions = &d,
		.dimension_count = 1,
		.period_s = 60,
		.start_ns = win->start_ns,
		.end_ns = win->end_ns,
		.distribution = distribution,
	};

	return series_read(a->series, &q, arena, points, count);
}

static int row_count(struct api *a, struct arena *arena, struct sv function,
		     struct sv metric, const struct window *win, double *total)
{
	struct series_point *points;
	size_t count;
	int e = read_metric(a, arena, function, metric, win, false, &points,
			    &count);

	for (size_t i = 0; !e && i < count; i++)
		*total += points[i].sum;
	return e;
}

static int row_invocations(struct api *a, struct arena *arena,
			   const struct window *win, struct function_row *row)
{
	int64_t last_minute = (win->end_ns - 1) / (60 * NS_PER_S);
	struct series_point *points;
	size_t count;
	int e = read_metric(a, arena, row->name, SV("Invocations"), win, false,
			    &points, &count);

	for (size_t i = 0; !e && i < count; i++) {
		int64_t ago = last_minute - points[i].time_ns / (60 * NS_PER_S);

		row->invocations += points[i].sum;
		row->last_ns = points[i].time_ns;
		if (ago >= 0 && ago < API_SPARK_MINUTES)
			row->spark[API_SPARK_MINUTES - 1 - ago] = points[i].sum;
	}
	return e;
}

static int row_duration(struct api *a, struct arena *arena,
			const struct window *win, struct function_row *row)
{
	struct sketch all = { .arena = arena };
	struct series_point *points;
	size_t count;
	int e = read_metric(a, arena, row->name, SV("Duration"), win, true,
			    &points, &count);

	for (size_t i = 0; !e && i < count; i++)
		if (points[i].dist)
			e = sketch_merge(&all, points[i].dist);
	if (!e && all.count) {
		row->p50_ms = sketch_quantile(&all, 0.50);
		row->p99_ms = sketch_quantile(&all, 0.99);
		row->has_duration = true;
	}
	return e;
}

static void row_cost(const struct price_set *prices,
		     const struct ledger_totals *totals,
		     const struct window *win, struct function_row *row)
{
	row->priced = true;
	for (size_t i = 0; i < totals->count; i++) {
		const struct ledger_total *t = &totals->rows[i];
		struct money cost;

		if (!sv_eq(t->resource, row->name))
			continue;
		row->billed_ms += t->billed_ms;
		if (rate_list(&cost, prices, win->scope->region, win->end_ns,
			      t->architecture, t->requests, t->mb_ms) ||
		    money_add(&row->cost, row->cost, cost))
			row->priced = false;
	}
}

static void put_row(struct json_writer *w, const struct function_row *row)
{
	struct buf cost = { 0 };

	json_open_object(w);
	json_key(w, "name");
	json_put_sv(w, row->name);
	json_key(w, "invocations");
	json_put_double(w, row->invocations);
	json_key(w, "errors");
	json_put_double(w, row->errors);
	json_key(w, "throttles");
	json_put_double(w, row->throttles);
	json_key(w, "p50_ms");
	json_put_double(w, row->has_duration ? row->p50_ms : NAN);
	json_key(w, "p99_ms");
	json_put_double(w, row->has_duration ? row->p99_ms : NAN);
	json_key(w, "billed_ms");
	json_put_u64(w, (uint64_t)row->billed_ms);
	json_key(w, "cost");
	money_put(&cost, row->cost);
	if (row->priced)
		json_put_sv(w, buf_view(&cost));
	else
		json_put_null(w);
	buf_fini(&cost);
	json_key(w, "spark");
	json_open_array(w);
	for (size_t i = 0; i < API_SPARK_MINUTES; i++)
		json_put_double(w, row->spark[i]);
	json_close_array(w);
	json_key(w, "last");
	json_put_seconds(w, row->last_ns);
	json_close_object(w);
}

static int put_function(struct api *a, struct request *r, struct json_writer *w,
			struct sv name, const struct window *win,
			const struct price_set *prices,
			const struct ledger_totals *totals)
{
	struct function_row row = { .name = name };
	struct arena_mark mark = arena_mark(&r->arena);
	int e = row_invocations(a, &r->arena, win, &row);

	if (!e)
		e = row_count(a, &r->arena, name, SV("Errors"), win,
			      &row.errors);
	if (!e)
		e = row_count(a, &r->arena, name, SV("Throttles"), win,
			      &row.throttles);
	if (!e)
		e = row_duration(a, &r->arena, win, &row);
	if (e)
		return e;
	row_cost(prices, totals, win, &row);
	arena_rollback(&r->arena, mark);
	put_row(w, &row);
	return 0;
}

static int put_functions(struct api *a, struct request *r,
			 struct json_writer *w, const struct window *win,
			 const struct price_set *prices)
{
	struct ledger_totals totals;
	struct series_info *list;
	size_t count;
	int e = series_list(a->series, &r->caller.scope, SV("AWS/Lambda"),
			    SV("Invocations"), &r->arena, &list, &count);

	if (!e)
		e = ledger_totals(a->ledger, &r->caller.scope, win->start_ns,
				  win->end_ns, &r->arena, &totals);
	json_key(w, "functions");
	json_open_array(w);
	for (size_t i = 0; !e && i < count && i < API_LIMIT_MAX; i++)
		if (list[i].dimension_count == 1 &&
		    sv_eq(list[i].dimensions[0].name, SV("FunctionName")))
			e = put_function(a, r, w, list[i].dimensions[0].value,
					 win, prices, &totals);
	json_close_array(w);
	return e;
}

void api_functions(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	const struct price_set *prices;
	struct window win = { .scope = &r->caller.scope };
	int e;

	if (!api_query_range(a, r, 3600, &win.start_ns, &win.end_ns))
		return;
	(void)pricebook_refresh(a->prices, NULL); /* the old one stays */
	prices = pricebook_acquire(a->prices);
	json_open_object(&w);
	e = put_functions(a, r, &w, &win, prices);
	pricebook_release(a->prices, prices);
	if (e) {
		api_error_of(r, e, "functions");
		return;
	}
	json_key(&w, "start");
	json_put_seconds(&w, win.start_ns);
	json_key(&w, "end");
	json_put_seconds(&w, win.end_ns);
	json_close_object(&w);
	r->content_type = "application/json";
}
