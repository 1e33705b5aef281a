/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/traces_inner.h"

/* --- one trace ------------------------------------------------------------------ */

struct collection {
	struct arena *arena;
	struct trace_document *items;
	size_t count, cap;
	struct buf text; /* of one document */
	uint64_t next_sequence;
	int64_t received_ns;
	bool cut; /* at TRACES_GET_DOCUMENTS_MAX */
	uint64_t damaged;
};

static int add_document(struct collection *c, const struct trace_document *d)
{
	if (c->count == TRACES_GET_DOCUMENTS_MAX) {
		c->cut = true;
		return 0;
	}
	if (c->count == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		struct trace_document *items =
			arena_array(c->arena, cap, sizeof(*items));

		if (!items)
			return ERR_NOMEM;
		if (c->count)
			memcpy(items, c->items, c->count * sizeof(*items));
		c->items = items;
		c->cap = cap;
	}
	c->items[c->count] = *d;
	c->items[c->count].document.bytes =
		arena_copy(c->arena, d->document.bytes);
	return c->items[c->count++].document.bytes.ptr ? 0 : ERR_NOMEM;
}

static int collect_head(const struct head *h, const struct trace_key *key,
			struct collection *c)
{
	const struct head_trace *trace = head_find(h, key);
	const struct head_document *d;
	int e = 0;

	for (d = trace ? head_first(trace) : NULL; d && !e; d = head_next(d)) {
		struct trace_document copy = {
			.in_progress = d->in_progress,
			.received_ns = d->received_ns,
			.sequence = d->sequence | UINT64_C(1) << 63,
		};

		memcpy(copy.segment_id, d->id, SEGMENT_ID_SIZE);
		buf_reset(&c->text);
		e = head_unpack(h, trace, d, &c->text, &copy.document);
		if (!e)
			e = add_document(c, &copy);
	}
	return e;
}

static int collect_chunk_document(void *arg, const struct document *document)
{
	struct collection *c = arg;
	struct arena_mark mark = arena_mark(c->arena);
	struct trace_document d = { .document = *document,
				    .sequence = c->next_sequence++,
				    .received_ns = c->received_ns };
	struct segment segment;
	enum segment_refusal refusal =
		document_read(document, c->arena, &segment);

	if (refusal != SEGMENT_OK) {
		c->damaged += refusal != SEGMENT_NO_MEMORY;
		return refusal == SEGMENT_NO_MEMORY ? ERR_NOMEM : 0;
	}
	memcpy(d.segment_id, segment.id, SEGMENT_ID_SIZE);
	d.in_progress = segment.in_progress;
	arena_rollback(c->arena, mark);
	return add_document(c, &d);
}

static int collect_rows(const struct block_ref *b, const struct row_key *from,
			struct collection *c)
{
	struct block_scan *scan;
	struct sv key, value;
	int e = block_scan_open(&scan, b->block, row_key_view(from));

	if (e)
		return e;
	while ((e = block_scan_next(scan, &key, &value)) == 1 &&
	       sv_starts(key, row_key_view(from))) {
		struct trace_document d;

		if (!row_get_document(key, value, &d))
			c->damaged++;
		else if ((e = add_document(c, &d)))
			break;
	}
	c->damaged += block_scan_damaged(scan);
	block_scan_close(scan);
	return e < 0 ? e : 0;
}

static int collect_block(struct traces *t, struct block_ref *b,
			 const struct trace_key *key, struct collection *c)
{
	struct block_info info;
	struct row_key from;
	int e;

	row_key_trace(&from, key);
	if (!block_may_have(b->block, row_key_view(&from)))
		return 0;
	block_info(b->block, &info);
	if (info.format < ROWS_FORMAT_CHUNKS)
		return collect_rows(b, &from, c);
	/* Documents of one trace came to the blocks in this order, which is
	 * all that their numbers are for; those in the head came later. */
	c->next_sequence = b->number << 40;
	c->received_ns = info.time_max_ns;
	e = block_documents(t, b, key, collect_chunk_document, c);
	if (e == ERR_CORRUPT) {
		c->damaged++;
		e = 0;
	}
	return e;
}

/* By id, and of one id the better first: finished, then latest. */
static int better_first(const void *left, const void *right)
{
	const struct trace_document *a = left, *b = right;
	int order = memcmp(a->segment_id, b->segment_id, SEGMENT_ID_SIZE);

	if (order)
		return order;
	if (a->in_progress != b->in_progress)
		return a->in_progress ? 1 : -1;
	return a->sequence < b->sequence ? 1 :
	       a->sequence > b->sequence ? -1 :
					   0;
}

static int by_arrival(const void *left, const void *right)
{
	const struct trace_document *a = left, *b = right;

	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void keep_best(struct collection *c)
{
	size_t kept = 0;

	if (!c->count)
		return;
	qsort(c->items, c->count, sizeof(*c->items), better_first);
	for (size_t i = 0; i < c->count; i++)
		if (!kept ||
		    memcmp(c->items[i].segment_id,
			   c->items[kept - 1].segment_id, SEGMENT_ID_SIZE))
			c->items[kept++] = c->items[i];
	c->count = kept;
	qsort(c->items, c->count, sizeof(*c->items), by_arrival);
}

static int finish(struct collection *c, const uint8_t id[TRACE_ID_SIZE],
		  struct trace *out)
{
	struct document *documents =
		arena_array(c->arena, c->count, sizeof(*documents));
	size_t bytes = 0;
	int e;

	if (!documents)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->count; i++) {
		documents[i] = c->items[i].document;
		bytes += documents[i].bytes.len;
	}
	e = assemble(documents, c->count, c->arena, &out->assembly);
	if (!e)
		e = trace_summarise(&out->assembly, id, c->arena,
				    &out->summary);
	out->documents = c->items;
	out->document_count = c->count;
	out->limit_exceeded = c->cut || bytes > TRACES_XRAY_TRACE_BYTES;
	return e;
}

void traces_count_damage(struct traces *t, uint64_t damaged)
{
	if (!damaged)
		return;
	traces_lock(t);
	t->stats.damaged_rows += damaged;
	traces_unlock(t);
}

int traces_collect(struct traces *t, const struct trace_key *key,
		   struct arena *arena, struct trace *out)
{
	struct collection c = { .arena = arena };
	struct block_set *set;
	int e;

	*out = (struct trace){ 0 };
	traces_lock(t);
	e = collect_head(&t->head, key, &c);
	set = traces_hold(t);
	traces_unlock(t);
	for (size_t i = 0; i < set->count && !e; i++)
		e = collect_block(t, set->items[i], key, &c);
	traces_release(t, set);
	traces_count_damage(t, c.damaged);
	buf_fini(&c.text);
	if (e)
		return e;
	if (!c.count)
		return ERR_NOT_FOUND;
	keep_best(&c);
	return finish(&c, trace_key_id(key), out);
}

size_t traces_places(struct traces *t, const struct block_set *set,
		     const struct trace_key *key, bool *in_head)
{
	struct row_key prefix;
	size_t n;

	traces_lock(t);
	*in_head = head_find(&t->head, key) != NULL;
	traces_unlock(t);
	n = *in_head;
	row_key_trace(&prefix, key);
	for (size_t i = 0; i < set->count; i++)
		n += block_may_have(set->items[i]->block,
				    row_key_view(&prefix));
	return n;
}

int traces_get(struct traces *t, const struct scope *scope,
	       const uint8_t trace_id[TRACE_ID_SIZE], struct arena *arena,
	       struct trace *out)
{
	struct trace_key key;

	trace_key_make(&key, scope, trace_id);
	return traces_collect(t, &key, arena, out);
}

/* --- digests -------------------------------------------------------------------- */

int traces_lock_digested(struct traces *t, struct arena *scratch)
{
	const struct digest *d;
	uint64_t epoch;
	size_t made = 0;
	int e = 0;

	traces_lock(t);
	epoch = t->epoch;
	for (size_t i = 0; i < t->head.count && !e; i++) {
		made += !t->head.traces[i]->digest;
		e = head_digest(&t->head, t->head.traces[i], scratch, &d);
		if (made < TRACES_LOCK_DIGESTS)
			continue;
		/* The applying thread waits for the lock: let it in. What it
		 * adds or changes behind us is made below. */
		made = 0;
		traces_unlock(t);
		traces_lock(t);
		if (t->epoch != epoch) {
			epoch = t->epoch;
			i = SIZE_MAX; /* a new head: from its beginning */
		}
	}
	for (size_t i = 0; i < t->head.count && !e; i++)
		e = head_digest(&t->head, t->head.traces[i], scratch, &d);
	return e;
}
