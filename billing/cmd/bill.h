/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tally-bill prints. The collector's answer is read with the strict tape
 * (core/codec/json.h), which keeps numbers as text: amounts and quantities go
 * from the API to the terminal as the decimal strings they are.
 */
#ifndef TALLY_BILLING_CMD_BILL_H
#define TALLY_BILLING_CMD_BILL_H

#include "core/base/arena.h"
#include "core/codec/json.h"
#include "core/term/term.h"

struct page {
	const struct term *term;
	struct arena *arena;
	struct buf *out;
};

/* The whole statement. False: memory ended. */
bool print_statement(const struct page *p, struct json statement) MUST_USE;
/* The function's part of the statement. */
bool print_function(const struct page *p, struct json statement,
		    struct json function) MUST_USE;
/* A function of the statement by its name; doc NULL: none. */
struct json find_function(const struct page *p, struct json statement,
			  const char *name);
/* One usage record with its cost and the inputs of that. */
bool print_request(const struct page *p, struct json usage) MUST_USE;

/* As CSV: a row for each usage type, for that function, for each item. */
bool csv_statement(const struct page *p, struct json statement) MUST_USE;
bool csv_function(const struct page *p, struct json statement,
		  struct json function) MUST_USE;
bool csv_request(const struct page *p, struct json usage) MUST_USE;

/* A member's text: a string unescaped, a number as it is, "" otherwise. */
struct sv member_text(const struct page *p, struct json object,
		      const char *key);
/* "1,234,567.89" of a decimal text. */
struct sv grouped(const struct page *p, struct sv decimal);

#endif
