/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/insights/watch.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "collector/ingest/change.h"
#include "collector/ingest/measured.h"
#include "collector/insights/incident.h"
#include "collector/insights/scopes.h"
#include "core/base/log.h"
#include "core/codec/json_write.h"

#define MINUTE_NS (60 * NS_PER_S)
#define SPACE SV("AWS/XRay")
#define TRACES SV("ApproximateTraceCount")
#define FAULTS SV("ApproximateFaultCount")

/* One minute of one scope. */
struct minute {
	const struct watch_parts *parts;
	const struct watched_scope *scope;
	int64_t start_ns, end_ns;
	struct arena *arena;
};

/* --- what was counted --------------------------------------------------------------- */

/* Sums of a metric of a group, in minutes[] by their offset from from_ns. */
static int read_series(const struct minute *m, struct sv metric,
		       struct sv group, int64_t from_ns, int64_t to_ns,
		       struct insight_minute *minutes, bool faults,
		       size_t *count)
{
	struct dimension d = { SV("GroupName"), group };
	const struct series_query q = {
		.scope = &m->scope->scope,
		.ns = SPACE,
		.name = metric,
		.dimensions = &d,
		.dimension_count = 1,
		.period_s = 60,
		.start_ns = from_ns,
		.end_ns = to_ns,
	};
	struct series_point *points;
	int e = series_read(m->parts->series, &q, m->arena, &points, count);

	for (size_t i = 0; !e && minutes && i < *count; i++) {
		struct insight_minute *at =
			&minutes[(points[i].time_ns - from_ns) / MINUTE_NS];

		*(faults ? &at->faults : &at->traces) = points[i].sum;
	}
	return e;
}

static int is_counted(const struct minute *m, const struct group_minute *g,
		      bool *out)
{
	size_t count = 0;
	int e = read_series(m, TRACES, g->name, m->start_ns, m->end_ns, NULL,
			    false, &count);

	*out = count > 0;
	return e;
}

/* Whoever asks for the next minute has to see this one. */
static void wait_applied(const struct minute *m, const struct group_minute *g)
{
	bool there = false;

	for (int ms = 0; ms < WATCH_APPLY_MS && !there; ms += 10) {
		usleep(10000);
		if (is_counted(m, g, &there))
			return;
	}
}

static void put(struct measured *data, size_t *count, const struct minute *m,
		struct sv name, const struct group_minute *g, uint64_t value)
{
	data[(*count)++] = (struct measured){
		.ns = SPACE,
		.name = name,
		.dimension = { SV("GroupName"), g->name },
		.time_ns = m->start_ns,
		.value = (double)value,
	};
}

/* Groups without a trace have no datum, as in CloudWatch. */
static int emit(const struct minute *m)
{
	struct measured data[2 * GROUPS_OF_SCOPE_MAX];
	const struct group_minute *last = NULL;
	size_t count = 0;
	int e = 0;

	for (size_t i = 0; i < m->scope->group_count && !e; i++) {
		const struct group_minute *g = &m->scope->groups[i];
		bool there = true;

		if (!g->traces)
			continue;
		e = is_counted(m, g, &there);
		if (e || there)
			continue;
		put(data, &count, m, TRACES, g, g->traces);
		put(data, &count, m, FAULTS, g, g->faults);
		last = g;
	}
	if (e || !count)
		return e;
	e = measured_submit(m->parts->ingest, &m->scope->scope, data, count);
	if (!e)
		wait_applied(m, last);
	return e;
}

/* --- incidents ---------------------------------------------------------------------- */

static struct sv write_insight(const struct insight *i, struct arena *arena)
{
	struct buf out = { .limit = CATALOGUE_VALUE_MAX };
	struct json_writer w = json_writer(&out);
	struct sv value = { NULL, 0 };

	shape_write_json(&insight_stored_shape, i, &w);
	if (!out.failed)
		value = arena_copy(arena, buf_view(&out));
	buf_fini(&out);
	return value;
}

/* Where a new one finds no room, the one that changed last longest ago goes, and
 * any that nobody can ask for any more. */
static int make_room(const struct minute *m, struct catalogue_changes *changes)
{
	struct catalogue_item *items;
	size_t count, oldest = 0;
	bool more;
	int e = catalogue_list(m->parts->catalogue, &m->scope->scope,
			       CATALOGUE_INSIGHT, SV(""), INSIGHTS_MAX,
			       m->arena, &items, &count, &more);

	for (size_t i = 0; i < count && !e; i++)
		if (items[i].modified.ns < items[oldest].modified.ns)
			oldest = i;
	for (size_t i = 0; i < count && !e; i++) {
		bool old = m->end_ns - items[i].modified.ns >
			   INSIGHT_DAYS * 24 * 3600 * NS_PER_S;

		if ((old || (count == INSIGHTS_MAX && i == oldest)) &&
		    changes->count < CATALOGUE_CHANGES_MAX)
			changes->list[changes->count++] =
				(struct catalogue_change){
					.action = CATALOGUE_DELETE,
					.kind = CATALOGUE_INSIGHT,
					.name = items[i].name,
				};
	}
	return e;
}

static int store(const struct minute *m, const struct insight *i, bool is_new)
{
	struct catalogue_changes changes = {
		.list = { { .action = CATALOGUE_PUT,
			    .kind = CATALOGUE_INSIGHT,
			    .name = i->id,
			    .value = write_insight(i, m->arena) } },
		.count = 1,
	};
	enum catalogue_verdict verdict = CATALOGUE_DONE;
	int e = is_new ? make_room(m, &changes) : 0;

	if (!e && !changes.list[0].value.ptr)
		e = ERR_NOMEM;
	if (!e)
		e = change_make(m->parts->ingest, m->parts->catalogue,
				&m->scope->scope, &changes, &verdict);
	return e ? e : verdict == CATALOGUE_DONE ? 0 : ERR_LIMIT;
}

/* Calls of the service that the faults come from, since from_ns. */
static int sum_cause(const struct minute *m, const struct group_minute *g,
		     int64_t from_ns, struct incident_sum *sum)
{
	struct graph graph;
	int e;

	if (!g->cause_count)
		return 0;
	e = traces_map(m->parts->traces, &m->scope->scope, from_ns, m->end_ns,
		       &graph);
	if (e)
		return e;
	for (uint32_t i = 0; i < graph.node_count; i++) {
		const struct graph_node *n = &graph.nodes[i];
		const struct graph_stats *s = &n->stats;

		if (!sv_eq(n->name, g->causes[0].name) ||
		    !sv_eq(n->type, g->causes[0].type))
			continue;
		sum->cause_faults += s->fault;
		sum->cause_ok += s->ok;
		sum->cause_total += s->ok + s->error + s->throttle + s->fault;
	}
	graph_fini(&graph);
	return 0;
}

static struct insight *active_of(const struct minute *m, struct sv arn)
{
	for (size_t i = 0; i < m->scope->active_count; i++)
		if (sv_eq(m->scope->active[i].group_arn, arn))
			return &m->scope->active[i];
	return NULL;
}

static int begin(const struct minute *m, const struct group_minute *g,
		 const struct insight_minute *minutes, size_t since)
{
	int64_t start_ns = m->start_ns - (int64_t)since * MINUTE_NS;
	struct incident_sum sum = { .traces = 0 };
	struct insight insight;
	int e;

	for (size_t i = 0; i <= since; i++) {
		const struct insight_minute *at =
			&minutes[INSIGHT_WINDOW_MINUTES - 1 - i];

		sum.traces += at->traces;
		sum.faults += at->faults;
	}
	e = sum_cause(m, g, start_ns, &sum);
	if (!e)
		e = incident_begin(&insight, &m->scope->scope, g, start_ns,
				   m->arena);
	if (!e)
		e = incident_add(&insight, g, &sum, m->end_ns, m->arena);
	if (e)
		return e;
	log_info("insights", "group %.*s: %.*s", SV_ARG(g->name),
		 SV_ARG(insight.summary));
	return store(m, &insight, true);
}

static int go_on(const struct minute *m, const struct group_minute *g,
		 struct insight *insight)
{
	struct incident_sum sum = { .traces = (double)g->traces,
				    .faults = (double)g->faults };
	int e = sum_cause(m, g, m->start_ns, &sum);

	if (!e)
		e = incident_add(insight, g, &sum, m->end_ns, m->arena);
	return e < 0 ? e : e == 1 ? 0 : store(m, insight, false);
}

static int end(const struct minute *m, struct insight *insight, size_t since)
{
	int64_t end_ns = m->end_ns - (int64_t)since * MINUTE_NS;
	int e;

	if (insight->updated.ns >= m->end_ns)
		return 0;
	if (end_ns < insight->start.ns)
		end_ns = insight->start.ns;
	e = incident_end(insight, end_ns, m->end_ns, m->arena);
	if (e)
		return e;
	log_info("insights", "group %.*s: it is over",
		 SV_ARG(insight->group_name));
	return store(m, insight, false);
}

static int judge(const struct minute *m, const struct group_minute *g)
{
	struct insight_minute minutes[INSIGHT_WINDOW_MINUTES] = { { 0 } };
	struct insight *active = active_of(m, g->arn);
	int64_t from_ns = m->end_ns - INSIGHT_WINDOW_MINUTES * MINUTE_NS;
	size_t count, since;
	int e = read_series(m, TRACES, g->name, from_ns, m->start_ns, minutes,
			    false, &count);

	if (!e)
		e = read_series(m, FAULTS, g->name, from_ns, m->start_ns,
				minutes, true, &count);
	if (e)
		return e;
	minutes[INSIGHT_WINDOW_MINUTES - 1] =
		(struct insight_minute){ (double)g->traces, (double)g->faults };
	switch (insight_judge(minutes, INSIGHT_WINDOW_MINUTES, active != NULL,
			      &since)) {
	case INSIGHT_NONE:
		break;
	case INSIGHT_BEGINS:
		return begin(m, g, minutes, since);
	case INSIGHT_GOES_ON:
		return go_on(m, g, active);
	case INSIGHT_ENDS:
		return end(m, active, since);
	}
	return 0;
}

static bool is_watched(const struct watched_scope *s, struct sv arn)
{
	for (size_t i = 0; i < s->group_count; i++)
		if (s->groups[i].insights && sv_eq(s->groups[i].arn, arn))
			return true;
	return false;
}

/* Of groups that are gone, or have no insights any more. */
static int end_others(const struct minute *m)
{
	int first = 0;

	for (size_t i = 0; i < m->scope->active_count; i++) {
		struct insight *insight = &m->scope->active[i];
		int e = is_watched(m->scope, insight->group_arn) ?
				0 :
				end(m, insight, 0);

		first = first ? first : e;
	}
	return first;
}

/* --- a minute ----------------------------------------------------------------------- */

static int scope_minute(const struct minute *m)
{
	const struct watched_scope *s = m->scope;
	bool cut = false;
	int first = 0, e;

	if (s->group_count) {
		first = groups_count(m->parts->traces, &s->scope, m->start_ns,
				     s->groups, s->group_count, m->arena, &cut);
		if (cut)
			log_warn("insights", "there are too many traces in a "
					     "minute: groups are counted in "
					     "part");
	}
	if (!first)
		first = emit(m);
	for (size_t i = 0; i < s->group_count && !first; i++)
		if (s->groups[i].insights)
			first = judge(m, &s->groups[i]);
	e = end_others(m);
	return first ? first : e;
}

int watch_minute(const struct watch_parts *parts, int64_t start_ns)
{
	struct arena arena = { .limit = WATCH_BYTES };
	struct watched watched;
	int first = watched_load(parts->catalogue, &arena, &watched);

	for (size_t i = 0; !first && i < watched.count; i++) {
		struct arena_mark mark = arena_mark(&arena);
		const struct minute m = {
			.parts = parts,
			.scope = &watched.scopes[i],
			.start_ns = start_ns,
			.end_ns = start_ns + MINUTE_NS,
			.arena = &arena,
		};
		int e = scope_minute(&m);

		if (e)
			log_warn("insights", "groups could not be counted: %s",
				 err_text(e));
		arena_rollback(&arena, mark);
	}
	arena_fini(&arena);
	return first;
}

/* --- the thread --------------------------------------------------------------------- */

struct watch {
	struct watch_parts parts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	sem_t ready;
	int64_t next; /* minute since 1970; 0: not known yet */
};

static bool is_stopping(struct watch *w)
{
	bool stopping;

	pthread_mutex_lock(&w->lock);
	stopping = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return stopping;
}

/* Every minute that has settled, but after a pause or a clock's jump those of
 * the last quarter of an hour alone. */
static void catch_up(struct watch *w)
{
	int64_t now_ns = env_wall(w->parts.env).ns;
	int64_t last = (now_ns - WATCH_SETTLE_S * NS_PER_S) / MINUTE_NS - 1;

	if (w->next <= last - WATCH_CATCH_UP || w->next > last + 1)
		w->next = last - WATCH_CATCH_UP + 1;
	for (; w->next <= last && !is_stopping(w); w->next++) {
		int e = watch_minute(&w->parts, w->next * MINUTE_NS);

		if (e)
			log_warn("insights", "a minute is not counted: %s",
				 err_text(e));
	}
}

static void *watch_main(void *arg)
{
	struct watch *w = arg;

	pthread_setname_np(pthread_self(), "insights");
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), WATCH_NICE);
	sem_post(&w->ready);
	while (!is_stopping(w)) {
		struct timespec until;

		catch_up(w);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WATCH_EVERY_S;
		pthread_mutex_lock(&w->lock);
		while (!w->stopping &&
		       pthread_cond_timedwait(&w->wake, &w->lock, &until) !=
			       ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

int watch_start(struct watch **out, const struct watch_parts *parts,
		struct diag *diag)
{
	struct watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	w->parts = *parts;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	sem_init(&w->ready, 0, 0);
	if (pthread_create(&w->thread, NULL, watch_main, w)) {
		free(w);
		return diag_set(diag, ERR_NOMEM,
				"cannot start the thread for insights");
	}
	/* Afterwards the process gives up the call that it begins with. */
	while (sem_wait(&w->ready) < 0)
		continue;
	*out = w;
	return 0;
}

void watch_stop(struct watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	sem_destroy(&w->ready);
	free(w);
}
