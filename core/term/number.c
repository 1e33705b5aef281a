/* SPDX-License-Identifier: Apache-2.0 */
#include "core/term/term.h"

#include <math.h>

/* Three figures, with the unit: 1.23k, 12.3k, 123k. */
static void three(struct buf *out, double v, const char *unit)
{
	int places = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;

	buf_format(out, "%.*f%s", places, v, unit);
}

static void minus(struct buf *out, double *v)
{
	if (*v < 0) {
		buf_char(out, '-');
		*v = -*v;
	}
}

void term_seconds(struct buf *out, double s)
{
	uint64_t whole;

	if (!isfinite(s)) {
		buf_char(out, '-');
		return;
	}
	minus(out, &s);
	if (s < 0.5e-6) {
		buf_char(out, '0');
	} else if (s < 999.5e-6) {
		buf_format(out, "%.0fus", s * 1e6);
	} else if (s < 0.9995) {
		three(out, s * 1e3, "ms");
	} else if (s < 59.95) {
		three(out, s, "s");
	} else if (s > 1e9) {
		buf_text(out, ">30y");
	} else {
		whole = (uint64_t)(s + 0.5);
		if (whole < 3600)
			buf_format(out, "%um%02us", (unsigned)(whole / 60),
				   (unsigned)(whole % 60));
		else if (whole < 86400)
			buf_format(out, "%uh%02um", (unsigned)(whole / 3600),
				   (unsigned)(whole / 60 % 60));
		else
			buf_format(out, "%ud%02uh", (unsigned)(whole / 86400),
				   (unsigned)(whole / 3600 % 24));
	}
}

static void scaled(struct buf *out, double v, double step,
		   const char *const *units, size_t count)
{
	size_t i = 0;

	if (!isfinite(v)) {
		buf_char(out, '-');
		return;
	}
	minus(out, &v);
	/* Compared as it will be rounded, so that no "1000k" comes out. */
	while (i + 1 < count && v >= (i ? 999.5 : step - 0.5)) {
		v /= step;
		i++;
	}
	if (i == 0)
		buf_format(out, "%.0f%s", v, units[0]);
	else
		three(out, v, units[i]);
}

void term_count(struct buf *out, double count)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P" };

	scaled(out, count, 1000, units, sizeof(units) / sizeof(units[0]));
}

void term_bytes(struct buf *out, double bytes)
{
	static const char *const units[] = { "B",   "KiB", "MiB",
					     "GiB", "TiB", "PiB" };
	const char *spaced[sizeof(units) / sizeof(units[0])];
	char text[sizeof(units) / sizeof(units[0])][8];

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		snprintf(text[i], sizeof(text[i]), " %s", units[i]);
		spaced[i] = text[i];
	}
	scaled(out, bytes, 1024, spaced, sizeof(units) / sizeof(units[0]));
}

/* "[-]digits[.digits]" only, of a length that cannot be an attack. */
static bool is_decimal(struct sv s)
{
	size_t dots = 0, digits = 0;

	if (s.len && s.ptr[0] == '-')
		s = sv_make(s.ptr + 1, s.len - 1);
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '.')
			dots++;
		else if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
			digits++;
		else
			return false;
	}
	return digits > 0 && dots <= 1 && s.len < 60 && s.ptr[0] != '.';
}

/* Cuts the decimal digits in d (dot is where the point stands, before d[dot])
 * to places behind the point, half up. d[0] is a spare 0 for the carry. */
static void round_digits(char *d, size_t *len, size_t dot, size_t places)
{
	size_t keep = dot + places;
	bool up = keep < *len && d[keep] >= '5';

	if (keep >= *len)
		return;
	*len = keep;
	for (size_t i = keep; up && i-- > 0;) {
		up = d[i] == '9';
		d[i] = up ? '0' : (char)(d[i] + 1);
	}
}

void term_money(struct buf *out, struct sv decimal)
{
	char d[64] = "0";
	size_t len = 1, dot, first, places;
	bool negative;

	if (!is_decimal(decimal)) {
		term_safe(out, decimal);
		return;
	}
	negative = decimal.ptr[0] == '-';
	for (size_t i = negative; i < decimal.len && decimal.ptr[i] != '.'; i++)
		d[len++] = decimal.ptr[i];
	dot = len;
	for (size_t i = negative + dot; i < decimal.len; i++)
		d[len++] = decimal.ptr[i];
	for (first = 0; first < len && d[first] == '0'; first++)
		;
	if (first == len) {
		buf_text(out, "$0");
		return;
	}
	/* From a cent up two places; below that, the first four figures. */
	places = first < dot ? 2 : first - dot < 2 ? 4 : first - dot + 4;
	round_digits(d, &len, dot, places);
	while (places > 2 && len > dot + 2 && d[len - 1] == '0')
		len--;
	for (first = 0; first + 1 < dot && d[first] == '0'; first++)
		;
	buf_text(out, negative ? "-$" : "$");
	buf_add(out, d + first, dot - first);
	buf_char(out, '.');
	buf_add(out, d + dot, len - dot);
	for (size_t have = len - dot; have < 2; have++)
		buf_char(out, '0');
}

/* False for what no calendar of ours holds (before 1970, after 9999). */
static bool split(double epoch, struct tm *tm, int *ms)
{
	double whole = floor(epoch);
	time_t t;

	if (!(epoch >= 0 && epoch < 253402300799.0))
		return false;
	*ms = (int)((epoch - whole) * 1000 + 0.5);
	if (*ms == 1000) {
		*ms = 0;
		whole += 1;
	}
	t = (time_t)whole;
	return gmtime_r(&t, tm) != NULL;
}

void term_time(struct buf *out, double epoch, bool ms)
{
	struct tm tm;
	int thousandths;

	if (!split(epoch, &tm, &thousandths)) {
		buf_char(out, '-');
		return;
	}
	buf_format(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
		   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (ms)
		buf_format(out, ".%03d", thousandths);
	buf_char(out, 'Z');
}

void term_clock(struct buf *out, double epoch)
{
	struct tm tm;
	int ms;

	if (!split(epoch, &tm, &ms)) {
		buf_char(out, '-');
		return;
	}
	buf_format(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}
