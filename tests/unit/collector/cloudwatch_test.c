/* SPDX-License-Identifier: Apache-2.0 */
/* CloudWatch's operations: what real clients sent comes through dispatch and
 * the reader of its protocol as the same input, whichever that is; data by
 * CloudWatch's rules; outputs in each form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <strings.h>

#include "collector/api/cloudwatch_shapes.h"
#include "collector/door/dispatch.h"
#include "collector/ingest/cloudwatch.h"
#include "core/codec/deflate.h"
#include "core/smithy/message.h"
#include "tests/unit/core/recording.h"

#define RECORDINGS "tests/fixtures/sigv4/cloudwatch-*-"
#define NOON_NS 1795348800000000000 /* 2026-11-22T12:00:00Z */

static struct sv header(const struct recording *r, const char *name)
{
	for (size_t i = 0; i < r->request.header_count; i++) {
		const struct sigv4_header *h = &r->headers[i];

		if (h->name.len == strlen(name) &&
		    !strncasecmp(h->name.ptr, name, h->name.len))
			return sv_trim(h->value);
	}
	return (struct sv){ NULL, 0 };
}

/* As the door does: its operation, protocol, and the body made plain. */
static struct dispatch take(const struct recording *r, struct buf *body)
{
	const struct dispatch_head head = {
		.method = METHOD_POST,
		.path = r->request.path,
		.query = r->request.query,
		.target = header(r, "X-Amz-Target"),
		.content_type = header(r, "Content-Type"),
		.smithy_protocol = header(r, "smithy-protocol"),
	};
	struct dispatch d = dispatch_by_head(&head);

	if (sv_eq(header(r, "Content-Encoding"), SV("gzip")))
		assert_int_equal(inflate_gzip(body, r->body, 1 << 20), 0);
	else
		buf_sv(body, r->body);
	if (d.by_body)
		dispatch_by_body(&d, buf_view(body));
	assert_int_equal(d.result, DISPATCH_OK);
	return d;
}

static void read_input(const struct dispatch *d, const struct shape *shape,
		       const struct buf *body, struct arena *arena, void *in)
{
	struct shape_fault fault = { 0 };
	struct diag diag = { 0 };

	if (aws_message_read(d->protocol, shape, buf_view(body), arena, in,
			     &fault, &diag))
		fail_msg("%s%s", fault.text, diag.text);
}

/* A line for each datum. */
static void draw(const struct records *records, struct buf *out)
{
	for (size_t i = 0; i < records->datum_count; i++) {
		const struct datum *d = &records->data[i];

		buf_format(out, "%.*s %.*s", SV_ARG(d->ns), SV_ARG(d->name));
		for (size_t k = 0; k < d->dimension_count; k++)
			buf_format(out, " %.*s=%.*s",
				   SV_ARG(d->dimensions[k].name),
				   SV_ARG(d->dimensions[k].value));
		buf_format(out, " @%lld %.*s %u:", (long long)d->time_ns,
			   SV_ARG(d->unit), d->resolution_s);
		if (d->has_statistics)
			buf_format(out, " [%g %g %g %g]", d->sample_count,
				   d->sum, d->minimum, d->maximum);
		for (size_t k = 0; k < d->value_count; k++)
			buf_format(out, " %gx%g", d->values[k],
				   d->counts ? d->counts[k] : 1.0);
		buf_char(out, '\n');
	}
}

#define LATENCY                                                        \
	"Wire/Demo Latency Host=h1 @1795338000000000000 Milliseconds " \
	"1: [3 6.5 1 4]\n"
#define SIZES                                                         \
	"Wire/Demo Sizes @1795338001250000000 Bytes 60: 1x10 2.5x20 " \
	"3.25x30\n"
#define SIZES_CUT \
	"Wire/Demo Sizes @1795338001000000000 Bytes 60: 1x10 2.5x20 3.25x30\n"
#define PLAIN "Wire/Demo Plain @1795348800000000000 Count 60: 42x1\n"

static int by_pattern(const char *pattern, glob_t *g)
{
	char full[256];

	snprintf(full, sizeof(full), RECORDINGS "%s", pattern);
	return glob(full, 0, NULL, g);
}

/* What the clients were told to send, as each of them could. */
static bool is_expected(struct sv text)
{
	static const char *const texts[] = {
		LATENCY SIZES PLAIN,
		LATENCY SIZES,
		LATENCY SIZES_CUT,
		LATENCY "Wire/Demo Sizes @1795341600500000000 None 60: 1x10 "
			"2.5x20\n",
		"Wire/Demo Latency Env=prod & \"test\" Host=h1 "
		"@1795338000000000000 Milliseconds 1: [3 6.5 1 4]\n" SIZES_CUT
			PLAIN,
		"Wire/Demo X @1795348800000000000 None 60: 0x1\n",
		"Wire/Demo aX @1795348800000000000 None 60: 0x1\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (sv_eq(text, sv_from(texts[i])))
			return true;
	print_error("%.*s", SV_ARG(text));
	return false;
}

static void recorded_data_are_the_same_in_every_protocol(void **state)
{
	static struct recording r;
	unsigned seen[AWS_RPC_JSON + 1] = { 0 };
	size_t large = 0;
	glob_t g;

	(void)state;
	assert_int_equal(by_pattern("PutMetricData*", &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct arena arena = ARENA_INIT;
		struct buf body = BUF_INIT, text = BUF_INIT;
		struct records records = { 0 };
		struct cloudwatch_fault fault = { 0 };
		struct put_metric_data in;
		struct dispatch d;
		struct sv got;

		if (strstr(g.gl_pathv[i], "badlength"))
			continue; /* its body is not whole */
		recording_read(&r, g.gl_pathv[i]);
		d = take(&r, &body);
		assert_int_equal(d.operation->id, OPERATION_PutMetricData);
		read_input(&d, &put_metric_data_shape, &body, &arena, &in);
		if (cloudwatch_data(&in, (struct wall){ NOON_NS }, &arena,
				    &records, &fault))
			fail_msg("%s: %s", g.gl_pathv[i], fault.message);
		draw(&records, &text);
		got = buf_view(&text);
		seen[d.protocol]++;
		/* The compressed ones are Big0, Big1 ... */
		if (records.datum_count > 3) {
			large++;
			assert_true(sv_starts(got, SV("Wire/Demo Big0")));
		} else {
			assert_true(is_expected(got));
		}
		buf_fini(&text);
		buf_fini(&body);
		arena_fini(&arena);
	}
	globfree(&g);
	assert_true(seen[AWS_JSON_1_0] >= 6 && seen[AWS_QUERY] >= 6);
	assert_true(seen[AWS_RPC_CBOR] >= 2);
	assert_true(large >= 3);
}

static void recorded_questions_are_read(void **state)
{
	static struct recording r;
	size_t count = 0;
	glob_t g;

	(void)state;
	assert_int_equal(by_pattern("*.http", &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct arena arena = ARENA_INIT;
		struct buf body = BUF_INIT;
		struct list_metrics list;
		struct get_metric_statistics get;
		struct dispatch d;

		recording_read(&r, g.gl_pathv[i]);
		if (strstr(g.gl_pathv[i], "badlength"))
			continue;
		d = take(&r, &body);
		if (d.operation->id == OPERATION_ListMetrics) {
			read_input(&d, &list_metrics_shape, &body, &arena,
				   &list);
			assert_true(sv_eq(list.namespace, SV("Wire/Demo")));
			count++;
		} else if (d.operation->id == OPERATION_GetMetricStatistics) {
			read_input(&d, &get_statistics_shape, &body, &arena,
				   &get);
			assert_true(sv_eq(get.metric_name, SV("Latency")));
			assert_true(get.start_time.ns < get.end_time.ns);
			count++;
		}
		buf_fini(&body);
		arena_fini(&arena);
	}
	globfree(&g);
	assert_true(count >= 12);
}

/* --- rules ------------------------------------------------------------------------ */

#define DATUM(text) "{\"Namespace\":\"N\",\"MetricData\":[" text "]}"

static const struct {
	const char *body, *shape, *message; /* shape NULL: it is good */
} rules[] = {
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1}"), NULL, "" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":0}"), NULL, "" },
	{ DATUM("{\"MetricName\":\"m\",\"Values\":[],\"Value\":1}"), NULL, "" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Timestamp\":1795356000}"),
	  NULL, "" }, /* two hours */
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Timestamp\":1794139200}"),
	  NULL, "" }, /* two weeks */
	{ "{\"Namespace\":\"a b.c-d_e/f#g:h\",\"MetricData\":[{\"MetricName\":"
	  "\"m\",\"Value\":1}]}",
	  NULL, "" },
	{ "{\"Namespace\":\"N\"}", "MissingRequiredParameterException",
	  "The parameter MetricData is required." },
	{ "{\"Namespace\":\"N\",\"MetricData\":[]}",
	  "MissingRequiredParameterException",
	  "The parameter MetricData is required." },
	{ "{\"Namespace\":\"AWS/Lambda\",\"MetricData\":[{\"MetricName\":\"m\","
	  "\"Value\":1}]}",
	  "InvalidParameterValueException", "parameter Namespace is invalid." },
	{ "{\"Namespace\":\":N\",\"MetricData\":[]}",
	  "InvalidParameterValueException", "Namespace" },
	{ "{\"Namespace\":\"\xc3\xbc\",\"MetricData\":[]}",
	  "InvalidParameterValueException", "Namespace" },
	{ DATUM("{\"MetricName\":\"m\"}"), "MissingRequiredParameterException",
	  "MetricData.member.1.Value" },
	{ DATUM("{\"MetricName\":\" \",\"Value\":1}"),
	  "InvalidParameterValueException", "MetricData.member.1.MetricName" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1},{\"MetricName\":\"m\","
		"\"Value\":1,\"Timestamp\":1795356001}"),
	  "InvalidParameterValueException",
	  "The parameter MetricData.member.2.Timestamp must specify a time no "
	  "more than two hours in the future." },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Timestamp\":1794139199}"),
	  "InvalidParameterValueException",
	  "The parameter MetricData.member.1.Timestamp must specify a time "
	  "within the past two weeks." },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1e109}"),
	  "InvalidParameterValueException", "MetricData.member.1.Value" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Values\":[1]}"),
	  "InvalidParameterCombinationException",
	  "The parameters MetricData.member.1.Value and "
	  "MetricData.member.1.Values are mutually exclusive and you have "
	  "specified both." },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"StatisticValues\":{"
		"\"SampleCount\":1,\"Sum\":1,\"Minimum\":1,\"Maximum\":1}}"),
	  "InvalidParameterCombinationException", "StatisticValues" },
	{ DATUM("{\"MetricName\":\"m\",\"Values\":[1],\"StatisticValues\":{"
		"\"SampleCount\":1,\"Sum\":1,\"Minimum\":1,\"Maximum\":1}}"),
	  "InvalidParameterCombinationException", "StatisticValues" },
	{ DATUM("{\"MetricName\":\"m\",\"StatisticValues\":{"
		"\"SampleCount\":0,\"Sum\":1,\"Minimum\":1,\"Maximum\":1}}"),
	  "InvalidParameterValueException", "SampleCount" },
	{ DATUM("{\"MetricName\":\"m\",\"StatisticValues\":{"
		"\"SampleCount\":1,\"Sum\":1,\"Minimum\":2,\"Maximum\":1}}"),
	  "InvalidParameterValueException", "Maximum" },
	{ DATUM("{\"MetricName\":\"m\",\"Values\":[1,2],\"Counts\":[1]}"),
	  "InvalidParameterValueException", "as many items" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Counts\":[1]}"),
	  "InvalidParameterValueException", "without Values" },
	{ DATUM("{\"MetricName\":\"m\",\"Values\":[1],\"Counts\":[0]}"),
	  "InvalidParameterValueException", "Counts" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"StorageResolution\":5}"),
	  "InvalidParameterValueException", "StorageResolution must be 1 or" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Dimensions\":[{\"Name\":"
		"\":a\",\"Value\":\"b\"}]}"),
	  "InvalidParameterValueException", "Dimensions" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Dimensions\":[{\"Name\":"
		"\"a\",\"Value\":\"b\"},{\"Name\":\"a\",\"Value\":\"c\"}]}"),
	  "InvalidParameterValueException", "twice" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Dimensions\":[{\"Name\":"
		"\"a\",\"Value\":\" \"}]}"),
	  "InvalidParameterValueException", "Dimensions" },
	{ DATUM("{\"MetricName\":\"m\",\"Value\":1,\"Dimensions\":[{\"Name\":"
		"\"a\",\"Value\":\"\xc3\xbc\"}]}"),
	  "InvalidParameterValueException", "ASCII" },
};

static int judge(struct sv body, struct arena *arena, struct records *records,
		 struct cloudwatch_fault *fault)
{
	struct shape_fault shape = { 0 };
	struct put_metric_data in;

	if (aws_message_read(AWS_JSON_1_0, &put_metric_data_shape, body, arena,
			     &in, &shape, NULL))
		fail_msg("%s", shape.text);
	return cloudwatch_data(&in, (struct wall){ NOON_NS }, arena, records,
			       fault);
}

static void rules_are_cloudwatchs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct arena arena = ARENA_INIT;
		struct records records = { 0 };
		struct cloudwatch_fault fault = { 0 };
		int e = judge(sv_from(rules[i].body), &arena, &records, &fault);

		if (e != (rules[i].shape ? ERR_INVALID : 0))
			fail_msg("%s: %d %s", rules[i].body, e, fault.message);
		if (e) {
			assert_string_equal(fault.shape, rules[i].shape);
			if (!strstr(fault.message, rules[i].message))
				fail_msg("%s: %s", rules[i].body,
					 fault.message);
			assert_non_null(
				aws_error_find(&aws_cloudwatch, fault.shape));
		}
		arena_fini(&arena);
	}
}

/* The limit is of MetricData and EntityMetricData together. */
static void a_thousand_data_and_no_more(void **state)
{
	(void)state;
	for (size_t count = 1000; count <= 1001; count++) {
		struct arena arena = ARENA_INIT;
		struct records records = { 0 };
		struct cloudwatch_fault fault = { 0 };
		struct buf body = BUF_INIT;
		int e;

		buf_text(&body, "{\"Namespace\":\"N\",\"MetricData\":[");
		for (size_t i = 1; i < count; i++)
			buf_format(&body,
				   "%s{\"MetricName\":\"m\",\"Value\":%zu}",
				   i > 1 ? "," : "", i);
		buf_text(&body,
			 "],\"EntityMetricData\":[{\"MetricData\":[{"
			 "\"MetricName\":\"e\",\"Value\":1,\"Dimensions\":[{"
			 "\"Name\":\"z\",\"Value\":\"1\"},{\"Name\":\"a\","
			 "\"Value\":\"2\"}]}]}]}");
		e = judge(buf_view(&body), &arena, &records, &fault);
		assert_int_equal(e, count > 1000 ? ERR_INVALID : 0);
		if (!e) {
			const struct datum *d = &records.data[999];

			assert_int_equal(records.datum_count, 1000);
			assert_true(sv_eq(d->name, SV("e")));
			assert_true(sv_eq(d->dimensions[0].name, SV("a")));
		}
		buf_fini(&body);
		arena_fini(&arena);
	}
}

/* --- outputs ---------------------------------------------------------------------- */

static void outputs_have_the_form_of_the_protocol(void **state)
{
	struct dimension dimension = { SV("Host"), SV("h1") };
	struct metric metric = { .namespace = SV("N"),
				 .metric_name = SV("<m>"),
				 .dimensions = { &dimension, 1, true } };
	const struct list_metrics_output out = { .metrics = { &metric, 1,
							      true } };
	static const struct {
		enum aws_protocol protocol;
		bool output;
		const char *type, *smithy, *body;
	} rows[] = {
		{ AWS_JSON_1_0, true, "application/x-amz-json-1.0", NULL,
		  "{\"Metrics\":[{\"Namespace\":\"N\",\"MetricName\":\"<m>\","
		  "\"Dimensions\":[{\"Name\":\"Host\",\"Value\":\"h1\"}]}]}" },
		{ AWS_QUERY, true, "text/xml", NULL,
		  "<ListMetricsResponse xmlns=\"http://monitoring.amazonaws."
		  "com/doc/2010-08-01/\"><ListMetricsResult><Metrics><member>"
		  "<Namespace>N</Namespace><MetricName>&lt;m&gt;</MetricName>"
		  "<Dimensions><member><Name>Host</Name><Value>h1</Value>"
		  "</member></Dimensions></member></Metrics>"
		  "</ListMetricsResult><ResponseMetadata><RequestId>id"
		  "</RequestId></ResponseMetadata></ListMetricsResponse>" },
		{ AWS_RPC_CBOR, true, "application/cbor", "rpc-v2-cbor",
		  "\xa1\x67Metrics\x81\xa3\x69Namespace\x61N\x6aMetricName"
		  "\x63<m>\x6a"
		  "Dimensions\x81\xa2\x64Name\x64Host\x65Value\x62h1" },
		{ AWS_JSON_1_0, false, "application/x-amz-json-1.0", NULL, "" },
		{ AWS_RPC_JSON, false, "application/json", "rpc-v2-json",
		  "{}" },
		{ AWS_RPC_CBOR, false, NULL, "rpc-v2-cbor", "" },
		{ AWS_QUERY, false, "text/xml", NULL,
		  "<ListMetricsResponse xmlns=\"http://monitoring.amazonaws."
		  "com/doc/2010-08-01/\"><ResponseMetadata><RequestId>id"
		  "</RequestId></ResponseMetadata></ListMetricsResponse>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf body = BUF_INIT;
		struct aws_answer answer;

		aws_message_write(
			&aws_cloudwatch, rows[i].protocol, "ListMetrics",
			rows[i].output ? &list_metrics_output_shape : NULL,
			&out, SV("id"), &body, &answer);
		buf_char(&body, '\0');
		assert_string_equal(body.ptr, rows[i].body);
		assert_int_equal(answer.status, 200);
		if (rows[i].type)
			assert_string_equal(answer.content_type, rows[i].type);
		else
			assert_null(answer.content_type);
		if (rows[i].smithy)
			assert_string_equal(answer.smithy_protocol,
					    rows[i].smithy);
		else
			assert_null(answer.smithy_protocol);
		buf_fini(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_data_are_the_same_in_every_protocol),
		cmocka_unit_test(recorded_questions_are_read),
		cmocka_unit_test(rules_are_cloudwatchs),
		cmocka_unit_test(a_thousand_data_and_no_more),
		cmocka_unit_test(outputs_have_the_form_of_the_protocol),
	};

	return cmocka_run_group_tests_name("cloudwatch", tests, NULL, NULL);
}
