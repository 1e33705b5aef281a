/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a tape: members, text and numbers. The parser is json.c. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/json.h"
#include "core/codec/utf8.h"

#define NS_A_SECOND INT64_C(1000000000)

static const struct json none;

static const struct json_node *node_of(struct json v)
{
	assert(v.index < v.doc->count);
	return &v.doc->nodes[v.index];
}

static struct sv text_of(struct json v)
{
	const struct json_node *n = node_of(v);

	return sv_make(v.doc->text.ptr + n->at, n->len);
}

struct json json_first(struct json container)
{
	const struct json_node *n;

	if (!json_is(container, JSON_OBJECT) && !json_is(container, JSON_ARRAY))
		return none;
	n = node_of(container);
	if (n->next == container.index + 1)
		return none;
	return (struct json){ container.doc, container.index + 1 };
}

struct json json_next(struct json container, struct json it)
{
	const struct json_node *n;
	uint32_t next;

	if (!it.doc)
		return none;
	n = node_of(container);
	next = node_of(it)->next;
	if (n->type == JSON_OBJECT)
		next = it.doc->nodes[next].next;
	return next < n->next ? (struct json){ it.doc, next } : none;
}

struct json json_member(struct json key)
{
	if (!key.doc)
		return none;
	return (struct json){ key.doc, node_of(key)->next };
}

struct json json_get(struct json object, struct sv key)
{
	if (!json_is(object, JSON_OBJECT))
		return none;
	for (struct json it = json_first(object); it.doc;
	     it = json_next(object, it))
		if (json_string_is(it, key))
			return json_member(it);
	return none;
}

struct sv json_raw(struct json v)
{
	struct sv s;

	if (!v.doc)
		return SV("null");
	s = text_of(v);
	if (node_of(v)->type == JSON_STRING)
		return sv_make(s.ptr - 1, s.len + 2);
	return s;
}

static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		v = v << 4 | (c <= '9' ? c - 0x30u : (c | 0x20u) - 0x57u);
	}
	return v;
}

/* One escape at *p, which the parser has checked: its bytes to out, *p behind
 * it. Half a surrogate pair alone is legal JSON (JSON.stringify writes it) but
 * no character: it becomes U+FFFD. */
static size_t unescape(const char **p, const char *end, char out[4])
{
	const char *from = *p;
	uint32_t code;

	*p = from + 2;
	switch (from[1]) {
	case 'b':
		out[0] = '\b';
		return 1;
	case 'f':
		out[0] = '\f';
		return 1;
	case 'n':
		out[0] = '\n';
		return 1;
	case 'r':
		out[0] = '\r';
		return 1;
	case 't':
		out[0] = '\t';
		return 1;
	case 'u':
		break;
	default:
		out[0] = from[1];
		return 1;
	}
	*p = from + 6;
	code = hex4(from + 2);
	if (code < 0xd800 || code > 0xdfff)
		return utf8_put(out, code);
	if (code < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' &&
	    (*p)[1] == 'u') {
		uint32_t low = hex4(*p + 2);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*p += 6;
			return utf8_put(out, 0x10000 + ((code - 0xd800) << 10) +
						     (low - 0xdc00));
		}
	}
	return utf8_put(out, 0xfffd);
}

struct sv json_string(struct json v, struct arena *arena)
{
	struct sv s;
	const char *p, *end;
	char *out, *o;

	if (!json_is(v, JSON_STRING))
		return (struct sv){ NULL, 0 };
	s = text_of(v);
	if (!node_of(v)->escaped)
		return s;
	/* An escape is never shorter than what it stands for. */
	out = o = arena_alloc(arena, s.len);
	if (!out)
		return (struct sv){ NULL, 0 };
	for (p = s.ptr, end = s.ptr + s.len; p < end;) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((slash ? slash : end) - p);
		char piece[4];
		size_t n;

		memcpy(o, p, plain);
		o += plain;
		if (!slash)
			break;
		p = slash;
		n = unescape(&p, end, piece);
		memcpy(o, piece, n);
		o += n;
	}
	return sv_make(out, (size_t)(o - out));
}

bool json_string_is(struct json v, struct sv text)
{
	const char *p, *end;
	struct sv s;

	if (!json_is(v, JSON_STRING))
		return false;
	s = text_of(v);
	if (!node_of(v)->escaped)
		return sv_eq(s, text);
	for (p = s.ptr, end = s.ptr + s.len; p < end;) {
		char piece[4] = { *p };
		size_t n = 1;

		if (*p == '\\')
			n = unescape(&p, end, piece);
		else
			p++;
		if (text.len < n || memcmp(text.ptr, piece, n) != 0)
			return false;
		text = sv_make(text.ptr + n, text.len - n);
	}
	return text.len == 0;
}

/* A number's text taken apart: its value is 0.DIGITS * 10^point, where DIGITS
 * are those of both parts, leading zeros left out. */
struct decimal {
	struct sv whole, fraction;
	int64_t exponent;
	bool minus;
};

enum { EXPONENT_MOST = 1 << 30 }; /* further is the same: zero or too large */

static struct decimal decimal_of(struct sv s)
{
	struct decimal d = { 0 };
	size_t i = 0;
	bool minus;

	d.minus = s.ptr[0] == '-';
	if (d.minus)
		s = sv_make(s.ptr + 1, s.len - 1);
	while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
		i++;
	d.whole = sv_make(s.ptr, i);
	d.fraction = sv_make(s.ptr + i, 0);
	if (i < s.len && s.ptr[i] == '.') {
		size_t start = ++i;

		while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
			i++;
		d.fraction = sv_make(s.ptr + start, i - start);
	}
	if (i == s.len)
		return d;
	i++; /* e */
	minus = s.ptr[i] == '-';
	if (minus || s.ptr[i] == '+')
		i++;
	for (; i < s.len && d.exponent < EXPONENT_MOST; i++)
		d.exponent = d.exponent * 10 + (s.ptr[i] - '0');
	if (minus)
		d.exponent = -d.exponent;
	return d;
}

static size_t digit_count(const struct decimal *d)
{
	return d->whole.len + d->fraction.len;
}

static unsigned digit_at(const struct decimal *d, size_t i)
{
	char c = i < d->whole.len ? d->whole.ptr[i] :
				    d->fraction.ptr[i - d->whole.len];

	return (unsigned)c - '0';
}

/* The value times 10^scale as an integer. Digits below one are cut, or, with
 * exact, must be zero. False: that, or it does not fit. */
static bool decimal_scaled(struct sv text, int scale, bool exact, int64_t *out)
{
	struct decimal d = decimal_of(text);
	/* Power of ten of the digit at hand. */
	int64_t power = (int64_t)d.whole.len - 1 + d.exponent + scale;
	uint64_t v = 0;

	for (size_t i = 0; i < digit_count(&d); i++, power--) {
		unsigned digit = digit_at(&d, i);

		if (power < 0) {
			if (!exact)
				break;
			if (digit)
				return false;
		} else if (__builtin_mul_overflow(v, 10U, &v) ||
			   __builtin_add_overflow(v, digit, &v)) {
			return false;
		}
	}
	for (; power >= 0 && v; power--)
		if (__builtin_mul_overflow(v, 10U, &v))
			return false;
	if (v > (uint64_t)INT64_MAX + d.minus)
		return false;
	*out = d.minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool json_to_i64(struct json v, int64_t *out)
{
	return json_is(v, JSON_NUMBER) &&
	       decimal_scaled(text_of(v), 0, true, out);
}

/* Seconds as nearly all are sent: digits, and maybe a point and digits. */
static bool plain_seconds(struct sv text, int64_t *out)
{
	const int64_t most = INT64_MAX / NS_A_SECOND - 1;
	int64_t ns = 0, unit = NS_A_SECOND / 10;
	unsigned digit;
	size_t i = 0;

	for (; i < text.len; i++) {
		digit = (unsigned)text.ptr[i] - '0';
		if (digit > 9)
			break;
		ns = ns * 10 + digit;
		if (ns > most)
			return false;
	}
	ns *= NS_A_SECOND;
	if (i == 0 || (i < text.len && text.ptr[i++] != '.'))
		return false;
	for (; i < text.len; i++, unit /= 10) {
		digit = (unsigned)text.ptr[i] - '0';
		if (digit > 9)
			return false;
		ns += digit * unit;
	}
	*out = ns;
	return true;
}

bool json_to_ns(struct json v, int64_t *out)
{
	if (!json_is(v, JSON_NUMBER))
		return false;
	return plain_seconds(text_of(v), out) ||
	       decimal_scaled(text_of(v), 9, false, out);
}

/* strtod for what the short way below cannot do. It sees digits and an
 * exponent only, so no locale's decimal point matters; behind the 800th digit
 * (767 decide a double) all that counts is whether one is not zero. */
static bool decimal_to_double(const struct decimal *d, double *out)
{
	enum { DIGITS = 800 };
	char text[DIGITS + 32];
	int64_t power = (int64_t)d->whole.len + d->exponent;
	size_t n = 0, i = 0;
	char *end;

	while (i < digit_count(d) && digit_at(d, i) == 0)
		i++;
	power -= (int64_t)i;
	text[n++] = '0';
	for (; i < digit_count(d) && n <= DIGITS; i++)
		text[n++] = (char)('0' + digit_at(d, i));
	for (; i < digit_count(d); i++)
		if (digit_at(d, i)) {
			text[n++] = '1';
			break;
		}
	power -= (int64_t)n - 1;
	snprintf(text + n, sizeof(text) - n, "e%lld", (long long)power);
	*out = strtod(text, &end);
	assert(*end == '\0');
	if (d->minus)
		*out = -*out;
	return isfinite(*out);
}

/* Both the digits, up to 2^53, and the power of ten, up to 10^22, are exact
 * doubles, so that one operation rounds once (Clinger, "How to read floating
 * point numbers accurately", 1990). Nearly all numbers are of this kind. */
static bool decimal_short(const struct decimal *d, double *out)
{
	static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
					 1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
					 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
					 1e18, 1e19, 1e20, 1e21, 1e22 };
	int64_t power = d->exponent - (int64_t)d->fraction.len;
	uint64_t v = 0;

	if (digit_count(d) > 18 || power < -22 || power > 22)
		return false;
	for (size_t i = 0; i < digit_count(d); i++)
		v = v * 10 + digit_at(d, i);
	if (v > UINT64_C(1) << 53)
		return false;
	*out = power < 0 ? (double)v / powers[-power] :
			   (double)v * powers[power];
	if (d->minus)
		*out = -*out;
	return true;
}

bool json_to_double(struct json v, double *out)
{
	struct decimal d;

	if (!json_is(v, JSON_NUMBER))
		return false;
	d = decimal_of(text_of(v));
	return decimal_short(&d, out) || decimal_to_double(&d, out);
}
