/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int sv_cmp(struct sv a, struct sv b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

bool sv_starts(struct sv s, struct sv prefix)
{
	return s.len >= prefix.len && sv_eq(sv_make(s.ptr, prefix.len), prefix);
}

bool sv_ends(struct sv s, struct sv suffix)
{
	return s.len >= suffix.len &&
	       sv_eq(sv_make(s.ptr + (s.len - suffix.len), suffix.len), suffix);
}

struct sv sv_cut(struct sv *s, char at)
{
	const char *p = s->len ? memchr(s->ptr, at, s->len) : NULL;
	struct sv head = *s;

	if (!p) {
		*s = (struct sv){ NULL, 0 };
		return head;
	}
	head.len = (size_t)(p - s->ptr);
	*s = sv_make(p + 1, s->len - head.len - 1);
	return head;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct sv sv_trim(struct sv s)
{
	while (s.len && is_space(s.ptr[0]))
		s = sv_make(s.ptr + 1, s.len - 1);
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool sv_to_u64(struct sv s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned d = (unsigned)(unsigned char)s.ptr[i] - '0';

		if (d > 9 || __builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
	}
	*out = v;
	return true;
}

bool sv_to_i64(struct sv s, int64_t *out)
{
	bool minus = s.len && s.ptr[0] == '-';
	uint64_t v;

	if (!sv_to_u64(minus ? sv_make(s.ptr + 1, s.len - 1) : s, &v) ||
	    v > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool sv_to_hex(struct sv s, uint8_t *out, size_t size)
{
	/* A digit's value and one; 0: it is none. */
	static const uint8_t digits[256] = {
		['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,
		['5'] = 6,  ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10,
		['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15,
		['f'] = 16, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14,
		['E'] = 15, ['F'] = 16,
	};
	int any_bad = 0;

	if (s.len != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = digits[(unsigned char)s.ptr[2 * i]] - 1;
		int low = digits[(unsigned char)s.ptr[2 * i + 1]] - 1;

		any_bad |= high | low;
		out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	return any_bad >= 0;
}

void hex_from(char *out, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
}

/* Bytes of the UTF-8 sequence at p (n left), or 0 where it is not one. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	unsigned char c = p[0];
	size_t len = c < 0x80 ? 1 :
		     c < 0xC2 ? 0 :
		     c < 0xE0 ? 2 :
		     c < 0xF0 ? 3 :
		     c < 0xF5 ? 4 :
				0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) ||
	    (c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F))
		return 0;
	return len;
}

bool sv_is_utf8(struct sv s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t i = 0;

	while (i < s.len) {
		uint64_t word;
		size_t n;

		if (s.len - i >= 8) {
			memcpy(&word, p + i, 8);
			if (!(word & 0x8080808080808080ULL)) {
				i += 8;
				continue;
			}
		}
		n = utf8_length(p + i, s.len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

void buf_fini(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){ .limit = b->limit };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->ptr)
		b->ptr[0] = '\0';
}

char *buf_grow(struct buf *b, size_t n)
{
	size_t limit = b->limit ? b->limit : BUF_LIMIT_DEFAULT;

	assert(b->len <= limit);
	if (b->failed || n > limit - b->len) {
		b->failed = true;
		return NULL;
	}
	if (b->len + n + 1 > b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 256;
		char *p;

		while (cap < b->len + n + 1)
			cap *= 2;
		p = realloc(b->ptr, cap);
		if (!p) {
			b->failed = true;
			return NULL;
		}
		b->ptr = p;
		b->cap = cap;
	}
	return b->ptr + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *p = buf_grow(b, n);

	if (!p)
		return;
	if (n)
		memcpy(p, bytes, n);
	b->len += n;
	b->ptr[b->len] = '\0';
}

void buf_sv(struct buf *b, struct sv s)
{
	buf_add(b, s.ptr, s.len);
}

void buf_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_format(struct buf *b, const char *format, ...)
{
	va_list ap;
	va_list again;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	assert(n >= 0);
	if (buf_grow(b, (size_t)n)) {
		vsnprintf(b->ptr + b->len, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, digits + i, sizeof(digits) - i);
}

char *buf_detach(struct buf *b)
{
	char *p = b->ptr;

	*b = (struct buf){ .limit = b->limit };
	return p;
}
