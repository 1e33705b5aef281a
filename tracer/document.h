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

#include "tracer/segment.h"

enum document_format { DOCUMENT_XRAY, DOCUMENT_OTLP, DOCUMENT_FORMATS };

struct document {
	enum document_format format;
	struct sv bytes;
};

#endif
