/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/keep.h"

#include "core/base/hash.h"
#include "tracer/sampling.h"

bool keep_trace(const struct keep *k, const struct keep_facts *facts)
{
	if (facts->worst != SEGMENT_STATUS_OK)
		return true;
	for (size_t i = 0; i < k->count; i++) {
		const struct keep_rule *r = &k->rules[i];
		uint64_t hash;

		if (!sampling_pattern_matches(r->service, facts->root))
			continue;
		if (r->slow_ns && facts->duration_ns >= r->slow_ns)
			return true;
		/* Ids begin with a time: their bytes are not evenly spread. */
		hash = hash64(
			sv_make((const char *)facts->trace_id, TRACE_ID_SIZE));
		return hash % KEEP_PPM < r->share_ppm;
	}
	return true;
}
