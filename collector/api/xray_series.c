/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetTimeSeriesServiceStatistics: the statistics of places on the service map,
 * period by period. Which places EntitySelectorExpression says; without one
 * they are the edges that requests come in by, from clients, so that each
 * request counts once. Every period of the window is answered, with zeros where
 * nothing was.
 *
 * The forecast of a period is made of the faults of the hour before it: mean
 * plus and minus three times the root of the mean, as faults that do not depend
 * on each other scatter. It needs one service, by its id().
 */
#include <math.h>
#include <stdlib.h>

#include "collector/api/xray_filter.h"
#include "collector/api/xray_map.h"
#include "collector/api/xray_services.h"
#include "collector/door/answer.h"
#include "tracer/filter_select.h"
#include "tracer/traces_set.h"

enum {
	SERIES_PERIODS_MAX = 1440,
	SERIES_PAGE = 360, /* periods of one page */
	FORECAST_S = 3600, /* of which it is made */
	FORECAST_PERIODS_MAX = FORECAST_S / 60,
	TOKEN_LEN = 32, /* hex of the question's hash, and where to go on */
};

struct period {
	struct graph_stats edges, services;
};

struct series {
	struct api *api;
	struct request *r;
	struct get_time_series in;
	struct filter_selector selector;
	struct filter group;
	bool all;                            /* no group */
	int64_t period_ns, first_ns, end_ns; /* first_ns: of periods[0] */
	size_t lead, count; /* periods for the forecast alone; all */
	struct period *periods;
	int err;
};

/* --- what is asked ------------------------------------------------------------- */

static bool read_selector(struct series *s)
{
	struct diag diag = { 0 };
	int e = 0;

	if (s->in.selector.ptr)
		e = filter_selector_parse(&s->selector, s->in.selector,
					  &s->r->arena, &diag);
	if (e == ERR_NOMEM)
		control_failed(s->r, e);
	else if (e)
		control_invalid(s->r, "EntitySelectorExpression: %s",
				diag.text);
	else if (s->in.forecast.value && !s->selector.one)
		control_invalid(s->r, "ForecastStatistics needs an "
				      "EntitySelectorExpression that is the "
				      "id() of one service");
	else
		return true;
	return false;
}

static bool read_times(struct series *s)
{
	int64_t period_s = s->in.period.set ? s->in.period.value : 60;
	int64_t start_ns = s->in.start_time.ns;

	if (period_s != 60 && period_s != 300) {
		control_invalid(s->r, "Period must be 60 or 300");
		return false;
	}
	s->period_ns = period_s * NS_PER_S;
	if (!xray_range_fits(s->r, &s->in.start_time, &s->in.end_time,
			     SERIES_PERIODS_MAX * period_s / 3600))
		return false;
	s->lead = s->in.forecast.value ? (size_t)(FORECAST_S / period_s) : 0;
	s->end_ns = s->in.end_time.ns;
	s->first_ns = start_ns - start_ns % s->period_ns -
		      (int64_t)s->lead * s->period_ns;
	s->count = (size_t)((s->end_ns - s->first_ns + s->period_ns - 1) /
			    s->period_ns);
	s->periods = calloc(s->count, sizeof(*s->periods));
	if (!s->periods)
		control_failed(s->r, ERR_NOMEM);
	return s->periods != NULL;
}

/* --- adding up -------------------------------------------------------------------- */

static struct period *period_of(const struct series *s, int64_t time_ns)
{
	if (time_ns < s->first_ns || time_ns >= s->end_ns)
		return NULL;
	return &s->periods[(time_ns - s->first_ns) / s->period_ns];
}

static bool takes_node(const struct series *s, const struct graph_node_key *key)
{
	return filter_selects_node(&s->selector, key,
				   s->r->caller.scope.account);
}

/* A link has ages and no response: it is no part of it. */
static bool takes_edge(const struct series *s,
		       const struct graph_node_key *from,
		       const struct graph_node_key *to, bool link)
{
	if (link)
		return false;
	if (!s->in.selector.ptr)
		return sv_eq(from->type, SV("client"));
	return filter_selects_edge(&s->selector, from, to,
				   s->r->caller.scope.account);
}

static void add_call(void *arg, const struct graph_call *c)
{
	const struct graph_node_key from = { c->from_name, c->from_type,
					     c->from_account };
	const struct graph_node_key to = { c->to_name, c->to_type,
					   c->to_account };
	struct graph_count count = graph_count_of(c);
	struct series *s = arg;
	struct period *p = period_of(s, c->time_ns);
	int e = 0;

	if (!p)
		return;
	if (!from.name.ptr && takes_node(s, &to))
		e = graph_stats_count(&p->services, &count, 1);
	else if (from.name.ptr && takes_edge(s, &from, &to, c->link))
		e = graph_stats_count(&p->edges, &count, 1);
	if (e)
		s->err = e;
}

static int add_page(void *arg, int64_t minute_ns, const struct graph *g)
{
	struct series *s = arg;
	struct period *p = period_of(s, minute_ns);
	int e = 0;

	/* The first minute may begin before the window does. */
	for (uint32_t i = 0; p && i < g->node_count && !e; i++) {
		const struct graph_node *n = &g->nodes[i];
		const struct graph_node_key key = { n->name, n->type,
						    n->account };

		if (takes_node(s, &key))
			e = graph_stats_merge(&p->services, &n->stats, 1);
	}
	for (uint32_t i = 0; p && i < g->edge_count && !e; i++) {
		const struct graph_edge *edge = &g->edges[i];
		const struct graph_node *a = &g->nodes[edge->from];
		const struct graph_node *b = &g->nodes[edge->to];
		const struct graph_node_key from = { a->name, a->type,
						     a->account };
		const struct graph_node_key to = { b->name, b->type,
						   b->account };

		if (takes_edge(s, &from, &to, edge->link))
			e = graph_stats_merge(&p->edges, &edge->stats, 1);
	}
	return e;
}

static int add_up(struct series *s)
{
	const struct scope *scope = &s->r->caller.scope;
	int e;

	if (s->all) {
		const struct traces_minutes sink = { .call = add_call,
						     .page = add_page,
						     .arg = s };

		e = traces_map_minutes(s->api->traces, scope, s->first_ns,
				       s->end_ns, &sink);
	} else {
		struct traces_set set = { .scope = scope,
					  .start_ns = s->first_ns,
					  .end_ns = s->end_ns,
					  .filter = &s->group };

		e = traces_set_calls(s->api->traces, &set, add_call, s);
	}
	return e ? e : s->err;
}

/* --- the answer --------------------------------------------------------------------- */

static struct xray_forecast *forecast(const struct series *s, size_t at)
{
	struct xray_forecast *out =
		arena_new(&s->r->arena, struct xray_forecast);
	double mean = 0, spread;

	if (!out)
		return NULL;
	for (size_t i = at - s->lead; i < at; i++)
		mean += (double)s->periods[i].services.fault / (double)s->lead;
	spread = 3 * sqrt(mean);
	out->high =
		(struct shape_integer){ (int64_t)ceil(mean + spread), true };
	out->low = (struct shape_integer){
		mean > spread ? (int64_t)floor(mean - spread) : 0, true
	};
	return out;
}

static int put_period(const struct series *s, size_t at,
		      struct xray_period *out)
{
	struct arena *arena = &s->r->arena;
	const struct period *p = &s->periods[at];
	struct graph_stats both = { 0 };
	int e;

	*out = (struct xray_period){
		.timestamp = { s->first_ns + (int64_t)at * s->period_ns, true },
	};
	if (s->selector.edges || !s->in.selector.ptr)
		out->edges = xray_statistics_of(&p->edges, arena);
	if (s->selector.nodes)
		out->services = xray_statistics_of(&p->services, arena);
	if (s->in.forecast.value)
		out->forecast = forecast(s, at);
	e = graph_stats_merge(&both, &p->edges, 1);
	if (!e)
		e = graph_stats_merge(&both, &p->services, 1);
	out->response_times.items = xray_histogram_of(&both.times, arena);
	out->response_times.count = both.times.used;
	out->response_times.set = true;
	graph_stats_fini(&both);
	return !e && out->response_times.items &&
			       (out->edges || out->services) &&
			       (!s->in.forecast.value || out->forecast) ?
		       0 :
		       ERR_NOMEM;
}

static uint64_t hash_series(const struct series *s)
{
	struct buf b = BUF_INIT;

	xray_question_begin(&b, s->r);
	buf_format(&b, " %lld %lld %lld %d", (long long)s->in.start_time.ns,
		   (long long)s->end_ns, (long long)s->period_ns,
		   s->in.forecast.value);
	xray_question_text(&b, s->in.selector);
	xray_question_text(&b, s->in.group_name);
	xray_question_text(&b, s->in.group_arn);
	return xray_question_end(&b);
}

/* *at: the first period of the page. */
static bool token_read(const struct series *s, uint64_t hash, size_t *at)
{
	uint8_t bytes[TOKEN_LEN / 2];

	*at = s->lead;
	if (!s->in.next_token.ptr)
		return true;
	if (s->in.next_token.len != TOKEN_LEN ||
	    !sv_to_hex(s->in.next_token, bytes, sizeof(bytes)) ||
	    get_le64(bytes) != hash || get_le64(bytes + 8) >= s->count)
		return false;
	*at = (size_t)get_le64(bytes + 8);
	return *at >= s->lead;
}

static int put_all(const struct series *s, size_t at, uint64_t hash,
		   struct get_time_series_output *out)
{
	struct arena *arena = &s->r->arena;
	uint8_t bytes[TOKEN_LEN / 2];
	char *token;
	int e = 0;

	out->periods.items =
		arena_array(arena, SERIES_PAGE, sizeof(*out->periods.items));
	if (!out->periods.items)
		return ERR_NOMEM;
	out->periods.set = true;
	for (; at < s->count && out->periods.count < SERIES_PAGE && !e; at++)
		e = put_period(s, at,
			       &out->periods.items[out->periods.count++]);
	if (e || at == s->count)
		return e;
	token = arena_alloc(arena, TOKEN_LEN);
	if (!token)
		return ERR_NOMEM;
	put_le64(bytes, hash);
	put_le64(bytes + 8, at);
	hex_from(token, bytes, sizeof(bytes));
	out->next_token = sv_make(token, TOKEN_LEN);
	return 0;
}

static void answer(struct series *s)
{
	struct get_time_series_output out = {
		.contains_old_group_versions = { false, true },
	};
	uint64_t hash = hash_series(s);
	size_t at;
	int e = token_read(s, hash, &at) ? add_up(s) : ERR_INVALID;

	if (!e)
		e = put_all(s, at, hash, &out);
	if (e)
		xray_map_failed(s->r, e);
	else
		answer_write(s->r, &get_time_series_output_shape, &out);
}

void api_xray_time_series(struct api *a, struct request *r)
{
	struct series s = { .api = a, .r = r };

	if (!answer_read(r, &get_time_series_shape, &s.in) ||
	    !xray_group_filter(a, r, s.in.group_name, s.in.group_arn, &s.group,
			       &s.all) ||
	    !read_selector(&s) || !read_times(&s))
		return;
	answer(&s);
	for (size_t i = 0; i < s.count; i++) {
		graph_stats_fini(&s.periods[i].edges);
		graph_stats_fini(&s.periods[i].services);
	}
	free(s.periods);
}
