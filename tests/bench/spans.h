/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telemetry for benchmarks, always the same for a seed. Spans: 8 a trace in a
 * tree, of 50 services with 6 operations each, 10 attributes of which one is
 * a random 128-bit id; about 400 bytes each in OTLP, in requests grouped by
 * service. Segments: of the same services, about 1 KB, two calls each.
 *
 * Every draw adds its entropy to `bits`: what no store can be smaller than.
 */
#ifndef TALLY_TESTS_BENCH_SPANS_H
#define TALLY_TESTS_BENCH_SPANS_H

#include <stdint.h>

#include "core/base/text.h"

enum {
	BENCH_SERVICES = 50,
	BENCH_OPERATIONS = 6,
	BENCH_TRACE_SPANS = 8,
	BENCH_TRACES_MAX = 1000, /* of one request */
};

struct bench {
	uint64_t random; /* state */
	int64_t now_ns;  /* when the next trace starts, about */
	double bits;     /* entropy of what was made */
	uint64_t spans, segments;
};

void bench_init(struct bench *b, uint64_t seed, int64_t now_ns);
/* Appends an ExportTraceServiceRequest of that many traces. */
void bench_request(struct bench *b, unsigned traces, struct buf *out);
/* Appends a segment document: one segment of a trace of its own. */
void bench_segment(struct bench *b, struct buf *out);

#endif
