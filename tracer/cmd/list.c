/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace list: the newest requests. */
#include "tracer/cmd/cmd.h"

static void put_row(struct cmd *c, struct term_table *table, struct json row)
{
	struct sv status = cmd_text(c, row, SV("status"));
	struct json ids = json_get(row, SV("request_ids"));
	struct json first = json_first(ids);
	struct buf text = BUF_INIT;
	struct sv id = json_string(first, &c->arena);

	term_time(&text, cmd_number(row, SV("start")), true);
	term_cell(table, TERM_DIM, buf_view(&text));
	buf_reset(&text);
	term_seconds(&text, cmd_number(row, SV("duration")));
	term_cell(table, TERM_PLAIN, buf_view(&text));
	buf_fini(&text);
	term_cell(table, cmd_status_style(status), status);
	term_cell(table, TERM_BOLD, cmd_text(c, row, SV("root")));
	term_cell(table, TERM_PLAIN, cmd_text(c, row, SV("id")));
	term_cell(table, TERM_PLAIN, id.ptr ? id : SV(""));
}

static bool put_rows(struct cmd *c, struct json rows)
{
	static const struct term_column columns[] = {
		{ .title = "START" },
		{ .title = "TIME", .align = TERM_RIGHT },
		{ .title = "STATUS" },
		{ .title = "ROOT", .max = 40 },
		{ .title = "TRACE ID" },
		{ .title = "REQUEST ID" },
	};
	struct term_table *table = term_table_new(columns, 6);
	struct json it;
	bool ok;

	if (!table)
		return false;
	for (it = json_first(rows); it.doc; it = json_next(rows, it))
		put_row(c, table, it);
	ok = term_table_print(&c->program.term, table, &c->program.out);
	term_table_free(table);
	return ok;
}

int cmd_list(struct cmd *c)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct json root = { 0 }, rows;
	struct diag diag;
	int e;

	buf_text(&path, "/api/v1/traces");
	cmd_query_range(c, &path);
	client_query(&path, "function", c->function);
	client_query_number(&path, "limit", c->limit);
	e = path.failed ? diag_set(&diag, ERR_LIMIT, "the name is too long") :
			  cmd_get(c, path.ptr, &root, &diag);
	buf_fini(&path);
	if (e)
		return program_fail(&c->program, &diag);
	if (c->program.json)
		return 0;
	rows = json_get(root, SV("traces"));
	if (!json_first(rows).doc) {
		buf_text(&c->program.out,
			 "No requests in this time; --since shows "
			 "earlier ones.\n");
		return 0;
	}
	if (!put_rows(c, rows))
		buf_text(&c->program.out,
			 "(not all can be shown; --json has all)\n");
	if (cmd_true(root, SV("truncated")))
		buf_text(&c->program.out,
			 "There are more; --limit shows them.\n");
	return 0;
}
