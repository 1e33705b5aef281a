/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/document.h"

#include "core/wire/otlp_json.h"
#include "tracer/segment_otlp.h"
#include "tracer/span.h"

void document_of_span(const struct span_record *span, struct buf *out)
{
	const struct span_source *s = span->source;
	size_t scopes;

	if (s->resource.len)
		protobuf_put_bytes(out, RESOURCE_SPANS_RESOURCE, s->resource);
	scopes = protobuf_open(out, RESOURCE_SPANS_SCOPES);
	if (s->scope.len)
		protobuf_put_bytes(out, SCOPE_SPANS_SCOPE, s->scope);
	protobuf_put_bytes(out, SCOPE_SPANS_SPANS, span->span);
	if (s->scope_schema.len)
		protobuf_put_bytes(out, SCOPE_SPANS_SCHEMA, s->scope_schema);
	protobuf_close(out, scopes);
	if (s->resource_schema.len)
		protobuf_put_bytes(out, RESOURCE_SPANS_SCHEMA,
				   s->resource_schema);
}

static size_t field_size(size_t bytes)
{
	return 1 + protobuf_varint_size(bytes) + bytes; /* numbers below 16 */
}

size_t document_size_of_span(const struct span_record *span)
{
	const struct span_source *s = span->source;
	size_t scopes = field_size(span->span.len);
	size_t size = 0;

	scopes += s->scope.len ? field_size(s->scope.len) : 0;
	scopes += s->scope_schema.len ? field_size(s->scope_schema.len) : 0;
	size += s->resource.len ? field_size(s->resource.len) : 0;
	size += s->resource_schema.len ? field_size(s->resource_schema.len) : 0;
	return size + field_size(scopes);
}

/* Fields 1, 2 and 3 of ResourceSpans and ScopeSpans alike. */
static bool take_three(struct sv bytes, struct sv *first, struct sv *second,
		       struct sv *third)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	*first = *second = *third = SV("");
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number == 1)
			*first = f.bytes;
		else if (f.number == 2)
			*second = f.bytes;
		else if (f.number == 3)
			*third = f.bytes;
	}
	return !e;
}

bool document_to_span(struct sv bytes, struct span_source *source,
		      struct span_record *span)
{
	struct sv scopes;

	span->source = source;
	return take_three(bytes, &source->resource, &scopes,
			  &source->resource_schema) &&
	       take_three(scopes, &source->scope, &span->span,
			  &source->scope_schema);
}

enum segment_refusal document_read(const struct document *d,
				   struct arena *arena, struct segment *out)
{
	struct span_reader reader;
	struct span_source source;
	struct span_record span;

	if (d->format == DOCUMENT_XRAY)
		return segment_check(d->bytes, arena, out);
	reader.source = NULL;
	return document_to_span(d->bytes, &source, &span) ?
		       span_read(&reader, &span, arena, out) :
		       SEGMENT_NOT_JSON;
}

enum segment_refusal document_take(const struct document *d,
				   struct arena *arena,
				   struct document_reading *out)
{
	struct segment_record record = { .document = d->bytes };
	enum segment_refusal refusal;
	struct segment *segment;

	if (d->format == DOCUMENT_XRAY) {
		refusal = segment_take(&record, arena);
		*out = (struct document_reading){ record.read,
						  record.read_count,
						  record.parsed };
		return refusal;
	}
	segment = arena_new(arena, struct segment);
	if (!segment)
		return SEGMENT_NO_MEMORY;
	refusal = document_read(d, arena, segment);
	*out = (struct document_reading){ segment, 1, NULL };
	return refusal;
}

void document_put_xray(struct json_writer *w, const struct document *d)
{
	struct arena arena = ARENA_INIT;
	struct span_source source;
	struct span_record span;

	if (d->format == DOCUMENT_XRAY)
		json_put_raw(w, d->bytes);
	else if (!document_to_span(d->bytes, &source, &span) ||
		 !span_put_xray(w, &span, &arena))
		json_put_null(w); /* memory is used up */
	arena_fini(&arena);
}

/* Into text of its own first: what is cut short must not stand in an answer. */
void document_put_otlp(struct json_writer *w, const struct document *d)
{
	struct arena arena = ARENA_INIT;
	struct buf text = { .limit = w->out->limit };
	struct json_writer inner = json_writer(&text);
	bool ok =
		d->format == DOCUMENT_XRAY ?
			segment_put_otlp(&inner, d->bytes, &arena) :
			!otlp_json_write(OTLP_RESOURCE_SPANS, d->bytes, &inner);

	if (ok && !text.failed)
		json_put_raw(w, buf_view(&text));
	else
		json_put_null(w); /* memory is used up */
	buf_fini(&text);
	arena_fini(&arena);
}
