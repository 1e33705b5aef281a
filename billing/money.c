/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/money.h"

#include <assert.h>

__extension__ typedef unsigned __int128 uint128;

_Static_assert(MB_MS_PER_GB_S == 1024 * 1000, "GB is 1024 MB");

static const int128 int128_max = (int128)(~(uint128)0 >> 1);

bool int128_add(int128 *out, int128 a, int128 b)
{
	int128 sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

/* The builtin for a 128-bit product calls __muloti4 under clang, which libgcc
 * lacks; so the check is by division. */
bool int128_mul(int128 *out, int128 a, int128 b)
{
	uint128 x = a < 0 ? 0 - (uint128)a : (uint128)a;
	uint128 y = b < 0 ? 0 - (uint128)b : (uint128)b;
	bool minus = (a < 0) != (b < 0);

	if (x && y > (uint128)int128_max / x)
		return false; /* INT128_MIN as a product is refused too */
	*out = minus ? -(int128)(x * y) : (int128)(x * y);
	return true;
}

int money_of(struct money *out, int128 quantity, struct rate rate)
{
	int128 pico;
	int128 units;

	if (rate.per == 0 || MB_MS_PER_GB_S % rate.per != 0)
		return ERR_INVALID;
	if (!int128_mul(&pico, quantity, rate.pico) ||
	    !int128_mul(&units, pico, MB_MS_PER_GB_S / rate.per))
		return ERR_OVERFLOW;
	out->units = units;
	return 0;
}

int money_add(struct money *out, struct money a, struct money b)
{
	return int128_add(&out->units, a.units, b.units) ? 0 : ERR_OVERFLOW;
}

int money_sub(struct money *out, struct money a, struct money b)
{
	int128 units;

	if (__builtin_sub_overflow(a.units, b.units, &units))
		return ERR_OVERFLOW;
	out->units = units;
	return 0;
}

/* High and low half of a * b. */
static void wide_mul(uint128 a, uint128 b, uint128 *high, uint128 *low)
{
	uint64_t a1 = (uint64_t)(a >> 64);
	uint64_t a0 = (uint64_t)a;
	uint64_t b1 = (uint64_t)(b >> 64);
	uint64_t b0 = (uint64_t)b;
	uint128 p00 = (uint128)a0 * b0;
	uint128 p01 = (uint128)a0 * b1;
	uint128 p10 = (uint128)a1 * b0;
	uint128 mid = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10;

	*low = mid << 64 | (uint64_t)p00;
	*high = (uint128)a1 * b1 + (p01 >> 64) + (p10 >> 64) + (mid >> 64);
}

struct money money_part(struct money m, int128 part, int128 whole)
{
	uint128 rest;
	uint128 low;

	assert(m.units >= 0 && whole > 0);
	assert(part >= 0 && part <= whole);
	wide_mul((uint128)m.units, (uint128)part, &rest, &low);
	/* Long division bit by bit. rest < whole <= 2^127 before each shift,
	 * since the quotient is at most m; so the shift cannot lose a bit. */
	for (int i = 0; i < 128; i++) {
		rest = rest << 1 | low >> 127;
		low <<= 1;
		if (rest >= (uint128)whole) {
			rest -= (uint128)whole;
			low |= 1;
		}
	}
	assert((int128)low <= m.units);
	return (struct money){ (int128)low };
}

static int128 power_of_ten(unsigned n)
{
	int128 v = 1;

	assert(n <= 38);
	while (n--)
		v *= 10;
	return v;
}

int money_round_half_up(struct money *out, struct money m, unsigned decimals)
{
	int128 step;
	int128 rest;
	int128 away;

	assert(decimals <= MONEY_ROUND_MAX);
	step = MONEY_PER_USD / power_of_ten(decimals);
	rest = m.units % step; /* has the sign of m */
	if (rest == 0) {
		*out = m;
		return 0;
	}
	if (rest < 0)
		away = -rest >= step + rest ? -(step + rest) : -rest;
	else
		away = rest >= step - rest ? step - rest : -rest;
	return int128_add(&out->units, m.units, away) ? 0 : ERR_OVERFLOW;
}

static void uint128_put(struct buf *out, uint128 v)
{
	char digits[40];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + (int)(v % 10));
	while (v /= 10);
	buf_add(out, digits + i, sizeof(digits) - i);
}

void int128_put(struct buf *out, int128 v)
{
	if (v < 0)
		buf_char(out, '-');
	uint128_put(out, v < 0 ? 0 - (uint128)v : (uint128)v);
}

/* v / 10^decimals; at least `least` decimals are shown. */
static void decimal_put(struct buf *out, uint128 whole, uint128 part,
			unsigned decimals, unsigned least)
{
	char digits[40];
	unsigned shown = decimals;

	assert(decimals < sizeof(digits));
	for (unsigned i = decimals; i > 0; i--, part /= 10)
		digits[i - 1] = (char)('0' + (int)(part % 10));
	assert(part == 0);
	while (shown > least && digits[shown - 1] == '0')
		shown--;
	uint128_put(out, whole);
	if (shown) {
		buf_char(out, '.');
		buf_add(out, digits, shown);
	}
}

void money_put(struct buf *out, struct money m)
{
	uint128 v = m.units < 0 ? 0 - (uint128)m.units : (uint128)m.units;
	uint128 per = (uint128)MONEY_PER_USD;

	if (m.units < 0)
		buf_char(out, '-');
	/* rest / (2^10 * 10^15) = rest * 5^10 / 10^25; rest < 1.1e18. */
	decimal_put(out, v / per, v % per * 9765625, MONEY_DECIMALS, 0);
}

void money_put_rounded(struct buf *out, struct money m, unsigned decimals)
{
	struct money r;
	uint128 v;
	uint128 per = (uint128)MONEY_PER_USD;

	if (money_round_half_up(&r, m, decimals)) {
		money_put(out, m);
		return;
	}
	v = r.units < 0 ? 0 - (uint128)r.units : (uint128)r.units;
	if (r.units < 0)
		buf_char(out, '-');
	decimal_put(out, v / per,
		    v % per / (per / (uint128)power_of_ten(decimals)), decimals,
		    decimals);
}

int decimal_parse(int128 *out, struct sv text, unsigned decimals)
{
	bool minus = text.len && text.ptr[0] == '-';
	bool point = false;
	bool digit = false; /* the byte before was one */
	unsigned left = decimals;
	int128 v = 0;

	for (size_t i = minus; i < text.len; i++) {
		int d = text.ptr[i] - '0';

		if (text.ptr[i] == '.' && !point && digit) {
			point = true;
			digit = false;
			continue;
		}
		if (d < 0 || d > 9)
			return ERR_SYNTAX;
		digit = true;
		if (point && left == 0) {
			if (d != 0)
				return ERR_LIMIT;
			continue;
		}
		if (!int128_mul(&v, v, 10) || !int128_add(&v, v, d))
			return ERR_OVERFLOW;
		left -= point;
	}
	if (!digit)
		return ERR_SYNTAX;
	if (!int128_mul(&v, v, power_of_ten(left)))
		return ERR_OVERFLOW;
	*out = minus ? -v : v;
	return 0;
}

int rate_parse(struct rate *out, struct sv text, uint32_t per)
{
	int128 pico;
	int e = decimal_parse(&pico, text, RATE_DECIMALS);

	if (e)
		return e;
	if (pico < 0)
		return ERR_INVALID;
	if (pico > INT64_MAX)
		return ERR_OVERFLOW;
	*out = (struct rate){ (int64_t)pico, per };
	return 0;
}

void rate_put(struct buf *out, struct rate rate)
{
	uint128 per = (uint128)power_of_ten(RATE_DECIMALS);
	uint128 v;

	assert(rate.pico >= 0);
	v = (uint128)rate.pico;
	decimal_put(out, v / per, v % per, RATE_DECIMALS, 0);
}

void gb_s_put(struct buf *out, int128 mb_ms)
{
	uint128 v = mb_ms < 0 ? 0 - (uint128)mb_ms : (uint128)mb_ms;

	if (mb_ms < 0)
		buf_char(out, '-');
	/* rest / (2^10 * 10^3) = rest * 5^10 / 10^13. */
	decimal_put(out, v / MB_MS_PER_GB_S, v % MB_MS_PER_GB_S * 9765625, 13,
		    0);
}
