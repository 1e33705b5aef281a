/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/tiers.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

static const struct {
	int32_t step, keep;
	uint8_t level_max;
	const char *name;
} rules[TIERS] = {
	[TIER_60] = { 1, 15 * 1440, 0, "60" },
	[TIER_300] = { 5, 63 * 1440, 1, "300" },
	[TIER_3600] = { 60, 455 * 1440, 2, "3600" },
};

static const int64_t MINUTE_NS = 60 * NS_PER_S;

int32_t tier_step(enum tier tier)
{
	return rules[tier].step;
}

int32_t tier_keep(enum tier tier)
{
	return rules[tier].keep;
}

uint8_t tier_level_max(enum tier tier)
{
	return rules[tier].level_max;
}

enum tier tier_for(uint32_t period_s)
{
	if (period_s % 3600 == 0)
		return TIER_3600;
	return period_s % 300 == 0 ? TIER_300 : TIER_60;
}

bool tier_path(const struct tier_place *p, enum tier tier, uint64_t number,
	       char *out)
{
	int n = snprintf(out, PATH_MAX, "%s/blocks/%s-%012llu.block", p->dir,
			 rules[tier].name, (unsigned long long)number);

	return n > 0 && n < PATH_MAX;
}

static int32_t minute_of(int64_t ns)
{
	return (int32_t)(ns / MINUTE_NS);
}

int tier_open(const struct tier_place *p, enum tier tier, uint64_t number,
	      uint8_t level, struct tier_block **out, struct diag *diag)
{
	struct block_info info;
	struct tier_block *b;
	char path[PATH_MAX];
	int e;

	if (!tier_path(p, tier, number, path))
		return diag_set(diag, ERR_LIMIT, "path of data is too long");
	b = calloc(1, sizeof(*b));
	if (!b)
		return ERR_NOMEM;
	e = block_open(&b->block, p->env, path, TIER_KIND, TIER_FORMAT, diag);
	if (e) {
		free(b);
		return e;
	}
	block_info(b->block, &info);
	b->tier = tier;
	b->level = level;
	b->number = number;
	b->first_minute = minute_of(info.time_min_ns);
	b->last_minute = minute_of(info.time_max_ns);
	b->bytes = info.file_bytes;
	b->refs = 1;
	*out = b;
	return 0;
}

struct tier_block *tier_ref(struct tier_block *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

void tier_unref(struct tier_block *b)
{
	if (b && atomic_fetch_sub(&b->refs, 1) == 1) {
		block_close(b->block);
		free(b);
	}
}

int entry_order(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;
	struct hash128 p = (*x)->hash, q = (*y)->hash;

	if (p.high != q.high)
		return p.high < q.high ? -1 : 1;
	return (p.low > q.low) - (p.low < q.low);
}

/* --- writing ------------------------------------------------------------------ */

struct tier_writer {
	struct block_writer *writer;
	struct buf value;
	int32_t first, last;
	bool any;
};

static void key_make(uint8_t *key, struct hash128 hash, int32_t minute)
{
	put_be64(key, hash.high);
	put_be64(key + 8, hash.low);
	put_be64(key + 16, (uint64_t)minute * (uint64_t)MINUTE_NS);
}

static int writer_open(struct tier_writer *w, const struct tier_place *p,
		       enum tier tier, uint64_t number)
{
	struct block_options options = {
		.kind = TIER_KIND,
		.format = TIER_FORMAT,
		.filter_prefix = TIER_HASH,
	};
	char path[PATH_MAX];

	if (!tier_path(p, tier, number, path))
		return ERR_LIMIT;
	return block_writer_open(&w->writer, p->env, path, &options);
}

static int writer_add_bytes(struct tier_writer *w, struct sv key,
			    int32_t minute, struct sv value)
{
	if (!w->any || minute < w->first)
		w->first = minute;
	if (!w->any || minute > w->last)
		w->last = minute;
	w->any = true;
	return block_writer_add(w->writer, key, value);
}

static int writer_add(struct tier_writer *w, struct hash128 hash,
		      int32_t minute, const struct row *row)
{
	uint8_t key[TIER_KEY];

	key_make(key, hash, minute);
	buf_reset(&w->value);
	row_encode(row, &w->value);
	if (w->value.failed)
		return ERR_NOMEM;
	return writer_add_bytes(w, sv_make((const char *)key, sizeof(key)),
				minute, buf_view(&w->value));
}

static int writer_finish(struct tier_writer *w)
{
	struct block_writer *writer = w->writer;

	buf_fini(&w->value);
	w->writer = NULL;
	block_writer_times(writer, (int64_t)w->first * MINUTE_NS,
			   (int64_t)w->last * MINUTE_NS);
	return block_writer_finish(writer);
}

static void writer_abort(struct tier_writer *w)
{
	buf_fini(&w->value);
	if (w->writer)
		block_writer_abort(w->writer);
	w->writer = NULL;
}

static void remove_file(const struct tier_place *p, enum tier tier,
			uint64_t number)
{
	char path[PATH_MAX];

	if (tier_path(p, tier, number, path))
		(void)p->env->disk->unlink(p->env->disk_self, path);
}

/* Rows of one entry at the tier's step: runs of minutes are added up. */
static int seal_entry(struct tier_writer *w, enum tier tier,
		      const struct entry *entry, uint32_t rows)
{
	int32_t step = tier_step(tier);
	struct row sum = { 0 };
	uint32_t i = 0;
	int e = 0;

	while (i < rows && !e) {
		const struct timed_row *row = &entry->open.rows[i];
		int32_t start = minute_floor(row->minute, step);

		if (step == 1) {
			if (row->row.count > 0)
				e = writer_add(w, entry->hash, start,
					       &row->row);
			i++;
			continue;
		}
		for (; i < rows && entry->open.rows[i].minute < start + step;
		     i++)
			(void)row_merge(&sum, &entry->open.rows[i].row, true);
		if (sum.count > 0)
			e = writer_add(w, entry->hash, start, &sum);
		row_fini(&sum);
	}
	return e;
}

static int seal_tier(const struct tier_place *p, enum tier tier,
		     struct entry *const *entries, const uint32_t *rows,
		     size_t count, uint64_t number, struct tier_block **out)
{
	struct tier_writer w = { 0 };
	int e = writer_open(&w, p, tier, number);

	for (size_t i = 0; i < count && !e; i++)
		e = seal_entry(&w, tier, entries[i], rows[i]);
	if (e) {
		writer_abort(&w);
		return e;
	}
	e = writer_finish(&w);
	if (!e)
		e = tier_open(p, tier, number, 0, out, NULL);
	if (e)
		remove_file(p, tier, number);
	return e;
}

int tier_seal(const struct tier_place *p, struct entry *const *entries,
	      const uint32_t *rows, size_t count, uint64_t number,
	      struct tier_block *out[TIERS], uint64_t *rows_out)
{
	int e = 0;

	for (int t = 0; t < TIERS; t++)
		out[t] = NULL;
	for (int t = 0; t < TIERS && !e; t++)
		e = seal_tier(p, (enum tier)t, entries, rows, count,
			      number + (uint64_t)t, &out[t]);
	*rows_out = 0;
	for (size_t i = 0; i < count; i++)
		*rows_out += rows[i];
	if (!e)
		return 0;
	for (int t = 0; t < TIERS; t++) {
		if (!out[t])
			continue;
		tier_unref(out[t]);
		out[t] = NULL;
		remove_file(p, (enum tier)t, number + (uint64_t)t);
	}
	return e;
}

/* --- merging ------------------------------------------------------------------ */

struct source {
	struct block_scan *scan;
	struct sv key, value;
	bool done;
};

static int source_next(struct source *s)
{
	int e = block_scan_next(s->scan, &s->key, &s->value);

	if (e < 0)
		return e;
	s->done = e == 0;
	if (!s->done && s->key.len != TIER_KEY)
		return ERR_CORRUPT;
	if (block_scan_damaged(s->scan))
		return ERR_CORRUPT;
	return 0;
}

static struct source *source_least(struct source *sources, size_t count)
{
	struct source *least = NULL;

	for (size_t i = 0; i < count; i++)
		if (!sources[i].done &&
		    (!least || sv_cmp(sources[i].key, least->key) < 0))
			least = &sources[i];
	return least;
}

/* The least key's rows of all sources, as one row. */
static int merge_step(struct tier_writer *w, struct source *sources,
		      size_t count, struct source *least)
{
	uint8_t key[TIER_KEY];
	struct row sum = { 0 };
	int32_t minute;
	int e = 0;

	memcpy(key, least->key.ptr, sizeof(key));
	minute = minute_of((int64_t)get_be64(key + 16));
	for (size_t i = 0; i < count && !e; i++) {
		struct source *s = &sources[i];

		while (!s->done && !e && !memcmp(s->key.ptr, key, TIER_KEY)) {
			struct row row = { 0 };

			e = row_decode(&row, s->value, true);
			if (!e && !row_merge(&sum, &row, true))
				e = ERR_NOMEM;
			row_fini(&row);
			if (!e)
				e = source_next(s);
		}
	}
	buf_reset(&w->value);
	if (!e)
		row_encode(&sum, &w->value);
	row_fini(&sum);
	if (e || w->value.failed)
		return e ? e : ERR_NOMEM;
	return writer_add_bytes(w, sv_make((const char *)key, sizeof(key)),
				minute, buf_view(&w->value));
}

static int merge_all(struct tier_writer *w, struct tier_block *const *blocks,
		     struct source *sources, size_t count)
{
	struct source *least;
	int e = 0;

	for (size_t i = 0; i < count && !e; i++) {
		e = block_scan_open(&sources[i].scan, blocks[i]->block,
				    sv_make("", 0));
		if (!e)
			e = source_next(&sources[i]);
	}
	while (!e && (least = source_least(sources, count)))
		e = merge_step(w, sources, count, least);
	return e;
}

int tier_merge(const struct tier_place *p, struct tier_block *const *blocks,
	       size_t count, uint64_t number, struct tier_block **out)
{
	struct source sources[TIER_MERGE] = { 0 };
	enum tier tier = blocks[0]->tier;
	struct tier_writer w = { 0 };
	int e;

	assert(count >= 1 && count <= TIER_MERGE);
	e = writer_open(&w, p, tier, number);
	if (!e)
		e = merge_all(&w, blocks, sources, count);
	for (size_t i = 0; i < count; i++)
		if (sources[i].scan)
			block_scan_close(sources[i].scan);
	if (e) {
		writer_abort(&w);
		return e;
	}
	e = writer_finish(&w);
	if (!e)
		e = tier_open(p, tier, number, (uint8_t)(blocks[0]->level + 1),
			      out, NULL);
	if (e)
		remove_file(p, tier, number);
	return e;
}

/* --- reading ------------------------------------------------------------------ */

static int read_rows(struct block_scan *scan, const uint8_t *hash, int32_t end,
		     bool dist, struct row_list *out, uint64_t *damaged)
{
	struct sv key, value;
	int e;

	while ((e = block_scan_next(scan, &key, &value)) == 1) {
		struct row *row;
		int32_t minute;

		if (key.len != TIER_KEY || memcmp(key.ptr, hash, TIER_HASH))
			return 0;
		minute = minute_of(
			(int64_t)get_be64((const uint8_t *)key.ptr + 16));
		if (minute >= end)
			return 0;
		row = row_list_add(out, minute);
		if (!row)
			return ERR_NOMEM;
		e = row_decode(row, value, dist);
		if (e == ERR_NOMEM)
			return e;
		*damaged += e != 0;
	}
	return e;
}

int tier_read(const struct tier_block *b, struct hash128 hash, int32_t first,
	      int32_t end, bool dist, struct row_list *out, uint64_t *damaged)
{
	struct block_scan *scan;
	uint8_t key[TIER_KEY];
	int e;

	if (b->last_minute < first || b->first_minute >= end)
		return 0;
	key_make(key, hash, first > 0 ? first : 0);
	if (!block_may_have(b->block, sv_make((const char *)key, TIER_HASH)))
		return 0;
	e = block_scan_open(&scan, b->block,
			    sv_make((const char *)key, sizeof(key)));
	if (e)
		return e;
	e = read_rows(scan, key, end, dist, out, damaged);
	*damaged += block_scan_damaged(scan);
	block_scan_close(scan);
	return e;
}
