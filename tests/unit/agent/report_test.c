/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/emit.h"
#include "agent/outcome.h"
#include "agent/report.h"
#include "core/base/arena.h"
#include "core/codec/json.h"

#define ID "8476a536-e9f4-11e8-9739-2dfe598c3f01"
#define TRACE "1-5bef4de7-ad49b0e87f6ef6c87fc2e700"

static void test_billed(void **state)
{
	static const struct {
		uint64_t duration_us, init_us, billed_ms;
	} rows[] = {
		{ 0, 0, 1 },
		{ 1, 0, 1 },
		{ 1000, 0, 1 },
		{ 1001, 0, 2 },
		{ 999, 1, 1 },
		{ 500, 501, 2 },
		{ 3000000, 179421, 3180 },
		{ 900000000, 10000000, 910000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(report_billed_ms(rows[i].duration_us,
						  rows[i].init_us),
				 rows[i].billed_ms);
}

static void test_report_line(void **state)
{
	static const struct {
		struct report report;
		const char *want;
	} rows[] = {
		{ { ID, 12345, 0, 128, 44, TRACE, "9a9197af755a6419", RUN_OK,
		    "" },
		  "REPORT RequestId: " ID "\tDuration: 12.35 ms\tBilled "
		  "Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 44 "
		  "MB\tXRAY TraceId: " TRACE
		  "\tSegmentId: 9a9197af755a6419\tSampled: true\t" },
		{ { ID, 3000000, 250510, 128, 44, TRACE, "9a9197af755a6419",
		    RUN_TIMEOUT, "Sandbox.Timedout" },
		  "REPORT RequestId: " ID "\tDuration: 3000.00 ms\tBilled "
		  "Duration: 3251 ms\tMemory Size: 128 MB\tMax Memory Used: "
		  "44 MB\tInit Duration: 250.51 ms\tXRAY TraceId: " TRACE
		  "\tSegmentId: 9a9197af755a6419\tSampled: true\tStatus: "
		  "timeout\t" },
		{ { ID, 5, 0, 10240, 10240, TRACE, "9a9197af755a6419",
		    RUN_OUT_OF_MEMORY, "Runtime.OutOfMemory" },
		  "REPORT RequestId: " ID "\tDuration: 0.01 ms\tBilled "
		  "Duration: 1 ms\tMemory Size: 10240 MB\tMax Memory Used: "
		  "10240 MB\tXRAY TraceId: " TRACE
		  "\tSegmentId: 9a9197af755a6419\tSampled: true\tStatus: "
		  "error\tError Type: Runtime.OutOfMemory\t" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf line = BUF_INIT;

		report_line(&line, &rows[i].report);
		assert_string_equal(line.ptr, rows[i].want);
		buf_fini(&line);
	}
}

static void test_other_lines(void **state)
{
	struct buf line = BUF_INIT;
	struct wall at = { 1795514068767LL * NS_PER_MS };
	char stream[64];

	(void)state;
	report_timeout_line(&line, at, ID, 3);
	assert_string_equal(line.ptr, "2026-11-24T09:54:28.767Z " ID
				      " Task timed out after 3.00 seconds");
	buf_reset(&line);
	report_init_line(&line, 162100, "init", RUN_ERROR, "Runtime.X");
	assert_string_equal(line.ptr,
			    "INIT_REPORT Init Duration: 162.10 ms\tPhase: "
			    "init\tStatus: error\tError Type: Runtime.X");
	buf_reset(&line);
	report_error_payload(&line, ID, "Runtime.ExitError", "a \"b\"\n");
	assert_string_equal(line.ptr, "{\"errorType\":\"Runtime.ExitError\","
				      "\"errorMessage\":\"RequestId: " ID
				      " Error: a \\\"b\\\"\\n\"}");
	report_stream(stream, sizeof(stream), at);
	assert_memory_equal(stream, "2026/11/24/[$LATEST]", 20);
	assert_int_equal(strlen(stream), 52);
	buf_fini(&line);
}

static void test_ids(void **state)
{
	char request[REQUEST_ID_SIZE];
	char again[REQUEST_ID_SIZE];
	char trace[TRACE_ID_SIZE];

	(void)state;
	id_request(request);
	id_request(again);
	assert_string_not_equal(request, again);
	assert_int_equal(strlen(request), 36);
	assert_int_equal(request[14], '4');
	assert_non_null(strchr("89ab", request[19]));
	id_trace(trace, (struct wall){ 0x5bef4de7LL * NS_PER_S });
	assert_memory_equal(trace, "1-5bef4de7-", 11);
	assert_int_equal(strlen(trace), 35);
}

static const struct function function = {
	.name = "f",
	.memory_mb = 128,
	.timeout_s = 3,
	.code_dir = "/code",
	.scope = { .account = 12, .region = "us-east-1" },
};

static struct run make_run(void)
{
	return (struct run){
		.function = &function,
		.arn = "arn:aws:lambda:us-east-1:000000000012:function:f",
		.request_id = ID,
		.trace_id = TRACE,
		.service_id = "00000000000000aa",
		.function_id = "00000000000000bb",
		.arrived = { 1000000000 },
		.cold = true,
		.init_start = { 1000001000 },
		.init_us = 20000,
		.start = { 1020001000 },
		.response_us = 5000,
		.duration_us = 6000,
		.max_memory_mb = 40,
		.concurrent = 1,
	};
}

static void test_documents(void **state)
{
	struct run run = make_run();
	struct buf out = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct json_doc doc;
	struct json root;
	int64_t end = 0;

	(void)state;
	emit_service_document(&out, &run);
	assert_int_equal(json_parse(&doc, &arena, buf_view(&out), NULL), 0);
	root = json_root(&doc);
	assert_true(json_to_ns(json_get(root, SV("end_time")), &end));
	assert_int_equal(end, 1026001000);
	assert_true(json_string_is(json_get(root, SV("origin")),
				   SV("AWS::Lambda")));
	buf_reset(&out);
	emit_function_document(&out, &run);
	assert_int_equal(json_parse(&doc, &arena, buf_view(&out), NULL), 0);
	root = json_root(&doc);
	assert_true(json_string_is(json_get(root, SV("parent_id")),
				   SV("00000000000000aa")));
	assert_true(json_string_is(json_get(json_get(root, SV("aws")),
					    SV("account_id")),
				   SV("000000000012")));
	assert_null(json_get(root, SV("cause")).doc);
	arena_fini(&arena);
	buf_fini(&out);
}

/* Causes as runtimes send them, good and bad; the document is always one. */
static void test_causes(void **state)
{
	static const struct {
		const char *cause, *body, *want;
	} rows[] = {
		{ "{\"working_directory\":\"/w\",\"exceptions\":[{\"type\":"
		  "\"T\",\"message\":\"m\\u00e9\",\"stack\":[{\"path\":\"p\","
		  "\"line\":null,\"label\":\"l\"}]}],\"paths\":[]}",
		  "{}", "\"stack\":[{\"path\":\"p\",\"line\":null," },
		{ "", "{\"errorMessage\":\"from the body\"}",
		  "\"message\":\"from the body\"" },
		{ "{\"exceptions\":[]}", "not json", "\"type\":\"T\"" },
		{ "{\"exceptions\":[1,{\"message\":2}]}", "",
		  "\"exceptions\":[{\"id\"" },
		{ "garbage", "{\"errorMessage\":null}", "\"type\":\"T\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run = make_run();
		struct buf out = BUF_INIT;
		struct arena arena = ARENA_INIT;
		struct json_doc doc;

		run.status = RUN_ERROR;
		memcpy(run.error_type, "T", 2);
		run.error_cause = sv_from(rows[i].cause);
		run.error_body = sv_from(rows[i].body);
		emit_function_document(&out, &run);
		assert_int_equal(json_parse(&doc, &arena, buf_view(&out), NULL),
				 0);
		assert_non_null(strstr(out.ptr, rows[i].want));
		arena_fini(&arena);
		buf_fini(&out);
	}
}

static void test_cause_over_the_limit(void **state)
{
	struct run run = make_run();
	struct buf cause = BUF_INIT;
	struct buf out = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct json_doc doc;

	(void)state;
	buf_text(&cause, "{\"exceptions\":[{\"type\":\"T\",\"message\":\"");
	for (int i = 0; i < 40000; i++)
		buf_text(&cause, "\xc3\xa9");
	buf_text(&cause, "\",\"stack\":[]}]}");
	run.status = RUN_ERROR;
	run.error_cause = buf_view(&cause);
	emit_function_document(&out, &run);
	assert_true(out.len < SEGMENT_BYTES_MAX);
	assert_int_equal(json_parse(&doc, &arena, buf_view(&out), NULL), 0);
	arena_fini(&arena);
	buf_fini(&out);
	buf_fini(&cause);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_billed),
		cmocka_unit_test(test_report_line),
		cmocka_unit_test(test_other_lines),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_cause_over_the_limit),
	};

	return cmocka_run_group_tests_name("agent report", tests, NULL, NULL);
}
