/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace map: the nodes as a table, the edges as a tree from those that
 * nobody calls. */
#include "tracer/cmd/map.h"

enum { TREE_DEPTH_MAX = 32 };

static uint32_t count_of(struct json list, uint32_t max)
{
	uint32_t count = 0;
	struct json it;

	for (it = json_first(list); it.doc && count < max;
	     it = json_next(list, it))
		count++;
	return count;
}

static uint32_t index_of(struct json edge, struct sv key, uint32_t count)
{
	int64_t v;

	return json_to_i64(json_get(edge, key), &v) && v >= 0 && v < count ?
		       (uint32_t)v :
		       UINT32_MAX;
}

static bool read_map(struct map *m, struct json root)
{
	struct json nodes = json_get(root, SV("nodes"));
	struct json edges = json_get(root, SV("edges"));
	struct arena *arena = &m->c->arena;
	struct json it;
	uint32_t i = 0;

	m->node_count = count_of(nodes, GRAPH_NODES_MAX);
	m->edge_count = count_of(edges, GRAPH_EDGES_MAX);
	m->nodes = arena_array(arena, m->node_count, sizeof(*m->nodes));
	m->shown = arena_array(arena, m->node_count, sizeof(*m->shown));
	m->called = arena_array(arena, m->node_count, sizeof(*m->called));
	m->edges = arena_array(arena, m->edge_count, sizeof(*m->edges));
	m->from = arena_array(arena, m->edge_count, sizeof(*m->from));
	m->to = arena_array(arena, m->edge_count, sizeof(*m->to));
	if (!m->nodes || !m->shown || !m->called || !m->edges || !m->from ||
	    !m->to)
		return false;
	for (it = json_first(nodes); it.doc && i < m->node_count;
	     it = json_next(nodes, it))
		m->nodes[i++] = it;
	i = 0;
	for (it = json_first(edges); it.doc && i < m->edge_count;
	     it = json_next(edges, it)) {
		m->edges[i] = it;
		m->from[i] = index_of(it, SV("from"), m->node_count);
		m->to[i] = index_of(it, SV("to"), m->node_count);
		if (m->from[i] != UINT32_MAX && m->to[i] != UINT32_MAX &&
		    m->from[i] != m->to[i])
			m->called[m->to[i]] = true;
		i++;
	}
	return true;
}

double map_mean(struct json counted)
{
	double total = cmd_number(counted, SV("total"));

	return total > 0 ? cmd_number(counted, SV("total_time")) / total : 0;
}

static void seconds_cell(struct term_table *table, bool known, double s)
{
	struct buf text = BUF_INIT;

	if (known)
		term_seconds(&text, s);
	term_cell(table, TERM_PLAIN, buf_view(&text));
	buf_fini(&text);
}

static void count_cell(struct cmd *c, struct term_table *table,
		       enum term_style style, struct json node, struct sv key)
{
	term_cell(table, cmd_number(node, key) > 0 ? style : TERM_PLAIN,
		  cmd_text(c, node, key));
}

static bool put_nodes(struct map *m)
{
	static const struct term_column columns[] = {
		{ .title = "SERVICE", .shrink = true },
		{ .title = "TYPE", .shrink = true },
		{ .title = "OK", .align = TERM_RIGHT },
		{ .title = "ERROR", .align = TERM_RIGHT },
		{ .title = "THROTTLE", .align = TERM_RIGHT },
		{ .title = "FAULT", .align = TERM_RIGHT },
		{ .title = "MEAN", .align = TERM_RIGHT },
		{ .title = "P99", .align = TERM_RIGHT },
	};
	struct term_table *table = term_table_new(columns, 8);
	bool ok;

	if (!table)
		return false;
	for (uint32_t i = 0; i < m->node_count; i++) {
		struct json n = m->nodes[i];
		bool any = cmd_number(n, SV("total")) > 0;

		if (sv_eq(cmd_text(m->c, n, SV("type")), SV("client")))
			continue; /* says nothing of itself */
		term_cell(table, TERM_BOLD, cmd_text(m->c, n, SV("name")));
		term_cell(table, TERM_DIM, cmd_text(m->c, n, SV("type")));
		count_cell(m->c, table, TERM_GREEN, n, SV("ok"));
		count_cell(m->c, table, TERM_YELLOW, n, SV("error"));
		count_cell(m->c, table, TERM_YELLOW, n, SV("throttle"));
		count_cell(m->c, table, TERM_RED, n, SV("fault"));
		seconds_cell(table, any, map_mean(n));
		seconds_cell(table, any, cmd_number(n, SV("p99")));
	}
	ok = term_table_print(&m->c->program.term, table, &m->c->program.out);
	term_table_free(table);
	return ok;
}

static void put_bad(struct map *m, struct json edge, struct sv key,
		    enum term_style style)
{
	struct buf *out = &m->c->program.out;

	if (cmd_number(edge, key) <= 0)
		return;
	buf_text(out, ", ");
	buf_text(out, term_style(&m->c->program.term, style));
	term_safe(out, cmd_text(m->c, edge, key));
	buf_char(out, ' ');
	buf_sv(out, key);
	buf_text(out, term_style(&m->c->program.term, TERM_PLAIN));
}

static void put_edge(struct map *m, struct json edge)
{
	struct buf *out = &m->c->program.out;

	buf_text(out, "  ");
	term_safe(out, cmd_text(m->c, edge, SV("total")));
	buf_text(out, cmd_number(edge, SV("total")) == 1 ? " call" : " calls");
	put_bad(m, edge, SV("error"), TERM_YELLOW);
	put_bad(m, edge, SV("throttle"), TERM_YELLOW);
	put_bad(m, edge, SV("fault"), TERM_RED);
	if (cmd_number(edge, SV("total")) > 0) {
		buf_text(out, ", mean ");
		term_seconds(out, map_mean(edge));
		if (cmd_number(edge, SV("p99")) > 0) {
			buf_text(out, ", p99 ");
			term_seconds(out, cmd_number(edge, SV("p99")));
		}
	}
}

static void put_node_name(struct map *m, uint32_t node)
{
	struct buf *out = &m->c->program.out;
	struct sv type = cmd_text(m->c, m->nodes[node], SV("type"));

	term_safe(out, cmd_text(m->c, m->nodes[node], SV("name")));
	if (!type.len)
		return;
	buf_text(out, term_style(&m->c->program.term, TERM_DIM));
	buf_text(out, " (");
	term_safe(out, type);
	buf_char(out, ')');
	buf_text(out, term_style(&m->c->program.term, TERM_PLAIN));
}

/* Below a node: what it calls. A node is opened once, so that calls in a
 * circle end; depth is bounded so that the stack is. */
static void put_tree(struct map *m, uint32_t node, unsigned depth,
		     uint64_t last)
{
	struct buf *out = &m->c->program.out;
	uint32_t final = UINT32_MAX;

	m->shown[node] = true;
	for (uint32_t i = 0; i < m->edge_count; i++)
		if (m->from[i] == node && m->to[i] != UINT32_MAX)
			final = i;
	for (uint32_t i = 0; final != UINT32_MAX && i <= final; i++) {
		uint64_t bits = i == final ? last | UINT64_C(1) << depth :
					     last & ~(UINT64_C(1) << depth);
		uint32_t to = m->to[i];

		if (m->from[i] != node || to == UINT32_MAX)
			continue;
		cmd_branch(m->c, out, depth, bits);
		put_node_name(m, to);
		put_edge(m, m->edges[i]);
		if (m->shown[to] || depth + 1 >= TREE_DEPTH_MAX) {
			buf_text(out,
				 m->shown[to] ? ", see above\n" : ", and on\n");
			continue;
		}
		buf_char(out, '\n');
		put_tree(m, to, depth + 1, bits);
	}
}

static void put_trees(struct map *m)
{
	/* First from those nobody calls, then what is left: circles. */
	for (int circles = 0; circles < 2; circles++)
		for (uint32_t i = 0; i < m->node_count; i++) {
			if (m->shown[i] || (!circles && m->called[i]))
				continue;
			put_node_name(m, i);
			buf_char(&m->c->program.out, '\n');
			put_tree(m, i, 1, 0);
		}
}

static void print(struct map *m, struct json root)
{
	struct buf *out = &m->c->program.out;

	buf_text(out, "Service map, ");
	term_time(out, cmd_number(root, SV("start")), false);
	buf_text(out, " to ");
	term_time(out, cmd_number(root, SV("end")), false);
	buf_text(out, "\n\n");
	if (m->node_count == 0) {
		buf_text(out, "No requests in this time; --since shows "
			      "earlier ones.\n");
		return;
	}
	if (!put_nodes(m))
		buf_text(out, "(not all can be shown; --json has all)\n");
	buf_char(out, '\n');
	put_trees(m);
}

int cmd_map(struct cmd *c)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct map m = { .c = c };
	struct json root;
	struct diag diag;
	int e;

	buf_text(&path, "/api/v1/map");
	cmd_query_range(c, &path);
	e = cmd_get(c, path.ptr, &root, &diag);
	buf_fini(&path);
	if (e)
		return program_fail(&c->program, &diag);
	if (c->program.json)
		return 0;
	if (!read_map(&m, root)) {
		(void)diag_set(&diag, ERR_NOMEM, "the map cannot be shown");
		return program_fail(&c->program, &diag);
	}
	if (c->drawing)
		return map_draw(&m, c->drawing, c->drawing_path);
	print(&m, root);
	return 0;
}
