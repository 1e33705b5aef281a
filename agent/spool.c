/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "agent/ids.h"
#include "agent/whole.h"
#include "core/base/hash.h"
#include "core/wire/native.h"

#define SPOOL_MAGIC "TSSP"

struct entry {
	uint64_t sequence;
	uint64_t size; /* of the file */
};

struct spool {
	const struct env *env;
	char dir[SPOOL_PATH_MAX];
	char producer[SPOOL_PRODUCER_SIZE];
	int lock_fd;
	uint64_t bytes_max;
	pthread_mutex_t lock;
	struct entry *entries; /* ascending; the first `gone` are no more */
	size_t count, cap, gone;
	uint64_t last;      /* highest sequence ever used */
	uint64_t done_mark; /* NNN.done that exists; 0: none */
	struct spool_stats stats;
	struct buf scratch;
};

static int path_of(const struct spool *s, char *out, const char *name)
{
	int n = snprintf(out, SPOOL_PATH_MAX, "%s/%s", s->dir, name);

	return n < SPOOL_PATH_MAX ? 0 : ERR_LIMIT;
}

static int file_path(const struct spool *s, char *out, const char *folder,
		     uint64_t sequence, const char *ending)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%020" PRIu64 ".%s", folder, sequence,
		 ending);
	return path_of(s, out, name);
}

/* The producer's name, made once. */
static int load_producer(struct spool *s)
{
	char path[SPOOL_PATH_MAX];
	char tmp[SPOOL_PATH_MAX];
	uint8_t raw[16];
	int e = path_of(s, path, "producer");

	if (e == 0)
		e = path_of(s, tmp, "producer.tmp");
	if (e < 0)
		return e;
	e = whole_read(s->env, path, &s->scratch, 4096);
	if (e == 0) {
		struct sv text = sv_trim(buf_view(&s->scratch));

		if (!sv_to_hex(text, raw, sizeof(raw)))
			return ERR_CORRUPT;
		memcpy(s->producer, text.ptr, text.len);
		return 0;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	id_hex(s->producer, sizeof(raw));
	return env_err(whole_write(s->env, s->dir, tmp, path, s->producer,
				   SPOOL_PRODUCER_SIZE - 1));
}

/* --- what is there at the start -------------------------------------------- */

static int add_entry(struct spool *s, uint64_t sequence, uint64_t size)
{
	if (s->count == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct entry *more;

		if (s->gone > s->count / 2) { /* room in front */
			memmove(s->entries, s->entries + s->gone,
				(s->count - s->gone) * sizeof(*s->entries));
			s->count -= s->gone;
			s->gone = 0;
		} else {
			if (cap > SPOOL_FILES_MAX)
				return ERR_FULL;
			more = realloc(s->entries, cap * sizeof(*more));
			if (!more)
				return ERR_NOMEM;
			s->entries = more;
			s->cap = cap;
		}
	}
	s->entries[s->count++] =
		(struct entry){ .sequence = sequence, .size = size };
	s->stats.files++;
	s->stats.bytes += size;
	return 0;
}

struct listing {
	struct spool *spool;
	int e;
};

static void on_file(void *arg, const char *name)
{
	struct listing *l = arg;
	struct spool *s = l->spool;
	char path[SPOOL_PATH_MAX];
	struct sv rest = sv_from(name);
	struct sv number = sv_cut(&rest, '.');
	uint64_t sequence;

	if (l->e < 0 || number.len != 20 || !sv_to_u64(number, &sequence) ||
	    !sequence)
		return;
	l->e = path_of(s, path, name);
	if (l->e < 0)
		return;
	if (sv_eq(rest, SV("tmp"))) { /* never sent, its number is free */
		s->env->disk->unlink(s->env->disk_self, path);
		return;
	}
	if (sv_eq(rest, SV("done"))) {
		uint64_t lower = sequence < s->done_mark ? sequence :
							   s->done_mark;

		if (lower && file_path(s, path, "", lower, "done") == 0)
			s->env->disk->unlink(s->env->disk_self, path);
		if (sequence > s->done_mark)
			s->done_mark = sequence;
	} else if (sv_eq(rest, SV("batch"))) {
		l->e = add_entry(s, sequence, whole_size(s->env, path));
	} else {
		return;
	}
	if (sequence > s->last)
		s->last = sequence;
}

/* The numbers of refused batches were used, too. */
static void on_refused(void *arg, const char *name)
{
	struct spool *s = arg;
	struct sv rest = sv_from(name);
	uint64_t sequence;

	if (sv_to_u64(sv_cut(&rest, '.'), &sequence) && sequence > s->last)
		s->last = sequence;
}

static int by_sequence(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static int load(struct spool *s)
{
	struct listing l = { .spool = s };
	char path[SPOOL_PATH_MAX];
	int e = path_of(s, path, "refused");

	if (e == 0)
		e = env_err(s->env->disk->list(s->env->disk_self, s->dir,
					       on_file, &l));
	if (e == 0)
		e = l.e;
	if (e == 0) {
		e = env_err(s->env->disk->list(s->env->disk_self, path,
					       on_refused, s));
		if (e == ERR_NOT_FOUND)
			e = 0;
	}
	if (e == 0 && s->count)
		qsort(s->entries, s->count, sizeof(*s->entries), by_sequence);
	return e;
}

/* Makes every folder of the path that is missing. */
static int make_folders(struct spool *s)
{
	const struct disk_ops *disk = s->env->disk;
	char path[SPOOL_PATH_MAX];
	int e;

	snprintf(path, sizeof(path), "%s", s->dir);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		disk->mkdir(s->env->disk_self, path); /* the last one tells */
		*p = '/';
	}
	e = disk->mkdir(s->env->disk_self, path);
	return e < 0 ? env_err(e) : 0;
}

static int take_lock(struct spool *s)
{
	char path[SPOOL_PATH_MAX];
	int e = path_of(s, path, "lock");

	if (e < 0)
		return e;
	s->lock_fd =
		s->env->disk->open(s->env->disk_self, path, O_RDWR | O_CREAT);
	if (s->lock_fd < 0)
		return env_err(s->lock_fd);
	/* Of the kernel, not of the file: it goes with the process. */
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;
	return 0;
}

int spool_open(struct spool **out, const struct env *env, const char *dir,
	       uint64_t bytes_max, struct diag *diag)
{
	struct spool *s = calloc(1, sizeof(*s));
	int e = ERR_LIMIT;

	if (!s)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	s->env = env;
	s->lock_fd = -1;
	s->bytes_max = bytes_max ? bytes_max : SPOOL_BYTES_DEFAULT;
	s->scratch.limit = SPOOL_BATCH_BYTES_MAX + SPOOL_HEADER_BYTES;
	pthread_mutex_init(&s->lock, NULL);
	if (snprintf(s->dir, sizeof(s->dir), "%s", dir) < SPOOL_PATH_MAX - 64)
		e = make_folders(s);
	if (e == 0)
		e = take_lock(s);
	if (e == 0)
		e = load_producer(s);
	if (e == 0)
		e = load(s);
	if (e < 0) {
		spool_close(s);
		return diag_set(diag, e, "the spool %.150s: %s", dir,
				e == ERR_BUSY ? "another agent has it" :
						err_text(e));
	}
	*out = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	if (s->lock_fd >= 0)
		s->env->disk->close(s->env->disk_self, s->lock_fd);
	pthread_mutex_destroy(&s->lock);
	buf_fini(&s->scratch);
	free(s->entries);
	free(s);
}

const char *spool_producer(const struct spool *s)
{
	return s->producer;
}

const char *spool_dir(const struct spool *s)
{
	return s->dir;
}

bool spool_has_room(struct spool *s)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->stats.bytes + SPOOL_MARGIN_BYTES <= s->bytes_max &&
	       s->count - s->gone < SPOOL_FILES_MAX / 2;
	pthread_mutex_unlock(&s->lock);
	return room;
}

/* --- writing ---------------------------------------------------------------- */

static int render(struct spool *s, uint64_t sequence,
		  const struct records *records)
{
	uint8_t *header;
	struct sv body;
	int e;

	buf_reset(&s->scratch);
	header = (uint8_t *)buf_grow(&s->scratch, SPOOL_HEADER_BYTES);
	if (!header)
		return ERR_NOMEM;
	memset(header, 0, SPOOL_HEADER_BYTES);
	s->scratch.len = SPOOL_HEADER_BYTES;
	e = native_encode(&s->scratch, sv_from(s->producer), sequence, records);
	if (e < 0)
		return e;
	header = (uint8_t *)s->scratch.ptr; /* it may have moved */
	body = sv_make(s->scratch.ptr + SPOOL_HEADER_BYTES,
		       s->scratch.len - SPOOL_HEADER_BYTES);
	memcpy(header, SPOOL_MAGIC, 4);
	put_le32(header + 4, SPOOL_FORMAT);
	put_le64(header + 8, body.len);
	put_le64(header + 16, hash64(body));
	return 0;
}

/* With the lock held. The number is used only when the batch is durable. A
 * failing sync of the folder leaves the file: it may or may not be there after
 * a crash, so it counts as there; its bytes are never made anew. */
static int put_locked(struct spool *s, const struct records *records)
{
	uint64_t sequence = s->last + 1;
	char path[SPOOL_PATH_MAX];
	char tmp[SPOOL_PATH_MAX];
	int e = render(s, sequence, records);

	if (e < 0)
		return e;
	if (s->stats.bytes + s->scratch.len > s->bytes_max) {
		s->stats.full++;
		return ERR_FULL;
	}
	e = file_path(s, tmp, "", sequence, "tmp");
	if (e == 0)
		e = file_path(s, path, "", sequence, "batch");
	if (e == 0)
		e = add_entry(s, sequence, s->scratch.len);
	if (e < 0)
		return e;
	e = whole_write(s->env, s->dir, tmp, path, s->scratch.ptr,
			s->scratch.len);
	if (e < 0 && whole_size(s->env, path) == 0) {
		s->count--;
		s->stats.files--;
		s->stats.bytes -= s->scratch.len;
		s->stats.full += env_err(e) == ERR_FULL;
		return env_err(e);
	}
	s->last = sequence;
	s->stats.put++;
	return 0;
}

int spool_put(struct spool *s, const struct records *records, struct diag *diag)
{
	int e;

	pthread_mutex_lock(&s->lock);
	e = put_locked(s, records);
	pthread_mutex_unlock(&s->lock);
	if (e < 0)
		return diag_set(diag, e, "the spool %.150s: %s", s->dir,
				err_text(e));
	return 0;
}

/* --- reading ---------------------------------------------------------------- */

static bool is_whole(struct sv file)
{
	const uint8_t *h = (const uint8_t *)file.ptr;
	struct sv body;

	if (file.len < SPOOL_HEADER_BYTES || memcmp(h, SPOOL_MAGIC, 4) ||
	    get_le32(h + 4) != SPOOL_FORMAT)
		return false;
	body = sv_make(file.ptr + SPOOL_HEADER_BYTES,
		       file.len - SPOOL_HEADER_BYTES);
	return get_le64(h + 8) == body.len && get_le64(h + 16) == hash64(body);
}

static void drop_first(struct spool *s)
{
	struct entry *first = &s->entries[s->gone++];

	s->stats.files--;
	s->stats.bytes -= first->size;
	if (s->gone == s->count)
		s->gone = s->count = 0;
}

static int refuse_locked(struct spool *s)
{
	uint64_t sequence = s->entries[s->gone].sequence;
	char from[SPOOL_PATH_MAX];
	char to[SPOOL_PATH_MAX];
	int e = path_of(s, to, "refused");

	if (e == 0)
		e = file_path(s, from, "", sequence, "batch");
	if (e < 0)
		return e;
	e = env_err(s->env->disk->mkdir(s->env->disk_self, to));
	if (e == 0)
		e = file_path(s, to, "refused/", sequence, "batch");
	if (e == 0)
		e = env_err(s->env->disk->rename(s->env->disk_self, from, to));
	if (e < 0)
		return e;
	drop_first(s);
	return 0;
}

static int oldest_locked(struct spool *s, uint64_t *sequence, struct buf *bytes)
{
	for (;;) {
		char path[SPOOL_PATH_MAX];
		int e;

		if (s->gone == s->count)
			return ERR_NOT_FOUND;
		*sequence = s->entries[s->gone].sequence;
		e = file_path(s, path, "", *sequence, "batch");
		if (e == 0)
			e = whole_read(s->env, path, &s->scratch,
				       s->scratch.limit);
		if (e < 0 && e != ERR_CORRUPT)
			return e;
		if (e == 0 && is_whole(buf_view(&s->scratch))) {
			buf_reset(bytes);
			buf_add(bytes, s->scratch.ptr + SPOOL_HEADER_BYTES,
				s->scratch.len - SPOOL_HEADER_BYTES);
			return bytes->failed ? ERR_NOMEM : 0;
		}
		s->stats.damaged++;
		e = refuse_locked(s);
		if (e < 0)
			return e;
	}
}

int spool_oldest(struct spool *s, uint64_t *sequence, struct buf *bytes)
{
	int e;

	pthread_mutex_lock(&s->lock);
	e = oldest_locked(s, sequence, bytes);
	pthread_mutex_unlock(&s->lock);
	return e;
}

/* The file with the highest number is renamed, so that the number outlives it;
 * the mark before it may go then. A crash in between leaves both, or the batch
 * still to be sent: the collector knows it. */
static int done_locked(struct spool *s, uint64_t sequence)
{
	const struct disk_ops *disk = s->env->disk;
	void *self = s->env->disk_self;
	char path[SPOOL_PATH_MAX];
	char mark[SPOOL_PATH_MAX];
	int e = file_path(s, path, "", sequence, "batch");

	if (e < 0)
		return e;
	if (sequence != s->last) {
		e = env_err(disk->unlink(self, path));
	} else {
		e = file_path(s, mark, "", sequence, "done");
		if (e == 0)
			e = env_err(disk->rename(self, path, mark));
	}
	if (e < 0)
		return e;
	drop_first(s);
	s->stats.done++;
	if (s->done_mark && s->done_mark < s->last) {
		e = file_path(s, mark, "", s->done_mark, "done");
		if (e == 0)
			disk->unlink(self, mark);
		s->done_mark = 0;
	}
	if (sequence == s->last)
		s->done_mark = sequence;
	return 0;
}

int spool_done(struct spool *s, uint64_t sequence)
{
	int e;

	pthread_mutex_lock(&s->lock);
	assert(s->gone < s->count && s->entries[s->gone].sequence == sequence);
	e = done_locked(s, sequence);
	pthread_mutex_unlock(&s->lock);
	return e;
}

int spool_refuse(struct spool *s, uint64_t sequence)
{
	int e;

	pthread_mutex_lock(&s->lock);
	assert(s->gone < s->count && s->entries[s->gone].sequence == sequence);
	e = refuse_locked(s);
	s->stats.refused += e == 0;
	pthread_mutex_unlock(&s->lock);
	return e;
}

struct spool_stats spool_stats(struct spool *s)
{
	struct spool_stats stats;

	pthread_mutex_lock(&s->lock);
	stats = s->stats;
	pthread_mutex_unlock(&s->lock);
	return stats;
}
