/* SPDX-License-Identifier: Apache-2.0 */
/* The service map of the view: kept ready, it says what head and blocks say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tracer/graph_text.h"
#include "tests/unit/tracer/view.h"
#include "tracer/traces_inner.h"
#include "tracer/traces_set.h"

#define MINUTE (60 * NS_PER_S)

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 33;
}

static char *text_of(struct view_fixture *f, int64_t from_ns, int64_t to_ns,
		     bool kept, bool *shared)
{
	struct graph g;
	char *text;
	int e = kept ? traces_map(f->t, &view_home, from_ns, to_ns, &g) :
		       traces_map_scan(f->t, &view_home, from_ns, to_ns, &g);

	assert_int_equal(e, 0);
	assert_int_equal(g.dropped, 0);
	if (shared)
		*shared = g.share != NULL;
	text = graph_text(&g);
	graph_fini(&g);
	return text ? text : strdup("");
}

/* True: it came from what is kept ready. */
static bool check(struct view_fixture *f, int64_t from_ns, int64_t to_ns)
{
	bool shared;
	char *kept = text_of(f, from_ns, to_ns, true, &shared);
	char *scan = text_of(f, from_ns, to_ns, false, NULL);

	assert_string_equal(kept, scan);
	free(kept);
	free(scan);
	return shared;
}

static void tick(struct view_fixture *f)
{
	struct view *v = traces_view(f->t);

	assert_int_equal(v->ops->tick(v->self, (struct wall){ f->now_ns }), 0);
}

/* A piece of trace n: its root, a service below, a call of its own; perhaps in
 * progress, perhaps finished. */
static void send_piece(struct view_fixture *f, unsigned n, uint64_t *seed)
{
	struct buf b = BUF_INIT;
	/* of the trace, not of the piece */
	int64_t start_s = f->now_ns / NS_PER_S - n % 50;
	double start = (double)start_s;
	uint64_t r = next(seed);

	switch (r % 5) {
	case 0:
		buf_format(&b,
			   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
			   "\"0000000000000001\",\"name\":\"web-%u\","
			   "\"start_time\":%.3f,\"in_progress\":true}",
			   n, n % 3, start);
		break;
	case 1:
		buf_format(&b,
			   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
			   "\"0000000000000001\",\"name\":\"web-%u\","
			   "\"start_time\":%.3f,\"end_time\":%.3f,\"fault\":%s,"
			   "\"subsegments\":[{\"id\":\"0000000000000002\","
			   "\"name\":\"api.example.com\",\"namespace\":"
			   "\"remote\",\"start_time\":%.3f,\"end_time\":%.3f},"
			   "{\"id\":\"0000000000000003\",\"name\":\"DynamoDB\","
			   "\"namespace\":\"aws\",\"start_time\":%.3f,"
			   "\"end_time\":%.3f,\"aws\":{\"table_name\":"
			   "\"t%u\"}}]}",
			   n, n % 3, start, start + (double)(r % 90),
			   r % 3 ? "false" : "true", start + 0.1,
			   start + 0.1 * (double)(r % 7), start + 0.2,
			   start + 1, n % 4);
		break;
	case 2:
		buf_format(&b,
			   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
			   "\"0000000000000004\",\"parent_id\":"
			   "\"0000000000000002\",\"name\":\"api\","
			   "\"origin\":\"AWS::Lambda\",\"start_time\":%.3f,"
			   "\"end_time\":%.3f}",
			   n, start + 0.15, start + 0.3);
		break;
	case 3:
		buf_format(&b,
			   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
			   "\"0000000000000005\",\"name\":\"worker\","
			   "\"start_time\":%.3f,\"end_time\":%.3f,\"links\":["
			   "{\"id\":\"00000000000000aa\",\"attributes\":{"
			   "\"queue_url\":\"https://sqs.x/1/jobs\","
			   "\"sent_timestamp\":%lld}}]}",
			   n, start + 1, start + 2,
			   (long long)(start * 1000) - (long long)(r % 5000));
		break;
	default:
		buf_format(&b,
			   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
			   "\"0000000000000006\",\"type\":\"subsegment\","
			   "\"parent_id\":\"0000000000000004\",\"name\":"
			   "\"cache\",\"namespace\":\"remote\",\"start_time\":"
			   "%.3f,\"end_time\":%.3f}",
			   n, start + 0.2, start + 0.25);
		break;
	}
	view_send(f, b.ptr);
	buf_fini(&b);
}

static void test_same_as_scanned(void **state)
{
	struct view_fixture *f = *state;
	uint64_t seed = 11;
	unsigned ready = 0, asked = 0;

	for (unsigned round = 0; round < 160; round++) {
		int64_t now;

		for (unsigned i = 0; i < 25; i++)
			send_piece(f,
				   (unsigned)(next(&seed) % 60) +
					   round / 20 * 30,
				   &seed);
		f->now_ns += (int64_t)(next(&seed) % 50) * NS_PER_S;
		tick(f);
		now = f->now_ns;
		ready += check(f, now - 60 * MINUTE, now + 1);
		ready += check(f, now - 10 * MINUTE, now + MINUTE);
		asked += 2;
		if (round % 16 == 3)
			assert_int_equal(traces_seal(f->t), 0);
		if (round % 16 == 9) /* what is quiet */
			assert_int_equal(traces_seal_head(f->t, SEAL_SIZE), 0);
		if (round % 53 == 40)
			view_restart(f);
		/* far away and long: not from there */
		if (round % 40 == 39)
			assert_false(check(f, 0, now + 100 * 60 * MINUTE));
	}
	assert_true(asked - ready < asked / 10);
}

/* Another scope's calls are not in it, and windows make room for others. */
static void test_scopes(void **state)
{
	struct view_fixture *f = *state;
	struct scope scopes[MAP_WINDOWS_MAX + 2];
	uint64_t seed = 5;

	for (unsigned i = 0; i < MAP_WINDOWS_MAX + 2; i++) {
		scopes[i] = view_home;
		scopes[i].account += i;
	}
	for (unsigned i = 0; i < 40; i++)
		send_piece(f, i, &seed);
	tick(f);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MAP_WINDOWS_MAX + 2; i++) {
			struct graph g;

			assert_int_equal(traces_map(f->t, &scopes[i],
						    f->now_ns - 60 * MINUTE,
						    f->now_ns + 1, &g),
					 0);
			assert_non_null(g.share);
			assert_int_equal(graph_there(&g) > 0, i == 0);
			graph_fini(&g);
		}
		send_piece(f, 50 + round, &seed);
	}
	assert_true(check(f, f->now_ns - 60 * MINUTE, f->now_ns + 1));
	/* Nobody asks: they go, and come back when somebody does. */
	for (unsigned i = 0; i < MAP_WINDOWS_IDLE_MINUTES + 2; i++) {
		f->now_ns += MINUTE;
		tick(f);
	}
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++)
		assert_false(f->t->windows.list[i].used);
	assert_false(f->t->head.tracked);
	assert_true(check(f, f->now_ns - 60 * MINUTE, f->now_ns + 1));
}

/* More nodes than a map may have: the answer is the scan's, which says so. */
static void test_too_many_nodes(void **state)
{
	struct view_fixture *f = *state;
	struct graph g;
	char text[256];

	tick(f);
	for (unsigned i = 0; i < GRAPH_NODES_MAX; i++) {
		snprintf(text, sizeof(text),
			 "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
			 "\"0000000000000001\",\"name\":\"n%u\",\"start_time\":"
			 "%lld,\"end_time\":%lld}",
			 i, i, (long long)(f->now_ns / NS_PER_S),
			 (long long)(f->now_ns / NS_PER_S));
		view_send(f, text);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(traces_map(f->t, &view_home,
					    f->now_ns - 60 * MINUTE,
					    f->now_ns + 1, &g),
				 0);
		assert_null(g.share);
		assert_true(g.dropped > 0);
		graph_fini(&g);
	}
	for (unsigned i = 0; i < MAP_WINDOWS_MAX; i++)
		assert_null(f->t->windows.list[i].window);
	assert_false(f->t->head.tracked);
}

/* Of a set of traces, by a filter and by their ids. */
static void test_sets(void **state)
{
	struct view_fixture *f = *state;
	uint8_t ids[2][TRACE_ID_SIZE];
	struct traces_set set = { .scope = &view_home,
				  .start_ns = f->now_ns - 60 * MINUTE,
				  .end_ns = f->now_ns + MINUTE };
	struct arena arena = ARENA_INIT;
	struct filter filter;
	uint64_t seed = 17;
	size_t missing;
	struct graph g;
	char *a, *b;

	for (unsigned i = 0; i < 300; i++)
		send_piece(f, i % 70, &seed);
	for (int sealed = 0; sealed < 2; sealed++) {
		/* All of them are the map. */
		set.filter = NULL;
		assert_int_equal(traces_set_map(f->t, &set, &g), 0);
		assert_false(set.cut);
		assert_true(set.selected > 60);
		a = graph_text(&g);
		graph_fini(&g);
		b = text_of(f, set.start_ns, set.end_ns, false, NULL);
		assert_string_equal(a, b);
		free(a);
		free(b);
		assert_int_equal(filter_parse(&filter, SV("service(\"api\")"),
					      NULL, &arena, NULL),
				 0);
		set.filter = &filter;
		assert_int_equal(traces_set_map(f->t, &set, &g), 0);
		assert_true(set.selected > 10 && set.selected < 60);
		graph_fini(&g);
		if (!sealed)
			assert_int_equal(traces_seal(f->t), 0);
	}
	assert_true(trace_id_parse(SV("1-6b02bf61-000000000000000000000005"),
				   ids[0]));
	assert_true(trace_id_parse(SV("1-6b02bf61-00000000000000000000ffff"),
				   ids[1]));
	assert_int_equal(traces_ids_map(f->t, &view_home, ids, 2, &g, &missing),
			 0);
	assert_int_equal(missing, 1);
	assert_true(g.node_count >= 2);
	graph_fini(&g);
	arena_fini(&arena);
}

int main(void)
{
#define IN_VIEW(test) \
	cmocka_unit_test_setup_teardown(test, view_setup, view_teardown)
	const struct CMUnitTest tests[] = {
		IN_VIEW(test_same_as_scanned),
		IN_VIEW(test_scopes),
		IN_VIEW(test_too_many_nodes),
		IN_VIEW(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
