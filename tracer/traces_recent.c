/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of recent traces: the newest that fit, from the head and from each
 * block's summaries, which are sorted newest first. A trace that was cut in
 * two by a seal is found in both and put together again.
 */
#include <stdlib.h>

#include "tracer/traces_inner.h"

struct search {
	struct traces *t;
	const struct scope *scope;
	int64_t start_ns, end_ns;
	struct sv function;
	size_t want; /* one more than the limit, to know that there is more */
	struct arena *arena;
	struct trace_summary *rows;
	size_t count, cap;
	uint64_t damaged;
};

static bool matches(const struct search *s, const struct trace_summary *row)
{
	return row->start_ns >= s->start_ns && row->start_ns < s->end_ns &&
	       (!s->function.len || trace_summary_has_name(row, s->function));
}

static int push(struct search *s, const struct trace_summary *row)
{
	if (s->count == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct trace_summary *rows =
			arena_array(s->arena, cap, sizeof(*rows));

		if (!rows)
			return ERR_NOMEM;
		if (s->count)
			memcpy(rows, s->rows, s->count * sizeof(*rows));
		s->rows = rows;
		s->cap = cap;
	}
	return trace_summary_copy(row, s->arena, &s->rows[s->count++]);
}

static int newest_first(const void *left, const void *right)
{
	const struct trace_summary *a = left, *b = right;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? 1 : -1;
	return memcmp(a->id, b->id, TRACE_ID_SIZE);
}

static void keep_newest(struct search *s)
{
	if (s->count)
		qsort(s->rows, s->count, sizeof(*s->rows), newest_first);
	if (s->count > s->want)
		s->count = s->want;
}

static int newest_digest_first(const void *left, const void *right)
{
	const struct digest *const *a = left, *const *b = right;

	return newest_first(&(*a)->summary, &(*b)->summary);
}

/* Under the lock. Sorted before they are copied, so that what is copied is
 * bounded by the limit and not by the head. */
static int search_head(struct search *s)
{
	const struct head *h = &s->t->head;
	const struct digest **found = calloc(h->count + 1, sizeof(*found));
	size_t count = 0;
	int e = 0;

	if (!found)
		return ERR_NOMEM;
	for (size_t i = 0; i < h->count; i++)
		if (trace_key_in(&h->traces[i]->key, s->scope) &&
		    matches(s, &h->traces[i]->digest->summary))
			found[count++] = h->traces[i]->digest;
	qsort(found, count, sizeof(*found), newest_digest_first);
	for (size_t i = 0; i < count && i < s->want && !e; i++)
		e = push(s, &found[i]->summary);
	free(found);
	return e;
}

static int search_rows(struct search *s, struct block_scan *scan,
		       const struct row_key *from)
{
	struct arena scratch = ARENA_INIT;
	struct sv key, value;
	size_t found = 0;
	int e = 0;

	while (found < s->want && e >= 0 &&
	       (e = block_scan_next(scan, &key, &value)) == 1 &&
	       row_same_space(key, from) && row_start_ns(key) >= s->start_ns) {
		struct trace_summary row;

		arena_reset(&scratch);
		if (!row_get_summary(key, value, &scratch, &row)) {
			s->damaged++;
		} else if (matches(s, &row)) {
			found++;
			e = push(s, &row);
		}
	}
	arena_fini(&scratch);
	return e < 0 ? e : 0;
}

static int search_block(struct search *s, const struct block_ref *b)
{
	static const uint8_t none[TRACE_ID_SIZE];
	struct block_scan *scan;
	struct trace_key any;
	struct row_key from;
	int e;

	if (b->start_ns_max < s->start_ns || b->start_ns_min >= s->end_ns)
		return 0;
	if (s->count == s->want &&
	    s->rows[s->count - 1].start_ns > b->start_ns_max)
		return 0; /* all of it is older than what is there */
	trace_key_make(&any, s->scope, none);
	row_key_start(&from, &any, s->end_ns - 1);
	e = block_scan_open(&scan, b->block, row_key_view(&from));
	if (e)
		return e;
	e = search_rows(s, scan, &from);
	s->damaged += block_scan_damaged(scan);
	block_scan_close(scan);
	keep_newest(s);
	return e;
}

static bool is_listed(const struct search *s, size_t count,
		      const uint8_t id[TRACE_ID_SIZE])
{
	for (size_t i = 0; i < count; i++)
		if (!memcmp(s->rows[i].id, id, TRACE_ID_SIZE))
			return true;
	return false;
}

/* Rows of traces that are in several places become one, of all of it; rows
 * that are listed get the ids that were left out. */
static int rejoin(struct search *s, const struct block_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct arena_mark mark = arena_mark(s->arena);
		struct trace_summary whole;
		struct trace_key key;
		struct trace trace;
		bool in_head;
		int e;

		trace_key_make(&key, s->scope, s->rows[i].id);
		if (traces_places(s->t, set, &key, &in_head) < 2 &&
		    (!s->rows[i].ids_left_out || kept >= s->want - 1)) {
			s->rows[kept++] = s->rows[i];
			continue;
		}
		if (is_listed(s, kept, s->rows[i].id))
			continue;
		e = traces_collect(s->t, &key, s->arena, &trace);
		if (e == ERR_NOT_FOUND) { /* retention took it just now */
			arena_rollback(s->arena, mark);
			continue;
		}
		if (e)
			return e;
		whole = trace.summary;
		if (matches(s, &whole))
			s->rows[kept++] = whole;
	}
	s->count = kept;
	keep_newest(s);
	return 0;
}

int traces_recent(struct traces *t, const struct scope *scope, int64_t start_ns,
		  int64_t end_ns, struct sv function, size_t limit,
		  struct arena *arena, struct trace_list *out)
{
	struct arena scratch = ARENA_INIT;
	struct search s = { .t = t,
			    .scope = scope,
			    .start_ns = start_ns < 0 ? 0 : start_ns,
			    .end_ns = end_ns,
			    .function = function,
			    .arena = arena };
	struct block_set *set;
	int e;

	if (!limit || limit > TRACES_RECENT_MAX)
		limit = TRACES_RECENT_MAX;
	s.want = limit + 1;
	*out = (struct trace_list){ 0 };
	if (s.end_ns <= s.start_ns)
		return 0;
	e = traces_lock_digested(t, &scratch);
	if (!e)
		e = search_head(&s);
	set = traces_hold(t);
	traces_unlock(t);
	arena_fini(&scratch);
	keep_newest(&s);
	for (size_t i = set->count; i > 0 && !e; i--)
		e = search_block(&s, set->items[i - 1]);
	if (!e)
		e = rejoin(&s, set);
	traces_release(t, set);
	traces_count_damage(t, s.damaged);
	out->rows = s.rows;
	out->truncated = s.count > limit;
	out->count = out->truncated ? limit : s.count;
	return e;
}
