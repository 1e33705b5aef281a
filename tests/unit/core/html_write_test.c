/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/html_write.h"
#include "tests/unit/core/encoded.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_text(void **state)
{
	static const struct {
		struct sv text;
		const char *html, *attribute;
	} rows[] = {
		{ SV_INIT("plain"), "plain", "plain" },
		{ SV_INIT("<b a='c' d=\"e\">&amp;`"),
		  "&lt;b a=&#39;c&#39; d=&quot;e&quot;&gt;&amp;amp;&#96;",
		  "&lt;b a=&#39;c&#39; d=&quot;e&quot;&gt;&amp;amp;&#96;" },
		{ SV_INIT("a\tb\nc\rd"), "a\tb\nc&#13;d",
		  "a&#9;b&#10;c&#13;d" },
		{ SV_INIT("\0\x1b\x7f\xc2\x9b"),
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ SV_INIT("\xc3\xbc\xe2\x80\xae"), "\xc3\xbc\xef\xbf\xbd",
		  "\xc3\xbc\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT, want = BUF_INIT;

		html_put_sv(&b, rows[i].text);
		assert_string_equal(b.ptr, rows[i].html);
		buf_reset(&b);
		html_put_attribute(&b, "title", rows[i].text);
		buf_format(&want, " title=\"%s\"", rows[i].attribute);
		assert_string_equal(b.ptr, want.ptr);
		buf_fini(&b);
		buf_fini(&want);
	}
}

static void test_link(void **state)
{
	static const struct {
		struct sv url;
		const char *html; /* NULL: refused */
	} rows[] = {
		{ SV_INIT("https://x/?a=1&b=\"2\""),
		  " href=\"https://x/?a=1&amp;b=&quot;2&quot;\"" },
		{ SV_INIT("HTTP://x"), " href=\"HTTP://x\"" },
		{ SV_INIT("mailto:a@b"), " href=\"mailto:a@b\"" },
		{ SV_INIT("/traces/1"), " href=\"/traces/1\"" },
		{ SV_INIT("/"), " href=\"/\"" },
		{ SV_INIT("#top"), " href=\"#top\"" },
		{ SV_INIT(""), NULL },
		{ SV_INIT("javascript:alert(1)"), NULL },
		{ SV_INIT("JaVaScRiPt:alert(1)"), NULL },
		{ SV_INIT(" javascript:alert(1)"), NULL },
		{ SV_INIT("java\tscript:alert(1)"), NULL },
		{ SV_INIT("\x01javascript:alert(1)"), NULL },
		{ SV_INIT("data:text/html,<script>"), NULL },
		{ SV_INIT("vbscript:x"), NULL },
		{ SV_INIT("//evil.example/"), NULL },
		{ SV_INIT("/\\evil.example/"), NULL },
		{ SV_INIT("/\t/evil.example/"), NULL },
		{ SV_INIT("https:\\\\evil.example/"), NULL },
		{ SV_INIT("traces/1"), NULL },
		{ SV_INIT("http:x"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		bool taken = html_put_link(&b, rows[i].url);

		if (taken != (rows[i].html != NULL))
			fail_msg("row %zu", i);
		assert_string_equal(buf_view(&b).ptr,
				    taken ? rows[i].html : "");
		buf_fini(&b);
	}
}

static void round_trip(struct sv text)
{
	struct buf b = BUF_INIT, read = BUF_INIT, want = BUF_INIT;
	struct sv value;

	encoded_clean(&want, text, false);
	html_put_sv(&b, text);
	assert_true(html_read(&read, buf_view(&b), false));
	assert_true(sv_eq(buf_view(&read), buf_view(&want)));
	buf_reset(&b);
	buf_reset(&read);
	html_put_attribute(&b, "id", text);
	value = buf_view(&b);
	assert_true(sv_starts(value, SV(" id=\"")) && sv_ends(value, SV("\"")));
	value = sv_make(value.ptr + 5, value.len - 6);
	assert_true(html_read(&read, value, true));
	assert_true(sv_eq(buf_view(&read), buf_view(&want)));
	buf_fini(&b);
	buf_fini(&read);
	buf_fini(&want);
}

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ENCODED_HOSTILES; i++)
		round_trip(encoded_hostiles[i]);
	for (int i = 0; i < 65536; i++) {
		char two[2] = { (char)(i >> 8), (char)i };

		round_trip(sv_make(two, 2));
	}
	round_trip((struct sv){ NULL, 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("html_write", tests, NULL, NULL);
}
