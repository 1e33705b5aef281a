/* SPDX-License-Identifier: Apache-2.0 */
/* What a user gives the agent: functions and events; and processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/events.h"
#include "agent/function.h"
#include "agent/process.h"

static void write_file(const char *path, struct sv bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, f), bytes.len);
	fclose(f);
}

static void test_event_files(void **state)
{
	static char big[EVENT_BYTES_MAX + 1];
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "{}", 0 },
		{ " [1, 2] \n", 0 },
		{ "", ERR_SYNTAX },
		{ "{", ERR_SYNTAX },
		{ "{}{}", ERR_SYNTAX },
		{ "\"\xff\"", ERR_SYNTAX },
	};
	char path[] = "/tmp/tally-event-XXXXXX";
	struct diag diag;
	struct events e;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(path, sv_from(rows[i].text));
		assert_int_equal(events_from_file(&e, path, &diag),
				 rows[i].err);
		events_fini(&e);
	}
	for (size_t size = EVENT_BYTES_MAX; size <= sizeof(big); size++) {
		memset(big, ' ', sizeof(big));
		big[0] = '1';
		write_file(path, sv_make(big, size));
		assert_int_equal(events_from_file(&e, path, &diag),
				 size > EVENT_BYTES_MAX ? ERR_LIMIT : 0);
		events_fini(&e);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(events_from_file(&e, path, &diag), ERR_NOT_FOUND);
	events_fini(&e);
	assert_int_equal(events_from_file(&e, NULL, &diag), 0);
	assert_true(sv_eq(e.list[0], SV("{}")));
	events_fini(&e);
}

static void test_event_folder(void **state)
{
	static const char *const names[] = { "b.json", "a.json", ".hidden",
					     "c" };
	char dir[] = "/tmp/tally-events-XXXXXX";
	char path[128];
	struct diag diag;
	struct events e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(events_from_dir(&e, dir, &diag), ERR_NOT_FOUND);
	events_fini(&e);
	for (size_t i = 0; i < 4; i++) {
		char text[8];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		snprintf(text, sizeof(text), "%zu", i);
		write_file(path, sv_from(text));
	}
	assert_int_equal(events_from_dir(&e, dir, &diag), 0);
	assert_int_equal(e.count, 3);
	assert_true(sv_eq(e.list[0], SV("1")) && sv_eq(e.list[1], SV("0")) &&
		    sv_eq(e.list[2], SV("3")));
	events_fini(&e);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void test_functions(void **state)
{
	static char big[ENVIRONMENT_BYTES_MAX + 1];
	static const struct {
		const char *name, *variable;
		uint32_t memory_mb, timeout_s;
		int err;
	} rows[] = {
		{ "My-Function_1", "A=1", 128, 3, 0 },
		{ "f", "A==", 10240, 900, 0 },
		{ "f", big, 128, 3, ERR_LIMIT },
		{ "", "A=1", 128, 3, ERR_INVALID },
		{ "a/b", "A=1", 128, 3, ERR_INVALID },
		{ "f", "A", 128, 3, ERR_INVALID },
		{ "f", "=1", 128, 3, ERR_INVALID },
		{ "f", "AWS_REGION=x", 128, 3, ERR_INVALID },
		{ "f", "A=1", 127, 3, ERR_INVALID },
		{ "f", "A=1", 10241, 3, ERR_INVALID },
		{ "f", "A=1", 128, 0, ERR_INVALID },
		{ "f", "A=1", 128, 901, ERR_INVALID },
	};

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[1] = '=';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct function f = { .runtime = RUNTIME_PROVIDED,
				      .memory_mb = rows[i].memory_mb,
				      .timeout_s = rows[i].timeout_s,
				      .environment = { rows[i].variable,
						       "B=2" },
				      .environment_count = 2 };
		struct diag diag;

		snprintf(f.name, sizeof(f.name), "%s", rows[i].name);
		assert_int_equal(
			function_resolve(&f, "tests/cli/agent/provided", &diag),
			rows[i].err);
	}
}

/* A child that touches memory; its own child does too, in a session of its
 * own, and ignores what can be ignored. */
static void touch(size_t mb)
{
	size_t n = mb << 20;
	volatile char *memory = malloc(n);

	setsid();
	for (size_t i = 0; memory && i < n; i += 4096)
		memory[i] = 1;
}

static _Noreturn void grow(int depth, size_t mb)
{
	signal(SIGTERM, SIG_IGN);
	touch(mb);
	while (depth-- && fork() == 0)
		touch(mb);
	for (;;)
		pause();
}

static void test_tree(void **state)
{
	static struct process_tree tree;
	struct instant now = env_mono(env_posix());
	uint64_t sum = 0;
	pid_t root;

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	root = fork();
	if (root == 0)
		grow(2, 20);
	process_tree_init(&tree, root);
	for (int i = 0; i < 500 && (sum < 60 << 10 || tree.count < 2); i++) {
		usleep(10000);
		now.ns += 60 * (uint64_t)NS_PER_MS;
		sum = process_tree_sample_kb(&tree, now);
	}
	assert_true(sum >= 60 << 10);
	assert_int_equal(tree.count, 2);
	assert_true(tree.peak_kb >= sum);
	process_tree_kill(&tree);
	assert_int_equal(waitpid(root, NULL, 0), root);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_files),
		cmocka_unit_test(test_event_folder),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_tree),
	};

	return cmocka_run_group_tests_name("agent inputs", tests, NULL, NULL);
}
