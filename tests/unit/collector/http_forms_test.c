/* SPDX-License-Identifier: Apache-2.0 */
/* What the HTTP layer makes of what is sent: targets, headers, the forms of a
 * body, several requests in a row, and what breaks its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>

#include "collector/door/http.h"
#include "tests/unit/collector/talk.h"

enum { SMALL_MAX = 1000 };

#define HOST "Host: x\r\n"

static void put_pair(void *arg, struct sv name, struct sv value)
{
	struct buf *out = arg;

	buf_format(out, "[%.*s=%.*s]", SV_ARG(name),
		   value.ptr ? (int)value.len : 4,
		   value.ptr ? value.ptr : "none");
}

/* Says what it saw; the parts are set off by bars. */
static void echo(void *arg, struct request *r)
{
	struct buf *out = &r->reply;
	struct sv a = request_query(r, "a");

	(void)arg;
	r->wants_id = sv_eq(r->path, SV("/id"));
	buf_format(out, "%d %.*s|%.*s|%.*s|%.*s|a=%.*s|", (int)r->method,
		   SV_ARG(r->method_text), SV_ARG(r->path),
		   SV_ARG(r->target_path), SV_ARG(r->target_query),
		   a.ptr ? (int)a.len : 4, a.ptr ? a.ptr : "none");
	request_query_each(r, put_pair, out);
	buf_format(out, "|%zu ", r->body.len);
	buf_add(out, r->body.ptr ? r->body.ptr : "",
		r->body.len < 40 ? r->body.len : 40);
	if (request_header(r, "X-Show").ptr) {
		buf_char(out, '|');
		request_headers_each(r, put_pair, out);
	}
}

/* Refuses paths that begin with /no, and bodies over SMALL_MAX below /small. */
static bool head(void *arg, struct request *r)
{
	const struct sockaddr_in *peer = (const void *)r->peer;

	(void)arg;
	assert_int_equal(peer->sin_family, AF_INET);
	assert_int_equal(ntohl(peer->sin_addr.s_addr), INADDR_LOOPBACK);
	assert_false(r->tls);
	assert_int_equal(r->body.len, 0);
	if (sv_starts(r->path, SV("/small")))
		r->body_max = SMALL_MAX;
	if (!sv_starts(r->path, SV("/no")))
		return true;
	r->status = 403;
	buf_text(&r->reply, "no");
	return false;
}

static struct http *start(void)
{
	const struct http_options options = { .address = "127.0.0.1:0",
					      .head = head,
					      .handler = echo };
	struct diag diag = { 0 };
	struct http *h;

	assert_int_equal(http_start(&h, &options, &diag), 0);
	return h;
}

/* One request on a connection of its own, read to its end, or to `until`. */
static void exchange(struct http *h, const char *request, char *answer,
		     size_t size, const char *until)
{
	int fd = talk_connect(http_address(h));
	size_t len = 0, n;

	talk_send(fd, request);
	answer[0] = '\0';
	while (len < size - 1 && !strstr(answer, until)) {
		n = talk_read(fd, answer + len, size - len);
		if (!n)
			break;
		len += n;
	}
	close(fd);
}

struct sample {
	const char *request;
	const char *status;
	const char *has;
};

static const struct sample samples[] = {
	/* Targets. */
	{ "GET /a%20b/c%2Fd?x=%41&a=1+2%2b HTTP/1.1\r\n" HOST "\r\n", " 200 ",
	  "0 GET|/a b/c/d|/a%20b/c%2Fd|x=%41&a=1+2%2b|a=1 2+|"
	  "[x=A][a=1 2+]|0 " },
	{ "GET /?a HTTP/1.1\r\n" HOST "\r\n", " 200 ",
	  "|/|/|a|a=none|[a=none]|" },
	{ "GET /?a=&&b==&=c&a=2 HTTP/1.1\r\n" HOST "\r\n", " 200 ",
	  "|a=|[a=][b==][=c][a=2]|" },
	{ "GET /%zz%4?a=%&b=%1 HTTP/1.1\r\n" HOST "\r\n", " 200 ",
	  "|/%zz%4|/%zz%4|a=%&b=%1|a=%|[a=%][b=%1]|" },
	{ "GET /x? HTTP/1.1\r\n" HOST "\r\n", " 200 ", "|/x|/x||a=none||" },
	{ "GET /x?a=b?c HTTP/1.1\r\n" HOST "\r\n", " 200 ", "|a=b?c|[a=b?c]|" },
	{ "PUT /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", " 200 ",
	  "2 PUT|/x|/x||a=none||2 ab" },
	{ "DELETE /x HTTP/1.1\r\n" HOST "\r\n", " 200 ", "3 DELETE|" },
	{ "PATCH /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", " 200 ",
	  "4 PATCH|" },
	{ "GET /x HTTP/1.1\r\nHost: y\r\nX-Show:  1 \r\nx-TWICE: a\r\n"
	  "X-Twice: b\r\n\r\n",
	  " 200 ", "|[Host=y][X-Show=1 ][x-TWICE=a][X-Twice=b]" },
	/* Bodies. */
	{ "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\nTrailer: t\r\n\r\n",
	  " 200 ", "|4 abcd" },
	{ "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
	  "0\r\n\r\n",
	  " 200 ", "|0 " },
	{ "POST /small HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n"
	  "Expect: 100-continue\r\n\r\n",
	  " 413 ", "the body is over 1000 bytes" },
	{ "POST /no HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd", " 403 ",
	  "no" },
	{ "POST /no HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n0\r\n\r\n",
	  " 403 ", "no" },
	{ "POST /no HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n",
	  " 403 ", "no" },
	{ "POST /no HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
	  "Expect: 100-continue\r\n\r\n",
	  " 403 ", "no" },
	/* Two lengths of one body. */
	{ "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
	  "Content-Length: 4\r\n\r\nabcd",
	  " 400 ", "BadRequest" },
	{ "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  " 400 ", "BadRequest" },
	{ "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\nabc",
	  " 400 ", "BadRequest" },
	{ "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"
	  "0\r\n\r\n",
	  " 400 ", "BadRequest" },
	{ "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n"
	  "Content-Length: 5\r\n\r\n0\r\n\r\n",
	  " 400 ", "BadRequest" },
	{ "POST /x HTTP/1.1\r\n" HOST "Content-Length\t: 3\r\n\r\nabc", " 400 ",
	  "BadRequest" },
	{ "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3x\r\n\r\nabc", " 400 ",
	  "" },
	{ "POST /x HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\nabc", " 400 ",
	  "" },
	{ "POST /x HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999"
	  "\r\n\r\n",
	  " 413 ", "" },
	{ "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "zz\r\nabc\r\n0\r\n\r\n",
	  " 400 ", "" },
	{ "GET /x HTTP/1.1\r\nno colon\r\n\r\n", " 400 ", "" },
	{ "GET /x HTTP/2.0\r\n\r\n", " 505 ", "" },
	{ "GET /x FTP/1.1\r\n\r\n", " 400 ", "" },
};

static void test_forms(void **state)
{
	struct http *h = start();
	char answer[2048];
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *f = &samples[i];

		exchange(h, f->request, answer, sizeof(answer),
			 f->has[0] ? f->has : "\r\n\r\n");
		if (strstr(answer, f->status) && strstr(answer, f->has))
			continue;
		wrong++;
		print_error("%s\n-> want %s, %s, got: %s\n", f->request,
			    f->status, f->has, answer);
	}
	assert_int_equal(wrong, 0);
	http_stop(h);
}

/* --- limits ------------------------------------------------------------------- */

/* `before`, `piece` so many times, `after`. */
static void long_request(struct http *h, const char *before, const char *piece,
			 size_t times, const char *after, const char *status)
{
	struct buf request = { 0 };
	char answer[1024];

	buf_text(&request, before);
	for (size_t i = 0; i < times; i++)
		buf_text(&request, piece);
	buf_text(&request, after);
	exchange(h, request.ptr, answer, sizeof(answer), "\r\n\r\n");
	if (!strstr(answer, status))
		fail_msg("%s%s... %zu times: no %s in: %s", before, piece,
			 times, status, answer);
	buf_fini(&request);
}

static void test_limits(void **state)
{
	static const char end[] = " HTTP/1.1\r\n" HOST "\r\n";
	struct http *h = start();

	(void)state;
	/* Arguments: where MHD splits them, it falls silent at some 250. */
	long_request(h, "GET /?a", "&a", HTTP_ARGUMENTS_MAX - 1, end, " 200 ");
	long_request(h, "GET /?a", "&a", HTTP_ARGUMENTS_MAX, end, " 400 ");
	long_request(h, "GET /?", "&", HTTP_URL_MAX - 100, end, " 400 ");
	/* Path and query. */
	long_request(h, "GET /", "a", HTTP_URL_MAX - 2, end, " 200 ");
	long_request(h, "GET /", "a", HTTP_URL_MAX - 1, end, " 414 ");
	long_request(h, "GET /?a=", "a", HTTP_URL_MAX - 1, end, " 414 ");
	long_request(h, "GET /", "a", HTTP_HEAD_MAX, end, " 414 ");
	/* Headers: few that are long, many that are short. */
	long_request(h, "GET / HTTP/1.1\r\n" HOST "X-Long: ", "a", 12000,
		     "\r\n\r\n", " 200 ");
	long_request(h, "GET / HTTP/1.1\r\n" HOST "X-Long: ", "a",
		     HTTP_HEAD_MAX, "\r\n\r\n", " 431 ");
	long_request(h, "GET / HTTP/1.1\r\n" HOST, "a: b\r\n", 150, "\r\n",
		     " 200 ");
	long_request(h, "GET / HTTP/1.1\r\n" HOST, "a: b\r\n", 1000, "\r\n",
		     " 431 ");
	http_stop(h);
}

/* --- request ids -------------------------------------------------------------- */

static void request_id_of(struct http *h, char id[37])
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx";
	char answer[1024];
	const char *p;

	exchange(h, "GET /id HTTP/1.1\r\n" HOST "\r\n", answer, sizeof(answer),
		 "\r\n\r\n");
	p = strstr(answer, "x-amzn-RequestId: ");
	assert_non_null(p);
	memcpy(id, p + strlen("x-amzn-RequestId: "), 36);
	id[36] = '\0';
	for (size_t i = 0; i < 36; i++)
		assert_true(form[i] == 'x' ?
				    strchr("0123456789abcdef", id[i]) != NULL :
				    id[i] == form[i]);
	assert_non_null(strchr("89ab", id[19]));
}

static void test_request_ids(void **state)
{
	struct http *h = start(), *other = start();
	char ids[3][37];

	(void)state;
	request_id_of(h, ids[0]);
	request_id_of(h, ids[1]);
	request_id_of(other, ids[2]);
	for (int i = 0; i < 3; i++)
		assert_string_not_equal(ids[i], ids[(i + 1) % 3]);
	http_stop(h);
	http_stop(other);
}

/* --- several in a row --------------------------------------------------------- */

/* Reads until the text has been seen so often. */
static void expect_times(int fd, const char *what, unsigned times)
{
	char text[4096];
	size_t len = 0, n;

	for (;;) {
		unsigned seen = 0;

		text[len] = '\0';
		for (const char *p = text; (p = strstr(p, what)); p++)
			seen++;
		if (seen == times)
			return;
		n = talk_read(fd, text + len, sizeof(text) - len);
		if (!n)
			fail_msg("%u of %u times %s", seen, times, what);
		len += n;
	}
}

static void test_keep_alive(void **state)
{
	struct http *h = start();
	int fd = talk_connect(http_address(h));

	(void)state;
	for (int i = 0; i < 3; i++) {
		talk_send(fd, "GET /one HTTP/1.1\r\n" HOST "\r\n");
		talk_expect(fd, " 200 ", "/one");
	}
	/* A refusal does not end it, nor does the body that came with it. */
	talk_send(fd, "POST /no HTTP/1.1\r\n" HOST
		      "Content-Length: 300000\r\n\r\n");
	talk_send_zeros(fd, 300000);
	talk_expect(fd, " 403 ", "no");
	talk_send(fd, "POST /small HTTP/1.1\r\n" HOST
		      "Content-Length: 1001\r\n\r\n");
	talk_send_zeros(fd, SMALL_MAX + 1);
	talk_expect(fd, " 413 ", "over 1000 bytes");
	talk_send(fd, "GET /two HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	talk_expect(fd, " 200 ", "/two");
	talk_expect_end(fd);
	close(fd);
	fd = talk_connect(http_address(h));
	talk_send(fd, "GET /old HTTP/1.0\r\n\r\n");
	talk_expect(fd, " 200 ", "/old");
	talk_expect_end(fd);
	close(fd);
	http_stop(h);
}

static void test_pipelining(void **state)
{
	struct http *h = start();
	int fd = talk_connect(http_address(h));

	(void)state;
	talk_send(fd, "POST /p HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
		      "GET /p HTTP/1.1\r\n" HOST "\r\n"
		      "POST /p HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n"
		      "1\r\nx\r\n0\r\n\r\n"
		      "GET /p HTTP/1.1\r\n" HOST "\r\n");
	expect_times(fd, "HTTP/1.1 200 ", 4);
	close(fd);
	http_stop(h);
}

static void test_expect_continue(void **state)
{
	struct http *h = start();
	int fd = talk_connect(http_address(h));

	(void)state;
	talk_send(fd, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
		      "Expect: 100-continue\r\n\r\n");
	talk_expect(fd, "HTTP/1.1 100 ", "\r\n\r\n");
	talk_send(fd, "abc");
	talk_expect(fd, " 200 ", "|3 abc");
	/* Who waits is told at once, and the connection ends there. */
	talk_send(fd, "POST /no HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
		      "Expect: 100-continue\r\n\r\n");
	talk_expect(fd, " 403 ", "close");
	talk_expect_end(fd);
	close(fd);
	http_stop(h);
}

/* Chunks that never end, to one who was refused. */
static void test_endless_chunks(void **state)
{
	static char chunk[(64 << 10) + 9];
	struct http *h = start();
	int fd = talk_connect(http_address(h));
	size_t sent = 0;

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "10000\r\n", 7);
	memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
	talk_send(fd, "POST /no HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n");
	while (talk_try(fd, chunk, sizeof(chunk))) {
		sent += sizeof(chunk);
		assert_true(sent < 2UL * HTTP_DISCARD_MAX);
	}
	assert_true(sent >= HTTP_DISCARD_MAX);
	close(fd);
	http_stop(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_request_ids),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_expect_continue),
		cmocka_unit_test(test_endless_chunks),
	};

	return cmocka_run_group_tests_name("http_forms", tests, NULL, NULL);
}
