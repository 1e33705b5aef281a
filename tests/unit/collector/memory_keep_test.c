/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "collector/memory_keep.h"

enum { BLOCKS = 1 << 16, BLOCK_BYTES = 1000 };

/* What is freed below something that stays is resident until it is kept. */
static void test_gives_back(void **state)
{
	uint64_t before = memory_resident_bytes(), after;
	char **blocks = calloc(BLOCKS, sizeof(*blocks));
	struct memory_keep k;

	(void)state;
	assert_true(before > 0);
	assert_non_null(blocks);
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(BLOCK_BYTES);
		assert_non_null(blocks[i]);
		memset(blocks[i], 1, BLOCK_BYTES);
	}
	for (size_t i = 0; i + 1 < BLOCKS; i++)
		free(blocks[i]);
	memory_keep_init(&k, before + (32 << 20));
	memory_keep(&k);
	after = memory_resident_bytes();
	assert_int_equal(k.trims, 1);
	if (mallinfo2().arena) /* or a sanitizer's allocator is in its place */
		assert_true(after < before + (32 << 20));
	free(blocks[BLOCKS - 1]);
	free(blocks);
}

static void test_below_the_limit(void **state)
{
	struct memory_keep k;

	(void)state;
	memory_keep_init(&k, UINT64_C(1) << 40);
	memory_keep(&k);
	assert_int_equal(k.trims, 0);
}

/* In use is in use: it does not try each time. */
static void test_waits_where_it_helps_little(void **state)
{
	struct memory_keep k;

	(void)state;
	memory_keep_init(&k, 64 << 10);
	memory_keep(&k); /* of what there is to give */
	memory_keep(&k);
	k.trims = 0;
	k.pause = 0;
	for (int i = 0; i < 2 * (MEMORY_KEEP_PAUSE + 1); i++)
		memory_keep(&k);
	assert_int_equal(k.trims, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_back),
		cmocka_unit_test(test_below_the_limit),
		cmocka_unit_test(test_waits_where_it_helps_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
