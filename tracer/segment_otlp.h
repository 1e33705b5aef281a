/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment as spans of OpenTelemetry, the way back of tracer/span.h: one span
 * for the segment and each of its subsegments, in OTLP's JSON. By the public
 * documentation of the Collector's X-Ray receiver, with the keys that span.h
 * reads, so that what goes out and comes in again is the same segment:
 *
 *   segment      span of kind SERVER; namespace aws, remote: CLIENT; else
 *                INTERNAL
 *   name, aws    service.name, cloud.*, host.*, container.*, ... of the resource
 *   http, sql    http.*, url.*, client.address, db.*
 *   annotations  attributes of their names, which aws.xray.annotations lists
 *   metadata     aws.xray.metadata.NAMESPACE: its JSON
 *   cause        events named "exception", at the end; status ERROR
 */
#ifndef TALLY_TRACER_SEGMENT_OTLP_H
#define TALLY_TRACER_SEGMENT_OTLP_H

#include "core/codec/json_write.h"
#include "tracer/segment.h"

/* One ResourceSpans object. False: document is no segment, or the arena is used
 * up; what was written then is cut short. */
bool segment_put_otlp(struct json_writer *w, struct sv document,
		      struct arena *arena) MUST_USE;

#endif
