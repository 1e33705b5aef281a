/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/trace_header.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ID "581cf771a006649127e371903a2de979"
#define ROOT "1-581cf771-a006649127e371903a2de979"
#define PARENT "99c3afe0ca06e8a7"

/* As it comes, and as it is written in both forms; NULL: it has none. */
static void test_forms(void **state)
{
	static const struct {
		const char *text, *w3c, *xray;
	} rows[] = {
		{ "00-" ID "-" PARENT "-01", "00-" ID "-" PARENT "-01",
		  "Root=" ROOT ";Parent=" PARENT ";Sampled=1" },
		{ "00-" ID "-" PARENT "-02", "00-" ID "-" PARENT "-00",
		  "Root=" ROOT ";Parent=" PARENT ";Sampled=0" },
		{ " 01-" ID "-" PARENT "-01-what.comes ",
		  "00-" ID "-" PARENT "-01",
		  "Root=" ROOT ";Parent=" PARENT ";Sampled=1" },
		{ "Root=" ROOT ";Parent=" PARENT ";Sampled=1",
		  "00-" ID "-" PARENT "-01",
		  "Root=" ROOT ";Parent=" PARENT ";Sampled=1" },
		{ "Sampled=?; Self=1-0-0 ;Lineage=a:1;Parent=" PARENT
		  ";;Root=" ROOT,
		  "00-" ID "-" PARENT "-00",
		  "Root=" ROOT ";Parent=" PARENT ";Sampled=?" },
		{ "Root=" ROOT, NULL, "Root=" ROOT },
		{ "Root=" ROOT ";Parent=;Sampled=", NULL, "Root=" ROOT },
		{ "Root=" ROOT ";Parent=0000000000000000;Sampled=0", NULL,
		  "Root=" ROOT ";Sampled=0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf w3c = BUF_INIT, xray = BUF_INIT;
		struct trace_header h;

		if (!trace_header_parse(sv_from(rows[i].text), &h))
			fail_msg("refused: %s", rows[i].text);
		assert_int_equal(trace_header_put_w3c(&w3c, &h),
				 rows[i].w3c != NULL);
		if (rows[i].w3c)
			assert_string_equal(w3c.ptr, rows[i].w3c);
		trace_header_put_xray(&xray, &h);
		assert_string_equal(xray.ptr, rows[i].xray);
		buf_fini(&w3c);
		buf_fini(&xray);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"",
		ID,
		"00-" ID "-" PARENT,
		"00-" ID "-" PARENT "-0",
		"00-" ID "-" PARENT "-01-more", /* version 00 has no more */
		"01-" ID "-" PARENT "-01more",
		"ff-" ID "-" PARENT "-01",
		"00-581CF771a006649127e371903a2de979-" PARENT "-01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" ID "-0000000000000000-01",
		"00-" ID "-99c3afe0ca06e8ag-01",
		"00_" ID "_" PARENT "_01",
		"Parent=" PARENT ";Sampled=1",
		"Root=" ID ";Parent=" PARENT, /* X-Ray's form has dashes */
		"Root=1-581cf771-a006649127e371903a2de97;Sampled=1",
		"Root=2-581cf771-a006649127e371903a2de979",
		"Root=1-00000000-000000000000000000000000",
		("root=" ROOT),
		";=;",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct trace_header h;

		if (trace_header_parse(sv_from(rows[i]), &h))
			fail_msg("taken: %s", rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("trace_header", tests, NULL, NULL);
}
