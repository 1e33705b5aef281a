/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/outcome.h"

#include <stdio.h>

#include "agent/report.h"
#include "core/codec/base64.h"
#include "core/base/arena.h"
#include "core/codec/json.h"

/* type, unless it is empty; then errorType of the error's JSON. */
static void set_type(char *out, const char *type, struct sv body)
{
	struct arena arena = ARENA_INIT;
	struct json_doc doc;
	struct sv found = sv_from(type);

	if (!found.len && json_parse(&doc, &arena, body, NULL) == 0)
		found = json_string(json_get(json_root(&doc), SV("errorType")),
				    &arena);
	if (!found.ptr || !found.len)
		found = SV("Unhandled");
	if (found.len > ERROR_TYPE_MAX - 1)
		found.len = ERROR_TYPE_MAX - 1;
	/* It goes into a line whose pairs are separated by tabs. */
	for (size_t i = 0; i < found.len; i++)
		out[i] = (unsigned char)found.ptr[i] < 0x20 ? ' ' :
							      found.ptr[i];
	out[found.len] = '\0';
	while (found.len && !sv_is_utf8(sv_make(out, found.len)))
		out[--found.len] = '\0';
	arena_fini(&arena);
}

static void fail(struct outcome *o, struct run *run, enum run_status status,
		 const char *type, const char *message, bool with_id)
{
	run->status = status;
	report_error_payload(&o->payload, with_id ? run->request_id : NULL,
			     type, message);
	snprintf(run->error_type, sizeof(run->error_type), "%s", type);
	snprintf(o->report_type, sizeof(o->report_type), "%s", type);
	run->error_body = buf_view(&o->payload);
}

static void judge_exit(struct outcome *o, struct sandbox *sandbox,
		       struct run *run, bool memory)
{
	char how[64];
	char message[128];

	sandbox_exit_text(sandbox, how, sizeof(how));
	if (memory)
		snprintf(how, sizeof(how), "signal: killed");
	if (!strcmp(how, "exit status 0"))
		snprintf(message, sizeof(message),
			 "Runtime exited without providing a reason");
	else
		snprintf(message, sizeof(message),
			 "Runtime exited with error: %s", how);
	fail(o, run, memory ? RUN_OUT_OF_MEMORY : RUN_ERROR,
	     "Runtime.ExitError", message, true);
	buf_format(&o->line, "RequestId: %s Error: %s\nRuntime.ExitError",
		   run->request_id, message);
	if (memory)
		snprintf(o->report_type, sizeof(o->report_type),
			 "Runtime.OutOfMemory");
}

static void judge_error(struct outcome *o, struct run *run)
{
	run->status = RUN_ERROR;
	run->error_body = buf_view(&o->result.body);
	run->error_cause = buf_view(&o->result.cause);
	set_type(run->error_type, o->result.error_type, run->error_body);
	snprintf(o->report_type, sizeof(o->report_type), "%s", run->error_type);
}

/* The body of an error in a trailer is base64. One that is not is left out. */
static void take_body(struct outcome *o)
{
	struct arena arena = ARENA_INIT;
	struct sv body;

	if (!base64_parse(&arena, buf_view(&o->result.cause), &body))
		buf_sv(&o->error, body);
	arena_fini(&arena);
}

static void judge_response(struct outcome *o, struct run *run)
{
	run->status = RUN_OK;
	if (o->result.too_large) {
		fail(o, run, RUN_ERROR, "Function.ResponseSizeTooLarge",
		     "Response payload size exceeded maximum allowed payload "
		     "size (6291556 bytes).",
		     false);
	} else if (o->result.error_type[0]) { /* a stream that broke */
		run->status = RUN_ERROR;
		take_body(o);
		run->error_body = buf_view(&o->error);
		snprintf(run->error_type, sizeof(run->error_type), "%s",
			 o->result.error_type);
		snprintf(o->report_type, sizeof(o->report_type), "%s",
			 o->result.error_type);
	}
}

void outcome_judge(struct outcome *o, struct sandbox *sandbox, struct run *run)
{
	char message[64];

	buf_reset(&o->line);
	buf_reset(&o->payload);
	buf_reset(&o->error);
	switch (o->end) {
	case SANDBOX_TIMEOUT:
		snprintf(message, sizeof(message),
			 "Task timed out after %u.00 seconds",
			 run->function->timeout_s);
		fail(o, run, RUN_TIMEOUT, "Sandbox.Timedout", message, true);
		report_timeout_line(
			&o->line,
			(struct wall){ run->start.ns +
				       run->function->timeout_s * NS_PER_S },
			run->request_id, run->function->timeout_s);
		return;
	case SANDBOX_MEMORY:
		judge_exit(o, sandbox, run, true);
		return;
	case SANDBOX_STOPPED:
		judge_exit(o, sandbox, run, false);
		return;
	case SANDBOX_DONE:
	case SANDBOX_FAILED:
	case SANDBOX_EXIT:
		break;
	}
	if (o->result.kind == API_RESPONSE)
		judge_response(o, run);
	else if (o->result.kind != API_NONE)
		judge_error(o, run);
	else
		judge_exit(o, sandbox, run, false);
}

struct sv outcome_payload(const struct outcome *o)
{
	return o->payload.len ? buf_view(&o->payload) :
				buf_view(&o->result.body);
}

void outcome_fini(struct outcome *o)
{
	api_result_fini(&o->result);
	buf_fini(&o->payload);
	buf_fini(&o->error);
	buf_fini(&o->line);
}
