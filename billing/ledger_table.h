/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hash tables of the ledger, open addressing with linear probing, grown by
 * doubling up to a limit. Space is reserved before, so that putting what was
 * reserved cannot fail half-way through a frame.
 *
 * A table of ids: what is in flight, and the open segment (32 bytes a slot).
 * A table of sums: quantities by scope, resource, architecture and time slot
 * (an hour or a day since 1970).
 */
#ifndef TALLY_BILLING_LEDGER_TABLE_H
#define TALLY_BILLING_LEDGER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billing/ledger_entry.h"
#include "billing/money.h"

struct id_slot {
	struct hash128 id;
	uint64_t payload;
	uint32_t number; /* of the entry */
	uint32_t used;
};

struct id_table {
	struct id_slot *slots;
	size_t cap; /* a power of two, or 0 */
	size_t count;
};

void id_table_fini(struct id_table *t);
void id_table_reset(struct id_table *t); /* keeps the memory */
/* Room for n more. ERR_NOMEM: nothing has changed. */
int id_table_reserve(struct id_table *t, size_t n) MUST_USE;
const struct id_slot *id_table_find(const struct id_table *t,
				    struct hash128 id);
/* id is not in it, and room was reserved (assert). */
void id_table_put(struct id_table *t, struct hash128 id, uint64_t payload,
		  uint32_t number);
bool id_table_remove(struct id_table *t, struct hash128 id);

struct sum_key {
	uint32_t scope, resource, architecture;
	int32_t slot;
};

struct sum {
	struct sum_key key;
	uint64_t requests; /* 0: the place is free */
	uint64_t errors;
	int128 billed_ms, mb_ms;
};

struct sum_table {
	struct sum *slots;
	size_t cap;
	size_t count;
	size_t max; /* most keys it takes; 0: no limit */
};

/* What one entry adds, in the slot of slot_ns (NS_PER_HOUR, NS_PER_DAY) in
 * which its run started. */
struct sum sum_of_entry(const struct entry *e, int64_t slot_ns);

void sum_table_fini(struct sum_table *t);
/* Room for n more keys, as far as max allows. ERR_NOMEM. */
int sum_table_reserve(struct sum_table *t, size_t n) MUST_USE;
/* Adds s to what is under its key. False: the key is new and the table is at
 * its limit. Room was reserved (assert). */
bool sum_table_add(struct sum_table *t, const struct sum *s);
/* Takes out every key whose slot is below. */
void sum_table_drop_below(struct sum_table *t, int32_t slot);

#endif
