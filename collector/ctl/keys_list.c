/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ctl/keys_list.h"

#include <inttypes.h>

#include "core/codec/json_write.h"

static void put_regions(struct buf *out, const struct key *k)
{
	if (!k->region_count)
		buf_char(out, '*');
	for (size_t i = 0; i < k->region_count; i++) {
		buf_text(out, i ? "," : "");
		buf_sv(out, k->regions[i]);
	}
}

static void print_rows(struct term_table *table, const struct keys_table *t,
		       int64_t now_s)
{
	for (size_t i = 0; i < keys_count(t); i++) {
		const struct key *k = keys_at(t, i);
		struct buf text = BUF_INIT;

		term_cell(table, TERM_BOLD, k->name);
		term_cell(table, TERM_PLAIN, k->id);
		term_cell(table,
			  k->role == KEY_ADMIN ? TERM_YELLOW : TERM_PLAIN,
			  sv_from(key_role_name(k->role)));
		term_cellf(table, TERM_PLAIN, "%012" PRIu64, k->account);
		put_regions(&text, k);
		term_cell(table, TERM_PLAIN, buf_view(&text));
		if (k->rate)
			term_cellf(table, TERM_PLAIN, "%" PRIu64 "/s", k->rate);
		else
			term_cell(table, TERM_PLAIN, SV("-"));
		buf_reset(&text);
		if (k->expires_s)
			term_time(&text, (double)k->expires_s, false);
		else
			buf_text(&text, "never");
		term_cell(table, key_expired(k, now_s) ? TERM_RED : TERM_PLAIN,
			  buf_view(&text));
		buf_fini(&text);
	}
}

static bool print_table(struct program *p, const struct keys_table *t)
{
	static const struct term_column columns[] = {
		{ .title = "NAME", .shrink = true },
		{ .title = "ID" },
		{ .title = "ROLE" },
		{ .title = "ACCOUNT" },
		{ .title = "REGIONS", .shrink = true },
		{ .title = "RATE", .align = TERM_RIGHT },
		{ .title = "EXPIRES", .shrink = true },
	};
	struct term_table *table =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	bool ok;

	if (!table)
		return false;
	print_rows(table, t, (int64_t)p->now);
	ok = term_table_print(&p->term, table, &p->out);
	term_table_free(table);
	return ok;
}

static void print_json(struct program *p, const struct keys_table *t)
{
	struct json_writer w = json_writer(&p->out);

	json_open_array(&w);
	for (size_t i = 0; i < keys_count(t); i++) {
		const struct key *k = keys_at(t, i);
		char account[24];

		snprintf(account, sizeof(account), "%012" PRIu64, k->account);
		json_open_object(&w);
		json_key(&w, "name");
		json_put_sv(&w, k->name);
		json_key(&w, "aws_access_key_id");
		json_put_sv(&w, k->id);
		json_key(&w, "role");
		json_put_text(&w, key_role_name(k->role));
		json_key(&w, "account");
		json_put_text(&w, account);
		json_key(&w, "regions");
		json_open_array(&w);
		for (size_t n = 0; n < k->region_count; n++)
			json_put_sv(&w, k->regions[n]);
		json_close_array(&w);
		json_key(&w, "rate");
		json_put_u64(&w, k->rate);
		json_key(&w, "expires");
		if (k->expires_s)
			json_put_i64(&w, k->expires_s);
		else
			json_put_null(&w);
		json_close_object(&w);
	}
	json_close_array(&w);
	buf_char(&p->out, '\n');
}

bool keys_list_print(struct program *p, const struct keys_table *t)
{
	if (p->json)
		print_json(p, t);
	else if (!keys_count(t))
		buf_text(&p->out,
			 "there is no key; `tally keys create` makes one\n");
	else
		return print_table(p, t);
	return true;
}
