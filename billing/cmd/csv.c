/* SPDX-License-Identifier: Apache-2.0 */
/* The same as print.c for spreadsheets: one row for what has one cost, exact
 * and without groups of digits. */
#include "billing/cmd/bill.h"
#include "core/codec/csv_write.h"

struct column {
	const char *title;
	const char *key;
	enum { OF_ALL, OF_ROW } of; /* the same in each row, or the row's own */
	bool number;
};

static bool put_rows(const struct page *p, const struct column *columns,
		     size_t count, struct json all, struct json rows,
		     struct json only)
{
	struct csv_writer w = csv_writer(p->out);
	struct json row = only.doc ? only : json_first(rows);
	const struct json none = { 0 };

	for (size_t i = 0; i < count; i++)
		csv_put_text(&w, columns[i].title);
	csv_end_row(&w);
	for (; row.doc; row = only.doc ? none : json_next(rows, row)) {
		for (size_t i = 0; i < count; i++) {
			struct sv cell = member_text(
				p, columns[i].of == OF_ALL ? all : row,
				columns[i].key);

			if (columns[i].number)
				csv_put_number(&w, cell);
			else
				csv_put_sv(&w, cell);
		}
		csv_end_row(&w);
	}
	return !p->out->failed;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool csv_statement(const struct page *p, struct json statement)
{
	static const struct column columns[] = {
		{ "month", "month", OF_ALL, false },
		{ "account", "account", OF_ALL, false },
		{ "region", "region", OF_ROW, false },
		{ "architecture", "architecture", OF_ROW, false },
		{ "usage_type", "usage_type", OF_ROW, false },
		{ "quantity", "quantity", OF_ROW, true },
		{ "unit", "unit", OF_ROW, false },
		{ "free", "free", OF_ROW, true },
		{ "billable", "billable", OF_ROW, true },
		{ "cost_usd", "cost", OF_ROW, true },
	};

	return put_rows(p, columns, COUNT(columns), statement,
			json_get(statement, SV("lines")), (struct json){ 0 });
}

bool csv_function(const struct page *p, struct json statement,
		  struct json function)
{
	static const struct column columns[] = {
		{ "month", "month", OF_ALL, false },
		{ "account", "account", OF_ALL, false },
		{ "function", "name", OF_ROW, false },
		{ "requests", "requests", OF_ROW, true },
		{ "billed_ms", "billed_ms", OF_ROW, true },
		{ "gb_seconds", "gb_seconds", OF_ROW, true },
		{ "list_price_usd", "cost", OF_ROW, true },
	};

	return put_rows(p, columns, COUNT(columns), statement,
			json_get(statement, SV("functions")), function);
}

bool csv_request(const struct page *p, struct json usage)
{
	static const struct column columns[] = {
		{ "request", "id", OF_ALL, false },
		{ "function", "function", OF_ALL, false },
		{ "region", "region", OF_ALL, false },
		{ "architecture", "architecture", OF_ALL, false },
		{ "usage_type", "usage_type", OF_ROW, false },
		{ "quantity", "quantity", OF_ROW, true },
		{ "unit", "unit", OF_ROW, false },
		{ "rate_usd", "rate", OF_ROW, true },
		{ "cost_usd", "cost", OF_ROW, true },
	};

	return put_rows(p, columns, COUNT(columns), usage,
			json_get(json_get(usage, SV("cost")), SV("items")),
			(struct json){ 0 });
}
