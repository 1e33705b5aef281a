/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/emit.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/report.h"
#include "core/base/arena.h"
#include "core/codec/json.h"
#include "core/codec/json_write.h"

/* Seconds since 1970 with six decimals: X-Ray takes what a double holds. */
static void put_time(struct json_writer *w, const char *key, struct wall at)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64,
		 (int64_t)(at.ns / NS_PER_S),
		 (int64_t)(at.ns % NS_PER_S / 1000));
	json_key(w, key);
	json_put_raw(w, sv_from(text));
}

static struct wall after_us(struct wall at, uint64_t us)
{
	return (struct wall){ at.ns + (int64_t)us * 1000 };
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	json_put_text(w, text);
}

static void put_head(struct json_writer *w, const struct run *run,
		     const char *id, struct wall start, const char *origin)
{
	put_text(w, "id", id);
	put_text(w, "name", run->function->name);
	put_time(w, "start_time", start);
	put_time(w, "end_time", after_us(run->start, run->duration_us));
	put_text(w, "trace_id", run->trace_id);
	put_text(w, "origin", origin);
	if (run->status != RUN_OK) {
		json_key(w, "fault");
		json_put_bool(w, true);
	}
}

/* Lambda answers 200 to Invoke also when the function failed. */
void emit_service_document(struct buf *out, const struct run *run)
{
	struct json_writer w = json_writer(out);

	json_open_object(&w);
	put_head(&w, run, run->service_id, run->arrived, "AWS::Lambda");
	json_key(&w, "http");
	json_open_object(&w);
	json_key(&w, "response");
	json_open_object(&w);
	json_key(&w, "status");
	json_put_i64(&w, 200);
	json_close_object(&w);
	json_close_object(&w);
	json_key(&w, "aws");
	json_open_object(&w);
	put_text(&w, "request_id", run->request_id);
	json_close_object(&w);
	put_text(&w, "resource_arn", run->arn);
	json_close_object(&w);
}

static struct sv cut(struct sv text, bool short_form)
{
	if (short_form && text.len > CAUSE_TEXT_MAX) {
		text.len = CAUSE_TEXT_MAX;
		/* Not in the middle of a character. */
		while (text.len && !sv_is_utf8(text))
			text.len--;
	}
	return text;
}

static void put_string(struct json_writer *w, const char *key, struct json v,
		       struct arena *arena, bool short_form)
{
	struct sv text = json_string(v, arena);

	if (!text.ptr)
		return;
	json_key(w, key);
	json_put_sv(w, cut(text, short_form));
}

static void put_exception(struct json_writer *w, struct json e,
			  struct arena *arena, bool short_form)
{
	struct json stack = json_get(e, SV("stack"));
	char id[SEGMENT_ID_SIZE];

	id_hex(id, 8);
	json_open_object(w);
	put_text(w, "id", id);
	put_string(w, "type", json_get(e, SV("type")), arena, short_form);
	put_string(w, "message", json_get(e, SV("message")), arena, short_form);
	if (!short_form && json_is(stack, JSON_ARRAY)) {
		json_key(w, "stack");
		json_put_raw(w, json_raw(stack));
	}
	json_close_object(w);
}

/* The runtime's own words, where they are what X-Ray calls a cause. */
static bool put_given_cause(struct json_writer *w, const struct run *run,
			    struct arena *arena, bool short_form)
{
	struct json_doc doc;
	struct json list;

	if (json_parse(&doc, arena, run->error_cause, NULL) < 0)
		return false;
	list = json_get(json_root(&doc), SV("exceptions"));
	if (!json_is(list, JSON_ARRAY) || !json_first(list).doc)
		return false;
	json_key(w, "cause");
	json_open_object(w);
	put_string(w, "working_directory",
		   json_get(json_root(&doc), SV("working_directory")), arena,
		   short_form);
	json_key(w, "exceptions");
	json_open_array(w);
	for (struct json it = json_first(list); it.doc;
	     it = json_next(list, it)) {
		put_exception(w, it, arena, short_form);
		if (short_form)
			break;
	}
	json_close_array(w);
	json_close_object(w);
	return true;
}

/* Made from the error's JSON: errorType, errorMessage. */
static void put_made_cause(struct json_writer *w, const struct run *run,
			   struct arena *arena)
{
	struct json_doc doc = { 0 };
	struct json message = { 0 };
	char id[SEGMENT_ID_SIZE];

	if (json_parse(&doc, arena, run->error_body, NULL) == 0)
		message = json_get(json_root(&doc), SV("errorMessage"));
	id_hex(id, 8);
	json_key(w, "cause");
	json_open_object(w);
	put_text(w, "working_directory", run->function->code_dir);
	json_key(w, "exceptions");
	json_open_array(w);
	json_open_object(w);
	put_text(w, "id", id);
	put_text(w, "type", run->error_type);
	put_string(w, "message", message, arena, true);
	json_close_object(w);
	json_close_array(w);
	json_close_object(w);
}

static void put_cause(struct json_writer *w, const struct run *run,
		      bool short_form)
{
	struct arena arena = ARENA_INIT;

	if (!put_given_cause(w, run, &arena, short_form))
		put_made_cause(w, run, &arena);
	arena_fini(&arena);
}

static void put_subsegment(struct json_writer *w, const struct run *run,
			   const char *name, struct wall start, struct wall end,
			   bool fault)
{
	char id[SEGMENT_ID_SIZE];

	id_hex(id, 8);
	json_open_object(w);
	put_text(w, "id", id);
	put_text(w, "name", name);
	put_time(w, "start_time", start);
	put_time(w, "end_time", end);
	json_key(w, "aws");
	json_open_object(w);
	put_text(w, "function_arn", run->arn);
	json_close_object(w);
	if (fault) {
		json_key(w, "fault");
		json_put_bool(w, true);
	}
	json_close_object(w);
}

static void put_subsegments(struct json_writer *w, const struct run *run)
{
	struct wall end = after_us(run->start, run->duration_us);
	uint64_t until = run->response_us ? run->response_us : run->duration_us;
	struct wall response = after_us(run->start, until);

	json_key(w, "subsegments");
	json_open_array(w);
	if (run->cold && run->init_us)
		put_subsegment(w, run, "Initialization", run->init_start,
			       after_us(run->init_start, run->init_us), false);
	put_subsegment(w, run, "Invocation", run->start, response,
		       run->status != RUN_OK);
	if (run->response_us)
		put_subsegment(w, run, "Overhead", response, end, false);
	json_close_array(w);
}

static void put_aws(struct json_writer *w, const struct run *run)
{
	char account[16];

	snprintf(account, sizeof(account), "%012" PRIu64,
		 run->function->scope.account);
	json_key(w, "aws");
	json_open_object(w);
	put_text(w, "account_id", account);
	put_text(w, "function_arn", run->arn);
	put_text(w, "request_id", run->request_id);
	json_key(w, "cold_start");
	json_put_bool(w, run->cold);
	json_key(w, "resource_names");
	json_open_array(w);
	json_put_text(w, run->function->name);
	json_close_array(w);
	json_close_object(w);
}

static void function_document(struct buf *out, const struct run *run,
			      bool short_form)
{
	struct json_writer w = json_writer(out);

	json_open_object(&w);
	put_head(&w, run, run->function_id, run->start,
		 "AWS::Lambda::Function");
	put_text(&w, "parent_id", run->service_id);
	put_aws(&w, run);
	if (run->status != RUN_OK)
		put_cause(&w, run, short_form);
	put_subsegments(&w, run);
	json_close_object(&w);
}

void emit_function_document(struct buf *out, const struct run *run)
{
	size_t begin = out->len;

	function_document(out, run, false);
	if (out->len - begin <= SEGMENT_BYTES_MAX)
		return;
	out->len = begin; /* a stack without end: say it without */
	function_document(out, run, true);
}

static void emit_datum(struct batch *batch, const struct run *run,
		       const char *name, const char *unit, double value)
{
	struct dimension by = { SV("FunctionName"),
				sv_from(run->function->name) };
	struct datum datum = {
		.ns = SV("AWS/Lambda"),
		.name = sv_from(name),
		.dimensions = &by,
		.dimension_count = 1,
		.time_ns = run->start.ns,
		.unit = sv_from(unit),
		.resolution_s = 60,
		.values = &value,
		.value_count = 1,
	};

	batch_datum(batch, &datum);
}

static void emit_usage(struct batch *batch, const struct run *run)
{
	struct usage usage = {
		.id = sv_from(run->request_id),
		.source = SV("lambda"),
		.time_ns = run->start.ns,
		.resource = sv_from(run->function->name),
		.memory_mb = run->function->memory_mb,
		.max_memory_mb = run->max_memory_mb,
		.duration_us = run->duration_us,
		.billed_ms = report_billed_ms(run->duration_us, run->init_us),
		.init_us = run->init_us,
		.architecture = run->function->architecture,
		.status = run->status,
		.trace_id = sv_from(run->trace_id),
	};

	batch_usage(batch, &usage);
}

void emit_run(struct batch *batch, const struct run *run)
{
	struct buf document = BUF_INIT;

	emit_usage(batch, run);
	emit_service_document(&document, run);
	if (!document.failed)
		batch_segment(batch, buf_view(&document));
	buf_reset(&document);
	emit_function_document(&document, run);
	if (!document.failed)
		batch_segment(batch, buf_view(&document));
	buf_fini(&document);
	emit_datum(batch, run, "Invocations", "Count", 1);
	emit_datum(batch, run, "Errors", "Count", run->status != RUN_OK);
	emit_datum(batch, run, "Throttles", "Count", 0);
	emit_datum(batch, run, "Duration", "Milliseconds",
		   (double)run->duration_us / 1000);
	emit_datum(batch, run, "ConcurrentExecutions", "Count",
		   run->concurrent);
}
