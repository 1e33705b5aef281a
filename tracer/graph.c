/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/graph.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/hash.h"

/* Two open-addressing tables of index + 1, 0 is free; at most half full. */
struct graph_table {
	uint32_t nodes[2 * GRAPH_NODES_MAX];
	uint32_t edges[2 * GRAPH_EDGES_MAX];
};

_Static_assert((GRAPH_NODES_MAX & (GRAPH_NODES_MAX - 1)) == 0 &&
		       (GRAPH_EDGES_MAX & (GRAPH_EDGES_MAX - 1)) == 0,
	       "table sizes are masks");

void graph_fini(struct graph *g)
{
	for (uint32_t i = 0; i < g->node_count; i++) {
		free((char *)(uintptr_t)g->nodes[i].name.ptr);
		free(g->nodes[i].stats.histogram);
	}
	for (uint32_t i = 0; i < g->edge_count; i++)
		free(g->edges[i].stats.histogram);
	free(g->nodes);
	free(g->edges);
	free(g->table);
	*g = (struct graph)GRAPH_INIT;
}

uint64_t graph_total(const struct graph_stats *s)
{
	return s->ok + s->error + s->throttle + s->fault;
}

/* --- statistics ---------------------------------------------------------- */

static unsigned bucket_of(uint64_t ns)
{
	uint64_t us = ns / 1000;
	unsigned octave, bucket;

	if (us == 0)
		return 0;
	octave = 63 - (unsigned)__builtin_clzll(us);
	if (octave >= GRAPH_BUCKETS / GRAPH_STEPS)
		return GRAPH_BUCKETS - 1;
	bucket = (unsigned)((us * GRAPH_STEPS) >> octave) - GRAPH_STEPS;
	assert(bucket < GRAPH_STEPS);
	return octave * GRAPH_STEPS + bucket;
}

static uint64_t bucket_middle_ns(unsigned bucket)
{
	uint64_t octave = bucket / GRAPH_STEPS;
	uint64_t step = bucket % GRAPH_STEPS;

	return ((2 * (GRAPH_STEPS + step) + 1) << octave) * 1000 /
	       (2 * GRAPH_STEPS);
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void bucket_add(struct graph_histogram *h, unsigned bucket, uint64_t n)
{
	uint64_t sum = h->counts[bucket] + n;

	h->counts[bucket] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static bool need_histogram(struct graph_stats *s)
{
	if (!s->histogram)
		s->histogram = calloc(1, sizeof(*s->histogram));
	return s->histogram != NULL;
}

static void widen(struct graph_stats *s, uint64_t min, uint64_t max)
{
	bool first = graph_total(s) == 0;

	if (first || min < s->time_ns_min)
		s->time_ns_min = min;
	if (first || max > s->time_ns_max)
		s->time_ns_max = max;
}

static bool stats_count(struct graph_stats *s, enum segment_status status,
			uint64_t ns)
{
	if (!need_histogram(s))
		return false;
	widen(s, ns, ns);
	switch (status) {
	case SEGMENT_STATUS_OK:
		s->ok++;
		break;
	case SEGMENT_STATUS_ERROR:
		s->error++;
		break;
	case SEGMENT_STATUS_THROTTLE:
		s->throttle++;
		break;
	case SEGMENT_STATUS_FAULT:
		s->fault++;
		break;
	}
	s->total_time_ns = add_saturating(s->total_time_ns, ns);
	bucket_add(s->histogram, bucket_of(ns), 1);
	return true;
}

static bool stats_merge(struct graph_stats *dst, const struct graph_stats *src)
{
	if (graph_total(src) == 0)
		return true;
	if (!need_histogram(dst))
		return false;
	widen(dst, src->time_ns_min, src->time_ns_max);
	dst->ok = add_saturating(dst->ok, src->ok);
	dst->error = add_saturating(dst->error, src->error);
	dst->throttle = add_saturating(dst->throttle, src->throttle);
	dst->fault = add_saturating(dst->fault, src->fault);
	dst->total_time_ns =
		add_saturating(dst->total_time_ns, src->total_time_ns);
	for (unsigned i = 0; i < GRAPH_BUCKETS; i++)
		if (src->histogram->counts[i])
			bucket_add(dst->histogram, i,
				   src->histogram->counts[i]);
	return true;
}

uint64_t graph_quantile(const struct graph_stats *s, double q)
{
	uint64_t total = 0, seen = 0, rank, ns;
	unsigned i;

	if (!s->histogram)
		return 0;
	for (i = 0; i < GRAPH_BUCKETS; i++)
		total += s->histogram->counts[i];
	if (total == 0)
		return 0;
	/* Nearest rank: the smallest value with q of all at or below it. */
	rank = (uint64_t)(q * (double)total);
	if ((double)rank < q * (double)total)
		rank++;
	if (rank >= total)
		return s->time_ns_max;
	if (rank <= 1)
		return s->time_ns_min;
	for (i = 0; i < GRAPH_BUCKETS - 1; i++) {
		seen += s->histogram->counts[i];
		if (seen >= rank)
			break;
	}
	ns = bucket_middle_ns(i);
	if (ns < s->time_ns_min)
		ns = s->time_ns_min;
	if (ns > s->time_ns_max)
		ns = s->time_ns_max;
	return ns;
}

/* --- nodes and edges ------------------------------------------------------ */

/* Cut to GRAPH_NAME_MAX at the start of a character. */
static struct sv cut_name(struct sv name)
{
	if (name.len > GRAPH_NAME_MAX) {
		name.len = GRAPH_NAME_MAX;
		while (name.len &&
		       ((unsigned char)name.ptr[name.len] & 0xc0) == 0x80)
			name.len--;
	}
	return name;
}

static bool need_table(struct graph *g)
{
	if (!g->table)
		g->table = calloc(1, sizeof(*g->table));
	return g->table != NULL;
}

/* Makes room for one more of count items; doubles at powers of two. */
static bool need_room(void **items, uint32_t count, size_t size)
{
	void *more;

	if (count && (count & (count - 1)))
		return true;
	more = realloc(*items, (count ? (size_t)count * 2 : 1) * size);
	if (!more)
		return false;
	*items = more;
	return true;
}

/* SPAN_NONE: over the limit, or no memory. */
static uint32_t find_node(struct graph *g, struct sv name, struct sv type)
{
	uint32_t mask = 2 * GRAPH_NODES_MAX - 1;
	uint32_t at;
	struct graph_node *node;
	char *text;
	void *nodes = g->nodes;

	if (!need_table(g))
		return SPAN_NONE;
	name = cut_name(name);
	type = cut_name(type);
	at = (uint32_t)(hash64(name) * 31 + hash64(type)) & mask;
	for (; g->table->nodes[at]; at = (at + 1) & mask) {
		node = &g->nodes[g->table->nodes[at] - 1];
		if (sv_eq(node->name, name) && sv_eq(node->type, type))
			return g->table->nodes[at] - 1;
	}
	if (g->node_count == GRAPH_NODES_MAX ||
	    !need_room(&nodes, g->node_count, sizeof(*node)))
		return SPAN_NONE;
	g->nodes = nodes;
	text = malloc(name.len + type.len + 1);
	if (!text)
		return SPAN_NONE;
	if (name.len)
		memcpy(text, name.ptr, name.len);
	if (type.len)
		memcpy(text + name.len, type.ptr, type.len);
	g->nodes[g->node_count] = (struct graph_node){
		.name = { text, name.len },
		.type = { text + name.len, type.len },
		.inferred = true, /* until a segment of its own counts */
	};
	g->table->nodes[at] = ++g->node_count;
	return g->node_count - 1;
}

static uint32_t find_edge(struct graph *g, uint32_t from, uint32_t to)
{
	uint32_t mask = 2 * GRAPH_EDGES_MAX - 1;
	uint64_t pair = (uint64_t)from << 32 | to;
	uint32_t at = (uint32_t)XXH3_64bits(&pair, sizeof(pair)) & mask;
	void *edges = g->edges;

	for (; g->table->edges[at]; at = (at + 1) & mask) {
		const struct graph_edge *e = &g->edges[g->table->edges[at] - 1];

		if (e->from == from && e->to == to)
			return g->table->edges[at] - 1;
	}
	if (g->edge_count == GRAPH_EDGES_MAX ||
	    !need_room(&edges, g->edge_count, sizeof(struct graph_edge)))
		return SPAN_NONE;
	g->edges = edges;
	g->edges[g->edge_count] = (struct graph_edge){ .from = from, .to = to };
	g->table->edges[at] = ++g->edge_count;
	return g->edge_count - 1;
}

/* Where a count goes: finds or makes it, and says what is known of the node.
 * NULL: dropped. */
static struct graph_stats *place(struct graph *g, const struct graph_call *c)
{
	uint32_t from = SPAN_NONE, to, edge;

	if (c->from_name.ptr) {
		from = find_node(g, c->from_name, c->from_type);
		if (from == SPAN_NONE)
			return NULL;
		g->nodes[from].inferred = false;
	}
	to = find_node(g, c->to_name, c->to_type);
	if (to == SPAN_NONE)
		return NULL;
	g->nodes[to].inferred = g->nodes[to].inferred && c->inferred;
	g->nodes[to].root = g->nodes[to].root || c->root;
	if (from == SPAN_NONE)
		return &g->nodes[to].stats;
	edge = find_edge(g, from, to);
	return edge == SPAN_NONE ? NULL : &g->edges[edge].stats;
}

void graph_count(struct graph *g, const struct graph_call *call)
{
	struct graph_stats *stats = place(g, call);

	if (!stats || (call->counted &&
		       !stats_count(stats, call->status, call->duration_ns)))
		g->dropped++;
}

/* Entry i as the call that would make it. */
static struct graph_call entry_call(const struct graph *g, uint32_t i,
				    const struct graph_stats **stats)
{
	struct graph_call call = { 0 };
	const struct graph_node *to;

	if (i < g->node_count) {
		to = &g->nodes[i];
		*stats = &to->stats;
	} else {
		const struct graph_edge *e = &g->edges[i - g->node_count];
		const struct graph_node *from = &g->nodes[e->from];

		to = &g->nodes[e->to];
		call.from_name = from->name;
		call.from_type = from->type;
		*stats = &e->stats;
	}
	call.to_name = to->name;
	call.to_type = to->type;
	call.root = to->root;
	call.inferred = to->inferred;
	return call;
}

uint32_t graph_entries(const struct graph *g)
{
	return g->node_count + g->edge_count;
}

static void add_entry(struct graph *g, const struct graph_call *call,
		      const struct graph_stats *add)
{
	struct graph_stats *stats = place(g, call);

	if (!stats || !stats_merge(stats, add))
		g->dropped += graph_total(add);
}

void graph_merge(struct graph *dst, const struct graph *src)
{
	for (uint32_t i = 0; i < graph_entries(src); i++) {
		const struct graph_stats *stats;
		struct graph_call call = entry_call(src, i, &stats);

		add_entry(dst, &call, stats);
	}
	dst->dropped += src->dropped;
}

/* --- the stored form -------------------------------------------------------
 * u8 flags (1 edge, 2 root, 4 inferred) | texts: u32 length, bytes; of an
 * edge four (from name, from type, to name, to type), of a node two | u64 ok,
 * error, throttle, fault, total time, least, most | u32 count of buckets |
 * each u32 bucket, u32 count. All little-endian. */

enum { ENTRY_EDGE = 1, ENTRY_ROOT = 2, ENTRY_INFERRED = 4 };

static void put_u32(struct buf *out, uint32_t v)
{
	uint8_t bytes[4];

	put_le32(bytes, v);
	buf_add(out, bytes, sizeof(bytes));
}

static void put_u64(struct buf *out, uint64_t v)
{
	uint8_t bytes[8];

	put_le64(bytes, v);
	buf_add(out, bytes, sizeof(bytes));
}

static void put_text(struct buf *out, struct sv text)
{
	put_u32(out, (uint32_t)text.len);
	buf_sv(out, text);
}

static void put_histogram(struct buf *out, const struct graph_histogram *h)
{
	uint32_t used = 0;

	for (uint32_t i = 0; h && i < GRAPH_BUCKETS; i++)
		used += h->counts[i] != 0;
	put_u32(out, used);
	for (uint32_t i = 0; h && i < GRAPH_BUCKETS; i++) {
		if (!h->counts[i])
			continue;
		put_u32(out, i);
		put_u32(out, h->counts[i]);
	}
}

void graph_encode(const struct graph *g, uint32_t i, struct buf *out)
{
	const struct graph_stats *s;
	struct graph_call call = entry_call(g, i, &s);
	bool edge = call.from_name.ptr != NULL;

	assert(i < graph_entries(g));
	buf_char(out,
		 (char)((edge ? ENTRY_EDGE : 0) | (call.root ? ENTRY_ROOT : 0) |
			(call.inferred ? ENTRY_INFERRED : 0)));
	if (edge) {
		put_text(out, call.from_name);
		put_text(out, call.from_type);
	}
	put_text(out, call.to_name);
	put_text(out, call.to_type);
	put_u64(out, s->ok);
	put_u64(out, s->error);
	put_u64(out, s->throttle);
	put_u64(out, s->fault);
	put_u64(out, s->total_time_ns);
	put_u64(out, s->time_ns_min);
	put_u64(out, s->time_ns_max);
	put_histogram(out, s->histogram);
}

static bool take(struct sv *rest, size_t n, struct sv *out)
{
	if (rest->len < n)
		return false;
	*out = sv_make(rest->ptr, n);
	*rest = sv_make(rest->ptr + n, rest->len - n);
	return true;
}

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

static bool take_text(struct sv *rest, struct sv *out)
{
	uint32_t len;

	return take_u32(rest, &len) && len <= GRAPH_NAME_MAX &&
	       take(rest, len, out);
}

static bool take_histogram(struct sv *rest, struct graph_histogram *h)
{
	uint32_t used, bucket;

	if (!take_u32(rest, &used) || used > GRAPH_BUCKETS)
		return false;
	while (used--) {
		if (!take_u32(rest, &bucket) || bucket >= GRAPH_BUCKETS ||
		    !take_u32(rest, &h->counts[bucket]))
			return false;
	}
	return rest->len == 0;
}

int graph_decode(struct graph *g, struct sv bytes)
{
	struct graph_histogram histogram = { 0 };
	struct graph_stats s = { .histogram = &histogram };
	struct graph_call call = { 0 };
	struct sv flags;

	if (!take(&bytes, 1, &flags))
		return ERR_CORRUPT;
	call.root = flags.ptr[0] & ENTRY_ROOT;
	call.inferred = flags.ptr[0] & ENTRY_INFERRED;
	if ((flags.ptr[0] & ENTRY_EDGE) &&
	    (!take_text(&bytes, &call.from_name) ||
	     !take_text(&bytes, &call.from_type)))
		return ERR_CORRUPT;
	if (!take_text(&bytes, &call.to_name) ||
	    !take_text(&bytes, &call.to_type) || !take_u64(&bytes, &s.ok) ||
	    !take_u64(&bytes, &s.error) || !take_u64(&bytes, &s.throttle) ||
	    !take_u64(&bytes, &s.fault) ||
	    !take_u64(&bytes, &s.total_time_ns) ||
	    !take_u64(&bytes, &s.time_ns_min) ||
	    !take_u64(&bytes, &s.time_ns_max) ||
	    !take_histogram(&bytes, &histogram))
		return ERR_CORRUPT;
	add_entry(g, &call, &s);
	return 0;
}
