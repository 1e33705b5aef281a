/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Late decision (tail sampling): whether a whole trace is kept, decided once it
 * has been quiet for a while and all that happened in it is known. A sampling
 * rule decides when a request begins and cannot know how it ends; this can, so
 * what went wrong or was slow is kept whole, and of the rest a share.
 *
 *  - a trace with an error, a throttle or a fault in any segment is kept;
 *  - the first rule whose service matches the root segment's name decides on
 *    all others: kept when it took slow_ns or longer, else by its share;
 *  - without a rule that matches it is kept.
 *
 * The share is a function of the trace id alone, the same everywhere and after
 * a restart: several collectors keep the same traces, and a segment that comes
 * after the decision shares its trace's fate, unless it brings an error itself.
 * Pure; off while there are no rules.
 */
#ifndef TALLY_TRACER_KEEP_H
#define TALLY_TRACER_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"
#include "tracer/segment.h"

enum { KEEP_RULES_MAX = 64, KEEP_PPM = 1000000 };

struct keep_rule {
	struct sv service;  /* as in a sampling rule: * and ? */
	int64_t slow_ns;    /* kept from here on; 0: duration does not matter */
	uint32_t share_ppm; /* of the rest, in millionths, up to KEEP_PPM */
};

struct keep {
	const struct keep_rule *rules;
	size_t count; /* 0: everything is kept */
};

struct keep_facts {
	const uint8_t *trace_id; /* TRACE_ID_SIZE bytes */
	struct sv root;          /* the root segment's name; may be empty */
	int64_t duration_ns;
	enum segment_status worst; /* of all its segments */
};

bool keep_trace(const struct keep *k, const struct keep_facts *facts);

#endif
