/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of bytes */
	size_t used;
	alignas(ARENA_ALIGN) unsigned char bytes[];
};

void arena_fini(struct arena *a)
{
	while (a->chunk) {
		struct arena_chunk *older = a->chunk->older;

		free(a->chunk);
		a->chunk = older;
	}
	a->used = 0;
}

size_t arena_held(const struct arena *a)
{
	size_t n = 0;

	for (const struct arena_chunk *c = a->chunk; c; c = c->older)
		n += sizeof(*c) + c->size;
	return n;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *best = NULL;

	while (a->chunk) {
		struct arena_chunk *c = a->chunk;

		a->chunk = c->older;
		if (!best || c->size > best->size) {
			free(best);
			best = c;
		} else {
			free(c);
		}
	}
	if (best) {
		best->older = NULL;
		best->used = 0;
	}
	a->chunk = best;
	a->used = 0;
}

static struct arena_chunk *arena_more(struct arena *a, size_t size)
{
	size_t want = a->chunk ? a->chunk->size * 2 : ARENA_CHUNK_MIN;
	struct arena_chunk *c;

	if (want > ARENA_CHUNK_MAX)
		want = ARENA_CHUNK_MAX;
	if (want < size)
		want = size;
	if (want > SIZE_MAX - sizeof(*c))
		return NULL;
	c = malloc(sizeof(*c) + want);
	if (!c)
		return NULL;
	c->older = a->chunk;
	c->size = want;
	c->used = 0;
	a->chunk = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunk;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (size == 0)
		size = ARENA_ALIGN;
	if (a->limit && (a->used > a->limit || size > a->limit - a->used)) {
		a->full = true;
		return NULL;
	}
	if (!c || c->size - c->used < size) {
		c = arena_more(a, size);
		if (!c)
			return NULL;
	}
	p = c->bytes + c->used;
	c->used += size;
	a->used += size;
	assert(((uintptr_t)p & (ARENA_ALIGN - 1)) == 0);
	return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	p = arena_alloc(a, bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

struct sv arena_copy(struct arena *a, struct sv s)
{
	char *p = arena_alloc(a, s.len + 1);

	if (!p)
		return (struct sv){ NULL, 0 };
	if (s.len)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return (struct sv){ p, s.len };
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->chunk, a->chunk ? a->chunk->used : 0,
				    a->used };
}

void arena_rollback(struct arena *a, struct arena_mark mark)
{
	while (a->chunk != mark.chunk) {
		struct arena_chunk *older = a->chunk->older;

		assert(older || !mark.chunk);
		free(a->chunk);
		a->chunk = older;
	}
	if (a->chunk)
		a->chunk->used = mark.chunk_used;
	a->used = mark.used;
}
