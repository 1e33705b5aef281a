/* SPDX-License-Identifier: Apache-2.0 */
/* The service map: calls of the head's digests, and the minutes of blocks. */
#include <stdlib.h>

#include "tracer/traces_inner.h"
#include "tracer/traces_set.h"

#define MINUTE_NS (60 * NS_PER_S)

/* Where calls of the head and pages of blocks go. */
struct asking {
	struct traces *t;
	const struct scope *scope;
	int64_t from_ns, to_ns; /* whole minutes */
	graph_call_fn *call;
	int (*page)(void *arg, int64_t minute_ns, struct sv bytes);
	void *arg;
	uint64_t damaged;
};

static void map_head(const struct asking *a)
{
	const struct head *h = &a->t->head;

	for (size_t i = 0; i < h->count; i++) {
		const struct digest *d = h->traces[i]->digest;

		if (!trace_key_in(&h->traces[i]->key, a->scope))
			continue;
		for (size_t c = 0; c < d->call_count; c++) {
			struct graph_call call;

			if (d->calls[c].time_ns < a->from_ns ||
			    d->calls[c].time_ns >= a->to_ns)
				continue;
			call = digest_call(d, c);
			a->call(a->arg, &call);
		}
	}
}

static int map_block(struct asking *a, const struct block_ref *b)
{
	static const uint8_t none[TRACE_ID_SIZE];
	struct block_scan *scan;
	struct trace_key any;
	struct row_key from;
	struct sv key, value;
	int e;

	if (b->start_ns_max < a->from_ns || b->start_ns_min >= a->to_ns)
		return 0;
	trace_key_make(&any, a->scope, none);
	row_key_minute(&from, &any, a->from_ns / MINUTE_NS);
	e = block_scan_open(&scan, b->block, row_key_view(&from));
	if (e)
		return e;
	while ((e = block_scan_next(scan, &key, &value)) == 1 &&
	       row_same_space(key, &from) &&
	       row_minute(key) < a->to_ns / MINUTE_NS) {
		int err = a->page(a->arg, row_minute(key) * MINUTE_NS, value);

		if (err && err != ERR_CORRUPT) {
			e = err;
			break;
		}
		a->damaged += err == ERR_CORRUPT;
	}
	a->damaged += block_scan_damaged(scan);
	block_scan_close(scan);
	return e < 0 ? e : 0;
}

static int ask(struct asking *a)
{
	struct arena scratch = ARENA_INIT;
	struct block_set *set;
	int e = traces_lock_digested(a->t, &scratch);

	if (!e)
		map_head(a);
	set = traces_hold(a->t);
	traces_unlock(a->t);
	for (size_t i = 0; i < set->count && !e; i++)
		e = map_block(a, set->items[i]);
	traces_release(a->t, set);
	traces_count_damage(a->t, a->damaged);
	arena_fini(&scratch);
	return e;
}

/* False: nothing can be in the range. */
static bool widen(struct asking *a, int64_t start_ns, int64_t end_ns)
{
	const int64_t last = INT64_MAX / MINUTE_NS - 1;

	if (start_ns < 0)
		start_ns = 0;
	if (end_ns <= start_ns)
		return false;
	a->from_ns = start_ns / MINUTE_NS * MINUTE_NS;
	a->to_ns = ((end_ns - 1) / MINUTE_NS < last ?
			    (end_ns - 1) / MINUTE_NS + 1 :
			    last) *
		   MINUTE_NS;
	return true;
}

static void count_call(void *arg, const struct graph_call *call)
{
	graph_count(arg, call);
}

static int count_page(void *arg, int64_t minute_ns, struct sv bytes)
{
	(void)minute_ns;
	return graph_decode(arg, bytes);
}

int traces_map_scan(struct traces *t, const struct scope *scope,
		    int64_t start_ns, int64_t end_ns, struct graph *out)
{
	struct asking a = { .t = t,
			    .scope = scope,
			    .call = count_call,
			    .page = count_page,
			    .arg = out };
	int e;

	*out = (struct graph){ .account = scope->account, .minutes = true };
	if (!widen(&a, start_ns, end_ns))
		return 0;
	e = ask(&a);
	if (e)
		graph_fini(out);
	return e;
}

int traces_map(struct traces *t, const struct scope *scope, int64_t start_ns,
	       int64_t end_ns, struct graph *out)
{
	struct asking a = { .t = t };
	int e = 0;

	if (widen(&a, start_ns, end_ns))
		e = map_windows_ask(t, scope, a.from_ns / MINUTE_NS,
				    a.to_ns / MINUTE_NS, out);
	return e == 1 ? 0 : traces_map_scan(t, scope, start_ns, end_ns, out);
}

/* --- by minute ---------------------------------------------------------------------- */

struct minutes {
	const struct traces_minutes *sink;
	uint64_t account;
};

static void pass_call(void *arg, const struct graph_call *call)
{
	const struct minutes *m = arg;

	m->sink->call(m->sink->arg, call);
}

static int pass_page(void *arg, int64_t minute_ns, struct sv bytes)
{
	const struct minutes *m = arg;
	struct graph g = { .account = m->account };
	int e = graph_decode(&g, bytes);

	if (!e)
		e = m->sink->page(m->sink->arg, minute_ns, &g);
	graph_fini(&g);
	return e;
}

int traces_map_minutes(struct traces *t, const struct scope *scope,
		       int64_t start_ns, int64_t end_ns,
		       const struct traces_minutes *sink)
{
	struct minutes m = { .sink = sink, .account = scope->account };
	struct asking a = { .t = t,
			    .scope = scope,
			    .call = pass_call,
			    .page = pass_page,
			    .arg = &m };

	return widen(&a, start_ns, end_ns) ? ask(&a) : 0;
}
