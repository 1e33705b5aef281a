/* SPDX-License-Identifier: Apache-2.0 */
/* The scan: order, each trace once, paging, and what a range means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tracer/view.h"

#define SEC NS_PER_S

struct seen {
	unsigned numbers[64]; /* of traces, in order */
	size_t count, documents, stop_at;
	int fail_with;
	unsigned unwanted;
};

static int visit(void *arg, const struct trace *trace, struct arena *arena)
{
	struct seen *seen = arg;

	(void)arena;
	if (seen->fail_with)
		return seen->fail_with;
	assert_true(seen->count < 64);
	assert_true(trace->assembly.count >= trace->document_count);
	seen->numbers[seen->count++] = trace->summary.id[TRACE_ID_SIZE - 1];
	seen->documents += trace->document_count;
	return seen->count == seen->stop_at;
}

static bool wants(void *arg, const struct trace_summary *summary)
{
	struct seen *seen = arg;

	return summary->id[TRACE_ID_SIZE - 1] != seen->unwanted;
}

static struct traces_scan scan_of(struct seen *seen, enum traces_time by)
{
	return (struct traces_scan){ .scope = &view_home,
				     .start_ns = VIEW_T0,
				     .end_ns = VIEW_T0 + 3600 * SEC,
				     .by = by,
				     .visit = visit,
				     .wants = wants,
				     .arg = seen };
}

static void check_all(struct view_fixture *f, size_t page)
{
	struct seen seen = { 0 };
	struct traces_scan s = scan_of(&seen, TRACES_BY_EVENT);
	int e;

	s.traces_max = page;
	do {
		e = traces_scan(f->t, &s);
		assert_true(e >= 0);
	} while (e == 1);
	assert_int_equal(seen.count, 30);
	assert_int_equal(s.processed, 30);
	assert_int_equal(seen.documents, 32);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(seen.numbers[i], 30 - i);
	/* nothing behind the last one */
	assert_int_equal(traces_scan(f->t, &s), 0);
	assert_int_equal(seen.count, 30);
}

/* Over head and blocks, in pages of any size; two traces are cut in two. */
static void test_order(void **state)
{
	struct view_fixture *f = *state;
	static const size_t pages[] = { 0, 1, 2, 7, 30, 31 };

	for (unsigned n = 1; n <= 30; n++) {
		view_segment(f, n * 7 % 31, 1, (int)(n * 7 % 31), "");
		if (n % 9 == 0)
			assert_int_equal(traces_seal(f->t), 0);
	}
	/* a later part in the head, and an earlier one in it */
	view_segment(f, 7, 2, 20, ",\"parent_id\":\"0000000000000001\"");
	view_segment(f, 14, 2, 14, ",\"parent_id\":\"0000000000000001\"");
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		check_all(f, pages[i]);
	assert_int_equal(traces_seal(f->t), 0);
	check_all(f, 4);
	view_restart(f);
	check_all(f, 5);
}

static void test_visits(void **state)
{
	struct view_fixture *f = *state;
	struct seen seen = { .stop_at = 2, .unwanted = 4 };
	struct traces_scan s = scan_of(&seen, TRACES_BY_ID);

	s.start_ns = VIEW_ID_NS;
	s.end_ns = VIEW_ID_NS + 1;
	for (unsigned n = 1; n <= 5; n++)
		view_segment(f, n, 1, (int)n, "");
	assert_int_equal(traces_scan(f->t, &s), 1);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.numbers[1], 3); /* 5, 3: 4 is not wanted */
	assert_int_equal(s.processed, 3);
	seen.fail_with = ERR_IO; /* before number 2, which comes again */
	assert_int_equal(traces_scan(f->t, &s), ERR_IO);
	seen.fail_with = 0;
	seen.stop_at = 0;
	assert_int_equal(traces_scan(f->t, &s), 0);
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.numbers[2], 2);
	assert_int_equal(seen.numbers[3], 1);
}

/* 1 starts at 1 s with a segment that ends at 1.5 s, and has one that runs
 * from 100 s to 100.5 s. */
static void test_ranges(void **state)
{
	static const struct {
		enum traces_time by;
		int64_t from_s, to_s;
		size_t count;
	} rows[] = {
		{ TRACES_BY_EVENT, 0, 1, 0 },
		{ TRACES_BY_EVENT, 0, 2, 1 },
		{ TRACES_BY_EVENT, 50, 60, 1 },
		{ TRACES_BY_EVENT, 100, 101, 1 },
		{ TRACES_BY_EVENT, 101, 200, 0 },
		{ TRACES_BY_SERVICE, 0, 1, 0 },
		{ TRACES_BY_SERVICE, 1, 2, 1 },
		{ TRACES_BY_SERVICE, 50, 60, 0 },
		{ TRACES_BY_SERVICE, 100, 101, 1 },
		{ TRACES_BY_ID, 0, 200, 0 }, /* its id says five minutes less */
		{ TRACES_BY_ID, -301, -299, 1 },
		{ TRACES_BY_ID, 5, 5, 0 },
	};
	struct view_fixture *f = *state;

	view_segment_at(f, VIEW_T0 / SEC - 300, 1, 1, 1, "");
	view_segment_at(f, VIEW_T0 / SEC - 300, 1, 2, 100,
			",\"parent_id\":\"0000000000000001\"");
	for (int sealed = 0; sealed < 2; sealed++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct seen seen = { 0 };
			struct traces_scan s = scan_of(&seen, rows[i].by);

			s.start_ns = VIEW_T0 + rows[i].from_s * SEC;
			s.end_ns = VIEW_T0 + rows[i].to_s * SEC;
			assert_int_equal(traces_scan(f->t, &s), 0);
			assert_int_equal(seen.count, rows[i].count);
			assert_int_equal(s.processed, rows[i].count);
		}
		assert_int_equal(traces_seal(f->t), 0);
	}
}

/* An id that was made without a time counts by the trace's start. */
static void test_random_id(void **state)
{
	struct view_fixture *f = *state;
	struct seen seen = { 0 };
	struct traces_scan s = scan_of(&seen, TRACES_BY_ID);

	view_segment_at(f, 12345, 1, 1, 1, "");
	assert_int_equal(traces_scan(f->t, &s), 0);
	assert_int_equal(seen.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIEW_TEST(test_order),
		VIEW_TEST(test_visits),
		VIEW_TEST(test_ranges),
		VIEW_TEST(test_random_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
