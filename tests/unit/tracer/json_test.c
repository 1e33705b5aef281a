/* SPDX-License-Identifier: Apache-2.0 */
/* The answers' shapes, as docs/api.md has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/traces_json.h"

static const struct sv ids[] = { { "req-1", 5 } };
static const struct sv names[] = { { "web", 3 }, { "a\"b", 3 } };
static const struct trace_document documents[] = {
	{ .segment_id = { 1, 2, 3, 4, 5, 6, 7, 8 },
	  .document = { .bytes = { "{\"a\": \"\\n\"}", 11 } } },
};
static const struct trace trace = {
	.summary = { .id = { 0x6b, 2, 0xbf, 0x61, 1 },
		     .start_ns = 1795338000123456789,
		     .end_ns = 1795338000373456789,
		     .status = SEGMENT_STATUS_FAULT,
		     .partial = true,
		     .root = { "web", 3 },
		     .request_ids = ids,
		     .request_id_count = 1,
		     .names = names,
		     .name_count = 2 },
	.documents = documents,
	.document_count = 1,
};

#define ID "\"1-6b02bf61-010000000000000000000000\""
#define HEAD                                                                 \
	"\"id\":" ID ",\"start\":1795338000.123,\"duration\":0.25,\"root\":" \
	"\"web\",\"status\":\"fault\",\"partial\":true,\"request_ids\":"     \
	"[\"req-1\"]"

static void test_trace(void **state)
{
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	(void)state;
	json_open_object(&w);
	traces_json_trace(&w, &trace);
	json_close_object(&w);
	assert_string_equal(out.ptr, "{" HEAD ",\"segments\":[{\"id\":"
				     "\"0102030405060708\",\"document\":"
				     "{\"a\": \"\\n\"}}]}");
	buf_reset(&out);
	w = json_writer(&out);
	traces_json_batch_trace(&w, &trace);
	assert_string_equal(out.ptr,
			    "{\"Id\":" ID ",\"Duration\":0.25,"
			    "\"LimitExceeded\":false,\"Segments\":[{\"Id\":"
			    "\"0102030405060708\",\"Document\":"
			    "\"{\\\"a\\\": \\\"\\\\n\\\"}\"}]}");
	buf_fini(&out);
}

static void test_list(void **state)
{
	struct trace_list list = { .rows = &trace.summary,
				   .count = 1,
				   .truncated = true };
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	(void)state;
	traces_json_list(&w, &list);
	assert_string_equal(out.ptr,
			    "{\"traces\":[{" HEAD ",\"names\":[\"web\","
			    "\"a\\\"b\"]}],\"truncated\":true}");
	buf_fini(&out);
}

static void test_map(void **state)
{
	struct graph g = GRAPH_INIT;
	struct graph_call call = { .duration_ns = 250000000,
				   .to_name = SV("web"),
				   .to_type = SV("AWS::Lambda"),
				   .root = true,
				   .counted = true };
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	(void)state;
	graph_count(&g, &call);
	call.from_name = SV("web");
	call.from_type = SV("client");
	call.status = SEGMENT_STATUS_THROTTLE;
	graph_count(&g, &call);
	traces_json_map(&w, &g, 1000000000, 2000000000);
#define TIMES "\"total\":1,\"total_time\":0.25,\"p50\":0.25,\"p99\":0.25}"
	assert_string_equal(
		out.ptr,
		"{\"start\":1.000,\"end\":2.000,\"nodes\":["
		"{\"id\":0,\"name\":\"web\",\"type\":\"AWS::Lambda\","
		"\"root\":true,\"inferred\":false,\"ok\":1,\"error\":0,"
		"\"throttle\":0,\"fault\":0," TIMES ",{\"id\":1,\"name\":"
		"\"web\",\"type\":\"client\",\"root\":false,\"inferred\":"
		"false,\"ok\":0,\"error\":0,\"throttle\":0,\"fault\":0,"
		"\"total\":0,\"total_time\":0,\"p50\":0,\"p99\":0}],\"edges\":"
		"[{\"from\":1,\"to\":0,\"link\":false,\"ok\":0,\"error\":0,"
		"\"throttle\":1,"
		"\"fault\":0," TIMES "]}");
	buf_fini(&out);
	graph_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests_name("traces_json", tests, NULL, NULL);
}
