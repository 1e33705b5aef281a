/* SPDX-License-Identifier: Apache-2.0 */
/* From a trace's key to its chunk and the documents in it. */
#include <stdlib.h>

#include "core/base/log.h"
#include "tracer/chunk.h"
#include "tracer/traces_inner.h"

enum { DAMAGE_TOLD_MAX = 8 }; /* lines of the log, of one block */

/* Names what is lost, a few times for each block. */
static void tell_damage(struct block_ref *b, uint32_t n)
{
	struct sv key = block_chunk_key(b->block, n);
	char id[2 * TRACE_ID_SIZE + 1] = "";

	if (atomic_exchange(&b->damage_last, n + 1) == n + 1 ||
	    atomic_fetch_add(&b->damage_told, 1) >= DAMAGE_TOLD_MAX)
		return;
	if (key.len >= ROW_PREFIX && key.ptr[0] == 'C')
		hex_from(id, (const uint8_t *)key.ptr + 1 + SCOPE_KEY_SIZE,
			 TRACE_ID_SIZE);
	log_error("traces",
		  "block %016llx: chunk %u is damaged; %s%s are left out",
		  (unsigned long long)b->number, n,
		  *id ? "traces that begin at " : "ids", id);
}

int block_load_row(struct block_scan **scan, struct block_ref *b, uint32_t n,
		   struct sv *key, struct sv *value)
{
	int e = block_scan_chunk(scan, b->block, n);

	if (e)
		return e;
	e = block_scan_next(*scan, key, value);
	/* A damaged chunk is skipped: what came is another one. */
	if (e == 1 && !block_scan_damaged(*scan) &&
	    sv_eq(*key, block_chunk_key(b->block, n)))
		return 0;
	block_scan_close(*scan);
	if (e >= 0)
		tell_damage(b, n);
	return e < 0 ? e : ERR_CORRUPT;
}

/* The number of the chunk that has key's trace if one has. */
static bool chunk_of(const struct block_ref *b, const struct trace_key *key,
		     uint32_t *n)
{
	struct row_key wanted;

	row_key_chunk(&wanted, key);
	*n = block_chunk_at(b->block, row_key_view(&wanted));
	return *n != UINT32_MAX &&
	       row_same_space(block_chunk_key(b->block, *n), &wanted);
}

static int unpack_rows(const struct shapes *shapes,
		       const struct chunk_rows *rows, block_document_fn *fn,
		       void *arg)
{
	struct buf text = BUF_INIT;
	int e = 0;

	for (size_t i = 0; i < rows->count && !e; i++) {
		struct document document;

		buf_reset(&text);
		e = chunk_unpack(shapes, &rows->items[i], &text, &document);
		if (!e)
			e = fn(arg, &document);
	}
	buf_fini(&text);
	return e;
}

int block_documents(struct traces *t, struct block_ref *b,
		    const struct trace_key *key, block_document_fn *fn,
		    void *arg)
{
	struct arena arena = ARENA_INIT;
	struct dictionary *d;
	struct block_scan *scan;
	struct chunk_rows rows;
	struct sv row, value;
	uint32_t n;
	int e;

	if (!chunk_of(b, key, &n))
		return 0;
	e = dictionary_take(t, b, &d);
	if (e)
		return e;
	e = block_load_row(&scan, b, n, &row, &value);
	if (!e) {
		e = chunk_read(value, dictionary_shapes(d), trace_key_id(key),
			       &arena, &rows);
		if (!e)
			e = unpack_rows(dictionary_shapes(d), &rows, fn, arg);
		block_scan_close(scan);
	}
	dictionary_release(t, d);
	arena_fini(&arena);
	return e;
}
