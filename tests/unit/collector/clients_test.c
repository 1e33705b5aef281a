/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "collector/door/clients.h"

enum { MOST = 3, MANY = 1000 };

union any {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union any address(const char *text)
{
	union any a = { 0 };

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
	} else {
		a.v6.sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
	}
	return a;
}

static uint32_t take(struct clients *c, const char *text)
{
	union any a = address(text);

	return clients_take(c, &a.sa, MOST);
}

/* Rows of two addresses: whether they are one client. */
static void test_who_is_one(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "2001:db8::1", "2001:db8::2", true },
		{ "2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct clients *c = clients_new(MOST + 2);

		assert_non_null(c);
		for (int k = 0; k < MOST; k++)
			assert_int_not_equal(take(c, rows[i].a), CLIENT_NONE);
		assert_int_equal(take(c, rows[i].a), CLIENT_NONE);
		if ((take(c, rows[i].b) == CLIENT_NONE) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
		clients_free(c);
	}
}

/* Many come and go, in another order; the table is as empty as before. */
static void test_come_and_go(void **state)
{
	struct clients *c = clients_new(MANY);
	uint32_t handles[MANY];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			union any a = { .v4 = { .sin_family = AF_INET } };

			a.v4.sin_addr.s_addr = htonl(0x0a000000 + i / 2);
			handles[i] = clients_take(c, &a.sa, 2);
			assert_int_not_equal(handles[i], CLIENT_NONE);
			assert_true(i % 2 == 0 || handles[i] == handles[i - 1]);
		}
		for (uint32_t i = 0; i < MANY; i++)
			clients_drop(c, handles[(i * 7) % MANY]);
	}
	clients_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_one),
		cmocka_unit_test(test_come_and_go),
	};

	return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
