/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/csv_write.h"
#include "tests/unit/core/encoded.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_text(void **state)
{
	static const struct {
		struct sv text;
		const char *cell;
	} rows[] = {
		{ SV_INIT(""), "" },
		{ SV_INIT("checkout"), "checkout" },
		{ SV_INIT("a,b"), "\"a,b\"" },
		{ SV_INIT("say \"x\""), "\"say \"\"x\"\"\"" },
		{ SV_INIT("a\nb"), "\"a\nb\"" },
		{ SV_INIT(" a"), "\" a\"" },
		{ SV_INIT("=1+1"), "'=1+1" },
		{ SV_INIT("-5"), "'-5" },
		{ SV_INIT("a=1"), "a=1" },
		{ SV_INIT("\t1"), "\"'\t1\"" },
		{ SV_INIT("=A1,2"), "\"'=A1,2\"" },
		{ SV_INIT("'=1"), "''=1" },
		{ SV_INIT("'tis"), "'tis" },
		{ SV_INIT(" =1"), "\"' =1\"" },
		{ SV_INIT("a\x1b[m"), "a\xef\xbf\xbd[m" },
		{ SV_INIT("\xe2\x80\xa8"), "\"\xe2\x80\xa8\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		struct csv_writer w = csv_writer(&b);

		csv_put_text(&w, "x");
		csv_put_sv(&w, rows[i].text);
		assert_string_equal(b.ptr + 2, rows[i].cell);
		buf_fini(&b);
	}
}

static void test_number(void **state)
{
	static const struct {
		const char *text, *cell;
	} rows[] = {
		{ "0", "0" },
		{ "-5", "-5" },
		{ "-0.50", "-0.50" },
		{ "1e-9", "1e-9" },
		{ "-1.5E+300", "-1.5E+300" },
		{ "12345678901234567890.123456789",
		  "12345678901234567890.123456789" },
		{ "", "" },
		{ "-", "'-" },
		{ "+1", "'+1" },
		{ "-1+1", "'-1+1" },
		{ "-1e", "'-1e" },
		{ "-1.", "'-1." },
		{ "-.5", "'-.5" },
		{ "-1,5", "\"'-1,5\"" },
		{ "--1", "'--1" },
		{ "-1 ", "\"'-1 \"" },
		{ "-inf", "'-inf" },
		{ "=1", "'=1" },
		{ "1e5=", "1e5=" },
		{ "0x10", "0x10" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		struct csv_writer w = csv_writer(&b);

		csv_put_text(&w, "x");
		csv_put_number(&w, sv_from(rows[i].text));
		assert_string_equal(b.ptr + 2, rows[i].cell);
		buf_fini(&b);
	}
}

static void test_rows(void **state)
{
	struct buf b = BUF_INIT;
	struct csv_writer w = csv_writer(&b);

	(void)state;
	csv_put_text(&w, "name");
	csv_put_text(&w, "cost");
	csv_end_row(&w);
	csv_put_text(&w, "");
	csv_put_number(&w, SV("-1.5"));
	csv_end_row(&w);
	assert_string_equal(b.ptr, "name,cost\r\n,-1.5\r\n");
	buf_fini(&b);
}

/* Any text, between two others: a reader gets it back, and no formula. */
static void round_trip(struct sv text)
{
	struct buf b = BUF_INIT, want = BUF_INIT;
	struct csv_writer w = csv_writer(&b);
	struct sv rest;
	bool last = false;

	csv_put_sv(&w, SV("=before"));
	csv_put_sv(&w, text);
	csv_put_sv(&w, SV("\"after"));
	csv_end_row(&w);
	encoded_clean(&want, text, false);
	rest = buf_view(&b);
	for (int cell = 0; cell < 3; cell++) {
		struct buf read = BUF_INIT;

		assert_true(csv_read(&rest, &read, &last));
		assert_int_equal(last, cell == 2);
		assert_false(csv_is_formula(buf_view(&read)));
		if (cell == 1)
			assert_true(sv_eq(csv_undo(buf_view(&read)),
					  buf_view(&want)));
		buf_fini(&read);
	}
	assert_int_equal(rest.len, 0);
	assert_true(sv_is_utf8(buf_view(&b)));
	buf_fini(&b);
	buf_fini(&want);
}

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ENCODED_HOSTILES; i++)
		round_trip(encoded_hostiles[i]);
	for (int i = 0; i < 65536; i++) {
		char two[2] = { (char)(i >> 8), (char)i };

		round_trip(sv_make(two, 2));
	}
	round_trip((struct sv){ NULL, 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("csv_write", tests, NULL, NULL);
}
