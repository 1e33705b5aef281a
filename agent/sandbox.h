/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sandbox: one process of a runtime with what surrounds it - its own Runtime
 * API, its own X-Ray listener, pipes for its output, a memory limit, and a
 * time limit. It serves one invocation after the other until it fails; then
 * it is closed, and the next invocation gets a new one (a cold start).
 *
 * The process leads a session of its own and dies with the agent
 * (PR_SET_PDEATHSIG: so the thread that opens a sandbox must outlive it). One
 * thread owns a sandbox; its calls return when something was decided.
 */
#ifndef TALLY_AGENT_SANDBOX_H
#define TALLY_AGENT_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/function.h"
#include "agent/runtime_api.h"
#include "core/sys/env.h"

enum {
	SAMPLE_MS = 5,      /* memory is looked at this often */
	XRAY_QUIET_MS = 20, /* no datagram for so long: none will come */
	XRAY_LINGER_MS = 200,
	LOG_STREAM_MAX = 64,
	OUTPUT_READ_BYTES = 64 << 10,
};

enum sandbox_end {
	SANDBOX_DONE,    /* ready, or the result is here */
	SANDBOX_FAILED,  /* init/error: the result says why */
	SANDBOX_TIMEOUT, /* the deadline came */
	SANDBOX_MEMORY,  /* over the memory limit */
	SANDBOX_EXIT,    /* the process ended by itself */
	SANDBOX_STOPPED, /* stop_fd became readable: the agent ends */
};

/* Called in the sandbox's thread, from inside its calls. */
struct sandbox_sinks {
	void (*line)(void *arg, struct wall time, struct sv message);
	void (*segment)(void *arg, struct sv document);
	void *arg;
};

struct sandbox;

/* Starts the process. stop_fd: readable when the agent shall end. log_stream
 * is what the runtime is told. */
int sandbox_open(struct sandbox **out, const struct env *env,
		 const struct function *function, const char *log_stream,
		 int stop_fd, const struct sandbox_sinks *sinks,
		 struct diag *diag) MUST_USE;
/* Kills what is left, gives out the last output and datagrams. */
void sandbox_close(struct sandbox *s);

/* Until the runtime asks for work. SANDBOX_FAILED: take the result. */
enum sandbox_end sandbox_wait_ready(struct sandbox *s, struct instant deadline);
/* Gives the invocation (the runtime must be waiting: assert) and waits until
 * it was answered and the runtime asks for the next one. DONE: *out is the
 * answer, of kind API_RESPONSE or API_ERROR; other ends may leave it NONE. */
enum sandbox_end sandbox_run(struct sandbox *s, const struct invocation *inv,
			     struct instant deadline, struct api_result *out);
/* The result of SANDBOX_FAILED. */
void sandbox_take(struct sandbox *s, struct api_result *out);

/* How a process ended, in AWS's words: "exit status 1", "signal: killed". */
void sandbox_exit_text(struct sandbox *s, char *out, size_t size);
bool sandbox_was_killed(struct sandbox *s); /* by SIGKILL */
/* Highest memory so far, rounded up to whole MB as the REPORT line has it. */
uint32_t sandbox_max_memory_mb(struct sandbox *s);
/* Since its start; monotonic time of the runtime's first `next`. */
struct instant sandbox_started(const struct sandbox *s);
struct instant sandbox_asked(const struct sandbox *s);

#endif
