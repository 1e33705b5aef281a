/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "tracer/shape/span_walk.h"

struct span_pack {
	struct shapes *s;
	struct shapes_scratch *scratch;
	const uint8_t *trace_id;
	uint8_t *at; /* where the row goes on */
};

/* The message's shape, its values on the stack. */
static uint32_t shape_of(struct span_pack *p, struct sv message,
			 enum span_message kind)
{
	struct sv shape;
	uint64_t hash;
	uint32_t number;

	if (!span_walk(p->scratch, message, kind, &shape))
		return SHAPE_NONE;
	hash = shapes_hash(ENTRY_SPAN, shape);
	number = shapes_find(p->s, ENTRY_SPAN, shape, hash);
	if (number != SHAPE_NONE || !shapes_seen(p->s, hash) ||
	    !span_places(p->s, shape, kind))
		return number;
	return shapes_enter_shape(p->s, ENTRY_SPAN, shape,
				  buf_view(&p->scratch->places));
}

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

static void put_values(struct span_pack *p, size_t first, size_t count,
		       uint32_t shape, uint32_t place);

static void put_list(struct span_pack *p, const struct pack_value *v)
{
	struct reader r = reader_of(sv_make(v->text, v->len));
	struct sv element = { v->text, v->list };
	size_t first = p->scratch->value_count;

	p->at = varint_put(p->at, v->count);
	r.at += v->list;
	for (;;) {
		uint32_t shape =
			shape_of(p, element, (enum span_message)v->key);

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
		case SPAN_PAIR_TEXT:
			p->at = pack_text(p->s, p->at, sv_make(v.text, v.len),
					  p->trace_id, shape, place);
			break;
		case SPAN_ID:
			p->at = put_id(p->at, sv_make(v.text, v.len),
				       p->trace_id);
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
