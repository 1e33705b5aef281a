/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/statement.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "billing/calendar.h"
#include "core/base/intern.h"

bool month_parse(struct month *out, struct sv text)
{
	char day[16];
	struct date d;

	if (text.len != 7)
		return false;
	memcpy(day, text.ptr, 7);
	memcpy(day + 7, "-01", 3);
	if (!calendar_parse(&d, sv_make(day, 10)))
		return false;
	*out = (struct month){ d.year, d.month };
	return true;
}

struct month month_of(struct wall t)
{
	struct date d = calendar_date(t.ns < 0 ? 0 : t.ns / NS_PER_DAY);

	return (struct month){ d.year, d.month };
}

int64_t month_start_ns(struct month m)
{
	return calendar_days(m.year, m.month, 1) * NS_PER_DAY;
}

int64_t month_end_ns(struct month m)
{
	return calendar_days(m.year, m.month + 1, 1) * NS_PER_DAY;
}

/* --- making --------------------------------------------------------------- */

enum { BOOKS_MAX = 16 };

struct maker {
	struct statement *s;
	struct arena *arena;
	struct ledger *ledger;
	const struct price_set *prices;
	uint64_t account;
	struct statement_line *lines;
	size_t line_cap;
	struct intern *names; /* of functions: their place in the list */
	struct statement_function *functions;
	size_t function_cap;
	const struct price_file *books[BOOKS_MAX];
	size_t book_count;
};

static void note(struct maker *m, const char *format, ...) PRINTF(2, 3);
static void note(struct maker *m, const char *format, ...)
{
	char text[240];
	struct sv copy;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (len >= (int)sizeof(text))
		len = (int)sizeof(text) - 1;
	for (size_t i = 0; i < m->s->note_count; i++)
		if (sv_eq(m->s->notes[i], sv_make(text, (size_t)len)))
			return;
	if (m->s->note_count == STATEMENT_NOTES_MAX) {
		m->s->notes[STATEMENT_NOTES_MAX - 1] =
			SV("there are more notes than fit");
		return;
	}
	copy = arena_copy(m->arena, sv_make(text, (size_t)len));
	if (copy.ptr)
		m->s->notes[m->s->note_count++] = copy;
}

static void use_book(struct maker *m, const struct price_file *f)
{
	for (size_t i = 0; i < m->book_count; i++)
		if (m->books[i] == f)
			return;
	if (m->book_count < BOOKS_MAX)
		m->books[m->book_count++] = f;
}

/* Twice the room in the arena where `count` items fill it. */
static void *grown(struct arena *arena, void *items, size_t count, size_t *cap,
		   size_t size)
{
	void *more;

	if (count < *cap)
		return items;
	more = arena_array(arena, *cap ? *cap * 2 : 16, size);
	if (more) {
		if (count)
			memcpy(more, items, count * size);
		*cap = *cap ? *cap * 2 : 16;
	}
	return more;
}

static struct statement_function *function_of(struct maker *m, struct sv name)
{
	uint32_t id;

	if (intern_id(m->names, name, &id))
		return NULL;
	if (id < m->s->function_count)
		return &m->functions[id];
	assert(id == m->s->function_count);
	m->functions = grown(m->arena, m->functions, m->s->function_count,
			     &m->function_cap, sizeof(*m->functions));
	if (!m->functions)
		return NULL;
	m->functions[id].name = name;
	m->s->function_count++;
	return &m->functions[id];
}

/* What a stretch of the month in one region used, for one architecture. */
struct usage_sums {
	int128 quantity[USAGE_TYPE_COUNT];
};

static int128 row_quantity(const struct ledger_total *row, enum usage_type t)
{
	return t == USAGE_REQUEST ? (int128)row->requests : row->mb_ms;
}

/* Hands the list cost of a line out to the functions, in proportion to what
 * they used: floor(cost * used so far / all) minus what was handed out, so
 * that the shares sum to the cost exactly, and each is within 10^-18 USD of
 * its proportion (and is it, where one tier holds all). */
static int share(struct maker *m, const struct ledger_totals *totals,
		 enum architecture arch, enum usage_type type,
		 struct money cost, int128 all)
{
	struct money given = MONEY_ZERO;
	int128 used = 0;

	for (size_t i = 0; i < totals->count; i++) {
		const struct ledger_total *row = &totals->rows[i];
		struct statement_function *f;
		struct money until;
		struct money part;
		int e;

		if (row->architecture != arch)
			continue;
		f = function_of(m, row->resource);
		if (!f)
			return ERR_NOMEM;
		used += row_quantity(row, type);
		until = money_part(cost, used, all);
		e = money_sub(&part, until, given);
		if (!e)
			e = money_add(&f->cost, f->cost, part);
		if (e)
			return e;
		given = until;
	}
	return 0;
}

/* One line, its share of the allowance, and the functions' shares. tiers_at:
 * how full the tiers of this price are by earlier lines of the month; list_at:
 * how full they would be without the allowance. */
static int add_line(struct maker *m, const struct ledger_totals *totals,
		    const char *region, const struct price_period *period,
		    enum architecture arch, enum usage_type type,
		    int128 quantity, struct allowance *left, int128 *tiers_at,
		    int128 *list_at)
{
	static const struct price none;
	const struct price *price = period ? &period->price[type][arch] : &none;
	int128 covered = left->present ? left->quantity[type] : 0;
	struct statement_line *line;
	struct rated list;
	int e;

	m->lines = grown(m->arena, m->lines, m->s->line_count, &m->line_cap,
			 sizeof(*m->lines));
	if (!m->lines)
		return ERR_NOMEM;
	line = &m->lines[m->s->line_count++];
	*line = (struct statement_line){ type,
					 arch,
					 region,
					 { .quantity = quantity,
					   .billable = quantity },
					 false };
	e = rate_quantity(&list, price, quantity, 0, TIERS_PAID_ONLY, *list_at);
	if (e == ERR_NOT_FOUND) {
		note(m,
		     "no price in the book for %s of %s in %s, or not for so "
		     "much: listed without a cost, not in the total",
		     usage_type_name(type), architecture_name(arch), region);
		return 0;
	}
	if (covered > quantity)
		covered = quantity;
	if (!e)
		e = rate_quantity(&line->rated, price, quantity, covered,
				  left->position, *tiers_at);
	if (e)
		return e; /* less than the list's quantity: it has a price */
	line->priced = true;
	left->quantity[type] -= covered;
	*list_at += quantity;
	*tiers_at += line->rated.billable +
		     (left->position == TIERS_WITH_FREE ? covered : 0);
	e = money_add(&m->s->total, m->s->total, line->rated.cost);
	if (!e)
		e = money_add(&m->s->list_total, m->s->list_total, list.cost);
	return e ? e : share(m, totals, arch, type, list.cost, quantity);
}

static int count_functions(struct maker *m, const struct ledger_totals *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct ledger_total *row = &t->rows[i];
		struct statement_function *f = function_of(m, row->resource);

		if (!f)
			return ERR_NOMEM;
		f->requests += row->requests;
		if (!int128_add(&f->billed_ms, f->billed_ms, row->billed_ms) ||
		    !int128_add(&f->mb_ms, f->mb_ms, row->mb_ms))
			return ERR_OVERFLOW;
	}
	return 0;
}

struct fill { /* of the tiers, by what came before in the month */
	int128 paid[USAGE_TYPE_COUNT][ARCH_COUNT];
	int128 list[USAGE_TYPE_COUNT][ARCH_COUNT];
};

/* One region, from start to end, within which no price changes. */
static int add_stretch(struct maker *m, const struct scope *scope,
		       int64_t start_ns, int64_t end_ns, struct allowance *left,
		       struct fill *fill)
{
	const struct price_file *file = NULL;
	const struct price_period *period =
		price_set_find(m->prices, scope->region, start_ns, &file);
	struct ledger_totals totals;
	int e = ledger_totals(m->ledger, scope, start_ns, end_ns, m->arena,
			      &totals);

	if (e || totals.count == 0)
		return e;
	if (file)
		use_book(m, file);
	e = count_functions(m, &totals);
	for (int a = 0; !e && a < ARCH_COUNT; a++) {
		struct usage_sums sums = { { 0 } };

		for (size_t i = 0; i < totals.count; i++) {
			const struct ledger_total *row = &totals.rows[i];

			for (int t = 0; t < USAGE_TYPE_COUNT; t++)
				if ((int)row->architecture == a &&
				    !int128_add(
					    &sums.quantity[t], sums.quantity[t],
					    row_quantity(row,
							 (enum usage_type)t)))
					return ERR_OVERFLOW;
		}
		for (int t = 0; !e && t < USAGE_TYPE_COUNT; t++)
			if (sums.quantity[t] > 0)
				e = add_line(m, &totals, scope->region, period,
					     (enum architecture)a,
					     (enum usage_type)t,
					     sums.quantity[t], left,
					     &fill->paid[t][a],
					     &fill->list[t][a]);
	}
	return e;
}

static int add_region(struct maker *m, const struct scope *scope,
		      struct allowance *left)
{
	int64_t at = month_start_ns(m->s->month);
	int64_t end = month_end_ns(m->s->month);
	struct fill fill = { { { 0 } }, { { 0 } } };
	int e = 0;

	while (!e && at < end) {
		int64_t next =
			price_set_next_change(m->prices, scope->region, at);

		if (next > end)
			next = end;
		e = add_stretch(m, scope, at, next, left, &fill);
		at = next;
	}
	return e;
}

static int dearest_first(const void *a, const void *b)
{
	const struct statement_function *x = a;
	const struct statement_function *y = b;

	if (x->cost.units != y->cost.units)
		return x->cost.units < y->cost.units ? 1 : -1;
	return sv_cmp(x->name, y->name);
}

static int name_books(struct maker *m)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < m->book_count; i++)
		buf_format(&b, "%s%s %s", i ? ", " : "", m->books[i]->name,
			   m->books[i]->version);
	m->s->price_book = b.failed ? (struct sv){ NULL, 0 } :
				      arena_copy(m->arena, buf_view(&b));
	buf_fini(&b);
	return m->s->price_book.ptr ? 0 : ERR_NOMEM;
}

int statement_make(struct statement *out, struct arena *arena,
		   struct ledger *ledger, const struct price_set *prices,
		   uint64_t account, struct month month, struct wall now)
{
	struct maker m = { .s = out,
			   .arena = arena,
			   .ledger = ledger,
			   .prices = prices,
			   .account = account };
	const struct price_file *file = NULL;
	const struct price_period *free_tier;
	struct allowance left = { 0 };
	struct scope *scopes;
	size_t count = 0;
	int e;

	*out = (struct statement){ .month = month,
				   .account = account,
				   .provisional = now.ns <
						  month_end_ns(month) };
	/* The allowance is of the whole month, by what holds at its start. */
	free_tier = price_set_find(prices, "*", month_start_ns(month), &file);
	if (free_tier) {
		left = free_tier->allowance;
		use_book(&m, file);
	}
	e = intern_new(&m.names, 0, 0);
	if (!e)
		e = ledger_scopes(ledger, account, arena, &scopes, &count);
	for (size_t i = 0; !e && i < count; i++)
		e = add_region(&m, &scopes[i], &left);
	intern_free(m.names);
	if (!e)
		e = name_books(&m);
	if (e)
		return e;
	if (out->function_count)
		qsort(m.functions, out->function_count, sizeof(*m.functions),
		      dearest_first);
	out->lines = m.lines;
	out->functions = m.functions;
	return 0;
}
