/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger: the exact, append-only account of usage. One entry of 128 bytes per
 * run, appended, never edited; money is computed from it, never stored
 * (docs/decisions/ledger.md has the bytes).
 *
 * Exactly once: an id is account + source + request id. The collector asks
 * ledger_admit before it appends a frame to the journal; the answer is by the
 * id's and the record's hash against what is in flight (admitted, not applied
 * yet), the open segment, and the sealed ones (a Bloom filter each, then one
 * page of a sorted index). An id is remembered for LEDGER_REMEMBER_DAYS after
 * its record's time; a record older than that is refused by name, so that
 * forgetting cannot let one in twice.
 *
 * Threads: apply, checkpoint and tick are called by the view's thread, which
 * alone writes the files; all else from any thread, under a short lock (never
 * held over a sync).
 */
#ifndef TALLY_BILLING_LEDGER_H
#define TALLY_BILLING_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "billing/money.h"
#include "core/base/arena.h"
#include "core/store/view.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	LEDGER_REMEMBER_DAYS = 35,
	LEDGER_SEGMENT_ENTRIES = 1 << 18, /* then it is sealed: 32 MiB */
	LEDGER_INFLIGHT_MAX = 1 << 20,    /* admitted, not applied */
	LEDGER_NAMES_MAX = 1 << 17,       /* scopes, sources and functions */
	LEDGER_SOURCES_MAX = 16,
	LEDGER_SUMS_MAX = 1 << 20,           /* function x day in memory */
	LEDGER_FILTER_BYTES_MAX = 256 << 20, /* of Bloom filters in memory */
};

struct ledger;

/* 0 means the default above. */
struct ledger_options {
	size_t segment_entries;
	size_t inflight_max;
	size_t names_max;
	size_t sums_max;
	size_t filter_bytes_max;
};

/* A folder of its own. What lies behind the checkpoint is cut off and comes
 * again from the journal. Damage is counted, named in the log, and never stops
 * the start; ERR_VERSION: written by a newer release. */
int ledger_open(struct ledger **out, const struct env *env, const char *dir,
		const struct ledger_options *options,
		struct diag *diag) MUST_USE;
/* Does not checkpoint: what was not stays in the journal. */
void ledger_close(struct ledger *l);
struct view *ledger_view(struct ledger *l);

enum admit {
	ADMIT_NEW,      /* reserved: append its frame, or withdraw it */
	ADMIT_KNOWN,    /* same id, same bytes: no effect. It may still be in
			 * flight: answer after a journal barrier */
	ADMIT_CONFLICT, /* same id, other bytes: 409, no effect */
	ADMIT_OLD,      /* older than LEDGER_REMEMBER_DAYS when received */
};
/* 0 and *out, or: ERR_BUSY, too much is in flight; ERR_LIMIT, no more names
 * (function, source or scope is new and the table is full); ERR_IO,
 * ERR_NOMEM. After an error nothing is reserved. */
int ledger_admit(struct ledger *l, const struct scope *scope,
		 const struct usage *usage, struct wall received,
		 enum admit *out) MUST_USE;
/* The frame of a record that was ADMIT_NEW was not appended, or the journal
 * gave it up: frees the reservation. */
void ledger_withdraw(struct ledger *l, const struct scope *scope,
		     const struct usage *usage);

struct ledger_record {
	struct scope scope;
	struct usage usage; /* text is in the arena */
	uint64_t frame;     /* journal position it came with */
};
/* By request id within an account, whatever its source or region. Applied
 * records only. ERR_NOT_FOUND; ERR_CORRUPT: its entry is damaged. */
int ledger_find(struct ledger *l, uint64_t account, struct sv id,
		struct arena *arena, struct ledger_record *out) MUST_USE;

struct ledger_total {
	struct sv resource;
	enum architecture architecture;
	uint64_t requests;
	uint64_t errors; /* status other than RUN_OK */
	int128 billed_ms;
	int128 mb_ms;
};
struct ledger_totals {
	const struct ledger_total *rows; /* by resource, then architecture */
	size_t count;
};
/* Runs that started in [start, end). Whole UTC days come from sums in memory;
 * the edges are read from the files, so keep edges short or whole. */
int ledger_totals(struct ledger *l, const struct scope *scope, int64_t start_ns,
		  int64_t end_ns, struct arena *arena,
		  struct ledger_totals *out) MUST_USE;
/* The scopes (regions) of an account that have entries, by region. */
int ledger_scopes(struct ledger *l, uint64_t account, struct arena *arena,
		  struct scope **out, size_t *count) MUST_USE;

struct ledger_stats {
	uint64_t entries, segments;
	uint64_t admitted, known, conflicts, old, withdrawn; /* since open */
	uint64_t refused_busy, refused_names; /* limits that were hit */
	uint64_t sums_refused;    /* sums not kept: totals read files */
	uint64_t filters_refused; /* segments without a filter in memory */
	uint64_t damaged_entries, lost_segments, rebuilt_indexes;
	uint64_t inflight, names, sums, filter_bytes;
};
void ledger_stats(struct ledger *l, struct ledger_stats *out);

#endif
