/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "tests/unit/tracer/graph_text.h"
#include "tracer/graph_window.h"

#define MINUTE INT64_C(60000000000)
#define NOW INT64_C(30000000)

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 33;
}

/* One made-up call; its text lives in `texts`. */
struct made {
	char texts[3][16];
	struct graph_call call;
};

static void make(struct made *m, uint64_t *seed, int64_t minute)
{
	uint64_t r = next(seed);

	snprintf(m->texts[0], sizeof(m->texts[0]), "from-%u",
		 (unsigned)(r % 7));
	snprintf(m->texts[1], sizeof(m->texts[1]), "to-%u",
		 (unsigned)(r / 7 % 11));
	snprintf(m->texts[2], sizeof(m->texts[2]), "alias-%u",
		 (unsigned)(r % 3));
	r = next(seed);
	m->call = (struct graph_call){
		.time_ns = minute * MINUTE + (int64_t)(r % 60) * 1000000000,
		.duration_ns = next(seed) % 1000000000,
		.work_ns = r % 4 ? 0 : next(seed) % 3000000000,
		.to_name = sv_from(m->texts[1]),
		.to_type = r % 5 ? SV("type") : SV("client"),
		.to_account = r % 13 ? 0 : 5,
		.status = (enum segment_status)(r % 4),
		.root = r % 3 == 0,
		.inferred = r % 7 == 0,
		.counted = r % 9 != 0,
	};
	if (r % 2) {
		m->call.from_name = sv_from(m->texts[0]);
		m->call.from_type = SV("type");
		m->call.link = r % 16 == 1;
		m->call.alias = r % 8 == 1 ? sv_from(m->texts[2]) : SV("");
	}
}

enum { CALLS = 4000 };

struct world {
	struct made *calls; /* in it while in[i] */
	bool in[CALLS];
};

/* The window says what adding up says. */
static void check(const struct world *world, struct graph_window *w,
		  int64_t from, int64_t to)
{
	struct graph want = GRAPH_INIT, got;
	char *a, *b;

	for (unsigned i = 0; i < CALLS; i++) {
		int64_t minute = world->calls[i].call.time_ns / MINUTE;

		if (world->in[i] && minute >= from && minute < to)
			graph_count(&want, &world->calls[i].call);
	}
	assert_true(graph_window_covers(w, from, to));
	assert_int_equal(graph_window_map(w, from, to, &got), 0);
	a = graph_text(&want);
	b = graph_text(&got);
	assert_string_equal(b ? b : "", a ? a : "");
	free(a);
	free(b);
	graph_fini(&want);
	graph_fini(&got);
}

static void test_same_as_adding_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct graph_window *w = graph_window_new(0, NOW);
	uint64_t seed = 1;
	int64_t now = NOW;

	(void)state;
	world->calls = calloc(CALLS, sizeof(*world->calls));
	for (unsigned i = 0; i < CALLS; i++)
		make(&world->calls[i], &seed,
		     NOW - 61 + (int64_t)(next(&seed) % 64));
	for (unsigned round = 0; round < 12; round++) {
		for (unsigned i = 0; i < 900; i++) {
			unsigned at = (unsigned)(next(&seed) % CALLS);

			graph_window_count(w, &world->calls[at].call,
					   world->in[at] ? -1 : 1);
			world->in[at] = !world->in[at];
		}
		check(world, w, now - 60, now + 1);
		check(world, w, now - 60, now + 1); /* unchanged */
		check(world, w, now - 5, now + 1);
		check(world, w, now - 30, now - 20);
		check(world, w, now, now + 1);
		if (round % 3 == 2)
			graph_window_advance(w, ++now);
	}
	assert_false(graph_window_broken(w));
	assert_false(graph_window_covers(w, now - 62, now));
	assert_false(graph_window_covers(w, now, now + 4));
	/* All that is left leaves: nothing remains. */
	for (unsigned i = 0; i < CALLS; i++) {
		if (world->in[i])
			graph_window_count(w, &world->calls[i].call, -1);
		world->in[i] = false;
	}
	check(world, w, now - 60, now + 1);
	free(world->calls);
	free(world);
	graph_window_free(w);
}

/* An answer lives on when what it was made from changes, or goes. */
static void test_answers_stay(void **state)
{
	struct graph_window *w = graph_window_new(0, NOW);
	uint64_t seed = 7;
	struct graph one, same, other;
	struct made m;
	char *a, *b;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		make(&m, &seed, NOW);
		graph_window_count(w, &m.call, 1);
	}
	assert_int_equal(graph_window_map(w, NOW - 1, NOW + 1, &one), 0);
	assert_int_equal(graph_window_map(w, NOW - 1, NOW + 1, &same), 0);
	assert_ptr_equal(one.nodes, same.nodes);
	a = graph_text(&one);
	graph_window_count(w, &m.call, 1);
	assert_int_equal(graph_window_map(w, NOW - 1, NOW + 1, &other), 0);
	assert_ptr_not_equal(one.nodes, other.nodes);
	graph_fini(&other);
	graph_fini(&same);
	graph_window_free(w);
	b = graph_text(&one);
	assert_string_equal(a, b);
	free(a);
	free(b);
	graph_fini(&one);
}

/* A count that is too far ahead is not kept, and its minute never answered. */
static void test_ahead(void **state)
{
	struct graph_window *w = graph_window_new(0, NOW);
	uint64_t seed = 3;
	struct graph g;
	struct made m;

	(void)state;
	make(&m, &seed, NOW + 5);
	graph_window_count(w, &m.call, 1);
	make(&m, &seed, INT64_MAX / MINUTE - 1);
	assert_true(graph_window_covers(w, NOW - 60, NOW + 1));
	graph_window_advance(w, NOW + 4);
	assert_true(graph_window_covers(w, NOW, NOW + 5));
	assert_false(graph_window_covers(w, NOW, NOW + 6));
	graph_window_advance(w, NOW + 8);
	assert_false(graph_window_covers(w, NOW, NOW + 6));
	assert_true(graph_window_covers(w, NOW + 6, NOW + 9));
	make(&m, &seed, NOW + 5);
	graph_window_count(w, &m.call, -1); /* it was never in */
	assert_int_equal(graph_window_map(w, NOW + 6, NOW + 9, &g), 0);
	assert_int_equal(graph_there(&g), 0);
	graph_fini(&g);
	/* Too old is simply not there; a jump forgets all. */
	make(&m, &seed, NOW - 100);
	graph_window_count(w, &m.call, 1);
	make(&m, &seed, NOW + 8);
	graph_window_count(w, &m.call, 1);
	graph_window_advance(w, NOW + 1000);
	assert_int_equal(graph_window_map(w, NOW + 940, NOW + 1001, &g), 0);
	assert_int_equal(graph_there(&g), 0);
	graph_fini(&g);
	graph_window_free(w);
}

static void test_limits(void **state)
{
	struct graph_window *w = graph_window_new(0, NOW);
	struct graph_call call = { .time_ns = NOW * MINUTE, .counted = true };
	char name[16];

	(void)state;
	for (int i = 0; i < GRAPH_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		call.to_name = sv_from(name);
		graph_window_count(w, &call, 1);
	}
	assert_false(graph_window_broken(w));
	call.to_name = SV("one more");
	graph_window_count(w, &call, 1);
	assert_true(graph_window_broken(w));
	assert_false(graph_window_covers(w, NOW, NOW + 1));
	graph_window_free(w);
}

/* Many entries in many minutes: most of them lie frozen. */
static void test_frozen(void **state)
{
	struct graph_window *w = graph_window_new(0, NOW);
	struct graph stored = GRAPH_INIT;
	uint64_t seed = 9;

	(void)state;
	for (int64_t minute = NOW - 60; minute <= NOW; minute++) {
		for (unsigned i = 0; i < 1500; i++) {
			char name[16];
			struct graph_call call = {
				.time_ns = minute * MINUTE,
				.duration_ns = next(&seed) % 100000000,
				.counted = true,
			};

			snprintf(name, sizeof(name), "n%u", i);
			call.to_name = sv_from(name);
			if (minute % 2)
				graph_window_count(w, &call, 1);
			else
				graph_count(&stored, &call);
		}
		if (minute % 2)
			continue;
		graph_window_merge(w, minute, &stored);
		graph_fini(&stored);
	}
	assert_false(graph_window_broken(w));
	assert_true(graph_window_bytes(w) < (size_t)14 << 20);
	assert_int_equal(graph_window_map(w, NOW - 60, NOW + 1, &stored), 0);
	assert_int_equal(stored.node_count, 1500);
	for (uint32_t i = 0; i < stored.node_count; i++)
		assert_int_equal(stored.nodes[i].stats.ok, 61);
	graph_fini(&stored);
	graph_window_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_adding_up),
		cmocka_unit_test(test_answers_stay),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
