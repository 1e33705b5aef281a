/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/json_write.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/utf8.h"

/* Before a value or a key: the comma, if one is due. */
static void before(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->need_comma[w->depth])
		buf_char(w->out, ',');
	/* Two values outside of all containers would not be one text. */
	assert(w->depth || !w->need_comma[0]);
	w->need_comma[w->depth] = true;
}

static void open_container(struct json_writer *w, char bracket)
{
	before(w);
	assert(w->depth < JSON_WRITE_DEPTH_MAX);
	w->need_comma[++w->depth] = false;
	buf_char(w->out, bracket);
}

static void close_container(struct json_writer *w, char bracket)
{
	assert(w->depth && !w->after_key);
	w->depth--;
	buf_char(w->out, bracket);
}

void json_open_object(struct json_writer *w)
{
	open_container(w, '{');
}

void json_close_object(struct json_writer *w)
{
	close_container(w, '}');
}

void json_open_array(struct json_writer *w)
{
	open_container(w, '[');
}

void json_close_array(struct json_writer *w)
{
	close_container(w, ']');
}

static void put_quoted(struct json_writer *w, struct sv text)
{
	buf_char(w->out, '"');
	json_escape(w->out, text);
	buf_char(w->out, '"');
}

void json_key(struct json_writer *w, const char *key)
{
	json_key_sv(w, sv_from(key));
}

void json_key_sv(struct json_writer *w, struct sv key)
{
	assert(w->depth && !w->after_key);
	before(w);
	put_quoted(w, key);
	buf_char(w->out, ':');
	w->after_key = true;
}

void json_put_sv(struct json_writer *w, struct sv text)
{
	before(w);
	put_quoted(w, text);
}

void json_put_text(struct json_writer *w, const char *text)
{
	json_put_sv(w, sv_from(text));
}

void json_put_i64(struct json_writer *w, int64_t v)
{
	before(w);
	if (v < 0)
		buf_char(w->out, '-');
	buf_u64(w->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_put_u64(struct json_writer *w, uint64_t v)
{
	before(w);
	buf_u64(w->out, v);
}

/* The digits of v > 0, without zeros at the end, as few as read back the same:
 * v is 0.DIGITS * 10^*point. printf's decimal point is the locale's, so only
 * digits and the exponent are taken from it. */
static size_t shortest(double v, char digits[24], int *point)
{
	char text[48];
	size_t n = 0;
	char *p;

	for (int precision = 14; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, v);
		if (strtod(text, NULL) == v)
			break;
	}
	for (p = text; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	assert(n > 0);
	*point = (int)strtol(p + 1, NULL, 10) + 1;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

static void put_zeros(struct buf *out, int n)
{
	while (n-- > 0)
		buf_char(out, '0');
}

void json_put_double(struct json_writer *w, double v)
{
	char digits[24];
	size_t n;
	int point;

	before(w);
	if (!isfinite(v)) {
		buf_text(w->out, "null");
		return;
	}
	if (signbit(v)) {
		buf_char(w->out, '-');
		v = -v;
	}
	if (v < 9007199254740992.0 && v == (double)(uint64_t)v) {
		buf_u64(w->out, (uint64_t)v);
		return;
	}
	n = shortest(v, digits, &point);
	if (point > 21 || point < -5) {
		buf_char(w->out, digits[0]);
		if (n > 1) {
			buf_char(w->out, '.');
			buf_add(w->out, digits + 1, n - 1);
		}
		buf_format(w->out, "e%d", point - 1);
	} else if (point <= 0) {
		buf_text(w->out, "0.");
		put_zeros(w->out, -point);
		buf_add(w->out, digits, n);
	} else if ((size_t)point >= n) {
		buf_add(w->out, digits, n);
		put_zeros(w->out, point - (int)n);
	} else {
		buf_add(w->out, digits, (size_t)point);
		buf_char(w->out, '.');
		buf_add(w->out, digits + point, n - (size_t)point);
	}
}

void json_put_bool(struct json_writer *w, bool v)
{
	before(w);
	buf_text(w->out, v ? "true" : "false");
}

void json_put_null(struct json_writer *w)
{
	before(w);
	buf_text(w->out, "null");
}

void json_put_raw(struct json_writer *w, struct sv json)
{
	before(w);
	buf_sv(w->out, json);
}

/* The largest whole number of milliseconds not above ns. */
static int64_t floor_ms(int64_t ns)
{
	return ns / 1000000 - (ns % 1000000 < 0);
}

void json_put_seconds(struct json_writer *w, int64_t ns)
{
	int64_t ms = floor_ms(ns);
	uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;

	before(w);
	buf_format(w->out, "%s%llu.%03u", ms < 0 ? "-" : "",
		   (unsigned long long)(size / 1000), (unsigned)(size % 1000));
}

/* Year, month and day from days since 1970, by Howard Hinnant's
 * "chrono-compatible low-level date algorithms": no lock, no time zone. */
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

void json_put_iso(struct json_writer *w, int64_t ns)
{
	int64_t ms = floor_ms(ns);
	int64_t days = ms / 86400000 - (ms % 86400000 < 0);
	int in_day = (int)(ms - days * 86400000);
	int year, month, day;

	civil_from_days(days, &year, &month, &day);
	before(w);
	buf_format(w->out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", year,
		   month, day, in_day / 3600000, in_day / 60000 % 60,
		   in_day / 1000 % 60, in_day % 1000);
}

static void escape_byte(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *p = c ? strchr(from, c) : NULL;

	if (p) {
		char two[2] = { '\\', to[p - from] };

		buf_add(out, two, sizeof(two));
	} else {
		char six[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

		buf_add(out, six, sizeof(six));
	}
}

void json_escape(struct buf *out, struct sv text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	const unsigned char *end = text.len ? p + text.len : p;
	const unsigned char *plain = p; /* not written yet, good as it is */

	while (p < end) {
		size_t n = 1;

		if (*p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
			p++;
			continue;
		}
		if (*p >= 0x80) {
			n = utf8_length(p, end);
			if (n) {
				p += n;
				continue;
			}
			n = 1;
		}
		buf_add(out, plain, (size_t)(p - plain));
		if (*p >= 0x80)
			buf_text(out, "\xef\xbf\xbd"); /* U+FFFD */
		else
			escape_byte(out, *p);
		p += n;
		plain = p;
	}
	buf_add(out, plain, (size_t)(p - plain));
}
