/* SPDX-License-Identifier: Apache-2.0 */
/* The late decision at a seal: what is dropped is gone from look-ups, lists
 * and ids, and still in the map; also after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tracer/view.h"

static const struct keep_rule rule = { .service = SV_INIT("*"),
				       .slow_ns = 2 * NS_PER_S };

enum { GOOD = 1, FAULT, SLOW, DEEP };

static bool is_there(struct view_fixture *f, unsigned n)
{
	struct arena arena = ARENA_INIT;
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;
	char text[64];
	int e;

	snprintf(text, sizeof(text), "1-%08x-%024x", VIEW_ID_S, n);
	assert_true(trace_id_parse(sv_from(text), id));
	e = traces_get(f->t, &view_home, id, &arena, &trace);
	assert_true(e == 0 || e == ERR_NOT_FOUND);
	arena_fini(&arena);
	return !e;
}

static void check(struct view_fixture *f)
{
	struct arena arena = ARENA_INIT;
	struct trace_list list;
	uint8_t id[TRACE_ID_SIZE];
	struct graph map;
	uint64_t ok = 0;

	assert_false(is_there(f, GOOD));
	assert_true(is_there(f, FAULT));
	assert_true(is_there(f, SLOW));
	assert_true(is_there(f, DEEP));
	assert_int_equal(traces_recent(f->t, &view_home, VIEW_T0,
				       VIEW_T0 + 3600 * NS_PER_S, SV(""), 0,
				       &arena, &list),
			 0);
	assert_int_equal(list.count, 3);
	assert_int_equal(traces_find(f->t, &view_home, SV("run-good"), id),
			 ERR_NOT_FOUND);
	assert_int_equal(traces_find(f->t, &view_home, SV("run-fault"), id), 0);
	assert_int_equal(traces_map(f->t, &view_home, VIEW_T0,
				    VIEW_T0 + 3600 * NS_PER_S, &map),
			 0);
	for (uint32_t i = 0; i < map.node_count; i++)
		if (sv_eq(map.nodes[i].name, SV("svc1")) &&
		    !sv_eq(map.nodes[i].type, SV("client")))
			ok += map.nodes[i].stats.ok;
	assert_int_equal(ok, 1);
	graph_fini(&map);
	arena_fini(&arena);
}

static void test_seal(void **state)
{
	struct view_fixture *f = *state;
	struct traces_stats stats;

	f->options.keep = (struct keep){ &rule, 1 };
	view_restart(f);
	view_segment(f, GOOD, 1, 10, ",\"aws\":{\"request_id\":\"run-good\"}");
	view_segment(f, FAULT, 2, 10,
		     ",\"fault\":true,\"aws\":{\"request_id\":\"run-fault\"}");
	/* two segments, three seconds apart */
	view_segment(f, SLOW, 3, 10, "");
	view_segment(f, SLOW, 4, 13, ",\"parent_id\":\"0000000000000003\"");
	/* the root handled it, and it is kept all the same */
	view_segment(f, DEEP, 5, 10, "");
	view_segment(f, DEEP, 6, 10,
		     ",\"parent_id\":\"0000000000000005\",\"throttle\":true");
	assert_true(is_there(f, GOOD)); /* until it is decided */
	assert_int_equal(traces_seal(f->t), 0);
	traces_stats(f->t, &stats);
	assert_int_equal(stats.dropped, 1);
	assert_int_equal(stats.dropped_documents, 1);
	check(f);
	view_restart(f);
	check(f);
}

/* A seal that keeps nothing is one all the same. */
static void test_all_dropped(void **state)
{
	struct view_fixture *f = *state;

	f->options.keep = (struct keep){ &rule, 1 };
	view_restart(f);
	view_segment(f, GOOD, 1, 10, "");
	assert_int_equal(traces_seal(f->t), 0);
	assert_false(is_there(f, GOOD));
	view_restart(f);
	assert_false(is_there(f, GOOD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIEW_TEST(test_seal),
		VIEW_TEST(test_all_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
