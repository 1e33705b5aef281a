/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/map_windows.h"

#include <assert.h>

#include "tracer/traces_inner.h"

#define MINUTE_NS (60 * NS_PER_S)

static bool same_scope(const struct scope *a, const struct scope *b)
{
	return a->account == b->account && !strcmp(a->region, b->region);
}

static struct map_window *find(struct traces *t, const struct scope *scope)
{
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++) {
		struct map_window *m = &t->windows.list[i];

		if (m->used && same_scope(&m->scope, scope))
			return m;
	}
	return NULL;
}

static struct map_window *find_of(struct traces *t,
				  const struct head_trace *trace)
{
	struct scope scope;

	trace_key_scope(&trace->key, &scope);
	return find(t, &scope);
}

static void clear_changed(struct head *h)
{
	for (size_t i = 0; i < h->changed_count; i++)
		h->traces[h->changed[i]]->changed = false;
	h->changed_count = 0;
	h->changes_lost = false;
}

/* Frees its window; what the head remembers of it too. */
static void empty(struct traces *t, struct map_window *m)
{
	struct head *h = &t->head;

	if (!m->window)
		return;
	graph_window_free(m->window);
	m->window = NULL;
	m->ready = false;
	for (size_t i = 0; i < h->count; i++)
		if (trace_key_in(&h->traces[i]->key, &m->scope))
			head_unmap(h, h->traces[i]);
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++)
		if (t->windows.list[i].window)
			return;
	h->tracked = false;
	clear_changed(h);
}

static void drop(struct traces *t, struct map_window *m)
{
	empty(t, m);
	*m = (struct map_window){ 0 };
}

void map_windows_forget(struct traces *t)
{
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++)
		drop(t, &t->windows.list[i]);
}

void map_windows_fini(struct traces *t)
{
	map_windows_forget(t);
}

static void give_up_broken(struct traces *t)
{
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++) {
		struct map_window *m = &t->windows.list[i];

		if (!m->window || !graph_window_broken(m->window))
			continue;
		empty(t, m);
		m->retry_minute = t->windows.minute + MAP_WINDOWS_RETRY_MINUTES;
	}
}

/* The window that was asked longest ago, but one; NULL: none. */
static struct map_window *oldest(struct traces *t, const struct map_window *but)
{
	struct map_window *found = NULL;

	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++) {
		struct map_window *m = &t->windows.list[i];

		if (m == but || !m->used)
			continue;
		if (!found || m->asked < found->asked)
			found = m;
	}
	return found;
}

static void limit_bytes(struct traces *t, const struct map_window *keep)
{
	for (;;) {
		struct map_window *m = oldest(t, keep);
		size_t bytes = 0;

		for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++)
			if (t->windows.list[i].window)
				bytes += graph_window_bytes(
					t->windows.list[i].window);
		if (bytes <= MAP_WINDOWS_BYTES || !m)
			return;
		drop(t, m);
	}
}

void map_windows_note(struct traces *t, int64_t now_ns)
{
	int64_t minute = now_ns / MINUTE_NS;

	if (minute <= t->windows.minute) /* no one else writes it */
		return;
	traces_lock(t);
	t->windows.minute = minute;
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++) {
		struct map_window *m = &t->windows.list[i];

		if (m->used &&
		    minute - m->asked_minute > MAP_WINDOWS_IDLE_MINUTES)
			drop(t, m);
		else if (m->window)
			graph_window_advance(m->window, minute);
	}
	give_up_broken(t);
	limit_bytes(t, NULL);
	traces_unlock(t);
}

/* --- what is counted of a trace -------------------------------------------------- */

static void count(struct graph_window *w, const struct digest *d, int sign)
{
	for (size_t i = 0; i < d->call_count; i++) {
		struct graph_call call = digest_call(d, i);

		graph_window_count(w, &call, sign);
	}
}

/* Takes back what was counted of it and counts what it says now. */
static int renew(struct traces *t, struct head_trace *trace,
		 struct arena *scratch)
{
	struct map_window *m = find_of(t, trace);
	const struct digest *d;
	int e;

	if (!m || !m->window)
		return 0;
	e = head_digest(&t->head, trace, scratch, &d);
	if (e)
		return e;
	if (d == trace->mapped)
		return 0;
	if (trace->mapped)
		count(m->window, trace->mapped, -1);
	head_unmap(&t->head, trace);
	count(m->window, d, 1);
	trace->mapped = trace->digest;
	return 0;
}

static int renew_changed(struct traces *t, struct arena *scratch)
{
	struct head *h = &t->head;
	int e = h->changes_lost ? ERR_NOMEM : 0;

	while (h->changed_count && !e) {
		struct head_trace *trace =
			h->traces[h->changed[h->changed_count - 1]];

		e = renew(t, trace, scratch);
		if (e)
			break;
		trace->changed = false;
		h->changed_count--;
	}
	if (e)
		map_windows_forget(t);
	give_up_broken(t);
	return e;
}

/* --- sealing --------------------------------------------------------------------- */

/* What was counted of a trace that stays in the head goes along with it. */
static void move_mapped(struct head *from, struct head_trace *old,
			struct head *to, struct head_trace *kept)
{
	struct digest *d = old->mapped;

	if (!d)
		return;
	if (old->digest == d)
		old->digest = NULL;
	old->mapped = NULL;
	from->digest_bytes -= d->bytes;
	kept->mapped = d;
	to->digest_bytes += d->bytes;
}

void map_windows_seal(struct traces *t, struct head *kept)
{
	struct arena scratch = ARENA_INIT;
	struct head *h = &t->head;
	int e = h->changes_lost ? ERR_NOMEM : 0;

	if (!h->tracked)
		return;
	kept->tracked = true;
	for (size_t i = 0; i < h->count && !e; i++) {
		struct head_trace *trace = h->traces[i];
		struct head_trace *stays = head_find(kept, &trace->key);

		if (stays)
			move_mapped(h, trace, kept, stays);
		else if (trace->changed)
			e = renew(t, trace, &scratch);
	}
	for (size_t i = 0; i < kept->count; i++)
		head_mark_changed(kept, kept->traces[i]);
	if (e) {
		map_windows_forget(t);
		for (size_t i = 0; i < kept->count; i++)
			head_unmap(kept, kept->traces[i]);
		clear_changed(kept);
		kept->tracked = false;
	}
	arena_fini(&scratch);
}

/* --- filling --------------------------------------------------------------------- */

struct filling {
	struct traces *t;
	const struct scope *scope;
	uint64_t number; /* of the window that is filled: it may be gone */
	uint64_t damaged;
};

static int fill_minute(struct filling *f, int64_t minute, struct sv page)
{
	struct graph g = { .account = f->scope->account };
	struct map_window *m;
	int e = graph_decode(&g, page);

	traces_lock(f->t);
	m = find(f->t, f->scope);
	if (!m || !m->window || m->number != f->number)
		e = ERR_NOT_FOUND; /* dropped meanwhile */
	else if (!e)
		graph_window_merge(m->window, minute, &g);
	traces_unlock(f->t);
	graph_fini(&g);
	return e;
}

static int fill_block(struct filling *f, const struct block_ref *b,
		      int64_t from_minute)
{
	static const uint8_t none[TRACE_ID_SIZE];
	struct block_scan *scan;
	struct trace_key any;
	struct row_key from;
	struct sv key, value;
	int e;

	if (b->start_ns_max / MINUTE_NS < from_minute)
		return 0;
	trace_key_make(&any, f->scope, none);
	row_key_minute(&from, &any, from_minute);
	e = block_scan_open(&scan, b->block, row_key_view(&from));
	if (e)
		return e;
	while ((e = block_scan_next(scan, &key, &value)) == 1 &&
	       row_same_space(key, &from)) {
		int err = fill_minute(f, row_minute(key), value);

		f->damaged += err == ERR_CORRUPT;
		if (err && err != ERR_CORRUPT) {
			e = err;
			break;
		}
	}
	f->damaged += block_scan_damaged(scan);
	block_scan_close(scan);
	return e < 0 ? e : 0;
}

/* A place for one more, the one asked longest ago if there is none. */
static struct map_window *place(struct traces *t)
{
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++)
		if (!t->windows.list[i].used)
			return &t->windows.list[i];
	drop(t, oldest(t, NULL));
	return place(t);
}

/* Under the lock, all of the head digested. NULL: no memory. */
static struct map_window *begin(struct traces *t, const struct scope *scope)
{
	struct head *h = &t->head;
	struct map_window *m = find(t, scope);

	if (!m)
		m = place(t);
	*m = (struct map_window){
		.scope = *scope,
		.used = true,
		.asked = ++t->windows.asks,
		.number = ++t->windows.made,
		.asked_minute = t->windows.minute,
		.window = graph_window_new(scope->account, t->windows.minute),
	};
	if (!m->window) {
		*m = (struct map_window){ 0 };
		return NULL;
	}
	h->tracked = true;
	for (size_t i = 0; i < h->count; i++) {
		struct head_trace *trace = h->traces[i];

		if (!trace_key_in(&trace->key, scope))
			continue;
		count(m->window, trace->digest, 1);
		trace->mapped = trace->digest;
	}
	return m;
}

/* Makes the window of a scope, from head and blocks. The blocks' part is read
 * without the lock: they do not change, and what is sealed from now on is
 * counted already. */
static int fill(struct traces *t, const struct scope *scope)
{
	struct filling f = { .t = t, .scope = scope };
	struct arena scratch = ARENA_INIT;
	struct block_set *set = NULL;
	struct map_window *m;
	int64_t from_minute = 0;
	int e = traces_lock_digested(t, &scratch);

	m = find(t, scope);
	if (!e && (!m || !m->window)) {
		m = begin(t, scope);
		e = m ? 0 : ERR_NOMEM;
	} else {
		m = NULL; /* somebody else was faster */
	}
	if (m) {
		f.number = m->number;
		from_minute = t->windows.minute - GRAPH_WINDOW_MINUTES;
		set = traces_hold(t);
	}
	traces_unlock(t);
	arena_fini(&scratch);
	if (!set)
		return e;
	for (size_t i = 0; i < set->count && !e; i++)
		e = fill_block(&f, set->items[i],
			       from_minute < 0 ? 0 : from_minute);
	traces_release(t, set);
	traces_count_damage(t, f.damaged);
	traces_lock(t);
	m = find(t, scope);
	if (m && m->number == f.number) {
		m->ready = !e;
		if (e)
			drop(t, m);
	}
	traces_unlock(t);
	return e == ERR_NOT_FOUND ? 0 : e;
}

/* --- asking ---------------------------------------------------------------------- */

/* Whether a window should be made for this question. */
static bool is_wanted(struct traces *t, const struct scope *scope,
		      int64_t from_minute, int64_t to_minute)
{
	const struct map_window *m = find(t, scope);
	int64_t now = t->windows.minute;

	if (!now ||
	    from_minute <= now + GRAPH_WINDOW_AHEAD - GRAPH_WINDOW_MINUTES ||
	    to_minute - 1 > now + GRAPH_WINDOW_AHEAD)
		return false;
	return !m || (!m->window && now >= m->retry_minute);
}

static int answer(struct traces *t, const struct scope *scope,
		  int64_t from_minute, int64_t to_minute, struct graph *out)
{
	struct arena scratch = ARENA_INIT;
	struct map_window *m;
	int e = renew_changed(t, &scratch);

	arena_fini(&scratch);
	m = find(t, scope);
	if (e || !m || !m->window || !m->ready ||
	    !graph_window_covers(m->window, from_minute, to_minute))
		return e;
	m->asked = ++t->windows.asks;
	m->asked_minute = t->windows.minute;
	e = graph_window_map(m->window, from_minute, to_minute, out);
	limit_bytes(t, m);
	return e ? e : 1;
}

int map_windows_ask(struct traces *t, const struct scope *scope,
		    int64_t from_minute, int64_t to_minute, struct graph *out)
{
	bool wanted;
	int e = 0;

	traces_lock(t);
	wanted = is_wanted(t, scope, from_minute, to_minute);
	traces_unlock(t);
	if (wanted)
		e = fill(t, scope);
	if (e)
		return e;
	traces_lock(t);
	e = answer(t, scope, from_minute, to_minute, out);
	traces_unlock(t);
	return e;
}
