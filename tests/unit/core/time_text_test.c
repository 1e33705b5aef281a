/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/time_text.h"

#define NS 1000000000LL
#define MS 1000000LL
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	struct sv text;
	int64_t ns;
};

static const struct row iso_good[] = {
	{ SV_INIT("1970-01-01T00:00:00Z"), 0 },
	{ SV_INIT("2026-11-22T09:00:00Z"), 1795338000 * NS },
	{ SV_INIT("2026-11-22T09:00:01.250000Z"), 1795338001250 * MS },
	{ SV_INIT("2026-11-22T09:00:01.250Z"), 1795338001250 * MS },
	{ SV_INIT("2026-11-22t09:00:01.25z"), 1795338001250 * MS },
	{ SV_INIT("2026-11-22T10:00:00+01:00"), 1795338000 * NS },
	{ SV_INIT("2026-11-21T10:01:00-22:59"), 1795338000 * NS },
	{ SV_INIT("2026-11-22T09:00:00-00:00"), 1795338000 * NS },
	{ SV_INIT("1970-01-01T00:00:00.0000000019Z"), 1 },
	{ SV_INIT("1969-12-31T23:59:59.999999999Z"), -1 },
	{ SV_INIT("1969-12-31T23:59:59Z"), -NS },
	{ SV_INIT("2000-02-29T00:00:00Z"), 951782400 * NS },
	{ SV_INIT("2016-12-31T23:59:60Z"), 1483228800 * NS },
	{ SV_INIT("2017-01-01T01:59:60.5+02:00"), 1483228800 * NS + NS / 2 },
	{ SV_INIT("2262-04-11T23:47:16.854775807Z"), INT64_MAX },
	{ SV_INIT("1677-09-21T00:12:43.145224192Z"), INT64_MIN },
};

static const struct sv iso_bad[] = {
	SV_INIT(""),
	SV_INIT("2026-11-22"),
	SV_INIT("2026-11-22T09:00:00"),
	SV_INIT("2026-11-22T09:00Z"),
	SV_INIT("2026-11-22 09:00:00Z"),
	SV_INIT("2026-11-22T09:00:00Z "),
	SV_INIT(" 2026-11-22T09:00:00Z"),
	SV_INIT("2026-11-22T09:00:00.Z"),
	SV_INIT("2026-11-22T09:00:00,5Z"),
	SV_INIT("2026-11-22T24:00:00Z"),
	SV_INIT("2026-11-22T09:60:00Z"),
	SV_INIT("2026-11-22T09:00:60Z"),
	SV_INIT("2016-12-31T23:59:60+01:00"),
	SV_INIT("2016-12-31T23:59:61Z"),
	SV_INIT("2026-00-22T09:00:00Z"),
	SV_INIT("2026-13-22T09:00:00Z"),
	SV_INIT("2026-11-00T09:00:00Z"),
	SV_INIT("2026-11-31T09:00:00Z"),
	SV_INIT("2026-02-29T09:00:00Z"),
	SV_INIT("1900-02-29T09:00:00Z"),
	SV_INIT("26-11-22T09:00:00Z"),
	SV_INIT("+2026-11-22T09:00:00Z"),
	SV_INIT("2026-1-22T09:00:00Z"),
	SV_INIT("2026-11-22T09:00:00+1:00"),
	SV_INIT("2026-11-22T09:00:00+0100"),
	SV_INIT("2026-11-22T09:00:00+24:00"),
	SV_INIT("2026-11-22T09:00:00+01:60"),
	SV_INIT("2026-11-22T09:00:00Z\0"),
	SV_INIT("2262-04-11T23:47:16.854775808Z"),
	SV_INIT("1677-09-21T00:12:43.145224191Z"),
	SV_INIT("9999-12-31T23:59:59Z"),
	SV_INIT("0000-01-01T00:00:00Z"),
	/* TIME_TEXT_MAX bytes and one. */
	SV_INIT("2026-11-22T09:00:00.00000000000000000000000000000000000000000"
		"000Z"),
};

static void test_iso(void **state)
{
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < COUNT(iso_good); i++) {
		if (!time_from_iso(iso_good[i].text, &ns) ||
		    ns != iso_good[i].ns)
			fail_msg("%s: %lld", iso_good[i].text.ptr,
				 (long long)ns);
		assert_true(time_from_text(iso_good[i].text, &ns));
	}
	assert_false(time_from_text((struct sv){ NULL, 0 }, &ns));
	assert_int_equal(iso_bad[COUNT(iso_bad) - 1].len, TIME_TEXT_MAX + 1);
	for (size_t i = 0; i < COUNT(iso_bad); i++)
		if (time_from_iso(iso_bad[i], &ns))
			fail_msg("taken: %s", iso_bad[i].ptr);
}

static void test_seconds(void **state)
{
	static const struct row good[] = {
		{ SV_INIT("0"), 0 },
		{ SV_INIT("-0"), 0 },
		{ SV_INIT("1795338001.25"), 1795338001250 * MS },
		{ SV_INIT("1795338001.2500000009"), 1795338001250 * MS },
		{ SV_INIT("-1.5"), -1500 * MS },
		{ SV_INIT("0.000000001"), 1 },
		{ SV_INIT("-0.0000000019"), -1 },
		{ SV_INIT("007"), 7 * NS },
		{ SV_INIT("9223372036.854775807"), INT64_MAX },
		{ SV_INIT("-9223372036.854775808"), INT64_MIN },
	};
	static const struct sv bad[] = {
		SV_INIT(""),
		SV_INIT("-"),
		SV_INIT("."),
		SV_INIT(".5"),
		SV_INIT("5."),
		SV_INIT("+5"),
		SV_INIT("1e9"),
		SV_INIT("1 "),
		SV_INIT("--1"),
		SV_INIT("0x10"),
		SV_INIT("NaN"),
		SV_INIT("9223372036.854775808"),
		SV_INIT("1\0"),
		SV_INIT("-9223372036.854775809"),
		SV_INIT("99999999999999999999999999999999999999999999999"),
	};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (!time_from_seconds(good[i].text, &ns) || ns != good[i].ns)
			fail_msg("%s: %lld", good[i].text.ptr, (long long)ns);
		assert_true(time_from_text(good[i].text, &ns));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (time_from_text(bad[i], &ns))
			fail_msg("taken: %s", bad[i].ptr);
}

static void test_put(void **state)
{
	static const struct {
		int64_t ns;
		const char *iso, *seconds;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z", "0" },
		{ 1, "1970-01-01T00:00:00.000000001Z", "0.000000001" },
		{ -1, "1969-12-31T23:59:59.999999999Z", "-0.000000001" },
		{ 1795338001250 * MS, "2026-11-22T09:00:01.250Z",
		  "1795338001.25" },
		{ 1795338001250 * MS + 1000, "2026-11-22T09:00:01.250001Z",
		  "1795338001.250001" },
		{ -500 * MS, "1969-12-31T23:59:59.500Z", "-0.5" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z",
		  "9223372036.854775807" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224192Z",
		  "-9223372036.854775808" },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		time_put_iso(&b, rows[i].ns);
		assert_string_equal(b.ptr, rows[i].iso);
		assert_true(b.len < TIME_ISO_MAX);
		buf_reset(&b);
		time_put_seconds(&b, rows[i].ns);
		assert_string_equal(b.ptr, rows[i].seconds);
	}
	buf_fini(&b);
}

/* Every day of four centuries against the calendar's own rule. */
static void test_days(void **state)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31 };
	int64_t days = time_days_from_civil(1800, 1, 1);

	(void)state;
	assert_int_equal(time_days_from_civil(1970, 1, 1), 0);
	for (int y = 1800; y < 2200; y++)
		for (int m = 1; m <= 12; m++) {
			bool leap = (y % 4 == 0 && y % 100 != 0) ||
				    y % 400 == 0;
			int length = lengths[m - 1] + (m == 2 && leap);

			for (int d = 1; d <= length; d++)
				assert_int_equal(time_days_from_civil(y, m, d),
						 days++);
		}
}

static void test_double(void **state)
{
	static const double bad[] = { NAN,  INFINITY, -INFINITY,
				      1e10, -1e10,    9223372036.9 };
	int64_t ns;

	(void)state;
	assert_true(time_from_double(1795338001.123, &ns));
	assert_int_equal(ns, 1795338001123 * MS);
	assert_true(time_from_double(-0.001, &ns));
	assert_int_equal(ns, -MS);
	assert_true(time_from_double(1e-9, &ns));
	assert_int_equal(ns, 1);
	assert_true(time_from_double(0x1p-40, &ns));
	assert_int_equal(ns, 0);
	assert_true(time_from_double(-9223372036.0, &ns));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(time_from_double(bad[i], &ns));
	for (int64_t i = 0; i < 20000; i++) {
		int64_t us = (i * 429496729601 + i * i) % 4294967296000000;

		assert_true(time_from_double(time_to_double(us * 1000), &ns));
		assert_int_equal(ns, us * 1000);
		assert_true(time_from_double(time_to_double(-us * 1000), &ns));
		assert_int_equal(ns, -us * 1000);
		us = us * 2000 / MS * MS;
		assert_true(time_from_double(time_to_double(us), &ns));
		assert_int_equal(ns, us);
	}
}

/* Text, instant, text: whatever is written is read back, to the nanosecond. */
static void test_round_trip(void **state)
{
	uint64_t seed = 88172645463325252ULL;
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t ns, back;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		ns = (int64_t)seed;
		buf_reset(&b);
		time_put_iso(&b, ns);
		assert_true(time_from_iso(buf_view(&b), &back));
		assert_int_equal(back, ns);
		buf_reset(&b);
		time_put_seconds(&b, ns);
		assert_true(time_from_seconds(buf_view(&b), &back));
		assert_int_equal(back, ns);
	}
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iso),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("time_text", tests, NULL, NULL);
}
