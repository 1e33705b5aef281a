/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row: what is kept of one series in one step. The sum is a pair of doubles
 * (sum + sum_lo, the rounding error of every addition), about 106 bits: an
 * hour's sum is the same in whatever order its parts came. Rows add up.
 *
 * The distribution is made only when a second distinct value comes: until then
 * min, max and count say everything. Stored form (little-endian):
 *
 *   flags:1 | count: varint, or 8 | sum:8 | sum_lo:8? | min:8 | max:8? | sketch
 *
 * and for a single value, the commonest row, just flags:1 | value:8.
 */
#ifndef TALLY_COLLECTOR_SERIES_ROWS_H
#define TALLY_COLLECTOR_SERIES_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/store/sketch.h"

struct row {
	double sum, sum_lo;
	double count; /* 0: nothing yet, the rest is not valid */
	double min, max;
	/* NULL: with `mixed` unknown, else all values are min. Owned by the
	 * row, on the heap. */
	struct sketch *dist;
	bool mixed; /* a statistic set is in it: no distribution */
};

void row_fini(struct row *r);
/* value finite, weight finite and > 0. False: memory was short, and the row
 * has no distribution any more; everything else is right. */
bool row_add(struct row *r, double value, double weight);
void row_add_statistics(struct row *r, double count, double sum, double min,
			double max);
/* As row_add; dist false leaves the distributions out (dst is then mixed). */
bool row_merge(struct row *dst, const struct row *src, bool dist);

void row_encode(const struct row *r, struct buf *out);
/* Into a zeroed row. ERR_CORRUPT, ERR_VERSION, ERR_NOMEM: r is empty then. */
int row_decode(struct row *r, struct sv bytes, bool dist) MUST_USE;

void put_varint(struct buf *out, uint64_t v);
/* Cuts it off *s; false: not one. */
bool get_varint(struct sv *s, uint64_t *out) MUST_USE;

/* Rows with their times, in a list that grows. */
struct timed_row {
	int32_t minute; /* since 1970: where the row's step begins */
	struct row row;
};

struct row_list {
	struct timed_row *rows;
	size_t count, cap;
};

/* A zeroed row at the end, or NULL: no memory. */
struct row *row_list_add(struct row_list *l, int32_t minute);
void row_list_fini(struct row_list *l);
/* Sorts by time and adds up rows of the same step of `minutes`. False: some
 * distribution was lost for want of memory. */
bool row_list_fold(struct row_list *l, int32_t minutes, bool dist);

/* The multiple of step at or before m; both may be large, neither negative. */
static inline int32_t minute_floor(int32_t m, int32_t step)
{
	return m - m % step;
}

#endif
