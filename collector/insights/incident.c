/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/insights/incident.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/hash.h"

enum { SUMMARY_MAX = 400 };

/* A name-based UUID (version 5's form), of XXH3. */
static struct sv make_id(const struct scope *scope, struct sv arn,
			 int64_t start_ns, struct arena *arena)
{
	struct buf b = BUF_INIT;
	uint8_t bytes[16];
	char text[INSIGHT_ID_CHARS];
	struct hash128 h;
	size_t at = 0;

	buf_format(&b, "%llu %s %lld ", (unsigned long long)scope->account,
		   scope->region, (long long)start_ns);
	buf_sv(&b, arn);
	h = hash128(buf_view(&b));
	buf_fini(&b);
	put_be64(bytes, h.high);
	put_be64(bytes + 8, h.low);
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x50);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		hex_from(text + at, bytes + i, 1);
		at += 2;
	}
	return arena_copy(arena, sv_make(text, sizeof(text)));
}

PRINTF(2, 3)
static struct sv format(struct arena *arena, const char *text, ...)
{
	char out[SUMMARY_MAX];
	va_list args;

	va_start(args, text);
	vsnprintf(out, sizeof(out), text, args);
	va_end(args);
	return arena_copy(arena, sv_from(out));
}

/* --- parts ------------------------------------------------------------------------- */

static struct insight_service *service_of(const struct group_cause *c,
					  struct arena *arena)
{
	struct insight_service *s = arena_new(arena, struct insight_service);
	struct sv *names = arena_new(arena, struct sv);

	if (!s || !names)
		return NULL;
	*names = c->name;
	*s = (struct insight_service){
		.name = c->name,
		.names = { names, 1, true },
		.account = c->account,
		.type = c->type.len ? c->type : (struct sv){ NULL, 0 },
	};
	return s;
}

static int set_top(struct insight *i, const struct group_minute *g,
		   struct arena *arena)
{
	size_t n = g->cause_count < INSIGHT_SERVICES_MAX ? g->cause_count :
							   INSIGHT_SERVICES_MAX;

	if (!n)
		return 0;
	i->top.items = arena_array(arena, n, sizeof(*i->top.items));
	i->top.count = 0;
	i->top.set = true;
	for (size_t k = 0; i->top.items && k < n; k++) {
		struct insight_service *s = service_of(&g->causes[k], arena);

		if (!s)
			return ERR_NOMEM;
		i->top.items[i->top.count++].service = s;
	}
	return i->top.items ? 0 : ERR_NOMEM;
}

static struct insight_impact *copy_impact(const struct insight_impact *from,
					  struct arena *arena)
{
	struct insight_impact *to = arena_new(arena, struct insight_impact);

	if (to)
		*to = *from;
	return to;
}

static void add_impact(struct insight_impact *to, uint64_t fault, uint64_t ok,
		       uint64_t total)
{
	to->fault = (struct shape_integer){ to->fault.value + (int64_t)fault,
					    true };
	to->ok = (struct shape_integer){ to->ok.value + (int64_t)ok, true };
	to->total = (struct shape_integer){ to->total.value + (int64_t)total,
					    true };
}

/* What it is now, as an event. */
static int add_event(struct insight *i, struct sv summary, int64_t now_ns,
		     struct arena *arena)
{
	struct insight_event *more, *e;
	size_t n = i->events.count;

	if (!summary.ptr)
		return ERR_NOMEM;
	if (n == INSIGHT_EVENTS_MAX)
		return 0;
	more = arena_array(arena, n + 1, sizeof(*more));
	if (!more)
		return ERR_NOMEM;
	if (n)
		memcpy(more, i->events.items, n * sizeof(*more));
	e = &more[n];
	e->summary = summary;
	e->time = (struct shape_time){ now_ns, true };
	e->client = copy_impact(i->client, arena);
	e->cause = copy_impact(i->cause, arena);
	e->top.items = i->top.items;
	e->top.count = i->top.count;
	e->top.set = i->top.set;
	i->events.items = more;
	i->events.count = n + 1;
	i->events.set = true;
	return e->client && e->cause ? 0 : ERR_NOMEM;
}

/* --- its life ---------------------------------------------------------------------- */

int incident_begin(struct insight *i, const struct scope *scope,
		   const struct group_minute *g, int64_t start_ns,
		   struct arena *arena)
{
	struct sv *category = arena_new(arena, struct sv);

	*i = (struct insight){
		.id = make_id(scope, g->arn, start_ns, arena),
		.group_arn = g->arn,
		.group_name = g->name,
		.categories = { category, 1, true },
		.state = SV("ACTIVE"),
		.start = { start_ns, true },
		.client = arena_new(arena, struct insight_impact),
		.cause = arena_new(arena, struct insight_impact),
	};
	if (!i->id.ptr || !category || !i->client || !i->cause)
		return ERR_NOMEM;
	*category = SV("FAULT");
	return 0;
}

static int64_t faults_told(const struct insight *i)
{
	const struct insight_event *last;

	if (!i->events.count)
		return 0;
	last = &i->events.items[i->events.count - 1];
	return last->client ? last->client->fault.value : 0;
}

static struct sv cause_name(const struct insight *i)
{
	return i->root_cause ? i->root_cause->name : SV("an unknown service");
}

static struct sv what_happened(const struct insight *i, bool other,
			       struct arena *arena)
{
	const struct insight_impact *c = i->client;
	struct sv cause = cause_name(i);

	if (!i->events.count)
		return format(arena,
			      "Faults began: %lld of %lld traces of the group "
			      "%.*s, most of them from %.*s",
			      (long long)c->fault.value,
			      (long long)c->total.value, SV_ARG(i->group_name),
			      SV_ARG(cause));
	if (other)
		return format(arena, "Most faults come from %.*s now",
			      SV_ARG(cause));
	return format(arena, "Faults go on: %lld of %lld traces",
		      (long long)c->fault.value, (long long)c->total.value);
}

int incident_add(struct insight *i, const struct group_minute *g,
		 const struct incident_sum *sum, int64_t now_ns,
		 struct arena *arena)
{
	const struct group_cause *first = g->cause_count ? g->causes : NULL;
	bool other = first && i->root_cause &&
		     !sv_eq(i->root_cause->name, first->name);
	int e = 0;

	if (i->updated.set && i->updated.ns >= now_ns)
		return 1;
	i->updated = (struct shape_time){ now_ns, true };
	if (!i->client)
		i->client = arena_new(arena, struct insight_impact);
	if (!i->cause)
		i->cause = arena_new(arena, struct insight_impact);
	if (!i->client || !i->cause)
		return ERR_NOMEM;
	add_impact(i->client, (uint64_t)sum->faults,
		   (uint64_t)(sum->traces - sum->faults),
		   (uint64_t)sum->traces);
	add_impact(i->cause, sum->cause_faults, sum->cause_ok,
		   sum->cause_total);
	if (first && (!i->root_cause || other)) {
		i->root_cause = service_of(first, arena);
		e = i->root_cause ? 0 : ERR_NOMEM;
	}
	if (!e)
		e = set_top(i, g, arena);
	if (!e && (!i->events.count || other ||
		   i->client->fault.value >= 2 * faults_told(i)))
		e = add_event(i, what_happened(i, other, arena), now_ns, arena);
	i->summary = format(arena,
			    "%lld of %lld traces of the group %.*s had faults, "
			    "most of them from %.*s",
			    (long long)i->client->fault.value,
			    (long long)i->client->total.value,
			    SV_ARG(i->group_name), SV_ARG(cause_name(i)));
	return e ? e : i->summary.ptr ? 0 : ERR_NOMEM;
}

int incident_end(struct insight *i, int64_t end_ns, int64_t now_ns,
		 struct arena *arena)
{
	i->state = SV("CLOSED");
	i->end = (struct shape_time){ end_ns, true };
	i->updated = (struct shape_time){ now_ns, true };
	return add_event(i, format(arena, "Faults are as rare as before"),
			 now_ns, arena);
}
