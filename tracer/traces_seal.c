/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: what is quiet in the head becomes a block. Rows must be written in
 * the order of their keys, so each key space is gathered, sorted and written
 * by itself: M, P, R, S, T.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "tracer/traces_inner.h"

struct seal {
	struct traces *t;
	struct head_trace **traces; /* chosen, by key once sorted */
	const struct digest **digests;
	size_t count;
	struct head kept; /* what stays, built anew */
	uint64_t oldest_position;
	struct block_writer *writer;
	struct buf value;
	int64_t start_ns_min, start_ns_max, end_ns_max;
	int64_t received_ns_min, received_ns_max;
};

/* --- choosing ----------------------------------------------------------------- */

/* What is dated in the future came before the clock was set back. */
static bool is_quiet(const struct traces *t, const struct head_trace *trace)
{
	return trace->last_ns <= t->now_ns - t->options.quiet_ns ||
	       trace->last_ns > t->now_ns + t->options.quiet_ns;
}

/* By size the seal must bring room: where what is quiet is less than half of
 * the head, all of it goes. By age, what is itself too old goes too. */
static bool takes_all(const struct traces *t, enum seal_reason reason)
{
	size_t quiet = 0, all = 0;

	if (reason == SEAL_ALL)
		return true;
	if (reason != SEAL_SIZE)
		return false;
	for (size_t i = 0; i < t->head.count; i++) {
		const struct head_trace *trace = t->head.traces[i];

		all += trace->bytes;
		quiet += is_quiet(t, trace) ? trace->bytes : 0;
	}
	return quiet < all / 2;
}

static int keep_trace(struct seal *s, const struct head_trace *trace)
{
	struct arena *scratch = &s->t->scratch;
	struct scope scope;
	int e = 0;

	trace_key_scope(&trace->key, &scope);
	for (const struct head_document *d = trace->documents; d && e >= 0;
	     d = d->next) {
		struct segment segment;
		struct head_arrival a = {
			.scope = &scope,
			.received_ns = d->received_ns,
			.position = trace->position,
			.sequence = d->sequence,
			.document = head_document_view(d),
			.segment = &segment,
		};

		arena_reset(scratch);
		if (document_read(&a.document, scratch, &segment) != SEGMENT_OK)
			return ERR_NOMEM;
		e = head_add(&s->kept, &a, scratch);
	}
	if (trace->position < s->oldest_position)
		s->oldest_position = trace->position;
	return e < 0 ? e : 0;
}

static int choose(struct seal *s, enum seal_reason reason)
{
	struct traces *t = s->t;
	bool all = takes_all(t, reason);
	int64_t old_ns = t->now_ns - t->options.seal_age_ns;

	s->traces = calloc(t->head.count, sizeof(struct head_trace *));
	s->digests = calloc(t->head.count, sizeof(struct digest *));
	if (!s->traces || !s->digests)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->head.count; i++) {
		struct head_trace *trace = t->head.traces[i];
		int e;

		if (all || is_quiet(t, trace) || trace->first_ns <= old_ns) {
			s->traces[s->count++] = trace;
			continue;
		}
		e = keep_trace(s, trace);
		if (e)
			return e;
	}
	return 0;
}

static int by_key(const void *left, const void *right)
{
	const struct head_trace *const *a = left, *const *b = right;

	return memcmp((*a)->key.bytes, (*b)->key.bytes, TRACE_KEY_SIZE);
}

static int digest_chosen(struct seal *s)
{
	struct traces *t = s->t;

	qsort(s->traces, s->count, sizeof(struct head_trace *), by_key);
	s->start_ns_min = s->received_ns_min = INT64_MAX;
	s->start_ns_max = s->end_ns_max = s->received_ns_max = INT64_MIN;
	for (size_t i = 0; i < s->count; i++) {
		const struct head_trace *trace = s->traces[i];
		const struct digest *d;
		int e;

		traces_lock(t);
		e = head_digest(&t->head, s->traces[i], &t->scratch, &d);
		traces_unlock(t);
		if (e)
			return e;
		s->digests[i] = d;
		if (d->summary.start_ns < s->start_ns_min)
			s->start_ns_min = d->summary.start_ns;
		if (d->summary.start_ns > s->start_ns_max)
			s->start_ns_max = d->summary.start_ns;
		if (d->summary.end_ns > s->end_ns_max)
			s->end_ns_max = d->summary.end_ns;
		if (d->time_ns_max > s->start_ns_max)
			s->start_ns_max = d->time_ns_max;
		if (trace->first_ns < s->received_ns_min)
			s->received_ns_min = trace->first_ns;
		if (trace->last_ns > s->received_ns_max)
			s->received_ns_max = trace->last_ns;
	}
	return 0;
}

/* --- writing ------------------------------------------------------------------ */

static int write_row(struct seal *s, const struct row_key *key)
{
	int e = s->value.failed ? ERR_NOMEM :
				  block_writer_add(s->writer, row_key_view(key),
						   buf_view(&s->value));

	buf_reset(&s->value);
	return e;
}

/* A row that is sorted before it is written: its key, and where its value
 * comes from. */
struct entry {
	struct row_key key;
	const struct head_trace *trace;
	const struct digest *digest;
	const struct head_document *document;
	struct sv request_id;
};

static int by_row(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return sv_cmp(row_key_view(&a->key), row_key_view(&b->key));
}

struct entries {
	struct entry *items;
	size_t count, cap;
};

static struct entry *add_entry(struct entries *list)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 1024;
		struct entry *items =
			reallocarray(list->items, cap, sizeof(*items));

		if (!items)
			return NULL;
		list->items = items;
		list->cap = cap;
	}
	list->items[list->count] = (struct entry){ 0 };
	return &list->items[list->count++];
}

static int write_position(struct seal *s)
{
	struct row_key key;

	row_key_position(&key);
	row_put_position(&s->value, s->t->view.position, s->oldest_position);
	return write_row(s, &key);
}

struct listing {
	struct entries *list;
	const struct head_trace *trace;
	const struct head_document *document;
	struct arena *arena;
};

static int list_request(void *arg, const struct segment *segment,
			const struct segment *parent, unsigned depth)
{
	struct listing *l = arg;
	struct sv id = segment->request_id;
	struct entry *entry;

	(void)parent;
	(void)depth;
	if (!id.len || id.len > REQUEST_ID_MAX)
		return 0;
	id = arena_copy(l->arena, id);
	entry = id.ptr ? add_entry(l->list) : NULL;
	if (!entry)
		return ERR_NOMEM;
	row_key_request(&entry->key, &l->trace->key, id);
	entry->trace = l->trace;
	entry->document = l->document;
	entry->request_id = id;
	return 0;
}

static int list_requests(struct seal *s, struct listing *l)
{
	struct arena *scratch = &s->t->scratch;

	for (size_t i = 0; i < s->count; i++) {
		l->trace = s->traces[i];
		for (l->document = l->trace->documents; l->document;
		     l->document = l->document->next) {
			struct document document =
				head_document_view(l->document);
			struct segment segment;
			int e;

			arena_reset(scratch);
			if (document_read(&document, scratch, &segment) !=
			    SEGMENT_OK)
				return ERR_NOMEM;
			e = segment_walk(&segment, scratch, list_request, l);
			if (e)
				return e;
		}
	}
	return 0;
}

static int write_requests(struct seal *s)
{
	struct arena texts = ARENA_INIT;
	struct entries list = { 0 };
	struct listing l = { .list = &list, .arena = &texts };
	int e = list_requests(s, &l);

	if (list.count)
		qsort(list.items, list.count, sizeof(struct entry), by_row);
	for (size_t i = 0; i < list.count && !e; i++) {
		const struct entry *entry = &list.items[i];

		row_put_request(&s->value, trace_key_id(&entry->trace->key),
				entry->document->received_ns,
				entry->request_id);
		e = write_row(s, &entry->key);
	}
	free(list.items);
	arena_fini(&texts);
	return e;
}

/* The ids' second half, which keys have not, decides between equal keys. */
static int by_summary(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = by_row(a, b);

	return order ? order :
		       memcmp(a->digest->summary.id, b->digest->summary.id,
			      TRACE_ID_SIZE);
}

static int write_summaries(struct seal *s)
{
	struct entries list = { 0 };
	int e = 0;

	for (size_t i = 0; i < s->count && !e; i++) {
		struct entry *entry = add_entry(&list);

		if (!entry) {
			e = ERR_NOMEM;
			break;
		}
		row_key_start(&entry->key, &s->traces[i]->key,
			      s->digests[i]->summary.start_ns);
		entry->digest = s->digests[i];
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(struct entry), by_summary);
	for (size_t i = 0; i < list.count && !e; i++) {
		row_put_summary(&s->value, &list.items[i].digest->summary);
		e = write_row(s, &list.items[i].key);
	}
	free(list.items);
	return e;
}

static int write_documents(struct seal *s)
{
	struct entries list = { 0 };
	int e = 0;

	for (size_t i = 0; i < s->count && !e; i++) {
		const struct head_trace *trace = s->traces[i];

		list.count = 0;
		for (const struct head_document *d = trace->documents; d && !e;
		     d = d->next) {
			struct entry *entry = add_entry(&list);

			if (!entry) {
				e = ERR_NOMEM;
				break;
			}
			row_key_document(&entry->key, &trace->key, d->id,
					 d->sequence);
			entry->document = d;
		}
		if (list.count)
			qsort(list.items, list.count, sizeof(struct entry),
			      by_row);
		for (size_t k = 0; k < list.count && !e; k++) {
			const struct head_document *d = list.items[k].document;
			struct document document = head_document_view(d);

			row_put_document(&s->value, d->in_progress,
					 d->received_ns, &document);
			e = write_row(s, &list.items[k].key);
		}
	}
	free(list.items);
	return e;
}

static int write_block(struct seal *s, const char *path)
{
	struct block_options options = {
		.kind = BLOCK_KIND_TRACES,
		.format = ROWS_FORMAT,
		.filter_prefix = ROW_PREFIX,
		.time_min_ns = s->received_ns_min,
		.time_max_ns = s->received_ns_max,
	};
	int e = block_writer_open(&s->writer, s->t->env, path, &options);

	if (e)
		return e;
	e = traces_write_map(s->writer, s->traces, s->digests, s->count);
	if (!e)
		e = write_position(s);
	if (!e)
		e = write_requests(s);
	if (!e)
		e = write_summaries(s);
	if (!e)
		e = write_documents(s);
	if (!e)
		return block_writer_finish(s->writer);
	block_writer_abort(s->writer);
	return e;
}

/* --- publishing --------------------------------------------------------------- */

/* The block is on disk. The checkpoint that names it, with what stays in the
 * head, makes it count; then readers get both at once. */
static int commit(struct seal *s, struct block_ref *block)
{
	struct traces *t = s->t;
	int64_t opened_ns = t->opened_ns;
	struct block_set *set;
	int e;

	traces_lock(t);
	set = block_set_make(t->set, NULL, NULL, block);
	traces_unlock(t);
	if (!set) {
		block_unref(block);
		return ERR_NOMEM;
	}
	t->next_number++;
	t->opened_ns = s->kept.count ? t->now_ns : 0;
	e = traces_write_checkpoint(t, set, &s->kept, t->view.position);
	traces_lock(t);
	if (e) {
		t->opened_ns = opened_ns;
		block_set_unref(set);
	} else {
		head_fini(&t->head);
		t->head = s->kept;
		s->kept = (struct head){ 0 };
		t->epoch++;
		traces_publish(t, set);
		t->stats.seals++;
		t->view.durable = t->view.position;
	}
	traces_unlock(t);
	return e;
}

static int seal_chosen(struct seal *s)
{
	struct traces *t = s->t;
	struct block_ref *block;
	char path[TRACES_PATH_MAX];
	int e = digest_chosen(s);

	if (e)
		return e;
	block_path(t, t->next_number, path);
	e = write_block(s, path);
	if (e)
		return e;
	e = block_ref_open(t, t->next_number, &block, NULL);
	if (!e) {
		block->start_ns_min = s->start_ns_min;
		block->start_ns_max = s->start_ns_max;
		block->end_ns_max = s->end_ns_max;
		e = commit(s, block);
	}
	/* A checkpoint that is there although its write failed may name it. */
	if (e && !traces_checkpoint_in_doubt(t, e))
		(void)t->env->disk->unlink(t->env->disk_self, path);
	return e;
}

int traces_seal_head(struct traces *t, enum seal_reason reason)
{
	struct seal s = { .t = t, .oldest_position = t->view.position };
	int e;

	if (t->head.count == 0)
		return 0;
	e = choose(&s, reason);
	if (!e && s.count)
		e = seal_chosen(&s);
	if (!e && !s.count)
		t->opened_ns = t->now_ns; /* all are young and under way */
	if (e) {
		traces_lock(t);
		t->stats.seal_errors++;
		traces_unlock(t);
		log_error("traces",
			  "sealing a block failed: %s; it is tried again",
			  err_text(e));
	}
	head_fini(&s.kept);
	buf_fini(&s.value);
	free(s.traces);
	free(s.digests);
	arena_reset(&t->scratch);
	return e;
}
