/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function as it is configured: what AWS calls its configuration, resolved
 * to paths. Read-only while sandboxes run it; shared by all of them.
 */
#ifndef TALLY_AGENT_FUNCTION_H
#define TALLY_AGENT_FUNCTION_H

#include <stdint.h>

#include "core/base/err.h"
#include "core/wire/records.h"

enum {
	FUNCTION_NAME_MAX = 64,
	HANDLER_MAX = 128,
	RUNTIME_TEXT_MAX = 32,
	FUNCTION_PATH_MAX = 4096,
	TIMEOUT_S_MIN = 1,
	TIMEOUT_S_MAX = 900,
	TIMEOUT_S_DEFAULT = 3,
	INIT_MS_MAX = 10000,
	ENVIRONMENT_MAX = 256,        /* variables given by the user */
	ENVIRONMENT_BYTES_MAX = 4096, /* Lambda: all of them together */
};

enum runtime_kind { RUNTIME_NODEJS, RUNTIME_PYTHON, RUNTIME_PROVIDED };

struct function {
	char name[FUNCTION_NAME_MAX + 1];
	char handler[HANDLER_MAX + 1];
	char code_dir[FUNCTION_PATH_MAX];
	char program[FUNCTION_PATH_MAX];   /* what is executed */
	char bootstrap[FUNCTION_PATH_MAX]; /* its argument; may be empty */
	enum runtime_kind runtime;
	char runtime_text[RUNTIME_TEXT_MAX + 1]; /* as it was given */
	uint32_t memory_mb;
	uint32_t timeout_s;
	enum architecture architecture;
	struct scope scope;
	const char *environment[ENVIRONMENT_MAX]; /* "KEY=VALUE" */
	unsigned environment_count;
};

/* "nodejs", "nodejs20.x", "python3", "python3.12", "provided.al2023", ... */
int function_runtime_parse(const char *text, enum runtime_kind *out) MUST_USE;

/* Checks names, limits and variables, makes code_dir (given as code)
 * absolute, finds program on PATH and the bootstrap beside the executable, in
 * the source tree above it, or in the installed folder. */
int function_resolve(struct function *f, const char *code,
		     struct diag *diag) MUST_USE;

#endif
