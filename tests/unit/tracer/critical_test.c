/* SPDX-License-Identifier: Apache-2.0 */
/* Where a trace's time goes, and clocks that disagree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/critical.h"
#include "tracer/skew.h"

enum { MS = 1000000, MANY = 20000 };

/* One span: ids are a letter each, times in ms after the epoch's second 1000. */
struct row {
	char id, parent; /* parent 0: none */
	bool subsegment;
	int start_ms, end_ms; /* end < 0: in progress */
	int http_status;
};

static struct assembly make(struct arena *arena, const struct row *rows,
			    size_t count)
{
	struct document *documents =
		arena_array(arena, count, sizeof(*documents));
	struct assembly a;

	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];
		struct buf b = { 0 };

		buf_format(&b,
			   "{\"trace_id\":\"1-000003e8-000000000000000000000001"
			   "\",\"id\":\"00000000000000%02x\",\"name\":\"%c\","
			   "\"start_time\":%.3f",
			   (unsigned)r->id, r->id, 1000 + r->start_ms / 1e3);
		if (r->end_ms >= 0)
			buf_format(&b, ",\"end_time\":%.3f",
				   1000 + r->end_ms / 1e3);
		else
			buf_text(&b, ",\"in_progress\":true");
		if (r->parent)
			buf_format(&b, ",\"parent_id\":\"00000000000000%02x\"",
				   (unsigned)r->parent);
		if (r->subsegment)
			buf_text(&b, ",\"type\":\"subsegment\"");
		if (r->http_status)
			buf_format(&b,
				   ",\"http\":{\"response\":{\"status\":%d}}",
				   r->http_status);
		buf_char(&b, '}');
		documents[i].bytes = arena_copy(arena, buf_view(&b));
		buf_fini(&b);
	}
	assert_int_equal(assemble(documents, count, arena, &a), 0);
	assert_int_equal(a.count, count);
	return a;
}

static uint32_t find(const struct assembly *a, char id)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (a->spans[i].segment.id[7] == (uint8_t)id)
			return i;
	fail_msg("no span %c", id);
	return 0;
}

struct want {
	char id;
	int self_ms, path_ms;
	bool on;
};

static void expect(const struct row *rows, size_t row_count,
		   const struct want *want, size_t want_count)
{
	struct arena arena = { 0 };
	struct assembly a = make(&arena, rows, row_count);
	struct critical_span *c;
	int64_t sum = 0;

	assert_int_equal(critical_make(&a, &arena, &c), 0);
	for (size_t i = 0; i < want_count; i++) {
		const struct critical_span *got = &c[find(&a, want[i].id)];

		if (got->self_ns != (int64_t)want[i].self_ms * MS ||
		    got->path_ns != (int64_t)want[i].path_ms * MS ||
		    got->on != want[i].on)
			fail_msg("%c: self %g, path %g, %s", want[i].id,
				 (double)got->self_ns / MS,
				 (double)got->path_ns / MS,
				 got->on ? "on" : "off");
	}
	/* Every moment of the root is somewhere, once. */
	for (uint32_t i = 0; i < a.count; i++)
		sum += c[i].path_ns;
	assert_int_equal(sum, a.spans[a.root].segment.end_ns -
				      a.spans[a.root].segment.start_ns);
	arena_fini(&arena);
}

#define EXPECT(rows, want)                                   \
	expect(rows, sizeof(rows) / sizeof((rows)[0]), want, \
	       sizeof(want) / sizeof((want)[0]))

static void one_after_another(void **state)
{
	static const struct row rows[] = {
		{ 'a', 0, false, 0, 100, 0 },
		{ 'b', 'a', true, 10, 40, 0 },
		{ 'c', 'a', true, 50, 90, 0 },
		{ 'd', 'c', true, 60, 70, 0 },
	};
	static const struct want want[] = { { 'a', 30, 30, true },
					    { 'b', 30, 30, true },
					    { 'c', 30, 30, true },
					    { 'd', 10, 10, true } };

	(void)state;
	EXPECT(rows, want);
}

/* Of those that run at once, the one that ends last is waited for. */
static void at_the_same_time(void **state)
{
	static const struct row rows[] = {
		{ 'a', 0, false, 0, 100, 0 },
		{ 'b', 'a', true, 10, 60, 0 },
		{ 'c', 'a', true, 20, 90, 0 },
		{ 'd', 'a', true, 30, 80, 0 }, /* under c */
		{ 'e', 'd', true, 30, 80, 0 },
	};
	static const struct want want[] = { { 'a', 20, 20, true },
					    { 'b', 50, 10, true },
					    { 'c', 70, 70, true },
					    { 'd', 0, 0, false },
					    { 'e', 50, 0, false } };

	(void)state;
	EXPECT(rows, want);
}

/* What goes on after its parent, and what begins after it. */
static void not_waited_for(void **state)
{
	static const struct row rows[] = {
		{ 'a', 0, false, 0, 100, 0 },
		{ 'b', 'a', true, 80, 150, 0 },
		{ 'c', 'a', true, 120, 130, 0 },
		{ 'd', 'b', true, 90, 140, 0 },
	};
	static const struct want want[] = { { 'a', 80, 80, true },
					    { 'b', 20, 10, true },
					    { 'c', 10, 0, false },
					    { 'd', 50, 10, true } };

	(void)state;
	EXPECT(rows, want);
}

static void no_time_at_all(void **state)
{
	static const struct row rows[] = {
		{ 'a', 0, false, 0, 0, 0 },
		{ 'b', 'a', true, 0, 0, 0 },
	};
	static const struct want want[] = { { 'a', 0, 0, false },
					    { 'b', 0, 0, false } };

	(void)state;
	EXPECT(rows, want);
}

/* Twenty thousand children that all overlap: not a child for each pair. */
static void many_children(void **state)
{
	struct arena arena = { 0 };
	struct assembly a = { .count = MANY + 1, .top = 0, .root = 0 };
	struct critical_span *c;

	(void)state;
	a.spans = arena_array(&arena, a.count, sizeof(*a.spans));
	for (uint32_t i = 0; i < a.count; i++)
		a.spans[i] = (struct span){
			.segment.start_ns = i,
			.segment.end_ns = i ? MANY + (int64_t)i : 3 * MANY,
			.parent = i ? 0 : SPAN_NONE,
			.child = i ? SPAN_NONE : 1,
			.sibling = i && i < MANY ? i + 1 : SPAN_NONE,
		};
	a.end_ns = 3 * MANY;
	assert_int_equal(critical_make(&a, &arena, &c), 0);
	assert_int_equal(c[MANY].path_ns, MANY);
	assert_int_equal(c[MANY - 1].path_ns, 1);
	assert_int_equal(c[0].path_ns, MANY + 1);
	arena_fini(&arena);
}

/* --- clocks ------------------------------------------------------------------------ */

static void clocks(void **state)
{
	/* a calls by b; c answers, on another host, with d in it. */
	static const struct {
		struct row call, called;
		int shift_ms;
	} rows[] = {
		/* Where it should be. */
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 20, 50, 0 },
		  0 },
		/* Rounded: not worth a word. */
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 9, 60, 0 },
		  0 },
		/* Early, overlapping or by hours: into the middle. */
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 0, 30, 0 },
		  20 },
		{ { 'b', 'a', true, 3600010, 3600060, 200 },
		  { 'c', 'b', false, 0, 30, 0 },
		  3600020 },
		/* Late, though the answer was there. */
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 80, 110, 0 },
		  -60 },
		/* Late, and nobody waited. */
		{ { 'b', 'a', true, 10, 60, 0 },
		  { 'c', 'b', false, 80, 110, 0 },
		  0 },
		/* Longer than the call: it went on afterwards. */
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 20, 110, 0 },
		  0 },
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 0, 90, 0 },
		  10 },
		/* In progress: its end says nothing. */
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 80, -1, 0 },
		  0 },
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', false, 0, -1, 0 },
		  10 },
		/* On the same host there is one clock. */
		{ { 'b', 'a', true, 10, 60, 200 },
		  { 'c', 'b', true, 0, 30, 0 },
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row all[] = {
			{ 'a', 0, false, 0, rows[i].call.end_ms + 40, 0 },
			rows[i].call,
			rows[i].called,
			{ 'd', 'c', true, rows[i].called.start_ms + 1,
			  rows[i].called.start_ms + 5, 0 },
		};
		struct arena arena = { 0 };
		struct assembly a = make(&arena, all, 4);
		int64_t shift[4];
		int64_t want = (int64_t)rows[i].shift_ms * MS;

		assert_int_equal(skew_correct(&a, shift), want != 0);
		if (shift[find(&a, 'c')] != want)
			fail_msg("row %zu: %g", i,
				 (double)shift[find(&a, 'c')] / MS);
		assert_int_equal(shift[find(&a, 'd')], want);
		assert_int_equal(shift[find(&a, 'b')], 0);
		assert_int_equal(a.spans[find(&a, 'd')].segment.start_ns,
				 1000000000000 +
					 (int64_t)(rows[i].called.start_ms + 1 +
						   rows[i].shift_ms) *
						 MS);
		arena_fini(&arena);
	}
}

/* Each against its caller, where that is now: two hosts in a row that are off
 * by an hour, and a third that is right. */
static void clocks_in_a_row(void **state)
{
	static const struct row rows[] = {
		{ 'a', 0, false, 3600000, 3600100, 0 },
		{ 'b', 'a', true, 3600010, 3600090, 200 },
		{ 'c', 'b', false, 20, 80, 0 },
		{ 'd', 'c', true, 30, 70, 200 },
		{ 'e', 'd', false, 7200040, 7200060, 0 },
		{ 'f', 'e', true, 7200045, 7200055, 200 },
		{ 'g', 'f', false, 3600046, 3600054, 0 },
	};
	struct arena arena = { 0 };
	struct assembly a;
	int64_t shift[7];

	(void)state;
	a = make(&arena, rows, 7);
	assert_int_equal(skew_correct(&a, shift), 2);
	assert_int_equal(shift[find(&a, 'c')], 3600000 * (int64_t)MS);
	assert_int_equal(shift[find(&a, 'e')], -3600000 * (int64_t)MS);
	assert_int_equal(shift[find(&a, 'g')], 0);
	assert_int_equal(a.end_ns - a.start_ns, 100 * MS);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_another),
		cmocka_unit_test(at_the_same_time),
		cmocka_unit_test(not_waited_for),
		cmocka_unit_test(no_time_at_all),
		cmocka_unit_test(many_children),
		cmocka_unit_test(clocks),
		cmocka_unit_test(clocks_in_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
