/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/cbor.h"
#include "core/codec/json_write.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NS 1000000000LL

/* Bytes from the notation of the tables. */
static struct sv bytes_of(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	assert_true(sv_to_hex(sv_from(hex), out, n));
	return sv_make((const char *)out, n);
}

static int parse(struct cbor_doc *doc, struct arena *a, struct sv bytes)
{
	struct diag diag = { 0 };
	int err = cbor_parse(doc, a, bytes, &diag);

	assert_int_equal(diag.err, err);
	assert_int_equal(diag.text[0] != '\0', err != 0);
	return err;
}

static void dump_string(struct buf *out, struct sv s, bool text)
{
	char two[2];

	if (text) {
		buf_char(out, '"');
		json_escape(out, s);
		buf_char(out, '"');
		return;
	}
	buf_text(out, "h'");
	for (size_t i = 0; i < s.len; i++) {
		hex_from(two, (const uint8_t *)s.ptr + i, 1);
		buf_add(out, two, 2);
	}
	buf_char(out, '\'');
}

static void dump_number(struct buf *out, struct cbor v)
{
	struct json_writer w = json_writer(out);
	int64_t n;
	double d;

	assert_true(cbor_to_double(v, &d));
	if (isnan(d))
		buf_text(out, "NaN");
	else if (isinf(d))
		buf_text(out, d < 0 ? "-Infinity" : "Infinity");
	else if (cbor_to_i64(v, &n))
		json_put_i64(&w, n);
	else
		json_put_double(&w, d);
}

/* RFC 8949's diagnostic notation, but without a mark for what was encoded in
 * another way than the shortest, and integral floats as integers. */
static void dump(struct buf *out, struct cbor v, struct arena *a)
{
	struct sv text = cbor_text(v, a), bytes = cbor_bytes(v, a);
	bool map = cbor_is(v, CBOR_MAP), first = true, flag;
	uint64_t tag;
	double d;

	if (text.ptr || bytes.ptr) {
		dump_string(out, text.ptr ? text : bytes, text.ptr);
	} else if (cbor_to_double(v, &d)) {
		dump_number(out, v);
	} else if (cbor_to_bool(v, &flag)) {
		buf_text(out, flag ? "true" : "false");
	} else if (cbor_is(v, CBOR_NULL)) {
		buf_text(out, "null");
	} else if (cbor_is(v, CBOR_UNDEFINED)) {
		buf_text(out, "undefined");
	} else if (cbor_is(v, CBOR_SIMPLE)) {
		buf_text(out, "simple");
	} else {
		if (cbor_to_tag(v, &tag)) {
			buf_u64(out, tag);
			buf_char(out, '(');
		} else {
			buf_char(out, map ? '{' : '[');
		}
		for (struct cbor it = cbor_first(v); it.doc;
		     it = cbor_next(v, it), first = false) {
			if (!first)
				buf_text(out, ", ");
			dump(out, it, a);
			if (map) {
				buf_text(out, ": ");
				dump(out, cbor_member(it), a);
			}
		}
		buf_char(out, cbor_is(v, CBOR_TAG) ? ')' : map ? '}' : ']');
	}
}

/* RFC 8949, appendix A, and what Smithy's clients send. */
static const struct {
	const char *hex, *text;
} examples[] = {
	{ "00", "0" },
	{ "0a", "10" },
	{ "17", "23" },
	{ "1818", "24" },
	{ "1903e8", "1000" },
	{ "1a000f4240", "1000000" },
	{ "1b000000e8d4a51000", "1000000000000" },
	{ "1b7fffffffffffffff", "9223372036854775807" },
	{ "1bffffffffffffffff", "18446744073709552000" },
	{ "1b0000000000000001", "1" },
	{ "3bffffffffffffffff", "-18446744073709552000" },
	{ "3b7fffffffffffffff", "-9223372036854775808" },
	{ "20", "-1" },
	{ "29", "-10" },
	{ "3863", "-100" },
	{ "3903e7", "-1000" },
	{ "f90000", "0" },
	{ "f93c00", "1" },
	{ "fb3ff199999999999a", "1.1" },
	{ "f93e00", "1.5" },
	{ "f97bff", "65504" },
	{ "fa47c35000", "100000" },
	{ "fa7f7fffff", "3.4028234663852886e38" },
	{ "fb7e37e43c8800759c", "1e300" },
	{ "f90001", "5.9604644775390625e-8" },
	{ "f90400", "0.00006103515625" },
	{ "f9c400", "-4" },
	{ "fbc010666666666666", "-4.1" },
	{ "f97c00", "Infinity" },
	{ "f97e00", "NaN" },
	{ "f9fc00", "-Infinity" },
	{ "fa7f800000", "Infinity" },
	{ "fa7fc00000", "NaN" },
	{ "fb7ff0000000000000", "Infinity" },
	{ "fbfff0000000000000", "-Infinity" },
	{ "f4", "false" },
	{ "f5", "true" },
	{ "f6", "null" },
	{ "f7", "undefined" },
	{ "f0", "simple" },
	{ "f8ff", "simple" },
	{ "c074323031332d30332d32315432303a30343a30305a",
	  "0(\"2013-03-21T20:04:00Z\")" },
	{ "c11a514b67b0", "1(1363896240)" },
	{ "c1fb41d452d9ec200000", "1(1363896240.5)" },
	{ "d74401020304", "23(h'01020304')" },
	{ "d818456449455446", "24(h'6449455446')" },
	{ "dbffffffffffffffff00", "18446744073709551615(0)" },
	{ "c1c1c100", "1(1(1(0)))" },
	{ "40", "h''" },
	{ "4401020304", "h'01020304'" },
	{ "60", "\"\"" },
	{ "6161", "\"a\"" },
	{ "6449455446", "\"IETF\"" },
	{ "62225c", "\"\\\"\\\\\"" },
	{ "62c3bc", "\"\xc3\xbc\"" },
	{ "64f0908591", "\"\xf0\x90\x85\x91\"" },
	{ "79000161", "\"a\"" },
	{ "80", "[]" },
	{ "83010203", "[1, 2, 3]" },
	{ "8301820203820405", "[1, [2, 3], [4, 5]]" },
	{ "980101", "[1]" },
	{ "9b000000000000000101", "[1]" },
	{ "a0", "{}" },
	{ "a201020304", "{1: 2, 3: 4}" },
	{ "a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}" },
	{ "826161a161626163", "[\"a\", {\"b\": \"c\"}]" },
	{ "a1820102a0", "{[1, 2]: {}}" },
	{ "a2616101616102", "{\"a\": 1, \"a\": 2}" },
	{ "5f42010243030405ff", "h'0102030405'" },
	{ "5fff", "h''" },
	{ "7fff", "\"\"" },
	{ "7f657374726561646d696e67ff", "\"streaming\"" },
	{ "7f606161606162ff", "\"ab\"" },
	{ "9fff", "[]" },
	{ "9f018202039f0405ffff", "[1, [2, 3], [4, 5]]" },
	{ "83018202039f0405ff", "[1, [2, 3], [4, 5]]" },
	{ "bfff", "{}" },
	{ "bf61610161629f0203ffff", "{\"a\": 1, \"b\": [2, 3]}" },
	{ "bf6346756ef563416d7421ff", "{\"Fun\": true, \"Amt\": -2}" },
	{ "bf7f61466175ff01ff", "{\"Fu\": 1}" },
};

static void test_examples(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct cbor_doc doc;
	uint8_t bytes[64];

	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		if (parse(&doc, &a, bytes_of(examples[i].hex, bytes)))
			fail_msg("refused: %s", examples[i].hex);
		buf_reset(&b);
		dump(&b, cbor_root(&doc), &a);
		assert_string_equal(b.ptr, examples[i].text);
		arena_reset(&a);
	}
	buf_fini(&b);
	arena_fini(&a);
}

/* What is well-formed ends where it ends: every beginning of it is refused,
 * and so is one byte more. */
static void test_cut(void **state)
{
	struct arena a = ARENA_INIT;
	struct cbor_doc doc;
	uint8_t bytes[65];

	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		struct sv s = bytes_of(examples[i].hex, bytes);

		for (size_t n = 0; n < s.len; n++)
			assert_int_equal(parse(&doc, &a, sv_make(s.ptr, n)),
					 ERR_SYNTAX);
		bytes[s.len] = 0;
		assert_int_equal(parse(&doc, &a, sv_make(s.ptr, s.len + 1)),
				 ERR_SYNTAX);
	}
	arena_fini(&a);
}

/* RFC 8949, appendix F, and more. */
static const char *const refused[] = {
	"1c",
	"1d",
	"1e",
	"3c",
	"5c",
	"7e",
	"9d",
	"be",
	"dc",
	"fc",
	"fd",
	"fe",
	"ff",
	"1f",
	"3f",
	"df00",
	"f800",
	"f818",
	"f81f",
	"61ff",
	"62c080",
	"63eda080",
	"64f4908080",
	"61c3",
	"7f61c3ff",
	"7f61c361bcff", /* split */
	"5f00ff",
	"5f21ff",
	"5f6100ff",
	"5f80ff",
	"5fa0ff",
	"5fc000ff",
	"5fe0ff",
	"7f4100ff",
	"5f5f4100ffff",
	"7f7f6100ffff",
	"5f41",
	"81ff",
	"8200ff",
	"a1ff",
	"a1ff00",
	"a100ff",
	"a20000ff",
	"9f81ff",
	"bf00ff",
	"bf000000ff",
	"a100",
	"bf00",
	"c0",
	"c0ff",
	"9fc0ff",
	"9f8000",
	"818181818181818181",
	"5bffffffffffffffff00",
	"7bffffffffffffffff00",
	"9bffffffffffffffff00",
	"bbffffffffffffffff00",
	"bb800000000000000000",
	"9b800000000000000000",
	"5affffffff00",
	"9affffffff00",
	"baffffffff00",
};

static void test_refused(void **state)
{
	struct arena a = ARENA_INIT;
	struct cbor_doc doc;
	uint8_t bytes[64];

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (parse(&doc, &a, bytes_of(refused[i], bytes)) != ERR_SYNTAX)
			fail_msg("taken: %s", refused[i]);
	/* Refused before anything is allocated. */
	assert_int_equal(a.used, 0);
	arena_fini(&a);
}

static void test_limits(void **state)
{
	static const uint8_t heads[] = { 0x81, 0x9f, 0xa1, 0xc1 };
	struct arena a = ARENA_INIT, small = { .limit = 16 };
	uint8_t bytes[CBOR_DEPTH_MAX * 3 + 8];
	struct cbor_doc doc;
	char *many;

	(void)state;
	for (size_t h = 0; h < COUNT(heads); h++)
		for (size_t depth = CBOR_DEPTH_MAX; depth < CBOR_DEPTH_MAX + 2;
		     depth++) {
			size_t n = 0;

			for (size_t i = 0; i < depth; i++) {
				bytes[n++] = heads[h];
				if (heads[h] == 0xa1)
					bytes[n++] = 0;
			}
			bytes[n++] = 0;
			for (size_t i = 0; heads[h] == 0x9f && i < depth; i++)
				bytes[n++] = 0xff;
			assert_int_equal(
				parse(&doc, &a, sv_make((char *)bytes, n)),
				depth == CBOR_DEPTH_MAX ? 0 : ERR_LIMIT);
		}
	assert_int_equal(parse(&doc, &small, SV("\x83\x01\x02\x03")),
			 ERR_NOMEM);
	assert_int_equal(parse(&doc, &a, sv_make("", CBOR_BYTES_MAX + 1ul)),
			 ERR_LIMIT);
	many = malloc(CBOR_ITEMS_MAX + 2);
	assert_non_null(many);
	memset(many, 0, CBOR_ITEMS_MAX + 2);
	many[0] = (char)0x9f;
	many[CBOR_ITEMS_MAX + 1] = (char)0xff;
	assert_int_equal(parse(&doc, &a, sv_make(many, CBOR_ITEMS_MAX + 2)),
			 ERR_LIMIT);
	many[CBOR_ITEMS_MAX] = (char)0xff;
	assert_int_equal(parse(&doc, &a, sv_make(many, CBOR_ITEMS_MAX + 1)), 0);
	free(many);
	arena_fini(&small);
	arena_fini(&a);
}

static struct cbor root_of(struct cbor_doc *doc, struct arena *a,
			   const char *hex, uint8_t *bytes)
{
	assert_int_equal(parse(doc, a, bytes_of(hex, bytes)), 0);
	return cbor_root(doc);
}

static void test_get(void **state)
{
	struct arena a = ARENA_INIT;
	struct cbor none = { 0 };
	struct cbor_doc doc;
	uint8_t bytes[64];
	struct cbor v;
	int64_t n;
	double d;
	bool flag;

	(void)state;
	/* {1: 2, "a": 3, h'61': 4, "b" in pieces: [5], "a": 6} */
	v = root_of(&doc, &a,
		    "a50102616103416104"
		    "7f6162ff8105"
		    "616106",
		    bytes);
	assert_true(cbor_to_i64(cbor_get(v, SV("a")), &n) && n == 3);
	assert_true(cbor_is(cbor_get(v, SV("b")), CBOR_ARRAY));
	assert_null(cbor_get(v, SV("")).doc);
	assert_null(cbor_get(v, SV("c")).doc);
	assert_null(cbor_get(cbor_get(v, SV("b")), SV("a")).doc);
	assert_int_equal(doc.nodes[0].len, 10);
	assert_null(cbor_first(none).doc);
	assert_null(cbor_next(v, none).doc);
	assert_null(cbor_member(none).doc);
	assert_null(cbor_get(none, SV("a")).doc);
	assert_null(cbor_text(none, &a).ptr);
	assert_null(cbor_bytes(cbor_get(v, SV("a")), &a).ptr);
	assert_false(cbor_to_i64(none, &n) || cbor_to_double(none, &d) ||
		     cbor_to_bool(none, &flag) || cbor_to_ns(none, &n) ||
		     cbor_text_is(none, SV("")));
	v = root_of(&doc, &a, "7f61616162ff", bytes);
	assert_true(cbor_text_is(v, SV("ab")));
	assert_false(cbor_text_is(v, SV("ac")));
	assert_false(cbor_text_is(v, SV("a")));
	arena_fini(&a);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *hex;
		bool ok;
		int64_t n;
	} rows[] = {
		{ "00", true, 0 },
		{ "1b7fffffffffffffff", true, INT64_MAX },
		{ "1b8000000000000000", false, 0 },
		{ "3b7fffffffffffffff", true, INT64_MIN },
		{ "3b8000000000000000", false, 0 },
		{ "f94500", true, 5 },
		{ "f93e00", false, 0 },
		{ "fbc3e0000000000000", true, INT64_MIN },
		{ "fb43e0000000000000", false, 0 },
		{ "f97c00", false, 0 },
		{ "f97e00", false, 0 },
		{ "6131", false, 0 },
		{ "f5", false, 0 },
		{ "c101", false, 0 },
	};
	static const struct {
		const char *hex;
		bool ok;
		int64_t ns;
	} times[] = {
		{ "c11a6b02afd0", true, 1795338192 * NS },
		{ "c120", true, -NS },
		{ "c1fb41dac0abf4100000", true, 1795338192250000000 },
		{ "c1f93800", true, NS / 2 },
		{ "c11b00000002540be3ff", false, 0 },
		{ "c1fb7ff0000000000000", false, 0 },
		{ "c16131", false, 0 },
		{ "c1c100", false, 0 },
		{ "c000", false, 0 },
		{ "c200", false, 0 },
		{ "1a6b02afd0", false, 0 },
		{ "81c100", false, 0 },
	};
	struct arena a = ARENA_INIT;
	struct cbor_doc doc;
	uint8_t bytes[16];
	int64_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cbor v = root_of(&doc, &a, rows[i].hex, bytes);

		if (cbor_to_i64(v, &n) != rows[i].ok ||
		    (rows[i].ok && n != rows[i].n))
			fail_msg("%s: %lld", rows[i].hex, (long long)n);
	}
	for (size_t i = 0; i < COUNT(times); i++) {
		struct cbor v = root_of(&doc, &a, times[i].hex, bytes);

		if (cbor_to_ns(v, &n) != times[i].ok ||
		    (times[i].ok && n != times[i].ns))
			fail_msg("%s: %lld", times[i].hex, (long long)n);
	}
	arena_fini(&a);
}

static void test_writer(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT, text = BUF_INIT;
	struct cbor_writer w = cbor_writer(&b);
	struct cbor_doc doc;

	(void)state;
	assert_false(cbor_is_complete(&w));
	cbor_put_map(&w, 5);
	cbor_put_text(&w, "a");
	cbor_put_array(&w, 9);
	cbor_put_i64(&w, 23);
	cbor_put_i64(&w, 24);
	cbor_put_i64(&w, -256);
	cbor_put_i64(&w, INT64_MIN);
	cbor_put_u64(&w, 65536);
	cbor_put_u64(&w, UINT64_MAX);
	cbor_put_bool(&w, true);
	cbor_put_bool(&w, false);
	cbor_put_null(&w);
	cbor_put_text(&w, "b");
	cbor_put_map(&w, 0);
	cbor_put_text(&w, "c");
	cbor_put_array(&w, 0);
	cbor_put_sv(&w, SV("d\xff\xc3"));
	cbor_put_bytes(&w, SV("\xff\0"));
	assert_false(cbor_is_complete(&w));
	cbor_put_text(&w, "e");
	cbor_put_seconds(&w, 1795338001250000000);
	assert_true(cbor_is_complete(&w));
	assert_int_equal(parse(&doc, &a, buf_view(&b)), 0);
	dump(&text, cbor_root(&doc), &a);
	assert_string_equal(
		text.ptr,
		"{\"a\": [23, 24, -256, -9223372036854775808, 65536, "
		"18446744073709552000, true, false, null], \"b\": {}, "
		"\"c\": [], \"d\xef\xbf\xbd\xef\xbf\xbd\": h'ff00', "
		"\"e\": 1(1795338001.25)}");
	buf_reset(&b);
	w = cbor_writer(&b);
	cbor_put_double(&w, 3.25);
	assert_true(sv_eq(buf_view(&b), SV("\xfb\x40\x0a\0\0\0\0\0\0")));
	buf_fini(&text);
	buf_fini(&b);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_limits),
		cmocka_unit_test(test_get),      cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_writer),
	};

	return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
