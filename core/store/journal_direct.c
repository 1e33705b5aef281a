/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a commit's bytes go to the disk: past the system's cache, which costs a
 * copy and pages that nobody will read. Such a write is of whole blocks, so the
 * last block of the commit before is written once more in front, with the same
 * bytes in it, and the last one is filled up with the zeros that are there in
 * the file. A frame is put where it may stay: the memory behind a block's begin
 * like the place in the file, as far as that is known when it comes.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/journal_impl.h"

#define BLOCK ((size_t)DISK_BLOCK)

static size_t in_block(uint64_t at)
{
	return (size_t)(at & (BLOCK - 1));
}

int journal_queue_room(struct queue *q, size_t more)
{
	/* Twice a block: to move what is there by one, and to fill one up. */
	size_t need = q->base + q->len + more + 2 * BLOCK;
	size_t cap = q->cap ? q->cap : 64 << 10;
	uint8_t *bytes;

	if (need <= q->cap)
		return 0;
	while (cap < need)
		cap *= 2;
	bytes = aligned_alloc(BLOCK, cap);
	if (!bytes)
		return ERR_NOMEM;
	if (q->len)
		memcpy(bytes + q->base, q->bytes + q->base, q->len);
	free(q->bytes);
	q->bytes = bytes;
	q->cap = cap;
	return 0;
}

/* So that the queue's first byte that is not written lies as in the file. */
static void align(struct journal *j, size_t *from)
{
	struct queue *q = &j->writing;
	size_t at = q->base + *from;
	size_t want = in_block(j->end);

	if (in_block(at) == want)
		return;
	assert(want + (q->len - *from) + BLOCK <= q->cap);
	memmove(q->bytes + want, q->bytes + at, q->len - *from);
	q->base = want;
	q->len -= *from;
	*from = 0;
}

static int write_plain(struct journal *j, const uint8_t *bytes, size_t n)
{
	return j->env->disk->pwrite(j->env->disk_self, j->fd, bytes, n, j->end);
}

/* -EINVAL: not here. */
static int write_direct(struct journal *j, uint8_t *bytes, size_t n)
{
	const struct disk_ops *disk = j->env->disk;
	size_t head = in_block(j->end);
	size_t whole = (head + n + BLOCK - 1) & ~(BLOCK - 1);
	int e;

	if (!disk->direct || disk->direct(j->env->disk_self, j->fd, true) < 0)
		return -EINVAL;
	memcpy(bytes - head, j->tail, head);
	memset(bytes + n, 0, whole - head - n);
	e = disk->pwrite(j->env->disk_self, j->fd, bytes - head, whole,
			 j->end - head);
	/* The header, the mark and the next start write as they like. */
	(void)!disk->direct(j->env->disk_self, j->fd, false);
	return e;
}

static void note_tail(struct journal *j, const uint8_t *bytes, size_t n)
{
	size_t head = in_block(j->end);
	size_t len = in_block(j->end + n);

	if (len <= n)
		memcpy(j->tail, bytes + n - len, len);
	else if (j->tail_known)
		memcpy(j->tail + head, bytes, n);
	else
		return;
	j->tail_known = true;
}

int journal_write_out(struct journal *j, size_t *from, size_t bytes)
{
	struct queue *q = &j->writing;
	bool last = *from + bytes == q->len;
	uint64_t end = j->end + bytes;
	int e = -EINVAL;

	if (!j->tail)
		j->tail = aligned_alloc(BLOCK, BLOCK);
	/* What is behind the last one may be overwritten by zeros; so may what
	 * the file does not have. */
	if (last && j->tail && (j->tail_known || in_block(j->end) == 0) &&
	    !j->no_direct && end + BLOCK - in_block(end) <= j->size) {
		align(j, from);
		e = write_direct(j, q->bytes + q->base + *from, bytes);
		j->no_direct = e == -EINVAL;
	}
	if (e == -EINVAL)
		e = write_plain(j, q->bytes + q->base + *from, bytes);
	if (e == 0 && j->tail)
		note_tail(j, q->bytes + q->base + *from, bytes);
	return e;
}
