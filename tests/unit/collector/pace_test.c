/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/pace.h"

/* A clock that a test moves. */
static struct instant fake_mono(void *self)
{
	return (struct instant){ *(uint64_t *)self };
}

struct fixture {
	uint64_t now_ns;
	struct clock_ops clock;
	struct env env;
	struct stats stats;
	struct pace *pace;
	size_t api, native; /* rows of stats.def */
};

static void find(void *arg, size_t i, struct sv label)
{
	struct fixture *f = arg;

	if (sv_eq(label, SV("api")))
		f->api = i;
	if (sv_eq(label, SV("native")))
		f->native = i;
}

static void start(struct fixture *f)
{
	*f = (struct fixture){ .now_ns = 1000 * (uint64_t)NS_PER_S,
			       .clock = { .mono = fake_mono },
			       .api = STATS_COUNT,
			       .native = STATS_COUNT };
	f->env = (struct env){ .clock = &f->clock, .clock_self = &f->now_ns };
	stats_each_of("tally_requests_total", find, f);
	assert_true(f->api < STATS_COUNT && f->native < STATS_COUNT);
	assert_int_equal(pace_new(&f->pace, &f->env, &f->stats), 0);
}

static void pass(struct fixture *f, uint64_t seconds)
{
	f->now_ns += seconds * (uint64_t)NS_PER_S;
	pace_tick(f->pace);
}

static void test_since_the_start(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_true(pace_per_s(f.pace, f.api) == 0); /* no time has passed */
	stats_add(&f.stats.api_requests, 30);
	pass(&f, 2);
	assert_true(pace_per_s(f.pace, f.api) == 15);
	assert_true(pace_per_s(f.pace, f.native) == 0);
	pace_free(f.pace);
}

static void test_over_the_last_minute(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	stats_add(&f.stats.native_requests, 1000000); /* long ago */
	for (int i = 0; i < 60; i++) {
		pass(&f, PACE_STEP_S);
		stats_add(&f.stats.native_requests, 7 * PACE_STEP_S);
	}
	/* The oldest of 6 samples is 50 s old, and then 60. */
	assert_true(pace_per_s(f.pace, f.native) == 8.4);
	f.now_ns += PACE_STEP_S * (uint64_t)NS_PER_S;
	assert_true(pace_per_s(f.pace, f.native) == 7);
	pass(&f, 0);
	assert_true(pace_per_s(f.pace, f.native) == 7);
	for (int i = 0; i < PACE_SAMPLES; i++)
		pass(&f, PACE_STEP_S);
	assert_true(pace_per_s(f.pace, f.native) == 0);
	pace_free(f.pace);
}

static void test_ticks_may_be_dense(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (int i = 0; i < 40; i++) {
		stats_add(&f.stats.native_requests, 3);
		pass(&f, 1);
	}
	assert_true(pace_per_s(f.pace, f.native) == 3);
	pace_free(f.pace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_since_the_start),
		cmocka_unit_test(test_over_the_last_minute),
		cmocka_unit_test(test_ticks_may_be_dense),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
