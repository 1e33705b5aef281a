/* SPDX-License-Identifier: Apache-2.0 */
/* Segments as spans. That they come back as the same segments is seen in
 * tests/cli/trace_sets.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/segment_otlp.h"

#define HEAD                                                           \
	"\"trace_id\":\"1-000003e8-00000000000000000000000a\",\"id\":" \
	"\"00000000000000ab\",\"name\":\"shop\",\"start_time\":1000.5,"
#define WHOLE(rest) "{" HEAD "\"end_time\":1001" rest "}"
#define STRING(key, value) \
	"{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"

static void put(struct buf *out, const char *document, bool want)
{
	struct arena arena = { 0 };
	struct json_writer w = json_writer(out);
	struct json_doc doc;
	struct diag diag;

	buf_reset(out);
	assert_int_equal(segment_put_otlp(&w, sv_from(document), &arena), want);
	if (want)
		assert_int_equal(json_parse(&doc, &arena, buf_view(out), &diag),
				 0);
	arena_fini(&arena);
}

static void what_each_becomes(void **state)
{
	static const struct {
		const char *document, *want;
	} rows[] = {
		{ WHOLE(""), "\"traceId\":\"000003e800000000000000000000000a\","
			     "\"spanId\":\"00000000000000ab\",\"name\":"
			     "\"shop\",\"kind\":2,"
			     "\"startTimeUnixNano\":\"1000500000000\","
			     "\"endTimeUnixNano\":\"1001000000000\"" },
		{ WHOLE(""), STRING("service.name", "shop") },
		{ WHOLE(",\"parent_id\":\"00000000000000cd\""),
		  "\"parentSpanId\":\"00000000000000cd\"" },
		{ WHOLE(",\"origin\":\"AWS::ECS::Fargate\""),
		  STRING("cloud.platform", "aws_ecs") },
		{ WHOLE(",\"aws\":{\"region\":\"eu-west-1\"}"),
		  STRING("cloud.region", "eu-west-1") },
		{ WHOLE(",\"http\":{\"request\":{\"url\":\"http://a/\"}}"),
		  STRING("url.full", "http://a/") },
		{ WHOLE(",\"http\":{\"response\":{\"status\":503}}"),
		  "\"http.response.status_code\",\"value\":{\"intValue\":"
		  "\"503\"}" },
		{ WHOLE(",\"annotations\":{\"a\":1.5,\"b\":true,\"c\":"
			"\"\xc3\xa4"
			"\"}"),
		  "{\"key\":\"a\",\"value\":{\"doubleValue\":1.5}},{\"key\":"
		  "\"b\",\"value\":{\"boolValue\":true}}," STRING(
			  "c", "\xc3\xa4") "," },
		{ WHOLE(",\"annotations\":{\"a\":1}"),
		  "\"aws.xray.annotations\",\"value\":{\"arrayValue\":{"
		  "\"values\":[{\"stringValue\":\"a\"}]}}" },
		{ WHOLE(",\"annotations\":{\"n\":1e3,\"big\":123456789012345678"
			"901234567890}"),
		  "{\"doubleValue\":1e3}},{\"key\":\"big\",\"value\":{"
		  "\"doubleValue\":123456789012345678901234567890}}" },
		{ WHOLE(",\"metadata\":{\"default\":{\"x\":[1,\"y\"]}}"),
		  STRING("aws.xray.metadata.default",
			 "{\\\"x\\\":[1,\\\"y\\\"]}") },
		{ WHOLE(",\"fault\":true,\"cause\":{\"exceptions\":[{\"id\":"
			"\"1234567890abcdef\",\"type\":\"T\",\"message\":\"m\","
			"\"stack\":[{\"label\":\"f\",\"path\":\"a.js\",\"line\""
			":7},{\"path\":\"b.js\"}]}]}"),
		  "\"events\":[{\"timeUnixNano\":\"1001000000000\",\"name\":"
		  "\"exception\",\"attributes\":[" STRING(
			  "exception.type",
			  "T") "," STRING("exception.message",
					  "m") "," STRING("exception."
							  "stacktrace",
							  "    at f "
							  "(a.js:7)\\n    at "
							  "<anonymous> "
							  "(b.js)") "]}]" },
		{ WHOLE(",\"fault\":true,\"cause\":{\"exceptions\":[{\"id\":"
			"\"1234567890abcdef\",\"type\":\"T\",\"message\":\"m\"}"
			"]"
			"}"),
		  "\"status\":{\"message\":\"m\",\"code\":2}" },
		{ WHOLE(""), "\"status\":{}" },
		{ WHOLE(",\"links\":[{\"trace_id\":\"1-000003e8-"
			"00000000000000000000000b\",\"id\":\"00000000000000ef\""
			"},{\"id\":\"zz\"}]"),
		  "\"links\":[{\"traceId\":\"000003e800000000000000000000000b"
		  "\",\"spanId\":\"00000000000000ef\"}]" },
		{ "{" HEAD "\"in_progress\":true}",
		  "\"startTimeUnixNano\":\"1000500000000\",\"attributes\"" },
		{ WHOLE(",\"subsegments\":[{\"id\":\"00000000000000ef\","
			"\"name\":\"S3\",\"namespace\":\"aws\",\"start_time\":"
			"1000.5,\"end_time\":1001,\"aws\":{\"operation\":"
			"\"GetObject\"}}]"),
		  "\"parentSpanId\":\"00000000000000ab\",\"name\":\"S3\","
		  "\"kind\":3" },
		{ "{" HEAD "\"end_time\":1001,\"type\":\"subsegment\","
		  "\"parent_id\":\"00000000000000cd\"}",
		  "\"resource\":{\"attributes\":[]}" },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(&out, rows[i].document, true);
		if (!strstr(out.ptr, rows[i].want))
			fail_msg("row %zu: no %s in %s", i, rows[i].want,
				 out.ptr);
	}
	buf_fini(&out);
}

/* Members of an odd kind are passed over, and what is no segment is refused. */
static void odd_ones(void **state)
{
	static const char *const odd[] = {
		WHOLE(",\"annotations\":[1]"),
		WHOLE(",\"annotations\":{\"a\":[1],\"b\":null}"),
		WHOLE(",\"http\":7,\"aws\":\"x\",\"sql\":[],\"links\":{}"),
		WHOLE(",\"metadata\":1,\"cause\":\"1234567890abcdef\""),
		WHOLE(",\"cause\":{\"exceptions\":[1,{\"stack\":[1,{\"line\":"
		      "\"x\"}]}]}"),
		WHOLE(",\"user\":{\"a\":1},\"origin\":3"),
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		put(&out, odd[i], true);
	put(&out, "{}", false);
	put(&out, "[1", false);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_each_becomes),
		cmocka_unit_test(odd_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
