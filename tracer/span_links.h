/* SPDX-License-Identifier: Apache-2.0 */
/* The links of a span as those of a segment: the spans whose messages it took,
 * where from, and when they were sent (OpenTelemetry's conventions for
 * messaging; what AWS's records name is understood too). */
#ifndef TALLY_TRACER_SPAN_LINKS_H
#define TALLY_TRACER_SPAN_LINKS_H

#include "tracer/span_facts.h"
#include "tracer/segment.h"

/* Fills out->links, in arena, with the first SEGMENT_LINKS_MAX. False: no
 * memory. */
bool span_links_read(const struct span_facts *facts, struct arena *arena,
		     struct segment *out) MUST_USE;

#endif
