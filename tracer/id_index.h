/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of ids in a block: from an id's hash (tracer/ids.h) to the chunks
 * that may hold it, 13 or 14 bits an id. Pages by the highest bits of the hash,
 * of which a look-up reads one; in it buckets of eight ids on average by the
 * bits behind those; an id is the four bits behind those and its chunk's
 * number, so that two blocks give one false answer. Pure.
 *
 *   page = u8 1, u8 bits of the page's number, u8 of the bucket's, u8 of the
 *          chunk's, le32 entries, u8 entries of each bucket, entries bit by
 *          bit (the rest of the hash, then the chunk), filled up to a byte
 */
#ifndef TALLY_TRACER_ID_INDEX_H
#define TALLY_TRACER_ID_INDEX_H

#include "core/base/text.h"

enum {
	ID_INDEX_PAGE_IDS = 4096,  /* on average, at most */
	ID_INDEX_BUCKET_IDS = 8,   /* on average, at most */
	ID_INDEX_BUCKET_MAX = 255, /* more are left out, and counted */
	ID_INDEX_REST_BITS = 4,
	ID_INDEX_PAGE_BITS_MAX = 16,
};

struct id_entry {
	uint32_t hash, chunk;
};

/* Sorts entries by hash and chunk and takes repeats out; returns how many are
 * left. */
size_t id_index_sort(struct id_entry *entries, size_t count);
/* How many bits of the hash are the number of a page, for so many ids. */
unsigned id_index_page_bits(size_t count);
/* Appends page n of sorted entries, all of which are below chunks. Returns
 * how many it had to leave out. */
uint64_t id_index_put(struct buf *out, const struct id_entry *entries,
		      size_t count, unsigned page_bits, uint32_t n,
		      uint32_t chunks);
/* The chunks in page that may have hash, ascending, at most max; returns how
 * many. ERR_CORRUPT: no such page. */
int id_index_find(struct sv page, uint32_t hash, uint32_t *chunks, size_t max,
		  size_t *count) MUST_USE;

#endif
