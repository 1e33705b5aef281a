/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/insights/count.h"

#include <stdlib.h>

#include "core/sys/env.h"
#include "tracer/rootcause.h"

struct counting {
	int64_t start_ns, end_ns;
	struct group_minute *groups;
	size_t count;
	struct arena *arena;
};

static bool is_cause(const struct group_cause *c,
		     const struct rootcause_service *s)
{
	return sv_eq(c->name, s->name) && sv_eq(c->type, s->type) &&
	       sv_eq(c->account, s->account);
}

static int add_cause(struct counting *c, struct group_minute *g,
		     const struct rootcause_service *s)
{
	struct group_cause *cause;

	for (size_t i = 0; i < g->cause_count; i++)
		if (is_cause(&g->causes[i], s)) {
			g->causes[i].faults++;
			return 0;
		}
	if (g->cause_count == GROUP_CAUSES_MAX)
		return 0; /* one of many that fail at once */
	cause = &g->causes[g->cause_count];
	*cause = (struct group_cause){
		.name = arena_copy(c->arena, s->name),
		.type = arena_copy(c->arena, s->type),
		.account = arena_copy(c->arena, s->account),
		.faults = 1,
	};
	if (!cause->name.ptr || !cause->type.ptr || !cause->account.ptr)
		return ERR_NOMEM;
	g->cause_count++;
	return 0;
}

/* The last service on the way to the first cause. */
static int add_causes(struct counting *c, struct group_minute *g,
		      struct facts *facts)
{
	uint32_t count;
	const struct rootcause *list =
		rootcauses(facts, ROOTCAUSE_FAULT, &count);

	if (!list || !count || !list[0].service_count)
		return facts->failed ? ERR_NOMEM : 0;
	return add_cause(c, g, &list[0].services[list[0].service_count - 1]);
}

static int count_trace(void *arg, const struct trace *trace,
		       struct facts *facts)
{
	struct counting *c = arg;
	bool fault = trace->summary.status == SEGMENT_STATUS_FAULT;

	if (trace->summary.start_ns < c->start_ns ||
	    trace->summary.start_ns >= c->end_ns)
		return 0;
	for (size_t i = 0; i < c->count; i++) {
		struct group_minute *g = &c->groups[i];
		int e = 0;

		if (g->filter.count && !filter_match(&g->filter, facts)) {
			if (facts->failed)
				return ERR_NOMEM;
			continue;
		}
		g->traces++;
		g->faults += fault;
		if (fault && g->insights)
			e = add_causes(c, g, facts);
		if (e)
			return e;
	}
	return 0;
}

static int by_faults(const void *x, const void *y)
{
	const struct group_cause *a = x, *b = y;

	if (a->faults != b->faults)
		return a->faults > b->faults ? -1 : 1;
	return sv_cmp(a->name, b->name);
}

int groups_count(struct traces *t, const struct scope *scope, int64_t start_ns,
		 struct group_minute *groups, size_t count, struct arena *arena,
		 bool *cut)
{
	struct traces_set set = {
		.scope = scope,
		.start_ns = start_ns,
		.end_ns = start_ns + 60 * NS_PER_S,
	};
	struct counting c = {
		.start_ns = set.start_ns,
		.end_ns = set.end_ns,
		.groups = groups,
		.count = count,
		.arena = arena,
	};
	int e = traces_set_each(t, &set, count_trace, &c);

	*cut = set.cut;
	for (size_t i = 0; i < count && !e; i++)
		qsort(groups[i].causes, groups[i].cause_count,
		      sizeof(groups[i].causes[0]), by_faults);
	return e;
}
