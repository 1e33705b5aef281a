/* SPDX-License-Identifier: Apache-2.0 */
/* How long traces are kept, by account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/retention.h"
#include "tests/unit/tracer/view.h"

#define DAY_NS (86400 * NS_PER_S)

static const struct traces_days days[] = { { 111111111111, 7 },
					   { 222222222222, 90 } };

/* One trace of each account: 7 days, 30, 90. */
static const uint64_t accounts[] = { 111111111111, 123456789012, 222222222222 };

static void open_with_days(struct view_fixture *f)
{
	traces_close(f->t);
	f->options.days = days;
	f->options.day_count = 2;
	view_open(f);
}

static struct scope scope_of(unsigned i)
{
	return (struct scope){ accounts[i], "us-east-1" };
}

static void send_all(struct view_fixture *f)
{
	for (unsigned i = 0; i < 3; i++) {
		struct view_sent sent = { .position = f->position,
					  .now_ns = f->now_ns,
					  .scope = scope_of(i) };
		struct buf b = BUF_INIT;

		buf_format(&b,
			   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
			   "\"00000000000000a1\",\"name\":\"n\","
			   "\"start_time\":1,\"end_time\":2}",
			   i + 1);
		sent.document = b.ptr;
		view_deliver(f, &sent);
		f->position += 64;
		buf_fini(&b);
	}
}

static void check(struct view_fixture *f, const char *there)
{
	struct arena arena = ARENA_INIT;

	for (unsigned i = 0; i < 3; i++) {
		uint8_t id[TRACE_ID_SIZE] = { 0x6b, 0x02, 0xbf,
					      0x61, [15] = (uint8_t)(i + 1) };
		struct scope scope = scope_of(i);
		struct trace trace;

		assert_int_equal(traces_get(f->t, &scope, id, &arena, &trace),
				 there[i] == '1' ? 0 : ERR_NOT_FOUND);
	}
	arena_fini(&arena);
}

static void tick_to(struct view_fixture *f, int64_t ns)
{
	struct view *v = traces_view(f->t);

	while (f->now_ns < ns) {
		f->now_ns += f->now_ns + DAY_NS < ns ? DAY_NS : ns - f->now_ns;
		for (int i = 0; i < 2; i++)
			assert_int_equal(
				v->ops->tick(v->self,
					     (struct wall){ f->now_ns }),
				0);
	}
}

static void believe(struct view_fixture *f)
{
	struct view *v = traces_view(f->t);

	for (int i = 0; i <= RETENTION_DOUBT_S; i++) {
		f->now_ns += NS_PER_S;
		assert_int_equal(
			v->ops->tick(v->self, (struct wall){ f->now_ns }), 0);
	}
}

static void test_days(void **state)
{
	struct view_fixture *f = *state;
	struct traces_stats s;

	open_with_days(f);
	send_all(f);
	check(f, "111");
	assert_int_equal(traces_seal(f->t), 0);
	traces_stats(f->t, &s);
	assert_int_equal(s.blocks, 3); /* of one seal */
	assert_int_equal(s.seals, 1);
	check(f, "111");
	traces_close(f->t);
	view_open(f); /* all three are in the checkpoint */
	check(f, "111");
	believe(f);
	tick_to(f, VIEW_T0 + 6 * DAY_NS);
	check(f, "111");
	tick_to(f, VIEW_T0 + 8 * DAY_NS);
	check(f, "011");
	tick_to(f, VIEW_T0 + 29 * DAY_NS);
	check(f, "011");
	tick_to(f, VIEW_T0 + 31 * DAY_NS);
	check(f, "001");
	traces_close(f->t);
	view_open(f);
	check(f, "001");
	believe(f);
	tick_to(f, VIEW_T0 + 91 * DAY_NS);
	check(f, "000");
	traces_stats(f->t, &s);
	assert_int_equal(s.blocks, 0);
}

/* Accounts that are kept equally long share their blocks. */
static void test_one_block(void **state)
{
	struct view_fixture *f = *state;
	struct traces_stats s;

	send_all(f);
	assert_int_equal(traces_seal(f->t), 0);
	traces_stats(f->t, &s);
	assert_int_equal(s.blocks, 1);
	check(f, "111");
	/* told later, such a block is kept for the longest of them */
	open_with_days(f);
	believe(f);
	tick_to(f, VIEW_T0 + 40 * DAY_NS);
	check(f, "111");
	tick_to(f, VIEW_T0 + 91 * DAY_NS);
	check(f, "000");
}

static void remove_checkpoint(const char *path)
{
	if (strstr(path, "checkpoint"))
		assert_int_equal(unlink(path), 0);
}

/* The checkpoint is lost: the blocks of one seal are found again. */
static void test_lost_checkpoint(void **state)
{
	struct view_fixture *f = *state;

	open_with_days(f);
	send_all(f);
	assert_int_equal(traces_seal(f->t), 0);
	traces_close(f->t);
	view_files(f, remove_checkpoint);
	view_open(f);
	check(f, "111");
	assert_int_equal(traces_view(f->t)->position, f->position);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIEW_TEST(test_days),
		VIEW_TEST(test_one_block),
		VIEW_TEST(test_lost_checkpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
