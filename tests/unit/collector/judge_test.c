/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "collector/insights/judge.h"

/* Minutes of 100 traces by their faults: a digit is so many tens, '-' has no
 * traces, 'f' is five faults, 's' is nine traces that all fail. */
static size_t make(const char *text, struct insight_minute *out)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		out[i] = (struct insight_minute){ 100, 0 };
		if (c >= '0' && c <= '9')
			out[i].faults = 10 * (c - '0');
		else if (c == 'f')
			out[i].faults = 5;
		else if (c == 's')
			out[i] = (struct insight_minute){ 9, 9 };
		else
			out[i] = (struct insight_minute){ 0, 0 };
	}
	return n;
}

static void the_rule_holds(void **state)
{
	static const struct {
		const char *minutes;
		bool active;
		enum insight_verdict want;
		size_t since;
	} rows[] = {
		{ "0", false, INSIGHT_NONE, 1 },
		{ "000000", false, INSIGHT_NONE, 6 },
		{ "0000005", false, INSIGHT_NONE, 0 },
		{ "00000055", false, INSIGHT_NONE, 0 },
		{ "000000555", false, INSIGHT_BEGINS, 2 },
		{ "0000005555", false, INSIGHT_BEGINS, 3 },
		{ "000000505", false, INSIGHT_NONE, 0 }, /* in a row */
		{ "0000005550", false, INSIGHT_NONE, 1 },
		/* Nothing is known before five minutes. */
		{ "555", false, INSIGHT_NONE, 0 },
		{ "0000555", false, INSIGHT_NONE, 0 },
		{ "00000555", false, INSIGHT_BEGINS, 2 },
		{ "----0----000-0555", false, INSIGHT_BEGINS, 2 },
		{ "----0----000-555", false, INSIGHT_NONE, 0 },
		/* What always fails is normal: not three times as much. */
		{ "33333333335", false, INSIGHT_NONE, 0 },
		{ "3333333333555", false, INSIGHT_NONE, 0 },
		{ "2222222222777", false, INSIGHT_BEGINS, 2 },
		/* Five points over it. */
		{ "0000000000fff", false, INSIGHT_BEGINS, 2 },
		{ "ffffffffff111", false, INSIGHT_NONE, 0 }, /* only twice */
		{ "ffffffffff222", false, INSIGHT_BEGINS, 2 },
		/* Too few traces say nothing. */
		{ "000000sss", false, INSIGHT_NONE, 3 },
		{ "000000---", false, INSIGHT_NONE, 9 },
		/* It goes on while one of the last five is bad. */
		{ "000000555", true, INSIGHT_GOES_ON, 0 },
		{ "0000005550000", true, INSIGHT_GOES_ON, 4 },
		{ "00000055500000", true, INSIGHT_ENDS, 5 },
		{ "000000555-----", true, INSIGHT_ENDS, 5 },
		{ "00000055500050", true, INSIGHT_GOES_ON, 1 },
		{ "000000", true, INSIGHT_ENDS, 6 },
		/* In the hour it lasts it does not become normal. */
		{ "000000555555555555555555555555555555555555555555555555555"
		  "5555555555555",
		  true, INSIGHT_GOES_ON, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct insight_minute minutes[INSIGHT_WINDOW_MINUTES];
		size_t n = make(rows[i].minutes, minutes), since;
		enum insight_verdict got =
			insight_judge(minutes, n, rows[i].active, &since);
		bool told = got == INSIGHT_NONE || since == rows[i].since;

		if (got != rows[i].want || !told)
			fail_msg("%s: %d %zu, not %d %zu", rows[i].minutes,
				 (int)got, since, (int)rows[i].want,
				 rows[i].since);
	}
}

/* Only the last two hours are looked at, and the hour before a minute. */
static void what_is_long_ago_does_not_count(void **state)
{
	struct insight_minute minutes[300];
	size_t since;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		minutes[i] = (struct insight_minute){ 100, i < 200 ? 90 : 10 };
	for (size_t i = 297; i < 300; i++)
		minutes[i].faults = 40;
	assert_int_equal(insight_judge(minutes, 300, false, &since),
			 INSIGHT_BEGINS);
	assert_int_equal(since, 2);
	/* An incident of two hours is what is normal now. */
	for (size_t i = 0; i < 300; i++)
		minutes[i].faults = i < 180 ? 0 : 40;
	assert_int_equal(insight_judge(minutes, 300, true, &since),
			 INSIGHT_ENDS);
	assert_int_equal(insight_judge(minutes, 295, true, &since),
			 INSIGHT_GOES_ON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_holds),
		cmocka_unit_test(what_is_long_ago_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
