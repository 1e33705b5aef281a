/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/documents.h"
#include "tracer/shape/inner.h"

static const uint8_t trace_id[TRACE_ID_SIZE] = { 0x6b, 2, 0xbf, 0x61, 0, 0x28 };

static struct shapes *new_shapes(size_t bytes_max)
{
	struct shapes *s;

	assert_int_equal(shapes_new(&s, bytes_max), 0);
	return s;
}

/* Packs and unpacks a document; returns the row's length. */
static size_t json_again(struct shapes *s, const char *text)
{
	struct document d = { DOCUMENT_XRAY, sv_from(text) };
	enum document_format format = DOCUMENT_FORMATS;
	struct arena scratch = ARENA_INIT;
	struct buf row = BUF_INIT, out = BUF_INIT;
	size_t length;

	assert_true(shape_pack_document(s, &d, trace_id, &scratch, &row));
	length = row.len;
	assert_int_equal(
		shape_unpack(s, buf_view(&row), trace_id, &format, &out), 0);
	assert_int_equal(format, DOCUMENT_XRAY);
	assert_true(sv_eq(buf_view(&out), d.bytes));
	buf_fini(&row);
	buf_fini(&out);
	arena_fini(&scratch);
	return length;
}

/* A dictionary full of strangers' shapes and strings takes no more of them. */
static void test_full(void **state)
{
	struct shapes *s = new_shapes(SHAPES_BYTES_MIN);
	struct shapes_stats stats;
	char text[128];

	(void)state;
	for (int i = 0; i < 2000; i++)
		for (int round = 0; round < 2; round++) {
			snprintf(text, sizeof(text),
				 "{\"name\":\"name %d\",\"key%d\":1}", i, i);
			(void)json_again(s, text);
		}
	shapes_stats(s, &stats);
	assert_true(stats.full > 1000);
	assert_true(stats.bytes <= SHAPES_BYTES_MIN + 64);
	assert_true(stats.verbatim > 3000);
	shapes_free(s);
}

/* Where strings have filled their part, shapes still enter. */
static void test_parts(void **state)
{
	struct shapes *s = new_shapes(64 << 10);
	struct shapes_stats stats;
	char text[128];

	(void)state;
	for (int i = 0; i < 10000; i++)
		for (int round = 0; round < 3; round++) {
			snprintf(text, sizeof(text),
				 "{\"key%d\":\"a string of place %d\"}", i % 20,
				 i);
			(void)json_again(s, text);
		}
	shapes_stats(s, &stats);
	assert_true(stats.refused > 1000);
	assert_int_equal(stats.full, 0);
	assert_in_range(stats.bytes, 31 << 10, 33 << 10);
	for (int round = 0; round < 3; round++)
		(void)json_again(s, "{\"new\":{\"shape\":7}}");
	assert_int_equal(json_again(s, "{\"new\":{\"shape\":7}}"), 4);
	shapes_free(s);
}

/* One place may not fill it with what hardly repeats. */
static void test_share(void **state)
{
	struct shapes *s = new_shapes(64 << 10);
	struct shapes_stats stats;
	char text[128];

	(void)state;
	for (int i = 0; i < 5000; i++)
		for (int round = 0; round < 2; round++) {
			snprintf(text, sizeof(text), "{\"url\":\"/user-%d\"}",
				 i);
			(void)json_again(s, text);
		}
	shapes_stats(s, &stats);
	assert_true(stats.refused > 1000);
	assert_int_equal(stats.full, 0);
	assert_true(stats.bytes < 16 << 10);
	(void)json_again(s, "{\"name\":\"orders\"}");
	(void)json_again(s, "{\"name\":\"orders\"}");
	(void)json_again(s, "{\"name\":\"orders\"}");
	assert_int_equal(json_again(s, "{\"name\":\"orders\"}"), 5);
	shapes_free(s);
}

/* What comes once does not enter. */
static void test_once(void **state)
{
	struct shapes *s = new_shapes(0);
	struct shapes_stats before, after;
	char text[128];

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)json_again(s, "{\"url\":\"/\"}");
	shapes_stats(s, &before);
	for (int i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "{\"url\":\"/user-%d\"}", i);
		(void)json_again(s, text);
	}
	shapes_stats(s, &after);
	assert_int_equal(after.entries, before.entries);
	shapes_free(s);
}

static void test_images(void **state)
{
	struct shapes *s = new_shapes(0), *read;
	enum document_format format;
	struct buf image = BUF_INIT, out = BUF_INIT;

	(void)state;
	(void)json_again(s, "{\"url\":\"/\"}");
	shapes_save(s, &image);
	for (size_t n = 0; n < image.len; n++)
		assert_int_equal(shapes_open(&read, sv_make(image.ptr, n)),
				 ERR_CORRUPT);
	/* Rows of another dictionary, and no rows at all. */
	for (int i = 0; i < 256; i++) {
		char row[] = { (char)i, (char)(i >> 1), 1, 1, 1, 1 };

		if (shape_unpack(s, sv_make(row, sizeof(row)), trace_id,
				 &format, &out))
			assert_int_equal(out.len, 0);
		buf_reset(&out);
	}
	assert_int_equal(shape_unpack(s, SV(""), trace_id, &format, &out),
			 ERR_CORRUPT);
	buf_fini(&image);
	buf_fini(&out);
	shapes_free(s);
}

/* One thread packs; another unpacks what it was handed under a lock. */
struct hand_over {
	pthread_mutex_t lock;
	struct shapes *s;
	struct buf row;
	struct document document; /* what the row is of; no bytes: the end */
};

static void *take_rows(void *arg)
{
	struct hand_over *h = arg;
	struct buf row = BUF_INIT, out = BUF_INIT;
	enum document_format format;
	struct document d;
	bool same = true;

	do {
		pthread_mutex_lock(&h->lock);
		buf_reset(&row);
		buf_sv(&row, buf_view(&h->row));
		d = h->document;
		pthread_mutex_unlock(&h->lock);
		buf_reset(&out);
		if (row.len && d.bytes.len)
			same &= !shape_unpack(h->s, buf_view(&row), trace_id,
					      &format, &out) &&
				sv_eq(buf_view(&out), d.bytes);
	} while (d.bytes.len && same);
	buf_fini(&row);
	buf_fini(&out);
	return same ? arg : NULL;
}

static void test_threads(void **state)
{
	struct hand_over h = { .lock = PTHREAD_MUTEX_INITIALIZER,
			       .s = new_shapes(0),
			       .document = { DOCUMENT_XRAY, SV("wait") } };
	struct arena arena = ARENA_INIT;
	struct buf row = BUF_INIT;
	struct documents d;
	pthread_t thread;
	void *good;

	(void)state;
	documents_init(&d, &arena);
	documents_add_fixtures(&d, &arena);
	documents_add_made(&d, &arena, 20);
	assert_int_equal(pthread_create(&thread, NULL, take_rows, &h), 0);
	for (size_t i = 0; i < 10 * d.count; i++) {
		const struct document *next_one = &d.list[i % d.count];

		buf_reset(&row);
		assert_true(shape_pack_document(h.s, next_one, trace_id, &arena,
						&row));
		pthread_mutex_lock(&h.lock);
		buf_reset(&h.row);
		buf_sv(&h.row, buf_view(&row));
		h.document = *next_one;
		pthread_mutex_unlock(&h.lock);
	}
	pthread_mutex_lock(&h.lock);
	h.document.bytes = SV("");
	pthread_mutex_unlock(&h.lock);
	assert_int_equal(pthread_join(thread, &good), 0);
	assert_non_null(good);
	buf_fini(&row);
	buf_fini(&h.row);
	shapes_free(h.s);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),   cmocka_unit_test(test_share),
		cmocka_unit_test(test_parts),  cmocka_unit_test(test_once),
		cmocka_unit_test(test_images), cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
