/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "collector/api/retrievals.h"
#include "core/sys/env.h"

static const struct scope ours = { .account = 1, .region = "us-east-1" };
static const struct scope region = { .account = 1, .region = "eu-west-1" };
static const struct sv ids[] = { SV_INIT("one"), SV_INIT("two") };
static const struct retrieval question = {
	.start_ns = 5, .end_ns = 7, .ids = ids, .count = 2
};

static int start(struct retrievals *rs, uint64_t account, unsigned n,
		 int64_t now_ns, char *token)
{
	const struct scope scope = { .account = account,
				     .region = "us-east-1" };
	char seed[16];

	snprintf(seed, sizeof(seed), "%u", n);
	return retrievals_start(rs, &scope, &question, sv_from(seed), now_ns,
				token);
}

static void a_token_is_good_for_its_scope_and_an_hour(void **state)
{
	const int64_t hour_ns = RETRIEVAL_TTL_S * NS_PER_S;
	char token[RETRIEVAL_TOKEN_CHARS + 1];
	struct arena arena = ARENA_INIT;
	struct retrievals *rs;
	struct retrieval q;

	(void)state;
	assert_int_equal(retrievals_new(&rs), 0);
	assert_int_equal(start(rs, 1, 1, 10, token), 0);
	assert_int_equal(strlen(token), RETRIEVAL_TOKEN_CHARS);
	assert_int_equal(retrievals_get(rs, &ours, sv_from(token), hour_ns + 9,
					&arena, &q),
			 0);
	assert_int_equal(q.count, 2);
	assert_true(sv_eq(q.ids[1], SV("two")));
	assert_int_equal(q.start_ns, 5);
	assert_int_equal(q.end_ns, 7);
	assert_false(q.cancelled);
	assert_int_equal(retrievals_get(rs, &region, sv_from(token), 11, &arena,
					&q),
			 ERR_NOT_FOUND);
	assert_int_equal(retrievals_cancel(rs, &region, sv_from(token), 11),
			 ERR_NOT_FOUND);
	assert_int_equal(retrievals_get(rs, &ours, SV("x"), 11, &arena, &q),
			 ERR_NOT_FOUND);
	assert_int_equal(retrievals_cancel(rs, &ours, sv_from(token), 11), 0);
	assert_int_equal(
		retrievals_get(rs, &ours, sv_from(token), 11, &arena, &q), 0);
	assert_true(q.cancelled);
	assert_int_equal(retrievals_get(rs, &ours, sv_from(token), hour_ns + 10,
					&arena, &q),
			 ERR_NOT_FOUND);
	retrievals_free(rs);
	arena_fini(&arena);
}

static void limits_are_of_an_account_and_of_all(void **state)
{
	char token[RETRIEVAL_TOKEN_CHARS + 1];
	struct retrievals *rs;
	unsigned n = 0;

	(void)state;
	assert_int_equal(retrievals_new(&rs), 0);
	for (uint64_t account = 1; account <= 4; account++) {
		for (int i = 0; i < RETRIEVALS_ACCOUNT_MAX; i++)
			assert_int_equal(start(rs, account, n++, 10, token), 0);
		assert_int_equal(start(rs, account, n++, 10, token), ERR_LIMIT);
	}
	assert_int_equal(n, RETRIEVALS_MAX + 4);
	assert_int_equal(start(rs, 5, n++, 10, token), ERR_LIMIT);
	/* Old ones make room. */
	assert_int_equal(
		start(rs, 5, n, RETRIEVAL_TTL_S * NS_PER_S + 10, token), 0);
	retrievals_free(rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_good_for_its_scope_and_an_hour),
		cmocka_unit_test(limits_are_of_an_account_and_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
