/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rrd/state: what the files are and how far they go, written at a clean end
 * and taken away at the next start before anything changes. Varints:
 *
 *   n { account:8 | bytes region | number | from:3 | progress |
 *       slots { hash:16 | late hours { minute } } }
 */
#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "collector/series/feeder.h"
#include "core/base/log.h"
#include "core/store/checkpoint.h"

enum { KEEP_FORMAT = 1 };

#define KEEP_NAME SV("rrd")

static bool state_path(const struct feeder *f, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/state", f->dir);

	return n > 0 && n < PATH_MAX;
}

static bool pair_path(const struct feeder *f, const struct rrd_file *file,
		      int which, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s%s", f->dir, file->name,
			 ladder_suffix((enum ladder_file)which));

	return n > 0 && n < PATH_MAX;
}

/* --- saving ------------------------------------------------------------------- */

static bool sync_pair(const struct feeder *f, const struct rrd_file *file)
{
	const struct env *env = f->series->env;
	char path[PATH_MAX];
	bool ok = true;

	for (int i = 0; i < LADDER_FILES; i++) {
		int fd = -1;

		if (pair_path(f, file, i, path))
			fd = env->disk->open(env->disk_self, path, O_RDWR);
		if (fd < 0)
			return false;
		ok &= env->disk->datasync(env->disk_self, fd) >= 0;
		(void)env->disk->close(env->disk_self, fd);
	}
	return ok;
}

static void put_hash(struct buf *out, struct hash128 hash)
{
	uint8_t bytes[16];

	put_be64(bytes, hash.high);
	put_be64(bytes + 8, hash.low);
	buf_add(out, bytes, sizeof(bytes));
}

static void put_file(struct buf *out, const struct rrd_file *file)
{
	uint8_t account[8];

	put_be64(account, file->scope.account);
	buf_add(out, account, sizeof(account));
	put_varint(out, strlen(file->scope.region));
	buf_text(out, file->scope.region);
	put_varint(out, file->number);
	for (int t = 0; t < TIERS; t++)
		put_varint(out, (uint64_t)file->from[t]);
	put_varint(out, (uint64_t)file->progress);
	put_varint(out, file->used);
	for (unsigned i = 0; i < file->used; i++) {
		const struct entry *e = file->slots[i];

		put_hash(out, e->hash);
		put_varint(out, e->late_count);
		for (unsigned h = 0; h < e->late_count; h++)
			put_varint(out, (uint64_t)e->late_hours[h]);
	}
}

static bool is_whole(const struct rrd_file *file)
{
	if (!file->ready || file->rebuild || file->built != file->used)
		return false;
	for (unsigned i = 0; i < file->used; i++)
		if (file->slots[i]->late_all &&
		    !atomic_load(&file->slots[i]->inexact))
			return false;
	return true;
}

static void drop_pair(const struct feeder *f, const struct rrd_file *file)
{
	const struct env *env = f->series->env;
	char path[PATH_MAX];

	for (int i = 0; i < LADDER_FILES; i++)
		if (pair_path(f, file, i, path))
			(void)env->disk->unlink(env->disk_self, path);
}

void keep_save(struct feeder *f)
{
	struct buf files = BUF_INIT, image = BUF_INIT;
	char path[PATH_MAX];
	size_t count = 0;

	for (size_t i = 0; i < f->file_count; i++) {
		if (!is_whole(f->files[i]) || !sync_pair(f, f->files[i])) {
			drop_pair(f, f->files[i]);
			continue;
		}
		put_file(&files, f->files[i]);
		count++;
	}
	put_varint(&image, count);
	buf_sv(&image, buf_view(&files));
	image.failed |= files.failed;
	if (!image.failed && state_path(f, path) &&
	    checkpoint_write(f->series->env, path, KEEP_NAME, KEEP_FORMAT, 0,
			     buf_view(&image)))
		log_warn("series", "RRD state not kept: built anew later");
	buf_fini(&files);
	buf_fini(&image);
}

/* --- loading ------------------------------------------------------------------ */

static bool get_minute(struct sv *s, int32_t *out)
{
	uint64_t v;

	if (!get_varint(s, &v) || v > INT32_MAX)
		return false;
	*out = (int32_t)v;
	return true;
}

static bool get_bytes(struct sv *s, size_t n, const char **out)
{
	if (s->len < n)
		return false;
	*out = s->ptr;
	s->ptr += n;
	s->len -= n;
	return true;
}

static bool load_slot(struct feeder *f, struct rrd_file *file, struct sv *s)
{
	struct hash128 hash;
	const char *bytes;
	struct entry *e;
	uint64_t count;

	if (!get_bytes(s, 16, &bytes) || !get_varint(s, &count) ||
	    count > INDEX_LATE_HOURS_MAX)
		return false;
	hash.high = get_be64((const uint8_t *)bytes);
	hash.low = get_be64((const uint8_t *)bytes + 8);
	e = index_by_hash(&f->series->index, hash);
	if (!e || e->rrd_file >= 0)
		return false;
	if (count && !e->late_hours)
		e->late_hours =
			malloc(INDEX_LATE_HOURS_MAX * sizeof(*e->late_hours));
	if (count && !e->late_hours)
		return false;
	for (e->late_count = 0; e->late_count < count; e->late_count++)
		if (!get_minute(s, &e->late_hours[e->late_count]))
			return false;
	e->rrd_file = file->index;
	e->rrd_slot = (uint8_t)file->used;
	e->wants_rrd = true;
	file->slots[file->used++] = e;
	return true;
}

static bool load_file(struct feeder *f, struct rrd_file *file, struct sv *s)
{
	uint64_t region, number, slots;
	const char *bytes;

	if (!get_bytes(s, 8, &bytes))
		return false;
	file->scope.account = get_be64((const uint8_t *)bytes);
	if (!get_varint(s, &region) || region >= REGION_MAX ||
	    !get_bytes(s, region, &bytes))
		return false;
	memcpy(file->scope.region, bytes, region);
	if (!get_varint(s, &number) || number > UINT32_MAX ||
	    !get_minute(s, &file->from[TIER_60]) ||
	    !get_minute(s, &file->from[TIER_300]) ||
	    !get_minute(s, &file->from[TIER_3600]) ||
	    !get_minute(s, &file->progress) || !get_varint(s, &slots) ||
	    slots > LADDER_SLOTS)
		return false;
	file->number = (uint32_t)number;
	ladder_name(&file->scope, file->number, file->name);
	for (uint64_t i = 0; i < slots; i++)
		if (!load_slot(f, file, s))
			return false;
	file->built = file->used;
	file->claimed = file->progress;
	file->ready = true;
	return true;
}

static bool load_files(struct feeder *f, struct sv s)
{
	uint64_t count;

	assert(!f->files && f->file_count == 0);
	if (!get_varint(&s, &count) || count > s.len)
		return false;
	f->files = calloc(count + 1, sizeof(struct rrd_file *));
	if (!f->files)
		return false;
	f->file_cap = count + 1;
	for (uint64_t i = 0; i < count; i++) {
		struct rrd_file *file = calloc(1, sizeof(*file));

		if (!file)
			return false;
		file->index = (int32_t)i;
		f->files[f->file_count++] = file;
		if (!load_file(f, file, &s))
			return false;
	}
	return s.len == 0;
}

static void forget(struct feeder *f)
{
	for (size_t i = 0; i < f->file_count; i++) {
		for (unsigned k = 0; k < f->files[i]->used; k++) {
			struct entry *e = f->files[i]->slots[k];

			e->rrd_file = -1;
			e->wants_rrd = false;
			e->late_count = 0;
		}
		free(f->files[i]);
	}
	f->file_count = 0;
}

bool keep_load(struct feeder *f)
{
	const struct env *env = f->series->env;
	struct buf image = BUF_INIT;
	char path[PATH_MAX];
	uint64_t position;
	bool ok;

	if (!state_path(f, path) ||
	    checkpoint_read(env, path, KEEP_NAME, KEEP_FORMAT, &position,
			    &image)) {
		buf_fini(&image);
		return false;
	}
	/* It is true only until the first write after this. */
	ok = !env->disk->unlink(env->disk_self, path) &&
	     !env->disk->sync_dir(env->disk_self, f->dir) &&
	     load_files(f, buf_view(&image));
	if (!ok)
		forget(f);
	buf_fini(&image);
	return ok;
}

/* --- wiping ------------------------------------------------------------------- */

struct wipe {
	const struct env *env;
	char path[PATH_MAX]; /* of the folder that is listed */
	size_t length;
	int depth;
};

static bool is_hex_pair(const char *name)
{
	return strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2;
}

static void wipe_entry(void *arg, const char *name)
{
	struct wipe *up = arg, w = *up;
	size_t room = sizeof(w.path) - w.length;
	int n = snprintf(w.path + w.length, room, "/%s", name);

	if (n < 0 || (size_t)n >= room)
		return;
	w.length += (size_t)n;
	if (w.depth == 2) {
		if (strstr(name, ".rrd"))
			(void)w.env->disk->unlink(w.env->disk_self, w.path);
		return;
	}
	if (!is_hex_pair(name))
		return;
	w.depth++;
	(void)w.env->disk->list(w.env->disk_self, w.path, wipe_entry, &w);
}

void keep_wipe(struct feeder *f)
{
	struct wipe w = { .env = f->series->env };
	int n = snprintf(w.path, sizeof(w.path), "%s", f->dir);

	if (n < 0 || (size_t)n >= sizeof(w.path))
		return;
	w.length = (size_t)n;
	(void)w.env->disk->list(w.env->disk_self, w.path, wipe_entry, &w);
}
