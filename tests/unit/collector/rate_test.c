/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/door/rate.h"

enum { START_S = 1000 };

static int set_up(void **state)
{
	return rates_new((struct rates **)state);
}

static int tear_down(void **state)
{
	rates_free(*state);
	return 0;
}

static struct instant at_ms(uint64_t ms)
{
	return (struct instant){ (START_S * 1000 + ms) * 1000000 };
}

/* Of n requests at once, how many may. */
static unsigned burst(struct rates *r, const char *id, uint64_t rate,
		      unsigned n, uint64_t ms)
{
	unsigned took = 0;

	while (n--)
		took += rate_take(r, sv_from(id), rate, at_ms(ms));
	return took;
}

static void bursts(void **state)
{
	static const struct {
		uint64_t rate;
		unsigned want;  /* at once, of 1000 */
		unsigned later; /* a second after that */
	} rows[] = {
		{ 1, 10, 1 },      { 3, 10, 3 },
		{ 10, 10, 10 },    { 50, 50, 50 },
		{ 999, 999, 999 }, { 1000000, 1000, 1000 },
		{ 0, 1000, 1000 }, { UINT64_MAX, 1000, 1000 },
	};
	char id[] = "a";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++, id[0]++) {
		assert_int_equal(burst(*state, id, rows[i].rate, 1000, 0),
				 rows[i].want);
		assert_int_equal(burst(*state, id, rows[i].rate, 1000, 1001),
				 rows[i].later);
	}
}

static void a_flood_takes_its_rate_and_no_more(void **state)
{
	struct rate_stats stats;
	unsigned took = 0;

	for (uint64_t ms = 0; ms < 10000; ms++)
		took += rate_take(*state, SV("flood"), 100, at_ms(ms));
	assert_in_range(took, 1095, 1100); /* 100 at once, 100 a second */
	rate_stats(*state, &stats);
	assert_int_equal(stats.refused, 10000 - took);
}

static void callers_are_apart(void **state)
{
	assert_int_equal(burst(*state, "one", 10, 1000, 0), 10);
	assert_int_equal(burst(*state, "two", 10, 10, 0), 10);
	assert_false(rate_take(*state, SV("one"), 10, at_ms(1)));
}

static void a_clock_that_runs_back_gives_nothing(void **state)
{
	assert_int_equal(burst(*state, "x", 10, 100, 5000), 10);
	assert_false(rate_take(*state, SV("x"), 10, at_ms(0)));
	assert_int_equal(burst(*state, "x", 10, 100, 5500), 5);
}

/* More callers than entries, each at its limit: the table stays, buckets that
 * were not full make room and are counted; full ones go for nothing. */
static void the_table_is_bounded(void **state)
{
	struct rate_stats stats;
	char id[32];

	for (unsigned i = 0; i < 2 * RATE_ENTRIES; i++) {
		snprintf(id, sizeof(id), "key-%u", i);
		assert_true(rate_take(*state, sv_from(id), 10, at_ms(0)));
	}
	rate_stats(*state, &stats);
	assert_in_range(stats.evicted, RATE_ENTRIES, 2 * RATE_ENTRIES);
	for (unsigned i = 0; i < RATE_ENTRIES / 4; i++) {
		snprintf(id, sizeof(id), "late-%u", i);
		assert_true(rate_take(*state, sv_from(id), 10, at_ms(2000)));
	}
	{
		uint64_t before = stats.evicted;

		rate_stats(*state, &stats);
		assert_in_range(stats.evicted, before, before + 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bursts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_flood_takes_its_rate_and_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(callers_are_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_clock_that_runs_back_gives_nothing, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(the_table_is_bounded, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
