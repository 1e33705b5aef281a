/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "collector/door/work.h"

enum { PLACES = 2, THREADS = 8, TURNS = 200 };

static struct work work;
static _Atomic int inside, most, turns;

static void *work_main(void *arg)
{
	(void)arg;
	for (int i = 0; i < TURNS; i++) {
		int n, seen;

		work_begin(&work);
		n = atomic_fetch_add(&inside, 1) + 1;
		seen = atomic_load(&most);
		while (n > seen &&
		       !atomic_compare_exchange_weak(&most, &seen, n))
			continue;
		usleep(50);
		atomic_fetch_sub(&inside, 1);
		work_end(&work);
		atomic_fetch_add(&turns, 1);
	}
	return NULL;
}

/* All have their turns, never more than PLACES at once. */
static void so_many_at_once(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	work_init(&work, PLACES);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, work_main, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(turns, THREADS * TURNS);
	assert_int_equal(most, PLACES);
	work_fini(&work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
