/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace compare: what tells two sets of requests from each other. */
#include <math.h>

#include "tracer/cmd/cmd.h"

enum { ROWS_DEFAULT = 20, VALUE_MAX = 48 };

/* "83 %" of the side's traces. */
static void put_share(struct term_table *table, double count, double traces,
		      bool larger)
{
	struct buf text = BUF_INIT;

	buf_format(&text, "%.0f %%", traces > 0 ? 100 * count / traces : 0);
	term_cell(table, larger ? TERM_BOLD : TERM_PLAIN, buf_view(&text));
	buf_fini(&text);
}

static void put_seconds(struct term_table *table, enum term_style style,
			double seconds)
{
	struct buf text = BUF_INIT;

	term_seconds(&text, seconds);
	term_cell(table, style, buf_view(&text));
	buf_fini(&text);
}

static bool print(struct cmd *c, struct term_table *table, const char *title)
{
	bool ok;

	cmd_title(c, "%s", title);
	ok = term_table_print(&c->program.term, table, &c->program.out);
	term_table_free(table);
	return ok;
}

/* --- parts ------------------------------------------------------------------------- */

static void put_side(struct cmd *c, struct term_table *table, const char *name,
		     struct json side)
{
	static const struct {
		struct sv key;
	} times[] = { { SV_INIT("p50") },
		      { SV_INIT("p90") },
		      { SV_INIT("p99") } };
	struct buf text = BUF_INIT;

	term_cell(table, TERM_BOLD, sv_from(name));
	term_count(&text, cmd_number(side, SV("traces")));
	if (cmd_true(side, SV("truncated")))
		buf_char(&text, '+');
	term_cell(table, TERM_PLAIN, buf_view(&text));
	buf_fini(&text);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		put_seconds(table, TERM_PLAIN, cmd_number(side, times[i].key));
	term_cell(table, TERM_PLAIN, cmd_text(c, side, SV("expression")));
}

static bool put_sides(struct cmd *c, struct json root)
{
	static const struct term_column columns[] = {
		{ .title = "" },
		{ .title = "REQUESTS", .align = TERM_RIGHT },
		{ .title = "P50", .align = TERM_RIGHT },
		{ .title = "P90", .align = TERM_RIGHT },
		{ .title = "P99", .align = TERM_RIGHT },
		{ .title = "EXPRESSION" },
	};
	struct term_table *table = term_table_new(columns, 6);

	if (!table)
		return false;
	put_side(c, table, "A", json_get(root, SV("a")));
	put_side(c, table, "B", json_get(root, SV("b")));
	return print(c, table, "Requests");
}

static void put_property(struct cmd *c, struct term_table *table,
			 struct json row, double a, double b)
{
	struct sv kind = cmd_text(c, row, SV("kind"));
	struct sv name = cmd_text(c, row, SV("name"));
	double has_a = cmd_number(row, SV("a")), has_b;
	bool larger;

	has_b = cmd_number(row, SV("b"));
	larger = has_a * b > has_b * a;
	put_share(table, has_a, a, larger);
	put_share(table, has_b, b, !larger);
	term_cell(table, TERM_DIM, kind);
	term_cell(table, TERM_PLAIN, name);
	term_cell(table, TERM_PLAIN, cmd_text(c, row, SV("value")));
}

static bool put_properties(struct cmd *c, struct json root)
{
	static const struct term_column columns[] = {
		{ .title = "OF A", .align = TERM_RIGHT },
		{ .title = "OF B", .align = TERM_RIGHT },
		{ .title = "WHAT" },
		{ .title = "NAME", .max = VALUE_MAX },
		{ .title = "VALUE", .max = VALUE_MAX },
	};
	double a = cmd_number(json_get(root, SV("a")), SV("traces"));
	double b = cmd_number(json_get(root, SV("b")), SV("traces"));
	struct json rows = json_get(root, SV("properties")), it;
	struct term_table *table;

	buf_char(&c->program.out, '\n');
	if (a < 1 || b < 1) {
		buf_text(&c->program.out, "Nothing to compare: ");
		buf_text(&c->program.out, a >= 1 ? "B selects" :
					  b >= 1 ? "A selects" :
						   "A and B select");
		buf_text(&c->program.out, " no request in this time; --since "
					  "shows earlier ones.\n");
		return true;
	}
	if (!json_first(rows).doc) {
		buf_text(&c->program.out,
			 "Nothing that is known of them tells A from B by more "
			 "than chance.\n");
		return true;
	}
	table = term_table_new(columns, 5);
	if (!table)
		return false;
	for (it = json_first(rows); it.doc; it = json_next(rows, it))
		put_property(c, table, it, a, b);
	return print(c, table, "What differs");
}

static bool put_times(struct cmd *c, struct json root)
{
	static const struct term_column columns[] = {
		{ .title = "A", .align = TERM_RIGHT },
		{ .title = "B", .align = TERM_RIGHT },
		{ .title = "DIFFERENCE", .align = TERM_RIGHT },
		{ .title = "NAME", .max = VALUE_MAX },
	};
	struct json rows = json_get(root, SV("critical_path")), it;
	struct term_table *table;

	if (!json_first(rows).doc)
		return true;
	table = term_table_new(columns, 4);
	if (!table)
		return false;
	for (it = json_first(rows); it.doc; it = json_next(rows, it)) {
		double a = cmd_number(it, SV("a")), b = cmd_number(it, SV("b"));
		struct buf text = BUF_INIT;

		put_seconds(table, TERM_PLAIN, a);
		put_seconds(table, TERM_PLAIN, b);
		buf_char(&text, a > b ? '+' : a < b ? '-' : ' ');
		term_seconds(&text, fabs(a - b));
		term_cell(table, TERM_BOLD, buf_view(&text));
		buf_fini(&text);
		term_cell(table, TERM_PLAIN, cmd_text(c, it, SV("name")));
	}
	buf_char(&c->program.out, '\n');
	return print(c, table, "Critical path, mean of a request");
}

int cmd_compare(struct cmd *c)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct json root = { 0 };
	struct diag diag;
	int e;

	buf_text(&path, "/api/v1/compare");
	cmd_query_range(c, &path);
	client_query(&path, "a", c->filter);
	client_query(&path, "b", c->other);
	client_query_number(&path, "limit",
			    c->limit_given ? c->limit : ROWS_DEFAULT);
	e = path.failed ?
		    diag_set(&diag, ERR_LIMIT, "the question is too long") :
		    cmd_get(c, path.ptr, &root, &diag);
	buf_fini(&path);
	if (e)
		return program_fail(&c->program, &diag);
	if (c->program.json)
		return PROGRAM_OK;
	if (!put_sides(c, root) || !put_properties(c, root) ||
	    !put_times(c, root))
		buf_text(&c->program.out,
			 "(not all can be shown; --json has all)\n");
	return PROGRAM_OK;
}
