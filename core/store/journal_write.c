/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's thread: takes all that waits, writes and syncs it, calls the
 * done functions, and begins files. What must hold whatever fails:
 *
 *   Before a frame is acknowledged in file N+1, the header of N+1 is durable,
 *   and with it how far N is good.
 *
 * So bytes of a failed commit in N can come back to life only in a start at
 * which nothing newer was acknowledged: they are then frames that were
 * accepted and whose sender was told nothing, or to try again.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/log.h"
#include "core/store/journal_impl.h"

static const char part[] = "journal";

/* --- files ----------------------------------------------------------------- */

static uint32_t new_nonce(const struct journal *j)
{
	uint32_t nonce;

	if (getrandom(&nonce, sizeof(nonce), 0) == sizeof(nonce))
		return nonce;
	/* Without random numbers it still differs from file to file. */
	return (uint32_t)env_wall(j->env).ns ^ j->next_number << 20;
}

/* The spare if there is one that is large enough, or a new file. Sets *size.
 * fd, or negative errno; path is where it is. */
static int take_file(struct journal *j, uint64_t need, uint64_t *size,
		     char path[JOURNAL_PATH_MAX])
{
	uint64_t made;
	int fd;

	journal_spare_path(j, path);
	pthread_mutex_lock(&j->lock);
	while (j->spare == SPARE_MAKING)
		pthread_cond_wait(&j->spared, &j->lock);
	fd = j->spare == SPARE_READY ? j->spare_fd : -1;
	made = j->spare_bytes;
	j->spare = SPARE_NONE;
	j->spare_fd = -1;
	pthread_mutex_unlock(&j->lock);
	if (fd >= 0 && made >= need) {
		*size = made;
		return fd;
	}
	if (fd >= 0)
		j->env->disk->close(j->env->disk_self, fd);
	*size = need;
	return file_create(j->env, path, need, NULL);
}

/* Size of the file behind one of `last` bytes, with room for `need`. */
static uint64_t next_size(const struct journal *j, uint64_t last, uint64_t need)
{
	uint64_t size = 4 * last;

	if (size < JOURNAL_FIRST_FILE_BYTES)
		size = JOURNAL_FIRST_FILE_BYTES;
	if (size > j->options.file_bytes)
		size = j->options.file_bytes;
	if (size < FILE_DATA + need)
		size = (FILE_DATA + need + FILE_DATA - 1) &
		       ~(uint64_t)(FILE_DATA - 1);
	return size;
}

/* A file that no frame was acknowledged in is taken away again, so that a disk
 * that fails for hours does not leave thousands. */
static void drop_empty_file(struct journal *j)
{
	char path[JOURNAL_PATH_MAX];
	struct journal_file *last;

	pthread_mutex_lock(&j->lock);
	last = &j->files[j->file_count - 1];
	if (j->file_count < 2 || last->closed || last->end != FILE_DATA) {
		pthread_mutex_unlock(&j->lock);
		return;
	}
	file_path(path, j->dir, last->number);
	j->file_count--;
	pthread_mutex_unlock(&j->lock);
	/* Made durable by the sync of the folder that the next file needs. */
	j->env->disk->unlink(j->env->disk_self, path);
}

/* Gives back the room behind a file's end. What is there was never
 * acknowledged, and the next file says so. */
static void trim_file(struct journal *j, uint32_t number)
{
	const struct disk_ops *disk = j->env->disk;
	struct journal_file *f = NULL;
	char path[JOURNAL_PATH_MAX];
	uint64_t end = 0;
	int fd;

	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->file_count; i++)
		if (j->files[i].number == number)
			f = &j->files[i];
	if (f && f->size > f->end + FILE_TRIM_BYTES) {
		end = f->end;
		f->size = end;
	}
	pthread_mutex_unlock(&j->lock);
	if (end == 0)
		return;
	file_path(path, j->dir, number);
	fd = disk->open(j->env->disk_self, path, O_RDWR);
	if (fd < 0)
		return;
	if (disk->truncate(j->env->disk_self, fd, end) < 0)
		log_warn(part, "%s: cannot give back unused room", path);
	disk->close(j->env->disk_self, fd);
}

/* Header, sync, name, sync of the folder. Negative errno. */
static int make_current(struct journal *j, int fd, const char *from,
			const struct file_header *h)
{
	const struct disk_ops *disk = j->env->disk;
	void *self = j->env->disk_self;
	char path[JOURNAL_PATH_MAX];
	int e = file_write_header(j->env, fd, h);

	file_path(path, j->dir, h->number);
	if (e == 0)
		e = disk->datasync(self, fd);
	if (e == 0)
		e = disk->rename(self, from, path);
	if (e == 0) {
		e = disk->sync_dir(self, j->dir);
		if (e < 0)
			disk->unlink(self, path);
	} else {
		disk->unlink(self, from);
	}
	return e;
}

static int add_file(struct journal *j, const struct file_header *h)
{
	int e = 0;

	pthread_mutex_lock(&j->lock);
	if (j->file_count == j->file_cap) {
		size_t cap = j->file_cap ? 2 * j->file_cap : 64;
		struct journal_file *files =
			realloc(j->files, cap * sizeof(*files));

		if (files) {
			j->files = files;
			j->file_cap = cap;
		} else {
			e = ERR_NOMEM;
		}
	}
	if (e == 0) {
		if (j->file_count > 0) {
			struct journal_file *last =
				&j->files[j->file_count - 1];

			last->closed = true;
			last->closed_ns = h->begun_ns;
		}
		j->files[j->file_count++] = (struct journal_file){
			.number = h->number,
			.nonce = h->nonce,
			.previous = h->previous,
			.end = FILE_DATA,
			.size = h->size,
		};
		journal_note_backlog(j);
	}
	pthread_mutex_unlock(&j->lock);
	return e;
}

static int begin_file(struct journal *j, uint64_t size)
{
	char path[JOURNAL_PATH_MAX];
	struct file_header h = {
		.number = j->next_number,
		.nonce = new_nonce(j),
		.begun_ns = env_wall(j->env).ns,
	};
	int e, fd;

	if (j->next_number == UINT32_MAX)
		return ERR_FULL;
	pthread_mutex_lock(&j->lock);
	if (j->file_count > 0) {
		const struct journal_file *last = &j->files[j->file_count - 1];

		h.previous = last->number;
		/* 0: unreadable now; the next start looks for its end. */
		h.previous_end = last->lost ? 0 : (uint32_t)last->end;
	}
	pthread_mutex_unlock(&j->lock);
	fd = take_file(j, size, &h.size, path);
	if (fd < 0)
		return env_err(fd);
	/* A number is not used twice, whatever became of its file. */
	j->next_number++;
	e = make_current(j, fd, path, &h);
	e = e < 0 ? env_err(e) : add_file(j, &h);
	if (e < 0) {
		j->env->disk->close(j->env->disk_self, fd);
		return e;
	}
	j->fd = fd;
	j->number = h.number;
	j->nonce = h.nonce;
	j->size = h.size;
	j->end = FILE_DATA;
	j->tail_known = true;
	j->marked = false;
	j->spare_asked = false;
	if (h.previous != 0)
		trim_file(j, h.previous);
	return 0;
}

static void end_file(struct journal *j)
{
	if (j->fd >= 0)
		j->env->disk->close(j->env->disk_self, j->fd);
	j->fd = -1;
}

int journal_begin_file(struct journal *j, uint64_t need)
{
	uint64_t size = next_size(j, j->size, need);

	end_file(j);
	drop_empty_file(j);
	return journal_make_room(j, size) ? begin_file(j, size) : ERR_FULL;
}

/* --- commits --------------------------------------------------------------- */

/* Entries [first, last) of the queue that is written, and their bytes. */
struct run {
	size_t first, last;
	size_t from, bytes;
};

/* As many as the file has room for; places their headers. */
static void run_place(struct journal *j, struct run *r)
{
	struct queue *q = &j->writing;

	r->last = r->first;
	r->bytes = 0;
	for (; r->last < q->count; r->last++) {
		size_t n = q->entries[r->last].bytes;

		if (n == 0)
			continue;
		if (j->fd < 0 || n > j->size - j->end - r->bytes)
			break;
		frame_place(q->bytes + q->base + r->from + r->bytes, j->number,
			    (uint32_t)(j->end + r->bytes), j->nonce,
			    (uint32_t)j->end);
		r->bytes += n;
	}
}

static int run_write(struct journal *j, struct run *r)
{
	const struct disk_ops *disk = j->env->disk;
	int e;

	if (r->bytes == 0)
		return 0;
	e = journal_write_out(j, &r->from, r->bytes);
	if (e == 0)
		e = disk->datasync(j->env->disk_self, j->fd);
	return e;
}

/* The run is durable: readers may have it. */
static void run_publish(struct journal *j, const struct run *r)
{
	struct journal_file *f;
	uint64_t frames = 0;

	if (r->bytes == 0)
		return;
	for (size_t i = r->first; i < r->last; i++)
		frames += j->writing.entries[i].bytes > 0;
	j->end += r->bytes;
	j->marked = false;
	pthread_mutex_lock(&j->lock);
	f = &j->files[j->file_count - 1];
	f->end = j->end;
	j->stats.durable = position_make(f->number, f->end);
	j->stats.frames += frames;
	j->stats.bytes += r->bytes;
	j->stats.commits++;
	if (j->end > j->size / 2 && !j->spare_asked) {
		j->spare_asked = true;
		j->spare = SPARE_WANTED;
		j->spare_bytes = next_size(j, j->size, 0);
		pthread_cond_signal(&j->help);
	}
	pthread_mutex_unlock(&j->lock);
}

/* The run's entries wait no longer. Behind the done functions: a barrier that
 * comes before a failed frame's done returned must still hear of it. */
static void run_count(struct journal *j, const struct run *r)
{
	uint64_t frames = 0;

	for (size_t i = r->first; i < r->last; i++)
		frames += j->writing.entries[i].bytes > 0;
	pthread_mutex_lock(&j->lock);
	j->completed += frames;
	j->stats.waiting_frames -= r->last - r->first;
	j->stats.waiting_bytes -= r->bytes;
	pthread_mutex_unlock(&j->lock);
}

static void run_done(struct journal *j, const struct run *r, int err,
		     uint64_t start)
{
	uint64_t at = start;

	for (size_t i = r->first; i < r->last; i++) {
		const struct entry *entry = &j->writing.entries[i];
		uint64_t position = position_make(j->number, at);
		int e = err;

		at += entry->bytes;
		if (entry->bytes == 0) /* what failed since it was asked */
			e = j->failed_sequence >= entry->sequence ?
				    j->failed_err :
				    0;
		else if (err < 0) {
			j->failed_sequence = entry->sequence;
			j->failed_err = err;
		}
		if (entry->bytes > 0 && err < 0)
			position = 0;
		entry->done(entry->arg, e, position,
			    position ? position_make(j->number, at) : 0);
	}
}

/* Fails what is left of the queue that is written; refuses appends. */
static void give_up(struct journal *j, struct run *r, int err)
{
	struct queue *q = &j->writing;

	if (!j->stats.full) {
		log_error(part,
			  "%s: %s; writes are refused until it has room again",
			  j->dir, err_text(err));
		pthread_mutex_lock(&j->lock);
		j->stats.full = true;
		pthread_mutex_unlock(&j->lock);
		j->probed = env_mono(j->env);
	}
	r->last = q->count;
	r->bytes = q->len - r->from;
	run_done(j, r, err, 0);
	run_count(j, r);
}

/* 0: *r is durable and done. 1: try again, in the file that has begun or will
 * begin. < 0: give up. */
static int commit_run(struct journal *j, struct run *r, int *tries)
{
	uint64_t start;
	int e;

	run_place(j, r);
	if (r->last == r->first) {
		size_t need = j->writing.entries[r->first].bytes;

		e = journal_begin_file(j, need);
		if (e == ERR_IO && ++*tries < FILE_TRIES_MAX)
			return 1;
		return e < 0 ? e : 1;
	}
	start = j->end;
	e = run_write(j, r);
	if (e == 0) {
		run_publish(j, r);
		run_done(j, r, 0, start);
		run_count(j, r);
		*tries = 0;
		return 0;
	}
	/* The kernel may have dropped what it could not write and report the
	 * next sync as good: this file takes nothing more. */
	end_file(j);
	log_error(part, "%s/%010u.journal ends at %llu: %s", j->dir, j->number,
		  (unsigned long long)j->end, strerror(-e));
	if (env_err(e) == ERR_FULL)
		return ERR_FULL;
	pthread_mutex_lock(&j->lock);
	j->stats.sync_errors++;
	pthread_mutex_unlock(&j->lock);
	return ++*tries < FILE_TRIES_MAX ? 1 : ERR_IO;
}

static void commit(struct journal *j)
{
	struct queue *q = &j->writing;
	struct run r = { 0 };
	int tries = 0;

	if (j->stats.full && q->count > 0) { /* they came before it was known */
		give_up(j, &r, ERR_FULL);
		r.first = r.last;
	}
	while (r.first < q->count) {
		int e = commit_run(j, &r, &tries);

		if (e < 0)
			give_up(j, &r, e);
		if (e <= 0) {
			r.first = r.last;
			r.from += r.bytes;
		}
	}
	q->count = 0;
	q->len = 0;
	q->base = 0;
	if (q->cap > QUEUE_SHRINK_BYTES) {
		free(q->bytes);
		q->bytes = NULL;
		q->cap = 0;
	}
}

/* --- the thread ------------------------------------------------------------ */

static void wait_until(struct journal *j, struct instant since, int64_t ns)
{
	uint64_t until = since.ns + (uint64_t)ns;
	struct timespec t = {
		.tv_sec = (time_t)(until / (uint64_t)NS_PER_S),
		.tv_nsec = (long)(until % (uint64_t)NS_PER_S),
	};

	pthread_cond_timedwait(&j->work, &j->lock, &t);
}

/* Waits for entries (true) or for the end (false). A disk that was full is
 * tried meanwhile. */
static bool next_batch(struct journal *j)
{
	struct queue swap;
	bool any;

	pthread_mutex_lock(&j->lock);
	while (j->waiting.count == 0 && !j->closing) {
		uint64_t now = env_mono(j->env).ns;

		if (!j->stats.full) {
			pthread_cond_wait(&j->work, &j->lock);
		} else if (now - j->probed.ns < (uint64_t)j->options.probe_ns) {
			wait_until(j, j->probed, j->options.probe_ns);
		} else {
			int e;

			pthread_mutex_unlock(&j->lock);
			e = journal_begin_file(j, 0);
			j->probed = env_mono(j->env);
			pthread_mutex_lock(&j->lock);
			j->stats.full = e < 0;
			if (e == 0)
				log_info(part, "%s: has room again", j->dir);
		}
	}
	any = j->waiting.count > 0;
	swap = j->writing;
	j->writing = j->waiting;
	j->waiting = swap;
	j->waiting.base = (j->end + j->writing.len) % DISK_BLOCK;
	pthread_mutex_unlock(&j->lock);
	return any;
}

void *journal_writer(void *journal)
{
	struct journal *j = journal;

	while (next_batch(j))
		commit(j);
	return NULL;
}

void journal_write_mark(struct journal *j)
{
	const struct disk_ops *disk = j->env->disk;
	uint8_t mark[FRAME_HEADER_BYTES];

	if (j->fd < 0 || j->marked || j->size - j->end < sizeof(mark))
		return;
	frame_write_mark(mark, env_wall(j->env).ns);
	frame_place(mark, j->number, (uint32_t)j->end, j->nonce,
		    (uint32_t)j->end);
	if (disk->pwrite(j->env->disk_self, j->fd, mark, sizeof(mark),
			 j->end) == 0 &&
	    disk->datasync(j->env->disk_self, j->fd) == 0)
		return;
	log_warn(part, "%s: the end could not be marked", j->dir);
}
