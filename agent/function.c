/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/function.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"

int function_runtime_parse(const char *text, enum runtime_kind *out)
{
	struct sv s = sv_from(text);

	if (sv_starts(s, SV("nodejs")))
		*out = RUNTIME_NODEJS;
	else if (sv_starts(s, SV("python3")))
		*out = RUNTIME_PYTHON;
	else if (sv_starts(s, SV("provided")))
		*out = RUNTIME_PROVIDED;
	else
		return ERR_INVALID;
	return 0;
}

/* Lambda: [a-zA-Z0-9-_]+, at most 64. It becomes part of names of log groups,
 * ARNs and segments. */
static bool is_name(struct sv s)
{
	if (!s.len || s.len > FUNCTION_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

/* Lambda keeps these names for itself. */
static bool is_reserved(struct sv key)
{
	static const char *const names[] = {
		"_HANDLER",
		"_X_AMZN_TRACE_ID",
		"AWS_DEFAULT_REGION",
		"AWS_REGION",
		"AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		"AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE",
		"AWS_LAMBDA_LOG_GROUP_NAME",
		"AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_LAMBDA_RUNTIME_API",
		"LAMBDA_TASK_ROOT",
		"LAMBDA_RUNTIME_DIR",
		"_LAMBDA_TELEMETRY_LOG_FD",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sv_eq(key, sv_from(names[i])))
			return true;
	return false;
}

static int check_environment(const struct function *f, struct diag *diag)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < f->environment_count; i++) {
		struct sv rest = sv_from(f->environment[i]);
		size_t all = rest.len;
		struct sv key = sv_cut(&rest, '=');

		if (!rest.ptr || !key.len)
			return diag_set(diag, ERR_INVALID,
					"--env %s: is not KEY=VALUE",
					f->environment[i]);
		if (is_reserved(key))
			return diag_set(diag, ERR_INVALID,
					"--env %.*s: Lambda keeps this name "
					"for itself; choose another",
					SV_ARG(key));
		bytes += all;
	}
	if (bytes > ENVIRONMENT_BYTES_MAX)
		return diag_set(diag, ERR_LIMIT,
				"the variables of --env have %zu bytes; Lambda "
				"allows %d together",
				bytes, ENVIRONMENT_BYTES_MAX);
	return 0;
}

static bool is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

static int find_on_path(const char *name, char *out, struct diag *diag)
{
	const char *path = getenv("PATH");
	struct sv rest = sv_from(path ? path : "/usr/local/bin:/usr/bin:/bin");

	while (rest.ptr) {
		struct sv dir = sv_cut(&rest, ':');
		int n = snprintf(out, FUNCTION_PATH_MAX, "%.*s/%s", SV_ARG(dir),
				 name);

		if (dir.len && n < FUNCTION_PATH_MAX && is_executable(out))
			return 0;
	}
	return diag_set(diag, ERR_NOT_FOUND,
			"there is no '%s' on PATH; install it or choose "
			"another --runtime",
			name);
}

static bool try_bootstrap(const char *dir, const char *sub, const char *file,
			  char *out)
{
	char path[FUNCTION_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, file);

	if (n >= FUNCTION_PATH_MAX || access(path, R_OK) != 0 ||
	    !realpath(path, out))
		return false;
	return true;
}

/* build/bin/tally-agent and build/clang-address/bin/tally-agent are in the
 * source tree: walk up. An installed one has its data in the DATADIR. */
static int find_bootstrap(const char *file, char *out, struct diag *diag)
{
	const char *override = getenv("TALLY_DATADIR");
	char dir[FUNCTION_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

	if (override && try_bootstrap(override, "bootstrap", file, out))
		return 0;
	dir[n > 0 ? n : 0] = '\0';
	for (char *end; (end = strrchr(dir, '/')) && end != dir;) {
		*end = '\0';
		if (try_bootstrap(dir, "agent/bootstrap", file, out) ||
		    try_bootstrap(dir, "share/tallyscope/bootstrap", file, out))
			return 0;
	}
	if (try_bootstrap(TALLY_DATADIR, "bootstrap", file, out))
		return 0;
	return diag_set(diag, ERR_NOT_FOUND,
			"the bootstrap %s is neither above the program nor in "
			"%s; set TALLY_DATADIR",
			file, TALLY_DATADIR);
}

static int resolve_program(struct function *f, struct diag *diag)
{
	int n;
	int e;

	switch (f->runtime) {
	case RUNTIME_NODEJS:
		e = find_on_path("node", f->program, diag);
		return e ? e : find_bootstrap("node.mjs", f->bootstrap, diag);
	case RUNTIME_PYTHON:
		e = find_on_path("python3", f->program, diag);
		return e ? e : find_bootstrap("python.py", f->bootstrap, diag);
	case RUNTIME_PROVIDED:
		break;
	}
	n = snprintf(f->program, sizeof(f->program), "%s/bootstrap",
		     f->code_dir);
	if (n >= FUNCTION_PATH_MAX || !is_executable(f->program))
		return diag_set(diag, ERR_NOT_FOUND,
				"%.150s is not an executable file; the runtime "
				"'provided' needs one",
				f->program);
	return 0;
}

int function_resolve(struct function *f, const char *code, struct diag *diag)
{
	struct stat st;
	int e;

	if (!is_name(sv_from(f->name)))
		return diag_set(diag, ERR_INVALID,
				"--function '%.80s': a name has 1 to %d of "
				"a-z A-Z 0-9 - _",
				f->name, FUNCTION_NAME_MAX);
	if (f->memory_mb < MEMORY_MB_MIN || f->memory_mb > MEMORY_MB_MAX)
		return diag_set(diag, ERR_INVALID,
				"--memory %u: Lambda has %d to %d MB",
				f->memory_mb, MEMORY_MB_MIN, MEMORY_MB_MAX);
	if (f->timeout_s < TIMEOUT_S_MIN || f->timeout_s > TIMEOUT_S_MAX)
		return diag_set(diag, ERR_INVALID,
				"--timeout %u: Lambda has %d to %d seconds",
				f->timeout_s, TIMEOUT_S_MIN, TIMEOUT_S_MAX);
	if (!realpath(code, f->code_dir) || stat(f->code_dir, &st) != 0 ||
	    !S_ISDIR(st.st_mode))
		return diag_set(diag, ERR_NOT_FOUND,
				"--code %.150s is not a folder", code);
	e = check_environment(f, diag);
	return e ? e : resolve_program(f, diag);
}
