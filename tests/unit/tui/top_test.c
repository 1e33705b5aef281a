/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screens, from recorded answers (tests/fixtures/top/NAME.json) against
 * golden files (golden_NAME.txt there): the text, then a map of styles with a
 * letter a cell. GOLDEN=write makes them anew; look at the difference.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/client/answer.h"
#include "tui/screen.h"
#include "tui/top.h"

#define FIXTURES "tests/fixtures/top/"

static void read_file(const char *name, struct buf *out)
{
	char path[256], bytes[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), FIXTURES "%s", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(out, bytes, n);
	fclose(file);
}

static json_t *load(const char *name)
{
	struct buf text = BUF_INIT;
	json_t *root;
	struct diag diag;

	read_file(name, &text);
	assert_int_equal(answer_parse(&root, buf_view(&text), &diag), 0);
	buf_fini(&text);
	return root;
}

static json_t *parse(const char *text)
{
	struct diag diag;
	json_t *root;

	assert_int_equal(answer_parse(&root, sv_from(text), &diag), 0);
	return root;
}

/* What the feed would bring for what is asked. */
static void deliver(struct top *top)
{
	struct delivery d = { .link = { .heard = top->now } };
	json_t *root = load("functions.json");

	d.functions = model_functions_new(root);
	json_decref(root);
	root = load("alarms.json");
	d.alarms = model_alarms_new(root);
	json_decref(root);
	if (top->question.function[0]) {
		root = load("traces.json");
		d.traces =
			model_traces_new(root, sv_from(top->question.function));
		json_decref(root);
	}
	if (top->question.trace[0]) {
		root = load("trace.json");
		d.trace = waterfall_new(root, sv_from(top->question.trace));
		json_decref(root);
	}
	if (top->question.map) {
		root = load("map.json");
		d.map = map_new(root);
		json_decref(root);
	}
	top_take(top, &d);
	delivery_fini(&d);
}

static void begin(struct top *top)
{
	top_init(top, "http://127.0.0.1:4318");
	top->utf8 = true;
	top->now = 1795338000;
	deliver(top);
}

static void press(struct top *top, const int *pressed)
{
	for (; *pressed; pressed++) {
		top_key(top, *pressed);
		deliver(top);
	}
}

static char style_letter(unsigned style)
{
	static const char letters[] = ".bdrgyuc"; /* by enum term_style */
	char c = letters[style & CELL_COLOUR];

	if (style & CELL_REVERSE)
		return c == '.' ? '#' : (char)(c - 'a' + 'A');
	if (style & CELL_DIM)
		return '~';
	if (style & CELL_BOLD)
		return c == '.' ? 'b' : (char)(c - 'a' + 'A');
	return c;
}

static void render(struct top *top, int columns, int rows, struct buf *out)
{
	static const struct term plain = { .utf8 = true };
	struct cells cells;

	assert_int_equal(cells_init(&cells, columns, rows), 0);
	top_draw(top, &cells);
	cells_print(&cells, &plain, out);
	buf_text(out, "--- styles\n");
	for (int y = 0; y < rows; y++) {
		size_t line = out->len, end = line;

		for (int x = 0; x < columns; x++) {
			buf_char(out,
				 style_letter(cells_at(&cells, x, y)->style));
			if (out->ptr[out->len - 1] != '.')
				end = out->len;
		}
		out->len = end;
		buf_char(out, '\n');
	}
	cells_fini(&cells);
}

static void check_golden(struct top *top, int columns, int rows,
			 const char *name)
{
	struct buf drawn = BUF_INIT, golden = BUF_INIT;
	const char *mode = getenv("GOLDEN");
	char file[128];

	snprintf(file, sizeof(file), "golden_%s_%dx%d.txt", name, columns,
		 rows);
	render(top, columns, rows, &drawn);
	if (mode && !strcmp(mode, "write")) {
		char path[256];
		FILE *to;

		snprintf(path, sizeof(path), FIXTURES "%s", file);
		to = fopen(path, "w");
		assert_non_null(to);
		fwrite(drawn.ptr, 1, drawn.len, to);
		fclose(to);
	}
	read_file(file, &golden);
	if (!sv_eq(buf_view(&drawn), buf_view(&golden)))
		print_message("# %s differs; drawn:\n%s", file, drawn.ptr);
	assert_true(sv_eq(buf_view(&drawn), buf_view(&golden)));
	buf_fini(&drawn);
	buf_fini(&golden);
}

static void check_sizes(struct top *top, const char *name)
{
	check_golden(top, 80, 24, name);
	check_golden(top, 40, 10, name);
	check_golden(top, 200, 50, name);
}

static const int to_traces[] = { 'j', SCREEN_ENTER, 0 };

static void test_functions(void **state)
{
	struct top top;

	(void)state;
	begin(&top);
	check_sizes(&top, "functions");
	top_fini(&top);
}

static void test_views(void **state)
{
	static const struct {
		const char *name;
		int keys[4];
	} rows[] = {
		{ "alarms", { 'a', 0 } },
		{ "traces", { 'j', SCREEN_ENTER, 0 } },
		{ "trace", { 'j', SCREEN_ENTER, SCREEN_ENTER, 0 } },
		{ "map", { 'm', 0 } },
		{ "help", { '?', 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct top top;

		begin(&top);
		press(&top, rows[i].keys);
		assert_string_equal(top_view(&top)->name, rows[i].name);
		check_sizes(&top, rows[i].name);
		top_fini(&top);
	}
}

static void test_lost(void **state)
{
	struct delivery d = {
		.link = { .lost = true,
			  .lost_since = 1795338010,
			  .heard = 1795338008,
			  .text = "cannot reach the collector" },
	};
	struct top top;

	(void)state;
	begin(&top);
	top.now = 1795338022;
	top_take(&top, &d);
	check_golden(&top, 80, 24, "lost");
	deliver(&top); /* and back again */
	assert_false(top.link.lost);
	top_fini(&top);
	/* Never there: nothing to show, but why. */
	top_init(&top, "http://127.0.0.1:4318");
	top.utf8 = true;
	top.now = 1795338022;
	d.link.heard = 0;
	top_take(&top, &d);
	check_golden(&top, 80, 24, "never");
	top_fini(&top);
}

/* Any size at all: nothing is drawn outside. */
static void test_every_size(void **state)
{
	struct top top;

	(void)state;
	begin(&top);
	for (size_t v = 0; v < 5; v++) {
		static const int keys[5][4] = { { 0 },
						{ 'a', 0 },
						{ SCREEN_ESCAPE, '?', 0 },
						{ '?', 'j', SCREEN_ENTER, 0 },
						{ SCREEN_ENTER, 0 } };

		press(&top, keys[v]);
		for (int columns = 1; columns < 90; columns++)
			for (int rows = 1; rows < 30; rows += 3) {
				struct cells cells;

				assert_int_equal(
					cells_init(&cells, columns, rows), 0);
				top_draw(&top, &cells);
				cells_fini(&cells);
			}
	}
	assert_string_equal(top_view(&top)->name, "trace");
	top_fini(&top);
}

static void test_sorting(void **state)
{
	static const struct {
		int key;
		const char *first;
	} rows[] = {
		{ 'n', "a-function-with-a-name-of-the-full-sixty-four-"
		       "characters-allowed" },
		{ 'i', "日本語-\033]0;owned\007\xe2\x80\xaegnp" },
		{ 'e', "checkout" },
		{ '5', "nightly-report" },
		{ '9', "nightly-report" },
		{ 'c', "日本語-\033]0;owned\007\xe2\x80\xaegnp" },
		{ 'r', "idle" },
	};
	struct top top;

	(void)state;
	begin(&top);
	top_key(&top, 'j'); /* checkout */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct function_row *row;

		top_key(&top, rows[i].key);
		assert_true(sv_eq(top.functions->rows[0].name,
				  sv_from(rows[i].first)));
		/* The selection stays on its function. */
		row = &top.functions->rows[top.function_list.selected];
		assert_true(sv_eq(row->name, SV("checkout")));
	}
	top_fini(&top);
}

static void test_questions(void **state)
{
	struct top top;

	(void)state;
	begin(&top);
	press(&top, to_traces);
	assert_string_equal(top.question.function, "checkout");
	assert_string_equal(top.question.trace, "");
	top_key(&top, SCREEN_ENTER);
	assert_string_equal(top.question.trace,
			    "1-6b02d3f0-0123456789abcdef01234567");
	assert_null(top.trace); /* not the one before */
	top_key(&top, SCREEN_ESCAPE);
	assert_string_equal(top.question.trace, "");
	top_key(&top, SCREEN_ESCAPE);
	assert_string_equal(top.question.function, "");
	assert_string_equal(top_view(&top)->name, "functions");
	top_key(&top, SCREEN_ESCAPE); /* no further back */
	assert_string_equal(top_view(&top)->name, "functions");
	top_key(&top, ' ');
	assert_true(top.hurry);
	top_key(&top, 'q');
	assert_true(top.quit);
	top_fini(&top);
}

/* A late answer to an old question is not shown as the new one's. */
static void test_late_answer(void **state)
{
	struct delivery d = { 0 };
	struct top top;
	json_t *root;

	(void)state;
	begin(&top);
	top_key(&top, 'j');
	top_key(&top, SCREEN_ENTER);
	root = load("traces.json");
	d.traces = model_traces_new(root, SV("another"));
	json_decref(root);
	top_take(&top, &d);
	assert_null(top.traces);
	assert_non_null(d.traces);
	delivery_fini(&d);
	top_fini(&top);
}

/* An answer with nothing in it, or of other kinds, is shown as nothing. */
static void test_odd_answers(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"functions\":3,\"alarms\":{},\"traces\":null}",
		"{\"functions\":[1,null,{}],\"alarms\":[[],{}],"
		"\"traces\":[{},\"x\"],\"segments\":[{},{\"document\":{}}],"
		"\"logs\":[{}],\"usage\":[{},{}],\"nodes\":[1,{}],"
		"\"edges\":[{},2,{\"to\":9}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *root = parse(texts[i]);
		struct top top;
		struct delivery d = { 0 };
		struct cells cells;

		top_init(&top, "http://h");
		top_key(&top, 'j');
		d.functions = model_functions_new(root);
		d.alarms = model_alarms_new(root);
		d.traces = model_traces_new(root, SV(""));
		d.trace = waterfall_new(root, SV(""));
		d.map = map_new(root);
		json_decref(root);
		top_take(&top, &d);
		delivery_fini(&d);
		assert_int_equal(cells_init(&cells, 80, 24), 0);
		top_draw(&top, &cells);
		top_enter(&top, &view_alarms);
		top_draw(&top, &cells);
		top_leave(&top);
		top_enter(&top, &view_map);
		top_draw(&top, &cells);
		top_leave(&top);
		top_enter(&top, &view_traces);
		top_draw(&top, &cells);
		top_enter(&top, &view_trace);
		top_draw(&top, &cells);
		cells_fini(&cells);
		top_fini(&top);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_sorting),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_odd_answers),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
