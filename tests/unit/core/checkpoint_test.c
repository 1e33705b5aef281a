/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/checkpoint.h"
#include "tests/sim/disk_sim.h"

static const char path[] = "d/traces.checkpoint";

static int put(const struct env *env, uint64_t position, struct sv image)
{
	return checkpoint_write(env, path, SV("traces"), 3, position, image);
}

static int get(const struct env *env, uint64_t *position, struct buf *image)
{
	buf_reset(image);
	return checkpoint_read(env, path, SV("traces"), 3, position, image);
}

static void test_round(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct buf image = BUF_INIT;
	uint64_t position = 7;

	(void)state;
	assert_int_equal(get(&env, &position, &image), ERR_NOT_FOUND);
	assert_int_equal(put(&env, 42, SV("")), 0);
	assert_int_equal(get(&env, &position, &image), 0);
	assert_int_equal(position, 42);
	assert_int_equal(image.len, 0);
	assert_int_equal(put(&env, 43, SV("an image")), 0);
	assert_int_equal(get(&env, &position, &image), 0);
	assert_int_equal(position, 43);
	assert_true(sv_eq(buf_view(&image), SV("an image")));
	/* Another view's, an older reader. */
	buf_reset(&image);
	assert_int_equal(checkpoint_read(&env, path, SV("traces"), 2, &position,
					 &image),
			 ERR_VERSION);
	assert_int_equal(image.len, 0);
	assert_int_equal(checkpoint_read(&env, path, SV("logs"), 3, &position,
					 &image),
			 ERR_CORRUPT);
	assert_int_equal(get(&env, &position, &image), ERR_NOT_FOUND);
	assert_int_equal(disk_sim_count(disk, "d/traces.checkpoint.damaged-"),
			 1);
	assert_int_equal(checkpoint_write(&env, path,
					  SV("a name of 25 bytes, plain"), 1, 1,
					  SV("")),
			 ERR_LIMIT);
	buf_fini(&image);
	disk_sim_free(disk);
}

/* Old or new, whole, whatever fails. */
static void test_crash(void **state)
{
	(void)state;
	for (int mode = 0; mode < CRASH_MODES; mode++) {
		bool hit = true;

		for (uint64_t at = 1; hit; at++) {
			struct disk_sim *disk = disk_sim_new(at);
			struct env env = disk_sim_env(disk);
			struct buf image = BUF_INIT;
			uint64_t position = 0;
			int e;

			assert_int_equal(put(&env, 1, SV("old")), 0);
			disk_sim_fault(disk, (struct disk_sim_fault){
						     .crash_at = at });
			e = put(&env, 2, SV("new and longer"));
			hit = disk_sim_hit(disk);
			assert_int_equal(e == 0, !hit);
			disk_sim_reboot(disk, (enum disk_sim_crash)mode);
			assert_int_equal(get(&env, &position, &image), 0);
			assert_true(position == 2 || (hit && position == 1));
			assert_true(sv_eq(buf_view(&image),
					  position == 2 ? SV("new and longer") :
							  SV("old")));
			buf_fini(&image);
			disk_sim_free(disk);
		}
	}
}

static void test_full(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct buf image = BUF_INIT;
	uint64_t position = 0;

	(void)state;
	assert_int_equal(put(&env, 1, SV("old")), 0);
	disk_sim_fault(disk,
		       (struct disk_sim_fault){ .full_at = 2, .full_ops = 1 });
	assert_int_equal(put(&env, 2, SV("new")), ERR_FULL);
	assert_int_equal(disk_sim_count(disk, "d/"), 1);
	assert_int_equal(get(&env, &position, &image), 0);
	assert_int_equal(position, 1);
	buf_fini(&image);
	disk_sim_free(disk);
}

static void test_damage(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct buf image = BUF_INIT;
	uint64_t position = 0;
	size_t size;

	(void)state;
	assert_int_equal(put(&env, 9, SV("an image")), 0);
	disk_sim_bytes(disk, path, &size);
	for (size_t at = 0; at < size; at++) {
		assert_int_equal(put(&env, 9, SV("an image")), 0);
		disk_sim_bytes(disk, path, &size)[at] ^= 1;
		assert_int_equal(get(&env, &position, &image), ERR_CORRUPT);
		assert_int_equal(image.len, 0);
		assert_int_equal(get(&env, &position, &image), ERR_NOT_FOUND);
	}
	assert_int_equal(position, 0);
	buf_fini(&image);
	disk_sim_free(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
