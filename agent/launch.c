/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/launch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/text.h"

enum {
	VARIABLES_MAX = ENVIRONMENT_MAX + 40,
	ARGUMENTS_MAX = 8,
	EXIT_CANNOT_EXECUTE = 127,
};

enum { PIPE_OUT, PIPE_ERR, PIPE_FRAMES, PIPE_EXEC, PIPES };

struct variables {
	struct arena arena;
	const char *list[VARIABLES_MAX + 1];
	unsigned count;
	bool failed;
};

static bool has_key(const struct variables *v, const char *text)
{
	size_t n = strcspn(text, "=") + 1;

	for (unsigned i = 0; i < v->count; i++)
		if (!strncmp(v->list[i], text, n))
			return true;
	return false;
}

/* The first to name a variable sets it: programs do not agree on what two of
 * the same name mean. */
static void put(struct variables *v, const char *format, ...) PRINTF(2, 3);
static void put(struct variables *v, const char *format, ...)
{
	char text[FUNCTION_PATH_MAX + 64];
	struct sv copy;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < (int)sizeof(text) && has_key(v, text))
		return;
	copy = arena_copy(&v->arena, sv_from(text));
	if (n >= (int)sizeof(text) || !copy.ptr || v->count == VARIABLES_MAX)
		v->failed = true;
	else
		v->list[v->count++] = copy.ptr;
}

static void keep(struct variables *v, const char *name)
{
	const char *value = getenv(name);

	if (value)
		put(v, "%s=%s", name, value);
}

/* The user's variables come first; the reserved ones were refused, so a user
 * may set TZ or HOME but not a region. */
static void fill(struct variables *v, const struct launch *how)
{
	const struct function *f = how->function;

	for (unsigned i = 0; i < f->environment_count; i++)
		put(v, "%s", f->environment[i]);
	keep(v, "PATH");
	keep(v, "HOME");
	keep(v, "TMPDIR");
	put(v, "LANG=en_US.UTF-8");
	put(v, "TZ=:UTC");
	put(v, "_HANDLER=%s", f->handler);
	put(v, "LAMBDA_TASK_ROOT=%s", f->code_dir);
	put(v, "AWS_LAMBDA_FUNCTION_NAME=%s", f->name);
	put(v, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST");
	put(v, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%u", f->memory_mb);
	put(v, "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand");
	put(v, "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/%s", f->name);
	put(v, "AWS_LAMBDA_LOG_STREAM_NAME=%s", how->log_stream);
	put(v, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%u", how->api_port);
	put(v, "AWS_EXECUTION_ENV=AWS_Lambda_%s", f->runtime_text);
	put(v, "AWS_REGION=%s", f->scope.region);
	put(v, "AWS_DEFAULT_REGION=%s", f->scope.region);
	put(v, "AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:%u", how->xray_port);
	put(v, "_AWS_XRAY_DAEMON_ADDRESS=127.0.0.1");
	put(v, "_AWS_XRAY_DAEMON_PORT=%u", how->xray_port);
	put(v, "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR");
	put(v, "_LAMBDA_TELEMETRY_LOG_FD=%d", TELEMETRY_FD);
}

static void fill_arguments(const struct function *f, char *heap,
			   const char *argv[ARGUMENTS_MAX])
{
	unsigned n = 0;

	argv[n++] = f->program;
	if (f->runtime == RUNTIME_NODEJS) {
		/* Lambda tells V8 of the limit, so that it collects in time */
		snprintf(heap, 48, "--max-old-space-size=%u",
			 f->memory_mb * 9 / 10);
		argv[n++] = heap;
	}
	if (f->bootstrap[0])
		argv[n++] = f->bootstrap;
	argv[n] = NULL;
}

/* Between fork and exec in a process with threads: only calls that are safe
 * in a signal handler. */
static _Noreturn void child(const struct function *f, pid_t parent,
			    const char *const *argv, const char *const *envp,
			    int null_fd, int (*pipes)[2])
{
	/* Closes itself when the exec succeeds; else it says why not. */
	int failed = pipes[PIPE_EXEC][1];
	int error;
	static const struct rlimit no_core = { 0, 0 };
	sigset_t none;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_CANNOT_EXECUTE); /* it is gone already */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(null_fd, 0) < 0 || dup2(pipes[PIPE_OUT][1], 1) < 0 ||
	    dup2(pipes[PIPE_ERR][1], 2) < 0 ||
	    dup2(pipes[PIPE_FRAMES][1], TELEMETRY_FD) < 0 ||
	    chdir(f->code_dir) < 0)
		_exit(EXIT_CANNOT_EXECUTE);
	close_range(TELEMETRY_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execve(f->program, (char *const *)(uintptr_t)argv,
	       (char *const *)(uintptr_t)envp);
	error = errno;
	if (write(failed, &error, sizeof(error)) < 0)
		_exit(EXIT_CANNOT_EXECUTE);
	_exit(EXIT_CANNOT_EXECUTE);
}

/* A pipe whose ends have numbers above those the child gives out. */
static int make_pipe(int ends[2])
{
	int raw[2];
	int e = 0;

	ends[0] = ends[1] = -1;
	if (pipe2(raw, O_CLOEXEC) < 0)
		return ERR_IO;
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, TELEMETRY_FD + 1);
		if (ends[i] < 0)
			e = ERR_IO;
		close(raw[i]);
	}
	return e;
}

static void close_end(int *end)
{
	if (*end >= 0)
		close(*end);
	*end = -1;
}

static void close_all(int (*pipes)[2], int end)
{
	for (int i = 0; i < PIPES; i++)
		close_end(&pipes[i][end]);
}

/* Waits until the child has become the runtime: from then on its memory is
 * its own. 0, or the errno with which it could not. */
static int exec_error(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

static int start(const struct launch *how, struct variables *v, int (*pipes)[2],
		 int null_fd, struct launched *out)
{
	const char *argv[ARGUMENTS_MAX];
	pid_t parent = getpid();
	char heap[48];
	int error;

	fill(v, how);
	if (v->failed)
		return ERR_LIMIT;
	fill_arguments(how->function, heap, argv);
	out->pid = fork();
	if (out->pid == 0)
		child(how->function, parent, argv, v->list, null_fd, pipes);
	if (out->pid < 0)
		return ERR_IO;
	out->pid_fd = pidfd_open(out->pid, 0);
	for (int i = 0; i < PIPES; i++)
		close_end(&pipes[i][1]);
	error = out->pid_fd < 0 ? errno : exec_error(pipes[PIPE_EXEC][0]);
	if (error) {
		kill(out->pid, SIGKILL);
		waitpid(out->pid, NULL, 0);
		if (out->pid_fd >= 0)
			close(out->pid_fd);
		errno = error;
		return ERR_IO;
	}
	return 0;
}

int launch(const struct launch *how, struct launched *out, struct diag *diag)
{
	int pipes[PIPES][2] = {
		{ -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }
	};
	struct variables v = { .count = 0 };
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int e = null_fd < 0 ? ERR_IO : 0;

	for (int i = 0; i < PIPES && e == 0; i++)
		e = make_pipe(pipes[i]);
	if (e == 0)
		e = start(how, &v, pipes, null_fd, out);
	for (int i = 0; i < PIPE_EXEC && e == 0; i++)
		if (fcntl(pipes[i][0], F_SETFL, O_NONBLOCK) < 0)
			e = ERR_IO;
	if (e < 0)
		diag_set(diag, e, "cannot start %.150s: %s",
			 how->function->program,
			 e == ERR_IO ? strerror(errno) : err_text(e));
	close_all(pipes, 1);
	if (e < 0) {
		close_all(pipes, 0);
	} else {
		close_end(&pipes[PIPE_EXEC][0]);
		out->out_fd = pipes[PIPE_OUT][0];
		out->err_fd = pipes[PIPE_ERR][0];
		out->frames_fd = pipes[PIPE_FRAMES][0];
	}
	if (null_fd >= 0)
		close(null_fd);
	arena_fini(&v.arena);
	return e;
}
