/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/graph_stats.h"

#include <assert.h>
#include <stdlib.h>

/* A call is at most this long: what is longer is a clock that was wrong, and
 * would drown all others in a sum. */
#define TIME_NS_MAX UINT64_C(99000000000000)

static const uint64_t units_ns[GRAPH_DECADES] = {
	1000,         10000,         100000,         1000000,
	10000000,     100000000,     1000000000,     10000000000,
	100000000000, 1000000000000, 10000000000000,
};

void graph_stats_fini(struct graph_stats *s)
{
	free(s->times.items);
	free(s->trailing.items);
	*s = (struct graph_stats){ 0 };
}

/* --- steps ---------------------------------------------------------------- */

unsigned graph_step(uint64_t ns)
{
	unsigned decade = 0;
	uint64_t unit, step;

	if (ns < units_ns[0])
		return 0;
	if (ns > TIME_NS_MAX)
		ns = TIME_NS_MAX;
	while (decade + 1 < GRAPH_DECADES && ns >= units_ns[decade + 1])
		decade++;
	unit = units_ns[decade];
	step = ns < 2 * unit ? (20 * ns + unit / 2) / unit - 20 :
			       (10 * ns + unit / 2) / unit;
	/* What rounds up to the next decade is its first step. */
	return 1 + decade * GRAPH_STEPS + (unsigned)step;
}

uint64_t graph_step_ns(unsigned step)
{
	uint64_t unit, n;

	assert(step < GRAPH_BUCKETS);
	if (step == 0)
		return 0;
	unit = units_ns[(step - 1) / GRAPH_STEPS];
	n = (step - 1) % GRAPH_STEPS;
	return n < 20 ? unit * (20 + n) / 20 : unit * n / 10;
}

/* --- histograms -------------------------------------------------------------- */

/* The first item at or behind step. */
static unsigned place(const struct graph_histogram *h, unsigned step)
{
	unsigned low = 0, high = h->used;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (graph_bucket_step(h->items[middle]) < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void take_out(struct graph_histogram *h, unsigned at)
{
	h->used--;
	memmove(&h->items[at], &h->items[at + 1],
		(h->used - at) * sizeof(*h->items));
}

int graph_histogram_add(struct graph_histogram *h, unsigned step, int64_t n)
{
	unsigned at = place(h, step);

	assert(step < GRAPH_BUCKETS);
	if (at < h->used && graph_bucket_step(h->items[at]) == step) {
		n += graph_bucket_count(h->items[at]);
		h->items[at] = graph_bucket(n, step);
		if (n == 0)
			take_out(h, at);
		return 0;
	}
	if (n == 0)
		return 0;
	if (h->used == h->cap) {
		unsigned cap = h->cap ? 2U * h->cap : 4;
		struct graph_bucket *items =
			reallocarray(h->items, cap, sizeof(*items));

		if (!items)
			return ERR_NOMEM;
		h->items = items;
		h->cap = (uint16_t)cap;
	}
	memmove(&h->items[at + 1], &h->items[at],
		(h->used - at) * sizeof(*h->items));
	h->items[at] = graph_bucket(n, step);
	h->used++;
	return 0;
}

/* Adds sorted items, of which no step comes twice, in one pass from the back. */
static int merge_items(struct graph_histogram *to,
		       const struct graph_bucket *from, unsigned count,
		       int sign)
{
	unsigned a = to->used, b = count, at = to->used + count, kept;

	if (at > to->cap) {
		unsigned cap = to->cap ? to->cap : 4;
		struct graph_bucket *items;

		while (cap < at)
			cap *= 2;
		items = reallocarray(to->items, cap, sizeof(*items));
		if (!items)
			return ERR_NOMEM;
		to->items = items;
		to->cap = (uint16_t)cap;
	}
	to->used = (uint16_t)at;
	while (b > 0) {
		unsigned step = graph_bucket_step(from[b - 1]);
		int64_t n = sign * graph_bucket_count(from[b - 1]);

		if (a > 0 && graph_bucket_step(to->items[a - 1]) > step) {
			to->items[--at] = to->items[--a];
			continue;
		}
		if (a > 0 && graph_bucket_step(to->items[a - 1]) == step)
			n += graph_bucket_count(to->items[--a]);
		to->items[--at] = graph_bucket(n, step);
		b--;
	}
	/* Between what stayed in front and what was laid behind is a gap. */
	kept = a;
	for (; at < to->used; at++)
		if (graph_bucket_count(to->items[at]))
			to->items[kept++] = to->items[at];
	to->used = (uint16_t)kept;
	return 0;
}

static int merge_histogram(struct graph_histogram *to,
			   const struct graph_histogram *from, int sign)
{
	return from->used ? merge_items(to, from->items, from->used, sign) : 0;
}

int graph_durations(const struct graph_stats *s, struct graph_histogram *out)
{
	int e;

	*out = (struct graph_histogram){ 0 };
	e = merge_histogram(out, &s->times, 1);
	if (!e)
		e = merge_histogram(out, &s->trailing, 1);
	if (e) {
		free(out->items);
		*out = (struct graph_histogram){ 0 };
	}
	return e;
}

uint64_t graph_quantile(const struct graph_stats *s, double q)
{
	uint64_t total = 0, seen = 0, rank;

	for (unsigned i = 0; i < s->times.used; i++)
		total += (uint64_t)graph_bucket_count(s->times.items[i]);
	if (total == 0)
		return 0;
	if (s->times.used == 1) /* all alike: exact */
		return s->total_time_ns / total;
	/* Nearest rank: the smallest value with q of all at or below it. */
	rank = (uint64_t)(q * (double)total);
	if ((double)rank < q * (double)total)
		rank++;
	for (unsigned i = 0; i < s->times.used; i++) {
		seen += (uint64_t)graph_bucket_count(s->times.items[i]);
		if (seen >= rank)
			return graph_step_ns(
				graph_bucket_step(s->times.items[i]));
	}
	return graph_step_ns(
		graph_bucket_step(s->times.items[s->times.used - 1]));
}

/* --- counting --------------------------------------------------------------------- */

static void add(uint64_t *to, uint64_t n, int sign)
{
	if (sign < 0)
		*to = *to > n ? *to - n : 0;
	else if (__builtin_add_overflow(*to, n, to))
		*to = UINT64_MAX;
}

static void widen(struct graph_stats *s, int64_t first_ns, int64_t last_ns)
{
	if (first_ns && (!s->first_ns || first_ns < s->first_ns))
		s->first_ns = first_ns;
	if (last_ns > s->last_ns)
		s->last_ns = last_ns;
}

static uint64_t *count_of(struct graph_stats *s, enum segment_status status)
{
	switch (status) {
	case SEGMENT_STATUS_ERROR:
		return &s->error;
	case SEGMENT_STATUS_THROTTLE:
		return &s->throttle;
	case SEGMENT_STATUS_FAULT:
		return &s->fault;
	case SEGMENT_STATUS_OK:
		break;
	}
	return &s->ok;
}

static int count_time(struct graph_stats *s, const struct graph_count *c,
		      int sign)
{
	unsigned step = graph_step(c->duration_ns);
	unsigned work = c->work_ns > c->duration_ns ? graph_step(c->work_ns) :
						      step;
	int e = graph_histogram_add(&s->times, step, sign);

	if (!e && work != step) {
		e = graph_histogram_add(&s->trailing, step, -sign);
		if (!e)
			e = graph_histogram_add(&s->trailing, work, sign);
		if (e)
			(void)!graph_histogram_add(&s->times, step, -sign);
	}
	if (!e)
		add(&s->total_time_ns,
		    c->duration_ns > TIME_NS_MAX ? TIME_NS_MAX : c->duration_ns,
		    sign);
	return e;
}

int graph_stats_count(struct graph_stats *s, const struct graph_count *c,
		      int sign)
{
	int e = 0;

	if (c->counted && !c->untimed)
		e = count_time(s, c, sign);
	if (e)
		return e;
	if (c->counted)
		add(count_of(s, c->status), 1, sign);
	add(&s->seen, 1, sign);
	add(&s->roots, c->root, sign);
	add(&s->own, c->own, sign);
	if (sign > 0)
		widen(s, c->start_ns, c->end_ns);
	return 0;
}

int graph_stats_merge(struct graph_stats *to, const struct graph_stats *from,
		      int sign)
{
	int e = merge_histogram(&to->times, &from->times, sign);

	if (!e)
		e = merge_histogram(&to->trailing, &from->trailing, sign);
	if (e)
		return e;
	add(&to->seen, from->seen, sign);
	add(&to->ok, from->ok, sign);
	add(&to->error, from->error, sign);
	add(&to->throttle, from->throttle, sign);
	add(&to->fault, from->fault, sign);
	add(&to->total_time_ns, from->total_time_ns, sign);
	add(&to->roots, from->roots, sign);
	add(&to->own, from->own, sign);
	if (sign > 0)
		widen(to, from->first_ns, from->last_ns);
	return 0;
}

/* --- the stored form -----------------------------------------------------------------
 * varint mask of fields, one bit each in the order of `fields`, then the fields
 * that are there; behind them the histograms, whose bits are the next two:
 * varint items | each: varint steps since the one before, varint count (of
 * trailing: zigzag). */

enum { FIELDS = 8, HAS_TIMES = 1 << FIELDS, HAS_TRAILING = 2 << FIELDS };

static void fields_of(struct graph_stats *s, uint64_t *fields[FIELDS])
{
	fields[0] = &s->seen;
	fields[1] = &s->ok;
	fields[2] = &s->total_time_ns;
	fields[3] = &s->own;
	fields[4] = &s->fault;
	fields[5] = &s->error;
	fields[6] = &s->roots;
	fields[7] = &s->throttle;
}

void graph_put_varint(struct buf *out, uint64_t v)
{
	char bytes[10];
	size_t n = 0;

	while (v >= 0x80) {
		bytes[n++] = (char)(v | 0x80);
		v >>= 7;
	}
	bytes[n++] = (char)v;
	buf_add(out, bytes, n);
}

bool graph_take_varint(struct sv *rest, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 10 && i < rest->len; i++) {
		uint8_t byte = (uint8_t)rest->ptr[i];

		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*rest = sv_make(rest->ptr + i + 1, rest->len - i - 1);
			*out = v;
			return true;
		}
	}
	return false;
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

static void put_histogram(struct buf *out, const struct graph_histogram *h)
{
	unsigned last = 0;

	graph_put_varint(out, h->used);
	for (unsigned i = 0; i < h->used; i++) {
		unsigned step = graph_bucket_step(h->items[i]);

		graph_put_varint(out, step - last);
		graph_put_varint(out, zigzag(graph_bucket_count(h->items[i])));
		last = step;
	}
}

void graph_stats_put(const struct graph_stats *s, struct buf *out)
{
	struct graph_stats copy = *s;
	uint64_t *fields[FIELDS], mask = 0;

	fields_of(&copy, fields);
	for (unsigned i = 0; i < FIELDS; i++)
		mask |= *fields[i] ? UINT64_C(1) << i : 0;
	mask |= s->times.used ? HAS_TIMES : 0;
	mask |= s->trailing.used ? HAS_TRAILING : 0;
	graph_put_varint(out, mask);
	for (unsigned i = 0; i < FIELDS; i++)
		if (*fields[i])
			graph_put_varint(out, *fields[i]);
	if (s->times.used)
		put_histogram(out, &s->times);
	if (s->trailing.used)
		put_histogram(out, &s->trailing);
}

static int take_histogram(struct graph_histogram *h, struct sv *rest, int sign)
{
	struct graph_bucket items[GRAPH_BUCKETS];
	uint64_t used, step = 0, more, count;

	if (!graph_take_varint(rest, &used) || used > GRAPH_BUCKETS)
		return ERR_CORRUPT;
	for (unsigned i = 0; i < used; i++) {
		if (!graph_take_varint(rest, &more) || more >= GRAPH_BUCKETS ||
		    !graph_take_varint(rest, &count))
			return ERR_CORRUPT;
		step += more;
		if (step >= GRAPH_BUCKETS || count >> 47 || (i && !more))
			return ERR_CORRUPT;
		items[i] = graph_bucket(unzigzag(count), (unsigned)step);
	}
	return merge_items(h, items, (unsigned)used, sign);
}

int graph_stats_take(struct graph_stats *s, struct sv *rest, int sign)
{
	uint64_t *fields[FIELDS], mask, v;
	int e = 0;

	if (!graph_take_varint(rest, &mask) || mask >> (FIELDS + 2))
		return ERR_CORRUPT;
	fields_of(s, fields);
	for (unsigned i = 0; i < FIELDS; i++) {
		if (!(mask & UINT64_C(1) << i))
			continue;
		if (!graph_take_varint(rest, &v))
			return ERR_CORRUPT;
		add(fields[i], v, sign);
	}
	if (mask & HAS_TIMES)
		e = take_histogram(&s->times, rest, sign);
	if (!e && mask & HAS_TRAILING)
		e = take_histogram(&s->trailing, rest, sign);
	return e;
}
