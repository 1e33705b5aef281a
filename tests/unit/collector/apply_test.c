/* SPDX-License-Identifier: Apache-2.0 */
/* Every view gets every frame once and in order, however slow it is, and a
 * slow one holds up nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <semaphore.h>
#include <unistd.h>

#include "collector/apply.h"
#include "tests/sim/scratch.h"

enum { FRAMES = 4 * APPLY_QUEUE_MESSAGES };
#define AGE_NS (5 * NS_PER_S) /* of frames when they are sent */

/* A view that remembers what it was given: each body is a running number, of
 * which one that skips is given none. */
struct recorder {
	struct view view;
	_Atomic uint64_t expected;
	uint64_t next;
	bool wrong;
	_Atomic int failures;     /* applies that fail first */
	_Atomic uint64_t refused; /* this number fails each time; 0: none */
	_Atomic uint64_t tried;   /* how often it was given */
	sem_t *_Atomic hold;      /* waits once, before its first apply */
	bool held;
	_Atomic uint64_t passed; /* skipped ones that it was told of */
	uint64_t gap;            /* of numbers behind the first skipped one */
};

static int recorder_apply(void *self, const struct delivery *d)
{
	struct recorder *r = self;
	uint64_t number;

	if (r->hold && !r->held) {
		sem_wait(r->hold);
		r->held = true;
	}
	if (r->failures > 0) {
		r->failures--;
		return ERR_FULL;
	}
	if (r->view.ops->skips & 1U << d->frame->protocol ||
	    (r->view.ops->no_records && !d->invocation.len)) {
		r->wrong |= d->frame->body.len || d->records->segment_count ||
			    d->frame->next <= r->next;
		r->next = d->frame->next;
		r->expected += r->gap;
		r->gap = 0;
		r->passed++;
		return 0;
	}
	memcpy(&number, d->frame->body.ptr, sizeof(number));
	if (r->refused && number == r->refused) {
		r->tried++;
		return ERR_FULL;
	}
	if (number != r->expected++)
		r->wrong = true;
	r->next = d->frame->next;
	return 0;
}

static int recorder_checkpoint(void *self)
{
	struct recorder *r = self;

	r->view.durable = r->next;
	return 0;
}

static const struct view_ops recorder_ops = {
	.name = "recorder",
	.apply = recorder_apply,
	.checkpoint = recorder_checkpoint,
};

static const struct view_ops skipping_ops = {
	.name = "skipping",
	.apply = recorder_apply,
	.checkpoint = recorder_checkpoint,
	.skips = 1U << PROTOCOL_XRAY_SEGMENTS,
};

static const struct view_ops ids_ops = {
	.name = "ids",
	.apply = recorder_apply,
	.checkpoint = recorder_checkpoint,
	.no_records = true,
};

static void recorder_init(struct recorder *r)
{
	*r = (struct recorder){ 0 };
	r->view = (struct view){ .ops = &recorder_ops, .self = r };
}

static int decode(struct message *m, const struct frame *frame)
{
	m->frame = *frame;
	buf_sv(&m->body, frame->body);
	m->frame.body = buf_view(&m->body);
	return 0;
}

struct fixture {
	char dir[64];
	struct journal *journal;
	struct apply *apply;
	struct stats stats;
};

static void start(struct fixture *f, struct recorder *a, struct recorder *b)
{
	struct diag diag = { 0 };
	struct apply_options options = { .env = env_posix(),
					 .stats = &f->stats,
					 .decode = decode };

	assert_int_equal(
		journal_open(&f->journal, env_posix(), f->dir, NULL, &diag), 0);
	options.journal = f->journal;
	assert_int_equal(apply_new(&f->apply, &options), 0);
	apply_add(f->apply, &a->view);
	apply_add(f->apply, &b->view);
	assert_int_equal(apply_start(f->apply, &diag), 0);
}

static void stop(struct fixture *f)
{
	apply_stop(f->apply);
	journal_close(f->journal);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	scratch_make(f->dir, sizeof(f->dir), "apply");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	scratch_remove(f->dir);
	free(f);
	return 0;
}

struct sent {
	struct fixture *fixture;
	struct message *message;
};

static void on_durable(void *arg, int err, uint64_t position, uint64_t next)
{
	struct sent *s = arg;

	assert_int_equal(err, 0);
	s->message->frame.position = position;
	s->message->frame.next = next;
	apply_push(s->fixture->apply, s->message);
	message_unref(s->message);
	free(s);
}

static void send_as(struct fixture *f, enum protocol protocol, uint64_t from,
		    uint64_t count)
{
	for (uint64_t i = from; i < from + count; i++) {
		struct sent *s = calloc(1, sizeof(*s));

		s->fixture = f;
		s->message = message_new(f->apply);
		buf_add(&s->message->body, &i, sizeof(i));
		s->message->frame = (struct frame){
			.protocol = protocol,
			.scope = { 1, "us-east-1" },
			.received = { env_wall(env_posix()).ns - AGE_NS },
			.body = buf_view(&s->message->body),
		};
		assert_true(message_account(f->apply, s->message));
		while (journal_append(f->journal, &s->message->frame,
				      on_durable, s) == ERR_BUSY)
			usleep(1000);
	}
}

static void send(struct fixture *f, uint64_t from, uint64_t count)
{
	send_as(f, PROTOCOL_NATIVE, from, count);
}

static void wait_until(const _Atomic uint64_t *value, uint64_t want)
{
	for (int i = 0; i < 2000; i++) {
		if (atomic_load(value) == want)
			return;
		usleep(5000);
	}
	assert_int_equal(*value, want);
}

/* How far view i is behind, once that is as wanted. */
static void wait_for_lag(struct fixture *f, size_t i, uint64_t frames)
{
	struct apply_view_stats views[APPLY_VIEWS_MAX];

	for (int n = 0; n < 2000; n++) {
		assert_int_equal(apply_stats(f->apply, views, APPLY_VIEWS_MAX),
				 2);
		if (views[i].lag_frames == frames)
			break;
		usleep(5000);
	}
	assert_int_equal(views[i].lag_frames, frames);
	if (frames)
		assert_true(views[i].lag_ns >= AGE_NS);
	else
		assert_int_equal(views[i].lag_ns, 0);
}

static void test_slow_view(void **state)
{
	struct fixture *f = *state;
	struct recorder fast, slow;
	sem_t hold;

	sem_init(&hold, 0, 0);
	recorder_init(&fast);
	recorder_init(&slow);
	start(f, &fast, &slow);
	slow.hold = &hold;
	send(f, 0, FRAMES);
	wait_until(&fast.expected, FRAMES); /* while the slow one stands */
	assert_true(stats_get(&f->stats.view_overflows) >= 1);
	wait_for_lag(f, 0, 0);
	wait_for_lag(f, 1, FRAMES);
	sem_post(&hold);
	wait_until(&slow.expected, FRAMES);
	send(f, FRAMES, 100); /* and it takes from its queue again */
	wait_until(&slow.expected, FRAMES + 100);
	wait_for_lag(f, 1, 0);
	stop(f);
	assert_false(fast.wrong);
	assert_false(slow.wrong);
	sem_destroy(&hold);
}

/* After a restart a view goes on behind its checkpoint, and one that lost it
 * starts from the oldest frame. */
static void test_restart(void **state)
{
	struct fixture *f = *state;
	struct recorder kept, lost;

	recorder_init(&kept);
	recorder_init(&lost);
	start(f, &kept, &lost);
	send(f, 0, 50);
	wait_until(&kept.expected, 50);
	stop(f);
	assert_true(kept.view.durable > 0);
	kept.view.position = kept.view.durable;
	recorder_init(&lost);
	start(f, &kept, &lost);
	assert_int_equal(kept.expected, 50); /* before start returned */
	assert_int_equal(lost.expected, 50);
	send(f, 50, 10);
	wait_until(&kept.expected, 60);
	wait_until(&lost.expected, 60);
	stop(f);
	assert_false(kept.wrong);
	assert_false(lost.wrong);
}

/* A view whose disk is full stands still and goes on by itself. */
static void test_failing_view(void **state)
{
	struct fixture *f = *state;
	struct recorder good, bad;

	recorder_init(&good);
	recorder_init(&bad);
	start(f, &good, &bad);
	bad.failures = 3;
	send(f, 0, 20);
	wait_until(&good.expected, 20);
	wait_until(&bad.expected, 20);
	stop(f);
	assert_false(bad.wrong);
}

/* One that stands still when the collector stops keeps its place: what waits
 * behind the frame that it could not take is not applied without it. */
static void test_stop_while_failing(void **state)
{
	struct fixture *f = *state;
	struct recorder good, bad;

	recorder_init(&good);
	recorder_init(&bad);
	start(f, &good, &bad);
	bad.refused = 5;
	send(f, 0, 20);
	wait_until(&good.expected, 20);
	while (!bad.tried)
		usleep(1000);
	stop(f);
	assert_false(bad.wrong);
	assert_int_equal(bad.expected, 5);
	bad.refused = 0;
	bad.view.position = bad.view.durable;
	good.view.position = good.view.durable;
	start(f, &good, &bad);
	stop(f);
	assert_int_equal(bad.expected, 20);
	assert_false(bad.wrong);
}

/* Starting: a view whose disk is full is not waited for, as it would not be
 * later; but one that admission asks is, until told to stop. */
static void test_start_while_failing(void **state)
{
	struct fixture *f = *state;
	struct recorder good, bad;

	recorder_init(&good);
	recorder_init(&bad);
	start(f, &good, &bad);
	send(f, 0, 20);
	wait_until(&good.expected, 20);
	stop(f);
	good.view.position = good.view.durable;
	recorder_init(&bad);
	bad.refused = 5;
	start(f, &good, &bad);
	assert_int_equal(bad.expected, 5);
	send(f, 20, 5);
	bad.refused = 0;
	wait_until(&bad.expected, 25);
	stop(f);
	assert_false(bad.wrong);
}

/* What a view skips costs it one delivery for a run, moves its position on at
 * once for who asks, is no lag, and is covered by its checkpoint. */
static void test_skipped(void **state)
{
	struct apply_view_stats views[APPLY_VIEWS_MAX];
	struct fixture *f = *state;
	struct recorder all, some;
	uint64_t end;

	recorder_init(&all);
	recorder_init(&some);
	some.view.ops = &skipping_ops;
	start(f, &all, &some);
	send(f, 0, 10);
	wait_until(&some.expected, 10);
	send_as(f, PROTOCOL_XRAY_SEGMENTS, 10, 1000);
	wait_until(&all.expected, 1010);
	end = journal_durable(f->journal);
	apply_stats(f->apply, views, APPLY_VIEWS_MAX);
	assert_true(views[1].position == end);
	assert_int_equal(views[1].lag_frames, 0);
	assert_int_equal(some.expected, 10);
	some.expected = 1010;
	send(f, 1010, 10);
	wait_until(&some.expected, 1020);
	send_as(f, PROTOCOL_XRAY_SEGMENTS, 1020, 5);
	wait_until(&all.expected, 1025);
	stop(f);
	assert_true(some.passed >= 1 && some.passed < 100);
	assert_false(all.wrong);
	assert_false(some.wrong);
	assert_true(some.view.durable == all.view.durable);
	/* It starts behind them; from the journal it is told of each. */
	some.view.position = 0;
	some.gap = 1000;
	some.expected = 0;
	some.passed = 0;
	some.next = 0;
	all.view.position = all.view.durable;
	start(f, &all, &some);
	stop(f);
	assert_int_equal(some.passed, 1005);
	assert_false(some.wrong);
}

/* Skipped frames behind one that waits come behind it, also when the view
 * falls behind meanwhile. */
static void test_skipped_while_behind(void **state)
{
	struct fixture *f = *state;
	struct recorder all, some;
	sem_t hold;

	sem_init(&hold, 0, 0);
	recorder_init(&all);
	recorder_init(&some);
	some.view.ops = &skipping_ops;
	start(f, &all, &some);
	some.hold = &hold;
	send(f, 0, 10);
	send_as(f, PROTOCOL_XRAY_SEGMENTS, 10, 10);
	wait_until(&all.expected, 20);
	assert_int_equal(some.passed, 0);
	sem_post(&hold);
	wait_until(&some.expected, 10);
	wait_until(&some.passed, 1);
	some.expected = 20;
	some.held = false;
	send(f, 20, FRAMES);
	wait_until(&all.expected, 20 + FRAMES);
	send_as(f, PROTOCOL_XRAY_SEGMENTS, 20 + FRAMES, 10);
	wait_until(&all.expected, 30 + FRAMES);
	sem_post(&hold);
	wait_until(&some.expected, 20 + FRAMES);
	wait_for_lag(f, 1, 0);
	stop(f);
	assert_false(some.wrong);
	assert_true(some.view.durable == all.view.durable);
	sem_destroy(&hold);
}

/* Ended messages are kept for their memory: so many, none of them large, and
 * each as if it were new. */
static void test_spare(void **state)
{
	struct fixture *f = *state;
	struct message *m[2 * APPLY_SPARE_MESSAGES];
	struct recorder all, some;
	size_t held = 0;

	recorder_init(&all);
	recorder_init(&some);
	start(f, &all, &some);
	for (size_t i = 0; i < 2 * APPLY_SPARE_MESSAGES; i++) {
		size_t large = i % 4 == 3 ? 2 * APPLY_SPARE_BYTES :
					    APPLY_SPARE_BYTES / 4;

		m[i] = message_new(f->apply);
		assert_non_null(arena_alloc(&m[i]->arena, 100));
		assert_non_null(arena_alloc(&m[i]->arena, large));
		buf_text(&m[i]->body, "body");
		m[i]->sequence = 7;
		assert_true(message_account(f->apply, m[i]));
	}
	for (size_t i = 0; i < 2 * APPLY_SPARE_MESSAGES; i++)
		message_unref(m[i]);
	assert_int_equal(apply_live_bytes(f->apply), 0);
	for (size_t i = 0; i < 2 * APPLY_SPARE_MESSAGES; i++) {
		m[i] = message_new(f->apply);
		held += arena_held(&m[i]->arena) > 0;
		assert_true(arena_held(&m[i]->arena) <= APPLY_SPARE_BYTES);
		assert_int_equal(m[i]->arena.used, 0);
		assert_int_equal(m[i]->sequence, 0);
		assert_int_equal(m[i]->body.len, 0);
	}
	assert_int_equal(held, APPLY_SPARE_MESSAGES);
	for (size_t i = 0; i < 2 * APPLY_SPARE_MESSAGES; i++)
		message_unref(m[i]);
	stop(f);
}

/* One that takes ids alone skips what has none. */
static void test_ids_only(void **state)
{
	struct fixture *f = *state;
	struct recorder all, ids;

	recorder_init(&all);
	recorder_init(&ids);
	ids.view.ops = &ids_ops;
	start(f, &all, &ids);
	send(f, 0, 500);
	wait_until(&all.expected, 500);
	wait_for_lag(f, 1, 0);
	stop(f);
	assert_int_equal(ids.expected, 0);
	assert_true(ids.passed >= 1 && ids.passed < 50);
	assert_false(ids.wrong);
	assert_true(ids.view.durable == all.view.durable);
}

static bool after_some_asking(void *arg)
{
	return ++*(int *)arg > 20;
}

static void test_start_told_to_stop(void **state)
{
	struct fixture *f = *state;
	struct diag diag = { 0 };
	struct apply_options options = { .env = env_posix(),
					 .stats = &f->stats,
					 .decode = decode,
					 .told_to_stop = after_some_asking };
	struct recorder good, bad;
	int asked = 0;

	recorder_init(&good);
	recorder_init(&bad);
	start(f, &good, &bad);
	send(f, 0, 20);
	wait_until(&good.expected, 20);
	stop(f);
	assert_int_equal(
		journal_open(&f->journal, env_posix(), f->dir, NULL, &diag), 0);
	options.journal = f->journal;
	options.arg = &asked;
	assert_int_equal(apply_new(&f->apply, &options), 0);
	recorder_init(&bad);
	bad.refused = 5;
	bad.view.admits = true;
	apply_add(f->apply, &bad.view);
	assert_int_equal(apply_start(f->apply, &diag), ERR_CLOSED);
	stop(f);
	assert_int_equal(bad.expected, 5);
	assert_false(bad.wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slow_view, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failing_view, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_stop_while_failing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_start_while_failing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_skipped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_skipped_while_behind,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_told_to_stop, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
