/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/cmd/bill.h"

#include <stdio.h>

#include "billing/calendar.h"

struct sv member_text(const struct page *p, struct json object, const char *key)
{
	struct json v = json_get(object, sv_from(key));
	struct sv text = SV("");

	if (json_is(v, JSON_STRING))
		text = json_string(v, p->arena);
	else if (json_is(v, JSON_NUMBER))
		text = json_raw(v);
	return text.ptr ? text : SV("");
}

struct sv grouped(const struct page *p, struct sv decimal)
{
	struct sv rest = decimal;
	struct sv whole = sv_cut(&rest, '.');
	size_t minus = whole.len && whole.ptr[0] == '-';
	char *text = arena_alloc(p->arena, decimal.len * 2 + 1);
	size_t n = 0;

	if (!text)
		return decimal;
	for (size_t i = 0; i < whole.len; i++) {
		if (i > minus && (whole.len - i) % 3 == 0)
			text[n++] = ',';
		text[n++] = whole.ptr[i];
	}
	memcpy(text + n, decimal.ptr + whole.len, decimal.len - whole.len);
	return sv_make(text, n + decimal.len - whole.len);
}

static void put_line(const struct page *p, const char *name, struct sv text)
{
	buf_format(p->out, "%-10s  ", name);
	term_safe(p->out, text);
}

/* --- a statement ---------------------------------------------------------- */

enum { LINE_COLUMNS = 7 };

static void empty_cells(struct term_table *t, int count)
{
	while (count-- > 0)
		term_cell(t, TERM_PLAIN, SV(""));
}

/* Region and architecture stand over their lines: on the side they would make
 * the table wider than a terminal. */
static void section_row(const struct page *p, struct term_table *t,
			struct json line)
{
	struct buf b = BUF_INIT;

	buf_sv(&b, member_text(p, line, "region"));
	buf_text(&b, ", ");
	buf_sv(&b, member_text(p, line, "architecture"));
	term_cell(t, TERM_BOLD, buf_view(&b));
	empty_cells(t, LINE_COLUMNS - 1);
	buf_fini(&b);
}

static bool same_section(const struct page *p, struct json a, struct json b)
{
	return a.doc &&
	       sv_eq(member_text(p, a, "region"),
		     member_text(p, b, "region")) &&
	       sv_eq(member_text(p, a, "architecture"),
		     member_text(p, b, "architecture"));
}

/* What was charged at one tier; the line's own columns are empty from the
 * second on. */
static void tier_row(const struct page *p, struct term_table *t,
		     struct json line, struct json tier, bool first)
{
	struct sv cost = member_text(p, first ? line : tier, "cost");
	struct sv none = SV("");
	struct sv usage = first ? member_text(p, line, "usage_type") : none;

	term_cellf(t, TERM_PLAIN, "  %.*s", SV_ARG(usage));
	term_cell(t, TERM_PLAIN,
		  first ? grouped(p, member_text(p, line, "quantity")) : none);
	term_cell(t, TERM_PLAIN,
		  first ? grouped(p, member_text(p, line, "free")) : none);
	term_cell(t, TERM_PLAIN,
		  grouped(p, tier.doc ? member_text(p, tier, "quantity") :
					member_text(p, line, "billable")));
	term_cell(t, TERM_PLAIN,
		  tier.doc ? member_text(p, tier, "rate") : SV("no price"));
	term_cell(t, TERM_BOLD,
		  first ? grouped(p, member_text(p, line, "shown")) : none);
	term_cell(t, TERM_DIM, grouped(p, cost));
}

static bool print_lines(const struct page *p, struct json statement)
{
	static const struct term_column columns[LINE_COLUMNS] = {
		{ "USAGE", TERM_LEFT, 0, false },
		{ "QUANTITY", TERM_RIGHT, 0, false },
		{ "FREE", TERM_RIGHT, 0, false },
		{ "BILLABLE", TERM_RIGHT, 0, false },
		{ "PRICE", TERM_RIGHT, 0, false },
		{ "USD", TERM_RIGHT, 0, false },
		{ "EXACT", TERM_LEFT, 0, false },
	};
	struct term_table *t = term_table_new(columns, LINE_COLUMNS);
	struct json lines = json_get(statement, SV("lines"));
	struct json before = { 0 };
	bool ok;

	if (!t)
		return false;
	for (struct json l = json_first(lines); l.doc;
	     l = json_next(lines, l)) {
		struct json tiers = json_get(l, SV("tiers"));
		struct json tier = json_first(tiers);

		if (!same_section(p, before, l))
			section_row(p, t, l);
		before = l;
		tier_row(p, t, l, tier, true);
		while (tier.doc && (tier = json_next(tiers, tier)).doc)
			tier_row(p, t, l, tier, false);
	}
	ok = term_table_print(p->term, t, p->out);
	term_table_free(t);
	return ok;
}

static void function_row(const struct page *p, struct term_table *t,
			 struct json f)
{
	struct sv cost = member_text(p, f, "cost");
	struct buf money = BUF_INIT;

	term_money(&money, cost);
	term_cell(t, TERM_PLAIN, member_text(p, f, "name"));
	term_cell(t, TERM_PLAIN, grouped(p, member_text(p, f, "requests")));
	term_cell(t, TERM_PLAIN, grouped(p, member_text(p, f, "billed_ms")));
	term_cell(t, TERM_PLAIN, grouped(p, member_text(p, f, "gb_seconds")));
	term_cell(t, TERM_BOLD, buf_view(&money));
	term_cell(t, TERM_DIM, grouped(p, cost));
	buf_fini(&money);
}

/* All of them, or `only` where that is one. */
static bool functions_table(const struct page *p, struct json functions,
			    struct json only)
{
	static const struct term_column columns[] = {
		{ "FUNCTION", TERM_LEFT, 0, true },
		{ "REQUESTS", TERM_RIGHT, 0, false },
		{ "BILLED ms", TERM_RIGHT, 0, false },
		{ "GB-SECONDS", TERM_RIGHT, 0, false },
		{ "LIST PRICE", TERM_RIGHT, 0, false },
		{ "EXACT", TERM_LEFT, 0, false },
	};
	struct term_table *t =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct json f = json_first(functions);
	bool ok;

	if (!t)
		return false;
	if (only.doc)
		function_row(p, t, only);
	for (; !only.doc && f.doc; f = json_next(functions, f))
		function_row(p, t, f);
	ok = term_table_print(p->term, t, p->out);
	term_table_free(t);
	return ok;
}

static void heading(const struct page *p, struct json statement)
{
	struct sv books;

	buf_text(p->out, term_style(p->term, TERM_BOLD));
	buf_text(p->out, "Statement ");
	term_safe(p->out, member_text(p, statement, "month"));
	buf_text(p->out, " of account ");
	term_safe(p->out, member_text(p, statement, "account"));
	buf_text(p->out, term_style(p->term, TERM_PLAIN));
	if (json_is(json_get(statement, SV("provisional")), JSON_TRUE))
		buf_text(p->out, " (provisional: the month is not over)");
	books = member_text(p, statement, "price_book");
	if (books.len) {
		buf_text(p->out, "\nPrices: ");
		term_safe(p->out, books);
	}
	buf_text(p->out, "\n\n");
}

static void notes(const struct page *p, struct json statement)
{
	struct json list = json_get(statement, SV("notes"));

	for (struct json n = json_first(list); n.doc; n = json_next(list, n)) {
		struct sv text = json_string(n, p->arena);

		buf_text(p->out, "Note: ");
		term_safe(p->out, text.ptr ? text : SV(""));
		buf_char(p->out, '\n');
	}
}

static void total(const struct page *p, const char *name, struct sv shown,
		  struct sv exact)
{
	buf_format(p->out, "%-24s ", name);
	buf_text(p->out, term_style(p->term, TERM_BOLD));
	buf_text(p->out, "USD ");
	term_safe(p->out, grouped(p, shown));
	buf_text(p->out, term_style(p->term, TERM_PLAIN));
	buf_text(p->out, "  exactly ");
	term_safe(p->out, grouped(p, exact));
	buf_char(p->out, '\n');
}

bool print_statement(const struct page *p, struct json s)
{
	struct json functions = json_get(s, SV("functions"));
	struct sv list = member_text(p, s, "list_total");
	struct buf money = BUF_INIT;
	bool ok = true;

	heading(p, s);
	if (!json_first(json_get(s, SV("lines"))).doc) {
		buf_text(p->out, "No usage in this month.\n");
	} else {
		ok = print_lines(p, s);
		buf_char(p->out, '\n');
		ok = functions_table(p, functions, (struct json){ 0 }) && ok;
		buf_char(p->out, '\n');
	}
	term_money(&money, list);
	total(p, "Before the free tier",
	      sv_starts(buf_view(&money), SV("$")) ?
		      sv_make(money.ptr + 1, money.len - 1) :
		      buf_view(&money),
	      list);
	total(p, "Total to pay", member_text(p, s, "total_shown"),
	      member_text(p, s, "total"));
	notes(p, s);
	buf_fini(&money);
	return ok && !p->out->failed;
}

struct json find_function(const struct page *p, struct json statement,
			  const char *name)
{
	struct json functions = json_get(statement, SV("functions"));
	struct json f = json_first(functions);

	while (f.doc && !sv_eq(member_text(p, f, "name"), sv_from(name)))
		f = json_next(functions, f);
	return f;
}

bool print_function(const struct page *p, struct json statement,
		    struct json function)
{
	bool ok;

	heading(p, statement);
	ok = functions_table(p, json_get(statement, SV("functions")), function);
	buf_text(p->out, "\nList price: the function's share before the free "
			 "tier.\n");
	notes(p, statement);
	return ok && !p->out->failed;
}

/* --- a request -------------------------------------------------------------- */

static void put_time(const struct page *p, struct json usage)
{
	struct json v = json_get(usage, SV("time"));
	struct date d;
	int64_t ns;
	int64_t ms;

	if (!json_to_ns(v, &ns) || ns < 0)
		return;
	d = calendar_date(ns / NS_PER_DAY);
	ms = ns % NS_PER_DAY / 1000000;
	buf_format(p->out, "time        %04d-%02u-%02uT%02d:%02d:%02d.%03dZ\n",
		   d.year, d.month, d.day, (int)(ms / 3600000),
		   (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
		   (int)(ms % 1000));
}

static void request_facts(const struct page *p, struct json u)
{
	put_line(p, "request", member_text(p, u, "id"));
	buf_char(p->out, '\n');
	put_line(p, "function", member_text(p, u, "function"));
	buf_text(p->out, " (");
	term_safe(p->out, member_text(p, u, "region"));
	buf_text(p->out, ", ");
	term_safe(p->out, member_text(p, u, "architecture"));
	buf_text(p->out, ")\n");
	put_time(p, u);
	put_line(p, "status", member_text(p, u, "status"));
	buf_char(p->out, '\n');
	put_line(p, "duration", member_text(p, u, "duration_ms"));
	buf_text(p->out, " ms, initialization ");
	term_safe(p->out, member_text(p, u, "init_ms"));
	buf_text(p->out, " ms, billed ");
	term_safe(p->out, grouped(p, member_text(p, u, "billed_ms")));
	buf_text(p->out, " ms\n");
	put_line(p, "memory", member_text(p, u, "memory_mb"));
	buf_text(p->out, " MB configured, at most ");
	term_safe(p->out, member_text(p, u, "max_memory_mb"));
	buf_text(p->out, " MB used\n\n");
}

static bool cost_table(const struct page *p, struct json cost)
{
	static const struct term_column columns[] = {
		{ "USAGE", TERM_LEFT, 0, false },
		{ "QUANTITY", TERM_RIGHT, 0, false },
		{ "UNIT", TERM_LEFT, 0, false },
		{ "PRICE", TERM_RIGHT, 0, false },
		{ "USD, EXACT", TERM_LEFT, 0, false },
	};
	struct term_table *t =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct json items = json_get(cost, SV("items"));
	bool ok;

	if (!t)
		return false;
	for (struct json i = json_first(items); i.doc;
	     i = json_next(items, i)) {
		term_cell(t, TERM_PLAIN, member_text(p, i, "usage_type"));
		term_cell(t, TERM_PLAIN,
			  grouped(p, member_text(p, i, "quantity")));
		term_cell(t, TERM_PLAIN, member_text(p, i, "unit"));
		term_cell(t, TERM_PLAIN, member_text(p, i, "rate"));
		term_cell(t, TERM_PLAIN, member_text(p, i, "cost"));
	}
	term_cell(t, TERM_BOLD, SV("cost"));
	for (int i = 0; i < 3; i++)
		term_cell(t, TERM_PLAIN, SV(""));
	term_cell(t, TERM_BOLD, member_text(p, cost, "total"));
	ok = term_table_print(p->term, t, p->out);
	term_table_free(t);
	return ok;
}

bool print_request(const struct page *p, struct json usage)
{
	struct json cost = json_get(usage, SV("cost"));
	bool ok = true;

	request_facts(p, usage);
	if (json_is(cost, JSON_OBJECT)) {
		ok = cost_table(p, cost);
		buf_text(p->out, "\nAt ");
		term_safe(p->out, member_text(p, cost, "note"));
		buf_text(p->out, ".\n");
	} else {
		buf_text(p->out, "No price in the book for this region and "
				 "time.\n");
	}
	return ok && !p->out->failed;
}
