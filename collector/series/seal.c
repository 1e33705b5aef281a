/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From open rows to blocks, and the blocks' later life. All of it in the
 * view's thread: it writes files without the lock (it alone changes open
 * rows), then takes it to swap rows for blocks in one step, so that a reader
 * sees each row exactly once. A crash before the next checkpoint leaves files
 * that no checkpoint names: they are removed at start and made again.
 */
#include "collector/series/state.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "core/base/log.h"

int series_blocks_add(struct series *s, struct tier_block *b)
{
	if (s->block_count == s->block_cap) {
		size_t cap = s->block_cap ? 2 * s->block_cap : 64;
		struct tier_block **blocks =
			realloc(s->blocks, cap * sizeof(struct tier_block *));

		if (!blocks)
			return ERR_NOMEM;
		s->blocks = blocks;
		s->block_cap = cap;
	}
	s->blocks[s->block_count++] = b;
	s->stats.block_bytes += b->bytes;
	return 0;
}

/* Room for n more blocks and files that go, so that a swap cannot fail. */
static int reserve(struct series *s, size_t n)
{
	if (s->block_count + n > s->block_cap) {
		size_t cap = 2 * (s->block_count + n);
		struct tier_block **blocks =
			realloc(s->blocks, cap * sizeof(struct tier_block *));

		if (!blocks)
			return ERR_NOMEM;
		s->blocks = blocks;
		s->block_cap = cap;
	}
	if (s->gone_count + TIER_MERGE > s->gone_cap) {
		size_t cap = 2 * (s->gone_count + TIER_MERGE);
		struct gone_file *gone = realloc(s->gone, cap * sizeof(*gone));

		if (!gone)
			return ERR_NOMEM;
		s->gone = gone;
		s->gone_cap = cap;
	}
	return 0;
}

static int locked_reserve(struct series *s, size_t n)
{
	int e;

	pthread_mutex_lock(&s->lock);
	e = reserve(s, n);
	pthread_mutex_unlock(&s->lock);
	return e;
}

/* --- sealing ------------------------------------------------------------------ */

struct sealing {
	struct entry **entries;
	uint32_t *rows;
	size_t count;
};

static int choose(const struct series *s, int32_t cut, struct sealing *out)
{
	out->entries = calloc(s->index.count + 1, sizeof(struct entry *));
	out->rows = calloc(s->index.count + 1, sizeof(*out->rows));
	if (!out->entries || !out->rows)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < s->index.count; i++) {
		struct entry *e = s->index.entries[i];

		if (window_before(&e->open, cut))
			out->entries[out->count++] = e;
	}
	qsort(out->entries, out->count, sizeof(struct entry *), entry_order);
	for (size_t i = 0; i < out->count; i++)
		out->rows[i] = window_before(&out->entries[i]->open, cut);
	return 0;
}

static void swap(struct series *s, const struct sealing *what,
		 struct tier_block *const blocks[TIERS], uint64_t rows)
{
	pthread_mutex_lock(&s->lock);
	for (int t = 0; t < TIERS; t++) {
		int e = series_blocks_add(s, blocks[t]);

		assert(e == 0); /* reserved */
	}
	for (size_t i = 0; i < what->count; i++)
		window_drop(&what->entries[i]->open, what->rows[i]);
	s->open_rows -= rows;
	s->stats.sealed_rows += rows;
	pthread_mutex_unlock(&s->lock);
	s->next_number += TIERS;
	s->dirty = s->urgent = true;
}

int series_seal(struct series *s, int32_t cut)
{
	struct tier_block *blocks[TIERS];
	struct sealing what = { 0 };
	uint64_t rows;
	int e = choose(s, cut, &what);

	if (!e)
		e = locked_reserve(s, TIERS);
	if (!e && what.count) {
		e = tier_seal(&s->place, what.entries, what.rows, what.count,
			      s->next_number, blocks, &rows);
		if (!e)
			swap(s, &what, blocks, rows);
	}
	free(what.entries);
	free(what.rows);
	if (e) {
		pthread_mutex_lock(&s->lock);
		s->stats.seal_errors++;
		pthread_mutex_unlock(&s->lock);
		log_error("series", "sealing failed, tried again later: %s",
			  err_text(e));
	}
	return e;
}

/* --- later life --------------------------------------------------------------- */

/* With the lock held: takes block i off the list; its file goes after the
 * next checkpoint. */
static struct tier_block *take_off(struct series *s, size_t i)
{
	struct tier_block *b = s->blocks[i];

	assert(s->gone_count < s->gone_cap);
	s->gone[s->gone_count++] = (struct gone_file){ b->tier, b->number };
	s->stats.block_bytes -= b->bytes;
	s->block_count--;
	memmove(&s->blocks[i], &s->blocks[i + 1],
		(s->block_count - i) * sizeof(struct tier_block *));
	s->dirty = s->urgent = true;
	return b;
}

void series_blocks_expire(struct series *s)
{
	for (size_t i = 0; i < s->block_count;) {
		struct tier_block *b = s->blocks[i];
		int32_t end = b->last_minute + tier_step(b->tier);

		if (end >= series_expired_minute(s, tier_keep(b->tier))) {
			i++;
			continue;
		}
		if (locked_reserve(s, 0))
			return;
		pthread_mutex_lock(&s->lock);
		b = take_off(s, i);
		pthread_mutex_unlock(&s->lock);
		tier_unref(b);
	}
}

/* The oldest TIER_MERGE blocks of a level, or fewer. */
static size_t mergeable(const struct series *s, enum tier tier, uint8_t level,
			struct tier_block **out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->block_count && n < TIER_MERGE; i++)
		if (s->blocks[i]->tier == tier && s->blocks[i]->level == level)
			out[n++] = s->blocks[i];
	return n;
}

static void merge_swap(struct series *s, struct tier_block *const *old,
		       size_t count, struct tier_block *merged)
{
	int e;

	pthread_mutex_lock(&s->lock);
	for (size_t n = 0; n < count; n++)
		for (size_t i = 0; i < s->block_count; i++)
			if (s->blocks[i] == old[n]) {
				(void)take_off(s, i);
				break;
			}
	e = series_blocks_add(s, merged);
	assert(e == 0); /* reserved */
	pthread_mutex_unlock(&s->lock);
	for (size_t n = 0; n < count; n++)
		tier_unref(old[n]);
	s->next_number++;
}

static void merge(struct series *s, enum tier tier, uint8_t level)
{
	struct tier_block *old[TIER_MERGE], *merged;
	size_t n = mergeable(s, tier, level, old);
	int e;

	if (n < TIER_MERGE)
		return;
	e = locked_reserve(s, 1);
	if (!e)
		e = tier_merge(&s->place, old, n, s->next_number, &merged);
	if (!e) {
		merge_swap(s, old, n, merged);
		return;
	}
	log_warn("series", "blocks stay unmerged: %s", err_text(e));
	/* A damaged one is kept as it is: what is left of it is readable. */
	if (e == ERR_CORRUPT)
		for (size_t i = 0; i < n; i++)
			old[i]->level = UINT8_MAX;
}

void series_blocks_merge(struct series *s)
{
	for (int t = 0; t < TIERS; t++)
		for (uint8_t level = 0; level < tier_level_max((enum tier)t);
		     level++)
			merge(s, (enum tier)t, level);
}

void series_gone_unlink(struct series *s)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < s->gone_count; i++) {
		if (!tier_path(&s->place, s->gone[i].tier, s->gone[i].number,
			       path))
			continue;
		(void)s->env->disk->unlink(s->env->disk_self, path);
	}
	s->gone_count = 0;
}
