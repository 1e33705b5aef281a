/* SPDX-License-Identifier: Apache-2.0 */
/* The feed against a server that is there, goes away and comes back. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/client/serve.h"
#include "tui/feed.h"

static void answer(struct server *s, const char *request, struct buf *out)
{
	(void)s;
	if (strstr(request, "/api/v1/functions "))
		serve_json(out, "200 OK", "{\"functions\":[{\"name\":\"f\"}]}");
	else if (strstr(request, "/api/v1/alarms "))
		serve_json(out, "200 OK", "{\"alarms\":[]}");
	else if (strstr(request, "/api/v1/traces?function=a%2Fb&limit=100 "))
		serve_json(out, "200 OK", "{\"traces\":[{\"id\":\"1\"}]}");
	else if (strstr(request, "/api/v1/traces/slow ")) {
		usleep(3000000);
	} else
		serve_json(out, "404 Not Found",
			   "{\"error\":{\"message\":\"no trace of it\"}}");
}

/* Waits until want(delivery) says yes; false after ten seconds. */
static bool wait_for(struct feed *f, struct delivery *d,
		     bool (*want)(const struct delivery *))
{
	for (int i = 0; i < 200; i++) {
		struct pollfd fd = { .fd = feed_fd(f), .events = POLLIN };

		poll(&fd, 1, 50);
		feed_take(f, d);
		if (want(d))
			return true;
		delivery_fini(d);
	}
	return false;
}

static bool has_functions(const struct delivery *d)
{
	return d->functions && !d->link.lost;
}

static bool has_traces(const struct delivery *d)
{
	return d->traces != NULL;
}

static bool is_refused(const struct delivery *d)
{
	return d->link.refused[0] && !d->link.lost;
}

static bool is_lost(const struct delivery *d)
{
	return d->link.lost;
}

static void test_comes_and_goes(void **state)
{
	struct question q = { .function = "a/b" };
	struct delivery d;
	struct server server;
	struct feed *f;
	struct diag diag;
	unsigned port;

	(void)state;
	serve_start(&server, answer, 0);
	port = server.port;
	assert_int_equal(feed_open(&f, env_posix(),
				   &(struct settings){ .endpoint = server.url },
				   100, &diag),
			 0);
	assert_true(wait_for(f, &d, has_functions));
	assert_int_equal(d.functions->count, 1);
	assert_true(d.link.heard > 0);
	delivery_fini(&d);
	feed_ask(f, &q);
	assert_true(wait_for(f, &d, has_traces));
	assert_true(sv_eq(d.traces->function, SV("a/b")));
	delivery_fini(&d);
	snprintf(q.trace, sizeof(q.trace), "gone");
	feed_ask(f, &q);
	assert_true(wait_for(f, &d, is_refused));
	assert_string_equal(d.link.refused, "no trace of it");
	delivery_fini(&d);

	serve_stop(&server);
	assert_true(wait_for(f, &d, is_lost));
	assert_true(d.link.lost_since >= d.link.heard);
	assert_non_null(strstr(d.link.text, "is tally-collector running?"));
	delivery_fini(&d);

	serve_start(&server, answer, port);
	feed_hurry(f);
	assert_true(wait_for(f, &d, has_functions));
	delivery_fini(&d);
	feed_close(f);
	serve_stop(&server);
}

/* Closing does not wait for an answer that is slow to come. */
static void test_close_is_quick(void **state)
{
	struct question q = { .trace = "slow" };
	struct instant before, after;
	struct server server;
	struct feed *f;
	struct diag diag;

	(void)state;
	serve_start(&server, answer, 0);
	assert_int_equal(feed_open(&f, env_posix(),
				   &(struct settings){ .endpoint = server.url },
				   1000, &diag),
			 0);
	feed_ask(f, &q);
	usleep(200000);
	before = env_mono(env_posix());
	feed_close(f);
	after = env_mono(env_posix());
	assert_true(after.ns - before.ns < 2 * (uint64_t)NS_PER_S);
	serve_stop(&server);
}

static void test_once(void **state)
{
	struct question q = { .function = "" };
	struct delivery d;
	struct server server;
	struct client *c;
	struct diag diag;

	(void)state;
	serve_start(&server, answer, 0);
	assert_int_equal(
		client_open(&c, &(struct settings){ .endpoint = server.url },
			    NULL, &diag),
		0);
	assert_int_equal(feed_once(c, env_posix(), &q, &d, &diag), 0);
	assert_non_null(d.functions);
	assert_non_null(d.alarms);
	delivery_fini(&d);
	serve_stop(&server);
	assert_int_equal(feed_once(c, env_posix(), &q, &d, &diag), ERR_CLOSED);
	delivery_fini(&d);
	client_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_close_is_quick),
		cmocka_unit_test(test_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
