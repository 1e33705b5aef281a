/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/wire/otlp.h"
#include "core/wire/otlp_json.h"
#include "tracer/document.h"
#include "tracer/span.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TRACE "581cf771a006649127e371903a2de979"

struct fixture {
	struct arena arena;
	struct buf request, text;
	struct records records;
	struct json_doc doc; /* of the last document */
};

/* A request in OTLP's JSON as records. */
static void load(struct fixture *f, struct sv json)
{
	struct otlp_refused refused;
	struct diag diag = { 0 };

	*f = (struct fixture){ 0 };
	if (otlp_json_read(OTLP_TRACES_REQUEST, &f->arena, json, &f->request,
			   &diag))
		fail_msg("%s: %.*s", diag.text, SV_ARG(json));
	assert_int_equal(otlp_traces_decode(&f->arena, buf_view(&f->request),
					    &f->records, &refused, NULL),
			 0);
	assert_int_equal(otlp_refused_sum(&refused), 0);
}

static void unload(struct fixture *f)
{
	arena_fini(&f->arena);
	buf_fini(&f->request);
	buf_fini(&f->text);
}

static void same_text(struct sv a, struct sv b, const char *what)
{
	if (!sv_eq(a, b))
		fail_msg("%s: \"%.*s\" and \"%.*s\"", what, SV_ARG(a),
			 SV_ARG(b));
}

static void same_segment(const struct segment *a, const struct segment *b)
{
	assert_memory_equal(a->trace_id, b->trace_id, TRACE_ID_SIZE);
	assert_memory_equal(a->id, b->id, SEGMENT_ID_SIZE);
	assert_int_equal(a->has_parent, b->has_parent);
	if (a->has_parent)
		assert_memory_equal(a->parent_id, b->parent_id,
				    SEGMENT_ID_SIZE);
	assert_int_equal(a->subsegment, b->subsegment);
	assert_int_equal(a->in_progress, b->in_progress);
	assert_int_equal(a->traced, b->traced);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->http_status, b->http_status);
	assert_true(a->start_ns == b->start_ns);
	assert_true(a->end_ns == b->end_ns);
	same_text(a->name, b->name, "name");
	same_text(a->ns, b->ns, "namespace");
	same_text(a->origin, b->origin, "origin");
	same_text(a->request_id, b->request_id, "request_id");
	same_text(a->operation, b->operation, "operation");
	same_text(a->resource, b->resource, "resource");
	same_text(a->resource_key, b->resource_key, "resource_key");
	same_text(a->error_type, b->error_type, "error_type");
	same_text(a->error_message, b->error_message, "error_message");
	assert_int_equal(a->link_count, b->link_count);
	for (size_t i = 0; i < a->link_count; i++) {
		assert_int_equal(a->links[i].has_id, b->links[i].has_id);
		assert_memory_equal(a->links[i].id, b->links[i].id,
				    SEGMENT_ID_SIZE);
		same_text(a->links[i].source, b->links[i].source, "source");
		assert_true(a->links[i].sent_ns == b->links[i].sent_ns);
	}
}

/* The segment of span i, read from the record and from the document that is
 * kept, is what the segment document of it says; that is left in f->doc. */
static struct segment convert(struct fixture *f, size_t i)
{
	const struct span_record *record = &f->records.spans[i];
	struct segment direct, kept, checked;
	struct span_reader reader = { 0 };
	struct json_writer w = json_writer(&f->text);
	struct buf document = BUF_INIT;
	struct document d = { .format = DOCUMENT_OTLP };
	struct span_source source;
	struct span_record again;

	buf_reset(&f->text);
	assert_int_equal(span_read(&reader, record, &f->arena, &direct),
			 SEGMENT_OK);
	assert_true(span_put_xray(&w, record, &f->arena));
	assert_false(f->text.failed);
	if (segment_check(buf_view(&f->text), &f->arena, &checked))
		fail_msg("refused: %s", f->text.ptr);
	same_segment(&direct, &checked);

	document_of_span(record, &document);
	d.bytes = arena_copy(&f->arena, buf_view(&document));
	buf_fini(&document);
	assert_true(document_to_span(d.bytes, &source, &again));
	same_text(again.span, record->span, "span");
	same_text(source.resource, record->source->resource, "resource");
	same_text(source.scope, record->source->scope, "scope");
	same_text(source.resource_schema, record->source->resource_schema,
		  "schema_url");
	same_text(source.scope_schema, record->source->scope_schema,
		  "schema_url of the scope");
	assert_int_equal(document_read(&d, &f->arena, &kept), SEGMENT_OK);
	same_segment(&direct, &kept);
	buf_reset(&f->text);
	w = json_writer(&f->text);
	document_put_xray(&w, &d);
	assert_int_equal(
		json_parse(&f->doc, &f->arena, buf_view(&f->text), NULL), 0);
	return direct;
}

/* The value at a path of keys, or of numbers in lists: "http.request.method"
 * is three; "annotations/a.b" has a slash before the last one. */
static struct json at(const struct fixture *f, struct sv path)
{
	struct json v = json_root(&f->doc);
	struct sv last = path;
	struct sv keys = sv_cut(&last, '/');
	uint64_t n;

	while (keys.ptr && v.doc) {
		struct sv key = sv_cut(&keys, '.');

		if (json_is(v, JSON_ARRAY) && sv_to_u64(key, &n)) {
			struct json it = json_first(v);

			while (n-- && it.doc)
				it = json_next(v, it);
			v = it;
		} else {
			v = json_get(v, key);
		}
	}
	return last.ptr ? json_get(v, last) : v;
}

static void expect(const struct fixture *f, const char *path, const char *want)
{
	struct json v = at(f, sv_from(path));
	struct sv raw = v.doc ? json_raw(v) : SV("nothing");

	if (!sv_eq(raw, sv_from(want)))
		fail_msg("%s is %.*s, not %s, in %s", path, SV_ARG(raw), want,
			 f->text.ptr);
}

/* --- rows ------------------------------------------------------------------------ */

#define ATTR(key, value) \
	"{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define INT(key, value) \
	"{\"key\":\"" key "\",\"value\":{\"intValue\":" value "}}"

/* members: of the span; attributes: of span, resource; what is expected of the
 * segment and of its document: path, value, ..., NULL. */
struct row {
	const char *what, *members, *attributes, *resource;
	const char *name, *ns, *origin;
	bool subsegment;
	enum segment_status status;
	const char *paths[16];
};

#define PARENT "\"parentSpanId\":\"0102030405060708\","
#define SERVER "\"kind\":2"
#define CLIENT "\"kind\":3"
#define SERVICE ATTR("service.name", "shop")
#define EXCEPTION(stack)                                              \
	",\"events\":[{\"name\":\"exception\",\"attributes\":[" ATTR( \
		"exception.stacktrace", stack) "]}]"
#define LAST NULL

static const struct row rows[] = {
	{ "a root is a segment of its service",
	  SERVER,
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { "metadata.otel.kind", "\"SERVER\"", "metadata.otel.name",
	    "\"the name\"", LAST } },
	{ "without a service it has its own name",
	  SERVER,
	  "",
	  "",
	  "the name",
	  "",
	  "",
	  false,
	  0,
	  { LAST } },
	{ "a root of kind CLIENT is one too",
	  CLIENT,
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { LAST } },
	{ "what serves, with a parent",
	  PARENT SERVER,
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { "parent_id", "\"0102030405060708\"", LAST } },
	{ "within a service",
	  PARENT "\"kind\":1",
	  "",
	  SERVICE,
	  "the name",
	  "",
	  "",
	  true,
	  0,
	  { "type", "\"subsegment\"", LAST } },
	{ "within, but its parent is remote",
	  PARENT "\"kind\":1,\"flags\":768",
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { LAST } },
	{ "a consumer",
	  PARENT "\"kind\":5",
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { LAST } },
	{ "a consumer whose parent is not remote",
	  PARENT "\"kind\":5,\"flags\":256",
	  "",
	  SERVICE,
	  "the name",
	  "",
	  "",
	  true,
	  0,
	  { LAST } },
	{ "a parent of zeros is none",
	  "\"parentSpanId\":\"0000000000000000\",\"kind\":3",
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { "parent_id", "nothing", LAST } },
	{ "a call",
	  PARENT CLIENT,
	  "",
	  SERVICE,
	  "the name",
	  "remote",
	  "",
	  true,
	  0,
	  { LAST } },
	{ "by its peer",
	  PARENT CLIENT,
	  ATTR("peer.service", "stock") "," ATTR("server.address", "h"),
	  SERVICE,
	  "stock",
	  "remote",
	  "",
	  true,
	  0,
	  { "annotations/peer.service", "\"stock\"", LAST } },
	{ "by its host",
	  PARENT CLIENT,
	  ATTR("server.address", "example.com") "," ATTR(
		  "http.request.method",
		  "GET") "," ATTR("url.full",
				  "https://example.com/a") "," INT("htt"
								   "p."
								   "res"
								   "pon"
								   "se."
								   "sta"
								   "tus"
								   "_co"
								   "de",
								   "42"
								   "9"),
	  SERVICE,
	  "example.com",
	  "remote",
	  "",
	  true,
	  SEGMENT_STATUS_THROTTLE,
	  { "http.request.method", "\"GET\"", "http.request.url",
	    "\"https://example.com/a\"", "http.response.status", "429",
	    "throttle", "true", "error", "true", "fault", "nothing", LAST } },
	{ "old names of http",
	  PARENT CLIENT,
	  ATTR("http.host", "old.example") "," ATTR(
		  "http.method",
		  "POS"
		  "T") "," ATTR("http.target",
				"/x?y=1") "," ATTR("http.scheme",
						   "https") "," ATTR("http."
								     "status_"
								     "code",
								     "404") "," ATTR("http.user_agent",
										     "curl"),
	  SERVICE,
	  "old.example",
	  "remote",
	  "",
	  true,
	  SEGMENT_STATUS_ERROR,
	  { "http.request.url", "\"https://old.example/x?y=1\"",
	    "http.request.user_agent", "\"curl\"", "http.response.status",
	    "404", "error", "true", LAST } },
	{ "of its parts a URL",
	  SERVER,
	  ATTR("url.scheme", "https") "," ATTR("url.path", "/p") "," ATTR(
		  "url.query",
		  "q=1") "," ATTR("server.address",
				  "h") "," INT("server.port",
					       "8443") "," ATTR("http.request."
								"method",
								"GET") "," ATTR("client"
										".addre"
										"ss",
										"10.0."
										"0.1") "," INT("http.response.body.size",
											       "12") "," INT("http.response.status_code",
													     "503"),
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  SEGMENT_STATUS_FAULT,
	  { "http.request.url", "\"https://h:8443/p?q=1\"",
	    "http.request.client_ip", "\"10.0.0.1\"",
	    "http.response.content_length", "12", "fault", "true", LAST } },
	{ "a database",
	  PARENT CLIENT,
	  ATTR("db.system", "postgresql") "," ATTR("db.name", "users") "," ATTR(
		  "net.peer.name",
		  "db.host") "," ATTR("db.statement",
				      "SELECT 1") "," ATTR("db.user", "me"),
	  SERVICE,
	  "users@db.host",
	  "remote",
	  "",
	  true,
	  0,
	  { "sql.database_type", "\"postgresql\"", "sql.sanitized_query",
	    "\"SELECT 1\"", "sql.user", "\"me\"", LAST } },
	{ "by new names, its host in the URL",
	  PARENT CLIENT,
	  ATTR("db.system.name", "mysql") "," ATTR(
		  "db.namespace",
		  "users") "," ATTR("db.connection_string",
				    "mysql://u@h.example:3306/x"),
	  SERVICE,
	  "users@h.example",
	  "remote",
	  "",
	  true,
	  0,
	  { "sql.url", "\"mysql://u@h.example:3306/x\"", LAST } },
	{ "one that speaks no SQL",
	  PARENT CLIENT,
	  ATTR("db.system", "redis") "," ATTR("server.address", "cache"),
	  SERVICE,
	  "cache",
	  "remote",
	  "",
	  true,
	  0,
	  { "sql", "nothing", LAST } },
	{ "AWS's SDK",
	  PARENT CLIENT,
	  ATTR("rpc.system", "aws-api") "," ATTR(
		  "rpc.service",
		  "Dynamo"
		  "DB") "," ATTR("rpc.method",
				 "GetItem") "," ATTR("aws.region",
						     "eu-west-1") "," ATTR("aws"
									   "."
									   "req"
									   "ues"
									   "t_"
									   "id",
									   "R1") ",{"
										 "\"ke"
										 "y\":"
										 "\"aw"
										 "s."
										 "dyna"
										 "modb"
										 ".tab"
										 "le_"
										 "name"
										 "s\","
										 "\"va"
										 "lue"
										 "\":{"
										 "\"ar"
										 "rayV"
										 "alue"
										 "\":{"
										 "\"va"
										 "lues"
										 "\":["
										 "{\"s"
										 "trin"
										 "gVal"
										 "ue\""
										 ":\"o"
										 "rder"
										 "s\"}"
										 "]}}"
										 "}",
	  SERVICE,
	  "DynamoDB",
	  "aws",
	  "",
	  true,
	  0,
	  { "aws.operation", "\"GetItem\"", "aws.region", "\"eu-west-1\"",
	    "aws.request_id", "\"R1\"", "aws.table_name", "\"orders\"",
	    "metadata.default/aws.dynamodb.table_names", "[\"orders\"]",
	    LAST } },
	{ "named by AWS's agent",
	  PARENT CLIENT,
	  ATTR("aws.remote.service", "AWS::SQS") "," ATTR("aws.queue_url",
							  "https://q/1/jobs"),
	  SERVICE,
	  "SQS",
	  "aws",
	  "",
	  true,
	  0,
	  { "aws.queue_url", "\"https://q/1/jobs\"", LAST } },
	{ "a local name",
	  SERVER,
	  ATTR("aws.local.service", "local"),
	  SERVICE,
	  "local",
	  "",
	  "",
	  false,
	  0,
	  { LAST } },
	{ "in Lambda",
	  SERVER,
	  ATTR("faas.invocation_id", "run-1"),
	  SERVICE "," ATTR("cloud.platform", "aws_lambda") "," ATTR(
		  "cloud.account.id", "123456789012") "," ATTR("cloud.region",
							       "us-east-1"),
	  "shop",
	  "",
	  "AWS::Lambda::Function",
	  false,
	  0,
	  { "aws.request_id", "\"run-1\"", "aws.account_id", "\"123456789012\"",
	    "aws.region", "\"us-east-1\"", LAST } },
	{ "a function's name is enough",
	  SERVER,
	  ATTR("faas.execution", "run-2"),
	  ATTR("faas.name", "fn"),
	  "fn",
	  "",
	  "AWS::Lambda::Function",
	  false,
	  0,
	  { "aws.request_id", "\"run-2\"", LAST } },
	{ "in ECS",
	  SERVER,
	  "",
	  SERVICE "," ATTR("cloud.platform", "aws_ecs") "," ATTR(
		  "aws.ecs.launchtype",
		  "fargate") "," ATTR("container.name",
				      "c") "," ATTR("service.version", "1.2"),
	  "shop",
	  "",
	  "AWS::ECS::Fargate",
	  false,
	  0,
	  { "aws.ecs.container", "\"c\"", "service.version", "\"1.2\"",
	    LAST } },
	{ "a status of error",
	  SERVER ",\"status\":{\"code\":2,\"message\":\"no\"}",
	  ATTR("error.type", "Timeout"),
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  SEGMENT_STATUS_FAULT,
	  { "cause.exceptions.0.type", "\"Timeout\"",
	    "cause.exceptions.0.message", "\"no\"", LAST } },
	{ "not where the response was the caller's mistake",
	  SERVER ",\"status\":{\"code\":\"STATUS_CODE_ERROR\"}",
	  INT("http.status_code", "\"400\""),
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  SEGMENT_STATUS_ERROR,
	  { "error", "true", "fault", "nothing", LAST } },
	{ "a user",
	  SERVER,
	  ATTR("enduser.id", "ada"),
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { "user", "\"ada\"", LAST } },
	{ "an end before its start",
	  SERVER ",\"endTimeUnixNano\":\"1000000000\"",
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { "end_time", "1795342353.25", "metadata.otel.end_before_start", "1",
	    LAST } },
	{ "no end",
	  SERVER ",\"endTimeUnixNano\":0",
	  "",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { "in_progress", "true", "end_time", "nothing", LAST } },
	{ "a name that X-Ray does not take",
	  SERVER,
	  "",
	  ATTR("service.name", "a<b>*{c}"),
	  "abc",
	  "",
	  "",
	  false,
	  0,
	  { LAST } },
	{ "and one that nothing is left of",
	  SERVER,
	  "",
	  ATTR("service.name", "<>"),
	  "unnamed",
	  "",
	  "",
	  false,
	  0,
	  { LAST } },
	{ "kinds of attributes",
	  SERVER,
	  INT("n", "\"-7\"") ",{\"key\":\"d\",\"value\":{"
			     "\"doubleValue\":1.5}},"
			     "{\"key\":\"nan\",\"value\":{"
			     "\"doubleValue\":\"NaN\"}},"
			     "{\"key\":\"b\",\"value\":{\"boolValue\":"
			     "false}},"
			     "{\"key\":\"o\",\"value\":{"
			     "\"kvlistValue\":{\"values\":[" ATTR(
				     "x", "y") "]}}},{\"key\":\"raw\","
					       "\"value\":{\"bytesValue\":"
					       "\"AQI=\"}},{\"key\":"
					       "\"none\",\"value\":{}}",
	  SERVICE,
	  "shop",
	  "",
	  "",
	  false,
	  0,
	  { "annotations/n", "-7", "annotations/d", "1.5", "annotations/nan",
	    "\"NaN\"", "annotations/b", "false", "metadata.default/o",
	    "{\"x\":\"y\"}", "metadata.default/raw", "\"AQI=\"",
	    "annotations/otel.resource.service.name", "\"shop\"", LAST } },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct buf json = BUF_INIT;
		struct fixture f;
		struct segment s;

		buf_format(&json,
			   "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
			   "%s]},\"scopeSpans\":[{\"scope\":{\"name\":\"t\"},"
			   "\"spans\":[{\"traceId\":\"" TRACE "\",\"spanId\":"
			   "\"99c3afe0ca06e8a7\",%s"
			   "\"startTimeUnixNano\":\"1795342353250000000\","
			   "%s"
			   "\"attributes\":[%s],%s}]}]}]}",
			   row->resource,
			   strstr(row->members, "\"name\"") ?
				   "" :
				   "\"name\":\"the name\",",
			   strstr(row->members, "endTime") ?
				   "" :
				   "\"endTimeUnixNano\":\"1795342353500000001"
				   "\",",
			   row->attributes, row->members);
		load(&f, buf_view(&json));
		assert_int_equal(f.records.span_count, 1);
		s = convert(&f, 0);
		same_text(s.name, sv_from(row->name), row->what);
		same_text(s.ns, sv_from(row->ns), row->what);
		same_text(s.origin, sv_from(row->origin), row->what);
		if (s.subsegment != row->subsegment || s.status != row->status)
			fail_msg("%s: %s", row->what, f.text.ptr);
		for (size_t k = 0; row->paths[k]; k += 2)
			expect(&f, row->paths[k], row->paths[k + 1]);
		unload(&f);
		buf_fini(&json);
	}
}

/* --- what an SDK sent ------------------------------------------------------------- */

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

static void test_recording(void **state)
{
	struct buf json = BUF_INIT;
	struct fixture f;
	struct segment s;

	(void)state;
	read_file(&json, "tests/fixtures/otlp/otel-json-none-v1-traces.json");
	load(&f, buf_view(&json));
	assert_int_equal(f.records.span_count, 3);
	s = convert(&f, 0);
	same_text(s.name, SV("SELECT users"), "name");
	same_text(s.ns, SV("aws"), "namespace");
	expect(&f, "metadata.otel.events.0.name", "\"cache.miss\"");
	s = convert(&f, 1);
	same_text(s.name, SV("wire-otel"), "name");
	assert_int_equal(s.status, SEGMENT_STATUS_FAULT);
	same_text(s.error_type, SV("Error"), "type");
	expect(&f, "cause.exceptions.0.stack.0.path", "\"/app/index.js\"");
	expect(&f, "cause.exceptions.0.stack.0.line", "10");
	expect(&f, "cause.exceptions.0.stack.0.label", "\"handler\"");
	expect(&f, "metadata.default/arr", "[\"a\",\"b\"]");
	s = convert(&f, 2);
	assert_false(s.has_parent);
	expect(&f, "trace_id", "\"1-6b02c011-7b17f7a692c9569e7ccf452a\"");
	unload(&f);
	buf_fini(&json);
}

/* --- segments as spans, and back ------------------------------------------------- */

static const char sent[] =
	"{\"trace_id\":\"1-581cf771-a006649127e371903a2de979\","
	"\"id\":\"70de5b6f19ff9a0a\",\"name\":\"shop\","
	"\"start_time\":1795342353.25,\"end_time\":1795342353.5000001,"
	"\"origin\":\"AWS::Lambda::Function\",\"fault\":true,"
	"\"parent_id\":\"0102030405060708\",\"user\":\"ada\","
	"\"service\":{\"version\":\"7\"},"
	"\"http\":{\"request\":{\"method\":\"GET\",\"url\":\"http://h/p\"},"
	"\"response\":{\"status\":500,\"content_length\":3}},"
	"\"aws\":{\"request_id\":\"R\",\"account_id\":\"123456789012\"},"
	"\"annotations\":{\"a\":\"b\",\"n\":-7,\"d\":1.5,\"t\":true},"
	"\"metadata\":{\"default\":{\"k\":[1,{\"x\":null}]}},"
	"\"cause\":{\"exceptions\":[{\"id\":\"1122334455667788\",\"type\":"
	"\"Error\",\"message\":\"boom\",\"stack\":[{\"path\":\"a.js\","
	"\"line\":3,\"label\":\"f\"}]}]},\"subsegments\":["
	"{\"id\":\"99c3afe0ca06e8a7\",\"name\":\"DynamoDB\","
	"\"namespace\":\"aws\",\"start_time\":1795342353.3,"
	"\"end_time\":1795342353.4,\"throttle\":true,\"error\":true,"
	"\"http\":{\"response\":{\"status\":429}},"
	"\"aws\":{\"operation\":\"GetItem\",\"table_name\":\"t\"},"
	"\"subsegments\":[{\"id\":\"99c3afe0ca06e8a8\",\"name\":\"wait\","
	"\"start_time\":1795342353.31,\"in_progress\":true}]},"
	"{\"id\":\"99c3afe0ca06e8a9\",\"name\":\"users\","
	"\"namespace\":\"remote\",\"start_time\":1795342353.3,"
	"\"end_time\":1795342353.4,\"sql\":{\"database_type\":"
	"\"postgresql\",\"sanitized_query\":\"SELECT 1\"}}]}";

struct comparison {
	struct fixture *f;
	size_t at;
};

/* Of a segment and of the span that was made of it. */
static int compare(void *arg, const struct segment *segment,
		   const struct segment *parent, unsigned depth)
{
	struct comparison *c = arg;
	struct segment back = convert(c->f, c->at++);

	(void)parent;
	(void)depth;
	same_segment(segment, &back);
	return 0;
}

static void test_segment(void **state)
{
	struct document d = { DOCUMENT_XRAY, sv_from(sent) };
	struct arena arena = ARENA_INIT;
	struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	struct segment segment;
	struct fixture f;
	struct comparison c = { &f, 0 };

	(void)state;
	buf_text(&json, "{\"resourceSpans\":[");
	document_put_otlp(&w, &d);
	buf_text(&json, "]}");
	load(&f, buf_view(&json));
	assert_int_equal(f.records.span_count, 4);
	assert_int_equal(segment_check(d.bytes, &arena, &segment), SEGMENT_OK);
	assert_int_equal(segment_walk(&segment, &arena, compare, &c), 0);

	convert(&f, 0);
	expect(&f, "user", "\"ada\"");
	expect(&f, "service.version", "\"7\"");
	expect(&f, "http.request.url", "\"http://h/p\"");
	expect(&f, "http.response.content_length", "3");
	expect(&f, "annotations/a", "\"b\"");
	expect(&f, "annotations/n", "-7");
	expect(&f, "annotations/d", "1.5");
	expect(&f, "annotations/t", "true");
	expect(&f, "annotations/aws.xray.metadata.default",
	       "\"{\\\"k\\\":[1,{\\\"x\\\":null}]}\"");
	expect(&f, "cause.exceptions.0.stack.0.path", "\"a.js\"");
	expect(&f, "cause.exceptions.0.stack.0.label", "\"f\"");
	convert(&f, 1);
	expect(&f, "aws.table_name", "\"t\"");
	convert(&f, 3);
	expect(&f, "sql.sanitized_query", "\"SELECT 1\"");
	unload(&f);

	/* A span goes out as it came in. */
	load(&f, buf_view(&json));
	for (size_t i = 0; i < f.records.span_count; i++) {
		struct buf bytes = BUF_INIT, text = BUF_INIT, again = BUF_INIT;
		struct json_writer out = json_writer(&text);
		struct document span = { .format = DOCUMENT_OTLP };

		document_of_span(&f.records.spans[i], &bytes);
		span.bytes = buf_view(&bytes);
		document_put_otlp(&out, &span);
		assert_int_equal(otlp_json_read(OTLP_RESOURCE_SPANS, &arena,
						buf_view(&text), &again, NULL),
				 0);
		same_text(buf_view(&again), buf_view(&bytes), "bytes");
		buf_fini(&bytes);
		buf_fini(&text);
		buf_fini(&again);
	}
	unload(&f);
	buf_fini(&json);
	arena_fini(&arena);
}

static void test_keys(void **state)
{
#define LENGTH(bytes) length = (bytes);
#define KEY(id, text)                                                 \
	assert_int_equal(span_key_find(SV(text)), KEY_##id);          \
	assert_int_equal(span_key_find(SV(text "x")) == KEY_##id, 0); \
	assert_int_equal(sizeof(text) - 1, length);
	size_t length = 0;

	(void)state;
#include "tracer/span_keys.def"
	assert_int_equal(span_key_find(SV("")), SPAN_KEYS);
	assert_int_equal(span_key_find(SV("x")), SPAN_KEYS);
}

/* Asynchronous edges of the map are made of these. */
static void test_links(void **state)
{
	static const char text[] =
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
		"\"" TRACE
		"\",\"spanId\":\"00000000000000a1\",\"name\":\"take\","
		"\"kind\":5,\"startTimeUnixNano\":\"2000000000\","
		"\"endTimeUnixNano\":\"3000000000\",\"links\":[{\"traceId\":"
		"\"" TRACE "\",\"spanId\":\"00000000000000b2\",\"attributes\":["
		"{\"key\":\"messaging.destination.name\",\"value\":"
		"{\"stringValue\":\"jobs\"}},{\"key\":"
		"\"messaging.sent_timestamp\",\"value\":{\"intValue\":"
		"\"1500\"}}]},{\"traceId\":\"" TRACE "\",\"spanId\":"
		"\"00000000000000b3\"}]}]}]}]}";
	struct segment s;
	struct fixture f;

	(void)state;
	load(&f, sv_from(text));
	s = convert(&f, 0);
	assert_int_equal(s.link_count, 2);
	assert_true(s.links[0].has_id);
	assert_int_equal(s.links[0].id[7], 0xb2);
	same_text(s.links[0].source, SV("jobs"), "source");
	assert_true(s.links[0].sent_ns == 1500000000);
	assert_int_equal(s.links[1].id[7], 0xb3);
	assert_int_equal(s.links[1].source.len, 0);
	assert_true(s.links[1].sent_ns == 0);
	unload(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_recording),
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_links),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
