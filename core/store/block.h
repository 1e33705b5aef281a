/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block container: an immutable, compressed, checksummed, indexed file of
 * rows (key bytes, value bytes) sorted by key, bytewise. A view's time window
 * is sealed into one; from then on it is the primary copy.
 *
 *   header | chunk ... chunk | index | filter | footer
 *
 * A chunk is about 64 KB of rows in zlib format (ISA-L writes, any zlib reads)
 * with a CRC: a look-up inflates one. The index has each chunk's first key,
 * place, sizes and CRC; the filter is a Bloom filter (10 bits a key) over the
 * first `filter_prefix` bytes of each key. What is compressed by itself may be
 * stored as it is, a chunk for each value, and be found by the chunk's number. Keys may repeat; order of equal
 * keys is kept. Readers share a block without a lock: everything but the file
 * descriptor is immutable after open.
 */
#ifndef TALLY_CORE_STORE_BLOCK_H
#define TALLY_CORE_STORE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/sys/env.h"

enum {
	BLOCK_FORMAT = 2, /* 1: nothing is stored as it is */
	BLOCK_CHUNK_BYTES = 64 << 10, /* of rows, before compression */
	BLOCK_KEY_MAX = 4 << 10,
	BLOCK_VALUE_MAX = 8 << 20,
};

struct block_writer;
struct block_options {
	uint32_t kind;          /* the view's own magic, checked at open */
	uint32_t format;        /* the view's own row format */
	uint32_t filter_prefix; /* bytes of a key the filter is over; 0: all */
	int64_t time_min_ns, time_max_ns; /* of the rows; for retention */
	/* Format 2: block_writer_store may be used, and in the filter is what
	 * block_writer_filter puts there and nothing else. */
	bool stores;
};

/* Writes to PATH.tmp; finish syncs it, renames it to PATH and syncs the
 * folder. Keys must not decrease (assert). */
int block_writer_open(struct block_writer **out, const struct env *env,
		      const char *path,
		      const struct block_options *options) MUST_USE;
int block_writer_add(struct block_writer *w, struct sv key,
		     struct sv value) MUST_USE;
/* A row that is a chunk of its own, stored as it is, and not in the filter. */
int block_writer_store(struct block_writer *w, struct sv key,
		       struct sv value) MUST_USE;
/* Puts a prefix into the filter that no row has for a key. */
int block_writer_filter(struct block_writer *w, struct sv prefix) MUST_USE;
/* The number of the chunk that comes next. */
uint32_t block_writer_chunk(const struct block_writer *w);
/* May be called any time before finish; replaces the options' times. */
void block_writer_times(struct block_writer *w, int64_t min_ns, int64_t max_ns);
/* Frees w in every case; on error the .tmp is removed. */
int block_writer_finish(struct block_writer *w) MUST_USE;
void block_writer_abort(struct block_writer *w);

struct block;
struct block_info {
	uint32_t kind, format;
	uint64_t rows, raw_bytes, file_bytes;
	int64_t time_min_ns, time_max_ns;
	uint32_t chunks;
};
/* ERR_CORRUPT: header, index or filter do not hold. ERR_VERSION: newer. */
int block_open(struct block **out, const struct env *env, const char *path,
	       uint32_t kind, uint32_t format, struct diag *diag) MUST_USE;
void block_close(struct block *b);
void block_info(const struct block *b, struct block_info *out);
/* False: no key begins with these filter_prefix bytes. True: perhaps. */
bool block_may_have(const struct block *b, struct sv key_prefix);

/* Rows with key >= from, in order. The scan owns its chunk buffers; key and
 * value are valid until the next call. A damaged chunk is skipped and counted
 * in *damaged (may be NULL), and the rows after it follow. */
struct block_scan;
int block_scan_open(struct block_scan **out, const struct block *b,
		    struct sv from) MUST_USE;
/* The last chunk whose first key is not above key; UINT32_MAX: none. */
uint32_t block_chunk_at(const struct block *b, struct sv key);
/* Its first key; n < info.chunks. */
struct sv block_chunk_key(const struct block *b, uint32_t n);
/* Rows from the beginning of chunk n on. */
int block_scan_chunk(struct block_scan **out, const struct block *b,
		     uint32_t n) MUST_USE;
/* 1: a row; 0: the end; < 0: ERR_IO, ERR_NOMEM. */
int block_scan_next(struct block_scan *s, struct sv *key,
		    struct sv *value) MUST_USE;
uint64_t block_scan_damaged(const struct block_scan *s);
void block_scan_close(struct block_scan *s);

#endif
