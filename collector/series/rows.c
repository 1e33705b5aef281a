/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum row_flag {
	ROW_SINGLE = 1,    /* one value once; nothing but it follows */
	ROW_COUNT_INT = 2, /* count is a varint */
	ROW_SUM_LO = 4,
	ROW_MIXED = 8,
	ROW_MAX = 16, /* max differs from min */
	ROW_DIST = 32,
	ROW_KNOWN = 63,
};

static const double ROW_COUNT_INT_MAX = 9007199254740992.0; /* 2^53 */

/* Knuth's two-sum: a + b == *s + *e exactly. */
static void two_sum(double a, double b, double *s, double *e)
{
	volatile double sum = a + b;
	volatile double bb = sum - a;

	*e = (a - (sum - bb)) + (b - bb);
	*s = sum;
}

static void sum_add(struct row *r, double value)
{
	double s, e, lo;

	two_sum(r->sum, value, &s, &e);
	lo = r->sum_lo + e;
	two_sum(s, lo, &r->sum, &r->sum_lo);
}

static void dist_drop(struct row *r)
{
	if (r->dist) {
		sketch_fini(r->dist);
		free(r->dist);
		r->dist = NULL;
	}
	r->mixed = true;
}

void row_fini(struct row *r)
{
	dist_drop(r);
	*r = (struct row){ 0 };
}

/* A sketch of what the row has so far, all of it at min. */
static bool dist_make(struct row *r)
{
	if (r->dist)
		return true;
	r->dist = calloc(1, sizeof(*r->dist));
	return r->dist && !sketch_add(r->dist, r->min, r->count);
}

static bool dist_add(struct row *r, double value, double weight)
{
	if (r->mixed || r->count == 0)
		return true;
	if (!r->dist && value == r->min)
		return true;
	if (dist_make(r) && !sketch_add(r->dist, value, weight))
		return true;
	dist_drop(r);
	return false;
}

static void extremes(struct row *r, double min, double max)
{
	if (r->count == 0 || min < r->min)
		r->min = min;
	if (r->count == 0 || max > r->max)
		r->max = max;
}

bool row_add(struct row *r, double value, double weight)
{
	double product = value * weight;
	bool ok;

	assert(isfinite(value) && isfinite(weight) && weight > 0);
	ok = dist_add(r, value, weight);
	sum_add(r, product);
	if (weight != 1)
		sum_add(r, fma(value, weight, -product));
	extremes(r, value, value);
	r->count += weight;
	return ok;
}

void row_add_statistics(struct row *r, double count, double sum, double min,
			double max)
{
	if (!(count > 0))
		return;
	/* CloudWatch keeps percentiles of sets that are one value. */
	if (min == max && sum == min * count) {
		(void)row_add(r, min, count);
		return;
	}
	dist_drop(r);
	sum_add(r, sum);
	extremes(r, min, max);
	r->count += count;
}

static bool dist_merge(struct row *dst, const struct row *src)
{
	if (dst->mixed || src->mixed) {
		dist_drop(dst);
		return true;
	}
	if (!src->dist)
		return dist_add(dst, src->min, src->count);
	if (dst->count == 0) {
		dst->dist = calloc(1, sizeof(*dst->dist));
		if (dst->dist && !sketch_merge(dst->dist, src->dist))
			return true;
	} else if (dist_make(dst) && !sketch_merge(dst->dist, src->dist)) {
		return true;
	}
	dist_drop(dst);
	return false;
}

bool row_merge(struct row *dst, const struct row *src, bool dist)
{
	bool ok = true;

	assert(dst != src);
	if (src->count == 0)
		return true;
	if (dist)
		ok = dist_merge(dst, src);
	else
		dist_drop(dst);
	sum_add(dst, src->sum);
	sum_add(dst, src->sum_lo);
	extremes(dst, src->min, src->max);
	dst->count += src->count;
	return ok;
}

/* --- bytes ------------------------------------------------------------------ */

void put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_char(out, (char)(v | 0x80));
	buf_char(out, (char)v);
}

bool get_varint(struct sv *s, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s->len && i < 10; i++) {
		uint8_t byte = (uint8_t)s->ptr[i];

		if (i == 9 && byte > 1)
			return false;
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		s->ptr += i + 1;
		s->len -= i + 1;
		*out = v;
		return true;
	}
	return false;
}

static void put_double(struct buf *out, double v)
{
	uint8_t bytes[8];
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_le64(bytes, bits);
	buf_add(out, bytes, sizeof(bytes));
}

static bool get_double(struct sv *s, double *out)
{
	uint64_t bits;

	if (s->len < 8)
		return false;
	bits = get_le64((const uint8_t *)s->ptr);
	memcpy(out, &bits, sizeof(bits));
	s->ptr += 8;
	s->len -= 8;
	return isfinite(*out);
}

static bool is_single(const struct row *r)
{
	return !r->mixed && r->count == 1 && r->sum == r->min &&
	       r->sum_lo == 0 && r->min == r->max;
}

void row_encode(const struct row *r, struct buf *out)
{
	unsigned flags = 0;

	assert(r->count > 0);
	if (is_single(r)) {
		buf_char(out, (char)ROW_SINGLE);
		put_double(out, r->sum);
		return;
	}
	if (r->count <= ROW_COUNT_INT_MAX && r->count == floor(r->count))
		flags |= ROW_COUNT_INT;
	flags |= r->sum_lo != 0 ? ROW_SUM_LO : 0;
	flags |= r->mixed ? ROW_MIXED : 0;
	flags |= r->max != r->min ? ROW_MAX : 0;
	flags |= r->dist ? ROW_DIST : 0;
	buf_char(out, (char)flags);
	if (flags & ROW_COUNT_INT)
		put_varint(out, (uint64_t)r->count);
	else
		put_double(out, r->count);
	put_double(out, r->sum);
	if (flags & ROW_SUM_LO)
		put_double(out, r->sum_lo);
	put_double(out, r->min);
	if (flags & ROW_MAX)
		put_double(out, r->max);
	if (flags & ROW_DIST)
		sketch_encode(r->dist, out);
}

static bool decode_numbers(struct row *r, struct sv *s, unsigned flags)
{
	uint64_t count = 0;

	if (flags & ROW_COUNT_INT) {
		if (!get_varint(s, &count))
			return false;
		r->count = (double)count;
	} else if (!get_double(s, &r->count)) {
		return false;
	}
	if (!get_double(s, &r->sum))
		return false;
	if ((flags & ROW_SUM_LO) && !get_double(s, &r->sum_lo))
		return false;
	if (!get_double(s, &r->min))
		return false;
	r->max = r->min;
	if ((flags & ROW_MAX) && !get_double(s, &r->max))
		return false;
	return r->count > 0 && r->max >= r->min;
}

static int decode_dist(struct row *r, struct sv s)
{
	int e;

	r->dist = calloc(1, sizeof(*r->dist));
	if (!r->dist)
		return ERR_NOMEM;
	e = sketch_decode(r->dist, s);
	if (e) {
		sketch_fini(r->dist);
		free(r->dist);
		r->dist = NULL;
	}
	return e;
}

int row_decode(struct row *r, struct sv s, bool dist)
{
	unsigned flags;
	int e = 0;

	assert(!r->dist && r->count == 0);
	if (s.len < 1)
		return ERR_CORRUPT;
	flags = (uint8_t)s.ptr[0];
	s.ptr++;
	s.len--;
	if (flags & ~(unsigned)ROW_KNOWN)
		return ERR_CORRUPT;
	if (flags & ROW_SINGLE) {
		if (!get_double(&s, &r->sum))
			return ERR_CORRUPT;
		r->min = r->max = r->sum;
		r->count = 1;
		return 0;
	}
	if (!decode_numbers(r, &s, flags)) {
		*r = (struct row){ 0 };
		return ERR_CORRUPT;
	}
	r->mixed = flags & ROW_MIXED;
	if ((flags & ROW_DIST) && !dist)
		r->mixed = true;
	else if (flags & ROW_DIST)
		e = decode_dist(r, s);
	if (e)
		*r = (struct row){ 0 };
	return e;
}

/* --- lists ------------------------------------------------------------------ */

struct row *row_list_add(struct row_list *l, int32_t minute)
{
	struct timed_row *row;

	if (l->count == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct timed_row *rows = realloc(l->rows, cap * sizeof(*rows));

		if (!rows)
			return NULL;
		l->rows = rows;
		l->cap = cap;
	}
	row = &l->rows[l->count++];
	*row = (struct timed_row){ .minute = minute };
	return &row->row;
}

void row_list_fini(struct row_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		row_fini(&l->rows[i].row);
	free(l->rows);
	*l = (struct row_list){ 0 };
}

static int by_minute(const void *a, const void *b)
{
	const struct timed_row *x = a, *y = b;

	return (x->minute > y->minute) - (x->minute < y->minute);
}

bool row_list_fold(struct row_list *l, int32_t minutes, bool dist)
{
	size_t n = 0;
	bool ok = true;

	assert(minutes > 0);
	for (size_t i = 0; i < l->count; i++)
		l->rows[i].minute = minute_floor(l->rows[i].minute, minutes);
	if (l->count > 1)
		qsort(l->rows, l->count, sizeof(*l->rows), by_minute);
	for (size_t i = 0; i < l->count; i++) {
		struct timed_row row = l->rows[i];

		/* Its place is empty from here on: a row has one owner. */
		l->rows[i].row = (struct row){ 0 };
		if (row.row.count > 0 &&
		    (n == 0 || l->rows[n - 1].minute != row.minute)) {
			l->rows[n++] = row;
			continue;
		}
		if (row.row.count > 0)
			ok &= row_merge(&l->rows[n - 1].row, &row.row, dist);
		row_fini(&row.row);
	}
	l->count = n;
	return ok;
}
