/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a block file, little-endian. Private to core/store/block*.c.
 *
 *   header, 32 bytes
 *    0 magic "TJBK"     4 BLOCK_FORMAT      8 kind       12 format of the rows
 *   16 zeros           28 CRC of 0..27
 *   chunk ...           each a zlib stream of rows:
 *                       varint key bytes | varint value bytes | key | value
 *   index               for each chunk:
 *                       place (64) | packed bytes | raw bytes | CRC of the
 *                       packed bytes | rows | key bytes | its first key
 *                       (rows with the highest bit set: stored, not packed)
 *   filter              bits of a Bloom filter, a multiple of 8 bytes
 *   footer, 128 bytes, at the file's end
 *    0 magic "TJBF"     4 BLOCK_FORMAT      8 kind       12 format of the rows
 *   16 rows (64)       24 raw bytes (64)   32 first time (64)
 *   40 last time (64)  48 index at (64)    56 filter at (64)
 *   64 index bytes     68 CRC of the index 72 filter bytes
 *   76 CRC of filter   80 filter_prefix    84 chunks
 *   88 probes a key    92 zeros           124 CRC of 0..123
 */
#ifndef TALLY_CORE_STORE_BLOCK_FILE_H
#define TALLY_CORE_STORE_BLOCK_FILE_H

#include "core/base/hash.h"
#include "core/store/block.h"

enum {
	BLOCK_MAGIC = 0x4b424a54,        /* "TJBK" */
	BLOCK_FOOTER_MAGIC = 0x46424a54, /* "TJBF" */
	BLOCK_HEADER_BYTES = 32,
	BLOCK_FOOTER_BYTES = 128,
	BLOCK_ENTRY_BYTES = 28, /* of the index, without the key */
	BLOCK_FILTER_BITS = 10, /* a key: 1 % false answers with ... */
	BLOCK_FILTER_PROBES = 7,
	BLOCK_VARINT_MAX = 5,
	BLOCK_PACKED_FORMAT = 1, /* the format without stored chunks */
	BLOCK_INDEX_MAX = 64 << 20,
	BLOCK_FILTER_MAX = 256 << 20,
	/* A chunk is closed when it has BLOCK_CHUNK_BYTES: at most one row
	 * more. Packed it may be a little larger than raw. */
	BLOCK_RAW_MAX = BLOCK_CHUNK_BYTES + BLOCK_KEY_MAX + BLOCK_VALUE_MAX +
			2 * BLOCK_VARINT_MAX,
	BLOCK_PACKED_MAX = BLOCK_RAW_MAX + BLOCK_RAW_MAX / 64 + 1024,
};

#define BLOCK_STORED (UINT32_C(1) << 31) /* in a chunk's rows */

/* The bits of a key: probe i is at (low + i * high) mod bits. */
static inline uint64_t block_filter_bit(struct hash128 h, unsigned i,
					uint64_t bits)
{
	return (h.low + i * (h.high | 1)) % bits;
}

static inline struct hash128 block_filter_hash(struct sv key, uint32_t prefix)
{
	if (prefix > 0 && key.len > prefix)
		key.len = prefix;
	return hash128(key);
}

#endif
