/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk of a block: the documents of whole traces of one scope, sorted by
 * trace id, as rows in columns (tracer/shape/columns.h).
 */
#ifndef TALLY_TRACER_CHUNK_H
#define TALLY_TRACER_CHUNK_H

#include "tracer/shape/columns.h"

/* Rows of one trace, or of all; in the arena. */
struct chunk_rows {
	struct columns_row *items;
	size_t count;
};

/* The rows of a trace; NULL: of all. None: count is 0. ERR_CORRUPT. */
int chunk_read(struct sv chunk, const struct shapes *shapes,
	       const uint8_t trace_id[TRACE_ID_SIZE], struct arena *arena,
	       struct chunk_rows *out) MUST_USE;
/* The document behind a row, appended to out; *document borrows from it. */
int chunk_unpack(const struct shapes *shapes, const struct columns_row *row,
		 struct buf *out, struct document *document) MUST_USE;

#endif
