/* SPDX-License-Identifier: Apache-2.0 */
/* A journal's file with bytes changed and the checksums of its frames' headers
 * made to hold again: scanned without a step outside of it, and its end is in
 * it. Input: offset (16), value (8), ... */
#include <assert.h>

#include "core/codec/deflate.h"
#include "core/store/journal_file.h"
#include "tests/sim/disk_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_damage(void *arg, uint32_t file, uint64_t from, uint64_t to)
{
	assert(arg && file == 1 && from < to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { SIZE = 8 << 10, FRAMES = 6, EACH = 512 };
	struct frame f = { .protocol = PROTOCOL_NATIVE, .body = SV("body") };
	const struct frame_place place = { .file = 1, .nonce = 5 };
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	int fd = file_create(&env, "f", SIZE, NULL);
	struct file_scan scan;
	uint8_t *p = disk_sim_bytes(disk, "f", &(size_t){ 0 }) + FILE_DATA;

	for (uint32_t i = 0; i < FRAMES; i++)
		frame_write(p + i * EACH, &f, frame_crc(&f));
	for (; size >= 3; data += 3, size -= 3)
		p[(data[0] | data[1] << 8) % (SIZE - FILE_DATA)] = data[2];
	for (uint32_t i = 0; i < FRAMES; i++)
		frame_place(p + i * EACH, 1, FILE_DATA + i * EACH, 5,
			    get_le32(p + i * EACH + 20));
	assert(file_scan(&env, fd, place, SIZE, on_damage, disk, &scan) == 0);
	assert(scan.end >= FILE_DATA && scan.end <= SIZE);
	assert(scan.dirty_end >= scan.end && scan.dirty_end <= SIZE);
	disk_sim_free(disk);
	return 0;
}
