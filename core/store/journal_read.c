/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading on. A reader has its own descriptor and window; it asks the journal
 * only how far the file it is in is durable, and reads nothing behind that.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/store/journal_impl.h"

struct journal_reader {
	struct journal *j;
	struct file_window window;
	struct frame_place place;
	int fd;        /* of place.file, or -1 */
	uint32_t file; /* 0: from the oldest */
	uint64_t offset;
	bool gap;
};

int journal_reader_open(struct journal_reader **out, struct journal *j,
			uint64_t position)
{
	struct journal_reader *r = calloc(1, sizeof(*r));
	uint64_t end;

	if (!r)
		return ERR_NOMEM;
	r->j = j;
	r->fd = -1;
	r->file = position_file(position);
	r->offset = position_offset(position);
	pthread_mutex_lock(&j->lock);
	end = j->file_count == 0 ?
		      0 :
		      position_make(j->files[j->file_count - 1].number,
				    j->files[j->file_count - 1].end);
	pthread_mutex_unlock(&j->lock);
	if (position > end) { /* what it has read is gone */
		r->gap = true;
		r->file = position_file(end);
		r->offset = position_offset(end);
	}
	if (r->offset < FILE_DATA)
		r->offset = FILE_DATA;
	r->offset = (r->offset + FRAME_ALIGN - 1) &
		    ~(uint64_t)(FRAME_ALIGN - 1);
	*out = r;
	return 0;
}

void journal_reader_close(struct journal_reader *r)
{
	if (r->fd >= 0)
		r->j->env->disk->close(r->j->env->disk_self, r->fd);
	file_window_fini(&r->window);
	free(r);
}

static void leave_file(struct journal_reader *r)
{
	if (r->fd >= 0)
		r->j->env->disk->close(r->j->env->disk_self, r->fd);
	r->fd = -1;
	file_window_forget(&r->window);
}

/* The first file with this number or a higher one. False: none. */
static bool find_file(struct journal_reader *r, struct journal_file *out)
{
	struct journal *j = r->j;
	size_t low = 0, high;
	bool found;

	pthread_mutex_lock(&j->lock);
	high = j->file_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (j->files[middle].number < r->file)
			low = middle + 1;
		else
			high = middle;
	}
	found = low < j->file_count;
	if (found)
		*out = j->files[low];
	pthread_mutex_unlock(&j->lock);
	return found;
}

/* Moves to where there is a file with bytes to read: 1 and its durable end.
 * 0: none now. */
static int seek(struct journal_reader *r, uint64_t *end)
{
	for (;;) {
		struct journal_file f = { 0 };

		if (!find_file(r, &f))
			return 0;
		if (f.number != r->file) {
			/* Numbers may be left out, files may not: does it
			 * follow what was read last? */
			if (r->file != 0 && f.previous >= r->file)
				r->gap = true;
			leave_file(r);
			r->file = f.number;
			r->offset = FILE_DATA;
		}
		if (!f.lost && r->offset < f.end) {
			r->place = (struct frame_place){
				.file = f.number,
				.nonce = f.nonce,
				.any_nonce = f.any_nonce,
			};
			*end = f.end;
			return 1;
		}
		if (!f.closed)
			return 0;
		if (f.lost)
			r->gap = true;
		leave_file(r);
		r->file++; /* the next, whatever its number */
		r->offset = FILE_DATA;
	}
}

static int open_file(struct journal_reader *r)
{
	char path[JOURNAL_PATH_MAX];
	int fd;

	if (r->fd >= 0)
		return 0;
	file_path(path, r->j->dir, r->file);
	fd = r->j->env->disk->open(r->j->env->disk_self, path, O_RDONLY);
	if (fd < 0)
		return env_err(fd);
	r->fd = fd;
	file_window_forget(&r->window);
	return 0;
}

static void fill(const struct journal_reader *r, const struct frame_step *step,
		 struct frame *frame)
{
	const struct frame_header *h = &step->header;
	size_t refused_bytes = 4 * (size_t)h->refused_count;

	*frame = (struct frame){
		.position = position_make(r->file, h->offset),
		.next = position_make(r->file, step->next),
		.protocol = (enum protocol)h->protocol,
		.decoder = h->decoder,
		.scope.account = h->account,
		.received = { h->received_ns },
		.body = { (const char *)step->rest + refused_bytes,
			  h->body_bytes },
		.refused = (const uint32_t *)(const void *)step->rest,
		.refused_count = h->refused_count,
	};
	memcpy(frame->scope.region, h->region, sizeof(h->region));
}

int journal_reader_next(struct journal_reader *r, struct frame *frame,
			bool *gap)
{
	struct frame_step step;
	uint64_t end;
	int e;

	for (;;) {
		e = seek(r, &end);
		*gap = r->gap;
		if (e <= 0)
			return e;
		e = open_file(r);
		if (e == ERR_NOT_FOUND) { /* deleted between the two */
			r->gap = true;
			r->file++;
			r->offset = FILE_DATA;
			continue;
		}
		if (e < 0)
			return e;
		e = frame_step(&r->window, r->j->env, r->fd, &r->place,
			       r->offset, end, &step);
		if (e < 0)
			return e;
		assert(e != STEP_END);
		if (e == STEP_DAMAGE)
			journal_damage(r->j, r->fd, r->file, r->offset,
				       step.next);
		r->offset = step.next;
		if (e == STEP_FRAME && step.header.protocol != PROTOCOL_MARK) {
			fill(r, &step, frame);
			r->gap = false;
			return 1;
		}
	}
}
