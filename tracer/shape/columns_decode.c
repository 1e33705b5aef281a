/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/columns_decode.h"

#include <assert.h>

enum { OUT_FIRST = 1024 };

/* A place in the rows under construction where an id of the trace belongs. */
struct same_id {
	size_t at; /* in out */
	uint64_t ordinal;
};

struct rows_reader {
	struct columns *c;
	struct arena *arena;
	uint8_t *out; /* all rows of the call, one behind the other */
	size_t len, cap, row_begin;
	struct same_id *same;
	size_t same_count, same_cap;
	uint64_t *ids; /* of the trace, in order of their definition */
	size_t id_count, id_cap;
	int64_t base_ns;
	int error;
};

/* --- memory ----------------------------------------------------------------------------- */

static void *larger(struct rows_reader *r, const void *from, size_t used,
		    size_t size)
{
	void *to = arena_alloc(r->arena, size);

	if (!to)
		r->error = ERR_NOMEM;
	else if (used)
		memcpy(to, from, used);
	return to;
}

/* Room for n more bytes of the row at hand, or NULL. */
static uint8_t *room(struct rows_reader *r, size_t n)
{
	if (r->len - r->row_begin + n > SHAPE_ROW_MAX) {
		r->error = ERR_CORRUPT;
		return NULL;
	}
	if (r->len + n > r->cap) {
		size_t cap = r->cap ? 2 * r->cap : OUT_FIRST;
		uint8_t *out;

		while (cap < r->len + n)
			cap *= 2;
		out = larger(r, r->out, r->len, cap);
		if (!out)
			return NULL;
		r->out = out;
		r->cap = cap;
	}
	return r->out + r->len;
}

static void put_id_later(struct rows_reader *r, size_t at, uint64_t ordinal)
{
	if (r->same_count == r->same_cap) {
		size_t cap = r->same_cap ? 2 * r->same_cap : 16;
		struct same_id *same = larger(r, r->same,
					      r->same_count * sizeof(*same),
					      cap * sizeof(*same));

		if (!same)
			return;
		r->same = same;
		r->same_cap = cap;
	}
	r->same[r->same_count++] = (struct same_id){ at, ordinal };
}

static void define_id(struct rows_reader *r, const uint8_t *id)
{
	if (r->id_count == r->id_cap) {
		size_t cap = r->id_cap ? 2 * r->id_cap : 16;
		uint64_t *ids = larger(r, r->ids, r->id_count * sizeof(*ids),
				       cap * sizeof(*ids));

		if (!ids)
			return;
		r->ids = ids;
		r->id_cap = cap;
	}
	r->ids[r->id_count++] = get_le64(id);
}

/* --- values ------------------------------------------------------------------------------- */

static void corrupt(struct rows_reader *r)
{
	if (!r->error)
		r->error = ERR_CORRUPT;
}

static void put_varint(struct rows_reader *r, uint64_t v)
{
	uint8_t *at = room(r, PROTOBUF_VARINT_MAX);

	if (at)
		r->len += (size_t)(varint_put(at, v) - at);
}

static void put_kind(struct rows_reader *r, unsigned kind)
{
	uint8_t *at = room(r, 1);

	if (at) {
		*at = (uint8_t)kind;
		r->len++;
	}
}

static void put_bytes(struct rows_reader *r, struct column_values *v,
		      unsigned kind, uint64_t n)
{
	const uint8_t *bytes = column_bytes(v, n);
	uint8_t *at;

	if (!bytes) {
		corrupt(r);
		return;
	}
	put_kind(r, kind);
	if (kind == VALUE_TEXT)
		put_varint(r, n);
	at = room(r, (size_t)n);
	if (!at)
		return;
	memcpy(at, bytes, (size_t)n);
	r->len += (size_t)n;
}

static void put_same(struct rows_reader *r, struct column_values *v,
		     unsigned kind)
{
	uint8_t *at;

	put_kind(r, kind);
	put_id_later(r, r->len, numbers_next(&v->numbers));
	at = room(r, 8);
	if (!at)
		return;
	memset(at, 0, 8);
	r->len += 8;
}

static void put_time(struct rows_reader *r, struct column_values *v,
		     bool seconds, uint8_t role, struct time_frame *frame)
{
	int64_t delta = protobuf_zigzag(numbers_next(&v->numbers));
	int64_t ns = (int64_t)((uint64_t)time_frame_start(frame, r->base_ns) +
			       (uint64_t)delta);
	int64_t n = ns;
	unsigned decimals = 0;

	if (role == PLACE_START) {
		frame->own = true;
		frame->start_ns = ns;
	}
	if (seconds)
		for (decimals = 9; decimals && n % 10 == 0; decimals--)
			n /= 10;
	put_kind(r, VALUE_NUMBER + decimals);
	put_varint(r, zigzag(n));
}

static void put_value(struct rows_reader *r, const struct place_reader *p,
		      struct time_frame *frame)
{
	unsigned kind = (unsigned)numbers_next(&p->column->kinds);
	struct column_values *v = column_values(p->column, kind);

	if (!v) {
		corrupt(r);
		return;
	}
	switch (kind) {
	case VALUE_TEXT:
		put_bytes(r, v, kind, numbers_next(&v->numbers));
		break;
	case VALUE_HEX8:
	case VALUE_BYTES8:
		put_bytes(r, v, kind, 8);
		if (p->role == PLACE_ID && !r->error)
			define_id(r, r->out + r->len - 8);
		break;
	case VALUE_HEX16:
	case VALUE_UUID:
	case VALUE_XRAY:
	case VALUE_BYTES16:
		put_bytes(r, v, kind, 16);
		break;
	case VALUE_HEX16_OWN:
	case VALUE_XRAY_OWN:
	case VALUE_BYTES16_OWN:
		put_kind(r, kind);
		break;
	case COLUMN_SAME_HEX8:
		put_same(r, v, VALUE_HEX8);
		break;
	case COLUMN_SAME_BYTES8:
		put_same(r, v, VALUE_BYTES8);
		break;
	case COLUMN_TIME_S:
	case COLUMN_TIME_NS:
		put_time(r, v, kind == COLUMN_TIME_S, p->role, frame);
		break;
	case COLUMN_LIST:
	case COLUMN_SHAPES:
		corrupt(r);
		break;
	default:
		put_kind(r, kind);
		put_varint(r, numbers_next(&v->numbers));
	}
	if (v->numbers.bad)
		corrupt(r);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void put_row(struct rows_reader *r, uint64_t number,
		    const struct time_frame *around, unsigned depth);

static void put_list(struct rows_reader *r, struct column_reader *column,
		     const struct time_frame *frame, unsigned depth)
{
	uint64_t kind = numbers_next(&column->kinds), count;
	struct column_values *v = column_values(column, kind);
	struct column_values *shapes = column_values(column, COLUMN_SHAPES);

	if (!v || kind != COLUMN_LIST || depth > SHAPE_DEPTH_MAX) {
		corrupt(r);
		return;
	}
	count = numbers_next(&v->numbers);
	put_varint(r, count);
	for (; count && !r->error; count--) {
		if (!shapes || shapes->numbers.at >= shapes->numbers.count)
			corrupt(r);
		else
			put_row(r, numbers_next(&shapes->numbers), frame,
				depth + 1);
	}
	if (v->numbers.bad)
		corrupt(r);
}

static void put_row(struct rows_reader *r, uint64_t number,
		    const struct time_frame *around, unsigned depth)
{
	struct time_frame frame = { .around = around };
	struct shape_reader *shape = NULL;
	int e = columns_shape(r->c, number, &shape);

	if (e) {
		r->error = r->error ? r->error : e;
		return;
	}
	put_varint(r, number);
	for (uint32_t i = 0; i < shape->place_count && !r->error; i++) {
		const struct place_reader *p = &shape->places[i];

		if (p->role == PLACE_LIST)
			put_list(r, p->column, &frame, depth);
		else
			put_value(r, p, &frame);
	}
}

/* The ids that were put off until the trace's last row was there. */
static void put_ids(struct rows_reader *r)
{
	for (size_t i = 0; i < r->same_count && !r->error; i++) {
		if (r->same[i].ordinal >= r->id_count)
			corrupt(r);
		else
			put_le64(r->out + r->same[i].at,
				 r->ids[r->same[i].ordinal]);
	}
	r->same_count = r->id_count = 0;
}

static void read_trace(struct rows_reader *r, struct columns_row *rows,
		       size_t *ends, size_t end)
{
	struct columns *c = r->c;

	r->base_ns = (int64_t)numbers_next(&c->bases);
	for (; c->at < end && !r->error; c->at++, rows++, ends++) {
		r->row_begin = r->len;
		put_row(r, numbers_next(&c->roots), NULL, 0);
		rows->trace_id = c->trace_ids + c->at_trace * TRACE_ID_SIZE;
		rows->row.len = r->len - r->row_begin;
		rows->extra = numbers_next(&c->extras);
		*ends = r->len;
	}
	put_ids(r);
	c->at_trace++;
	if (c->roots.bad || c->extras.bad || c->bases.bad)
		corrupt(r);
}

int columns_read(struct columns *c, size_t first, size_t count,
		 struct arena *arena, struct columns_row **out)
{
	struct rows_reader r = { .c = c, .arena = arena };
	struct columns_row *rows;
	size_t *ends, done = 0;
	int e;

	assert(first >= c->at && count && first + count <= c->rows);
	*out = NULL;
	e = columns_skip(c, first);
	if (e)
		return e;
	assert(c->firsts[c->at_trace] == first);
	rows = arena_alloc(arena, count * sizeof(*rows));
	ends = arena_alloc(arena, count * sizeof(*ends));
	if (!rows || !ends)
		return ERR_NOMEM;
	while (done < count && !r.error) {
		size_t end = c->firsts[c->at_trace + 1];

		assert(end - first <= count);
		read_trace(&r, rows + done, ends + done, end);
		done = end - first;
	}
	if (r.error)
		return r.error;
	assert(done == count);
	for (size_t i = 0; i < count; i++)
		rows[i].row.ptr =
			(const char *)r.out + ends[i] - rows[i].row.len;
	*out = rows;
	return 0;
}
