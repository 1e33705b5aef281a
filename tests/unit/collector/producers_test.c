/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "collector/ingest/producers.h"
#include "tests/sim/scratch.h"

static const struct scope scope = { .account = 1, .region = "us-east-1" };

struct fixture {
	char dir[64];
	struct producers *p;
};

static void open_it(struct fixture *f)
{
	struct diag diag = { 0 };

	assert_int_equal(producers_open(&f->p, env_posix(), f->dir, &diag), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	scratch_make(f->dir, sizeof(f->dir), "producers");
	open_it(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	producers_close(f->p);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static void apply(struct fixture *f, const char *producer, uint64_t sequence,
		  uint64_t hash)
{
	static uint64_t position;
	const struct frame frame = { .position = position,
				     .next = position + 64,
				     .scope = scope };
	const struct delivery d = { .frame = &frame,
				    .producer = sv_from(producer),
				    .sequence = sequence,
				    .body_hash = hash };
	struct view *v = producers_view(f->p);

	position += 64;
	assert_int_equal(v->ops->apply(v->self, &d), 0);
}

static enum batch_state admit(struct fixture *f, const char *producer,
			      uint64_t sequence, uint64_t hash)
{
	return producers_admit(f->p, &scope, sv_from(producer), sequence, hash);
}

static void test_once(void **state)
{
	struct fixture *f = *state;
	const struct scope other = { .account = 2, .region = "us-east-1" };

	assert_int_equal(admit(f, "a", 1, 10), BATCH_NEW);
	assert_int_equal(admit(f, "a", 1, 10), BATCH_KNOWN); /* in flight */
	assert_int_equal(admit(f, "a", 1, 11), BATCH_CONFLICT);
	assert_int_equal(admit(f, "b", 1, 11), BATCH_NEW);
	assert_int_equal(producers_admit(f->p, &other, SV("a"), 1, 99),
			 BATCH_NEW); /* accounts do not meet */
	apply(f, "a", 1, 10);
	assert_int_equal(admit(f, "a", 1, 10), BATCH_KNOWN);
}

static void test_withdraw(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(admit(f, "a", 1, 10), BATCH_NEW);
	producers_withdraw(f->p, &scope, SV("a"), 1);
	assert_int_equal(admit(f, "a", 1, 12), BATCH_NEW);
	apply(f, "a", 1, 12);
	producers_withdraw(f->p, &scope, SV("a"), 1); /* stored: no effect */
	assert_int_equal(admit(f, "a", 1, 12), BATCH_KNOWN);
}

/* Out of order within the window is fine; below it is refused by name. */
static void test_window(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(admit(f, "a", 1000, 1), BATCH_NEW);
	assert_int_equal(admit(f, "a", 1000 - PRODUCER_WINDOW + 1, 1),
			 BATCH_NEW);
	assert_int_equal(admit(f, "a", 1000 - PRODUCER_WINDOW, 1), BATCH_OLD);
	assert_int_equal(admit(f, "a", 1001, 1), BATCH_NEW);
	assert_int_equal(admit(f, "a", 1000 - PRODUCER_WINDOW + 1, 1),
			 BATCH_OLD);
}

/* A checkpoint has what was applied, and not what was only admitted. */
static void test_restart(void **state)
{
	struct fixture *f = *state;
	struct view *v = producers_view(f->p);
	uint64_t durable;

	for (uint64_t i = 1; i <= 300; i++) {
		assert_int_equal(admit(f, "a", i, i + 5), BATCH_NEW);
		apply(f, "a", i, i + 5);
	}
	assert_int_equal(admit(f, "a", 301, 7), BATCH_NEW); /* in flight */
	assert_int_equal(v->ops->checkpoint(v->self), 0);
	durable = v->durable;
	producers_close(f->p);
	open_it(f);
	assert_int_equal(producers_view(f->p)->position, durable);
	assert_int_equal(admit(f, "a", 300, 305), BATCH_KNOWN);
	assert_int_equal(admit(f, "a", 299, 9), BATCH_CONFLICT);
	assert_int_equal(admit(f, "a", 301, 8), BATCH_NEW);
}

/* Over PRODUCERS_MAX the one longest silent goes, unless it is in flight. */
static void test_limit(void **state)
{
	struct fixture *f = *state;
	char name[32];

	assert_int_equal(admit(f, "keep", 1, 1), BATCH_NEW);
	for (int i = 0; i < PRODUCERS_MAX + 10; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		assert_int_equal(admit(f, name, 1, 1), BATCH_NEW);
		apply(f, name, 1, 1);
	}
	assert_int_equal(producers_count(f->p), PRODUCERS_MAX);
	assert_int_equal(admit(f, "keep", 1, 1), BATCH_KNOWN);
	assert_int_equal(admit(f, "p0", 1, 1), BATCH_NEW); /* forgotten */
	snprintf(name, sizeof(name), "p%d", PRODUCERS_MAX + 9);
	assert_int_equal(admit(f, name, 1, 1), BATCH_KNOWN);
}

static void test_busy(void **state)
{
	struct fixture *f = *state;
	char name[32];

	for (int i = 0; i < PRODUCERS_MAX; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		assert_int_equal(admit(f, name, 1, 1), BATCH_NEW);
	}
	assert_int_equal(admit(f, "one more", 1, 1), BATCH_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_withdraw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
	};

	return cmocka_run_group_tests_name("producers", tests, NULL, NULL);
}
