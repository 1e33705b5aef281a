/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statement: the bill of an account for one calendar month (UTC), made from
 * the ledger's quantities and a price book; asked again it is the same to the
 * last digit. A line is a usage type, region and architecture (and period,
 * where prices change within the month). The free allowance, which an account
 * has once over all regions and architectures, is taken off first, in the
 * order of the lines (region, then x86_64 before arm64); then tiers; then the
 * exact amount. Only what is shown is rounded.
 *
 * What the book has no price for is listed with its quantity, has no cost, is
 * not in the total, and is named in the notes: never guessed.
 */
#ifndef TALLY_BILLING_STATEMENT_H
#define TALLY_BILLING_STATEMENT_H

#include "billing/ledger.h"
#include "billing/money.h"
#include "billing/pricebook.h"
#include "billing/rate.h"
#include "core/base/arena.h"
#include "core/codec/json_write.h"

enum { STATEMENT_NOTES_MAX = 32, STATEMENT_SHOWN_DECIMALS = 2 };

struct month {
	int year;       /* 1970 to 2261 */
	unsigned month; /* 1 to 12 */
};

/* "2026-11". False: not a month. */
bool month_parse(struct month *out, struct sv text) MUST_USE;
struct month month_of(struct wall t); /* in UTC */
int64_t month_start_ns(struct month m);
int64_t month_end_ns(struct month m); /* exclusive */

struct statement_line {
	enum usage_type type;
	enum architecture architecture;
	const char *region;
	struct rated rated;
	bool priced;
};

struct statement_function { /* over regions and architectures */
	struct sv name;
	uint64_t requests;
	int128 billed_ms;
	int128 mb_ms;
	struct money cost; /* its share of list_total: the shares sum to it */
};

struct statement {
	struct month month;
	uint64_t account;
	struct sv price_book; /* file and version of each book used */
	const struct statement_line *lines;
	size_t line_count;
	const struct statement_function *functions; /* dearest first */
	size_t function_count;
	struct money total;      /* to pay */
	struct money list_total; /* had there been no free allowance */
	bool provisional;        /* the month is not over */
	struct sv notes[STATEMENT_NOTES_MAX];
	size_t note_count;
};

/* All of it is in the arena (region names too). now decides `provisional`
 * only. ERR_NOMEM, ERR_IO, ERR_OVERFLOW. */
int statement_make(struct statement *out, struct arena *arena,
		   struct ledger *ledger, const struct price_set *prices,
		   uint64_t account, struct month month,
		   struct wall now) MUST_USE;
/* "A statement" of docs/api.md: one object. */
void statement_json(struct json_writer *w, const struct statement *s);

/* One usage record with its cost at list price and the inputs of that: the
 * object under "usage" in docs/api.md. Without a price, cost is null. */
void usage_json(struct json_writer *w, const struct scope *scope,
		const struct usage *usage, const struct price_set *prices);

#endif
