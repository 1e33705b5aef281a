/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span of OpenTelemetry's as a segment: document is a DOCUMENT_OTLP
 * (tracer/document.h). A span that serves a request, or has no parent, is a
 * segment by the name of its resource's service; any other is a subsegment
 * sent alone. Field numbers are those of opentelemetry-proto 1.x.
 */
#ifndef TALLY_TRACER_SPAN_H
#define TALLY_TRACER_SPAN_H

#include "core/codec/json_write.h"
#include "tracer/segment.h"

/* Borrows names from document. A span without valid ids or a start is refused
 * like a segment without them; bytes that are no such message are
 * SEGMENT_NOT_JSON. */
enum segment_refusal span_read(struct sv document, struct arena *arena,
			       struct segment *out) MUST_USE;

/* The whole JSON object of what span_read made. */
void span_put_xray(struct json_writer *w, const struct segment *s);

#endif
