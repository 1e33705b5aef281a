/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store/journal.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/store/journal_impl.h"

/* --- open and close -------------------------------------------------------- */

static struct journal_options with_defaults(const struct journal_options *o)
{
	struct journal_options r = o ? *o : (struct journal_options){ 0 };

	if (r.file_bytes == 0)
		r.file_bytes = JOURNAL_FILE_BYTES;
	if (r.budget_bytes == 0)
		r.budget_bytes = 4ULL << 30;
	if (r.keep_ns == 0)
		r.keep_ns = 24 * 3600 * NS_PER_S;
	if (r.queue_frames == 0)
		r.queue_frames = JOURNAL_QUEUE_FRAMES;
	if (r.queue_bytes == 0)
		r.queue_bytes = JOURNAL_QUEUE_BYTES;
	if (r.probe_ns == 0)
		r.probe_ns = NS_PER_S / 2;
	assert(r.file_bytes >= 2 * FILE_DATA && r.file_bytes <= 1ULL << 31);
	return r;
}

static void queue_fini(struct queue *q)
{
	free(q->bytes);
	free(q->entries);
}

static void journal_free(struct journal *j)
{
	if (j->fd >= 0)
		j->env->disk->close(j->env->disk_self, j->fd);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->work);
	pthread_cond_destroy(&j->help);
	pthread_cond_destroy(&j->spared);
	queue_fini(&j->waiting);
	queue_fini(&j->writing);
	free(j->tail);
	free(j->files);
	free(j->dir);
	free(j);
}

/* Signals are for the thread that called open, not for ours. */
static int start_threads(struct journal *j)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	j->writer_runs = !pthread_create(&j->writer, NULL, journal_writer, j);
	j->helper_runs = !pthread_create(&j->helper, NULL, journal_helper, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return j->writer_runs && j->helper_runs ? 0 : ERR_NOMEM;
}

int journal_open(struct journal **out, const struct env *env, const char *dir,
		 const struct journal_options *options, struct diag *diag)
{
	struct journal *j = calloc(1, sizeof(*j));
	pthread_condattr_t attr;
	int e;

	if (!j)
		return diag_set(diag, ERR_NOMEM, "journal: out of memory");
	j->env = env;
	j->options = with_defaults(options);
	j->fd = -1;
	j->spare_fd = -1;
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->work, &attr);
	pthread_cond_init(&j->help, &attr);
	pthread_cond_init(&j->spared, &attr);
	pthread_condattr_destroy(&attr);
	/* Room for a file's name and for quarantine's. */
	if (strlen(dir) > JOURNAL_PATH_MAX - 64) {
		journal_free(j);
		return diag_set(diag, ERR_LIMIT, "%.100s...: path too long",
				dir);
	}
	j->dir = strdup(dir);
	e = j->dir ? journal_recover(j, diag) :
		     diag_set(diag, ERR_NOMEM, "journal: out of memory");
	if (e < 0) {
		journal_free(j);
		return e;
	}
	e = start_threads(j);
	if (e < 0) {
		journal_close(j);
		return diag_set(diag, e, "journal: cannot start a thread");
	}
	*out = j;
	return 0;
}

void journal_close(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	assert(!j->closing);
	j->closing = true;
	atomic_store(&j->stop_helper, true);
	pthread_cond_broadcast(&j->work);
	pthread_cond_broadcast(&j->help);
	pthread_mutex_unlock(&j->lock);
	if (j->writer_runs)
		pthread_join(j->writer, NULL);
	if (j->helper_runs)
		pthread_join(j->helper, NULL);
	journal_write_mark(j);
	if (j->spare == SPARE_READY) {
		char path[JOURNAL_PATH_MAX];

		journal_spare_path(j, path);
		j->env->disk->close(j->env->disk_self, j->spare_fd);
		j->env->disk->unlink(j->env->disk_self, path);
	}
	journal_free(j);
}

/* --- append ---------------------------------------------------------------- */

/* Room for n more bytes and one more entry. Memory grows to the most that ever
 * waited and is then used again and again. */
static int queue_fit(struct queue *q, size_t n)
{
	if (journal_queue_room(q, n))
		return ERR_NOMEM;
	if (q->count == q->entry_cap) {
		size_t cap = q->entry_cap ? 2 * q->entry_cap : 256;
		struct entry *entries =
			realloc(q->entries, cap * sizeof(*entries));

		if (!entries)
			return ERR_NOMEM;
		q->entries = entries;
		q->entry_cap = cap;
	}
	return 0;
}

/* Whether an entry of n bytes is taken now. Under the lock. */
static int admit(struct journal *j, size_t n)
{
	if (j->closing)
		return ERR_CLOSED;
	if (n > 0 && j->stats.full) {
		j->stats.refused_full++;
		return ERR_FULL;
	}
	if (j->stats.waiting_frames >= j->options.queue_frames ||
	    (j->stats.waiting_bytes > 0 &&
	     j->stats.waiting_bytes + n > j->options.queue_bytes)) {
		j->stats.refused_busy++;
		return ERR_BUSY;
	}
	return queue_fit(&j->waiting, n);
}

static void add_entry(struct journal *j, uint64_t sequence, size_t n,
		      journal_done_fn *done, void *arg)
{
	struct queue *q = &j->waiting;

	q->entries[q->count++] = (struct entry){
		.sequence = sequence,
		.bytes = (uint32_t)n,
		.done = done,
		.arg = arg,
	};
	q->len += n;
	j->stats.waiting_frames++;
	j->stats.waiting_bytes += n;
	if (q->count == 1)
		pthread_cond_signal(&j->work);
}

int journal_append(struct journal *j, const struct frame *frame,
		   journal_done_fn *done, void *arg)
{
	size_t bytes = frame->prefix.len + frame->body.len;
	uint32_t crc;
	size_t n;
	int e;

	assert(frame->protocol != (enum protocol)PROTOCOL_MARK);
	assert(frame->protocol <= UINT8_MAX);
	if (frame->refused_count > JOURNAL_REFUSED_MAX ||
	    bytes + 4 * frame->refused_count > JOURNAL_FRAME_MAX)
		return ERR_LIMIT;
	n = (size_t)frame_bytes((uint32_t)bytes,
				(uint32_t)frame->refused_count);
	crc = frame_crc(frame);
	pthread_mutex_lock(&j->lock);
	e = admit(j, n);
	if (e == 0) {
		frame_write(j->waiting.bytes + j->waiting.base + j->waiting.len,
			    frame, crc);
		add_entry(j, ++j->appended, n, done, arg);
	}
	pthread_mutex_unlock(&j->lock);
	return e;
}

int journal_barrier(struct journal *j, journal_done_fn *done, void *arg)
{
	int e;

	pthread_mutex_lock(&j->lock);
	e = admit(j, 0);
	if (e == 0)
		add_entry(j, j->completed + 1, 0, done, arg);
	pthread_mutex_unlock(&j->lock);
	return e;
}

/* --- what is there --------------------------------------------------------- */

void journal_release(struct journal *j, uint64_t position)
{
	pthread_mutex_lock(&j->lock);
	if (position > j->released) {
		j->released = position;
		journal_note_backlog(j);
		if (j->file_count > 1)
			pthread_cond_signal(&j->help);
	}
	pthread_mutex_unlock(&j->lock);
}

void journal_stats(struct journal *j, struct journal_stats *out)
{
	pthread_mutex_lock(&j->lock);
	*out = j->stats;
	out->file_count = j->file_count;
	out->disk_bytes = j->spare == SPARE_READY ? j->spare_bytes : 0;
	for (size_t i = 0; i < j->file_count; i++)
		out->disk_bytes += j->files[i].size;
	pthread_mutex_unlock(&j->lock);
}

uint64_t journal_oldest(struct journal *j)
{
	uint64_t position = 0;

	pthread_mutex_lock(&j->lock);
	if (j->file_count > 0)
		position = position_make(j->files[0].number, FILE_DATA);
	pthread_mutex_unlock(&j->lock);
	return position;
}

uint64_t journal_durable(struct journal *j)
{
	uint64_t position;

	pthread_mutex_lock(&j->lock);
	position = j->stats.durable;
	pthread_mutex_unlock(&j->lock);
	return position;
}
