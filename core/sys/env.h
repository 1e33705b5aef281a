/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock and the disk behind small tables of functions, so that a test can
 * put a simulated one in their place: time that stands still or jumps, a disk
 * that is full, loses what was not synced, or fails an fsync once. What reads
 * time or touches the data folder takes a struct env and calls nothing else.
 *
 * Two types of time, because mixing them is the classic error: an instant is
 * monotonic and only good for differences, a wall is the calendar (UTC, since
 * 1970).
 */
#ifndef TALLY_CORE_SYS_ENV_H
#define TALLY_CORE_SYS_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct instant {
	uint64_t ns;
};

struct wall {
	int64_t ns;
};

#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

struct clock_ops {
	struct wall (*wall)(void *self);
	struct instant (*mono)(void *self);
};

enum { DISK_BLOCK = 4096 };

/* Every function returns 0 or more on success and -errno otherwise. fd values
 * belong to the disk that gave them. Paths are as the caller built them, from
 * hashes and numbers, never from foreign bytes. */
struct disk_ops {
	int (*open)(void *self, const char *path, int flags);
	int (*close)(void *self, int fd);
	/* All of it or an error; a short read means the end of the file and
	 * returns the bytes read. */
	int64_t (*pread)(void *self, int fd, void *buf, size_t n, uint64_t at);
	/* All n bytes or an error. */
	int (*pwrite)(void *self, int fd, const void *buf, size_t n,
		      uint64_t at);
	/* Whether writes go past the system's cache from now on, in multiples
	 * of DISK_BLOCK from such places of file and memory. An error: this
	 * file system cannot, and nothing has changed. */
	int (*direct)(void *self, int fd, bool on);
	int (*datasync)(void *self, int fd);
	int (*allocate)(void *self, int fd, uint64_t size);
	int (*truncate)(void *self, int fd, uint64_t size);
	int64_t (*size)(void *self, int fd);
	int (*rename)(void *self, const char *from, const char *to);
	int (*unlink)(void *self, const char *path);
	int (*mkdir)(void *self, const char *path); /* exists already: 0 */
	int (*sync_dir)(void *self, const char *path);
	/* Calls each(arg, name) for every entry but . and .. */
	int (*list)(void *self, const char *path,
		    void (*each)(void *arg, const char *name), void *arg);
	int64_t (*free_bytes)(void *self, const char *path);
};

struct env {
	const struct clock_ops *clock;
	const struct disk_ops *disk;
	void *clock_self;
	void *disk_self;
};

/* The machine's own clock and disk. */
const struct env *env_posix(void);

static inline struct wall env_wall(const struct env *e)
{
	return e->clock->wall(e->clock_self);
}

static inline struct instant env_mono(const struct env *e)
{
	return e->clock->mono(e->clock_self);
}

/* A negative -errno as an enum err: ENOSPC and EDQUOT are ERR_FULL, ENOENT is
 * ERR_NOT_FOUND, the rest ERR_IO. */
int env_err(int64_t negative_errno);

#endif
