/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tui/cells.h"
#include "tui/keys.h"
#include "tui/list.h"

static void check(const struct cells *c, const char *wanted)
{
	static const struct term plain = { .utf8 = true };
	struct buf out = BUF_INIT;

	cells_print(c, &plain, &out);
	assert_string_equal(out.ptr, wanted);
	buf_fini(&out);
}

static void test_text(void **state)
{
	struct cells c;

	(void)state;
	assert_int_equal(cells_init(&c, 10, 3), 0);
	assert_int_equal(cells_text(&c, 0, 0, 10, 0, SV("日本x")), 5);
	assert_int_equal(cells_text(&c, 6, 0, 10, 0, SV("longer")), 4);
	cells_right(&c, 0, 1, 10, 0, SV("12"));
	assert_int_equal(cells_format(&c, 0, 2, 6, 0, "%s", "\033[m"), 6);
	assert_int_equal(cells_text(&c, 0, 3, 10, 0, SV("below")), 0);
	assert_int_equal(cells_text(&c, 10, 0, 10, 0, SV("right")), 0);
	assert_int_equal(cells_text(&c, -1, 0, 10, 0, SV("left")), 0);
	check(&c, "日本x lon…\n        12\n\\x1b[m\n");
	/* Over one half of a wide character: the other goes too. */
	cells_text(&c, 1, 0, 1, 0, SV("a"));
	cells_text(&c, 2, 0, 1, 0, SV("b"));
	check(&c, " ab x lon…\n        12\n\\x1b[m\n");
	/* A wide one that does not fit the last column. */
	cells_clear(&c);
	assert_int_equal(cells_text(&c, 9, 0, 5, 0, SV("日")), 1);
	check(&c, "         …\n\n\n");
	cells_fini(&c);
}

static void test_resize(void **state)
{
	struct cells c;

	(void)state;
	assert_int_equal(cells_init(&c, 0, -5), 0);
	assert_int_equal(c.columns, 1);
	assert_int_equal(c.rows, 1);
	cells_text(&c, 0, 0, 1, 0, SV("x"));
	cells_resize(&c, 2, 2);
	check(&c, "\n\n");
	cells_resize(&c, CELLS_COLUMNS_MAX + 1, 1);
	assert_int_equal(c.columns, CELLS_COLUMNS_MAX);
	cells_resize(&c, 1, CELLS_ROWS_MAX + 1);
	assert_int_equal(c.rows, CELLS_ROWS_MAX);
	cells_fini(&c);
}

static void test_style(void **state)
{
	struct term colour = { .utf8 = true, .colour = true };
	struct buf out = BUF_INIT;
	struct cells c;

	(void)state;
	assert_int_equal(cells_init(&c, 4, 1), 0);
	cells_text(&c, 0, 0, 4, TERM_RED, SV("ab"));
	cells_style(&c, (struct area){ 1, -3, 99, 99 },
		    TERM_GREEN | CELL_REVERSE);
	assert_int_equal(cells_at(&c, 0, 0)->style, TERM_RED);
	assert_int_equal(cells_at(&c, 1, 0)->style, TERM_GREEN | CELL_REVERSE);
	cells_print(&c, &colour, &out);
	assert_string_equal(out.ptr, "\033[0m\033[31ma\033[0m\033[32mb"
				     "\033[0m\n");
	buf_fini(&out);
	cells_fini(&c);
}

static void test_list(void **state)
{
	struct list l = { 0 };

	(void)state;
	list_fit(&l, 100, 10);
	assert_false(list_act(&l, 100, ACT_UP));
	assert_true(list_act(&l, 100, ACT_LAST));
	assert_int_equal(l.selected, 99);
	assert_int_equal(l.top, 90);
	assert_false(list_act(&l, 100, ACT_DOWN));
	assert_true(list_act(&l, 100, ACT_PAGE_UP));
	assert_int_equal(l.selected, 90);
	assert_int_equal(l.top, 90);
	assert_true(list_act(&l, 100, ACT_UP));
	assert_int_equal(l.top, 89);
	list_fit(&l, 20, 10); /* rows went away */
	assert_int_equal(l.selected, 19);
	assert_int_equal(l.top, 10);
	list_fit(&l, 20, 30); /* the terminal grew */
	assert_int_equal(l.top, 0);
	list_fit(&l, 0, 10);
	assert_int_equal(l.selected, 0);
	assert_false(list_act(&l, 0, ACT_LAST));
	list_fit(&l, 5, 0);
	assert_true(list_act(&l, 5, ACT_PAGE_DOWN));
}

/* No two actions on one key in one view; a help text for every action. */
static void test_keys(void **state)
{
	bool helped[ACT_REVERSE + 1] = { false };

	(void)state;
	for (size_t i = 0; i < key_count; i++) {
		for (size_t j = 0; j < i; j++)
			assert_false(key_table[i].key == key_table[j].key &&
				     (key_table[i].views & key_table[j].views));
		helped[key_table[i].action] |= key_table[i].help != NULL;
	}
	for (int a = ACT_QUIT; a <= ACT_REVERSE; a++)
		assert_true(helped[a]);
	assert_int_equal(keys_action('q', IN_TRACE), ACT_QUIT);
	assert_int_equal(keys_action('c', IN_TRACE), ACT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),  cmocka_unit_test(test_resize),
		cmocka_unit_test(test_style), cmocka_unit_test(test_list),
		cmocka_unit_test(test_keys),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
