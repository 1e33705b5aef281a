/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk: rows of one dictionary, sorted by trace id, turned into columns.
 * Values of the same name and kind lie next to each other, each column in
 * whatever form is smallest for it:
 *
 *   trace ids            16 bytes each, once a trace
 *   span, segment ids    8 bytes; one that another row of the trace has (a
 *                        parent) is that row's number, a few bits
 *   other ids, UUIDs     16 bytes
 *   times                since the trace's start; ends since their start
 *   numbers, strings of  bits: constant; difference to the least one; number
 *   the dictionary       in a list of those that occur; a usual one and the
 *                        exceptions; length and digits; nothing at all where
 *                        another column says it already (numbers.h)
 *   text                 bytes behind each other
 *
 * Bits and ids do not shrink and are stored as they are; text, lists and
 * headers are one zlib stream, which is small: opening a chunk costs little,
 * and reading one trace skips over the others.
 *
 *   chunk = le32 bytes of head, le32 of its zlib, zlib(head), bits and ids
 *
 * No checksum: the container's. Every length and number in it is checked when
 * it is read, so that foreign bytes cost ERR_CORRUPT and no more.
 */
#ifndef TALLY_TRACER_SHAPE_COLUMNS_H
#define TALLY_TRACER_SHAPE_COLUMNS_H

#include "core/base/arena.h"
#include "core/codec/deflate.h"
#include "tracer/shape/shape.h"

enum {
	COLUMNS_ROWS_MAX = 1 << 16,    /* of a chunk */
	COLUMNS_ROW_BYTES = 128 << 10, /* of rows a chunk should be made of: it
				       * becomes about 64 KB */
	COLUMNS_CHUNK_MAX = 16 << 20,
};

struct columns_row {
	const uint8_t *trace_id; /* TRACE_ID_SIZE bytes */
	struct sv row;
	uint64_t extra; /* the caller's; small differences cost little */
};

/* Working memory of columns_encode; keep one for many chunks. */
struct columns_encoder;
int columns_encoder_new(struct columns_encoder **out) MUST_USE;
void columns_encoder_free(struct columns_encoder *e);

/* Appends the chunk of count (1 to COLUMNS_ROWS_MAX) rows, whose trace ids do
 * not decrease; rows of one trace keep their order. ERR_CORRUPT: not rows of
 * s; ERR_NOMEM; ERR_LIMIT: out's. On an error out is as it was. */
int columns_encode(struct columns_encoder *e, struct deflate *deflate,
		   const struct shapes *s, const struct columns_row *rows,
		   size_t count, struct buf *out) MUST_USE;

/* A chunk that is read. All of it is in the arena; chunk must outlive it. */
struct columns;
int columns_open(struct columns **out, struct arena *arena,
		 const struct shapes *s, struct sv chunk) MUST_USE;
size_t columns_rows(const struct columns *c);
/* The rows of a trace: [*first, *first + *count). False: it has none. */
bool columns_find(const struct columns *c,
		  const uint8_t trace_id[TRACE_ID_SIZE], size_t *first,
		  size_t *count);
/* Rows [first, first + count), which must be whole traces, as they were given
 * to columns_encode, in arena. May be called again for later rows only: it
 * reads forward. ERR_CORRUPT, ERR_NOMEM. */
int columns_read(struct columns *c, size_t first, size_t count,
		 struct arena *arena, struct columns_row **rows) MUST_USE;

#endif
