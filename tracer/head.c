/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/head.h"

#include <assert.h>
#include <stdlib.h>

#include "tracer/ids.h"

/* An open table's slot: most misses are told by the hash alone. */
struct head_slot {
	uint32_t hash;
	uint32_t index; /* + 1; 0: free */
};

enum { SLOTS_MIN = 64 };

void head_fini(struct head *h)
{
	for (size_t i = 0; i < h->count; i++) {
		head_unmap(h, h->traces[i]);
		free(h->traces[i]->digest);
	}
	free(h->changed);
	free(h->traces);
	free(h->slots);
	free(h->document_slots);
	free(h->all);
	free(h->id_hashes);
	free(h->id_traces);
	words_fini(&h->words);
	if (h->shapes)
		shapes_free(h->shapes);
	buf_fini(&h->row);
	arena_fini(&h->arena);
	*h = (struct head){ 0 };
}

void head_count_bytes(struct head *h)
{
	h->bytes = h->arena.used + h->digest_bytes +
		   h->count * sizeof(struct head_trace *) +
		   h->all_count * sizeof(struct head_document *) +
		   words_memory(&h->words) +
		   (h->shapes ? shapes_memory(h->shapes) - h->shapes_base : 0) +
		   h->id_count * 2 * sizeof(uint32_t) +
		   h->changed_cap * sizeof(*h->changed) +
		   (h->slot_count + h->document_slot_count) *
			   sizeof(struct head_slot);
}

/* --- tables ---------------------------------------------------------------- */

static uint32_t hash_trace(const struct trace_key *key)
{
	return (uint32_t)hash64(
		sv_make((const char *)key->bytes, TRACE_KEY_SIZE));
}

static uint32_t hash_document(uint32_t trace, const uint8_t id[SEGMENT_ID_SIZE])
{
	return (uint32_t)hash64_seed(sv_make((const char *)id, SEGMENT_ID_SIZE),
				     trace);
}

static struct head_slot *trace_slot(const struct head *h,
				    const struct trace_key *key, uint32_t hash)
{
	size_t at = hash & (h->slot_count - 1);

	while (h->slots[at].index &&
	       (h->slots[at].hash != hash ||
		memcmp(h->traces[h->slots[at].index - 1]->key.bytes, key->bytes,
		       TRACE_KEY_SIZE)))
		at = (at + 1) & (h->slot_count - 1);
	return &h->slots[at];
}

struct head_trace *head_find(const struct head *h, const struct trace_key *key)
{
	const struct head_slot *slot;

	if (!h->slot_count)
		return NULL;
	slot = trace_slot(h, key, hash_trace(key));
	return slot->index ? h->traces[slot->index - 1] : NULL;
}

/* The slot of the document with this id that counts, or a free one. */
static struct head_slot *document_slot(const struct head *h, uint32_t trace,
				       const uint8_t id[SEGMENT_ID_SIZE],
				       uint32_t hash)
{
	size_t mask = h->document_slot_count - 1;
	size_t at = hash & mask;

	for (; h->document_slots[at].index; at = (at + 1) & mask) {
		const struct head_document *d =
			h->all[h->document_slots[at].index - 1];

		if (h->document_slots[at].hash == hash && d->trace == trace &&
		    !memcmp(d->id, id, SEGMENT_ID_SIZE))
			break;
	}
	return &h->document_slots[at];
}

static struct head_document *find_document(const struct head *h, uint32_t trace,
					   const uint8_t id[SEGMENT_ID_SIZE])
{
	const struct head_slot *slot;

	if (!h->document_slot_count)
		return NULL;
	slot = document_slot(h, trace, id, hash_document(trace, id));
	return slot->index ? h->all[slot->index - 1] : NULL;
}

static bool grow_array(void *array, size_t *cap, size_t count, size_t size)
{
	size_t more = *cap ? *cap * 2 : SLOTS_MIN;
	void *items, *old;

	if (count < *cap)
		return true;
	memcpy(&old, array, sizeof(old));
	items = reallocarray(old, more, size);
	if (!items)
		return false;
	memcpy(array, &items, sizeof(items));
	*cap = more;
	return true; /* cppcheck-suppress memleak; array has it */
}

/* Makes room for one more of `used` slots, of which half stay free. */
static bool grow_slots(struct head_slot **slots, size_t *count, size_t used)
{
	size_t more = *count ? *count * 2 : SLOTS_MIN;
	struct head_slot *bigger;

	if ((used + 1) * 2 <= *count)
		return true;
	bigger = calloc(more, sizeof(*bigger));
	if (!bigger)
		return false;
	for (size_t i = 0; i < *count; i++) {
		size_t at = (*slots)[i].hash & (more - 1);

		if (!(*slots)[i].index)
			continue;
		while (bigger[at].index)
			at = (at + 1) & (more - 1);
		bigger[at] = (*slots)[i];
	}
	free(*slots);
	*slots = bigger;
	*count = more;
	return true;
}

/* --- ids ------------------------------------------------------------------- */

static int add_id(struct head *h, uint32_t hash, uint32_t trace)
{
	if (h->id_count == h->id_cap) {
		size_t cap = h->id_cap;

		if (!grow_array(&h->id_hashes, &cap, h->id_count,
				sizeof(*h->id_hashes)))
			return ERR_NOMEM;
		cap = h->id_cap;
		if (!grow_array(&h->id_traces, &cap, h->id_count,
				sizeof(*h->id_traces)))
			return ERR_NOMEM;
		h->id_cap = cap;
	}
	h->id_hashes[h->id_count] = hash;
	h->id_traces[h->id_count++] = trace;
	return 0;
}

struct id_list {
	struct head *h;
	uint64_t seed;
	uint32_t trace;
};

static int list_id(void *arg, struct sv id)
{
	struct id_list *list = arg;

	return add_id(list->h, ids_hash(list->seed, id), list->trace);
}

static int add_ids(struct head *h, uint32_t trace, const struct head_arrival *a,
		   struct arena *scratch)
{
	struct id_list list = { h, ids_seed(a->scope), trace };
	int e = 0;

	for (uint32_t i = 0; i < a->read_count && !e; i++)
		e = list_id(&list, sv_make((const char *)a->read[i].id,
					   SEGMENT_ID_SIZE));
	if (e)
		return e;
	return a->span ? ids_visit_span(a->span->span, list_id, &list) :
			 ids_visit_segments(a->read, a->read_count, scratch,
					    list_id, &list);
}

struct head_trace *head_next_id(const struct head *h, uint32_t hash, size_t *at)
{
	while (*at > 0)
		if (h->id_hashes[--*at] == hash)
			return h->traces[h->id_traces[*at]];
	return NULL;
}

/* --- rows ------------------------------------------------------------------ */

static size_t size_of(const struct head_arrival *a)
{
	return a->span ? document_size_of_span(a->span) : a->segment.len;
}

/* An empty dictionary has tables: those are not what fills a head. */
static int new_shapes(struct head *h)
{
	int e = shapes_new(&h->shapes, 0);

	h->shapes_base = e ? 0 : shapes_memory(h->shapes);
	return e;
}

/* Into h->row. */
static int pack(struct head *h, const struct head_arrival *a)
{
	const uint8_t *trace_id = a->read[0].trace_id;
	int e = h->shapes ? 0 : new_shapes(h);

	if (e)
		return e;
	buf_reset(&h->row);
	return (a->span ?
			shape_pack_span(h->shapes, a->span, trace_id, &h->row) :
			shape_pack_json(h->shapes, a->parsed, trace_id,
					&h->row)) ?
		       0 :
		       ERR_NOMEM;
}

struct sv head_row(const struct head_document *d)
{
	return sv_make((const char *)(d + 1) + d->essence_bytes, d->row_len);
}

int head_unpack(const struct head *h, const struct head_trace *trace,
		const struct head_document *d, struct buf *out,
		struct document *document)
{
	size_t from = out->len;
	int e = shape_unpack(h->shapes, head_row(d), trace_key_id(&trace->key),
			     &document->format, out);

	assert(e != ERR_CORRUPT);
	if (!e)
		document->bytes = sv_make(out->ptr + from, out->len - from);
	return e;
}

/* --- documents -------------------------------------------------------------- */

static struct head_document *skip_replaced(struct head_document *d)
{
	while (d && d->replaced)
		d = d->next;
	return d;
}

struct head_document *head_first(const struct head_trace *trace)
{
	return skip_replaced(trace->documents);
}

struct head_document *head_next(const struct head_document *d)
{
	return skip_replaced(d->next);
}

static struct head_trace *new_trace(struct head *h, const struct trace_key *key,
				    const struct head_arrival *a)
{
	uint32_t hash = hash_trace(key);
	struct head_trace *trace;

	if (!grow_array(&h->traces, &h->cap, h->count, sizeof(*h->traces)) ||
	    !grow_slots(&h->slots, &h->slot_count, h->count))
		return NULL;
	trace = arena_new(&h->arena, struct head_trace);
	if (!trace)
		return NULL;
	trace->key = *key;
	trace->first_ns = trace->last_ns = a->received_ns;
	trace->position = a->position;
	trace->index = (uint32_t)h->count;
	h->traces[h->count++] = trace;
	*trace_slot(h, key, hash) =
		(struct head_slot){ hash, (uint32_t)h->count };
	return trace;
}

/* In the arena, with its essences and row, but in no table yet. */
static struct head_document *new_document(struct head *h,
					  const struct head_arrival *a)
{
	size_t size = 0;
	struct head_document *d;
	char *at;

	for (uint32_t i = 0; i < a->read_count; i++)
		size += essence_size(&a->read[i]);
	d = arena_alloc(&h->arena, sizeof(*d) + size + h->row.len);
	if (!d)
		return NULL;
	*d = (struct head_document){
		.sequence = a->sequence,
		.received_ns = a->received_ns,
		.in_progress = a->read[0].in_progress,
		.essence_count = a->read_count,
		.essence_bytes = (uint32_t)size,
		.row_len = (uint32_t)h->row.len,
		.len = (uint32_t)size_of(a),
	};
	memcpy(d->id, a->read[0].id, SEGMENT_ID_SIZE);
	at = (char *)(d + 1);
	for (uint32_t i = 0; i < a->read_count; i++) {
		size = essence_put(&a->read[i], &h->words, &h->arena,
				   (struct essence *)(void *)at);
		if (!size)
			return NULL;
		at += size;
	}
	memcpy(at, h->row.ptr, h->row.len);
	return d;
}

static void drop_digest(struct head *h, struct head_trace *trace)
{
	if (trace->digest && trace->digest != trace->mapped) {
		h->digest_bytes -= trace->digest->bytes;
		free(trace->digest);
	}
	trace->digest = NULL;
	head_mark_changed(h, trace);
}

/* The document takes the slot of the one of its id: the last one counts. */
static void append_document(struct head *h, struct head_trace *trace,
			    struct head_document *d, struct head_document *old)
{
	uint32_t hash = hash_document(trace->index, d->id);
	struct head_slot *slot = document_slot(h, trace->index, d->id, hash);

	d->trace = trace->index;
	h->all[h->all_count++] = d;
	*slot = (struct head_slot){ hash, (uint32_t)h->all_count };
	if (trace->last)
		trace->last->next = d;
	else
		trace->documents = d;
	trace->last = d;
	trace->document_count++;
	trace->bytes += d->len;
	trace->last_ns = d->received_ns;
	h->documents++;
	h->text_bytes += d->len;
	if (old) {
		old->replaced = true;
		trace->document_count--;
		trace->bytes -= old->len;
		h->documents--;
		h->text_bytes -= old->len;
	}
	drop_digest(h, trace);
}

static bool is_same(const struct document *now, const struct head_arrival *a)
{
	const struct span_source *theirs;
	struct span_source ours;
	struct span_record span;

	if (!a->span)
		return now->format == DOCUMENT_XRAY &&
		       sv_eq(now->bytes, a->segment);
	theirs = a->span->source;
	return now->format == DOCUMENT_OTLP &&
	       document_to_span(now->bytes, &ours, &span) &&
	       sv_eq(span.span, a->span->span) &&
	       sv_eq(ours.resource, theirs->resource) &&
	       sv_eq(ours.resource_schema, theirs->resource_schema) &&
	       sv_eq(ours.scope, theirs->scope) &&
	       sv_eq(ours.scope_schema, theirs->scope_schema);
}

/* 1, 0, or an error. */
static int is_repeat(struct head *h, const struct head_trace *trace,
		     const struct head_document *now,
		     const struct head_arrival *a)
{
	struct document document;
	int e;

	if (!now->in_progress && a->read[0].in_progress)
		return 1;
	if (now->len != size_of(a))
		return 0;
	buf_reset(&h->row);
	e = head_unpack(h, trace, now, &h->row, &document);
	return e ? e : is_same(&document, a);
}

static bool is_over_limit(const struct head_trace *trace,
			  const struct head_document *old,
			  const struct head_arrival *a)
{
	return trace->document_count - (old != NULL) >=
		       TRACES_TRACE_DOCUMENTS_MAX ||
	       trace->bytes - (old ? old->len : 0) + size_of(a) >
		       TRACES_TRACE_BYTES_MAX;
}

static int insert(struct head *h, const struct trace_key *key,
		  struct head_trace *trace, struct head_document *old,
		  const struct head_arrival *a, struct arena *scratch)
{
	size_t ids = h->id_count;
	struct head_document *d;
	int e = pack(h, a);

	if (e)
		return e;
	if (!grow_array(&h->all, &h->all_cap, h->all_count, sizeof(*h->all)) ||
	    !grow_slots(&h->document_slots, &h->document_slot_count,
			h->all_count))
		return ERR_NOMEM;
	d = new_document(h, a);
	if (!d)
		return ERR_NOMEM;
	e = add_ids(h, trace ? trace->index : (uint32_t)h->count, a, scratch);
	if (!e && !trace) {
		trace = new_trace(h, key, a);
		e = trace ? 0 : ERR_NOMEM;
	}
	if (e) {
		h->id_count = ids;
		return e;
	}
	append_document(h, trace, d, old);
	return 0;
}

int head_add(struct head *h, const struct head_arrival *a,
	     struct arena *scratch)
{
	struct arena_mark mark = arena_mark(scratch);
	struct head_document *old = NULL;
	struct head_trace *trace;
	struct trace_key key;
	int e;

	assert(a->read_count > 0);
	trace_key_make(&key, a->scope, a->read[0].trace_id);
	trace = head_find(h, &key);
	if (trace) {
		old = find_document(h, trace->index, a->read[0].id);
		e = old ? is_repeat(h, trace, old, a) : 0;
		if (e)
			return e < 0 ? e : HEAD_REPEAT;
		if (is_over_limit(trace, old, a))
			return HEAD_SHED;
	}
	e = insert(h, &key, trace, old, a, scratch);
	arena_rollback(scratch, mark);
	head_count_bytes(h);
	if (e)
		return e;
	return old ? HEAD_REPLACED : HEAD_ADDED;
}

int head_add_document(struct head *h, struct head_arrival *a,
		      const struct document *document, struct arena *scratch)
{
	struct document_reading reading;
	struct span_source source;
	struct span_record span;
	int e;
	enum segment_refusal refusal =
		document_take(document, scratch, &reading);

	if (refusal != SEGMENT_OK)
		return refusal == SEGMENT_NO_MEMORY ? ERR_NOMEM : ERR_CORRUPT;
	a->read = reading.segments;
	a->read_count = reading.count;
	a->parsed = reading.parsed;
	a->segment = document->bytes;
	a->span = NULL;
	if (document->format == DOCUMENT_OTLP) {
		if (!document_to_span(document->bytes, &source, &span))
			return ERR_CORRUPT;
		a->span = &span; /* cppcheck-suppress autoVariables */
	}
	e = head_add(h, a, scratch);
	a->span = NULL;
	return e;
}

/* --- what changed ------------------------------------------------------------ */

void head_mark_changed(struct head *h, struct head_trace *trace)
{
	if (!h->tracked || trace->changed)
		return;
	if (!grow_array(&h->changed, &h->changed_cap, h->changed_count,
			sizeof(*h->changed))) {
		h->changes_lost = true;
		return;
	}
	h->changed[h->changed_count++] = trace->index;
	trace->changed = true;
}

void head_unmap(struct head *h, struct head_trace *trace)
{
	if (trace->mapped && trace->mapped != trace->digest) {
		h->digest_bytes -= trace->mapped->bytes;
		free(trace->mapped);
	}
	trace->mapped = NULL;
}
