/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/client/answer.h"
#include "tui/map.h"
#include "tui/spans.h"

/* Documents in, "depth:name" of the rows out. */
static void check(const char *segments, const char *wanted)
{
	struct buf text = BUF_INIT, rows = BUF_INIT;
	struct waterfall *t;
	struct diag diag;
	json_t *root;

	buf_format(&text, "{\"segments\":[%s]}", segments);
	assert_int_equal(answer_parse(&root, buf_view(&text), &diag), 0);
	t = waterfall_new(root, SV("x"));
	assert_non_null(t);
	for (size_t i = 0; i < t->span_count; i++)
		buf_format(&rows, "%s%d:%.*s", i ? " " : "", t->spans[i].depth,
			   SV_ARG(t->spans[i].name));
	assert_string_equal(rows.ptr ? rows.ptr : "", wanted);
	waterfall_free(t);
	json_decref(root);
	buf_fini(&text);
	buf_fini(&rows);
}

#define X(id, parent, start)                              \
	"{\"document\":{\"name\":\"" id "\",\"id\":\"" id \
	"\",\"parent_id\":\"" parent "\",\"start_time\":" start "}}"

static void test_order(void **state)
{
	(void)state;
	check("", "");
	check(X("a", "", "1"), "0:a");
	/* Out of order, siblings by start. */
	check(X("c", "a", "3") "," X("b", "a", "2") "," X("a", "", "1"),
	      "0:a 1:b 1:c");
	/* A parent that is not there makes a root. */
	check(X("b", "lost", "2") "," X("a", "", "1"), "0:a 0:b");
	/* Its own parent, a circle, and one that hangs on a circle. */
	check(X("a", "a", "1"), "0:a");
	check(X("a", "b", "1") "," X("b", "a", "2"), "0:b 1:a");
	check(X("c", "b", "0") "," X("a", "b", "1") "," X("b", "a", "2"),
	      "0:b 1:c 1:a");
	/* The same id twice: each is a row. */
	check(X("a", "", "1") "," X("a", "", "2") "," X("b", "a", "3"),
	      "0:a 1:b 0:a");
	/* No ids at all. */
	check("{\"document\":{\"name\":\"a\"}},{\"document\":{\"name\":\"b\"}}",
	      "0:a 0:b");
}

static void test_both_kinds(void **state)
{
	(void)state;
	check("{\"document\":{\"name\":\"seg\",\"id\":\"1\",\"start_time\":1,"
	      "\"subsegments\":[{\"name\":\"sub\",\"id\":\"2\","
	      "\"start_time\":2}]}},"
	      "{\"document\":{\"name\":\"span\",\"spanId\":\"3\","
	      "\"parentSpanId\":\"2\",\"startTimeUnixNano\":\"3000000000\","
	      "\"endTimeUnixNano\":\"4000000000\",\"status\":{\"code\":2}}}",
	      "0:seg 1:sub 2:span");
}

static void test_otlp_values(void **state)
{
	struct diag diag;
	struct waterfall *t;
	json_t *root;

	(void)state;
	assert_int_equal(
		answer_parse(&root,
			     SV("{\"id\":\"t\",\"segments\":[{\"document\":"
				"{\"spanId\":\"1\",\"name\":\"n\","
				"\"startTimeUnixNano\":\"1795338000000000000\","
				"\"endTimeUnixNano\":\"1795338000500000000\","
				"\"status\":{\"code\":\"STATUS_CODE_ERROR\","
				"\"message\":\"m\"}}}]}"),
			     &diag),
		0);
	t = waterfall_new(root, SV("t"));
	assert_int_equal(t->spans[0].status, SPAN_FAULT);
	assert_true(sv_eq(t->spans[0].detail, SV("m")));
	assert_true(t->start == 1795338000);
	assert_true(t->duration_s == 0.5);
	waterfall_free(t);
	json_decref(root);
}

/* One more than the limits, and deeper than the limit. */
static void test_limits(void **state)
{
	struct buf text = BUF_INIT;
	struct waterfall *t;
	struct diag diag;
	json_t *root;

	(void)state;
	buf_text(&text, "{\"segments\":[");
	for (int i = 0; i <= SPANS_MAX; i++)
		buf_format(&text, "%s" X("%d", "%d", "%d"), i ? "," : "", i, i,
			   i - 1, i);
	buf_text(&text, "],\"logs\":[{}");
	for (int i = 0; i < EVENTS_MAX; i++)
		buf_text(&text, ",{}");
	buf_text(&text, "],\"usage\":[{\"cost\":{\"items\":[{}");
	for (int i = 0; i < CHARGES_MAX; i++)
		buf_text(&text, ",{}");
	buf_text(&text, "]}}]}");
	assert_int_equal(answer_parse(&root, buf_view(&text), &diag), 0);
	t = waterfall_new(root, SV("x"));
	assert_int_equal(t->span_count, SPANS_MAX);
	assert_int_equal(t->event_count, EVENTS_MAX);
	assert_int_equal(t->charge_count, CHARGES_MAX);
	assert_int_equal(t->left_out, 3);
	/* A chain as long as the limit: its end is that deep. */
	assert_int_equal(t->spans[SPANS_MAX - 1].depth, SPANS_MAX - 1);
	waterfall_free(t);
	json_decref(root);

	buf_reset(&text);
	buf_text(&text, "{\"segments\":[{\"document\":");
	for (int i = 0; i < SPAN_DEPTH_MAX + 2; i++)
		buf_text(&text, "{\"subsegments\":[");
	for (int i = 0; i < SPAN_DEPTH_MAX + 2; i++)
		buf_text(&text, "]}");
	buf_text(&text, "}]}");
	assert_int_equal(answer_parse(&root, buf_view(&text), &diag), 0);
	t = waterfall_new(root, SV("x"));
	assert_int_equal(t->span_count, SPAN_DEPTH_MAX + 1);
	assert_int_equal(t->left_out, 1);
	waterfall_free(t);
	json_decref(root);
	buf_fini(&text);
}

static void test_row_limits(void **state)
{
	struct buf text = BUF_INIT;
	struct functions *f;
	struct alarms *a;
	struct traces *t;
	struct diag diag;
	json_t *root;

	(void)state;
	buf_text(&text, "{\"functions\":[{}");
	for (int i = 0; i < FUNCTIONS_MAX; i++)
		buf_text(&text, ",{}");
	buf_text(&text, "],\"alarms\":[{}");
	for (int i = 0; i < ALARMS_MAX; i++)
		buf_text(&text, ",{}");
	buf_text(&text, "],\"traces\":[{\"spark\":[1]}");
	for (int i = 0; i < TRACES_MAX; i++)
		buf_text(&text, ",{}");
	buf_text(&text, "]}");
	assert_int_equal(answer_parse(&root, buf_view(&text), &diag), 0);
	f = model_functions_new(root);
	a = model_alarms_new(root);
	t = model_traces_new(root, SV("f"));
	assert_int_equal(f->count, FUNCTIONS_MAX);
	assert_int_equal(f->left_out, 1);
	assert_int_equal(a->count, ALARMS_MAX);
	assert_int_equal(a->left_out, 1);
	assert_int_equal(t->count, TRACES_MAX);
	assert_int_equal(t->left_out, 1);
	model_functions_free(f);
	model_alarms_free(a);
	model_traces_free(t);
	json_decref(root);
	buf_fini(&text);
}

/* Full to both limits, one more of each, and two services of one id, whose
 * calls would be listed twice. */
static void test_map_limits(void **state)
{
	struct buf text = BUF_INIT;
	struct diag diag;
	struct map *m;
	json_t *root;

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		size_t edges = 0;

		buf_reset(&text);
		buf_text(&text, "{\"nodes\":[");
		for (int i = 0; i <= MAP_NODES_MAX; i++)
			buf_format(&text, "%s{\"id\":%d}", i ? "," : "",
				   twice ? 0 : i);
		buf_text(&text, "],\"edges\":[{\"from\":0,\"to\":0}");
		for (int i = 0; i < MAP_EDGES_MAX; i++)
			buf_text(&text, ",{\"from\":0,\"to\":0}");
		buf_text(&text, "]}");
		assert_int_equal(answer_parse(&root, buf_view(&text), &diag),
				 0);
		m = map_new(root);
		assert_int_equal(m->count, MAP_NODES_MAX + MAP_EDGES_MAX);
		for (size_t i = 0; i < m->count; i++)
			edges += m->lines[i].is_edge;
		assert_int_equal(edges, MAP_EDGES_MAX);
		assert_true(twice ? m->left_out > 2 : m->left_out == 2);
		map_free(m);
		json_decref(root);
	}
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_both_kinds),
		cmocka_unit_test(test_otlp_values),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_row_limits),
		cmocka_unit_test(test_map_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
