/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/term/term.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct number_row {
	double v;
	const char *text;
};

static void check_numbers(void (*write)(struct buf *, double),
			  const struct number_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf out = BUF_INIT;

		write(&out, rows[i].v);
		assert_string_equal(out.ptr, rows[i].text);
		assert_true(out.len <= 8);
		buf_fini(&out);
	}
}

static void test_seconds(void **state)
{
	static const struct number_row rows[] = {
		{ 0, "0" },
		{ 1e-9, "0" },
		{ 412e-6, "412us" },
		{ 0.9996e-3, "1.00ms" },
		{ 0.00123, "1.23ms" },
		{ 0.0999, "99.9ms" },
		{ 0.09996, "100ms" },
		{ 0.9994, "999ms" },
		{ 0.9996, "1.00s" },
		{ 12.34, "12.3s" },
		{ 59.96, "1m00s" },
		{ 245, "4m05s" },
		{ 3599.6, "1h00m" },
		{ 11520, "3h12m" },
		{ 187200, "2d04h" },
		{ -1.5, "-1.50s" },
		{ NAN, "-" },
		{ INFINITY, "-" },
		{ 1e30, ">30y" },
	};

	(void)state;
	check_numbers(term_seconds, rows, COUNT(rows));
}

static void test_counts(void **state)
{
	static const struct number_row rows[] = {
		{ 0, "0" },          { 999, "999" },       { 999.6, "1.00k" },
		{ 1000, "1.00k" },   { 12345, "12.3k" },   { 999499, "999k" },
		{ 999600, "1.00M" }, { 4560000, "4.56M" }, { -12, "-12" },
		{ NAN, "-" },
	};
	static const struct number_row bytes[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.00 KiB" },
		{ 1536, "1.50 KiB" },
		{ 3.2 * 1048576, "3.20 MiB" },
		{ 150.0 * 1048576, "150 MiB" },
	};

	(void)state;
	check_numbers(term_count, rows, COUNT(rows));
	check_numbers(term_bytes, bytes, COUNT(bytes));
}

static void test_money(void **state)
{
	static const struct {
		const char *exact;
		const char *text;
	} rows[] = {
		{ "0", "$0" },
		{ "0.000", "$0" },
		{ "12.345", "$12.35" },
		{ "12.344", "$12.34" },
		{ "9.995", "$10.00" },
		{ "999.999", "$1000.00" },
		{ "5", "$5.00" },
		{ "1.5", "$1.50" },
		{ "0.0123", "$0.0123" },
		{ "0.01", "$0.01" },
		{ "0.1", "$0.10" },
		{ "0.25", "$0.25" },
		{ "0.000000208333", "$0.0000002083" },
		{ "0.00000020835", "$0.0000002084" },
		{ "0.0000999999", "$0.0001" },
		{ "-0.0123", "-$0.0123" },
		{ "12345678901234567890.12", "$12345678901234567890.12" },
		{ "", "" },
		{ "-", "-" },
		{ ".5", ".5" },
		{ "1.2.3", "1.2.3" },
		{ "1e9", "1e9" },
		{ "\0331", "\\x1b1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT;

		buf_text(&out, "");
		term_money(&out, sv_from(rows[i].exact));
		assert_string_equal(out.ptr ? out.ptr : "", rows[i].text);
		buf_fini(&out);
	}
}

static void test_time(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	term_time(&out, 1795338000.1234, true);
	buf_char(&out, ' ');
	term_time(&out, 0, false);
	buf_char(&out, ' ');
	term_time(&out, -1, false);
	buf_char(&out, ' ');
	term_time(&out, 1e300, false);
	buf_char(&out, ' ');
	term_clock(&out, 1795338059.9999);
	assert_string_equal(out.ptr, "2026-11-22T09:00:00.123Z "
				     "1970-01-01T00:00:00Z - - 09:01:00");
	buf_fini(&out);
}

static void test_spark(void **state)
{
	static const double rise[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const double gaps[] = { NAN, 4, -1, INFINITY, 0.01 };
	static const double pairs[] = { 1, 1, 2, 2, 0, 0 };
	struct buf out = BUF_INIT;

	(void)state;
	term_spark(&out, rise, COUNT(rise), 9, true);
	buf_char(&out, '|');
	term_spark(&out, gaps, COUNT(gaps), 7, true);
	buf_char(&out, '|');
	term_spark(&out, pairs, COUNT(pairs), 3, true);
	buf_char(&out, '|');
	term_spark(&out, rise, COUNT(rise), 9, false);
	buf_char(&out, '|');
	term_spark(&out, NULL, 0, 2, true);
	assert_string_equal(out.ptr, " ▁▂▃▄▅▆▇█|   █  ▁|▄█ | .:-=+*##|  ");
	buf_fini(&out);
}

static void test_braille(void **state)
{
	static const double rise[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	static const double flat[] = { 5, 5 };
	static const double peak[] = { 0, 0, 0, 9, 0, 0, 0, 0 };
	struct buf out = BUF_INIT;

	(void)state;
	term_braille(&out, rise, COUNT(rise), 4, 2, 0, 0);
	assert_string_equal(out.ptr, "⠀⠀⡠⠊\n⡠⠊⠀⠀\n");
	buf_reset(&out);
	term_braille(&out, flat, COUNT(flat), 2, 1, 0, 0);
	assert_string_equal(out.ptr, "⣀⣀\n");
	buf_reset(&out);
	term_braille(&out, peak, COUNT(peak), 2, 1, 0, 9);
	assert_string_equal(out.ptr, "⡈⣀\n");
	buf_reset(&out);
	term_braille(&out, NULL, 0, 2, 1, 0, 1);
	assert_string_equal(out.ptr, "⠀⠀\n");
	buf_fini(&out);
}

static void test_bar(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	term_bar(&out, 0, 2.5, 4, true);
	buf_char(&out, '|');
	term_bar(&out, 1, 1.01, 4, true);
	buf_char(&out, '|');
	term_bar(&out, 4, 4, 4, true);
	buf_char(&out, '|');
	term_bar(&out, -9, 99, 4, true);
	buf_char(&out, '|');
	term_bar(&out, 1, 3, 4, false);
	assert_string_equal(out.ptr, "██▌ | ▏  |    |████| == ");
	buf_fini(&out);
}

static const struct term_column columns[] = {
	{ .title = "NAME", .shrink = true },
	{ .title = "N", .align = TERM_RIGHT },
	{ .title = "NOTE" },
};

static void test_table(void **state)
{
	struct term narrow = { .is_tty = true, .utf8 = true, .width = 24 };
	struct term file = { .utf8 = true, .width = 24 };
	struct term_table *table = term_table_new(columns, COUNT(columns));
	struct buf out = BUF_INIT;

	(void)state;
	assert_non_null(table);
	term_cell(table, TERM_PLAIN, SV("short"));
	term_cellf(table, TERM_PLAIN, "%d", 7);
	term_cell(table, TERM_PLAIN, SV("日\033x"));
	term_cell(table, TERM_RED, SV("a-rather-long-name"));
	term_cellf(table, TERM_PLAIN, "%d", 1234);
	term_cell(table, TERM_PLAIN, SV(""));
	assert_true(term_table_print(&narrow, table, &out));
	assert_string_equal(out.ptr, "NAME          N  NOTE\n"
				     "short         7  日\\x1bx\n"
				     "a-rather…  1234\n");
	buf_reset(&out);
	assert_true(term_table_print(&file, table, &out));
	assert_string_equal(out.ptr, "NAME                   N  NOTE\n"
				     "short                  7  日\\x1bx\n"
				     "a-rather-long-name  1234\n");
	term_table_free(table);
	buf_fini(&out);
}

static void test_table_limit(void **state)
{
	static const struct term_column one[] = { { .title = "X" } };
	struct term t = { .width = 80 };
	struct term_table *table = term_table_new(one, 1);
	struct buf out = BUF_INIT;

	(void)state;
	for (int i = 0; i < TERM_ROWS_MAX; i++)
		term_cell(table, TERM_PLAIN, SV("x"));
	assert_true(term_table_print(&t, table, &out));
	term_cell(table, TERM_PLAIN, SV("one too many"));
	buf_reset(&out);
	assert_false(term_table_print(&t, table, &out));
	assert_null(strstr(out.ptr, "one"));
	term_table_free(table);
	buf_fini(&out);
}

static void test_colour(void **state)
{
	struct term t = { .colour = true };
	struct buf out = BUF_INIT;
	enum term_when when;

	(void)state;
	term_styled(&t, &out, TERM_RED, SV("\033x"));
	assert_string_equal(out.ptr, "\033[31m\\x1bx\033[0m");
	t.colour = false;
	buf_reset(&out);
	term_styled(&t, &out, TERM_RED, SV("x"));
	assert_string_equal(out.ptr, "x");
	buf_fini(&out);
	assert_true(term_when_parse("never", &when));
	assert_int_equal(when, TERM_NEVER);
	assert_false(term_when_parse("sometimes", &when));
	/* Not a terminal: no colour unless asked for. */
	term_open(&t, -1, TERM_AUTO);
	assert_false(t.colour);
	setenv("COLUMNS", "132", 1);
	setenv("NO_COLOR", "1", 1);
	term_open(&t, -1, TERM_ALWAYS);
	assert_true(t.colour);
	assert_int_equal(t.width, 132);
	setenv("COLUMNS", "99999999999", 1);
	term_open(&t, -1, TERM_AUTO);
	assert_int_equal(t.width, TERM_WIDTH_MAX);
	setlocale(LC_CTYPE, "C.UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_money),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_spark),
		cmocka_unit_test(test_braille),
		cmocka_unit_test(test_bar),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_limit),
		cmocka_unit_test(test_colour),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
