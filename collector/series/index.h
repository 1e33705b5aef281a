/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Index: from an identity (scope, namespace, name, exact dimension set) to a
 * small id, ids counting from 0 in order of arrival. An entry is one
 * allocation: the struct, its dimensions, and the identity's bytes:
 *
 *   account:8be | region\0 | n:2 namespace | n:2 name | dims:1 |
 *   { n:2 name | n:2 value } ...            (lengths little-endian)
 *
 * The 128-bit hash of those bytes is the series' key in blocks. The bytes are
 * compared at look-up, so two identities of one hash never mix: the second is
 * refused like one over the limit. Entries are stable in memory.
 */
#ifndef TALLY_COLLECTOR_SERIES_INDEX_H
#define TALLY_COLLECTOR_SERIES_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "collector/series/window.h"
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/wire/records.h"

enum {
	INDEX_IDENTITY_MAX =
		16 + REGION_MAX + 2 * (2 + METRIC_NAME_MAX) +
		DIMENSIONS_MAX * (4 + DIMENSION_NAME_MAX + DIMENSION_VALUE_MAX),
	INDEX_LATE_HOURS_MAX = 64, /* of one series, kept one by one */
};

struct entry {
	uint32_t id;
	struct hash128 hash;
	struct scope scope;
	struct sv ns, name;
	const struct dimension *dimensions;
	size_t dimension_count;
	struct sv identity;
	/* The view's thread changes these, with the lock of series held. */
	struct open_rows open;
	int32_t first_minute, last_minute; /* valid when active_minutes > 0 */
	uint32_t active_minutes;           /* open rows ever made */
	/* A value RRDtool cannot hold exactly: blocks serve it, always. */
	_Atomic bool inexact;
	bool wants_rrd; /* active enough; waits for or has a slot */
	/* Where its RRD is; under the lock of series. -1: none. */
	int32_t rrd_file;
	uint8_t rrd_slot;
	/* Hours (minutes since 1970) the RRD has not all data of, ascending;
	 * late_all: too many to tell. */
	int32_t *late_hours; /* NULL, or room for INDEX_LATE_HOURS_MAX */
	uint8_t late_count;
	bool late_all;
};

struct identity {
	const struct scope *scope;
	struct sv ns, name;
	const struct dimension *dimensions; /* sorted by name */
	size_t dimension_count;
};

struct index {
	struct entry **entries;
	uint32_t count, cap;
	uint32_t *table; /* id + 1; 0: free */
	uint32_t mask;
	size_t limit;
};

void index_init(struct index *x, size_t limit);
void index_fini(struct index *x);
/* NULL: not known (or names are over their limits). */
struct entry *index_find(const struct index *x, const struct identity *id);
/* 0: *out is it. ERR_LIMIT: it is new and over the limit; ERR_NOMEM. */
int index_intern(struct index *x, const struct identity *id,
		 struct entry **out) MUST_USE;
/* The same from an entry's stored identity. ERR_CORRUPT. */
int index_restore(struct index *x, struct sv identity,
		  struct entry **out) MUST_USE;
struct entry *index_by_hash(const struct index *x, struct hash128 hash);

#endif
