/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/whole.h"

#include <fcntl.h>

int whole_write(const struct env *env, const char *dir, const char *tmp,
		const char *path, const void *bytes, size_t n)
{
	const struct disk_ops *disk = env->disk;
	void *self = env->disk_self;
	int fd = disk->open(self, tmp, O_WRONLY | O_CREAT | O_TRUNC);
	int e;

	if (fd < 0)
		return fd;
	e = disk->pwrite(self, fd, bytes, n, 0);
	if (e >= 0)
		e = disk->datasync(self, fd);
	disk->close(self, fd);
	if (e >= 0)
		e = disk->rename(self, tmp, path);
	if (e < 0) {
		disk->unlink(self, tmp);
		return e;
	}
	return disk->sync_dir(self, dir);
}

int whole_read(const struct env *env, const char *path, struct buf *out,
	       size_t limit)
{
	const struct disk_ops *disk = env->disk;
	void *self = env->disk_self;
	int fd = disk->open(self, path, O_RDONLY);
	int64_t size;
	char *to;

	if (fd < 0)
		return env_err(fd);
	size = disk->size(self, fd);
	buf_reset(out);
	to = size >= 0 && size <= (int64_t)limit ? buf_grow(out, (size_t)size) :
						   NULL;
	if (!to) {
		disk->close(self, fd);
		return size < 0 ? env_err(size) : ERR_CORRUPT;
	}
	size = disk->pread(self, fd, to, (size_t)size, 0);
	disk->close(self, fd);
	if (size < 0)
		return env_err(size);
	out->len = (size_t)size;
	return 0;
}

uint64_t whole_size(const struct env *env, const char *path)
{
	int fd = env->disk->open(env->disk_self, path, O_RDONLY);
	int64_t size;

	if (fd < 0)
		return 0;
	size = env->disk->size(env->disk_self, fd);
	env->disk->close(env->disk_self, fd);
	return size > 0 ? (uint64_t)size : 0;
}
