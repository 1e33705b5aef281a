/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/json_wide.h"

/* The same, a byte at a time. */
static const char *string_bytes(const char *p, const char *end, char *out,
				size_t *len)
{
	char *o = out;

	for (; p < end && *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' &&
		    (++p == end || (*p != '"' && *p != '\\' && *p != '/')))
			return NULL;
		*o++ = *p;
	}
	*len = (size_t)(o - out);
	return p < end ? p : NULL;
}

#if defined(__x86_64__)
#include "core/codec/json_masks.h"

/* Bytes whose bit is set move together. Writes 64. */
WIDER static void squeeze_512(const char *p, uint64_t keep, char *out)
{
	_mm512_storeu_si512(
		out, _mm512_maskz_compress_epi8(keep, _mm512_loadu_si512(p)));
}

WIDE static inline void squeeze_64(const char *p, uint64_t keep, char *out)
{
	for (int i = 0; i < BLOCK; i += 8, keep >>= 8) {
		uint64_t word, bytes;

		memcpy(&word, p + i, sizeof(word));
		bytes = _pdep_u64(keep, UINT64_C(0x0101010101010101)) * 0xff;
		word = _pext_u64(word, bytes);
		memcpy(out, &word, sizeof(word));
		out += __builtin_popcountll(keep & 0xff);
	}
}

WIDE const char *json_wide_string(const char *from, const char *end,
				  enum json_wide how, char *out, size_t *len)
{
	const char *p = from;
	char *o = out;
	uint64_t carry = 0;

	if (how == JSON_WIDE_NONE)
		return string_bytes(from, end, out, len);
	for (;; p += BLOCK) {
		char padded[BLOCK];
		const char *q = p;
		uint64_t quotes, slashes, behind, stop, keep, in = ~UINT64_C(0);
		struct block b;

		if (p >= end)
			return NULL;
		if (end - p < BLOCK) {
			memset(padded, ' ', sizeof(padded));
			memcpy(padded, p, (size_t)(end - p));
			q = padded;
		}
		b = block_load(q);
		quotes = equal(b, '"');
		slashes = equal(b, '\\');
		behind = escaped(slashes, &carry);
		stop = quotes & ~behind;
		if (stop)
			in = (stop & -stop) - 1;
		/* Others than \" \\ \/ stand for something else. */
		if (UNLIKELY((behind & in &
			      ~(quotes | slashes | equal(b, '/'))) ||
			     (below_space(b) & in)))
			return NULL;
		keep = in & ~(slashes & ~behind);
		if (how == JSON_WIDE_512)
			squeeze_512(q, keep, o);
		else
			squeeze_64(q, keep, o);
		o += __builtin_popcountll(keep);
		if (stop) {
			*len = (size_t)(o - out);
			p += _tzcnt_u64(stop);
			return p < end ? p : NULL;
		}
	}
}

#else

const char *json_wide_string(const char *from, const char *end,
			     enum json_wide how, char *out, size_t *len)
{
	(void)how;
	return string_bytes(from, end, out, len);
}

#endif
