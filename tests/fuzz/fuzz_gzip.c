/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes between a gzip head and a trailer that holds (no fuzzer finds one):
 * what zlib reads in them we read too. The library that reads for us counts no
 * branches, so what zlib came to is what guides. */
#include <assert.h>
#include <zlib.h>

#include "core/codec/deflate.h"

enum { LIMIT = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((
	section("__libfuzzer_extra_counters"))) static uint8_t seen[4096];

static bool read_theirs(z_stream *z)
{
	unsigned blocks = 0, out, why;
	int e;

	do {
		e = inflate(z, Z_BLOCK);
		out = 64 - (unsigned)__builtin_clzl(z->total_out | 1);
		why = z->msg ? (unsigned)strlen(z->msg) % 32 : 0;
		seen[(out * 32 + why) % 2048] = 1;
		seen[2048 + blocks++ % 8 * 256 + (unsigned)z->data_type % 256] =
			1;
	} while (e == Z_OK);
	return e == Z_STREAM_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t theirs[LIMIT], gzip[LIMIT + 18] = { 0x1f, 0x8b, 8 };
	static z_stream z;
	struct buf out = BUF_INIT;
	bool good;

	if (size > LIMIT ||
	    (z.state ? inflateReset(&z) : inflateInit2(&z, -15)))
		return 0;
	z.next_in = (uint8_t *)(uintptr_t)data;
	z.avail_in = (unsigned)size;
	z.next_out = theirs;
	z.avail_out = LIMIT;
	good = read_theirs(&z);
	memcpy(gzip + 10, data, z.total_in);
	put_le32(gzip + 10 + z.total_in,
		 (uint32_t)crc32(0, theirs, (unsigned)z.total_out));
	put_le32(gzip + 14 + z.total_in, (uint32_t)z.total_out);
	if (inflate_gzip(&out, sv_make((char *)gzip, z.total_in + 18), LIMIT))
		assert(!good && !out.len);
	else if (good)
		assert(sv_eq(buf_view(&out),
			     sv_make((char *)theirs, z.total_out)));
	buf_fini(&out);
	return 0;
}
