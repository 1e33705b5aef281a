/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/sketch.h"

static uint64_t seed = 1;

static double uniform(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) / 0x1p53;
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void test_raw(void **state)
{
	static const struct {
		double q, want;
	} rows[] = {
		{ 0, 1 },       { 0.01, 1 },  { 0.07, 7 },
		{ 0.5, 50 },    { 0.95, 95 }, { 0.99, 99 },
		{ 0.991, 100 }, { 1, 100 },   { 0.999999, 100 },
	};
	struct sketch s = SKETCH_INIT;

	(void)state;
	assert_true(isnan(sketch_quantile(&s, 0.5)));
	assert_true(sketch_rank(&s, 1) == 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(sketch_add(&s, 7, 0.5), 0);
	assert_int_equal(s.count, 1);
	assert_true(sketch_quantile(&s, 0.5) == 7 && s.weight == 2.5);
	sketch_reset(&s);
	/* 32 distinct, still exact; weights stand for repeats. */
	assert_int_equal(sketch_add(&s, -1, 3), 0);
	assert_int_equal(sketch_add(&s, 0, 1), 0);
	assert_int_equal(sketch_add(&s, -0.0, 1), 0);
	for (int i = 1; i <= SKETCH_RAW_MAX - 2; i++)
		assert_int_equal(sketch_add(&s, i, 1), 0);
	assert_false(s.bucketed);
	assert_int_equal(s.count, SKETCH_RAW_MAX);
	assert_true(sketch_quantile(&s, 3 / s.weight) == -1);
	assert_true(sketch_quantile(&s, 5 / s.weight) == 0);
	assert_true(sketch_rank(&s, 0.5) == 5);
	assert_true(sketch_quantile(&s, 1) == SKETCH_RAW_MAX - 2);
	assert_int_equal(sketch_add(&s, 1, 1), 0);
	assert_false(s.bucketed);
	assert_int_equal(sketch_add(&s, 1.5, 1), 0);
	assert_true(s.bucketed);
	assert_true(sketch_quantile(&s, 0) == -1);
	sketch_reset(&s);
	/* Nearest rank of 1..100; buckets, so within 1 %. */
	for (int i = 100; i >= 1; i--)
		assert_int_equal(sketch_add(&s, i, 1), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(fabs(sketch_quantile(&s, rows[i].q) -
				 rows[i].want) <= 0.01 * rows[i].want);
	assert_true(sketch_quantile(&s, 1) == 100);
	sketch_fini(&s);
}

static double sample(int kind)
{
	switch (kind) {
	case 0:
		return uniform() * 1000;
	case 1:
		return exp(uniform() * 12 - 6);
	case 2:
		return (uniform() - 0.5) * 100;
	case 3:
		return uniform() < 0.3 ? 0 : -1 / (uniform() + 1e-3);
	default:
		return floor(uniform() * 200) * 100;
	}
}

/* Any quantile is within 1 % of the exact value at its rank; the same for the
 * sum of parts, and for what comes back from bytes. */
static void test_error(void **state)
{
	enum { N = 20000, PARTS = 7 };
	static double values[N];

	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		struct sketch parts[PARTS] = { SKETCH_INIT };
		struct sketch all = SKETCH_INIT, back = SKETCH_INIT;
		struct buf bytes = BUF_INIT;

		for (int i = 0; i < N; i++) {
			values[i] = sample(kind);
			/* Part 0 stays raw, for a merge of raw into buckets. */
			assert_int_equal(
				sketch_add(&parts[i < 20 ? 0 :
							   1 + i % (PARTS - 1)],
					   values[i], 1),
				0);
		}
		qsort(values, N, sizeof(values[0]), cmp_double);
		for (int i = 0; i < PARTS; i++)
			assert_int_equal(sketch_merge(&all, &parts[i]), 0);
		sketch_encode(&all, &bytes);
		assert_true(bytes.len <= SKETCH_BYTES_MAX);
		assert_int_equal(sketch_decode(&back, buf_view(&bytes)), 0);
		assert_true(back.weight == N && back.collapsed == 0);
		assert_true(back.minimum == values[0] &&
			    back.maximum == values[N - 1]);
		for (int i = 1; i <= N; i += 13) {
			double want = values[i - 1];
			double got = sketch_quantile(&back, (double)i / N);

			if (fabs(got - want) > 0.01 * fabs(want))
				fail_msg("kind %d rank %d: %g, not %g", kind, i,
					 got, want);
			assert_true(sketch_quantile(&all, (double)i / N) ==
				    got);
		}
		for (int i = 0; i < PARTS; i++)
			sketch_fini(&parts[i]);
		sketch_fini(&all);
		sketch_fini(&back);
		buf_fini(&bytes);
	}
}

/* More buckets than there may be: the high end keeps its 1 %. */
static void test_collapse(void **state)
{
	enum { N = 4000 };
	struct sketch s = SKETCH_INIT, other = SKETCH_INIT, back = SKETCH_INIT;
	struct buf bytes = BUF_INIT;

	(void)state;
	for (int i = 0; i < N; i++)
		assert_int_equal(sketch_add(i % 2 ? &s : &other,
					    pow(1.01, i * 7 % N), 1.25),
				 0);
	assert_true(s.collapsed > 0);
	assert_int_equal(s.count, SKETCH_BUCKETS_MAX);
	assert_true(s.collapsed == s.bins[0].weight);
	assert_int_equal(sketch_merge(&s, &other), 0);
	assert_int_equal(sketch_add(&s, -5, 1), 0); /* to the lowest */
	assert_true(s.count <= SKETCH_BUCKETS_MAX);
	assert_true(s.minimum == -5 && s.weight == N * 1.25 + 1);
	sketch_encode(&s, &bytes);
	assert_true(bytes.len <= SKETCH_BYTES_MAX);
	assert_int_equal(sketch_decode(&back, buf_view(&bytes)), 0);
	assert_true(back.collapsed == s.collapsed && back.collapsed > 1000);
	for (int i = 0; i < N; i++) {
		double want = pow(1.01, i);
		double rank = (i + 1) * 1.25 + 1;

		if (rank > back.collapsed)
			assert_true(fabs(sketch_quantile(&back,
							 rank / back.weight) -
					 want) <= 0.01 * want);
	}
	sketch_fini(&s);
	sketch_fini(&other);
	sketch_fini(&back);
	buf_fini(&bytes);
}

static void test_extremes(void **state)
{
	static const double values[] = { 5e-324,   -5e-324,  2.3e-308,
					 1.7e308,  -1.7e308, 0x1p360,
					 -0x1p360, 1,        1e-9 };
	struct sketch s = SKETCH_INIT;

	(void)state;
	for (int i = 0; i < SKETCH_RAW_MAX; i++)
		assert_int_equal(sketch_add(&s, i + 2, 1), 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_int_equal(sketch_add(&s, values[i], 1e-3), 0);
	assert_true(sketch_quantile(&s, 0) == -1.7e308);
	assert_true(sketch_quantile(&s, 1) == 1.7e308);
	for (uint32_t i = 0; i < s.count; i++)
		assert_true(isfinite(sketch_value(&s, i)));
	sketch_fini(&s);
}

static void test_arena(void **state)
{
	struct arena a = { .limit = 1 << 20 };
	struct arena tight = { .limit = 600 };
	struct sketch s = { .arena = &a }, t = { .arena = &tight };
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(sketch_add(&s, i, 1), 0);
	assert_true(sketch_quantile(&s, 1) == 999);
	for (i = 0; i < 1000 && sketch_add(&t, i, 1) == 0; i++)
		;
	assert_true(i < 1000 && t.weight == i); /* unchanged by the refused */
	sketch_fini(&s);
	sketch_fini(&t);
	arena_fini(&a);
	arena_fini(&tight);
}

/* Every prefix is refused; every changed byte is refused or gives a sound
 * sketch. */
static void test_damage(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct sketch s = SKETCH_INIT;
		struct buf b = BUF_INIT;
		int n = kind == 0 ? 10 : 100;

		for (int i = 0; i < n; i++)
			assert_int_equal(
				sketch_add(&s, i - 5, kind == 2 ? 0.5 : 1), 0);
		sketch_fini(&s);
		sketch_encode(&s, &b); /* empty */
		assert_int_equal(sketch_decode(&s, buf_view(&b)), 0);
		assert_int_equal(s.count, 0);
		buf_reset(&b);
		for (int i = 0; i < n; i++)
			assert_int_equal(
				sketch_add(&s, i - 5, kind == 2 ? 0.5 : 1), 0);
		sketch_encode(&s, &b);
		sketch_fini(&s);
		for (size_t i = 0; i < b.len; i++) {
			assert_int_equal(sketch_decode(&s, sv_make(b.ptr, i)),
					 ERR_CORRUPT);
			for (int bit = 0; bit < 8; bit++) {
				b.ptr[i] ^= (char)(1 << bit);
				if (!sketch_decode(&s, buf_view(&b)))
					assert_true(isfinite(s.weight) &&
						    s.weight > 0);
				b.ptr[i] ^= (char)(1 << bit);
				sketch_reset(&s);
			}
		}
		b.ptr[0] = SKETCH_FORMAT + 1;
		assert_int_equal(sketch_decode(&s, buf_view(&b)), ERR_VERSION);
		sketch_fini(&s);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_collapse),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("sketch", tests, NULL, NULL);
}
