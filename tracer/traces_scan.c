/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scan merges sources that are each sorted by start, newest first: a list
 * made of the head, and the summaries of each block. A block is opened when
 * the scan comes to its latest start, so that few are open at a time. A trace
 * that a seal cut in two is in several sources; it is visited where its
 * earliest part is, which is where the whole of it belongs.
 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/traces_inner.h"

struct place {
	int64_t start_ns;
	uint8_t id[TRACE_ID_SIZE];
};

struct source {
	const struct block_ref *block; /* NULL: the head */
	struct block_scan *scan;       /* NULL: not open, or at its end */
	bool opened;
	struct place at; /* its next one */
	bool has;
	struct arena arena; /* of summary */
	struct trace_summary summary;
};

struct merge {
	struct traces *t;
	struct traces_scan *s;
	int64_t from_ns, to_ns; /* starts that can matter */
	struct block_set *set;
	struct source *sources; /* the head's, then one a block, latest first */
	size_t count;
	struct place *head; /* newest first */
	size_t head_count, head_next;
	struct arena arena; /* of the trace at hand */
	uint64_t damaged;
};

static int newest_first(const struct place *a, const struct place *b)
{
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? 1 : -1;
	return memcmp(a->id, b->id, TRACE_ID_SIZE);
}

static int compare_places(const void *left, const void *right)
{
	return newest_first(left, right);
}

static struct place cursor_place(const struct traces_cursor *c)
{
	struct place p = { .start_ns = c->start_ns };

	memcpy(p.id, c->id, TRACE_ID_SIZE);
	return p;
}

/* In the range of starts, and behind the cursor. */
static bool is_ahead(const struct merge *m, const struct place *p)
{
	struct place cursor = cursor_place(&m->s->cursor);

	return p->start_ns >= m->from_ns && p->start_ns < m->to_ns &&
	       (!m->s->cursor.set || newest_first(&cursor, p) < 0);
}

/* --- the head ------------------------------------------------------------------ */

static int list_head(struct merge *m)
{
	struct traces *t = m->t;
	struct arena scratch = ARENA_INIT;
	int e = traces_lock_digested(t, &scratch);

	m->head = e ? NULL : calloc(t->head.count + 1, sizeof(*m->head));
	if (!e && !m->head)
		e = ERR_NOMEM;
	for (size_t i = 0; i < t->head.count && !e; i++) {
		const struct head_trace *trace = t->head.traces[i];
		struct place *p = &m->head[m->head_count];

		if (!trace_key_in(&trace->key, m->s->scope))
			continue;
		p->start_ns = trace->digest->summary.start_ns;
		memcpy(p->id, trace_key_id(&trace->key), TRACE_ID_SIZE);
		m->head_count += is_ahead(m, p);
	}
	m->set = traces_hold(t); /* what leaves the head now is still listed */
	traces_unlock(t);
	arena_fini(&scratch);
	if (m->head_count)
		qsort(m->head, m->head_count, sizeof(*m->head), compare_places);
	return e;
}

/* --- blocks --------------------------------------------------------------------- */

static int open_block(struct merge *m, struct source *source)
{
	static const uint8_t none[TRACE_ID_SIZE];
	const struct traces_cursor *cursor = &m->s->cursor;
	int64_t latest = m->to_ns - 1;
	struct trace_key key;
	struct row_key from;

	if (cursor->set && cursor->start_ns < latest)
		latest = cursor->start_ns;
	trace_key_make(&key, m->s->scope, none);
	row_key_start(&from, &key, latest);
	source->opened = true;
	return block_scan_open(&source->scan, source->block->block,
			       row_key_view(&from));
}

static void close_block(struct merge *m, struct source *source)
{
	if (source->scan) {
		m->damaged += block_scan_damaged(source->scan);
		block_scan_close(source->scan);
	}
	source->scan = NULL;
	source->has = false;
}

static int next_of_block(struct merge *m, struct source *source)
{
	static const uint8_t none[TRACE_ID_SIZE];
	struct trace_key any;
	struct row_key space;
	struct sv key, value;
	int e = 0;

	trace_key_make(&any, m->s->scope, none);
	row_key_start(&space, &any, 0);
	source->has = false;
	while (source->scan &&
	       (e = block_scan_next(source->scan, &key, &value)) == 1) {
		if (!row_same_space(key, &space) ||
		    row_start_ns(key) < m->from_ns)
			break;
		arena_reset(&source->arena);
		if (!row_get_summary(key, value, &source->arena,
				     &source->summary)) {
			m->damaged++;
			continue;
		}
		source->at.start_ns = source->summary.start_ns;
		memcpy(source->at.id, source->summary.id, TRACE_ID_SIZE);
		if (!is_ahead(m, &source->at))
			continue;
		source->has = true;
		return 0;
	}
	close_block(m, source);
	return e < 0 ? e : 0;
}

static int next_of(struct merge *m, struct source *source)
{
	if (source->block)
		return next_of_block(m, source);
	source->has = m->head_next < m->head_count;
	if (source->has)
		source->at = m->head[m->head_next++];
	return 0;
}

static int latest_first(const void *left, const void *right)
{
	const struct source *a = left, *b = right;
	int64_t x = a->block->start_ns_max, y = b->block->start_ns_max;

	return x < y ? 1 : x > y ? -1 : 0;
}

static int open_sources(struct merge *m)
{
	int e = list_head(m);

	if (e)
		return e;
	m->sources = calloc(m->set->count + 1, sizeof(*m->sources));
	if (!m->sources)
		return ERR_NOMEM;
	m->count = 1;
	for (size_t i = 0; i < m->set->count; i++) {
		const struct block_ref *b = m->set->items[i];

		if (b->start_ns_max >= m->from_ns &&
		    b->start_ns_min < m->to_ns &&
		    b->end_ns_max >= m->s->start_ns - TRACES_ID_SKEW_NS)
			m->sources[m->count++].block = b;
	}
	qsort(m->sources + 1, m->count - 1, sizeof(*m->sources), latest_first);
	return next_of(m, &m->sources[0]);
}

/* --- the merge ------------------------------------------------------------------ */

/* The source that is next; NULL: none. Blocks are opened as the scan comes to
 * them: sources are in the order in which it does. */
static int find_next(struct merge *m, struct source **out)
{
	*out = NULL;
	for (size_t i = 0; i < m->count; i++) {
		struct source *source = &m->sources[i];

		if (!source->opened && source->block) {
			int e;

			if (*out &&
			    source->block->start_ns_max < (*out)->at.start_ns)
				break;
			e = open_block(m, source);
			if (!e)
				e = next_of(m, source);
			if (e)
				return e;
		}
		if (source->has &&
		    (!*out || newest_first(&source->at, &(*out)->at) < 0))
			*out = source;
	}
	return 0;
}

static int64_t id_time_ns(const struct trace_summary *s)
{
	int64_t ns = (int64_t)(get_be64(s->id) >> 32) * NS_PER_S;

	/* Ids have whole seconds: one of the same second is not off. */
	return s->start_ns - ns > TRACES_ID_SKEW_NS ||
			       ns - s->start_ns > TRACES_ID_SKEW_NS ?
		       s->start_ns :
		       ns;
}

static bool is_in(const struct traces_scan *s, int64_t ns)
{
	return ns >= s->start_ns && ns < s->end_ns;
}

/* By the summary alone; BY_SERVICE needs the segments as well. */
static bool may_be_in_range(const struct traces_scan *s,
			    const struct trace_summary *summary)
{
	return s->by == TRACES_BY_ID ? is_in(s, id_time_ns(summary)) :
				       summary->start_ns < s->end_ns &&
					       summary->end_ns >= s->start_ns;
}

static bool is_in_range(const struct traces_scan *s, const struct trace *trace)
{
	const struct assembly *a = &trace->assembly;

	if (s->by != TRACES_BY_SERVICE)
		return true;
	for (uint32_t i = 0; i < a->count; i++)
		if (!a->spans[i].segment.subsegment &&
		    is_in(s, a->spans[i].segment.end_ns))
			return true;
	return false;
}

static bool is_wanted(const struct traces_scan *s,
		      const struct trace_summary *summary)
{
	return !s->wants || s->wants(s->arg, summary);
}

/* The trace at *at, of which source may have the summary. */
static int look_at(struct merge *m, const struct place *at,
		   const struct trace_summary *summary)
{
	struct traces_scan *s = m->s;
	struct trace_key key;
	struct trace trace;
	bool in_head, judged = false;
	int e;

	trace_key_make(&key, s->scope, at->id);
	if (summary && traces_places(m->t, m->set, &key, &in_head) < 2 &&
	    !in_head) {
		judged = s->by != TRACES_BY_SERVICE;
		if (!may_be_in_range(s, summary))
			return 0;
		if (judged) {
			s->processed++;
			if (!is_wanted(s, summary))
				return 0;
		}
	}
	arena_reset(&m->arena);
	e = traces_collect(m->t, &key, &m->arena, &trace);
	if (e == ERR_NOT_FOUND) /* retention took it just now */
		return 0;
	if (e)
		return e;
	/* It comes where its earliest part is; unless that came just now. */
	if (trace.summary.start_ns != at->start_ns &&
	    (summary || traces_places(m->t, m->set, &key, &in_head) > in_head))
		return 0;
	if (!judged) {
		if (!may_be_in_range(s, &trace.summary) ||
		    !is_in_range(s, &trace))
			return 0;
		s->processed++;
		if (!is_wanted(s, &trace.summary))
			return 0;
	}
	return s->visit(s->arg, &trace, &m->arena);
}

static void close_sources(struct merge *m)
{
	for (size_t i = 0; i < m->count; i++) {
		close_block(m, &m->sources[i]);
		arena_fini(&m->sources[i].arena);
	}
	if (m->set)
		traces_release(m->t, m->set);
	traces_count_damage(m->t, m->damaged);
	arena_fini(&m->arena);
	free(m->sources);
	free(m->head);
}

static int run(struct merge *m)
{
	struct traces_scan *s = m->s;
	size_t max = s->traces_max ? s->traces_max : TRACES_SCAN_MAX;

	for (size_t seen = 0;;) {
		struct source *source;
		struct place at;
		int e = find_next(m, &source);

		if (e || !source)
			return e;
		at = source->at;
		if (seen++ == max)
			return 1;
		e = look_at(m, &at, source->block ? &source->summary : NULL);
		if (e < 0)
			return e;
		s->cursor.set = true;
		s->cursor.start_ns = at.start_ns;
		memcpy(s->cursor.id, at.id, TRACE_ID_SIZE);
		if (e)
			return 1;
		/* All that has this very place stands for the same trace. */
		for (size_t i = 0; i < m->count; i++)
			while (m->sources[i].has &&
			       newest_first(&at, &m->sources[i].at) >= 0) {
				e = next_of(m, &m->sources[i]);
				if (e)
					return e;
			}
	}
}

int traces_scan(struct traces *t, struct traces_scan *s)
{
	struct merge m = { .t = t, .s = s };
	int e;

	assert(s->visit && s->scope);
	if (s->end_ns <= s->start_ns)
		return 0;
	/* A trace may be active, or end, in the range and start long before. */
	m.from_ns = s->by != TRACES_BY_ID ? 0 : s->start_ns - TRACES_ID_SKEW_NS;
	m.to_ns = s->end_ns;
	if (s->by == TRACES_BY_ID)
		m.to_ns = s->end_ns > INT64_MAX - TRACES_ID_SKEW_NS ?
				  INT64_MAX :
				  s->end_ns + TRACES_ID_SKEW_NS;
	if (m.from_ns < 0)
		m.from_ns = 0;
	e = open_sources(&m);
	if (!e)
		e = run(&m);
	close_sources(&m);
	return e;
}
