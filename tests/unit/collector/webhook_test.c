/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/alarms/webhook.h"

enum { ANSWERS_MAX = 8 };

/* The errand process, and what posts by it. Opened before the test has other
 * threads, as in the collector. */
static struct errand *errand;

static struct webhook *open_webhook(const struct webhook_options *options)
{
	const struct errand_options none = { .confine = CONFINE_OFF };
	struct webhook *w;
	struct diag diag;

	assert_int_equal(errand_start(&errand, &none, &diag), 0);
	assert_int_equal(errand_listen(errand, &diag), 0);
	assert_int_equal(webhook_open(&w, errand, options), 0);
	return w;
}

static void close_webhook(struct webhook *w)
{
	webhook_close(w);
	errand_close(errand);
	errand = NULL;
}

/* A receiver that answers with one status after the other. */
struct receiver {
	int fd;
	uint16_t port;
	int answers[ANSWERS_MAX];
	int count;
	char last[4096]; /* the last request, as it came */
	pthread_t thread;
};

static void answer(struct receiver *r, int client, int status)
{
	char text[128];
	size_t have = 0;
	int n;

	/* libcurl sends a small head and body at once or nearly so. */
	while (have < sizeof(r->last) - 1) {
		ssize_t got = read(client, r->last + have,
				   sizeof(r->last) - 1 - have);

		if (got <= 0)
			break;
		have += (size_t)got;
		r->last[have] = '\0';
		if (strstr(r->last, "}END"))
			break;
	}
	n = snprintf(text, sizeof(text),
		     "HTTP/1.1 %d x\r\nContent-Length: 0\r\n"
		     "Connection: close\r\n\r\n",
		     status);
	assert_int_equal(write(client, text, (size_t)n), n);
	close(client);
}

static void *receive(void *arg)
{
	struct receiver *r = arg;

	for (int i = 0; i < r->count; i++) {
		int client = accept(r->fd, NULL, NULL);

		if (client < 0)
			break;
		answer(r, client, r->answers[i]);
	}
	return NULL;
}

static void receiver_start(struct receiver *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(r->fd >= 0);
	assert_int_equal(bind(r->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(r->fd, 8), 0);
	assert_int_equal(getsockname(r->fd, (struct sockaddr *)&at, &size), 0);
	r->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&r->thread, NULL, receive, r), 0);
}

static void receiver_end(struct receiver *r)
{
	pthread_join(r->thread, NULL);
	close(r->fd);
}

static int post(struct webhook *w, uint16_t port, const char *body)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/hook", port);
	return webhook_post(w, sv_from(url), sv_from(body));
}

static struct webhook_stats settle(struct webhook *w)
{
	struct webhook_stats stats;

	for (int i = 0; i < 2000; i++) {
		webhook_stats(w, &stats);
		if (!stats.waiting)
			break;
		usleep(5000);
	}
	assert_int_equal(stats.waiting, 0);
	return stats;
}

static void test_posted(void **state)
{
	struct receiver r = { .answers = { 200 }, .count = 1 };
	struct webhook_stats stats;
	struct webhook *w = open_webhook(NULL);

	(void)state;
	receiver_start(&r);
	assert_int_equal(post(w, r.port, "{\"AlarmName\":\"a\"}END"), 0);
	stats = settle(w);
	assert_int_equal(stats.posted, 1);
	assert_int_equal(stats.retried, 0);
	close_webhook(w);
	receiver_end(&r);
	assert_non_null(strstr(r.last, "POST /hook HTTP/1.1"));
	assert_non_null(strstr(r.last, "Content-Type: application/json"));
	assert_non_null(strstr(r.last, "{\"AlarmName\":\"a\"}END"));
}

static void test_tried_again(void **state)
{
	const struct webhook_options options = { .backoff_ms = 10 };
	struct receiver r = { .answers = { 500, 302, 204 }, .count = 3 };
	struct webhook_stats stats;
	struct webhook *w = open_webhook(&options);

	(void)state;
	receiver_start(&r);
	assert_int_equal(post(w, r.port, "{}END"), 0);
	stats = settle(w);
	assert_int_equal(stats.posted, 1);
	assert_int_equal(stats.retried, 2);
	close_webhook(w);
	receiver_end(&r);
}

static void test_given_up(void **state)
{
	const struct webhook_options options = { .backoff_ms = 5, .tries = 3 };
	struct webhook_stats stats;
	struct webhook *w = open_webhook(&options);

	(void)state;
	/* Nobody listens there; and what is no URL of the web is not spoken. */
	assert_int_equal(post(w, 1, "{}"), 0);
	assert_int_equal(webhook_post(w, SV("file:///etc/passwd"), SV("{}")),
			 0);
	stats = settle(w);
	assert_int_equal(stats.given_up, 2);
	assert_int_equal(stats.retried, 4);
	assert_int_equal(stats.posted, 0);
	close_webhook(w);
}

static void test_limits(void **state)
{
	const struct webhook_options options = { .backoff_ms = 60000,
						 .queue_max = 2 };
	char *large = malloc(WEBHOOK_BODY_MAX + 1);
	struct webhook_stats stats;
	struct webhook *w = open_webhook(&options);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', WEBHOOK_BODY_MAX + 1);
	assert_int_equal(webhook_post(w, SV("http://127.0.0.1:1/"),
				      sv_make(large, WEBHOOK_BODY_MAX + 1)),
			 ERR_LIMIT);
	assert_int_equal(post(w, 1, "{}"), 0);
	assert_int_equal(post(w, 1, "{}"), 0);
	assert_int_equal(post(w, 1, "{}"), ERR_BUSY);
	webhook_stats(w, &stats);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(stats.waiting, 2);
	close_webhook(w); /* does not wait a minute */
	free(large);
}

/* A receiver that says nothing holds up what goes to it, in order, and nobody
 * else. */
static void test_slow_receiver(void **state)
{
	struct receiver silent = { .count = 0 };
	struct receiver r = { .answers = { 200, 200 }, .count = 2 };
	const struct webhook_options options = { .timeout_ms = 60000 };
	struct webhook *w = open_webhook(&options);
	struct webhook_stats stats;

	(void)state;
	receiver_start(&silent); /* its thread ends at once; the port stays */
	receiver_start(&r);
	assert_int_equal(post(w, silent.port, "{\"n\":1}END"), 0);
	assert_int_equal(post(w, silent.port, "{\"n\":2}END"), 0);
	assert_int_equal(post(w, r.port, "{\"n\":3}END"), 0);
	assert_int_equal(post(w, r.port, "{\"n\":4}END"), 0);
	receiver_end(&r); /* it has answered both */
	assert_non_null(strstr(r.last, "{\"n\":4}END"));
	for (int i = 0; i < 2000; i++) {
		webhook_stats(w, &stats);
		if (stats.posted == 2)
			break;
		usleep(5000);
	}
	assert_int_equal(stats.posted, 2);
	assert_int_equal(stats.waiting, 2);
	/* Now it listens no more, and what waits ends as the webhook does. */
	receiver_end(&silent);
	close_webhook(w);
}

/* The counters that are handed in. */
static void test_counted(void **state)
{
	_Atomic uint64_t sent = 0, failed = 0;
	const struct webhook_options options = {
		.tries = 1, .queue_max = 1, .sent = &sent, .failed = &failed
	};
	struct receiver r = { .answers = { 200 }, .count = 1 };
	struct webhook *w = open_webhook(&options);

	(void)state;
	receiver_start(&r);
	assert_int_equal(post(w, r.port, "{}END"), 0);
	settle(w);
	receiver_end(&r);
	assert_int_equal(post(w, r.port, "{}END"), 0);
	settle(w);
	close_webhook(w);
	assert_int_equal(sent, 1);
	assert_int_equal(failed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_posted),
		cmocka_unit_test(test_tried_again),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_slow_receiver),
		cmocka_unit_test(test_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
