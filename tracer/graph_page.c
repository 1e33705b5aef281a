/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stored form of a graph, a page a row of a block.
 *
 * Format 2: u8 0x82 | varint minute since 1970 | varint nodes named | each:
 * varint length and bytes of name, the same of type, varint account | then
 * entries until the end: varint kind, what it is of as numbers of named nodes,
 * statistics (graph_stats.c):
 *   0 node   node, statistics
 *   1 edge   from, to, statistics
 *   2 link   the same
 *   3 alias  from, to, 0 edge or 1 link, length and bytes of name, varint seen
 *
 * Format 1, one node or edge a row: u8 flags (1 edge, 2 root, 4 inferred) |
 * texts: u32 length, bytes; of an edge four (from name, from type, to name, to
 * type), of a node two | u64 ok, error, throttle, fault, total time, least,
 * most | u32 count of buckets | each u32 bucket, u32 count; 16 buckets an
 * octave from 1 us. All little-endian. Read, not written.
 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/graph.h"

enum {
	PAGE_MARK = 0x82,
	KIND_NODE = 0,
	KIND_EDGE,
	KIND_LINK,
	KIND_ALIAS,
	OLD_EDGE = 1,
	OLD_ROOT = 2,
	OLD_INFERRED = 4,
	OLD_STEPS = 16,
	OLD_BUCKETS = 36 * OLD_STEPS,
};

/* --- writing ---------------------------------------------------------------- */

struct page {
	const struct graph *g;
	uint32_t *numbers; /* of a node in this page + 1; 0: not named yet */
	uint32_t named;
	struct buf names, entries;
	int64_t first_ns;
};

static void put_text(struct buf *out, struct sv text)
{
	graph_put_varint(out, text.len);
	buf_sv(out, text);
}

static uint32_t number_of(struct page *p, uint32_t node)
{
	const struct graph_node *n = &p->g->nodes[node];

	if (!p->numbers[node]) {
		p->numbers[node] = ++p->named;
		put_text(&p->names, n->name);
		put_text(&p->names, n->type);
		graph_put_varint(&p->names, n->account);
	}
	return p->numbers[node] - 1;
}

static void note_time(struct page *p, const struct graph_stats *s)
{
	if (s->first_ns > 0 && (!p->first_ns || s->first_ns < p->first_ns))
		p->first_ns = s->first_ns;
}

static void put_ends(struct page *p, const struct graph_edge *e)
{
	graph_put_varint(&p->entries, number_of(p, e->from));
	graph_put_varint(&p->entries, number_of(p, e->to));
}

/* False: there is no more. */
static bool put_entry(struct page *p, struct graph_page_cursor *at)
{
	const struct graph *g = p->g;

	if (at->node < g->node_count) {
		const struct graph_node *n = &g->nodes[at->node];

		graph_put_varint(&p->entries, KIND_NODE);
		graph_put_varint(&p->entries, number_of(p, at->node++));
		graph_stats_put(&n->stats, &p->entries);
		note_time(p, &n->stats);
	} else if (at->edge < g->edge_count) {
		const struct graph_edge *e = &g->edges[at->edge++];

		graph_put_varint(&p->entries, e->link ? KIND_LINK : KIND_EDGE);
		put_ends(p, e);
		graph_stats_put(&e->stats, &p->entries);
		note_time(p, &e->stats);
	} else if (at->alias < g->alias_count) {
		const struct graph_alias *a = &g->aliases[at->alias++];

		graph_put_varint(&p->entries, KIND_ALIAS);
		put_ends(p, &g->edges[a->edge]);
		graph_put_varint(&p->entries, g->edges[a->edge].link);
		put_text(&p->entries, a->name);
		graph_put_varint(&p->entries, a->stats.seen);
	} else {
		return false;
	}
	return true;
}

bool graph_put_page(const struct graph *g, struct graph_page_cursor *at,
		    struct buf *out)
{
	struct page p = { .g = g };
	bool more = at->node < g->node_count || at->edge < g->edge_count ||
		    at->alias < g->alias_count;

	if (!more)
		return false;
	p.numbers = calloc((size_t)g->node_count + 1, sizeof(*p.numbers));
	if (!p.numbers) {
		out->failed = true;
		return true;
	}
	while (more && p.names.len + p.entries.len < GRAPH_PAGE_BYTES)
		more = put_entry(&p, at);
	buf_char(out, (char)PAGE_MARK);
	graph_put_varint(out, (uint64_t)(p.first_ns / GRAPH_MINUTE_NS));
	graph_put_varint(out, p.named);
	buf_sv(out, buf_view(&p.names));
	buf_sv(out, buf_view(&p.entries));
	if (p.names.failed || p.entries.failed)
		out->failed = true;
	buf_fini(&p.names);
	buf_fini(&p.entries);
	free(p.numbers);
	return true;
}

/* --- reading ------------------------------------------------------------------ */

struct reader {
	struct graph *g;
	struct sv rest;
	uint32_t *nodes; /* indexes in g; SPAN_NONE: it had no room */
	uint64_t count;
	int64_t first_ns, last_ns;
	struct graph_stats dropped; /* of what had no room */
};

static bool take(struct sv *rest, uint64_t n, struct sv *out)
{
	if (rest->len < n)
		return false;
	*out = sv_make(rest->ptr, (size_t)n);
	*rest = sv_make(rest->ptr + n, rest->len - (size_t)n);
	return true;
}

static bool take_text(struct sv *rest, struct sv *out)
{
	uint64_t len;

	return graph_take_varint(rest, &len) && len <= GRAPH_NAME_MAX &&
	       take(rest, len, out);
}

static int take_names(struct reader *r)
{
	if (!graph_take_varint(&r->rest, &r->count) ||
	    r->count > GRAPH_NODES_MAX || r->count > r->rest.len)
		return ERR_CORRUPT;
	r->nodes = calloc(r->count + 1, sizeof(*r->nodes));
	if (!r->nodes)
		return ERR_NOMEM;
	for (uint64_t i = 0; i < r->count; i++) {
		struct graph_node_key key;

		if (!take_text(&r->rest, &key.name) ||
		    !take_text(&r->rest, &key.type) ||
		    !graph_take_varint(&r->rest, &key.account))
			return ERR_CORRUPT;
		r->nodes[i] = graph_need_node(r->g, &key);
	}
	return 0;
}

static bool take_node(struct reader *r, uint32_t *out)
{
	uint64_t number;

	if (!graph_take_varint(&r->rest, &number) || number >= r->count)
		return false;
	*out = r->nodes[number];
	return true;
}

static int take_stats(struct reader *r, struct graph_stats *s)
{
	int e;

	if (!s) {
		s = &r->dropped;
		graph_stats_fini(s);
	}
	e = graph_stats_take(s, &r->rest, 1);
	if (s == &r->dropped) {
		r->g->dropped += s->seen;
		return e;
	}
	if (r->first_ns && (!s->first_ns || r->first_ns < s->first_ns))
		s->first_ns = r->first_ns;
	if (r->last_ns > s->last_ns)
		s->last_ns = r->last_ns;
	return e;
}

static int take_node_entry(struct reader *r)
{
	struct graph_node *n;
	uint32_t at;
	int e;

	if (!take_node(r, &at))
		return ERR_CORRUPT;
	n = at == SPAN_NONE ? NULL : &r->g->nodes[at];
	e = take_stats(r, n ? &n->stats : NULL);
	if (!e && n) {
		n->root = n->root || n->stats.roots;
		n->inferred = n->inferred && !n->stats.own;
	}
	return e;
}

/* The edge between two nodes; SPAN_NONE: it has no room. */
static bool take_edge(struct reader *r, bool link, uint32_t *out)
{
	uint32_t from, to;

	if (!take_node(r, &from) || !take_node(r, &to))
		return false;
	*out = SPAN_NONE;
	if (from == SPAN_NONE || to == SPAN_NONE)
		return true;
	if (!link)
		r->g->nodes[from].inferred = false;
	*out = graph_need_edge(r->g, from, to, link);
	return true;
}

static int take_edge_entry(struct reader *r, bool link)
{
	struct graph_edge *edge;
	struct graph_node *to;
	uint32_t at;
	int e;

	if (!take_edge(r, link, &at))
		return ERR_CORRUPT;
	if (at == SPAN_NONE)
		return take_stats(r, NULL);
	edge = &r->g->edges[at];
	e = take_stats(r, &edge->stats);
	to = &r->g->nodes[edge->to];
	to->root = to->root || edge->stats.roots;
	to->inferred = to->inferred && !edge->stats.own;
	return e;
}

static int take_alias_entry(struct reader *r)
{
	uint32_t from, to, at = SPAN_NONE;
	uint64_t link, seen;
	struct sv name;

	if (!take_node(r, &from) || !take_node(r, &to) ||
	    !graph_take_varint(&r->rest, &link) || link > 1 ||
	    !take_text(&r->rest, &name) || !graph_take_varint(&r->rest, &seen))
		return ERR_CORRUPT;
	if (from != SPAN_NONE && to != SPAN_NONE)
		at = graph_need_edge(r->g, from, to, link);
	if (at != SPAN_NONE)
		at = graph_need_alias(r->g, at, name);
	if (at != SPAN_NONE)
		r->g->aliases[at].stats.seen += seen;
	return 0;
}

static int take_entry(struct reader *r)
{
	uint64_t kind;

	if (!graph_take_varint(&r->rest, &kind))
		return ERR_CORRUPT;
	switch (kind) {
	case KIND_NODE:
		return take_node_entry(r);
	case KIND_EDGE:
	case KIND_LINK:
		return take_edge_entry(r, kind == KIND_LINK);
	case KIND_ALIAS:
		return take_alias_entry(r);
	default:
		return ERR_CORRUPT;
	}
}

static int decode_page(struct graph *g, struct sv bytes)
{
	struct reader r = { .g = g, .rest = bytes };
	uint64_t minute;
	int e;

	if (!graph_take_varint(&r.rest, &minute) ||
	    minute > (uint64_t)(INT64_MAX / GRAPH_MINUTE_NS) - 1)
		return ERR_CORRUPT;
	if (minute) {
		r.first_ns = (int64_t)minute * GRAPH_MINUTE_NS;
		r.last_ns = r.first_ns + GRAPH_MINUTE_NS;
	}
	e = take_names(&r);
	while (!e && r.rest.len)
		e = take_entry(&r);
	graph_stats_fini(&r.dropped);
	free(r.nodes);
	return e;
}

/* --- format 1 ------------------------------------------------------------------- */

static bool take_u32(struct sv *rest, uint32_t *out)
{
	struct sv bytes;

	if (!take(rest, 4, &bytes))
		return false;
	*out = get_le32((const uint8_t *)bytes.ptr);
	return true;
}

static bool take_u64(struct sv *rest, uint64_t *out)
{
	struct sv bytes;

	if (!take(rest, 8, &bytes))
		return false;
	*out = get_le64((const uint8_t *)bytes.ptr);
	return true;
}

static bool old_text(struct sv *rest, struct sv *out)
{
	uint32_t len;

	return take_u32(rest, &len) && len <= GRAPH_NAME_MAX &&
	       take(rest, len, out);
}

static uint64_t old_middle_ns(unsigned bucket)
{
	uint64_t octave = bucket / OLD_STEPS;
	uint64_t step = bucket % OLD_STEPS;

	return ((2 * (OLD_STEPS + step) + 1) << octave) * 1000 /
	       (2 * OLD_STEPS);
}

static int old_histogram(struct sv *rest, struct graph_histogram *h)
{
	uint32_t used, bucket, n;

	if (!take_u32(rest, &used) || used > OLD_BUCKETS)
		return ERR_CORRUPT;
	while (used--) {
		int e;

		if (!take_u32(rest, &bucket) || bucket >= OLD_BUCKETS ||
		    !take_u32(rest, &n))
			return ERR_CORRUPT;
		e = graph_histogram_add(h, graph_step(old_middle_ns(bucket)),
					n);
		if (e)
			return e;
	}
	return rest->len ? ERR_CORRUPT : 0;
}

static int old_add(struct graph *g, uint8_t flags,
		   const struct graph_node_key *from,
		   const struct graph_node_key *to, const struct graph_stats *s)
{
	uint32_t target = graph_need_node(g, to), source = SPAN_NONE, edge;

	if (target == SPAN_NONE) {
		g->dropped += s->seen;
		return 0;
	}
	g->nodes[target].root = g->nodes[target].root ||
				(flags & OLD_ROOT) != 0;
	g->nodes[target].inferred = g->nodes[target].inferred &&
				    (flags & OLD_INFERRED) != 0;
	if (!(flags & OLD_EDGE))
		return graph_stats_merge(&g->nodes[target].stats, s, 1);
	source = graph_need_node(g, from);
	edge = source == SPAN_NONE ? SPAN_NONE :
				     graph_need_edge(g, source, target, false);
	if (edge == SPAN_NONE) {
		g->dropped += s->seen;
		return 0;
	}
	g->nodes[source].inferred = false;
	return graph_stats_merge(&g->edges[edge].stats, s, 1);
}

static int decode_old(struct graph *g, uint8_t flags, struct sv bytes)
{
	struct graph_node_key from = { 0 }, to = { 0 };
	struct graph_stats s = { 0 };
	uint64_t least, most;
	int e;

	if ((flags & OLD_EDGE) &&
	    (!old_text(&bytes, &from.name) || !old_text(&bytes, &from.type)))
		return ERR_CORRUPT;
	if (!old_text(&bytes, &to.name) || !old_text(&bytes, &to.type) ||
	    !take_u64(&bytes, &s.ok) || !take_u64(&bytes, &s.error) ||
	    !take_u64(&bytes, &s.throttle) || !take_u64(&bytes, &s.fault) ||
	    !take_u64(&bytes, &s.total_time_ns) || !take_u64(&bytes, &least) ||
	    !take_u64(&bytes, &most))
		return ERR_CORRUPT;
	e = old_histogram(&bytes, &s.times);
	s.seen = graph_total(&s) ? graph_total(&s) : 1;
	s.roots = flags & OLD_ROOT ? 1 : 0;
	s.own = flags & OLD_INFERRED ? 0 : 1;
	if (!e)
		e = old_add(g, flags, &from, &to, &s);
	graph_stats_fini(&s);
	return e;
}

int graph_decode(struct graph *g, struct sv bytes)
{
	struct sv first;
	uint8_t mark;

	if (!take(&bytes, 1, &first))
		return ERR_CORRUPT;
	mark = (uint8_t)first.ptr[0];
	if (mark == PAGE_MARK)
		return decode_page(g, bytes);
	if (mark <= (OLD_EDGE | OLD_ROOT | OLD_INFERRED))
		return decode_old(g, mark, bytes);
	return ERR_CORRUPT;
}
