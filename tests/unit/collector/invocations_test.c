/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "collector/ingest/ingest.h"
#include "tests/sim/scratch.h"

static const struct scope ours = { .account = 1, .region = "us-east-1" };
static const struct scope other = { .account = 2, .region = "us-east-1" };
static const struct scope region = { .account = 1, .region = "eu-west-1" };

struct fixture {
	char dir[64];
	struct invocations *v;
	uint64_t position;
};

static void open_it(struct fixture *f)
{
	struct diag diag = { 0 };

	assert_int_equal(invocations_open(&f->v, env_posix(), f->dir, &diag),
			 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	scratch_make(f->dir, sizeof(f->dir), "invocations");
	open_it(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	invocations_close(f->v);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static void apply(struct fixture *f, const char *id, uint64_t hash)
{
	const struct frame frame = { .position = f->position,
				     .next = f->position + 64,
				     .scope = ours };
	const struct delivery d = { .frame = &frame,
				    .invocation = sv_from(id),
				    .body_hash = hash };
	struct view *v = invocations_view(f->v);

	f->position += 64;
	assert_int_equal(v->ops->apply(v->self, &d), 0);
}

static void checkpoint(struct fixture *f)
{
	struct view *v = invocations_view(f->v);

	assert_int_equal(v->ops->checkpoint(v->self), 0);
	assert_int_equal(v->durable, f->position);
}

static enum invocation_state admit(struct fixture *f, const char *id,
				   uint64_t hash)
{
	return invocations_admit(f->v, &ours, sv_from(id), hash);
}

static void test_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(admit(f, "a", 7), INVOCATION_NEW);
	assert_int_equal(admit(f, "a", 7), INVOCATION_KNOWN); /* in flight */
	apply(f, "a", 7);
	assert_int_equal(admit(f, "a", 7), INVOCATION_KNOWN);
	assert_int_equal(admit(f, "a", 8), INVOCATION_OTHER);
	assert_int_equal(admit(f, "b", 7), INVOCATION_NEW);
	/* Nobody meets another's. */
	assert_int_equal(invocations_admit(f->v, &other, SV("a"), 7),
			 INVOCATION_NEW);
	assert_int_equal(invocations_admit(f->v, &region, SV("a"), 7),
			 INVOCATION_NEW);
}

static void test_withdraw(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(admit(f, "a", 7), INVOCATION_NEW);
	invocations_withdraw(f->v, &ours, SV("a"), 7);
	assert_int_equal(admit(f, "a", 7), INVOCATION_NEW);
	apply(f, "a", 7);
	/* What is stored stays. */
	invocations_withdraw(f->v, &ours, SV("a"), 7);
	assert_int_equal(admit(f, "a", 7), INVOCATION_KNOWN);
}

/* A restart forgets what was in flight, and nothing else. */
static void test_restart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(admit(f, "stored", 7), INVOCATION_NEW);
	apply(f, "stored", 7);
	assert_int_equal(admit(f, "lost", 7), INVOCATION_NEW);
	checkpoint(f);
	invocations_close(f->v);
	open_it(f);
	assert_int_equal(invocations_view(f->v)->position, f->position);
	assert_int_equal(admit(f, "stored", 7), INVOCATION_KNOWN);
	assert_int_equal(admit(f, "lost", 7), INVOCATION_NEW);
}

/* More than it holds: the oldest go, the rest are still found. */
static void test_limit(void **state)
{
	enum { MORE = INVOCATIONS_MAX / 4 };
	struct fixture *f = *state;
	struct invocations_stats stats;
	char id[32];

	for (int i = 0; i < INVOCATIONS_MAX + MORE; i++) {
		snprintf(id, sizeof(id), "id-%d", i);
		assert_int_equal(admit(f, id, (uint64_t)i), INVOCATION_NEW);
		if (i % 3 == 0)
			invocations_withdraw(f->v, &ours, sv_from(id),
					     (uint64_t)i);
		else
			apply(f, id, (uint64_t)i);
	}
	invocations_stats(f->v, &stats);
	assert_true(stats.forgotten > 0);
	assert_true(stats.remembered <= INVOCATIONS_MAX);
	assert_int_equal(stats.remembered + stats.forgotten,
			 (INVOCATIONS_MAX + MORE) -
				 (INVOCATIONS_MAX + MORE + 2) / 3);
	for (int i = 0; i < INVOCATIONS_MAX + MORE; i++) {
		bool kept = i >= MORE && i % 3;

		snprintf(id, sizeof(id), "id-%d", i);
		if (kept)
			assert_int_equal(admit(f, id, (uint64_t)i),
					 INVOCATION_KNOWN);
	}
	assert_int_equal(admit(f, "id-1", 1), INVOCATION_NEW);
	checkpoint(f);
	invocations_close(f->v);
	open_it(f);
	assert_int_equal(admit(f, "id-1", 1), INVOCATION_NEW);
	snprintf(id, sizeof(id), "id-%d", MORE + 3 - MORE % 3 + 1);
	assert_int_equal(admit(f, id, (uint64_t)(MORE + 3 - MORE % 3 + 1)),
			 INVOCATION_KNOWN);
}

static void test_envelope(void **state)
{
	static const struct {
		struct sv framed;
		bool ok;
		const char *id, *body;
	} rows[] = {
		{ SV_INIT("\002ab{}"), true, "ab", "{}" },
		{ SV_INIT("\002ab"), true, "ab", "" },
		{ SV_INIT("\0{}"), true, "", "{}" },
		{ SV_INIT(""), false, NULL, NULL },
		{ SV_INIT("\003ab"), false, NULL, NULL },
		{ SV_INIT("\101"), false, NULL, NULL }, /* 65: over the limit */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf again = { 0 };
		struct sv id, body;

		assert_int_equal(ingest_envelope_take(rows[i].framed, &id,
						      &body),
				 rows[i].ok);
		if (!rows[i].ok)
			continue;
		assert_true(sv_eq(id, sv_from(rows[i].id)));
		assert_true(sv_eq(body, sv_from(rows[i].body)));
		ingest_envelope_put(&again, id, body);
		assert_true(sv_eq(buf_view(&again), rows[i].framed));
		buf_fini(&again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_withdraw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test(test_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
