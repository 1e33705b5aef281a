/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document: one message of a service about its part of a trace, in the form
 * it came in. X-Ray segments and OpenTelemetry spans are equals: both are kept
 * as they came, and both read as a struct segment, so that assembly, service
 * map, search and print-outs know one model.
 *
 *   DOCUMENT_XRAY  a segment document: JSON text
 *   DOCUMENT_OTLP  opentelemetry.proto.trace.v1.ResourceSpans with one
 *                  ScopeSpans of one Span; Resource, scope and span are the
 *                  sender's bytes
 *
 * The other form is computed when it is asked for (tracer/span.h).
 */
#ifndef TALLY_TRACER_DOCUMENT_H
#define TALLY_TRACER_DOCUMENT_H

#include "core/codec/json_write.h"
#include "tracer/segment.h"

enum document_format { DOCUMENT_XRAY, DOCUMENT_OTLP, DOCUMENT_FORMATS };

struct document {
	enum document_format format;
	struct sv bytes;
};

/* Judges d and reads it as a segment: segment_check for one in X-Ray's form,
 * the mapping of tracer/span.h for a span. What it fills in lives as long as
 * the arena and d's bytes; segment_walk visits what is nested. */
enum segment_refusal document_read(const struct document *d,
				   struct arena *arena,
				   struct segment *out) MUST_USE;

/* A document with all that is nested in it. */
struct document_reading {
	const struct segment *segments; /* [0] its own; see segment_record */
	uint32_t count;
	const struct json_doc *parsed; /* of DOCUMENT_XRAY */
};
/* As document_read, and the nested ones too, in arena. */
enum segment_refusal document_take(const struct document *d,
				   struct arena *arena,
				   struct document_reading *out) MUST_USE;
/* d as a JSON object in X-Ray's form: as it came, or a span as a segment. */
void document_put_xray(struct json_writer *w, const struct document *d);
/* d as a ResourceSpans object in OTLP's JSON: as it came, or a segment as spans
 * (tracer/segment_otlp.h). */
void document_put_otlp(struct json_writer *w, const struct document *d);
/* Appends the DOCUMENT_OTLP of a span that came as a record. */
void document_of_span(const struct span_record *span, struct buf *out);
/* How many bytes that takes. */
size_t document_size_of_span(const struct span_record *span);
/* The record that a DOCUMENT_OTLP was made of; both borrow from bytes, and
 * span->source is source. False: it is no such document. */
bool document_to_span(struct sv bytes, struct span_source *source,
		      struct span_record *span) MUST_USE;

#endif
