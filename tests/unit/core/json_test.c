/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/json.h"
#include "core/codec/json_write.h"

static int parse(struct json_doc *doc, struct arena *a, struct sv text)
{
	struct diag diag = { 0 };
	int err = json_parse(doc, a, text, &diag);

	assert_int_equal(diag.err, err);
	assert_int_equal(diag.text[0] != '\0', err != 0);
	return err;
}

static void test_valid(void **state)
{
	static const struct sv rows[] = {
		SV_INIT("0"),
		SV_INIT("-0"),
		SV_INIT(" \t\r\n1 \t\r\n"),
		SV_INIT("-12.5e+3"),
		SV_INIT("1E9"),
		SV_INIT("0.0e-0"),
		SV_INIT("123456789012345678901234567890"),
		SV_INIT("1e999999999999"),
		SV_INIT("true"),
		SV_INIT("false"),
		SV_INIT("null"),
		SV_INIT("\"\""),
		SV_INIT("\"0123456789abcdef0123456789\""),
		SV_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00Ff\""),
		SV_INIT("\"\\ud83d\\ude00\""),
		SV_INIT("\"\\ud83d\""), /* half a pair: U+FFFD when read */
		SV_INIT("\"\\u0000\""),
		SV_INIT("\"\x7f\xc2\x80\xdf\xbf\""),
		SV_INIT("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
		SV_INIT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
		SV_INIT("[]"),
		SV_INIT("{}"),
		SV_INIT("[ ]"),
		SV_INIT("{ }"),
		SV_INIT("[[],{},[[]]]"),
		SV_INIT("[1,\"a\",null,true,{\"a\":[]}]"),
		SV_INIT("{\"a\":1,\"a\":2,\"\":{\"b\":[1,2]}}"),
		SV_INIT("[ 1 , 2 , { \"a\" : 1 , \"b\" : 2 } ]"),
		SV_INIT("\"[[[[{{{{,,,,::::\""),
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_doc doc;

		if (parse(&doc, &a, rows[i]))
			fail_msg("refused: %s", rows[i].ptr);
		assert_int_equal(doc.nodes[0].next, doc.count);
		arena_reset(&a);
	}
	arena_fini(&a);
}

static void test_invalid(void **state)
{
	static const struct sv rows[] = {
		SV_INIT(""),
		SV_INIT(" "),
		SV_INIT("\xef\xbb\xbf"
			"1"), /* a byte order mark */
		SV_INIT("1 2"),
		SV_INIT("1,"),
		SV_INIT("{}x"),
		SV_INIT("[]]"),
		SV_INIT("{}}"),
		SV_INIT("null\0"),
		SV_INIT("\0"),
		SV_INIT("[1\0]"),
		SV_INIT("[1\v]"),
		SV_INIT("[1\f]"),
		SV_INIT("[1\xc2\xa0]"),
		SV_INIT("00"),
		SV_INIT("01"),
		SV_INIT("-01"),
		SV_INIT("-"),
		SV_INIT("+1"),
		SV_INIT(".5"),
		SV_INIT("1."),
		SV_INIT("1.e1"),
		SV_INIT("1e"),
		SV_INIT("1e+"),
		SV_INIT("1e1.5"),
		SV_INIT("0x10"),
		SV_INIT("1_000"),
		SV_INIT("NaN"),
		SV_INIT("Infinity"),
		SV_INIT("-Infinity"),
		SV_INIT("--1"),
		SV_INIT("tru"),
		SV_INIT("True"),
		SV_INIT("truex"),
		SV_INIT("nul"),
		SV_INIT("undefined"),
		SV_INIT("'a'"),
		SV_INIT("\"a"),
		SV_INIT("\""),
		SV_INIT("\"\\\""),
		SV_INIT("\"\\"),
		SV_INIT("\"\\x41\""),
		SV_INIT("\"\\u12\""),
		SV_INIT("\"\\u12G4\""),
		SV_INIT("\"\\U0041\""),
		SV_INIT("\"\\u"),
		SV_INIT("\"\\a\""),
		SV_INIT("\"\t\""),
		SV_INIT("\"\n\""),
		SV_INIT("\"a\0b\""),
		SV_INIT("\"\x1f\""),
		SV_INIT("\"0123456789abcde\x01xxxxxxxxxxxxxxxxxx\""),
		SV_INIT("\"\x80\""),
		SV_INIT("\"\xc0\xaf\""),
		SV_INIT("\"\xc1\xbf\""),
		SV_INIT("\"\xc3\""),
		SV_INIT("\"\xc3"),
		SV_INIT("\"\xe0\x80\xaf\""),
		SV_INIT("\"\xe0\x9f\xbf\""),
		SV_INIT("\"\xed\xa0\x80\""), /* a surrogate */
		SV_INIT("\"\xed\xbf\xbf\""),
		SV_INIT("\"\xe2\x82\""),
		SV_INIT("\"\xf0\x80\x80\xaf\""),
		SV_INIT("\"\xf0\x8f\xbf\xbf\""),
		SV_INIT("\"\xf4\x90\x80\x80\""),
		SV_INIT("\"\xf5\x80\x80\x80\""),
		SV_INIT("\"\xf8\x88\x80\x80\x80\""),
		SV_INIT("\"\xff\""),
		SV_INIT("\"\xf0\x9f\x98\""),
		SV_INIT("["),
		SV_INIT("[1"),
		SV_INIT("[1,"),
		SV_INIT("[1,]"),
		SV_INIT("[,1]"),
		SV_INIT("[,]"),
		SV_INIT("[1,,2]"),
		SV_INIT("[1 2]"),
		SV_INIT("[1}"),
		SV_INIT("]"),
		SV_INIT("{"),
		SV_INIT("{\"a\""),
		SV_INIT("{\"a\":"),
		SV_INIT("{\"a\":1"),
		SV_INIT("{\"a\":1,"),
		SV_INIT("{\"a\":1,}"),
		SV_INIT("{,\"a\":1}"),
		SV_INIT("{\"a\"}"),
		SV_INIT("{\"a\":}"),
		SV_INIT("{\"a\",1}"),
		SV_INIT("{\"a\":1:2}"),
		SV_INIT("{\"a\":1 \"b\":2}"),
		SV_INIT("{a:1}"),
		SV_INIT("{1:1}"),
		SV_INIT("{\"a\":1]"),
		SV_INIT("{null:1}"),
		SV_INIT("[1]/**/"),
		SV_INIT("//\n1"),
		SV_INIT(":"),
		SV_INIT(","),
		SV_INIT("}"),
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_doc doc;

		if (parse(&doc, &a, rows[i]) != ERR_SYNTAX)
			fail_msg("row %zu taken: %s", i, rows[i].ptr);
		arena_reset(&a);
	}
	arena_fini(&a);
}

/* Every byte by itself, in and out of a string, at each place of a vector. */
static void test_every_byte(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (unsigned c = 0; c < 256; c++)
		for (size_t at = 1; at < 40; at++) {
			struct json_doc doc;
			char text[42];
			bool bad = c < 0x20 || c >= 0x80 || c == '"' ||
				   c == '\\';
			bool space = c == ' ' || c == '\t' || c == '\n' ||
				     c == '\r';

			memset(text, 'x', sizeof(text));
			text[0] = text[41] = '"';
			text[at] = (char)c;
			assert_int_equal(
				parse(&doc, &a, sv_make(text, 42)) != 0, bad);
			memset(text, ' ', sizeof(text));
			text[41] = '1';
			text[at] = (char)c;
			if (c < '0' || c > '9')
				assert_int_equal(
					parse(&doc, &a, sv_make(text, 42)) == 0,
					space || (c == '-' && at == 40));
			arena_reset(&a);
		}
	arena_fini(&a);
}

static int parse_nested(int depth, const char *open, const char *close,
			size_t limit)
{
	struct arena a = { .limit = limit };
	struct buf text = BUF_INIT;
	struct json_doc doc;
	int err;

	for (int i = 0; i < depth; i++)
		buf_text(&text, open);
	buf_text(&text, "1");
	for (int i = 0; i < depth; i++)
		buf_text(&text, close);
	err = parse(&doc, &a, buf_view(&text));
	buf_fini(&text);
	arena_fini(&a);
	return err;
}

static void test_limits(void **state)
{
	struct json_doc doc;
	struct arena a = ARENA_INIT;

	(void)state;
	assert_int_equal(parse_nested(64, "[", "]", 0), 0);
	assert_int_equal(parse_nested(65, "[", "]", 0), ERR_LIMIT);
	assert_int_equal(parse_nested(64, "{\"\":", "}", 0), 0);
	assert_int_equal(parse_nested(65, "{\"\":", "}", 0), ERR_LIMIT);
	assert_int_equal(parse_nested(1000000, "[", "", 0), ERR_LIMIT);
	assert_int_equal(parse_nested(64, "[", "]", 1024), ERR_NOMEM);
	assert_int_equal(parse(&doc, &a,
			       sv_make("x", (size_t)JSON_BYTES_MAX + 1)),
			 ERR_LIMIT);
	arena_fini(&a);
}

static void test_walk(void **state)
{
	static const struct sv text = SV_INIT(
		"{\"a\":[1,[2,3],{}],\"b\\n\":{\"c\":null},\"a\":4,"
		"\"\\u00e9\\ud83d\\ude00\\/\":\"x\\ty\",\"e\":[],\"\":true}");
	struct arena a = ARENA_INIT;
	struct json_doc doc;
	struct json root, v, it;
	int n = 0;

	(void)state;
	assert_int_equal(parse(&doc, &a, text), 0);
	root = json_root(&doc);
	for (it = json_first(root); it.doc; it = json_next(root, it))
		n++;
	assert_int_equal(n, 6);
	v = json_get(root, SV("a"));
	assert_true(sv_eq(json_raw(v), SV("[1,[2,3],{}]")));
	it = json_first(v);
	it = json_next(v, it);
	assert_true(sv_eq(json_raw(it), SV("[2,3]")));
	it = json_next(v, it);
	assert_true(json_is(it, JSON_OBJECT));
	assert_null(json_first(it).doc);
	assert_null(json_next(v, it).doc);
	v = json_get(json_get(root, SV("b\n")), SV("c"));
	assert_true(json_is(v, JSON_NULL));
	v = json_get(root, SV("\xc3\xa9\xf0\x9f\x98\x80/"));
	assert_true(json_string_is(v, SV("x\ty")));
	assert_true(sv_eq(json_string(v, &a), SV("x\ty")));
	assert_true(sv_eq(json_raw(v), SV("\"x\\ty\"")));
	assert_null(json_first(json_get(root, SV("e"))).doc);
	assert_true(json_is(json_get(root, SV("")), JSON_TRUE));
	/* No such value: everything answers as for null. */
	v = json_get(root, SV("b"));
	assert_null(v.doc);
	assert_false(json_is(v, JSON_NULL));
	assert_null(json_get(v, SV("x")).doc);
	assert_null(json_first(v).doc);
	assert_null(json_next(v, v).doc);
	assert_null(json_member(v).doc);
	assert_null(json_string(v, &a).ptr);
	assert_true(sv_eq(json_raw(v), SV("null")));
	arena_fini(&a);
}

static void test_strings(void **state)
{
	static const struct {
		struct sv text, want;
	} rows[] = {
		{ SV_INIT("\"plain\""), SV_INIT("plain") },
		{ SV_INIT("\"\\u0000\""), SV_INIT("\0") },
		{ SV_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
		  SV_INIT("\"\\/\b\f\n\r\t") },
		{ SV_INIT("\"\\u007f\\u0080\\u07FF\\u0800\\uffff\""),
		  SV_INIT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf") },
		{ SV_INIT("\"\\ud800\\udc00\\uDBFF\\uDFFF\""),
		  SV_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf") },
		/* halves: alone, the low first, two high, then a letter */
		{ SV_INIT("\"\\ud800\""), SV_INIT("\xef\xbf\xbd") },
		{ SV_INIT("\"\\udc00\\ud800\""),
		  SV_INIT("\xef\xbf\xbd\xef\xbf\xbd") },
		{ SV_INIT("\"\\ud800\\ud800\\udc00\""),
		  SV_INIT("\xef\xbf\xbd\xf0\x90\x80\x80") },
		{ SV_INIT("\"\\ud800x\""), SV_INIT("\xef\xbf\xbdx") },
		{ SV_INIT("\"\\ud800\\n\""), SV_INIT("\xef\xbf\xbd\n") },
		{ SV_INIT("\"\\ud800\\u0041\""), SV_INIT("\xef\xbf\xbd"
							 "A") },
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_doc doc;
		struct json v;

		assert_int_equal(parse(&doc, &a, rows[i].text), 0);
		v = json_root(&doc);
		assert_true(sv_eq(json_string(v, &a), rows[i].want));
		assert_true(json_string_is(v, rows[i].want));
		assert_false(json_string_is(v, SV("")));
		assert_false(json_string_is(v, sv_make(rows[i].want.ptr,
						       rows[i].want.len - 1)));
		arena_reset(&a);
	}
	arena_fini(&a);
}

static void test_integers(void **state)
{
	enum { NO = 12345 };
	static const struct {
		const char *text;
		int64_t i64, ns;
	} rows[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "1", 1, 1000000000 },
		{ "1.5", NO, 1500000000 },
		{ "1.0", 1, 1000000000 },
		{ "15e-1", NO, 1500000000 },
		{ "10e-1", 1, 1000000000 },
		{ "1e3", 1000, 1000000000000 },
		{ "1.234E2", NO, 123400000000 },
		{ "1.23400e2", NO, 123400000000 },
		{ "1795338000.123456789", NO, 1795338000123456789 },
		{ "1795338000.1234567899", NO, 1795338000123456789 },
		{ "-1795338000.1234567899", NO, -1795338000123456789 },
		{ "1.795338000123456789e9", NO, 1795338000123456789 },
		{ "0.000000001", NO, 1 },
		{ "0.0000000009999", NO, 0 },
		{ "1e-400000000000000000000", NO, 0 },
		{ "0e400000000000000000000", 0, 0 },
		{ "9223372036.854775807", NO, INT64_MAX },
		{ "9223372036.854775808", NO, NO },
		{ "-9223372036.854775808", NO, INT64_MIN },
		{ "-9223372036.854775809", NO, NO },
		{ "9223372036854775807", INT64_MAX, NO },
		{ "9223372036854775808", NO, NO },
		{ "-9223372036854775808", INT64_MIN, NO },
		{ "-9223372036854775809", NO, NO },
		{ "99999999999999999999999", NO, NO },
		{ "1e18", 1000000000000000000, NO },
		{ "1e19", NO, NO },
		{ "1e400000000000000000000", NO, NO },
		{ "0.00000000000000000000000000001e29", 1, 1000000000 },
		{ "null", NO, NO },
		{ "\"1\"", NO, NO },
		{ "[1]", NO, NO },
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_doc doc;
		int64_t v = NO;

		assert_int_equal(parse(&doc, &a, sv_from(rows[i].text)), 0);
		if (json_to_i64(json_root(&doc), &v) != (rows[i].i64 != NO) ||
		    v != rows[i].i64)
			fail_msg("i64 of %s: %lld", rows[i].text, (long long)v);
		v = NO;
		if (json_to_ns(json_root(&doc), &v) != (rows[i].ns != NO) ||
		    v != rows[i].ns)
			fail_msg("ns of %s: %lld", rows[i].text, (long long)v);
		arena_reset(&a);
	}
	arena_fini(&a);
}

/* What is read is what strtod reads, in whatever way; what is written reads
 * back the same. */
static void test_doubles(void **state)
{
	static const char *const rows[] = {
		"0",
		"-0",
		"0.1",
		"1e22",
		"1e23",
		"123456789012345678",
		"9007199254740993",
		"9007199254740992e3",
		"1.7976931348623157e308",
		"2.2250738585072011e-308",
		"4.9e-324",
		"1e-400",
		"0.1e-6",
		"100000000000000000000000",
		"2.5e-5",
		"123456.789",
		"-1795338000.123",
		"8.5e-7",
		"1e21",
		"1.5e21",
		"6.62607015e-34",
		"0.30000000000000004",
	};
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct json_doc doc;
	double v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_writer w = json_writer(&text);
		double want = strtod(rows[i], NULL);

		assert_int_equal(parse(&doc, &a, sv_from(rows[i])), 0);
		assert_true(json_to_double(json_root(&doc), &v));
		assert_true(v == want && signbit(v) == signbit(want));
		buf_reset(&text);
		json_put_double(&w, want);
		assert_int_equal(parse(&doc, &a, buf_view(&text)), 0);
		assert_true(json_to_double(json_root(&doc), &v));
		assert_true(v == want && signbit(v) == signbit(want));
		assert_true(text.len <= 24);
	}
	/* Half between two doubles, but for a digit far behind: round up. */
	buf_reset(&text);
	buf_text(&text, "9007199254740993.");
	for (int i = 0; i < 2000; i++)
		buf_char(&text, '0');
	assert_int_equal(parse(&doc, &a, buf_view(&text)), 0);
	assert_true(json_to_double(json_root(&doc), &v));
	assert_true(v == 9007199254740992.0);
	buf_char(&text, '1');
	assert_int_equal(parse(&doc, &a, buf_view(&text)), 0);
	assert_true(json_to_double(json_root(&doc), &v));
	assert_true(v == 9007199254740994.0);
	assert_int_equal(parse(&doc, &a, SV("1e309")), 0);
	assert_false(json_to_double(json_root(&doc), &v));
	assert_int_equal(parse(&doc, &a, SV("-1e99999999999")), 0);
	assert_false(json_to_double(json_root(&doc), &v));
	assert_int_equal(parse(&doc, &a, SV("\"1\"")), 0);
	assert_false(json_to_double(json_root(&doc), &v));
	buf_fini(&text);
	arena_fini(&a);
}

static void write_value(struct json_writer *w, struct json v, struct arena *a)
{
	int64_t n;
	double d;

	if (json_is(v, JSON_OBJECT)) {
		json_open_object(w);
		for (struct json it = json_first(v); it.doc;
		     it = json_next(v, it)) {
			struct sv key = json_string(it, a);

			json_key(w, arena_copy(a, key).ptr);
			write_value(w, json_member(it), a);
		}
		json_close_object(w);
	} else if (json_is(v, JSON_ARRAY)) {
		json_open_array(w);
		for (struct json it = json_first(v); it.doc;
		     it = json_next(v, it))
			write_value(w, it, a);
		json_close_array(w);
	} else if (json_is(v, JSON_STRING)) {
		json_put_sv(w, json_string(v, a));
	} else if (json_to_i64(v, &n)) {
		json_put_i64(w, n);
	} else if (json_to_double(v, &d)) {
		json_put_double(w, d);
	} else {
		json_put_raw(w, json_raw(v));
	}
}

/* Two walks of our own output must agree byte by byte. */
static void round_trip(struct sv text)
{
	struct arena a = ARENA_INIT;
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct json_writer w1 = json_writer(&first), w2 = json_writer(&second);
	struct json_doc doc;

	assert_int_equal(parse(&doc, &a, text), 0);
	write_value(&w1, json_root(&doc), &a);
	assert_int_equal(parse(&doc, &a, buf_view(&first)), 0);
	write_value(&w2, json_root(&doc), &a);
	assert_true(sv_eq(buf_view(&first), buf_view(&second)));
	assert_true(first.len > text.len / 2);
	for (size_t n = 0; n < text.len; n++)
		assert_int_not_equal(parse(&doc, &a, sv_make(text.ptr, n)), 0);
	buf_fini(&first);
	buf_fini(&second);
	arena_fini(&a);
}

/* Recorded from AWS's X-Ray SDKs: a header line, then a document. */
static void test_fixtures(void **state)
{
	DIR *dir = opendir("tests/fixtures/udp");
	struct dirent *entry;
	int files = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		static char bytes[70000];
		char path[300];
		struct sv text;
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "tests/fixtures/udp/%s",
			 entry->d_name);
		f = fopen(path, "rb");
		assert_non_null(f);
		text = sv_make(bytes, fread(bytes, 1, sizeof(bytes), f));
		fclose(f);
		round_trip(sv_cut(&text, '\n'));
		round_trip(text);
		files++;
	}
	closedir(dir);
	assert_true(files >= 12);
}

static void test_writer(void **state)
{
	struct buf b = BUF_INIT;
	struct json_writer w = json_writer(&b);

	(void)state;
	json_open_object(&w);
	json_key(&w, "s");
	json_put_sv(&w, SV("\"\\\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\0/"));
	json_key(&w, "bad");
	json_put_sv(&w, SV("a\xff\xed\xa0\x80\xe2\x82"));
	json_key(&w, "n");
	json_open_array(&w);
	json_put_i64(&w, INT64_MIN);
	json_put_u64(&w, UINT64_MAX);
	json_put_double(&w, 0.1);
	json_put_double(&w, -3);
	json_put_double(&w, 1e300);
	json_put_double(&w, 1.5e-7);
	json_put_double(&w, 0.00012);
	json_put_double(&w, 1e17);
	json_put_double(&w, NAN);
	json_put_double(&w, -INFINITY);
	json_close_array(&w);
	json_key(&w, "t");
	json_open_array(&w);
	json_put_seconds(&w, 1795338000123456789);
	json_put_seconds(&w, -1);
	json_put_seconds(&w, 0);
	json_put_iso(&w, 1795338000123456789);
	json_put_iso(&w, -1);
	json_put_iso(&w, 951782400000000000);
	json_put_iso(&w, INT64_MAX);
	json_put_iso(&w, INT64_MIN);
	json_close_array(&w);
	json_key(&w, "o");
	json_open_object(&w);
	json_close_object(&w);
	json_key(&w, "b");
	json_put_bool(&w, true);
	json_key(&w, "z");
	json_put_null(&w);
	json_key(&w, "r");
	json_put_raw(&w, SV("[1]"));
	json_close_object(&w);
	assert_string_equal(
		b.ptr,
		"{\"s\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9"
		"\\u0000/\",\"bad\":\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"n\":"
		"[-9223372036854775808,18446744073709551615,0.1,-3,1e300,"
		"1.5e-7,0.00012,100000000000000000,null,null],\"t\":["
		"1795338000.123,-0.001,0.000,\"2026-11-22T09:00:00.123Z\","
		"\"1969-12-31T23:59:59.999Z\",\"2000-02-29T00:00:00.000Z\","
		"\"2262-04-11T23:47:16.854Z\",\"1677-09-21T00:12:43.145Z\"],"
		"\"o\":{},\"b\":true,\"z\":null,\"r\":[1]}");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_fixtures),
		cmocka_unit_test(test_writer),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
