/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/codec/protobuf.h"
#include "tests/bench/spans.h"
#include "tests/sim/documents.h"
#include "tracer/shape/inner.h"

static const uint8_t trace_id[TRACE_ID_SIZE] = { 0x6b, 2, 0xbf, 0x61, 0, 0x28 };
static const struct sv trace_xray = SV_INIT("1-6b02bf61-0028000000000000"
					    "00000000");

static struct shapes *new_shapes(size_t bytes_max)
{
	struct shapes *s;

	assert_int_equal(shapes_new(&s, bytes_max), 0);
	return s;
}

/* Packs d, unpacks it with s and, where image is not NULL, with that, and
 * returns the row's length. */
static size_t there_and_back(struct shapes *s, const struct document *d,
			     const struct shapes *image)
{
	enum document_format format = DOCUMENT_FORMATS;
	struct arena scratch = ARENA_INIT;
	struct buf row = BUF_INIT, out = BUF_INIT;
	size_t length;

	buf_text(&row, "before"); /* which stays */
	assert_true(shape_pack_document(s, d, trace_id, &scratch, &row));
	assert_memory_equal(row.ptr, "before", 6);
	length = row.len - 6;
	for (int i = 0; i < 1 + (image != NULL); i++) {
		buf_reset(&out);
		assert_int_equal(shape_unpack(i ? image : s,
					      sv_make(row.ptr + 6, length),
					      trace_id, &format, &out),
				 0);
		assert_int_equal(format, d->format);
		assert_int_equal(out.len, d->bytes.len);
		assert_memory_equal(out.ptr, d->bytes.ptr, out.len);
	}
	buf_fini(&row);
	buf_fini(&out);
	arena_fini(&scratch);
	return length;
}

static size_t json_again(struct shapes *s, const char *text)
{
	struct document d = { DOCUMENT_XRAY, sv_from(text) };

	return there_and_back(s, &d, NULL);
}

enum { ROUNDS = 12 };

static void test_fixtures(void **state)
{
	struct shapes *s = new_shapes(0), *read;
	struct arena arena = ARENA_INIT;
	struct buf image = BUF_INIT;
	struct documents d;
	struct shapes_stats stats;
	size_t first = 0, rows = 0, bytes = 0;

	(void)state;
	documents_init(&d, &arena);
	documents_add_fixtures(&d, &arena);
	assert_true(d.count > 60);
	for (size_t i = 0; i < d.count; i++)
		first += there_and_back(s, &d.list[i], NULL);
	/* Shapes enter the second time, what is in them then. */
	for (int round = 1; round < ROUNDS; round++)
		for (size_t i = 0; i < d.count; i++)
			(void)there_and_back(s, &d.list[i], NULL);
	shapes_save(s, &image);
	assert_int_equal(shapes_open(&read, buf_view(&image)), 0);
	for (size_t i = 0; i < d.count; i++) {
		rows += there_and_back(s, &d.list[i], read);
		bytes += d.list[i].bytes.len;
	}
	shapes_stats(s, &stats);
	assert_int_equal(stats.packed + stats.verbatim, (ROUNDS + 1) * d.count);
	assert_int_equal(stats.full, 0);
	/* Once its shapes are known, next to nothing is stored as it is. */
	assert_true(stats.verbatim <= d.count + 2);
	assert_true(first > 2 * rows);
	assert_true(rows < bytes / 4);
	assert_true(image.len == stats.bytes);
	shapes_free(read);
	shapes_free(s);
	buf_fini(&image);
	arena_fini(&arena);
}

/* Text a value may have, at the edge of what is stored as binary. */
static void test_values(void **state)
{
	static const char *const values[] = {
		"0",
		"-0",
		"1",
		"-1",
		"10",
		"0.5",
		"-0.5",
		"0.50",
		"1.0",
		"1e5",
		"1E5",
		"1.5e-7",
		"0e0",
		"-0.0",
		"0.0",
		"123456789",
		"999999999999999999",
		"-999999999999999999",
		"1000000000000000000",
		"9223372036854775807",
		"18446744073709551616",
		"0.000000000000000001",
		"0.0000000000000000001",
		"1478293361.271449",
		"1.478293361271E9",
		"123456789012345678.5",
		"12345678901234567.5",
		"true",
		"false",
		"null",
		"[]",
		"{}",
		"[ ]",
		"{ }",
		"\"\"",
		"\"0\"",
		"\"00\"",
		"\"-\"",
		"\"-0\"",
		"\"1.\"",
		"\".5\"",
		"\"+1\"",
		"\"01\"",
		"\"1 \"",
		"\"0123456789abcdef\"",
		"\"0123456789ABCDEF\"",
		"\"0123456789abcdeg\"",
		"\"0123456789abcde\"",
		"\"0123456789abcdef0123456789abcdef\"",
		"\"0123456789abcdef0123456789abcdeF\"",
		"\"01234567-89ab-cdef-0123-456789abcdef\"",
		"\"01234567-89AB-cdef-0123-456789abcdef\"",
		"\"01234567-89ab-cdef-0123-456789abcdex\"",
		"\"0123456789ab-cdef-0123-4567-89abcdef\"",
		"\"1-6b02bf61-002839e93afd589cb52ba4b1\"",
		"\"2-6b02bf61-002839e93afd589cb52ba4b1\"",
		"\"1-6b02bf61-002839e93afd589cb52ba4B1\"",
		"\"1-6b02bf61-002800000000000000000000\"",
		"\"6b02bf61002800000000000000000000\"",
		"\"\\u0000\\n\\\"\\\\\\/\"",
		"\"\\u00e9\\ud83d\\ude00\"",
		"\"\xc3\xa9\xf0\x9f\x98\x80\"",
		"[1]",
		"[1,2]",
		"[1 , 2]",
		"[ 1,2 ]",
		"[[1],[2]]",
		"[[],{},[{}]]",
		"[{\"a\":1},{\"a\":2}]",
		"[{\"a\":1} ,{\"a\":2}]",
		"{\"a\":1,\"a\":2}",
		"{ \"a\" : 1 }",
		"[\"a\",\"b\",\"a\"]",
		"{\"\":{\"\":[[[[[[[[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]]]]]]]}}",
	};
	struct shapes *s = new_shapes(0);
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (int round = 0; round < 3; round++) {
			snprintf(text, sizeof(text), "{\"v\": %s}", values[i]);
			(void)json_again(s, text);
			snprintf(text, sizeof(text),
				 " { \"a\\n\":[%s\t,%s],\"id\":%s }\n",
				 values[i], values[i], values[i]);
			(void)json_again(s, text);
			(void)json_again(s, values[i]);
		}
	shapes_free(s);
}

/* The bytes of a row whose shape is known. */
static void test_small(void **state)
{
	struct shapes *s = new_shapes(0);
	char text[256];

	(void)state;
	/* As it is; shape and name; shape and the name's number. */
	assert_int_equal(json_again(s, "{\"name\":\"orders\"}"), 20);
	assert_int_equal(json_again(s, "{\"name\":\"orders\"}"), 9);
	assert_int_equal(json_again(s, "{\"name\":\"orders\"}"), 3);
	for (int i = 0; i < 3; i++)
		(void)json_again(s, "{\"id\":\"00f067aa0ba902b7\"}");
	assert_int_equal(json_again(s, "{\"id\":\"00f067aa0ba902b7\"}"), 10);
	snprintf(text, sizeof(text), "{\"id\":\"%.*s\"}", SV_ARG(trace_xray));
	assert_int_equal(json_again(s, text), 2);
	for (int i = 0; i < 3; i++)
		(void)json_again(s, "{\"end\":1478293361.271449}");
	assert_int_equal(json_again(s, "{\"end\":1478293361.271449}"), 10);
	assert_int_equal(json_again(s, "{\"end\":200.00}"), 5);
	assert_int_equal(json_again(s, "{\"end\":-0}"), 5); /* text */
	shapes_free(s);
}

static void test_lists(void **state)
{
	struct shapes *s = new_shapes(0);
	struct buf text = BUF_INIT;
	struct shapes_stats stats, after;

	(void)state;
	for (int round = 0; round < 3; round++)
		(void)json_again(s, "{\"l\":[{\"n\":1},{\"n\":2}]}");
	shapes_stats(s, &stats);
	/* However many there are: no shape is new. */
	for (int count = 1; count < 100; count++) {
		buf_reset(&text);
		buf_text(&text, "{\"l\":[");
		for (int i = 0; i < count; i++)
			buf_format(&text, "%s{\"n\":%d}", i ? "," : "", i);
		buf_text(&text, "]}");
		assert_true(json_again(s, text.ptr) < 5 + 4 * (size_t)count);
	}
	shapes_stats(s, &after);
	assert_int_equal(after.entries, stats.entries);
	assert_int_equal(after.verbatim, stats.verbatim);
	buf_fini(&text);
	shapes_free(s);
}

/* No row is larger than its document, but for a few bytes. */
static void test_digits(void **state)
{
	struct shapes *s = new_shapes(0);
	struct buf text = BUF_INIT;

	(void)state;
	buf_text(&text, "{\"l\":[1");
	for (int i = 0; i < 1000; i++)
		buf_text(&text, ",1");
	buf_text(&text, "]}");
	for (int round = 0; round < 4; round++)
		assert_true(json_again(s, text.ptr) <= text.len + 8);
	buf_fini(&text);
	shapes_free(s);
}

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Bytes of real documents changed, taken out and doubled: valid or not, all
 * come back. */
static void test_mutants(void **state)
{
	struct shapes *s = new_shapes(64 << 10);
	struct arena arena = ARENA_INIT;
	struct documents d;
	uint64_t random = 7;
	char *copy = malloc(256 << 10);

	(void)state;
	documents_init(&d, &arena);
	documents_add_fixtures(&d, &arena);
	for (int i = 0; i < 4000; i++) {
		const struct document *from = &d.list[next(&random) % d.count];
		struct document mutant = { from->format,
					   { copy, from->bytes.len } };

		if (from->bytes.len > 8 << 10)
			continue;
		memcpy(copy, from->bytes.ptr, from->bytes.len);
		for (uint64_t k = next(&random) % 4; k; k--) {
			size_t at = (size_t)next(&random) % mutant.bytes.len;
			size_t rest = mutant.bytes.len - at;

			switch (next(&random) % 4) {
			case 0:
				copy[at] = (char)next(&random);
				break;
			case 1:
				copy[at] = "0123456789{}[],:\"\\ -.e"
					[next(&random) % 22];
				break;
			case 2:
				memmove(copy + at, copy + at + 1, rest - 1);
				mutant.bytes.len--;
				break;
			default:
				memmove(copy + at + 1, copy + at, rest);
				mutant.bytes.len++;
			}
		}
		(void)there_and_back(s, &mutant, NULL);
	}
	free(copy);
	shapes_free(s);
	arena_fini(&arena);
}

/* Spans that no encoder writes, but a stranger may. */
static void test_odd_spans(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool packed; /* once the shape is known */
	} rows[] = {
#define ROW(text, packed) { text, sizeof(text) - 1, packed }
		ROW("", true),
		ROW("\x0a\x00", true),
		ROW("\x0a\x03xyz\x12\x01z", true),
		ROW("\x30\x02", true),
		ROW("\x30\x82\x00", false), /* a longer varint than it takes */
		ROW("\xb0\x00\x02", false), /* so is its tag */
		ROW("\x0a\x81\x00z", false),
		ROW("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", true),
		ROW("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", false),
		ROW("\x39\0\0\0\0\0\0\0\x80", true), /* times past 63 bits */
		ROW("\x39\xff\xff\xff\xff\xff\xff\xff\xff", true),
		ROW("\x38\x05\x3a\x01z", true), /* a start of another type */
		ROW("\x85\x01\x01\x02\x03\x04", true),
		ROW("\xfa\xff\xff\xff\x0f\x01z", true), /* the last number */
		ROW("\x4a\x07\x0a\x01k\x12\x02\x10\x01", true),
		ROW("\x4a\x05\x0a\x01k\x12\x00", true),
		ROW("\x4a\x07\x12\x02\x10\x01\x0a\x01k", true), /* value, key */
		ROW("\x4a\x01\x0a", false), /* cut off inside */
		ROW("\x4a\x00\x4a\x00", true),
		ROW("\x5a\x00\x5a\x00\x5a\x02\x12\x00", true), /* events */
		ROW("\x5a\x00\x30\x01\x5a\x00", true),
		ROW("\x33\x34", false), /* a group */
		ROW("\x07", false),
		ROW("\x00", false),
#undef ROW
	};
	struct shapes *s = new_shapes(0);
	static const struct span_source source = { SV_INIT("\x0a\x00"),
						   SV_INIT("u"),
						   SV_INIT("\x0a\x01s"),
						   SV_INIT("") };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span_record span = { &source,
					    { rows[i].bytes, rows[i].len } };
		struct buf expected = BUF_INIT, row = BUF_INIT, out = BUF_INIT;
		struct shapes_stats before, after;
		enum document_format format;

		document_of_span(&span, &expected);
		for (int round = 0; round < 3; round++) {
			shapes_stats(s, &before);
			buf_reset(&row);
			buf_reset(&out);
			assert_true(shape_pack_span(s, &span, trace_id, &row));
			assert_int_equal(shape_unpack(s, buf_view(&row),
						      trace_id, &format, &out),
					 0);
			assert_int_equal(format, DOCUMENT_OTLP);
			assert_int_equal(out.len, expected.len);
			assert_memory_equal(out.ptr, expected.ptr, out.len);
		}
		shapes_stats(s, &after);
		assert_int_equal(after.packed - before.packed, rows[i].packed);
		buf_fini(&expected);
		buf_fini(&row);
		buf_fini(&out);
	}
	shapes_free(s);
}

static void test_made_up(void **state)
{
	struct shapes *s = new_shapes(0);
	struct arena arena = ARENA_INIT;
	struct buf request = BUF_INIT;
	struct documents d;
	struct shapes_stats stats;
	struct bench bench;
	size_t rows = 0;

	(void)state;
	bench_init(&bench, 1, 1795342177403000000);
	bench_request(&bench, 100, &request);
	documents_init(&d, &arena);
	documents_add_request(&d, &arena, buf_view(&request));
	for (int i = 0; i < 200; i++) {
		buf_reset(&request);
		bench_segment(&bench, &request);
		documents_add(&d, &arena, DOCUMENT_XRAY, buf_view(&request));
	}
	assert_int_equal(d.count, 1000);
	for (size_t i = 0; i < d.count; i++)
		rows += there_and_back(s, &d.list[i], NULL);
	shapes_stats(s, &stats);
	assert_true(stats.verbatim < 100);
	assert_true(rows / d.count < 250);
	shapes_free(s);
	buf_fini(&request);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixtures),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_mutants),
		cmocka_unit_test(test_odd_spans),
		cmocka_unit_test(test_made_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
