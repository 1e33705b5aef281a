/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/traces_set.h"

#include "core/sys/env.h"

#define MINUTE_NS (60 * NS_PER_S)

/* --- each of a set ----------------------------------------------------------- */

struct visit {
	struct traces_set *set;
	traces_set_fn *fn;
	void *arg;
};

static int visit(void *arg, const struct trace *trace, struct arena *arena)
{
	struct visit *v = arg;
	struct facts facts;

	if (!trace->document_count)
		return 0;
	facts_init(&facts, &trace->assembly, &trace->documents[0].document,
		   sizeof(trace->documents[0]), v->set->scope->account, arena);
	if (v->set->filter && !filter_match(v->set->filter, &facts))
		return facts.failed ? ERR_NOMEM : 0;
	v->set->selected++;
	return v->fn(v->arg, trace, &facts);
}

static bool wants(void *arg, const struct trace_summary *s)
{
	struct visit *v = arg;
	const struct filter_hint hint = {
		.duration_ns = s->end_ns - s->start_ns,
		.status = s->status,
		.partial = s->partial,
		.names = s->names,
		.name_count = s->name_count,
	};

	return !v->set->filter ||
	       filter_guess(v->set->filter, &hint) != FILTER_NO;
}

int traces_set_each(struct traces *t, struct traces_set *set, traces_set_fn *fn,
		    void *arg)
{
	struct visit v = { .set = set, .fn = fn, .arg = arg };
	struct traces_scan scan = {
		.scope = set->scope,
		.start_ns = set->start_ns,
		.end_ns = set->end_ns,
		.by = TRACES_BY_EVENT,
		.traces_max = TRACES_SET_MAX,
		.wants = wants,
		.visit = visit,
		.arg = &v,
	};
	int e;

	set->processed = set->selected = 0;
	e = traces_scan(t, &scan);
	set->cut = e == 1;
	set->processed = scan.processed;
	return e < 0 ? e : 0;
}

/* --- maps ---------------------------------------------------------------------- */

struct calls {
	int64_t from_ns, to_ns;
	graph_call_fn *fn;
	void *arg;
};

static void pass_call(void *arg, const struct graph_call *call)
{
	const struct calls *c = arg;

	if (call->time_ns >= c->from_ns && call->time_ns < c->to_ns)
		c->fn(c->arg, call);
}

static int trace_calls(void *arg, const struct trace *trace,
		       struct facts *facts)
{
	(void)facts;
	graph_calls(&trace->assembly, pass_call, arg);
	return 0;
}

int traces_set_calls(struct traces *t, struct traces_set *set,
		     graph_call_fn *fn, void *arg)
{
	struct calls calls = { .from_ns = set->start_ns,
			       .to_ns = INT64_MAX,
			       .fn = fn,
			       .arg = arg };

	if (set->end_ns <= set->start_ns)
		return 0;
	calls.from_ns -= calls.from_ns % MINUTE_NS;
	if (set->end_ns < INT64_MAX - MINUTE_NS)
		calls.to_ns =
			(set->end_ns + MINUTE_NS - 1) / MINUTE_NS * MINUTE_NS;
	return traces_set_each(t, set, trace_calls, &calls);
}

static void count_call(void *arg, const struct graph_call *call)
{
	graph_count(arg, call);
}

int traces_set_map(struct traces *t, struct traces_set *set, struct graph *out)
{
	int e;

	*out = (struct graph){ .account = set->scope->account,
			       .minutes = true };
	e = traces_set_calls(t, set, count_call, out);
	if (e)
		graph_fini(out);
	return e;
}

int traces_ids_map(struct traces *t, const struct scope *scope,
		   uint8_t (*ids)[TRACE_ID_SIZE], size_t count,
		   struct graph *out, size_t *missing)
{
	struct arena arena = ARENA_INIT;
	int e = 0;

	*missing = 0;
	*out = (struct graph){ .account = scope->account };
	for (size_t i = 0; i < count && !e; i++) {
		struct trace trace;

		arena_reset(&arena);
		e = traces_get(t, scope, ids[i], &arena, &trace);
		if (e == ERR_NOT_FOUND) {
			e = 0;
			++*missing;
		} else if (!e) {
			graph_calls(&trace.assembly, count_call, out);
		}
	}
	arena_fini(&arena);
	if (e)
		graph_fini(out);
	return e;
}
