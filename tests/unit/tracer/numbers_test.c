/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/shape/numbers_form.h"

enum { COUNT_MAX = 5000 };

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static struct numbers open_again(const struct buf *head, const struct buf *tail,
				 struct arena *arena)
{
	struct reader h = reader_of(buf_view(head));
	struct reader t = reader_of(buf_view(tail));
	struct numbers_lists lists = { .count = 0 };
	struct numbers n;

	assert_int_equal(numbers_open(&n, &lists, &h, &t, arena), 0);
	assert_ptr_equal(h.at, h.end);
	assert_ptr_equal(t.at, t.end);
	return n;
}

/* Writes them, reads them one by one, in jumps, and past the end; returns
 * the bytes they take. */
static size_t there_and_back(const uint64_t *numbers, size_t count,
			     int expected_form)
{
	struct buf head = BUF_INIT, tail = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct numbers_writer *w;
	struct numbers n;
	size_t length;

	assert_int_equal(numbers_writer_new(&w), 0);
	for (int twice = 0; twice < 2; twice++) {
		buf_reset(&head);
		buf_reset(&tail);
		numbers_begin(w);
		numbers_put(w, numbers, count, &head, &tail);
	}
	length = head.len + tail.len;
	n = open_again(&head, &tail, &arena);
	if (expected_form >= 0)
		assert_int_equal(n.form, expected_form);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(numbers_next(&n), numbers[i]);
	assert_false(n.bad);
	(void)numbers_next(&n);
	assert_true(n.bad);
	for (size_t step = 1; step < count; step = step * 3 + 1) {
		n = open_again(&head, &tail, &arena);
		for (size_t i = 0; i < count; i += step) {
			assert_int_equal(numbers_next(&n), numbers[i]);
			if (i + step < count)
				numbers_skip(&n, step - 1);
		}
		assert_false(n.bad);
	}
	n = open_again(&head, &tail, &arena);
	numbers_skip(&n, count + 1);
	assert_true(n.bad);
	buf_fini(&head);
	buf_fini(&tail);
	arena_fini(&arena);
	numbers_writer_free(w);
	return length;
}

static void test_forms(void **state)
{
	static uint64_t n[COUNT_MAX];
	uint64_t random = 3;

	(void)state;
	(void)there_and_back(n, 0, -1);
	n[0] = UINT64_MAX;
	(void)there_and_back(n, 1, NUMBERS_SAME);
	for (int i = 0; i < COUNT_MAX; i++)
		n[i] = 1000;
	assert_true(there_and_back(n, COUNT_MAX, NUMBERS_SAME) < 8);
	n[0] = 3;
	n[77] = 0;
	n[COUNT_MAX - 1] = UINT64_MAX;
	assert_true(there_and_back(n, COUNT_MAX, NUMBERS_USUAL) < 40);
	for (int i = 0; i < COUNT_MAX; i++)
		n[i] = 70000 + next(&random) % 1024;
	assert_true(there_and_back(n, COUNT_MAX, NUMBERS_BITS) <
		    COUNT_MAX * 10 / 8 + 10);
	for (int i = 0; i < COUNT_MAX; i++)
		n[i] = next(&random) % 16 * 0x123456789abcdef;
	assert_true(there_and_back(n, COUNT_MAX, NUMBERS_LIST) <
		    COUNT_MAX / 2 + 160);
	for (int i = 0; i < COUNT_MAX; i++)
		n[i] = next(&random) >> next(&random) % 40;
	(void)there_and_back(n, COUNT_MAX, NUMBERS_LENGTHS);
	for (int i = 0; i < COUNT_MAX; i++)
		n[i] = next(&random) % 4096 * 1000000 + 5;
	assert_true(there_and_back(n, COUNT_MAX, -1) < COUNT_MAX * 12 / 8 + 20);
}

/* Columns that go with another, nearly so, and with one of another length. */
static void test_followers(void **state)
{
	static uint64_t n[5][COUNT_MAX];
	static const int forms[] = { NUMBERS_LIST, NUMBERS_LIST, NUMBERS_LIST,
				     NUMBERS_LIST, NUMBERS_LIST };
	struct buf head = BUF_INIT, tail = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct numbers_writer *w;
	struct numbers_lists lists = { .count = 0 };
	struct reader h, t;
	uint64_t random = 11;
	size_t before = 0;

	(void)state;
	assert_int_equal(numbers_writer_new(&w), 0);
	for (int i = 0; i < COUNT_MAX; i++) {
		n[0][i] = next(&random) % 40 * 77777;
		n[1][i] = (UINT64_C(0x10001) << n[0][i] % 13) + 5;
		n[2][i] = n[1][i] + (i == COUNT_MAX - 1 ? 1000 : 0);
		n[3][i] = n[1][i]; /* one less */
		n[4][i] = (UINT64_C(0x10001) << next(&random) % 13) + 5;
	}
	numbers_begin(w);
	for (int k = 0; k < 5; k++) {
		numbers_put(w, n[k], COUNT_MAX - (k == 3), &head, &tail);
		assert_true(k == 1 ? tail.len == before : tail.len > before);
		before = tail.len;
	}
	h = reader_of(buf_view(&head));
	t = reader_of(buf_view(&tail));
	for (int k = 0; k < 5; k++) {
		struct numbers r;

		assert_int_equal(numbers_open(&r, &lists, &h, &t, &arena), 0);
		assert_int_equal(r.form, forms[k]);
		for (int i = 0; i < COUNT_MAX - (k == 3); i++)
			assert_int_equal(numbers_next(&r), n[k][i]);
		assert_false(r.bad);
	}
	assert_int_equal(lists.count, 4);
	buf_fini(&head);
	buf_fini(&tail);
	arena_fini(&arena);
	numbers_writer_free(w);
}

/* Every width from 0 to 64 bits, few and many numbers. */
static void test_widths(void **state)
{
	static uint64_t n[COUNT_MAX];
	uint64_t random = 4;

	(void)state;
	for (unsigned width = 1; width <= 64; width++)
		for (size_t count = 1; count < 300; count = count * 2 + 1) {
			for (size_t i = 0; i < count; i++)
				n[i] = next(&random) >> (64 - width);
			(void)there_and_back(n, count, -1);
			for (size_t i = 0; i < count; i++)
				n[i] = next(&random) >> (64 - width) >>
				       next(&random) % width;
			(void)there_and_back(n, count, -1);
		}
}

/* Foreign bytes: an error, or numbers, and nothing past the end is read. */
static void test_foreign(void **state)
{
	struct arena arena = ARENA_INIT;
	uint64_t random = 9;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[24];
		size_t size = (size_t)next(&random) % sizeof(bytes) + 1;
		struct numbers_lists lists = { .count = 0 };
		struct numbers n;

		for (size_t k = 0; k < size; k++)
			bytes[k] =
				(uint8_t)(next(&random) >> next(&random) % 8);
		if (i % 2)
			bytes[0] = (uint8_t)(next(&random) % 6);
		struct reader head = { bytes, bytes + size, false };
		struct reader tail = { bytes + size / 2, bytes + size, false };

		head.end = tail.at;
		if (numbers_open(&n, &lists, &head, &tail, &arena) == 0) {
			for (int k = 0; k < 20 && !n.bad; k++)
				(void)numbers_next(&n);
			numbers_skip(&n, next(&random) % 50);
		}
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_followers),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
