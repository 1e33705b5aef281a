/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/words.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/hash.h"

enum { SLOTS_MIN = 64 };

void words_fini(struct words *n)
{
	free(n->texts);
	free(n->slots);
	*n = (struct words){ 0 };
}

static uint32_t *slot_of(const struct words *n, struct sv text)
{
	uint32_t at = (uint32_t)hash64(text) & (n->slot_count - 1);

	while (n->slots[at] && !sv_eq(n->texts[n->slots[at]], text))
		at = (at + 1) & (n->slot_count - 1);
	return &n->slots[at];
}

static bool grow(struct words *n)
{
	uint32_t cap = n->cap ? 2 * n->cap : SLOTS_MIN / 2;
	struct sv *texts = reallocarray(n->texts, cap, sizeof(*texts));
	uint32_t *slots;

	if (!texts)
		return false;
	n->texts = texts;
	slots = calloc((size_t)cap * 2, sizeof(*slots));
	if (!slots)
		return false;
	if (!n->count)
		n->texts[n->count++] = SV("");
	free(n->slots);
	n->slots = slots;
	n->slot_count = cap * 2;
	n->cap = cap;
	for (uint32_t i = 1; i < n->count; i++)
		*slot_of(n, n->texts[i]) = i;
	return true;
}

uint32_t words_number(struct words *n, struct arena *arena, struct sv text)
{
	uint32_t *slot;

	if (!text.len)
		return 0;
	if (n->count == n->cap && !grow(n))
		return WORDS_NONE;
	slot = slot_of(n, text);
	if (!*slot) {
		text = arena_copy(arena, text);
		if (!text.ptr)
			return WORDS_NONE;
		n->texts[n->count] = text;
		*slot = n->count++;
	}
	return *slot;
}

struct sv words_text(const struct words *n, uint32_t number)
{
	if (!number)
		return SV("");
	assert(number < n->count);
	return n->texts[number];
}

size_t words_memory(const struct words *n)
{
	return n->cap * sizeof(*n->texts) + n->slot_count * sizeof(*n->slots);
}
