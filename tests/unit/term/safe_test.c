/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/term/term.h"

/* What a terminal could obey: any byte below 0x20, 0x7f, and 0x80 to 0x9f as
 * a character of its own (U+0080 to U+009F, or a byte that is no UTF-8). */
static bool steers(struct sv s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		unsigned char next =
			i + 1 < s.len ? (unsigned char)s.ptr[i + 1] : 0;

		if (c < 0x20 || c == 0x7F)
			return true;
		if (c == 0xC2 && next >= 0x80 && next < 0xA0)
			return true;
	}
	return !sv_is_utf8(s);
}

static void check_bytes(const char *bytes, size_t n)
{
	struct buf out = BUF_INIT;
	struct buf lines = BUF_INIT;

	buf_char(&out, '[');
	term_safe(&out, sv_make(bytes, n));
	buf_char(&out, ']');
	assert_false(steers(buf_view(&out)));
	assert_true(out.len > 2); /* seen, not swallowed */
	assert_int_equal(term_safe_width(sv_make(bytes, n)) + 2, out.len);
	if (bytes[0] != '\n' && bytes[0] != '\t') {
		term_safe_lines(&lines, sv_make(bytes, n), 0);
		assert_false(steers(buf_view(&lines)));
	}
	buf_fini(&lines);
	buf_fini(&out);
}

static void test_controls(void **state)
{
	int seen = 0;

	(void)state;
	for (int c = 0; c < 0xA0; c++) {
		const char raw[1] = { (char)c };
		const char coded[2] = { (char)0xC2, (char)c };

		if (c >= 0x20 && c < 0x7F)
			continue;
		seen++;
		check_bytes(raw, 1);
		if (c >= 0x80)
			check_bytes(coded, 2);
	}
	assert_int_equal(seen, 65);
}

static const struct {
	const char *text;
	const char *safe;  /* in UTF-8 */
	const char *ascii; /* in the C locale; NULL: the same */
} rows[] = {
	{ "plain ~text\\n", "plain ~text\\n", NULL },
	{ "", "", NULL },
	{ "a\nb\tc\r", "a\\nb\\tc\\r", NULL },
	{ "\033]0;owned\007", "\\x1b]0;owned\\a", NULL },
	{ "\033]52;c;cm0gLXJmIH4=\033\\", "\\x1b]52;c;cm0gLXJmIH4=\\x1b\\",
	  NULL },
	{ "\xc2\x9b"
	  "2J",
	  "\\x9b2J", "\\x9b2J" },
	{ "\x9b"
	  "2J",
	  "\\x9b2J", NULL },
	{ "caf\xc3\xa9", "caf\xc3\xa9", "caf\\xe9" },
	{ "\xe6\x97\xa5", "\xe6\x97\xa5", "\\u{65e5}" },
	/* RLO, LRI, PDI, ALM, LRM: the Trojan source controls. */
	{ "a\xe2\x80\xae"
	  "b",
	  "a\\u{202e}b", NULL },
	{ "\xe2\x81\xa6\xe2\x81\xa9", "\\u{2066}\\u{2069}", NULL },
	{ "\xd8\x9c\xe2\x80\x8e", "\\u{61c}\\u{200e}", NULL },
	/* Line separator, zero width space, BOM, a tag, private use. */
	{ "\xe2\x80\xa8", "\\u{2028}", NULL },
	{ "x\xe2\x80\x8by", "x\\u{200b}y", NULL },
	{ "\xef\xbb\xbf", "\\u{feff}", NULL },
	{ "\xf3\xa0\x80\x81", "\\u{e0001}", NULL },
	{ "\xee\x80\x80", "\\u{e000}", NULL },
	/* Overlong NUL and slash, a surrogate, above Unicode, cut short. */
	{ "\xc0\x80", "\\xc0\\x80", NULL },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", NULL },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", NULL },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", NULL },
	{ "\xe6\x97", "\\xe6\\x97", NULL },
	/* A mark on a letter stays, a mark on nothing is spelled out. */
	{ "e\xcc\x81", "e\xcc\x81", "e\\u{301}" },
	{ "\xcc\x81", "\\u{301}", NULL },
};

static void test_rows(void **state)
{
	bool utf8 = *(bool *)*state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;

		buf_text(&out, "");
		term_safe(&out, sv_from(rows[i].text));
		assert_string_equal(out.ptr ? out.ptr : "",
				    utf8 || !rows[i].ascii ? rows[i].safe :
							     rows[i].ascii);
		buf_fini(&out);
	}
}

static void test_mark_limit(void **state)
{
	struct buf zalgo = BUF_INIT;
	struct buf out = BUF_INIT;
	int spelled = 0;

	(void)state;
	buf_char(&zalgo, 'a');
	for (int i = 0; i < TERM_COMBINING_MAX + 3; i++)
		buf_text(&zalgo, "\xcc\x81");
	term_safe(&out, buf_view(&zalgo));
	for (const char *p = out.ptr; (p = strstr(p, "\\u{301}")); p++)
		spelled++;
	assert_int_equal(spelled, 3);
	buf_fini(&out);
	buf_fini(&zalgo);
}

static void test_cut(void **state)
{
	static const struct {
		const char *text;
		int columns;
		const char *cut;
		int used;
	} cuts[] = {
		{ "hello", 5, "hello", 5 },    { "hello", 4, "hel…", 4 },
		{ "hello", 1, "…", 1 },        { "hello", 0, "", 0 },
		{ "日本", 4, "日本", 4 },      { "日本", 3, "日…", 3 },
		{ "日本", 2, "…", 1 },    /* no half of a wide one */
		{ "a\033[", 4, "a…", 2 }, /* no half of an escape */
		{ "a\033[", 6, "a\\x1b[", 6 }, { "", 3, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct buf out = BUF_INIT;
		int used = term_safe_cut(&out, sv_from(cuts[i].text),
					 cuts[i].columns);

		assert_string_equal(out.ptr ? out.ptr : "", cuts[i].cut);
		assert_int_equal(used, cuts[i].used);
		buf_fini(&out);
	}
}

static void test_lines(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	term_safe_lines(&out, SV("a\tb\n\033[1mc\nsome\ttab"), 2);
	assert_string_equal(out.ptr, "  a       b\n  \\x1b[1mc\n  some    tab");
	buf_reset(&out);
	term_message(&out, SV("one \t\r\n"));
	term_message(&out, SV("two\nlines\n"));
	term_message(&out, SV(""));
	assert_string_equal(out.ptr, " one\n\n    two\n    lines\n \n");
	buf_fini(&out);
}

static void test_json(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	term_safe_json(&out, SV("{\"a\":\n\t\"\x7f\xc2\x9b\xe2\x80\xae"
				"\xf3\xa0\x80\x81\xe6\x97\xa5\"}\r\n"));
	assert_string_equal(out.ptr, "{\"a\":\n\t\"\\u007f\\u009b\\u202e"
				     "\\udb40\\udc01\xe6\x97\xa5\"} \n");
	buf_fini(&out);
}

/* Random bytes: nothing that steers comes out, and widths agree. */
static void test_random(void **state)
{
	uint64_t x = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char bytes[16];
		struct buf out = BUF_INIT;
		int columns;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			bytes[i] = (char)(x >> 32);
		}
		term_safe(&out, sv_make(bytes, sizeof(bytes)));
		assert_false(steers(buf_view(&out)));
		columns = term_safe_width(sv_make(bytes, sizeof(bytes)));
		assert_int_equal(term_safe_width(buf_view(&out)), columns);
		out.len = 0;
		assert_true(term_safe_cut(&out, sv_make(bytes, sizeof(bytes)),
					  7) <= 7);
		assert_true(term_safe_width(buf_view(&out)) <= 7);
		buf_fini(&out);
	}
}

static int in_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static int in_c(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C") ? 0 : -1;
}

/* One group, as TAP has one plan: the locale is each test's own. */
int main(void)
{
	static bool utf8 = true, ascii = false;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_controls, in_utf8),
		{ "test_rows", test_rows, in_utf8, NULL, &utf8 },
		cmocka_unit_test_setup(test_mark_limit, in_utf8),
		cmocka_unit_test_setup(test_cut, in_utf8),
		cmocka_unit_test_setup(test_lines, in_utf8),
		cmocka_unit_test_setup(test_json, in_utf8),
		cmocka_unit_test_setup(test_random, in_utf8),
		{ "test_controls in C", test_controls, in_c, NULL, NULL },
		{ "test_rows in C", test_rows, in_c, NULL, &ascii },
		{ "test_random in C", test_random, in_c, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
