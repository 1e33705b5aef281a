/* SPDX-License-Identifier: Apache-2.0 */
/* What dot reads from a string is the text; what could end it or mean
 * something to dot is undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/dot_write.h"

static void expect(const char *text, size_t len, const char *want)
{
	struct buf out = BUF_INIT;

	dot_put_string(&out, sv_make(text, len));
	assert_string_equal(out.ptr, want);
	buf_fini(&out);
}

static void test_strings(void **state)
{
	(void)state;
	expect("", 0, "\"\"");
	expect("orders", 6, "\"orders\"");
	expect("a\"]; b [URL=\"x", 14, "\"a\\\"]; b [URL=\\\"x\"");
	expect("\\N \\l", 5, "\"\\\\N \\\\l\"");
	expect("&lt; & more", 11, "\"&amp;lt; &amp; more\"");
	expect("two\nlines\tand\r", 14, "\"two lines and \"");
	expect("a\0b\x1b[2J", 7,
	       "\"a\xef\xbf\xbd"
	       "b\xef\xbf\xbd[2J\"");
	expect("\xff\xe2\x80\xae", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	expect("\xc3\xa4\xe6\xbc\xa2", 5, "\"\xc3\xa4\xe6\xbc\xa2\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_strings) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
