/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash: XXH3 of libxxhash (5 ns for 64 bytes). For tables, filters and names
 * of files. hash128 of equal bytes is stable across machines and releases and
 * may be stored; it resists chance, not an adversary who may choose the bytes:
 * use hash64_seed with a random seed where that matters.
 */
#ifndef TALLY_CORE_BASE_HASH_H
#define TALLY_CORE_BASE_HASH_H

#include <stdbool.h>
#include <stdint.h>
#include <xxhash.h>

#include "core/base/text.h"

struct hash128 {
	uint64_t high;
	uint64_t low;
};

static inline uint64_t hash64(struct sv s)
{
	return XXH3_64bits(s.len ? s.ptr : "", s.len);
}

static inline uint64_t hash64_seed(struct sv s, uint64_t seed)
{
	return XXH3_64bits_withSeed(s.len ? s.ptr : "", s.len, seed);
}

static inline struct hash128 hash128(struct sv s)
{
	XXH128_hash_t h = XXH3_128bits(s.len ? s.ptr : "", s.len);

	return (struct hash128){ h.high64, h.low64 };
}

static inline bool hash128_eq(struct hash128 a, struct hash128 b)
{
	return a.high == b.high && a.low == b.low;
}

#endif
