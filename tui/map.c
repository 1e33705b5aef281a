/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/map.h"

#include <math.h>
#include <stdlib.h>

#include "core/client/answer.h"

struct node {
	int64_t id;
	const json_t *from;
	bool root;
	size_t index; /* as it came */
};

struct edge {
	int64_t from, to;
	const json_t *answer;
	double total;
};

static int compare_ids(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int compare_places(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->root != y->root)
		return x->root ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* By who calls, the busiest first. */
static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static struct sv keep(struct arena *a, struct sv text)
{
	struct sv copy = arena_copy(a, text);

	return copy.ptr ? copy : SV("");
}

static double number_or_nan(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static struct map_line *next_line(struct map *m, const json_t *counts)
{
	struct map_line *line = &m->lines[m->count++];

	line->total = answer_number(counts, "total");
	line->errors = answer_number(counts, "error") +
		       answer_number(counts, "throttle");
	line->faults = answer_number(counts, "fault");
	return line;
}

static void add_node(struct map *m, const struct node *node)
{
	struct map_line *line = next_line(m, node->from);

	line->name = keep(&m->arena, answer_text(node->from, "name"));
	line->type = keep(&m->arena, answer_text(node->from, "type"));
	line->p50_s = number_or_nan(node->from, "p50");
	line->p99_s = number_or_nan(node->from, "p99");
}

static void add_edge(struct map *m, const struct edge *edge,
		     const struct node *to)
{
	struct map_line *line = next_line(m, edge->answer);

	line->is_edge = true;
	line->name = keep(&m->arena, answer_text(to->from, "name"));
	line->type = SV("");
	line->p99_s = NAN;
	line->p50_s = line->total > 0 ?
			      answer_number(edge->answer, "total_time") /
				      line->total :
			      NAN;
}

static size_t first_edge(const struct edge *edges, size_t count, int64_t from)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (edges[mid].from < from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct graph_parts {
	struct node *nodes; /* in the order of the lines */
	struct node *by_id;
	size_t node_count;
	struct edge *edges;
	size_t edge_count;
};

static void lay_out(struct map *m, const struct graph_parts *g)
{
	for (size_t i = 0; i < g->node_count; i++) {
		size_t at = first_edge(g->edges, g->edge_count, g->nodes[i].id);

		add_node(m, &g->nodes[i]);
		for (;
		     at < g->edge_count && g->edges[at].from == g->nodes[i].id;
		     at++) {
			struct node key = { .id = g->edges[at].to };
			const struct node *to =
				bsearch(&key, g->by_id, g->node_count,
					sizeof(key), compare_ids);

			/* A second service of one id would list the same
			 * calls once more: bounded by the room there is. */
			if (to && m->count < MAP_NODES_MAX + MAP_EDGES_MAX -
						     g->node_count + i + 1)
				add_edge(m, &g->edges[at], to);
			else
				m->left_out++;
		}
	}
}

static size_t bounded(size_t n, size_t max, size_t *left_out)
{
	*left_out += n > max ? n - max : 0;
	return n > max ? max : n;
}

static void read_parts(const json_t *nodes, const json_t *edges,
		       struct graph_parts *g)
{
	for (size_t i = 0; i < g->node_count; i++) {
		const json_t *from = json_array_get(nodes, i);

		g->nodes[i] = (struct node){ answer_integer(from, "id"), from,
					     answer_bool(from, "root"), i };
		g->by_id[i] = g->nodes[i];
	}
	for (size_t i = 0; i < g->edge_count; i++) {
		const json_t *from = json_array_get(edges, i);

		g->edges[i] = (struct edge){ answer_integer(from, "from"),
					     answer_integer(from, "to"), from,
					     answer_number(from, "total") };
	}
	qsort(g->nodes, g->node_count, sizeof(*g->nodes), compare_places);
	qsort(g->by_id, g->node_count, sizeof(*g->by_id), compare_ids);
	qsort(g->edges, g->edge_count, sizeof(*g->edges), compare_edges);
}

struct map *map_new(const json_t *answer)
{
	const json_t *nodes = answer_array(answer, "nodes");
	const json_t *edges = answer_array(answer, "edges");
	struct map *m = calloc(1, sizeof(*m));
	struct graph_parts g = { 0 };

	if (!m)
		return NULL;
	m->arena.limit = MODEL_BYTES_MAX;
	g.node_count =
		bounded(json_array_size(nodes), MAP_NODES_MAX, &m->left_out);
	g.edge_count =
		bounded(json_array_size(edges), MAP_EDGES_MAX, &m->left_out);
	m->lines = arena_array(&m->arena, MAP_NODES_MAX + MAP_EDGES_MAX,
			       sizeof(*m->lines));
	g.nodes = calloc(g.node_count + 1, sizeof(*g.nodes));
	g.by_id = calloc(g.node_count + 1, sizeof(*g.by_id));
	g.edges = calloc(g.edge_count + 1, sizeof(*g.edges));
	if (m->lines && g.nodes && g.by_id && g.edges) {
		read_parts(nodes, edges, &g);
		lay_out(m, &g);
	} else {
		map_free(m);
		m = NULL;
	}
	free(g.nodes);
	free(g.by_id);
	free(g.edges);
	return m;
}

void map_free(struct map *m)
{
	if (m)
		arena_fini(&m->arena);
	free(m);
}
