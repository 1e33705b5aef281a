/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/minutes.h"

#include <stdlib.h>

void minutes_fini(struct map_minutes *m)
{
	for (size_t i = 0; i < m->open_count; i++)
		graph_fini(&m->open[i].graph);
	buf_fini(&m->pages);
	free(m->list);
	*m = (struct map_minutes)MAP_MINUTES_INIT;
}

static int note_page(struct map_minutes *m, const struct row_key *key,
		     size_t at)
{
	if (m->count == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct minute_page *list =
			reallocarray(m->list, cap, sizeof(*list));

		if (!list)
			return ERR_NOMEM;
		m->list = list;
		m->cap = cap;
	}
	m->list[m->count++] =
		(struct minute_page){ *key, at, m->pages.len - at };
	return 0;
}

/* Its pages, and it is empty. */
static int put_down(struct map_minutes *m, struct minute_graph *g)
{
	struct graph_page_cursor cursor = { 0 };
	size_t at = m->pages.len;
	int e = 0;

	while (!e && graph_put_page(&g->graph, &cursor, &m->pages)) {
		e = m->pages.failed ? ERR_NOMEM : note_page(m, &g->key, at);
		at = m->pages.len;
	}
	graph_fini(&g->graph);
	return e;
}

static bool same_key(const struct row_key *a, const struct row_key *b)
{
	return !memcmp(a->bytes, b->bytes, ROW_PREFIX);
}

static struct minute_graph *graph_of(struct map_minutes *m,
				     const struct row_key *key)
{
	struct minute_graph *oldest = m->open;

	if (m->open_count && same_key(&m->open[m->last].key, key))
		return &m->open[m->last];
	for (size_t i = 0; i < m->open_count; i++) {
		if (same_key(&m->open[i].key, key)) {
			m->last = i;
			return &m->open[i];
		}
		if (m->open[i].used < oldest->used)
			oldest = &m->open[i];
	}
	if (m->open_count < MINUTES_OPEN)
		oldest = &m->open[m->open_count++];
	else
		m->err = put_down(m, oldest);
	if (m->err)
		return NULL;
	oldest->key = *key;
	oldest->graph = (struct graph){ .account = row_account(key) };
	m->last = (size_t)(oldest - m->open);
	return oldest;
}

void minutes_count(struct map_minutes *m, const struct trace_key *key,
		   const struct graph_call *call)
{
	struct minute_graph *g;
	struct row_key row;

	if (m->err)
		return;
	row_key_minute(&row, key, call->time_ns / (60 * NS_PER_S));
	g = graph_of(m, &row);
	if (!g)
		return;
	g->used = ++m->clock;
	graph_count(&g->graph, call);
}

static int by_key(const void *left, const void *right)
{
	const struct minute_page *a = left, *b = right;
	int order = memcmp(a->key.bytes, b->key.bytes, ROW_PREFIX);

	return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

int minutes_write(struct map_minutes *m, struct block_writer *w)
{
	int e = m->err;

	for (size_t i = 0; i < m->open_count && !e; i++)
		e = put_down(m, &m->open[i]);
	m->open_count = 0;
	if (!e && m->count)
		qsort(m->list, m->count, sizeof(*m->list), by_key);
	for (size_t i = 0; i < m->count && !e; i++)
		e = block_writer_add(w, row_key_view(&m->list[i].key),
				     sv_make(m->pages.ptr + m->list[i].at,
					     m->list[i].len));
	return e;
}
