/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/launch.h"
#include "agent/lines.h"
#include "agent/process.h"
#include "agent/xray_udp.h"

enum {
	DRAIN_READS_MAX = 16, /* a writer without pause must not hold us */
	DRAIN_ALL_READS_MAX = 1024,
	WAKE_NOTHING = 1, /* beside the values of enum sandbox_end */
};

struct sandbox {
	const struct env *env;
	const struct function *function;
	struct sandbox_sinks sinks;
	int stop_fd;
	struct runtime_api *api;
	struct xray_udp *xray;
	struct launched child;
	bool exited; /* and reaped */
	int exit_status;
	long own_peak_kb; /* the agent's, at the fork: see reap() */
	struct process_tree tree;
	struct instant sampled;
	struct instant started;
	struct instant asked;
	struct lines out;
	struct lines err;
	struct frames frames;
	struct buf clean;
	char bytes[OUTPUT_READ_BYTES];
};

static void on_line(void *arg, uint64_t time_us, struct sv message)
{
	struct sandbox *s = arg;
	struct wall now = env_wall(s->env);
	int64_t then = (int64_t)time_us * 1000;

	/* A frame says when; where it is not about now, our clock does. */
	if (time_us && time_us < INT64_MAX / 1000 &&
	    llabs(now.ns - then) < 900 * NS_PER_S && then <= now.ns)
		now.ns = then;
	s->sinks.line(s->sinks.arg, now, text_clean(message, &s->clean));
}

static void on_segment(void *arg, struct sv document)
{
	struct sandbox *s = arg;

	s->sinks.segment(s->sinks.arg, document);
}

static void drain_pipe(struct sandbox *s, int *end, int reads)
{
	int fd = *end;

	for (int i = 0; fd >= 0 && i < reads; i++) {
		ssize_t n = read(fd, s->bytes, sizeof(s->bytes));
		struct sv bytes;

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0) { /* closed: it would be ready for ever */
			close(fd);
			*end = -1;
		}
		if (n <= 0)
			return;
		bytes = sv_make(s->bytes, (size_t)n);
		if (end == &s->child.frames_fd)
			frames_add(&s->frames, bytes, on_line, s);
		else
			lines_add(end == &s->child.out_fd ? &s->out : &s->err,
				  bytes, on_line, s);
	}
}

static void drain(struct sandbox *s, int reads)
{
	drain_pipe(s, &s->child.frames_fd, reads);
	drain_pipe(s, &s->child.out_fd, reads);
	drain_pipe(s, &s->child.err_fd, reads);
	xray_udp_drain(s->xray, on_segment, s);
}

/* Takes the process's status once it has ended. First everything that it
 * started dies, while its number is still its own. wait4 knows a peak that no
 * sample saw, but counts the agent's own pages before the exec too, so it is
 * of use only above those. */
static void reap(struct sandbox *s)
{
	struct rusage usage;

	if (s->exited)
		return;
	process_tree_kill(&s->tree);
	while (wait4(s->child.pid, &s->exit_status, 0, &usage) < 0)
		assert(errno == EINTR);
	s->exited = true;
	if (usage.ru_maxrss > s->own_peak_kb &&
	    (uint64_t)usage.ru_maxrss > s->tree.peak_kb)
		s->tree.peak_kb = (uint64_t)usage.ru_maxrss;
}

static bool over_memory(struct sandbox *s)
{
	s->sampled = env_mono(s->env);
	return process_tree_sample_kb(&s->tree, s->sampled) >
	       (uint64_t)s->function->memory_mb * 1024;
}

static int wait_ms(const struct sandbox *s, struct instant now,
		   struct instant deadline)
{
	uint64_t next = s->sampled.ns + SAMPLE_MS * (uint64_t)NS_PER_MS;

	if (deadline.ns < next)
		next = deadline.ns;
	return next <= now.ns ? 0 : (int)((next - now.ns) / NS_PER_MS) + 1;
}

/* Waits for something, at most until the next sample or the deadline; takes
 * in output. WAKE_NOTHING: nothing that ends a wait. */
static int step(struct sandbox *s, struct instant deadline)
{
	struct instant now = env_mono(s->env);
	struct pollfd fds[] = {
		{ .fd = runtime_api_fd(s->api), .events = POLLIN },
		{ .fd = s->child.pid_fd, .events = POLLIN },
		{ .fd = s->stop_fd, .events = POLLIN },
		{ .fd = xray_udp_fd(s->xray), .events = POLLIN },
		{ .fd = s->child.out_fd, .events = POLLIN },
		{ .fd = s->child.err_fd, .events = POLLIN },
		{ .fd = s->child.frames_fd, .events = POLLIN },
	};

	if (poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms(s, now, deadline)) <
	    0)
		assert(errno == EINTR);
	drain(s, DRAIN_READS_MAX);
	now = env_mono(s->env);
	if (fds[2].revents)
		return SANDBOX_STOPPED;
	if (now.ns - s->sampled.ns >= SAMPLE_MS * (uint64_t)NS_PER_MS &&
	    over_memory(s))
		return SANDBOX_MEMORY;
	if (fds[1].revents)
		return SANDBOX_EXIT;
	return now.ns >= deadline.ns ? SANDBOX_TIMEOUT : WAKE_NOTHING;
}

static int open_parts(struct sandbox *s, const char *log_stream,
		      struct diag *diag)
{
	struct rusage usage;
	struct launch how = { .function = s->function,
			      .log_stream = log_stream };
	int e = runtime_api_open(&s->api, s->env, diag);

	if (e == 0)
		e = xray_udp_open(&s->xray, diag);
	if (e < 0)
		return e;
	how.api_port = runtime_api_port(s->api);
	how.xray_port = xray_udp_port(s->xray);
	getrusage(RUSAGE_SELF, &usage);
	s->own_peak_kb = usage.ru_maxrss;
	s->started = env_mono(s->env);
	e = launch(&how, &s->child, diag);
	if (e == 0)
		process_tree_init(&s->tree, s->child.pid);
	return e;
}

int sandbox_open(struct sandbox **out, const struct env *env,
		 const struct function *function, const char *log_stream,
		 int stop_fd, const struct sandbox_sinks *sinks,
		 struct diag *diag)
{
	struct sandbox *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	s->env = env;
	s->function = function;
	s->sinks = *sinks;
	s->stop_fd = stop_fd;
	e = open_parts(s, log_stream, diag);
	if (e < 0) {
		xray_udp_close(s->xray);
		runtime_api_close(s->api);
		free(s);
		return e;
	}
	*out = s;
	return 0;
}

/* The last datagrams of a handler may still be on their way when its answer
 * is here: they are waited for until it has been quiet for a while. */
static void linger(struct sandbox *s)
{
	struct pollfd fd = { .fd = xray_udp_fd(s->xray), .events = POLLIN };
	struct instant begin = env_mono(s->env);

	while (env_mono(s->env).ns - begin.ns <
		       XRAY_LINGER_MS * (uint64_t)NS_PER_MS &&
	       poll(&fd, 1, XRAY_QUIET_MS) > 0)
		xray_udp_drain(s->xray, on_segment, s);
}

static void close_end(int fd)
{
	if (fd >= 0)
		close(fd);
}

void sandbox_close(struct sandbox *s)
{
	if (!s)
		return;
	if (!s->exited)
		linger(s);
	reap(s);
	drain(s, DRAIN_ALL_READS_MAX);
	frames_flush(&s->frames, on_line, s);
	lines_flush(&s->out, on_line, s);
	lines_flush(&s->err, on_line, s);
	close_end(s->child.out_fd);
	close_end(s->child.err_fd);
	close_end(s->child.frames_fd);
	close_end(s->child.pid_fd);
	runtime_api_close(s->api);
	xray_udp_close(s->xray);
	lines_fini(&s->out);
	lines_fini(&s->err);
	frames_fini(&s->frames);
	buf_fini(&s->clean);
	free(s);
}

/* A process that ended by itself may have written until its last moment. */
static enum sandbox_end ended(struct sandbox *s)
{
	reap(s);
	drain(s, DRAIN_ALL_READS_MAX);
	frames_flush(&s->frames, on_line, s);
	lines_flush(&s->out, on_line, s);
	lines_flush(&s->err, on_line, s);
	return SANDBOX_EXIT;
}

/* Kills at once, so that nothing runs on after its time. */
static enum sandbox_end killed(struct sandbox *s, enum sandbox_end why)
{
	ended(s);
	return why;
}

enum sandbox_end sandbox_wait_ready(struct sandbox *s, struct instant deadline)
{
	for (;;) {
		struct api_state state = runtime_api_look(s->api);
		int wake;

		if (state.has_result)
			return killed(s, SANDBOX_FAILED);
		if (state.waiting) {
			s->asked = state.waiting_at;
			drain(s, DRAIN_ALL_READS_MAX);
			return over_memory(s) ? killed(s, SANDBOX_MEMORY) :
						SANDBOX_DONE;
		}
		wake = step(s, deadline);
		if (wake == SANDBOX_EXIT) {
			ended(s);
			state = runtime_api_look(s->api);
			return state.has_result ? SANDBOX_FAILED : SANDBOX_EXIT;
		}
		if (wake != WAKE_NOTHING)
			return killed(s, (enum sandbox_end)wake);
	}
}

enum sandbox_end sandbox_run(struct sandbox *s, const struct invocation *inv,
			     struct instant deadline, struct api_result *out)
{
	*out = (struct api_result){ 0 };
	runtime_api_give(s->api, inv);
	for (;;) {
		int wake = step(s, deadline);
		struct api_state state = runtime_api_look(s->api);

		if (state.has_result)
			runtime_api_take(s->api, out);
		if (out->kind != API_NONE && state.waiting) {
			s->asked = state.waiting_at;
			drain(s, DRAIN_ALL_READS_MAX);
			return over_memory(s) ? killed(s, SANDBOX_MEMORY) :
						SANDBOX_DONE;
		}
		if (wake == SANDBOX_EXIT)
			ended(s);
		else if (wake != WAKE_NOTHING)
			killed(s, (enum sandbox_end)wake);
		else
			continue;
		if (out->kind == API_NONE)
			runtime_api_take(s->api, out);
		return (enum sandbox_end)wake;
	}
}

void sandbox_take(struct sandbox *s, struct api_result *out)
{
	runtime_api_take(s->api, out);
}

void sandbox_exit_text(struct sandbox *s, char *out, size_t size)
{
	assert(s->exited);
	if (!WIFSIGNALED(s->exit_status)) {
		snprintf(out, size, "exit status %d",
			 WEXITSTATUS(s->exit_status));
	} else if (WTERMSIG(s->exit_status) == SIGKILL) {
		snprintf(out, size, "signal: killed");
	} else {
		const char *name = sigdescr_np(WTERMSIG(s->exit_status));

		snprintf(out, size, "signal: %s", name ? name : "unknown");
		for (char *p = out + 8; *p; p++) /* Go writes "aborted" */
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
	}
}

bool sandbox_was_killed(struct sandbox *s)
{
	return s->exited && WIFSIGNALED(s->exit_status) &&
	       WTERMSIG(s->exit_status) == SIGKILL;
}

uint32_t sandbox_max_memory_mb(struct sandbox *s)
{
	if (!s->exited)
		over_memory(s);
	return (uint32_t)((s->tree.peak_kb + 1023) / 1024);
}

struct instant sandbox_started(const struct sandbox *s)
{
	return s->started;
}

struct instant sandbox_asked(const struct sandbox *s)
{
	return s->asked;
}
