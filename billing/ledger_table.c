/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/ledger_table.h"

#include <assert.h>
#include <stdlib.h>

enum { TABLE_CAP_MIN = 64 };

/* The smallest power of two that is at most three quarters full with n. */
static size_t cap_for(size_t n, size_t cap)
{
	if (cap < TABLE_CAP_MIN)
		cap = TABLE_CAP_MIN;
	while (cap / 4 * 3 < n)
		cap *= 2;
	return cap;
}

void id_table_fini(struct id_table *t)
{
	free(t->slots);
	*t = (struct id_table){ 0 };
}

void id_table_reset(struct id_table *t)
{
	if (t->cap)
		memset(t->slots, 0, t->cap * sizeof(*t->slots));
	t->count = 0;
}

/* Where id is, or the free place where it would be. */
static size_t id_place(const struct id_table *t, struct hash128 id)
{
	size_t i = (size_t)id.low & (t->cap - 1);

	while (t->slots[i].used && !hash128_eq(t->slots[i].id, id))
		i = (i + 1) & (t->cap - 1);
	return i;
}

int id_table_reserve(struct id_table *t, size_t n)
{
	struct id_table old = *t;
	size_t cap = cap_for(t->count + n, t->cap);

	if (cap == t->cap)
		return 0;
	t->slots = calloc(cap, sizeof(*t->slots));
	if (!t->slots) {
		*t = old;
		return ERR_NOMEM;
	}
	t->cap = cap;
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].used)
			t->slots[id_place(t, old.slots[i].id)] = old.slots[i];
	free(old.slots);
	return 0;
}

const struct id_slot *id_table_find(const struct id_table *t, struct hash128 id)
{
	const struct id_slot *s = t->cap ? &t->slots[id_place(t, id)] : NULL;

	return s && s->used ? s : NULL;
}

void id_table_put(struct id_table *t, struct hash128 id, uint64_t payload,
		  uint32_t number)
{
	struct id_slot *s;

	assert(t->cap && t->count < t->cap / 4 * 3);
	s = &t->slots[id_place(t, id)];
	assert(!s->used);
	*s = (struct id_slot){ id, payload, number, 1 };
	t->count++;
}

/* Knuth 6.4 R: closes the gap, so that no probe ends at it too early. */
bool id_table_remove(struct id_table *t, struct hash128 id)
{
	size_t mask = t->cap - 1;
	size_t gap = t->cap ? id_place(t, id) : 0;

	if (!t->cap || !t->slots[gap].used)
		return false;
	for (size_t i = (gap + 1) & mask; t->slots[i].used;
	     i = (i + 1) & mask) {
		size_t home = (size_t)t->slots[i].id.low & mask;

		if (((i - home) & mask) >= ((i - gap) & mask)) {
			t->slots[gap] = t->slots[i];
			gap = i;
		}
	}
	t->slots[gap] = (struct id_slot){ 0 };
	t->count--;
	return true;
}

struct sum sum_of_entry(const struct entry *e, int64_t slot_ns)
{
	int64_t slot = e->time_ns / slot_ns - (e->time_ns % slot_ns < 0);

	/* An hour of any time 64 bits of ns can say fits: 2^63 / 3.6e12. */
	return (struct sum){
		.key = { e->scope, e->resource, e->architecture,
			 (int32_t)slot },
		.requests = 1,
		.errors = e->status != RUN_OK,
		.billed_ms = e->billed_ms,
		.mb_ms = (int128)e->memory_mb * e->billed_ms,
	};
}

void sum_table_fini(struct sum_table *t)
{
	free(t->slots);
	*t = (struct sum_table){ .max = t->max };
}

static size_t sum_place(const struct sum_table *t, const struct sum_key *key)
{
	uint64_t h = hash64(sv_make((const char *)key, sizeof(*key)));
	size_t i = (size_t)h & (t->cap - 1);

	while (t->slots[i].requests &&
	       memcmp(&t->slots[i].key, key, sizeof(*key)))
		i = (i + 1) & (t->cap - 1);
	return i;
}

static int sum_table_resize(struct sum_table *t, size_t cap)
{
	struct sum_table old = *t;

	t->slots = calloc(cap, sizeof(*t->slots));
	if (!t->slots) {
		*t = old;
		return ERR_NOMEM;
	}
	t->cap = cap;
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].requests)
			t->slots[sum_place(t, &old.slots[i].key)] =
				old.slots[i];
	free(old.slots);
	return 0;
}

int sum_table_reserve(struct sum_table *t, size_t n)
{
	size_t want = t->count + n;
	size_t cap;

	if (t->max && want > t->max)
		want = t->max;
	cap = cap_for(want, t->cap);
	return cap == t->cap ? 0 : sum_table_resize(t, cap);
}

bool sum_table_add(struct sum_table *t, const struct sum *s)
{
	struct sum *at;
	bool fits;

	assert(t->cap && s->requests);
	at = &t->slots[sum_place(t, &s->key)];
	if (!at->requests) {
		if (t->max && t->count >= t->max)
			return false;
		assert(t->count < t->cap / 4 * 3);
		*at = *s;
		t->count++;
		return true;
	}
	/* An entry adds less than 2^96 (32 x 64 bits), so 2^31 of the largest
	 * fit; ingest allows far smaller ones. */
	fits = int128_add(&at->billed_ms, at->billed_ms, s->billed_ms) &&
	       int128_add(&at->mb_ms, at->mb_ms, s->mb_ms);
	assert(fits);
	at->requests += s->requests;
	at->errors += s->errors;
	return true;
}

void sum_table_drop_below(struct sum_table *t, int32_t slot)
{
	struct sum_table keep = { .max = t->max };

	if (sum_table_reserve(&keep, t->count))
		return; /* it stays larger than it must be */
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].requests && t->slots[i].key.slot >= slot)
			(void)sum_table_add(&keep, &t->slots[i]);
	free(t->slots);
	*t = keep;
}
