/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what is between a gzip head and a trailer that holds: what zlib
 * reads in them we read too. (A fuzzer makes no checksum that holds.) */
#include <assert.h>
#include <zlib.h>

#include "core/codec/deflate.h"

enum { LIMIT = 64 << 10, INPUT_MAX = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t theirs[LIMIT], gzip[10 + INPUT_MAX + 8];
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)data,
		       .avail_in = (unsigned)size,
		       .next_out = theirs,
		       .avail_out = LIMIT };
	struct buf out = BUF_INIT;
	int e;

	if (size > INPUT_MAX || inflateInit2(&z, -15) != Z_OK)
		return 0;
	e = inflate(&z, Z_FINISH);
	memcpy(gzip, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
	memcpy(gzip + 10, data, z.total_in);
	put_le32(gzip + 10 + z.total_in,
		 (uint32_t)crc32(0, theirs, (unsigned)z.total_out));
	put_le32(gzip + 14 + z.total_in, (uint32_t)z.total_out);
	if (!inflate_gzip(&out, sv_make((char *)gzip, z.total_in + 18), LIMIT))
		assert(out.len <= LIMIT);
	else
		assert(e != Z_STREAM_END && !out.len);
	if (e == Z_STREAM_END)
		assert(out.len == z.total_out &&
		       (!out.len || !memcmp(out.ptr, theirs, out.len)));
	inflateEnd(&z);
	buf_fini(&out);
	return 0;
}
