/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows taken apart: the values of each column and kind behind each other, as
 * columns_encode.c then writes them. Memory is kept from chunk to chunk.
 */
#ifndef TALLY_TRACER_SHAPE_COLUMNS_ENCODE_H
#define TALLY_TRACER_SHAPE_COLUMNS_ENCODE_H

#include "tracer/shape/columns_inner.h"

struct stream {
	uint64_t *numbers;
	size_t count, cap;
	struct buf bytes;
};

enum { STREAM_NONE = 0 }; /* in column.streams */

struct column {
	uint32_t name;
	uint8_t *kinds;
	size_t count, cap;
	uint32_t streams[COLUMN_KINDS]; /* 1 + index */
};

struct shape_place {
	uint32_t column; /* index */
	uint8_t role;
};

struct known_shape {
	uint32_t places, place_count; /* first, how many */
	bool seconds;                 /* times are JSON's */
};

/* An 8-byte id whose kind is known when its trace's rows have been seen. */
struct pending_id {
	uint64_t id;
	uint32_t column, at; /* column, place in its kinds */
	bool defines;
};

struct id_slot {
	uint64_t id;
	uint32_t trace, ordinal; /* trace: its number + 1; else free */
};

struct columns_encoder {
	const struct shapes *s;
	struct stream *streams; /* pool */
	size_t stream_count, stream_cap;
	struct column *columns; /* pool */
	size_t column_count, column_cap;
	struct shape_place *places;
	size_t place_count, place_cap;
	struct known_shape *shapes;
	size_t shape_count, shape_cap;
	uint32_t *known; /* by entry: 1 + index of its shape, or column */
	size_t known_count, known_cap;
	struct pending_id *pending;
	size_t pending_count, pending_cap;
	struct id_slot *slots;
	size_t slot_cap; /* a power of two */
	uint32_t trace, ordinals;
	/* Of the trace at hand. */
	const uint8_t *trace_id;
	bool has_base;
	int64_t base_ns;
	/* Of all: */
	struct stream roots, extras, trace_rows, trace_ids, bases;
	struct numbers_writer *writer;
	struct buf head, tail;
	bool failed; /* memory is used up */
};

void stream_number(struct columns_encoder *e, struct stream *s, uint64_t v);
/* Empties all; ERR_NOMEM. */
int columns_take_begin(struct columns_encoder *e, const struct shapes *s);
/* A row of the trace at hand. False: it is none of s. */
bool columns_take_row(struct columns_encoder *e, struct sv row);
/* The trace is complete. */
void columns_take_trace(struct columns_encoder *e);

#endif
