/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally-trace list and search: the newest requests, or those that a filter
 * expression selects. With --follow the question is asked each second, for
 * what began FOLLOW_OVERLAP_S before the newest known: requests end, and come
 * in, in any order. A row is new when the answer before did not have it.
 */
#include <time.h>

#include "core/base/hash.h"
#include "tracer/cmd/cmd.h"

enum {
	FOLLOW_OVERLAP_S = 60,
	FOLLOW_LIMIT = 10000, /* the API's: in one answer, and to remember */
	TIME_WIDTH = 8,
	STATUS_WIDTH = 8,
	ROOT_WIDTH = 24,
};

/* --- once: a table --------------------------------------------------------------- */

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

static int print_rows(struct cmd *c, struct json root)
{
	struct json rows = json_get(root, SV("traces"));
	struct buf *out = &c->program.out;

	if (!json_first(rows).doc) {
		buf_text(out, c->filter ? "No such request in this time; "
					  "--since shows earlier ones.\n" :
					  "No requests in this time; --since "
					  "shows earlier ones.\n");
		return PROGRAM_OK;
	}
	if (!put_rows(c, rows))
		buf_text(out, "(not all can be shown; --json has all)\n");
	if (cmd_true(root, SV("truncated")))
		buf_text(out, "There are more; --limit shows them.\n");
	return PROGRAM_OK;
}

/* --- on and on: lines ------------------------------------------------------------ */

struct seen {
	uint64_t ids[FOLLOW_LIMIT]; /* hashes, sorted */
	size_t count;
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool has(const struct seen *s, uint64_t id)
{
	return s->count && bsearch(&id, s->ids, s->count, sizeof(id), by_value);
}

/* text, safe, in exactly width columns; to the right where that is said. */
static void put_column(struct buf *out, struct sv text, int width, bool right)
{
	for (int used = term_safe_width(text); right && used < width; used++)
		buf_char(out, ' ');
	for (int used = term_safe_cut(out, text, width); !right && used < width;
	     used++)
		buf_char(out, ' ');
	buf_char(out, ' ');
}

static void put_line(struct cmd *c, struct json row)
{
	struct buf *out = &c->program.out;
	struct sv status = cmd_text(c, row, SV("status"));
	struct sv id = json_string(json_first(json_get(row, SV("request_ids"))),
				   &c->arena);
	struct buf time = BUF_INIT;

	if (c->program.json) {
		program_json(&c->program, json_raw(row));
		return;
	}
	term_time(out, cmd_number(row, SV("start")), true);
	buf_char(out, ' ');
	term_seconds(&time, cmd_number(row, SV("duration")));
	put_column(out, buf_view(&time), TIME_WIDTH, true);
	buf_fini(&time);
	buf_text(out, term_style(&c->program.term, cmd_status_style(status)));
	put_column(out, status, STATUS_WIDTH, false);
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	put_column(out, cmd_text(c, row, SV("root")), ROOT_WIDTH, false);
	term_safe(out, cmd_text(c, row, SV("id")));
	if (id.len) {
		buf_char(out, ' ');
		term_safe(out, id);
	}
	buf_char(out, '\n');
}

/* Prints, oldest first, the rows that old has not; next then has all. *newest
 * moves on to the latest start. */
static void put_new(struct cmd *c, struct json rows, const struct seen *old,
		    struct seen *next, double *newest)
{
	struct json *fresh =
		arena_array(&c->arena, FOLLOW_LIMIT, sizeof(*fresh));
	size_t count = 0;
	struct json it;

	next->count = 0;
	for (it = json_first(rows); it.doc && next->count < FOLLOW_LIMIT;
	     it = json_next(rows, it)) {
		uint64_t id = hash64(cmd_text(c, it, SV("id")));
		double start = cmd_number(it, SV("start"));

		next->ids[next->count++] = id;
		if (fresh && !has(old, id))
			fresh[count++] = it;
		*newest = start > *newest ? start : *newest;
	}
	qsort(next->ids, next->count, sizeof(next->ids[0]), by_value);
	while (count > 0) /* the newest stands first */
		put_line(c, fresh[--count]);
}

/* --- asking ------------------------------------------------------------------------ */

/* root NULL: --json prints the answer whole. */
static int ask(struct cmd *c, int64_t limit, struct json *root,
	       struct diag *diag)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct json none;
	int e;

	buf_text(&path, "/api/v1/traces");
	cmd_query_range(c, &path);
	client_query(&path, "function", c->function);
	client_query(&path, "filter", c->filter);
	client_query_number(&path, "limit", limit);
	if (path.failed)
		e = diag_set(diag, ERR_LIMIT, "the question is too long");
	else if (root)
		e = tape_get(c->program.client, path.ptr, &c->arena, root,
			     diag);
	else
		e = cmd_get(c, path.ptr, &none, diag);
	buf_fini(&path);
	return e;
}

static int follow(struct cmd *c)
{
	struct seen *sets = calloc(2, sizeof(*sets));
	double newest = c->program.now;
	struct diag diag = { 0 };
	int turn = 0, e = 0;

	if (!sets)
		e = diag_set(&diag, ERR_NOMEM, "out of memory");
	if (c->since <= 0)
		c->since = c->program.now;
	while (sets && !e) {
		struct arena_mark mark = arena_mark(&c->arena);
		struct json root = { 0 };

		e = ask(c, FOLLOW_LIMIT, &root, &diag);
		if (e)
			break;
		put_new(c, json_get(root, SV("traces")), &sets[turn],
			&sets[1 - turn], &newest);
		turn = 1 - turn;
		arena_rollback(&c->arena, mark);
		if (!program_flush(&c->program))
			break;
		if (newest - FOLLOW_OVERLAP_S > c->since)
			c->since = newest - FOLLOW_OVERLAP_S;
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
		c->program.now = (double)time(NULL);
	}
	free(sets);
	return e ? program_fail(&c->program, &diag) : PROGRAM_FAILED;
}

int cmd_list(struct cmd *c)
{
	struct diag diag = { 0 };
	struct json root = { 0 };
	int e;

	if (c->follow)
		return follow(c);
	e = ask(c, c->limit, c->program.json ? NULL : &root, &diag);
	if (e)
		return program_fail(&c->program, &diag);
	return c->program.json ? PROGRAM_OK : print_rows(c, root);
}
