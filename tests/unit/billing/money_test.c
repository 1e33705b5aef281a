/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "billing/meter.h"
#include "billing/money.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static const int128 int128_max = ((((int128)1 << 126) - 1) << 1) + 1;

static struct money usd(const char *text)
{
	struct money m;
	int128 v;

	assert_int_equal(decimal_parse(&v, sv_from(text), 15), 0);
	assert_true(int128_mul(&m.units, v, 1024));
	return m;
}

static void assert_text(struct buf *b, const char *want)
{
	assert_string_equal(b->ptr ? b->ptr : "", want);
	buf_reset(b);
}

static void test_decimal_parse(void **state)
{
	static const struct {
		const char *text;
		unsigned decimals;
		int err;
		long long value;
	} rows[] = {
		{ "0", 0, 0, 0 },
		{ "0.20", 2, 0, 20 },
		{ "0.200000", 2, 0, 20 }, /* zeros past the last are nothing */
		{ "1.5", 3, 0, 1500 },
		{ "-1.5", 1, 0, -15 },
		{ "007", 0, 0, 7 },
		{ "0.0000166667", 12, 0, 16666700 },
		{ "0.001", 2, ERR_LIMIT, 0 },
		{ "", 2, ERR_SYNTAX, 0 },
		{ "-", 2, ERR_SYNTAX, 0 },
		{ ".5", 2, ERR_SYNTAX, 0 },
		{ "5.", 2, ERR_SYNTAX, 0 },
		{ "1.2.3", 2, ERR_SYNTAX, 0 },
		{ "1e3", 2, ERR_SYNTAX, 0 },
		{ "+1", 2, ERR_SYNTAX, 0 },
		{ " 1", 2, ERR_SYNTAX, 0 },
		{ "1,000", 2, ERR_SYNTAX, 0 },
		{ "--1", 2, ERR_SYNTAX, 0 },
		{ "0x10", 0, ERR_SYNTAX, 0 },
		{ "170141183460469231731687303715884105728", 0, ERR_OVERFLOW,
		  0 },
		{ "17014118346046923173168730371588410573", 2, ERR_OVERFLOW,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int128 v = 0;

		assert_int_equal(decimal_parse(&v, sv_from(rows[i].text),
					       rows[i].decimals),
				 rows[i].err);
		assert_true(v == rows[i].value);
	}
}

static void test_rate_parse(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *shown;
	} rows[] = {
		{ "0.0000166667", 0, "0.0000166667" },
		{ "0.0000150000", 0, "0.000015" },
		{ "0", 0, "0" },
		{ "0.00000625125", 0, "0.00000625125" },
		{ "9223372.036854775807", 0, "9223372.036854775807" },
		{ "9223372.036854775808", ERR_OVERFLOW, NULL },
		{ "0.0000000000001", ERR_LIMIT, NULL },
		{ "-0.1", ERR_INVALID, NULL },
		{ "1.7e-5", ERR_SYNTAX, NULL },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct rate r = { 0, 0 };

		assert_int_equal(rate_parse(&r, sv_from(rows[i].text), 1),
				 rows[i].err);
		if (rows[i].err)
			continue;
		rate_put(&b, r);
		assert_text(&b, rows[i].shown);
	}
	buf_fini(&b);
}

static void test_product(void **state)
{
	static const struct {
		long long quantity;
		const char *rate;
		uint32_t per;
		const char *exact;
	} rows[] = {
		/* 128 MB x 100 ms: HOUSE's 208 nano is a rounded 208.333... */
		{ 12800, "0.0000166667", MB_MS_PER_GB_S, "0.00000020833375" },
		{ 1, "0.0000166667", MB_MS_PER_GB_S,
		  "0.0000000000162760742187500" },
		{ 1, "0.0000002", 1, "0.0000002" },
		{ 1024000, "0.0000166667", MB_MS_PER_GB_S, "0.0000166667" },
		{ -1024000, "0.0000166667", MB_MS_PER_GB_S, "-0.0000166667" },
		{ 0, "5", 1, "0" },
		{ 1, "0.000000000001", MB_MS_PER_GB_S,
		  "0.0000000000000000009765625" },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct rate r;
		struct money m;
		size_t len = strlen(rows[i].exact);
		char want[DECIMAL_TEXT_MAX];

		memcpy(want, rows[i].exact, len + 1);
		while (strchr(want, '.') && want[len - 1] == '0')
			want[--len] = '\0';
		assert_int_equal(
			rate_parse(&r, sv_from(rows[i].rate), rows[i].per), 0);
		assert_int_equal(money_of(&m, rows[i].quantity, r), 0);
		money_put(&b, m);
		assert_text(&b, want);
	}
	buf_fini(&b);
}

static void test_overflow(void **state)
{
	struct money m = { 7 };
	struct money most = { int128_max };
	struct money least = { -int128_max - 1 };
	struct rate large = { INT64_MAX, 1 };
	int128 v;

	(void)state;
	assert_int_equal(money_of(&m, int128_max, large), ERR_OVERFLOW);
	assert_int_equal(money_of(&m, (int128)1 << 60, large), ERR_OVERFLOW);
	assert_int_equal(money_of(&m, 1, (struct rate){ 1, 0 }), ERR_INVALID);
	assert_int_equal(money_of(&m, 1, (struct rate){ 1, 7 }), ERR_INVALID);
	assert_int_equal(money_add(&m, most, (struct money){ 1 }),
			 ERR_OVERFLOW);
	assert_int_equal(money_sub(&m, least, (struct money){ 1 }),
			 ERR_OVERFLOW);
	assert_int_equal(money_round_half_up(&m, most, 0), ERR_OVERFLOW);
	assert_int_equal(money_round_half_up(&m, least, 0), ERR_OVERFLOW);
	assert_true(m.units == 7); /* set on success only */
	assert_int_equal(money_add(&m, most, least), 0);
	assert_true(m.units == -1);
	assert_false(int128_mul(&v, int128_max, 2));
	assert_false(int128_mul(&v, int128_max, -2));
	assert_true(int128_mul(&v, int128_max, -1));
	assert_false(int128_add(&v, int128_max, 1));
	assert_true(int128_add(&v, int128_max, 0));
}

static void test_round_half_up(void **state)
{
	static const struct {
		const char *exact;
		unsigned decimals;
		const char *shown;
	} rows[] = {
		{ "135001.125", 2, "135001.13" }, /* L30: half up */
		{ "135001.135", 2, "135001.14" }, /* half to even would not */
		{ "135001.115", 2, "135001.12" },
		{ "0.005", 2, "0.01" },
		{ "0.004999999999999", 2, "0.00" },
		{ "2.733338", 2, "2.73" },
		{ "0.995", 2, "1.00" },
		{ "9.5", 0, "10" },
		{ "0", 2, "0.00" },
		{ "-0.005", 2, "-0.01" }, /* away from zero */
		{ "-0.0049", 2, "0.00" },
		{ "39.045895", 2, "39.05" }, /* L07 */
		{ "1.000000000000001", 15, "1.000000000000001" },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		money_put_rounded(&b, usd(rows[i].exact), rows[i].decimals);
		assert_text(&b, rows[i].shown);
	}
	money_put_rounded(&b, (struct money){ int128_max }, 2);
	assert_true(strlen(b.ptr) > 20); /* exact, since it cannot be rounded */
	buf_fini(&b);
}

static void test_print(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	money_put(&b, (struct money){ 1 });
	assert_text(&b, "0.0000000000000000009765625");
	money_put(&b, (struct money){ -int128_max - 1 });
	assert_text(&b, "-166153499473114484112.975882535043072");
	int128_put(&b, int128_max);
	assert_text(&b, "170141183460469231731687303715884105727");
	int128_put(&b, -int128_max - 1);
	assert_text(&b, "-170141183460469231731687303715884105728");
	gb_s_put(&b, 12800);
	assert_text(&b, "0.0125");
	gb_s_put(&b, 1);
	assert_text(&b, "0.0000009765625");
	gb_s_put(&b, -1024000);
	assert_text(&b, "-1");
	gb_s_put(&b, 0);
	assert_text(&b, "0");
	buf_fini(&b);
}

static void test_part(void **state)
{
	const int128 whole = ((int128)1 << 100) + 12345;
	struct money m = { int128_max };
	int128 sum = 0;
	int128 used = 0;
	int128 given = 0;

	(void)state;
	assert_true(money_part(m, whole, whole).units == m.units);
	assert_true(money_part(m, 0, whole).units == 0);
	assert_true(money_part((struct money){ 10 }, 1, 3).units == 3);
	assert_true(money_part((struct money){ 10 }, 2, 3).units == 6);
	assert_true(money_part(m, 1, 2).units == int128_max / 2);
	assert_true(money_part(m, int128_max - 1, int128_max).units ==
		    int128_max - 1);
	/* Shares made by running totals leave nothing over. */
	for (int i = 0; i < 7; i++) {
		int128 until;

		used = i == 6 ? whole : used + whole / 7;
		until = money_part(m, used, whole).units;
		sum += until - given;
		given = until;
	}
	assert_true(sum == m.units);
}

static void test_meter(void **state)
{
	struct usage u = { .memory_mb = 10240, .billed_ms = 900000 };
	struct price_period now = { .step_ms = 1, .init_billed = true };
	struct price_period then = { .step_ms = 100, .init_billed = false };
	struct metered m = meter_usage(&u);

	(void)state;
	assert_true(m.quantity[USAGE_REQUEST] == 1);
	assert_true(m.quantity[USAGE_GB_S] == 9216000000LL);
	assert_int_equal(meter_billed_ms(&now, 12001, 0), 13);
	assert_int_equal(meter_billed_ms(&now, 12000, 0), 12);
	assert_int_equal(meter_billed_ms(&now, 12000, 1), 13);
	assert_int_equal(meter_billed_ms(&now, 0, 0), 0);
	assert_int_equal(meter_billed_ms(&then, 100001, 50000), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal_parse),
		cmocka_unit_test(test_rate_parse),
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_round_half_up),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_meter),
	};

	return cmocka_run_group_tests_name("money", tests, NULL, NULL);
}
