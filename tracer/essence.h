/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Essence: what is left of a (sub)segment once it was read, so that nothing
 * that is computed of many traces (lists, service map, ids) needs its text
 * again. Names are numbers; what few segments have is in a tail. 56 bytes and
 * the tail.
 */
#ifndef TALLY_TRACER_ESSENCE_H
#define TALLY_TRACER_ESSENCE_H

#include "tracer/words.h"
#include "tracer/segment.h"

struct essence {
	uint8_t id[SEGMENT_ID_SIZE];
	uint8_t parent_id[SEGMENT_ID_SIZE];
	int64_t start_ns, end_ns;
	uint32_t name, origin, resource, resource_key; /* struct words */
	uint16_t http_status;
	uint8_t status; /* enum segment_status */
	uint8_t flags;
	uint8_t links, request_id_len; /* how many and how long, in the tail */
	uint16_t tail_len;
};

/* Room for a segment's essence and tail. */
size_t essence_size(const struct segment *s);
/* Writes both to `to`, which is aligned to 8; returns the bytes of both, a
 * multiple of 8. 0: no memory. */
size_t essence_put(const struct segment *s, struct words *words,
		   struct arena *arena, struct essence *to);
/* As a segment again, without json, operation and errors; texts are borrowed
 * from words and the tail, links are in arena. The next essence; NULL: no
 * memory. */
const struct essence *essence_get(const struct essence *e,
				  const struct words *words,
				  const uint8_t trace_id[TRACE_ID_SIZE],
				  struct arena *arena, struct segment *out);

#endif
