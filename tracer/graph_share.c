/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/graph_share.h"

#include <assert.h>
#include <stdlib.h>

struct graph_share *graph_share_new(void)
{
	struct graph_share *s = calloc(1, sizeof(*s));

	if (s)
		atomic_init(&s->refs, 1);
	return s;
}

void graph_share_borrow(struct graph_share *s, struct graph *out)
{
	unsigned before = atomic_fetch_add(&s->refs, 1);

	assert(before > 0);
	*out = s->graph;
	out->share = s;
}

bool graph_share_is_alone(const struct graph_share *s)
{
	return atomic_load(&s->refs) == 1;
}

void graph_share_drop(struct graph_share *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	for (uint32_t i = 0; i < s->graph.node_count; i++)
		graph_stats_fini(&s->graph.nodes[i].stats);
	for (uint32_t i = 0; i < s->graph.edge_count; i++)
		graph_stats_fini(&s->graph.edges[i].stats);
	for (uint32_t i = 0; i < s->graph.alias_count; i++)
		graph_stats_fini(&s->graph.aliases[i].stats);
	free(s->graph.nodes);
	free(s->graph.edges);
	free(s->graph.aliases);
	arena_fini(&s->names);
	free(s);
}

static bool need_room(void **items, uint32_t *cap, uint32_t count, size_t size)
{
	uint32_t more = *cap ? *cap : 64;
	void *grown;

	if (count <= *cap)
		return true;
	while (more < count)
		more *= 2;
	grown = reallocarray(*items, more, size);
	if (!grown)
		return false;
	*items = grown;
	*cap = more;
	return true;
}

static bool need_rooms(struct graph_share *s, const struct graph *names)
{
	struct graph *g = &s->graph;
	void *nodes = g->nodes, *edges = g->edges, *aliases = g->aliases;
	bool room = need_room(&nodes, &s->node_cap, names->node_count,
			      sizeof(*g->nodes)) &&
		    need_room(&edges, &s->edge_cap, names->edge_count,
			      sizeof(*g->edges)) &&
		    need_room(&aliases, &s->alias_cap, names->alias_count,
			      sizeof(*g->aliases));

	g->nodes = nodes;
	g->edges = edges;
	g->aliases = aliases;
	return room;
}

static bool add_node(struct graph_share *s, const struct graph_node *n)
{
	struct sv name = arena_copy(&s->names, n->name);
	struct sv type = arena_copy(&s->names, n->type);

	if (!name.ptr || !type.ptr)
		return false;
	s->graph.nodes[s->graph.node_count++] = (struct graph_node){
		.name = name,
		.type = type,
		.account = n->account,
	};
	return true;
}

static bool add_alias(struct graph_share *s, const struct graph_alias *a)
{
	struct sv name = arena_copy(&s->names, a->name);

	if (!name.ptr)
		return false;
	s->graph.aliases[s->graph.alias_count++] =
		(struct graph_alias){ .edge = a->edge, .name = name };
	return true;
}

int graph_share_extend(struct graph_share *s, const struct graph *names)
{
	struct graph *g = &s->graph;

	if (g->node_count == names->node_count &&
	    g->edge_count == names->edge_count &&
	    g->alias_count == names->alias_count)
		return 0;
	if (!need_rooms(s, names))
		return ERR_NOMEM;
	while (g->node_count < names->node_count)
		if (!add_node(s, &names->nodes[g->node_count]))
			return ERR_NOMEM;
	for (; g->edge_count < names->edge_count; g->edge_count++) {
		const struct graph_edge *e = &names->edges[g->edge_count];

		g->edges[g->edge_count] = (struct graph_edge){
			.from = e->from, .to = e->to, .link = e->link
		};
	}
	while (g->alias_count < names->alias_count)
		if (!add_alias(s, &names->aliases[g->alias_count]))
			return ERR_NOMEM;
	return 0;
}

static int copy_stats(struct graph *to, const struct graph *from)
{
	int e = 0;

	for (uint32_t i = 0; i < from->node_count && !e; i++)
		e = graph_stats_merge(&to->nodes[i].stats,
				      &from->nodes[i].stats, 1);
	for (uint32_t i = 0; i < from->edge_count && !e; i++)
		e = graph_stats_merge(&to->edges[i].stats,
				      &from->edges[i].stats, 1);
	for (uint32_t i = 0; i < from->alias_count && !e; i++)
		e = graph_stats_merge(&to->aliases[i].stats,
				      &from->aliases[i].stats, 1);
	return e;
}

struct graph_share *graph_share_copy(const struct graph_share *s)
{
	struct graph_share *copy = graph_share_new();

	if (!copy)
		return NULL;
	copy->graph.account = s->graph.account;
	if (graph_share_extend(copy, &s->graph) ||
	    copy_stats(&copy->graph, &s->graph)) {
		graph_share_drop(copy);
		return NULL;
	}
	return copy;
}
