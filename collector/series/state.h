/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the series view share. One lock: the view's thread takes
 * it to change what readers see, readers to look and to take references. The
 * view's thread reads without it what it alone changes.
 */
#ifndef TALLY_COLLECTOR_SERIES_STATE_H
#define TALLY_COLLECTOR_SERIES_STATE_H

#include <pthread.h>

#include "collector/series/index.h"
#include "collector/series/series.h"
#include "collector/series/tiers.h"
#include "core/store/retention.h"

#define MINUTE_NS (60 * NS_PER_S)

enum { SERIES_CHECKPOINT_FORMAT = 1 };

struct feeder;

struct gone_file {
	enum tier tier;
	uint64_t number;
};

struct series {
	const struct env *env;
	char *dir;
	struct series_options options; /* defaults filled in */
	struct tier_place place;
	struct view view;
	struct feeder *feeder; /* NULL: no RRD files */

	pthread_mutex_t lock;
	struct index index;
	struct tier_block **blocks; /* all tiers, in order of number */
	size_t block_count, block_cap;
	int64_t newest_ns;          /* newest receive time or tick */
	struct retention retention; /* the time by which blocks expire */
	uint64_t open_rows;
	struct series_stats stats;

	/* The view's thread only. */
	uint64_t next_number; /* of the next block */
	int32_t sealed_to;    /* minute: hours before it were sealed */
	int64_t seal_retry_ns;
	bool dirty;            /* differs from the last checkpoint */
	bool urgent;           /* blocks changed: checkpoint at once */
	int64_t checkpoint_ns; /* newest_ns at the last one */
	size_t checkpoint_bytes;
	struct gone_file *gone; /* unlink after the next checkpoint */
	size_t gone_count, gone_cap;
	struct entry **scratch;
	size_t scratch_cap;
};

static inline int64_t series_watermark(const struct series *s)
{
	return s->newest_ns - s->options.window_ns;
}

/* The first minute that is not wholly behind the watermark. */
static inline int32_t series_closed_minute(const struct series *s)
{
	int64_t ns = series_watermark(s);

	return ns > 0 ? (int32_t)(ns / MINUTE_NS) : 0;
}

/* What ends before this minute has expired in a tier that keeps so long. */
static inline int32_t series_expired_minute(const struct series *s,
					    int32_t keep)
{
	int64_t ns =
		s->retention.now_ns - s->options.window_ns - keep * MINUTE_NS;

	return ns > 0 ? (int32_t)(ns / MINUTE_NS) : 0;
}

/* image.c: the checkpoint's image. */
void series_image_write(const struct series *s, struct buf *out);
int series_image_read(struct series *s, struct sv image,
		      struct diag *diag) MUST_USE;

/* seal.c: the view's thread only. */
int series_seal(struct series *s, int32_t cut) MUST_USE;
int series_blocks_add(struct series *s, struct tier_block *b) MUST_USE;
/* Merges small blocks. */
void series_blocks_merge(struct series *s);
/* Drops blocks past their retention. */
void series_blocks_expire(struct series *s);
void series_gone_unlink(struct series *s);

/* read.c: rows of a series from blocks and open rows, folded to the tier's
 * step, whole steps between first and end (multiples of it). Any thread. */
int series_rows(struct series *s, const struct entry *e, enum tier tier,
		int32_t first, int32_t end, bool dist,
		struct row_list *out) MUST_USE;

#endif
