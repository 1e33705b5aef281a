/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/api/cloudwatch_shapes.h"
#include "core/codec/json_write.h"
#include "core/codec/xml_write.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- a shape with every kind, nested in itself ------------------------------- */

struct every {
	struct sv text;
	struct shape_integer integer;
	struct shape_double number;
	struct shape_boolean flag;
	struct shape_time time;
	struct sv blob;
	SHAPE_LIST(struct every) list;
	SHAPE_MAP(struct every) map;
	struct every *inner;
	SHAPE_LIST(SHAPE_LIST(struct shape_integer)) matrix;
};

static const struct shape_type flag_type = { .kind = SHAPE_BOOLEAN };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type double_type = { .kind = SHAPE_DOUBLE };
static const struct shape every_shape;
static const struct shape_type blob_type = { .kind = SHAPE_BLOB,
					     SHAPE_RANGE(2, 4) };
static const struct shape_type short_type = { .kind = SHAPE_STRING,
					      SHAPE_RANGE(2, 3) };
static const struct shape_type digit_type = { .kind = SHAPE_INTEGER,
					      SHAPE_RANGE(-1, 9) };
static const struct shape_type every_type = { .kind = SHAPE_STRUCTURE,
					      .of = &every_shape };
static const struct shape_type every_list_type = { .kind = SHAPE_LIST_KIND,
						   SHAPE_RANGE(1, 2),
						   .item = &every_type };
static const struct shape_type every_map_type = { .kind = SHAPE_MAP_KIND,
						  .item = &every_type,
						  .key = &short_type };
static const struct shape_type row_type = { .kind = SHAPE_LIST_KIND,
					    .item = &digit_type };
static const struct shape_type matrix_type = { .kind = SHAPE_LIST_KIND,
					       .item = &row_type };
static const struct shape_member every_members[] = {
	SHAPE_OPTIONAL(struct every, text, "text", &short_type),
	SHAPE_OPTIONAL(struct every, integer, "integer", &digit_type),
	SHAPE_OPTIONAL(struct every, number, "number", &double_type),
	SHAPE_OPTIONAL(struct every, flag, "flag", &flag_type),
	SHAPE_OPTIONAL(struct every, time, "time", &time_type),
	SHAPE_OPTIONAL(struct every, blob, "blob", &blob_type),
	SHAPE_OPTIONAL(struct every, list, "list", &every_list_type),
	SHAPE_OPTIONAL(struct every, map, "map", &every_map_type),
	{ .name = "inner",
	  .query = "Inside",
	  .type = &every_type,
	  .offset = offsetof(struct every, inner) },
	SHAPE_OPTIONAL(struct every, matrix, "matrix", &matrix_type),
};
static const struct shape every_shape =
	SHAPE_OF(struct every, "Every", every_members);

/* --- reading in any protocol ------------------------------------------------- */

static int read_as(char protocol, const struct shape *shape, struct sv body,
		   struct arena *a, void *out, struct shape_fault *fault)
{
	struct json_doc json;
	struct cbor_doc cbor;
	struct form_doc form;

	switch (protocol) {
	case 'j':
		assert_int_equal(json_parse(&json, a, body, NULL), 0);
		return shape_read_json(shape, json_root(&json), a, out, fault);
	case 'c':
		assert_int_equal(cbor_parse(&cbor, a, body, NULL), 0);
		return shape_read_cbor(shape, cbor_root(&cbor), a, out, fault);
	default:
		assert_int_equal(form_parse(&form, a, body, NULL), 0);
		return shape_read_form(shape, form_root(&form), a, out, fault);
	}
}

/* A struct as JSON: what the tables below compare. */
static void draw(struct buf *b, const struct shape *shape, const void *in)
{
	struct json_writer w = json_writer(b);

	buf_reset(b);
	shape_write_json(shape, in, &w);
}

/* The body of a recorded request, and which protocol it speaks. */
static char load(const char *name, struct arena *a, struct sv *body)
{
	static char text[1 << 16];
	char path[128], *end;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "tests/fixtures/cloudwatch/%s.http", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	end = strstr(text, "\r\n\r\n");
	assert_non_null(end);
	*body = arena_copy(a, sv_make(end + 4, n - (size_t)(end + 4 - text)));
	*end = '\0';
	return strstr(text, "application/cbor")      ? 'c' :
	       strstr(text, "x-www-form-urlencoded") ? 'q' :
						       'j';
}

static void put_string(struct buf *b, const char *text)
{
	buf_reset(b);
	buf_text(b, text);
}

static const char datum_latency[] =
	"{\"MetricName\":\"Latency\",\"Dimensions\":[{\"Name\":\"Host\","
	"\"Value\":\"h1\"}],\"Timestamp\":1795338000,\"StatisticValues\":"
	"{\"SampleCount\":3,\"Sum\":6.5,\"Minimum\":1,\"Maximum\":4},"
	"\"Unit\":\"Milliseconds\",\"StorageResolution\":1}";
static const char datum_sizes[] =
	"{\"MetricName\":\"Sizes\",\"Timestamp\":1795338001.25,\"Values\":"
	"[1,2.5,3.25],\"Counts\":[10,20,30],\"Unit\":\"Bytes\","
	"\"StorageResolution\":60}";
static const char datum_plain[] =
	"{\"MetricName\":\"Plain\",\"Value\":42,\"Unit\":\"Count\"}";

static void expect_put(struct buf *b, bool plain)
{
	put_string(b, "{\"Namespace\":\"Wire/Demo\",\"MetricData\":[");
	buf_text(b, datum_latency);
	buf_char(b, ',');
	buf_text(b, datum_sizes);
	if (plain) {
		buf_char(b, ',');
		buf_text(b, datum_plain);
	}
	buf_text(b, "]}");
}

/* What real clients sent, in three protocols: the same structs. */
static void test_put_metric_data(void **state)
{
	static const struct {
		const char *name;
		bool plain;
		char protocol;
	} rows[] = {
		{ "jsv3-PutMetricData", true, 'j' },
		{ "jsv3cbor-PutMetricData", true, 'c' },
		{ "jsv3query-PutMetricData", true, 'q' },
		{ "awscli2-2.9.19-PutMetricData", false, 'q' },
	};
	struct arena a = ARENA_INIT;
	struct buf got = BUF_INIT, want = BUF_INIT;
	struct put_metric_data put;
	struct shape_fault fault;
	struct sv body;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char protocol = load(rows[i].name, &a, &body);

		assert_int_equal(protocol, rows[i].protocol);
		assert_int_equal(read_as(protocol, &put_metric_data_shape, body,
					 &a, &put, &fault),
				 0);
		assert_int_equal(fault.rule, SHAPE_RULE_NONE);
		draw(&got, &put_metric_data_shape, &put);
		expect_put(&want, rows[i].plain);
		assert_string_equal(got.ptr, want.ptr);
	}
	/* Field by field, once: what is drawn is what is there. */
	load("boto3-PutMetricData", &a, &body);
	assert_int_equal(read_as('j', &put_metric_data_shape, body, &a, &put,
				 &fault),
			 0);
	assert_true(sv_eq(put.namespace, SV("Wire/Demo")));
	assert_int_equal(put.metric_data.count, 3);
	assert_true(sv_eq(put.metric_data.items[0].dimensions.items[1].value,
			  SV("prod & \"test\"")));
	assert_int_equal(put.metric_data.items[1].timestamp.ns,
			 1795338001000000000);
	assert_true(put.metric_data.items[0].statistic_values->sum.value ==
		    6.5);
	assert_null(put.metric_data.items[1].statistic_values);
	assert_false(put.metric_data.items[1].value.set);
	assert_true(put.metric_data.items[2].value.set &&
		    put.metric_data.items[2].value.value == 42);
	assert_false(put.metric_data.items[2].dimensions.set);
	assert_false(put.strict_entity_validation.set);
	buf_fini(&got);
	buf_fini(&want);
	arena_fini(&a);
}

static void test_other_recordings(void **state)
{
	static const char list[] =
		"{\"Namespace\":\"Wire/Demo\",\"Dimensions\":[{\"Name\":"
		"\"Host\"}],\"RecentlyActive\":\"PT3H\"}";
	static const char get[] =
		"{\"Namespace\":\"Wire/Demo\",\"MetricName\":\"Latency\","
		"\"Dimensions\":[{\"Name\":\"Host\",\"Value\":\"h1\"}],"
		"\"StartTime\":1795338000,\"EndTime\":1795341600,\"Period\":60,"
		"\"Statistics\":[\"Average\",\"Sum\"],"
		"\"Unit\":\"Milliseconds\"}";
	static const struct {
		const char *name;
		const struct shape *shape;
		const char *want;
	} rows[] = {
		{ "boto3-ListMetrics", &list_metrics_shape, list },
		{ "jsv3-ListMetrics", &list_metrics_shape, list },
		{ "jsv3cbor-ListMetrics", &list_metrics_shape, list },
		{ "jsv3query-ListMetrics", &list_metrics_shape, list },
		{ "awscli2-2.9.19-ListMetrics", &list_metrics_shape,
		  "{\"Namespace\":\"Wire/Demo\",\"Dimensions\":[{\"Name\":"
		  "\"Host\"}]}" },
		{ "jsv3-GetMetricStatistics", &get_statistics_shape, get },
		{ "jsv3cbor-GetMetricStatistics", &get_statistics_shape, get },
		{ "jsv3query-GetMetricStatistics", &get_statistics_shape, get },
		{ "boto3-GetMetricStatistics", &get_statistics_shape,
		  "{\"Namespace\":\"Wire/Demo\",\"MetricName\":\"Latency\","
		  "\"Dimensions\":[{\"Name\":\"Host\",\"Value\":\"h1\"}],"
		  "\"StartTime\":1795338000,\"EndTime\":1795341600,"
		  "\"Period\":60,\"Statistics\":[\"Average\",\"Sum\","
		  "\"SampleCount\",\"Minimum\",\"Maximum\"],"
		  "\"Unit\":\"Milliseconds\"}" },
		{ "awscli2-2.9.19-GetMetricStatistics", &get_statistics_shape,
		  "{\"Namespace\":\"Wire/Demo\",\"MetricName\":\"Latency\","
		  "\"Dimensions\":[{\"Name\":\"Host\",\"Value\":\"h1\"}],"
		  "\"StartTime\":1795338000,\"EndTime\":1795341600,"
		  "\"Period\":60,\"Statistics\":[\"Average\",\"Sum\"],"
		  "\"ExtendedStatistics\":[\"p99\"]}" },
	};
	union {
		struct list_metrics list;
		struct get_metric_statistics get;
	} in;
	struct arena a = ARENA_INIT;
	struct buf got = BUF_INIT;
	struct shape_fault fault;
	struct sv body;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char protocol = load(rows[i].name, &a, &body);

		assert_int_equal(read_as(protocol, rows[i].shape, body, &a, &in,
					 &fault),
				 0);
		draw(&got, rows[i].shape, &in);
		assert_string_equal(got.ptr, rows[i].want);
	}
	buf_fini(&got);
	arena_fini(&a);
}

/* --- rules --------------------------------------------------------------------- */

#define NAME_255                                                               \
	"0123456789012345678901234567890123456789012345678901234567890123456"  \
	"78901234567890123456789012345678901234567890123456789012345678901234" \
	"56789012345678901234567890123456789012345678901234567890123456789012" \
	"3456789012345678901234567890123456789012345678901234"

static void test_rules(void **state)
{
	static const struct {
		char protocol;
		const struct shape *shape;
		const char *body;
		enum shape_rule rule;
		const char *path, *text;
	} rows[] = {
		{ 'j', &put_metric_data_shape, "{}", SHAPE_RULE_REQUIRED,
		  "Namespace", "The parameter Namespace is required." },
		{ 'j', &put_metric_data_shape, "{\"Namespace\":null}",
		  SHAPE_RULE_REQUIRED, "Namespace",
		  "The parameter Namespace is required." },
		{ 'q', &put_metric_data_shape,
		  "Namespace=", SHAPE_RULE_REQUIRED, "Namespace",
		  "The parameter Namespace is required." },
		{ 'q', &put_metric_data_shape,
		  "Namespace=a&MetricData.member.1.Value=1&"
		  "MetricData.member.2.MetricName=b&"
		  "MetricData.member.2.Dimensions.member.1.Name=c",
		  SHAPE_RULE_REQUIRED, "MetricData.member.1.MetricName",
		  "The parameter MetricData.member.1.MetricName is required.\n"
		  "The parameter MetricData.member.2.Dimensions.member.1.Value "
		  "is required." },
		{ 'j', &put_metric_data_shape,
		  "{\"Namespace\":\"" NAME_255 "5\"}", SHAPE_RULE_LENGTH,
		  "Namespace",
		  "The parameter Namespace must be shorter than 256 "
		  "characters." },
		{ 'j', &list_metrics_shape, "{\"Namespace\":\"\"}",
		  SHAPE_RULE_LENGTH, "Namespace",
		  "The parameter Namespace must be longer than 0 characters." },
		{ 'j', &list_metrics_shape, "{\"RecentlyActive\":\"PT1H\"}",
		  SHAPE_RULE_WORD, "RecentlyActive",
		  "The parameter RecentlyActive must be a value in the set "
		  "[ PT3H ]." },
		{ 'q', &get_statistics_shape,
		  "Namespace=a&MetricName=b&StartTime=2026-11-22T09%3A00%3A00Z&"
		  "EndTime=1795338000&Period=0&Statistics.member.1=Mean",
		  SHAPE_RULE_RANGE, "Period",
		  "The parameter Period must be greater than or equal to 1.\n"
		  "The parameter Statistics.member.1 must be a value in the "
		  "set [ SampleCount, Average, Sum, Minimum, Maximum ]." },
		{ 'q', &list_metrics_shape, "Dimensions=x", SHAPE_RULE_KIND,
		  "Dimensions", "The parameter Dimensions must be a list." },
		{ 'q', &list_metrics_shape, "Dimensions.1.Name=x",
		  SHAPE_RULE_KIND, "Dimensions",
		  "The parameter Dimensions must be a list." },
		{ 'q', &list_metrics_shape, "Namespace.x=1", SHAPE_RULE_KIND,
		  "Namespace", "The parameter Namespace must be a string." },
		{ 'j', &list_metrics_shape, "[]", SHAPE_RULE_KIND, "",
		  "The request must be a structure." },
		{ 'j', &list_metrics_shape, "{\"Dimensions\":[null]}",
		  SHAPE_RULE_KIND, "Dimensions.member.1",
		  "The parameter Dimensions.member.1 must be a structure." },
		{ 'j', &every_shape, "{\"integer\":-2}", SHAPE_RULE_RANGE,
		  "integer",
		  "The parameter integer must be greater than or equal to "
		  "-1." },
		{ 'j', &every_shape, "{\"integer\":10}", SHAPE_RULE_RANGE,
		  "integer",
		  "The parameter integer must be less than or equal to 9." },
		{ 'j', &every_shape, "{\"integer\":1.5}", SHAPE_RULE_KIND,
		  "integer", "The parameter integer must be an integer." },
		{ 'j', &every_shape, "{\"integer\":\"1\"}", SHAPE_RULE_KIND,
		  "integer", "The parameter integer must be an integer." },
		{ 'j', &every_shape, "{\"number\":\"NaN\"}", SHAPE_RULE_RANGE,
		  "number", "The parameter number must be a finite number." },
		{ 'j', &every_shape, "{\"number\":-1e999}", SHAPE_RULE_RANGE,
		  "number", "The parameter number must be a finite number." },
		{ 'q', &every_shape, "number=Infinity", SHAPE_RULE_RANGE,
		  "number", "The parameter number must be a finite number." },
		{ 'c', &every_shape, "\xa1\x66number\xf9\x7c\x00" /* no NUL */,
		  SHAPE_RULE_RANGE, "number",
		  "The parameter number must be a finite number." },
		{ 'j', &every_shape, "{\"number\":true}", SHAPE_RULE_KIND,
		  "number", "The parameter number must be a number." },
		{ 'j', &every_shape, "{\"flag\":1}", SHAPE_RULE_KIND, "flag",
		  "The parameter flag must be true or false." },
		{ 'j', &every_shape, "{\"time\":\"2026\"}", SHAPE_RULE_KIND,
		  "time", "The parameter time must be a timestamp." },
		{ 'j', &every_shape, "{\"blob\":\"Zg=\"}", SHAPE_RULE_KIND,
		  "blob", "The parameter blob must be a blob." },
		{ 'j', &every_shape, "{\"blob\":\"Zg==\"}", SHAPE_RULE_LENGTH,
		  "blob",
		  "The parameter blob must be longer than 1 characters." },
		{ 'q', &every_shape, "blob=Zm9vYmE%3D", SHAPE_RULE_LENGTH,
		  "blob",
		  "The parameter blob must be shorter than 5 characters." },
		{ 'j', &every_shape, "{\"list\":[]}", SHAPE_RULE_LENGTH, "list",
		  "The collection list must not have a size less than 1." },
		{ 'q', &every_shape, "list=", SHAPE_RULE_LENGTH, "list",
		  "The collection list must not have a size less than 1." },
		{ 'j', &every_shape, "{\"list\":[{},{},{}]}", SHAPE_RULE_LENGTH,
		  "list",
		  "The collection list must not have a size greater than 2." },
		{ 'j', &every_shape, "{\"text\":\"\xc3\xbc\"}",
		  SHAPE_RULE_LENGTH, "text",
		  "The parameter text must be longer than 1 characters." },
		{ 'j', &every_shape, "{\"map\":{\"k\":{}}}", SHAPE_RULE_LENGTH,
		  "map.entry.1",
		  "The parameter map.entry.1 must be longer than 1 "
		  "characters." },
		{ 'q', &every_shape, "map.entry.1.key=ab", SHAPE_RULE_KIND,
		  "map.entry.1",
		  "The parameter map.entry.1 must be a structure." },
		{ 'q', &every_shape, "map.entry.1.value.text=ab",
		  SHAPE_RULE_KIND, "map.entry.1",
		  "The parameter map.entry.1 must be a map." },
		{ 'q', &every_shape, "Inside.Inside.text=a", SHAPE_RULE_LENGTH,
		  "Inside.Inside.text",
		  "The parameter Inside.Inside.text must be longer than 1 "
		  "characters." },
		{ 'j', &every_shape, "{\"matrix\":[[],[1,2],[3,10]]}",
		  SHAPE_RULE_RANGE, "matrix.member.3.member.2",
		  "The parameter matrix.member.3.member.2 must be less than "
		  "or equal to 9." },
	};
	union {
		struct put_metric_data put;
		struct list_metrics list;
		struct get_metric_statistics get;
		struct every every;
	} in;
	struct arena a = ARENA_INIT;
	struct shape_fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sv body = sv_from(rows[i].body);

		body.len += rows[i].protocol == 'c'; /* its NUL */
		if (read_as(rows[i].protocol, rows[i].shape, body, &a, &in,
			    &fault) != ERR_INVALID)
			fail_msg("taken: %s", rows[i].body);
		assert_string_equal(fault.text, rows[i].text);
		assert_string_equal(fault.path, rows[i].path);
		assert_int_equal(fault.rule, rows[i].rule);
		assert_int_equal(fault.text_len, strlen(fault.text));
	}
	arena_fini(&a);
}

/* Up to the limit of a rule, and what is no fault at all. */
static void test_allowed(void **state)
{
	static const struct {
		char protocol;
		const char *body, *want;
	} rows[] = {
		{ 'j', "{}", "{}" },
		{ 'q', "", "{}" },
		{ 'q', "Action=X&Version=2010-08-01&text.x=1", NULL },
		{ 'q', "Action=X&Other.member.1=y", "{}" },
		{ 'j', "{\"other\":[{}],\"Text\":1}", "{}" },
		{ 'j', "{\"text\":null,\"list\":null,\"inner\":null}", "{}" },
		{ 'j', "{\"text\":\"ab\",\"text\":\"cd\"}",
		  "{\"text\":\"ab\"}" },
		{ 'j',
		  "{\"te\\u0078t\":\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"}",
		  "{\"text\":\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"}" },
		{ 'j', "{\"integer\":-1.0e0}", "{\"integer\":-1}" },
		{ 'j', "{\"integer\":9}", "{\"integer\":9}" },
		{ 'j', "{\"flag\":false}", "{\"flag\":false}" },
		{ 'j', "{\"list\":[{},{}]}", "{\"list\":[{},{}]}" },
		{ 'j', "{\"map\":{}}", "{\"map\":{}}" },
		{ 'j', "{\"inner\":{\"inner\":{}}}",
		  "{\"inner\":{\"inner\":{}}}" },
		{ 'q', "Inside.Inside.integer=1&inner.integer=2",
		  "{\"inner\":{\"inner\":{\"integer\":1}}}" },
		{ 'q', "map=&matrix=", "{\"map\":{},\"matrix\":[]}" },
		{ 'q', "map.entry.1.key=ab&map.entry.1.value.integer=3",
		  "{\"map\":{\"ab\":{\"integer\":3}}}" },
		{ 'q', "matrix.member.1.member.1=4&matrix.member.2=",
		  "{\"matrix\":[[4],[]]}" },
		{ 'q', "blob=Zm8%3D&time=1.5",
		  "{\"time\":1.5,"
		  "\"blob\":\"Zm8=\"}" },
	};
	struct arena a = ARENA_INIT;
	struct buf got = BUF_INIT;
	struct shape_fault fault;
	struct every in;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int err = read_as(rows[i].protocol, &every_shape,
				  sv_from(rows[i].body), &a, &in, &fault);

		assert_int_equal(err, rows[i].want ? 0 : ERR_INVALID);
		if (err)
			continue;
		draw(&got, &every_shape, &in);
		assert_string_equal(got.ptr, rows[i].want);
	}
	buf_fini(&got);
	arena_fini(&a);
}

/* Many faults are counted, a few told; deep documents and short arenas end. */
static void test_limits(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct shape_fault fault;
	struct put_metric_data put;
	struct every in;
	size_t lines = 1;

	(void)state;
	buf_text(&b, "Namespace=a");
	for (int i = 1; i <= 40; i++)
		buf_format(&b, "&MetricData.member.%d.Unit=Miles", i);
	assert_int_equal(read_as('q', &put_metric_data_shape, buf_view(&b), &a,
				 &put, &fault),
			 ERR_INVALID);
	assert_int_equal(fault.count, 80);
	for (size_t i = 0; i < fault.text_len; i++)
		lines += fault.text[i] == '\n';
	assert_true(lines <= SHAPE_FAULTS_MAX);
	assert_true(fault.text_len < SHAPE_TEXT_MAX);

	for (int depth = SHAPE_DEPTH_MAX - 1; depth <= SHAPE_DEPTH_MAX;
	     depth++) {
		size_t before;

		buf_reset(&b);
		for (int i = 0; i < depth; i++)
			buf_text(&b, "{\"inner\":");
		buf_text(&b, "{}");
		for (int i = 0; i < depth; i++)
			buf_char(&b, '}');
		before = a.used;
		assert_int_equal(read_as('j', &every_shape, buf_view(&b), &a,
					 &in, &fault),
				 depth < SHAPE_DEPTH_MAX ? 0 : ERR_LIMIT);
		/* Whatever the arena's limit, it ends with an error or not. */
		for (size_t limit = 1; limit < a.used - before; limit += 97) {
			struct arena small = { .limit = limit };
			struct json_doc doc;

			if (!json_parse(&doc, &small, buf_view(&b), NULL))
				assert_int_equal(
					shape_read_json(&every_shape,
							json_root(&doc), &small,
							&in, &fault),
					ERR_NOMEM);
			arena_fini(&small);
		}
	}
	buf_fini(&b);
	arena_fini(&a);
}

/* A path that is longer than its buffer is cut. */
static void test_long_path(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct shape_fault fault;
	struct every in;

	(void)state;
	for (int i = 0; i < 23; i++)
		buf_text(&b, "{\"list\":[");
	buf_text(&b, "{\"integer\":true}");
	for (int i = 0; i < 23; i++)
		buf_text(&b, "]}");
	assert_int_equal(read_as('j', &every_shape, buf_view(&b), &a, &in,
				 &fault),
			 ERR_INVALID);
	assert_int_equal(strlen(fault.path), SHAPE_PATH_MAX - 1);
	buf_fini(&b);
	arena_fini(&a);
}

/* --- writing ------------------------------------------------------------------- */

static struct datapoint points[] = {
	{ .timestamp = { 1795338000250000000, true },
	  .average = { 2.5, true },
	  .unit = SV_INIT("Milliseconds") },
	{ .sum = { 7, true } },
};

/* The answer of GetMetricStatistics, as each protocol has it. */
static void test_write(void **state)
{
	struct sv keys[] = { SV("p99"), SV("<p50>") };
	struct shape_double values[] = { { 4, true }, { 0.125, true } };
	struct get_metric_statistics_output out = { .label = SV("a<b") };
	struct buf b = BUF_INIT, wire = BUF_INIT, again = BUF_INIT;
	struct xml_writer xml = xml_writer(&b);
	struct cbor_writer cbor = cbor_writer(&wire);
	struct arena a = ARENA_INIT;
	struct shape_fault fault;

	(void)state;
	points[1].extended_statistics.keys = keys;
	points[1].extended_statistics.values = values;
	points[1].extended_statistics.count = 2;
	points[1].extended_statistics.set = true;
	out.datapoints.items = points;
	out.datapoints.count = 2;
	out.datapoints.set = true;
	xml_open_response(&xml, "GetMetricStatistics", "ns", true);
	shape_write_xml(&get_statistics_output_shape, &out, &xml);
	xml_close_response(&xml, SV("id"));
	assert_string_equal(
		b.ptr,
		"<GetMetricStatisticsResponse xmlns=\"ns\">"
		"<GetMetricStatisticsResult><Label>a&lt;b</Label><Datapoints>"
		"<member><Timestamp>2026-11-22T09:00:00.250Z</Timestamp>"
		"<Average>2.5</Average><Unit>Milliseconds</Unit></member>"
		"<member><Sum>7</Sum><ExtendedStatistics>"
		"<entry><key>p99</key><value>4</value></entry>"
		"<entry><key>&lt;p50&gt;</key><value>0.125</value></entry>"
		"</ExtendedStatistics></member></Datapoints>"
		"</GetMetricStatisticsResult><ResponseMetadata>"
		"<RequestId>id</RequestId></ResponseMetadata>"
		"</GetMetricStatisticsResponse>");
	draw(&b, &get_statistics_output_shape, &out);
	assert_string_equal(
		b.ptr, "{\"Label\":\"a<b\",\"Datapoints\":[{\"Timestamp\":"
		       "1795338000.25,\"Average\":2.5,\"Unit\":"
		       "\"Milliseconds\"},{\"Sum\":7,\"ExtendedStatistics\":"
		       "{\"p99\":4,\"<p50>\":0.125}}]}");
	shape_write_cbor(&get_statistics_output_shape, &out, &cbor);
	assert_true(cbor_is_complete(&cbor));
	assert_int_equal(read_as('c', &get_statistics_output_shape,
				 buf_view(&wire), &a, &out, &fault),
			 0);
	draw(&again, &get_statistics_output_shape, &out);
	assert_string_equal(again.ptr, b.ptr);
	buf_fini(&again);
	buf_fini(&wire);
	buf_fini(&b);
	arena_fini(&a);
}

static void test_write_list_metrics(void **state)
{
	struct dimension dimension = { SV("Host"), SV("h1") };
	struct metric metric = { SV("Wire/Demo"), SV("Latency"), { 0 } };
	struct list_metrics_output out = { 0 };
	struct buf b = BUF_INIT;
	struct xml_writer xml = xml_writer(&b);

	(void)state;
	out.metrics.set = true; /* and empty */
	shape_write_xml(&list_metrics_output_shape, &out, &xml);
	assert_string_equal(b.ptr, "<Metrics></Metrics>");
	metric.dimensions.items = &dimension;
	metric.dimensions.count = 1;
	metric.dimensions.set = true;
	out.metrics.items = &metric;
	out.metrics.count = 1;
	buf_reset(&b);
	shape_write_xml(&list_metrics_output_shape, &out, &xml);
	assert_string_equal(b.ptr,
			    "<Metrics><member><Namespace>Wire/Demo</Namespace>"
			    "<MetricName>Latency</MetricName><Dimensions>"
			    "<member><Name>Host</Name><Value>h1</Value>"
			    "</member></Dimensions></member></Metrics>");
	buf_fini(&b);
}

/* Each kind, read from JSON, written in all formats. */
static void test_every_kind(void **state)
{
	static const char text[] =
		"{\"text\":\"ab\",\"integer\":-1,\"number\":0.5,\"flag\":true,"
		"\"time\":-1.5,\"blob\":\"/+8=\",\"list\":[{\"flag\":false}],"
		"\"map\":{\"kk\":{\"integer\":0}},\"inner\":{},"
		"\"matrix\":[[],[1,2]]}";
	struct buf b = BUF_INIT, wire = BUF_INIT, again = BUF_INIT;
	struct xml_writer xml = xml_writer(&b);
	struct cbor_writer cbor = cbor_writer(&wire);
	struct json_writer json = json_writer(&b);
	struct arena a = ARENA_INIT;
	struct shape_fault fault;
	struct every in;

	(void)state;
	assert_int_equal(
		read_as('j', &every_shape, sv_from(text), &a, &in, &fault), 0);
	assert_true(sv_eq(in.blob, SV("\xff\xef")));
	assert_int_equal(in.matrix.items[1].items[1].value, 2);
	draw(&again, &every_shape, &in);
	assert_string_equal(again.ptr, text);
	shape_write_cbor(&every_shape, &in, &cbor);
	assert_int_equal(read_as('c', &every_shape, buf_view(&wire), &a, &in,
				 &fault),
			 0);
	draw(&again, &every_shape, &in);
	assert_string_equal(again.ptr, text);
	shape_write_xml(&every_shape, &in, &xml);
	assert_string_equal(
		b.ptr,
		"<text>ab</text><integer>-1</integer><number>0.5</number>"
		"<flag>true</flag><time>1969-12-31T23:59:58.500Z</time>"
		"<blob>/+8=</blob><list><member><flag>false</flag></member>"
		"</list><map><entry><key>kk</key><value><integer>0</integer>"
		"</value></entry></map><Inside></Inside><matrix><member>"
		"</member><member><member>1</member><member>2</member>"
		"</member></matrix>");
	/* What answers may hold although no request may. */
	in = (struct every){ .number = { INFINITY, true } };
	buf_reset(&b);
	shape_write_json(&every_shape, &in, &json);
	assert_string_equal(b.ptr, "{\"number\":\"Infinity\"}");
	buf_fini(&again);
	buf_fini(&wire);
	buf_fini(&b);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_metric_data),
		cmocka_unit_test(test_other_recordings),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_list_metrics),
		cmocka_unit_test(test_every_kind),
	};

	return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
