/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/value.h"

#include <assert.h>

/* A lower-case digit's value and HEX_VALID; 0: it is none. */
enum { HEX_VALID = 0x10 };
static const uint8_t hex_digits[256] = {
	['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13,
	['4'] = 0x14, ['5'] = 0x15, ['6'] = 0x16, ['7'] = 0x17,
	['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b,
	['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
};

static bool take_hex(const char *text, uint8_t *out, size_t size)
{
	const uint8_t *t = (const uint8_t *)text;
	uint8_t valid = HEX_VALID;

	/* Most texts of this length are words: they end here. */
	if (!hex_digits[t[0]] || !hex_digits[t[1]])
		return false;
	for (size_t i = 0; i < size; i++) {
		uint8_t high = hex_digits[t[2 * i]];
		uint8_t low = hex_digits[t[2 * i + 1]];

		valid &= high & low;
		out[i] = (uint8_t)(high << 4 | (low & 0xf));
	}
	return valid == HEX_VALID;
}

static uint8_t *put_hex16(uint8_t *to, const char *text,
			  const uint8_t trace_id[TRACE_ID_SIZE])
{
	if (!take_hex(text, to + 1, 16))
		return NULL;
	if (!memcmp(to + 1, trace_id, TRACE_ID_SIZE)) {
		*to = VALUE_HEX16_OWN;
		return to + 1;
	}
	*to = VALUE_HEX16;
	return to + 17;
}

static uint8_t *put_uuid(uint8_t *to, const char *t)
{
	if (t[8] != '-' || t[13] != '-' || t[18] != '-' || t[23] != '-' ||
	    !take_hex(t, to + 1, 4) || !take_hex(t + 9, to + 5, 2) ||
	    !take_hex(t + 14, to + 7, 2) || !take_hex(t + 19, to + 9, 2) ||
	    !take_hex(t + 24, to + 11, 6))
		return NULL;
	*to = VALUE_UUID;
	return to + 17;
}

static uint8_t *put_xray(uint8_t *to, const char *t,
			 const uint8_t trace_id[TRACE_ID_SIZE])
{
	if (t[0] != '1' || t[1] != '-' || t[10] != '-' ||
	    !take_hex(t + 2, to + 1, 4) || !take_hex(t + 11, to + 5, 12))
		return NULL;
	if (!memcmp(to + 1, trace_id, TRACE_ID_SIZE)) {
		*to = VALUE_XRAY_OWN;
		return to + 1;
	}
	*to = VALUE_XRAY;
	return to + 17;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Eight digits at once, if the next eight bytes are some. */
static bool take_eight(const char *text, uint64_t *v)
{
	uint64_t n = get_le64((const uint8_t *)text);

	if ((n & 0xf0f0f0f0f0f0f0f0) != 0x3030303030303030 ||
	    ((n + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) !=
		    0x3030303030303030)
		return false;
	n = (n & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8; /* pairs */
	n = (n & 0x00ff00ff00ff00ff) * 6553601 >> 16;
	n = (n & 0x0000ffff0000ffff) * 42949672960001 >> 32;
	*v = *v * 100000000 + n;
	return true;
}

/* Returns where the digits end. */
static const char *take_digits(const char *p, const char *end, uint64_t *v)
{
	while (end - p >= 8 && take_eight(p, v))
		p += 8;
	for (; p < end && is_digit(*p); p++)
		*v = *v * 10 + (uint64_t)(*p - '0');
	return p;
}

/* -?(0|[1-9]digits)(.digits)?, up to 18 digits, not -0. */
static uint8_t *put_decimal(uint8_t *to, struct sv text)
{
	const char *end = text.ptr + text.len;
	bool negative = text.ptr[0] == '-';
	const char *begin = text.ptr + negative, *point;
	size_t decimals = 0;
	uint64_t v = 0;

	point = take_digits(begin, end, &v);
	if (point == begin || (*begin == '0' && point - begin > 1))
		return NULL;
	if (point < end) {
		decimals = (size_t)(end - point - 1);
		if (*point != '.' || !decimals ||
		    take_digits(point + 1, end, &v) != end)
			return NULL;
	}
	if ((size_t)(point - begin) + decimals > VALUE_DECIMALS_MAX ||
	    (negative && v == 0))
		return NULL;
	*to++ = (uint8_t)(VALUE_NUMBER + decimals);
	return varint_put(to, zigzag(negative ? -(int64_t)v : (int64_t)v));
}

uint8_t *value_put_binary(uint8_t *to, struct sv text,
			  const uint8_t trace_id[TRACE_ID_SIZE])
{
	switch (text.len) {
	case 0:
		return NULL;
	case 16:
		if (!take_hex(text.ptr, to + 1, 8))
			break;
		*to = VALUE_HEX8;
		return to + 9;
	case 32:
		return put_hex16(to, text.ptr, trace_id);
	case 35:
		return put_xray(to, text.ptr, trace_id);
	case 36:
		return put_uuid(to, text.ptr);
	default:
		break;
	}
	if (text.len <= VALUE_DECIMALS_MAX + 2 &&
	    (is_digit(text.ptr[0]) || text.ptr[0] == '-'))
		return put_decimal(to, text);
	return NULL;
}

uint8_t *value_put_text(uint8_t *to, struct sv text)
{
	*to++ = VALUE_TEXT;
	to = varint_put(to, text.len);
	if (text.len)
		memcpy(to, text.ptr, text.len);
	return to + text.len;
}

uint8_t *value_put_number(uint8_t *to, uint64_t bits)
{
	*to++ = VALUE_NUMBER;
	return varint_put(to, zigzag((int64_t)bits));
}

/* --- back --------------------------------------------------------------------- */

static void get_hex(struct buf *out, const uint8_t *bytes, size_t size)
{
	char *p = buf_grow(out, 2 * size);

	if (!p)
		return;
	hex_from(p, bytes, size);
	out->len += 2 * size;
}

static void get_uuid(struct buf *out, const uint8_t *b)
{
	get_hex(out, b, 4);
	buf_char(out, '-');
	for (int i = 4; i < 10; i += 2) {
		get_hex(out, b + i, 2);
		buf_char(out, '-');
	}
	get_hex(out, b + 10, 6);
}

static void get_xray(struct buf *out, const uint8_t *b)
{
	buf_add(out, "1-", 2);
	get_hex(out, b, 4);
	buf_char(out, '-');
	get_hex(out, b + 4, 12);
}

static void get_decimal(struct buf *out, int64_t n, unsigned decimals)
{
	char text[24];
	size_t i = sizeof(text);
	uint64_t v = n < 0 ? -(uint64_t)n : (uint64_t)n;

	for (unsigned k = 0; k < decimals; k++, v /= 10)
		text[--i] = (char)('0' + v % 10);
	if (decimals)
		text[--i] = '.';
	do
		text[--i] = (char)('0' + v % 10);
	while (v /= 10);
	if (n < 0)
		text[--i] = '-';
	buf_add(out, text + i, sizeof(text) - i);
}

static void get_binary(struct reader *r, uint8_t kind, struct buf *out)
{
	bool eight = kind == VALUE_HEX8 || kind == VALUE_BYTES8;
	const uint8_t *b = read_bytes(r, eight ? 8 : 16);

	if (!b)
		return;
	switch (kind) {
	case VALUE_HEX8:
		get_hex(out, b, 8);
		break;
	case VALUE_HEX16:
		get_hex(out, b, 16);
		break;
	case VALUE_UUID:
		get_uuid(out, b);
		break;
	case VALUE_XRAY:
		get_xray(out, b);
		break;
	case VALUE_BYTES8:
		buf_add(out, b, 8);
		break;
	default:
		buf_add(out, b, 16);
	}
}

static void get_entry(const struct shapes *s, struct reader *r, struct buf *out)
{
	uint64_t number = read_varint(r);
	enum entry_kind kind;
	struct sv text;

	if (number <= UINT32_MAX &&
	    shapes_entry(s, (uint32_t)number, &kind, &text) &&
	    kind == ENTRY_TEXT)
		buf_sv(out, text);
	else
		r->bad = true;
}

void value_get(const struct shapes *s, struct reader *r,
	       const uint8_t trace_id[TRACE_ID_SIZE], struct buf *out)
{
	uint8_t kind = read_byte(r);

	switch (kind) {
	case VALUE_TEXT: {
		uint64_t n = read_varint(r);
		const uint8_t *text = read_bytes(r, n);

		if (text)
			buf_add(out, text, (size_t)n);
		return;
	}
	case VALUE_ENTRY:
		get_entry(s, r, out);
		return;
	case VALUE_HEX8:
	case VALUE_HEX16:
	case VALUE_UUID:
	case VALUE_XRAY:
	case VALUE_BYTES8:
	case VALUE_BYTES16:
		get_binary(r, kind, out);
		return;
	case VALUE_HEX16_OWN:
		get_hex(out, trace_id, TRACE_ID_SIZE);
		return;
	case VALUE_XRAY_OWN:
		get_xray(out, trace_id);
		return;
	case VALUE_BYTES16_OWN:
		buf_add(out, trace_id, TRACE_ID_SIZE);
		return;
	default:
		break;
	}
	if (kind >= VALUE_NUMBER && kind < VALUE_KINDS)
		get_decimal(out, protobuf_zigzag(read_varint(r)),
			    (unsigned)(kind - VALUE_NUMBER));
	else
		r->bad = true;
}
