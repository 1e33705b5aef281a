/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file, little-endian:
 *
 *    0 magic "TJCK"     4 format of this file  8 format of the image
 *   12 CRC of the image 16 position (64)      24 bytes of the image (64)
 *   32 the view's name, 24 bytes, padded with zeros
 *   56 zeros            60 CRC of 0..59
 *   64 the image
 */
#include "core/store/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/codec/deflate.h"

enum {
	CHECKPOINT_MAGIC = 0x4b434a54, /* "TJCK" */
	CHECKPOINT_FORMAT = 1,
	CHECKPOINT_HEADER = 64,
	CHECKPOINT_NAME_MAX = 24,
	CHECKPOINT_PATH_MAX = 4096,
};

static int write_and_sync(const struct env *env, const char *path,
			  const uint8_t header[CHECKPOINT_HEADER],
			  struct sv image)
{
	const struct disk_ops *disk = env->disk;
	int fd = disk->open(env->disk_self, path, O_RDWR | O_CREAT | O_TRUNC);
	int e, closed;

	if (fd < 0)
		return fd;
	e = disk->pwrite(env->disk_self, fd, header, CHECKPOINT_HEADER, 0);
	if (e == 0 && image.len > 0)
		e = disk->pwrite(env->disk_self, fd, image.ptr, image.len,
				 CHECKPOINT_HEADER);
	if (e == 0)
		e = disk->datasync(env->disk_self, fd);
	closed = disk->close(env->disk_self, fd);
	return e < 0 ? e : closed;
}

/* The folder of a path. */
static int sync_parent(const struct env *env, const char *path)
{
	char parent[CHECKPOINT_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		return env->disk->sync_dir(env->disk_self, ".");
	memcpy(parent, path, n);
	parent[n] = '\0';
	return env->disk->sync_dir(env->disk_self, n > 0 ? parent : "/");
}

int checkpoint_write(const struct env *env, const char *path, struct sv view,
		     uint32_t format, uint64_t position, struct sv image)
{
	uint8_t header[CHECKPOINT_HEADER] = { 0 };
	char tmp[CHECKPOINT_PATH_MAX];
	int e;

	if (image.len > CHECKPOINT_IMAGE_MAX ||
	    view.len > CHECKPOINT_NAME_MAX ||
	    strlen(path) > sizeof(tmp) - sizeof(".tmp"))
		return ERR_LIMIT;
	put_le32(header, CHECKPOINT_MAGIC);
	put_le32(header + 4, CHECKPOINT_FORMAT);
	put_le32(header + 8, format);
	put_le32(header + 12, crc32_add(0, image.ptr, image.len));
	put_le64(header + 16, position);
	put_le64(header + 24, image.len);
	memcpy(header + 32, view.ptr, view.len);
	put_le32(header + CHECKPOINT_HEADER - 4,
		 crc32_add(0, header, CHECKPOINT_HEADER - 4));
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	e = write_and_sync(env, tmp, header, image);
	if (e == 0)
		e = env->disk->rename(env->disk_self, tmp, path);
	if (e < 0) {
		env->disk->unlink(env->disk_self, tmp);
		return env_err(e);
	}
	/* Never ERR_FULL: see checkpoint_in_doubt. */
	return sync_parent(env, path) < 0 ? ERR_IO : 0;
}

/* The header holds and is this view's: the size of the image in *size. */
static int check_header(const uint8_t h[CHECKPOINT_HEADER], struct sv view,
			uint32_t format, uint64_t file_size, uint64_t *size)
{
	char name[CHECKPOINT_NAME_MAX] = { 0 };

	if (get_le32(h) != CHECKPOINT_MAGIC ||
	    get_le32(h + CHECKPOINT_HEADER - 4) !=
		    crc32_add(0, h, CHECKPOINT_HEADER - 4))
		return ERR_CORRUPT;
	if (get_le32(h + 4) > CHECKPOINT_FORMAT)
		return ERR_VERSION;
	if (view.len > sizeof(name))
		return ERR_LIMIT;
	memcpy(name, view.ptr, view.len);
	if (memcmp(h + 32, name, sizeof(name)) != 0)
		return ERR_CORRUPT;
	if (get_le32(h + 8) > format)
		return ERR_VERSION;
	*size = get_le64(h + 24);
	if (*size > CHECKPOINT_IMAGE_MAX ||
	    file_size != *size + CHECKPOINT_HEADER)
		return ERR_CORRUPT;
	return 0;
}

bool checkpoint_in_doubt(const struct env *env, const char *path,
			 struct sv view, uint32_t format, uint64_t position,
			 int err)
{
	const struct disk_ops *disk = env->disk;
	uint8_t header[CHECKPOINT_HEADER] = { 0 };
	int64_t file_size, n;
	uint64_t size;
	int fd;

	if (err != ERR_IO)
		return false;
	fd = disk->open(env->disk_self, path, O_RDONLY);
	if (fd < 0)
		return fd != -ENOENT;
	file_size = disk->size(env->disk_self, fd);
	n = disk->pread(env->disk_self, fd, header, sizeof(header), 0);
	disk->close(env->disk_self, fd);
	if (file_size < 0 || n < 0)
		return true;
	return check_header(header, view, format, (uint64_t)file_size, &size) ==
		       0 &&
	       get_le64(header + 16) == position;
}

static int read_fd(const struct env *env, int fd, struct sv view,
		   uint32_t format, uint64_t *position, struct buf *image)
{
	const struct disk_ops *disk = env->disk;
	uint8_t header[CHECKPOINT_HEADER] = { 0 };
	int64_t file_size = disk->size(env->disk_self, fd);
	size_t before = image->len;
	uint64_t size = 0;
	char *bytes;
	int64_t n;
	int e;

	n = disk->pread(env->disk_self, fd, header, sizeof(header), 0);
	if (file_size < 0 || n < 0)
		return ERR_IO;
	e = check_header(header, view, format, (uint64_t)file_size, &size);
	if (e < 0)
		return e;
	if (image->limit == 0) /* what could be written can be read */
		image->limit = CHECKPOINT_IMAGE_MAX;
	bytes = buf_grow(image, (size_t)size);
	if (!bytes)
		return ERR_NOMEM;
	n = disk->pread(env->disk_self, fd, bytes, (size_t)size,
			CHECKPOINT_HEADER);
	e = n < 0 ? ERR_IO : 0;
	if (e == 0 &&
	    ((uint64_t)n != size ||
	     crc32_add(0, bytes, (size_t)size) != get_le32(header + 12)))
		e = ERR_CORRUPT;
	if (e == 0) {
		*position = get_le64(header + 16);
		image->len = before + (size_t)size;
	} else {
		image->len = before;
	}
	image->ptr[image->len] = '\0';
	return e;
}

static void quarantine(const struct env *env, const char *path)
{
	char aside[CHECKPOINT_PATH_MAX + 64];

	snprintf(aside, sizeof(aside), "%s.damaged-%" PRId64, path,
		 (int64_t)(env_wall(env).ns / NS_PER_S));
	log_error("checkpoint", "%s: damaged; kept as %s", path, aside);
	if (env->disk->rename(env->disk_self, path, aside) < 0)
		log_error("checkpoint", "%s: cannot be renamed", path);
}

int checkpoint_read(const struct env *env, const char *path, struct sv view,
		    uint32_t format, uint64_t *position, struct buf *image)
{
	int fd = env->disk->open(env->disk_self, path, O_RDONLY);
	int e;

	if (fd < 0)
		return env_err(fd);
	e = read_fd(env, fd, view, format, position, image);
	env->disk->close(env->disk_self, fd);
	if (e == ERR_CORRUPT)
		quarantine(env, path);
	return e;
}
