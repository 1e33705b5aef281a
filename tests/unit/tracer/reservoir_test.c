/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared reservoirs on a simulated clock: whatever 50 clients do, what they
 * may take together is never over the reservoir; and they get what is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/sys/env.h"
#include "tracer/reservoir.h"

enum { CLIENTS = 50, START_S = 1000000 };

static const struct scope ours = { .account = 1, .region = "us-east-1" };
static const struct scope others = { .account = 2, .region = "us-east-1" };

/* A client as SDKs are: it knows the last answer that arrived. */
struct sim_client {
	bool joined;
	int64_t report_ns; /* when it reports next */
	uint32_t rate;     /* requests a second that it is asked */
	uint32_t quota;
	int64_t expires_ns;
};

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static struct reservoir_report report_of(uint32_t client, uint32_t reservoir,
					 uint64_t requests)
{
	struct reservoir_report r = { .scope = &ours,
				      .rule = SV("rule"),
				      .reservoir = reservoir,
				      .requests = requests,
				      .sampled = requests / 2 };

	put_le32(r.client, client);
	return r;
}

static uint64_t sum_of(const struct sim_client *c, size_t n, int64_t now_ns)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (now_ns < c[i].expires_ns)
			sum += c[i].quota;
	return sum;
}

static void report(struct reservoirs *rs, struct sim_client *c, uint32_t id,
		   uint32_t reservoir, int64_t now_ns, bool arrives)
{
	const struct reservoir_report r = report_of(
		id, reservoir, (uint64_t)c->rate * RESERVOIR_INTERVAL_S);
	struct reservoir_grant g;

	assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
	assert_true(g.granted);
	assert_true(g.quota <= reservoir);
	if (!arrives)
		return;
	c->quota = g.quota;
	c->expires_ns = g.expires_ns;
}

/* Clients join, leave without a word, come back as others, change what they
 * are asked, and do not get every answer. */
static void run_sim(uint64_t seed, uint32_t reservoir)
{
	struct sim_client c[CLIENTS] = { { .joined = false } };
	struct reservoirs *rs;
	uint64_t granted = 0;

	assert_int_equal(reservoirs_new(&rs, 0), 0);
	for (int64_t s = START_S; s < START_S + 1800; s++) {
		int64_t now_ns = s * NS_PER_S;

		for (uint32_t i = 0; i < CLIENTS; i++) {
			uint64_t dice = next_random(&seed) % 1000;

			if (dice < 5) {
				/* Gone or new: what a process that has ended
				 * held, nobody uses; but count it as if. */
				c[i].joined = !c[i].joined;
				c[i].report_ns = now_ns;
				c[i].rate = (uint32_t)(next_random(&seed) % 40);
			} else if (dice < 15) {
				c[i].rate =
					(uint32_t)(next_random(&seed) % 200);
			}
			if (!c[i].joined || now_ns < c[i].report_ns)
				continue;
			report(rs, &c[i], i, reservoir, now_ns,
			       next_random(&seed) % 10 != 0);
			c[i].report_ns =
				now_ns + (int64_t)(RESERVOIR_INTERVAL_S +
						   next_random(&seed) % 3) *
						 NS_PER_S;
			if (sum_of(c, CLIENTS, now_ns) > reservoir)
				fail_msg("%llu of %u at second %lld",
					 (unsigned long long)sum_of(c, CLIENTS,
								    now_ns),
					 reservoir, (long long)(s - START_S));
		}
		granted += sum_of(c, CLIENTS, now_ns);
	}
	/* It is of use: on the average more than half is given out. */
	assert_true(granted / 1800 >= reservoir / 2);
	reservoirs_free(rs);
}

static void the_sum_never_exceeds_the_reservoir(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 7, 50, 100, 1000, 100000 };

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			run_sim(seed * 7919, sizes[i]);
}

/* After a while without change each has its part of the whole. */
static void quotas_follow_demand(void **state)
{
	struct sim_client c[3] = { { .rate = 10 },
				   { .rate = 30 },
				   { .rate = 60 } };
	struct reservoirs *rs;
	int64_t now_ns = START_S * NS_PER_S;

	(void)state;
	assert_int_equal(reservoirs_new(&rs, 0), 0);
	report(rs, &c[0], 0, 100, now_ns, true);
	assert_int_equal(c[0].quota, 100); /* alone */
	report(rs, &c[1], 1, 100, now_ns, true);
	assert_int_equal(c[1].quota, 0); /* all is given out */
	for (int round = 0; round < 8; round++) {
		now_ns += RESERVOIR_INTERVAL_S * NS_PER_S;
		for (uint32_t i = 0; i < 3; i++)
			report(rs, &c[i], i, 100, now_ns, true);
	}
	assert_in_range(c[0].quota, 9, 11);
	assert_in_range(c[1].quota, 29, 31);
	assert_in_range(c[2].quota, 59, 61);
	/* The greatest leaves: the others share what it had, once it expired. */
	for (int round = 0; round < 8; round++) {
		now_ns += RESERVOIR_INTERVAL_S * NS_PER_S;
		for (uint32_t i = 0; i < 2; i++)
			report(rs, &c[i], i, 100, now_ns, true);
	}
	assert_in_range(c[0].quota, 24, 26);
	assert_in_range(c[1].quota, 74, 76);
	reservoirs_free(rs);
}

static void nothing_is_granted_while_an_earlier_run_may_have(void **state)
{
	const struct reservoir_report r = report_of(1, 10, 5);
	int64_t now_ns = START_S * NS_PER_S;
	struct reservoir_grant g;
	struct reservoirs *rs;

	(void)state;
	assert_int_equal(reservoirs_new(&rs, now_ns + 30 * NS_PER_S), 0);
	assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
	assert_false(g.granted);
	assert_int_equal(g.quota, 0);
	now_ns += 30 * NS_PER_S;
	assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
	assert_true(g.granted);
	assert_int_equal(g.quota, 10);
	reservoirs_free(rs);
}

static void rules_and_accounts_share_nothing(void **state)
{
	struct reservoir_report r = report_of(1, 10, 5);
	int64_t now_ns = START_S * NS_PER_S;
	struct reservoir_grant g;
	struct reservoirs *rs;

	(void)state;
	assert_int_equal(reservoirs_new(&rs, 0), 0);
	for (uint32_t i = 0; i < 3; i++) {
		r.rule = i == 1 ? SV("other") : SV("rule");
		r.scope = i == 2 ? &others : &ours;
		put_le32(r.client, i);
		assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
		assert_int_equal(g.quota, 10);
	}
	reservoirs_free(rs);
}

static void limits_are_hit_and_counted(void **state)
{
	struct reservoirs_stats stats;
	struct reservoir_report r;
	int64_t now_ns = START_S * NS_PER_S;
	struct reservoir_grant g;
	struct reservoirs *rs;
	char name[16];

	(void)state;
	assert_int_equal(reservoirs_new(&rs, 0), 0);
	for (uint32_t i = 0; i < RESERVOIR_CLIENTS_MAX; i++) {
		r = report_of(i, 1, 1);
		assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
	}
	r = report_of(RESERVOIR_CLIENTS_MAX, 1, 1);
	assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
	assert_false(g.granted);
	reservoirs_stats(rs, &stats);
	assert_int_equal(stats.clients, RESERVOIR_CLIENTS_MAX);
	assert_int_equal(stats.refused, 1);

	for (uint32_t i = 1; i < RESERVOIR_POOLS_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		r = report_of(1, 1, 1);
		r.rule = sv_from(name);
		assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
	}
	r.rule = SV("one more");
	assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), ERR_LIMIT);
	/* What nobody used for long makes room. */
	now_ns += (RESERVOIR_MINUTES + 1) * 60 * NS_PER_S;
	assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
	reservoirs_free(rs);
}

struct minutes {
	size_t count;
	struct reservoir_minute last;
};

static void note_minute(void *arg, struct sv rule,
			const struct reservoir_minute *minute)
{
	struct minutes *m = arg;

	assert_true(sv_eq(rule, SV("rule")));
	assert_true(minute->start_ns > m->last.start_ns);
	m->last = *minute;
	m->count++;
}

static void counts_are_kept_by_the_minute(void **state)
{
	struct reservoir_report r = report_of(1, 10, 6);
	int64_t minute_ns = 60 * NS_PER_S;
	int64_t now_ns = START_S * NS_PER_S / minute_ns * minute_ns;
	struct minutes m = { .count = 0 };
	struct reservoir_grant g;
	struct reservoirs *rs;

	(void)state;
	r.borrowed = 1;
	assert_int_equal(reservoirs_new(&rs, 0), 0);
	for (int i = 0; i < 2 * RESERVOIR_MINUTES * 2; i++) {
		assert_int_equal(reservoirs_report(rs, &r, now_ns, &g), 0);
		now_ns += minute_ns / 2;
	}
	now_ns -= minute_ns / 2;
	reservoirs_minutes(rs, &ours, now_ns, note_minute, &m);
	assert_int_equal(m.count, RESERVOIR_MINUTES);
	assert_int_equal(m.last.start_ns, now_ns / minute_ns * minute_ns);
	assert_int_equal(m.last.requests, 12);
	assert_int_equal(m.last.sampled, 6);
	assert_int_equal(m.last.borrowed, 2);
	m = (struct minutes){ .count = 0 };
	reservoirs_minutes(rs, &others, now_ns, note_minute, &m);
	assert_int_equal(m.count, 0);
	reservoirs_minutes(rs, &ours, now_ns + 40 * minute_ns, note_minute, &m);
	assert_int_equal(m.count, 0);
	reservoirs_free(rs);
}

static void a_boost_lasts_a_minute_and_comes_once(void **state)
{
	int64_t now_ns = START_S * NS_PER_S, minute_ns = 60 * NS_PER_S, ends_ns;
	struct reservoirs *rs;

	(void)state;
	assert_int_equal(reservoirs_new(&rs, 0), 0);
#define BOOSTED(anomalies) \
	reservoirs_boost(rs, &ours, SV("rule"), anomalies, 10, now_ns, &ends_ns)
	assert_false(BOOSTED(false));
	assert_true(BOOSTED(true));
	assert_int_equal(ends_ns, now_ns + minute_ns);
	now_ns += minute_ns / 2;
	assert_true(BOOSTED(true)); /* the same one */
	assert_int_equal(ends_ns, now_ns + minute_ns / 2);
	now_ns += minute_ns;
	assert_false(BOOSTED(true)); /* within the cool-down */
	now_ns += 9 * minute_ns;
	assert_true(BOOSTED(true));
#undef BOOSTED
	reservoirs_free(rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sum_never_exceeds_the_reservoir),
		cmocka_unit_test(quotas_follow_demand),
		cmocka_unit_test(
			nothing_is_granted_while_an_earlier_run_may_have),
		cmocka_unit_test(rules_and_accounts_share_nothing),
		cmocka_unit_test(limits_are_hit_and_counted),
		cmocka_unit_test(counts_are_kept_by_the_minute),
		cmocka_unit_test(a_boost_lasts_a_minute_and_comes_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
