/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a borrowed view (struct sv: pointer and length, no NUL promised) and a
 * growing buffer with a limit (struct buf). Names travel as sv, answers are
 * built in a buf. A buf that hits its limit or memory's end stays valid and
 * remembers it in `failed`, so that a writer checks once, at the end.
 */
#ifndef TALLY_CORE_BASE_TEXT_H
#define TALLY_CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/err.h"

struct sv {
	const char *ptr;
	size_t len;
};

#define SV(literal) ((struct sv){ "" literal, sizeof(literal) - 1 })
/* The same where a static table is initialised. */
#define SV_INIT(literal) { "" literal, sizeof(literal) - 1 }
#define SV_ARG(s) (int)(s).len, (s).ptr /* for "%.*s" */

static inline struct sv sv_from(const char *text)
{
	return (struct sv){ text, text ? strlen(text) : 0 };
}

static inline struct sv sv_make(const char *ptr, size_t len)
{
	return (struct sv){ ptr, len };
}

static inline bool sv_eq(struct sv a, struct sv b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

/* Bytewise order; a prefix sorts before what it begins. <0, 0, >0. */
int sv_cmp(struct sv a, struct sv b);
bool sv_starts(struct sv s, struct sv prefix);
bool sv_ends(struct sv s, struct sv suffix);
/* Cuts s at the first `at`: returns what is before it, leaves the rest in *s.
 * Without one, returns all and leaves *s empty with ptr NULL. */
struct sv sv_cut(struct sv *s, char at);
struct sv sv_trim(struct sv s);

/* Decimal digits only, whole text. False: other bytes, empty, or overflow. */
bool sv_to_u64(struct sv s, uint64_t *out) MUST_USE;
bool sv_to_i64(struct sv s, int64_t *out) MUST_USE;
/* Lower or upper hex, exactly 2*size digits. */
bool sv_to_hex(struct sv s, uint8_t *out, size_t size) MUST_USE;
/* Writes 2*size lower-case digits and no NUL. */
void hex_from(char *out, const uint8_t *bytes, size_t size);
/* Valid UTF-8 by RFC 3629 (no overlong forms, no surrogates). */
bool sv_is_utf8(struct sv s);

enum { BUF_LIMIT_DEFAULT = 64 << 20 }; /* bytes; limit 0 means this */

struct buf {
	char *ptr;     /* NUL-terminated when not NULL */
	size_t len;    /* without the NUL */
	size_t cap;
	size_t limit;  /* most bytes it may hold; 0: BUF_LIMIT_DEFAULT */
	bool failed;   /* something did not fit; what is there is a prefix */
};

#define BUF_INIT { 0 }

void buf_fini(struct buf *b);
void buf_reset(struct buf *b); /* empties it, keeps the memory */
/* Makes room for n more bytes: pointer to them, or NULL and failed. */
char *buf_grow(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_sv(struct buf *b, struct sv s);
void buf_text(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_format(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_u64(struct buf *b, uint64_t v);
/* Hands the memory over (free() it); the buf is empty afterwards. */
char *buf_detach(struct buf *b);

static inline struct sv buf_view(const struct buf *b)
{
	return (struct sv){ b->ptr ? b->ptr : "", b->len };
}

/* Fixed-width big-endian, for keys that must sort as numbers, and
 * little-endian, for the bytes of files. */
static inline void put_be64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline uint64_t get_be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return (uint64_t)get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

#endif
