/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names as numbers: what repeats in the segments of a head (services, origins,
 * resources) is there once. Number 0 is the empty text. Text never moves; its
 * memory is the arena's. No limit of its own: the head's is over the arena.
 */
#ifndef TALLY_TRACER_WORDS_H
#define TALLY_TRACER_WORDS_H

#include "core/base/arena.h"

#define WORDS_NONE UINT32_MAX

struct words {
	struct sv *texts;
	uint32_t *slots; /* number; 0: free; at most half full */
	uint32_t count, cap, slot_count;
};

void words_fini(struct words *n);
/* WORDS_NONE: no memory. */
uint32_t words_number(struct words *n, struct arena *arena, struct sv text);
/* Of a number it gave. */
struct sv words_text(const struct words *n, uint32_t number);
size_t words_memory(const struct words *n); /* but for the arena's */

#endif
