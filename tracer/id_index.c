/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/id_index.h"

#include <assert.h>
#include <stdlib.h>

enum { VERSION = 1, HEAD_BYTES = 8 };

static int by_hash(const void *left, const void *right)
{
	const struct id_entry *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->chunk < b->chunk ? -1 : a->chunk > b->chunk;
}

/* By hash, eight bits at a time from the lowest; what is equal keeps its
 * order. False: no memory. */
static bool sort_by_digits(struct id_entry *entries, size_t count)
{
	struct id_entry *other = reallocarray(NULL, count, sizeof(*other));
	struct id_entry *from = entries, *to = other;

	if (!other)
		return false;
	for (unsigned shift = 0; shift < 32; shift += 8) {
		size_t at[257] = { 0 };
		struct id_entry *swap = from;

		for (size_t i = 0; i < count; i++)
			at[(from[i].hash >> shift & 255) + 1]++;
		for (size_t i = 0; i < 256; i++)
			at[i + 1] += at[i];
		for (size_t i = 0; i < count; i++)
			to[at[from[i].hash >> shift & 255]++] = from[i];
		from = to;
		to = swap;
	}
	assert(from == entries); /* four turns */
	free(other);
	return true;
}

size_t id_index_sort(struct id_entry *entries, size_t count)
{
	size_t kept = 0;

	if (count && !sort_by_digits(entries, count))
		qsort(entries, count, sizeof(*entries), by_hash);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1;
		     end < count && entries[end].hash == entries[i].hash;)
			end++;
		if (end > i + 1)
			qsort(entries + i, end - i, sizeof(*entries), by_hash);
		for (size_t k = i; k < end; k++)
			if (!kept || by_hash(&entries[kept - 1], &entries[k]))
				entries[kept++] = entries[k];
	}
	return kept;
}

unsigned id_index_page_bits(size_t count)
{
	unsigned bits = 0;

	while (bits < ID_INDEX_PAGE_BITS_MAX &&
	       count >> bits > ID_INDEX_PAGE_IDS)
		bits++;
	return bits;
}

/* --- bits ------------------------------------------------------------------ */

struct bit_writer {
	struct buf *out;
	uint64_t bits;
	unsigned count;
};

static void put_bits(struct bit_writer *w, uint32_t v, unsigned n)
{
	w->bits |= (uint64_t)v << w->count;
	w->count += n;
	for (; w->count >= 8; w->count -= 8, w->bits >>= 8)
		buf_char(w->out, (char)w->bits);
}

/* The caller knows that they are there, but for the last bytes of a page. */
static uint32_t get_bits(struct sv bytes, size_t at, unsigned n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8 && at / 8 + i < bytes.len; i++)
		v |= (uint64_t)(uint8_t)bytes.ptr[at / 8 + i] << (8 * i);
	return (uint32_t)(v >> at % 8) & (uint32_t)((UINT64_C(1) << n) - 1);
}

static unsigned bits_for(uint32_t count)
{
	unsigned bits = 1;

	while (bits < 32 && count > UINT32_C(1) << bits)
		bits++;
	return bits;
}

/* n bits of hash behind its first `from`. */
static uint32_t part(uint32_t hash, unsigned from, unsigned n)
{
	return n ? hash << from >> (32 - n) : 0;
}

/* --- pages ------------------------------------------------------------------ */

static size_t first_of_page(const struct id_entry *entries, size_t count,
			    unsigned page_bits, uint64_t n)
{
	uint64_t from = n << (32 - page_bits);
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entries[middle].hash < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t id_index_put(struct buf *out, const struct id_entry *entries,
		      size_t count, unsigned page_bits, uint32_t n,
		      uint32_t chunks)
{
	size_t first = first_of_page(entries, count, page_bits, n);
	size_t end = first_of_page(entries, count, page_bits, (uint64_t)n + 1);
	unsigned chunk_bits = bits_for(chunks), bucket_bits = 0;
	uint8_t head[HEAD_BYTES] = { VERSION, (uint8_t)page_bits };
	struct bit_writer w = { .out = out };
	size_t counts;
	uint64_t left_out = 0;
	uint32_t total = 0;

	assert(page_bits <= ID_INDEX_PAGE_BITS_MAX && n < 1U << page_bits);
	while (bucket_bits < 10 &&
	       (end - first) >> bucket_bits > ID_INDEX_BUCKET_IDS)
		bucket_bits++;
	head[2] = (uint8_t)bucket_bits;
	head[3] = (uint8_t)chunk_bits;
	counts = out->len + HEAD_BYTES;
	buf_add(out, head, HEAD_BYTES);
	for (size_t i = 0; i < (size_t)1 << bucket_bits; i++)
		buf_char(out, 0);
	if (out->failed)
		return 0;
	for (size_t i = first; i < end; i++) {
		uint32_t bucket = part(entries[i].hash, page_bits, bucket_bits);
		uint8_t *used = (uint8_t *)out->ptr + counts + bucket;

		assert(entries[i].chunk < chunks);
		if (*used == ID_INDEX_BUCKET_MAX) {
			left_out++;
			continue;
		}
		++*used;
		total++;
		put_bits(&w,
			 part(entries[i].hash, page_bits + bucket_bits,
			      ID_INDEX_REST_BITS),
			 ID_INDEX_REST_BITS);
		put_bits(&w, entries[i].chunk, chunk_bits);
		if (out->failed)
			return 0;
	}
	if (w.count)
		put_bits(&w, 0, 8 - w.count);
	if (!out->failed)
		put_le32((uint8_t *)out->ptr + counts - 4, total);
	return left_out;
}

int id_index_find(struct sv page, uint32_t hash, uint32_t *chunks, size_t max,
		  size_t *count)
{
	const uint8_t *p = (const uint8_t *)page.ptr;
	unsigned page_bits, bucket_bits, chunk_bits, width;
	size_t buckets, bucket, at = 0;
	uint32_t rest;

	*count = 0;
	if (page.len < HEAD_BYTES || p[0] != VERSION)
		return ERR_CORRUPT;
	page_bits = p[1];
	bucket_bits = p[2];
	chunk_bits = p[3];
	if (page_bits > ID_INDEX_PAGE_BITS_MAX || bucket_bits > 10 ||
	    chunk_bits == 0 || chunk_bits > 32)
		return ERR_CORRUPT;
	buckets = (size_t)1 << bucket_bits;
	width = ID_INDEX_REST_BITS + chunk_bits;
	if (page.len < HEAD_BYTES + buckets ||
	    (uint64_t)get_le32(p + 4) * width >
		    (uint64_t)(page.len - HEAD_BYTES - buckets) * 8)
		return ERR_CORRUPT;
	bucket = part(hash, page_bits, bucket_bits);
	for (size_t i = 0; i < bucket; i++)
		at += p[HEAD_BYTES + i];
	if (at + p[HEAD_BYTES + bucket] > get_le32(p + 4))
		return ERR_CORRUPT;
	rest = part(hash, page_bits + bucket_bits, ID_INDEX_REST_BITS);
	page = sv_make(page.ptr + HEAD_BYTES + buckets,
		       page.len - HEAD_BYTES - buckets);
	for (size_t i = 0; i < p[HEAD_BYTES + bucket] && *count < max; i++) {
		size_t bit = (at + i) * width;

		if (get_bits(page, bit, ID_INDEX_REST_BITS) == rest)
			chunks[(*count)++] = get_bits(
				page, bit + ID_INDEX_REST_BITS, chunk_bits);
	}
	return 0;
}
