/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/time_text.h"

#include <assert.h>
#include <math.h>

#define NS 1000000000LL

/* What is left to read. Nothing is taken on a mismatch. */
struct reader {
	const char *p, *end;
};

static bool open_reader(struct reader *r, struct sv text)
{
	if (!text.len || text.len > TIME_TEXT_MAX)
		return false;
	*r = (struct reader){ text.ptr, text.ptr + text.len };
	return true;
}

static bool take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool is_digit(const struct reader *r)
{
	return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

/* Exactly n digits, from low to high. */
static bool take_number(struct reader *r, int n, int low, int high, int *out)
{
	int v = 0;

	for (; n > 0; n--) {
		if (!is_digit(r))
			return false;
		v = v * 10 + (*r->p++ - '0');
	}
	*out = v;
	return v >= low && v <= high;
}

/* Behind the point: one digit or more, as nanoseconds. */
static bool take_fraction(struct reader *r, int *ns)
{
	int unit = 100000000;

	*ns = 0;
	if (!is_digit(r))
		return false;
	for (; is_digit(r); r->p++, unit /= 10)
		*ns += (*r->p - '0') * unit;
	return true;
}

static int month_days(int year, int month)
{
	static const signed char days[] = { 31, 28, 31, 30, 31, 30,
					    31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Howard Hinnant, "chrono-compatible low-level date algorithms". */
int64_t time_days_from_civil(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	assert(month >= 1 && month <= 12 && day >= 1 && day <= 31);
	return era * 146097 + doe - 719468;
}

static bool take_date(struct reader *r, int64_t *days)
{
	int year, month, day;

	if (!take_number(r, 4, 0, 9999, &year) || !take(r, '-') ||
	    !take_number(r, 2, 1, 12, &month) || !take(r, '-') ||
	    !take_number(r, 2, 1, month_days(year, month), &day))
		return false;
	*days = time_days_from_civil(year, month, day);
	return true;
}

/* hh:mm:ss as seconds of the day; *leap: the second was 60. */
static bool take_clock(struct reader *r, int64_t *seconds, bool *leap)
{
	int hour, minute, second;

	if (!take_number(r, 2, 0, 23, &hour) || !take(r, ':') ||
	    !take_number(r, 2, 0, 59, &minute) || !take(r, ':') ||
	    !take_number(r, 2, 0, 60, &second))
		return false;
	*leap = second == 60;
	*seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* Z, or what to add to UTC to get what was written, in seconds. */
static bool take_offset(struct reader *r, int64_t *seconds)
{
	int hour, minute, sign = 1;

	*seconds = 0;
	if (take(r, 'Z') || take(r, 'z'))
		return true;
	if (take(r, '-'))
		sign = -1;
	else if (!take(r, '+'))
		return false;
	if (!take_number(r, 2, 0, 23, &hour) || !take(r, ':') ||
	    !take_number(r, 2, 0, 59, &minute))
		return false;
	*seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

/* seconds + ns, where 0 <= ns < one second. seconds * NS alone may be below
 * what fits although the sum does. */
static bool join(int64_t seconds, int64_t ns, int64_t *out)
{
	if (seconds < 0) {
		seconds++;
		ns -= NS;
	}
	return !__builtin_mul_overflow(seconds, NS, &seconds) &&
	       !__builtin_add_overflow(seconds, ns, out);
}

bool time_from_iso(struct sv text, int64_t *ns)
{
	struct reader r = { 0 };
	int64_t days, clock, offset;
	int fraction = 0;
	bool leap;

	if (!open_reader(&r, text) || !take_date(&r, &days) ||
	    !(take(&r, 'T') || take(&r, 't')) || !take_clock(&r, &clock, &leap))
		return false;
	if (take(&r, '.') && !take_fraction(&r, &fraction))
		return false;
	if (!take_offset(&r, &offset) || r.p != r.end)
		return false;
	clock += days * 86400 - offset;
	if (leap && clock % 86400 != 0)
		return false;
	return join(clock, fraction, ns);
}

bool time_from_seconds(struct sv text, int64_t *ns)
{
	struct reader r = { 0 };
	int64_t v = 0, part;
	int fraction = 0;
	bool minus;

	if (!open_reader(&r, text))
		return false;
	minus = take(&r, '-');
	if (!is_digit(&r))
		return false;
	/* Downwards, since there is one instant more below zero. */
	for (; is_digit(&r); r.p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, *r.p - '0', &v))
			return false;
	if (take(&r, '.') && !take_fraction(&r, &fraction))
		return false;
	part = fraction;
	if (r.p != r.end || __builtin_mul_overflow(v, NS, &v) ||
	    __builtin_sub_overflow(v, part, &v))
		return false;
	if (!minus && __builtin_sub_overflow(0, v, &v))
		return false;
	*ns = v;
	return true;
}

bool time_from_text(struct sv text, int64_t *ns)
{
	return time_from_iso(text, ns) || time_from_seconds(text, ns);
}

bool time_from_double(double seconds, int64_t *ns)
{
	long double exact = (long double)seconds * 1e9L;
	/* 2^63 in decimal, as cppcheck reads 0x1p63 for a 0. */
	const long double limit = 9223372036854775808.0L;
	long long v;

	if (!(exact >= -limit && exact < limit - 1))
		return false;
	v = llround(seconds * 1e3);
	if ((double)v / 1e3 == seconds &&
	    !__builtin_mul_overflow(v, 1000000, ns))
		return true;
	v = llround(seconds * 1e6);
	if ((double)v / 1e6 == seconds && !__builtin_mul_overflow(v, 1000, ns))
		return true;
	*ns = (int64_t)llroundl(exact);
	return true;
}

/* The largest whole number of units not above ns, and what is left. */
static int64_t floor_div(int64_t ns, int64_t unit, int64_t *left)
{
	int64_t q = ns / unit - (ns % unit < 0);

	*left = (int64_t)((uint64_t)ns - (uint64_t)q * (uint64_t)unit);
	return q;
}

/* The inverse of time_days_from_civil, of the same author. */
static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

void time_put_iso(struct buf *out, int64_t ns)
{
	int64_t seconds, clock, fraction;
	int year, month, day;

	seconds = floor_div(ns, NS, &fraction);
	civil_from_days(floor_div(seconds, 86400, &clock), &year, &month, &day);
	buf_format(out, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
		   (int)(clock / 3600), (int)(clock / 60 % 60),
		   (int)(clock % 60));
	if (fraction % 1000)
		buf_format(out, ".%09d", (int)fraction);
	else if (fraction % 1000000)
		buf_format(out, ".%06d", (int)(fraction / 1000));
	else if (fraction)
		buf_format(out, ".%03d", (int)(fraction / 1000000));
	buf_char(out, 'Z');
}

void time_put_seconds(struct buf *out, int64_t ns)
{
	uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t fraction = size % NS;
	int digits = 9;

	if (ns < 0)
		buf_char(out, '-');
	buf_u64(out, size / NS);
	if (!fraction)
		return;
	for (; fraction % 10 == 0; fraction /= 10)
		digits--;
	buf_format(out, ".%0*d", digits, (int)fraction);
}

double time_to_double(int64_t ns)
{
	int64_t ms = ns / 1000000, us = ns / 1000;

	/* Where numerator and divisor are exact, the quotient is the nearest. */
	if (ns == ms * 1000000)
		return (double)ms / 1e3;
	if (ns == us * 1000)
		return (double)us / 1e6;
	return (double)((long double)ns / 1e9L);
}
