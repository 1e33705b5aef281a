/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/sys/env.h"
#include "tracer/keep.h"
#include "tracer/sampling.h"

static const struct keep_rule rules[] = {
	{ .service = SV_INIT("check?ut*"), .slow_ns = NS_PER_S },
	{ .service = SV_INIT("half"), .share_ppm = KEEP_PPM / 2 },
	{ .service = SV_INIT("*"),
	  .slow_ns = 2 * NS_PER_S,
	  .share_ppm = KEEP_PPM },
};
static const struct keep keep = { rules, sizeof(rules) / sizeof(rules[0]) };

static bool keeps(const char *root, int64_t ns, enum segment_status worst)
{
	static const uint8_t id[TRACE_ID_SIZE] = { 0x65, 0x1 };
	const struct keep_facts facts = { id, sv_from(root), ns, worst };

	return keep_trace(&keep, &facts);
}

static void test_what_failed_or_was_slow(void **state)
{
	(void)state;
	assert_false(keeps("checkout", 1, SEGMENT_STATUS_OK));
	assert_false(keeps("CheckOut-7", NS_PER_S - 1, SEGMENT_STATUS_OK));
	assert_true(keeps("checkout", NS_PER_S, SEGMENT_STATUS_OK));
	assert_true(keeps("checkout", 1, SEGMENT_STATUS_ERROR));
	assert_true(keeps("checkout", 1, SEGMENT_STATUS_THROTTLE));
	assert_true(keeps("checkout", 1, SEGMENT_STATUS_FAULT));
	/* the first rule that matches, and no other */
	assert_true(keeps("checkut", 1, SEGMENT_STATUS_OK));
	assert_true(keeps("", 1, SEGMENT_STATUS_OK));
}

static void test_without_rules_all_is_kept(void **state)
{
	const struct keep none = { NULL, 0 };
	const uint8_t id[TRACE_ID_SIZE] = { 0 };
	const struct keep_facts facts = { id, SV("x"), 0, SEGMENT_STATUS_OK };

	(void)state;
	assert_true(keep_trace(&none, &facts));
}

/* Of ids that differ in a few bits only: the share, and the same each time. */
static void test_share(void **state)
{
	unsigned kept = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		const uint8_t id[TRACE_ID_SIZE] = { 0x65, 0x1, (uint8_t)i,
						    (uint8_t)(i >> 8),
						    (uint8_t)(i >> 16) };
		const struct keep_facts facts = { id, SV("half"), 5,
						  SEGMENT_STATUS_OK };

		kept += keep_trace(&keep, &facts);
	}
	assert_in_range(kept, 49000, 51000);
}

static void test_match(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} rows[] = {
		{ "", "", true },           { "*", "", true },
		{ "?", "", false },         { "", "a", false },
		{ "abc", "ABC", true },     { "a*c", "abbbc", true },
		{ "a*c", "abbbd", false },  { "*a*b*", "xxaxxbxx", true },
		{ "*a*b*", "bbaa", false }, { "??", "ab", true },
		{ "??", "a", false },       { "**a", "ba", true },
		{ "a?c*", "abcdef", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			sampling_pattern_matches(sv_from(rows[i].pattern),
						 sv_from(rows[i].text)),
			rows[i].matches);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_failed_or_was_slow),
		cmocka_unit_test(test_without_rules_all_is_kept),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
