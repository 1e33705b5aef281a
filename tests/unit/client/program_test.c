/* SPDX-License-Identifier: Apache-2.0 */
/* What every command does alike: its options, its errors, its output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>

#include "core/client/program.h"
#include "core/client/tape.h"
#include "tests/unit/client/serve.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void answer_all(struct server *s, const char *request, struct buf *out)
{
	(void)s;
	if (strstr(request, "GET /ok "))
		serve_json(out, "200 OK", " {\"n\":0.10}\n");
	else if (strstr(request, "GET /bad "))
		serve_json(out, "200 OK", "<html>");
	else
		serve_json(out, "404 Not Found", "{}");
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

struct options {
	struct program program;
	double since;
	int64_t limit;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case 's':
		o->since = program_when(state, &o->program, "--since", arg);
		return 0;
	case 'n':
		o->limit = program_number(state, "--limit", arg, 1, 10);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option option_list[] = {
	{ "since", 's', "TIME", 0, "From here", 0 },
	{ "limit", 'n', "N", 0, "So many", 0 },
	{ 0 },
};

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.children = program_children,
};

enum { ARGUMENTS_MAX = 8 };

static bool open_program(struct options *o, const char *const *arguments)
{
	char *argv[ARGUMENTS_MAX + 1] = { (char *)"tally-x" };
	int argc = 1;

	for (; arguments[argc - 1]; argc++)
		argv[argc] = (char *)arguments[argc - 1];
	return program_open(&o->program, &argp, argc, argv, o);
}

/* In a child, whose stdout is the file named and whose stderr is text. */
static int status_of(const char *const *arguments, const char *to,
		     const char *print, char *said, size_t size)
{
	int ends[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		struct options o = { 0 };

		dup2(open(to, O_WRONLY), 1);
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		if (!open_program(&o, arguments))
			_exit(PROGRAM_FAILED);
		buf_text(&o.program.out, print);
		_exit(program_close(&o.program, PROGRAM_OK));
	}
	close(ends[1]);
	while ((got = read(ends[0], said + n, size - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_status(void **state)
{
	static const struct {
		const char *arguments[3];
		const char *to;
		int status;
		const char *said;
	} rows[] = {
		{ { "--json" }, "/dev/null", PROGRAM_OK, "" },
		{ { "--limit", "10" }, "/dev/null", PROGRAM_OK, "" },
		{ { "--limit", "11" },
		  "/dev/null",
		  PROGRAM_USAGE,
		  "tally-x: --limit is a whole number from 1 to 10\n" },
		{ { "--limit", "x" },
		  "/dev/null",
		  PROGRAM_USAGE,
		  "tally-x: --limit is a whole number from 1 to 10\n" },
		{ { "--since", "soon" },
		  "/dev/null",
		  PROGRAM_USAGE,
		  "tally-x: --since is a time: 30s" },
		{ { "--color", "blue" },
		  "/dev/null",
		  PROGRAM_USAGE,
		  "tally-x: --color is auto, always or never\n" },
		{ { "--endpoint", "ftp://x" },
		  "/dev/null",
		  PROGRAM_FAILED,
		  "tally-x: the endpoint is no http:// or https:// URL" },
		{ { "--json" },
		  "/dev/full",
		  PROGRAM_FAILED,
		  "tally-x: cannot write all to standard output\n" },
	};
	char said[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(status_of(rows[i].arguments, rows[i].to, "x\n",
					   said, sizeof(said)),
				 rows[i].status);
		assert_memory_equal(said, rows[i].said, strlen(rows[i].said));
		if (!rows[i].said[0])
			assert_string_equal(said, "");
	}
}

static void test_parsed(void **state)
{
	const char *const arguments[] = { "-e", "http://h:1/", "--json",
					  "-s", "60s",         "--color=always",
					  NULL };
	struct options o = { 0 };

	(void)state;
	assert_true(open_program(&o, arguments));
	assert_string_equal(o.program.name, "tally-x");
	assert_string_equal(client_endpoint(o.program.client), "http://h:1");
	assert_true(o.program.json);
	assert_true(o.program.term.colour);
	assert_true(o.since == o.program.now - 60);
	assert_int_equal(program_close(&o.program, PROGRAM_OK), PROGRAM_OK);
}

static void test_limit_of_out(void **state)
{
	const char *const arguments[] = { NULL };
	struct options o = { 0 };

	(void)state;
	assert_true(open_program(&o, arguments));
	program_json(&o.program, SV(" \"\x7f\xc2\x9b\" \n"));
	assert_string_equal(o.program.out.ptr, "\"\\u007f\\u009b\"\n");
	o.program.out.limit = o.program.out.len + 2;
	program_json(&o.program, SV("[]"));
	assert_true(o.program.out.failed);
	buf_reset(&o.program.out);
	assert_int_equal(program_close(&o.program, PROGRAM_OK), PROGRAM_OK);
}

static void test_tape(void **state)
{
	struct server *s = *state;
	struct arena arena = ARENA_INIT;
	const char *const arguments[] = { "-e", s->url, NULL };
	struct options o = { 0 };
	struct json root;
	struct diag diag;

	assert_true(open_program(&o, arguments));
	assert_int_equal(
		tape_get(o.program.client, "/ok", &arena, &root, &diag), 0);
	assert_true(sv_eq(json_raw(json_get(root, SV("n"))), SV("0.10")));
	assert_int_equal(tape_get(o.program.client, "/bad", &arena, &root,
				  &diag),
			 ERR_SYNTAX);
	assert_null(root.doc);
	assert_non_null(strstr(diag.text, "; is http://127.0.0.1:"));
	assert_int_equal(tape_get(o.program.client, "/none", &arena, &root,
				  &diag),
			 ERR_NOT_FOUND);
	arena.limit = 1;
	assert_int_equal(tape_get(o.program.client, "/ok", &arena, &root,
				  &diag),
			 ERR_NOMEM);
	assert_int_equal(program_close(&o.program, PROGRAM_OK), PROGRAM_OK);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_parsed),
		cmocka_unit_test(test_limit_of_out),
		cmocka_unit_test_setup_teardown(test_tape, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
