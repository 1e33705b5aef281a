/* SPDX-License-Identifier: Apache-2.0 */
/* The parser that takes 64 bytes at a time and the portable one are the same:
 * the same nodes for what they accept, the same words for what they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/codec/json_wide.h"
#include "core/codec/json_write.h"

enum { ROUNDS = 60000, LENGTH_MAX = 400 };

static uint64_t state = 88172645463325252ULL;

static uint32_t pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % below;
}

/* The text is in memory of exactly its size, so that a read behind it shows. */
static void compare(const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	struct sv text = sv_make(copy, len);
	struct diag da = { 0 }, db = { 0 };
	struct arena a = { 0 }, b = { 0 };
	struct json_doc wide, portable;
	int ea, eb;

	memcpy(copy, bytes, len);
	ea = json_parse(&wide, &a, text, &da);
	eb = json_parse_portable(&portable, &b, text, &db);
	assert_int_equal(ea, eb);
	assert_string_equal(da.text, db.text);
	assert_int_equal(a.used, b.used);
	if (!ea && json_wide_can()) {
		struct json_census census = json_wide_census(text);
		struct json_node *nodes =
			malloc(census.nodes_most * sizeof(*nodes));
		uint32_t count;

		assert_true(json_wide_parse(text, &census, JSON_WIDE_256, nodes,
					    &count));
		assert_int_equal(count, portable.count);
		assert_memory_equal(nodes, portable.nodes,
				    count * sizeof(*nodes));
		free(nodes);
	}
	if (!ea) {
		assert_int_equal(wide.count, portable.count);
		assert_memory_equal(wide.nodes, portable.nodes,
				    wide.count * sizeof(*wide.nodes));
	}
	arena_fini(&a);
	arena_fini(&b);
	free(copy);
}

/* Pieces that are likely to make sense behind each other. */
static size_t random_text(char *out)
{
	static const char *const pieces[] = {
		"{",
		"}",
		"[",
		"]",
		",",
		":",
		"\"",
		"\\",
		"\\\"",
		"\\n",
		"\\u00",
		"\\ud8",
		"true",
		"false",
		"null",
		"1",
		"0",
		"-",
		".5",
		"e+1",
		" ",
		"\n",
		"\t",
		"\r",
		"a",
		"\xc3",
		"\xa9",
		"\xc3\xa9",
		"\x01",
		"\f",
		"\x1a",
		"/",
		"x",
		"\x7f",
		"\xff",
		"\"k\"",
		"\"k\":",
		"[]",
		"{}",
		"123456",
		",\"",
		"\":",
		"\xe2\x82\xac",
		"    ",
		"\"\\\\\"",
		"\"abcdefgh\"",
	};
	size_t len = 0, most = pick(LENGTH_MAX);

	while (len < most) {
		const char *p =
			pieces[pick(sizeof(pieces) / sizeof(pieces[0]))];

		memcpy(out + len, p, strlen(p));
		len += strlen(p);
	}
	return len;
}

static void test_random_pieces(void **unused)
{
	char text[LENGTH_MAX + 16];

	(void)unused;
	for (int i = 0; i < ROUNDS; i++)
		compare(text, random_text(text));
}

static void put_value(struct json_writer *w, unsigned depth)
{
	static const char *const texts[] = { "",
					     "a",
					     "caf\xc3\xa9",
					     "a\"b\\c\n",
					     "0123456789abcdef0123456789abcdef",
					     "\\\\\\",
					     "\x01",
					     "/" };

	switch (pick(depth ? 9 : 6)) {
	case 0:
		json_put_i64(w, (int64_t)pick(1000) - 500);
		return;
	case 1:
		json_put_double(w, (double)pick(100000) / 7);
		return;
	case 2:
		json_put_bool(w, pick(2));
		return;
	case 3:
		json_put_null(w);
		return;
	case 4:
	case 5:
		json_put_text(w, texts[pick(8)]);
		return;
	case 6:
		json_open_array(w);
		for (uint32_t n = pick(6); n; n--)
			put_value(w, depth - 1);
		json_close_array(w);
		return;
	default:
		json_open_object(w);
		for (uint32_t n = pick(6); n; n--) {
			json_key(w, texts[pick(8)]);
			put_value(w, depth - 1);
		}
		json_close_object(w);
	}
}

/* Good documents of all sizes, also over several chunks, with one byte changed
 * or cut off. */
static void test_documents(void **unused)
{
	static const char others[] = "\"\\{}[],:\x01 \xff"
				     "1a\n";

	(void)unused;
	for (int i = 0; i < ROUNDS / 10; i++) {
		struct buf b = { 0 };
		struct json_writer w = json_writer(&b);

		json_open_array(&w);
		for (uint32_t n = pick(i % 50 ? 4 : 1000); n; n--)
			put_value(&w, 4);
		json_close_array(&w);
		compare(b.ptr, b.len);
		compare(b.ptr, pick((uint32_t)b.len + 1));
		b.ptr[pick((uint32_t)b.len)] = others[pick(sizeof(others) - 1)];
		compare(b.ptr, b.len);
		buf_fini(&b);
	}
}

static void test_depth(void **unused)
{
	char text[2 * JSON_DEPTH_MAX + 4];

	(void)unused;
	for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1;
	     depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		compare(text, 2 * depth);
	}
}

/* Strings whose escapes are one character each, as in a document within a
 * document, are read by the wide one; of others it says so. */
static void test_strings(void **unused)
{
	static const char *const pieces[] = { "a",       "\\\"",     "\\\\",
					      "\\/",     "\\n",      "\\u0041",
					      "bcdefgh", "\xc3\xa9", "\x02",
					      "\"" };
	size_t read = 0;

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		char text[LENGTH_MAX + 16] = "\"";
		char out[LENGTH_MAX + 80];
		size_t len = 1, most = 1 + pick(LENGTH_MAX - 16);
		uint32_t kinds = pick(3) ? 4 : 10;
		struct arena arena = { 0 };
		struct json_doc doc;
		enum json_wide how =
			(enum json_wide)pick(json_wide_can() + 1);
		const char *close;
		char *copy;
		size_t n;

		while (len < most) {
			const char *p = pieces[pick(kinds)];

			memcpy(text + len, p, strlen(p));
			len += strlen(p);
		}
		copy = malloc(len + 1);
		memcpy(copy, text, len);
		copy[len++] = '"';
		close = json_wide_string(copy + 1, copy + len, how, out, &n);
		if (close) {
			size_t all = (size_t)(close - copy) + 1;
			struct sv s;

			read++;
			assert_int_equal(json_parse_portable(&doc, &arena,
							     sv_make(copy, all),
							     NULL),
					 0);
			s = json_string(json_root(&doc), &arena);
			assert_int_equal(s.len, n);
			assert_memory_equal(s.ptr, out, n);
		} else {
			assert_true(kinds > 4);
		}
		/* Without its closing quote it is no string. */
		if (kinds == 4)
			assert_null(json_wide_string(copy + 1, copy + len - 1,
						     how, out, &n));
		arena_fini(&arena);
		free(copy);
	}
	assert_true(read > ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_pieces),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests_name("json_wide", tests, NULL, NULL);
}
