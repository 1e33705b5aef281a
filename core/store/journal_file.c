/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store/journal_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/deflate.h"

/* Refused lists are handed to readers where they lie. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "a big-endian machine must swap refused lists");
_Static_assert(sizeof(((struct scope *)0)->region) == 24, "frame header");

/* --- frames ---------------------------------------------------------------- */

uint64_t frame_bytes(uint32_t body_bytes, uint32_t refused_count)
{
	uint64_t n = FRAME_HEADER_BYTES + 4ULL * refused_count + body_bytes;

	return (n + FRAME_ALIGN - 1) & ~(uint64_t)(FRAME_ALIGN - 1);
}

uint32_t frame_crc(const struct frame *frame)
{
	uint32_t crc = crc32_add(0, frame->refused, 4 * frame->refused_count);

	if (frame->prefix.len > 0)
		crc = crc32_add(crc, frame->prefix.ptr, frame->prefix.len);
	return crc32_add(crc, frame->body.ptr, frame->body.len);
}

void frame_write(uint8_t *out, const struct frame *frame, uint32_t crc)
{
	uint32_t body_bytes = (uint32_t)(frame->prefix.len + frame->body.len);
	uint32_t refused_count = (uint32_t)frame->refused_count;
	size_t refused_bytes = 4 * frame->refused_count;
	size_t body_at = FRAME_HEADER_BYTES + refused_bytes;
	size_t used = body_at + body_bytes;

	memset(out, 0, FRAME_HEADER_BYTES);
	put_le32(out, FRAME_MAGIC);
	put_le32(out + 24, body_bytes);
	put_le32(out + 28, refused_count);
	put_le32(out + 32, crc);
	out[36] = (uint8_t)frame->protocol;
	out[37] = frame->decoder;
	put_le64(out + 40, (uint64_t)frame->received.ns);
	put_le64(out + 48, frame->scope.account);
	memcpy(out + 56, frame->scope.region,
	       strnlen(frame->scope.region, REGION_MAX - 1));
	if (refused_bytes > 0)
		memcpy(out + FRAME_HEADER_BYTES, frame->refused, refused_bytes);
	if (frame->prefix.len > 0)
		memcpy(out + body_at, frame->prefix.ptr, frame->prefix.len);
	if (frame->body.len > 0)
		memcpy(out + body_at + frame->prefix.len, frame->body.ptr,
		       frame->body.len);
	memset(out + used, 0, frame_bytes(body_bytes, refused_count) - used);
}

void frame_place(uint8_t *out, uint32_t file, uint32_t offset, uint32_t nonce,
		 uint32_t durable)
{
	assert(offset % FRAME_ALIGN == 0 && offset >= FILE_DATA);
	put_le32(out + 8, file);
	put_le32(out + 12, offset);
	put_le32(out + 16, nonce);
	put_le32(out + 20, durable);
	put_le32(out + 4, crc32_add(0, out + 8, FRAME_HEADER_BYTES - 8));
}

void frame_write_mark(uint8_t out[FRAME_HEADER_BYTES], int64_t now_ns)
{
	const struct frame mark = {
		.protocol = (enum protocol)PROTOCOL_MARK,
		.received = { now_ns },
	};

	frame_write(out, &mark, 0);
}

bool frame_read_header(const uint8_t *bytes, struct frame_place place,
		       uint64_t offset, uint64_t end, struct frame_header *out)
{
	uint64_t n;

	if (get_le32(bytes) != FRAME_MAGIC ||
	    get_le32(bytes + 12) != (uint32_t)offset ||
	    get_le32(bytes + 8) != place.file ||
	    (!place.any_nonce && get_le32(bytes + 16) != place.nonce) ||
	    get_le32(bytes + 4) !=
		    crc32_add(0, bytes + 8, FRAME_HEADER_BYTES - 8))
		return false;
	out->file = place.file;
	out->offset = (uint32_t)offset;
	out->nonce = get_le32(bytes + 16);
	out->durable = get_le32(bytes + 20);
	out->body_bytes = get_le32(bytes + 24);
	out->refused_count = get_le32(bytes + 28);
	out->crc = get_le32(bytes + 32);
	out->protocol = bytes[36];
	out->decoder = bytes[37];
	out->received_ns = (int64_t)get_le64(bytes + 40);
	out->account = get_le64(bytes + 48);
	memcpy(out->region, bytes + 56, REGION_MAX);
	out->region[REGION_MAX - 1] = '\0';
	n = frame_bytes(out->body_bytes, out->refused_count);
	return n <= FRAME_BYTES_MAX && n <= end - offset;
}

bool frame_rest_holds(const struct frame_header *h, const uint8_t *rest)
{
	return crc32_add(0, rest,
			 4 * (size_t)h->refused_count + h->body_bytes) ==
	       h->crc;
}

/* --- files ----------------------------------------------------------------- */

void file_path(char out[JOURNAL_PATH_MAX], const char *dir, uint32_t number)
{
	snprintf(out, JOURNAL_PATH_MAX, "%s/%010u.journal", dir, number);
}

uint32_t file_number(const char *name)
{
	uint64_t n;

	if (strlen(name) != 10 + strlen(".journal") ||
	    strcmp(name + 10, ".journal") != 0 ||
	    !sv_to_u64(sv_make(name, 10), &n) || n > UINT32_MAX)
		return 0;
	return (uint32_t)n;
}

int file_write_header(const struct env *env, int fd,
		      const struct file_header *h)
{
	uint8_t page[FILE_DATA] = { 0 };

	put_le32(page, FILE_MAGIC);
	put_le32(page + 4, JOURNAL_FORMAT);
	put_le32(page + 8, h->number);
	put_le32(page + 12, h->nonce);
	put_le64(page + 16, h->size);
	put_le64(page + 24, (uint64_t)h->begun_ns);
	put_le32(page + 32, h->previous);
	put_le32(page + 36, h->previous_end);
	put_le32(page + FILE_HEADER_BYTES - 4,
		 crc32_add(0, page, FILE_HEADER_BYTES - 4));
	memcpy(page + FILE_HEADER_COPY, page, FILE_HEADER_BYTES);
	return env->disk->pwrite(env->disk_self, fd, page, sizeof(page), 0);
}

int file_read_header(const struct env *env, int fd, uint32_t number,
		     struct file_header *out)
{
	uint8_t page[FILE_DATA] = { 0 };
	int64_t n = env->disk->pread(env->disk_self, fd, page, sizeof(page), 0);

	if (n < 0)
		return ERR_IO;
	for (size_t at = 0; at <= FILE_HEADER_COPY; at += FILE_HEADER_COPY) {
		const uint8_t *p = page + at;

		if (get_le32(p) != FILE_MAGIC ||
		    get_le32(p + FILE_HEADER_BYTES - 4) !=
			    crc32_add(0, p, FILE_HEADER_BYTES - 4))
			continue;
		if (get_le32(p + 4) > JOURNAL_FORMAT)
			return ERR_VERSION;
		if (get_le32(p + 8) != number)
			continue;
		*out = (struct file_header){
			.number = number,
			.nonce = get_le32(p + 12),
			.size = get_le64(p + 16),
			.begun_ns = (int64_t)get_le64(p + 24),
			.previous = get_le32(p + 32),
			.previous_end = get_le32(p + 36),
		};
		return 0;
	}
	return ERR_CORRUPT;
}

int file_create(const struct env *env, const char *path, uint64_t size,
		const atomic_bool *stop)
{
	const struct disk_ops *disk = env->disk;
	uint8_t *zeros = aligned_alloc(DISK_BLOCK, FILE_ZERO_SLICE);
	bool direct;
	int fd, e;

	if (!zeros)
		return -ENOMEM;
	memset(zeros, 0, FILE_ZERO_SLICE);
	fd = disk->open(env->disk_self, path, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0) {
		free(zeros);
		return fd;
	}
	/* Asks for all the room first: a full disk says so at once. */
	e = disk->allocate(env->disk_self, fd, size);
	/* Nobody will read these: they need not be in memory. */
	direct = size % DISK_BLOCK == 0 && disk->direct &&
		 !disk->direct(env->disk_self, fd, true);
	for (uint64_t at = 0; e == 0 && at < size; at += FILE_ZERO_SLICE) {
		size_t n = size - at < FILE_ZERO_SLICE ? (size_t)(size - at) :
							 FILE_ZERO_SLICE;

		if (stop && atomic_load(stop))
			e = -ECANCELED;
		else
			e = disk->pwrite(env->disk_self, fd, zeros, n, at);
		if (e == -EINVAL && direct) {
			direct = false;
			(void)!disk->direct(env->disk_self, fd, false);
			e = disk->pwrite(env->disk_self, fd, zeros, n, at);
		}
		/* Slice by slice, so that a commit meanwhile waits for a
		 * megabyte at most. */
		if (e == 0)
			e = disk->datasync(env->disk_self, fd);
	}
	free(zeros);
	if (direct)
		(void)!disk->direct(env->disk_self, fd, false);
	if (e == 0)
		return fd;
	disk->close(env->disk_self, fd);
	disk->unlink(env->disk_self, path);
	return e;
}
