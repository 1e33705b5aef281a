/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What packing a document and packing a span have in common: values are noted
 * on a stack while the shape is built, and written behind its number.
 */
#ifndef TALLY_TRACER_SHAPE_PACK_H
#define TALLY_TRACER_SHAPE_PACK_H

#include "tracer/shape/value.h"

struct pack_value {
	struct sv text;
	uint64_t number;
	/* Of a list: which node, its key's node, how many elements. */
	uint32_t list, key, count;
	uint8_t form; /* LIST_MARK; of a span's: its step */
};

/* Notes a value; false: memory is used up. */
bool pack_note(struct shapes_scratch *scratch, struct pack_value value);
/* Writes text as the shape's value at place. */
uint8_t *pack_text(struct shapes *s, uint8_t *at, struct sv text,
		   const uint8_t trace_id[TRACE_ID_SIZE], uint32_t shape,
		   uint32_t place);
/* A row that is text alone; shape is a SHAPE_VERBATIM_*. */
uint8_t *pack_verbatim(uint8_t *at, uint32_t shape, struct sv text);
/* Empties the scratch's row and makes room for size bytes; NULL: no memory. */
uint8_t *pack_begin(struct shapes *s, size_t size);
/* Appends to row what was written up to end. */
bool pack_end(struct shapes *s, const uint8_t *end, struct buf *row);

/* The entry of where a span comes from; SHAPE_NONE: it has none (yet). */
uint32_t pack_source(struct shapes *s, const struct span_source *source);

#endif
