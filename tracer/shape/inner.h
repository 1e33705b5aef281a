/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share: the dictionary's layout, what a place
 * of a shape is, and how rows and shapes are written as bytes.
 *
 *   image    = le32 entries, le32 bytes of text,
 *              le32 end of each entry in text, text
 *   entry    = kind, bytes
 *   shape    = an entry of kind JSON, SPAN or VERBATIM; the next entry has its
 *              places: for each value a varint, column << PLACE_BITS | role
 *   row      = varint shape, values
 *   value    = kind, what the kind has (below); of a list's place: varint
 *              count, that many rows
 *
 * A JSON shape is its text with PLACE_MARK for a value and LIST_MARK for an
 * array's elements: bytes that JSON text cannot have. A span's is a list of
 * SPAN_* steps, each with the tag of its field as it came.
 */
#ifndef TALLY_TRACER_SHAPE_INNER_H
#define TALLY_TRACER_SHAPE_INNER_H

#include <assert.h>
#include <stdatomic.h>

#include "core/codec/protobuf.h"
#include "tracer/shape/shape.h"

enum entry_kind {
	ENTRY_TEXT,     /* a string */
	ENTRY_JSON,     /* a shape */
	ENTRY_SPAN,     /* a shape */
	ENTRY_VERBATIM, /* a shape of one value: the document */
	ENTRY_SOURCE,   /* four varint lengths and texts: struct span_source */
	ENTRY_COLUMN,   /* a column's name */
	ENTRY_PLACES,   /* of the shape before it */
};

/* Entries every dictionary begins with. */
enum {
	SHAPE_VERBATIM_JSON = 0,
	SHAPE_VERBATIM_OTLP = 2,
	SHAPES_RESERVED = 6,
};
#define SHAPE_NONE UINT32_MAX

enum place_role {
	PLACE_PLAIN,
	PLACE_START, /* a time: the trace's, or the enclosing one's, and more */
	PLACE_END,   /* a time: the start before it in its row, and more */
	PLACE_ID,    /* what parents of the same trace refer to */
	PLACE_LIST,
	PLACE_BITS = 3,
};

enum { PLACE_MARK = 1, LIST_MARK = 2 };

/* Steps of a span's shape; a tag follows each but SPAN_SOURCE, SPAN_CLOSE. */
enum {
	SPAN_SOURCE = 1, /* resource and scope; the first of a whole document */
	SPAN_TEXT,
	SPAN_ID, /* bytes; binary where they are 8 or 16 */
	SPAN_VARINT,
	SPAN_FIXED64,
	SPAN_FIXED32,
	SPAN_OPEN, /* a nested message, to SPAN_CLOSE */
	SPAN_CLOSE,
	SPAN_LITERAL, /* then varint length, bytes: no place, always so */
	SPAN_LIST,    /* messages in a row with this tag */
	/* Attributes of one value; then varint length, key. */
	SPAN_PAIR_TEXT,
	SPAN_PAIR_INT,
	SPAN_PAIR_BOOL,
};

enum value_kind {
	VALUE_TEXT,        /* varint length, bytes */
	VALUE_ENTRY,       /* varint: an entry of kind TEXT, or a SOURCE */
	VALUE_HEX8,        /* 8 bytes: 16 lower-case hex digits */
	VALUE_HEX16,       /* 16 bytes: 32 digits */
	VALUE_UUID,        /* 16 bytes: 8-4-4-4-12 digits */
	VALUE_XRAY,        /* 16 bytes: "1-" 8 "-" 24 digits */
	VALUE_HEX16_OWN,   /* the trace's id as VALUE_HEX16 */
	VALUE_XRAY_OWN,    /* the trace's id as VALUE_XRAY */
	VALUE_BYTES8,      /* 8 bytes as they are */
	VALUE_BYTES16,     /* 16 */
	VALUE_BYTES16_OWN, /* the trace's id */
	VALUE_NUMBER = 16, /* + decimals: zigzag varint. Or a number's bits */
	VALUE_DECIMALS_MAX = 18,
	VALUE_KINDS = VALUE_NUMBER + VALUE_DECIMALS_MAX + 1,
};

/* --- dictionary ------------------------------------------------------------ */

struct shapes_live;

struct shapes {
	const uint8_t *text; /* bytes of all entries */
	const uint8_t *ends; /* le32 each */
	/* Written by the owner while others read, who want no more of it than
	 * was there when they got their row. */
	_Atomic uint32_t count, text_len;
	struct shapes_live *live; /* NULL: an image, to read from */
};

static inline uint32_t shapes_entries(const struct shapes *s)
{
	return atomic_load_explicit(&s->count, memory_order_relaxed);
}

static inline uint32_t shapes_text(const struct shapes *s)
{
	return atomic_load_explicit(&s->text_len, memory_order_relaxed);
}

/* False: no such entry, or it is damaged. */
static inline bool shapes_entry(const struct shapes *s, uint32_t number,
				enum entry_kind *kind, struct sv *bytes)
{
	uint32_t from, to;

	if (number >= shapes_entries(s))
		return false;
	from = number ? get_le32(s->ends + 4 * ((size_t)number - 1)) : 0;
	to = get_le32(s->ends + 4 * (size_t)number);
	if (from >= to || to > shapes_text(s))
		return false;
	*kind = (enum entry_kind)s->text[from];
	*bytes = sv_make((const char *)s->text + from + 1, to - from - 1);
	return true;
}

static inline bool shapes_is_shape(enum entry_kind kind)
{
	return kind == ENTRY_JSON || kind == ENTRY_SPAN ||
	       kind == ENTRY_VERBATIM;
}

/* Most strings are short: less than a call of memcmp costs. */
static inline bool shapes_same(const uint8_t *a, const char *text, size_t n)
{
	const uint8_t *b = (const uint8_t *)text;

	if (n > 32 || n < 8)
		return !n || !memcmp(a, b, n);
	for (size_t i = 0; i + 8 <= n; i += 8)
		if (get_le64(a + i) != get_le64(b + i))
			return false;
	return get_le64(a + n - 8) == get_le64(b + n - 8);
}

/* The last string of a place, most often the next one too: found without a
 * hash. Places share them; the text decides. */
struct shape_memo {
	uint32_t number, at, len; /* len 0: none */
};
enum { SHAPE_MEMOS = 1 << 10 };

/* What packing needs besides the dictionary; kept between documents. */
struct shapes_scratch {
	struct buf shape;          /* shapes under construction, a stack */
	struct buf row;            /* the row under construction */
	struct buf places;         /* of a new shape */
	struct buf name;           /* of a column */
	struct pack_value *values; /* a stack */
	size_t value_count, value_cap;
	uint32_t source; /* the last span's */
	struct shape_memo memos[SHAPE_MEMOS];
};
struct shapes_scratch *shapes_scratch(struct shapes *s);

/* The entry of these bytes, or SHAPE_NONE. hash is shapes_hash's. */
uint64_t shapes_hash(enum entry_kind kind, struct sv bytes);
uint32_t shapes_find(const struct shapes *s, enum entry_kind kind,
		     struct sv bytes, uint64_t hash);
/* Not found: is it time to enter it? True at the second time. */
bool shapes_seen(struct shapes *s, uint64_t hash);
/* Enters it now, found or not; SHAPE_NONE over the limit. */
uint32_t shapes_enter(struct shapes *s, enum entry_kind kind, struct sv bytes);
/* A shape with its places. */
uint32_t shapes_enter_shape(struct shapes *s, enum entry_kind kind,
			    struct sv shape, struct sv places);
/* The string of a place: its entry, entered if it is time; or SHAPE_NONE. */
uint32_t shapes_string(struct shapes *s, struct sv text, uint32_t shape,
		       uint32_t place);
void shapes_count(struct shapes *s, bool verbatim);

/* --- places ------------------------------------------------------------------ */

void place_put(struct buf *places, uint32_t column, enum place_role role);

/* --- varints of rows -------------------------------------------------------- */

static inline uint8_t *varint_put(uint8_t *to, uint64_t v)
{
	while (v >= 0x80) {
		*to++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*to++ = (uint8_t)v;
	return to;
}

static inline uint64_t zigzag(int64_t v)
{
	return v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1;
}

/* Reads rows and heads; past the end is remembered in bad. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static inline struct reader reader_of(struct sv bytes)
{
	const uint8_t *at = (const uint8_t *)(bytes.ptr ? bytes.ptr : "");

	return (struct reader){ at, at + (bytes.ptr ? bytes.len : 0), false };
}

static inline uint64_t read_varint(struct reader *r)
{
	struct protobuf p = { r->at, r->end };
	uint64_t v = 0;

	if (r->at < r->end && *r->at < 0x80)
		return *r->at++;
	if (!protobuf_varint_long(&p, &v)) {
		r->bad = true;
		r->at = r->end;
		return 0;
	}
	assert(p.at);
	r->at = p.at;
	return v;
}

static inline uint8_t read_byte(struct reader *r)
{
	if (r->at < r->end)
		return *r->at++;
	r->bad = true;
	return 0;
}

/* NULL and bad where there are not n more. */
static inline const uint8_t *read_bytes(struct reader *r, uint64_t n)
{
	const uint8_t *at = r->at;

	if (n > (size_t)(r->end - r->at)) {
		r->bad = true;
		r->at = r->end;
		return NULL;
	}
	r->at += n;
	return at;
}

#endif
