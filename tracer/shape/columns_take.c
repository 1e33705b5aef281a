/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/shape/columns_encode.h"

enum { ARRAY_FIRST = 64, SLOTS_FIRST = 256 };

/* Makes the array whose pointer is at `at` twice as large, zeroed. */
static bool grow(struct columns_encoder *e, void *at, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : ARRAY_FIRST;
	void *old, *array;

	memcpy(&old, at, sizeof(old));
	array = realloc(old, more * size);
	if (!array) {
		e->failed = true;
		return false;
	}
	memset((char *)array + *cap * size, 0, (more - *cap) * size);
	memcpy(at, &array, sizeof(array));
	*cap = more;
	/* cppcheck-suppress memleak ; it is where `at` is */
	return true;
}

void stream_number(struct columns_encoder *e, struct stream *s, uint64_t v)
{
	if (s->count < s->cap || grow(e, &s->numbers, &s->cap, sizeof(v)))
		s->numbers[s->count++] = v;
}

/* --- columns and shapes, found by their entry ---------------------------------------- */

static uint32_t column_of(struct columns_encoder *e, uint32_t name)
{
	struct column *c;

	if (e->known[name])
		return e->known[name] - 1;
	if (e->column_count == e->column_cap &&
	    !grow(e, &e->columns, &e->column_cap, sizeof(*c)))
		return 0;
	c = &e->columns[e->column_count++];
	c->name = name;
	c->count = 0;
	memset(c->streams, 0, sizeof(c->streams));
	e->known[name] = (uint32_t)e->column_count;
	return e->known[name] - 1;
}

static bool add_place(struct columns_encoder *e, uint64_t place)
{
	struct shape_place *p;
	enum entry_kind kind;
	struct sv name;

	if (place >> PLACE_BITS >= shapes_entries(e->s) ||
	    !shapes_entry(e->s, (uint32_t)(place >> PLACE_BITS), &kind,
			  &name) ||
	    kind != ENTRY_COLUMN)
		return false;
	if (e->place_count == e->place_cap &&
	    !grow(e, &e->places, &e->place_cap, sizeof(*p)))
		return false;
	p = &e->places[e->place_count++];
	p->column = column_of(e, (uint32_t)(place >> PLACE_BITS));
	p->role = place & ((1 << PLACE_BITS) - 1);
	return !e->failed;
}

/* NULL: entry `number` is no shape. */
static const struct known_shape *shape_of(struct columns_encoder *e,
					  uint64_t number)
{
	struct known_shape *k;
	enum entry_kind kind, its;
	struct sv bytes;
	struct reader r;

	if (number >= shapes_entries(e->s))
		return NULL;
	if (e->known[number])
		return &e->shapes[e->known[number] - 1];
	if (!shapes_entry(e->s, (uint32_t)number, &kind, &bytes) ||
	    !shapes_is_shape(kind) ||
	    !shapes_entry(e->s, (uint32_t)number + 1, &its, &bytes) ||
	    its != ENTRY_PLACES)
		return NULL;
	if (e->shape_count == e->shape_cap &&
	    !grow(e, &e->shapes, &e->shape_cap, sizeof(*k)))
		return NULL;
	k = &e->shapes[e->shape_count++];
	k->seconds = kind == ENTRY_JSON;
	k->places = (uint32_t)e->place_count;
	for (r = reader_of(bytes); r.at < r.end;)
		if (!add_place(e, read_varint(&r)))
			return NULL;
	k = &e->shapes[e->shape_count - 1];
	k->place_count = (uint32_t)e->place_count - k->places;
	e->known[number] = (uint32_t)e->shape_count;
	return k;
}

/* --- values ------------------------------------------------------------------------------ */

static struct stream *stream_of(struct columns_encoder *e, uint32_t column,
				unsigned kind)
{
	struct column *c = &e->columns[column];

	if (!c->streams[kind]) {
		struct stream *s;

		if (e->stream_count == e->stream_cap &&
		    !grow(e, &e->streams, &e->stream_cap, sizeof(*s)))
			return &e->roots; /* failed: all of it is given up */
		s = &e->streams[e->stream_count++];
		s->count = 0;
		buf_reset(&s->bytes);
		c->streams[kind] = (uint32_t)e->stream_count;
	}
	return &e->streams[c->streams[kind] - 1];
}

static void add_kind(struct columns_encoder *e, uint32_t column, unsigned kind)
{
	struct column *c = &e->columns[column];

	if (c->count < c->cap || grow(e, &c->kinds, &c->cap, 1))
		c->kinds[c->count++] = (uint8_t)kind;
}

static void add_number(struct columns_encoder *e, uint32_t column,
		       unsigned kind, uint64_t number)
{
	add_kind(e, column, kind);
	stream_number(e, stream_of(e, column, kind), number);
}

static void add_pending(struct columns_encoder *e, uint32_t column,
			unsigned kind, const uint8_t *id, bool defines)
{
	struct pending_id *p;

	add_kind(e, column, kind);
	if (e->failed || (e->pending_count == e->pending_cap &&
			  !grow(e, &e->pending, &e->pending_cap, sizeof(*p))))
		return;
	p = &e->pending[e->pending_count++];
	p->id = get_le64(id);
	p->column = column;
	p->at = (uint32_t)e->columns[column].count - 1;
	p->defines = defines;
}

/* A decimal of seconds in ns, if that gives it back: without zeros at its
 * end, since ns do not say how many decimals it had. */
static bool to_ns(int64_t v, unsigned decimals, int64_t *ns)
{
	static const int64_t powers[] = { 1000000000, 100000000, 10000000,
					  1000000,    100000,    10000,
					  1000,       100,       10,
					  1 };

	return decimals < sizeof(powers) / sizeof(powers[0]) &&
	       (!decimals || v % 10) &&
	       !__builtin_mul_overflow(v, powers[decimals], ns);
}

static void take_number(struct columns_encoder *e, struct shape_place place,
			bool seconds, unsigned kind, uint64_t zigzagged,
			struct time_frame *frame)
{
	int64_t v = protobuf_zigzag(zigzagged), ns = v, start;
	bool is_time = place.role == PLACE_START ||
		       (place.role == PLACE_END && e->has_base);

	if (is_time && seconds)
		is_time = to_ns(v, kind - VALUE_NUMBER, &ns);
	else if (is_time)
		is_time = kind == VALUE_NUMBER;
	if (!is_time) {
		add_number(e, place.column, kind, zigzagged);
		return;
	}
	if (!e->has_base) {
		e->has_base = true;
		e->base_ns = ns;
	}
	start = time_frame_start(frame, e->base_ns);
	if (place.role == PLACE_START) {
		frame->own = true;
		frame->start_ns = ns;
	}
	add_number(e, place.column, seconds ? COLUMN_TIME_S : COLUMN_TIME_NS,
		   zigzag((int64_t)((uint64_t)ns - (uint64_t)start)));
}

static void take_text(struct columns_encoder *e, uint32_t column,
		      struct reader *r)
{
	uint64_t n = read_varint(r);
	const uint8_t *text = read_bytes(r, n);

	if (!text)
		return;
	add_number(e, column, VALUE_TEXT, n);
	buf_add(&stream_of(e, column, VALUE_TEXT)->bytes, text, (size_t)n);
}

static void take_value(struct columns_encoder *e, struct shape_place place,
		       bool seconds, struct reader *r, struct time_frame *frame)
{
	unsigned kind = read_byte(r);
	const uint8_t *bytes;

	switch (kind) {
	case VALUE_TEXT:
		take_text(e, place.column, r);
		return;
	case VALUE_ENTRY:
		add_number(e, place.column, kind, read_varint(r));
		return;
	case VALUE_HEX8:
	case VALUE_BYTES8:
		bytes = read_bytes(r, 8);
		if (bytes)
			add_pending(e, place.column, kind, bytes,
				    place.role == PLACE_ID);
		return;
	case VALUE_HEX16:
	case VALUE_UUID:
	case VALUE_XRAY:
	case VALUE_BYTES16:
		bytes = read_bytes(r, 16);
		if (!bytes)
			return;
		add_kind(e, place.column, kind);
		buf_add(&stream_of(e, place.column, kind)->bytes, bytes, 16);
		return;
	case VALUE_HEX16_OWN:
	case VALUE_XRAY_OWN:
	case VALUE_BYTES16_OWN:
		add_kind(e, place.column, kind);
		(void)stream_of(e, place.column, kind);
		return;
	default:
		break;
	}
	if (kind < VALUE_NUMBER || kind >= VALUE_KINDS)
		r->bad = true;
	else
		take_number(e, place, seconds, kind, read_varint(r), frame);
}

static bool take_places(struct columns_encoder *e, struct known_shape shape,
			struct reader *r, const struct time_frame *around,
			unsigned depth)
{
	struct time_frame frame = { .around = around };

	for (uint32_t i = 0; i < shape.place_count; i++) {
		struct shape_place place = e->places[shape.places + i];
		uint64_t count;

		if (place.role != PLACE_LIST) {
			take_value(e, place, shape.seconds, r, &frame);
			continue;
		}
		count = read_varint(r);
		add_number(e, place.column, COLUMN_LIST, count);
		for (; count && !r->bad && !e->failed; count--) {
			uint64_t number = read_varint(r);
			const struct known_shape *inner = shape_of(e, number);

			if (!inner || depth > SHAPE_DEPTH_MAX)
				return false;
			stream_number(e,
				      stream_of(e, place.column, COLUMN_SHAPES),
				      number);
			if (!take_places(e, *inner, r, &frame, depth + 1))
				return false;
		}
	}
	return !r->bad;
}

bool columns_take_row(struct columns_encoder *e, struct sv row)
{
	struct reader r = reader_of(row);
	uint64_t number = read_varint(&r);
	const struct known_shape *shape = shape_of(e, number);

	if (!shape || r.bad)
		return false;
	stream_number(e, &e->roots, number);
	return take_places(e, *shape, &r, NULL, 0) && r.at == r.end;
}

/* --- ids of a trace ------------------------------------------------------------------------- */

/* Room for all pending ids, half empty. */
static bool slots_fit(struct columns_encoder *e)
{
	size_t cap = e->slot_cap ? e->slot_cap : SLOTS_FIRST;

	while (cap < 2 * e->pending_count)
		cap *= 2;
	if (cap == e->slot_cap)
		return true;
	free(e->slots);
	e->slots = calloc(cap, sizeof(*e->slots));
	e->slot_cap = e->slots ? cap : 0;
	e->failed |= !e->slots;
	return e->slots != NULL;
}

static struct id_slot *slot_of(const struct columns_encoder *e, uint64_t id)
{
	size_t i = (size_t)((id * 0x9e3779b97f4a7c15u) >> 32);

	for (;; i++) {
		struct id_slot *slot = &e->slots[i & (e->slot_cap - 1)];

		if (slot->trace != e->trace || slot->id == id)
			return slot;
	}
}

/* What an id is called where it is repeated: how many were before it. */
static void define_ids(struct columns_encoder *e)
{
	for (size_t i = 0; i < e->pending_count; i++) {
		struct pending_id *p = &e->pending[i];
		struct id_slot *slot;

		if (!p->defines)
			continue;
		slot = slot_of(e, p->id);
		p->defines = slot->trace != e->trace;
		if (p->defines)
			*slot = (struct id_slot){ p->id, e->trace,
						  e->ordinals++ };
	}
}

void columns_take_trace(struct columns_encoder *e)
{
	e->trace++;
	e->ordinals = 0;
	if (!slots_fit(e))
		return;
	define_ids(e);
	for (size_t i = 0; i < e->pending_count; i++) {
		struct pending_id *p = &e->pending[i];
		const struct id_slot *slot = slot_of(e, p->id);
		uint8_t *kind = &e->columns[p->column].kinds[p->at];

		if (p->defines || slot->trace != e->trace) {
			uint8_t id[8];

			put_le64(id, p->id);
			buf_add(&stream_of(e, p->column, *kind)->bytes, id, 8);
			continue;
		}
		*kind = *kind == VALUE_HEX8 ? COLUMN_SAME_HEX8 :
					      COLUMN_SAME_BYTES8;
		stream_number(e, stream_of(e, p->column, *kind), slot->ordinal);
	}
	e->pending_count = 0;
	e->has_base = false;
}

int columns_take_begin(struct columns_encoder *e, const struct shapes *s)
{
	e->s = s;
	e->failed = false;
	e->stream_count = e->column_count = 0;
	e->place_count = e->shape_count = e->pending_count = 0;
	e->roots.count = e->extras.count = e->trace_rows.count = 0;
	e->trace_ids.count = e->bases.count = 0;
	e->has_base = false;
	e->base_ns = 0;
	buf_reset(&e->head);
	buf_reset(&e->tail);
	while (e->known_cap < shapes_entries(s))
		if (!grow(e, &e->known, &e->known_cap, sizeof(*e->known)))
			return ERR_NOMEM;
	memset(e->known, 0, shapes_entries(s) * sizeof(*e->known));
	return 0;
}
