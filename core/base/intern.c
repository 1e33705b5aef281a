/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/intern.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/hash.h"

/* Open addressing, at most half full; a slot has the id + 1. */
struct intern {
	struct arena text;
	struct sv *texts; /* by id */
	uint64_t *hashes; /* by id: to grow without reading the texts */
	uint32_t *slots;
	uint32_t count, cap, mask, ids_max;
	uint64_t refused;
};

int intern_new(struct intern **out, uint32_t ids_max, size_t bytes_max)
{
	struct intern *in = calloc(1, sizeof(*in));

	if (!in)
		return ERR_NOMEM;
	in->ids_max = ids_max ? ids_max : INTERN_IDS_MAX;
	assert(in->ids_max <= 1u << 30);
	in->text.limit = bytes_max ? bytes_max : INTERN_BYTES_MAX;
	*out = in;
	return 0;
}

void intern_free(struct intern *in)
{
	if (!in)
		return;
	arena_fini(&in->text);
	free(in->texts);
	free(in->hashes);
	free(in->slots);
	free(in);
}

/* The slot of text: its own, or the empty one where it belongs. */
static uint32_t *find_slot(const struct intern *in, struct sv text,
			   uint64_t hash)
{
	uint32_t i = (uint32_t)hash & in->mask;

	for (;; i = (i + 1) & in->mask) {
		uint32_t id = in->slots[i] - 1;

		if (!in->slots[i] ||
		    (in->hashes[id] == hash && sv_eq(in->texts[id], text)))
			return &in->slots[i];
	}
}

static int grow(struct intern *in)
{
	uint32_t cap = in->cap ? in->cap * 2 : 64;
	uint32_t mask = cap * 2 - 1;
	struct sv *texts = realloc(in->texts, cap * sizeof(*texts));
	uint64_t *hashes;
	uint32_t *slots;

	if (!texts)
		return ERR_NOMEM;
	in->texts = texts;
	hashes = realloc(in->hashes, cap * sizeof(*hashes));
	if (!hashes)
		return ERR_NOMEM;
	in->hashes = hashes;
	slots = calloc((size_t)mask + 1, sizeof(*slots));
	if (!slots)
		return ERR_NOMEM;
	for (uint32_t id = 0; id < in->count; id++) {
		uint32_t i = (uint32_t)hashes[id] & mask;

		while (slots[i])
			i = (i + 1) & mask;
		slots[i] = id + 1;
	}
	free(in->slots);
	in->slots = slots;
	in->mask = mask;
	in->cap = cap;
	return 0;
}

int intern_id(struct intern *in, struct sv text, uint32_t *id)
{
	uint64_t hash = hash64(text);
	struct sv copy;
	uint32_t *slot;

	if (in->count == in->cap && in->count < in->ids_max) {
		int err = grow(in);

		if (err)
			return err;
	}
	slot = find_slot(in, text, hash);
	if (*slot) {
		*id = *slot - 1;
		return 0;
	}
	if (in->count == in->ids_max) {
		in->refused++;
		return ERR_LIMIT;
	}
	copy = arena_copy(&in->text, text);
	if (!copy.ptr) {
		/* The arena says no for its limit or for want of memory. */
		if (in->text.used + text.len + ARENA_ALIGN < in->text.limit)
			return ERR_NOMEM;
		in->refused++;
		return ERR_LIMIT;
	}
	in->texts[in->count] = copy;
	in->hashes[in->count] = hash;
	*id = in->count++;
	*slot = in->count;
	return 0;
}

uint32_t intern_find(const struct intern *in, struct sv text)
{
	uint32_t slot;

	if (!in->count)
		return INTERN_NONE;
	slot = *find_slot(in, text, hash64(text));
	return slot ? slot - 1 : INTERN_NONE;
}

struct sv intern_text(const struct intern *in, uint32_t id)
{
	assert(id < in->count);
	return in->texts[id];
}

uint32_t intern_count(const struct intern *in)
{
	return in->count;
}

uint64_t intern_refused(const struct intern *in)
{
	return in->refused;
}
