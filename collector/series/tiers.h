/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiers: the metric blocks of the three steps, each with its own files and
 * retention. A row's key is the series' hash (16 bytes) and the step's start
 * (8 bytes, big-endian ns); keys may repeat, in one block or in several: rows
 * add up. So late data is simply in a later block, and several small blocks of
 * a tier may be merged into one at any time.
 *
 * The list of blocks that count is in the checkpoint; a file that is not in it
 * does not exist. Blocks are immutable and shared by reference count.
 */
#ifndef TALLY_COLLECTOR_SERIES_TIERS_H
#define TALLY_COLLECTOR_SERIES_TIERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "collector/series/index.h"
#include "collector/series/rows.h"
#include "core/store/block.h"
#include "core/sys/env.h"

enum tier { TIER_60, TIER_300, TIER_3600, TIERS };

enum {
	TIER_KIND = 0x53524553, /* "SERS" */
	TIER_FORMAT = 1,
	TIER_KEY = 24,
	TIER_HASH = 16,
	TIER_MERGE = 24,        /* blocks of one level that become one */
	TIER_BLOCKS_MAX = 4096, /* files listed; far above what is made */
};

/* Step and retention of a tier, in minutes (CloudWatch: 15, 63, 455 days). */
int32_t tier_step(enum tier tier);
int32_t tier_keep(enum tier tier);
/* How often blocks of a tier are merged: an hour's, a day's, 24 days'. */
uint8_t tier_level_max(enum tier tier);
/* The coarsest one whose step divides period_s. */
enum tier tier_for(uint32_t period_s);

struct tier_block {
	enum tier tier;
	uint8_t level;                     /* how often merged */
	uint64_t number;                   /* in its file's name */
	int32_t first_minute, last_minute; /* of its rows, inclusive */
	uint64_t bytes;
	struct block *block;
	_Atomic uint32_t refs;
};

struct tier_place {
	const struct env *env;
	const char *dir;
};

/* The file's path. out: PATH_MAX bytes. False: too long. */
bool tier_path(const struct tier_place *p, enum tier tier, uint64_t number,
	       char *out);
/* One reference. */
int tier_open(const struct tier_place *p, enum tier tier, uint64_t number,
	      uint8_t level, struct tier_block **out,
	      struct diag *diag) MUST_USE;
struct tier_block *tier_ref(struct tier_block *b);
void tier_unref(struct tier_block *b);

/* Seals the first rows[i] open rows of entries[i] (ascending by hash) to three
 * blocks numbered number, +1, +2. Changes nothing else. On an error no block
 * is left. *rows_out counts rows of 60 s. */
int tier_seal(const struct tier_place *p, struct entry *const *entries,
	      const uint32_t *rows, size_t count, uint64_t number,
	      struct tier_block *out[TIERS], uint64_t *rows_out) MUST_USE;
/* Merges blocks of one tier to a new one. ERR_CORRUPT: one is damaged. */
int tier_merge(const struct tier_place *p, struct tier_block *const *blocks,
	       size_t count, uint64_t number, struct tier_block **out) MUST_USE;
/* Appends the rows of a series with first <= minute < end. */
int tier_read(const struct tier_block *b, struct hash128 hash, int32_t first,
	      int32_t end, bool dist, struct row_list *out,
	      uint64_t *damaged) MUST_USE;

int entry_order(const void *a, const void *b); /* of struct entry *, by hash */

#endif
