/* SPDX-License-Identifier: Apache-2.0 */
/* What the client sends is what the door verifies: 200 random calls through
 * libcurl and a socket, and the verifier at the other end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/auth/sigv4.h"
#include "core/client/client.h"
#include "core/client/headers.h"
#include "tests/unit/client/serve.h"

enum { CALLS = 200, BODY_MAX = 600 };

#define KEY "TALLYCLIENTKEY01"
#define SECRET "client/secret+of/tests=1234567890"

/* The head of a request as the verifier wants it. */
struct head {
	struct sigv4_request request;
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	struct sv body;
};

static void read_head(struct head *h, const char *text)
{
	struct sv rest = sv_from(text);
	struct sv line = sv_trim(sv_cut(&rest, '\n'));
	struct sv target;

	*h = (struct head){ .request.headers = h->headers };
	h->request.method = sv_cut(&line, ' ');
	target = sv_cut(&line, ' ');
	h->request.path = sv_cut(&target, '?');
	h->request.query = target;
	for (;;) {
		line = sv_trim(sv_cut(&rest, '\n'));
		if (!line.len)
			break;
		h->headers[h->request.header_count].name = sv_cut(&line, ':');
		h->headers[h->request.header_count++].value = sv_trim(line);
	}
	h->body = rest.ptr ? rest : SV("");
}

static struct sv header(const struct head *h, const char *name)
{
	for (size_t i = 0; i < h->request.header_count; i++)
		if (sv_eq(h->headers[i].name, sv_from(name)))
			return h->headers[i].value;
	return (struct sv){ NULL, 0 };
}

/* What the verifier says of it. */
static enum sigv4_refusal judge(const struct head *h, const char *secret)
{
	const struct sigv4_key key = { .secret = sv_from(secret),
				       .known = true };
	struct sigv4_claim claim;
	uint8_t hash[SIGV4_HASH_SIZE];
	enum sigv4_path path = SIGV4_PATH_AS_SENT;
	enum sigv4_refusal why = sigv4_parse(&claim, &h->request, NULL);

	if (why == SIGV4_OK)
		why = sigv4_check_time(&claim, (int64_t)time(NULL));
	if (why == SIGV4_OK)
		why = sigv4_check_scope(&claim, SV("eu-central-1"),
					SV("tallyscope"));
	sigv4_hash(hash, h->body);
	if (why == SIGV4_OK)
		why = sigv4_verify(&claim, &h->request, &key, hash, NULL,
				   &path);
	/* As the door: what was signed is the path that was sent. */
	if (why == SIGV4_OK && path != SIGV4_PATH_AS_SENT)
		why = SIGV4_MISMATCH;
	return why;
}

static void answer_verdict(struct server *s, const char *request,
			   struct buf *out)
{
	struct head h;
	char host[64], text[160];

	read_head(&h, request);
	snprintf(host, sizeof(host), "127.0.0.1:%u", s->port);
	snprintf(text, sizeof(text), "[\"%s\",\"%s\",%s,%s]",
		 sigv4_refusal_name(judge(&h, SECRET)),
		 sigv4_refusal_name(judge(&h, "another secret of 16")),
		 sv_eq(header(&h, "Host"), sv_from(host)) ? "true" : "false",
		 header(&h, "X-Amz-Security-Token").ptr ? "true" : "false");
	serve_json(out, "200 OK", text);
}

/* --- random calls ------------------------------------------------------------------ */

static uint64_t roll(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* As commands build them: parts and values of any bytes, escaped. */
static void random_text(uint64_t *seed, struct buf *out)
{
	char bytes[12];
	size_t n = 1 + roll(seed) % sizeof(bytes);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)roll(seed);
	client_escape(out, sv_make(bytes, n));
}

static void random_path(uint64_t *seed, struct buf *out)
{
	static const char *const odd[] = { "~",   "a:b", "$LATEST", "x@y",
					   "(z)", "a+b", "%7e",     "a;b,c",
					   "*",   "'" };

	buf_text(out, "/api/v1");
	for (size_t n = roll(seed) % 4; n; n--) {
		buf_char(out, '/');
		if (roll(seed) % 3)
			random_text(seed, out);
		else
			buf_text(out, odd[roll(seed) %
					  (sizeof(odd) / sizeof(odd[0]))]);
	}
	for (size_t n = roll(seed) % 5, i = 0; i < n; i++) {
		buf_char(out, i ? '&' : '?');
		random_text(seed, out);
		if (roll(seed) % 4) {
			buf_char(out, '=');
			if (roll(seed) % 4)
				random_text(seed, out);
		}
	}
}

static void random_body(uint64_t *seed, struct buf *out)
{
	for (size_t n = roll(seed) % BODY_MAX; n; n--)
		buf_char(out, (char)(' ' + roll(seed) % 95));
}

static void test_random_calls(void **state)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "DELETE" };
	uint64_t seed = 0x7A11C0DE2026ULL;
	struct server server;
	char base[96];
	struct settings settings = { .region = "eu-central-1",
				     .key_id = KEY,
				     .secret = SECRET };
	struct client *clients[3];
	struct diag diag = { .text = "" };

	(void)state;
	serve_start(&server, answer_verdict, 0);
	settings.endpoint = server.url;
	assert_int_equal(client_open(&clients[0], &settings, NULL, &diag), 0);
	/* Behind a path, and with a session token. */
	snprintf(base, sizeof(base), "%s/be%%20hind/x/", server.url);
	struct settings behind = settings;
	behind.endpoint = base;
	assert_int_equal(client_open(&clients[1], &behind, NULL, &diag), 0);
	struct settings session = settings;
	session.session_token = "FwoGZXIvYXdzEJr//////////wEaDH==";
	assert_int_equal(client_open(&clients[2], &session, NULL, &diag), 0);
	for (int i = 0; i < CALLS; i++) {
		struct buf path = BUF_INIT, body = BUF_INIT;
		struct client_call call = { .method =
						    methods[roll(&seed) % 4] };
		struct client_reply reply;

		random_path(&seed, &path);
		random_body(&seed, &body);
		call.path = path.ptr;
		if (call.method[0] == 'P') {
			call.content_type = roll(&seed) % 2 ?
						    "application/json" :
						    "text/plain; charset=utf-8";
			call.body = buf_view(&body);
		}
		if (client_exchange(clients[i % 3], &call, &reply, &diag))
			fail_msg("%s: %s", path.ptr, diag.text);
		if (strcmp(reply.body.ptr,
			   i % 3 == 2 ?
				   "[\"OK\",\"MISMATCH\",true,true]" :
				   "[\"OK\",\"MISMATCH\",true,false]") != 0)
			fail_msg("%s %s: %s", call.method, path.ptr,
				 reply.body.ptr);
		client_reply_fini(&reply);
		buf_fini(&path);
		buf_fini(&body);
	}
	for (int i = 0; i < 3; i++)
		client_close(clients[i]);
	serve_stop(&server);
	assert_int_equal(server.requests, CALLS);
}

/* --- without a signature ---------------------------------------------------------- */

static void answer_headers(struct server *s, const char *request,
			   struct buf *out)
{
	struct head h;
	struct sv who;
	char text[128];

	(void)s;
	read_head(&h, request);
	who = header(&h, "Authorization");
	snprintf(text, sizeof(text), "%.*s|%.*s|%zu", SV_ARG(who),
		 SV_ARG(header(&h, "amz-sdk-request")),
		 header(&h, "amz-sdk-invocation-id").len);
	serve_json(out, "200 OK", text);
}

static void test_token_and_none(void **state)
{
	static const struct {
		const char *token;
		const char *key;
		const char *said;
	} rows[] = {
		{ NULL, NULL, "|attempt=1; max=3|36" },
		{ "a.b.c", NULL, "Bearer a.b.c|attempt=1; max=3|36" },
		/* A token goes before keys. */
		{ "a.b.c", KEY, "Bearer a.b.c|attempt=1; max=3|36" },
	};
	struct server server;

	(void)state;
	serve_start(&server, answer_headers, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct settings settings = { .endpoint = server.url,
						   .region = "eu-central-1",
						   .key_id = rows[i].key,
						   .secret = SECRET,
						   .token = rows[i].token };
		struct buf body = BUF_INIT;
		struct client *c;
		struct diag diag;

		assert_int_equal(client_open(&c, &settings, NULL, &diag), 0);
		assert_int_equal(client_get(c, "/x", &body, &diag), 0);
		assert_string_equal(body.ptr, rows[i].said);
		buf_fini(&body);
		client_close(c);
	}
	serve_stop(&server);
}

/* A file with a token is read for each call, so a new one counts at once. */
static void test_token_file(void **state)
{
	static const char *const tokens[] = { "first.to.ken", "second.one" };
	char path[] = "/tmp/token.XXXXXX", want[64];
	struct settings settings = { .token_file = path };
	struct buf body = BUF_INIT;
	struct server server;
	struct client *c;
	struct diag diag;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	serve_start(&server, answer_headers, 0);
	settings.endpoint = server.url;
	assert_int_equal(client_open(&c, &settings, NULL, &diag), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, tokens[i], strlen(tokens[i]), 0),
				 strlen(tokens[i]));
		buf_reset(&body);
		assert_int_equal(client_get(c, "/x", &body, &diag), 0);
		snprintf(want, sizeof(want), "Bearer %s|", tokens[i]);
		assert_memory_equal(body.ptr, want, strlen(want));
	}
	unlink(path);
	assert_int_equal(client_get(c, "/x", &body, &diag), ERR_NOT_FOUND);
	close(fd);
	client_close(c);
	buf_fini(&body);
	serve_stop(&server);
	assert_int_equal(server.requests, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_calls),
		cmocka_unit_test(test_token_and_none),
		cmocka_unit_test(test_token_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
