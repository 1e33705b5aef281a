/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What carries a trace from one service to the next: W3C's traceparent and
 * X-Ray's X-Amzn-Trace-Id, two forms of the same. Ids have the same size in
 * both, so each becomes the other without loss, but for what only one has
 * (Lineage, Self, tracestate).
 *
 *   00-581cf771a006649127e371903a2de979-99c3afe0ca06e8a7-01
 *   Root=1-581cf771-a006649127e371903a2de979;Parent=99c3afe0ca06e8a7;Sampled=1
 *
 * Sources: W3C Trace Context, "traceparent header field values"; X-Ray's
 * developer guide, "Tracing header".
 */
#ifndef TALLY_TRACER_TRACE_HEADER_H
#define TALLY_TRACER_TRACE_HEADER_H

#include "tracer/segment.h"

enum trace_sampled {
	TRACE_SAMPLED_UNSAID, /* Root alone */
	TRACE_SAMPLED_NO,
	TRACE_SAMPLED_YES,
	TRACE_SAMPLED_ASK, /* "Sampled=?": the callee decides and tells */
};

struct trace_header {
	uint8_t trace_id[TRACE_ID_SIZE];
	uint8_t parent_id[SEGMENT_ID_SIZE];
	bool has_parent;
	enum trace_sampled sampled;
};

/* Either form. False: it is neither, or an id is all zero. */
bool trace_header_parse(struct sv text, struct trace_header *out) MUST_USE;
/* traceparent has no form without a parent: false, and nothing was added. */
bool trace_header_put_w3c(struct buf *out, const struct trace_header *h);
void trace_header_put_xray(struct buf *out, const struct trace_header *h);

#endif
