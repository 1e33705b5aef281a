/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: what is quiet in the head becomes a block (traces_write.c), what
 * is under way becomes the next head, and a checkpoint makes both count.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "tracer/traces_inner.h"

/* --- choosing ----------------------------------------------------------------- */

/* What is dated in the future came before the clock was set back. */
static bool is_quiet(const struct traces *t, const struct head_trace *trace)
{
	return trace->last_ns <= t->now_ns - t->options.quiet_ns ||
	       trace->last_ns > t->now_ns + t->options.quiet_ns;
}

/* By size the seal must bring room: where what is quiet is less than half of
 * the head, or what is not would fill a checkpoint's image, all of it goes. By
 * age, what is itself too old goes too. */
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
	return quiet < all / 2 || all - quiet > traces_text_max(t) / 2;
}

static int stay_document(struct seal *s, const struct head_trace *trace,
			 const struct head_document *d,
			 const struct scope *scope)
{
	struct arena *scratch = &s->t->scratch;
	struct document document;
	struct head_arrival a = {
		.scope = scope,
		.received_ns = d->received_ns,
		.position = trace->position,
		.sequence = d->sequence,
	};
	int e;

	arena_reset(scratch);
	buf_reset(&s->value);
	e = head_unpack(&s->t->head, trace, d, &s->value, &document);
	if (e)
		return e;
	e = head_add_document(&s->kept, &a, &document, scratch);
	assert(e != ERR_CORRUPT); /* it was read before */
	return e < 0 ? e : 0;
}

static int stay_trace(struct seal *s, const struct head_trace *trace)
{
	struct scope scope;
	int e = 0;

	trace_key_scope(&trace->key, &scope);
	for (const struct head_document *d = head_first(trace); d && !e;
	     d = head_next(d))
		e = stay_document(s, trace, d, &scope);
	if (trace->position < s->oldest_position)
		s->oldest_position = trace->position;
	return e;
}

static int choose(struct seal *s, enum seal_reason reason)
{
	struct traces *t = s->t;
	bool all = takes_all(t, reason);
	int64_t old_ns = t->now_ns - t->options.seal_age_ns;

	s->traces = calloc(t->head.count, sizeof(struct head_trace *));
	s->list = calloc(t->head.count, sizeof(*s->list));
	s->dropped = calloc(t->head.count, sizeof(bool));
	if (!s->traces || !s->list || !s->dropped)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->head.count; i++) {
		struct head_trace *trace = t->head.traces[i];
		int e;

		if (all || is_quiet(t, trace) || trace->first_ns <= old_ns) {
			s->traces[s->count++] = trace;
			continue;
		}
		e = stay_trace(s, trace);
		if (e)
			return e;
	}
	return 0;
}

static int64_t retention_of(const struct traces *t,
			    const struct head_trace *trace)
{
	struct scope scope;

	if (!t->options.day_count)
		return t->options.retention_ns;
	trace_key_scope(&trace->key, &scope);
	return traces_retention_ns(t, scope.account);
}

/* By how long they are kept, then by key. */
static int by_key(const void *left, const void *right, void *arg)
{
	const struct head_trace *const *a = left, *const *b = right;
	const struct traces *t = arg;

	int64_t x = retention_of(t, *a), y = retention_of(t, *b);

	if (x != y)
		return x < y ? -1 : 1;
	return memcmp((*a)->key.bytes, (*b)->key.bytes, TRACE_KEY_SIZE);
}

/* Sorts the documents of the head by the traces that were chosen, in the order
 * in which they lie in memory. */
static int sort_documents(struct seal *s)
{
	const struct head *h = &s->t->head;
	size_t *next = calloc(h->count + 1, sizeof(*next));
	size_t count = 0;

	s->documents = calloc(h->all_count + 1, sizeof(*s->documents));
	s->first = calloc(s->count + 1, sizeof(*s->first));
	if (!next || !s->documents || !s->first) {
		free(next);
		return ERR_NOMEM;
	}
	memset(next, 0xff, (h->count + 1) * sizeof(*next));
	for (size_t i = 0; i < s->count; i++) {
		s->first[i] = next[s->traces[i]->index] = count;
		count += s->traces[i]->document_count;
	}
	s->first[s->count] = count;
	for (size_t i = 0; i < h->all_count; i++) {
		const struct head_document *d = h->all[i];

		if (i + 16 < h->all_count)
			__builtin_prefetch(h->all[i + 16]);
		if (!d->replaced && next[d->trace] != SIZE_MAX)
			s->documents[next[d->trace]++] = d;
	}
	free(next);
	return 0;
}

/* --- gathering ---------------------------------------------------------------- */

static void widen(int64_t ns, int64_t *min, int64_t *max)
{
	if (ns < *min)
		*min = ns;
	if (ns > *max)
		*max = ns;
}

struct gathering {
	struct seal *s;
	const struct trace_key *key;
};

/* The late decision (tracer/keep.h), by the summary and the worst call. */
static bool is_dropped(const struct seal *s,
		       const struct trace_summary *summary)
{
	struct keep_facts facts = {
		.trace_id = summary->id,
		.root = summary->root,
		.duration_ns = summary->end_ns - summary->start_ns,
		.worst = summary->status > s->worst ? summary->status :
						      s->worst,
	};

	return !keep_trace(&s->t->options.keep, &facts);
}

static void gather_call(void *arg, const struct graph_call *call)
{
	struct gathering *g = arg;

	widen(call->time_ns, &g->s->start_ns_min, &g->s->start_ns_max);
	if (call->status > g->s->worst)
		g->s->worst = call->status;
	minutes_count(&g->s->minutes, g->key, call);
}

static int gather_summary(struct seal *s, size_t i,
			  const struct trace_summary *summary)
{
	const struct head_trace *trace = s->traces[i];
	struct seal_summary *line = &s->list[s->list_count];

	if (s->dropped[i]) {
		s->dropped_count++;
		s->dropped_documents += trace->document_count;
	} else {
		*line = (struct seal_summary){ .trace = (uint32_t)i,
					       .at = s->summaries.len,
					       .start_ns = summary->start_ns };
		row_put_summary(&s->summaries, summary);
		line->len = (uint32_t)(s->summaries.len - line->at);
		s->list_count++;
	}
	widen(summary->start_ns, &s->start_ns_min, &s->start_ns_max);
	if (summary->end_ns > s->end_ns_max)
		s->end_ns_max = summary->end_ns;
	widen(trace->first_ns, &s->received_ns_min, &s->received_ns_max);
	widen(trace->last_ns, &s->received_ns_min, &s->received_ns_max);
	return s->summaries.failed ? ERR_NOMEM : 0;
}

/* Nothing is kept of a trace but its line and what it counts on the map; no
 * digest is made, which a reader of the head may have under the lock. */
static int gather_trace(struct seal *s, size_t i)
{
	struct gathering g = { s, &s->traces[i]->key };
	struct arena *scratch = &s->t->scratch;
	struct trace_summary summary;
	struct assembly a;
	int e;

	arena_reset(scratch);
	for (size_t d = s->first[i]; d < s->first[i + 1]; d++)
		seal_fetch(s, d + SEAL_FETCH_AHEAD);
	e = head_assemble(&s->t->head, s->traces[i], s->documents + s->first[i],
			  s->first[i + 1] - s->first[i], scratch, &a);
	if (!e)
		e = trace_summarise(&a, trace_key_id(g.key), scratch, &summary);
	if (e)
		return e;
	s->worst = SEGMENT_STATUS_OK;
	graph_calls(&a, gather_call, &g);
	s->dropped[i] = is_dropped(s, &summary);
	e = gather_summary(s, i, &summary);
	return e ? e : s->minutes.err;
}

static int gather(struct seal *s)
{
	int e = 0;

	minutes_fini(&s->minutes);
	buf_reset(&s->summaries);
	s->list_count = 0;
	s->start_ns_min = s->received_ns_min = INT64_MAX;
	s->start_ns_max = s->end_ns_max = s->received_ns_max = INT64_MIN;
	for (size_t i = 0; i < s->count && !e; i++)
		e = gather_trace(s, i);
	return e;
}

/* --- publishing --------------------------------------------------------------- */

/* The blocks are on disk. The checkpoint that names them, with what stays in
 * the head, makes them count; then readers get all at once. set has them, and
 * is taken. */
static int commit(struct seal *s, struct block_set *set)
{
	struct traces *t = s->t;
	int64_t opened_ns = t->opened_ns;
	int e;

	t->opened_ns = s->kept.count ? t->now_ns : 0;
	e = traces_write_checkpoint(t, set, &s->kept, t->view.position);
	traces_lock(t);
	if (e) {
		t->opened_ns = opened_ns;
		block_set_unref(set);
	} else {
		traces_count_shapes(&t->stats, &t->head);
		t->stats.ids_left_out += s->ids_left_out;
		map_windows_seal(t, &s->kept);
		head_fini(&t->head);
		t->head = s->kept;
		s->kept = (struct head){ 0 };
		t->epoch++;
		traces_publish(t, set);
		t->stats.seals++;
		t->stats.dropped += s->dropped_count;
		t->stats.dropped_documents += s->dropped_documents;
		t->view.durable = t->view.position;
	}
	traces_unlock(t);
	return e;
}

/* Writes the next block, and opens it into *set. */
static int seal_block(struct seal *s, struct block_set **set)
{
	struct traces *t = s->t;
	struct block_ref *block;
	struct block_set *more;
	char path[TRACES_PATH_MAX];
	int e = gather(s);

	if (e)
		return e;
	block_path(t, t->next_number, path);
	e = seal_write(s, path);
	if (!e)
		e = block_ref_open(t, t->next_number, &block, NULL);
	t->next_number++;
	if (e)
		return e;
	block->start_ns_min = s->start_ns_min;
	block->start_ns_max = s->start_ns_max;
	block->end_ns_max = s->end_ns_max;
	traces_lock(t);
	more = block_set_make(*set, NULL, NULL, block);
	if (more) {
		block_set_unref(*set);
		*set = more;
	} else {
		block_unref(block);
	}
	traces_unlock(t);
	return more ? 0 : ERR_NOMEM;
}

/* One block for each length of time that traces are kept. Before the last one
 * is there, none may say that the journal is needed no more. */
static int seal_blocks(struct seal *s, struct block_set **set)
{
	struct head_trace **traces = s->traces;
	size_t *first = s->first;
	uint64_t oldest_position = s->oldest_position;
	bool *dropped = s->dropped;
	size_t from = 0, count = s->count;
	int e = 0;

	while (from < count && !e) {
		size_t to = from + 1;

		while (to < count && retention_of(s->t, traces[to]) ==
					     retention_of(s->t, traces[from]))
			to++;
		s->traces = traces + from;
		s->dropped = dropped + from;
		s->first = first + from;
		s->count = to - from;
		s->oldest_position = to < count ? s->t->view.durable :
						  oldest_position;
		e = seal_block(s, set);
		from = to;
	}
	s->traces = traces;
	s->dropped = dropped;
	s->first = first;
	s->count = count;
	return e;
}

static int seal_chosen(struct seal *s)
{
	struct traces *t = s->t;
	uint64_t first = t->next_number;
	struct block_set *set;
	int e;

	qsort_r(s->traces, s->count, sizeof(struct head_trace *), by_key, t);
	traces_lock(t);
	set = traces_hold(t);
	traces_unlock(t);
	e = sort_documents(s);
	if (!e)
		e = seal_blocks(s, &set);
	if (!e)
		e = commit(s, set);
	else
		traces_release(t, set);
	/* A checkpoint that is there although its write failed may name them. */
	if (e && !traces_checkpoint_in_doubt(t, e))
		for (uint64_t n = first; n < t->next_number; n++) {
			char path[TRACES_PATH_MAX];

			block_path(t, n, path);
			(void)t->env->disk->unlink(t->env->disk_self, path);
		}
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
	free(s.list);
	free(s.documents);
	free(s.first);
	minutes_fini(&s.minutes);
	buf_fini(&s.summaries);
	free(s.dropped);
	arena_reset(&t->scratch);
	return e;
}
