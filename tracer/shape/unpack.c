/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows back to documents. Both the row and the dictionary may be foreign bytes
 * by now: everything is checked, and what a few bytes may become is bounded by
 * SHAPE_ROW_MAX and SHAPE_DEPTH_MAX.
 */
#include <assert.h>

#include "tracer/shape/value.h"

enum { NESTED_MAX = 40 };

struct unpack {
	const struct shapes *s;
	struct reader r;
	const uint8_t *trace_id;
	struct buf *out;
	size_t limit; /* of out->len */
};

static bool get_row(struct unpack *u, unsigned depth, enum entry_kind *kind);

static bool is_good(const struct unpack *u)
{
	return !u->r.bad && !u->out->failed && u->out->len <= u->limit;
}

static void get_value(struct unpack *u)
{
	value_get(u->s, &u->r, u->trace_id, u->out);
}

static bool get_json(struct unpack *u, struct sv shape, unsigned depth)
{
	const char *at = shape.ptr, *end = shape.ptr + shape.len;
	const char *from = at;
	enum entry_kind kind;

	for (; at < end && is_good(u); at++) {
		uint64_t count;

		if (*at != PLACE_MARK && *at != LIST_MARK)
			continue;
		buf_add(u->out, from, (size_t)(at - from));
		from = at + 1;
		if (*at == PLACE_MARK) {
			get_value(u);
			continue;
		}
		for (count = read_varint(&u->r); count && is_good(u); count--)
			if (!get_row(u, depth + 1, &kind))
				return false;
	}
	buf_add(u->out, from, (size_t)(end - from));
	return is_good(u);
}

/* --- spans ------------------------------------------------------------------------ */

/* The number of a place that must hold one. */
static uint64_t get_number(struct unpack *u)
{
	if (read_byte(&u->r) != VALUE_NUMBER)
		u->r.bad = true;
	return (uint64_t)protobuf_zigzag(read_varint(&u->r));
}

static void get_bytes(struct unpack *u, uint64_t tag)
{
	size_t mark = protobuf_open(u->out, (uint32_t)(tag >> 3));

	get_value(u);
	protobuf_close(u->out, mark);
}

static bool get_messages(struct unpack *u, uint64_t tag, unsigned depth)
{
	enum entry_kind kind;

	for (uint64_t n = read_varint(&u->r); n && is_good(u); n--) {
		size_t mark = protobuf_open(u->out, (uint32_t)(tag >> 3));

		if (!get_row(u, depth + 1, &kind))
			return false;
		protobuf_close(u->out, mark);
	}
	return is_good(u);
}

/* An attribute of one value, in one go: span_walk takes only those whose
 * lengths are of one byte. */
static void get_pair(struct unpack *u, uint8_t step, uint32_t number,
		     struct reader *steps)
{
	enum { AROUND = 8, PAIR_MAX = 127, NUMBER_MAX = 15 };
	struct buf *out = u->out;
	uint64_t length = read_varint(steps);
	const uint8_t *key = read_bytes(steps, length);
	size_t at = out->len, k = (size_t)length, n;
	uint8_t *p = (uint8_t *)buf_grow(out, PAIR_MAX + 2 * AROUND), *any;

	if (!p || !key || number > NUMBER_MAX || k > PAIR_MAX) {
		u->r.bad = true;
		return;
	}
	p[0] = (uint8_t)(number << 3 | PROTOBUF_BYTES);
	p[2] = 0x0a;
	p[3] = (uint8_t)k;
	memcpy(p + 4, key, k);
	any = p + 4 + k;
	if (step == SPAN_PAIR_TEXT) {
		out->len += AROUND + k;
		get_value(u);
		n = out->len - at - AROUND - k;
		any = (uint8_t *)out->ptr + at + 4 + k; /* it may have moved */
		any[2] = 0x0a;
		any[3] = (uint8_t)n;
		n += 2;
	} else {
		any[2] = step == SPAN_PAIR_BOOL ? 0x10 : 0x18;
		n = 1 + protobuf_varint_write(any + 3, get_number(u));
		out->len += 6 + k + n;
	}
	any[0] = 0x12;
	any[1] = (uint8_t)n;
	out->ptr[at + 1] = (char)(k + n + 4);
	if (k + n + 4 > PAIR_MAX)
		u->r.bad = true;
}

static void get_step(struct unpack *u, uint8_t step, uint64_t tag,
		     struct reader *steps)
{
	uint32_t number = (uint32_t)(tag >> 3);
	uint64_t n;

	switch (step) {
	case SPAN_TEXT:
	case SPAN_ID:
		get_bytes(u, tag);
		break;
	case SPAN_VARINT:
		protobuf_put_u64(u->out, number, get_number(u));
		break;
	case SPAN_FIXED64:
		protobuf_put_fixed64(u->out, number, get_number(u));
		break;
	case SPAN_FIXED32:
		protobuf_put_fixed32(u->out, number, (uint32_t)get_number(u));
		break;
	case SPAN_LITERAL: {
		struct sv text = SV("");

		n = read_varint(steps);
		text.ptr = (const char *)read_bytes(steps, n);
		text.len = text.ptr ? (size_t)n : 0;
		if (text.ptr)
			protobuf_put_bytes(u->out, number, text);
		break;
	}
	case SPAN_PAIR_TEXT:
	case SPAN_PAIR_INT:
	case SPAN_PAIR_BOOL:
		get_pair(u, step, number, steps);
		break;
	default:
		u->r.bad = true;
	}
}

static bool get_message(struct unpack *u, struct sv shape, unsigned depth)
{
	struct reader steps = reader_of(shape);
	size_t marks[NESTED_MAX];
	unsigned nested = 0;

	while (steps.at < steps.end && is_good(u)) {
		uint8_t step = read_byte(&steps);
		uint64_t tag;

		if (step == SPAN_CLOSE) {
			if (!nested)
				return false;
			protobuf_close(u->out, marks[--nested]);
			continue;
		}
		tag = read_varint(&steps);
		if (steps.bad || tag < 8 || tag > UINT32_MAX)
			return false;
		if (step == SPAN_OPEN) {
			if (nested == NESTED_MAX)
				return false;
			marks[nested++] =
				protobuf_open(u->out, (uint32_t)(tag >> 3));
		} else if (step == SPAN_LIST) {
			if (!get_messages(u, tag, depth))
				return false;
		} else {
			get_step(u, step, tag, &steps);
		}
	}
	return !nested && !steps.bad && is_good(u);
}

static bool get_source(struct unpack *u, struct span_source *source)
{
	struct sv *parts[] = { &source->resource, &source->resource_schema,
			       &source->scope, &source->scope_schema };
	enum entry_kind kind;
	struct sv bytes;
	struct reader r;
	uint64_t number;

	if (read_byte(&u->r) != VALUE_ENTRY)
		return false;
	number = read_varint(&u->r);
	if (u->r.bad || number > UINT32_MAX ||
	    !shapes_entry(u->s, (uint32_t)number, &kind, &bytes) ||
	    kind != ENTRY_SOURCE)
		return false;
	r = reader_of(bytes);
	for (int i = 0; i < 4; i++)
		parts[i]->len = (size_t)read_varint(&r);
	for (int i = 0; i < 4; i++) {
		const uint8_t *part = read_bytes(&r, parts[i]->len);

		if (!part)
			return false;
		parts[i]->ptr = (const char *)part;
	}
	return r.at == r.end;
}

static void put_some(struct buf *out, uint32_t number, struct sv bytes)
{
	if (bytes.len)
		protobuf_put_bytes(out, number, bytes);
}

/* As document_of_span writes it. */
static bool get_document(struct unpack *u, struct sv shape, unsigned depth)
{
	struct span_source source;
	size_t scope, span;

	if (depth || !get_source(u, &source))
		return false;
	put_some(u->out, 1, source.resource);
	scope = protobuf_open(u->out, 2);
	put_some(u->out, 1, source.scope);
	span = protobuf_open(u->out, 2);
	if (!get_message(u, shape, depth))
		return false;
	protobuf_close(u->out, span);
	put_some(u->out, 3, source.scope_schema);
	protobuf_close(u->out, scope);
	put_some(u->out, 3, source.resource_schema);
	return is_good(u);
}

/* --- rows -------------------------------------------------------------------------- */

static bool get_row(struct unpack *u, unsigned depth, enum entry_kind *kind)
{
	uint64_t number = read_varint(&u->r);
	struct sv shape;

	if (depth > SHAPE_DEPTH_MAX + 1 || number > UINT32_MAX ||
	    !shapes_entry(u->s, (uint32_t)number, kind, &shape))
		return false;
	switch (*kind) {
	case ENTRY_VERBATIM:
		get_value(u);
		return is_good(u);
	case ENTRY_JSON:
		return get_json(u, shape, depth);
	case ENTRY_SPAN:
		if (shape.len && shape.ptr[0] == SPAN_SOURCE)
			return get_document(
				u, sv_make(shape.ptr + 1, shape.len - 1),
				depth);
		return get_message(u, shape, depth);
	default:
		return false;
	}
}

int shape_unpack(const struct shapes *s, struct sv row,
		 const uint8_t trace_id[TRACE_ID_SIZE],
		 enum document_format *format, struct buf *out)
{
	struct unpack u = { s, reader_of(row), trace_id, out,
			    out->len + SHAPE_ROW_MAX };
	struct reader first = u.r;
	size_t length = out->len;
	enum entry_kind kind;
	bool failed = out->failed;
	int e = 0;

	if (failed)
		return ERR_NOMEM;
	if (!get_row(&u, 0, &kind) || u.r.at != u.r.end)
		e = out->failed ? ERR_NOMEM : ERR_CORRUPT;
	if (e) {
		out->len = length;
		out->failed = failed;
		if (out->ptr)
			out->ptr[length] = '\0';
		return e;
	}
	if (out->ptr)
		out->ptr[out->len] = '\0';
	*format = kind == ENTRY_JSON ||
				  read_varint(&first) == SHAPE_VERBATIM_JSON ?
			  DOCUMENT_XRAY :
			  DOCUMENT_OTLP;
	return 0;
}
