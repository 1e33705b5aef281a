/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/traces_inner.h"

/* --- one trace ------------------------------------------------------------------ */

struct collection {
	struct arena *arena;
	struct trace_document *items;
	size_t count, cap;
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

	for (d = trace ? trace->documents : NULL; d && !e; d = d->next) {
		struct trace_document copy = {
			.in_progress = d->in_progress,
			.received_ns = d->received_ns,
			.sequence = d->sequence,
			.document = head_document_view(d),
		};

		memcpy(copy.segment_id, d->id, SEGMENT_ID_SIZE);
		e = add_document(c, &copy);
	}
	return e;
}

static int collect_block(const struct block_ref *b, const struct row_key *from,
			 struct collection *c)
{
	struct block_scan *scan;
	struct sv key, value;
	int e;

	if (!block_may_have(b->block, row_key_view(from)))
		return 0;
	e = block_scan_open(&scan, b->block, row_key_view(from));
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
	struct row_key from;
	int e;

	*out = (struct trace){ 0 };
	row_key_trace(&from, key);
	traces_lock(t);
	e = collect_head(&t->head, key, &c);
	set = traces_hold(t);
	traces_unlock(t);
	for (size_t i = 0; i < set->count && !e; i++)
		e = collect_block(set->items[i], &from, &c);
	traces_release(t, set);
	traces_count_damage(t, c.damaged);
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

/* --- any id --------------------------------------------------------------------- */

/* 1: the block has a row that begins with prefix; 0: none. */
static int block_has(const struct block_ref *b, const struct row_key *prefix)
{
	struct block_scan *scan;
	struct sv key, value;
	int e;

	if (!block_may_have(b->block, row_key_view(prefix)))
		return 0;
	e = block_scan_open(&scan, b->block, row_key_view(prefix));
	if (e)
		return e;
	e = block_scan_next(scan, &key, &value);
	if (e == 1)
		e = sv_starts(key, row_key_view(prefix));
	block_scan_close(scan);
	return e;
}

static int find_trace(struct traces *t, const struct trace_key *key)
{
	struct block_set *set;
	struct row_key prefix;
	int found;

	row_key_trace(&prefix, key);
	traces_lock(t);
	found = head_find(&t->head, key) != NULL;
	set = traces_hold(t);
	traces_unlock(t);
	for (size_t i = set->count; i > 0 && !found; i--)
		found = block_has(set->items[i - 1], &prefix);
	traces_release(t, set);
	return found < 0 ? found : found ? 0 : ERR_NOT_FOUND;
}

/* The latest trace in the block with this request id: 1, or 0. */
static int find_request(const struct block_ref *b, const struct row_key *from,
			struct sv request_id, uint8_t out[TRACE_ID_SIZE])
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

int traces_find(struct traces *t, const struct scope *scope, struct sv any_id,
		uint8_t trace_id[TRACE_ID_SIZE])
{
	const struct head_trace *trace;
	struct block_set *set;
	struct trace_key key;
	struct row_key from;
	int found;

	memset(trace_id, 0, TRACE_ID_SIZE);
	if (trace_id_parse(any_id, trace_id)) {
		trace_key_make(&key, scope, trace_id);
		found = find_trace(t, &key);
		if (found != ERR_NOT_FOUND)
			return found;
	}
	if (!any_id.len || any_id.len > REQUEST_ID_MAX)
		return ERR_NOT_FOUND;
	trace_key_make(&key, scope, trace_id);
	row_key_request(&from, &key, any_id);
	traces_lock(t);
	trace = head_find_request(&t->head, scope, any_id);
	if (trace)
		memcpy(trace_id, trace_key_id(&trace->key), TRACE_ID_SIZE);
	found = trace != NULL;
	set = traces_hold(t);
	traces_unlock(t);
	for (size_t i = set->count; i > 0 && !found; i--)
		found = find_request(set->items[i - 1], &from, any_id,
				     trace_id);
	traces_release(t, set);
	return found < 0 ? found : found ? 0 : ERR_NOT_FOUND;
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
