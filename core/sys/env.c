/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sys/env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static struct wall posix_wall(void *self)
{
	struct timespec t;

	(void)self;
	clock_gettime(CLOCK_REALTIME, &t);
	return (struct wall){ t.tv_sec * NS_PER_S + t.tv_nsec };
}

static struct instant posix_mono(void *self)
{
	struct timespec t;

	(void)self;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct instant){ (uint64_t)(t.tv_sec * NS_PER_S + t.tv_nsec) };
}

static int posix_open(void *self, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0640);

	(void)self;
	return fd < 0 ? -errno : fd;
}

static int posix_close(void *self, int fd)
{
	(void)self;
	return close(fd) < 0 ? -errno : 0;
}

static int64_t posix_pread(void *self, int fd, void *buf, size_t n, uint64_t at)
{
	size_t done = 0;

	(void)self;
	while (done < n) {
		ssize_t got = pread(fd, (char *)buf + done, n - done,
				    (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (int64_t)done;
}

static int posix_pwrite(void *self, int fd, const void *buf, size_t n,
			uint64_t at)
{
	size_t done = 0;

	(void)self;
	while (done < n) {
		ssize_t put = pwrite(fd, (const char *)buf + done, n - done,
				     (off_t)(at + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		done += (size_t)put;
	}
	return 0;
}

static int posix_datasync(void *self, int fd)
{
	(void)self;
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int posix_direct(void *self, int fd, bool on)
{
	(void)self;
	return fcntl(fd, F_SETFL, on ? O_DIRECT : 0) < 0 ? -errno : 0;
}

static int posix_allocate(void *self, int fd, uint64_t size)
{
	int e = posix_fallocate(fd, 0, (off_t)size);

	(void)self;
	return -e;
}

static int posix_truncate(void *self, int fd, uint64_t size)
{
	(void)self;
	return ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
}

static int64_t posix_size(void *self, int fd)
{
	struct stat st;

	(void)self;
	return fstat(fd, &st) < 0 ? -errno : st.st_size;
}

static int posix_rename(void *self, const char *from, const char *to)
{
	(void)self;
	return rename(from, to) < 0 ? -errno : 0;
}

static int posix_unlink(void *self, const char *path)
{
	(void)self;
	return unlink(path) < 0 ? -errno : 0;
}

static int posix_mkdir(void *self, const char *path)
{
	(void)self;
	return mkdir(path, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static int posix_sync_dir(void *self, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int e = 0;

	(void)self;
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		e = -errno;
	close(fd);
	return e;
}

static int posix_list(void *self, const char *path,
		      void (*each)(void *arg, const char *name), void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	(void)self;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			each(arg, entry->d_name);
	closedir(dir);
	return 0;
}

static int64_t posix_free_bytes(void *self, const char *path)
{
	struct statvfs st;

	(void)self;
	if (statvfs(path, &st) < 0)
		return -errno;
	return (int64_t)st.f_bavail * (int64_t)st.f_frsize;
}

const struct env *env_posix(void)
{
	static const struct clock_ops clock = {
		.wall = posix_wall,
		.mono = posix_mono,
	};
	static const struct disk_ops disk = {
		.open = posix_open,
		.close = posix_close,
		.pread = posix_pread,
		.pwrite = posix_pwrite,
		.direct = posix_direct,
		.datasync = posix_datasync,
		.allocate = posix_allocate,
		.truncate = posix_truncate,
		.size = posix_size,
		.rename = posix_rename,
		.unlink = posix_unlink,
		.mkdir = posix_mkdir,
		.sync_dir = posix_sync_dir,
		.list = posix_list,
		.free_bytes = posix_free_bytes,
	};
	static const struct env env = { .clock = &clock, .disk = &disk };

	return &env;
}

int env_err(int64_t negative_errno)
{
	switch (-negative_errno) {
	case 0:
		return 0;
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	case ENOENT:
		return ERR_NOT_FOUND;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}
