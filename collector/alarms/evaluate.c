/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluating: which points an alarm is judged by. Windows slide: they end at
 * the current minute's boundary whatever the period is, as CloudWatch's do, so
 * periods are put together from minutes here. The minute that is still open is
 * looked at only for a verdict that nothing can take back
 * (docs/decisions/early-verdict.md).
 */
#include <assert.h>
#include <stdlib.h>

#include "collector/alarms/state.h"
#include "core/store/sketch.h"

#define MINUTE_NS (60 * NS_PER_S)

static bool is_percentile(struct sv statistic)
{
	return statistic.len && statistic.ptr[0] == 'p';
}

/* --- points ------------------------------------------------------------------- */

/* Adds a minute to a period's point. False: no memory. */
static bool add_minute(struct series_point *to, const struct series_point *m,
		       struct sketch *dist, bool percentile)
{
	if (to->count == 0 || m->min < to->min)
		to->min = m->min;
	if (to->count == 0 || m->max > to->max)
		to->max = m->max;
	if (percentile && m->dist && (to->dist || to->count == 0)) {
		if (sketch_merge(dist, m->dist))
			return false;
		to->dist = dist;
	} else {
		to->dist = NULL;
	}
	to->sum += m->sum;
	to->count += m->count;
	return true;
}

struct window {
	const struct alarm_definition *definition;
	struct series_point *minutes; /* ascending */
	size_t count;
	struct arena *arena;
};

/* The range of periods that ends at end_ns. *newest is the last one's sums. */
static int make_points(const struct window *w, int64_t end_ns,
		       struct alarm_point *points, struct series_point *newest)
{
	const struct alarm_definition *d = w->definition;
	int64_t period_ns = d->period_s * NS_PER_S;
	uint32_t range = alarm_range(d);
	int64_t start_ns = end_ns - range * period_ns;
	size_t at = 0;

	while (at < w->count && w->minutes[at].time_ns < start_ns)
		at++;
	for (uint32_t i = 0; i < range; i++) {
		int64_t stop_ns = start_ns + (i + 1) * period_ns;
		struct sketch dist = { .arena = w->arena };
		struct series_point p = { 0 };

		for (; at < w->count && w->minutes[at].time_ns < stop_ns; at++)
			if (!add_minute(&p, &w->minutes[at], &dist,
					is_percentile(d->statistic)))
				return ERR_NOMEM;
		points[i] =
			(struct alarm_point){ .time_ns = stop_ns - period_ns };
		points[i].present =
			p.count > 0 &&
			series_statistic(&p, d->statistic, &points[i].value);
		*newest = p;
		newest->dist = NULL;
	}
	return 0;
}

/* --- verdicts ----------------------------------------------------------------- */

/* Whether more data can only make this statistic larger, and larger breaches. */
static bool only_grows(const struct alarm_definition *d,
		       const struct series_point *newest)
{
	if (d->comparison != ALARM_GREATER &&
	    d->comparison != ALARM_GREATER_OR_EQUAL)
		return false;
	if (sv_eq(d->statistic, SV("Sum")))
		return newest->min >= 0;
	return sv_eq(d->statistic, SV("SampleCount")) ||
	       sv_eq(d->statistic, SV("Maximum"));
}

struct verdict {
	enum alarm_state state;
	struct buf reason;
};

static int judge(const struct window *w, int64_t now_ns,
		 enum alarm_state previous, struct verdict *out)
{
	const struct alarm_definition *d = w->definition;
	int64_t boundary_ns = now_ns - now_ns % MINUTE_NS;
	uint32_t range = alarm_range(d);
	struct alarm_point *points =
		arena_array(w->arena, range, sizeof(*points));
	struct series_point newest = { 0 };
	int e;

	if (!points)
		return ERR_NOMEM;
	e = make_points(w, boundary_ns + MINUTE_NS, points, &newest);
	if (e)
		return e;
	if (points[range - 1].present && only_grows(d, &newest) &&
	    alarm_breaches(d, points[range - 1].value)) {
		out->state = alarm_judge(d, points, previous, &out->reason);
		if (out->state == ALARM_ALARM)
			return 0;
		buf_reset(&out->reason);
	}
	e = make_points(w, boundary_ns, points, &newest);
	if (!e)
		out->state = alarm_judge(d, points, previous, &out->reason);
	return e;
}

/* Minutes of the widest range, and the open one. Blocks only: the RRD thread
 * must never hold up an alarm. */
static int read_minutes(struct series *s, const struct scope *scope,
			struct window *w, int64_t now_ns)
{
	const struct alarm_definition *d = w->definition;
	int64_t boundary_ns = now_ns - now_ns % MINUTE_NS;
	int64_t start_ns =
		boundary_ns - alarm_range(d) * (d->period_s * NS_PER_S);
	const struct series_query q = {
		.scope = scope,
		.ns = d->ns,
		.name = d->metric,
		.dimensions = d->dimensions,
		.dimension_count = d->dimension_count,
		.period_s = 60,
		.start_ns = start_ns > 0 ? start_ns : 0,
		.end_ns = boundary_ns + MINUTE_NS,
		.source = SERIES_BLOCKS,
		.distribution = is_percentile(d->statistic),
	};

	return series_read(s, &q, w->arena, &w->minutes, &w->count);
}

/* --- proposing ---------------------------------------------------------------- */

/* True: it may be judged now; *previous is its state. */
static bool look_up(struct alarms *a, const struct scope *scope, struct sv name,
		    int64_t now_ns, enum alarm_state *previous)
{
	int64_t wait_ns = ALARM_PENDING_S * NS_PER_S;
	struct alarm_current *c;
	bool free_to_go = true;

	pthread_mutex_lock(&a->lock);
	c = alarms_current(a, scope, name);
	*previous = c ? c->state : ALARM_INSUFFICIENT_DATA;
	if (c && c->pending_ns && now_ns >= c->pending_ns &&
	    now_ns < c->pending_ns + wait_ns)
		free_to_go = false;
	a->stats.evaluations++;
	pthread_mutex_unlock(&a->lock);
	return free_to_go;
}

static int propose(struct alarms *a, const struct scope *scope,
		   const struct alarm_change *change, alarm_change_fn *fn,
		   void *arg)
{
	struct alarm_current *c = NULL;

	pthread_mutex_lock(&a->lock);
	/* Defined no more: the definitions changed while it was judged. */
	if (alarms_defined(a, change->name)) {
		c = alarms_current_add(a, scope, change->name);
		if (c)
			c->pending_ns = change->time_ns;
	}
	a->stats.proposed += c != NULL;
	pthread_mutex_unlock(&a->lock);
	if (!c)
		return 0;
	if (fn(arg, scope, change) < 0)
		alarms_change_failed(a, scope, change->name);
	return 0;
}

void alarms_change_failed(struct alarms *a, const struct scope *scope,
			  struct sv name)
{
	struct alarm_current *c;

	pthread_mutex_lock(&a->lock);
	c = alarms_current(a, scope, name);
	if (c)
		c->pending_ns = 0;
	pthread_mutex_unlock(&a->lock);
}

static int evaluate_one(struct alarms *a, struct series *s,
			const struct scope *scope,
			const struct alarm_definition *d, int64_t now_ns,
			struct arena *arena, alarm_change_fn *fn, void *arg)
{
	struct window w = { .definition = d, .arena = arena };
	struct verdict v = { .reason.limit = ALARM_REASON_MAX };
	enum alarm_state previous;
	int e;

	if (!look_up(a, scope, d->name, now_ns, &previous))
		return 0;
	e = read_minutes(s, scope, &w, now_ns);
	if (!e)
		e = judge(&w, now_ns, previous, &v);
	if (!e && v.state != previous) {
		const struct alarm_change change = {
			.name = d->name,
			.from = previous,
			.to = v.state,
			.reason = buf_view(&v.reason),
			.time_ns = now_ns,
		};

		e = propose(a, scope, &change, fn, arg);
	}
	buf_fini(&v.reason);
	return e;
}

int alarms_evaluate(struct alarms *a, struct series *s,
		    const struct scope *scope, struct wall now,
		    alarm_change_fn *change, void *arg)
{
	struct definitions *definitions = definitions_ref(a);
	struct arena arena = ARENA_INIT;
	int first = 0;

	assert(now.ns > 0);
	for (size_t i = 0; i < definitions->count; i++) {
		int e = evaluate_one(a, s, scope, &definitions->list[i], now.ns,
				     &arena, change, arg);

		arena_reset(&arena);
		if (!e)
			continue;
		first = first ? first : e;
		pthread_mutex_lock(&a->lock);
		a->stats.errors++;
		pthread_mutex_unlock(&a->lock);
	}
	arena_fini(&arena);
	definitions_unref(a, definitions);
	return first;
}
