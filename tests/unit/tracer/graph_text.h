/* SPDX-License-Identifier: Apache-2.0 */
/* A service map as text, to compare two by. */
#ifndef TALLY_TESTS_TRACER_GRAPH_TEXT_H
#define TALLY_TESTS_TRACER_GRAPH_TEXT_H

#include <stdlib.h>

#include "tracer/graph.h"

#define GRAPH_TEXT_MINUTE INT64_C(60000000000)

static inline uint32_t graph_there(const struct graph *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->node_count; i++)
		n += g->nodes[i].there;
	return n;
}

static inline int graph_compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void graph_put_text(struct buf *b, const struct graph_stats *s)
{
	struct graph_histogram d;

	buf_format(b, " seen %llu ok %llu %llu %llu %llu time %llu",
		   (unsigned long long)s->seen, (unsigned long long)s->ok,
		   (unsigned long long)s->error,
		   (unsigned long long)s->throttle,
		   (unsigned long long)s->fault,
		   (unsigned long long)s->total_time_ns);
	for (unsigned i = 0; i < s->times.used; i++)
		buf_format(b, " %u:%lld", graph_bucket_step(s->times.items[i]),
			   (long long)graph_bucket_count(s->times.items[i]));
	assert_int_equal(graph_durations(s, &d), 0);
	for (unsigned i = 0; i < d.used; i++)
		buf_format(b, " %u+%lld", graph_bucket_step(d.items[i]),
			   (long long)graph_bucket_count(d.items[i]));
	free(d.items);
	if (s->seen)
		buf_format(b, " %lld-%lld",
			   (long long)(s->first_ns / GRAPH_TEXT_MINUTE),
			   (long long)((s->last_ns + GRAPH_TEXT_MINUTE - 1) /
				       GRAPH_TEXT_MINUTE));
}

/* All of a graph as text, in an order of its own; nothing of an end of the
 * graph depends on the order in which it was made. */
static inline char *graph_text(const struct graph *g)
{
	size_t count = 0,
	       all = (size_t)g->node_count + g->edge_count + g->alias_count;
	char **lines = calloc(all + 1, sizeof(*lines));
	struct buf text = BUF_INIT;

	for (uint32_t i = 0; i < g->node_count; i++) {
		const struct graph_node *n = &g->nodes[i];
		struct buf b = BUF_INIT;

		if (!n->there)
			continue;
		buf_format(&b, "%.*s/%.*s/%llu root %d inferred %d",
			   SV_ARG(n->name), SV_ARG(n->type),
			   (unsigned long long)n->account, n->root,
			   n->inferred);
		graph_put_text(&b, &n->stats);
		lines[count++] = buf_detach(&b);
	}
	for (uint32_t i = 0; i < g->edge_count; i++) {
		const struct graph_edge *e = &g->edges[i];
		struct buf b = BUF_INIT;

		if (!e->stats.seen)
			continue;
		buf_format(&b, "%.*s -> %.*s/%.*s/%llu link %d",
			   SV_ARG(g->nodes[e->from].name),
			   SV_ARG(g->nodes[e->to].name),
			   SV_ARG(g->nodes[e->to].type),
			   (unsigned long long)g->nodes[e->to].account,
			   e->link);
		graph_put_text(&b, &e->stats);
		lines[count++] = buf_detach(&b);
	}
	for (uint32_t i = 0; i < g->alias_count; i++) {
		const struct graph_alias *a = &g->aliases[i];
		const struct graph_edge *e = &g->edges[a->edge];
		struct buf b = BUF_INIT;

		if (!a->stats.seen)
			continue;
		buf_format(&b, "alias %.*s -> %.*s/%.*s/%llu %d %.*s %llu",
			   SV_ARG(g->nodes[e->from].name),
			   SV_ARG(g->nodes[e->to].name),
			   SV_ARG(g->nodes[e->to].type),
			   (unsigned long long)g->nodes[e->to].account, e->link,
			   SV_ARG(a->name), (unsigned long long)a->stats.seen);
		lines[count++] = buf_detach(&b);
	}
	qsort(lines, count, sizeof(*lines), graph_compare_text);
	for (size_t i = 0; i < count; i++) {
		buf_text(&text, lines[i]);
		buf_char(&text, '\n');
		free(lines[i]);
	}
	free(lines);
	return buf_detach(&text);
}

#endif
