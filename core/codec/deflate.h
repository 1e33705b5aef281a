/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate: the formats are zlib (RFC 1950) and gzip (RFC 1952), so that any
 * other program reads what we write; the work is done by ISA-L, level 1, at
 * 4.5 times zlib's speed. Reading foreign bytes is bounded twice: in bytes,
 * and in how much larger than its input the output may be, since 10 MB of
 * zeros travel in 10 KB. The second is asked as the output grows, of the input
 * read so far, so a bomb costs INFLATE_RATIO_FREE of memory and no more.
 */
#ifndef TALLY_CORE_CODEC_DEFLATE_H
#define TALLY_CORE_CODEC_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum {
	INFLATE_RATIO_MAX = 200,        /* output bytes to input bytes ... */
	INFLATE_RATIO_FREE = 256 << 10, /* ... asked only above this output */
	GZIP_MEMBERS_MAX = 1024,
};

/* The compressor's tables (about 0.3 MB). Make one where many pieces are
 * compressed; not for two threads at once. */
struct deflate;
int deflate_new(struct deflate **out) MUST_USE;
void deflate_free(struct deflate *d);

/* Appends in, compressed, to out. d may be NULL: tables for this call only.
 * ERR_NOMEM; ERR_LIMIT where out's limit does not hold it (out is then as it
 * was). */
int deflate_zlib(struct deflate *d, struct buf *out, struct sv in) MUST_USE;
int deflate_gzip(struct deflate *d, struct buf *out, struct sv in) MUST_USE;

/* Our own files: in is one zlib stream that gives exactly size bytes, nothing
 * behind it. ERR_CORRUPT otherwise; ERR_NOMEM. */
int inflate_exact(void *out, size_t size, struct sv in) MUST_USE;

/* Foreign bytes: a zlib stream, or a gzip body of one or more members, is
 * appended to out. ERR_SYNTAX: not that format, cut off, or a checksum that
 * does not hold; ERR_LIMIT: over bytes_max, over the ratio, or too many
 * members; ERR_NOMEM. On an error out is as it was. */
int inflate_zlib(struct buf *out, struct sv in, size_t bytes_max) MUST_USE;
int inflate_gzip(struct buf *out, struct sv in, size_t bytes_max) MUST_USE;

/* CRC-32 of zlib, gzip and PNG (reflected 0x04c11db7), by ISA-L's
 * crc32_gzip_refl at 12 GB/s. Start with 0; go on with what came before. */
uint32_t crc32_add(uint32_t crc, const void *bytes, size_t n);

#endif
