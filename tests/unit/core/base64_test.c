/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/base64.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_vectors(void **state)
{
	/* RFC 4648, 10. */
	static const struct {
		struct sv bytes, text;
	} rows[] = {
		{ SV_INIT(""), SV_INIT("") },
		{ SV_INIT("f"), SV_INIT("Zg==") },
		{ SV_INIT("fo"), SV_INIT("Zm8=") },
		{ SV_INIT("foo"), SV_INIT("Zm9v") },
		{ SV_INIT("foob"), SV_INIT("Zm9vYg==") },
		{ SV_INIT("foobar"), SV_INIT("Zm9vYmFy") },
		{ SV_INIT("\xff\xef\xbe\0"), SV_INIT("/+++AA==") },
	};
	static const struct sv bad[] = {
		SV_INIT("Z"),    SV_INIT("Zg"),     SV_INIT("Zg="),
		SV_INIT("Zh=="), SV_INIT("Zm9="),   SV_INIT("Z==="),
		SV_INIT("===="), SV_INIT("Zm9v\n"), SV_INIT("Zg==Zg=="),
		SV_INIT("Zm-v"), SV_INIT("Zm_v"),   SV_INIT("Z g="),
		SV_INIT("=m9v"), SV_INIT("Zm9\0"),  SV_INIT("Zm\xffv"),
	};
	struct arena a = ARENA_INIT, small = { .limit = 1 };
	struct buf b = BUF_INIT;
	struct sv out;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		base64_put(&b, rows[i].bytes);
		assert_true(sv_eq(buf_view(&b), rows[i].text));
		assert_int_equal(base64_parse(&a, rows[i].text, &out), 0);
		assert_true(sv_eq(out, rows[i].bytes));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (base64_parse(&a, bad[i], &out) != ERR_SYNTAX)
			fail_msg("taken: %s", bad[i].ptr);
	assert_int_equal(base64_parse(&small, SV("Zm9v"), &out), ERR_NOMEM);
	buf_fini(&b);
	arena_fini(&small);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
