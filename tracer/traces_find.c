/* SPDX-License-Identifier: Apache-2.0 */
/* From any id to its trace. */
#include <stdlib.h>

#include "tracer/chunk.h"
#include "tracer/id_index.h"
#include "tracer/ids.h"
#include "tracer/trace_header.h"
#include "tracer/traces_inner.h"

enum {
	FIND_CHUNKS_MAX = 256, /* of one block that are looked into for an id */
	FIND_TRACES_MAX = 256, /* of the head */
};

/* --- a trace's own id ------------------------------------------------------------ */

/* Before chunks. 1: the block has a row that begins with prefix; 0: none. */
static int has_row(const struct block_ref *b, const struct row_key *prefix)
{
	struct block_scan *scan;
	struct sv key, value;
	int e = block_scan_open(&scan, b->block, row_key_view(prefix));

	if (e)
		return e;
	e = block_scan_next(scan, &key, &value);
	if (e == 1)
		e = sv_starts(key, row_key_view(prefix));
	block_scan_close(scan);
	return e;
}

static int note_document(void *arg, const struct document *document)
{
	(void)document;
	*(int *)arg = 1;
	return 0;
}

/* 1: the block has a document of the trace; 0: none. */
static int block_has(struct traces *t, struct block_ref *b,
		     const struct trace_key *key)
{
	struct block_info info;
	struct row_key prefix;
	int found = 0, e;

	row_key_trace(&prefix, key);
	if (!block_may_have(b->block, row_key_view(&prefix)))
		return 0;
	block_info(b->block, &info);
	if (info.format < ROWS_FORMAT_CHUNKS)
		return has_row(b, &prefix);
	e = block_documents(t, b, key, note_document, &found);
	return e && e != ERR_CORRUPT ? e : found;
}

static int find_trace(struct traces *t, const struct trace_key *key)
{
	struct block_set *set;
	int found;

	traces_lock(t);
	found = head_find(&t->head, key) != NULL;
	set = traces_hold(t);
	traces_unlock(t);
	for (size_t i = set->count; i > 0 && !found; i--)
		found = block_has(t, set->items[i - 1], key);
	traces_release(t, set);
	return found < 0 ? found : found ? 0 : ERR_NOT_FOUND;
}

/* --- any other id ----------------------------------------------------------------- */

/* What is looked for: text, which may also be a segment's id. */
struct wanted {
	const struct scope *scope;
	struct sv text;
	uint8_t segment_id[SEGMENT_ID_SIZE];
	bool may_be_segment;
	/* Rows hold what is hex or a UUID in binary: a look-up first takes
	 * only those for candidates that have these bytes, or the text's. */
	uint8_t binary[16];
	size_t binary_len;
	bool thorough; /* reads every document of a chunk: in any form */
	uint32_t hashes[2];
	size_t hash_count;
	struct arena scratch;
	/* The best so far: of the trace whose part began last. */
	uint8_t trace_id[TRACE_ID_SIZE];
	int64_t start_ns;
	bool found;
};

/* The bytes of "6c2d04e1-90c7-4e3f-a7a3-30e3e7b3c2a1", or of hex digits. */
static size_t binary_of(struct sv text, uint8_t binary[16])
{
	static const uint8_t parts[] = { 4, 2, 2, 2, 6 };
	size_t at = 0, done = 0;

	if (text.len == 16 || text.len == 32)
		return sv_to_hex(text, binary, text.len / 2) ? text.len / 2 : 0;
	if (text.len != 36)
		return 0;
	for (size_t i = 0; i < sizeof(parts); i++) {
		if (!sv_to_hex(sv_make(text.ptr + at, 2 * (size_t)parts[i]),
			       binary + done, parts[i]))
			return 0;
		at += 2 * (size_t)parts[i];
		done += parts[i];
		if (at < text.len && text.ptr[at++] != '-')
			return 0;
	}
	return done;
}

static bool holds(const struct wanted *w, struct sv bytes)
{
	return w->binary_len ?
		       memmem(bytes.ptr, bytes.len, w->binary, w->binary_len) !=
			       NULL :
		       memmem(bytes.ptr, bytes.len, w->text.ptr, w->text.len) !=
			       NULL;
}

static struct wanted want(const struct scope *scope, struct sv text)
{
	struct wanted w = { .scope = scope, .text = text };
	uint64_t seed = ids_seed(scope);

	w.hashes[w.hash_count++] = ids_hash(seed, text);
	w.binary_len = binary_of(text, w.binary);
	w.may_be_segment = text.len == SEGMENT_ID_TEXT &&
			   sv_to_hex(text, w.segment_id, SEGMENT_ID_SIZE);
	if (w.may_be_segment)
		w.hashes[w.hash_count++] =
			ids_hash(seed, sv_make((const char *)w.segment_id,
					       SEGMENT_ID_SIZE));
	return w;
}

static int compare_id(void *arg, struct sv id)
{
	return sv_eq(*(const struct sv *)arg, id);
}

/* 1: the document holds the id; 0: not. */
static int has_id(struct wanted *w, const struct document *document,
		  int64_t *start_ns)
{
	struct document_reading reading;
	enum segment_refusal refusal;

	arena_reset(&w->scratch);
	refusal = document_take(document, &w->scratch, &reading);
	if (refusal != SEGMENT_OK)
		return refusal == SEGMENT_NO_MEMORY ? ERR_NOMEM : 0;
	*start_ns = reading.segments[0].start_ns;
	for (uint32_t i = 0; w->may_be_segment && i < reading.count; i++)
		if (!memcmp(reading.segments[i].id, w->segment_id,
			    SEGMENT_ID_SIZE))
			return 1;
	return ids_visit(document, &reading, &w->scratch, compare_id, &w->text);
}

static void note_trace(struct wanted *w, const uint8_t id[TRACE_ID_SIZE],
		       int64_t start_ns)
{
	if (w->found && start_ns < w->start_ns)
		return;
	w->found = true;
	w->start_ns = start_ns;
	memcpy(w->trace_id, id, TRACE_ID_SIZE);
}

static int look_at_trace(const struct head *h, const struct head_trace *trace,
			 struct wanted *w, struct buf *text)
{
	const struct head_document *d;
	int64_t start_ns = 0;
	int e = 0;

	for (d = head_first(trace); d && !e; d = head_next(d)) {
		struct document document;

		buf_reset(text);
		e = head_unpack(h, trace, d, text, &document);
		if (!e)
			e = has_id(w, &document, &start_ns);
	}
	if (e == 1)
		note_trace(w, trace_key_id(&trace->key), start_ns);
	return e;
}

/* Under the lock; the latest trace first. */
static int find_in_head(const struct head *h, struct wanted *w)
{
	struct buf text = BUF_INIT;
	unsigned looked = 0;
	int e = 0;

	for (size_t i = 0; i < w->hash_count && !e; i++) {
		size_t at = h->id_count;
		const struct head_trace *trace;

		while (!e && looked++ < FIND_TRACES_MAX &&
		       (trace = head_next_id(h, w->hashes[i], &at)))
			if (trace_key_in(&trace->key, w->scope))
				e = look_at_trace(h, trace, w, &text);
	}
	buf_fini(&text);
	return e < 0 ? e : 0;
}

/* All rows of chunk n; of every trace that has the id, the latest is noted. */
static int look_at_chunk(struct traces *t, struct block_ref *b, uint32_t n,
			 struct wanted *w)
{
	struct arena arena = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct chunk_rows rows = { 0 };
	struct block_scan *scan;
	struct dictionary *d;
	struct trace_key none;
	struct row_key space;
	struct sv key, value;
	int e = dictionary_take(t, b, &d);

	if (e)
		return e;
	e = block_load_row(&scan, b, n, &key, &value);
	if (e) {
		dictionary_release(t, d);
		return e;
	}
	trace_key_make(&none, w->scope, w->trace_id);
	row_key_chunk(&space, &none);
	if (row_same_space(key, &space) &&
	    (w->thorough || !w->binary_len || holds(w, value)))
		e = chunk_read(value, dictionary_shapes(d), NULL, &arena,
			       &rows);
	for (size_t i = 0; i < rows.count && e >= 0; i++) {
		struct document document;
		int64_t start_ns = 0;

		if (!w->thorough && !holds(w, rows.items[i].row))
			continue;
		buf_reset(&text);
		e = chunk_unpack(dictionary_shapes(d), &rows.items[i], &text,
				 &document);
		if (!e)
			e = has_id(w, &document, &start_ns);
		if (e == 1)
			note_trace(w, rows.items[i].trace_id, start_ns);
	}
	buf_fini(&text);
	block_scan_close(scan);
	dictionary_release(t, d);
	arena_fini(&arena);
	return e < 0 ? e : 0;
}

/* The page of the index for hash. ERR_CORRUPT: not usable. */
static int load_page(struct block_scan **scan, struct block_ref *b,
		     uint32_t hash, struct sv *page)
{
	struct block_info info;
	struct row_key key;
	uint32_t first, pages;
	unsigned bits = 0;
	struct sv row;

	block_info(b->block, &info);
	row_key_ids(&key, 0);
	first = block_chunk_at(b->block, row_key_view(&key));
	if (first == UINT32_MAX ||
	    !sv_eq(block_chunk_key(b->block, first), row_key_view(&key)))
		return ERR_CORRUPT;
	pages = info.chunks - first; /* they are the last space */
	while (bits < ID_INDEX_PAGE_BITS_MAX && UINT32_C(1) << bits < pages)
		bits++;
	if (UINT32_C(1) << bits != pages)
		return ERR_CORRUPT;
	return block_load_row(scan, b, first + (bits ? hash >> (32 - bits) : 0),
			      &row, page);
}

static int find_hash(struct traces *t, struct block_ref *b, uint32_t hash,
		     uint32_t chunk_count, struct wanted *w)
{
	uint32_t chunks[FIND_CHUNKS_MAX];
	struct block_scan *scan;
	size_t count = 0;
	struct sv page;
	int e = load_page(&scan, b, hash, &page);

	if (e)
		return e;
	e = id_index_find(page, hash, chunks, FIND_CHUNKS_MAX, &count);
	block_scan_close(scan);
	for (size_t i = 0; i < count && !e; i++) {
		e = chunks[i] < chunk_count ?
			    look_at_chunk(t, b, chunks[i], w) :
			    ERR_CORRUPT;
		if (e == ERR_CORRUPT) /* it hides only itself */
			e = 0;
	}
	return e;
}

/* Before chunks: the latest trace in the block with this request id. 1, 0. */
static int find_request_row(const struct block_ref *b,
			    const struct row_key *from, struct sv request_id,
			    uint8_t out[TRACE_ID_SIZE])
{
	int64_t latest = INT64_MIN;
	struct block_scan *scan;
	struct sv key, value;
	int found = 0;
	int e;

	if (!block_may_have(b->block, row_key_view(from)))
		return 0;
	e = block_scan_open(&scan, b->block, row_key_view(from));
	if (e)
		return e;
	while ((e = block_scan_next(scan, &key, &value)) == 1 &&
	       sv_eq(key, row_key_view(from))) {
		uint8_t id[TRACE_ID_SIZE];
		int64_t received_ns;
		struct sv text;

		if (!row_get_request(value, id, &received_ns, &text) ||
		    !sv_eq(text, request_id) || received_ns < latest)
			continue;
		latest = received_ns;
		memcpy(out, id, TRACE_ID_SIZE);
		found = 1;
	}
	block_scan_close(scan);
	return e < 0 ? e : found;
}

static int find_in_block(struct traces *t, struct block_ref *b,
			 struct wanted *w)
{
	struct block_info info;
	struct trace_key key;
	struct row_key from;
	int e = 0;

	block_info(b->block, &info);
	for (size_t i = 0;
	     info.format >= ROWS_FORMAT_CHUNKS && i < w->hash_count && !e;
	     i++) {
		e = find_hash(t, b, w->hashes[i], info.chunks, w);
		if (e == ERR_CORRUPT)
			e = 0;
	}
	if (info.format >= ROWS_FORMAT_CHUNKS)
		return e;
	trace_key_make(&key, w->scope, w->trace_id);
	row_key_request(&from, &key, w->text);
	e = find_request_row(b, &from, w->text, w->trace_id);
	w->found = e == 1;
	return e < 0 ? e : 0;
}

static int find_other(struct traces *t, struct wanted *w)
{
	struct block_set *set;
	int e;

	traces_lock(t);
	e = find_in_head(&t->head, w);
	set = traces_hold(t);
	traces_unlock(t);
	for (int pass = 0; pass < 2 && !e && !w->found; pass++) {
		w->thorough = pass > 0;
		for (size_t i = set->count; i > 0 && !e && !w->found; i--)
			e = find_in_block(t, set->items[i - 1], w);
	}
	traces_release(t, set);
	return e ? e : w->found ? 0 : ERR_NOT_FOUND;
}

int traces_find(struct traces *t, const struct scope *scope, struct sv any_id,
		uint8_t trace_id[TRACE_ID_SIZE])
{
	struct trace_header header;
	struct trace_key key;
	struct wanted w;
	int e;

	memset(trace_id, 0, TRACE_ID_SIZE);
	if (trace_header_parse(any_id, &header)) {
		memcpy(trace_id, header.trace_id, TRACE_ID_SIZE);
		trace_key_make(&key, scope, trace_id);
		return find_trace(t, &key);
	}
	if (trace_id_parse(any_id, trace_id)) {
		trace_key_make(&key, scope, trace_id);
		e = find_trace(t, &key);
		if (e != ERR_NOT_FOUND)
			return e;
	}
	if (!any_id.len || any_id.len > REQUEST_ID_MAX)
		return ERR_NOT_FOUND;
	w = want(scope, any_id);
	e = find_other(t, &w);
	memcpy(trace_id, w.trace_id, TRACE_ID_SIZE);
	arena_fini(&w.scratch);
	return e;
}
