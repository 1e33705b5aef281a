/* SPDX-License-Identifier: Apache-2.0 */
/* What tells two sets of traces from each other, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/compare.h"

/* A trace of one segment with one call in it. */
struct spec {
	const char *service, *status, *annotations, *user;
	int duration_ms, call_ms;
};

static void add(struct compare *c, enum compare_side side,
		const struct spec *spec)
{
	struct arena arena = { 0 };
	struct document document = { 0 };
	struct assembly a;
	struct facts facts;
	struct buf b = { 0 };

	buf_format(
		&b,
		"{\"trace_id\":\"1-000003e8-000000000000000000000001\",\"id\":"
		"\"0000000000000001\",\"name\":\"front\",\"start_time\":"
		"1000.0,\"end_time\":%.3f,\"user\":\"%s\",\"annotations\":"
		"{%s}%s,\"subsegments\":[{\"id\":\"0000000000000002\","
		"\"name\":\"%s\",\"namespace\":\"remote\",\"start_time\":"
		"1000.0,\"end_time\":%.3f}]}",
		1000 + spec->duration_ms / 1e3, spec->user, spec->annotations,
		spec->status, spec->service, 1000 + spec->call_ms / 1e3);
	document.bytes = buf_view(&b);
	assert_int_equal(assemble(&document, 1, &arena, &a), 0);
	assert_int_equal(a.count, 2);
	facts_init(&facts, &a, &document, sizeof(document), 123456789012,
		   &arena);
	assert_int_equal(compare_add(c, side, &facts), 0);
	buf_fini(&b);
	arena_fini(&arena);
}

static const struct compare_property *find(const struct compare_property *rows,
					   size_t n, enum compare_kind kind,
					   const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].kind == kind &&
		    sv_eq(rows[i].value, sv_from(value)))
			return &rows[i];
	return NULL;
}

static void what_differs(void **state)
{
	struct compare_property rows[32];
	const struct compare_property *p;
	struct compare_time times[8];
	struct compare *c;
	size_t n;

	(void)state;
	assert_int_equal(compare_new(&c), 0);
	for (int i = 0; i < 100; i++) {
		struct spec slow = { "stock",
				     ",\"fault\":true",
				     "\"tenant\":\"acme\",\"n\":1",
				     "ali",
				     500,
				     400 };
		struct spec fast = { "cache", "",  "\"tenant\":\"zoo\",\"n\":1",
				     "ali",   100, 10 };

		/* In one of ten of both, which tells nothing. */
		if (i % 10 == 0)
			slow.user = fast.user = "bea";
		if (i % 10 == 1)
			fast.service = "stock";
		add(c, COMPARE_A, &slow);
		add(c, COMPARE_B, &fast);
	}
	n = compare_properties(c, rows, 32);
	p = find(rows, n, COMPARE_ANNOTATION, "acme");
	assert_non_null(p);
	assert_true(sv_eq(p->name, SV("tenant")));
	assert_int_equal(p->count[COMPARE_A], 100);
	assert_int_equal(p->count[COMPARE_B], 0);
	assert_non_null(find(rows, n, COMPARE_ANNOTATION, "zoo"));
	assert_non_null(find(rows, n, COMPARE_STATUS, "fault"));
	assert_non_null(find(rows, n, COMPARE_STATUS, "ok"));
	p = find(rows, n, COMPARE_SERVICE, "stock");
	assert_non_null(p);
	assert_int_equal(p->count[COMPARE_B], 10);
	assert_true(p > find(rows, n, COMPARE_STATUS, "ok")); /* differs less */
	assert_non_null(find(rows, n, COMPARE_SERVICE, "cache"));
	/* The same in both. */
	assert_null(find(rows, n, COMPARE_SERVICE, "front"));
	assert_null(find(rows, n, COMPARE_ROOT, "front"));
	assert_null(find(rows, n, COMPARE_ANNOTATION, "1"));
	assert_null(find(rows, n, COMPARE_USER, "ali"));
	assert_null(find(rows, n, COMPARE_USER, "bea"));
	assert_int_equal(compare_properties(c, rows, 2), 2);

	assert_int_equal(compare_quantile_ns(c, COMPARE_A, 500), 500000000);
	assert_int_equal(compare_quantile_ns(c, COMPARE_B, 990), 100000000);
	assert_int_equal(compare_times(c, times, 8), 3);
	assert_true(sv_eq(times[0].name, SV("stock")));
	assert_int_equal(times[0].path_ns[COMPARE_A], 100 * 400000000LL);
	assert_int_equal(times[0].path_ns[COMPARE_B], 10 * 10000000LL);
	compare_free(c);
}

/* Few traces that differ may be chance, and nothing is nothing. */
static void too_few(void **state)
{
	struct spec a = { "x", "", "\"k\":\"a\"", "ali", 10, 5 };
	struct spec b = { "x", "", "\"k\":\"b\"", "ali", 10, 5 };
	struct compare_property rows[8];
	struct compare *c;

	(void)state;
	assert_int_equal(compare_new(&c), 0);
	assert_int_equal(compare_properties(c, rows, 8), 0);
	assert_int_equal(compare_quantile_ns(c, COMPARE_A, 500), 0);
	add(c, COMPARE_A, &a);
	assert_int_equal(compare_properties(c, rows, 8), 0);
	add(c, COMPARE_B, &b);
	assert_int_equal(compare_properties(c, rows, 8), 0);
	for (int i = 0; i < 5; i++) {
		add(c, COMPARE_A, &a);
		add(c, COMPARE_B, &b);
	}
	assert_int_equal(compare_properties(c, rows, 8), 2);
	compare_free(c);
}

/* Numbers of orders: so many are kept, and those that came first still count. */
static void values_without_end(void **state)
{
	struct spec spec = { "x", "", "", "ali", 10, 5 };
	struct compare_property rows[8];
	struct compare *c;
	char annotations[64];
	size_t n;

	(void)state;
	assert_int_equal(compare_new(&c), 0);
	spec.annotations = annotations;
	for (int i = 0; i < 10 * COMPARE_VALUES_MAX; i++) {
		snprintf(annotations, sizeof(annotations),
			 "\"order\":%d,\"shop\":\"%s\"", i % 700 ? i : 0,
			 i % 2 ? "x" : "y");
		add(c, i % 2 ? COMPARE_A : COMPARE_B, &spec);
	}
	assert_int_equal(compare_cut(c), 9 * COMPARE_VALUES_MAX - 1);
	n = compare_properties(c, rows, 8);
	assert_int_equal(n, 2); /* the shop */
	assert_non_null(find(rows, n, COMPARE_ANNOTATION, "x"));
	compare_free(c);
}

/* Any number of names. */
static void names_without_end(void **state)
{
	struct spec spec = { "x", "", "", "ali", 10, 5 };
	struct buf annotations = { 0 };
	struct compare *c;

	(void)state;
	assert_int_equal(compare_new(&c), 0);
	for (int i = 0; i < 2 * COMPARE_PROPERTIES_MAX; i += 40) {
		buf_reset(&annotations);
		for (int k = 0; k < 40; k++)
			buf_format(&annotations, "%s\"key%d\":1", k ? "," : "",
				   i + k);
		spec.annotations = annotations.ptr;
		add(c, COMPARE_A, &spec);
	}
	assert_true(compare_cut(c) > COMPARE_PROPERTIES_MAX);
	buf_fini(&annotations);
	compare_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs),
		cmocka_unit_test(too_few),
		cmocka_unit_test(values_without_end),
		cmocka_unit_test(names_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
