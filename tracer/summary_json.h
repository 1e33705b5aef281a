/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace as one element of GetTraceSummaries, by X-Ray's public model: every
 * member of TraceSummary. HasError and HasFault speak of the root segment,
 * HasThrottle of any; Revision is the number of documents so far, since each
 * makes the trace another.
 */
#ifndef TALLY_TRACER_SUMMARY_JSON_H
#define TALLY_TRACER_SUMMARY_JSON_H

#include "core/codec/json_write.h"
#include "tracer/facts.h"
#include "tracer/traces.h"

enum {
	/* Told of one trace; there is no more of a usual one. */
	SUMMARY_SERVICES_MAX = 256,
	SUMMARY_ANNOTATIONS_MAX = 4096, /* looked at */
	SUMMARY_KEYS_MAX = 50, /* of annotations: X-Ray's own limit */
	SUMMARY_VALUES_MAX = 50,
	SUMMARY_USERS_MAX = 50,
};

/* matched_ns: 0, no MatchedEventTime. What could not be told for want of
 * memory is facts->failed. */
void summary_json_xray(struct json_writer *w, const struct trace *trace,
		       struct facts *facts, int64_t matched_ns);

#endif
