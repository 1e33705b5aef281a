/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/sql_write.h"
#include "tests/unit/core/encoded.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_text(void **state)
{
	static const struct {
		struct sv text;
		const char *sqlite, *postgresql, *clickhouse;
	} rows[] = {
		{ SV_INIT(""), "''", "''", "''" },
		{ SV_INIT("plain"), "'plain'", "'plain'", "'plain'" },
		{ SV_INIT("it's"), "'it''s'", "'it''s'", "'it''s'" },
		{ SV_INIT("\\'; --"), "'\\''; --'", "E'\\\\''; --'",
		  "'\\\\''; --'" },
		{ SV_INIT("a\0b"),
		  "'a\xef\xbf\xbd"
		  "b'",
		  "'a\xef\xbf\xbd"
		  "b'",
		  "'a\xef\xbf\xbd"
		  "b'" },
		{ SV_INIT("\xbf'"), "'\xef\xbf\xbd'''", "'\xef\xbf\xbd'''",
		  "'\xef\xbf\xbd'''" },
		{ SV_INIT("\n\x1b\""), "'\n\x1b\"'", "'\n\x1b\"'",
		  "'\n\x1b\"'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *want[] = { [SQL_SQLITE] = rows[i].sqlite,
				       [SQL_POSTGRESQL] = rows[i].postgresql,
				       [SQL_CLICKHOUSE] = rows[i].clickhouse };

		for (int d = SQL_SQLITE; d <= SQL_CLICKHOUSE; d++) {
			struct buf b = BUF_INIT;

			sql_put_sv(&b, (enum sql_dialect)d, rows[i].text);
			assert_string_equal(b.ptr, want[d]);
			buf_fini(&b);
		}
	}
}

static void test_name(void **state)
{
	static const char *const allowed[] = { "select", "cost_usd", "t1" };
	static const struct {
		struct sv name;
		const char *sql; /* NULL: refused */
	} rows[] = {
		{ SV_INIT("select"), "\"select\"" },
		{ SV_INIT("t1"), "\"t1\"" },
		{ SV_INIT("T1"), NULL },
		{ SV_INIT(""), NULL },
		{ SV_INIT("t"), NULL },
		{ SV_INIT("t1\0"), NULL },
		{ SV_INIT("t1\" --"), NULL },
		{ SV_INIT("t1;"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;

		assert_int_equal(sql_put_name(&b, rows[i].name, allowed,
					      COUNT(allowed)),
				 rows[i].sql ? 0 : ERR_INVALID);
		assert_string_equal(buf_view(&b).ptr,
				    rows[i].sql ? rows[i].sql : "");
		buf_fini(&b);
	}
}

static void round_trip(struct sv text)
{
	struct buf want = BUF_INIT;

	encoded_clean(&want, text, true);
	for (int d = SQL_SQLITE; d <= SQL_CLICKHOUSE; d++) {
		struct buf b = BUF_INIT, read = BUF_INIT;
		struct sv literal;
		bool escapes = d == SQL_CLICKHOUSE;

		sql_put_sv(&b, (enum sql_dialect)d, text);
		literal = buf_view(&b);
		if (d == SQL_POSTGRESQL && literal.ptr[0] == 'E') {
			escapes = true;
			literal = sv_make(literal.ptr + 1, literal.len - 1);
		} else if (d == SQL_POSTGRESQL) {
			/* Good under either setting. */
			assert_null(memchr(literal.ptr, '\\', literal.len));
		}
		assert_true(sql_read(&read, literal, escapes));
		assert_true(sv_eq(buf_view(&read), buf_view(&want)));
		buf_fini(&b);
		buf_fini(&read);
	}
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
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("sql_write", tests, NULL, NULL);
}
