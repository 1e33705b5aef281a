/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading: a snapshot under the lock (copies of open rows, references to
 * blocks, which hours RRD files serve), then everything else without it.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "collector/series/feeder.h"
#include "collector/series/state.h"

/* --- a snapshot --------------------------------------------------------------- */

struct snapshot {
	struct row_list open; /* copies, by minute */
	struct tier_block **blocks;
	size_t count;
};

static void snapshot_fini(struct snapshot *v)
{
	for (size_t i = 0; i < v->count; i++)
		tier_unref(v->blocks[i]);
	free(v->blocks);
	row_list_fini(&v->open);
}

/* With the lock held. */
static int snapshot_take(struct series *s, const struct entry *e,
			 enum tier tier, int32_t first, int32_t end, bool dist,
			 struct snapshot *v)
{
	uint32_t i = window_before(&e->open, first);

	for (; i < e->open.count && e->open.rows[i].minute < end; i++) {
		const struct timed_row *from = &e->open.rows[i];
		struct row *to = row_list_add(&v->open, from->minute);

		if (!to)
			return ERR_NOMEM;
		if (!row_merge(to, &from->row, dist))
			s->stats.distributions_lost++;
	}
	v->blocks = calloc(s->block_count + 1, sizeof(struct tier_block *));
	if (!v->blocks)
		return ERR_NOMEM;
	for (size_t k = 0; k < s->block_count; k++) {
		struct tier_block *b = s->blocks[k];

		if (b->tier == tier && b->last_minute >= first &&
		    b->first_minute < end)
			v->blocks[v->count++] = tier_ref(b);
	}
	return 0;
}

static int snapshot_read(struct series *s, const struct snapshot *v,
			 struct hash128 hash, int32_t first, int32_t end,
			 bool dist, struct row_list *out)
{
	uint64_t damaged = 0;
	int e = 0;

	for (size_t i = 0; i < v->count && !e; i++)
		e = tier_read(v->blocks[i], hash, first, end, dist, out,
			      &damaged);
	for (size_t i = 0; i < v->open.count && !e; i++) {
		const struct timed_row *from = &v->open.rows[i];
		struct row *to;

		if (from->minute < first || from->minute >= end)
			continue;
		to = row_list_add(out, from->minute);
		if (!to || !row_merge(to, &from->row, dist))
			e = ERR_NOMEM;
	}
	if (damaged) {
		pthread_mutex_lock(&s->lock);
		s->stats.damaged_chunks += damaged;
		pthread_mutex_unlock(&s->lock);
	}
	return e;
}

int series_rows(struct series *s, const struct entry *entry, enum tier tier,
		int32_t first, int32_t end, bool dist, struct row_list *out)
{
	struct snapshot v = { 0 };
	int e;

	pthread_mutex_lock(&s->lock);
	e = snapshot_take(s, entry, tier, first, end, dist, &v);
	pthread_mutex_unlock(&s->lock);
	if (!e)
		e = snapshot_read(s, &v, entry->hash, first, end, dist, out);
	snapshot_fini(&v);
	if (!e)
		(void)row_list_fold(out, tier_step(tier), dist);
	return e;
}

/* --- a query ------------------------------------------------------------------ */

struct range {
	enum tier tier;
	int32_t first, end; /* minutes, whole steps of the period */
	int32_t step;       /* the period */
};

static int range_of(const struct series_query *q, struct range *r)
{
	int64_t period_ns = q->period_s * NS_PER_S;
	int64_t first, end;

	if (q->period_s == 0 || q->period_s % 60 || q->period_s > 86400)
		return ERR_INVALID;
	if (q->start_ns < 0 || q->end_ns < q->start_ns ||
	    q->end_ns / MINUTE_NS >= INT32_MAX - 1440)
		return ERR_INVALID;
	first = q->start_ns / period_ns;
	end = (q->end_ns + period_ns - 1) / period_ns;
	if (end - first > SERIES_POINTS_MAX)
		return ERR_LIMIT;
	r->tier = tier_for(q->period_s);
	r->step = (int32_t)(q->period_s / 60);
	r->first = (int32_t)first * r->step;
	r->end = (int32_t)end * r->step;
	return 0;
}

/* What is older than the tier keeps is not there, whether its file is gone
 * already or not. With the lock held. */
static void clip(const struct series *s, struct range *r)
{
	int32_t oldest = series_expired_minute(s, tier_keep(r->tier));

	oldest = minute_floor(oldest, tier_step(r->tier));
	if (r->first < oldest)
		r->first = oldest;
}

static int by_name(const void *a, const void *b)
{
	const struct dimension *x = a, *y = b;

	return sv_cmp(x->name, y->name);
}

/* With the lock held. dims has DIMENSIONS_MAX places. */
static struct entry *find(struct series *s, const struct series_query *q,
			  struct dimension *dims)
{
	struct identity id = {
		.scope = q->scope,
		.ns = q->ns,
		.name = q->name,
		.dimensions = dims,
		.dimension_count = q->dimension_count,
	};

	if (q->dimension_count > DIMENSIONS_MAX)
		return NULL;
	for (size_t i = 0; i < q->dimension_count; i++)
		dims[i] = q->dimensions[i];
	if (q->dimension_count > 1)
		qsort(dims, q->dimension_count, sizeof(*dims), by_name);
	return index_find(&s->index, &id);
}

/* What the RRD files do not serve. */
static int read_between(struct series *s, const struct snapshot *v,
			const struct entry *entry, const struct range *r,
			const struct rrd_plan *plan, bool dist,
			struct row_list *out)
{
	int32_t at = r->first;
	int e = 0;

	for (size_t i = 0; i <= plan->count && !e; i++) {
		int32_t stop = i < plan->count ? plan->runs[i].first : r->end;

		if (at < stop)
			e = snapshot_read(s, v, entry->hash, at, stop, dist,
					  out);
		if (i < plan->count)
			at = plan->runs[i].end;
	}
	return e;
}

static int to_points(const struct row_list *rows, int64_t start_ns, bool dist,
		     struct arena *arena, struct series_point **out,
		     size_t *count)
{
	struct series_point *points =
		arena_array(arena, rows->count, sizeof(*points));
	size_t n = 0;

	if (!points)
		return ERR_NOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *r = &rows->rows[i].row;
		struct series_point *p = &points[n];
		struct sketch *sketch;

		p->time_ns = (int64_t)rows->rows[i].minute * MINUTE_NS;
		if (p->time_ns < start_ns)
			continue;
		p->sum = r->sum + r->sum_lo;
		p->count = r->count;
		p->min = r->min;
		p->max = r->max;
		n++;
		if (!dist || r->mixed || r->min < 0)
			continue;
		sketch = arena_new(arena, struct sketch);
		if (!sketch)
			return ERR_NOMEM;
		sketch->arena = arena;
		if (r->dist ? sketch_merge(sketch, r->dist) :
			      sketch_add(sketch, r->min, r->count))
			return ERR_NOMEM;
		p->dist = sketch;
	}
	*out = points;
	*count = n;
	return 0;
}

/* The plan of a query; with the lock held. 0, or ERR_NOT_FOUND. */
static int plan_of(struct series *s, const struct series_query *q,
		   const struct entry *entry, const struct range *r,
		   struct rrd_plan *plan)
{
	bool automatic = q->source == SERIES_AUTO;

	*plan = (struct rrd_plan){ 0 };
	if (!s->feeder || q->source == SERIES_BLOCKS || q->distribution)
		return q->source == SERIES_RRD && !q->distribution ?
			       ERR_NOT_FOUND :
			       0;
	if (!feeder_plan(s->feeder, entry, r->tier, r->first, r->end, automatic,
			 plan) &&
	    !automatic)
		return ERR_NOT_FOUND;
	return 0;
}

static int read_rows(struct series *s, const struct series_query *q,
		     struct range *r, struct row_list *rows)
{
	struct dimension dims[DIMENSIONS_MAX];
	struct snapshot v = { 0 };
	struct entry *entry;
	struct rrd_plan plan = { 0 };
	int e = 0;

	pthread_mutex_lock(&s->lock);
	entry = find(s, q, dims);
	clip(s, r);
	if (entry && r->first < r->end)
		e = plan_of(s, q, entry, r, &plan);
	if (entry && r->first < r->end && !e)
		e = snapshot_take(s, entry, r->tier, r->first, r->end,
				  q->distribution, &v);
	pthread_mutex_unlock(&s->lock);
	if (e || !entry || r->first >= r->end) {
		snapshot_fini(&v);
		return e;
	}
	if (plan.count) {
		e = feeder_fetch(s->feeder, &plan, r->tier, rows);
		if (e == ERR_BUSY) {
			pthread_mutex_lock(&s->lock);
			s->stats.rrd_busy++;
			pthread_mutex_unlock(&s->lock);
		}
		if (e) {
			row_list_fini(rows);
			plan.count = 0;
		}
		if (e == ERR_BUSY && q->source == SERIES_RRD) {
			snapshot_fini(&v);
			return e;
		}
	}
	e = read_between(s, &v, entry, r, &plan, q->distribution, rows);
	snapshot_fini(&v);
	return e;
}

int series_read(struct series *s, const struct series_query *q,
		struct arena *arena, struct series_point **out, size_t *count)
{
	struct row_list rows = { 0 };
	struct range r;
	int e = range_of(q, &r);

	*out = NULL;
	*count = 0;
	if (e)
		return e;
	e = read_rows(s, q, &r, &rows);
	if (!e) {
		(void)row_list_fold(&rows, r.step, q->distribution);
		e = to_points(&rows, 0, q->distribution, arena, out, count);
	}
	row_list_fini(&rows);
	return e;
}

/* --- statistics --------------------------------------------------------------- */

/* "p99.9" */
static bool percentile(struct sv statistic, double *q)
{
	double v = 0, place = 1;
	size_t i = 1, digits = 0;
	bool point = false;

	if (statistic.len < 2 || statistic.len > 15 || statistic.ptr[0] != 'p')
		return false;
	for (; i < statistic.len; i++) {
		char c = statistic.ptr[i];

		if (c == '.' && !point && digits) {
			point = true;
		} else if (c >= '0' && c <= '9') {
			v = v * 10 + (c - '0');
			place *= point ? 10 : 1;
			digits++;
		} else {
			return false;
		}
	}
	*q = v / place / 100;
	return digits && *q <= 1;
}

bool series_statistic_known(struct sv statistic)
{
	double q;

	return sv_eq(statistic, SV("Sum")) || sv_eq(statistic, SV("Average")) ||
	       sv_eq(statistic, SV("Minimum")) ||
	       sv_eq(statistic, SV("Maximum")) ||
	       sv_eq(statistic, SV("SampleCount")) || percentile(statistic, &q);
}

bool series_statistic(const struct series_point *p, struct sv statistic,
		      double *out)
{
	double q;

	if (sv_eq(statistic, SV("Sum"))) {
		*out = p->sum;
	} else if (sv_eq(statistic, SV("Average"))) {
		*out = p->sum / p->count;
	} else if (sv_eq(statistic, SV("Minimum"))) {
		*out = p->min;
	} else if (sv_eq(statistic, SV("Maximum"))) {
		*out = p->max;
	} else if (sv_eq(statistic, SV("SampleCount"))) {
		*out = p->count;
	} else if (p->dist && percentile(statistic, &q)) {
		*out = sketch_quantile(p->dist, q);
		return isfinite(*out);
	} else {
		return false;
	}
	return true;
}

/* --- the list ----------------------------------------------------------------- */

static bool matches(const struct entry *e, const struct scope *scope,
		    struct sv ns, struct sv name)
{
	return e->active_minutes && e->scope.account == scope->account &&
	       !strcmp(e->scope.region, scope->region) &&
	       (ns.len == 0 || sv_eq(e->ns, ns)) &&
	       (name.len == 0 || sv_eq(e->name, name));
}

/* Entries live as long as s, but the caller's arena may outlive it. */
static int describe(const struct series *s, const struct entry *e,
		    struct arena *arena, struct series_info *info)
{
	struct dimension *dims =
		arena_array(arena, e->dimension_count, sizeof(*dims));
	const struct rrd_file *file = NULL;

	info->ns = arena_copy(arena, e->ns);
	info->name = arena_copy(arena, e->name);
	if (!dims || !info->ns.ptr || !info->name.ptr)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->dimension_count; i++) {
		dims[i].name = arena_copy(arena, e->dimensions[i].name);
		dims[i].value = arena_copy(arena, e->dimensions[i].value);
		if (!dims[i].name.ptr || !dims[i].value.ptr)
			return ERR_NOMEM;
	}
	info->dimensions = dims;
	info->dimension_count = e->dimension_count;
	info->last_ns = (int64_t)e->last_minute * MINUTE_NS;
	if (s->feeder && e->rrd_file >= 0)
		file = s->feeder->files[e->rrd_file];
	if (file && file->ready && e->rrd_slot < file->built) {
		char text[LADDER_NAME + 4];
		int n = snprintf(text, sizeof(text), "rrd/%s", file->name);

		info->rrd_file =
			arena_copy(arena, sv_make(text, (size_t)n)).ptr;
		info->rrd_slot = e->rrd_slot;
		if (!info->rrd_file)
			return ERR_NOMEM;
	}
	return 0;
}

int series_list(struct series *s, const struct scope *scope, struct sv ns,
		struct sv name, struct arena *arena, struct series_info **out,
		size_t *count)
{
	size_t n = 0;
	int e = 0;

	*out = NULL;
	*count = 0;
	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < s->index.count; i++)
		n += matches(s->index.entries[i], scope, ns, name);
	*out = arena_array(arena, n, sizeof(**out));
	if (!*out)
		e = ERR_NOMEM;
	for (uint32_t i = 0; i < s->index.count && !e; i++) {
		const struct entry *entry = s->index.entries[i];

		if (matches(entry, scope, ns, name))
			e = describe(s, entry, arena, &(*out)[(*count)++]);
	}
	pthread_mutex_unlock(&s->lock);
	return e;
}
