/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/document.h"

#include "core/codec/protobuf.h"
#include "tracer/span.h"

enum segment_refusal document_read(const struct document *d,
				   struct arena *arena, struct segment *out)
{
	return d->format == DOCUMENT_OTLP ? span_read(d->bytes, arena, out) :
					    segment_check(d->bytes, arena, out);
}

void document_put_xray(struct json_writer *w, const struct document *d)
{
	struct arena arena = ARENA_INIT;
	struct segment segment;

	if (d->format == DOCUMENT_XRAY)
		json_put_raw(w, d->bytes);
	else if (span_read(d->bytes, &arena, &segment) == SEGMENT_OK)
		span_put_xray(w, &segment);
	else
		json_put_null(w); /* memory is used up */
	arena_fini(&arena);
}

static void put_some(struct buf *out, uint32_t number, struct sv bytes)
{
	if (bytes.len)
		protobuf_put_bytes(out, number, bytes);
}

void document_of_span(const struct span_record *span, struct buf *out)
{
	const struct span_source *source = span->source;
	size_t mark;

	put_some(out, 1, source->resource);
	mark = protobuf_open(out, 2);
	put_some(out, 1, source->scope);
	protobuf_put_bytes(out, 2, span->span);
	put_some(out, 3, source->scope_schema);
	protobuf_close(out, mark);
	put_some(out, 3, source->resource_schema);
}
