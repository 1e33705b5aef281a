/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/errand/errand.h"

/* --- messages --------------------------------------------------------------------- */

static void test_request_comes_back(void **state)
{
	const struct errand_request in = {
		.kind = ERRAND_WEBHOOK,
		.timeout_ms = ERRAND_TIMEOUT_MS_MAX,
		.id = UINT64_MAX - 1,
		.target = SV_INIT("http://h/"),
		.body = SV_INIT("{\0}"),
	};
	struct errand_request out;
	struct buf message = { 0 };

	(void)state;
	errand_request_write(&in, &message);
	assert_int_equal(errand_request_parse(buf_view(&message), &out), 0);
	assert_int_equal(out.kind, ERRAND_WEBHOOK);
	assert_int_equal(out.timeout_ms, ERRAND_TIMEOUT_MS_MAX);
	assert_true(out.id == UINT64_MAX - 1);
	assert_true(sv_eq(out.target, in.target));
	assert_true(sv_eq(out.body, in.body));
	buf_fini(&message);
}

/* Bytes of a head, in its order, then `rest` bytes of `fill`. */
static struct sv make(char *out, const uint32_t words[6], size_t rest, int fill)
{
	for (size_t i = 0; i < 6; i++)
		put_le32((uint8_t *)out + 4 * i, words[i]);
	memset(out + ERRAND_HEAD_SIZE, fill, rest);
	return sv_make(out, ERRAND_HEAD_SIZE + rest);
}

static void test_bad_requests(void **state)
{
	static const struct {
		uint32_t words[6]; /* kind, timeout, id, id, target, body */
		size_t rest;
		int fill;
		int want;
	} rows[] = {
		{ { 1, 1, 0, 0, 3, 2 }, 5, 'x', 0 },
		{ { 1, 1, 0, 0, 0, 0 }, 0, 'x', 0 },
		{ { 0, 1, 0, 0, 3, 2 }, 5, 'x', ERR_SYNTAX },
		{ { 2, 1, 0, 0, 3, 2 }, 5, 'x', ERR_SYNTAX },
		{ { 0x101, 1, 0, 0, 3, 2 }, 5, 'x', ERR_SYNTAX },
		{ { 1, 0, 0, 0, 3, 2 }, 5, 'x', ERR_LIMIT },
		{ { 1, ERRAND_TIMEOUT_MS_MAX + 1, 0, 0, 3, 2 },
		  5,
		  'x',
		  ERR_LIMIT },
		{ { 1, 1, 0, 0, 3, 2 }, 4, 'x', ERR_SYNTAX },
		{ { 1, 1, 0, 0, 3, 2 }, 6, 'x', ERR_SYNTAX },
		{ { 1, 1, 0, 0, 5, UINT32_MAX }, 4, 'x', ERR_LIMIT },
		{ { 1, 1, 0, 0, UINT32_MAX, 6 }, 5, 'x', ERR_LIMIT },
		{ { 1, 1, 0, 0, ERRAND_TARGET_MAX + 1, 0 },
		  ERRAND_TARGET_MAX + 1,
		  'x',
		  ERR_LIMIT },
		{ { 1, 1, 0, 0, 0, ERRAND_BODY_MAX + 1 },
		  ERRAND_BODY_MAX + 1,
		  'x',
		  ERR_LIMIT },
		{ { 1, 1, 0, 0, 3, 2 }, 5, '\0', ERR_INVALID },
	};
	char *bytes = malloc(ERRAND_MESSAGE_MAX + 1);
	struct errand_request out;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv m =
			make(bytes, rows[i].words, rows[i].rest, rows[i].fill);

		assert_int_equal(errand_request_parse(m, &out), rows[i].want);
	}
	assert_int_equal(errand_request_parse(sv_make(bytes, 23), &out),
			 ERR_SYNTAX);
	assert_int_equal(errand_request_parse(SV(""), &out), ERR_SYNTAX);
	free(bytes);
}

static void test_answers(void **state)
{
	static const struct {
		uint32_t words[6]; /* kind, status, id, id, result, text */
		size_t rest;
		int want;
	} rows[] = {
		{ { 0x101, 200, 7, 0, ERRAND_DONE, 4 }, 4, 0 },
		{ { 0x101, 200, 7, 0, ERRAND_DONE, 4 }, 3, ERR_SYNTAX },
		{ { 0x101, 200, 7, 0, ERRAND_DONE, 4 }, 5, ERR_SYNTAX },
		{ { 0x101, 200, 7, 0, ERRAND_LOST, 4 }, 4, ERR_SYNTAX },
		{ { 0x101, 200, 7, 0, UINT32_MAX, 4 }, 4, ERR_SYNTAX },
		{ { 0x103, 200, 7, 0, ERRAND_DONE, 4 }, 4, ERR_SYNTAX },
		{ { 0x102, 0, 0, 0, 0, 1 }, 1, ERR_SYNTAX },
		{ { 0x101, 0, 7, 0, 0, ERRAND_TEXT_MAX + 1 },
		  ERRAND_TEXT_MAX + 1,
		  ERR_LIMIT },
		{ { 0x101, 0, 7, 0, 0, UINT32_MAX }, 4, ERR_LIMIT },
	};
	char bytes[ERRAND_HEAD_SIZE + ERRAND_TEXT_MAX + 1];
	struct errand_answer out;
	struct buf message = { 0 };
	bool restarted;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv m = make(bytes, rows[i].words, rows[i].rest, 'x');

		assert_int_equal(errand_answer_parse(m, &out, &restarted),
				 rows[i].want);
		assert_false(restarted);
	}
	errand_restarted_write(&message);
	assert_int_equal(
		errand_answer_parse(buf_view(&message), &out, &restarted), 0);
	assert_true(restarted);
	buf_fini(&message);
}

/* --- the process ------------------------------------------------------------------- */

/* What came of errands. */
struct outcome {
	_Atomic unsigned results[ERRAND_LATE + 1];
};

static void on_done(void *arg, const struct errand_answer *a)
{
	struct outcome *o = arg;

	assert_true(a->result <= ERRAND_LATE);
	atomic_fetch_add(&o->results[a->result], 1);
}

static bool comes(const _Atomic unsigned *counter, unsigned want)
{
	for (int i = 0; i < 4000; i++) {
		if (atomic_load(counter) >= want)
			return true;
		usleep(5000);
	}
	return false;
}

struct fixture {
	struct errand *errand;
	_Atomic uint64_t restarted, lost, bad, late;
	struct outcome outcome;
	int fd; /* somebody who takes connections and says nothing */
	char url[64];
};

static void open_fixture(struct fixture *f)
{
	struct errand_options options = { .confine = CONFINE_OFF,
					  .restarted = &f->restarted,
					  .lost = &f->lost,
					  .bad = &f->bad,
					  .late = &f->late };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	struct diag diag;

	*f = (struct fixture){ .fd = -1 };
	assert_int_equal(errand_start(&f->errand, &options, &diag), 0);
	assert_int_equal(errand_listen(f->errand, &diag), 0);
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(f->fd, 64), 0);
	assert_int_equal(getsockname(f->fd, (struct sockaddr *)&at, &size), 0);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/",
		 ntohs(at.sin_port));
}

static void close_fixture(struct fixture *f)
{
	errand_close(f->errand);
	if (f->fd >= 0)
		close(f->fd);
}

static int ask(struct fixture *f, const char *url, uint32_t timeout_ms)
{
	const struct errand_request r = { .kind = ERRAND_WEBHOOK,
					  .timeout_ms = timeout_ms,
					  .target = sv_from(url),
					  .body = SV_INIT("{}") };

	return errand_ask(f->errand, &r, on_done, &f->outcome);
}

/* The one child of a process, or 0. */
static pid_t child_of(pid_t pid)
{
	char path[64], line[64];
	FILE *file;
	uint64_t child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
		 (int)pid);
	for (int i = 0; i < 1000 && !child; i++) {
		file = fopen(path, "re");
		if (!file || !fgets(line, sizeof(line), file) ||
		    !sv_to_u64(sv_trim(sv_from(line)), &child))
			child = 0;
		if (file)
			fclose(file);
		if (!child)
			usleep(5000);
	}
	return (pid_t)child;
}

static void test_limits(void **state)
{
	char *large = malloc(ERRAND_BODY_MAX + 1);
	struct fixture f;
	struct errand_request r = { .kind = ERRAND_WEBHOOK, .timeout_ms = 1 };

	(void)state;
	assert_non_null(large);
	memset(large, 'x', ERRAND_BODY_MAX + 1);
	open_fixture(&f);
	r.target = sv_make(large, ERRAND_TARGET_MAX + 1);
	assert_int_equal(errand_ask(f.errand, &r, on_done, &f.outcome),
			 ERR_LIMIT);
	r.target = SV("http://h/");
	r.body = sv_make(large, ERRAND_BODY_MAX + 1);
	assert_int_equal(errand_ask(f.errand, &r, on_done, &f.outcome),
			 ERR_LIMIT);
	r.timeout_ms = ERRAND_TIMEOUT_MS_MAX + 1;
	r.body = SV("");
	assert_int_equal(errand_ask(f.errand, &r, on_done, &f.outcome),
			 ERR_LIMIT);
	/* The largest of all is taken, tried, and fails: it is no URL. */
	r.timeout_ms = ERRAND_TIMEOUT_MS_MAX;
	r.target = sv_make(large, ERRAND_TARGET_MAX);
	r.body = sv_make(large, ERRAND_BODY_MAX);
	assert_int_equal(errand_ask(f.errand, &r, on_done, &f.outcome), 0);
	assert_true(comes(&f.outcome.results[ERRAND_FAILED], 1));
	free(large);

	for (int i = 0; i < ERRAND_FLIGHT_MAX; i++)
		assert_int_equal(ask(&f, f.url, 60000), 0);
	assert_int_equal(ask(&f, f.url, 60000), ERR_BUSY);
	/* Nobody takes their connections any more. */
	close(f.fd);
	f.fd = -1;
	assert_true(comes(&f.outcome.results[ERRAND_FAILED],
			  1 + ERRAND_FLIGHT_MAX));
	assert_int_equal(ask(&f, f.url, 1), 0);
	assert_true(comes(&f.outcome.results[ERRAND_FAILED],
			  2 + ERRAND_FLIGHT_MAX));
	close_fixture(&f);
}

static void test_worker_is_replaced(void **state)
{
	struct fixture f;
	pid_t worker;

	(void)state;
	open_fixture(&f);
	assert_int_equal(ask(&f, f.url, 60000), 0);
	worker = child_of(child_of(getpid()));
	assert_true(worker > 0);
	assert_int_equal(kill(worker, SIGKILL), 0);
	assert_true(comes(&f.outcome.results[ERRAND_LOST], 1));
	assert_int_equal(f.restarted, 1);
	/* The next one works: nobody listens there, and it finds out. */
	assert_int_equal(ask(&f, "http://127.0.0.1:1/", 20000), 0);
	assert_true(comes(&f.outcome.results[ERRAND_FAILED], 1));
	assert_int_equal(f.lost, 0);
	close_fixture(&f);
}

static void test_process_is_gone(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	assert_int_equal(ask(&f, f.url, 60000), 0);
	/* Both: the worker dies with its parent. */
	assert_int_equal(kill(child_of(getpid()), SIGKILL), 0);
	assert_true(comes(&f.outcome.results[ERRAND_LOST], 1));
	assert_int_equal(f.lost, 1);
	assert_int_equal(f.restarted, 0);
	assert_int_equal(ask(&f, f.url, 60000), ERR_CLOSED);
	close_fixture(&f);
}

/* A worker that says nothing keeps no flight for ever. */
static void test_late(void **state)
{
	struct fixture f;
	pid_t worker;

	(void)state;
	open_fixture(&f);
	worker = child_of(child_of(getpid()));
	assert_int_equal(kill(worker, SIGSTOP), 0);
	assert_int_equal(ask(&f, "http://127.0.0.1:1/", 1), 0);
	assert_true(comes(&f.outcome.results[ERRAND_LATE], 1));
	assert_int_equal(f.late, 1);
	/* Its answer comes after all, and is nobody's. */
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_int_equal(ask(&f, "http://127.0.0.1:1/", 20000), 0);
	assert_true(comes(&f.outcome.results[ERRAND_FAILED], 1));
	assert_int_equal(f.outcome.results[ERRAND_FAILED], 1);
	close_fixture(&f);
}

/* Closing ends what is under way, and the process. */
static void test_close(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	assert_int_equal(ask(&f, f.url, 60000), 0);
	close_fixture(&f);
	assert_int_equal(f.outcome.results[ERRAND_LOST], 1);
	assert_int_equal(f.lost, 0);
	errand_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_comes_back),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_worker_is_replaced),
		cmocka_unit_test(test_process_is_gone),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
