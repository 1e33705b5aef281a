/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/alarms/alarms.h"
#include "core/codec/json.h"
#include "tests/sim/scratch.h"

static const struct scope SCOPE = { 123456789012, "us-east-1" };
static const int64_t T0_S = 1795338000; /* 22/11/26 09:00:00 UTC */

static struct alarm_definition definition(uint32_t m, uint32_t n,
					  enum alarm_missing missing)
{
	static const struct dimension dims[] = {
		{ { "FunctionName", 12 }, { "pay", 3 } },
	};

	return (struct alarm_definition){
		.name = SV("errors"),
		.ns = SV("AWS/Lambda"),
		.metric = SV("Errors"),
		.dimensions = dims,
		.dimension_count = 1,
		.statistic = SV("Sum"),
		.period_s = 60,
		.threshold = 1,
		.comparison = ALARM_GREATER_OR_EQUAL,
		.datapoints = m,
		.evaluation_periods = n,
		.treat_missing = missing,
	};
}

/* --- the published tables ---------------------------------------------------- */

/* 0 good, X breaching, - missing; the newest on the right. */
static void points_from(const char *text, struct alarm_point points[5])
{
	for (int i = 0; i < 5; i++)
		points[i] = (struct alarm_point){
			.time_ns = (T0_S + 60 * i) * NS_PER_S,
			.present = text[i] != '-',
			.value = text[i] == 'X' ? 3 : 0,
		};
}

static void test_table(void **state)
{
	enum { OK, AL, IN, KEEP };
	static const struct {
		const char *points;
		uint32_t m;
		int verdict[4]; /* missing, ignore, breaching, notBreaching */
	} rows[] = {
		{ "0-X-X", 3, { OK, OK, OK, OK } },
		{ "0----", 3, { OK, OK, OK, OK } },
		{ "-----", 3, { IN, KEEP, AL, OK } },
		{ "0XX-X", 3, { AL, AL, AL, AL } },
		{ "--X--", 3, { AL, KEEP, AL, OK } },
		{ "0-X-X", 2, { AL, AL, AL, AL } },
		{ "00X0X", 2, { AL, AL, AL, AL } },
		{ "0-X--", 2, { OK, OK, AL, OK } },
		{ "----0", 2, { OK, OK, AL, OK } },
		{ "---X-", 2, { AL, KEEP, AL, OK } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int policy = 0; policy < 4; policy++)
			for (int previous = OK; previous <= IN; previous++) {
				struct alarm_definition d =
					definition(rows[i].m, 3,
						   (enum alarm_missing)policy);
				int want = rows[i].verdict[policy], got;
				struct alarm_point points[5];

				points_from(rows[i].points, points);
				assert_int_equal(alarm_range(&d), 5);
				got = (int)alarm_judge(
					&d, points, (enum alarm_state)previous,
					NULL);
				if (got != (want == KEEP ? previous : want))
					fail_msg("%s M=%u policy %d: %d",
						 rows[i].points, rows[i].m,
						 policy, got);
			}
}

/* Not in the tables: few bad points alone do not alarm at once. */
static void test_young_bad_points_keep(void **state)
{
	static const char *const rows[] = { "----X", "---X-" };
	struct alarm_definition d = definition(3, 3, ALARM_MISSING);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct alarm_point points[5];

		points_from(rows[i], points);
		assert_int_equal(alarm_judge(&d, points, ALARM_OK, NULL),
				 ALARM_OK);
		assert_int_equal(alarm_judge(&d, points,
					     ALARM_INSUFFICIENT_DATA, NULL),
				 ALARM_INSUFFICIENT_DATA);
	}
}

static void test_comparisons(void **state)
{
	static const struct {
		enum alarm_comparison comparison;
		bool below, equal, above;
	} rows[] = {
		{ ALARM_GREATER_OR_EQUAL, false, true, true },
		{ ALARM_GREATER, false, false, true },
		{ ALARM_LESS, true, false, false },
		{ ALARM_LESS_OR_EQUAL, true, true, false },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct alarm_definition d = definition(1, 1, ALARM_MISSING);
		enum alarm_comparison back;

		d.comparison = rows[i].comparison;
		assert_int_equal(alarm_breaches(&d, 0.5), rows[i].below);
		assert_int_equal(alarm_breaches(&d, 1), rows[i].equal);
		assert_int_equal(alarm_breaches(&d, 1.5), rows[i].above);
		assert_true(alarm_comparison_from(
			sv_from(alarm_comparison_name(d.comparison)), &back));
		assert_int_equal(back, d.comparison);
	}
}

static void test_reasons(void **state)
{
	static const struct {
		uint32_t m, n;
		enum alarm_missing missing;
		const char *points; /* of range 3 or 5 */
		const char *reason;
	} rows[] = {
		{ 1, 1, ALARM_MISSING, "--X",
		  "Threshold Crossed: 1 out of the last 1 datapoints "
		  "[3.0 (22/11/26 09:02:00)] was greater than or equal to the "
		  "threshold (1.0) (minimum 1 datapoint for OK -> ALARM "
		  "transition)." },
		{ 2, 3, ALARM_MISSING, "0XX-X",
		  "Threshold Crossed: 3 out of the last 3 datapoints "
		  "[3.0 (22/11/26 09:04:00), 3.0 (22/11/26 09:02:00), "
		  "3.0 (22/11/26 09:01:00)] were greater than or equal to the "
		  "threshold (1.0) (minimum 2 datapoints for OK -> ALARM "
		  "transition)." },
		{ 1, 1, ALARM_MISSING, "XX0",
		  "Threshold Crossed: 1 out of the last 1 datapoints "
		  "[0.0 (22/11/26 09:02:00)] was not greater than or equal to "
		  "the threshold (1.0) (minimum 1 datapoint for ALARM -> OK "
		  "transition)." },
		{ 1, 1, ALARM_MISSING, "---",
		  "Insufficient Data: 1 datapoint was unknown." },
		{ 3, 3, ALARM_NOT_BREACHING, "-----",
		  "Threshold Crossed: no datapoints were received for 3 "
		  "periods and 3 missing datapoints were treated as "
		  "[NonBreaching]." },
		{ 1, 1, ALARM_BREACHING, "---",
		  "Threshold Crossed: no datapoints were received for 1 "
		  "period and 1 missing datapoint was treated as "
		  "[Breaching]." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alarm_definition d =
			definition(rows[i].m, rows[i].n, rows[i].missing);
		struct alarm_point points[5];
		struct buf reason = BUF_INIT;
		char padded[6] = "-----";

		memcpy(padded, rows[i].points, strlen(rows[i].points));
		points_from(padded, points);
		(void)alarm_judge(&d, points, ALARM_OK, &reason);
		assert_string_equal(reason.ptr, rows[i].reason);
		buf_fini(&reason);
	}
}

static void test_reason_is_bounded(void **state)
{
	struct alarm_definition d = definition(1000, 1000, ALARM_MISSING);
	struct alarm_point *points = calloc(alarm_range(&d), sizeof(*points));
	struct buf reason = { .limit = ALARM_REASON_MAX };

	(void)state;
	assert_non_null(points);
	for (uint32_t i = 0; i < alarm_range(&d); i++)
		points[i] = (struct alarm_point){ .value = 1.0 / 3 + 1,
						  .present = true };
	assert_int_equal(alarm_judge(&d, points, ALARM_OK, &reason),
			 ALARM_ALARM);
	assert_false(reason.failed);
	assert_non_null(strstr(reason.ptr, ", ...] were"));
	buf_fini(&reason);
	free(points);
}

static void test_definitions(void **state)
{
	struct diag diag;
	struct alarm_definition good = definition(1, 1, ALARM_MISSING), d;

	(void)state;
	assert_int_equal(alarm_definition_check(&good, &diag), 0);
#define REFUSED(change)                                             \
	do {                                                        \
		d = good;                                           \
		change;                                             \
		assert_int_equal(alarm_definition_check(&d, &diag), \
				 ERR_INVALID);                      \
	} while (0)
	REFUSED(d.name = SV(""));
	REFUSED(d.metric = SV(""));
	REFUSED(d.statistic = SV("Mean"));
	REFUSED(d.statistic = SV("p101"));
	REFUSED(d.period_s = 0);
	REFUSED(d.period_s = 90);
	REFUSED(d.evaluation_periods = 0);
	REFUSED(d.evaluation_periods = 1441);
	REFUSED(d.datapoints = 2);
	REFUSED(d.threshold = 1.0 / 0.0);
	REFUSED(d.webhook = SV("file:///etc/passwd"));
#undef REFUSED
	d = good;
	d.statistic = SV("p99.9");
	assert_int_equal(alarm_definition_check(&d, &diag), 0);
}

/* --- changes ------------------------------------------------------------------ */

static void test_change_round_trip(void **state)
{
	const struct alarm_change c = {
		.name = SV("a \"quoted\" näme"),
		.from = ALARM_INSUFFICIENT_DATA,
		.to = ALARM_ALARM,
		.reason = SV("because\n"),
		.time_ns = T0_S * NS_PER_S + 123456789,
	};
	struct arena arena = ARENA_INIT;
	struct buf body = BUF_INIT;
	struct alarm_change back;

	(void)state;
	alarm_change_encode(&c, &body);
	assert_int_equal(alarm_change_decode(buf_view(&body), &arena, &back),
			 0);
	assert_true(sv_eq(back.name, c.name));
	assert_true(sv_eq(back.reason, c.reason));
	assert_int_equal(back.from, c.from);
	assert_int_equal(back.to, c.to);
	assert_int_equal(back.time_ns, c.time_ns);
	buf_fini(&body);
	arena_fini(&arena);
}

static void test_change_refused(void **state)
{
	static const struct {
		struct sv body;
		int err;
	} rows[] = {
		{ { "", 0 }, ERR_SYNTAX },
		{ { "{}", 2 }, ERR_INVALID },
		{ { "[1]", 3 }, ERR_INVALID },
	};
	static const char bad_state[] =
		"{\"name\":\"a\",\"from\":\"OK\",\"to\":\"RED\","
		"\"reason\":\"\",\"time\":1}";
	struct arena arena = ARENA_INIT;
	struct alarm_change c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(alarm_change_decode(rows[i].body, &arena, &c),
				 rows[i].err);
	assert_int_equal(alarm_change_decode(sv_from(bad_state), &arena, &c),
			 ERR_INVALID);
	arena_fini(&arena);
}

static void test_webhook_body(void **state)
{
	struct alarm_definition d = definition(1, 1, ALARM_MISSING);
	const struct alarm_change c = {
		.name = d.name,
		.from = ALARM_OK,
		.to = ALARM_ALARM,
		.reason = SV("why"),
		.time_ns = T0_S * NS_PER_S,
	};
	struct buf body = BUF_INIT;

	(void)state;
	alarm_webhook_body(&d, &SCOPE, &c, &body);
	assert_string_equal(
		body.ptr,
		"{\"AlarmName\":\"errors\",\"AWSAccountId\":\"123456789012\","
		"\"Region\":\"us-east-1\",\"NewStateValue\":\"ALARM\","
		"\"NewStateReason\":\"why\",\"OldStateValue\":\"OK\","
		"\"StateChangeTime\":\"2026-11-22T09:00:00.000Z\","
		"\"Trigger\":{\"MetricName\":\"Errors\","
		"\"Namespace\":\"AWS/Lambda\",\"StatisticType\":\"Statistic\","
		"\"Statistic\":\"SUM\",\"Dimensions\":[{\"value\":\"pay\","
		"\"name\":\"FunctionName\"}],\"Period\":60,"
		"\"EvaluationPeriods\":1,\"DatapointsToAlarm\":1,"
		"\"ComparisonOperator\":\"GreaterThanOrEqualToThreshold\","
		"\"Threshold\":1,\"TreatMissingData\":\"missing\"}}");
	buf_fini(&body);
}

/* --- the view with a series ---------------------------------------------------- */

struct world {
	char root[64], series_dir[80], alarms_dir[80];
	struct series *s;
	struct alarms *a;
	struct alarm_definition definition;
	size_t history_max;
	uint64_t position;
	int proposals;
	bool refuse;
	struct buf body; /* of the last proposal */
};

static void open_world(struct world *w)
{
	const struct series_options so = { .no_rrd = true };
	const struct alarms_options ao = {
		.scope = SCOPE,
		.definitions = &w->definition,
		.count = 1,
		.history_max = w->history_max,
	};
	struct diag diag = { 0 };

	assert_int_equal(
		series_open(&w->s, env_posix(), w->series_dir, &so, &diag), 0);
	assert_int_equal(
		alarms_open(&w->a, env_posix(), w->alarms_dir, &ao, &diag), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	scratch_make(w->root, sizeof(w->root), "alarms_test");
	snprintf(w->series_dir, sizeof(w->series_dir), "%s/series", w->root);
	snprintf(w->alarms_dir, sizeof(w->alarms_dir), "%s/alarms", w->root);
	w->definition = definition(1, 1, ALARM_MISSING);
	open_world(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	series_close(w->s);
	alarms_close(w->a);
	buf_fini(&w->body);
	scratch_remove(w->root);
	free(w);
	return 0;
}

/* offset_s is from T0. */
static void put(struct world *w, int offset_s, double value)
{
	struct view *v = series_view(w->s);
	struct datum datum = {
		.ns = w->definition.ns,
		.name = w->definition.metric,
		.dimensions = w->definition.dimensions,
		.dimension_count = w->definition.dimension_count,
		.time_ns = (T0_S + offset_s) * NS_PER_S,
		.unit = SV("Count"),
		.values = &value,
		.value_count = 1,
	};
	const struct records records = { .data = &datum, .datum_count = 1 };
	const struct frame frame = {
		.position = w->position++,
		.next = w->position,
		.protocol = PROTOCOL_NATIVE,
		.scope = SCOPE,
		.received = { datum.time_ns },
	};
	const struct delivery d = { .frame = &frame, .records = &records };

	assert_int_equal(v->ops->apply(v->self, &d), 0);
}

static int remember(void *arg, const struct scope *scope,
		    const struct alarm_change *change)
{
	struct world *w = arg;

	assert_int_equal(scope->account, SCOPE.account);
	if (w->refuse)
		return ERR_BUSY;
	w->proposals++;
	buf_reset(&w->body);
	alarm_change_encode(change, &w->body);
	return 0;
}

static int evaluate(struct world *w, int offset_s)
{
	const struct wall now = { (T0_S + offset_s) * NS_PER_S };

	w->proposals = 0;
	assert_int_equal(alarms_evaluate(w->a, w->s, &SCOPE, now, remember, w),
			 0);
	return w->proposals;
}

static void apply_body(struct world *w)
{
	struct view *v = alarms_view(w->a);
	const struct frame frame = {
		.position = w->position++,
		.next = w->position,
		.protocol = PROTOCOL_ALARM_CHANGE,
		.scope = SCOPE,
		.body = buf_view(&w->body),
	};
	const struct records none = { 0 };
	const struct delivery d = { .frame = &frame, .records = &none };

	assert_int_equal(v->ops->apply(v->self, &d), 0);
	v->position = frame.next;
}

static enum alarm_state state_now(struct world *w)
{
	struct arena arena = ARENA_INIT;
	struct alarm_status *list;
	enum alarm_state state;
	size_t count;

	assert_int_equal(alarms_list(w->a, &SCOPE, &arena, &list, &count), 0);
	assert_int_equal(count, 1);
	state = list[0].state;
	arena_fini(&arena);
	return state;
}

/* An error is an alarm at the next evaluation, not when its minute ends. */
static void test_early(void **state)
{
	struct world *w = *state;

	assert_int_equal(evaluate(w, 5), 0); /* nothing known: no change */
	put(w, 6, 0);
	assert_int_equal(evaluate(w, 10), 0); /* an open minute, not final */
	put(w, 12, 2);
	assert_int_equal(evaluate(w, 20), 1);
	assert_int_equal(state_now(w), ALARM_INSUFFICIENT_DATA);
	/* Proposed once; until the frame is applied it is remembered. */
	assert_int_equal(evaluate(w, 30), 0);
	apply_body(w);
	assert_int_equal(state_now(w), ALARM_ALARM);
	assert_int_equal(evaluate(w, 40), 0);
	assert_int_equal(evaluate(w, 60), 0);
	assert_int_equal(evaluate(w, 70), 0);
	/* A good minute ends it, when that minute is over. */
	put(w, 65, 0);
	assert_int_equal(evaluate(w, 80), 0);
	assert_int_equal(evaluate(w, 120), 1);
	apply_body(w);
	assert_int_equal(state_now(w), ALARM_OK);
}

static void test_no_early_verdict(void **state)
{
	static const struct {
		const char *statistic;
		enum alarm_comparison comparison;
		double threshold, first, second;
	} rows[] = {
		/* An average may fall again, a minimum too. */
		{ "Average", ALARM_GREATER, 1, 5, 5 },
		{ "Minimum", ALARM_GREATER, 1, 5, 5 },
		{ "p99", ALARM_GREATER, 1, 5, 5 },
		/* A sum below may still rise. */
		{ "Sum", ALARM_LESS, 100, 5, 5 },
		/* A sum with a negative value may fall. */
		{ "Sum", ALARM_GREATER, 1, 5, -1 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag diag;
		int at = 86400 + (int)i * 6000;

		w->definition.statistic = sv_from(rows[i].statistic);
		w->definition.comparison = rows[i].comparison;
		w->definition.threshold = rows[i].threshold;
		assert_int_equal(alarms_define(w->a, NULL, 0, &diag), 0);
		assert_int_equal(alarms_define(w->a, &w->definition, 1, &diag),
				 0);
		put(w, at + 1, rows[i].first);
		put(w, at + 2, rows[i].second);
		assert_int_equal(evaluate(w, at + 10), 0);
		/* When the minute is over a percentile of positive values and
		 * all others have their verdict. */
		assert_int_equal(evaluate(w, at + 60), 1);
	}
}

/* A period of five minutes is judged at every minute's boundary. */
static void test_sliding(void **state)
{
	struct world *w = *state;
	struct diag diag;

	w->definition.period_s = 300;
	w->definition.statistic = SV("Average");
	w->definition.threshold = 10;
	assert_int_equal(alarms_define(w->a, &w->definition, 1, &diag), 0);
	put(w, 130, 20);
	assert_int_equal(evaluate(w, 179), 0);
	assert_int_equal(evaluate(w, 180), 1);
	apply_body(w);
	assert_int_equal(state_now(w), ALARM_ALARM);
	put(w, 190, 0);
	put(w, 191, 0);
	assert_int_equal(evaluate(w, 240), 1);
	apply_body(w);
	assert_int_equal(state_now(w), ALARM_OK);
}

static void test_refused_is_proposed_again(void **state)
{
	struct world *w = *state;

	put(w, 1, 5);
	w->refuse = true;
	assert_int_equal(evaluate(w, 10), 0);
	w->refuse = false;
	assert_int_equal(evaluate(w, 20), 1);
	assert_int_equal(evaluate(w, 30), 0);
	alarms_change_failed(w->a, &SCOPE, w->definition.name);
	assert_int_equal(evaluate(w, 40), 1);
	/* Never heard of again: proposed once more after a minute. */
	assert_int_equal(evaluate(w, 90), 0);
	assert_int_equal(evaluate(w, 100), 1);
	apply_body(w);
	apply_body(w); /* both frames may come: the second is no change */
	assert_int_equal(state_now(w), ALARM_ALARM);
}

static size_t history(struct world *w, size_t limit, bool *truncated)
{
	struct arena arena = ARENA_INIT;
	struct alarm_change *changes;
	size_t count;

	assert_int_equal(alarms_history(w->a, &SCOPE, SV(""), limit, &arena,
					&changes, &count, truncated),
			 0);
	for (size_t i = 1; i < count; i++)
		assert_true(changes[i - 1].time_ns >= changes[i].time_ns);
	arena_fini(&arena);
	return count;
}

static void change_to(struct world *w, enum alarm_state to, int offset_s)
{
	const struct alarm_change c = {
		.name = w->definition.name,
		.from = ALARM_OK,
		.to = to,
		.reason = SV("r"),
		.time_ns = (T0_S + offset_s) * NS_PER_S,
	};

	buf_reset(&w->body);
	alarm_change_encode(&c, &w->body);
	apply_body(w);
}

static void test_restart(void **state)
{
	struct world *w = *state;
	struct view *v = alarms_view(w->a);
	bool truncated;

	change_to(w, ALARM_ALARM, 1);
	change_to(w, ALARM_OK, 2);
	change_to(w, ALARM_ALARM, 3);
	assert_int_equal(v->ops->checkpoint(v->self), 0);
	assert_int_equal(v->durable, v->position);
	series_close(w->s);
	alarms_close(w->a);
	open_world(w);
	assert_int_equal(alarms_view(w->a)->position, w->position);
	assert_int_equal(state_now(w), ALARM_ALARM);
	assert_int_equal(history(w, 100, &truncated), 3);
	assert_false(truncated);
	assert_int_equal(history(w, 2, &truncated), 2);
	assert_true(truncated);
}

static void test_history_is_bounded(void **state)
{
	struct world *w = *state;
	struct alarms_stats stats;
	bool truncated;

	series_close(w->s);
	alarms_close(w->a);
	w->history_max = 100;
	open_world(w);
	for (int i = 0; i < 250; i++)
		change_to(w, i % 2 ? ALARM_OK : ALARM_ALARM, i);
	assert_int_equal(history(w, 1000, &truncated), 100);
	alarms_stats(w->a, &stats);
	assert_int_equal(stats.history_dropped, 150);
	assert_int_equal(stats.history, 100);
}

static void test_bad_frame_stops_nothing(void **state)
{
	struct world *w = *state;
	struct alarms_stats stats;

	buf_reset(&w->body);
	buf_text(&w->body, "{\"name\":");
	apply_body(w);
	alarms_stats(w->a, &stats);
	assert_int_equal(stats.ignored, 1);
}

static void test_define(void **state)
{
	struct world *w = *state;
	struct alarm_definition two[2] = { w->definition, w->definition };
	struct alarm_definition found;
	struct arena arena = ARENA_INIT;
	struct diag diag;

	change_to(w, ALARM_ALARM, 1);
	assert_int_equal(alarms_define(w->a, two, 2, &diag), ERR_INVALID);
	two[1].name = SV("other");
	assert_int_equal(alarms_define(w->a, two, 2, &diag), 0);
	assert_true(alarms_find(w->a, SV("other"), &arena, &found));
	assert_false(alarms_find(w->a, SV("none"), &arena, &found));
	assert_int_equal(alarms_define(w->a, two, 1, &diag), 0);
	assert_int_equal(state_now(w), ALARM_ALARM); /* its state is kept */
	assert_int_equal(alarms_define(w->a, two, ALARMS_MAX + 1, &diag),
			 ERR_LIMIT);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_young_bad_points_keep),
		cmocka_unit_test(test_comparisons),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_reason_is_bounded),
		cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_change_round_trip),
		cmocka_unit_test(test_change_refused),
		cmocka_unit_test(test_webhook_body),
		cmocka_unit_test_setup_teardown(test_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_early_verdict, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sliding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_is_proposed_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_history_is_bounded, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_frame_stops_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_define, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
