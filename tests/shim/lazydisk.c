/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program, holds what it writes below a folder in the
 * process's memory until the file is synced, as a disk's cache would: kill -9
 * then loses what was not synced, which without this lives on in the page
 * cache. Shows whether a program acknowledges before it syncs.
 *
 *   LAZYDISK_PATH    held are files with this in their path; "/journal/"
 *   LAZYDISK_NOSYNC  1: a sync returns 0 and writes nothing (a planted bug)
 *
 * Knows pwrite, pread, fdatasync, fsync, ftruncate, open and fcntl, which is
 * what the journal uses. Reads see what is held. A file is known by its inode, so that
 * two descriptors of one file agree.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FDS_MAX = 4096 };

struct piece {
	struct piece *next; /* newest first */
	dev_t dev;
	ino_t ino;
	off_t at;
	size_t size;
	char bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct piece *pieces;
static bool held[FDS_MAX];

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static bool is_held(int fd)
{
	return fd >= 0 && fd < FDS_MAX && held[fd];
}

static bool same(const struct piece *p, const struct stat *st)
{
	return p->dev == st->st_dev && p->ino == st->st_ino;
}

/* Forgets pieces at or behind `from`. */
static void drop(const struct stat *st, off_t from)
{
	for (struct piece **p = &pieces; *p;) {
		struct piece *gone = *p;

		if (!same(gone, st) || gone->at < from) {
			p = &gone->next;
			continue;
		}
		*p = gone->next;
		free(gone);
	}
}

static int note_open(int fd, const char *path, int flags)
{
	const char *part = getenv("LAZYDISK_PATH");
	struct stat st;

	if (fd < 0 || fd >= FDS_MAX)
		return fd;
	pthread_mutex_lock(&lock);
	held[fd] = strstr(path, part ? part : "/journal/") != NULL;
	if (held[fd] && (flags & O_TRUNC) && fstat(fd, &st) == 0)
		drop(&st, 0);
	pthread_mutex_unlock(&lock);
	return fd;
}

#define OPEN(name)                                                             \
	int name(const char *path, int flags, ...)                             \
	{                                                                      \
		int (*f)(const char *, int, ...) =                             \
			(int (*)(const char *, int, ...))real(#name);          \
		va_list ap;                                                    \
		mode_t mode;                                                   \
                                                                               \
		va_start(ap, flags);                                           \
		mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0; \
		va_end(ap);                                                    \
		return note_open(f(path, flags, mode), path, flags);           \
	}
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
OPEN(open)
OPEN(open64)

static ssize_t hold(int fd, const void *bytes, size_t n, off_t at)
{
	struct piece *p = malloc(sizeof(*p) + n);
	struct stat st;

	if (!p || fstat(fd, &st) < 0) {
		free(p);
		errno = ENOMEM;
		return -1;
	}
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	p->at = at;
	p->size = n;
	memcpy(p->bytes, bytes, n);
	pthread_mutex_lock(&lock);
	p->next = pieces;
	pieces = p;
	pthread_mutex_unlock(&lock);
	return (ssize_t)n;
}

static ssize_t write_through(int fd, const void *bytes, size_t n, off_t at)
{
	ssize_t (*f)(int, const void *, size_t, off_t) =
		(ssize_t(*)(int, const void *, size_t, off_t))real("pwrite64");

	return f(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	return is_held(fd) ? hold(fd, bytes, n, at) :
			     write_through(fd, bytes, n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite64(fd, bytes, n, at);
}

/* Oldest first, so that the newest bytes win. */
static void overlay(const struct piece *p, const struct stat *st, char *out,
		    off_t at, size_t n)
{
	off_t from, to;

	if (!p)
		return;
	overlay(p->next, st, out, at, n);
	if (!same(p, st))
		return;
	from = p->at > at ? p->at : at;
	to = p->at + (off_t)p->size < at + (off_t)n ? p->at + (off_t)p->size :
						      at + (off_t)n;
	if (from < to)
		memcpy(out + (from - at), p->bytes + (from - p->at),
		       (size_t)(to - from));
}

ssize_t pread64(int fd, void *bytes, size_t n, off64_t at)
{
	ssize_t (*f)(int, void *, size_t, off_t) =
		(ssize_t(*)(int, void *, size_t, off_t))real("pread64");
	ssize_t got = f(fd, bytes, n, at);
	struct stat st;

	if (got <= 0 || !is_held(fd) || fstat(fd, &st) < 0)
		return got;
	pthread_mutex_lock(&lock);
	overlay(pieces, &st, bytes, at, (size_t)got);
	pthread_mutex_unlock(&lock);
	return got;
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
	return pread64(fd, bytes, n, at);
}

static int write_pieces(int fd, struct piece *p, const struct stat *st)
{
	int e;

	if (!p)
		return 0;
	e = write_pieces(fd, p->next, st);
	if (e == 0 && same(p, st) &&
	    write_through(fd, p->bytes, p->size, p->at) != (ssize_t)p->size)
		e = -1;
	return e;
}

static int sync_fd(int fd)
{
	const char *nosync = getenv("LAZYDISK_NOSYNC");
	struct stat st;
	int e;

	if (nosync && *nosync == '1')
		return 0;
	if (fstat(fd, &st) < 0)
		return -1;
	pthread_mutex_lock(&lock);
	e = write_pieces(fd, pieces, &st);
	drop(&st, 0);
	pthread_mutex_unlock(&lock);
	return e;
}

/* What is held is written at a sync from memory of any place, which a file that
 * takes blocks only would refuse; and there is no cache here to pass. */
int fcntl64(int fd, int command, ...)
{
	int (*f)(int, int, void *) = (int (*)(int, int, void *))real("fcntl64");
	void *argument;
	va_list ap;

	va_start(ap, command);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (command == F_SETFL && (intptr_t)argument & O_DIRECT)
		return 0;
	return f(fd, command, argument);
}

int fdatasync(int fd)
{
	int (*f)(int) = (int (*)(int))real("fdatasync");

	return is_held(fd) ? sync_fd(fd) : f(fd);
}

int fsync(int fd)
{
	int (*f)(int) = (int (*)(int))real("fsync");

	return is_held(fd) ? sync_fd(fd) : f(fd);
}

int ftruncate64(int fd, off64_t size)
{
	int (*f)(int, off_t) = (int (*)(int, off_t))real("ftruncate64");
	struct stat st;

	if (is_held(fd) && fstat(fd, &st) == 0) {
		pthread_mutex_lock(&lock);
		drop(&st, size);
		pthread_mutex_unlock(&lock);
	}
	return f(fd, size);
}
