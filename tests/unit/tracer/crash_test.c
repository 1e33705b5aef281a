/* SPDX-License-Identifier: Apache-2.0 */
/* The power goes at every operation of a seal and of retention, in every way
 * the disk may forget: what the journal gives again and what is in blocks is
 * everything, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/store/retention.h"
#include "tests/sim/disk_sim.h"
#include "tracer/traces.h"

#define T0 (1795342000 * NS_PER_S)
#define DAY_NS (86400 * NS_PER_S)

enum { SENT = 24, OLD = 8, OPS_LEAST = 5 };

static const uint64_t accounts[] = { 111111111111, 222222222222 };
static const struct traces_days days[] = { { 111111111111, 7 } };

struct life {
	struct disk_sim *disk;
	struct env env;
	struct traces *t;
};

static struct scope scope_of(unsigned i)
{
	return (struct scope){ accounts[i % 2], "us-east-1" };
}

static uint64_t position_of(unsigned i)
{
	return (UINT64_C(1) << 32) + 4096 + i * 64;
}

static int open_view(struct life *l)
{
	const struct traces_options options = { .days = days, .day_count = 1 };
	struct diag diag = { 0 };

	return traces_open(&l->t, &l->env, "d/traces", &options, &diag);
}

static void close_view(struct life *l)
{
	traces_close(l->t);
	l->t = NULL;
}

/* Document i, which is of trace i / 3 of its account; false: no more. */
static bool deliver(struct life *l, unsigned i)
{
	char text[256];
	struct segment_record record = { 0 };
	struct records records = { .segments = &record, .segment_count = 1 };
	struct frame frame = { .position = position_of(i),
			       .next = position_of(i + 1),
			       .scope = scope_of(i / 3),
			       .received = { T0 + i } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v = traces_view(l->t);

	if (frame.position < v->position)
		return true;
	snprintf(text, sizeof(text),
		 "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":\"%016x\","
		 "\"name\":\"n\",\"start_time\":%d,\"end_time\":%d%s}",
		 i / 3 + 1, i + 1, 1795342000, 1795342001,
		 i % 3 ? ",\"parent_id\":\"00000000000000ff\"" : "");
	record.document = sv_from(text);
	return v->ops->apply(v->self, &d) == 0;
}

static void check(struct life *l, unsigned from, unsigned to)
{
	struct arena arena = ARENA_INIT;
	uint64_t counted = 0;

	for (unsigned n = 0; n < SENT / 3; n++) {
		uint8_t id[TRACE_ID_SIZE] = { 0x6b, 0x02, 0xbf,
					      0x61, [15] = (uint8_t)(n + 1) };
		bool there = n * 3 >= from && n * 3 < to;
		struct scope scope = scope_of(n);
		struct trace trace;
		int e = traces_get(l->t, &scope, id, &arena, &trace);

		assert_int_equal(e, there ? 0 : ERR_NOT_FOUND);
		if (there)
			assert_int_equal(trace.document_count, 3);
		arena_reset(&arena);
	}
	for (unsigned a = 0; a < 2; a++) {
		struct scope scope = scope_of(a);
		struct trace_list list;
		struct graph g;

		assert_int_equal(traces_map(l->t, &scope, T0 - 60 * NS_PER_S,
					    T0 + 60 * NS_PER_S, &g),
				 0);
		for (uint32_t i = 0; i < g.node_count; i++)
			counted += graph_total(&g.nodes[i].stats);
		graph_fini(&g);
		assert_int_equal(traces_recent(l->t, &scope, 0, INT64_MAX,
					       SV(""), 0, &arena, &list),
				 0);
		arena_reset(&arena);
	}
	assert_int_equal(counted, to - from); /* none twice, none lost */
	arena_fini(&arena);
}

static void born(struct life *l, uint64_t seed)
{
	l->disk = disk_sim_new(seed);
	l->env = disk_sim_env(l->disk);
	assert_int_equal(l->env.disk->mkdir(l->env.disk_self, "d"), 0);
	assert_int_equal(open_view(l), 0);
}

/* After the power came back: what is not durable comes from the journal. */
static void reborn(struct life *l, enum disk_sim_crash how)
{
	close_view(l);
	disk_sim_fault(l->disk, (struct disk_sim_fault){ 0 });
	disk_sim_reboot(l->disk, how);
	assert_int_equal(open_view(l), 0);
	for (unsigned i = 0; i < SENT; i++)
		assert_true(deliver(l, i));
}

/* Two seals, of two blocks each, the second of which is cut. */
static void test_seal(void **state)
{
	(void)state;
	for (int how = 0; how < CRASH_MODES; how++) {
		bool hit = true;

		for (uint64_t at = 1; hit; at++) {
			struct life l = { 0 };

			born(&l, at);
			for (unsigned i = 0; i < OLD; i++)
				assert_true(deliver(&l, i));
			assert_int_equal(traces_seal(l.t), 0);
			for (unsigned i = OLD; i < SENT; i++)
				assert_true(deliver(&l, i));
			disk_sim_fault(l.disk, (struct disk_sim_fault){
						       .crash_at = at });
			(void)!traces_seal(l.t);
			hit = disk_sim_hit(l.disk);
			reborn(&l, (enum disk_sim_crash)how);
			check(&l, 0, SENT);
			assert_int_equal(traces_seal(l.t), 0);
			check(&l, 0, SENT);
			close_view(&l);
			disk_sim_free(l.disk);
			assert_true(hit || at > OPS_LEAST);
		}
	}
}

static void tick(struct life *l, int64_t ns)
{
	struct view *v = traces_view(l->t);

	(void)!v->ops->tick(v->self, (struct wall){ ns });
}

/* The first account's blocks expire; the power goes while they are deleted.
 * They are there as a whole or not at all, and the others always. */
static void test_retention(void **state)
{
	(void)state;
	for (int how = 0; how < CRASH_MODES; how++) {
		bool hit = true;

		for (uint64_t at = 1; hit; at++) {
			struct life l = { 0 };
			struct traces_stats s;

			born(&l, at);
			for (unsigned i = 0; i < SENT; i++)
				assert_true(deliver(&l, i));
			assert_int_equal(traces_seal(l.t), 0);
			for (int i = 0; i <= RETENTION_DOUBT_S; i++)
				tick(&l, T0 + i * NS_PER_S);
			disk_sim_fault(l.disk, (struct disk_sim_fault){
						       .crash_at = at });
			for (int i = 1; i <= 15; i++)
				tick(&l, T0 + i * (DAY_NS / 2));
			hit = disk_sim_hit(l.disk);
			reborn(&l, (enum disk_sim_crash)how);
			traces_stats(l.t, &s);
			assert_in_range(s.blocks, 1, 2);
			if (s.blocks == 2)
				check(&l, 0, SENT);
			for (int i = 0; i <= RETENTION_DOUBT_S; i++)
				tick(&l, T0 + 8 * DAY_NS + i * NS_PER_S);
			tick(&l, T0 + 8 * DAY_NS + 700 * NS_PER_S);
			traces_stats(l.t, &s);
			assert_int_equal(s.blocks, 1);
			close_view(&l);
			disk_sim_free(l.disk);
			assert_true(hit || at > OPS_LEAST);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_retention),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
