/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/columns_encode.h"

#include <assert.h>
#include <stdlib.h>

int columns_encoder_new(struct columns_encoder **out)
{
	struct columns_encoder *e = calloc(1, sizeof(*e));

	*out = NULL;
	if (!e)
		return ERR_NOMEM;
	if (numbers_writer_new(&e->writer)) {
		free(e);
		return ERR_NOMEM;
	}
	e->head.limit = e->tail.limit = COLUMNS_CHUNK_MAX;
	*out = e;
	return 0;
}

void columns_encoder_free(struct columns_encoder *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->stream_cap; i++) {
		free(e->streams[i].numbers);
		buf_fini(&e->streams[i].bytes);
	}
	for (size_t i = 0; i < e->column_cap; i++)
		free(e->columns[i].kinds);
	free(e->streams);
	free(e->columns);
	free(e->places);
	free(e->shapes);
	free(e->known);
	free(e->pending);
	free(e->slots);
	free(e->roots.numbers);
	free(e->extras.numbers);
	free(e->trace_rows.numbers);
	free(e->trace_ids.numbers);
	free(e->bases.numbers);
	numbers_writer_free(e->writer);
	buf_fini(&e->head);
	buf_fini(&e->tail);
	free(e);
}

enum { AHEAD = 6 }; /* rows */

/* --- the rows -------------------------------------------------------------------------- */

static uint32_t prefix_of(const uint8_t *trace_id)
{
	return (uint32_t)trace_id[0] << 24 | (uint32_t)trace_id[1] << 16 |
	       (uint32_t)trace_id[2] << 8 | trace_id[3];
}

static void end_trace(struct columns_encoder *e, const uint8_t *trace_id,
		      uint32_t before, size_t rows)
{
	columns_take_trace(e);
	stream_number(e, &e->trace_rows, rows);
	stream_number(e, &e->trace_ids, prefix_of(trace_id) - before);
	stream_number(e, &e->bases, (uint64_t)e->base_ns);
	buf_add(&e->tail, trace_id + TRACE_PREFIX,
		TRACE_ID_SIZE - TRACE_PREFIX);
}

/* Rows come in the order of their ids, which is no order in memory. */
static void fetch(const struct columns_row *row)
{
	enum { LINE = 64 };

	__builtin_prefetch(row->trace_id);
	__builtin_prefetch(row->row.ptr);
	__builtin_prefetch(row->row.ptr + LINE);
}

static int take_rows(struct columns_encoder *e, const struct columns_row *rows,
		     size_t count)
{
	uint32_t before = 0;
	size_t first = 0;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *id = rows[first].trace_id;
		int order = memcmp(id, rows[i].trace_id, TRACE_ID_SIZE);

		if (i + AHEAD < count)
			fetch(&rows[i + AHEAD]);
		if (order) {
			assert(order < 0);
			end_trace(e, id, before, i - first);
			before = prefix_of(id);
			first = i;
		}
		if (!columns_take_row(e, rows[i].row))
			return e->failed ? ERR_NOMEM : ERR_CORRUPT;
		stream_number(e, &e->extras, rows[i].extra);
	}
	end_trace(e, rows[first].trace_id, before, count - first);
	return e->failed ? ERR_NOMEM : 0;
}

/* --- head and tail ------------------------------------------------------------------------ */

static void put_numbers(struct columns_encoder *e, const struct stream *s)
{
	numbers_put(e->writer, s->numbers, s->count, &e->head, &e->tail);
}

static void put_stream(struct columns_encoder *e, const struct stream *s,
		       unsigned kind)
{
	switch (column_kind_form(kind)) {
	case FORM_NUMBERS:
		put_numbers(e, s);
		break;
	case FORM_BYTES8:
	case FORM_BYTES16:
		protobuf_varint_put(&e->head, s->bytes.len);
		buf_sv(&e->tail, buf_view(&s->bytes));
		break;
	case FORM_TEXT:
		put_numbers(e, s);
		protobuf_varint_put(&e->head, s->bytes.len);
		buf_sv(&e->head, buf_view(&s->bytes));
		break;
	case FORM_NONE:
		break;
	}
	e->failed |= s->bytes.failed;
}

static void put_column(struct columns_encoder *e, const struct column *c)
{
	struct stream *kinds = &e->roots; /* written already: it is free */
	uint64_t set = 0;

	kinds->count = 0;
	for (size_t i = 0; i < c->count; i++)
		stream_number(e, kinds, c->kinds[i]);
	/* A kind may have lost its last id to COLUMN_SAME_*. */
	for (unsigned k = 0; k < COLUMN_KINDS; k++)
		if (c->streams[k])
			set |= UINT64_C(1) << k;
	protobuf_varint_put(&e->head, c->name);
	put_numbers(e, kinds);
	protobuf_varint_put(&e->head, set);
	for (unsigned k = 0; k < COLUMN_KINDS; k++)
		if (c->streams[k])
			put_stream(e, &e->streams[c->streams[k] - 1], k);
}

static void put_all(struct columns_encoder *e, size_t rows)
{
	numbers_begin(e->writer);
	buf_char(&e->head, COLUMNS_FORMAT);
	protobuf_varint_put(&e->head, rows);
	protobuf_varint_put(&e->head, e->trace_rows.count);
	protobuf_varint_put(&e->head, e->column_count);
	put_numbers(e, &e->trace_rows);
	put_numbers(e, &e->trace_ids);
	put_numbers(e, &e->bases);
	put_numbers(e, &e->roots);
	put_numbers(e, &e->extras);
	for (size_t i = 0; i < e->column_count; i++)
		put_column(e, &e->columns[i]);
}

int columns_frame(struct deflate *deflate, struct sv head, struct sv tail,
		  struct buf *out)
{
	size_t begin = out->len;
	uint8_t frame[COLUMNS_FRAME] = { 0 };
	int e;

	if (out->failed)
		return ERR_LIMIT;
	buf_add(out, frame, sizeof(frame));
	e = out->failed ? ERR_LIMIT : deflate_zlib(deflate, out, head);
	put_le32(frame, (uint32_t)head.len);
	put_le32(frame + 4, (uint32_t)(out->len - begin - sizeof(frame)));
	buf_sv(out, tail);
	if (!e && !out->failed) {
		memcpy(out->ptr + begin, frame, sizeof(frame));
		return 0;
	}
	out->len = begin;
	out->failed = false;
	if (out->ptr)
		out->ptr[begin] = '\0';
	return e ? e : ERR_LIMIT;
}

int columns_encode(struct columns_encoder *e, struct deflate *deflate,
		   const struct shapes *s, const struct columns_row *rows,
		   size_t count, struct buf *out)
{
	int err;

	assert(count > 0 && count <= COLUMNS_ROWS_MAX);
	err = columns_take_begin(e, s);
	if (!err)
		err = take_rows(e, rows, count);
	if (err)
		return err;
	put_all(e, count);
	if (e->failed)
		return ERR_NOMEM;
	if (e->head.failed || e->tail.failed)
		return ERR_LIMIT;
	return columns_frame(deflate, buf_view(&e->head), buf_view(&e->tail),
			     out);
}
