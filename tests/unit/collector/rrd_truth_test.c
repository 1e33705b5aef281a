/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RRD truth: whatever hour's minute a series is born at, whatever its gaps,
 * with restarts, crashes and late points, what is read from blocks and from
 * RRD files is exact arithmetic: counts and extremes to the bit, sums within
 * 1e-12. Truth is kept in __float128. Time is simulated: the frames' received
 * times. Then the RRD files are deleted, and damaged, and every answer stays.
 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/series/ladder.h"
#include "collector/series/series.h"
#include "tests/sim/scratch.h"

enum {
	BIRTHS = 60,    /* a series for each minute of an hour */
	GAP_MAX = 70,   /* gaps of 1 to 70 minutes, each many times */
	MINUTES = 2500, /* simulated */
	LATE_MAX = 4000,
	VALUES_MAX = 4,
	RESTART_EVERY = 700,
	CRASH_EVERY = 1100,
	HOLD_MIN = 30, /* how late a late point is, in minutes */
	HOLD_MAX = 1200,
};

static const int64_t T0_S = 1795338000; /* an hour's beginning */
static const struct scope SCOPE = { 123456789012, "us-east-1" };

/* GCC's and clang's name for it; -Wpedantic has no other objection. */
__extension__ typedef __float128 exact;

struct truth {
	exact sum;
	double count, min, max;
};

struct held {
	int due; /* minute it arrives */
	int series, minute;
	double value;
};

struct world {
	char root[64], dir[128];
	int generation;
	struct series *s;
	uint64_t seed;
	struct truth truth[BIRTHS][MINUTES];
	bool active[BIRTHS][MINUTES];
	int gaps[GAP_MAX + 1]; /* how often each length occurs */
	struct held held[LATE_MAX];
	size_t held_count;
	/* Frames since the beginning, to replay: one a minute. */
	struct records frames[MINUTES];
	struct arena arena;
	int now;
	uint64_t late;   /* points the view found late, in all its lives */
	uint64_t points; /* compared */
	/* The machine's, without the syncs: kills are copies of files here. */
	struct disk_ops disk;
	struct env env;
};

static uint64_t next(struct world *w)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed;
}

/* Milliseconds as the agent has them, and now and then a finer number. */
static double value(struct world *w)
{
	uint64_t r = next(w);

	if (r % 7 == 0)
		return (double)(r >> 8 & 0xff);
	if (r % 11 == 0)
		return (double)(r >> 20 & 0x3fffffff) / 1e6;
	return (double)(r >> 20 & 0xffffff) / 1000.0;
}

static void add_truth(struct truth *t, exact sum, double count, double min,
		      double max)
{
	if (t->count == 0 || min < t->min)
		t->min = min;
	if (t->count == 0 || max > t->max)
		t->max = max;
	t->sum += sum;
	t->count += count;
}

/* --- what happens when -------------------------------------------------------- */

/* Series k is born at minute k of the first hour and then has runs of data and
 * gaps; gap lengths go through 1..70, each series from elsewhere. */
static void plan_activity(struct world *w)
{
	for (int k = 0; k < BIRTHS; k++) {
		int gap = 1 + k * 7 % GAP_MAX;
		int minute = k;

		while (minute < MINUTES) {
			int run = 1 + (int)(next(w) % 25);

			for (int i = 0; i < run && minute < MINUTES; i++)
				w->active[k][minute++] = true;
			if (minute + gap < MINUTES)
				w->gaps[gap]++;
			minute += gap;
			gap = gap % GAP_MAX + 1;
		}
	}
}

static struct datum *new_datum(struct world *w, struct datum *data, size_t *n,
			       int series, int minute)
{
	static const char *const names[] = { "FunctionName", "Resource" };
	struct dimension *dims = arena_array(&w->arena, 2, sizeof(*dims));
	struct datum *d = &data[(*n)++];
	char text[32];
	int len = snprintf(text, sizeof(text), "function-%02d", series);

	assert_non_null(dims);
	for (int i = 0; i < 2; i++) {
		dims[i].name = sv_from(names[i]);
		dims[i].value =
			arena_copy(&w->arena, sv_make(text, (size_t)len));
	}
	*d = (struct datum){
		.ns = SV("AWS/Lambda"),
		.name = SV("Duration"),
		.dimensions = dims,
		.dimension_count = 2,
		.time_ns = (T0_S + 60L * minute) * NS_PER_S +
			   (int64_t)(next(w) % 60) * NS_PER_S,
		.resolution_s = 60,
		.unit = SV("Milliseconds"),
	};
	return d;
}

static void give_values(struct world *w, struct datum *d, struct truth *t)
{
	size_t n = 1 + next(w) % VALUES_MAX;
	double *values = arena_array(&w->arena, n, sizeof(*values));
	double *counts = arena_array(&w->arena, n, sizeof(*counts));

	assert_true(values && counts);
	for (size_t i = 0; i < n; i++) {
		values[i] = value(w);
		counts[i] = (double)(1 + next(w) % 3);
		add_truth(t, (exact)values[i] * (exact)counts[i], counts[i],
			  values[i], values[i]);
	}
	d->values = values;
	d->counts = counts;
	d->value_count = n;
}

static void give_statistics(struct world *w, struct datum *d, struct truth *t)
{
	double a = value(w), b = value(w);

	d->has_statistics = true;
	d->sample_count = 2;
	d->sum = a + b;
	d->minimum = a < b ? a : b;
	d->maximum = a < b ? b : a;
	add_truth(t, (exact)d->sum, 2, d->minimum, d->maximum);
}

static void give_one(struct world *w, struct datum *d, double v)
{
	double *values = arena_array(&w->arena, 1, sizeof(*values));

	assert_non_null(values);
	values[0] = v;
	d->values = values;
	d->value_count = 1;
}

static void hold_back(struct world *w, int series, int minute)
{
	if (w->held_count == LATE_MAX)
		return;
	w->held[w->held_count++] = (struct held){
		.due = minute + HOLD_MIN +
		       (int)(next(w) % (HOLD_MAX - HOLD_MIN)),
		.series = series,
		.minute = minute,
		.value = value(w),
	};
}

/* The frame of a minute: what is on time, and what was held back until now. */
static void make_frame(struct world *w, int minute)
{
	size_t n = 0, room = BIRTHS + w->held_count;
	struct datum *data = arena_array(&w->arena, room, sizeof(*data));

	assert_non_null(data);
	for (int k = 0; k < BIRTHS; k++) {
		struct datum *d;

		if (!w->active[k][minute])
			continue;
		d = new_datum(w, data, &n, k, minute);
		if (next(w) % 10 == 0)
			give_statistics(w, d, &w->truth[k][minute]);
		else
			give_values(w, d, &w->truth[k][minute]);
		/* Few hours in three are late, so RRD serves the others. */
		if (minute / 180 % 3 == 1 && next(w) % 40 == 0)
			hold_back(w, k, minute);
	}
	for (size_t i = 0; i < w->held_count; i++) {
		struct held *h = &w->held[i];

		if (h->due != minute)
			continue;
		give_one(w, new_datum(w, data, &n, h->series, h->minute),
			 h->value);
		add_truth(&w->truth[h->series][h->minute], (exact)h->value, 1,
			  h->value, h->value);
	}
	w->frames[minute] = (struct records){ .data = data, .datum_count = n };
}

/* --- the view, driven --------------------------------------------------------- */

static void apply_minute(struct world *w, int minute)
{
	struct view *v = series_view(w->s);
	const struct frame frame = {
		.position = (uint64_t)minute + 1,
		.next = (uint64_t)minute + 2,
		.protocol = PROTOCOL_NATIVE,
		.scope = SCOPE,
		.received = { (T0_S + 60L * (minute + 1) + 3) * NS_PER_S },
	};
	const struct delivery d = { .frame = &frame,
				    .records = &w->frames[minute] };

	assert_int_equal(v->ops->apply(v->self, &d), 0);
	v->position = frame.next;
}

static void open_series(struct world *w)
{
	struct diag diag = { 0 };
	int e = series_open(&w->s, &w->env, w->dir, NULL, &diag);

	if (e)
		fail_msg("open: %s", diag.text);
}

static void close_series(struct world *w)
{
	struct series_stats stats;

	series_stats(w->s, &stats);
	assert_int_equal(stats.rrd_damaged, 0);
	assert_int_equal(stats.seal_errors, 0);
	w->late += stats.late;
	series_close(w->s);
}

static void replay(struct world *w)
{
	uint64_t position = series_view(w->s)->position;

	for (int m = position ? (int)position - 1 : 0; m < w->now; m++)
		apply_minute(w, m);
}

static void copy_dir(const char *from, const char *to)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		execlp("cp", "cp", "-a", from, to, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void new_dir(struct world *w)
{
	snprintf(w->dir, sizeof(w->dir), "%s/%d", w->root, w->generation++);
}

/* What a kill leaves: the files as they are now, the memory gone. */
static void crash(struct world *w)
{
	char old[sizeof(w->dir)];

	memcpy(old, w->dir, sizeof(old));
	new_dir(w);
	copy_dir(old, w->dir);
	close_series(w);
	open_series(w);
	replay(w);
}

static void simulate(struct world *w)
{
	for (int minute = 0; minute < MINUTES; minute++) {
		struct view *v = series_view(w->s);

		make_frame(w, minute);
		apply_minute(w, minute);
		w->now = minute + 1;
		if (minute % 9 == 0)
			assert_int_equal(v->ops->checkpoint(v->self), 0);
		/* Else the feeder would sleep through simulated days. */
		if (minute % 20 == 0)
			series_rrd_settle(w->s);
		if (minute % CRASH_EVERY == CRASH_EVERY - 1) {
			crash(w);
		} else if (minute % RESTART_EVERY == RESTART_EVERY - 1) {
			close_series(w);
			open_series(w);
			replay(w);
		}
	}
}

/* --- comparing ------------------------------------------------------------------ */

static bool close_to(double got, exact want)
{
	exact d = (exact)got - want;

	d = d < 0 ? -d : d;
	return d <= (exact)1e-12 * (want < 0 ? -want : want);
}

static void compare_step(const struct series_point *p, const struct truth *t,
			 int series, int minute, uint32_t period)
{
	if (p->count != t->count || p->min != t->min || p->max != t->max ||
	    !close_to(p->sum, t->sum))
		fail_msg("series %d minute %d period %u: count %.17g %.17g "
			 "min %.17g %.17g max %.17g %.17g sum %.17g %.17g",
			 series, minute, period, p->count, t->count, p->min,
			 t->min, p->max, t->max, p->sum, (double)t->sum);
}

static void compare(struct world *w, int k, uint32_t period,
		    enum series_source source)
{
	struct dimension dims[2] = {
		{ SV("Resource"), { 0 } },
		{ SV("FunctionName"), { 0 } },
	};
	int step = (int)period / 60;
	struct arena arena = ARENA_INIT;
	struct series_point *points;
	size_t count, at = 0;
	char name[32];
	int len = snprintf(name, sizeof(name), "function-%02d", k);
	const struct series_query q = {
		.scope = &SCOPE,
		.ns = SV("AWS/Lambda"),
		.name = SV("Duration"),
		.dimensions = dims,
		.dimension_count = 2,
		.period_s = period,
		.start_ns = T0_S * NS_PER_S,
		.end_ns = (T0_S + 60L * w->now) * NS_PER_S,
		.source = source,
	};

	dims[0].value = dims[1].value = sv_make(name, (size_t)len);
	assert_int_equal(series_read(w->s, &q, &arena, &points, &count), 0);
	for (int m = 0; m < w->now; m += step) {
		struct truth t = { 0 };

		for (int i = m; i < m + step && i < w->now; i++)
			if (w->truth[k][i].count > 0)
				add_truth(&t, w->truth[k][i].sum,
					  w->truth[k][i].count,
					  w->truth[k][i].min,
					  w->truth[k][i].max);
		if (t.count == 0)
			continue;
		if (at == count)
			fail_msg("series %d: no point at %d", k, m);
		assert_int_equal(points[at].time_ns,
				 (T0_S + 60L * m) * NS_PER_S);
		compare_step(&points[at++], &t, k, m, period);
	}
	assert_int_equal(at, count);
	w->points += count;
	arena_fini(&arena);
}

static void compare_all(struct world *w, enum series_source source)
{
	static const uint32_t periods[] = { 60, 300, 3600 };

	for (int k = 0; k < BIRTHS; k++)
		for (int p = 0; p < 3; p++)
			compare(w, k, periods[p], source);
}

static uint64_t rrd_reads(struct world *w)
{
	struct series_stats stats;

	series_stats(w->s, &stats);
	return stats.rrd_reads;
}

/* --- tests ---------------------------------------------------------------------- */

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	scratch_make(w->root, sizeof(w->root), "rrd_truth");
	w->seed = 0x9e3779b97f4a7c15u;
	w->env = *env_posix();
	w->disk = scratch_disk();
	w->env.disk = &w->disk;
	new_dir(w);
	open_series(w);
	plan_activity(w);
	simulate(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	series_close(w->s);
	scratch_remove(w->root);
	arena_fini(&w->arena);
	free(w);
	return 0;
}

/* The plan is what the issue asks for. */
static void test_plan(void **state)
{
	const struct world *w = *state;

	for (int k = 0; k < BIRTHS; k++) {
		for (int minute = 0; minute < k; minute++)
			assert_false(w->active[k][minute]);
		assert_true(w->active[k][k]);
	}
	for (int gap = 1; gap <= GAP_MAX; gap++)
		assert_true(w->gaps[gap] >= 10);
}

static void test_blocks(void **state)
{
	struct world *w = *state;
	uint64_t before = rrd_reads(w);

	compare_all(w, SERIES_BLOCKS);
	assert_int_equal(rrd_reads(w), before);
}

static void test_rrd(void **state)
{
	struct world *w = *state;
	struct series_stats stats;
	uint64_t before = rrd_reads(w);

	series_rrd_settle(w->s);
	w->points = 0;
	compare_all(w, SERIES_RRD);
	series_stats(w->s, &stats);
	/* Blocks served the late hours and the newest one, no more. */
	print_message("# %llu of %llu steps from RRD\n",
		      (unsigned long long)stats.rrd_points,
		      (unsigned long long)w->points);
	assert_true(stats.rrd_points * 2 > w->points);
	/* Every series was served by its file, at every step. */
	assert_true(rrd_reads(w) - before >= 3 * BIRTHS);
	compare_all(w, SERIES_AUTO);
	series_stats(w->s, &stats);
	assert_int_equal(stats.rrd_damaged, 0);
	assert_true(w->late > 100);
}

/* The files hold most hours themselves: what blocks serve is the late ones. */
static void test_most_hours_are_rrds(void **state)
{
	struct world *w = *state;
	struct arena arena = ARENA_INIT;
	struct series_info *list;
	size_t count, with_file = 0;

	assert_int_equal(series_list(w->s, &SCOPE, SV("AWS/Lambda"),
				     SV("Duration"), &arena, &list, &count),
			 0);
	assert_int_equal(count, BIRTHS);
	for (size_t i = 0; i < count; i++)
		with_file += list[i].rrd_file != NULL;
	assert_int_equal(with_file, BIRTHS);
	arena_fini(&arena);
}

static int damage_rrd(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_F && strstr(path, ".rrd"))
		assert_int_equal(truncate(path, st->st_size / 2), 0);
	return 0;
}

static void test_deleted(void **state)
{
	struct world *w = *state;
	uint64_t before;

	scratch_remove_files(w->dir, ".rrd");
	compare_all(w, SERIES_AUTO);
	/* Forced too: each file's first read finds it gone, blocks serve. */
	compare_all(w, SERIES_RRD);
	series_rrd_settle(w->s);
	before = rrd_reads(w);
	compare_all(w, SERIES_RRD);
	assert_true(rrd_reads(w) - before >= 3 * BIRTHS);
}

static void test_damaged(void **state)
{
	struct world *w = *state;
	struct series_stats stats;

	assert_int_equal(nftw(w->dir, damage_rrd, 16, FTW_PHYS), 0);
	for (int k = 0; k < BIRTHS; k++)
		compare(w, k, 60, SERIES_RRD);
	series_stats(w->s, &stats);
	assert_true(stats.rrd_damaged > 0);
	series_rrd_settle(w->s);
	compare_all(w, SERIES_RRD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_rrd),
		cmocka_unit_test(test_most_hours_are_rrds),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
