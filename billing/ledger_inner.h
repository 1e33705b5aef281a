/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the ledger, for its own files only: ledger.c (admission,
 * look-up), ledger_open.c (start and recovery), ledger_apply.c (the view) and
 * ledger_totals.c (sums).
 *
 * What the lock guards is said at each field. The view's thread alone writes
 * files and the fields marked "view"; it may read those and, since nobody else
 * writes them, the locked ones marked "written by view" without the lock.
 */
#ifndef TALLY_BILLING_LEDGER_INNER_H
#define TALLY_BILLING_LEDGER_INNER_H

#include <pthread.h>

#include "billing/calendar.h"
#include "billing/ledger.h"
#include "billing/ledger_file.h"
#include "billing/ledger_index.h"
#include "billing/ledger_names.h"
#include "billing/ledger_table.h"

enum {
	LEDGER_PENDING_BYTES = 1 << 20, /* of entries; then they are written */
	LEDGER_HOURS_KEPT = 72,
	LEDGER_SEGMENTS_MAX = 1 << 20,
	LEDGER_CHECKPOINT_FORMAT = 1,
};

struct segment {
	uint32_t number;
	uint64_t entries;
	struct span time;
	struct ledger_index *index; /* NULL: its files are lost */
	bool unreadable; /* entries: not there, or not by their header */
};

struct ledger {
	const struct env *env;
	char *dir;
	struct ledger_options options;
	struct view view;
	pthread_mutex_t lock;

	/* Under the lock; written by view. */
	struct segment **sealed; /* by number, from 1 */
	size_t sealed_count, sealed_cap;
	struct id_table active_ids;
	struct span *spans; /* of the open segment */
	size_t span_cap;
	struct span active_time;
	uint64_t active_entries; /* with the pending ones */
	struct buf pending;      /* its last entries, not written yet */
	uint64_t text_bytes;     /* of its text file, with the pending ones */
	struct buf pending_text;
	struct names *names;
	struct sum_table days, hours;
	int32_t hours_from; /* every hour from here on is in `hours` */
	bool sums_partial;  /* days is at its limit: totals read the files */

	/* Under the lock; written by any thread. */
	struct id_table inflight; /* number: how many new names it brings */
	uint64_t inflight_names;
	struct ledger_stats stats;

	/* View. */
	uint32_t active; /* number of the open segment */
	int entries_fd, text_fd;
	bool unsynced;
	int broken; /* an fsync failed: no checkpoint any more */
	uint64_t checkpoint_position;
	uint64_t recover_until; /* frames below it may be in the files */
};

extern const struct view_ops ledger_view_ops;

/* The following are called with the lock held. */

/* 1: there; 0: not; < 0. Segments whose runs all started before forget_ns are
 * passed over. */
int ledger_lookup(struct ledger *l, struct hash128 id, int64_t forget_ns,
		  struct id_slot *out, struct segment **in) MUST_USE;
/* Makes the index of a segment anew and takes it in. */
int ledger_reindex(struct ledger *l, struct segment *s) MUST_USE;
/* Takes in the entry's span and sums; room was reserved. */
void ledger_count(struct ledger *l, const struct entry *e);
int ledger_count_reserve(struct ledger *l, size_t n) MUST_USE;
/* An index's sums become the ledger's; its filter goes when over budget. */
int ledger_take_index(struct ledger *l, struct segment *s,
		      struct ledger_index *x, bool with_sums) MUST_USE;
int ledger_push_sealed(struct ledger *l, struct segment *s) MUST_USE;
struct sv ledger_text(struct ledger *l, const struct segment *s,
		      const struct packed *p, struct arena *arena) MUST_USE;

#endif
