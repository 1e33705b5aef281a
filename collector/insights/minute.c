/* SPDX-License-Identifier: Apache-2.0 */
/* What the watch does for a minute: counts, journals, judges. */
#include "collector/insights/watch.h"

#include <assert.h>
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
	const struct watched *scope;
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
		assert(active);
		return go_on(m, g, active);
	case INSIGHT_ENDS:
		assert(active);
		return end(m, active, since);
	}
	return 0;
}

static bool is_watched(const struct watched *s, struct sv arn)
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
	const struct watched *s = m->scope;
	bool cut = false;
	int first = 0, e;

	if (s->group_count) {
		first = groups_count(m->parts->traces, &s->scope, m->start_ns,
				     s->groups, s->group_count, m->arena, &cut);
		if (cut) {
			stats_add(&m->parts->ingest->stats->cut_minutes, 1);
			log_warn("insights", "there are too many traces in a "
					     "minute: groups are counted in "
					     "part");
		}
	}
	if (!first)
		first = emit(m);
	for (size_t i = 0; i < s->group_count && !first; i++)
		if (s->groups[i].insights)
			first = judge(m, &s->groups[i]);
	e = end_others(m);
	return first ? first : e;
}

static int load_and_look(const struct watch_parts *parts,
			 const struct scope *scope, int64_t start_ns,
			 struct arena *arena)
{
	struct watched watched;
	const struct minute m = {
		.parts = parts,
		.scope = &watched,
		.start_ns = start_ns,
		.end_ns = start_ns + MINUTE_NS,
		.arena = arena,
	};
	int e = watched_load(parts->catalogue, scope, arena, &watched);

	return e ? e : scope_minute(&m);
}

int watch_minute(const struct watch_parts *parts, int64_t start_ns)
{
	struct arena arena = { .limit = WATCH_BYTES };
	struct scope *scopes;
	size_t count;
	bool more;
	int first = watched_scopes(parts->catalogue, WATCH_SCOPES_MAX, &arena,
				   &scopes, &count, &more);

	if (!first && more)
		log_warn("insights",
			 "groups of %d accounts and regions are "
			 "counted, and no more",
			 WATCH_SCOPES_MAX);
	for (size_t i = 0; !first && i < count; i++) {
		struct arena_mark mark = arena_mark(&arena);
		int e = load_and_look(parts, &scopes[i], start_ns, &arena);

		if (e)
			log_warn("insights", "groups could not be counted: %s",
				 err_text(e));
		arena_rollback(&arena, mark);
	}
	arena_fini(&arena);
	return first;
}
