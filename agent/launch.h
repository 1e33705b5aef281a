/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the process of a runtime: environment as Lambda sets it and nothing
 * of the agent's own but PATH, HOME and TMPDIR; a session of its own; dies
 * with the thread that started it; no core files, no new privileges.
 */
#ifndef TALLY_AGENT_LAUNCH_H
#define TALLY_AGENT_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#include "agent/function.h"
#include "core/base/err.h"

enum { TELEMETRY_FD = 3 }; /* _LAMBDA_TELEMETRY_LOG_FD in the child */

struct launch {
	const struct function *function;
	const char *log_stream;
	uint16_t api_port;
	uint16_t xray_port;
};

/* What the child is connected to: our ends, not blocking, close-on-exec. */
struct launched {
	pid_t pid;
	int pid_fd; /* readable when the process has ended */
	int out_fd;
	int err_fd;
	int frames_fd;
};

int launch(const struct launch *how, struct launched *out,
	   struct diag *diag) MUST_USE;

#endif
