/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign gzip and zlib: never more than the limit, and as zlib reads it. */
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "core/codec/deflate.h"

enum { LIMIT = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t theirs[LIMIT + 1], exact[LIMIT];
	struct sv in = { (const char *)data, size };
	struct buf out = BUF_INIT;
	uLongf len = LIMIT, used = size;

	if (!inflate_gzip(&out, in, LIMIT) && out.len > LIMIT)
		__builtin_trap();
	buf_reset(&out);
	if (!inflate_zlib(&out, in, LIMIT)) {
		if (uncompress2(theirs, &len, data, &used) != Z_OK ||
		    len != out.len || used != size ||
		    memcmp(theirs, buf_view(&out).ptr, len) ||
		    inflate_exact(exact, len, in))
			__builtin_trap();
	}
	(void)!inflate_exact(exact, size % LIMIT, in);
	buf_fini(&out);
	return 0;
}
