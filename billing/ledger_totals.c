/* SPDX-License-Identifier: Apache-2.0 */
/* Totals over a time range: whole days and recent whole hours from the sums
 * in memory, what is left at the edges from the entries whose spans it meets.
 * Tables, pending entries and the list of what to read are taken under the
 * lock, at one moment; the reading is done without it. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "billing/ledger_inner.h"

enum { RANGES_MAX = 8 };

struct range {
	int64_t start_ns, end_ns;
};

struct piece { /* entries to read */
	uint32_t segment;
	uint32_t first, end;
};

struct totals {
	uint32_t scope;
	struct sum_table sums; /* by resource and architecture */
	struct range scans[RANGES_MAX];
	size_t scan_count;
	struct buf pieces;
	int err;
};

static int64_t slot_up(int64_t t, int64_t size)
{
	return t / size + (t % size > 0);
}

static int64_t slot_down(int64_t t, int64_t size)
{
	return t / size - (t % size < 0);
}

static void add(struct totals *t, const struct sum *s)
{
	struct sum sum = *s;

	sum.key.scope = 0;
	sum.key.slot = 0;
	if (!t->err)
		t->err = sum_table_reserve(&t->sums, 1);
	if (!t->err)
		(void)sum_table_add(&t->sums, &sum);
}

static void add_table(struct totals *t, const struct sum_table *from,
		      int64_t first, int64_t end)
{
	for (size_t i = 0; i < from->cap; i++) {
		const struct sum *s = &from->slots[i];

		if (s->requests && s->key.scope == t->scope &&
		    s->key.slot >= first && s->key.slot < end)
			add(t, s);
	}
}

static void add_scan(struct totals *t, int64_t start_ns, int64_t end_ns)
{
	if (start_ns >= end_ns)
		return;
	assert(t->scan_count < RANGES_MAX);
	t->scans[t->scan_count++] = (struct range){ start_ns, end_ns };
}

static void add_hours(struct totals *t, struct ledger *l, int64_t start_ns,
		      int64_t end_ns)
{
	int64_t first = slot_up(start_ns, NS_PER_HOUR);
	int64_t end = slot_down(end_ns, NS_PER_HOUR);

	if (first < l->hours_from)
		first = l->hours_from;
	if (first >= end) {
		add_scan(t, start_ns, end_ns);
		return;
	}
	add_table(t, &l->hours, first, end);
	add_scan(t, start_ns, first * NS_PER_HOUR);
	add_scan(t, end * NS_PER_HOUR, end_ns);
}

static void add_days(struct totals *t, struct ledger *l, int64_t start_ns,
		     int64_t end_ns)
{
	int64_t first = slot_up(start_ns, NS_PER_DAY);
	int64_t end = slot_down(end_ns, NS_PER_DAY);

	if (l->sums_partial || first >= end) {
		add_hours(t, l, start_ns, end_ns);
		return;
	}
	add_table(t, &l->days, first, end);
	if (start_ns < first * NS_PER_DAY)
		add_hours(t, l, start_ns, first * NS_PER_DAY);
	if (end * NS_PER_DAY < end_ns)
		add_hours(t, l, end * NS_PER_DAY, end_ns);
}

static bool meets(const struct totals *t, const struct span *s)
{
	for (size_t i = 0; i < t->scan_count; i++)
		if (s->max_ns >= t->scans[i].start_ns &&
		    s->min_ns < t->scans[i].end_ns)
			return true;
	return false;
}

static void add_entry(void *arg, uint32_t number, const struct entry *e)
{
	struct totals *t = arg;
	struct sum s;

	(void)number;
	if (!e || e->scope != t->scope ||
	    !meets(t, &(struct span){ e->time_ns, e->time_ns }))
		return;
	s = sum_of_entry(e, NS_PER_DAY);
	add(t, &s);
}

static void list_pieces(struct totals *t, uint32_t segment,
			const struct span *spans, uint64_t entries)
{
	for (uint64_t at = 0; at < entries; at += LEDGER_READ_ENTRIES) {
		uint64_t end = at + LEDGER_READ_ENTRIES;
		struct piece p = { segment, (uint32_t)at,
				   (uint32_t)(end < entries ? end : entries) };

		if (meets(t, &spans[at / LEDGER_READ_ENTRIES]))
			buf_add(&t->pieces, &p, sizeof(p));
	}
}

static void list_all(struct totals *t, struct ledger *l)
{
	uint64_t pending = l->pending.len / ENTRY_BYTES;
	uint64_t written = l->active_entries - pending;

	if (t->scan_count == 0)
		return;
	for (size_t i = 0; i < l->sealed_count; i++) {
		const struct segment *s = l->sealed[i];

		if (s->index && !s->unreadable && meets(t, &s->time))
			list_pieces(t, s->number, s->index->spans, s->entries);
	}
	if (meets(t, &l->active_time))
		list_pieces(t, l->active, l->spans, written);
	for (uint64_t i = 0; i < pending; i++) {
		struct entry e;
		uint32_t number = (uint32_t)(written + i);

		if (entry_decode(&e,
				 (const uint8_t *)l->pending.ptr +
					 i * ENTRY_BYTES,
				 number))
			add_entry(t, number, &e);
	}
}

static int read_pieces(struct totals *t, struct ledger *l)
{
	const struct piece *p = (const struct piece *)t->pieces.ptr;
	size_t count = t->pieces.len / sizeof(*p);
	uint8_t *chunk = malloc((size_t)LEDGER_READ_ENTRIES * ENTRY_BYTES);
	uint32_t open = 0;
	int fd = -1;
	int e = chunk && !t->pieces.failed ? 0 : ERR_NOMEM;

	for (size_t i = 0; !e && i < count; i++) {
		if (p[i].segment != open) {
			if (fd >= 0)
				l->env->disk->close(l->env->disk_self, fd);
			open = p[i].segment;
			fd = ledger_file_open(l->env, l->dir, FILE_ENTRIES,
					      open, O_RDONLY);
		}
		if (fd >= 0)
			e = ledger_entries(l->env, fd, p[i].first, p[i].end,
					   chunk, add_entry, t);
	}
	if (fd >= 0)
		l->env->disk->close(l->env->disk_self, fd);
	free(chunk);
	return e;
}

static int by_name(const void *a, const void *b)
{
	const struct ledger_total *x = a;
	const struct ledger_total *y = b;
	int c = sv_cmp(x->resource, y->resource);

	return c ? c : (int)x->architecture - (int)y->architecture;
}

static int put_rows(struct totals *t, struct ledger *l, struct arena *arena,
		    struct ledger_totals *out)
{
	struct ledger_total *rows =
		arena_array(arena, t->sums.count + 1, sizeof(*rows));
	size_t n = 0;

	if (!rows)
		return ERR_NOMEM;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < t->sums.cap; i++) {
		const struct sum *s = &t->sums.slots[i];

		if (!s->requests)
			continue;
		rows[n++] = (struct ledger_total){
			.resource = arena_copy(
				arena, names_text(l->names, s->key.resource)),
			.architecture = (enum architecture)s->key.architecture,
			.requests = s->requests,
			.errors = s->errors,
			.billed_ms = s->billed_ms,
			.mb_ms = s->mb_ms,
		};
	}
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < n; i++)
		if (!rows[i].resource.ptr)
			return ERR_NOMEM;
	qsort(rows, n, sizeof(*rows), by_name);
	out->rows = rows;
	out->count = n;
	return 0;
}

int ledger_totals(struct ledger *l, const struct scope *scope, int64_t start_ns,
		  int64_t end_ns, struct arena *arena,
		  struct ledger_totals *out)
{
	const int64_t far = INT64_MAX - NS_PER_DAY; /* slots must not wrap */
	struct totals t = { .pieces = { .limit = 1 << 30 } };
	char text[NAME_BYTES_MAX];
	int e;

	*out = (struct ledger_totals){ 0 };
	if (start_ns < -far)
		start_ns = -far;
	if (end_ns > far)
		end_ns = far;
	if (start_ns >= end_ns)
		return 0;
	pthread_mutex_lock(&l->lock);
	t.scope = names_find(l->names, NAME_SCOPE, scope_name(text, scope));
	if (t.scope != NAME_UNKNOWN) {
		add_days(&t, l, start_ns, end_ns);
		list_all(&t, l);
	}
	pthread_mutex_unlock(&l->lock);
	e = t.err ? t.err : read_pieces(&t, l);
	if (!e)
		e = t.err ? t.err : put_rows(&t, l, arena, out);
	sum_table_fini(&t.sums);
	buf_fini(&t.pieces);
	return e;
}

static int by_region(const void *a, const void *b)
{
	const struct scope *x = a;
	const struct scope *y = b;

	return strcmp(x->region, y->region);
}

int ledger_scopes(struct ledger *l, uint64_t account, struct arena *arena,
		  struct scope **out, size_t *count)
{
	struct scope *list = NULL;
	size_t n = 0;
	size_t cap = 0;

	pthread_mutex_lock(&l->lock);
	for (uint32_t i = 0; i < names_count(l->names); i++)
		cap += names_is(l->names, i, NAME_SCOPE);
	list = arena_array(arena, cap + 1, sizeof(*list));
	for (uint32_t i = 0; list && i < names_count(l->names); i++) {
		struct scope s;

		if (names_is(l->names, i, NAME_SCOPE) &&
		    scope_parse(&s, names_text(l->names, i)) &&
		    s.account == account)
			list[n++] = s;
	}
	pthread_mutex_unlock(&l->lock);
	if (!list)
		return ERR_NOMEM;
	qsort(list, n, sizeof(*list), by_region);
	*out = list;
	*count = n;
	return 0;
}
