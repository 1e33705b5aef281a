/* SPDX-License-Identifier: Apache-2.0 */
/* A block with bytes changed and its checksums made to hold again: refused, or
 * read without a step outside of it. Input: offset (16), value (8), ... */
#include <assert.h>

#include "core/codec/deflate.h"
#include "core/store/block_file.h"
#include "tests/sim/disk_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct block_options options = { .kind = 7, .format = 1 };
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct block_writer *w;
	struct block_scan *s;
	struct sv key, value;
	struct block *b;
	size_t n;

	assert(block_writer_open(&w, &env, "b", &options) == 0);
	for (const char *c = "abcdef"; *c; c++)
		assert(block_writer_add(w, sv_make(c, 1), SV("value")) == 0);
	assert(block_writer_finish(w) == 0);
	uint8_t *p = disk_sim_bytes(disk, "b", &n), *f = p + n - 128;

	for (; size >= 3; data += 3, size -= 3)
		p[(size_t)(data[0] | data[1] << 8) % n] = data[2];
	if (get_le64(f + 48) < n && get_le32(f + 64) < n - get_le64(f + 48))
		put_le32(f + 68,
			 crc32_add(0, p + get_le64(f + 48), get_le32(f + 64)));
	put_le32(f + 124, crc32_add(0, f, 124));
	if (block_open(&b, &env, "b", 7, 1, NULL) == 0) {
		assert(block_scan_open(&s, b, SV("c")) == 0);
		for (n = 0; block_scan_next(s, &key, &value) == 1; n++)
			assert(crc32_add(0, value.ptr, value.len) || n < 99);
		block_scan_close(s);
		block_close(b);
	}
	disk_sim_free(disk);
	return 0;
}
