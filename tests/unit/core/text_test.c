/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/arena.h"
#include "core/base/text.h"

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{ "0", true, 0 },
		{ "-1", true, -1 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "+1", false, 0 },
		{ "1 ", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t v = 0;

		assert_int_equal(sv_to_i64(sv_from(rows[i].text), &v),
				 rows[i].ok);
		assert_int_equal(v, rows[i].value);
	}
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "", true },		  { "plain text, long enough", true },
		{ "\xc3\xa9", true },	  { "\xf0\x9f\x98\x80", true },
		{ "\xc0\x80", false },	  { "\xed\xa0\x80", false },
		{ "\xf4\x90\x80\x80", false }, { "\xe2\x82", false },
		{ "1234567\xff", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(sv_is_utf8(sv_from(rows[i].text)), rows[i].ok);
}

static void test_buf_limit(void **state)
{
	struct buf b = { .limit = 4 };

	(void)state;
	buf_text(&b, "1234");
	assert_false(b.failed);
	buf_char(&b, '5');
	assert_true(b.failed);
	assert_string_equal(b.ptr, "1234");
	buf_fini(&b);
}

static void test_arena(void **state)
{
	struct arena a = { .limit = 1 << 20 };
	struct arena_mark mark;
	size_t before;

	(void)state;
	assert_non_null(arena_alloc(&a, 1));
	before = a.used;
	mark = arena_mark(&a);
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&a, 5000));
	arena_rollback(&a, mark);
	assert_int_equal(a.used, before);
	assert_null(arena_alloc(&a, 2 << 20)); /* over its limit */
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_buf_limit),
		cmocka_unit_test(test_arena),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
