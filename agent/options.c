/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/invoke.h"
#include "agent/spool.h"
#include "core/base/text.h"

enum key {
	KEY_FUNCTION = 256,
	KEY_HANDLER,
	KEY_CODE,
	KEY_RUNTIME,
	KEY_MEMORY,
	KEY_TIMEOUT,
	KEY_ENV,
	KEY_ARCHITECTURE,
	KEY_ACCOUNT,
	KEY_REGION,
	KEY_PROFILE,
	KEY_EVENT,
	KEY_EVENT_DIR,
	KEY_COUNT,
	KEY_CONCURRENCY,
	KEY_JSON,
	KEY_COLLECTOR,
	KEY_SPOOL,
	KEY_SPOOL_BYTES,
	KEY_FLUSH_TIMEOUT,
};

static const struct argp_option table[] = {
	{ NULL, 0, NULL, 0, "The function:", 1 },
	{ "function", KEY_FUNCTION, "NAME", 0, "Name of the function", 0 },
	{ "handler", KEY_HANDLER, "FILE.NAME", 0,
	  "What is called (index.handler)", 0 },
	{ "code", KEY_CODE, "DIR", 0, "Folder with the code (.)", 0 },
	{ "runtime", KEY_RUNTIME, "RUNTIME", 0,
	  "nodejs, python3, or provided: an executable DIR/bootstrap (nodejs)",
	  0 },
	{ "memory", KEY_MEMORY, "MB", 0, "Memory limit, 128 to 10240 (128)",
	  0 },
	{ "timeout", KEY_TIMEOUT, "S", 0, "Time limit, 1 to 900 seconds (3)",
	  0 },
	{ "env", KEY_ENV, "KEY=VALUE", 0,
	  "A variable of its environment; may be repeated", 0 },
	{ "architecture", KEY_ARCHITECTURE, "NAME", 0,
	  "x86_64 or arm64: decides the price (this machine's)", 0 },
	{ "account", KEY_ACCOUNT, "ID", 0, "Twelve digits (123456789012)", 0 },
	{ "region", KEY_REGION, "NAME", 0, "($AWS_REGION, or us-east-1)", 0 },
	{ NULL, 0, NULL, 0, "Invocations:", 2 },
	{ "event", KEY_EVENT, "FILE", 0, "Its event, JSON; - is stdin ({})",
	  0 },
	{ "event-dir", KEY_EVENT_DIR, "DIR", 0,
	  "Events are the files of a folder, in turn, by name", 0 },
	{ "count", KEY_COUNT, "N", 0, "How many invocations (1)", 0 },
	{ "concurrency", KEY_CONCURRENCY, "C", 0,
	  "Sandboxes at the same time (1)", 0 },
	{ "json", KEY_JSON, NULL, 0, "One JSON object a line for each answer",
	  0 },
	{ "quiet", 'q', NULL, 0,
	  "Show the first invocation and the summary only", 0 },
	{ NULL, 0, NULL, 0, "The collector:", 3 },
	{ "collector", KEY_COLLECTOR, "URL", 0,
	  "Where records go ($TALLY_ENDPOINT, or http://127.0.0.1:4318)", 0 },
	{ "endpoint", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "profile", KEY_PROFILE, "NAME", 0,
	  "Whose keys, in ~/.aws/credentials and config", 0 },
	{ "spool", KEY_SPOOL, "DIR", 0,
	  "What the collector has not taken yet "
	  "($XDG_STATE_HOME/tallyscope/spool)",
	  0 },
	{ "spool-bytes", KEY_SPOOL_BYTES, "N", 0,
	  "Its limit; K, M, G may follow (256M)", 0 },
	{ "flush-timeout", KEY_FLUSH_TIMEOUT, "S", 0,
	  "How long to wait for the collector at the end (10)", 0 },
	{ 0 },
};

static uint64_t number(struct argp_state *state, const char *name,
		       const char *text, uint64_t min, uint64_t max)
{
	uint64_t v = 0;

	if (!sv_to_u64(sv_from(text), &v) || v < min || v > max)
		argp_error(state, "--%s %s: a whole number from %llu to %llu",
			   name, text, (unsigned long long)min,
			   (unsigned long long)max);
	return v;
}

static uint64_t size(struct argp_state *state, const char *text)
{
	static const char units[] = "KMG";
	struct sv s = sv_from(text);
	const char *unit = s.len ? strchr(units, s.ptr[s.len - 1]) : NULL;
	unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 0;
	uint64_t v = 0;

	if (shift)
		s.len--;
	if (!sv_to_u64(s, &v) || v > UINT64_MAX >> 34 ||
	    (v << shift) < 2 * SPOOL_MARGIN_BYTES)
		argp_error(state,
			   "--spool-bytes %s: a number of bytes, at least 8M",
			   text);
	return v << shift;
}

static void copy_text(struct argp_state *state, char *out, size_t room,
		      const char *name, const char *text)
{
	if (!*text || snprintf(out, room, "%s", text) >= (int)room)
		argp_error(state, "--%s: 1 to %zu characters", name, room - 1);
}

static void set_account(struct argp_state *state, struct scope *scope,
			const char *text)
{
	if (strlen(text) != 12 || !sv_to_u64(sv_from(text), &scope->account))
		argp_error(state, "--account %s: twelve digits", text);
}

static void set_region(struct argp_state *state, struct agent_options *o,
		       const char *text)
{
	for (const char *p = text; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		      *p == '-'))
			argp_error(state, "--region %s: as in us-east-1", text);
	if (!*text || strlen(text) >= sizeof(o->function.scope.region))
		argp_error(state, "--region: 1 to %zu characters",
			   sizeof(o->function.scope.region) - 1);
	o->settings.region = text;
}

static void set_architecture(struct argp_state *state, struct function *f,
			     const char *text)
{
	if (!strcmp(text, "x86_64"))
		f->architecture = ARCH_X86_64;
	else if (!strcmp(text, "arm64"))
		f->architecture = ARCH_ARM64;
	else
		argp_error(state, "--architecture %s: x86_64 or arm64", text);
}

static void set_function(struct argp_state *state, struct function *f, int key,
			 char *arg)
{
	switch (key) {
	case KEY_FUNCTION:
		copy_text(state, f->name, sizeof(f->name), "function", arg);
		break;
	case KEY_HANDLER:
		copy_text(state, f->handler, sizeof(f->handler), "handler",
			  arg);
		break;
	case KEY_RUNTIME:
		if (function_runtime_parse(arg, &f->runtime) < 0)
			argp_error(state,
				   "--runtime %s: nodejs, python3 or provided",
				   arg);
		copy_text(state, f->runtime_text, sizeof(f->runtime_text),
			  "runtime", arg);
		break;
	case KEY_ENV:
		if (f->environment_count == ENVIRONMENT_MAX)
			argp_error(state, "--env: more than %d variables",
				   ENVIRONMENT_MAX);
		f->environment[f->environment_count++] = arg;
		break;
	default:
		break;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct agent_options *o = state->input;
	struct function *f = &o->function;

	switch (key) {
	case KEY_FUNCTION:
	case KEY_HANDLER:
	case KEY_RUNTIME:
	case KEY_ENV:
		set_function(state, f, key, arg);
		return 0;
	case KEY_CODE:
		o->code = arg;
		return 0;
	case KEY_MEMORY:
		f->memory_mb = (uint32_t)number(state, "memory", arg,
						MEMORY_MB_MIN, MEMORY_MB_MAX);
		return 0;
	case KEY_TIMEOUT:
		f->timeout_s = (uint32_t)number(state, "timeout", arg,
						TIMEOUT_S_MIN, TIMEOUT_S_MAX);
		return 0;
	case KEY_ARCHITECTURE:
		set_architecture(state, f, arg);
		return 0;
	case KEY_ACCOUNT:
		set_account(state, &f->scope, arg);
		return 0;
	case KEY_REGION:
		set_region(state, o, arg);
		return 0;
	case KEY_EVENT:
		o->event = arg;
		return 0;
	case KEY_EVENT_DIR:
		o->event_dir = arg;
		return 0;
	case KEY_COUNT:
		o->count = number(state, "count", arg, 1, COUNT_MAX);
		return 0;
	case KEY_CONCURRENCY:
		o->concurrency = (unsigned)number(state, "concurrency", arg, 1,
						  CONCURRENCY_MAX);
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case KEY_COLLECTOR:
		if (strncmp(arg, "http://", 7) && strncmp(arg, "https://", 8))
			argp_error(state,
				   "--collector %s: as in "
				   "http://127.0.0.1:4318",
				   arg);
		o->settings.endpoint = arg;
		return 0;
	case KEY_PROFILE:
		o->settings.profile = arg;
		return 0;
	case KEY_SPOOL:
		o->spool = arg;
		return 0;
	case KEY_SPOOL_BYTES:
		o->spool_bytes = size(state, arg);
		return 0;
	case KEY_FLUSH_TIMEOUT:
		o->flush_timeout_s =
			(unsigned)number(state, "flush-timeout", arg, 0, 86400);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0 || strcmp(arg, "invoke"))
			argp_error(state, "'%s': the one command is 'invoke'",
				   arg);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 1)
			argp_error(state, "say what to do: 'invoke'");
		if (!f->name[0])
			argp_error(state, "--function NAME is missing");
		if (o->event && o->event_dir)
			argp_error(state, "--event and --event-dir: only one");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void agent_options_parse(struct agent_options *o, int argc, char **argv)
{
	static const char doc[] =
		"Runs a Lambda function on this machine and tells a collector "
		"what AWS would: trace segments, log lines, metrics and "
		"usage.\vThe answer goes to stdout, log lines to stderr. Exit "
		"status: 0 it ran; 1 it could not, or a single invocation "
		"failed; 2 usage.";
	static const struct argp argp = { .options = table,
					  .parser = parse,
					  .args_doc = "invoke",
					  .doc = doc };

	*o = (struct agent_options){
		.function = { .handler = "index.handler",
			      .runtime = RUNTIME_NODEJS,
			      .runtime_text = "nodejs",
			      .memory_mb = MEMORY_MB_MIN,
			      .timeout_s = TIMEOUT_S_DEFAULT,
#if defined(__aarch64__)
			      .architecture = ARCH_ARM64,
#else
			      .architecture = ARCH_X86_64,
#endif
			      .scope = { .account = 123456789012 } },
		.code = ".",
		.count = 1,
		.concurrency = 1,
		.spool_bytes = SPOOL_BYTES_DEFAULT,
		.flush_timeout_s = 10,
	};
	argp_program_version = "tally-agent (Tallyscope) " TALLY_VERSION;
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, o);
}
