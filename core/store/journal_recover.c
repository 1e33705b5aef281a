/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens at open. Every file but the last has its good end in its
 * successor's header; its frames are checked when they are read. The last one
 * is scanned: behind its last good frame it is made zero again, so that
 * nothing which was cut off can be taken for a frame later.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/store/journal_impl.h"

static const char part[] = "journal";

/* --- quarantine ------------------------------------------------------------ */

static bool first_time(struct journal *j, uint64_t position)
{
	bool known = false;

	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->known_damage_count && !known; i++)
		known = j->known_damage[i] == position;
	if (!known) {
		j->stats.damaged_frames++;
		if (j->known_damage_count < DAMAGE_KNOWN_MAX)
			j->known_damage[j->known_damage_count++] = position;
	}
	pthread_mutex_unlock(&j->lock);
	return !known;
}

static int copy_range(const struct env *env, int from_fd, int to_fd,
		      uint64_t from, uint64_t to)
{
	uint8_t *bytes = malloc(FILE_ZERO_SLICE);
	int e = bytes ? 0 : -ENOMEM;

	for (uint64_t at = from; e == 0 && at < to;) {
		size_t n = to - at < FILE_ZERO_SLICE ? (size_t)(to - at) :
						       FILE_ZERO_SLICE;
		int64_t got =
			env->disk->pread(env->disk_self, from_fd, bytes, n, at);

		if (got <= 0)
			break;
		e = env->disk->pwrite(env->disk_self, to_fd, bytes, (size_t)got,
				      at - from);
		at += (uint64_t)got;
	}
	free(bytes);
	return e;
}

/* Evidence for whoever wants to look; that it cannot be kept stops nothing. */
static void quarantine(struct journal *j, int fd, uint32_t file, uint64_t from,
		       uint64_t to, const char *suffix)
{
	const struct disk_ops *disk = j->env->disk;
	void *self = j->env->disk_self;
	char path[JOURNAL_PATH_MAX];
	bool room;
	int out, e;

	pthread_mutex_lock(&j->lock);
	room = j->quarantine_count < QUARANTINE_FILES_MAX;
	j->quarantine_count += room;
	pthread_mutex_unlock(&j->lock);
	if (!room)
		return;
	snprintf(path, sizeof(path), "%s/quarantine", j->dir);
	disk->mkdir(self, path);
	snprintf(path, sizeof(path), "%s/quarantine/%010u-%" PRIu64 ".%s",
		 j->dir, file, from, suffix);
	out = disk->open(self, path, O_RDWR | O_CREAT | O_EXCL);
	if (out == -EEXIST)
		return; /* of an earlier start */
	e = out;
	if (out >= 0) {
		if (to - from > FRAME_BYTES_MAX)
			to = from + FRAME_BYTES_MAX;
		e = copy_range(j->env, fd, out, from, to);
		disk->close(self, out);
	}
	if (e < 0)
		log_warn(part, "%s: cannot be kept: %s", path, strerror(-e));
}

void journal_damage(struct journal *j, int fd, uint32_t file, uint64_t from,
		    uint64_t to)
{
	if (!first_time(j, position_make(file, from)))
		return;
	log_error(part,
		  "%s/%010u.journal is damaged from %" PRIu64 " to %" PRIu64
		  "; what was there is lost, a copy is in quarantine",
		  j->dir, file, from, to);
	quarantine(j, fd, file, from, to, "bad");
}

/* --- the folder ------------------------------------------------------------ */

struct listing {
	struct journal *j;
	uint32_t *numbers;
	size_t count, cap;
	int err;
};

static void each_name(void *arg, const char *name)
{
	struct listing *l = arg;
	uint32_t number = file_number(name);

	if (number == 0 || l->err < 0)
		return;
	if (l->count == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		uint32_t *numbers = realloc(l->numbers, cap * sizeof(*numbers));

		if (!numbers) {
			l->err = ERR_NOMEM;
			return;
		}
		l->numbers = numbers;
		l->cap = cap;
	}
	l->numbers[l->count++] = number;
}

static void each_quarantined(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int list_files(struct journal *j, struct listing *l)
{
	const struct disk_ops *disk = j->env->disk;
	void *self = j->env->disk_self;
	char path[JOURNAL_PATH_MAX];
	int e;

	e = disk->mkdir(self, j->dir);
	if (e == 0)
		e = disk->list(self, j->dir, each_name, l);
	if (e < 0)
		return env_err(e);
	if (l->err < 0)
		return l->err;
	if (l->count > 0)
		qsort(l->numbers, l->count, sizeof(*l->numbers), by_number);
	else { /* perhaps new: its own name must be durable too */
		snprintf(path, sizeof(path), "%s/..", j->dir);
		disk->sync_dir(self, path);
	}
	journal_spare_path(j, path);
	disk->unlink(self, path);
	snprintf(path, sizeof(path), "%s/quarantine", j->dir);
	disk->list(self, path, each_quarantined, &j->quarantine_count);
	return 0;
}

/* --- files ----------------------------------------------------------------- */

/* What its header says. Only a newer format and memory are errors. */
static int look_at_file(struct journal *j, uint32_t number, struct diag *diag,
			struct journal_file *f, struct file_header *h)
{
	const struct disk_ops *disk = j->env->disk;
	char path[JOURNAL_PATH_MAX];
	int64_t size;
	int fd, e;

	*f = (struct journal_file){ .number = number, .end = FILE_DATA };
	*h = (struct file_header){ 0 };
	file_path(path, j->dir, number);
	fd = disk->open(j->env->disk_self, path, O_RDONLY);
	if (fd < 0) {
		f->lost = true;
		first_time(j, position_make(number, 0));
		log_error(part, "%s: %s; its frames are left out", path,
			  strerror(-fd));
		return 0;
	}
	size = disk->size(j->env->disk_self, fd);
	f->size = size < 0 ? 0 : (uint64_t)size & ~(uint64_t)(FRAME_ALIGN - 1);
	e = file_read_header(j->env, fd, number, h);
	disk->close(j->env->disk_self, fd);
	if (e == ERR_VERSION)
		return diag_set(diag, e,
				"%s: written by a newer release; use that one",
				path);
	if (e < 0) {
		f->any_nonce = true;
		first_time(j, position_make(number, 0));
		log_error(part, "%s: its header is damaged", path);
	}
	f->nonce = h->nonce;
	f->previous = h->previous;
	return 0;
}

struct damage_arg {
	struct journal *j;
	int fd;
};

static void on_damage(void *arg, uint32_t file, uint64_t from, uint64_t to)
{
	struct damage_arg *a = arg;

	journal_damage(a->j, a->fd, file, from, to);
}

static int scan_file(struct journal *j, int fd, struct journal_file *f,
		     struct file_scan *scan)
{
	struct damage_arg arg = { j, fd };
	struct frame_place place = {
		.file = f->number,
		.nonce = f->nonce,
		.any_nonce = f->any_nonce,
	};
	int e = file_scan(j->env, fd, place, f->size, on_damage, &arg, scan);

	if (e < 0)
		return e;
	f->nonce = scan->nonce;
	f->any_nonce = f->any_nonce && !scan->found;
	f->end = scan->end;
	return 0;
}

/* A file whose successor does not say where it ends. */
static int find_end(struct journal *j, struct journal_file *f)
{
	char path[JOURNAL_PATH_MAX];
	struct file_scan scan;
	int fd, e;

	if (f->lost)
		return 0;
	file_path(path, j->dir, f->number);
	fd = j->env->disk->open(j->env->disk_self, path, O_RDONLY);
	if (fd < 0) {
		f->lost = true;
		return 0;
	}
	e = scan_file(j, fd, f, &scan);
	j->env->disk->close(j->env->disk_self, fd);
	if (e == ERR_IO)
		f->lost = true;
	return e == ERR_IO ? 0 : e;
}

/* Zeros [end, dirty_end). Negative errno. */
static int cut_tail(struct journal *j, int fd, const struct journal_file *f,
		    const struct file_scan *scan)
{
	uint64_t to = (scan->dirty_end + FRAME_ALIGN - 1) &
		      ~(uint64_t)(FRAME_ALIGN - 1);
	uint8_t *zeros;
	int e = 0;

	if (scan->dirty_end <= scan->end)
		return 0;
	j->stats.torn_bytes += scan->dirty_end - scan->end;
	log_warn(part,
		 "%s/%010u.journal: %" PRIu64 " bytes behind %" PRIu64
		 " are of an unfinished write and are cut",
		 j->dir, f->number, scan->dirty_end - scan->end, scan->end);
	quarantine(j, fd, f->number, scan->end, scan->dirty_end, "torn");
	zeros = calloc(1, FILE_ZERO_SLICE);
	if (!zeros)
		return -ENOMEM;
	for (uint64_t at = scan->end; e == 0 && at < to;
	     at += FILE_ZERO_SLICE) {
		size_t n = to - at < FILE_ZERO_SLICE ? (size_t)(to - at) :
						       FILE_ZERO_SLICE;

		e = j->env->disk->pwrite(j->env->disk_self, fd, zeros, n, at);
	}
	free(zeros);
	return e < 0 ? e : j->env->disk->datasync(j->env->disk_self, fd);
}

/* Scans the last file, cuts its tail and goes on in it where that is safe. */
static int take_last(struct journal *j, struct journal_file *f,
		     const struct file_header *h)
{
	const struct disk_ops *disk = j->env->disk;
	char path[JOURNAL_PATH_MAX];
	struct file_scan scan;
	int fd, e;

	file_path(path, j->dir, f->number);
	fd = f->lost ? -1 : disk->open(j->env->disk_self, path, O_RDWR);
	if (fd < 0)
		return find_end(j, f);
	if (f->size < h->size && h->number != 0) {
		first_time(j, position_make(f->number, UINT32_MAX));
		log_error(part, "%s: its end has been cut off", path);
	}
	e = scan_file(j, fd, f, &scan);
	j->stats.durable = position_make(f->number, f->end);
	if (e == 0 && scan.frames_end > FILE_DATA)
		j->stats.durable = position_make(f->number, scan.frames_end);
	if (e == 0 && cut_tail(j, fd, f, &scan) == 0 && h->number != 0 &&
	    f->size >= h->size) {
		j->fd = fd;
		j->number = f->number;
		j->nonce = f->nonce;
		j->size = h->size;
		j->end = f->end;
		j->marked = f->end > scan.frames_end;
		return 0;
	}
	disk->close(j->env->disk_self, fd);
	if (e == ERR_IO)
		f->lost = true;
	return e == ERR_IO ? 0 : e;
}

/* Fills the table of files from what the folder has. */
static int take_files(struct journal *j, const struct listing *l,
		      struct diag *diag)
{
	struct file_header h = { 0 };
	int e = 0;

	j->files = calloc(l->count + 16, sizeof(*j->files));
	if (!j->files)
		return ERR_NOMEM;
	j->file_cap = l->count + 16;
	for (size_t i = 0; i < l->count && e == 0; i++) {
		struct journal_file *f = &j->files[j->file_count++];
		struct journal_file *before = i > 0 ? f - 1 : NULL;

		e = look_at_file(j, l->numbers[i], diag, f, &h);
		if (e < 0 || !before)
			continue;
		before->closed = true;
		before->closed_ns = h.begun_ns ? h.begun_ns :
						 env_wall(j->env).ns;
		if (h.previous == before->number &&
		    h.previous_end >= FILE_DATA &&
		    h.previous_end % FRAME_ALIGN == 0)
			before->end = h.previous_end;
		else
			e = find_end(j, before);
	}
	if (e == 0 && l->count > 0) {
		j->next_number = l->numbers[l->count - 1];
		e = take_last(j, &j->files[l->count - 1], &h);
	}
	j->next_number++;
	return e;
}

int journal_recover(struct journal *j, struct diag *diag)
{
	struct listing l = { .j = j };
	uint64_t least = j->options.least_position;
	int e = list_files(j, &l);

	if (e < 0) {
		free(l.numbers);
		return diag_set(diag, e, "%s: cannot be made or read", j->dir);
	}
	e = take_files(j, &l, diag);
	free(l.numbers);
	if (e == ERR_VERSION)
		return e;
	if (e < 0)
		return diag_set(diag, e, "%s: %s", j->dir, err_text(e));
	/* Views were further on: the newest files are gone. */
	if (position_file(least) >= j->next_number)
		j->next_number = position_file(least) + 1;
	if (j->fd >= 0 && position_make(j->number, j->end) >= least)
		return 0;
	/* A full disk does not stop the start: what is there can be read. */
	e = journal_begin_file(j, 0);
	if (e == 0 && j->stats.durable == 0)
		j->stats.durable = position_make(j->number, FILE_DATA);
	if (e < 0) {
		log_error(part, "%s: %s; writes are refused", j->dir,
			  err_text(e));
		j->stats.full = true;
		j->probed = env_mono(j->env);
	}
	return e == ERR_NOMEM ? diag_set(diag, e, "journal: out of memory") : 0;
}
