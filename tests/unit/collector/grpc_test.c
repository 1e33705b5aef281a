/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: what they are asked as, and what they get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/collector/grpc_server.h"

static struct h2_peer open_peer(struct server *s)
{
	return h2_open(grpc_address(s->grpc));
}

/* A whole call of a small message. */
static void call(struct h2_peer *p, uint32_t stream, const char *path)
{
	h2_call(p, stream, path, NULL, NULL);
	h2_message(p, stream, 0, 3, SV("abc"), H2_END_STREAM);
	h2_flush(p);
}

static void read_file(struct buf *out, const char *name)
{
	char path[256];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "tests/fixtures/otlp/%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	buf_reset(out);
	while ((c = getc(f)) != EOF)
		buf_char(out, (char)c);
	fclose(f);
}

/* --- good ones ------------------------------------------------------------------ */

static void one_connection_many_calls(void **state)
{
	struct server s = { 0 };
	struct h2_peer p;
	size_t answers = 0;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	/* Three at a time, their frames mixed. */
	for (uint32_t i = 1; i < 30; i += 6) {
		for (uint32_t k = i; k < i + 6; k += 2)
			h2_call(&p, k, ECHO, NULL, NULL);
		for (uint32_t k = i; k < i + 6; k += 2)
			h2_message(&p, k, 0, 6, SV("abc"), 0);
		for (uint32_t k = i; k < i + 6; k += 2)
			h2_frame(&p.out, NGHTTP2_DATA, H2_END_STREAM, k, "def",
				 3);
	}
	h2_flush(&p);
	while (answers < 15) {
		assert_true(h2_next(&p));
		if (p.type == NGHTTP2_DATA) {
			assert_int_equal(p.payload.len, 11);
			assert_memory_equal(p.payload.ptr, "\0\0\0\0\6abcdef",
					    11);
		}
		if (p.type == NGHTTP2_HEADERS && p.flags & H2_END_STREAM) {
			assert_string_equal(p.payload.ptr, "grpc-status: 0\n");
			answers++;
		}
	}
	assert_string_equal(s.path, "/echo");
	assert_int_equal(s.handled, 15);
	h2_close(&p);
	server_stop(&s);
}

static void an_empty_message_is_one(void **state)
{
	struct server s = { 0 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_call(&p, 1, ECHO, NULL, NULL);
	h2_message(&p, 1, 0, 0, SV(""), H2_END_STREAM);
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 0\n");
	/* One byte a frame, and with padding. */
	h2_call(&p, 3, ECHO, NULL, NULL);
	for (const char *c = "\0\0\0\0\2ab", *end = c + 7; c < end; c++)
		h2_frame(&p.out, NGHTTP2_DATA, 0, 3, c, 1);
	h2_frame(&p.out, NGHTTP2_DATA, H2_END_STREAM | NGHTTP2_FLAG_PADDED, 3,
		 "\3\0\0\0", 4);
	h2_flush(&p);
	h2_expect(&p, 3, "grpc-status: 0\n");
	assert_int_equal(s.body.len, 2);
	h2_close(&p);
	server_stop(&s);
}

/* What grpc-js sent in a whole conversation: three services, one of which has a
 * route here. */
static void a_recorded_client(void **state)
{
	static const char *const kinds[] = { "none", "gzip" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct server s = { 0 };
		struct buf bytes = { 0 };
		struct h2_peer p;
		char name[64];

		s.text = "";
		server_start(&s);
		p = open_peer(&s);
		snprintf(name, sizeof(name), "otel-grpc-%s-conn1-client.h2.bin",
			 kinds[i]);
		read_file(&bytes, name);
		assert_true(talk_try(p.fd, bytes.ptr, bytes.len));
		for (int n = 0; n < 3;) {
			h2_until(&p, NGHTTP2_HEADERS);
			n += p.flags & H2_END_STREAM;
		}
		assert_int_equal(s.handled, 3);
		assert_string_equal(
			s.path,
			"/api/grpc/opentelemetry.proto.collector.metrics.v1."
			"MetricsService/Export");
		snprintf(name, sizeof(name),
			 "otel-grpc-%s-Export-metrics.payload.bin", kinds[i]);
		read_file(&bytes, name);
		assert_int_equal(bytes.len, s.body.len);
		assert_memory_equal(bytes.ptr, s.body.ptr, bytes.len);
		buf_fini(&bytes);
		h2_expect_end(&p); /* it says goodbye */
		h2_close(&p);
		server_stop(&s);
	}
}

/* 8 MiB by windows of 256 KiB: it must open them again and again. */
static void the_largest_message(void **state)
{
	static char part[16384];
	struct server s = { .text = "" };
	struct h2_peer p;
	int64_t stream_window = 65535, window = 65535;
	size_t left = GRPC_MESSAGE_BYTES;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_call(&p, 1, ECHO, NULL, NULL);
	h2_message(&p, 1, 0, GRPC_MESSAGE_BYTES, SV(""), 0);
	stream_window -= 5;
	window -= 5;
	h2_flush(&p);
	while (left) {
		size_t n = left < sizeof(part) ? left : sizeof(part);

		if (stream_window >= (int64_t)n && window >= (int64_t)n) {
			left -= n;
			stream_window -= (int64_t)n;
			window -= (int64_t)n;
			h2_frame(&p.out, NGHTTP2_DATA, left ? 0 : H2_END_STREAM,
				 1, part, n);
			h2_flush(&p);
			continue;
		}
		assert_true(h2_next(&p));
		if (p.type == NGHTTP2_WINDOW_UPDATE && p.stream == 1)
			stream_window += h2_be32(&p, 0);
		else if (p.type == NGHTTP2_WINDOW_UPDATE)
			window += h2_be32(&p, 0);
		else if (p.type == NGHTTP2_SETTINGS && !(p.flags & H2_ACK))
			stream_window += GRPC_STREAM_WINDOW - 65535;
	}
	h2_expect(&p, 1, "grpc-status: 0\n");
	assert_int_equal(s.body.len, GRPC_MESSAGE_BYTES);
	h2_close(&p);
	server_stop(&s);
}

/* --- refusals ----------------------------------------------------------------------- */

/* What each is answered, and then an ordinary call by the same connection. */
static void refused(void **state)
{
	static const struct {
		const char *path, *name, *value; /* one more header */
		int flag;                        /* -1: no DATA */
		uint32_t length;
		const char *part;
		const char *want;
	} rows[] = {
		{ "/test.Echo/Other", NULL, NULL, 0, 3, "abc",
		  "grpc-status: 12\n" },
		{ ECHO, "grpc-encoding", "br", 0, 3, "abc",
		  "grpc-status: 12\n" },
		{ ECHO, "grpc-encoding", "br", 0, 3, "abc",
		  "grpc-accept-encoding: identity,gzip\n" },
		{ ECHO, "grpc-timeout", "10", 0, 3, "abc", "grpc-status: 3\n" },
		{ ECHO, NULL, NULL, 2, 3, "abc", "grpc-status: 3\n" },
		{ ECHO, NULL, NULL, 1, 3, "abc", "grpc-status: 3\n" },
		{ ECHO, NULL, NULL, 0, 3, "abcd", "grpc-status: 3\n" },
		{ ECHO, NULL, NULL, 0, 3, "ab", "grpc-status: 3\n" },
		{ ECHO, NULL, NULL, 0, 3, "", "grpc-status: 3\n" },
		{ ECHO, NULL, NULL, -1, 0, "", "grpc-status: 3\n" },
		{ ECHO, NULL, NULL, 0, GRPC_MESSAGE_BYTES + 1, "abc",
		  "grpc-status: 8\n" },
		{ ECHO, NULL, NULL, 0, 0xffffffff, "abc", "grpc-status: 8\n" },
	};
	struct server s = { 0 };
	struct h2_peer p;
	uint32_t stream = 1;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s.status = i ? 200 : 404; /* the door knows no such path */
		h2_call(&p, stream, rows[i].path, rows[i].name, rows[i].value);
		if (rows[i].flag < 0)
			h2_frame(&p.out, NGHTTP2_DATA, H2_END_STREAM, stream,
				 "", 0);
		else
			h2_message(&p, stream, (uint8_t)rows[i].flag,
				   rows[i].length, sv_from(rows[i].part),
				   H2_END_STREAM);
		h2_flush(&p);
		h2_expect(&p, stream, rows[i].want);
		if (!i)
			assert_string_equal(s.path,
					    "/api/grpc/test.Echo/Other");
		s.status = 200;
		call(&p, stream + 2, ECHO);
		h2_expect(&p, stream + 2, "grpc-status: 0\n");
		stream += 4;
	}
	assert_int_equal(s.counts[GRPC_COUNT_MESSAGE], 6);
	assert_int_equal(s.too_large, 2);
	h2_close(&p);
	server_stop(&s);
}

/* By a status of HTTP, since who asks so does not speak gRPC. */
static void no_grpc(void **state)
{
	static const struct {
		const char *method, *type, *want;
	} rows[] = {
		{ "GET", "application/grpc", ":status: 405\n" },
		{ "POST", "application/json", ":status: 415\n" },
		{ "POST", "application/grpc+json", ":status: 415\n" },
		{ "POST", "application/grpcx", ":status: 415\n" },
		{ "POST", "application/grpc; a=b", ":status: 200\n" },
		{ "POST", "application/grpc+proto", ":status: 200\n" },
	};
	struct server s = { 0 };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf block = { 0 };

		h2_header(&block, ":method", sv_from(rows[i].method));
		h2_header(&block, ":scheme", SV("http"));
		h2_header(&block, ":path", SV(ECHO));
		h2_header(&block, ":authority", SV("localhost"));
		h2_header(&block, "content-type", sv_from(rows[i].type));
		h2_frame(&p.out, NGHTTP2_HEADERS, H2_END_HEADERS, 2 * i + 1,
			 block.ptr, block.len);
		h2_message(&p, 2 * i + 1, 0, 1, SV("a"), H2_END_STREAM);
		h2_flush(&p);
		do {
			h2_until(&p, NGHTTP2_HEADERS);
		} while (!strstr(p.payload.ptr, ":status"));
		if (!strstr(p.payload.ptr, rows[i].want))
			fail_msg("row %u: %s", i, p.payload.ptr);
		buf_fini(&block);
	}
	h2_close(&p);
	server_stop(&s);
}

/* Admission is asked before a byte of the message is taken, and told how long
 * it is. */
static void refused_by_the_head(void **state)
{
	struct server s = { .refuse_heads = true,
			    .status = 503,
			    .retry_after_s = 1,
			    .text = "100 % full" };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_call(&p, 1, ECHO, NULL, NULL);
	h2_message(&p, 1, 0, 1 << 20, SV(""), 0);
	h2_flush(&p);
	h2_until(&p, NGHTTP2_HEADERS);
	assert_true(p.flags & H2_END_STREAM);
	assert_non_null(strstr(p.payload.ptr, "grpc-status: 14\n"));
	assert_non_null(strstr(p.payload.ptr, "grpc-message: 100 %25 full\n"));
	assert_non_null(strstr(p.payload.ptr, "grpc-status-details-bin: CA4S"));
	/* The rest is not wanted. */
	h2_until(&p, NGHTTP2_RST_STREAM);
	assert_int_equal(h2_be32(&p, 0), NGHTTP2_NO_ERROR);
	assert_int_equal(s.handled, 0);
	h2_close(&p);
	server_stop(&s);
}

static void statuses_of_the_handler(void **state)
{
	static const struct {
		unsigned status, retry_after_s;
		const char *want;
	} rows[] = {
		{ 400, 0, "grpc-status: 3\n" },
		{ 401, 0, "grpc-status: 16\n" },
		{ 403, 0, "grpc-status: 7\n" },
		{ 404, 0, "grpc-status: 12\n" },
		{ 429, 1, "grpc-status: 8\n" },
		{ 429, 1, "grpc-status-details-bin: " },
		{ 500, 0, "grpc-status: 13\n" },
		{ 503, 7, "grpc-status: 14\n" },
	};
	struct server s = { .text = "because" };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s.status = rows[i].status;
		s.retry_after_s = rows[i].retry_after_s;
		call(&p, 2 * i + 1, ECHO);
		h2_expect(&p, 2 * i + 1, rows[i].want);
		if (!s.retry_after_s)
			assert_null(strstr(p.payload.ptr, "details"));
	}
	h2_close(&p);
	server_stop(&s);
}

/* --- late ones ------------------------------------------------------------------------ */

static void a_call_that_waits(void **state)
{
	struct server s = { .defers = true };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	call(&p, 1, ECHO);
	call(&p, 3, ECHO);
	SERVER_WAIT(s.handled, 2);
	server_send(&s, 1);
	h2_expect(&p, 3, "grpc-status: 0\n");
	server_send(&s, 0);
	h2_expect(&p, 1, "grpc-status: 0\n");
	h2_close(&p);
	server_stop(&s);
}

/* The client is told when its time is over, and the handler ends in peace. */
static void the_clients_deadline(void **state)
{
	struct server s = { .defers = true };
	struct h2_peer p;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	h2_call(&p, 1, ECHO, "grpc-timeout", "50m");
	h2_message(&p, 1, 0, 3, SV("abc"), H2_END_STREAM);
	/* And one whose message does not come. */
	h2_call(&p, 3, ECHO, "grpc-timeout", "100m");
	h2_flush(&p);
	h2_expect(&p, 1, "grpc-status: 4\n");
	h2_expect(&p, 3, "grpc-status: 4\n");
	server_send(&s, 0);
	SERVER_WAIT(s.done, 1);
	assert_int_equal(s.counts[GRPC_COUNT_DEADLINE], 2);
	call(&p, 5, ECHO);
	SERVER_WAIT(s.handled, 2);
	server_send(&s, 1);
	h2_expect(&p, 5, "grpc-status: 0\n");
	h2_close(&p);
	server_stop(&s);
}

/* By its connection, or by a reset alone. */
static void the_client_goes_first(void **state)
{
	struct server s = { .defers = true };
	struct h2_peer p, q;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	q = open_peer(&s);
	call(&p, 1, ECHO);
	SERVER_WAIT(s.handled, 1);
	call(&q, 1, ECHO);
	SERVER_WAIT(s.handled, 2);
	h2_frame(&q.out, NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x08", 4);
	h2_flush(&q);
	h2_close(&p);
	for (int i = 0; grpc_connections(s.grpc) > 1; i++) {
		assert_true(i < PATIENCE_MS);
		usleep(1000);
	}
	server_send(&s, 0);
	server_send(&s, 1);
	SERVER_WAIT(s.done, 2);
	call(&q, 3, ECHO);
	SERVER_WAIT(s.handled, 3);
	server_send(&s, 2);
	h2_expect(&q, 3, "grpc-status: 0\n");
	h2_close(&q);
	server_stop(&s);
}

static void *stop_main(void *arg)
{
	struct server *s = arg;

	server_stop(s);
	return NULL;
}

/* What is under way is answered, what comes then is told to go. */
static void stopping(void **state)
{
	struct server s = { .defers = true };
	struct h2_peer p;
	pthread_t thread;

	(void)state;
	server_start(&s);
	p = open_peer(&s);
	call(&p, 1, ECHO);
	h2_call(&p, 3, ECHO, NULL, NULL);
	h2_flush(&p);
	SERVER_WAIT(s.handled, 1);
	assert_int_equal(pthread_create(&thread, NULL, stop_main, &s), 0);
	h2_expect_goaway(&p, NGHTTP2_NO_ERROR);
	h2_message(&p, 3, 0, 3, SV("abc"), H2_END_STREAM);
	h2_flush(&p);
	h2_expect(&p, 3, "grpc-status: 14\n");
	server_send(&s, 0);
	h2_expect(&p, 1, "grpc-status: 0\n");
	h2_expect_end(&p);
	pthread_join(thread, NULL);
	h2_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_connection_many_calls),
		cmocka_unit_test(an_empty_message_is_one),
		cmocka_unit_test(a_recorded_client),
		cmocka_unit_test(the_largest_message),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_grpc),
		cmocka_unit_test(refused_by_the_head),
		cmocka_unit_test(statuses_of_the_handler),
		cmocka_unit_test(a_call_that_waits),
		cmocka_unit_test(the_clients_deadline),
		cmocka_unit_test(the_client_goes_first),
		cmocka_unit_test(stopping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
