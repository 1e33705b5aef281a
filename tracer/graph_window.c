/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/graph_window.h"

#include <assert.h>
#include <stdlib.h>

#include "tracer/graph_share.h"

#define NEVER INT64_MIN

enum { MEASURE_EVERY = 1024 }; /* counts: what is open grows slowly */
enum { ENTRY_NODE, ENTRY_EDGE, ENTRY_ALIAS };

/* Nodes, edges and aliases are numbered in one row as they come up. */
struct entry {
	uint8_t kind;
	uint32_t index;   /* in the dictionary's nodes, edges or aliases */
	uint64_t minutes; /* bit minute % 64: something is counted in it */
};

/* Statistics by entry; those behind count are nothing yet. */
struct cells {
	struct graph_stats *items;
	uint32_t count;
};

struct minute {
	struct cells open; /* of no use while frozen has something */
	struct buf frozen;
	bool incomplete;
	size_t bytes; /* about, while it is open */
};

struct sum {
	int64_t from, to; /* from NEVER: not in use */
	uint64_t used_at; /* the higher, the later */
	bool stale;       /* finish() is due */
	/* Of the dictionary's names, those it had when it was changed last. */
	struct graph_share *share;
};

struct graph_window {
	struct graph names; /* the dictionary; its statistics are not used */
	struct entry *entries;
	uint32_t entry_count;
	/* The entry of each; as long as the graph's limits. */
	uint32_t node_entries[GRAPH_NODES_MAX];
	uint32_t edge_entries[GRAPH_EDGES_MAX];
	uint32_t alias_entries[GRAPH_ALIASES_MAX];
	struct minute minutes[GRAPH_WINDOW_MINUTES];
	int64_t top; /* the newest minute it covers */
	/* Minutes beyond it, for which something was not kept. */
	int64_t missed_from, missed_to;
	struct sum sums[GRAPH_WINDOW_SUMS];
	uint64_t uses, counts;
	size_t open_bytes, frozen_bytes;
	bool broken;
};

_Static_assert(GRAPH_WINDOW_MINUTES == 64, "entries have a bit for each");

/* --- cells ------------------------------------------------------------------ */

static void cells_fini(struct cells *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		graph_stats_fini(&c->items[i]);
	free(c->items);
	*c = (struct cells){ 0 };
}

/* NULL: no memory. */
static struct graph_stats *cell_at(struct cells *c, uint32_t entry)
{
	if (entry >= c->count) {
		uint32_t count = c->count ? c->count : 64;
		struct graph_stats *items;

		while (count <= entry)
			count *= 2;
		items = reallocarray(c->items, count, sizeof(*items));
		if (!items)
			return NULL;
		memset(items + c->count, 0,
		       (count - c->count) * sizeof(*items));
		c->items = items;
		c->count = count;
	}
	return &c->items[entry];
}

/* --- minutes ------------------------------------------------------------------ */

static struct minute *minute_of(struct graph_window *w, int64_t minute)
{
	assert(minute >= 0);
	return &w->minutes[minute % GRAPH_WINDOW_MINUTES];
}

static uint64_t minute_bit(int64_t minute)
{
	return UINT64_C(1) << (minute % GRAPH_WINDOW_MINUTES);
}

/* Gives back what it does not use. */
static void buf_trim(struct buf *b)
{
	char *less = b->ptr ? realloc(b->ptr, b->len + 1) : NULL;

	if (less) {
		b->ptr = less;
		b->cap = b->len + 1;
	}
}

/* varint entries since the one before, statistics; each that has some. */
static void freeze(struct graph_window *w, struct minute *m)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < m->open.count; i++) {
		if (!m->open.items[i].seen)
			continue;
		graph_put_varint(&m->frozen, i - last);
		graph_stats_put(&m->open.items[i], &m->frozen);
		last = i;
	}
	if (m->frozen.failed)
		w->broken = true;
	buf_trim(&m->frozen);
	w->frozen_bytes += m->frozen.cap;
	w->open_bytes -= m->bytes;
	m->bytes = 0;
	cells_fini(&m->open);
}

static size_t cells_bytes(const struct cells *c)
{
	size_t bytes = c->count * sizeof(*c->items);

	for (uint32_t i = 0; i < c->count; i++)
		bytes += (c->items[i].times.cap + c->items[i].trailing.cap) *
			 sizeof(struct graph_bucket);
	return bytes;
}

/* Where a minute is added to: a sum, or cells. */
struct target {
	struct graph_window *w;
	struct cells *cells; /* NULL: of */
	struct graph *of;
};

static struct graph_stats *target_at(const struct target *t, uint32_t entry)
{
	uint32_t index;

	assert(entry < t->w->entry_count);
	if (t->cells)
		return cell_at(t->cells, entry);
	index = t->w->entries[entry].index;
	switch (t->w->entries[entry].kind) {
	case ENTRY_NODE:
		return &t->of->nodes[index].stats;
	case ENTRY_EDGE:
		return &t->of->edges[index].stats;
	default:
		return &t->of->aliases[index].stats;
	}
}

/* Adds all of a minute, or takes it away. */
static int minute_into(const struct minute *m, const struct target *to,
		       int sign)
{
	struct sv rest = buf_view(&m->frozen);
	struct graph_stats *stats;
	uint64_t entry = 0, more;
	int e = 0;

	while (rest.len && !e) {
		if (!graph_take_varint(&rest, &more))
			return ERR_CORRUPT;
		entry += more;
		stats = target_at(to, (uint32_t)entry);
		e = stats ? graph_stats_take(stats, &rest, sign) : ERR_NOMEM;
	}
	for (uint32_t i = 0; i < m->open.count && !e; i++) {
		if (!m->open.items[i].seen)
			continue;
		stats = target_at(to, i);
		e = stats ? graph_stats_merge(stats, &m->open.items[i], sign) :
			    ERR_NOMEM;
	}
	return e;
}

static int thaw(struct graph_window *w, struct minute *m)
{
	struct cells cells = { 0 };
	const struct target to = { .w = w, .cells = &cells };
	int e;

	if (!m->frozen.len)
		return 0;
	e = minute_into(m, &to, 1);
	if (e) {
		cells_fini(&cells);
		return e;
	}
	w->frozen_bytes -= m->frozen.cap;
	buf_fini(&m->frozen);
	m->open = cells;
	return 0;
}

static void minute_clear(struct graph_window *w, int64_t minute)
{
	struct minute *m = minute_of(w, minute);

	for (uint32_t i = 0; i < w->entry_count; i++)
		w->entries[i].minutes &= ~minute_bit(minute);
	w->frozen_bytes -= m->frozen.cap;
	w->open_bytes -= m->bytes;
	cells_fini(&m->open);
	buf_fini(&m->frozen);
	*m = (struct minute){ 0 };
}

/* Freezes from the oldest on until what is open fits; `keep` stays. */
static void limit_open(struct graph_window *w, int64_t keep)
{
	int64_t minute = w->top - GRAPH_WINDOW_MINUTES + 1;

	for (; minute <= w->top && w->open_bytes > GRAPH_WINDOW_OPEN_BYTES;
	     minute++)
		if (minute != keep && minute >= 0 &&
		    minute_of(w, minute)->open.count)
			freeze(w, minute_of(w, minute));
	if (graph_window_bytes(w) > GRAPH_WINDOW_BYTES_MAX)
		w->broken = true;
}

static void measure(struct graph_window *w, struct minute *m)
{
	size_t bytes = cells_bytes(&m->open);

	w->open_bytes += bytes - m->bytes;
	m->bytes = bytes;
}

/* --- the window ------------------------------------------------------------------ */

struct graph_window *graph_window_new(uint64_t account, int64_t now_minute)
{
	struct graph_window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	assert(now_minute >= 0);
	w->names.account = account;
	w->top = now_minute + GRAPH_WINDOW_AHEAD;
	w->missed_from = w->missed_to = NEVER;
	for (unsigned i = 0; i < GRAPH_WINDOW_SUMS; i++)
		w->sums[i].from = NEVER;
	return w;
}

static void sum_fini(struct sum *s)
{
	graph_share_drop(s->share);
	*s = (struct sum){ .from = NEVER };
}

void graph_window_free(struct graph_window *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < GRAPH_WINDOW_SUMS; i++)
		sum_fini(&w->sums[i]);
	for (unsigned i = 0; i < GRAPH_WINDOW_MINUTES; i++) {
		cells_fini(&w->minutes[i].open);
		buf_fini(&w->minutes[i].frozen);
	}
	graph_fini(&w->names);
	free(w->entries);
	free(w);
}

bool graph_window_broken(const struct graph_window *w)
{
	return w->broken;
}

size_t graph_window_bytes(const struct graph_window *w)
{
	return sizeof(*w) + w->open_bytes + w->frozen_bytes +
	       w->entry_count * sizeof(*w->entries);
}

static bool sum_has(const struct sum *s, int64_t minute)
{
	return s->from != NEVER && s->from <= minute && minute < s->to;
}

/* Before a change: nobody else has the sum's graph, and it has all names. */
static int sum_own(struct graph_window *w, struct sum *s, struct target *out)
{
	struct graph_share *own = s->share;

	if (!own)
		own = graph_share_new();
	else if (!graph_share_is_alone(own))
		own = graph_share_copy(own);
	if (!own)
		return ERR_NOMEM;
	if (own != s->share)
		graph_share_drop(s->share);
	s->share = own;
	s->stale = true;
	own->graph.account = w->names.account;
	*out = (struct target){ .w = w, .of = &own->graph };
	return graph_share_extend(own, &w->names);
}

/* Makes the sum one of [from, to). */
static int sum_move(struct graph_window *w, struct sum *s, int64_t from,
		    int64_t to)
{
	struct target target;
	int e = 0;

	if (s->share && s->from == from && s->to == to)
		return 0;
	e = sum_own(w, s, &target);
	for (; s->to < to && !e; s->to++)
		e = minute_into(minute_of(w, s->to), &target, 1);
	for (; s->from > from && !e; s->from--)
		e = minute_into(minute_of(w, s->from - 1), &target, 1);
	for (; s->to > to && !e; s->to--)
		e = minute_into(minute_of(w, s->to - 1), &target, -1);
	for (; s->from < from && !e; s->from++)
		e = minute_into(minute_of(w, s->from), &target, -1);
	return e;
}

/* When top moves on by one: a sum that ended now goes along, so that the next
 * question finds it ready; of any other the minute that is forgotten leaves. */
static void sum_follow(struct graph_window *w, struct sum *s)
{
	int64_t now = w->top - GRAPH_WINDOW_AHEAD;
	int64_t oldest = w->top - GRAPH_WINDOW_MINUTES + 1;
	int64_t by = s->to == now + 1;

	if (s->from == NEVER)
		return;
	if (s->from + by <= oldest)
		by = oldest + 1 - s->from;
	if (s->from + by >= s->to + (s->to == now + 1) ||
	    sum_move(w, s, s->from + by, s->to + (s->to == now + 1)))
		sum_fini(s);
}

void graph_window_advance(struct graph_window *w, int64_t now_minute)
{
	int64_t top = now_minute + GRAPH_WINDOW_AHEAD;

	if (top - w->top >= GRAPH_WINDOW_MINUTES) {
		for (unsigned i = 0; i < GRAPH_WINDOW_SUMS; i++)
			sum_fini(&w->sums[i]);
		for (int64_t i = 0; i < GRAPH_WINDOW_MINUTES; i++)
			minute_clear(w, i);
		w->top = top - GRAPH_WINDOW_MINUTES;
	}
	while (w->top < top) {
		for (unsigned i = 0; i < GRAPH_WINDOW_SUMS; i++)
			sum_follow(w, &w->sums[i]);
		w->top++;
		minute_clear(w, w->top);
		minute_of(w, w->top)->incomplete = w->top >= w->missed_from &&
						   w->top <= w->missed_to;
	}
	if (w->missed_to < w->top)
		w->missed_from = w->missed_to = NEVER;
}

/* True: a count of this minute is kept. */
static bool keeps(struct graph_window *w, int64_t minute)
{
	if (minute > w->top) {
		if (w->missed_from == NEVER || minute < w->missed_from)
			w->missed_from = minute;
		if (minute > w->missed_to)
			w->missed_to = minute;
		return false;
	}
	return minute > w->top - GRAPH_WINDOW_MINUTES && minute >= 0 &&
	       !minute_of(w, minute)->incomplete;
}

/* --- entries --------------------------------------------------------------------- */

/* Names that are new get an entry; *of is where theirs is kept. */
static bool need_entry(struct graph_window *w, uint32_t *of, uint32_t index,
		       uint32_t count_before, uint8_t kind)
{
	struct entry *entries = w->entries;

	if (index < count_before)
		return true;
	if (!(w->entry_count & (w->entry_count - 1))) {
		entries = reallocarray(
			entries, w->entry_count ? 2UL * w->entry_count : 64,
			sizeof(*entries));
		if (!entries)
			return false;
		w->entries = entries;
	}
	entries[w->entry_count] =
		(struct entry){ .kind = kind, .index = index };
	*of = w->entry_count++;
	return true;
}

static uint32_t node_of(struct graph_window *w,
			const struct graph_node_key *key)
{
	uint32_t before = w->names.node_count;
	uint32_t at = graph_need_node(&w->names, key);

	if (at == SPAN_NONE ||
	    !need_entry(w, &w->node_entries[at], at, before, ENTRY_NODE))
		return SPAN_NONE;
	return at;
}

static uint32_t edge_of(struct graph_window *w, uint32_t from, uint32_t to,
			bool link)
{
	uint32_t before = w->names.edge_count;
	uint32_t at = graph_need_edge(&w->names, from, to, link);

	if (at == SPAN_NONE ||
	    !need_entry(w, &w->edge_entries[at], at, before, ENTRY_EDGE))
		return SPAN_NONE;
	return at;
}

static uint32_t alias_of(struct graph_window *w, uint32_t edge, struct sv name)
{
	uint32_t before = w->names.alias_count;
	uint32_t at = graph_need_alias(&w->names, edge, name);

	if (at == SPAN_NONE ||
	    !need_entry(w, &w->alias_entries[at], at, before, ENTRY_ALIAS))
		return SPAN_NONE;
	return at;
}

/* --- counting ----------------------------------------------------------------------- */

static void count_entry(struct graph_window *w, int64_t minute, uint32_t entry,
			const struct graph_count *c, int sign)
{
	struct minute *m = minute_of(w, minute);
	struct graph_stats *cell;
	bool fresh = !m->open.count;

	cell = thaw(w, m) ? NULL : cell_at(&m->open, entry);
	if (!cell || graph_stats_count(cell, c, sign)) {
		w->broken = true;
		return;
	}
	if (cell->seen)
		w->entries[entry].minutes |= minute_bit(minute);
	else
		w->entries[entry].minutes &= ~minute_bit(minute);
	for (unsigned i = 0; i < GRAPH_WINDOW_SUMS; i++) {
		struct target sum;

		if (sum_has(&w->sums[i], minute) &&
		    (sum_own(w, &w->sums[i], &sum) ||
		     graph_stats_count(target_at(&sum, entry), c, sign)))
			w->broken = true;
	}
	if (fresh || !(++w->counts % MEASURE_EVERY)) {
		measure(w, m);
		limit_open(w, minute);
	}
}

void graph_window_count(struct graph_window *w, const struct graph_call *c,
			int sign)
{
	const struct graph_node_key from_key = { c->from_name, c->from_type,
						 c->from_account };
	const struct graph_node_key to_key = { c->to_name, c->to_type,
					       c->to_account };
	struct graph_count count = graph_count_of(c);
	int64_t minute = c->time_ns / GRAPH_MINUTE_NS;
	uint32_t from, to, edge, alias;

	if (w->broken || !keeps(w, minute))
		return;
	to = node_of(w, &to_key);
	if (!c->from_name.ptr) {
		if (to == SPAN_NONE)
			w->broken = true;
		else
			count_entry(w, minute, w->node_entries[to], &count,
				    sign);
		return;
	}
	from = node_of(w, &from_key);
	edge = from == SPAN_NONE || to == SPAN_NONE ?
		       SPAN_NONE :
		       edge_of(w, from, to, c->link);
	if (edge == SPAN_NONE) {
		w->broken = true;
		return;
	}
	count_entry(w, minute, w->edge_entries[edge], &count, sign);
	alias = c->alias.len ? alias_of(w, edge, c->alias) : SPAN_NONE;
	if (alias != SPAN_NONE)
		count_entry(w, minute, w->alias_entries[alias],
			    &(struct graph_count){ 0 }, sign);
}

/* --- what was stored ------------------------------------------------------------------ */

static void merge_entry(struct graph_window *w, int64_t minute, uint32_t entry,
			const struct graph_stats *stats)
{
	struct graph_stats *cell;

	if (!stats->seen)
		return;
	cell = cell_at(&minute_of(w, minute)->open, entry);
	if (!cell || graph_stats_merge(cell, stats, 1))
		w->broken = true;
	w->entries[entry].minutes |= minute_bit(minute);
	for (unsigned i = 0; i < GRAPH_WINDOW_SUMS; i++) {
		struct target sum;

		if (sum_has(&w->sums[i], minute) &&
		    (sum_own(w, &w->sums[i], &sum) ||
		     graph_stats_merge(target_at(&sum, entry), stats, 1)))
			w->broken = true;
	}
}

static void merge_edges(struct graph_window *w, int64_t minute,
			const struct graph *g, const uint32_t *nodes,
			uint32_t *edges)
{
	for (uint32_t i = 0; i < g->edge_count; i++) {
		const struct graph_edge *e = &g->edges[i];
		uint32_t from = nodes[e->from], to = nodes[e->to];

		edges[i] = from == SPAN_NONE || to == SPAN_NONE ?
				   SPAN_NONE :
				   edge_of(w, from, to, e->link);
		if (edges[i] == SPAN_NONE)
			w->broken = true;
		else
			merge_entry(w, minute, w->edge_entries[edges[i]],
				    &e->stats);
	}
	for (uint32_t i = 0; i < g->alias_count; i++) {
		const struct graph_alias *a = &g->aliases[i];
		const struct graph_stats seen = { .seen = a->stats.seen };
		uint32_t alias = edges[a->edge] == SPAN_NONE ?
					 SPAN_NONE :
					 alias_of(w, edges[a->edge], a->name);

		if (alias != SPAN_NONE)
			merge_entry(w, minute, w->alias_entries[alias], &seen);
	}
}

void graph_window_merge(struct graph_window *w, int64_t minute,
			const struct graph *g)
{
	uint32_t *nodes, *edges;

	if (g->dropped)
		w->broken = true;
	if (w->broken || !keeps(w, minute))
		return;
	nodes = calloc((size_t)g->node_count + 1, sizeof(*nodes));
	edges = calloc((size_t)g->edge_count + 1, sizeof(*edges));
	if (!nodes || !edges || thaw(w, minute_of(w, minute))) {
		w->broken = true;
	} else {
		for (uint32_t i = 0; i < g->node_count; i++) {
			const struct graph_node *n = &g->nodes[i];
			const struct graph_node_key key = { n->name, n->type,
							    n->account };

			nodes[i] = node_of(w, &key);
			if (nodes[i] == SPAN_NONE)
				w->broken = true;
			else
				merge_entry(w, minute,
					    w->node_entries[nodes[i]],
					    &n->stats);
		}
		merge_edges(w, minute, g, nodes, edges);
		measure(w, minute_of(w, minute));
		limit_open(w, -1);
	}
	free(nodes);
	free(edges);
}

/* --- sums ------------------------------------------------------------------------------ */

bool graph_window_covers(const struct graph_window *w, int64_t from, int64_t to)
{
	if (w->broken || from < 0 || from >= to || to - 1 > w->top ||
	    from <= w->top - GRAPH_WINDOW_MINUTES)
		return false;
	for (int64_t m = from; m < to; m++)
		if (w->minutes[m % GRAPH_WINDOW_MINUTES].incomplete)
			return false;
	return true;
}

static int64_t distance(const struct sum *s, int64_t from, int64_t to)
{
	int64_t a, b;

	if (s->from == NEVER)
		return INT64_MAX;
	a = s->from - from;
	b = s->to - to;
	return (a < 0 ? -a : a) + (b < 0 ? -b : b);
}

/* The nearest, if moving it costs less than adding up anew; else the one that
 * was not used for longest, emptied. */
static struct sum *choose_sum(struct graph_window *w, int64_t from, int64_t to)
{
	struct sum *nearest = &w->sums[0], *oldest = &w->sums[0];

	for (unsigned i = 1; i < GRAPH_WINDOW_SUMS; i++) {
		if (distance(&w->sums[i], from, to) <
		    distance(nearest, from, to))
			nearest = &w->sums[i];
		if (w->sums[i].used_at < oldest->used_at)
			oldest = &w->sums[i];
	}
	/* Which moves on must be the one that was asked for before it moved:
	 * another range keeps its own, while there is a place. */
	if (distance(nearest, from, to) <= 4)
		return nearest;
	sum_fini(oldest);
	oldest->from = oldest->to = from;
	return oldest;
}

/* --- the answer -------------------------------------------------------------------------- */

/* Which minutes of the sum something is counted in, the first as bit 0. */
static uint64_t minutes_in(const struct sum *s, uint64_t minutes)
{
	unsigned turn = (unsigned)(s->from % GRAPH_WINDOW_MINUTES);
	uint64_t turned = turn ? minutes >> turn | minutes << (64 - turn) :
				 minutes;
	int64_t count = s->to - s->from;

	return count < 64 ? turned & ((UINT64_C(1) << count) - 1) : turned;
}

static void put_times(const struct graph_window *w, const struct sum *s,
		      uint32_t entry, struct graph_stats *out)
{
	uint64_t minutes = minutes_in(s, w->entries[entry].minutes);

	out->first_ns = out->last_ns = 0;
	if (!minutes)
		return;
	out->first_ns = (s->from + __builtin_ctzll(minutes)) * GRAPH_MINUTE_NS;
	out->last_ns =
		(s->from + 64 - __builtin_clzll(minutes)) * GRAPH_MINUTE_NS;
}

/* What is not a sum but follows from one. */
static void finish(const struct graph_window *w, struct sum *s)
{
	struct graph *g = &s->share->graph;

	for (uint32_t i = 0; i < g->node_count; i++) {
		struct graph_node *n = &g->nodes[i];

		n->there = n->stats.seen > 0;
		n->root = n->stats.roots > 0;
		n->inferred = n->stats.own == 0;
		put_times(w, s, w->node_entries[i], &n->stats);
	}
	for (uint32_t i = 0; i < g->edge_count; i++) {
		struct graph_edge *e = &g->edges[i];
		struct graph_node *from = &g->nodes[e->from];
		struct graph_node *to = &g->nodes[e->to];

		if (!e->stats.seen)
			continue;
		from->there = to->there = true;
		if (!e->link) /* who calls has a segment */
			from->inferred = false;
		to->inferred = to->inferred && !e->stats.own;
		to->root = to->root || e->stats.roots;
		put_times(w, s, w->edge_entries[i], &e->stats);
	}
	s->stale = false;
}

int graph_window_map(struct graph_window *w, int64_t from, int64_t to,
		     struct graph *out)
{
	struct sum *s;

	assert(graph_window_covers(w, from, to));
	s = choose_sum(w, from, to);
	s->used_at = ++w->uses;
	if (sum_move(w, s, from, to)) {
		sum_fini(s); /* it is half moved */
		return ERR_NOMEM;
	}
	if (s->stale)
		finish(w, s);
	graph_share_borrow(s->share, out);
	return 0;
}
