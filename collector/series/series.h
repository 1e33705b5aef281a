/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series: the view of metric data. A series is (scope, namespace, name, exact
 * dimension set). Per series and minute there is a row {sum, count, min, max,
 * distribution}; rows of the same minute are added when read, so late data is
 * nothing special: it is one more row.
 *
 *   frame -> window (open rows, memory + checkpoint) -> metric blocks at 60,
 *   300 and 3600 s (primary) -> RRD files (derived; any of them may go away)
 *
 * The window is closed by time: the watermark is the newest receive time (or
 * tick) less `window_ns`. An hour wholly behind it is sealed to blocks. A
 * point of the future waits in the window for its time; it is never clamped.
 * Sums are kept as a pair of doubles (hi + lo), so that an hour's sum is right
 * to the last bit that is shown. docs/decisions/series-window.md has the
 * arithmetic and what a series costs on disk.
 *
 * Writers: the view's thread. Readers: any thread; they copy open rows and
 * take references to blocks under one short lock, and scan without it.
 */
#ifndef TALLY_COLLECTOR_SERIES_SERIES_H
#define TALLY_COLLECTOR_SERIES_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/store/view.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	SERIES_MAX = 100000, /* default: over it a new one is refused */
	SERIES_ROWS_MAX =
		500000,         /* default: open rows; over it, sealed early */
	SERIES_WINDOW_MIN = 20, /* default: minutes the window stays open */
	SERIES_PAST_S = 14 * 86400, /* oldest point that is accepted */
	SERIES_FUTURE_S = 2 * 3600, /* farthest */
	SERIES_RRD_MINUTES = 30,    /* default: active minutes before an RRD */
	SERIES_POINTS_MAX = 700000, /* steps of one read */
	SERIES_SET_BACK_S = 3600,   /* less is waited for: frames overtake */
	SERIES_CHECKPOINT_BYTES_PER_S = 2 << 20, /* most, on average */
};

struct series;
struct sketch;

struct series_options {
	size_t series_max;    /* 0: SERIES_MAX */
	size_t rows_max;      /* 0: SERIES_ROWS_MAX */
	int64_t window_ns;    /* 0: SERIES_WINDOW_MIN minutes */
	uint32_t rrd_minutes; /* 0: SERIES_RRD_MINUTES */
	uint32_t rrd_queue;   /* reads that may wait; 0: 64 */
	bool no_rrd;          /* keep no RRD files */
};

struct series_stats {
	uint64_t points;         /* data applied */
	uint64_t late;           /* of them, behind the watermark */
	uint64_t refused_series; /* points lost to the limit of series */
	uint64_t sealed_rows, sealed_early; /* rows; seals forced by rows_max */
	uint64_t seal_errors, checkpoint_errors, damaged_chunks;
	uint64_t blocks_lost;        /* could not be opened at start */
	uint64_t distributions_lost; /* no memory for one */
	uint64_t series, open_rows, blocks, block_bytes;
	uint64_t checkpoint_bytes; /* of the last one */
	uint64_t rrd_files, rrd_updates, rrd_rows, rrd_rebuilt, rrd_damaged;
	uint64_t rrd_busy;   /* reads its full queue turned away */
	uint64_t rrd_reads;  /* ranges served by RRD files */
	uint64_t rrd_points; /* steps with data in them */
	int64_t watermark_ns;
};

/* Opens DIR (made if missing), reads its checkpoint, starts the RRD thread.
 * ERR_VERSION: written by a newer release. */
int series_open(struct series **out, const struct env *env, const char *dir,
		const struct series_options *options,
		struct diag *diag) MUST_USE;
/* Writes the checkpoint if anything changed; ends the thread. NULL is fine. */
void series_close(struct series *s);
struct view *series_view(struct series *s);
void series_stats(struct series *s, struct series_stats *out);

/* For ingest: whether a point of this time may be accepted by a frame received
 * then (14 days back, 2 hours ahead, both inclusive). */
bool series_time_ok(struct wall received, int64_t time_ns);

struct series_info {
	struct sv ns;
	struct sv name;
	const struct dimension *dimensions; /* sorted by name */
	size_t dimension_count;
	int64_t last_ns;      /* minute of its newest point */
	const char *rrd_file; /* below DIR, without its ".avg.rrd"; or NULL */
	unsigned rrd_slot;
};

/* The series of a scope, oldest first; an empty filter takes all. Everything
 * is in the arena. */
int series_list(struct series *s, const struct scope *scope, struct sv ns,
		struct sv name, struct arena *arena, struct series_info **out,
		size_t *count) MUST_USE;

enum series_source {
	SERIES_AUTO,
	SERIES_BLOCKS, /* blocks and open rows only */
	SERIES_RRD,    /* RRD wherever it is complete and exact */
};

struct series_query {
	const struct scope *scope;
	struct sv ns;
	struct sv name;
	const struct dimension *dimensions; /* any order, exact set */
	size_t dimension_count;
	uint32_t period_s; /* multiple of 60, at most a day */
	int64_t start_ns;  /* moved back to a step's start */
	int64_t end_ns;    /* exclusive */
	enum series_source source;
	bool distribution; /* fill in dist (never from RRD) */
};

struct series_point {
	int64_t time_ns; /* start of the step, a multiple of the period */
	double sum;
	double count;
	double min;
	double max;
	/* In the arena; NULL when not asked for, or when a statistic set or a
	 * negative value is in the step, so that CloudWatch has no percentile
	 * either. */
	const struct sketch *dist;
};

/* Steps with data only, in order, right after their frame was applied, the
 * same from every source. ERR_INVALID: period or range; ERR_LIMIT: more than
 * SERIES_POINTS_MAX steps; ERR_NOT_FOUND: source RRD and the series has no file;
 * ERR_BUSY: source RRD and its queue is full. A series that is not there has
 * no points. */
int series_read(struct series *s, const struct series_query *q,
		struct arena *arena, struct series_point **out,
		size_t *count) MUST_USE;

/* "Sum", "Average", "Minimum", "Maximum", "SampleCount", "p99", "p99.9" of a
 * point; a percentile needs its dist. False: no such statistic, or no value. */
bool series_statistic(const struct series_point *p, struct sv statistic,
		      double *out) MUST_USE;
bool series_statistic_known(struct sv statistic);

/* Waits until the RRD thread has written everything behind the watermark. For
 * tests and for `tally status`; any thread but the RRD's. */
void series_rrd_settle(struct series *s);

#endif
