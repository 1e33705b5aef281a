/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Money: exact. An amount is a whole number of 1/(2^10 * 10^15) USD in 128
 * bits. Why that unit: a listed price is a decimal (at most RATE_DECIMALS of
 * them) per request, or per GB-second, and a GB-second is 1024 * 1000 MB-ms:
 * so every product of a whole quantity and a listed price is a whole number of
 * units, every sum is one, and every amount ends as a decimal (25 places at
 * most). Nothing is ever rounded before it is shown, and then by one function,
 * money_round_half_up. The range is +-1.6e20 USD; what leaves it is
 * ERR_OVERFLOW, never a wrapped number.
 *
 * No floating point here or anywhere below billing/, not even to print
 * (docs/decisions/money.md).
 */
#ifndef TALLY_BILLING_MONEY_H
#define TALLY_BILLING_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

/* ISO C has no 128-bit integer; both compilers do, and -Wpedantic wants the
 * extension named where it is used, which only a typedef can. */
__extension__ typedef __int128 int128;

enum {
	RATE_DECIMALS = 12,       /* of a listed price: whole pico-dollars */
	MB_MS_PER_GB_S = 1024000, /* a GB is 1024 MB in all of AWS's sums */
	MONEY_DECIMALS = 25,      /* most an exact amount can have */
	MONEY_ROUND_MAX = 15,     /* most decimals rounding is exact for */
	DECIMAL_TEXT_MAX = 80,    /* bytes of the longest text below, and NUL */
};

/* Units in a dollar: 2^10 * 10^15. */
#define MONEY_PER_USD ((int128)MB_MS_PER_GB_S * 1000000000000)

struct money {
	int128 units; /* one field, so that it cannot be added to a count */
};

/* A listed price: pico-dollars for `per` units of quantity. per is 1 (a
 * request) or MB_MS_PER_GB_S (MB-ms priced by the GB-second). */
struct rate {
	int64_t pico;
	uint32_t per;
};

#define MONEY_ZERO ((struct money){ 0 })

/* quantity * rate, exact. ERR_OVERFLOW; ERR_INVALID: per does not divide the
 * unit. *out is set on success only, here and below. */
int money_of(struct money *out, int128 quantity, struct rate rate) MUST_USE;
int money_add(struct money *out, struct money a, struct money b) MUST_USE;
int money_sub(struct money *out, struct money a, struct money b) MUST_USE;
/* floor(m * part / whole), whole > 0, 0 <= part <= whole, m >= 0: for shares.
 * The product is made in 256 bits. */
struct money money_part(struct money m, int128 part, int128 whole);

/* The one rounding: to `decimals` (0 to MONEY_ROUND_MAX) decimals, a half away
 * from zero (AWS and infracost show 135001.125 as .13). ERR_OVERFLOW. */
int money_round_half_up(struct money *out, struct money m,
			unsigned decimals) MUST_USE;

/* The exact decimal, without trailing zeros: "0.0000166667", "-1.5", "0". */
void money_put(struct buf *out, struct money m);
/* Rounded by money_round_half_up, always with `decimals` places: "2.73". An
 * amount at the edge of the range is put exactly instead. */
void money_put_rounded(struct buf *out, struct money m, unsigned decimals);

/* Whole text is digits with at most one point between digits and perhaps a
 * minus in front; *out = value * 10^decimals. ERR_SYNTAX: another form.
 * ERR_LIMIT: more decimals than that which are not 0. ERR_OVERFLOW. */
int decimal_parse(int128 *out, struct sv text, unsigned decimals) MUST_USE;
/* "0.0000166667" per unit (per 1) or per GB-s. ERR_INVALID: negative. */
int rate_parse(struct rate *out, struct sv text, uint32_t per) MUST_USE;
void rate_put(struct buf *out, struct rate rate);
void int128_put(struct buf *out, int128 v);
/* MB-ms as GB-s, exact (13 decimals at most), without trailing zeros. */
void gb_s_put(struct buf *out, int128 mb_ms);
/* Checked sum and product of quantities: false on overflow. */
bool int128_add(int128 *out, int128 a, int128 b) MUST_USE;
bool int128_mul(int128 *out, int128 a, int128 b) MUST_USE;

#endif
