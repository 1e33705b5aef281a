/* SPDX-License-Identifier: Apache-2.0 */
/* The Runtime API against the bytes that AWS's own runtime client sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/runtime_api.h"

#define ID "8476a536-e9f4-11e8-9739-2dfe598c3f0"
#define CALL(method, path) method " /2018-06-01/runtime/" path " HTTP/1.1\r\n"
#define POST(path, body, size) \
	CALL("POST", path)     \
	"Host: x\r\nContent-Length: " size "\r\n\r\n" body

struct fixture {
	struct runtime_api *api;
	int fd;
	struct invocation inv;
	char answer[65536];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct diag diag;

	assert_non_null(f);
	assert_int_equal(runtime_api_open(&f->api, env_posix(), &diag), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(runtime_api_port(f->api));
	f->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(f->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	f->inv = (struct invocation){
		.request_id = ID "1",
		.trace_header = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;"
				"Parent=9a9197af755a6419;Sampled=1",
		.arn = "arn:aws:lambda:us-east-1:123456789012:function:hello",
		.deadline_ms = 1795342346856,
		.event = SV("{\"key\": \"v\"}"),
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->fd >= 0)
		close(f->fd);
	runtime_api_close(f->api);
	free(f);
	return 0;
}

static void send_all(struct fixture *f, struct sv bytes)
{
	while (bytes.len) {
		ssize_t n = write(f->fd, bytes.ptr, bytes.len);

		assert_true(n > 0);
		bytes = sv_make(bytes.ptr + n, bytes.len - (size_t)n);
	}
}

/* One answer: until its Content-Length is here. */
static const char *receive(struct fixture *f)
{
	size_t have = 0;

	for (;;) {
		char *end;
		char *length;
		ssize_t n = read(f->fd, f->answer + have,
				 sizeof(f->answer) - 1 - have);

		assert_true(n > 0);
		have += (size_t)n;
		f->answer[have] = '\0';
		end = strstr(f->answer, "\r\n\r\n");
		length = strstr(f->answer, "Content-Length: ");
		if (end && length &&
		    have >= (size_t)(end + 4 - f->answer) +
				    strtoul(length + 16, NULL, 10))
			return f->answer;
	}
}

static void send_file(struct fixture *f, const char *name)
{
	char path[128];
	char bytes[8192];
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "tests/fixtures/runtime-api/%s.http",
		 name);
	file = fopen(path, "rb");
	assert_non_null(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	send_all(f, sv_make(bytes, n));
}

static struct api_state wait_for(struct fixture *f, bool result)
{
	for (;;) {
		struct api_state s = runtime_api_look(f->api);
		struct pollfd fd = { .fd = runtime_api_fd(f->api),
				     .events = POLLIN };

		if (result ? s.has_result : s.waiting)
			return s;
		assert_int_equal(poll(&fd, 1, 5000), 1);
	}
}

/* Asks for work with the recorded bytes; is given number (of the id). */
static void next(struct fixture *f, char number)
{
	send_file(f, "node-hello-01-next");
	wait_for(f, false);
	f->inv.request_id[REQUEST_ID_SIZE - 2] = number;
	runtime_api_give(f->api, &f->inv);
	assert_non_null(strstr(receive(f), "200 OK"));
}

static void take(struct fixture *f, struct api_result *r)
{
	wait_for(f, true);
	runtime_api_take(f->api, r);
}

static void test_next_and_response(void **state)
{
	struct fixture *f = *state;
	struct api_result r;

	next(f, '1');
	assert_non_null(strstr(f->answer,
			       "Lambda-Runtime-Aws-Request-Id: " ID "1\r\n"));
	assert_non_null(strstr(f->answer, "Lambda-Runtime-Deadline-Ms: "
					  "1795342346856\r\n"));
	assert_non_null(strstr(f->answer, "Lambda-Runtime-Trace-Id: Root=1-"));
	assert_non_null(strstr(f->answer, "\r\n\r\n{\"key\": \"v\"}"));
	send_file(f, "node-hello-02-response");
	assert_non_null(strstr(receive(f), "HTTP/1.1 202 Accepted\r\n"));
	assert_non_null(strstr(f->answer, "\r\n\r\n{\"status\":\"OK\"}\n"));
	take(f, &r);
	assert_int_equal(r.kind, API_RESPONSE);
	assert_string_equal(
		r.body.ptr,
		"{\"statusCode\":200,\"body\":\"\\\"Hello Ali from Dev\\\"\"}");
	api_result_fini(&r);
}

static void test_error(void **state)
{
	struct fixture *f = *state;
	struct api_result r;

	next(f, '2');
	send_file(f, "node-multi-04-error");
	assert_non_null(strstr(receive(f), "202 Accepted"));
	take(f, &r);
	assert_int_equal(r.kind, API_ERROR);
	assert_true(
		sv_starts(buf_view(&r.body), SV("{\"errorType\":\"MyError\"")));
	assert_true(sv_starts(buf_view(&r.cause),
			      SV("{\"working_directory\":\"/app/fn\"")));
	assert_string_equal(r.error_type, "");
	api_result_fini(&r);
}

static void test_streams(void **state)
{
	struct fixture *f = *state;
	struct api_result r;

	next(f, '1');
	send_file(f, "node-stream-02-response");
	assert_non_null(strstr(receive(f), "202 Accepted"));
	take(f, &r);
	assert_true(r.streaming);
	assert_string_equal(r.body.ptr, "chunk1;chunk2");
	assert_string_equal(r.content_type, "text/plain");
	assert_string_equal(r.error_type, "");
	api_result_fini(&r);
	next(f, '3');
	send_file(f, "node-stream-06-response");
	assert_non_null(strstr(receive(f), "202 Accepted"));
	take(f, &r);
	assert_string_equal(r.body.ptr, "chunk1;");
	assert_string_equal(r.error_type, "Error"); /* a trailer */
	assert_true(sv_starts(buf_view(&r.cause), SV("eyJlcnJvclR5cGUi")));
	api_result_fini(&r);
}

static void test_init_error(void **state)
{
	struct fixture *f = *state;
	struct api_result r;

	send_file(f, "node-initerr-01-init-error");
	assert_non_null(strstr(receive(f), "202 Accepted"));
	take(f, &r);
	assert_int_equal(r.kind, API_INIT_ERROR);
	assert_string_equal(r.error_type, "Runtime.HandlerNotFound");
	api_result_fini(&r);
}

/* What is out of turn, in order; the invocation 1 is active in the middle. */
static void test_out_of_turn(void **state)
{
	static const struct {
		const char *request, *status;
	} rows[] = {
		{ CALL("GET", "nothing") "Host: x\r\n\r\n", " 404 " },
		{ CALL("GET", "invocation/x/y") "Host: x\r\n\r\n", " 404 " },
		{ CALL("GET", "invocation/" ID "1/response") "Host: x\r\n\r\n",
		  " 405 " },
		{ POST("invocation/next", "", "0"), " 405 " },
		{ POST("invocation/" ID "1/response", "1", "1"), " 403 " },
		{ NULL, NULL }, /* now it is given */
		{ POST("invocation/" ID "9/response", "1", "1"), " 400 " },
		{ POST("invocation/" ID "1000/error", "1", "1"), " 400 " },
		{ POST("init/error", "1", "1"), " 403 " },
		{ POST("invocation/" ID "1/error", "1", "1"), " 202 " },
		{ POST("invocation/" ID "1/response", "1", "1"), " 403 " },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].request) {
			next(f, '1');
			continue;
		}
		send_all(f, sv_from(rows[i].request));
		assert_non_null(strstr(receive(f), rows[i].status));
	}
}

/* A client that went away and asks again gets the invocation. */
static void test_next_again(void **state)
{
	struct fixture *f = *state;
	struct fixture *old;
	struct sockaddr_in at = { .sin_family = AF_INET };

	old = calloc(1, sizeof(*old));
	assert_non_null(old);
	old->fd = f->fd;
	send_file(old, "node-hello-01-next");
	wait_for(f, false);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(runtime_api_port(f->api));
	f->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(f->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	send_file(f, "node-hello-01-next");
	assert_non_null(strstr(receive(old), " 403 "));
	wait_for(f, false);
	runtime_api_give(f->api, &f->inv);
	assert_non_null(strstr(receive(f), " 200 "));
	close(old->fd);
	free(old);
}

/* Exactly the limit is taken, one byte more is 413 in AWS's words. */
static void test_too_large(void **state)
{
	struct fixture *f = *state;
	struct api_result r;
	char *body = malloc(PAYLOAD_BYTES_MAX + 1);
	char head[256];

	assert_non_null(body);
	memset(body, 'x', PAYLOAD_BYTES_MAX + 1);
	for (size_t size = PAYLOAD_BYTES_MAX; size <= PAYLOAD_BYTES_MAX + 1;
	     size++) {
		bool over = size > PAYLOAD_BYTES_MAX;

		next(f, '1');
		snprintf(head, sizeof(head),
			 CALL("POST",
			      "invocation/" ID
			      "1/response") "Host: x\r\nContent-Length: "
					    "%zu\r\n\r\n",
			 size);
		send_all(f, sv_from(head));
		send_all(f, sv_make(body, size));
		assert_non_null(strstr(receive(f), over ? " 413 " : " 202 "));
		if (over)
			assert_non_null(
				strstr(f->answer, "RequestEntityTooLarge"));
		take(f, &r);
		assert_int_equal(r.too_large, over);
		assert_int_equal(r.body.len, over ? r.body.len : size);
		api_result_fini(&r);
	}
	free(body);
}

/* awslambdaric allows an X-Ray cause just below 1 MiB in a header. */
static void test_large_cause(void **state)
{
	enum { CAUSE = (1 << 20) - 1 };
	struct fixture *f = *state;
	struct api_result r;
	char *cause = malloc(CAUSE + 1);

	assert_non_null(cause);
	memset(cause, 'c', CAUSE);
	next(f, '1');
	send_all(f,
		 SV(CALL("POST", "invocation/" ID
				 "1/error") "Host: x\r\nContent-Length: 2\r\n"
					    "Lambda-Runtime-Function-XRay-"
					    "Error-Cause: "));
	send_all(f, sv_make(cause, CAUSE));
	send_all(f, SV("\r\n\r\n{}"));
	assert_non_null(strstr(receive(f), " 202 "));
	take(f, &r);
	assert_int_equal(r.cause.len, CAUSE);
	api_result_fini(&r);
	free(cause);
}

int main(void)
{
#define API_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		API_TEST(test_next_and_response), API_TEST(test_error),
		API_TEST(test_streams),           API_TEST(test_init_error),
		API_TEST(test_out_of_turn),       API_TEST(test_next_again),
		API_TEST(test_too_large),         API_TEST(test_large_cause),
	};

	return cmocka_run_group_tests_name("runtime api", tests, NULL, NULL);
}
