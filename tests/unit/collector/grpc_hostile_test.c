/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that mean harm, or are broken: each limit is hit, what is counted is
 * there, and another client is served all the while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/collector/grpc_server.h"

enum { CALM = NGHTTP2_ENHANCE_YOUR_CALM };

static struct h2_peer open_peer(struct server *s)
{
	return h2_open(grpc_address(s->grpc));
}

static void call(struct h2_peer *p, uint32_t stream)
{
	h2_call(p, stream, ECHO, NULL, NULL);
	h2_message(p, stream, 0, 3, SV("abc"), H2_END_STREAM);
}

/* Somebody else is served. */
static void expect_service(struct server *s)
{
	struct h2_peer p = open_peer(s);

	call(&p, 1);
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 0\n");
	h2_close(&p);
}

/* --- headers ---------------------------------------------------------------------- */

/* Too much of it is read, none of it kept, and the connection goes on. */
static void too_many_headers(void **state)
{
	struct server s = { 0 };
	struct h2_peer p;
	struct buf block = { 0 };

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_request_headers(&block, ECHO);
	for (int i = 0; i < GRPC_HEADERS_MAX; i++)
		h2_header(&block, "x", SV("y"));
	h2_frame(&p.out, NGHTTP2_HEADERS, H2_END_HEADERS, 1, block.ptr,
		 block.len);
	buf_reset(&block);
	h2_request_headers(&block, ECHO);
	for (int i = 0; i < 5; i++) {
		char text[4000];

		memset(text, 'a', sizeof(text));
		h2_header(&block, "x", sv_make(text, sizeof(text)));
	}
	h2_frame(&p.out, NGHTTP2_HEADERS, 0, 3, block.ptr, 16000);
	h2_frame(&p.out, NGHTTP2_CONTINUATION, H2_END_HEADERS, 3,
		 block.ptr + 16000, block.len - 16000);
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 8\n");
	h2_expect(&p, 3, "grpc-status: 8\n");
	call(&p, 5);
	h2_flush(&p);
	h2_expect(&p, 5, "grpc-status: 0\n");
	assert_int_equal(s.counts[GRPC_COUNT_HEADERS], 2);
	assert_int_equal(s.heads, 1);
	buf_fini(&block);
	h2_close(&p);
	server_stop(&s);
}

/* One entry of 4,000 bytes in the table, then a byte for each copy of it: 16 KB
 * that are 64 MB. */
static void hpack_bomb(void **state)
{
	struct server s = { 0 };
	struct h2_peer p;
	struct buf block = { 0 };
	char text[4000];

	(void)state;
	memset(text, 'a', sizeof(text));
	server_start(&s);
	p = open_peer(&s);
	h2_request_headers(&block, ECHO);
	buf_char(&block, 0x40); /* literal, and into the table */
	h2_text(&block, SV("x"));
	h2_text(&block, sv_make(text, sizeof(text)));
	while (block.len < 16000)
		buf_char(&block, (char)(0x80 | 62));
	h2_frame(&p.out, NGHTTP2_HEADERS, H2_END_HEADERS, 1, block.ptr,
		 block.len);
	h2_flush(&p);
	h2_until(&p, NGHTTP2_RST_STREAM);
	assert_true(atomic_load(&s.used) < 64 << 10);
	call(&p, 3);
	h2_flush(&p);
	h2_expect(&p, 3, "grpc-status: 0\n");
	buf_fini(&block);
	h2_close(&p);
	server_stop(&s);
}

/* CONTINUATION after CONTINUATION, empty ones or not. */
static void endless_headers(void **state)
{
	(void)state;
	for (int empty = 0; empty < 2; empty++) {
		struct server s = { 0 };
		struct h2_peer p;
		struct buf block = { 0 };

		server_start(&s);
		p = open_peer(&s);
		h2_request_headers(&block, ECHO);
		h2_frame(&p.out, NGHTTP2_HEADERS, 0, 1, block.ptr, block.len);
		buf_reset(&block);
		h2_header(&block, "x", SV("yyyyyyyyyyyyyyyyyyyy"));
		for (int i = 0; i < 1000; i++)
			h2_frame(&p.out, NGHTTP2_CONTINUATION, 0, 1, block.ptr,
				 empty ? 0 : block.len);
		h2_try_flush(&p);
		h2_expect_end(&p);
		expect_service(&s);
		assert_true(atomic_load(&s.counts[GRPC_COUNT_PROTOCOL]) +
				    atomic_load(&s.counts[GRPC_COUNT_FLOOD]) >
			    0);
		buf_fini(&block);
		h2_close(&p);
		server_stop(&s);
	}
}

/* Headers that stop in the middle. */
static void slow_headers(void **state)
{
	struct server s = { .options.connections.head_ms = 100 };
	struct h2_peer p;
	struct buf block = { 0 };

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_request_headers(&block, ECHO);
	h2_frame(&p.out, NGHTTP2_HEADERS, 0, 1, block.ptr, block.len);
	h2_flush(&p);
	h2_expect_goaway(&p, CALM);
	h2_expect_end(&p);
	expect_service(&s);
	buf_fini(&block);
	h2_close(&p);
	server_stop(&s);
}

/* --- time ---------------------------------------------------------------------------- */

static void nothing_at_all(void **state)
{
	struct server s = { .options.connections.head_ms = 100 };
	struct h2_peer p;
	int fd;

	(void)state;
	server_start(&s);
	fd = talk_connect(grpc_address(s.grpc));
	talk_send(fd, "PRI * HTTP/2.0\r\n");
	talk_expect_end(fd);
	close(fd);
	assert_int_equal(s.ended[CONNECTION_END_HEAD], 1);
	p = open_peer(&s); /* and one that has begun is idle */
	h2_flush(&p);
	h2_until(&p, NGHTTP2_SETTINGS);
	usleep(300000);
	call(&p, 1);
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 0\n");
	h2_close(&p);
	server_stop(&s);
}

static void slow_message(void **state)
{
	struct server s = { .options.connections.body_ms = 100 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_call(&p, 1, ECHO, NULL, NULL);
	h2_message(&p, 1, 0, 100, SV("abc"), 0);
	h2_flush(&p);
	/* Whichever is first: the call's own end, or the connection's. */
	while (h2_next(&p) && p.type != NGHTTP2_HEADERS)
		continue;
	assert_true(p.type != NGHTTP2_HEADERS ||
		    strstr(p.payload.ptr, "grpc-status: 4\n"));
	SERVER_WAIT(s.done, 1);
	expect_service(&s);
	h2_close(&p);
	server_stop(&s);
}

static void idle(void **state)
{
	struct server s = { .options.connections.idle_ms = 100 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	call(&p, 1);
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 0\n");
	h2_expect_goaway(&p, NGHTTP2_NO_ERROR);
	h2_expect_end(&p);
	h2_close(&p);
	server_stop(&s);
}

/* No window for the answer: the call is given up, the connection is not. */
static void window_of_zero(void **state)
{
	static const char zero[] = "\0\4\0\0\0\0";
	struct server s = { .options.connections.reader_ms = 100 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_frame(&p.out, NGHTTP2_SETTINGS, 0, 0, zero, 6);
	call(&p, 1);
	h2_flush(&p);
	h2_until(&p, NGHTTP2_RST_STREAM);
	assert_int_equal(h2_be32(&p, 0), NGHTTP2_CANCEL);
	assert_int_equal(s.counts[GRPC_COUNT_READER], 1);
	h2_call(&p, 3, ECHO, "grpc-encoding", "br");
	h2_flush(&p);
	h2_expect(&p, 3, "grpc-status: 12\n"); /* headers need no window */
	h2_close(&p);
	server_stop(&s);
}

/* --- floods -------------------------------------------------------------------------- */

/* Frames that carry nothing, each kind by itself. */
static void floods(void **state)
{
	static const struct {
		uint8_t type, flags;
		uint32_t stream;
		const char *payload;
		size_t n;
	} kinds[] = {
		{ NGHTTP2_PING, 0, 0, "12345678", 8 },
		{ NGHTTP2_PING, H2_ACK, 0, "12345678", 8 },
		{ NGHTTP2_SETTINGS, 0, 0, "", 0 },
		{ NGHTTP2_PRIORITY, 0, 9, "\0\0\0\0\1", 5 },
		{ NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4 },
		{ NGHTTP2_DATA, 0, 1, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct server s = { 0 };
		struct h2_peer p;

		server_start(&s);
		p = open_peer(&s);
		h2_call(&p, 1, ECHO, NULL, NULL);
		for (int n = 0; n < 2 * GRPC_CONTROL_BURST; n++)
			h2_frame(&p.out, kinds[i].type, kinds[i].flags,
				 kinds[i].stream, kinds[i].payload, kinds[i].n);
		h2_try_flush(&p);
		h2_expect_end(&p);
		expect_service(&s);
		assert_int_equal(s.counts[GRPC_COUNT_FLOOD], 1);
		h2_close(&p);
		server_stop(&s);
	}
}

/* As many as are no flood are answered. */
static void a_few_pings(void **state)
{
	struct server s = { 0 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	for (int n = 0; n < GRPC_CONTROL_BURST / 2; n++)
		h2_frame(&p.out, NGHTTP2_PING, 0, 0, "12345678", 8);
	h2_flush(&p);
	for (int n = 0; n < GRPC_CONTROL_BURST / 2; n++)
		h2_until(&p, NGHTTP2_PING);
	call(&p, 1);
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 0\n");
	h2_close(&p);
	server_stop(&s);
}

/* A call and its reset, over and over (CVE-2023-44487). */
static void rapid_reset(void **state)
{
	struct server s = { .defers = true };
	struct h2_peer p;
	int handled;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	for (uint32_t i = 0; i < 2 * GRPC_RESETS_BURST; i++) {
		call(&p, 2 * i + 1);
		h2_frame(&p.out, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08",
			 4);
	}
	h2_try_flush(&p);
	h2_expect_end(&p);
	assert_int_equal(s.counts[GRPC_COUNT_RESETS], 1);
	/* Those that the handler has still are limited as well. */
	handled = atomic_load(&s.handled);
	assert_in_range(handled, 1, 2 * GRPC_STREAMS_MAX);
	assert_true(atomic_load(&s.counts[GRPC_COUNT_STREAMS]) > 0);
	for (int i = 0; i < handled; i++)
		server_send(&s, (size_t)i);
	s.defers = false;
	expect_service(&s);
	h2_close(&p);
	server_stop(&s);
}

/* Before it can know how many it may have. */
static void a_thousand_streams(void **state)
{
	struct server s = { 0 };
	struct h2_peer p;
	int refused = 0;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	for (uint32_t i = 0; i < 1000; i++)
		h2_call(&p, 2 * i + 1, ECHO, NULL, NULL);
	h2_flush(&p);
	while (refused < 1000 - GRPC_STREAMS_MAX) {
		h2_until(&p, NGHTTP2_RST_STREAM);
		assert_int_equal(h2_be32(&p, 0), NGHTTP2_REFUSED_STREAM);
		refused++;
	}
	/* The first of them go on. */
	h2_message(&p, 1, 0, 3, SV("abc"), H2_END_STREAM);
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 0\n");
	assert_int_equal(s.counts[GRPC_COUNT_STREAMS], 1000 - GRPC_STREAMS_MAX);
	h2_close(&p);
	server_stop(&s);
}

/* It sends what has to be answered and never reads. */
static void reads_nothing(void **state)
{
	struct server s = { .options.connections.reader_ms = 300 };
	struct h2_peer p;
	int few = 4096;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	setsockopt(p.fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
	for (uint32_t i = 0;; i++) {
		h2_call(&p, 2 * i + 1, ECHO, "grpc-encoding", "br");
		if (p.out.len > 16000 && !h2_try_flush(&p))
			break;
		if (i == 4000000)
			fail_msg("it takes calls without end");
	}
	expect_service(&s);
	h2_close(&p);
	server_stop(&s);
}

static void no_http2(void **state)
{
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r",
		"\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03\x01\x01\x01\x01\x01"
		"\x01\x01\x01\x01\x01",
	};
	struct server s = { 0 };

	(void)state;
	server_start(&s);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = talk_connect(grpc_address(s.grpc));

		talk_send(fd, texts[i]);
		talk_expect_end(fd);
		close(fd);
	}
	assert_int_equal(s.counts[GRPC_COUNT_PROTOCOL], 3);
	expect_service(&s);
	server_stop(&s);
}

/* --- how many, and how much --------------------------------------------------------------- */

static void connections_of_one_client(void **state)
{
	struct server s = { .options.connections = { .cap_loopback = true,
						     .client_max = 2 } };
	struct h2_peer p[3];

	(void)state;
	server_start(&s);
	for (size_t i = 0; i < 3; i++) {
		p[i] = open_peer(&s);
		call(&p[i], 1);
		h2_try_flush(&p[i]);
		if (i < 2)
			h2_expect(&p[i], 1, "grpc-status: 0\n");
		else
			h2_expect_end(&p[i]);
	}
	assert_int_equal(s.ended[CONNECTION_END_CLIENT_CAP], 1);
	for (size_t i = 0; i < 3; i++)
		h2_close(&p[i]);
	server_stop(&s);
}

/* A newcomer takes the place of one that is idle. */
static void all_connections(void **state)
{
	struct server s = { .options.connections.max = 2 };
	struct h2_peer p[3];

	(void)state;
	server_start(&s);
	for (size_t i = 0; i < 3; i++) {
		p[i] = open_peer(&s);
		call(&p[i], 1);
		h2_flush(&p[i]);
		h2_expect(&p[i], 1, "grpc-status: 0\n");
	}
	h2_expect_end(&p[0]);
	assert_int_equal(s.ended[CONNECTION_END_CROWDED], 1);
	for (size_t i = 0; i < 3; i++)
		h2_close(&p[i]);
	server_stop(&s);
}

/* What is announced counts, and what has no room is UNAVAILABLE. */
static void announced_messages(void **state)
{
	struct server s = { .options.bodies_max = 1 << 20 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_call(&p, 1, ECHO, NULL, NULL);
	h2_message(&p, 1, 0, 900 << 10, SV(""), 0);
	h2_call(&p, 3, ECHO, NULL, NULL);
	h2_message(&p, 3, 0, 900 << 10, SV(""), 0);
	h2_flush(&p);
	h2_expect(&p, 3, "grpc-status: 14\n");
	assert_int_equal(s.shed_bodies, 1);
	assert_true(atomic_load(&s.used) >= 900 << 10);
	h2_frame(&p.out, NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x08", 4);
	call(&p, 5);
	h2_flush(&p);
	h2_expect(&p, 5, "grpc-status: 0\n");
	h2_close(&p);
	server_stop(&s);
}

/* A stream needs memory as well. */
static void no_memory_for_streams(void **state)
{
	struct server s = { .options.bodies_max = 64 << 10 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	for (uint32_t i = 0; i < GRPC_STREAMS_MAX; i++)
		h2_call(&p, 2 * i + 1, ECHO, NULL, NULL);
	h2_flush(&p);
	h2_until(&p, NGHTTP2_RST_STREAM);
	assert_int_equal(h2_be32(&p, 0), NGHTTP2_REFUSED_STREAM);
	SERVER_WAIT(s.shed_bodies, 1);
	h2_close(&p);
	server_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_headers),
		cmocka_unit_test(hpack_bomb),
		cmocka_unit_test(endless_headers),
		cmocka_unit_test(slow_headers),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(slow_message),
		cmocka_unit_test(idle),
		cmocka_unit_test(window_of_zero),
		cmocka_unit_test(floods),
		cmocka_unit_test(a_few_pings),
		cmocka_unit_test(rapid_reset),
		cmocka_unit_test(a_thousand_streams),
		cmocka_unit_test(reads_nothing),
		cmocka_unit_test(no_http2),
		cmocka_unit_test(connections_of_one_client),
		cmocka_unit_test(all_connections),
		cmocka_unit_test(announced_messages),
		cmocka_unit_test(no_memory_for_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
