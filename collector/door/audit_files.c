/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/audit_files.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#include "collector/door/audit_row.h"
#include "core/base/log.h"
#include "core/codec/time_text.h"

static const char format_line[] = AUDIT_FORMAT "\n";

enum {
	FORMAT_BYTES = sizeof(format_line) - 1,
	SEQUENCE_DIGITS = 8,
	LISTED_MAX = 4 * AUDIT_FILES_MAX, /* more are not looked at */
	READ_MAX = AUDIT_FILE_BYTES + (1 << 20),
};

#define DAY_NS (86400 * NS_PER_S)

struct file {
	uint64_t sequence;
	uint64_t size;
	int64_t begun_ns; /* when its first line was written */
	int64_t last_ns;  /* and its last */
};

struct audit_files {
	const struct env *env;
	char dir[AUDIT_PATH_MAX - 64];
	char name[32];
	int fd;               /* of the newest; -1: the next append makes one */
	pthread_mutex_t lock; /* of what follows; readers copy it */
	size_t count;
	struct file files[LISTED_MAX + 1]; /* oldest first */
};

static void path_of(const struct audit_files *f, uint64_t sequence,
		    char path[AUDIT_PATH_MAX])
{
	snprintf(path, AUDIT_PATH_MAX, "%s/%s-%08llu.jsonl", f->dir, f->name,
		 (unsigned long long)sequence);
}

/* The time of a line, which begins with it; 0: it has none. */
static int64_t line_time(struct sv line)
{
	static const char head[] = "{\"time\":\"";
	size_t n = sizeof(head) - 1;
	int64_t ns = 0;

	if (!sv_starts(line, sv_make(head, n)))
		return 0;
	line = sv_make(line.ptr + n, line.len - n);
	return time_from_iso(sv_cut(&line, '"'), &ns) ? ns : 0;
}

/* --- opening ------------------------------------------------------------------ */

static void on_name(void *arg, const char *name)
{
	struct audit_files *f = arg;
	struct sv s = sv_from(name);
	struct sv prefix = sv_from(f->name);
	uint64_t sequence;

	if (f->count == LISTED_MAX || !s.ptr || !sv_starts(s, prefix))
		return;
	s = sv_make(s.ptr + prefix.len, s.len - prefix.len);
	if (s.len != 1 + SEQUENCE_DIGITS + strlen(".jsonl") ||
	    s.ptr[0] != '-' || !sv_ends(s, SV(".jsonl")) ||
	    !sv_to_u64(sv_make(s.ptr + 1, SEQUENCE_DIGITS), &sequence))
		return;
	f->files[f->count++].sequence = sequence;
}

static int by_sequence(const void *a, const void *b)
{
	const struct file *x = a;
	const struct file *y = b;

	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* Its size, and when its last line was written. False: it cannot be gone on
 * with. */
static bool look(struct audit_files *f, struct file *file)
{
	const struct disk_ops *disk = f->env->disk;
	void *self = f->env->disk_self;
	char path[AUDIT_PATH_MAX], head[FORMAT_BYTES];
	char tail[AUDIT_LINE_MAX];
	int64_t size, got = -1;
	struct sv line;
	bool ours;
	int fd;

	path_of(f, file->sequence, path);
	fd = disk->open(self, path, O_RDONLY);
	if (fd < 0)
		return false;
	size = disk->size(self, fd);
	ours = size >= FORMAT_BYTES &&
	       disk->pread(self, fd, head, FORMAT_BYTES, 0) == FORMAT_BYTES &&
	       !memcmp(head, format_line, FORMAT_BYTES);
	if (ours) {
		uint64_t from = size > AUDIT_LINE_MAX ?
					(uint64_t)size - AUDIT_LINE_MAX :
					0;

		got = disk->pread(self, fd, tail, sizeof(tail), from);
	}
	disk->close(self, fd);
	file->size = size > 0 ? (uint64_t)size : 0;
	line = sv_make(tail, got > 0 ? (size_t)got : 0);
	while (line.len) {
		struct sv one = sv_cut(&line, '\n');

		if (line_time(one))
			file->last_ns = line_time(one);
	}
	file->begun_ns = file->last_ns;
	return ours && got >= 0;
}

static void drop_oldest(struct audit_files *f)
{
	const struct disk_ops *disk = f->env->disk;
	char path[AUDIT_PATH_MAX];

	path_of(f, f->files[0].sequence, path);
	/* A file that stays is found at the next start. */
	(void)disk->unlink(f->env->disk_self, path);
	pthread_mutex_lock(&f->lock);
	f->count--;
	memmove(f->files, f->files + 1, f->count * sizeof(f->files[0]));
	pthread_mutex_unlock(&f->lock);
}

/* The newest file again, so that a start does not cost one. */
static void go_on(struct audit_files *f)
{
	const struct disk_ops *disk = f->env->disk;
	struct file *file = &f->files[f->count - 1];
	char path[AUDIT_PATH_MAX], last = 0;

	path_of(f, file->sequence, path);
	f->fd = disk->open(f->env->disk_self, path, O_RDWR);
	if (f->fd < 0) {
		f->fd = -1;
		return;
	}
	if (disk->pread(f->env->disk_self, f->fd, &last, 1, file->size - 1) !=
		    1 ||
	    (last != '\n' &&
	     disk->pwrite(f->env->disk_self, f->fd, "\n", 1, file->size++))) {
		disk->close(f->env->disk_self, f->fd);
		f->fd = -1;
	}
}

int audit_files_open(struct audit_files **out, const struct env *env,
		     const char *dir, const char *name, struct diag *diag)
{
	struct audit_files *f = calloc(1, sizeof(*f));
	bool usable = false;
	int e;

	if (!f)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	f->env = env;
	f->fd = -1;
	pthread_mutex_init(&f->lock, NULL);
	assert(strlen(dir) < sizeof(f->dir) && strlen(name) < sizeof(f->name));
	memcpy(f->dir, dir, strlen(dir) + 1);
	memcpy(f->name, name, strlen(name) + 1);
	e = env->disk->list(env->disk_self, dir, on_name, f);
	if (e) {
		audit_files_close(f);
		return diag_set(diag, env_err(e), "cannot read %s: %s", dir,
				strerror(-e));
	}
	qsort(f->files, f->count, sizeof(f->files[0]), by_sequence);
	for (size_t i = 0; i < f->count; i++)
		usable = look(f, &f->files[i]);
	if (usable && f->files[f->count - 1].size < AUDIT_FILE_BYTES)
		go_on(f);
	while (f->count > AUDIT_FILES_MAX)
		drop_oldest(f);
	*out = f;
	return 0;
}

void audit_files_close(struct audit_files *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		f->env->disk->close(f->env->disk_self, f->fd);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* --- writing -------------------------------------------------------------------- */

static int begin(struct audit_files *f, struct wall now)
{
	const struct disk_ops *disk = f->env->disk;
	void *self = f->env->disk_self;
	struct file fresh = { .sequence = 1,
			      .size = FORMAT_BYTES,
			      .begun_ns = now.ns };
	char path[AUDIT_PATH_MAX];
	int fd, e;

	if (f->count)
		fresh.sequence = f->files[f->count - 1].sequence + 1;
	path_of(f, fresh.sequence, path);
	fd = disk->open(self, path, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0)
		return env_err(fd);
	e = disk->pwrite(self, fd, format_line, FORMAT_BYTES, 0);
	if (!e)
		e = disk->sync_dir(self, f->dir);
	if (e) {
		disk->close(self, fd);
		(void)disk->unlink(self, path);
		return env_err(e);
	}
	if (f->count == AUDIT_FILES_MAX)
		drop_oldest(f);
	f->fd = fd;
	pthread_mutex_lock(&f->lock);
	f->files[f->count++] = fresh;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

/* The newest file has taken enough. */
static bool is_done(const struct audit_files *f, size_t more, struct wall now)
{
	const struct file *file = &f->files[f->count - 1];

	return file->size > FORMAT_BYTES &&
	       (file->size + more > AUDIT_FILE_BYTES ||
		now.ns - file->begun_ns > AUDIT_FILE_DAYS * DAY_NS);
}

int audit_files_append(struct audit_files *f, struct sv lines, struct wall now)
{
	const struct disk_ops *disk = f->env->disk;
	struct file *file;
	int e;

	assert(lines.len && lines.ptr[lines.len - 1] == '\n');
	if (f->fd >= 0 && is_done(f, lines.len, now)) {
		e = audit_files_sync(f);
		if (e)
			return e;
		disk->close(f->env->disk_self, f->fd);
		f->fd = -1;
	}
	e = f->fd < 0 ? begin(f, now) : 0;
	if (e)
		return e;
	/* Also over what an append that failed has left. */
	file = &f->files[f->count - 1];
	e = disk->pwrite(f->env->disk_self, f->fd, lines.ptr, lines.len,
			 file->size);
	if (e)
		return env_err(e);
	pthread_mutex_lock(&f->lock);
	file->size += lines.len;
	if (now.ns > file->last_ns)
		file->last_ns = now.ns;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

int audit_files_sync(struct audit_files *f)
{
	if (f->fd < 0)
		return 0;
	return env_err(f->env->disk->datasync(f->env->disk_self, f->fd));
}

void audit_files_expire(struct audit_files *f, int64_t now_ns)
{
	/* Never the one that is written. */
	while (f->count > (f->fd >= 0 ? 1 : 0) &&
	       f->files[0].last_ns < now_ns - AUDIT_DAYS * DAY_NS)
		drop_oldest(f);
}

uint64_t audit_files_bytes(struct audit_files *f)
{
	uint64_t bytes = 0;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->count; i++)
		bytes += f->files[i].size;
	pthread_mutex_unlock(&f->lock);
	return bytes;
}

/* --- reading --------------------------------------------------------------------- */

/* The lines of text from the last to the first, which is the format. */
static bool each_backwards(struct sv text,
			   bool (*each)(void *arg, struct sv line), void *arg)
{
	struct sv format = sv_make(format_line, FORMAT_BYTES);
	size_t end = text.len;

	if (!sv_starts(text, format))
		return true; /* of another version */
	while (end > format.len) {
		size_t from = end - 1;

		while (from > format.len && text.ptr[from - 1] != '\n')
			from--;
		if (end - 1 > from &&
		    !each(arg, sv_make(text.ptr + from, end - 1 - from)))
			return false;
		end = from;
	}
	return true;
}

/* *more: go on with an older one. */
static int read_file(const struct audit_files *f, const struct file *file,
		     struct buf *text, bool (*each)(void *arg, struct sv line),
		     void *arg, bool *more)
{
	const struct disk_ops *disk = f->env->disk;
	size_t size = file->size < READ_MAX ? file->size : READ_MAX;
	char path[AUDIT_PATH_MAX];
	int64_t got = 0;
	char *p;
	int fd;

	*more = true;
	path_of(f, file->sequence, path);
	fd = disk->open(f->env->disk_self, path, O_RDONLY);
	if (fd < 0) /* it may have gone in between */
		return env_err(fd) == ERR_NOT_FOUND ? 0 : env_err(fd);
	buf_reset(text);
	p = buf_grow(text, size);
	if (p)
		got = disk->pread(f->env->disk_self, fd, p, size, 0);
	disk->close(f->env->disk_self, fd);
	if (!p)
		return ERR_NOMEM;
	if (got < 0)
		return env_err(got);
	*more = each_backwards(sv_make(p, (size_t)got), each, arg);
	return 0;
}

int audit_files_read(struct audit_files *f, int64_t start_ns,
		     bool (*each)(void *arg, struct sv line), void *arg)
{
	struct buf text = { .limit = READ_MAX };
	struct file *files = calloc(LISTED_MAX + 1, sizeof(*files));
	bool more = true;
	size_t count;
	int e = 0;

	if (!files)
		return ERR_NOMEM;
	pthread_mutex_lock(&f->lock);
	count = f->count;
	memcpy(files, f->files, count * sizeof(*files));
	pthread_mutex_unlock(&f->lock);
	while (count-- && more && !e)
		/* A day's grace, for a clock that went back. */
		if (files[count].last_ns >= start_ns - DAY_NS)
			e = read_file(f, &files[count], &text, each, arg,
				      &more);
	buf_fini(&text);
	free(files);
	return e;
}
