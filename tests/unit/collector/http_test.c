/* SPDX-License-Identifier: Apache-2.0 */
/* The door itself: what it does with requests that are still under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "collector/door/http.h"
#include "tests/unit/collector/talk.h"

enum { SLOW_US = 300000 };

static const char REQUEST[] = "POST /x HTTP/1.1\r\nHost: x\r\n"
			      "Content-Length: 3\r\n\r\nabc";

static void ask(int fd)
{
	talk_send(fd, REQUEST);
}

static struct http *start(http_handler_fn *handler, void *arg)
{
	const struct http_options options = { .address = "127.0.0.1:0",
					      .handler = handler,
					      .arg = arg };
	struct diag diag = { 0 };
	struct http *h;

	assert_int_equal(http_start(&h, &options, &diag), 0);
	return h;
}

/* Answers late, as the journal's thread does. */
struct late {
	struct request *_Atomic request;
	pthread_t thread;
	bool slow_handler; /* it is slow before it defers, not after */
	_Atomic bool sent;
	_Atomic int answered;
};

static void *late_main(void *arg)
{
	struct late *l = arg;

	if (!l->slow_handler)
		usleep(SLOW_US);
	buf_text(&l->request->reply, "late");
	atomic_store(&l->sent, true);
	request_send(l->request);
	return NULL;
}

static void late_handler(void *arg, struct request *r)
{
	struct late *l = arg;

	l->request = r;
	if (l->slow_handler)
		usleep(SLOW_US);
	request_defer(r);
	assert_int_equal(pthread_create(&l->thread, NULL, late_main, l), 0);
}

static void stop_while_late(bool slow_handler)
{
	struct late l = { .slow_handler = slow_handler };
	struct http *h = start(late_handler, &l);
	char text[512] = "";
	int fd = talk_connect(http_address(h));

	ask(fd);
	while (!l.request)
		usleep(1000);
	http_quiesce(h);
	http_settle(h);
	assert_true(l.sent);
	usleep(50000); /* for the reply to go out */
	http_stop(h);
	pthread_join(l.thread, NULL);
	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(strstr(text, "HTTP/1.1 200"));
	assert_non_null(strstr(text, "late"));
	close(fd);
}

/* A request that waits for the journal while the collector stops is answered,
 * however long the disk takes: libmicrohttpd ends the process where one is
 * left. */
static void test_stop_while_deferred(void **state)
{
	(void)state;
	stop_while_late(false);
}

static void test_stop_while_handled(void **state)
{
	(void)state;
	stop_while_late(true);
}

/* Who hangs up before he is answered is answered all the same, as far as the
 * audit log is concerned: what he asked for is done. */

static void count_answered(void *arg, struct request *r)
{
	struct late *l = arg;

	assert_int_equal(r->status, 200);
	atomic_fetch_add(&l->answered, 1);
}

static void test_hung_up_while_deferred(void **state)
{
	const struct linger reset = { .l_onoff = 1 };
	struct late l = { .slow_handler = false };
	const struct http_options options = { .address = "127.0.0.1:0",
					      .handler = late_handler,
					      .answered = count_answered,
					      .arg = &l };
	struct diag diag = { 0 };
	struct http *h;
	int fd;

	(void)state;
	assert_int_equal(http_start(&h, &options, &diag), 0);
	fd = talk_connect(http_address(h));
	ask(fd);
	while (!l.request)
		usleep(1000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	http_stop(h);
	pthread_join(l.thread, NULL);
	assert_int_equal(l.answered, 1);
}

/* Many bodies at once: what is over the limit is not kept, and told so. */

static void at_once(void *arg, struct request *r)
{
	(void)arg;
	buf_format(&r->reply, "%zu bytes", r->body.len);
}

static void test_bodies_limit(void **state)
{
	_Atomic uint64_t shed = 0, too_large = 0;
	const struct http_options options = { .address = "127.0.0.1:0",
					      .handler = at_once,
					      .bodies_max = 8,
					      .shed_bodies = &shed,
					      .too_large = &too_large };
	struct diag diag = { 0 };
	struct http *h;
	int first, second;

	(void)state;
	assert_int_equal(http_start(&h, &options, &diag), 0);
	first = talk_connect(http_address(h));
	second = talk_connect(http_address(h));
	talk_send(first, "POST / HTTP/1.1\r\nHost: x\r\n"
			 "Content-Length: 8\r\n\r\n123456");
	usleep(100000); /* it is there now, and waits for the rest */
	ask(second);
	talk_expect(second, " 503 ", "Retry-After: 1");
	assert_int_equal(shed, 1);
	talk_send(first, "78");
	talk_expect(first, " 200 ", "8 bytes");
	ask(second); /* there is room again */
	talk_expect(second, " 200 ", "3 bytes");
	/* Too large: read to its end first, so that the answer is heard. */
	talk_send(first, "POST / HTTP/1.1\r\nHost: x\r\n"
			 "Content-Length: 8388609\r\n\r\n");
	talk_send_zeros(first, HTTP_BODY_MAX + 1);
	talk_expect(first, " 413 ", "RequestTooLarge");
	assert_int_equal(too_large, 1);
	/* Beyond reason, or where the client waits to be told: at once. */
	talk_send(first, "POST / HTTP/1.1\r\nHost: x\r\n"
			 "Content-Length: 8388609\r\n"
			 "Expect: 100-continue\r\n\r\n");
	talk_expect(first, " 413 ", "RequestTooLarge");
	talk_send(second, "POST / HTTP/1.1\r\nHost: x\r\n"
			  "Content-Length: 99999999999\r\n\r\n");
	talk_expect(second, " 413 ", "RequestTooLarge");
	assert_int_equal(too_large, 3);
	assert_int_equal(shed, 1);
	close(first);
	close(second);
	http_stop(h);
}

/* Answers: one that does not fit is no answer, and slow readers cannot make
 * the door hold more than its share. */

enum { MUCH = 16 << 20, PIECE = 64 << 10 };

static void add_bytes(struct request *r, size_t n)
{
	char piece[PIECE];

	memset(piece, 'x', sizeof(piece));
	for (size_t at = 0; at < n; at += sizeof(piece))
		buf_add(&r->reply, piece, sizeof(piece));
}

static void too_much(void *arg, struct request *r)
{
	(void)arg;
	add_bytes(r, HTTP_REPLY_MAX + 1);
}

static void much(void *arg, struct request *r)
{
	(void)arg;
	add_bytes(r, MUCH);
}

static void test_answer_too_large(void **state)
{
	_Atomic uint64_t shed = 0;
	const struct http_options options = { .address = "127.0.0.1:0",
					      .handler = too_much,
					      .shed_replies = &shed };
	struct diag diag = { 0 };
	struct http *h;
	int fd;

	(void)state;
	assert_int_equal(http_start(&h, &options, &diag), 0);
	fd = talk_connect(http_address(h));
	ask(fd);
	talk_expect(fd, " 400 ", "ResponseTooLarge");
	assert_int_equal(shed, 1);
	close(fd);
	http_stop(h);
}

static void test_slow_readers(void **state)
{
	_Atomic uint64_t shed = 0;
	const struct http_options options = { .address = "127.0.0.1:0",
					      .handler = much,
					      .replies_max = 3 * MUCH / 2,
					      .shed_replies = &shed };
	struct diag diag = { 0 };
	struct http *h;
	int slow, other;

	(void)state;
	assert_int_equal(http_start(&h, &options, &diag), 0);
	slow = talk_connect(http_address(h));
	other = talk_connect(http_address(h));
	ask(slow);
	usleep(100000);
	ask(other);
	talk_expect(other, " 503 ", "Retry-After: 1");
	assert_int_equal(shed, 1);
	close(slow);
	usleep(100000);
	ask(other);
	talk_expect(other, " 200 ", "");
	assert_int_equal(shed, 1);
	close(other);
	http_stop(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_while_deferred),
		cmocka_unit_test(test_stop_while_handled),
		cmocka_unit_test(test_hung_up_while_deferred),
		cmocka_unit_test(test_bodies_limit),
		cmocka_unit_test(test_answer_too_large),
		cmocka_unit_test(test_slow_readers),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
