/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API says of traces, as JSON: docs/api.md, and BatchGetTraces.
 */
#ifndef TALLY_TRACER_TRACES_JSON_H
#define TALLY_TRACER_TRACES_JSON_H

#include "core/codec/json_write.h"
#include "tracer/traces.h"

/* Members "id" to "segments" of GET /api/v1/traces/{id}, into an object that
 * is open; the caller adds "logs" and "usage". */
void traces_json_trace(struct json_writer *w, const struct trace *t);
/* One row of GET /api/v1/traces. */
void traces_json_row(struct json_writer *w, const struct trace_summary *s);
/* The whole object of GET /api/v1/traces/{id}?format=otlp: resourceSpans. */
void traces_json_otlp(struct json_writer *w, const struct trace *t);
/* Its member "spans": each (sub)segment's self time and part of the critical
 * path, by clocks that were corrected (tracer/skew.h, critical.h); which moves
 * the times of trace's spans. ERR_NOMEM. */
int traces_json_spans(struct json_writer *w, struct assembly *trace,
		      struct arena *arena) MUST_USE;
/* The whole object of GET /api/v1/traces. */
void traces_json_list(struct json_writer *w, const struct trace_list *list);
/* The whole object of GET /api/v1/map. */
void traces_json_map(struct json_writer *w, const struct graph *g,
		     int64_t start_ns, int64_t end_ns);
/* One element of BatchGetTraces' Traces: {Id, Duration, LimitExceeded,
 * Segments: [{Id, Document: string}]}. */
void traces_json_batch_trace(struct json_writer *w, const struct trace *t);

#endif
