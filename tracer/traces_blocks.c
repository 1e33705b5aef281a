/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "tracer/traces_inner.h"

void block_path(const struct traces *t, uint64_t number,
		char path[TRACES_PATH_MAX])
{
	snprintf(path, TRACES_PATH_MAX, "%s/%016" PRIx64 ".traces", t->dir,
		 number);
}

void checkpoint_path(const struct traces *t, char path[TRACES_PATH_MAX])
{
	snprintf(path, TRACES_PATH_MAX, "%s/checkpoint", t->dir);
}

int block_ref_open(struct traces *t, uint64_t number, struct block_ref **out,
		   struct diag *diag)
{
	struct block_ref *b = calloc(1, sizeof(*b));
	char path[TRACES_PATH_MAX];
	int e;

	if (!b)
		return ERR_NOMEM;
	block_path(t, number, path);
	e = block_open(&b->block, t->env, path, BLOCK_KIND_TRACES, ROWS_FORMAT,
		       diag);
	if (e) {
		free(b);
		return e;
	}
	b->number = number;
	b->owner = t;
	b->start_ns_min = INT64_MIN; /* until its checkpoint says better */
	b->start_ns_max = b->end_ns_max = INT64_MAX;
	b->refs = 1;
	*out = b;
	return 0;
}

void block_unref(struct block_ref *b)
{
	assert(!b || b->refs > 0);
	if (!b || --b->refs > 0)
		return;
	dictionary_drop(b->owner, b);
	block_close(b->block);
	free(b);
}

struct block_set *block_set_make(const struct block_set *now,
				 bool (*keep)(const struct block_ref *, void *),
				 void *arg, struct block_ref *more)
{
	size_t count = now ? now->count : 0;
	struct block_set *s =
		malloc(sizeof(*s) + (count + 1) * sizeof(s->items[0]));

	if (!s)
		return NULL;
	s->refs = 1;
	s->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (keep && !keep(now->items[i], arg))
			continue;
		now->items[i]->refs++;
		s->items[s->count++] = now->items[i];
	}
	if (more)
		s->items[s->count++] = more;
	return s;
}

void block_set_unref(struct block_set *s)
{
	assert(!s || s->refs > 0);
	if (!s || --s->refs > 0)
		return;
	for (size_t i = 0; i < s->count; i++)
		block_unref(s->items[i]);
	free(s);
}

void traces_publish(struct traces *t, struct block_set *set)
{
	block_set_unref(t->set);
	t->set = set;
	t->stats.blocks = set->count;
	t->stats.block_bytes = t->stats.block_rows = 0;
	for (size_t i = 0; i < set->count; i++) {
		struct block_info info;

		block_info(set->items[i]->block, &info);
		t->stats.block_bytes += info.file_bytes;
		t->stats.block_rows += info.rows;
	}
}

struct block_set *traces_hold(struct traces *t)
{
	assert(t->set->refs > 0);
	t->set->refs++;
	return t->set;
}

void traces_release(struct traces *t, struct block_set *set)
{
	traces_lock(t);
	block_set_unref(set);
	traces_unlock(t);
}

/* --- what is in the folder --------------------------------------------------- */

struct listing {
	struct traces *t;
	uint64_t *numbers;
	size_t count, cap;
	bool failed;
};

static bool file_number(struct sv name, uint64_t *number)
{
	uint8_t bytes[8];

	if (name.len < 16 || !sv_to_hex(sv_make(name.ptr, 16), bytes, 8))
		return false;
	*number = get_be64(bytes);
	name = sv_make(name.ptr + 16, name.len - 16);
	return sv_eq(name, SV(".traces"));
}

static bool is_listed(const struct traces *t, uint64_t number)
{
	for (size_t i = 0; i < t->set->count; i++)
		if (t->set->items[i]->number == number)
			return true;
	return false;
}

static void list_file(void *arg, const char *name)
{
	struct listing *l = arg;
	uint64_t number;

	if (!file_number(sv_from(name), &number) || is_listed(l->t, number))
		return;
	if (l->count == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		uint64_t *numbers =
			reallocarray(l->numbers, cap, sizeof(*numbers));

		if (!numbers) {
			l->failed = true;
			return;
		}
		l->numbers = numbers;
		l->cap = cap;
	}
	l->numbers[l->count++] = number;
}

static int by_number(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Where the journal is to be read on from behind block b; it says so itself. */
static int block_position(const struct block_ref *b, uint64_t *oldest)
{
	struct block_scan *scan;
	struct row_key from;
	struct sv key, value;
	uint64_t sealed;
	int e;

	row_key_position(&from);
	e = block_scan_open(&scan, b->block, row_key_view(&from));
	if (e)
		return e;
	e = block_scan_next(scan, &key, &value);
	if (e == 1)
		e = sv_eq(key, row_key_view(&from)) &&
				    row_get_position(value, &sealed, oldest) ?
			    0 :
			    ERR_CORRUPT;
	block_scan_close(scan);
	return e;
}

static int adopt(struct traces *t, uint64_t number, uint64_t *oldest,
		 struct diag *diag)
{
	struct block_ref *b;
	struct block_set *set;
	int e = block_ref_open(t, number, &b, diag);

	if (e == ERR_CORRUPT || e == ERR_IO || e == ERR_NOT_FOUND) {
		log_error("traces", "block %016" PRIx64 " is left out: %s",
			  number, err_text(e));
		return 0;
	}
	if (e)
		return e;
	if (block_position(b, oldest) != 0)
		log_warn("traces",
			 "block %016" PRIx64 " does not say its position",
			 number);
	set = block_set_make(t->set, NULL, NULL, b);
	if (!set) {
		block_unref(b);
		return ERR_NOMEM;
	}
	traces_publish(t, set);
	/* Arrivals after this are newer than all in the block, whose numbers
	 * the lost checkpoint knew: leave more room than it can have used. */
	if (number >= t->next_number) {
		t->next_number = number + 1;
		t->next_sequence = t->next_number << 40;
	}
	return 0;
}

int traces_scan_dir(struct traces *t, bool adopt_files, uint64_t *oldest,
		    struct diag *diag)
{
	struct listing l = { .t = t };
	const struct disk_ops *disk = t->env->disk;
	int e = env_err(disk->list(t->env->disk_self, t->dir, list_file, &l));

	if (!e && l.failed)
		e = ERR_NOMEM;
	if (l.count)
		qsort(l.numbers, l.count, sizeof(*l.numbers), by_number);
	for (size_t i = 0; i < l.count && !e; i++) {
		char path[TRACES_PATH_MAX];

		if (adopt_files) {
			e = adopt(t, l.numbers[i], oldest, diag);
			continue;
		}
		block_path(t, l.numbers[i], path);
		e = env_err(disk->unlink(t->env->disk_self, path));
	}
	free(l.numbers);
	return e;
}

/* --- retention ---------------------------------------------------------------- */

static int64_t newest_ns(const struct block_ref *b)
{
	struct block_info info;

	block_info(b->block, &info);
	return info.time_max_ns;
}

int64_t traces_retention_ns(const struct traces *t, uint64_t account)
{
	for (size_t i = 0; i < t->options.day_count; i++)
		if (t->options.days[i].account == account)
			return t->options.days[i].days * (86400 * NS_PER_S);
	return t->options.retention_ns;
}

/* The longest of any account that has something in the block; a seal puts
 * those together that are kept equally long. Chunks of the map and of lists
 * may begin in one account and go on in another, chunks of traces do not. */
static int64_t retention_of_block(const struct traces *t,
				  const struct block_ref *b)
{
	struct block_info info;
	int64_t longest = 0;

	block_info(b->block, &info);
	for (uint32_t i = 0; i < info.chunks && t->options.day_count; i++) {
		uint64_t account;
		int64_t ns;

		if (!row_chunk_account(block_chunk_key(b->block, i), &account))
			break; /* chunks of traces come first */
		ns = traces_retention_ns(t, account);
		if (ns > longest)
			longest = ns;
	}
	if (longest)
		return longest;
	longest = t->options.retention_ns;
	for (size_t i = 0; i < t->options.day_count; i++)
		if (t->options.days[i].days * (86400 * NS_PER_S) > longest)
			longest = t->options.days[i].days * (86400 * NS_PER_S);
	return longest;
}

static bool is_kept(const struct block_ref *b, void *arg)
{
	const struct traces *t = arg;

	return newest_ns(b) >= t->retention.now_ns - retention_of_block(t, b);
}

int traces_retain(struct traces *t)
{
	struct block_set *set, *old;
	size_t gone = 0;
	int e;

	for (size_t i = 0; i < t->set->count; i++)
		gone += !is_kept(t->set->items[i], t);
	if (!gone)
		return 0;
	traces_lock(t);
	set = block_set_make(t->set, is_kept, t, NULL);
	traces_unlock(t);
	if (!set)
		return ERR_NOMEM;
	/* The list without them is durable before they are gone. */
	e = traces_write_checkpoint(t, set, &t->head, t->view.position);
	traces_lock(t);
	if (e) {
		block_set_unref(set);
		traces_unlock(t);
		return e;
	}
	t->view.durable = t->view.position;
	old = traces_hold(t);
	traces_publish(t, set);
	map_windows_forget(t);
	t->stats.blocks_deleted += gone;
	traces_unlock(t);
	for (size_t i = 0; i < old->count; i++) {
		char path[TRACES_PATH_MAX];

		if (is_kept(old->items[i], t))
			continue;
		block_path(t, old->items[i]->number, path);
		(void)t->env->disk->unlink(t->env->disk_self, path);
	}
	traces_release(t, old);
	return 0;
}
