/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/protobuf.h"
#include "core/wire/native.h"
#include "core/wire/otlp.h"
#include "core/wire/otlp_answer.h"
#include "core/wire/otlp_json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW 1795342353 /* when everything is received, in seconds */

static const struct wall received = { NOW * 1000000000LL };

/* A request in JSON as records. An error of either step. */
static int decode(enum otlp_signal signal, struct arena *arena, struct sv json,
		  struct records *out, struct otlp_refused *refused,
		  struct diag *diag)
{
	struct buf b = BUF_INIT;
	struct sv body;
	int e = otlp_json_read((enum otlp_message)signal, arena, json, &b,
			       diag);

	body = e ? SV("") : arena_copy(arena, buf_view(&b));
	buf_fini(&b);
	*out = (struct records){ 0 };
	*refused = (struct otlp_refused){ 0 };
	if (e)
		return e;
	if (signal == OTLP_TRACES)
		return otlp_traces_decode(arena, body, out, refused, diag);
	if (signal == OTLP_LOGS)
		return otlp_logs_decode(arena, body, received, out, refused,
					diag);
	return otlp_metrics_decode(arena, body, received, out, refused, diag);
}

static void same(struct sv got, const char *want)
{
	if (!sv_eq(got, sv_from(want)))
		fail_msg("%.*s\nis not\n%s", SV_ARG(got), want);
}

/* --- spans ------------------------------------------------------------------------ */

#define IDS                                                 \
	"\"traceId\":\"581cf771a006649127e371903a2de979\"," \
	"\"spanId\":\"99c3afe0ca06e8a7\","
#define START "\"startTimeUnixNano\":\"1\""

static const struct {
	const char *span;
	enum otlp_refusal want;
} spans[] = {
	{ IDS START, OTLP_OK },
	{ IDS "\"startTimeUnixNano\":1", OTLP_OK },
	{ IDS START ",\"parentSpanId\":\"\"", OTLP_OK },
	{ IDS START ",\"parentSpanId\":\"99C3AFE0CA06E8A8\"", OTLP_OK },
	{ IDS START ",\"endTimeUnixNano\":\"0\",\"new\":{\"a\":[1]}", OTLP_OK },
	{ IDS START ",\"kind\":\"SPAN_KIND_SERVER\",\"status\":null", OTLP_OK },
	{ IDS START ",\"kind\":77", OTLP_OK },
	{ "\"spanId\":\"99c3afe0ca06e8a7\"," START, OTLP_BAD_TRACE_ID },
	{ "\"traceId\":\"00000000000000000000000000000000\","
	  "\"spanId\":\"99c3afe0ca06e8a7\"," START,
	  OTLP_BAD_TRACE_ID },
	/* base64, as protobuf's own JSON has bytes */
	{ "\"traceId\":\"WBz3caAGZJEn43GQOi3peQ==\","
	  "\"spanId\":\"99c3afe0ca06e8a7\"," START,
	  OTLP_BAD_TRACE_ID },
	{ "\"traceId\":\"581cf771a006649127e371903a2de9\","
	  "\"spanId\":\"99c3afe0ca06e8a7\"," START,
	  OTLP_BAD_TRACE_ID },
	{ "\"traceId\":\"581cf771a006649127e371903a2de979\"," START,
	  OTLP_BAD_SPAN_ID },
	{ "\"traceId\":\"581cf771a006649127e371903a2de979\","
	  "\"spanId\":\"0000000000000000\"," START,
	  OTLP_BAD_SPAN_ID },
	{ IDS START ",\"parentSpanId\":\"99c3\"", OTLP_BAD_PARENT_ID },
	{ IDS START ",\"parentSpanId\":\"not hex!\"", OTLP_BAD_PARENT_ID },
	{ IDS "\"name\":\"x\"", OTLP_NO_START },
	{ IDS "\"startTimeUnixNano\":\"9223372036854775807\"", OTLP_OK },
	{ IDS "\"startTimeUnixNano\":\"9223372036854775808\"", OTLP_BAD_TIME },
	{ IDS START ",\"endTimeUnixNano\":\"18446744073709551615\"",
	  OTLP_BAD_TIME },
};

static void test_spans(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(spans); i++) {
		struct arena arena = ARENA_INIT;
		struct buf json = BUF_INIT;
		struct records records;
		struct otlp_refused refused;
		char text[OTLP_MESSAGE_MAX];

		/* A good one beside it is never lost. */
		buf_format(&json,
			   "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
			   "%s},{" IDS START "}]}]}]}",
			   spans[i].span);
		assert_int_equal(decode(OTLP_TRACES, &arena, buf_view(&json),
					&records, &refused, NULL),
				 0);
		if (!refused.counts[spans[i].want])
			fail_msg("%s", spans[i].span);
		assert_int_equal(records.span_count,
				 spans[i].want == OTLP_OK ? 2 : 1);
		otlp_refused_text(&refused, OTLP_TRACES, text);
		assert_int_equal(text[0] != '\0', spans[i].want != OTLP_OK);
		buf_fini(&json);
		arena_fini(&arena);
	}
}

/* --- bodies that are none --------------------------------------------------------- */

static const struct {
	const char *json;
	int want;
	const char *text;
} bodies[] = {
	{ "{}", 0, "" },
	{ "{\"resourceSpans\":[]}", 0, "" },
	{ "{\"resourceSpans\":null}", 0, "" },
	{ "", ERR_SYNTAX, NULL },
	{ "{", ERR_SYNTAX, NULL },
	{ "[]", ERR_INVALID, "the body must be an object" },
	{ "{\"resourceSpans\":{}}", ERR_INVALID,
	  "\"resourceSpans\" must be a list" },
	{ "{\"resourceSpans\":[1]}", ERR_INVALID,
	  "\"resourceSpans\" must be an object" },
	{ "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"kind\":\"X\"}]}]"
	  "}]}",
	  ERR_INVALID, "\"kind\" must be a number of the enumeration" },
	{ "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":7}]}]}]}",
	  ERR_INVALID, "\"name\" must be a string" },
	{ "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
	  "\"startTimeUnixNano\":\"-1\"}]}]}]}",
	  ERR_INVALID,
	  "\"startTimeUnixNano\" must be a whole number of 64 bits" },
	{ "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"flags\":"
	  "4294967296}]}]}]}",
	  ERR_INVALID, "\"flags\" must be a whole number of 32 bits" },
	{ "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"b\","
	  "\"value\":{\"bytesValue\":\"?\"}}]}}]}",
	  ERR_INVALID, "\"bytesValue\" must be base64" },
	{ "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"b\","
	  "\"value\":{\"boolValue\":1}}]}}]}",
	  ERR_INVALID, "\"boolValue\" must be true or false" },
};

static void test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct arena arena = ARENA_INIT;
		struct records records;
		struct otlp_refused refused;
		struct diag diag = { 0 };
		int e = decode(OTLP_TRACES, &arena, sv_from(bodies[i].json),
			       &records, &refused, &diag);

		if (e != bodies[i].want)
			fail_msg("%d for %s", e, bodies[i].json);
		if (bodies[i].text)
			assert_string_equal(diag.text, bodies[i].text);
		arena_fini(&arena);
	}
}

/* Limits: so many, and one more. */
static void test_limits(void **state)
{
	struct arena arena = ARENA_INIT, small = { .limit = 64 };
	struct buf b = BUF_INIT, big = BUF_INIT;
	struct records records = { 0 };
	struct otlp_refused refused;
	struct diag diag = { 0 };
	size_t resource, scope;

	(void)state;
	resource = protobuf_open(&b, 1);
	scope = protobuf_open(&b, 2);
	for (int i = 0; i < OTLP_RECORDS_MAX; i++)
		protobuf_put_bytes(&b, 2, SV(""));
	protobuf_close(&b, scope);
	protobuf_close(&b, resource);
	assert_int_equal(otlp_traces_decode(&arena, buf_view(&b), &records,
					    &refused, &diag),
			 0);
	assert_int_equal(refused.counts[OTLP_BAD_TRACE_ID], OTLP_RECORDS_MAX);
	assert_int_equal(otlp_traces_decode(&small, buf_view(&b), &records,
					    &refused, &diag),
			 ERR_NOMEM);
	resource = protobuf_open(&b, 1);
	scope = protobuf_open(&b, 2);
	protobuf_put_bytes(&b, 2, SV(""));
	protobuf_close(&b, scope);
	protobuf_close(&b, resource);
	assert_int_equal(otlp_traces_decode(&arena, buf_view(&b), &records,
					    &refused, &diag),
			 ERR_LIMIT);
	assert_int_equal(otlp_logs_decode(&arena, buf_view(&b), received,
					  &records, &refused, &diag),
			 ERR_LIMIT);

	/* A span's size with its resource. */
	for (int over = 0; over < 2; over++) {
		size_t span, room;

		buf_reset(&b);
		buf_reset(&big);
		resource = protobuf_open(&b, 1);
		protobuf_put_bytes(&b, 3, SV("schema"));
		scope = protobuf_open(&b, 2);
		span = protobuf_open(&b, 2);
		protobuf_put_bytes(&b, 1, SV("0123456789abcdef"));
		protobuf_put_bytes(&b, 2, SV("12345678"));
		protobuf_put_fixed64(&b, 7, 1);
		/* its tag, its length of three bytes, the schema */
		room = SPAN_BYTES_MAX - (b.len - span) - 1 - 3 - 6;
		buf_grow(&big, room + 1);
		for (size_t i = 0; i < room + (size_t)over; i++)
			buf_char(&big, 'x');
		protobuf_put_bytes(&b, 5, buf_view(&big));
		protobuf_close(&b, span);
		protobuf_close(&b, scope);
		protobuf_close(&b, resource);
		assert_int_equal(otlp_traces_decode(&arena, buf_view(&b),
						    &records, &refused, NULL),
				 0);
		assert_int_equal(refused.counts[OTLP_TOO_LARGE], over);
		assert_int_equal(records.span_count, !over);
	}
	buf_fini(&big);
	buf_fini(&b);
	arena_fini(&small);
	arena_fini(&arena);
}

/* --- logs --------------------------------------------------------------------------- */

#define TEXT(key, value) \
	"{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define T "\"timeUnixNano\":\"1795342353000000000\""

static const struct {
	const char *resource, *record;
	enum otlp_refusal want;
	const char *group, *stream, *message;
} logs[] = {
	{ TEXT("service.name", "shop"), T ",\"body\":{\"stringValue\":\"hi\"}",
	  OTLP_OK, "shop", "otlp", "{\"message\":\"hi\"}" },
	{ TEXT("service.name", "a b*c"), T ",\"severityNumber\":17", OTLP_OK,
	  "a_b_c", "otlp", "{\"level\":\"ERROR\",\"message\":null}" },
	{ TEXT("faas.name", "fn") "," TEXT("service.name", "x") "," TEXT(
		  "faas.instance", "2026/[1]ab:c"),
	  T ",\"severityText\":\"info\",\"attributes\":[" TEXT(
		  "faas.invocation_id",
		  "58e1c3e4-0001-4a6b-8c0d-123456789abc") "]",
	  OTLP_OK, "/aws/lambda/fn", "2026/[1]ab_c",
	  "{\"level\":\"info\",\"requestId\":"
	  "\"58e1c3e4-0001-4a6b-8c0d-123456789abc\",\"message\":null,"
	  "\"attributes\":{\"faas.invocation_id\":"
	  "\"58e1c3e4-0001-4a6b-8c0d-123456789abc\"}}" },
	{ "{\"key\":\"aws.log.group.names\",\"value\":{\"arrayValue\":{"
	  "\"values\":[{\"stringValue\":\"/my/group\"}]}}}",
	  T ",\"traceId\":\"581cf771a006649127e371903a2de979\",\"spanId\":"
	    "\"99c3afe0ca06e8a7\",\"eventName\":\"e\",\"body\":{\"kvlistValue\""
	    ":{\"values\":[{\"key\":\"n\",\"value\":{\"intValue\":\"5\"}}]}}",
	  OTLP_OK, "/my/group", "otlp",
	  "{\"event\":\"e\",\"message\":{\"n\":5},\"traceId\":"
	  "\"581cf771a006649127e371903a2de979\",\"spanId\":"
	  "\"99c3afe0ca06e8a7\"}" },
	{ "", "\"observedTimeUnixNano\":\"1795342353000000000\"", OTLP_OK,
	  "unknown_service", "otlp", "{\"message\":null}" },
	{ "", "\"body\":{\"boolValue\":false}", OTLP_OK, "unknown_service",
	  "otlp", "{\"message\":false}" },
	/* 14 days before, 2 hours ahead, and a second more */
	{ "", "\"timeUnixNano\":\"1794132753000000000\"", OTLP_OK,
	  "unknown_service", "otlp", "{\"message\":null}" },
	{ "", "\"timeUnixNano\":\"1794132752000000000\"", OTLP_TOO_OLD, NULL,
	  NULL, NULL },
	{ "", "\"timeUnixNano\":\"1795349553000000000\"", OTLP_OK,
	  "unknown_service", "otlp", "{\"message\":null}" },
	{ "", "\"timeUnixNano\":\"1795349554000000000\"", OTLP_TOO_NEW, NULL,
	  NULL, NULL },
	{ "", "\"timeUnixNano\":\"9223372036854775808\"", OTLP_BAD_TIME, NULL,
	  NULL, NULL },
};

static void test_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(logs); i++) {
		struct arena arena = ARENA_INIT;
		struct buf json = BUF_INIT;
		struct records records;
		struct otlp_refused refused;

		buf_format(&json,
			   "{\"resourceLogs\":[{\"resource\":{\"attributes\":["
			   "%s]},\"scopeLogs\":[{\"logRecords\":[{%s}]}]}]}",
			   logs[i].resource, logs[i].record);
		assert_int_equal(decode(OTLP_LOGS, &arena, buf_view(&json),
					&records, &refused, NULL),
				 0);
		if (refused.counts[logs[i].want] != 1)
			fail_msg("%s", logs[i].record);
		assert_int_equal(records.log_count, logs[i].want == OTLP_OK);
		if (records.log_count) {
			same(records.logs[0].group, logs[i].group);
			same(records.logs[0].stream, logs[i].stream);
			same(records.logs[0].message, logs[i].message);
		}
		buf_fini(&json);
		arena_fini(&arena);
	}
}

/* --- metrics ------------------------------------------------------------------------ */

#define POINT(members) "{\"dataPoints\":[{" T "," members "}]}"
#define DELTA(members) \
	"{\"aggregationTemporality\":1,\"dataPoints\":[{" T "," members "}]}"
#define CUMULATIVE(members)                       \
	"{\"aggregationTemporality\":"            \
	"\"AGGREGATION_TEMPORALITY_CUMULATIVE\"," \
	"\"isMonotonic\":true,\"dataPoints\":[{" T "," members "}]}"
#define NUMBERS "\"count\":\"4\",\"sum\":10"

static const struct {
	const char *metric;
	enum otlp_refusal want;
	const char *datum; /* unit value, or unit count sum min max */
} metrics[] = {
	{ "\"gauge\":" POINT("\"asDouble\":1.5"), OTLP_OK, "None 1.5" },
	{ "\"unit\":\"ms\",\"gauge\":" POINT("\"asInt\":\"-3\""), OTLP_OK,
	  "Milliseconds -3" },
	{ "\"unit\":\"{request}\",\"sum\":" DELTA("\"asInt\":2"), OTLP_OK,
	  "Count 2" },
	{ "\"unit\":\"By\",\"sum\":" CUMULATIVE("\"asDouble\":7"), OTLP_OK,
	  "Bytes 7" },
	{ "\"sum\":" POINT("\"asInt\":2"), OTLP_NO_TEMPORALITY, NULL },
	{ "\"gauge\":" POINT("\"asDouble\":\"NaN\""), OTLP_BAD_VALUE, NULL },
	{ "\"gauge\":" POINT("\"asDouble\":\"Infinity\""), OTLP_BAD_VALUE,
	  NULL },
	{ "\"gauge\":" POINT("\"asDouble\":1e200"), OTLP_BAD_VALUE, NULL },
	{ "\"histogram\":" DELTA(NUMBERS ",\"min\":1,\"max\":4"), OTLP_OK,
	  "None 4 10 1 4" },
	{ "\"histogram\":" DELTA(NUMBERS ",\"bucketCounts\":[0,\"3\",1,0],"
					 "\"explicitBounds\":[1,2,5]"),
	  OTLP_OK, "None 4 10 1 5" },
	{ "\"histogram\":" DELTA(NUMBERS ",\"bucketCounts\":[1,0,0,3],"
					 "\"explicitBounds\":[1,2,5]"),
	  OTLP_OK, "None 4 10 1 5" },
	{ "\"histogram\":" DELTA(NUMBERS ",\"bucketCounts\":[4]"), OTLP_OK,
	  "None 4 10 2.5 2.5" },
	{ "\"histogram\":" DELTA("\"count\":4,\"min\":1,\"max\":2"),
	  OTLP_NO_SUM, NULL },
	{ "\"histogram\":" CUMULATIVE(NUMBERS), OTLP_CUMULATIVE, NULL },
	{ "\"exponentialHistogram\":" DELTA(NUMBERS ",\"min\":1,\"max\":4"),
	  OTLP_OK, "None 4 10 1 4" },
	{ "\"exponentialHistogram\":" DELTA(NUMBERS), OTLP_NO_SUM, NULL },
	{ "\"summary\":" POINT(NUMBERS), OTLP_QUANTILES, NULL },
	{ "\"gauge\":" POINT("\"asInt\":1,\"attributes\":[{\"key\":\"a\","
			     "\"value\":{\"arrayValue\":{}}}]"),
	  OTLP_BAD_NAME, NULL },
	{ "\"name\":\"\",\"gauge\":" POINT("\"asInt\":1"), OTLP_OK, "None 1" },
	{ "\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":1,\"asInt\":1}]}",
	  OTLP_TOO_OLD, NULL },
};

static void test_metrics(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(metrics); i++) {
		struct arena arena = ARENA_INIT;
		struct buf json = BUF_INIT;
		struct records records;
		struct otlp_refused refused;
		const struct datum *d;
		char text[128];

		buf_format(&json,
			   "{\"resourceMetrics\":[{\"resource\":{\"attributes\""
			   ":[" TEXT("service.name", "shop") "," TEXT(
				   "service.namespace",
				   "eu") "]},\"scopeMetrics\":[{\"metrics\":[{"
					 "\"name\":\"m\",%s}]}]}]}",
			   metrics[i].metric);
		assert_int_equal(decode(OTLP_METRICS, &arena, buf_view(&json),
					&records, &refused, NULL),
				 0);
		if (refused.counts[metrics[i].want] != 1)
			fail_msg("%s", metrics[i].metric);
		assert_int_equal(records.datum_count,
				 metrics[i].want == OTLP_OK);
		if (records.datum_count) {
			assert(records.data);
			d = &records.data[0];
			same(d->ns, "eu/shop");
			same(d->name, "m");
			if (d->has_statistics)
				snprintf(text, sizeof(text), "%.*s %g %g %g %g",
					 SV_ARG(d->unit), d->sample_count,
					 d->sum, d->minimum, d->maximum);
			else
				snprintf(text, sizeof(text), "%.*s %g",
					 SV_ARG(d->unit), d->values[0]);
			assert_string_equal(text, metrics[i].datum);
		}
		buf_fini(&json);
		arena_fini(&arena);
	}
}

static void test_dimensions(void **state)
{
	struct arena arena = ARENA_INIT;
	struct records records;
	struct otlp_refused refused;
	const struct datum *d;

	(void)state;
	assert_int_equal(decode(OTLP_METRICS, &arena,
				SV("{\"resourceMetrics\":[{"
				   "\"scopeMetrics\":[{"
				   "\"metrics\":[{\"name\":\"m\","
				   "\"gauge\":" POINT(
					   "\"asInt\":1,\"attributes\":"
					   "[" TEXT("z", "last") "," TEXT(
						   "a", "") ","
							    "{\"key\":\"n\","
							    "\"value\":{"
							    "\"intValue\":-1}},"
							    "{\"key\":\"b\","
							    "\"value\":{"
							    "\"boolValue\":"
							    "true}"
							    "}]") "},{\"name\":"
								  "\"nothing\","
								  "\"gauge\":"
								  "{\"dataPoint"
								  "s\":[{" T
								  ",\"flags\":"
								  "1}]}}]}]}]"
								  "}"),
				&records, &refused, NULL),
			 0);
	assert_int_equal(refused.counts[OTLP_OK], 2);
	assert_int_equal(records.datum_count, 1);
	assert(records.data);
	d = &records.data[0];
	same(d->ns, "OpenTelemetry");
	assert_int_equal(d->dimension_count, 3);
	same(d->dimensions[0].name, "b");
	same(d->dimensions[0].value, "true");
	same(d->dimensions[1].value, "-1");
	same(d->dimensions[2].value, "last");
	arena_fini(&arena);
}

/* --- JSON and back -------------------------------------------------------------------- */

static void read_file(struct buf *b, const char *path)
{
	FILE *file = fopen(path, "rb");
	char bytes[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(bytes, 1, sizeof(bytes), file)))
		buf_add(b, bytes, n);
	fclose(file);
}

/* What an SDK sent in protobuf, as JSON, and that read again: the same bytes,
 * but for zeros that need not be said; so the second time they are the same. */
static void test_round_trip(void **state)
{
	static const struct {
		const char *path;
		enum otlp_message message;
	} rows[] = {
		{ "tests/fixtures/otlp/otel-protobuf-none-v1-traces.bin",
		  OTLP_TRACES_REQUEST },
		{ "tests/fixtures/otlp/otel-protobuf-none-v1-metrics.bin",
		  OTLP_METRICS_REQUEST },
		{ "tests/fixtures/otlp/otel-protobuf-none-v1-logs.bin",
		  OTLP_LOGS_REQUEST },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf sent = BUF_INIT, text[2] = { BUF_INIT, BUF_INIT };
		struct buf bytes[2] = { BUF_INIT, BUF_INIT };
		struct arena arena = ARENA_INIT;
		struct sv from;

		read_file(&sent, rows[i].path);
		from = buf_view(&sent);
		for (int k = 0; k < 2; k++) {
			struct json_writer w = json_writer(&text[k]);

			assert_int_equal(
				otlp_json_write(rows[i].message, from, &w), 0);
			assert_int_equal(otlp_json_read(rows[i].message, &arena,
							buf_view(&text[k]),
							&bytes[k], NULL),
					 0);
			from = buf_view(&bytes[k]);
		}
		assert_true(text[0].len > sent.len);
		assert_true(sv_eq(buf_view(&bytes[0]), buf_view(&bytes[1])));
		for (int k = 0; k < 2; k++) {
			buf_fini(&text[k]);
			buf_fini(&bytes[k]);
		}
		buf_fini(&sent);
		arena_fini(&arena);
	}
}

/* The JSON that the same SDK sent says what its protobuf says. */
static void test_json_of_sdk(void **state)
{
	struct buf json = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct records records;
	struct otlp_refused refused;

	(void)state;
	read_file(&json, "tests/fixtures/otlp/otel-json-none-v1-logs.json");
	assert_int_equal(decode(OTLP_LOGS, &arena, buf_view(&json), &records,
				&refused, NULL),
			 0);
	assert_int_equal(records.log_count, 2);
	assert(records.logs);
	same(records.logs[0].message,
	     "{\"level\":\"ERROR\",\"logger\":\"wire\",\"message\":"
	     "\"log line with trace\",\"traceId\":"
	     "\"581cf771a006649127e371903a2de979\",\"spanId\":"
	     "\"69a7ac5700136f78\",\"attributes\":{\"k\":\"v\",\"n\":1}}");
	buf_reset(&json);
	read_file(&json, "tests/fixtures/otlp/otel-json-none-v1-metrics.json");
	assert_int_equal(decode(OTLP_METRICS, &arena, buf_view(&json), &records,
				&refused, NULL),
			 0);
	assert_int_equal(records.datum_count, 4);
	assert_int_equal(refused.counts[OTLP_CUMULATIVE], 1);
	buf_fini(&json);
	arena_fini(&arena);
}

/* --- answers ---------------------------------------------------------------------------- */

static void test_answers(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	otlp_response_put(&b, OTLP_TRACES, OTLP_PROTOBUF, 0, SV(""));
	assert_int_equal(b.len, 0);
	otlp_response_put(&b, OTLP_TRACES, OTLP_JSON, 0, SV(""));
	same(buf_view(&b), "{}");
	buf_reset(&b);
	otlp_response_put(&b, OTLP_LOGS, OTLP_JSON, 7, SV("why"));
	same(buf_view(&b), "{\"partialSuccess\":{\"rejectedLogRecords\":\"7\","
			   "\"errorMessage\":\"why\"}}");
	buf_reset(&b);
	otlp_response_put(&b, OTLP_METRICS, OTLP_PROTOBUF, 7, SV("why"));
	same(buf_view(&b), "\x0a\x07\x08\x07\x12\x03why");
	buf_reset(&b);
	otlp_status_put(&b, OTLP_JSON, RPC_INVALID_ARGUMENT, SV("no"), 0);
	same(buf_view(&b), "{\"code\":3,\"message\":\"no\"}");
	buf_reset(&b);
	otlp_status_put(&b, OTLP_PROTOBUF, RPC_INVALID_ARGUMENT, SV("no"), 0);
	same(buf_view(&b), "\x08\x03\x12\x02no");
	buf_reset(&b);
	otlp_status_put(&b, OTLP_PROTOBUF, RPC_UNAVAILABLE, SV(""), 2);
	assert_true(sv_eq(buf_view(&b),
			  SV("\x08\x0e\x12\0\x1a\x30\x0a\x28"
			     "type.googleapis.com/google.rpc.RetryInfo"
			     "\x12\x04\x0a\x02\x08\x02")));
	buf_fini(&b);
	assert_int_equal(rpc_code_of_err(ERR_LIMIT), RPC_INVALID_ARGUMENT);
	assert_int_equal(rpc_code_of_err(ERR_FULL), RPC_UNAVAILABLE);
	assert_int_equal(rpc_code_of_http(429), RPC_RESOURCE_EXHAUSTED);
	assert_int_equal(rpc_code_of_http(503), RPC_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_dimensions),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_json_of_sdk),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
