/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/door/grpc_status.h"

static void timeouts(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{ "9971m", 9971 }, { "10S", 10000 },
		{ "1M", 60000 },   { "99999999H", 359999996400000 },
		{ "0m", 0 },       { "1n", 1 },
		{ "1u", 1 },       { "1000u", 1 },
		{ "1001u", 2 },    { "99999999n", 100 },
	};
	static const char *const bad[] = {
		"",     "m",    "10",         "10s", "1.5S",  "-1S",
		"10 S", "10SS", "123456789m", "+1S", "0x10S", "10\n"
	};
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ms = 0;
		assert_true(grpc_timeout_parse(sv_from(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(grpc_timeout_parse(sv_from(bad[i]), &ms));
}

static void messages(void **state)
{
	char longest[GRPC_MESSAGE_MAX + 8];
	struct buf out = { 0 };

	(void)state;
	grpc_message_put(&out, SV("50 % of \"it\"\n\x7f\xc3\xa4~"));
	assert_string_equal(out.ptr, "50 %25 of \"it\"%0A%7F%C3%A4~");
	buf_reset(&out);
	/* The character that would be cut goes as a whole. */
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + GRPC_MESSAGE_MAX - 1, "\xc3\xa4", 2);
	grpc_message_put(&out, sv_make(longest, sizeof(longest)));
	assert_int_equal(out.len, GRPC_MESSAGE_MAX - 1);
	buf_fini(&out);
}

/* Made by hand from the three messages of google.rpc; no padding. */
static void details(void **state)
{
	struct buf out = { 0 };

	(void)state;
	grpc_details_put(&out, RPC_UNAVAILABLE, SV("busy"), 1);
	assert_string_equal(
		out.ptr, "CA4SBGJ1c3kaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUu"
			 "cnBjLlJldHJ5SW5mbxIECgIIAQ");
	buf_fini(&out);
}

static void statuses(void **state)
{
	static const struct {
		unsigned http;
		enum rpc_code grpc;
	} rows[] = {
		{ 200, RPC_OK },
		{ 400, RPC_INVALID_ARGUMENT },
		{ 401, RPC_UNAUTHENTICATED },
		{ 403, RPC_PERMISSION_DENIED },
		{ 404, RPC_UNIMPLEMENTED },
		{ 413, RPC_RESOURCE_EXHAUSTED },
		{ 422, RPC_INVALID_ARGUMENT },
		{ 429, RPC_RESOURCE_EXHAUSTED },
		{ 500, RPC_INTERNAL },
		{ 503, RPC_UNAVAILABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(grpc_status_of_http(rows[i].http),
				 rows[i].grpc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timeouts),
		cmocka_unit_test(messages),
		cmocka_unit_test(details),
		cmocka_unit_test(statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
