/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/keep.h"

#include "core/base/hash.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool keep_match(struct sv pattern, struct sv text)
{
	size_t p = 0, t = 0;
	size_t star = SIZE_MAX, star_text = 0; /* where to try again */

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < pattern.len &&
			   (pattern.ptr[p] == '?' ||
			    lower(pattern.ptr[p]) == lower(text.ptr[t]))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool keep_trace(const struct keep *k, const struct keep_facts *facts)
{
	if (facts->worst != SEGMENT_STATUS_OK)
		return true;
	for (size_t i = 0; i < k->count; i++) {
		const struct keep_rule *r = &k->rules[i];
		uint64_t hash;

		if (!keep_match(r->service, facts->root))
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
