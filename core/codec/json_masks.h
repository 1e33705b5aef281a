/* SPDX-License-Identifier: Apache-2.0 */
/* 64 bytes of text as masks with a bit for each, for core/codec/json_wide*.c
 * on x86-64; only functions with WIDE or WIDER may call what is here. */
#ifndef TALLY_CORE_CODEC_JSON_MASKS_H
#define TALLY_CORE_CODEC_JSON_MASKS_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WIDE __attribute__((target("avx2,bmi,bmi2,pclmul,popcnt")))
/* Where it can do more: comparisons give masks, and bytes are sorted out. */
#define WIDER                                                        \
	__attribute__((target("avx2,bmi,bmi2,pclmul,popcnt,avx512f," \
			      "avx512bw,avx512vbmi2")))
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

enum { BLOCK = 64 };

struct block {
	__m256i low, high;
};

WIDE static inline struct block block_load(const void *p)
{
	return (struct block){
		_mm256_loadu_si256(p),
		_mm256_loadu_si256((const void *)((const char *)p + 32)),
	};
}

/* The end of a text is read as if spaces followed. */
WIDE static inline struct block block_load_some(const void *p, size_t n)
{
	char padded[BLOCK];

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, p, n);
	return block_load(padded);
}

WIDE static inline uint64_t mask_of(__m256i low, __m256i high)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 |
	       (uint32_t)_mm256_movemask_epi8(low);
}

WIDE static inline uint64_t equal(struct block b, char c)
{
	const __m256i v = _mm256_set1_epi8(c);

	return mask_of(_mm256_cmpeq_epi8(b.low, v),
		       _mm256_cmpeq_epi8(b.high, v));
}

WIDE static inline uint64_t below_space(struct block b)
{
	const __m256i most = _mm256_set1_epi8(0x1f);

	return mask_of(_mm256_cmpeq_epi8(_mm256_min_epu8(b.low, most), b.low),
		       _mm256_cmpeq_epi8(_mm256_min_epu8(b.high, most),
					 b.high));
}

/* Bytes that are the table's for their lower half: shuffle looks that up, and
 * gives 0 where the byte is 0x80 or more. */
WIDE static inline uint64_t in_table(struct block b, __m256i table,
				     struct block like)
{
	return mask_of(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, b.low),
					 like.low),
		       _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, b.high),
					 like.high));
}

WIDE static inline uint64_t spaces(struct block b)
{
	const __m256i table = _mm256_setr_epi8(' ', 100, 100, 100, 17, 100, 113,
					       2, 100, '\t', '\n', 112, 100,
					       '\r', 100, 100, ' ', 100, 100,
					       100, 17, 100, 113, 2, 100, '\t',
					       '\n', 112, 100, '\r', 100, 100);

	return in_table(b, table, b);
}

/* `{` `}` `[` `]` `:` `,`; also 0x0c and 0x1a, which nothing accepts later. */
WIDE static inline uint64_t marks(struct block b)
{
	const __m256i table = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					       ':', '{', ',', '}', 0, 0, 0, 0,
					       0, 0, 0, 0, 0, 0, 0, 0, ':', '{',
					       ',', '}', 0, 0);
	const __m256i fold = _mm256_set1_epi8(0x20);

	return in_table(b, table,
			(struct block){ _mm256_or_si256(b.low, fold),
					_mm256_or_si256(b.high, fold) });
}

struct masks {
	uint64_t quotes, slashes, space, mark, control;
};

WIDE static inline struct masks masks_of(struct block b, bool slashes)
{
	return (struct masks){
		.quotes = equal(b, '"'),
		.slashes = slashes ? equal(b, '\\') : 0,
		.space = spaces(b),
		.mark = marks(b),
		.control = below_space(b),
	};
}

WIDER static inline struct masks masks_of_512(__m512i v, bool slashes)
{
	const __m512i space = _mm512_broadcast_i32x4(
		_mm_setr_epi8(' ', 100, 100, 100, 17, 100, 113, 2, 100, '\t',
			      '\n', 112, 100, '\r', 100, 100));
	const __m512i mark = _mm512_broadcast_i32x4(_mm_setr_epi8(
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0));

	return (struct masks){
		.quotes = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')),
		.slashes = slashes ? _mm512_cmpeq_epi8_mask(
					     v, _mm512_set1_epi8('\\')) :
				     0,
		.space = _mm512_cmpeq_epi8_mask(v,
						_mm512_shuffle_epi8(space, v)),
		.mark = _mm512_cmpeq_epi8_mask(
			_mm512_or_si512(v, _mm512_set1_epi8(0x20)),
			_mm512_shuffle_epi8(mark, v)),
		.control = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20)),
	};
}

/* Bits from each odd one to the next: what is in quotes. */
WIDE static inline uint64_t between(uint64_t quotes)
{
	return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(
		_mm_set_epi64x(0, (int64_t)quotes), _mm_set1_epi8('\xff'), 0));
}

/* Bytes that a backslash before them escapes; *carry: the one behind the block
 * is. A run of backslashes escapes each second of its own, and what follows it
 * if it is odd; an addition finds the ends of all runs at once. */
WIDE static inline uint64_t escaped(uint64_t slashes, uint64_t *carry)
{
	const uint64_t even = UINT64_C(0x5555555555555555);
	uint64_t follows, odd_starts, ends;

	slashes &= ~*carry;
	follows = slashes << 1 | *carry;
	odd_starts = slashes & ~even & ~follows;
	*carry = __builtin_add_overflow(odd_starts, slashes, &ends);
	return (even ^ ends << 1) & follows;
}

#endif
