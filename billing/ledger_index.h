/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a sealed segment: derived from its entries, rebuilt from them
 * where it is missing or damaged.
 *
 *   header | page ... page | fences | spans | sums | filter
 *
 * A page is 4096 bytes: 146 sorted ids of 28 bytes (id hash, payload hash,
 * entry), their count, CRC. fences has the first 8 bytes of each page's first
 * id; spans the earliest and latest time of each 1024 entries; sums the
 * segment's quantities by day; filter is a Bloom filter of 10 bits an id (an
 * id that is not there costs a page read in 0.8 % of look-ups). All but the
 * pages is in memory; its CRC is in the header.
 */
#ifndef TALLY_BILLING_LEDGER_INDEX_H
#define TALLY_BILLING_LEDGER_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "billing/ledger_table.h"
#include "core/sys/env.h"

enum { INDEX_PAGE_BYTES = 4096, INDEX_PAGE_IDS = 146, INDEX_FILTER_BITS = 10 };

struct span {
	int64_t min_ns, max_ns; /* min > max: empty */
};

/* Immutable once open, but for what the ledger takes out of it. */
struct ledger_index {
	uint64_t entries; /* of the segment, damaged ones too */
	uint64_t last_frame;
	struct span time;
	uint64_t *fences;
	uint32_t page_count;
	struct span *spans;
	uint32_t span_count;
	struct sum *sums; /* the ledger adds them to its own, and frees them */
	uint32_t sum_count;
	uint8_t *filter; /* NULL: not kept in memory */
	uint32_t filter_bytes;
};

/* Reads `entries` entries of segment `number` and writes its index beside it,
 * whole or not at all. *damaged: entries that could not be read. */
int ledger_index_build(const struct env *env, const char *dir, uint32_t number,
		       uint64_t entries, uint64_t *damaged) MUST_USE;
/* ERR_NOT_FOUND, ERR_CORRUPT, ERR_VERSION, ERR_NOMEM, ERR_IO. */
int ledger_index_open(struct ledger_index **out, const struct env *env,
		      const char *dir, uint32_t number) MUST_USE;
void ledger_index_free(struct ledger_index *x);
/* False: certainly not in it. */
bool ledger_index_may_have(const struct ledger_index *x, struct hash128 id);
/* 1: there, *out is set; 0: not there; < 0: an error, ERR_CORRUPT: rebuild. */
int ledger_index_find(const struct ledger_index *x, const struct env *env,
		      const char *dir, uint32_t number, struct hash128 id,
		      struct id_slot *out) MUST_USE;

static inline struct span span_empty(void)
{
	return (struct span){ INT64_MAX, INT64_MIN };
}

static inline void span_add(struct span *s, int64_t t)
{
	if (t < s->min_ns)
		s->min_ns = t;
	if (t > s->max_ns)
		s->max_ns = t;
}

#endif
