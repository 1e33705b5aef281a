/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feeder: the one thread that calls librrd. It derives RRD files from
 * blocks and open rows, and answers reads of them; everything it makes can be
 * thrown away. A file (a pair, eight series) is built from the beginning when
 * a series joins it, and then brought forward, many steps a call, never past
 * the watermark: no point of the future can poison it.
 *
 * What comes late for a file is not written (librrd cannot): the hour is noted
 * with the series and served by blocks; too many such hours, and the file is
 * built anew. After each write the rows are read back and compared, and an
 * hour that is not the same to the bit is noted as well.
 *
 * librrd syncs nothing and may be cut in the middle, so the files outlive only
 * a clean end: then their state is written to rrd/state, after a sync, and
 * removed again at the next start. Without it all files are built anew.
 */
#ifndef TALLY_COLLECTOR_SERIES_FEEDER_H
#define TALLY_COLLECTOR_SERIES_FEEDER_H

#include "collector/series/ladder.h"
#include "collector/series/state.h"

enum {
	FEEDER_QUEUE_MAX = 64,    /* reads that wait; over it blocks serve */
	FEEDER_EVERY_MIN = 5,     /* minutes written at a time */
	FEEDER_JOIN_MIN = 10,     /* least time between two builds of a file */
	FEEDER_LATE_MIN = 60,     /* the same, for late data */
	FEEDER_RETRY_MIN = 1,     /* after a failure */
	FEEDER_AUTO_MIN = 6 * 60, /* shorter ranges are read from blocks */
};

struct rrd_file {
	struct scope scope;
	uint32_t number; /* in its scope */
	int32_t index;   /* in the feeder's list */
	char name[LADDER_NAME];
	struct entry *slots[LADDER_SLOTS];
	unsigned used;  /* slots given out */
	unsigned built; /* of them, in the files with all their history */
	bool ready;     /* the files may be read */
	bool rebuild;
	/* Minute from which each tier's rows are its own: what is older was
	 * written from a coarser one. [TIER_3600]: where the files begin. */
	int32_t from[TIERS];
	int32_t progress; /* and end at */
	int32_t claimed;  /* data before it is late: >= progress */
	int32_t retry;    /* minute before which it is not built again */
};

/* A range RRD serves, in minutes. */
struct rrd_run {
	int32_t first, end;
};

struct rrd_plan {
	const struct rrd_file *file;
	unsigned slot;
	struct rrd_run runs[INDEX_LATE_HOURS_MAX + 1];
	size_t count;
	bool inexact; /* blocks must serve it all */
};

/* The index of s is loaded. */
int feeder_open(struct feeder **out, struct series *s,
		struct diag *diag) MUST_USE;
/* clean: what was applied is in a checkpoint; keep the files. */
void feeder_close(struct feeder *f, bool clean);

/* With the lock of series held. */
void feeder_want(struct feeder *f, struct entry *e); /* active enough now */
void feeder_late(struct feeder *f, struct entry *e, int32_t minute);
/* False: this series has no file at all. Runs within first..end, ascending;
 * none while the file is being built. */
bool feeder_plan(const struct feeder *f, const struct entry *e, enum tier tier,
		 int32_t first, int32_t end, bool automatic,
		 struct rrd_plan *out);

/* Without it. */
void feeder_wake(struct feeder *f); /* time has passed */
void feeder_settle(struct feeder *f);
/* Appends the rows of the plan's runs. ERR_BUSY: the queue is full; others:
 * blocks have to serve. */
int feeder_fetch(struct feeder *f, const struct rrd_plan *plan, enum tier tier,
		 struct row_list *out) MUST_USE;

/* --- between feeder.c and filing.c; the feeder's thread only ------------------ */

struct feeder {
	struct series *series;
	char *dir; /* .../rrd */
	pthread_t thread;
	bool running;

	/* With the lock of series. */
	struct rrd_file **files;
	size_t file_count, file_cap;
	struct entry **waiting; /* want a slot */
	size_t waiting_count, waiting_cap;

	/* With this lock. */
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct fetch_request *first, **last;
	size_t queued, queue_max;
	bool stop, woken, forced;
	uint64_t passes_asked, passes_done;
};

/* filing.c: builds or brings forward what is due. forced: to the watermark. */
void filing_pass(struct feeder *f, bool forced);
/* The runs of a plan, from the files. A failure condemns them. */
int filing_fetch(struct feeder *f, const struct rrd_plan *plan, enum tier tier,
		 struct row_list *out) MUST_USE;
/* Between two chunks: answers reads that wait. True: stop now. */
bool feeder_breathe(struct feeder *f);

/* keep.c: rrd/state. Load: false, and nothing of it stays. */
bool keep_load(struct feeder *f);
void keep_save(struct feeder *f);
void keep_wipe(struct feeder *f); /* removes all files */

#endif
