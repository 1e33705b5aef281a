/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span of OpenTelemetry as a segment: the public rules by which the
 * Collector's X-Ray exporter maps one to the other, with these choices where
 * they leave one (docs/decisions/otlp.md):
 *
 *  - A span is a segment where its service was entered: without a parent, of
 *    kind SERVER, with a parent that its flags call remote, or of kind CONSUMER
 *    where the flags say nothing. All others are subsegments.
 *  - A segment is named by its service; a call by whom it calls; all else by
 *    the span. Names are cut and cleaned to what X-Ray takes.
 *  - The namespace of a call of kind CLIENT or PRODUCER is "aws" where AWS's
 *    SDK made it, else "remote".
 *  - An end before the start counts as no time, and is marked in the document.
 */
#ifndef TALLY_TRACER_SPAN_H
#define TALLY_TRACER_SPAN_H

#include "core/codec/json_write.h"
#include "tracer/segment.h"
#include "tracer/span_facts.h"

/* Reads many spans of few resources: a resource is read once as long as the
 * next span has the same source. Zero it first, and for each message. */
struct span_reader {
	const struct span_source *source; /* whose resource is read */
	struct span_values resource;
	struct span_facts facts; /* of the last span */
};

/* Fills *out from record, which was checked (core/wire/otlp.h): what
 * segment_check would read of span_put_xray's document. All in it is valid as
 * long as arena and record; json and nested are empty. Of the refusals those
 * about ids and start, SEGMENT_NOT_JSON where it is no span at all, and
 * SEGMENT_NO_MEMORY. */
enum segment_refusal span_read(struct span_reader *reader,
			       const struct span_record *record,
			       struct arena *arena,
			       struct segment *out) MUST_USE;

/* The segment document of record: valid by segment_check, but that it may be
 * larger than SEGMENT_BYTES_MAX. Scalar attributes are annotations, so that
 * they are found; those of the resource under "otel.resource.". Lists and the
 * rest of the span are metadata. False: record was not checked, or memory is
 * used up; nothing was written. */
bool span_put_xray(struct json_writer *w, const struct span_record *record,
		   struct arena *arena) MUST_USE;

#endif
