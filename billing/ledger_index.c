/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/ledger_index.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "billing/calendar.h"
#include "billing/ledger_file.h"
#include "core/codec/deflate.h"

enum {
	ID_BYTES = 28,
	SUM_BYTES = 64,
	FILTER_HASHES = 7,
	SPAN_ENTRIES = LEDGER_READ_ENTRIES,
	INFO_AT = LEDGER_HEADER_BYTES, /* in the first page */
	INFO_BYTES = 64,
	TAIL_MAX = 1 << 30,
};
_Static_assert(INDEX_PAGE_IDS *ID_BYTES + 8 == INDEX_PAGE_BYTES, "a page");

/* --- building ------------------------------------------------------------ */

struct build {
	struct id_slot *ids;
	uint64_t count, damaged;
	struct span time, *spans;
	struct sum_table sums;
	uint64_t last_frame;
	int err;
};

static void build_entry(void *arg, uint32_t number, const struct entry *e)
{
	struct build *b = arg;
	struct sum s;

	if (!e) {
		b->damaged++;
		return;
	}
	b->ids[b->count++] =
		(struct id_slot){ e->id, e->payload, e->number, 1 };
	span_add(&b->time, e->time_ns);
	span_add(&b->spans[number / SPAN_ENTRIES], e->time_ns);
	b->last_frame = e->frame;
	s = sum_of_entry(e, NS_PER_DAY);
	if (!b->err)
		b->err = sum_table_reserve(&b->sums, 1);
	if (!b->err)
		(void)sum_table_add(&b->sums, &s);
}

static int by_id(const void *a, const void *b)
{
	const struct id_slot *x = a;
	const struct id_slot *y = b;

	if (x->id.high != y->id.high)
		return x->id.high < y->id.high ? -1 : 1;
	if (x->id.low != y->id.low)
		return x->id.low < y->id.low ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static void filter_add(uint8_t *filter, uint64_t bits, struct hash128 id)
{
	for (uint64_t i = 0; i < FILTER_HASHES; i++) {
		uint64_t bit = (id.low + i * (id.high | 1)) % bits;

		filter[bit / 8] |= (uint8_t)(1U << bit % 8);
	}
}

static void put_page(uint8_t *p, const struct id_slot *ids, uint64_t count)
{
	memset(p, 0, INDEX_PAGE_BYTES);
	for (uint64_t i = 0; i < count; i++) {
		put_le64(p + i * ID_BYTES, ids[i].id.high);
		put_le64(p + i * ID_BYTES + 8, ids[i].id.low);
		put_le64(p + i * ID_BYTES + 16, ids[i].payload);
		put_le32(p + i * ID_BYTES + 24, ids[i].number);
	}
	put_le32(p + INDEX_PAGE_BYTES - 8, (uint32_t)count);
	put_le32(p + INDEX_PAGE_BYTES - 4,
		 crc32_add(0, p, INDEX_PAGE_BYTES - 4));
}

static void put_int128(uint8_t *p, int128 v)
{
	put_le64(p, (uint64_t)v);
	put_le64(p + 8, (uint64_t)(v >> 64));
}

static int128 get_int128(const uint8_t *p)
{
	return (int128)(int64_t)get_le64(p + 8) * ((int128)1 << 64) +
	       get_le64(p);
}

static void put_sum(uint8_t *p, const struct sum *s)
{
	put_le32(p, s->key.scope);
	put_le32(p + 4, s->key.resource);
	put_le32(p + 8, s->key.architecture);
	put_le32(p + 12, (uint32_t)s->key.slot);
	put_le64(p + 16, s->requests);
	put_le64(p + 24, s->errors);
	put_int128(p + 32, s->billed_ms);
	put_int128(p + 48, s->mb_ms);
}

static void get_sum(struct sum *s, const uint8_t *p)
{
	s->key = (struct sum_key){ get_le32(p), get_le32(p + 4),
				   get_le32(p + 8), (int32_t)get_le32(p + 12) };
	s->requests = get_le64(p + 16);
	s->errors = get_le64(p + 24);
	s->billed_ms = get_int128(p + 32);
	s->mb_ms = get_int128(p + 48);
}

/* The whole file in memory: 9.5 MB for a full segment. */
static int render(struct buf *out, const struct build *b, uint32_t number,
		  uint64_t entries)
{
	uint64_t pages = (b->count + INDEX_PAGE_IDS - 1) / INDEX_PAGE_IDS;
	uint64_t spans = (entries + SPAN_ENTRIES - 1) / SPAN_ENTRIES;
	uint64_t filter = (b->count * INDEX_FILTER_BITS + 63) / 64 * 8 + 8;
	size_t tail_at = (size_t)(pages + 1) * INDEX_PAGE_BYTES;
	size_t tail = (size_t)(pages * 8 + spans * 16 +
			       b->sums.count * SUM_BYTES + filter);
	uint8_t *file;
	uint8_t *p;

	out->limit = TAIL_MAX;
	file = (uint8_t *)buf_grow(out, tail_at + tail);
	if (!file)
		return ERR_NOMEM;
	memset(file, 0, tail_at + tail);
	out->len = tail_at + tail;
	p = file + tail_at;
	for (uint64_t i = 0; i < pages; i++, p += 8) {
		const struct id_slot *ids = b->ids + i * INDEX_PAGE_IDS;
		uint64_t n = b->count - i * INDEX_PAGE_IDS;

		put_page(file + (i + 1) * INDEX_PAGE_BYTES, ids,
			 n < INDEX_PAGE_IDS ? n : INDEX_PAGE_IDS);
		put_le64(p, ids[0].id.high);
	}
	for (uint64_t i = 0; i < spans; i++, p += 16) {
		put_le64(p, (uint64_t)b->spans[i].min_ns);
		put_le64(p + 8, (uint64_t)b->spans[i].max_ns);
	}
	for (size_t i = 0; i < b->sums.cap; i++) {
		if (!b->sums.slots[i].requests)
			continue;
		put_sum(p, &b->sums.slots[i]);
		p += SUM_BYTES;
	}
	for (uint64_t i = 0; i < b->count; i++)
		filter_add(p, filter * 8, b->ids[i].id);
	assert(p + filter == file + tail_at + tail);

	ledger_header(file, FILE_INDEX, number);
	p = file + INFO_AT;
	put_le64(p, entries);
	put_le64(p + 8, b->last_frame);
	put_le64(p + 16, (uint64_t)b->time.min_ns);
	put_le64(p + 24, (uint64_t)b->time.max_ns);
	put_le32(p + 32, (uint32_t)pages);
	put_le32(p + 36, (uint32_t)spans);
	put_le32(p + 40, (uint32_t)b->sums.count);
	put_le32(p + 44, (uint32_t)filter);
	put_le32(p + 48, crc32_add(0, file + tail_at, tail));
	put_le32(p + INFO_BYTES - 4, crc32_add(0, p, INFO_BYTES - 4));
	return 0;
}

static int write_whole(const struct env *env, const char *dir, uint32_t number,
		       struct sv bytes)
{
	const struct disk_ops *disk = env->disk;
	struct buf temp = BUF_INIT;
	struct buf path = BUF_INIT;
	int fd = -1;
	int e = ledger_path(&temp, dir, FILE_INDEX, number, ".tmp");

	if (!e)
		e = ledger_path(&path, dir, FILE_INDEX, number, "");
	if (!e) {
		fd = disk->open(env->disk_self, temp.ptr,
				O_RDWR | O_CREAT | O_TRUNC);
		e = fd < 0 ? env_err(fd) : 0;
	}
	if (!e)
		e = env_err(disk->pwrite(env->disk_self, fd, bytes.ptr,
					 bytes.len, 0));
	if (!e)
		e = env_err(disk->datasync(env->disk_self, fd));
	if (fd >= 0)
		disk->close(env->disk_self, fd);
	if (!e)
		e = env_err(disk->rename(env->disk_self, temp.ptr, path.ptr));
	if (!e)
		e = env_err(disk->sync_dir(env->disk_self, dir));
	if (e && fd >= 0)
		disk->unlink(env->disk_self, temp.ptr);
	buf_fini(&temp);
	buf_fini(&path);
	return e;
}

int ledger_index_build(const struct env *env, const char *dir, uint32_t number,
		       uint64_t entries, uint64_t *damaged)
{
	uint64_t spans = (entries + SPAN_ENTRIES - 1) / SPAN_ENTRIES;
	struct build b = { .time = span_empty() };
	uint8_t *chunk = malloc((size_t)LEDGER_READ_ENTRIES * ENTRY_BYTES);
	struct buf file = BUF_INIT;
	int fd = ledger_file_open(env, dir, FILE_ENTRIES, number, O_RDONLY);
	int e = fd < 0 ? fd : 0;

	b.ids = calloc((size_t)entries + 1, sizeof(*b.ids));
	b.spans = calloc((size_t)spans + 1, sizeof(*b.spans));
	if (!e && (!b.ids || !b.spans || !chunk))
		e = ERR_NOMEM;
	for (uint64_t i = 0; !e && i < spans; i++)
		b.spans[i] = span_empty();
	if (!e)
		e = ledger_entries(env, fd, 0, entries, chunk, build_entry, &b);
	if (!e)
		e = b.err;
	if (!e) {
		qsort(b.ids, (size_t)b.count, sizeof(*b.ids), by_id);
		e = render(&file, &b, number, entries);
	}
	if (!e)
		e = write_whole(env, dir, number, buf_view(&file));
	*damaged = b.damaged;
	if (fd >= 0)
		env->disk->close(env->disk_self, fd);
	buf_fini(&file);
	sum_table_fini(&b.sums);
	free(b.ids);
	free(b.spans);
	free(chunk);
	return e;
}

/* --- reading ------------------------------------------------------------- */

static int load_tail(struct ledger_index *x, const uint8_t *p)
{
	x->fences = calloc((size_t)x->page_count + 1, sizeof(*x->fences));
	x->spans = calloc((size_t)x->span_count + 1, sizeof(*x->spans));
	x->sums = calloc((size_t)x->sum_count + 1, sizeof(*x->sums));
	x->filter = malloc(x->filter_bytes);
	if (!x->fences || !x->spans || !x->sums || !x->filter)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < x->page_count; i++, p += 8)
		x->fences[i] = get_le64(p);
	for (uint32_t i = 0; i < x->span_count; i++, p += 16)
		x->spans[i] = (struct span){ (int64_t)get_le64(p),
					     (int64_t)get_le64(p + 8) };
	for (uint32_t i = 0; i < x->sum_count; i++, p += SUM_BYTES)
		get_sum(&x->sums[i], p);
	memcpy(x->filter, p, x->filter_bytes);
	return 0;
}

static int load(struct ledger_index *x, const struct env *env, int fd)
{
	uint8_t info[INFO_BYTES];
	uint64_t tail;
	uint8_t *bytes;
	int64_t got =
		env->disk->pread(env->disk_self, fd, info, INFO_BYTES, INFO_AT);
	int e;

	if (got < 0)
		return env_err(got);
	if (got < INFO_BYTES || get_le32(info + INFO_BYTES - 4) !=
					crc32_add(0, info, INFO_BYTES - 4))
		return ERR_CORRUPT;
	x->entries = get_le64(info);
	x->last_frame = get_le64(info + 8);
	x->time = (struct span){ (int64_t)get_le64(info + 16),
				 (int64_t)get_le64(info + 24) };
	x->page_count = get_le32(info + 32);
	x->span_count = get_le32(info + 36);
	x->sum_count = get_le32(info + 40);
	x->filter_bytes = get_le32(info + 44);
	tail = (uint64_t)x->page_count * 8 + (uint64_t)x->span_count * 16 +
	       (uint64_t)x->sum_count * SUM_BYTES + x->filter_bytes;
	if (tail > TAIL_MAX || x->filter_bytes == 0)
		return ERR_CORRUPT;
	bytes = malloc((size_t)tail);
	if (!bytes)
		return ERR_NOMEM;
	got = env->disk->pread(env->disk_self, fd, bytes, (size_t)tail,
			       ((uint64_t)x->page_count + 1) *
				       INDEX_PAGE_BYTES);
	if (got < 0)
		e = env_err(got);
	else if ((uint64_t)got < tail ||
		 get_le32(info + 48) != crc32_add(0, bytes, (size_t)tail))
		e = ERR_CORRUPT;
	else
		e = load_tail(x, bytes);
	free(bytes);
	return e;
}

int ledger_index_open(struct ledger_index **out, const struct env *env,
		      const char *dir, uint32_t number)
{
	int fd = ledger_file_open(env, dir, FILE_INDEX, number, O_RDONLY);
	struct ledger_index *x;
	int e;

	if (fd < 0)
		return fd;
	x = calloc(1, sizeof(*x));
	e = x ? load(x, env, fd) : ERR_NOMEM;
	env->disk->close(env->disk_self, fd);
	if (e)
		ledger_index_free(x);
	else
		*out = x;
	return e;
}

void ledger_index_free(struct ledger_index *x)
{
	if (!x)
		return;
	free(x->fences);
	free(x->spans);
	free(x->sums);
	free(x->filter);
	free(x);
}

bool ledger_index_may_have(const struct ledger_index *x, struct hash128 id)
{
	uint64_t bits = (uint64_t)x->filter_bytes * 8;

	if (!x->filter)
		return true;
	for (uint64_t i = 0; i < FILTER_HASHES; i++) {
		uint64_t bit = (id.low + i * (id.high | 1)) % bits;

		if (!(x->filter[bit / 8] & 1U << bit % 8))
			return false;
	}
	return true;
}

/* The first page that can hold id: the last one whose fence is below it. */
static uint32_t first_page(const struct ledger_index *x, uint64_t high)
{
	uint32_t lo = 0;
	uint32_t hi = x->page_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->fences[mid] < high)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : 0;
}

static bool page_find(const uint8_t *p, uint32_t count, struct hash128 id,
		      struct id_slot *out)
{
	for (uint32_t i = 0; i < count; i++, p += ID_BYTES) {
		if (get_le64(p) != id.high || get_le64(p + 8) != id.low)
			continue;
		*out = (struct id_slot){ id, get_le64(p + 16), get_le32(p + 24),
					 1 };
		return true;
	}
	return false;
}

int ledger_index_find(const struct ledger_index *x, const struct env *env,
		      const char *dir, uint32_t number, struct hash128 id,
		      struct id_slot *out)
{
	uint8_t page[INDEX_PAGE_BYTES];
	int fd = -1;
	int found = 0;

	for (uint32_t i = first_page(x, id.high);
	     !found && i < x->page_count && x->fences[i] <= id.high; i++) {
		int64_t got;
		uint32_t count;

		if (fd < 0)
			fd = ledger_file_open(env, dir, FILE_INDEX, number,
					      O_RDONLY);
		if (fd < 0)
			return fd == ERR_NOT_FOUND ? ERR_CORRUPT : fd;
		got = env->disk->pread(env->disk_self, fd, page, sizeof(page),
				       ((uint64_t)i + 1) * INDEX_PAGE_BYTES);
		count = get_le32(page + INDEX_PAGE_BYTES - 8);
		if (got < 0)
			found = env_err(got);
		else if (got < INDEX_PAGE_BYTES || count > INDEX_PAGE_IDS ||
			 get_le32(page + INDEX_PAGE_BYTES - 4) !=
				 crc32_add(0, page, INDEX_PAGE_BYTES - 4))
			found = ERR_CORRUPT;
		else
			found = page_find(page, count, id, out);
	}
	if (fd >= 0)
		env->disk->close(env->disk_self, fd);
	return found;
}
