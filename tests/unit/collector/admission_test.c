/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/door/admission.h"

enum { BUDGET = 100000 };

struct fixture {
	struct instant now;
	struct clock_ops clock;
	struct env env;
	struct stats stats;
	struct admission *a;
};

static struct instant clock_now(void *self)
{
	return *(struct instant *)self;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct admission_options options = {
		.env = &f->env,
		.stats = &f->stats,
		.budget_bytes = BUDGET,
	};

	f->now.ns = 1000 * NS_PER_S;
	f->clock.mono = clock_now;
	f->env.clock = &f->clock;
	f->env.clock_self = &f->now;
	*state = f;
	return admission_new(&f->a, &options);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	admission_free(f->a);
	free(f);
	return 0;
}

static void use(struct fixture *f, unsigned percent)
{
	atomic_store(admission_used(f->a), (size_t)BUDGET / 100 * percent);
}

/* --- levels ------------------------------------------------------------------------ */

static void levels_go_up_at_once_and_down_with_a_margin(void **state)
{
	static const struct {
		unsigned percent;
		enum admission_level want;
	} rows[] = {
		{ 0, ADMISSION_ALL },
		{ 49, ADMISSION_ALL },
		{ 50, ADMISSION_NO_READ },
		{ 43, ADMISSION_NO_READ }, /* held */
		{ 41, ADMISSION_ALL },
		{ 49, ADMISSION_ALL },
		{ 75, ADMISSION_NO_TELEMETRY },
		{ 67, ADMISSION_NO_TELEMETRY }, /* held */
		{ 66, ADMISSION_NO_READ },
		{ 74, ADMISSION_NO_READ },
		{ 92, ADMISSION_NO_USAGE },
		{ 97, ADMISSION_NO_CONTROL },
		{ 200, ADMISSION_NO_CONTROL },
		{ 89, ADMISSION_NO_CONTROL }, /* held */
		{ 88, ADMISSION_NO_USAGE },
		{ 84, ADMISSION_NO_USAGE }, /* held */
		{ 83, ADMISSION_NO_TELEMETRY },
		{ 0, ADMISSION_ALL },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		use(f, rows[i].percent);
		assert_int_equal(admission_level(f->a), rows[i].want);
		assert_int_equal(admission_level(f->a), rows[i].want);
	}
}

/* --- classes ----------------------------------------------------------------------- */

static struct request request_of(enum operation_id id)
{
	struct request r = {
		.id = "an id", /* making one needs the HTTP layer */
		.status = 200,
		.protocol = AWS_REST_JSON,
		.operation = operation_at(id),
		.body_max = 2 * BUDGET,
	};

	r.service = service_of(r.operation->service);
	return r;
}

static void end(struct fixture *f, struct request *r)
{
	admission_done(f->a, r);
	assert_int_equal(r->admission_slot, 0);
	arena_fini(&r->arena);
	buf_fini(&r->reply);
	buf_fini(&r->body);
}

/* Whether both steps let it in, which must say the same. */
static bool admitted(struct fixture *f, enum operation_id id)
{
	struct request r = request_of(id);
	bool head = admission_head(f->a, &r, 0);
	bool whole;

	if (!head) {
		assert_int_equal(r.status, 503);
		assert_int_equal(r.retry_after_s, ADMISSION_RETRY_AFTER_S);
		assert_true(r.reply.len > 0);
	}
	end(f, &r);
	r = request_of(id);
	whole = admission_request(f->a, &r);
	assert_int_equal(head, whole);
	end(f, &r);
	return head;
}

static void what_is_worth_least_goes_first(void **state)
{
	static const struct {
		unsigned percent;
		bool read, telemetry, usage, health;
		const char *refusing;
	} rows[] = {
		{ 0, true, true, true, true, "none" },
		{ 50, false, true, true, true, "read" },
		{ 75, false, false, true, true, "read, telemetry" },
		{ 92, false, false, false, true, "read, telemetry, usage" },
		{ 100, false, false, false, true,
		  "read, telemetry, usage, control" },
		{ 300, false, false, false, true,
		  "read, telemetry, usage, control" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		use(f, rows[i].percent);
		assert_int_equal(admitted(f, OPERATION_ListTraces),
				 rows[i].read);
		assert_int_equal(admitted(f, OPERATION_PutTraceSegments),
				 rows[i].telemetry);
		assert_int_equal(admitted(f, OPERATION_PutBatch),
				 rows[i].usage);
		assert_int_equal(admitted(f, OPERATION_GetHealth),
				 rows[i].health);
		assert_string_equal(admission_level_name(admission_level(f->a)),
				    rows[i].refusing);
	}
	/* twice each: at the head and with the body */
	assert_int_equal(stats_get(&f->stats.shed_read), 10);
	assert_int_equal(stats_get(&f->stats.shed_telemetry), 8);
	assert_int_equal(stats_get(&f->stats.shed_usage), 6);
	assert_int_equal(stats_get(&f->stats.shed_memory), 24);
}

static unsigned gauge(void *percent)
{
	return *(unsigned *)percent;
}

/* Views that lag fill the journal's budget: telemetry stops before usage is
 * refused with it, and comes back when there is room again. */
static void a_full_journal_sheds_telemetry_first(void **state)
{
	static const struct {
		unsigned percent;
		const char *refusing;
	} rows[] = {
		{ 74, "none" },
		{ 75, "read, telemetry" },
		{ 68, "read, telemetry" },
		{ 66, "none" },
		{ 74, "none" },
		{ 92, "read, telemetry, usage" },
		{ 0, "none" },
	};
	struct fixture *f = *state;
	unsigned percent = 0;

	admission_watch(f->a, gauge, &percent);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		percent = rows[i].percent;
		assert_string_equal(admission_level_name(admission_level(f->a)),
				    rows[i].refusing);
	}
}

static void a_body_must_fit_below_the_line_of_its_class(void **state)
{
	static const struct {
		enum operation_id id;
		size_t body;
		bool want;
	} rows[] = {
		{ OPERATION_PutTraceSegments, BUDGET * 35 / 100, true },
		{ OPERATION_PutTraceSegments, BUDGET * 35 / 100 + 1, false },
		{ OPERATION_PutBatch, BUDGET * 52 / 100, true },
		{ OPERATION_PutBatch, BUDGET * 52 / 100 + 1, false },
		{ OPERATION_GetHealth, BUDGET * 2, true },
		{ OPERATION_PutBatch, 0, true },
		{ OPERATION_PutBatch, 2 * BUDGET + 1, true }, /* 413 */
	};
	struct fixture *f = *state;

	use(f, 40);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request r = request_of(rows[i].id);

		assert_int_equal(admission_head(f->a, &r, rows[i].body),
				 rows[i].want);
		end(f, &r);
	}
}

/* --- errors ------------------------------------------------------------------------ */

static void errors_are_those_that_clients_retry(void **state)
{
	static const struct {
		enum service_id service;
		enum aws_protocol protocol;
		unsigned status;
		const char *text;
	} rows[] = {
		{ SERVICE_NATIVE, AWS_REST_JSON, 429, "\"Throttling\"" },
		{ SERVICE_XRAY, AWS_REST_JSON, 429, "ThrottledException" },
		{ SERVICE_CLOUDWATCH, AWS_JSON_1_0, 400,
		  "ThrottlingException" },
		{ SERVICE_CLOUDWATCH, AWS_QUERY, 400, "<Code>Throttling<" },
		{ SERVICE_LOGS, AWS_JSON_1_1, 400, "ThrottlingException" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request r = { .id = "an id",
				     .protocol = rows[i].protocol,
				     .service = service_of(rows[i].service) };

		admission_refuse_rate(f->a, &r);
		assert_int_equal(r.status, rows[i].status);
		assert_non_null(strstr(r.reply.ptr, rows[i].text));
		assert_int_equal(r.retry_after_s, ADMISSION_RETRY_AFTER_S);
		end(f, &r);
	}
	assert_int_equal(stats_get(&f->stats.shed_rate), 5);
}

/* --- shares ------------------------------------------------------------------------ */

static struct request *begin(struct fixture *f, const char *key, size_t bytes)
{
	struct request *r = calloc(1, sizeof(*r));

	*r = request_of(OPERATION_PutBatch);
	r->caller.kind = CALLER_KEY;
	snprintf(r->caller.id, sizeof(r->caller.id), "%s", key);
	r->body.len = bytes; /* of what was sent; there is nothing behind it */
	if (admission_request(f->a, r))
		return r;
	assert_int_equal(r->status, 429);
	r->body.len = 0;
	end(f, r);
	free(r);
	return NULL;
}

static void finish(struct fixture *f, struct request *r)
{
	if (!r)
		return;
	r->body.len = 0;
	end(f, r);
	free(r);
}

static void one_alone_has_no_share_to_keep_to(void **state)
{
	enum { N = 3 * ADMISSION_REQUESTS };
	struct fixture *f = *state;
	struct request *r[N];

	for (size_t i = 0; i < N; i++) {
		r[i] = begin(f, "only", 10);
		assert_non_null(r[i]);
	}
	for (size_t i = 0; i < N; i++)
		finish(f, r[i]);
}

/* A flood of 20 to 1: the other always gets in, the flood gets its half. */
static void a_flood_does_not_slow_others(void **state)
{
	enum { FLOOD = 400, OTHER = 20 };
	struct fixture *f = *state;
	struct request *flood[FLOOD] = { 0 }, *other[OTHER] = { 0 };
	struct admission_stats stats;
	size_t most = 0;

	for (size_t round = 0; round < 50; round++) {
		size_t under_way = 0;

		f->now.ns += 10000000;
		for (size_t i = 0; i < OTHER; i++) {
			for (size_t k = 0; k < FLOOD / OTHER; k++)
				flood[i * FLOOD / OTHER + k] =
					begin(f, "flood", 10);
			other[i] = begin(f, "other", 10);
			assert_non_null(other[i]);
		}
		admission_stats(f->a, &stats);
		assert_int_equal(stats.callers, 2);
		for (size_t i = 0; i < FLOOD; i++)
			under_way += flood[i] != NULL;
		most = under_way > most ? under_way : most;
		for (size_t i = 0; i < FLOOD; i++)
			finish(f, flood[i]);
		for (size_t i = 0; i < OTHER; i++)
			finish(f, other[i]);
	}
	assert_in_range(most, ADMISSION_REQUESTS / 2, ADMISSION_REQUESTS);
	assert_true(stats_get(&f->stats.shed_share) > 0);
	/* The other gone, the share is whole again. */
	f->now.ns += NS_PER_S;
	for (size_t i = 0; i < FLOOD; i++) {
		flood[i] = begin(f, "flood", 10);
		assert_non_null(flood[i]);
	}
	for (size_t i = 0; i < FLOOD; i++)
		finish(f, flood[i]);
}

static void bytes_are_shared_too(void **state)
{
	struct fixture *f = *state;
	struct request *other = begin(f, "other", 100);
	struct request *flood, *more;

	flood = begin(f, "flood", BUDGET * 49 / 100);
	use(f, 60);
	assert_non_null(flood);
	assert_null(begin(f, "flood", BUDGET * 2 / 100));
	more = begin(f, "other", BUDGET * 2 / 100);
	assert_non_null(more);
	finish(f, more);
	finish(f, other);
	finish(f, flood);
}

/* More callers than slots: those without one share a count, none is lost. */
static void callers_are_bounded(void **state)
{
	enum { N = 2 * ADMISSION_CALLERS };
	struct fixture *f = *state;
	struct request *r[N];
	struct admission_stats stats;
	char key[16];
	size_t let_in = 0;

	for (size_t i = 0; i < N; i++) {
		snprintf(key, sizeof(key), "key-%zu", i);
		r[i] = begin(f, key, 1);
		let_in += r[i] != NULL;
	}
	admission_stats(f->a, &stats);
	assert_int_equal(stats.requests, let_in);
	assert_true(let_in >= ADMISSION_CALLERS / 2);
	assert_true(stats.callers <= ADMISSION_CALLERS + 1);
	for (size_t i = 0; i < N; i++)
		finish(f, r[i]);
	admission_stats(f->a, &stats);
	assert_int_equal(stats.requests, 0);
}

/* --- bodies on their way ----------------------------------------------------------- */

static bool announce(struct fixture *f, struct request *r, uint64_t claimed,
		     size_t bytes)
{
	*r = (struct request){ .service = service_of(SERVICE_NATIVE),
			       .protocol = AWS_REST_JSON,
			       .operation = operation_at(OPERATION_PutBatch),
			       .body_max = BUDGET / 5,
			       .claimed = claimed };
	if (admission_head(f->a, r, bytes))
		return true;
	assert_int_equal(r->status, 429);
	buf_fini(&r->reply);
	return false;
}

static void one_name_announces_a_quarter(void **state)
{
	struct fixture *f = *state;
	struct request first, second, third, other, nobody;

	assert_true(announce(f, &first, 7, BUDGET / 8));
	assert_true(announce(f, &second, 7, BUDGET / 8));
	assert_false(announce(f, &third, 7, 1));
	assert_int_equal(f->stats.shed_share, 1);
	admission_done(f->a, &third); /* and that it was refused counts once */
	assert_true(announce(f, &other, 9, BUDGET / 8));
	assert_true(announce(f, &nobody, 0, BUDGET / 8));
	admission_done(f->a, &first); /* never came */
	assert_true(announce(f, &third, 7, BUDGET / 8));
	second.caller.kind = CALLER_KEY;
	assert_true(admission_request(f->a, &second)); /* is here */
	assert_true(announce(f, &first, 7, BUDGET / 8));
	admission_done(f->a, &first);
	admission_done(f->a, &second);
	admission_done(f->a, &third);
	/* Of unknown length: the longest there may be. */
	assert_true(announce(f, &first, 7, 0));
	assert_false(announce(f, &second, 7, 0));
	admission_done(f->a, &first);
	admission_done(f->a, &second);
	admission_done(f->a, &other);
	admission_done(f->a, &nobody);
	/* One may always, however little memory there is. */
	assert_true(announce(f, &first, 7, BUDGET / 5));
	admission_done(f->a, &first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(levels_go_up_at_once_and_down_with_a_margin),
		TEST(what_is_worth_least_goes_first),
		TEST(a_full_journal_sheds_telemetry_first),
		TEST(a_body_must_fit_below_the_line_of_its_class),
		TEST(errors_are_those_that_clients_retry),
		TEST(one_alone_has_no_share_to_keep_to),
		TEST(a_flood_does_not_slow_others),
		TEST(bytes_are_shared_too),
		TEST(callers_are_bounded),
		TEST(one_name_announces_a_quarter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
