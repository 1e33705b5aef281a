/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "billing/rate.h"
#include "core/base/arena.h"
#include "core/codec/json.h"

/* Published examples, recomputed exactly: tests/fixtures/pricing/lambda.json.
 * The prices are the example's own. */

static struct sv text_of(struct arena *a, struct json v)
{
	struct sv s = json_string(v, a);

	assert_non_null(s.ptr);
	return s;
}

static void add_tier(struct price *p, struct sv rate, int128 up_to)
{
	struct tier *t = &p->tiers[p->tier_count++];

	assert_int_equal(rate_parse(&t->rate, rate, MB_MS_PER_GB_S), 0);
	t->up_to = up_to;
}

static void duration_price(struct arena *a, struct price *out,
			   struct json prices)
{
	struct json tiers = json_get(prices, SV("gb_s_tiers"));

	*out = (struct price){ .tier_count = 0 };
	if (!tiers.doc) {
		add_tier(out, text_of(a, json_get(prices, SV("gb_s"))), 0);
		return;
	}
	for (struct json t = json_first(tiers); t.doc;
	     t = json_next(tiers, t)) {
		struct json bound = json_first(t);
		struct json rate = json_next(t, bound);
		int128 up_to = 0;

		if (!json_is(bound, JSON_NULL)) {
			assert_int_equal(
				decimal_parse(&up_to, text_of(a, bound), 0), 0);
			up_to *= MB_MS_PER_GB_S;
		}
		add_tier(out, text_of(a, rate), up_to);
	}
}

static void request_price(struct arena *a, struct price *out,
			  struct json prices)
{
	int128 pico;

	/* Dollars for a million: x 10^12 / 10^6. */
	assert_int_equal(
		decimal_parse(&pico,
			      text_of(a, json_get(prices,
						  SV("per_million_requests"))),
			      6),
		0);
	*out = (struct price){ .tier_count = 1 };
	out->tiers[0].rate = (struct rate){ (int64_t)pico, 1 };
}

static int128 number(struct json inputs, const char *key)
{
	int64_t v;

	assert_true(json_to_i64(json_get(inputs, sv_from(key)), &v));
	return v;
}

static struct money price_of(const struct price *p, int128 quantity,
			     int128 free_quantity)
{
	struct rated r;

	assert_int_equal(rate_quantity(&r, p, quantity,
				       free_quantity < quantity ?
					       free_quantity :
					       quantity,
				       TIERS_PAID_ONLY, 0),
			 0);
	return r.cost;
}

static void check_example(struct arena *a, struct json example)
{
	struct json in = json_get(example, SV("inputs"));
	struct json prices = json_get(in, SV("prices"));
	bool free_tier = json_is(json_get(in, SV("free_tier")), JSON_TRUE);
	int128 requests = number(in, "requests");
	int128 mb_ms = requests * number(in, "avg_duration_ms") *
		       number(in, "memory_mb");
	struct price of_request;
	struct price of_duration;
	struct money total;
	struct buf b = BUF_INIT;

	request_price(a, &of_request, prices);
	duration_price(a, &of_duration, prices);
	assert_int_equal(
		money_add(&total,
			  price_of(&of_request, requests,
				   free_tier ? 1000000 : 0),
			  price_of(&of_duration, mb_ms,
				   free_tier ? (int128)400000 * MB_MS_PER_GB_S :
					       0)),
		0);
	money_put(&b, total);
	assert_true(sv_eq(
		buf_view(&b),
		text_of(a, json_get(example, SV("recomputed_exact_usd")))));
	buf_reset(&b);
	money_put_rounded(&b, total, 2);
	assert_true(sv_eq(
		buf_view(&b),
		text_of(a, json_get(example, SV("recomputed_half_up_usd")))));
	buf_fini(&b);
}

static void test_examples(void **state)
{
	static char text[128 << 10];
	struct arena a = ARENA_INIT;
	struct json_doc doc;
	struct diag diag;
	struct json list;
	unsigned count = 0;
	ssize_t n;
	int fd = open("tests/fixtures/pricing/lambda.json", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text));
	close(fd);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	assert_int_equal(json_parse(&doc, &a, sv_make(text, (size_t)n), &diag),
			 0);
	list = json_get(json_root(&doc), SV("examples"));
	for (struct json e = json_first(list); e.doc; e = json_next(list, e)) {
		struct json id = json_get(e, SV("id"));

		print_message("# %.*s\n", SV_ARG(json_raw(id)));
		check_example(&a, e);
		count++;
	}
	assert_int_equal(count, 12);
	arena_fini(&a);
}

/* Tiers at 10 and 30 (at 3, 2, 1 a unit), with what is free and what earlier
 * lines have filled. */
static void test_tiers(void **state)
{
	static const struct {
		int quantity, covered, before;
		enum tier_position position;
		int cost;
		size_t tiers;
	} rows[] = {
		{ 0, 0, 0, TIERS_PAID_ONLY, 0, 1 },
		{ 5, 0, 0, TIERS_PAID_ONLY, 15, 1 },
		{ 10, 0, 0, TIERS_PAID_ONLY, 30, 1 },
		{ 11, 0, 0, TIERS_PAID_ONLY, 32, 2 },
		{ 40, 0, 0, TIERS_PAID_ONLY, 80, 3 },
		{ 40, 40, 0, TIERS_PAID_ONLY, 0, 1 },
		{ 40, 5, 0, TIERS_PAID_ONLY, 75, 3 },
		{ 40, 5, 0, TIERS_WITH_FREE, 65, 3 },
		{ 40, 10, 0, TIERS_WITH_FREE, 50, 2 },
		{ 5, 0, 8, TIERS_PAID_ONLY, 12, 2 },
		{ 5, 0, 30, TIERS_PAID_ONLY, 5, 1 },
		{ 5, 2, 8, TIERS_WITH_FREE, 6, 1 },
	};
	const struct price p = { .tiers = { { 10, { 3000000000000, 1 } },
					    { 30, { 2000000000000, 1 } },
					    { 0, { 1000000000000, 1 } } },
				 .tier_count = 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rated r;

		assert_int_equal(
			rate_quantity(&r, &p, rows[i].quantity, rows[i].covered,
				      rows[i].position, rows[i].before),
			0);
		assert_true(r.cost.units == rows[i].cost * MONEY_PER_USD);
		assert_int_equal(r.tier_count, rows[i].tiers);
		assert_true(r.free + r.billable == r.quantity);
	}
}

static void test_no_price(void **state)
{
	const struct price none = { .tier_count = 0 };
	const struct price ends = { .tiers = { { 10, { 1, 1 } } },
				    .tier_count = 1 };
	const struct price dear = { .tiers = { { 0, { INT64_MAX, 1 } } },
				    .tier_count = 1 };
	struct rated r;

	(void)state;
	assert_int_equal(rate_quantity(&r, &none, 1, 0, TIERS_PAID_ONLY, 0),
			 ERR_NOT_FOUND);
	assert_int_equal(rate_quantity(&r, &none, 1, 1, TIERS_PAID_ONLY, 0),
			 ERR_NOT_FOUND);
	assert_int_equal(rate_quantity(&r, &ends, 10, 0, TIERS_PAID_ONLY, 0),
			 0);
	assert_int_equal(rate_quantity(&r, &ends, 11, 0, TIERS_PAID_ONLY, 0),
			 ERR_NOT_FOUND);
	assert_int_equal(rate_quantity(&r, &ends, 1, 0, TIERS_PAID_ONLY, 10),
			 ERR_NOT_FOUND);
	assert_int_equal(rate_quantity(&r, &dear, (int128)1 << 64, 0,
				       TIERS_PAID_ONLY, 0),
			 ERR_OVERFLOW);
	assert_int_equal(rate_quantity(&r, &dear, (int128)1 << 126, 0,
				       TIERS_PAID_ONLY, (int128)1 << 126),
			 ERR_OVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_no_price),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
