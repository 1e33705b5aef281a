/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding frames in a file that may be damaged anywhere: a window that reads
 * ahead, one step from frame to frame, and the scan of a whole file that says
 * where its end is.
 */
#include "core/store/journal_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW_BYTES = 256 << 10,
	READ_PIECE_BYTES = 4096,
	WINDOW_SHRINK_BYTES = 1 << 20, /* a window above it is given back */
};

/* --- window ---------------------------------------------------------------- */

static int file_window_fit(struct file_window *w, size_t n)
{
	size_t cap = n > WINDOW_BYTES ? n : WINDOW_BYTES;
	uint8_t *bytes;

	if (w->cap >= cap && (w->cap <= WINDOW_SHRINK_BYTES || cap == n))
		return 0;
	bytes = malloc(cap);
	if (!bytes)
		return ERR_NOMEM;
	free(w->bytes);
	w->bytes = bytes;
	w->cap = cap;
	w->len = 0;
	return 0;
}

/* Twice, and then page by page: what cannot be read is left zero and will be
 * found to be damaged, like any other bytes that are not what was written. */
static int64_t read_around(const struct env *env, int fd, uint8_t *bytes,
			   size_t n, uint64_t at)
{
	const struct disk_ops *disk = env->disk;
	void *self = env->disk_self;
	int64_t got = disk->pread(self, fd, bytes, n, at);
	int64_t size;

	if (got < 0)
		got = disk->pread(self, fd, bytes, n, at);
	if (got >= 0)
		return got;
	size = disk->size(self, fd);
	if (size < 0 || (uint64_t)size <= at)
		return size < 0 ? size : 0;
	if (n > (uint64_t)size - at)
		n = (size_t)((uint64_t)size - at);
	for (size_t i = 0; i < n; i += READ_PIECE_BYTES) {
		size_t piece = n - i < READ_PIECE_BYTES ? n - i :
							  READ_PIECE_BYTES;

		memset(bytes + i, 0, piece);
		if (disk->pread(self, fd, bytes + i, piece, at + i) < 0)
			memset(bytes + i, 0, piece);
	}
	return (int64_t)n;
}

const uint8_t *file_window_get(struct file_window *w, const struct env *env,
			       int fd, uint64_t at, size_t n, uint64_t end,
			       int *err)
{
	int64_t got;
	size_t want;

	assert(at % FRAME_ALIGN == 0);
	*err = 0;
	if (at >= w->at && at + n <= w->at + w->len)
		return w->bytes + (at - w->at);
	if (at > end || n > end - at)
		return NULL;
	*err = file_window_fit(w, n);
	if (*err < 0)
		return NULL;
	want = end - at < w->cap ? (size_t)(end - at) : w->cap;
	w->at = at;
	w->len = 0;
	got = read_around(env, fd, w->bytes, want, at);
	if (got < 0) {
		*err = ERR_IO;
		return NULL;
	}
	w->len = (size_t)got;
	return w->len >= n ? w->bytes : NULL;
}

void file_window_forget(struct file_window *w)
{
	w->len = 0;
}

void file_window_fini(struct file_window *w)
{
	free(w->bytes);
	*w = (struct file_window){ 0 };
}

/* --- steps ----------------------------------------------------------------- */

/* Offset of the next header at or behind `from` that holds, or end. */
static int find_header(struct file_window *w, const struct env *env, int fd,
		       struct frame_place place, uint64_t from, uint64_t end,
		       uint64_t *found)
{
	struct frame_header h;

	for (; end - from >= FRAME_HEADER_BYTES; from += FRAME_ALIGN) {
		int e;
		const uint8_t *p = file_window_get(w, env, fd, from,
						   FRAME_HEADER_BYTES, end, &e);

		if (e < 0)
			return e;
		if (!p)
			break; /* the file is shorter than it should be */
		if (frame_read_header(p, place, from, end, &h)) {
			*found = from;
			return 0;
		}
	}
	*found = end;
	return 0;
}

int frame_step(struct file_window *w, const struct env *env, int fd,
	       struct frame_place *place, uint64_t from, uint64_t end,
	       struct frame_step *out)
{
	struct frame_header *h = &out->header;
	const uint8_t *p;
	size_t rest;
	int e;

	assert(from % FRAME_ALIGN == 0);
	if (from >= end)
		return STEP_END;
	p = file_window_get(w, env, fd, from, FRAME_HEADER_BYTES, end, &e);
	if (e < 0)
		return e;
	if (!p || !frame_read_header(p, *place, from, end, h)) {
		uint64_t on = end - from < FRAME_ALIGN ? end :
							 from + FRAME_ALIGN;

		e = find_header(w, env, fd, *place, on, end, &out->next);
		return e < 0 ? e : STEP_DAMAGE;
	}
	out->next = from + frame_bytes(h->body_bytes, h->refused_count);
	rest = (size_t)(out->next - from);
	p = file_window_get(w, env, fd, from, rest, end, &e);
	if (e < 0)
		return e;
	if (!p || !frame_rest_holds(h, p + FRAME_HEADER_BYTES))
		return STEP_DAMAGE;
	out->rest = p + FRAME_HEADER_BYTES;
	if (place->any_nonce) {
		place->any_nonce = false;
		place->nonce = h->nonce;
	}
	return STEP_FRAME;
}

/* --- scan ------------------------------------------------------------------ */

/* What frames anywhere in the file bear witness to: the highest `durable`. */
static int find_proven(struct file_window *w, const struct env *env, int fd,
		       struct frame_place *place, uint64_t size,
		       uint64_t *proven)
{
	struct frame_step step;
	uint64_t at = FILE_DATA;
	int e;

	*proven = FILE_DATA;
	while ((e = frame_step(w, env, fd, place, at, size, &step)) > 0) {
		at = step.next;
		if (e == STEP_FRAME && step.header.durable > *proven &&
		    step.header.durable <= step.header.offset)
			*proven = step.header.durable;
	}
	return e;
}

static int find_dirty_end(struct file_window *w, const struct env *env, int fd,
			  uint64_t from, uint64_t size, uint64_t *dirty_end)
{
	*dirty_end = from;
	while (from < size) {
		int e;
		size_t n = size - from < WINDOW_BYTES ? (size_t)(size - from) :
							WINDOW_BYTES;
		const uint8_t *p =
			file_window_get(w, env, fd, from, 1, size, &e);

		if (e < 0)
			return e;
		if (!p)
			return 0; /* short: nothing is there */
		if (n > w->at + w->len - from)
			n = (size_t)(w->at + w->len - from);
		for (size_t i = n; i > 0; i--) {
			if (p[i - 1] == 0)
				continue;
			*dirty_end = from + i;
			break;
		}
		from += n - n % FRAME_ALIGN;
		if (n < FRAME_ALIGN)
			break;
	}
	return 0;
}

int file_scan(const struct env *env, int fd, struct frame_place place,
	      uint64_t size, damage_fn *damage, void *arg,
	      struct file_scan *out)
{
	struct file_window w = { 0 };
	struct frame_step step;
	uint64_t proven, at = FILE_DATA;
	int e;

	*out = (struct file_scan){ .frames_end = FILE_DATA };
	e = find_proven(&w, env, fd, &place, size, &proven);
	while (e >= 0) {
		e = frame_step(&w, env, fd, &place, at, size, &step);
		if (e == STEP_END || (e == STEP_DAMAGE && at >= proven))
			break; /* the end, or a torn tail */
		if (e == STEP_DAMAGE) {
			out->damaged++;
			damage(arg, place.file, at, step.next);
		}
		if (e == STEP_FRAME) {
			out->found = true;
			if (step.header.protocol != PROTOCOL_MARK)
				out->frames_end = step.next;
		}
		if (e > 0)
			at = step.next;
	}
	out->end = at;
	out->nonce = place.nonce;
	if (e >= 0)
		e = find_dirty_end(&w, env, fd, at, size, &out->dirty_end);
	file_window_fini(&w);
	return e < 0 ? e : 0;
}
