/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span is walked field by field: tags, order and attributes' keys make the
 * shape, everything else is a value. Lengths are not kept: they follow from
 * what is inside, if the sender wrote them in as few bytes as it takes. One
 * that did not (or wrote groups, or bits a varint has no room for) could not
 * be given back, and is verbatim.
 */
#include <assert.h>

#include "tracer/shape/pack.h"

enum {
	LITERAL_MAX = 128, /* bytes of a key in the shape */
	NESTED_MAX = 32,   /* messages in messages */
	STEP_MAX = 2 + 2 * PROTOBUF_VARINT_MAX + LITERAL_MAX,
};

struct span_pack {
	struct shapes *s;
	struct shapes_scratch *scratch;
	const uint8_t *trace_id;
	uint8_t *at;        /* where the row goes on */
	uint8_t *step;      /* where the shape goes on */
	uint8_t *steps_end; /* SHAPE_TEXT_MAX, with room for one more step */
	bool failed;
};

/* The messages a span consists of, and what their fields are. What is not in
 * here is a value by its wire type. */
enum message { SPAN, EVENT, LINK, STATUS, PAIR, ANY, ARRAY, PAIRS, OTHER };

enum { FIELDS = 16 };

struct field_rule {
	uint8_t step;
	uint8_t inner; /* enum message */
};

static const struct field_rule rules[OTHER][FIELDS + 1] = {
	[SPAN] = { [1] = { SPAN_ID, OTHER },
		   [2] = { SPAN_ID, OTHER },
		   [4] = { SPAN_ID, OTHER },
		   [9] = { SPAN_OPEN, PAIR },
		   [11] = { SPAN_LIST, EVENT },
		   [13] = { SPAN_LIST, LINK },
		   [15] = { SPAN_OPEN, STATUS } },
	[EVENT] = { [3] = { SPAN_OPEN, PAIR } },
	[LINK] = { [1] = { SPAN_ID, OTHER },
		   [2] = { SPAN_ID, OTHER },
		   [4] = { SPAN_OPEN, PAIR } },
	[PAIR] = { [1] = { SPAN_LITERAL, OTHER }, [2] = { SPAN_OPEN, ANY } },
	[ANY] = { [5] = { SPAN_OPEN, ARRAY }, [6] = { SPAN_OPEN, PAIRS } },
	[ARRAY] = { [1] = { SPAN_OPEN, ANY } },
	[PAIRS] = { [1] = { SPAN_OPEN, PAIR } },
};

/* A varint in its shortest form only. */
static bool take_varint(struct reader *r, uint64_t *out)
{
	const uint8_t *at = r->at;
	uint64_t v = 0;

	if (at < r->end && *at < 0x80) {
		*out = *at;
		r->at++;
		return true;
	}
	for (unsigned shift = 0; at < r->end && shift < 70; shift += 7) {
		uint8_t b = *at++;

		if (shift == 63 && b > 1)
			return false;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			r->at = at;
			*out = v;
			return b != 0;
		}
	}
	return false;
}

static void put_step(struct span_pack *p, uint8_t step, uint64_t tag)
{
	*p->step++ = step;
	p->step = varint_put(p->step, tag);
}

static bool walk(struct span_pack *p, struct sv message, enum message kind,
		 unsigned depth);

static bool take_list(struct span_pack *p, struct reader *r, uint64_t tag,
		      enum message inner, struct sv first)
{
	struct pack_value list = { .form = SPAN_LIST, .count = 1 };
	const uint8_t *begin = (const uint8_t *)first.ptr;
	const uint8_t *end = begin + first.len;
	struct reader ahead = *r;
	uint64_t next, n;

	while (take_varint(&ahead, &next) && next == tag &&
	       take_varint(&ahead, &n) && read_bytes(&ahead, n)) {
		*r = ahead;
		end = r->at;
		list.count++;
	}
	put_step(p, SPAN_LIST, tag);
	list.list = (uint32_t)first.len;
	list.key = inner;
	list.text = sv_make(first.ptr, (size_t)(end - begin));
	return pack_note(p->scratch, list);
}

static bool take_bytes(struct span_pack *p, struct reader *r, uint64_t tag,
		       struct field_rule rule, unsigned depth)
{
	struct pack_value v = { .form = SPAN_TEXT };
	const uint8_t *bytes;
	uint64_t n;

	if (!take_varint(r, &n) || !(bytes = read_bytes(r, n)))
		return false;
	v.text = sv_make((const char *)bytes, (size_t)n);
	switch (rule.step) {
	case SPAN_OPEN:
		put_step(p, SPAN_OPEN, tag);
		if (!walk(p, v.text, (enum message)rule.inner, depth + 1))
			return false;
		*p->step++ = SPAN_CLOSE;
		return true;
	case SPAN_LITERAL:
		if (n > LITERAL_MAX)
			break;
		put_step(p, SPAN_LITERAL, tag);
		p->step = varint_put(p->step, n);
		memcpy(p->step, bytes, (size_t)n);
		p->step += n;
		return true;
	case SPAN_LIST:
		return take_list(p, r, tag, (enum message)rule.inner, v.text);
	case SPAN_ID:
		v.form = SPAN_ID;
		break;
	default:
		break;
	}
	put_step(p, v.form, tag);
	return pack_note(p->scratch, v);
}

static bool take_number(struct span_pack *p, struct reader *r, uint64_t tag)
{
	struct pack_value v = { .form = SPAN_VARINT };
	const uint8_t *bytes = NULL;

	switch (tag & 7) {
	case PROTOBUF_VARINT:
		if (!take_varint(r, &v.number))
			return false;
		break;
	case PROTOBUF_FIXED64:
		v.form = SPAN_FIXED64;
		bytes = read_bytes(r, 8);
		if (!bytes)
			return false;
		v.number = get_le64(bytes);
		break;
	case PROTOBUF_FIXED32:
		v.form = SPAN_FIXED32;
		bytes = read_bytes(r, 4);
		if (!bytes)
			return false;
		v.number = get_le32(bytes);
		break;
	default:
		return false;
	}
	put_step(p, v.form, tag);
	return pack_note(p->scratch, v);
}

static bool walk(struct span_pack *p, struct sv message, enum message kind,
		 unsigned depth)
{
	struct reader r = reader_of(message);
	uint64_t tag;

	if (depth > NESTED_MAX)
		return false;
	while (r.at < r.end) {
		struct field_rule rule = { 0, OTHER };
		bool good;

		if (!take_varint(&r, &tag) || tag < 8 || tag > UINT32_MAX ||
		    p->step > p->steps_end)
			return false;
		if ((tag & 7) == PROTOBUF_BYTES) {
			if (kind < OTHER && tag >> 3 <= FIELDS)
				rule = rules[kind][tag >> 3];
			good = take_bytes(p, &r, tag, rule, depth);
		} else {
			good = take_number(p, &r, tag);
		}
		if (!good)
			return false;
	}
	return true;
}

/* --- places of a new shape -------------------------------------------------------- */

/* What the times and ids of a span and of its events are. */
static enum place_role role_of(enum message kind, unsigned nested,
			       uint64_t number)
{
	if (nested)
		return PLACE_PLAIN;
	if (kind == SPAN && number == 2)
		return PLACE_ID;
	if ((kind == SPAN && number == 7) || (kind == EVENT && number == 1))
		return PLACE_START;
	return kind == SPAN && number == 8 ? PLACE_END : PLACE_PLAIN;
}

static bool name_place(struct span_pack *p, uint64_t number,
		       enum place_role role)
{
	struct buf *name = &p->scratch->name;
	size_t length = name->len;
	uint32_t column;

	buf_u64(name, number);
	column = shapes_enter(p->s, ENTRY_COLUMN, buf_view(name));
	name->len = length;
	if (column != SHAPE_NONE)
		place_put(&p->scratch->places, column, role);
	return column != SHAPE_NONE;
}

/* Columns are named by the numbers of their field and those around it, and
 * by the key of the attribute. */
static bool name_places(struct span_pack *p, struct sv shape, enum message kind)
{
	static const char prefix[][OTHER] = { "span ", "event ", "link " };
	struct reader r = reader_of(shape);
	struct buf *name = &p->scratch->name;
	size_t lengths[NESTED_MAX + 2];
	unsigned nested = 0;

	assert(kind <= LINK);
	buf_reset(&p->scratch->places);
	buf_reset(name);
	buf_text(name, prefix[kind]);
	while (r.at < r.end) {
		uint8_t step = read_byte(&r);
		uint64_t number = 0, n;

		if (step == SPAN_CLOSE) {
			name->len = lengths[--nested];
			continue;
		}
		if (step != SPAN_SOURCE)
			number = read_varint(&r) >> 3;
		if (step == SPAN_OPEN) {
			lengths[nested++] = name->len;
			buf_u64(name, number);
			buf_char(name, '.');
		} else if (step == SPAN_LITERAL) {
			n = read_varint(&r);
			buf_add(name, read_bytes(&r, n), (size_t)n);
			buf_char(name, '.');
		} else if (!name_place(p, number,
				       step == SPAN_LIST ?
					       PLACE_LIST :
					       role_of(kind, nested, number))) {
			return false;
		}
	}
	return !name->failed && !p->scratch->places.failed;
}

static uint32_t find_shape(struct span_pack *p, struct sv shape,
			   enum message kind)
{
	uint64_t hash = shapes_hash(ENTRY_SPAN, shape);
	uint32_t number = shapes_find(p->s, ENTRY_SPAN, shape, hash);

	if (number != SHAPE_NONE || !shapes_seen(p->s, hash) ||
	    !name_places(p, shape, kind))
		return number;
	return shapes_enter_shape(p->s, ENTRY_SPAN, shape,
				  buf_view(&p->scratch->places));
}

/* --- rows --------------------------------------------------------------------------- */

static uint8_t *put_id(uint8_t *at, struct sv id,
		       const uint8_t trace_id[TRACE_ID_SIZE])
{
	if (id.len == SEGMENT_ID_SIZE) {
		*at = VALUE_BYTES8;
	} else if (id.len != TRACE_ID_SIZE) {
		return value_put_text(at, id);
	} else if (memcmp(id.ptr, trace_id, TRACE_ID_SIZE) == 0) {
		*at = VALUE_BYTES16_OWN;
		return at + 1;
	} else {
		*at = VALUE_BYTES16;
	}
	memcpy(at + 1, id.ptr, id.len);
	return at + 1 + id.len;
}

/* The message's shape, its values on the stack. A whole document's begins
 * with where it comes from. */
static uint32_t shape_of(struct span_pack *p, struct sv message,
			 enum message kind)
{
	struct buf *shape = &p->scratch->shape;
	size_t first = p->scratch->value_count;

	buf_reset(shape);
	p->step = (uint8_t *)buf_grow(shape, SHAPE_TEXT_MAX + STEP_MAX);
	if (!p->step)
		return SHAPE_NONE;
	p->steps_end = p->step + SHAPE_TEXT_MAX;
	if (kind == SPAN)
		*p->step++ = SPAN_SOURCE;
	if (!walk(p, message, kind, 0) ||
	    p->scratch->value_count - first >= SHAPE_PLACES_MAX)
		return SHAPE_NONE;
	return find_shape(
		p, sv_make(shape->ptr, (size_t)((char *)p->step - shape->ptr)),
		kind);
}

static void put_values(struct span_pack *p, size_t first, size_t count,
		       uint32_t shape, uint32_t place);

static void put_list(struct span_pack *p, const struct pack_value *v)
{
	struct reader r = reader_of(v->text);
	struct sv element = { v->text.ptr, v->list };
	size_t first = p->scratch->value_count;

	p->at = varint_put(p->at, v->count);
	r.at += v->list;
	for (;;) {
		uint32_t shape = shape_of(p, element, (enum message)v->key);

		if (shape == SHAPE_NONE) {
			p->at = pack_verbatim(p->at, SHAPE_VERBATIM_OTLP,
					      element);
		} else {
			p->at = varint_put(p->at, shape);
			put_values(p, first, p->scratch->value_count - first,
				   shape, 0);
		}
		p->scratch->value_count = first;
		if (r.at == r.end)
			break;
		(void)read_varint(&r);
		element.len = (size_t)read_varint(&r);
		element.ptr = (const char *)read_bytes(&r, element.len);
		assert(element.ptr);
	}
}

static void put_values(struct span_pack *p, size_t first, size_t count,
		       uint32_t shape, uint32_t place)
{
	for (size_t k = 0; k < count; k++, place++) {
		/* A copy: the stack may move when it grows. */
		struct pack_value v = p->scratch->values[first + k];

		switch (v.form) {
		case SPAN_TEXT:
			p->at = pack_text(p->s, p->at, v.text, p->trace_id,
					  shape, place);
			break;
		case SPAN_ID:
			p->at = put_id(p->at, v.text, p->trace_id);
			break;
		case SPAN_LIST:
			put_list(p, &v);
			break;
		default:
			p->at = value_put_number(p->at, v.number);
		}
	}
}

static bool put_document(struct span_pack *p, const struct span_record *span,
			 struct buf *row)
{
	struct buf document = BUF_INIT;
	bool good;

	document_of_span(span, &document);
	p->at = pack_begin(p->s, document.len + VALUE_BYTES_MAX + 8);
	good = p->at && !document.failed;
	if (good) {
		p->at = pack_verbatim(p->at, SHAPE_VERBATIM_OTLP,
				      buf_view(&document));
		good = pack_end(p->s, p->at, row);
	}
	buf_fini(&document);
	shapes_count(p->s, true);
	return good;
}

bool shape_pack_span(struct shapes *s, const struct span_record *span,
		     const uint8_t trace_id[TRACE_ID_SIZE], struct buf *row)
{
	/* Two bytes of a message become at most a row of this many. */
	const size_t over = 12;
	struct span_pack p = {
		.s = s,
		.scratch = shapes_scratch(s),
		.trace_id = trace_id,
		.at = pack_begin(s, over * span->span.len + 64),
	};
	uint32_t source, shape = SHAPE_NONE;

	if (!p.at)
		return false;
	source = pack_source(s, span->source);
	shape = shape_of(&p, span->span, SPAN);
	if (shape == SHAPE_NONE || source == SHAPE_NONE)
		return put_document(&p, span, row);
	p.at = varint_put(p.at, shape);
	*p.at++ = VALUE_ENTRY;
	p.at = varint_put(p.at, source);
	put_values(&p, 0, p.scratch->value_count, shape, 1);
	shapes_count(s, false);
	return pack_end(s, p.at, row);
}
