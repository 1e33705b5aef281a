/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/retention.h"

enum {
	DAY_S = 86400,
	YEAR_S = 365 * DAY_S,
	DOUBT = RETENTION_DOUBT_S,
	NONE = INT32_MIN, /* believed: no time */
};
static const int64_t T0_S = 1795338000;

/* Ticks of one clock, a second apart, and what is believed behind them. */
struct run {
	int64_t from_s; /* behind T0 */
	int ticks;      /* 0: the end */
	int64_t believed_s;
};

static const struct {
	const char *name;
	struct run runs[6];
} rows[] = {
	{ "a start is doubted",
	  { { 0, DOUBT, NONE }, { DOUBT, 1, DOUBT }, { DOUBT + 1, 1, 601 } } },
	{ "a start a year ahead for two seconds",
	  { { YEAR_S, 2, NONE }, { 2, DOUBT, NONE }, { 602, 1, 602 } } },
	{ "a start, then a year ahead for a second",
	  { { 0, DOUBT, NONE },
	    { YEAR_S, 1, NONE },
	    { 601, DOUBT, NONE },
	    { 1201, 1, 1201 } } },
	{ "ageing",
	  { { 0, DOUBT + 1, 600 },
	    { 601, 3000, 3600 },
	    { 3600 + DAY_S, 1, 3600 + DAY_S } } },
	{ "a second over a day is doubted",
	  { { 0, DOUBT + 1, 600 }, { 601 + DAY_S, 1, 600 } } },
	{ "a year ahead for a second",
	  { { 0, DOUBT + 1, 600 },
	    { YEAR_S, 1, 600 },
	    { 602, 1, 602 },
	    { YEAR_S, DOUBT, 602 } } },
	{ "a year ahead for good",
	  { { 0, DOUBT + 1, 600 },
	    { YEAR_S, DOUBT, 600 },
	    { YEAR_S + DOUBT, 1, YEAR_S + DOUBT } } },
	{ "a year ahead, and steps of a minute there",
	  { { 0, DOUBT + 1, 600 },
	    { YEAR_S, 300, 600 },
	    { YEAR_S + 240, 300, 600 },
	    { YEAR_S + 600, 1, YEAR_S + 600 } } },
	{ "from one jump to another, and back",
	  { { 0, DOUBT + 1, 600 },
	    { YEAR_S, DOUBT, 600 },
	    { 2 * YEAR_S, DOUBT, 600 },
	    { YEAR_S, DOUBT, 600 },
	    { YEAR_S + DOUBT, 1, YEAR_S + DOUBT } } },
	{ "back is followed at once, and forth is doubted",
	  { { 0, DOUBT + 1, 600 },
	    { -YEAR_S, 1, -YEAR_S },
	    { 602, DOUBT, -YEAR_S },
	    { 1202, 1, 1202 } } },
	{ "before 1970", { { 0, DOUBT + 1, 600 }, { -2 * T0_S, 3, NONE } } },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct retention r = { 0 };

		for (const struct run *run = rows[i].runs; run->ticks; run++) {
			int64_t want_ns = (T0_S + run->believed_s) * NS_PER_S;

			for (int t = 0; t < run->ticks; t++)
				retention_tick(
					&r, (struct wall){
						    (T0_S + run->from_s + t) *
						    NS_PER_S });
			if (run->believed_s == NONE)
				want_ns = 0;
			if (r.now_ns != want_ns)
				fail_msg("%s, run %td: %lld", rows[i].name,
					 run - rows[i].runs,
					 (long long)(r.now_ns / NS_PER_S -
						     T0_S));
		}
	}
}

static void test_due(void **state)
{
	struct retention r = { 0 };
	int due = 0;

	(void)state;
	for (int t = 0; t < DOUBT; t++) {
		retention_tick(&r, (struct wall){ (T0_S + t) * NS_PER_S });
		assert_false(retention_due(&r, 60 * NS_PER_S));
	}
	for (int t = DOUBT; t < DOUBT + 600; t++) {
		retention_tick(&r, (struct wall){ (T0_S + t) * NS_PER_S });
		due += retention_due(&r, 60 * NS_PER_S);
	}
	assert_int_equal(due, 10);
	/* A clock that is set back does not stop it. */
	for (int t = 0; t <= 60; t++) {
		retention_tick(&r,
			       (struct wall){ (T0_S - DAY_S + t) * NS_PER_S });
		due += retention_due(&r, 60 * NS_PER_S);
	}
	assert_int_equal(due, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
