/* SPDX-License-Identifier: Apache-2.0 */
/* The two JSON answers about money, in the shapes of docs/api.md. Amounts and
 * quantities are decimal strings, exact; what is rounded is called shown. */
#include "billing/meter.h"
#include "billing/statement.h"

#include <assert.h>

static void put_buf(struct json_writer *w, const char *key, struct buf *b)
{
	json_key(w, key);
	json_put_sv(w, buf_view(b));
	buf_reset(b);
}

static void put_money(struct json_writer *w, const char *key, struct money m)
{
	struct buf b = BUF_INIT;

	money_put(&b, m);
	put_buf(w, key, &b);
	buf_fini(&b);
}

static void put_shown(struct json_writer *w, const char *key, struct money m)
{
	struct buf b = BUF_INIT;

	money_put_rounded(&b, m, STATEMENT_SHOWN_DECIMALS);
	put_buf(w, key, &b);
	buf_fini(&b);
}

static void put_quantity(struct json_writer *w, const char *key,
			 enum usage_type type, int128 quantity)
{
	struct buf b = BUF_INIT;

	if (type == USAGE_GB_S)
		gb_s_put(&b, quantity);
	else
		int128_put(&b, quantity);
	put_buf(w, key, &b);
	buf_fini(&b);
}

static void put_rate(struct json_writer *w, struct rate rate)
{
	struct buf b = BUF_INIT;

	rate_put(&b, rate);
	put_buf(w, "rate", &b);
	buf_fini(&b);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	json_put_text(w, text);
}

static void put_line(struct json_writer *w, const struct statement_line *line)
{
	const struct rated *r = &line->rated;

	json_open_object(w);
	put_text(w, "usage_type", usage_type_name(line->type));
	put_text(w, "region", line->region);
	put_text(w, "architecture", architecture_name(line->architecture));
	put_quantity(w, "quantity", line->type, r->quantity);
	put_text(w, "unit", usage_type_unit(line->type));
	put_quantity(w, "free", line->type, r->free);
	put_quantity(w, "billable", line->type, r->billable);
	json_key(w, "tiers");
	json_open_array(w);
	for (size_t i = 0; i < r->tier_count; i++) {
		json_open_object(w);
		put_quantity(w, "quantity", line->type, r->tiers[i].quantity);
		put_rate(w, r->tiers[i].rate);
		put_money(w, "cost", r->tiers[i].cost);
		json_close_object(w);
	}
	json_close_array(w);
	if (line->priced) {
		put_money(w, "cost", r->cost);
		put_shown(w, "shown", r->cost);
	} else {
		json_key(w, "cost");
		json_put_null(w);
		json_key(w, "shown");
		json_put_null(w);
	}
	json_close_object(w);
}

static void put_function(struct json_writer *w,
			 const struct statement_function *f)
{
	struct buf b = BUF_INIT;

	json_open_object(w);
	json_key(w, "name");
	json_put_sv(w, f->name);
	json_key(w, "requests");
	json_put_u64(w, f->requests);
	put_quantity(w, "gb_seconds", USAGE_GB_S, f->mb_ms);
	int128_put(&b, f->billed_ms);
	json_key(w, "billed_ms");
	json_put_raw(w, buf_view(&b));
	put_money(w, "cost", f->cost);
	json_close_object(w);
	buf_fini(&b);
}

void statement_json(struct json_writer *w, const struct statement *s)
{
	char text[32];

	json_open_object(w);
	snprintf(text, sizeof(text), "%04d-%02u", s->month.year,
		 s->month.month);
	put_text(w, "month", text);
	snprintf(text, sizeof(text), "%012llu", (unsigned long long)s->account);
	put_text(w, "account", text);
	put_text(w, "currency", "USD");
	json_key(w, "price_book");
	json_put_sv(w, s->price_book);
	json_key(w, "lines");
	json_open_array(w);
	for (size_t i = 0; i < s->line_count; i++)
		put_line(w, &s->lines[i]);
	json_close_array(w);
	json_key(w, "functions");
	json_open_array(w);
	for (size_t i = 0; i < s->function_count; i++)
		put_function(w, &s->functions[i]);
	json_close_array(w);
	put_money(w, "total", s->total);
	put_shown(w, "total_shown", s->total);
	put_money(w, "list_total", s->list_total);
	json_key(w, "provisional");
	json_put_bool(w, s->provisional);
	json_key(w, "notes");
	json_open_array(w);
	for (size_t i = 0; i < s->note_count; i++)
		json_put_sv(w, s->notes[i]);
	json_close_array(w);
	json_close_object(w);
}

/* Microseconds as "12.345" milliseconds. */
static void put_us(struct json_writer *w, const char *key, uint64_t us)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu.%03u",
		 (unsigned long long)(us / 1000), (unsigned)(us % 1000));
	put_text(w, key, text);
}

static const char *status_name(enum run_status s)
{
	switch (s) {
	case RUN_OK:
		return "ok";
	case RUN_ERROR:
		return "error";
	case RUN_TIMEOUT:
		return "timeout";
	case RUN_OUT_OF_MEMORY:
		return "out_of_memory";
	}
	return "unknown";
}

static void put_item(struct json_writer *w, enum usage_type type,
		     int128 quantity, struct rate rate, struct money cost)
{
	json_open_object(w);
	put_text(w, "usage_type", usage_type_name(type));
	put_quantity(w, "quantity", type, quantity);
	put_text(w, "unit", usage_type_unit(type));
	put_rate(w, rate);
	put_text(w, "per", "1");
	put_money(w, "cost", cost);
	json_close_object(w);
}

/* What was billed is what the record says; where the rule of its time makes
 * something else of the measured run, that is said, not corrected. */
static void put_note(struct json_writer *w, const struct price_period *p,
		     const struct usage *u)
{
	uint64_t rule_ms = meter_billed_ms(p, u->duration_us, u->init_us);
	struct buf b = BUF_INIT;

	buf_text(&b, "list price, before the free tier");
	if (rule_ms != u->billed_ms)
		buf_format(&b,
			   "; billed time is as reported, the rule gives "
			   "%llu ms for this run",
			   (unsigned long long)rule_ms);
	put_buf(w, "note", &b);
	buf_fini(&b);
}

static void put_cost(struct json_writer *w, const struct scope *scope,
		     const struct usage *u, const struct price_set *prices)
{
	const struct price_period *p =
		price_set_find(prices, scope->region, u->time_ns, NULL);
	struct metered m = meter_usage(u);
	struct money total;

	json_key(w, "cost");
	if (rate_list(&total, prices, scope->region, u->time_ns,
		      u->architecture, m.quantity[USAGE_REQUEST],
		      m.quantity[USAGE_GB_S])) {
		json_put_null(w);
		return;
	}
	json_open_object(w);
	put_money(w, "total", total);
	put_text(w, "currency", "USD");
	json_key(w, "items");
	json_open_array(w);
	for (int t = 0; t < USAGE_TYPE_COUNT; t++) {
		struct rate rate = p->price[t][u->architecture].tiers[0].rate;
		struct money cost = MONEY_ZERO;
		int e = money_of(&cost, m.quantity[t], rate);

		assert(!e); /* rate_list has made the same product */
		put_item(w, (enum usage_type)t, m.quantity[t], rate, cost);
	}
	json_close_array(w);
	put_note(w, p, u);
	json_close_object(w);
}

void usage_json(struct json_writer *w, const struct scope *scope,
		const struct usage *u, const struct price_set *prices)
{
	json_open_object(w);
	json_key(w, "id");
	json_put_sv(w, u->id);
	json_key(w, "function");
	json_put_sv(w, u->resource);
	json_key(w, "time");
	json_put_seconds(w, u->time_ns);
	json_key(w, "memory_mb");
	json_put_u64(w, u->memory_mb);
	json_key(w, "max_memory_mb");
	json_put_u64(w, u->max_memory_mb);
	put_us(w, "duration_ms", u->duration_us);
	json_key(w, "billed_ms");
	json_put_u64(w, u->billed_ms);
	put_us(w, "init_ms", u->init_us);
	put_text(w, "architecture", architecture_name(u->architecture));
	put_text(w, "status", status_name(u->status));
	put_text(w, "region", scope->region);
	put_cost(w, scope, u, prices);
	json_close_object(w);
}
