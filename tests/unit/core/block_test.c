/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/store/block.h"
#include "tests/sim/disk_sim.h"

enum { KIND = 0x31415926, ROWS = 4000 };

static const char path[] = "d/b.block";
static const struct block_options options = {
	.kind = KIND,
	.format = 2,
	.filter_prefix = 8,
	.time_min_ns = -5,
	.time_max_ns = 7,
};

/* Row n: key is n in 8 bytes and a suffix, so that two rows share a prefix. */
static struct sv key_of(uint64_t n, char out[16])
{
	put_be64((uint8_t *)out, n / 2 * 10);
	out[8] = (char)('a' + n % 2);
	return sv_make(out, 9);
}

static struct sv value_of(uint64_t n, char out[256])
{
	size_t len = n % 200;

	for (size_t i = 0; i < len; i++)
		out[i] = (char)((n * 2654435761U) >> (i % 24));
	return sv_make(out, len);
}

static void write_rows(const struct env *env, uint64_t rows)
{
	struct block_writer *w;
	char key[16], value[256];

	assert_int_equal(block_writer_open(&w, env, path, &options), 0);
	for (uint64_t n = 0; n < rows; n++)
		assert_int_equal(block_writer_add(w, key_of(n, key),
						  value_of(n, value)),
				 0);
	assert_int_equal(block_writer_finish(w), 0);
}

static struct block *open_ok(const struct env *env)
{
	struct block *b;

	assert_int_equal(block_open(&b, env, path, KIND, 2, NULL), 0);
	return b;
}

/* Rows from key `from`; every one must be right. Returns how many. */
static uint64_t scan(const struct block *b, struct sv from, uint64_t *damaged)
{
	struct block_scan *s;
	struct sv key, value;
	uint64_t count = 0;
	int e;

	assert_int_equal(block_scan_open(&s, b, from), 0);
	while ((e = block_scan_next(s, &key, &value)) == 1) {
		char k[16], v[256];
		uint64_t n;

		assert_int_equal(key.len, 9);
		n = get_be64((const uint8_t *)key.ptr) / 10 * 2 +
		    (uint64_t)(key.ptr[8] - 'a');
		assert_true(sv_eq(key, key_of(n, k)));
		assert_true(sv_eq(value, value_of(n, v)));
		assert_true(sv_cmp(key, from) >= 0);
		count++;
	}
	assert_int_equal(e, 0);
	if (damaged)
		*damaged = block_scan_damaged(s);
	block_scan_close(s);
	return count;
}

static void test_round(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct block_info info;
	struct block *b;
	char key[16];
	unsigned wrong = 0;

	(void)state;
	write_rows(&env, ROWS);
	assert_int_equal(disk_sim_count(disk, "d/"), 1);
	b = open_ok(&env);
	block_info(b, &info);
	assert_int_equal(info.rows, ROWS);
	assert_int_equal(info.time_min_ns, -5);
	assert_int_equal(info.time_max_ns, 7);
	assert_true(info.chunks > 4);
	assert_int_equal(scan(b, SV(""), NULL), ROWS);
	for (uint64_t n = 0; n < ROWS; n += 37)
		assert_int_equal(scan(b, key_of(n, key), NULL), ROWS - n);
	/* Between keys, and behind the last. */
	put_be64((uint8_t *)key, 15);
	assert_int_equal(scan(b, sv_make(key, 8), NULL), ROWS - 4);
	assert_int_equal(scan(b, SV("\xff"), NULL), 0);
	for (uint64_t n = 0; n < ROWS; n++) {
		put_be64((uint8_t *)key, n / 2 * 10);
		assert_true(block_may_have(b, sv_make(key, 8)));
		put_be64((uint8_t *)key, n * 10 + 3);
		wrong += block_may_have(b, sv_make(key, 8));
	}
	assert_true(wrong < ROWS * 2 / 100);
	assert_true(block_may_have(b, sv_make(key, 7)));
	block_close(b);
	disk_sim_free(disk);
}

/* Nothing; one row as large as may be; too large; equal keys over chunks. */
static void test_sizes(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct block_writer *w;
	struct block_scan *s;
	struct block *b;
	struct sv key, value;
	char *big = calloc(1, BLOCK_VALUE_MAX + 1);

	(void)state;
	assert_non_null(big);
	write_rows(&env, 0);
	b = open_ok(&env);
	assert_int_equal(scan(b, SV(""), NULL), 0);
	assert_false(block_may_have(b, SV("12345678")));
	block_close(b);

	assert_int_equal(block_writer_open(&w, &env, path, &options), 0);
	assert_int_equal(block_writer_add(w, SV("k"),
					  sv_make(big, BLOCK_VALUE_MAX + 1)),
			 ERR_LIMIT);
	assert_int_equal(block_writer_add(w, sv_make(big, BLOCK_KEY_MAX + 1),
					  SV("")),
			 ERR_LIMIT);
	assert_int_equal(block_writer_add(w, sv_make(big, BLOCK_KEY_MAX),
					  sv_make(big, BLOCK_VALUE_MAX)),
			 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(
			block_writer_add(w, SV("k"), sv_make(big, 1000)), 0);
	block_writer_times(w, 1, 2);
	assert_int_equal(block_writer_finish(w), 0);
	b = open_ok(&env);
	assert_int_equal(block_scan_open(&s, b, SV("k")), 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(block_scan_next(s, &key, &value), 1);
	assert_int_equal(block_scan_next(s, &key, &value), 0);
	block_scan_close(s);
	block_close(b);
	free(big);
	disk_sim_free(disk);
}

static void test_refused(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct block *b;
	struct diag diag;

	(void)state;
	assert_int_equal(block_open(&b, &env, path, KIND, 2, &diag),
			 ERR_NOT_FOUND);
	write_rows(&env, 10);
	assert_int_equal(block_open(&b, &env, path, KIND + 1, 2, &diag),
			 ERR_CORRUPT);
	assert_int_equal(block_open(&b, &env, path, KIND, 1, &diag),
			 ERR_VERSION);
	assert_non_null(strstr(diag.text, path));
	disk_sim_free(disk);
}

/* Each byte changed: the file is refused, or one chunk is lost and counted;
 * never a wrong row (scan checks them). */
static void test_flip(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	size_t size, refused = 0, lost = 0;

	(void)state;
	write_rows(&env, 1200);
	disk_sim_bytes(disk, path, &size);
	for (size_t at = 0; at < size;
	     at += at < 64 || at + 2500 > size ? 1 : 97) {
		uint8_t *bytes = disk_sim_bytes(disk, path, &size);
		struct block *b;
		uint64_t damaged;
		int e;

		bytes[at] ^= (uint8_t)(1 << at % 8);
		e = block_open(&b, &env, path, KIND, 2, NULL);
		if (e < 0) {
			assert_int_equal(e, ERR_CORRUPT);
			refused++;
		} else {
			uint64_t n = scan(b, SV(""), &damaged);

			assert_int_equal(damaged, 1);
			assert_true(n < 1200);
			lost++;
			block_close(b);
		}
		bytes[at] ^= (uint8_t)(1 << at % 8);
	}
	assert_true(refused > 100 && lost > 100);
	disk_sim_free(disk);
}

/* Writing fails at every operation: the old block or the new one, whole. */
static void test_faults(void **state)
{
	(void)state;
	for (int kind = 0; kind < CRASH_MODES + 2; kind++) {
		bool hit = true;

		for (uint64_t at = 1; hit; at++) {
			struct disk_sim *disk = disk_sim_new(at);
			struct env env = disk_sim_env(disk);
			struct disk_sim_fault fault = { 0 };
			struct block_writer *w;
			char key[16], value[256];
			struct block *b;
			uint64_t rows;
			int e;

			write_rows(&env, 30);
			if (kind < CRASH_MODES)
				fault.crash_at = at;
			else if (kind == CRASH_MODES)
				fault.error_at = at;
			else
				fault.full_at = at, fault.full_ops = 1;
			disk_sim_fault(disk, fault);
			e = block_writer_open(&w, &env, path, &options);
			for (uint64_t n = 0; n < 1200 && e == 0; n++) {
				e = block_writer_add(w, key_of(n, key),
						     value_of(n, value));
				if (e < 0)
					block_writer_abort(w);
			}
			if (e == 0)
				e = block_writer_finish(w);
			hit = disk_sim_hit(disk);
			if (kind > CRASH_MODES && at < 14)
				hit = true; /* not all need room */
			else
				assert_true(!hit || e < 0);
			disk_sim_reboot(disk,
					kind < CRASH_MODES ?
						(enum disk_sim_crash)kind :
						CRASH_KEEP);
			if (kind >= CRASH_MODES)
				assert_int_equal(disk_sim_count(disk, "d/"), 1);
			b = open_ok(&env);
			rows = scan(b, SV(""), NULL);
			assert_true(rows == 1200 || (e < 0 && rows == 30));
			block_close(b);
			disk_sim_free(disk);
		}
	}
}

/* Rows that are stored as they are: found by number and by key, in the filter
 * only if they are put there; a damaged one hides itself alone. */
static void test_stored(void **state)
{
	enum { STORED = 5, BYTES = 70000 };
	struct block_options stores = options;
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	char *bytes = malloc(BYTES), key[16], value[256];
	struct block_writer *w;
	struct block_scan *s;
	struct block_info info;
	struct block *b;
	struct sv k, v;
	uint8_t *file;
	size_t size;

	(void)state;
	assert_non_null(bytes);
	stores.stores = true;
	assert_int_equal(block_writer_open(&w, &env, path, &stores), 0);
	for (uint64_t n = 0; n < STORED; n++) {
		assert_int_equal(block_writer_chunk(w), n);
		memset(bytes, (int)n, BYTES);
		assert_int_equal(block_writer_store(w, key_of(2 * n, key),
						    sv_make(bytes, BYTES)),
				 0);
	}
	assert_int_equal(block_writer_filter(w, SV("inside!!")), 0);
	for (uint64_t n = 100; n < 200; n++)
		assert_int_equal(block_writer_add(w, key_of(n, key),
						  value_of(n, value)),
				 0);
	assert_int_equal(block_writer_store(w, key_of(300, key), SV("last")),
			 0);
	assert_int_equal(block_writer_finish(w), 0);
	for (int damaged = 0; damaged < 2; damaged++) {
		b = open_ok(&env);
		block_info(b, &info);
		assert_int_equal(info.chunks, STORED + 2);
		assert_true(block_may_have(b, SV("inside!!")));
		assert_false(block_may_have(b, key_of(0, key)));
		assert_false(block_may_have(b, key_of(150, key)));
		assert_int_equal(block_chunk_at(b, key_of(5, key)), 2);
		assert_int_equal(block_chunk_at(b, key_of(6, key)), 3);
		assert_int_equal(block_chunk_at(b, key_of(400, key)),
				 STORED + 1);
		assert_int_equal(block_chunk_at(b, SV("\0")), UINT32_MAX);
		assert_true(sv_eq(block_chunk_key(b, 3), key_of(6, key)));
		assert_int_equal(block_scan_chunk(&s, b, 1), 0);
		assert_int_equal(block_scan_next(s, &k, &v), 1);
		assert_true(sv_eq(k, key_of(damaged ? 4 : 2, key)));
		assert_int_equal(v.len, BYTES);
		assert_int_equal(v.ptr[BYTES - 1], damaged ? 2 : 1);
		assert_int_equal(block_scan_damaged(s), damaged);
		block_scan_close(s);
		assert_int_equal(block_scan_open(&s, b, key_of(300, key)), 0);
		assert_int_equal(block_scan_next(s, &k, &v), 1);
		assert_true(sv_eq(v, SV("last")));
		assert_int_equal(block_scan_next(s, &k, &v), 0);
		block_scan_close(s);
		block_close(b);
		file = disk_sim_bytes(disk, path, &size);
		assert_non_null(file);
		file[BYTES + 500] ^= 1; /* in the second one */
	}
	disk_sim_free(disk);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),   cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_flip),
		cmocka_unit_test(test_faults),  cmocka_unit_test(test_stored),
	};

	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
