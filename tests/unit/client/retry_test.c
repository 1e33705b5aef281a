/* SPDX-License-Identifier: Apache-2.0 */
/* What is tried again, after what pause, under which id; and a wrong clock.
 * Clock, dice and pauses are the test's: nothing here waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/client/client.h"
#include "core/client/refusal.h"
#include "core/client/retry.h"
#include "tests/unit/client/serve.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { ANSWERS_MAX = 6 };

/* A world whose time passes by pauses alone. */
struct world {
	struct env env;
	struct clock_ops clock;
	int64_t wall_s;
	uint64_t mono_ns;
	uint64_t paused_ms[ANSWERS_MAX];
	unsigned pauses;
	uint64_t dice;
};

static struct wall world_wall(void *self)
{
	return (struct wall){ ((struct world *)self)->wall_s * NS_PER_S };
}

static struct instant world_mono(void *self)
{
	return (struct instant){ ((struct world *)self)->mono_ns };
}

static void world_pause(void *self, uint64_t ms)
{
	struct world *w = self;

	assert_true(w->pauses < ANSWERS_MAX);
	w->paused_ms[w->pauses++] = ms;
	w->mono_ns += ms * (uint64_t)NS_PER_MS;
}

static uint64_t world_random(void *self)
{
	return ((struct world *)self)->dice;
}

static void world_init(struct world *w)
{
	*w = (struct world){ .clock = { world_wall, world_mono },
			     .wall_s = 1795341191,
			     .mono_ns = 1 };
	w->env = (struct env){ &w->clock, env_posix()->disk, w, NULL };
}

/* --- pure ------------------------------------------------------------------------- */

static void test_pauses(void **state)
{
	static const struct {
		unsigned failures;
		uint64_t retry_after_ms, least, most;
	} rows[] = {
		{ 1, 0, 50, 100 },
		{ 2, 0, 100, 200 },
		{ 3, 0, 200, 400 },
		{ 6, 0, 1600, 3200 },
		{ 7, 0, 2500, 5000 },
		{ 1000000, 0, 2500, 5000 },
		{ UINT32_MAX, 0, 2500, 5000 },
		{ 1, 2000, 2000, 2000 },
		{ 7, 3000, 3000, 5000 },
		{ 1, 3600000, RETRY_AFTER_MS_MAX, RETRY_AFTER_MS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t least = UINT64_MAX, most = 0;

		for (uint64_t random = 0; random < 5000; random++) {
			uint64_t ms = retry_pause_ms(rows[i].failures,
						     rows[i].retry_after_ms,
						     random);

			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		assert_int_equal(least, rows[i].least);
		assert_int_equal(most, rows[i].most);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *type, *body, *code, *message;
	} rows[] = {
		{ NULL, "{\"error\":{\"code\":\"A\",\"message\":\"m\"}}", "A",
		  "m" },
		{ "application/json",
		  "{\"__type\":\"x.y#B\",\"message\":\"n\"}", "B", "n" },
		{ NULL, "{\"__type\":\"C:http://x\"}", "C", "" },
		{ "text/plain; charset=utf-8", "full\033[2J\nmore", "",
		  "full?[2J" },
		{ "text/html", "<h1>", "", "" },
		{ NULL, "{\"error\":\"no object\"}", "", "" },
		{ NULL, "{\"error\":{\"code\":7,\"message\":[]}}", "", "" },
		{ NULL, "", "", "" },
	};
	struct refusal r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		refusal_read(&r, rows[i].type, sv_from(rows[i].body));
		assert_string_equal(r.code, rows[i].code);
		assert_string_equal(r.message, rows[i].message);
	}
}

/* --- through a socket ------------------------------------------------------------- */

/* What the server answers, one after the other, and what it was asked. */
static struct script {
	const char *answers[ANSWERS_MAX]; /* "": it hangs up */
	char ids[ANSWERS_MAX][40];
	char attempts[ANSWERS_MAX][32];
	char dates[ANSWERS_MAX][20];
} script;

static void copy_header(char *out, size_t room, const char *request,
			const char *name)
{
	const char *at = strstr(request, name);
	size_t n = 0;

	if (at)
		for (at += strlen(name); at[n] != '\r' && n + 1 < room; n++)
			out[n] = at[n];
	out[n] = '\0';
}

static void answer_script(struct server *s, const char *request,
			  struct buf *out)
{
	int i = s->requests - 1;

	if (i >= ANSWERS_MAX)
		abort();
	copy_header(script.ids[i], sizeof(script.ids[i]), request,
		    "amz-sdk-invocation-id: ");
	copy_header(script.attempts[i], sizeof(script.attempts[i]), request,
		    "amz-sdk-request: ");
	copy_header(script.dates[i], sizeof(script.dates[i]), request,
		    "X-Amz-Date: ");
	buf_text(out, script.answers[i]);
}

#define HEAD "Connection: close\r\nContent-Type: application/json\r\n"
#define OK "HTTP/1.1 200 OK\r\n" HEAD "\r\n[1]"
#define BUSY "HTTP/1.1 503 No\r\n" HEAD "\r\n{}"
#define WAIT "HTTP/1.1 429 No\r\n" HEAD "Retry-After: 7\r\n\r\n{}"
#define LONG "HTTP/1.1 503 No\r\n" HEAD "Retry-After: 86400\r\n\r\n{}"
#define ERROR(status, code)                                                  \
	"HTTP/1.1 " status " No\r\n" HEAD "\r\n{\"error\":{\"code\":\"" code \
	"\",\"message\":\"m\"}}"
#define SKEW(date)                                                           \
	"HTTP/1.1 403 No\r\nDate: " date "\r\n" HEAD                         \
	"\r\n{\"__type\":\"InvalidSignatureException\",\"message\":\"Signat" \
	"ure expired\"}"

struct try_row {
	const char *answers[ANSWERS_MAX];
	unsigned attempts_max; /* 0: the usual */
	int err;
	int requests;
	uint64_t paused_ms[2];
	const char *dates[3];
};

/* The dice give the shortest pause, the clock says 09:53:11. */
static void run_row(const struct try_row *r, size_t row)
{
	struct world w;
	struct server server;
	struct settings settings = { .region = "us-east-1",
				     .key_id = "TALLYCLIENTKEY01",
				     .secret = "0123456789abcdef" };
	struct client_options options = { .attempts_max = r->attempts_max,
					  .env = &w.env,
					  .pause = world_pause,
					  .random = world_random,
					  .self = &w };
	struct buf body = BUF_INIT;
	struct client *c;
	struct diag diag = { .text = "" };
	int err;

	world_init(&w);
	memset(&script, 0, sizeof(script));
	memcpy(script.answers, r->answers, sizeof(r->answers));
	serve_start(&server, answer_script, 0);
	settings.endpoint = server.url;
	assert_int_equal(client_open(&c, &settings, &options, &diag), 0);
	err = client_get(c, "/x", &body, &diag);
	client_close(c);
	serve_stop(&server);
	buf_fini(&body);
	if (err != r->err || server.requests != r->requests)
		fail_msg("row %zu: %d after %d requests: %s", row, err,
			 server.requests, diag.text);
	for (size_t i = 0; i < COUNT(r->paused_ms); i++)
		assert_int_equal(w.paused_ms[i], r->paused_ms[i]);
	for (int i = 0; i < server.requests; i++) {
		char attempt[48];

		snprintf(attempt, sizeof(attempt), "attempt=%d; max=%u", i + 1,
			 r->attempts_max ? r->attempts_max : 3);
		assert_string_equal(script.attempts[i], attempt);
		assert_int_equal(strlen(script.ids[i]), 36);
		assert_string_equal(script.ids[i], script.ids[0]);
		if (r->dates[0])
			assert_string_equal(script.dates[i], r->dates[i]);
	}
}

static void test_tries(void **state)
{
	static const struct try_row rows[] = {
		{ .answers = { OK }, .requests = 1 },
		{ .answers = { BUSY, OK }, .requests = 2, .paused_ms = { 50 } },
		{ .answers = { BUSY, WAIT, OK },
		  .requests = 3,
		  .paused_ms = { 50, 7000 } },
		{ .answers = { BUSY, BUSY, BUSY, OK },
		  .err = ERR_BUSY,
		  .requests = 3,
		  .paused_ms = { 50, 100 } },
		{ .answers = { BUSY, OK },
		  .attempts_max = 1,
		  .err = ERR_BUSY,
		  .requests = 1 },
		{ .answers = { ERROR("500", "X"), ERROR("502", "X"), OK },
		  .requests = 3,
		  .paused_ms = { 50, 100 } },
		/* a pause that the whole time does not have room for */
		{ .answers = { LONG, OK }, .err = ERR_BUSY, .requests = 1 },
		/* it hung up */
		{ .answers = { "", OK }, .requests = 2, .paused_ms = { 50 } },
		/* by the code, whatever the status */
		{ .answers = { ERROR("400", "ThrottlingException"), OK },
		  .requests = 2,
		  .paused_ms = { 50 } },
		/* what will be refused again is not tried again */
		{ .answers = { ERROR("400", "ValidationException"), OK },
		  .err = ERR_INVALID,
		  .requests = 1 },
		{ .answers = { ERROR("404", "NotFound"), OK },
		  .err = ERR_NOT_FOUND,
		  .requests = 1 },
		{ .answers = { ERROR("409", "Conflict"), OK },
		  .err = ERR_EXISTS,
		  .requests = 1 },
		{ .answers = { ERROR("501", "NotImplemented"), OK },
		  .err = ERR_IO,
		  .requests = 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		run_row(&rows[i], i);
}

/* Our clock says 09:53:11. */
static void test_clock(void **state)
{
	static const char here[] = "20261122T095311Z";
	static const struct try_row rows[] = {
		/* once, at once, and though no more tries are allowed */
		{ .answers = { SKEW("Sun, 22 Nov 2026 11:00:00 GMT"), OK },
		  .attempts_max = 1,
		  .requests = 2,
		  .dates = { here, "20261122T110000Z" } },
		{ .answers = { SKEW("Sun, 22 Nov 2026 08:00:00 GMT"),
			       SKEW("Sun, 22 Nov 2026 12:00:00 GMT"), OK },
		  .err = ERR_INVALID,
		  .requests = 2,
		  .dates = { here, "20261122T080000Z" } },
		/* the clock is right, the key is not */
		{ .answers = { SKEW("Sun, 22 Nov 2026 09:55:00 GMT"), OK },
		  .err = ERR_INVALID,
		  .requests = 1 },
		/* no date, or none that can be read */
		{ .answers = { SKEW("yesterday"), OK },
		  .err = ERR_INVALID,
		  .requests = 1 },
		{ .answers = { ERROR("403", "SignatureDoesNotMatch"), OK },
		  .err = ERR_INVALID,
		  .requests = 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		run_row(&rows[i], i);
}

static void count_progress(void *self, uint64_t sent, uint64_t to_send,
			   uint64_t got, uint64_t to_get)
{
	uint64_t *last = self;

	(void)sent, (void)to_send, (void)to_get;
	*last = got;
}

static void test_progress(void **state)
{
	uint64_t got = 0;
	struct client_options options = { .progress = count_progress,
					  .progress_self = &got };
	struct buf body = BUF_INIT;
	struct server server;
	struct client *c;
	struct diag diag;

	(void)state;
	memset(&script, 0, sizeof(script));
	script.answers[0] = OK;
	serve_start(&server, answer_script, 0);
	assert_int_equal(
		client_open(&c, &(struct settings){ .endpoint = server.url },
			    &options, &diag),
		0);
	assert_int_equal(client_get(c, "/x", &body, &diag), 0);
	assert_int_equal(got, 3);
	buf_fini(&body);
	client_close(c);
	serve_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
