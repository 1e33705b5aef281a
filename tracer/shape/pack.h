/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What packing a document and packing a span have in common: values are noted
 * on a stack while the shape is built, and written behind its number.
 */
#ifndef TALLY_TRACER_SHAPE_PACK_H
#define TALLY_TRACER_SHAPE_PACK_H

#include "tracer/shape/value.h"

struct pack_value {
	union {
		const char *text;
		uint64_t number;
	};
	uint32_t len; /* of text; a list's from the first element to the last */
	/* Of a list: how many elements; its node, or its first element's bytes;
	 * its key's node, or what message the elements are. */
	uint32_t count, list, key;
	uint8_t form; /* PLACE_MARK, LIST_MARK; of a span's: its step */
};

/* Room for SHAPE_PLACES_MAX more; false: memory is used up. */
bool pack_room(struct shapes_scratch *scratch);
/* Where the next value is noted, all of it but what is not of its form. NULL:
 * the shape whose values begin at first is full. A copy would cost more than
 * all the rest: it would have to wait for what was just written. */
static inline struct pack_value *pack_note(struct shapes_scratch *scratch,
					   size_t first)
{
	if (scratch->value_count - first >= SHAPE_PLACES_MAX)
		return NULL;
	return &scratch->values[scratch->value_count++];
}

static inline bool pack_note_text(struct shapes_scratch *scratch, size_t first,
				  unsigned form, const void *text, size_t len)
{
	struct pack_value *v = pack_note(scratch, first);

	if (!v)
		return false;
	v->form = (uint8_t)form;
	v->text = text;
	v->len = (uint32_t)len;
	return true;
}

static inline bool pack_note_number(struct shapes_scratch *scratch,
				    size_t first, unsigned form,
				    uint64_t number)
{
	struct pack_value *v = pack_note(scratch, first);

	if (!v)
		return false;
	v->form = (uint8_t)form;
	v->number = number;
	return true;
}

/* Copies n bytes, most often few: 16 at a time while these are within what
 * may be read, up to end. `to` has room for 16 more. */
static inline void pack_copy(uint8_t *to, const uint8_t *from, size_t n,
			     const uint8_t *end)
{
	if (n <= 64 && (size_t)(end - from) >= n + 16) {
		for (size_t i = 0; i < n; i += 16)
			memcpy(to + i, from + i, 16);
	} else if (n) {
		memcpy(to, from, n);
	}
}

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
