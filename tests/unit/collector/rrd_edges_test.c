/* SPDX-License-Identifier: Apache-2.0 */
/* RRD files at their edges: what they cannot hold, limits, long histories.
 * The yardstick is the answer from blocks, which rrd_truth_test holds against
 * exact arithmetic. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/series/series.h"
#include "tests/sim/scratch.h"

static const int64_t T0_S = 1795338000; /* an hour's beginning */
static const struct scope SCOPE = { 123456789012, "us-east-1" };

struct world {
	char dir[64];
	struct series *s;
	struct series_options options;
	struct disk_ops disk;
	struct env env;
	uint64_t position, seed;
};

static void open_world(struct world *w)
{
	struct diag diag = { 0 };
	int e = series_open(&w->s, &w->env, w->dir, &w->options, &diag);

	if (e)
		fail_msg("open: %s", diag.text);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	scratch_make(w->dir, sizeof(w->dir), "rrd_edges");
	w->env = *env_posix();
	w->disk = scratch_disk();
	w->env.disk = &w->disk;
	w->seed = 88172645463325252u;
	w->options.rrd_queue = 1;
	open_world(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	series_close(w->s);
	scratch_remove(w->dir);
	free(w);
	return 0;
}

static uint64_t next(struct world *w)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed;
}

/* Milliseconds with microseconds, as agents send. */
static double plain(struct world *w)
{
	return (double)(next(w) % 10000000) / 1000.0;
}

/* All 53 bits of a double. */
static double rough(struct world *w)
{
	return (double)(next(w) >> 11) * 0x1p-40;
}

static void put(struct world *w, const char *name, int64_t offset_s,
		double value, int64_t received_s)
{
	struct view *v = series_view(w->s);
	struct datum datum = {
		.ns = SV("Test"),
		.name = sv_from(name),
		.time_ns = (T0_S + offset_s) * NS_PER_S,
		.values = &value,
		.value_count = 1,
	};
	const struct records records = { .data = &datum, .datum_count = 1 };
	const struct frame frame = {
		.position = w->position,
		.next = w->position + 1,
		.scope = SCOPE,
		.received = { (T0_S + received_s) * NS_PER_S },
	};
	const struct delivery d = { .frame = &frame, .records = &records };

	assert_int_equal(v->ops->apply(v->self, &d), 0);
	v->position = w->position = frame.next;
}

static int ask(struct world *w, const char *name, uint32_t period_s,
	       int64_t start_s, int64_t end_s, enum series_source source,
	       struct arena *arena, struct series_point **points, size_t *count)
{
	const struct series_query q = {
		.scope = &SCOPE,
		.ns = SV("Test"),
		.name = sv_from(name),
		.period_s = period_s,
		.start_ns = (T0_S + start_s) * NS_PER_S,
		.end_ns = (T0_S + end_s) * NS_PER_S,
		.source = source,
	};

	return series_read(w->s, &q, arena, points, count);
}

/* RRD's answer is that of blocks. How many steps there were. */
static size_t same(struct world *w, const char *name, uint32_t period_s,
		   int64_t start_s, int64_t end_s)
{
	struct series_point *a, *b;
	struct arena arena = ARENA_INIT;
	size_t n, m;

	assert_int_equal(ask(w, name, period_s, start_s, end_s, SERIES_BLOCKS,
			     &arena, &a, &n),
			 0);
	assert_int_equal(ask(w, name, period_s, start_s, end_s, SERIES_RRD,
			     &arena, &b, &m),
			 0);
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		double off = a[i].sum - b[i].sum;

		assert_int_equal(a[i].time_ns, b[i].time_ns);
		assert_true(a[i].count == b[i].count);
		assert_true(a[i].min == b[i].min && a[i].max == b[i].max);
		assert_true(off * off <= 1e-12 * a[i].sum * (1e-12 * a[i].sum));
	}
	arena_fini(&arena);
	return n;
}

static void same_all(struct world *w, const char *name, int64_t end_s)
{
	static const uint32_t periods[] = { 60, 120, 300, 900, 3600, 86400 };

	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
		assert_true(same(w, name, periods[i], 0, end_s) > 0);
}

static struct series_stats stats_of(struct world *w)
{
	struct series_stats stats;

	series_stats(w->s, &stats);
	return stats;
}

/* --- tests ---------------------------------------------------------------------- */

static void test_few_minutes_have_no_file(void **state)
{
	struct world *w = *state;
	struct series_point *points;
	struct arena arena = ARENA_INIT;
	size_t count;

	for (int i = 0; i < SERIES_RRD_MINUTES - 1; i++)
		put(w, "m", 60 * i, 1, 7200);
	series_rrd_settle(w->s);
	assert_int_equal(ask(w, "m", 60, 0, 3600, SERIES_RRD, &arena, &points,
			     &count),
			 ERR_NOT_FOUND);
	assert_int_equal(stats_of(w).rrd_files, 0);
	put(w, "m", 60 * SERIES_RRD_MINUTES, 1, 7201);
	series_rrd_settle(w->s);
	assert_int_equal(ask(w, "m", 60, 0, 3600, SERIES_RRD, &arena, &points,
			     &count),
			 0);
	assert_int_equal(count, SERIES_RRD_MINUTES);
	assert_int_equal(stats_of(w).rrd_points, SERIES_RRD_MINUTES);
	arena_fini(&arena);
}

/* Doubles of all bits: RRDtool cannot hold some; answers are exact still. */
static void test_rough_doubles(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 600; i++) {
		put(w, "rough", 60 * i, rough(w), 60 * i + 30);
		put(w, "minus", 60 * i, -plain(w), 60 * i + 30);
		put(w, "tiny", 60 * i, plain(w) * 1e-300, 60 * i + 30);
		put(w, "huge", 60 * i, plain(w) * 1e100, 60 * i + 30);
	}
	series_rrd_settle(w->s);
	same_all(w, "rough", 36000);
	same_all(w, "minus", 36000);
	same_all(w, "tiny", 36000);
	same_all(w, "huge", 36000);
	assert_int_equal(stats_of(w).rrd_damaged, 0);
}

/* More late hours than are kept one by one: the file is built anew. */
static void test_late_flood(void **state)
{
	enum { HOURS = 100 };
	struct world *w = *state;
	uint64_t built;

	for (int i = 0; i < HOURS * 12; i++)
		put(w, "m", 300 * i, plain(w), 300 * i + 30);
	series_rrd_settle(w->s);
	built = stats_of(w).rrd_rebuilt;
	for (int hour = 0; hour < HOURS - 2; hour++) {
		put(w, "m", 3600 * hour + 60, plain(w), 3600 * HOURS);
		if (hour % 13 == 0)
			same_all(w, "m", 3600 * HOURS);
	}
	same_all(w, "m", 3600 * HOURS);
	series_rrd_settle(w->s);
	assert_int_equal(stats_of(w).rrd_rebuilt, built + 1);
	same_all(w, "m", 3600 * HOURS);
}

/* A clean end keeps the files; anything else builds them anew. */
static void test_clean_end_keeps_files(void **state)
{
	struct world *w = *state;
	uint64_t points;
	char path[128];

	for (int i = 0; i < 300; i++)
		put(w, "m", 60 * i, plain(w), 60 * i + 30);
	series_rrd_settle(w->s);
	put(w, "m", 90, 5, 60 * 300); /* a late hour is remembered too */
	series_close(w->s);
	open_world(w);
	same_all(w, "m", 60 * 300);
	assert_int_equal(stats_of(w).rrd_rebuilt, 0);
	points = stats_of(w).rrd_points;
	assert_true(points > 200);
	for (int i = 300; i < 600; i++)
		put(w, "m", 60 * i, plain(w), 60 * i + 30);
	series_rrd_settle(w->s);
	same_all(w, "m", 60 * 600);
	assert_int_equal(stats_of(w).rrd_rebuilt, 0);
	series_close(w->s);
	snprintf(path, sizeof(path), "%s/rrd/state", w->dir);
	assert_int_equal(unlink(path), 0);
	open_world(w);
	series_rrd_settle(w->s);
	assert_int_equal(stats_of(w).rrd_rebuilt, 1);
	same_all(w, "m", 60 * 600);
}

/* Series that come later join the file; it is built anew with their history. */
static void test_joining(void **state)
{
	struct world *w = *state;
	struct arena arena = ARENA_INIT;
	struct series_info *list;
	char name[16];
	size_t count;

	for (int i = 0; i < 1200; i++)
		for (int k = 0; k <= i / 100; k++) {
			snprintf(name, sizeof(name), "m%d", k);
			put(w, name, 60 * i, plain(w), 60 * i + 30);
			if (i % 20 == 0 && k == 0)
				series_rrd_settle(w->s);
		}
	series_rrd_settle(w->s);
	for (int k = 0; k < 11; k++) {
		snprintf(name, sizeof(name), "m%d", k);
		same_all(w, name, 72000);
	}
	assert_int_equal(stats_of(w).rrd_files, 2);
	assert_int_equal(series_list(w->s, &SCOPE, SV(""), SV(""), &arena,
				     &list, &count),
			 0);
	assert_int_equal(count, 12);
	assert_non_null(list[0].rrd_file);
	assert_string_equal(list[0].rrd_file, list[7].rrd_file);
	assert_true(strcmp(list[0].rrd_file, list[8].rrd_file) != 0);
	arena_fini(&arena);
}

static void tick(struct world *w, int64_t offset_s)
{
	struct view *v = series_view(w->s);
	const struct wall now = { (T0_S + offset_s) * NS_PER_S };

	assert_int_equal(v->ops->tick(v->self, now), 0);
}

/* A hundred days, with a gap longer than minutes are kept. What is older than
 * a tier is rebuilt from the next coarser one. */
static void test_long_history(void **state)
{
	enum { DAYS = 100, END_S = 86400 * DAYS };
	struct world *w = *state;

	for (int64_t t = 0; t < END_S; t += 420) {
		int64_t day = t / 86400;

		if (day >= 40 && day < 60)
			continue;
		put(w, "m", t, plain(w), t + 30);
		tick(w, t + 30);
		if (t % (86400 / 2) < 420)
			series_rrd_settle(w->s);
	}
	series_rrd_settle(w->s);
	same_all(w, "m", END_S);
	assert_int_equal(stats_of(w).rrd_damaged, 0);
	assert_int_equal(stats_of(w).rrd_rebuilt, 2); /* first, after the gap */
	scratch_remove_files(w->dir, ".rrd");
	same_all(w, "m", END_S);
	series_rrd_settle(w->s);
	same_all(w, "m", END_S);
	assert_true(same(w, "m", 3600, 0, END_S) >= 24 * 79);
}

struct reader {
	struct world *w;
	_Atomic uint64_t *busy;
};

static void *hammer(void *arg)
{
	const struct reader *r = arg;

	for (int i = 0; i < 20000 && *r->busy < 3; i++) {
		struct series_point *points;
		struct arena arena = ARENA_INIT;
		size_t count;
		int e = ask(r->w, "m", 60, 0, 36000, SERIES_RRD, &arena,
			    &points, &count);

		assert_true(e == 0 || e == ERR_BUSY);
		*r->busy += e == ERR_BUSY;
		/* Whoever does not insist is served by blocks. */
		assert_int_equal(ask(r->w, "m", 60, 0, 36000, SERIES_AUTO,
				     &arena, &points, &count),
				 0);
		assert_int_equal(count, 600);
		arena_fini(&arena);
	}
	return NULL;
}

static void test_queue_is_bounded(void **state)
{
	struct world *w = *state;
	_Atomic uint64_t busy = 0;
	struct reader reader = { w, &busy };
	pthread_t threads[6];

	for (int i = 0; i < 600; i++)
		put(w, "m", 60 * i, plain(w), 60 * i + 30);
	series_rrd_settle(w->s);
	for (int i = 0; i < 6; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, hammer, &reader), 0);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	assert_true(busy >= 3);
	assert_true(stats_of(w).rrd_busy >= busy);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_few_minutes_have_no_file),
		TEST(test_rough_doubles),
		TEST(test_late_flood),
		TEST(test_clean_end_keeps_files),
		TEST(test_joining),
		TEST(test_long_history),
		TEST(test_queue_is_bounded),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
