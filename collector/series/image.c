/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checkpoint's image: which blocks count, the index, all open rows. All
 * numbers are varints but the one that may be negative.
 *
 *   newest_ns:8 | next block | sealed_to |
 *   blocks: n { tier | level | number } |
 *   series: n { bytes identity | first | last | active | inexact |
 *               rows: n { minute | bytes row } }
 */
#include "collector/series/state.h"

#include <limits.h>

#include "core/base/log.h"

static void put_bytes(struct buf *out, struct sv s)
{
	put_varint(out, s.len);
	buf_sv(out, s);
}

static void put_entry(const struct entry *e, struct buf *out, struct buf *row)
{
	put_bytes(out, e->identity);
	put_varint(out, (uint64_t)e->first_minute);
	put_varint(out, (uint64_t)e->last_minute);
	put_varint(out, e->active_minutes);
	put_varint(out, atomic_load(&e->inexact));
	put_varint(out, e->open.count);
	for (uint32_t i = 0; i < e->open.count; i++) {
		const struct timed_row *r = &e->open.rows[i];

		put_varint(out, (uint64_t)r->minute);
		buf_reset(row);
		if (r->row.count > 0)
			row_encode(&r->row, row);
		out->failed |= row->failed;
		put_bytes(out, buf_view(row));
	}
}

/* A series past every retention is left out, and so forgotten by the next
 * start: not there, where nothing is known yet but what the clock says. */
static bool is_forgotten(const struct series *s, const struct entry *e)
{
	return e->open.count == 0 &&
	       e->last_minute + 60 <
		       series_expired_minute(s, tier_keep(TIER_3600));
}

void series_image_write(const struct series *s, struct buf *out)
{
	struct buf row = BUF_INIT;
	uint8_t newest[8];
	uint32_t count = 0;

	put_le64(newest, (uint64_t)s->newest_ns);
	buf_add(out, newest, sizeof(newest));
	put_varint(out, s->next_number);
	put_varint(out, (uint64_t)s->sealed_to);
	put_varint(out, s->block_count);
	for (size_t i = 0; i < s->block_count; i++) {
		put_varint(out, s->blocks[i]->tier);
		put_varint(out, s->blocks[i]->level);
		put_varint(out, s->blocks[i]->number);
	}
	for (uint32_t i = 0; i < s->index.count; i++)
		count += !is_forgotten(s, s->index.entries[i]);
	put_varint(out, count);
	for (uint32_t i = 0; i < s->index.count; i++)
		if (!is_forgotten(s, s->index.entries[i]))
			put_entry(s->index.entries[i], out, &row);
	buf_fini(&row);
}

/* --- reading ------------------------------------------------------------------ */

static bool get_bytes(struct sv *s, struct sv *out)
{
	uint64_t n;

	if (!get_varint(s, &n) || n > s->len)
		return false;
	*out = sv_make(s->ptr, (size_t)n);
	s->ptr += n;
	s->len -= (size_t)n;
	return true;
}

static bool get_minute(struct sv *s, int32_t *out)
{
	uint64_t v;

	if (!get_varint(s, &v) || v > INT32_MAX)
		return false;
	*out = (int32_t)v;
	return true;
}

/* A block that cannot be opened costs its rows, never the start. */
static int read_block(struct series *s, struct sv *image, struct diag *diag)
{
	uint64_t tier, level, number;
	struct tier_block *b;
	int e;

	if (!get_varint(image, &tier) || !get_varint(image, &level) ||
	    !get_varint(image, &number) || tier >= TIERS || level > UINT8_MAX)
		return ERR_CORRUPT;
	e = tier_open(&s->place, (enum tier)tier, number, (uint8_t)level, &b,
		      diag);
	if (e == ERR_CORRUPT || e == ERR_NOT_FOUND || e == ERR_IO) {
		log_error("series", "block %llu of tier %d is lost: %s",
			  (unsigned long long)number, (int)tier, err_text(e));
		s->stats.blocks_lost++;
		return 0;
	}
	if (e)
		return e;
	e = series_blocks_add(s, b);
	if (e)
		tier_unref(b);
	return e;
}

static int read_row(struct series *s, struct entry *entry, struct sv *image)
{
	struct row *row;
	struct sv bytes;
	int32_t minute;
	bool fresh;

	if (!get_minute(image, &minute) || !get_bytes(image, &bytes))
		return ERR_CORRUPT;
	if (bytes.len == 0)
		return 0;
	row = window_row(&entry->open, minute, &fresh);
	if (!row)
		return ERR_NOMEM;
	if (!fresh)
		return ERR_CORRUPT;
	s->open_rows++;
	return row_decode(row, bytes, true);
}

static int read_entry(struct series *s, struct sv *image)
{
	uint64_t active, inexact, rows;
	int32_t first, last;
	struct sv identity;
	struct entry *entry;
	int e;

	if (!get_bytes(image, &identity) || !get_minute(image, &first) ||
	    !get_minute(image, &last) || !get_varint(image, &active) ||
	    active > UINT32_MAX || !get_varint(image, &inexact) ||
	    !get_varint(image, &rows))
		return ERR_CORRUPT;
	/* The limit may have been lowered since: what is known stays. */
	if (s->index.count == s->index.limit)
		s->index.limit++;
	e = index_restore(&s->index, identity, &entry);
	if (e)
		return e;
	entry->first_minute = first;
	entry->last_minute = last;
	entry->active_minutes = (uint32_t)active;
	atomic_store(&entry->inexact, inexact != 0);
	for (uint64_t i = 0; i < rows && !e; i++)
		e = read_row(s, entry, image);
	return e;
}

int series_image_read(struct series *s, struct sv image, struct diag *diag)
{
	size_t limit = s->index.limit;
	uint64_t n;
	int e = 0;

	if (image.len < 8)
		return ERR_CORRUPT;
	s->newest_ns = (int64_t)get_le64((const uint8_t *)image.ptr);
	image.ptr += 8;
	image.len -= 8;
	if (!get_varint(&image, &s->next_number) ||
	    !get_minute(&image, &s->sealed_to) || !get_varint(&image, &n))
		return ERR_CORRUPT;
	for (uint64_t i = 0; i < n && !e; i++)
		e = read_block(s, &image, diag);
	if (!e && !get_varint(&image, &n))
		e = ERR_CORRUPT;
	for (uint64_t i = 0; i < n && !e; i++)
		e = read_entry(s, &image);
	s->index.limit = limit;
	if (!e && image.len != 0)
		e = ERR_CORRUPT;
	return e;
}
