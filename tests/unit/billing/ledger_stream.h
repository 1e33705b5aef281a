/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger in a temporary folder and a stream of frames for it; for the tests
 * of the ledger only. */
#ifndef TALLY_TESTS_UNIT_BILLING_LEDGER_STREAM_H
#define TALLY_TESTS_UNIT_BILLING_LEDGER_STREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "billing/calendar.h"
#include "billing/ledger.h"
#include "tests/sim/scratch.h"

/* A stream of frames made from a seed: frame n has the records
 * [n * PER_FRAME, (n + 1) * PER_FRAME), each a function of its number, so that
 * any part of it can be told again and its truth recomputed. */
enum { PER_FRAME = 5, FRAMES = 24, SEGMENT = 16, FUNCTIONS = 3 };

#define T0 (20500 * NS_PER_DAY + 5 * NS_PER_HOUR)
#define STEP (7 * 60 * NS_PER_S) /* between records */

static const struct scope scope = { 123456789012, "us-east-1" };

struct fixture {
	char dir[64];
	struct ledger *l;
	struct ledger_options options;
	struct arena arena;
	const struct env *env; /* NULL: the quick one */
	struct env quick;
	struct disk_ops quick_ops;
};

/* The process may die in these tests, the machine does not: syncs would only
 * make them wait for its disk. */
static inline int no_sync(void *self, int fd)
{
	(void)self;
	(void)fd;
	return 0;
}

static inline int no_sync_dir(void *self, const char *path)
{
	(void)self;
	(void)path;
	return 0;
}

static inline const struct env *quick_env(struct env *env, struct disk_ops *ops)
{
	*ops = *env_posix()->disk;
	ops->datasync = no_sync;
	ops->sync_dir = no_sync_dir;
	*env = *env_posix();
	env->disk = ops;
	return env;
}

static inline void ledger_up(struct fixture *f)
{
	struct diag diag = { 0 };

	assert_int_equal(
		ledger_open(&f->l,
			    f->env ? f->env :
				     quick_env(&f->quick, &f->quick_ops),
			    f->dir, &f->options, &diag),
		0);
}

static inline void ledger_down(struct fixture *f)
{
	ledger_close(f->l);
	f->l = NULL;
}

static inline void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .options.segment_entries = SEGMENT };
	scratch_make(f->dir, sizeof(f->dir), "ledger-test");
	ledger_up(f);
}

static inline void fixture_close(struct fixture *f)
{
	ledger_close(f->l);
	scratch_remove(f->dir);
	arena_fini(&f->arena);
}

static inline uint64_t position_of(unsigned frame)
{
	return 1ULL << 32 | (uint64_t)frame * 100;
}

static inline struct usage usage_of(struct arena *a, unsigned n)
{
	char text[64];
	struct usage u = { .source = SV("lambda"),
			   .time_ns = T0 + (int64_t)n * STEP,
			   .memory_mb = 128U << n % 4,
			   .max_memory_mb = 60 + n % 40,
			   .duration_us = 1000 * n + 1,
			   .billed_ms = n + 1,
			   .init_us = n % 5 ? 0 : 90000,
			   .architecture = n % 7 ? ARCH_X86_64 : ARCH_ARM64,
			   .status = n % 11 ? RUN_OK : RUN_TIMEOUT };

	snprintf(text, sizeof(text), "function-%u", n % FUNCTIONS);
	u.resource = arena_copy(a, sv_from(text));
	/* Every other id is not a UUID, and so are the trace ids. */
	snprintf(text, sizeof(text),
		 n % 2 ? "%08x-0000-4000-8000-00000000abcd" : "odd id %u", n);
	u.id = arena_copy(a, sv_from(text));
	snprintf(text, sizeof(text),
		 n % 3 ? "1-%08x-0123456789abcdef01234567" : "t%u", n);
	u.trace_id = arena_copy(a, sv_from(text));
	return u;
}

static inline int apply_records(struct fixture *f, unsigned frame,
				unsigned first, unsigned count)
{
	struct frame fr = { .position = position_of(frame),
			    .next = position_of(frame + 1),
			    .scope = scope,
			    .received = { T0 } };
	struct usage *u = arena_array(&f->arena, count, sizeof(*u));
	struct records r = { .usage = u, .usage_count = count };
	struct delivery d = { .frame = &fr, .records = &r };
	struct view *v = ledger_view(f->l);

	for (unsigned i = 0; i < count; i++)
		u[i] = usage_of(&f->arena, first + i);
	return v->ops->apply(v->self, &d);
}

static inline int apply_frame(struct fixture *f, unsigned frame)
{
	return apply_records(f, frame, frame * PER_FRAME, PER_FRAME);
}

static inline void checkpoint(struct fixture *f)
{
	struct view *v = ledger_view(f->l);

	assert_int_equal(v->ops->checkpoint(v->self), 0);
	assert_int_equal(v->durable, v->position);
}

/* As the collector does after a start: every frame no checkpoint covers. */
static inline void replay(struct fixture *f, unsigned frames)
{
	for (unsigned i = 0; i < frames; i++)
		if (position_of(i) >= ledger_view(f->l)->position)
			assert_int_equal(apply_frame(f, i), 0);
}

/* Totals over [start, end) equal to those of the first `records` records. */
static inline void assert_totals(struct fixture *f, unsigned records,
				 int64_t start, int64_t end)
{
	struct ledger_total truth[FUNCTIONS][2] = { 0 };
	struct ledger_totals t;
	size_t rows = 0;

	for (unsigned n = 0; n < records; n++) {
		struct usage u = usage_of(&f->arena, n);
		struct ledger_total *row =
			&truth[n % FUNCTIONS][u.architecture];

		if (u.time_ns < start || u.time_ns >= end)
			continue;
		rows += row->requests++ == 0;
		row->errors += u.status != RUN_OK;
		row->billed_ms += u.billed_ms;
		row->mb_ms += (int128)u.memory_mb * u.billed_ms;
	}
	assert_int_equal(ledger_totals(f->l, &scope, start, end, &f->arena, &t),
			 0);
	assert_int_equal(t.count, rows);
	for (size_t i = 0; i < t.count; i++) {
		const struct ledger_total *row = &t.rows[i];
		const struct ledger_total *want =
			&truth[row->resource.ptr[9] - '0'][row->architecture];

		assert_int_equal(row->requests, want->requests);
		assert_int_equal(row->errors, want->errors);
		assert_true(row->billed_ms == want->billed_ms);
		assert_true(row->mb_ms == want->mb_ms);
	}
}

static inline void assert_all(struct fixture *f, unsigned records)
{
	assert_totals(f, records, 0, INT64_MAX);
}

static inline enum admit admit(struct fixture *f, const struct usage *u,
			       int64_t received)
{
	enum admit a = ADMIT_OLD;

	assert_int_equal(ledger_admit(f->l, &scope, u,
				      (struct wall){ received }, &a),
			 0);
	return a;
}

#endif
