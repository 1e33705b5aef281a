/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/client/answer.h"
#include "core/client/client.h"
#include "core/client/when.h"
#include "tests/unit/client/serve.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void answer_all(struct server *s, const char *request, struct buf *out)
{
	(void)s;
	if (strstr(request, "GET /ok ")) {
		serve_json(out, "200 OK", "{\"n\":1}");
	} else if (strstr(request, "POST /echo ")) {
		assert_non_null(strstr(request, "Content-Type: text/x\r\n"));
		serve_json(out, "201 Created", "[]");
	} else if (strstr(request, "GET /big ")) {
		buf_text(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		for (int i = 0; i < 5000; i++)
			buf_char(out, 'x');
	} else if (strstr(request, "GET /text ")) {
		buf_text(out, "HTTP/1.1 503 No\r\nContent-Type: text/plain\r\n"
			      "Connection: close\r\n\r\nfull\033[2J\nmore");
	} else if (strstr(request, "GET /html ")) {
		buf_text(out, "HTTP/1.1 403 No\r\nContent-Type: text/html\r\n"
			      "Connection: close\r\n\r\n<h1>no</h1>");
	} else if (strstr(request, "GET /long ")) {
		buf_text(out, "HTTP/1.1 403 No\r\nContent-Type: text/plain\r\n"
			      "Connection: close\r\n\r\nOne. Two. ");
		for (int i = 0; i < 160; i++)
			buf_char(out, 'x');
	} else if (strstr(request, "GET /hung ")) {
		return; /* and not a byte */
	} else if (strstr(request, "GET /cut ")) {
		buf_text(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"
			      "Connection: close\r\n\r\nshort");
	} else if (strstr(request, "GET /slow ")) {
		usleep(1200000);
	} else if (strstr(request, "GET /conflict ")) {
		serve_json(out, "409 Conflict",
			   "{\"error\":{\"code\":\"C\",\"message\":\"x\"}}");
	} else {
		serve_json(out, "404 Not Found",
			   "{\"error\":{\"code\":\"NotFound\",\"message\":"
			   "\"no such \\u001b]0;thing\"}}");
	}
}

static int setup(void **state)
{
	static struct server server;

	serve_start(&server, answer_all, 0);
	*state = &server;
	return 0;
}

static int teardown(void **state)
{
	serve_stop(*state);
	return 0;
}

static void test_get(void **state)
{
	static const struct {
		const char *path;
		int err;
		const char *text; /* in the diag */
	} rows[] = {
		{ "/ok", 0, "" },
		{ "/nowhere", ERR_NOT_FOUND, "no such ?]0;thing" },
		{ "/conflict", ERR_EXISTS, "x" },
		{ "/text", ERR_BUSY, "full?[2J" },
		{ "/html", ERR_INVALID, "status 403" },
		{ "/big", ERR_LIMIT, "larger than 4096 bytes" },
		{ "/long", ERR_INVALID, "One. Two; no access key" },
		{ "/cut", ERR_CLOSED, "cannot reach the collector" },
		{ "/hung", ERR_CLOSED, "does it speak TLS? then https://" },
		{ "/slow", ERR_TIMEOUT, "did not answer in time" },
		{ "/ok", 0, "" }, /* the handle is good after all that */
	};
	struct server *s = *state;
	struct client_options options = { .answer_max_bytes = 4096,
					  .timeout_ms = 800 };
	struct client *c;
	struct diag diag;

	assert_int_equal(client_open(&c,
				     &(struct settings){ .endpoint = s->url },
				     &options, &diag),
			 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf body = BUF_INIT;

		/* The server, which does one thing at a time, is to be done
		 * with the slow answer. */
		if (i > 0 && rows[i - 1].err == ERR_TIMEOUT)
			usleep(800000);
		diag.text[0] = '\0';
		assert_int_equal(client_get(c, rows[i].path, &body, &diag),
				 rows[i].err);
		assert_non_null(strstr(diag.text, rows[i].text));
		if (rows[i].err)
			assert_int_equal(body.len, 0);
		else
			assert_string_equal(body.ptr, "{\"n\":1}");
		buf_fini(&body);
	}
	client_close(c);
}

static void test_post(void **state)
{
	struct server *s = *state;
	struct buf body = BUF_INIT;
	struct client *c;
	struct diag diag;

	assert_int_equal(client_open(&c,
				     &(struct settings){ .endpoint = s->url },
				     NULL, &diag),
			 0);
	assert_int_equal(
		client_post(c, "/echo", "text/x", SV("a\0b"), &body, &diag), 0);
	assert_string_equal(body.ptr, "[]");
	buf_reset(&body);
	/* A GET after it is a GET again. */
	assert_int_equal(client_get(c, "/ok", &body, &diag), 0);
	buf_fini(&body);
	client_close(c);
}

static void test_nobody(void **state)
{
	struct buf body = BUF_INIT;
	struct client *c;
	struct diag diag;
	struct server gone;

	(void)state;
	serve_start(&gone, answer_all, 0);
	serve_stop(&gone);
	assert_int_equal(client_open(&c,
				     &(struct settings){ .endpoint = gone.url },
				     NULL, &diag),
			 0);
	assert_int_equal(client_get(c, "/ok", &body, &diag), ERR_CLOSED);
	assert_non_null(strstr(diag.text, gone.url));
	assert_non_null(strstr(diag.text, "is tally-collector running?"));
	buf_fini(&body);
	client_close(c);
}

static void test_cancel(void **state)
{
	struct server *s = *state;
	atomic_bool cancel;
	struct client_options options = { .cancel = &cancel };
	struct buf body = BUF_INIT;
	struct client *c;
	struct diag diag;

	atomic_init(&cancel, true);
	assert_int_equal(client_open(&c,
				     &(struct settings){ .endpoint = s->url },
				     &options, &diag),
			 0);
	assert_int_equal(client_get(c, "/slow", &body, &diag), ERR_CLOSED);
	buf_fini(&body);
	client_close(c);
}

static void test_endpoints(void **state)
{
	static const struct {
		const char *given;
		const char *becomes; /* NULL: refused */
		const char *token;
	} rows[] = {
		{ "http://h:1/", "http://h:1", NULL },
		{ "https://h/base//", "https://h/base", NULL },
		{ NULL, SETTINGS_ENDPOINT_DEFAULT, NULL },
		{ "", SETTINGS_ENDPOINT_DEFAULT, NULL },
		{ "file:///etc/passwd", NULL, NULL },
		{ "ftp://h", NULL, NULL },
		{ "h:4318", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "http://h/?a=b", NULL, NULL },
		{ "http://h/#x", NULL, NULL },
		{ "http://user@h", NULL, NULL },
		{ "http://user:secret@h", NULL, NULL },
		{ "http://h\xc3\xa9", NULL, NULL },
		{ "http://h /", NULL, NULL },
		/* A token stays on this machine or goes through TLS. */
		{ "https://h", "https://h", "token" },
		{ "http://127.0.0.1:1", "http://127.0.0.1:1", "token" },
		{ "http://[::1]:1", "http://[::1]:1", "token" },
		{ "http://localhost", "http://localhost", "token" },
		{ "http://h", NULL, "token" },
		{ "http://127.evil.example", NULL, "token" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct settings settings = { .endpoint = rows[i].given,
						   .token = rows[i].token };
		struct client *c;
		struct diag diag;
		int err = client_open(&c, &settings, NULL, &diag);

		assert_int_equal(err, rows[i].becomes ? 0 : ERR_INVALID);
		if (!err)
			assert_string_equal(client_endpoint(c),
					    rows[i].becomes);
		else
			assert_null(strstr(diag.text, "secret@"));
		client_close(c);
	}
}

static void test_url_limit(void **state)
{
	struct server *s = *state;
	struct buf path = BUF_INIT, body = BUF_INIT;
	struct client *c;
	struct diag diag;

	assert_int_equal(client_open(&c,
				     &(struct settings){ .endpoint = s->url },
				     NULL, &diag),
			 0);
	for (int i = 0; i < CLIENT_URL_MAX; i++)
		buf_char(&path, '/');
	assert_int_equal(client_get(c, path.ptr, &body, &diag), ERR_LIMIT);
	buf_fini(&path);
	buf_fini(&body);
	client_close(c);
}

static void test_query(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	buf_text(&out, "/p");
	client_query(&out, "none", NULL);
	client_query(&out, "empty", "");
	client_query(&out, "a", "x y/\xc3\xa9&=?#%+");
	client_query(&out, "b", "-._~aZ9");
	assert_string_equal(out.ptr,
			    "/p?a=x%20y%2F%C3%A9%26%3D%3F%23%25%2B&b=-._~aZ9");
	buf_fini(&out);
}

/* Two threads on one handle: each gets its own answer, whole. */
static void *ask_often(void *arg)
{
	struct client *c = arg;

	for (int i = 0; i < 20; i++) {
		struct buf body = BUF_INIT;
		struct diag diag;

		if (client_get(c, "/ok", &body, &diag) || body.len != 7)
			abort();
		buf_fini(&body);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct server *s = *state;
	pthread_t threads[2];
	struct client *c;
	struct diag diag;

	assert_int_equal(client_open(&c,
				     &(struct settings){ .endpoint = s->url },
				     NULL, &diag),
			 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, ask_often, c), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	client_close(c);
}

static void test_answer(void **state)
{
	json_t *root;
	struct diag diag;
	struct buf deep = BUF_INIT;

	(void)state;
	assert_int_equal(
		answer_parse(&root,
			     SV("{\"t\":\"a\\u0000b\",\"n\":1.5,\"i\":7,"
				"\"big\":1e300,\"b\":true,\"a\":[1],\"o\":{}}"),
			     &diag),
		0);
	assert_int_equal(answer_text(root, "t").len, 3);
	assert_int_equal(answer_text(root, "none").len, 0);
	assert_int_equal(answer_text(NULL, "t").len, 0);
	assert_string_equal(answer_string(root, "n"), "");
	assert_true(answer_number(root, "n") == 1.5);
	assert_int_equal(answer_integer(root, "n"), 1);
	assert_int_equal(answer_integer(root, "big"), INT64_MAX);
	assert_int_equal(answer_integer(root, "i"), 7);
	assert_true(answer_bool(root, "b"));
	assert_false(answer_bool(root, "i"));
	assert_int_equal(json_array_size(answer_array(root, "a")), 1);
	assert_null(answer_array(root, "o"));
	assert_null(answer_object(root, "a"));
	assert_non_null(answer_object(root, "o"));
	json_decref(root);
	assert_int_equal(answer_parse(&root, SV("{\"a\":"), &diag), ERR_SYNTAX);
	assert_int_equal(answer_parse(&root, SV(""), &diag), ERR_SYNTAX);
	assert_int_equal(answer_parse(&root, SV("\"\xff\""), &diag),
			 ERR_SYNTAX);
	assert_int_equal(answer_parse(&root, SV("[\"[[[[\\\"[\"]"), &diag), 0);
	json_decref(root);
	for (int i = 0; i <= ANSWER_DEPTH_MAX; i++)
		buf_char(&deep, '[');
	assert_int_equal(answer_parse(&root, buf_view(&deep), &diag),
			 ERR_LIMIT);
	buf_fini(&deep);
}

static void test_when(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		double epoch;
	} rows[] = {
		{ "now", true, 1795338000 },
		{ "30s", true, 1795337970 },
		{ "15m", true, 1795337100 },
		{ "2h", true, 1795330800 },
		{ "1d", true, 1795251600 },
		{ "1w", true, 1794733200 },
		{ "2026-11-22", true, 1795305600 },
		{ "2026-11-22T09:00:00Z", true, 1795338000 },
		{ "2026-11-22T09:00", true, 1795338000 },
		{ "2024-02-29", true, 1709164800 },
		{ "1795338000", true, 1795338000 },
		{ "1795338000.5", true, 1795338000.5 },
		{ "2026-02-30", false, 0 },
		{ "2026-13-01", false, 0 },
		{ "2026-11-22T25:00:00Z", false, 0 },
		{ "2026-11-22T09:00:00ZZ", false, 0 },
		{ "5", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "s", false, 0 },
		{ "-1h", false, 0 },
		{ "9999999999w", false, 0 },
		{ "1795338000.", false, 0 },
		{ "yesterday", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		double epoch = 0;

		assert_int_equal(when_parse(rows[i].text, 1795338000, &epoch),
				 rows[i].ok);
		if (rows[i].ok)
			assert_true(epoch == rows[i].epoch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_url_limit),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
