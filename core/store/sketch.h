/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sketch: the distribution of a metric row. While at most SKETCH_RAW_MAX
 * values are distinct they are kept as they are, with their weights, so small
 * rows answer exactly. Above that it is a sparse DDSketch (Masson, Rim, Lee:
 * "DDSketch", VLDB 2019): bucket i holds values in (g^(i-1), g^i], g = 1.02,
 * so any quantile's value is within 1 % of a value that was added; negative
 * values have mirrored buckets, zero its own. Two sketches merge without
 * further loss, in any order.
 *
 * At most SKETCH_BUCKETS_MAX buckets: over that the two lowest become one,
 * which from then on takes everything below it. Quantiles above its weight
 * (`collapsed`) keep the 1 %, which is why it is the low end that pays: people
 * ask for p99.
 *
 * Not chosen: t-digest (no bound on the error, merges depend on order) and
 * HdrHistogram (a dense array for each row, positive integers only).
 */
#ifndef TALLY_CORE_STORE_SKETCH_H
#define TALLY_CORE_STORE_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"

enum {
	SKETCH_FORMAT = 1,
	SKETCH_RAW_MAX = 32,
	SKETCH_BUCKETS_MAX = 1024,   /* 8.8 decades, if all are used */
	SKETCH_BYTES_MAX = 16 << 10, /* encoded, at the very most */
};

struct sketch_bin {
	double at; /* raw: the value; else the bucket's key, a whole number */
	double weight;
};

/* The caller's storage. Zeroed (SKETCH_INIT) it is empty, with memory from
 * the heap; with an arena set first, from there, and fini does nothing. */
struct sketch {
	struct arena *arena;
	struct sketch_bin *bins; /* ascending by value */
	uint32_t count, cap;
	bool bucketed;           /* false: bins are raw values */
	double weight;           /* sum of the weights */
	double minimum, maximum; /* exact; valid when count > 0 */
	double collapsed;        /* weight that lost the 1 % at the low end */
};

#define SKETCH_INIT \
	{           \
		0   \
	}

void sketch_fini(struct sketch *s);
void sketch_reset(struct sketch *s); /* empties it, keeps the memory */

/* value finite, weight finite and > 0 (assert). ERR_NOMEM: unchanged. */
int sketch_add(struct sketch *s, double value, double weight) MUST_USE;
/* Adds all of other. ERR_NOMEM: s holds a part of other and is of no use. */
int sketch_merge(struct sketch *s, const struct sketch *other) MUST_USE;

/* The value at quantile q in [0, 1] by nearest rank, CloudWatch's "largest of
 * the kept q": the smallest value whose weight together with all lower ones is
 * at least q * weight (less 1e-12 of it, for rounding: the 7th of 100 is p7).
 * q 0 gives the minimum, q 1 the maximum, both exact. NaN when empty. */
double sketch_quantile(const struct sketch *s, double q);
/* The weight of values <= value, within the same 1 %. */
double sketch_rank(const struct sketch *s, double value);
/* What a bin stands for, i < s->count: for trimmed means and pictures. */
double sketch_value(const struct sketch *s, uint32_t i);

/* Appends at most SKETCH_BYTES_MAX bytes; out->failed says if it did not fit.
 * An empty sketch is a few bytes too. */
void sketch_encode(const struct sketch *s, struct buf *out);
/* Into an empty s (its arena may be set). ERR_CORRUPT, ERR_VERSION (a newer
 * format), ERR_NOMEM; s is empty then. */
int sketch_decode(struct sketch *s, struct sv bytes) MUST_USE;

#endif
