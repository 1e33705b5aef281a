/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/rowbinary.h"

#include <stdio.h>

#include "core/codec/protobuf.h"

enum { ATTRIBUTES_MAX = 64, TRACE_ID = 16, SPAN_ID = 8 };

static void put_text(struct buf *out, struct sv s)
{
	protobuf_varint_put(out, s.len); /* RowBinary's lengths are the same */
	buf_sv(out, s);
}

static void put_u64(struct buf *out, uint64_t v)
{
	uint8_t b[8];

	put_le64(b, v);
	buf_add(out, b, sizeof(b));
}

/* One attribute's value as text. */
static void put_any(struct buf *out, struct sv any)
{
	struct protobuf r = protobuf_reader(any);
	struct protobuf_field f;
	char text[32];

	while (protobuf_next(&r, &f) == 1) {
		if (f.type == PROTOBUF_BYTES) {
			put_text(out, f.bytes);
			return;
		}
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)f.value);
		put_text(out, sv_from(text));
		return;
	}
	put_text(out, SV(""));
}

/* The attribute's key, or its value. */
static void put_half(struct buf *out, struct sv pair, uint32_t half)
{
	struct protobuf r = protobuf_reader(pair);
	struct protobuf_field f;

	while (protobuf_next(&r, &f) == 1)
		if (f.number == half && half == 1)
			put_text(out, f.bytes);
		else if (f.number == half)
			put_any(out, f.bytes);
}

static void put_row(struct buf *out, struct sv span, struct sv service)
{
	static const char none[TRACE_ID];
	struct sv attributes[ATTRIBUTES_MAX], ids[5], name = SV("");
	struct protobuf r = protobuf_reader(span);
	uint64_t kind = 0, start = 0, end = 0;
	struct protobuf_field f;
	size_t count = 0;

	ids[1] = sv_make(none, TRACE_ID);
	ids[2] = ids[4] = sv_make(none, SPAN_ID);
	while (protobuf_next(&r, &f) == 1)
		switch (f.number) {
		case 1:
		case 2:
		case 4:
			ids[f.number] = f.bytes;
			break;
		case 5:
			name = f.bytes;
			break;
		case 6:
			kind = f.value;
			break;
		case 7:
			start = f.value;
			break;
		case 8:
			end = f.value;
			break;
		case 9:
			if (count < ATTRIBUTES_MAX)
				attributes[count++] = f.bytes;
			break;
		default:
			break;
		}
	buf_sv(out, ids[1]);
	buf_sv(out, ids[2]);
	buf_sv(out, ids[4]);
	put_text(out, service);
	put_text(out, name);
	buf_char(out, (char)kind);
	put_u64(out, start);
	put_u64(out, end - start);
	for (uint32_t half = 1; half <= 2; half++) {
		protobuf_varint_put(out, count);
		for (size_t i = 0; i < count; i++)
			put_half(out, attributes[i], half);
	}
}

static struct sv service_of(struct sv resource)
{
	struct protobuf r = protobuf_reader(resource);
	struct protobuf_field f, any;

	if (protobuf_next(&r, &f) != 1)
		return SV("");
	r = protobuf_reader(f.bytes); /* the first pair is service.name */
	while (protobuf_next(&r, &f) == 1)
		if (f.number == 2) {
			r = protobuf_reader(f.bytes);
			if (protobuf_next(&r, &any) == 1)
				return any.bytes;
		}
	return SV("");
}

void spans_each(struct sv request,
		void (*fn)(void *arg, struct sv span, struct sv service),
		void *arg)
{
	struct protobuf a = protobuf_reader(request), b, c;
	struct protobuf_field group, scope, span;
	struct sv service = SV("");

	while (protobuf_next(&a, &group) == 1) {
		b = protobuf_reader(group.bytes);
		while (protobuf_next(&b, &scope) == 1) {
			if (scope.number == 1)
				service = service_of(scope.bytes);
			if (scope.number != 2)
				continue;
			c = protobuf_reader(scope.bytes);
			while (protobuf_next(&c, &span) == 1)
				if (span.number == 2)
					fn(arg, span.bytes, service);
		}
	}
}

static void add_row(void *arg, struct sv span, struct sv service)
{
	put_row(arg, span, service);
}

void rowbinary_put(struct buf *out, struct sv request)
{
	spans_each(request, add_row, out);
}
