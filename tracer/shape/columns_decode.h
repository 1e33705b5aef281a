/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk opened: where each column's values are, and how far it is read. */
#ifndef TALLY_TRACER_SHAPE_COLUMNS_DECODE_H
#define TALLY_TRACER_SHAPE_COLUMNS_DECODE_H

#include "tracer/shape/columns_inner.h"

/* The values of one kind in one column. */
struct column_values {
	struct numbers numbers;
	const uint8_t *bytes;
	size_t at, len; /* in bytes: what was read, what there is */
};

struct column_reader {
	uint32_t name;
	struct numbers kinds;
	uint8_t index[COLUMN_KINDS]; /* 1 + place in values; 0: no such kind */
	struct column_values *values;
};

struct place_reader {
	struct column_reader *column;
	uint8_t role;
};

/* A shape's places, found by its number. */
struct shape_reader {
	uint32_t number;
	uint32_t place_count;
	struct place_reader *places;
	struct place_reader *lists; /* those of its places that are */
	uint32_t list_count;
	uint64_t skipped; /* rows that are passed over, while counting */
	struct shape_reader *next; /* same slot */
};

enum { SHAPE_SLOTS = 256 };

struct columns {
	const struct shapes *s;
	struct arena *arena;
	size_t rows, traces;
	uint8_t *trace_ids; /* TRACE_ID_SIZE each */
	uint32_t *firsts;   /* row of each trace, and behind the last */
	struct numbers bases, roots, extras;
	struct numbers_lists lists;    /* while it is opened */
	struct column_reader *columns; /* by name */
	size_t column_count;
	bool mixed; /* a list's column has other values too */
	struct shape_reader *shapes[SHAPE_SLOTS];
	size_t at, at_trace; /* next row to read, and its trace */
};

/* The places of a shape; *out NULL with ERR_CORRUPT: it is none. */
int columns_shape(struct columns *c, uint64_t number,
		  struct shape_reader **out) MUST_USE;
/* The values of a kind, or NULL: the chunk has none. */
static inline struct column_values *column_values(struct column_reader *c,
						  uint64_t kind)
{
	return kind < COLUMN_KINDS && c->index[kind] ?
		       &c->values[c->index[kind] - 1] :
		       NULL;
}
/* Takes n bytes; NULL: there are fewer. */
static inline const uint8_t *column_bytes(struct column_values *v, uint64_t n)
{
	const uint8_t *bytes = v->bytes + v->at;

	if (n > v->len - v->at)
		return NULL;
	v->at += (size_t)n;
	return bytes;
}

/* Passes over rows up to `row`, the first of a trace. */
int columns_skip(struct columns *c, size_t row) MUST_USE;

#endif
