/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: memory that is given piece by piece and taken back all at once. One
 * per message: what a request decodes to lives exactly as long as the request.
 * Memory comes in chunks that double from ARENA_CHUNK_MIN; reset keeps the
 * largest, so a steady state allocates nothing. Not for two threads at once.
 */
#ifndef TALLY_CORE_BASE_ARENA_H
#define TALLY_CORE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/text.h"

enum {
	ARENA_CHUNK_MIN = 4 << 10,
	ARENA_CHUNK_MAX = 4 << 20,
	ARENA_ALIGN = 16,
};

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* newest; they form a list */
	size_t used;	     /* bytes given out, with alignment */
	size_t limit;	     /* most bytes it may give; 0: no limit */
	bool full;	     /* the limit refused something, not memory */
};

#define ARENA_INIT { 0 }

void arena_fini(struct arena *a);
/* Bytes it has from the system: what was given out, and what is left. */
size_t arena_held(const struct arena *a);
/* Takes everything back; keeps the largest chunk for the next message. */
void arena_reset(struct arena *a);
/* size bytes, aligned to ARENA_ALIGN, not cleared; NULL: over the limit, or
 * memory is used up. size 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* count*size bytes, zeroed, overflow checked. */
void *arena_array(struct arena *a, size_t count, size_t size) MUST_USE;
#define arena_new(a, type) ((type *)arena_array(a, 1, sizeof(type)))
/* A copy with a NUL behind it; ptr NULL where memory is used up. */
struct sv arena_copy(struct arena *a, struct sv s) MUST_USE;

/* A point to come back to: everything given since is taken back. */
struct arena_mark {
	struct arena_chunk *chunk;
	size_t chunk_used;
	size_t used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rollback(struct arena *a, struct arena_mark mark);

#endif
