/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/head.h"

#include <assert.h>
#include <stdlib.h>

/* Found by hash alone: 128 bits of scope and id do not meet by chance. */
struct head_request {
	struct hash128 hash; /* both 0: free */
	uint32_t trace;      /* index in traces */
};

enum {
	DOCUMENT_OVERHEAD = sizeof(struct head_document) + 16,
	TRACE_OVERHEAD = sizeof(struct head_trace) + 16 + 3 * 8,
	REQUEST_OVERHEAD = 2 * sizeof(struct head_request),
	SLOTS_MIN = 64,
};

static void free_documents(struct head_trace *trace)
{
	while (trace->documents) {
		struct head_document *next = trace->documents->next;

		free(trace->documents);
		trace->documents = next;
	}
}

void head_fini(struct head *h)
{
	for (size_t i = 0; i < h->count; i++) {
		free_documents(h->traces[i]);
		free(h->traces[i]->digest);
		free(h->traces[i]);
	}
	free(h->traces);
	free(h->slots);
	free(h->requests);
	*h = (struct head){ 0 };
}

/* --- the table of traces --------------------------------------------------- */

static uint32_t *slot_of(const struct head *h, const struct trace_key *key)
{
	struct sv bytes = { (const char *)key->bytes, TRACE_KEY_SIZE };
	size_t at = hash64(bytes) & (h->slot_count - 1);

	while (h->slots[at] && memcmp(h->traces[h->slots[at] - 1]->key.bytes,
				      key->bytes, TRACE_KEY_SIZE))
		at = (at + 1) & (h->slot_count - 1);
	return &h->slots[at];
}

struct head_trace *head_find(const struct head *h, const struct trace_key *key)
{
	uint32_t found = h->slot_count ? *slot_of(h, key) : 0;

	return found ? h->traces[found - 1] : NULL;
}

/* Room for one more trace: the array, and slots at most half full. */
static int room_for_trace(struct head *h)
{
	if (h->count == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : SLOTS_MIN / 2;
		struct head_trace **traces =
			reallocarray(h->traces, cap, sizeof(*traces));

		if (!traces)
			return ERR_NOMEM;
		h->traces = traces;
		h->cap = cap;
	}
	if ((h->count + 1) * 2 > h->slot_count) {
		size_t count = h->slot_count ? h->slot_count * 2 : SLOTS_MIN;
		uint32_t *slots = calloc(count, sizeof(*slots));

		if (!slots)
			return ERR_NOMEM;
		free(h->slots);
		h->slots = slots;
		h->slot_count = count;
		for (size_t i = 0; i < h->count; i++)
			*slot_of(h, &h->traces[i]->key) = (uint32_t)i + 1;
	}
	return 0;
}

/* --- the index of request ids ----------------------------------------------- */

static struct hash128 request_hash(const struct trace_key *key,
				   struct sv request_id)
{
	uint8_t bytes[SCOPE_KEY_SIZE + REQUEST_ID_MAX];
	struct hash128 h;

	assert(request_id.len <= REQUEST_ID_MAX);
	memcpy(bytes, key->bytes, SCOPE_KEY_SIZE);
	memcpy(bytes + SCOPE_KEY_SIZE, request_id.ptr, request_id.len);
	h = hash128(
		sv_make((const char *)bytes, SCOPE_KEY_SIZE + request_id.len));
	h.low |= 1; /* never the free slot */
	return h;
}

static struct head_request *request_slot(struct head_request *requests,
					 size_t slots, struct hash128 hash)
{
	size_t at = hash.high & (slots - 1);

	while (requests[at].hash.low && !hash128_eq(requests[at].hash, hash))
		at = (at + 1) & (slots - 1);
	return &requests[at];
}

struct head_trace *head_find_request(const struct head *h,
				     const struct scope *scope,
				     struct sv request_id)
{
	static const uint8_t none[TRACE_ID_SIZE];
	const struct head_request *r;
	struct trace_key key;

	if (!h->request_slots || request_id.len > REQUEST_ID_MAX)
		return NULL;
	trace_key_make(&key, scope, none);
	r = request_slot(h->requests, h->request_slots,
			 request_hash(&key, request_id));
	return r->hash.low ? h->traces[r->trace] : NULL;
}

static int room_for_requests(struct head *h, size_t more)
{
	size_t slots = h->request_slots ? h->request_slots : SLOTS_MIN;
	struct head_request *requests;

	while ((h->request_count + more) * 2 > slots)
		slots *= 2;
	if (slots == h->request_slots)
		return 0;
	requests = calloc(slots, sizeof(*requests));
	if (!requests)
		return ERR_NOMEM;
	for (size_t i = 0; i < h->request_slots; i++)
		if (h->requests[i].hash.low)
			*request_slot(requests, slots, h->requests[i].hash) =
				h->requests[i];
	free(h->requests);
	h->requests = requests;
	h->request_slots = slots;
	return 0;
}

static void put_request(struct head *h, struct hash128 hash, uint32_t trace)
{
	struct head_request *r =
		request_slot(h->requests, h->request_slots, hash);

	if (!r->hash.low) {
		h->request_count++;
		h->bytes += REQUEST_OVERHEAD;
	}
	*r = (struct head_request){ hash, trace };
}

/* The request ids of a document, hashed; in scratch. */
struct id_list {
	struct arena *arena;
	const struct trace_key *key;
	struct hash128 *hashes;
	size_t count, cap;
};

static int list_id(void *arg, const struct segment *s,
		   const struct segment *parent, unsigned depth)
{
	struct id_list *list = arg;

	(void)parent;
	(void)depth;
	if (!s->request_id.len || s->request_id.len > REQUEST_ID_MAX)
		return 0;
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 8;
		struct hash128 *hashes =
			arena_array(list->arena, cap, sizeof(*hashes));

		if (!hashes)
			return ERR_NOMEM;
		if (list->count)
			memcpy(hashes, list->hashes,
			       list->count * sizeof(*hashes));
		list->hashes = hashes;
		list->cap = cap;
	}
	list->hashes[list->count++] = request_hash(list->key, s->request_id);
	return 0;
}

/* --- documents -------------------------------------------------------------- */

static struct head_document *find_document(const struct head_trace *trace,
					   const uint8_t id[SEGMENT_ID_SIZE])
{
	struct head_document *d;

	for (d = trace->documents; d; d = d->next)
		if (!memcmp(d->id, id, SEGMENT_ID_SIZE))
			return d;
	return NULL;
}

static struct head_document *new_document(const struct head_arrival *a)
{
	struct head_document *d = malloc(sizeof(*d) + a->document.bytes.len);

	if (!d)
		return NULL;
	*d = (struct head_document){ .sequence = a->sequence,
				     .received_ns = a->received_ns,
				     .in_progress = a->segment->in_progress,
				     .format = (uint8_t)a->document.format,
				     .len = (uint32_t)a->document.bytes.len };
	memcpy(d->id, a->segment->id, SEGMENT_ID_SIZE);
	memcpy(d->text, a->document.bytes.ptr, a->document.bytes.len);
	return d;
}

static void unlink_document(struct head *h, struct head_trace *trace,
			    struct head_document *d)
{
	struct head_document **at = &trace->documents;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	trace->document_count--;
	trace->bytes -= d->len;
	h->bytes -= DOCUMENT_OVERHEAD + d->len;
	h->documents--;
	free(d);
}

static void append_document(struct head *h, struct head_trace *trace,
			    struct head_document *d)
{
	struct head_document **at = &trace->documents;

	while (*at)
		at = &(*at)->next;
	*at = d;
	trace->document_count++;
	trace->bytes += d->len;
	trace->last_ns = d->received_ns;
	h->bytes += DOCUMENT_OVERHEAD + d->len;
	h->documents++;
	if (trace->digest)
		h->bytes -= trace->digest->bytes;
	free(trace->digest);
	trace->digest = NULL;
}

static bool is_repeat(const struct head_document *now,
		      const struct head_arrival *a)
{
	if (!now->in_progress && a->segment->in_progress)
		return true;
	return now->format == a->document.format &&
	       sv_eq(head_document_view(now).bytes, a->document.bytes);
}

static struct head_trace *new_trace(struct head *h, const struct trace_key *key,
				    const struct head_arrival *a)
{
	struct head_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return NULL;
	trace->key = *key;
	trace->first_ns = trace->last_ns = a->received_ns;
	trace->position = a->position;
	h->traces[h->count] = trace;
	*slot_of(h, key) = (uint32_t)++h->count;
	h->bytes += TRACE_OVERHEAD;
	return trace;
}

static int insert(struct head *h, const struct trace_key *key,
		  struct head_trace *trace, const struct head_arrival *a,
		  struct arena *scratch)
{
	struct id_list list = { .arena = scratch, .key = key };
	struct head_document *d;
	int e = segment_walk(a->segment, scratch, list_id, &list);

	if (!e)
		e = room_for_requests(h, list.count);
	if (!e && !trace)
		e = room_for_trace(h);
	if (e)
		return e;
	d = new_document(a);
	if (d && !trace)
		trace = new_trace(h, key, a);
	if (!trace || !d) {
		free(d);
		return ERR_NOMEM;
	}
	append_document(h, trace, d);
	for (size_t i = 0; i < list.count; i++)
		put_request(h, list.hashes[i], *slot_of(h, key) - 1);
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

	trace_key_make(&key, a->scope, a->segment->trace_id);
	trace = head_find(h, &key);
	if (trace) {
		old = find_document(trace, a->segment->id);
		if (old && is_repeat(old, a))
			return HEAD_REPEAT;
		if (trace->document_count - (old != NULL) >=
			    TRACES_TRACE_DOCUMENTS_MAX ||
		    trace->bytes - (old ? old->len : 0) +
				    a->document.bytes.len >
			    TRACES_TRACE_BYTES_MAX)
			return HEAD_SHED;
	}
	e = insert(h, &key, trace, a, scratch);
	arena_rollback(scratch, mark);
	if (e)
		return e;
	if (old)
		unlink_document(h, trace, old);
	return old ? HEAD_REPLACED : HEAD_ADDED;
}

int head_digest(struct head *h, struct head_trace *trace, struct arena *scratch,
		const struct digest **out)
{
	if (!trace->digest) {
		struct arena_mark mark = arena_mark(scratch);
		struct document *documents = arena_array(
			scratch, trace->document_count, sizeof(*documents));
		size_t count = 0;
		int e = ERR_NOMEM;

		for (const struct head_document *d = trace->documents;
		     documents && d; d = d->next)
			documents[count++] = head_document_view(d);
		if (documents)
			e = digest_make(&trace->digest, documents, count,
					trace_key_id(&trace->key), scratch);
		arena_rollback(scratch, mark);
		if (e)
			return e;
		assert(trace->digest);
		h->bytes += trace->digest->bytes;
	}
	*out = trace->digest;
	return 0;
}
