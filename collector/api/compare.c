/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/compare?a=&b=: what tells two sets of traces from each other. */
#include <math.h>
#include <stdlib.h>

#include "collector/api/api.h"
#include "collector/api/xray_filter.h"
#include "tracer/compare.h"
#include "tracer/traces_set.h"

enum { ROWS_DEFAULT = 30, ROWS_MAX = 1000 };

struct side {
	enum compare_side side;
	struct sv expression;
	struct filter filter;
	struct traces_set set;
	struct compare *compare;
};

/* Over COMPARE_TRACES_MAX the newest have been compared: enough. */
static int add_trace(void *arg, const struct trace *trace, struct facts *facts)
{
	struct side *s = arg;
	int e = compare_add(s->compare, s->side, facts);

	(void)trace;
	if (e == ERR_LIMIT)
		s->set.cut = true;
	return e == ERR_LIMIT ? 0 : e;
}

/* False: an error is in the reply. */
static bool read_side(struct api *a, struct request *r, const char *name,
		      struct side *out)
{
	struct xray_filter_groups groups;
	struct diag diag = { 0 };
	char text[sizeof(diag.text) + 16];
	int e;

	out->expression = request_query(r, name);
	if (!out->expression.ptr) {
		api_error(r, 400, "ValidationError",
			  "a and b are filter expressions: both are needed");
		return false;
	}
	xray_filter_groups(&groups, a, r);
	e = filter_parse(&out->filter, out->expression, &groups.groups,
			 &r->arena, &diag);
	if (!e)
		return true;
	if (e == ERR_NOMEM) {
		api_error_of(r, e, "comparison");
		return false;
	}
	snprintf(text, sizeof(text), "%s: %s", name, diag.text);
	api_error(r, 400, "ValidationError", text);
	return false;
}

static void put_ns(struct json_writer *w, const char *key, double ns)
{
	json_key(w, key);
	json_put_double(w, ns / 1e9);
}

static void put_count(struct json_writer *w, const char *key, uint64_t n)
{
	json_key(w, key);
	json_put_u64(w, n);
}

static void put_histogram(struct json_writer *w,
			  const struct graph_histogram *h)
{
	json_key(w, "response_times");
	json_open_array(w);
	for (unsigned i = 0; i < h->used; i++) {
		json_open_array(w);
		json_put_double(w, (double)graph_step_ns(
					   graph_bucket_step(h->items[i])) /
					   1e9);
		json_put_i64(w, graph_bucket_count(h->items[i]));
		json_close_array(w);
	}
	json_close_array(w);
}

static int put_side(struct json_writer *w, const char *key, struct side *s)
{
	struct graph_histogram times;
	int e = compare_histogram(s->compare, s->side, &times);

	if (e)
		return e;
	json_key(w, key);
	json_open_object(w);
	json_key(w, "expression");
	json_put_sv(w, s->expression);
	put_count(w, "traces", compare_traces(s->compare, s->side));
	put_count(w, "processed", s->set.processed);
	json_key(w, "truncated");
	json_put_bool(w, s->set.cut);
	put_ns(w, "p50", (double)compare_quantile_ns(s->compare, s->side, 500));
	put_ns(w, "p90", (double)compare_quantile_ns(s->compare, s->side, 900));
	put_ns(w, "p99", (double)compare_quantile_ns(s->compare, s->side, 990));
	put_histogram(w, &times);
	json_close_object(w);
	free(times.items);
	return 0;
}

/* How many times as common it is in a as in b; null: b has none. */
static double lift(struct compare *c, const struct compare_property *p)
{
	double a = (double)p->count[COMPARE_A] /
		   (double)compare_traces(c, COMPARE_A);
	double b = (double)p->count[COMPARE_B] /
		   (double)compare_traces(c, COMPARE_B);

	return b > 0 ? a / b : INFINITY;
}

static void put_properties(struct json_writer *w, struct compare *c,
			   struct compare_property *rows, size_t max)
{
	size_t n = compare_properties(c, rows, max);

	json_key(w, "properties");
	json_open_array(w);
	for (size_t i = 0; i < n; i++) {
		json_open_object(w);
		json_key(w, "kind");
		json_put_text(w, compare_kind_name(rows[i].kind));
		if (rows[i].name.len) {
			json_key(w, "name");
			json_put_sv(w, rows[i].name);
		}
		json_key(w, "value");
		json_put_sv(w, rows[i].value);
		put_count(w, "a", rows[i].count[COMPARE_A]);
		put_count(w, "b", rows[i].count[COMPARE_B]);
		json_key(w, "lift");
		json_put_double(w, lift(c, &rows[i]));
		json_close_object(w);
	}
	json_close_array(w);
}

/* Means, over all traces of a side. */
static void put_times(struct json_writer *w, struct compare *c,
		      struct compare_time *rows, size_t max)
{
	double traces[COMPARE_SIDES] = {
		(double)compare_traces(c, COMPARE_A),
		(double)compare_traces(c, COMPARE_B),
	};
	size_t n = compare_times(c, rows, max);

	json_key(w, "critical_path");
	json_open_array(w);
	for (size_t i = 0; i < n; i++) {
		json_open_object(w);
		json_key(w, "name");
		json_put_sv(w, rows[i].name);
		for (int k = 0; k < COMPARE_SIDES; k++)
			put_ns(w, k ? "b" : "a",
			       traces[k] > 0 ?
				       (double)rows[i].path_ns[k] / traces[k] :
				       0);
		json_close_object(w);
	}
	json_close_array(w);
}

static int put_answer(struct request *r, struct side sides[COMPARE_SIDES],
		      size_t limit)
{
	struct json_writer w = json_writer(&r->reply);
	struct compare *c = sides[0].compare;
	struct compare_property *properties =
		arena_array(&r->arena, limit, sizeof(*properties));
	struct compare_time *times =
		arena_array(&r->arena, limit, sizeof(*times));
	int e;

	if (!properties || !times)
		return ERR_NOMEM;
	json_open_object(&w);
	e = put_side(&w, "a", &sides[COMPARE_A]);
	if (!e)
		e = put_side(&w, "b", &sides[COMPARE_B]);
	if (e)
		return e;
	put_properties(&w, c, properties, limit);
	put_times(&w, c, times, limit);
	put_count(&w, "not_counted", compare_cut(c));
	json_close_object(&w);
	r->content_type = "application/json";
	return 0;
}

void api_compare(struct api *a, struct request *r)
{
	struct side sides[COMPARE_SIDES] = { { .side = COMPARE_A },
					     { .side = COMPARE_B } };
	uint64_t limit = ROWS_DEFAULT;
	struct compare *c = NULL;
	int64_t start, end;
	int e;

	if (!api_query_range(a, r, 3600, &start, &end) ||
	    !api_query_number(r, "limit", ROWS_MAX, &limit) ||
	    !read_side(a, r, "a", &sides[COMPARE_A]) ||
	    !read_side(a, r, "b", &sides[COMPARE_B]))
		return;
	e = compare_new(&c);
	for (int i = 0; i < COMPARE_SIDES && !e; i++) {
		struct side *s = &sides[i];

		s->compare = c;
		s->set = (struct traces_set){
			.scope = &r->caller.scope,
			.start_ns = start,
			.end_ns = end,
			.filter = s->filter.count ? &s->filter : NULL,
		};
		e = traces_set_each(a->traces, &s->set, add_trace, s);
	}
	if (!e)
		e = put_answer(r, sides, limit ? (size_t)limit : 1);
	compare_free(c);
	if (e)
		api_error_of(r, e, "comparison");
}

/* --- one set -------------------------------------------------------------------- */

/* GET /api/v1/distribution?filter=: response times of a window's traces. */
void api_distribution(struct api *a, struct request *r)
{
	struct side side = { .side = COMPARE_A };
	struct json_writer w = json_writer(&r->reply);
	int64_t start, end;
	int e;

	if (!api_query_range(a, r, 3600, &start, &end) ||
	    (request_query(r, "filter").len &&
	     !read_side(a, r, "filter", &side)))
		return;
	side.set = (struct traces_set){
		.scope = &r->caller.scope,
		.start_ns = start,
		.end_ns = end,
		.filter = side.filter.count ? &side.filter : NULL,
	};
	e = compare_new(&side.compare);
	if (!e)
		e = traces_set_each(a->traces, &side.set, add_trace, &side);
	json_open_object(&w);
	if (!e)
		e = put_side(&w, "traces", &side);
	json_close_object(&w);
	compare_free(side.compare);
	if (e)
		api_error_of(r, e, "distribution");
	else
		r->content_type = "application/json";
}
