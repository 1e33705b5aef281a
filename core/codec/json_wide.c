/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/json_wide.h"

#if defined(__x86_64__)
#include "core/codec/json_masks.h"
#include "core/codec/utf8.h"

enum { CHUNK = 4096 }; /* bytes whose places are kept at once */

enum json_wide json_wide_can(void)
{
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
	    !__builtin_cpu_supports("bmi2") ||
	    !__builtin_cpu_supports("pclmul") ||
	    !__builtin_cpu_supports("popcnt"))
		return JSON_WIDE_NONE;
	return __builtin_cpu_supports("avx512f") &&
			       __builtin_cpu_supports("avx512bw") &&
			       __builtin_cpu_supports("avx512vbmi2") ?
		       JSON_WIDE_512 :
		       JSON_WIDE_256;
}

/* --- census --------------------------------------------------------------------- */

WIDE struct json_census json_wide_census(struct sv text)
{
	struct json_census c = { .nodes_most = 1 };
	const __m256i fold = _mm256_set1_epi8(0x20);
	uint64_t slashes = 0, high = 0;

	for (size_t at = 0; at < text.len; at += BLOCK) {
		struct block b =
			text.len - at >= BLOCK ?
				block_load(text.ptr + at) :
				block_load_some(text.ptr + at, text.len - at);
		/* '[' | 0x20 is '{'. */
		struct block folded = { _mm256_or_si256(b.low, fold),
					_mm256_or_si256(b.high, fold) };

		c.nodes_most += (size_t)__builtin_popcountll(
			equal(b, ',') | equal(b, ':') | equal(folded, '{'));
		slashes |= equal(b, '\\');
		high |= mask_of(b.low, b.high);
	}
	c.slashes = slashes != 0;
	c.high = high != 0;
	return c;
}

/* --- parse ------------------------------------------------------------------------ */

/* Where something begins or ends: marks, quotes, first bytes of other values.
 * Found for a chunk at a time. */
struct finder {
	const char *text;
	size_t len, at;
	bool slashes, more;
	uint64_t in_string; /* all ones: the block begins in one */
	uint64_t escape;    /* its first byte is escaped */
	uint64_t scalar;    /* the byte before it is of a number or word */
	uint64_t bad;       /* control characters in strings */
	uint32_t count;
	uint32_t places[CHUNK + BLOCK];
};

WIDE static inline void put_places(struct finder *f, uint64_t bits, size_t at)
{
	uint32_t *out = f->places + f->count;
	unsigned n = (unsigned)__builtin_popcountll(bits);

	f->count += n;
	/* Eight at a time, of which some may be none: no branch for each. */
	for (unsigned done = 0; done < n; done += 8) {
		for (unsigned i = 0; i < 8; i++) {
			out[done + i] =
				(uint32_t)at + (uint32_t)_tzcnt_u64(bits);
			bits = _blsr_u64(bits);
		}
	}
}

WIDER static inline void put_places_512(struct finder *f, uint64_t bits,
					size_t at)
{
	const __m512i all = _mm512_set_epi8(
		63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48,
		47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32,
		31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
		15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	const __m512i base = _mm512_set1_epi32((int)at);
	__m512i is = _mm512_maskz_compress_epi8(bits, all);
	uint32_t *out = f->places + f->count;
	unsigned n = (unsigned)__builtin_popcountll(bits);

	f->count += n;
	_mm512_storeu_si512(
		out,
		_mm512_add_epi32(base, _mm512_cvtepu8_epi32(
					       _mm512_castsi512_si128(is))));
	_mm512_storeu_si512(
		out + 16,
		_mm512_add_epi32(base,
				 _mm512_cvtepu8_epi32(
					 _mm512_extracti32x4_epi32(is, 1))));
	if (n <= 32)
		return;
	_mm512_storeu_si512(
		out + 32,
		_mm512_add_epi32(base,
				 _mm512_cvtepu8_epi32(
					 _mm512_extracti32x4_epi32(is, 2))));
	_mm512_storeu_si512(
		out + 48,
		_mm512_add_epi32(base,
				 _mm512_cvtepu8_epi32(
					 _mm512_extracti32x4_epi32(is, 3))));
}

/* The places in a block with these masks. */
WIDE static inline uint64_t find_in_block(struct finder *f, struct masks m)
{
	uint64_t quotes = m.quotes;
	uint64_t in_string, scalar, begins;

	if (f->slashes)
		quotes &= ~escaped(m.slashes, &f->escape);
	in_string = between(quotes) ^ f->in_string;
	f->in_string = 0 - (in_string >> 63);
	f->bad |= m.control & in_string;
	scalar = ~(m.space | m.mark | in_string | quotes);
	begins = scalar & ~(scalar << 1 | f->scalar);
	f->scalar = scalar >> 63;
	return (m.mark & ~in_string) | quotes | begins;
}

WIDE static void find_chunk(struct finder *f, size_t end)
{
	for (; f->at < end; f->at += BLOCK) {
		struct block b = f->len - f->at >= BLOCK ?
					 block_load(f->text + f->at) :
					 block_load_some(f->text + f->at,
							 f->len - f->at);

		put_places(f, find_in_block(f, masks_of(b, f->slashes)), f->at);
	}
}

WIDER static void find_chunk_512(struct finder *f, size_t end)
{
	for (; f->at < end; f->at += BLOCK) {
		size_t left = f->len - f->at;
		__mmask64 there = _bzhi_u64(
			~UINT64_C(0), left < BLOCK ? (unsigned)left : BLOCK);
		__m512i v = _mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), there,
						   f->text + f->at);

		put_places_512(f, find_in_block(f, masks_of_512(v, f->slashes)),
			       f->at);
	}
}

/* False: there are no more. */
__attribute__((noinline)) static bool find_more(struct finder *f)
{
	f->count = 0;
	while (f->at < f->len && !f->count) {
		size_t end = f->len - f->at > CHUNK ? f->at + CHUNK : f->len;

		if (f->more)
			find_chunk_512(f, end);
		else
			find_chunk(f, end);
	}
	return f->count && !f->bad;
}

/* Bytes of the number at p, or 0. */
static inline size_t number_length(const char *p, const char *end)
{
	const char *from = p;

	if (*p == '-')
		p++;
	if (p == end || (unsigned)*p - '0' > 9)
		return 0;
	if (*p == '0')
		p++;
	else
		while (p < end && (unsigned)*p - '0' <= 9)
			p++;
	if (p < end && *p == '.') {
		if (++p == end || (unsigned)*p - '0' > 9)
			return 0;
		while (p < end && (unsigned)*p - '0' <= 9)
			p++;
	}
	if (p < end && (*p | 0x20) == 'e') {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (p == end || (unsigned)*p - '0' > 9)
			return 0;
		while (p < end && (unsigned)*p - '0' <= 9)
			p++;
	}
	return (size_t)(p - from);
}

static inline size_t word_length(const char *p, const char *end,
				 const char *word, size_t len)
{
	return (size_t)(end - p) >= len && !memcmp(p, word, len) ? len : 0;
}

/* What may stand behind a number or a word. */
static inline bool ends_scalar(const char *p, const char *end)
{
	return p == end || *p == ',' || *p == '}' || *p == ']' || *p == ' ' ||
	       *p == '\n' || *p == '\r' || *p == '\t';
}

static bool escapes_hold(const char *p, const char *end)
{
	while ((p = memchr(p, '\\', (size_t)(end - p)))) {
		if (end - p < 2)
			return false;
		if (p[1] != 'u') {
			if (!p[1] || !strchr("\"\\/bfnrt", p[1]))
				return false;
			p += 2;
			continue;
		}
		if (end - p < 6)
			return false;
		for (int i = 2; i < 6; i++) {
			char c = (char)(p[i] | 0x20);

			if ((unsigned)p[i] - '0' > 9 && (c < 'a' || c > 'f'))
				return false;
		}
		p += 6;
	}
	return true;
}

WIDE static bool utf8_holds(struct sv text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	const unsigned char *end = p + text.len;

	while (p < end) {
		size_t n;

		if (end - p >= 32) {
			uint32_t high = (uint32_t)_mm256_movemask_epi8(
				_mm256_loadu_si256((const void *)p));

			p += high ? _tzcnt_u32(high) : 32;
			if (!high)
				continue;
		} else if (*p < 0x80) {
			p++;
			continue;
		}
		while (p < end && *p >= 0x80) {
			n = utf8_length(p, end);
			if (!n)
				return false;
			p += n;
		}
	}
	return true;
}

WIDE static inline void put_node(struct json_node *n, uint32_t at, uint32_t len,
				 uint32_t next, enum json_type type)
{
	*n = (struct json_node){
		.at = at, .len = len, .next = next, .type = (uint8_t)type
	};
}

#define NEXT()                                \
	do {                                  \
		if (UNLIKELY(i == f.count)) { \
			if (!find_more(&f))   \
				return false; \
			i = 0;                \
		}                             \
		at = f.places[i++];           \
		c = text.ptr[at];             \
	} while (0)

/* Behind an opening quote: the next place is the closing one. */
#define STRING()                                                             \
	do {                                                                 \
		uint32_t from = at + 1;                                      \
                                                                             \
		NEXT();                                                      \
		put_node(&nodes[n], from, at - from, n + 1, JSON_STRING);    \
		if (f.slashes && memchr(text.ptr + from, '\\', at - from)) { \
			if (!escapes_hold(text.ptr + from, text.ptr + at))   \
				return false;                                \
			nodes[n].escaped = 1;                                \
		}                                                            \
		n++;                                                         \
	} while (0)

WIDE bool json_wide_parse(struct sv text, const struct json_census *census,
			  enum json_wide how, struct json_node *nodes,
			  uint32_t *count)
{
	const char *end = text.ptr + text.len;
	uint32_t open[JSON_DEPTH_MAX];
	uint32_t depth = 0, i = 0, n = 0, at;
	struct finder f;
	size_t len;
	bool object;
	char c;

	if (census->high && !utf8_holds(text))
		return false;
	f.text = text.ptr;
	f.len = text.len;
	f.at = 0;
	f.slashes = census->slashes;
	f.more = how == JSON_WIDE_512;
	f.in_string = f.escape = f.scalar = f.bad = 0;
	f.count = 0;
	NEXT();
value:
	switch (c) {
	case '"':
		STRING();
		goto after;
	case '{':
	case '[':
		if (depth == JSON_DEPTH_MAX)
			return false;
		object = c == '{';
		open[depth++] = n;
		put_node(&nodes[n], at, 0, 0,
			 object ? JSON_OBJECT : JSON_ARRAY);
		n++;
		NEXT();
		if (c == (object ? '}' : ']'))
			goto close;
		if (object)
			goto key;
		goto value;
	case 't':
		len = word_length(text.ptr + at, end, "true", 4);
		put_node(&nodes[n], at, 4, n + 1, JSON_TRUE);
		break;
	case 'f':
		len = word_length(text.ptr + at, end, "false", 5);
		put_node(&nodes[n], at, 5, n + 1, JSON_FALSE);
		break;
	case 'n':
		len = word_length(text.ptr + at, end, "null", 4);
		put_node(&nodes[n], at, 4, n + 1, JSON_NULL);
		break;
	default:
		len = number_length(text.ptr + at, end);
		put_node(&nodes[n], at, (uint32_t)len, n + 1, JSON_NUMBER);
		break;
	}
	n++;
	if (!len || !ends_scalar(text.ptr + at + len, end))
		return false;
after:
	if (!depth)
		goto done;
	NEXT();
	object = nodes[open[depth - 1]].type == JSON_OBJECT;
	if (c == ',') {
		NEXT();
		if (object)
			goto key;
		goto value;
	}
	if (c != (object ? '}' : ']'))
		return false;
close:
	depth--;
	nodes[open[depth]].len = at + 1 - nodes[open[depth]].at;
	nodes[open[depth]].next = n;
	goto after;
key:
	if (c != '"')
		return false;
	STRING();
	NEXT();
	if (c != ':')
		return false;
	NEXT();
	goto value;
done:
	*count = n;
	/* Nothing may follow but space, nor may a string be open. */
	return i == f.count && !find_more(&f) && !f.bad && !f.in_string;
}

#else

enum json_wide json_wide_can(void)
{
	return JSON_WIDE_NONE;
}

struct json_census json_wide_census(struct sv text)
{
	return (struct json_census){ text.len + 1, true, true };
}

bool json_wide_parse(struct sv text, const struct json_census *census,
		     enum json_wide how, struct json_node *nodes,
		     uint32_t *count)
{
	(void)text, (void)census, (void)how, (void)nodes, (void)count;
	return false;
}

#endif
