/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/graph.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "tracer/graph_share.h"

/* Three open-addressing tables of index + 1, 0 is free; at most half full. */
struct graph_table {
	uint32_t nodes[2 * GRAPH_NODES_MAX];
	uint32_t edges[2 * GRAPH_EDGES_MAX];
	uint32_t aliases[2 * GRAPH_ALIASES_MAX];
};

_Static_assert((GRAPH_NODES_MAX & (GRAPH_NODES_MAX - 1)) == 0 &&
		       (GRAPH_EDGES_MAX & (GRAPH_EDGES_MAX - 1)) == 0 &&
		       (GRAPH_ALIASES_MAX & (GRAPH_ALIASES_MAX - 1)) == 0,
	       "table sizes are masks");

static void free_text(struct sv text)
{
	free((char *)(uintptr_t)text.ptr);
}

void graph_fini(struct graph *g)
{
	if (g->share) {
		graph_share_drop(g->share);
		*g = (struct graph)GRAPH_INIT;
		return;
	}
	for (uint32_t i = 0; i < g->node_count; i++) {
		free_text(g->nodes[i].name);
		graph_stats_fini(&g->nodes[i].stats);
	}
	for (uint32_t i = 0; i < g->edge_count; i++)
		graph_stats_fini(&g->edges[i].stats);
	for (uint32_t i = 0; i < g->alias_count; i++)
		free_text(g->aliases[i].name);
	free(g->nodes);
	free(g->edges);
	free(g->aliases);
	free(g->table);
	*g = (struct graph)GRAPH_INIT;
}

/* --- finding, making ------------------------------------------------------ */

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
	assert(!g->share);
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

/* Both texts in one piece of memory; NULL: none. */
static char *copy_texts(struct sv a, struct sv b)
{
	char *text = malloc(a.len + b.len + 1);

	if (!text)
		return NULL;
	if (a.len)
		memcpy(text, a.ptr, a.len);
	if (b.len)
		memcpy(text + a.len, b.ptr, b.len);
	return text;
}

uint32_t graph_need_node(struct graph *g, const struct graph_node_key *key)
{
	uint32_t mask = 2 * GRAPH_NODES_MAX - 1;
	struct sv name = cut_name(key->name), type = cut_name(key->type);
	uint64_t account = key->account == g->account ? 0 : key->account;
	void *nodes = g->nodes;
	char *text;
	uint32_t at;

	if (!need_table(g))
		return SPAN_NONE;
	at = (uint32_t)(hash64(name) * 31 + hash64(type) + account) & mask;
	for (; g->table->nodes[at]; at = (at + 1) & mask) {
		const struct graph_node *n = &g->nodes[g->table->nodes[at] - 1];

		if (n->account == account && sv_eq(n->name, name) &&
		    sv_eq(n->type, type))
			return g->table->nodes[at] - 1;
	}
	if (g->node_count == GRAPH_NODES_MAX ||
	    !need_room(&nodes, g->node_count, sizeof(struct graph_node)))
		return SPAN_NONE;
	g->nodes = nodes;
	text = copy_texts(name, type);
	if (!text)
		return SPAN_NONE;
	g->nodes[g->node_count] = (struct graph_node){
		.name = { text, name.len },
		.type = { text + name.len, type.len },
		.account = account,
		.there = true,
		.inferred = true, /* until a segment of its own counts */
	};
	g->table->nodes[at] = ++g->node_count;
	return g->node_count - 1;
}

uint32_t graph_need_edge(struct graph *g, uint32_t from, uint32_t to, bool link)
{
	uint32_t mask = 2 * GRAPH_EDGES_MAX - 1;
	uint64_t pair = (uint64_t)from << 33 | (uint64_t)to << 1 | link;
	uint32_t at = (uint32_t)XXH3_64bits(&pair, sizeof(pair)) & mask;
	void *edges = g->edges;

	if (!need_table(g))
		return SPAN_NONE;
	for (; g->table->edges[at]; at = (at + 1) & mask) {
		const struct graph_edge *e = &g->edges[g->table->edges[at] - 1];

		if (e->from == from && e->to == to && e->link == link)
			return g->table->edges[at] - 1;
	}
	if (g->edge_count == GRAPH_EDGES_MAX ||
	    !need_room(&edges, g->edge_count, sizeof(struct graph_edge)))
		return SPAN_NONE;
	g->edges = edges;
	g->edges[g->edge_count] =
		(struct graph_edge){ .from = from, .to = to, .link = link };
	g->table->edges[at] = ++g->edge_count;
	return g->edge_count - 1;
}

uint32_t graph_need_alias(struct graph *g, uint32_t edge, struct sv name)
{
	uint32_t mask = 2 * GRAPH_ALIASES_MAX - 1;
	void *aliases = g->aliases;
	char *text;
	uint32_t at;

	if (!need_table(g))
		return SPAN_NONE;
	name = cut_name(name);
	at = (uint32_t)hash64_seed(name, edge) & mask;
	for (; g->table->aliases[at]; at = (at + 1) & mask) {
		const struct graph_alias *a =
			&g->aliases[g->table->aliases[at] - 1];

		if (a->edge == edge && sv_eq(a->name, name))
			return g->table->aliases[at] - 1;
	}
	if (g->alias_count == GRAPH_ALIASES_MAX ||
	    !need_room(&aliases, g->alias_count, sizeof(struct graph_alias)))
		return SPAN_NONE;
	g->aliases = aliases;
	text = copy_texts(name, SV(""));
	if (!text)
		return SPAN_NONE;
	g->aliases[g->alias_count] =
		(struct graph_alias){ .edge = edge,
				      .name = { text, name.len } };
	g->table->aliases[at] = ++g->alias_count;
	return g->alias_count - 1;
}

/* --- counting ---------------------------------------------------------------- */

struct graph_count graph_count_of(const struct graph_call *c)
{
	uint64_t work_ns = c->work_ns > c->duration_ns ? c->work_ns :
							 c->duration_ns;
	int64_t end_ns = INT64_MAX;

	if (c->link || c->untimed)
		end_ns = c->time_ns;
	else if (work_ns < (uint64_t)(INT64_MAX - c->time_ns))
		end_ns = c->time_ns + (int64_t)work_ns;
	return (struct graph_count){
		.start_ns = c->time_ns,
		.end_ns = end_ns,
		.duration_ns = c->duration_ns,
		.work_ns = c->work_ns,
		.status = c->status,
		.counted = c->counted,
		.untimed = c->untimed,
		.root = c->root,
		.own = !c->inferred,
	};
}

/* Where a count goes: finds or makes it, and says what is known of the node.
 * NULL: dropped. */
static struct graph_stats *place(struct graph *g, const struct graph_call *c)
{
	const struct graph_node_key from_key = { c->from_name, c->from_type,
						 c->from_account };
	const struct graph_node_key to_key = { c->to_name, c->to_type,
					       c->to_account };
	uint32_t from = SPAN_NONE, to, edge, alias;

	if (c->from_name.ptr) {
		from = graph_need_node(g, &from_key);
		if (from == SPAN_NONE)
			return NULL;
		/* Who calls has a segment; whence a message came may not. */
		if (!c->link)
			g->nodes[from].inferred = false;
	}
	to = graph_need_node(g, &to_key);
	if (to == SPAN_NONE)
		return NULL;
	g->nodes[to].inferred = g->nodes[to].inferred && c->inferred;
	g->nodes[to].root = g->nodes[to].root || c->root;
	if (from == SPAN_NONE)
		return &g->nodes[to].stats;
	edge = graph_need_edge(g, from, to, c->link);
	if (edge == SPAN_NONE)
		return NULL;
	if (c->alias.len) {
		alias = graph_need_alias(g, edge, c->alias);
		if (alias != SPAN_NONE)
			g->aliases[alias].stats.seen++;
	}
	return &g->edges[edge].stats;
}

void graph_count(struct graph *g, const struct graph_call *call)
{
	struct graph_stats *stats = place(g, call);
	struct graph_count count = graph_count_of(call);

	if (g->minutes) {
		count.start_ns -= count.start_ns % GRAPH_MINUTE_NS;
		count.end_ns = count.start_ns > INT64_MAX - GRAPH_MINUTE_NS ?
				       INT64_MAX :
				       count.start_ns + GRAPH_MINUTE_NS;
	}
	if (!stats || graph_stats_count(stats, &count, 1))
		g->dropped++;
}

static void merge_nodes(struct graph *dst, const struct graph *src,
			uint32_t *places)
{
	for (uint32_t i = 0; i < src->node_count; i++) {
		const struct graph_node *n = &src->nodes[i];
		const struct graph_node_key key = { n->name, n->type,
						    n->account };

		places[i] = graph_need_node(dst, &key);
		if (places[i] == SPAN_NONE) {
			dst->dropped += n->stats.seen;
			continue;
		}
		dst->nodes[places[i]].inferred =
			dst->nodes[places[i]].inferred && n->inferred;
		dst->nodes[places[i]].root = dst->nodes[places[i]].root ||
					     n->root;
		if (graph_stats_merge(&dst->nodes[places[i]].stats, &n->stats,
				      1))
			dst->dropped += n->stats.seen;
	}
}

static void merge_edges(struct graph *dst, const struct graph *src,
			const uint32_t *nodes, uint32_t *places)
{
	for (uint32_t i = 0; i < src->edge_count; i++) {
		const struct graph_edge *e = &src->edges[i];
		uint32_t from = nodes[e->from], to = nodes[e->to];

		places[i] = from == SPAN_NONE || to == SPAN_NONE ?
				    SPAN_NONE :
				    graph_need_edge(dst, from, to, e->link);
		if (places[i] == SPAN_NONE ||
		    graph_stats_merge(&dst->edges[places[i]].stats, &e->stats,
				      1))
			dst->dropped += e->stats.seen;
	}
}

void graph_merge(struct graph *dst, const struct graph *src)
{
	uint32_t *nodes = calloc((size_t)src->node_count + 1, sizeof(*nodes));
	uint32_t *edges = calloc((size_t)src->edge_count + 1, sizeof(*edges));

	if (nodes && edges) {
		merge_nodes(dst, src, nodes);
		merge_edges(dst, src, nodes, edges);
		for (uint32_t i = 0; i < src->alias_count; i++) {
			const struct graph_alias *a = &src->aliases[i];
			uint32_t at = edges[a->edge];

			if (at != SPAN_NONE)
				at = graph_need_alias(dst, at, a->name);
			if (at != SPAN_NONE)
				dst->aliases[at].stats.seen += a->stats.seen;
		}
	} else {
		dst->dropped++;
	}
	dst->dropped += src->dropped;
	free(nodes);
	free(edges);
}
