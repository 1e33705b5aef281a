/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper's thread: makes the next file (allocating and zeroing it takes
 * longer than a commit may wait) when half of the current one is used, and
 * deletes files that are released and old, or over the budget.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/store/journal_impl.h"

void journal_spare_path(const struct journal *j, char out[JOURNAL_PATH_MAX])
{
	snprintf(out, JOURNAL_PATH_MAX, "%s/next.tmp", j->dir);
}

/* Called with the lock, which is given up meanwhile. */
static void make_spare(struct journal *j)
{
	char path[JOURNAL_PATH_MAX];
	uint64_t size = j->spare_bytes;
	int fd;

	j->spare = SPARE_MAKING;
	pthread_mutex_unlock(&j->lock);
	journal_spare_path(j, path);
	fd = journal_make_room(j, size) ?
		     file_create(j->env, path, size, &j->stop_helper) :
		     -ENOSPC;
	pthread_mutex_lock(&j->lock);
	/* When it failed, the writer makes its own and says what is wrong. */
	j->spare = fd < 0 ? SPARE_NONE : SPARE_READY;
	j->spare_fd = fd < 0 ? -1 : fd;
	pthread_cond_broadcast(&j->spared);
}

static uint64_t bytes_on_disk(const struct journal *j)
{
	uint64_t n = j->spare == SPARE_READY ? j->spare_bytes : 0;

	for (size_t i = 0; i < j->file_count; i++)
		n += j->files[i].size;
	return n;
}

void journal_note_backlog(struct journal *j)
{
	uint64_t n = 0;

	for (size_t i = 0; i < j->file_count; i++) {
		const struct journal_file *f = &j->files[i];

		if (!f->closed ||
		    j->released < position_make(f->number, f->end))
			n += f->size;
	}
	atomic_store(&j->backlog_bytes, n);
}

unsigned journal_backlog_percent(const struct journal *j)
{
	return (unsigned)(atomic_load(&j->backlog_bytes) * 100 /
			  j->options.budget_bytes);
}

/* Takes the oldest file out of the list if it may go. Under the lock. */
static uint32_t pick_oldest(struct journal *j, uint64_t more, int64_t now_ns)
{
	const struct journal_file *f = j->files;
	uint32_t number;
	bool over, old;

	if (j->file_count < 2 || !f->closed ||
	    j->released < position_make(f->number, f->end))
		return 0;
	over = bytes_on_disk(j) + more > j->options.budget_bytes ||
	       j->file_count >= JOURNAL_FILES_MAX;
	old = j->options.keep_ns < 0 ||
	      now_ns - f->closed_ns >= j->options.keep_ns;
	if (!over && !old)
		return 0;
	number = f->number;
	j->file_count--;
	memmove(j->files, j->files + 1, j->file_count * sizeof(*j->files));
	return number;
}

bool journal_make_room(struct journal *j, uint64_t more)
{
	int64_t now_ns = env_wall(j->env).ns;
	bool fits;

	for (;;) {
		char path[JOURNAL_PATH_MAX];
		uint32_t number;

		pthread_mutex_lock(&j->lock);
		number = pick_oldest(j, more, now_ns);
		/* The spare is part of what was asked for. */
		fits = (bytes_on_disk(j) + more <= j->options.budget_bytes ||
			j->spare == SPARE_READY || j->file_count == 0) &&
		       j->file_count < JOURNAL_FILES_MAX;
		pthread_mutex_unlock(&j->lock);
		if (number == 0)
			return fits;
		file_path(path, j->dir, number);
		if (j->env->disk->unlink(j->env->disk_self, path) < 0)
			log_warn("journal", "%s: cannot be deleted", path);
	}
}

void *journal_helper(void *journal)
{
	struct journal *j = journal;

	pthread_mutex_lock(&j->lock);
	while (!j->closing) {
		struct timespec t;

		if (j->spare == SPARE_WANTED) {
			make_spare(j);
			continue;
		}
		pthread_mutex_unlock(&j->lock);
		journal_make_room(j, 0);
		pthread_mutex_lock(&j->lock);
		if (j->closing || j->spare == SPARE_WANTED)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &t);
		t.tv_sec += KEEP_TICK_S;
		pthread_cond_timedwait(&j->help, &j->lock, &t);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}
