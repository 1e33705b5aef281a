/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "collector/door/network.h"

static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		a.ss_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
		a.ss_family = AF_INET6;
	}
	return a;
}

static void test_members(void **state)
{
	static const struct {
		const char *network, *address;
		bool in;
	} rows[] = {
		{ "10.1.0.0/16", "10.1.255.255", true },
		{ "10.1.0.0/16", "10.2.0.0", false },
		{ "10.1.0.0/16", "::ffff:10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.4", false },
		{ "10.1.2.128/25", "10.1.2.127", false },
		{ "10.1.2.128/25", "10.1.2.129", true },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "fd00::/8", "fdff::1", true },
		{ "fd00::/8", "fe00::1", false },
		{ "::/0", "2001:db8::1", true },
		/* loopback is always in */
		{ "10.1.0.0/16", "127.9.9.9", true },
		{ "10.1.0.0/16", "::1", true },
		{ "10.1.0.0/16", "::ffff:127.0.0.1", true },
		{ "10.1.0.0/16", "::2", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_storage a = address_of(rows[i].address);
		struct networks n = { .count = 0 };

		assert_int_equal(
			networks_add(&n, sv_from(rows[i].network), NULL), 0);
		if (networks_have(&n, (struct sockaddr *)&a) != rows[i].in)
			fail_msg("%s in %s", rows[i].address, rows[i].network);
	}
}

static void test_bad(void **state)
{
	static const char *const rows[] = {
		"",           "/8",           "10.0.0.0/33",
		"10.0.0.0/",  "10.0.0.0/-1",  "10.0.0/8",
		"10.0.0.1/8", "fd00::/129",   "fd00::1/64",
		"host/8",     "10.0.0.0/8/8",
	};
	struct networks n = { .count = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (networks_add(&n, sv_from(rows[i]), NULL) != ERR_INVALID)
			fail_msg("'%s' was taken", rows[i]);
	assert_int_equal(n.count, 0);
}

static void test_limit(void **state)
{
	struct networks n = { .count = 0 };

	(void)state;
	for (int i = 0; i < NETWORKS_MAX; i++)
		assert_int_equal(networks_add(&n, SV("10.0.0.0/8"), NULL), 0);
	assert_int_equal(networks_add(&n, SV("10.0.0.0/8"), NULL), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
