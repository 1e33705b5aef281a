/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/hash.h"
#include "core/base/intern.h"
#include "core/base/queue.h"

static void test_bounds(void **state)
{
	struct queue *q;
	struct queue_stats st;
	int items[4];
	void *got[4];
	size_t n;

	(void)state;
	assert_int_equal(queue_new(&q, 3), 0);
	assert_int_equal(queue_pop(q, got, 0), ERR_TIMEOUT);
	assert_int_equal(queue_pop(q, got, 5), ERR_TIMEOUT);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 3; i++)
			assert_int_equal(queue_push(q, &items[i]), 0);
		assert_int_equal(queue_push(q, &items[3]), ERR_BUSY);
		assert_int_equal(queue_push_wait(q, &items[3], 5), ERR_TIMEOUT);
		assert_int_equal(queue_pop(q, got, 0), 0);
		assert_ptr_equal(got[0], &items[0]);
		assert_int_equal(queue_push_wait(q, &items[3], 0), 0);
		assert_int_equal(queue_pop_many(q, got, 4, &n, -1), 0);
		assert_int_equal(n, 3);
		assert_ptr_equal(got[0], &items[1]);
		assert_ptr_equal(got[2], &items[3]);
	}
	assert_int_equal(queue_push(q, &items[0]), 0);
	queue_close(q);
	assert_int_equal(queue_push(q, &items[1]), ERR_CLOSED);
	assert_int_equal(queue_push_wait(q, &items[1], -1), ERR_CLOSED);
	assert_int_equal(queue_pop(q, got, -1), 0);
	assert_int_equal(queue_pop(q, got, -1), ERR_CLOSED);
	queue_stats(q, &st);
	assert_int_equal(st.high_water, 3);
	assert_int_equal(st.refused, 5);
	assert_int_equal(st.pushed, 21);
	assert_int_equal(st.popped, 21);
	assert_int_equal(st.length, 0);
	assert_int_equal(st.capacity, 3);
	queue_free(q);
	queue_free(NULL);
}

enum { ITEMS = 20000, PRODUCERS = 3 };

static void *produce(void *arg)
{
	static char item;

	for (int i = 0; i < ITEMS; i++)
		if (queue_push_wait(arg, &item, -1))
			return arg;
	return NULL;
}

static void *consume(void *arg)
{
	uintptr_t n = 0;
	void *item;

	while (queue_pop(arg, &item, -1) == 0)
		n++;
	return (void *)n;
}

static void test_threads(void **state)
{
	pthread_t producers[PRODUCERS], consumers[2];
	struct queue *q;
	struct queue_stats st;
	uintptr_t sum = 0;
	void *result;

	(void)state;
	assert_int_equal(queue_new(&q, 16), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&consumers[i], NULL, consume, q);
	for (int i = 0; i < PRODUCERS; i++)
		pthread_create(&producers[i], NULL, produce, q);
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(producers[i], &result);
		assert_null(result);
	}
	queue_close(q);
	for (int i = 0; i < 2; i++) {
		pthread_join(consumers[i], &result);
		sum += (uintptr_t)result;
	}
	assert_int_equal(sum, PRODUCERS * ITEMS);
	queue_stats(q, &st);
	assert_true(st.high_water <= 16 && st.popped == sum);
	queue_free(q);
}

static void test_intern(void **state)
{
	struct intern *in;
	uint32_t id, again;
	char text[16];

	(void)state;
	assert_int_equal(intern_new(&in, 1000, 0), 0);
	assert_int_equal(intern_find(in, SV("x")), INTERN_NONE);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "name-%u", i);
		assert_int_equal(intern_id(in, sv_from(text), &id), 0);
		assert_int_equal(id, i);
	}
	assert_int_equal(intern_id(in, SV("name-1000"), &id), ERR_LIMIT);
	assert_int_equal(intern_refused(in), 1);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "name-%u", i);
		assert_int_equal(intern_id(in, sv_from(text), &again), 0);
		assert_int_equal(again, i);
		assert_int_equal(intern_find(in, sv_from(text)), i);
		assert_string_equal(intern_text(in, i).ptr, text);
	}
	assert_int_equal(intern_find(in, SV("name-1000")), INTERN_NONE);
	assert_int_equal(intern_count(in), 1000);
	intern_free(in);
	/* Bytes, and a text with a NUL, and the empty one. */
	assert_int_equal(intern_new(&in, 0, 64), 0);
	assert_int_equal(intern_id(in, SV(""), &id), 0);
	assert_int_equal(intern_id(in, SV("a\0b"), &id), 0);
	assert_int_equal(intern_id(in, SV("a"), &again), 0);
	assert_int_not_equal(id, again);
	assert_int_equal(intern_id(in, SV("0123456789012345"), &id), ERR_LIMIT);
	assert_int_equal(intern_refused(in), 1);
	intern_free(in);
	intern_free(NULL);
}

/* Stored in files: must never change. */
static void test_hash(void **state)
{
	struct hash128 h = hash128(SV("tallyscope"));

	(void)state;
	assert_int_equal(hash64(SV("")), 0x2d06800538d394c2);
	assert_true(hash128_eq(h, hash128(SV("tallyscope"))));
	assert_false(hash128_eq(h, hash128(SV("Tallyscope"))));
	assert_int_equal(hash128(SV("")).high, 0x99aa06d3014798d8);
	assert_int_equal(hash128(SV("")).low, 0x6001c324468d497f);
	assert_int_equal(hash64_seed(SV("a"), 0), hash64(SV("a")));
	assert_int_not_equal(hash64_seed(SV("a"), 1), hash64(SV("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_intern),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
