/* SPDX-License-Identifier: Apache-2.0 */
/* How long a client may take, and how many there may be: with limits of some
 * hundred milliseconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "collector/door/http.h"
#include "tests/unit/collector/talk.h"

#define REQUEST "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
#define LYING                   \
	"tests/fixtures/sigv4/" \
	"cloudwatch-jsv3cbor-PutMetricData-gzipbadlength.http"

enum { LIMIT_MS = 200, LONG_MS = 600000, MUCH = 32 << 20, HELD_MAX = 4 };

/* A listener, what it counted, and requests whose answer waits. */
struct bench {
	struct http *http;
	_Atomic uint64_t ended[CONNECTION_ENDS];
	struct request *held[HELD_MAX];
	_Atomic unsigned held_count;
};

static void answer(void *arg, struct request *r)
{
	struct bench *b = arg;

	if (sv_eq(r->path, SV("/held"))) {
		request_defer(r);
		b->held[b->held_count] = r;
		b->held_count++;
		return;
	}
	if (sv_eq(r->path, SV("/much"))) {
		memset(buf_grow(&r->reply, MUCH), 'x', MUCH);
		r->reply.len = MUCH;
		return;
	}
	buf_text(&r->reply, "here");
}

/* What is 0 in limits is so long that it never comes. */
static void start(struct bench *b, struct connections_options limits)
{
	struct http_options options = { .address = "127.0.0.1:0",
					.handler = answer,
					.arg = b,
					.connections = limits };
	struct connections_options *o = &options.connections;
	struct diag diag = { 0 };

	*b = (struct bench){ 0 };
	o->head_ms = o->head_ms ? o->head_ms : LONG_MS;
	o->body_ms = o->body_ms ? o->body_ms : LONG_MS;
	o->idle_ms = o->idle_ms ? o->idle_ms : LONG_MS;
	o->reader_ms = o->reader_ms ? o->reader_ms : LONG_MS;
	for (size_t i = 0; i < CONNECTION_ENDS; i++)
		o->ended[i] = &b->ended[i];
	assert_int_equal(http_start(&b->http, &options, &diag), 0);
}

/* Only this was counted, so often. */
static void expect_ended(struct bench *b, enum connection_end which,
			 uint64_t times)
{
	for (size_t i = 0; i < CONNECTION_ENDS; i++)
		assert_int_equal(b->ended[i], i == which ? times : 0);
}

static int caller(struct bench *b)
{
	return talk_connect(http_address(b->http));
}

static void ask(int fd)
{
	talk_send(fd, REQUEST);
	talk_expect(fd, " 200 ", "here");
}

/* A byte every 10 ms, until the connection is closed. */
static void dribble(int fd, const char *text)
{
	uint64_t begin = talk_ms();

	while (!talk_ended(fd)) {
		if (talk_ms() - begin > PATIENCE_MS)
			fail_msg("one byte at a time lives for ever");
		if (!talk_try(fd, *text ? text : "a", 1))
			break;
		text += *text != '\0';
		usleep(10000);
	}
	assert_true(talk_ms() - begin >= LIMIT_MS / 2);
}

static void test_slow_head(void **state)
{
	struct bench b;
	int silent, slow;

	(void)state;
	start(&b, (struct connections_options){ .head_ms = LIMIT_MS });
	silent = caller(&b);
	talk_expect_end(silent);
	expect_ended(&b, CONNECTION_END_HEAD, 1);
	slow = caller(&b);
	dribble(slow, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
	expect_ended(&b, CONNECTION_END_HEAD, 2);
	close(silent);
	close(slow);
	http_stop(b.http);
}

static void test_slow_body(void **state)
{
	struct bench b;
	int fd;

	(void)state;
	start(&b, (struct connections_options){ .body_ms = LIMIT_MS });
	fd = caller(&b);
	ask(fd); /* on a connection that has done well before */
	talk_send(fd, "POST / HTTP/1.1\r\nHost: x\r\n"
		      "Content-Length: 1000000\r\n\r\n");
	dribble(fd, "");
	expect_ended(&b, CONNECTION_END_BODY, 1);
	close(fd);
	fd = caller(&b);
	talk_send(fd, "POST / HTTP/1.1\r\nHost: x\r\n"
		      "Transfer-Encoding: chunked\r\n\r\nfffff\r\n");
	dribble(fd, "");
	expect_ended(&b, CONNECTION_END_BODY, 2);
	close(fd);
	http_stop(b.http);
}

/* As @aws-sdk has sent it: the length before compression, the body after. */
static void test_lying_length(void **state)
{
	char bytes[8192];
	struct bench b;
	int fd = open(LYING, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	n = read(fd, bytes, sizeof(bytes));
	close(fd);
	assert_true(n > 1000);
	start(&b, (struct connections_options){ .body_ms = LIMIT_MS });
	fd = caller(&b);
	assert_true(talk_try(fd, bytes, (size_t)n));
	talk_expect_end(fd);
	expect_ended(&b, CONNECTION_END_BODY, 1);
	close(fd);
	http_stop(b.http);
}

/* Who hangs up with a part of his body is not waited for. The last bytes and the
 * end come together, of which the library sees the bytes alone. */
static void test_hung_up(void **state)
{
	enum { CALLERS = 40 };
	const struct timespec pause = { 0, 20 * 1000000 };
	uint64_t until;
	struct bench b;

	(void)state;
	start(&b, (struct connections_options){ 0 });
	for (size_t i = 0; i < CALLERS; i++) {
		int fd = caller(&b);

		talk_send(fd, "POST /x HTTP/1.1\r\nHost: x\r\n"
			      "Content-Length: 100\r\n\r\n");
		nanosleep(&pause, NULL);
		talk_send(fd, "a part");
		close(fd);
	}
	/* And who says with his last request that there are no more. */
	for (size_t i = 0; i < CALLERS; i++) {
		int fd = caller(&b);

		talk_send(fd, REQUEST);
		talk_expect(fd, " 200 ", "here");
		talk_send(fd, REQUEST);
		shutdown(fd, SHUT_WR);
		talk_expect(fd, " 200 ", "here");
		close(fd);
	}
	until = talk_ms() + PATIENCE_MS;
	while (http_connections(b.http) && talk_ms() < until)
		nanosleep(&pause, NULL);
	assert_int_equal(http_connections(b.http), 0);
	for (size_t i = 0; i < CONNECTION_ENDS; i++)
		assert_int_equal(b.ended[i], 0);
	http_stop(b.http);
}

static void test_idle(void **state)
{
	struct bench b;
	int silent, slow;

	(void)state;
	start(&b, (struct connections_options){ .idle_ms = LIMIT_MS });
	silent = caller(&b);
	ask(silent);
	talk_expect_end(silent);
	expect_ended(&b, CONNECTION_END_IDLE, 1);
	slow = caller(&b);
	ask(slow);
	dribble(slow, "GET /");
	expect_ended(&b, CONNECTION_END_IDLE, 2);
	close(silent);
	close(slow);
	http_stop(b.http);
}

/* From the end of an answer to the end of the next head it has both limits,
 * the one after the other. */
static void test_idle_then_slow_head(void **state)
{
	struct bench b;
	int fd;

	(void)state;
	start(&b, (struct connections_options){ .head_ms = LIMIT_MS });
	fd = caller(&b);
	ask(fd);
	usleep(2 * LIMIT_MS * 1000); /* silence is another matter */
	talk_send(fd, "GET / HTTP/1.1\r\n");
	dribble(fd, "X-Slow: ");
	expect_ended(&b, CONNECTION_END_HEAD, 1);
	close(fd);
	http_stop(b.http);
}

static void test_slow_reader(void **state)
{
	struct bench b;
	char byte;
	int fd;

	(void)state;
	start(&b, (struct connections_options){ .reader_ms = LIMIT_MS });
	fd = caller(&b);
	talk_send(fd, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
	for (uint64_t begin = talk_ms(); !b.ended[CONNECTION_END_READER];) {
		if (talk_ms() - begin > PATIENCE_MS)
			fail_msg("a slow reader lives for ever");
		assert_int_equal(recv(fd, &byte, 1, 0), 1);
		usleep(10000);
	}
	talk_expect_end(fd);
	expect_ended(&b, CONNECTION_END_READER, 1);
	close(fd);
	http_stop(b.http);
}

static void wait_held(struct bench *b, unsigned count)
{
	for (uint64_t begin = talk_ms(); b->held_count < count;) {
		if (talk_ms() - begin > PATIENCE_MS)
			fail_msg("%u of %u are held", b->held_count, count);
		usleep(1000);
	}
}

static void let_go(struct bench *b, unsigned which)
{
	buf_text(&b->held[which]->reply, "late");
	request_send(b->held[which]);
}

/* What waits for us has no deadline. */
static void test_deferred(void **state)
{
	struct bench b;
	int fd;

	(void)state;
	start(&b, (struct connections_options){ .head_ms = LIMIT_MS,
						.body_ms = LIMIT_MS,
						.idle_ms = LIMIT_MS,
						.reader_ms = LIMIT_MS });
	fd = caller(&b);
	talk_send(fd, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_held(&b, 1);
	usleep(3 * LIMIT_MS * 1000);
	let_go(&b, 0);
	talk_expect(fd, " 200 ", "late");
	close(fd);
	http_stop(b.http);
}

/* Idle ones make place, the oldest first. */
static void test_crowded_by_idle(void **state)
{
	struct bench b;
	int fds[5];

	(void)state;
	start(&b, (struct connections_options){ .max = 4 });
	for (int i = 0; i < 4; i++) {
		fds[i] = caller(&b);
		ask(fds[i]);
		usleep(20000); /* more than a tick of the coarse clock */
	}
	ask(fds[0]); /* the second is the oldest now */
	assert_int_equal(http_connections(b.http), 4);
	fds[4] = caller(&b);
	ask(fds[4]);
	talk_expect_end(fds[1]);
	expect_ended(&b, CONNECTION_END_CROWDED, 1);
	ask(fds[0]);
	ask(fds[2]);
	ask(fds[3]);
	assert_int_equal(http_connections(b.http), 4);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	http_stop(b.http);
}

/* So do slow heads, and slow bodies. */
static void test_crowded_by_slow(void **state)
{
	struct bench b;
	int fds[4], newcomer;

	(void)state;
	start(&b, (struct connections_options){ .max = 4 });
	for (int i = 0; i < 4; i++) {
		fds[i] = caller(&b);
		talk_send(fds[i], i < 2 ? "GET / HT" :
					  "POST / HTTP/1.1\r\nHost: x\r\n"
					  "Content-Length: 9\r\n\r\nabc");
		usleep(20000);
	}
	newcomer = caller(&b);
	ask(newcomer);
	talk_expect_end(fds[0]);
	expect_ended(&b, CONNECTION_END_CROWDED, 1);
	/* Those that began are not disturbed. */
	talk_send(fds[2], "defghi");
	talk_expect(fds[2], " 200 ", "here");
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(newcomer);
	http_stop(b.http);
}

/* Those that wait for us do not: the newcomer goes. */
static void test_crowded_by_busy(void **state)
{
	struct bench b;
	int fds[2], newcomer;

	(void)state;
	start(&b, (struct connections_options){ .max = 2 });
	for (int i = 0; i < 2; i++) {
		fds[i] = caller(&b);
		talk_send(fds[i], "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
		wait_held(&b, (unsigned)i + 1);
	}
	newcomer = caller(&b);
	talk_expect_end(newcomer);
	expect_ended(&b, CONNECTION_END_CROWDED, 1);
	for (unsigned i = 0; i < 2; i++)
		let_go(&b, i);
	for (int i = 0; i < 2; i++) {
		talk_expect(fds[i], " 200 ", "late");
		close(fds[i]);
	}
	close(newcomer);
	http_stop(b.http);
}

static void test_client_cap(void **state)
{
	struct bench b;
	int fds[2], more;

	(void)state;
	start(&b, (struct connections_options){ .client_max = 2,
						.cap_loopback = true });
	for (int i = 0; i < 2; i++) {
		fds[i] = caller(&b);
		ask(fds[i]);
	}
	more = caller(&b);
	talk_expect_end(more);
	expect_ended(&b, CONNECTION_END_CLIENT_CAP, 1);
	close(more);
	close(fds[0]); /* makes place, once that is seen */
	for (uint64_t begin = talk_ms(); http_connections(b.http) > 1;)
		assert_true(talk_ms() - begin < PATIENCE_MS);
	more = caller(&b);
	ask(more);
	ask(fds[1]);
	expect_ended(&b, CONNECTION_END_CLIENT_CAP, 1);
	close(more);
	close(fds[1]);
	http_stop(b.http);
}

/* Loopback is exempt: a proxy may stand there. */
static void test_client_cap_loopback(void **state)
{
	struct bench b;
	int fds[3];

	(void)state;
	start(&b, (struct connections_options){ .client_max = 2 });
	for (int i = 0; i < 3; i++) {
		fds[i] = caller(&b);
		ask(fds[i]);
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	expect_ended(&b, CONNECTION_ENDS, 0);
	http_stop(b.http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_head),
		cmocka_unit_test(test_slow_body),
		cmocka_unit_test(test_lying_length),
		cmocka_unit_test(test_hung_up),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_idle_then_slow_head),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_crowded_by_idle),
		cmocka_unit_test(test_crowded_by_slow),
		cmocka_unit_test(test_crowded_by_busy),
		cmocka_unit_test(test_client_cap),
		cmocka_unit_test(test_client_cap_loopback),
	};

	return cmocka_run_group_tests_name("http_deadlines", tests, NULL, NULL);
}
