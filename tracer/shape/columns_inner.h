/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer and the reader of chunks agree on. The head:
 *
 *   byte COLUMNS_FORMAT, varint rows, traces, columns
 *   numbers: rows of each trace; first 4 bytes of its id over the last one's;
 *            its base in ns. The other 12 bytes of the ids are in the tail
 *   numbers: shape of each row; extra of each row
 *   of each column: varint name, numbers: kind of each value; varint set of
 *            its kinds; of each kind, in order, what column_kind_form says
 *
 * A time is kept as the difference to the start it belongs to: that of its own
 * row, if one came before it there; or of the row around it, or the trace's
 * base, which is the first start there is.
 */
#ifndef TALLY_TRACER_SHAPE_COLUMNS_INNER_H
#define TALLY_TRACER_SHAPE_COLUMNS_INNER_H

#include "tracer/shape/columns.h"
#include "tracer/shape/numbers.h"

enum { COLUMNS_FORMAT = 1, COLUMNS_FRAME = 8, TRACE_PREFIX = 4 };

/* Up to VALUE_BYTES16_OWN and from VALUE_NUMBER on the same as value_kind. */
enum column_kind {
	COLUMN_SAME_HEX8 = VALUE_BYTES16_OWN + 1, /* an id of the trace */
	COLUMN_SAME_BYTES8,
	COLUMN_TIME_S, /* seconds with decimals, kept in ns */
	COLUMN_TIME_NS,
	COLUMN_LIST,                 /* how many elements */
	COLUMN_SHAPES = VALUE_KINDS, /* of the elements; no value has this */
	COLUMN_KINDS,
};
_Static_assert((int)COLUMN_LIST < (int)VALUE_NUMBER, "kinds must not overlap");

/* How the values of a kind are stored. */
enum column_form {
	FORM_NONE,    /* nothing to store */
	FORM_NUMBERS, /* numbers */
	FORM_BYTES8,  /* in the tail, 8 each */
	FORM_BYTES16,
	FORM_TEXT, /* numbers: lengths; then, in the head, the bytes */
};

static inline enum column_form column_kind_form(unsigned kind)
{
	switch (kind) {
	case VALUE_TEXT:
		return FORM_TEXT;
	case VALUE_HEX8:
	case VALUE_BYTES8:
		return FORM_BYTES8;
	case VALUE_HEX16:
	case VALUE_UUID:
	case VALUE_XRAY:
	case VALUE_BYTES16:
		return FORM_BYTES16;
	case VALUE_HEX16_OWN:
	case VALUE_XRAY_OWN:
	case VALUE_BYTES16_OWN:
		return FORM_NONE;
	default:
		return FORM_NUMBERS;
	}
}

/* The start that times of a row are counted from; around: of the row whose
 * list this one is in. */
struct time_frame {
	const struct time_frame *around;
	bool own;
	int64_t start_ns;
};

static inline int64_t time_frame_start(const struct time_frame *f,
				       int64_t base_ns)
{
	for (; f; f = f->around)
		if (f->own)
			return f->start_ns;
	return base_ns;
}

/* Appends the chunk of these parts; on an error out is as it was. */
int columns_frame(struct deflate *deflate, struct sv head, struct sv tail,
		  struct buf *out) MUST_USE;

#endif
