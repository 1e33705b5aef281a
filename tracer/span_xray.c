/* SPDX-License-Identifier: Apache-2.0 */
/* A span's segment document: see span.h. */
#include "core/base/hash.h"
#include "tracer/span.h"
#include "tracer/span_stack.h"

struct conversion {
	struct json_writer *w;
	const struct span_reader *reader;
	const struct span_record *record;
	const struct segment *segment;
};

static void put_text(struct json_writer *w, const char *key, struct sv text)
{
	if (!text.len)
		return;
	json_key(w, key);
	json_put_sv(w, text);
}

static void put_true(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_put_bool(w, true);
}

/* Seconds, with all digits that are not zeros at the end. */
static void put_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld.%09lld",
			 (long long)(ns / 1000000000),
			 (long long)(ns % 1000000000));

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	json_key(w, key);
	json_put_raw(w, sv_make(text, (size_t)n));
}

static void put_id(struct json_writer *w, const char *key,
		   const uint8_t id[SEGMENT_ID_SIZE])
{
	char text[SEGMENT_ID_TEXT + 1];

	segment_id_text(id, text);
	json_key(w, key);
	json_put_text(w, text);
}

static void put_trace_id(struct json_writer *w, const uint8_t id[TRACE_ID_SIZE])
{
	char text[TRACE_ID_TEXT + 1];

	trace_id_text(id, text);
	json_key(w, "trace_id");
	json_put_text(w, text);
}

static void put_head(const struct conversion *c)
{
	const struct segment *s = c->segment;
	struct json_writer *w = c->w;

	put_trace_id(w, s->trace_id);
	put_id(w, "id", s->id);
	if (s->has_parent)
		put_id(w, "parent_id", s->parent_id);
	if (s->subsegment) {
		json_key(w, "type");
		json_put_text(w, "subsegment");
	}
	put_text(w, "name", s->name);
	put_text(w, "namespace", s->ns);
	put_text(w, "origin", s->origin);
	put_time(w, "start_time", s->start_ns);
	if (s->in_progress)
		put_true(w, "in_progress");
	else
		put_time(w, "end_time", s->end_ns);
	if (s->status == SEGMENT_STATUS_FAULT)
		put_true(w, "fault");
	if (s->status == SEGMENT_STATUS_ERROR ||
	    s->status == SEGMENT_STATUS_THROTTLE)
		put_true(w, "error");
	if (s->status == SEGMENT_STATUS_THROTTLE)
		put_true(w, "throttle");
}

/* --- http ------------------------------------------------------------------------------------- */

/* The whole URL where there is one; else of its parts. */
static void put_url(const struct conversion *c)
{
	const struct span_values *v = &c->reader->facts.values;
	struct sv url = SPAN_FIRST(v, KEY_URL_FULL, KEY_HTTP_URL);
	struct sv scheme = SPAN_FIRST(v, KEY_URL_SCHEME, KEY_HTTP_SCHEME);
	struct sv host = SPAN_FIRST(v, KEY_HTTP_HOST, KEY_SERVER_ADDRESS,
				    KEY_NET_HOST_NAME, KEY_NET_PEER_NAME);
	struct sv path = SPAN_FIRST(v, KEY_HTTP_TARGET, KEY_URL_PATH);
	struct sv query = span_text(v, KEY_URL_QUERY);
	struct buf b = BUF_INIT;
	int64_t port = 0;

	if (!url.len && path.len && host.len) {
		buf_sv(&b, scheme.len ? scheme : SV("http"));
		buf_text(&b, "://");
		buf_sv(&b, host);
		if (!memchr(host.ptr, ':', host.len) &&
		    (span_number(v, KEY_SERVER_PORT, &port) ||
		     span_number(v, KEY_NET_HOST_PORT, &port)))
			buf_format(&b, ":%lld", (long long)port);
	}
	if (!url.len && path.len) {
		if (path.ptr[0] != '/' && b.len)
			buf_char(&b, '/');
		buf_sv(&b, path);
		if (query.len && !memchr(path.ptr, '?', path.len)) {
			buf_char(&b, '?');
			buf_sv(&b, query);
		}
		url = buf_view(&b);
	}
	put_text(c->w, "url", url);
	buf_fini(&b);
}

static void put_http(const struct conversion *c)
{
	const struct span_values *v = &c->reader->facts.values;
	struct sv method =
		SPAN_FIRST(v, KEY_HTTP_REQUEST_METHOD, KEY_HTTP_METHOD);
	struct sv client =
		SPAN_FIRST(v, KEY_HTTP_CLIENT_IP, KEY_CLIENT_ADDRESS);
	struct json_writer *w = c->w;
	int64_t length = 0;
	bool forwarded = span_has(v, KEY_AWS_FORWARDED) &&
			 v->of[KEY_AWS_FORWARDED].number;

	if (!method.len && !c->segment->http_status &&
	    !SPAN_FIRST(v, KEY_HTTP_URL, KEY_URL_FULL).len)
		return;
	if (!client.len && c->reader->facts.kind == KIND_SERVER)
		client = SPAN_FIRST(v, KEY_NET_PEER_IP, KEY_NETWORK_PEER);
	json_key(w, "http");
	json_open_object(w);
	json_key(w, "request");
	json_open_object(w);
	put_text(w, "method", method);
	put_url(c);
	put_text(w, "user_agent",
		 SPAN_FIRST(v, KEY_USER_AGENT, KEY_HTTP_USER_AGENT));
	put_text(w, "client_ip", client);
	if (forwarded)
		put_true(w, "x_forwarded_for");
	json_close_object(w);
	json_key(w, "response");
	json_open_object(w);
	if (c->segment->http_status) {
		json_key(w, "status");
		json_put_u64(w, c->segment->http_status);
	}
	if (span_number(v, KEY_HTTP_BODY_SIZE, &length) ||
	    span_number(v, KEY_HTTP_LENGTH, &length)) {
		json_key(w, "content_length");
		json_put_i64(w, length);
	}
	json_close_object(w);
	json_close_object(w);
}

/* --- aws, sql, service, user ---------------------------------------------------------------- */

/* {"a":...,"b":...} under key, of those that are there; nothing without. */
struct member {
	const char *key;
	enum span_key of;
};

static void put_object(struct json_writer *w, const char *key,
		       const struct span_values *v,
		       const struct member *members, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= span_text(v, members[i].of).len > 0;
	if (!any)
		return;
	json_key(w, key);
	json_open_object(w);
	for (size_t i = 0; i < count; i++)
		put_text(w, members[i].key, span_text(v, members[i].of));
	json_close_object(w);
}
#define PUT_OBJECT(w, key, v, ...)                                    \
	put_object(w, key, v, (const struct member[]){ __VA_ARGS__ }, \
		   sizeof((const struct member[]){ __VA_ARGS__ }) /   \
			   sizeof(struct member))

static void put_log_groups(struct json_writer *w, const struct span_values *v)
{
	bool arns = span_has(v, KEY_LOG_GROUP_ARNS);
	enum span_key key = arns ? KEY_LOG_GROUP_ARNS : KEY_LOG_GROUPS;
	struct protobuf r;
	struct protobuf_field f;
	struct otlp_value item;

	if (!span_has(v, key) || v->of[key].kind != VALUE_ARRAY)
		return;
	r = protobuf_reader(v->of[key].bytes);
	json_key(w, "cloudwatch_logs");
	json_open_array(w);
	while (protobuf_next(&r, &f) > 0) {
		otlp_value_read(f.bytes, &item);
		if (f.number != 1 || item.kind != VALUE_STRING)
			continue;
		json_open_object(w);
		put_text(w, arns ? "arn" : "log_group", item.bytes);
		json_close_object(w);
	}
	json_close_array(w);
}

/* Where a segment's service runs. */
static void put_place(const struct conversion *c)
{
	const struct span_values *r = &c->reader->resource;
	struct json_writer *w = c->w;

	PUT_OBJECT(w, "ecs", r, { "container", KEY_CONTAINER_NAME },
		   { "container_id", KEY_CONTAINER_ID },
		   { "container_arn", KEY_ECS_CONTAINER },
		   { "cluster_arn", KEY_ECS_CLUSTER },
		   { "task_arn", KEY_ECS_TASK },
		   { "task_family", KEY_ECS_FAMILY },
		   { "launch_type", KEY_ECS_LAUNCH });
	if (!span_text(r, KEY_CLOUD_PLATFORM).len ||
	    sv_starts(span_text(r, KEY_CLOUD_PLATFORM), SV("aws_e")))
		PUT_OBJECT(w, "ec2", r, { "instance_id", KEY_HOST_ID },
			   { "availability_zone", KEY_CLOUD_ZONE },
			   { "instance_size", KEY_HOST_TYPE },
			   { "ami_id", KEY_HOST_IMAGE });
	PUT_OBJECT(w, "eks", r, { "cluster_name", KEY_K8S_CLUSTER },
		   { "pod", KEY_K8S_POD });
	put_log_groups(w, r);
	PUT_OBJECT(w, "xray", r, { "sdk", KEY_SDK_NAME },
		   { "sdk_version", KEY_SDK_VERSION },
		   { "sdk_language", KEY_SDK_LANGUAGE },
		   { "auto_instrumentation", KEY_AUTO_VERSION });
}

static void put_aws(const struct conversion *c)
{
	const struct span_values *v = &c->reader->facts.values;
	const struct segment *s = c->segment;
	struct json_writer *w = c->w;
	struct sv account = span_text(v, KEY_AWS_ACCOUNT_ID);
	struct sv region = span_text(v, KEY_AWS_REGION);
	char resource_key[32];

	if (!account.len)
		account = span_text(&c->reader->resource, KEY_CLOUD_ACCOUNT);
	if (!region.len)
		region = span_text(&c->reader->resource, KEY_CLOUD_REGION);
	json_key(w, "aws");
	json_open_object(w);
	put_text(w, "account_id", account);
	put_text(w, "operation", s->operation);
	put_text(w, "region", region);
	put_text(w, "request_id", s->request_id);
	if (s->resource.len) {
		snprintf(resource_key, sizeof(resource_key), "%.*s",
			 SV_ARG(s->resource_key));
		put_text(w, resource_key, s->resource);
	}
	if (!s->subsegment)
		put_place(c);
	json_close_object(w);
}

/* Only what speaks SQL: a key-value store's name says little in "sql". */
static bool is_sql(struct sv database)
{
	static const struct sv names[] = {
		SV_INIT("mysql"),      SV_INIT("postgresql"),
		SV_INIT("mariadb"),    SV_INIT("mssql"),
		SV_INIT("sqlite"),     SV_INIT("oracle"),
		SV_INIT("db2"),        SV_INIT("h2"),
		SV_INIT("redshift"),   SV_INIT("cockroachdb"),
		SV_INIT("clickhouse"), SV_INIT("other_sql"),
		SV_INIT("hsqldb"),     SV_INIT("derby"),
		SV_INIT("hive"),       SV_INIT("trino"),
		SV_INIT("spanner"),    SV_INIT("microsoft.sql_server"),
		SV_INIT("oracle.db"),  SV_INIT("aws.redshift"),
		SV_INIT("ibm.db2"),    SV_INIT("gcp.spanner"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sv_eq(database, names[i]))
			return true;
	return false;
}

static void put_sql(const struct conversion *c)
{
	const struct span_values *v = &c->reader->facts.values;
	struct sv database = SPAN_FIRST(v, KEY_DB_SYSTEM_NAME, KEY_DB_SYSTEM);
	struct json_writer *w = c->w;

	if (!is_sql(database))
		return;
	json_key(w, "sql");
	json_open_object(w);
	put_text(w, "url", span_text(v, KEY_DB_CONNECTION));
	put_text(w, "database_type", database);
	put_text(w, "user", span_text(v, KEY_DB_USER));
	put_text(w, "sanitized_query",
		 SPAN_FIRST(v, KEY_DB_QUERY_TEXT, KEY_DB_STATEMENT));
	json_close_object(w);
}

static void put_service(const struct conversion *c)
{
	struct sv version = SPAN_FIRST(&c->reader->resource,
				       KEY_SERVICE_VERSION, KEY_CONTAINER_TAG);

	if (c->segment->subsegment || !version.len)
		return;
	json_key(c->w, "service");
	json_open_object(c->w);
	put_text(c->w, "version", version);
	json_close_object(c->w);
}

/* --- cause ------------------------------------------------------------------------------------ */

/* Ids are made of where the exception stands, so that they stay the same. */
static void put_exception_id(const struct conversion *c, uint64_t index)
{
	uint8_t bytes[SEGMENT_ID_SIZE];
	struct sv id = sv_make((const char *)c->segment->id, SEGMENT_ID_SIZE);

	put_be64(bytes, hash64_seed(id, index + 1));
	put_id(c->w, "id", bytes);
}

static bool is_exception(struct sv event)
{
	struct protobuf r = protobuf_reader(event);
	struct protobuf_field f;

	while (protobuf_next(&r, &f) > 0)
		if (f.number == EVENT_NAME)
			return sv_eq(f.bytes, SV("exception"));
	return false;
}

static void put_exception(const struct conversion *c, struct sv event,
			  uint64_t index, struct span_values *v)
{
	struct json_writer *w = c->w;

	span_values_read(event, EVENT_ATTRIBUTES, v);
	json_open_object(w);
	put_exception_id(c, index);
	put_text(w, "type", span_text(v, KEY_EXCEPTION_TYPE));
	put_text(w, "message", span_text(v, KEY_EXCEPTION_MESSAGE));
	if (sv_eq(c->segment->ns, SV("aws")) ||
	    sv_eq(c->segment->ns, SV("remote")))
		put_true(w, "remote");
	if (span_has(v, KEY_EXCEPTION_STACK)) {
		json_key(w, "stack");
		json_open_array(w);
		span_stack_write(w, span_text(v, KEY_EXCEPTION_STACK));
		json_close_array(w);
	}
	json_close_object(w);
}

static void put_cause(const struct conversion *c, struct span_values *scratch)
{
	const struct span_facts *f = &c->reader->facts;
	struct protobuf r = protobuf_reader(f->span);
	struct protobuf_field field;
	struct json_writer *w = c->w;
	uint64_t index = 0;

	if (!f->exception.len && !c->segment->error_type.len &&
	    !c->segment->error_message.len)
		return;
	json_key(w, "cause");
	json_open_object(w);
	json_key(w, "exceptions");
	json_open_array(w);
	while (f->exception.len && protobuf_next(&r, &field) > 0)
		if (field.number == SPAN_EVENTS && is_exception(field.bytes))
			put_exception(c, field.bytes, index++, scratch);
	if (!f->exception.len) {
		json_open_object(w);
		put_exception_id(c, 0);
		put_text(w, "type", c->segment->error_type);
		put_text(w, "message", c->segment->error_message);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
}

/* --- what is left ------------------------------------------------------------------------------ */

static void put_link(struct json_writer *w, struct sv link)
{
	struct protobuf r = protobuf_reader(link);
	struct protobuf_field f;
	struct sv trace_id = SV(""), id = SV("");

	while (protobuf_next(&r, &f) > 0) {
		if (f.number == LINK_TRACE_ID)
			trace_id = f.bytes;
		else if (f.number == LINK_SPAN_ID)
			id = f.bytes;
	}
	json_open_object(w);
	if (trace_id.len == TRACE_ID_SIZE)
		put_trace_id(w, (const uint8_t *)trace_id.ptr);
	if (id.len == SEGMENT_ID_SIZE)
		put_id(w, "id", (const uint8_t *)id.ptr);
	json_key(w, "attributes");
	json_open_object(w);
	otlp_attributes_write(w, link, LINK_ATTRIBUTES, OTLP_ALL, SV(""));
	json_close_object(w);
	json_close_object(w);
}

static void put_event(struct json_writer *w, struct sv event)
{
	struct protobuf r = protobuf_reader(event);
	struct protobuf_field f;
	struct sv name = SV("");
	uint64_t time = 0;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number == EVENT_NAME)
			name = f.bytes;
		else if (f.number == EVENT_TIME)
			time = f.value;
	}
	json_open_object(w);
	put_text(w, "name", name);
	if (time <= INT64_MAX)
		put_time(w, "time", (int64_t)time);
	json_key(w, "attributes");
	json_open_object(w);
	otlp_attributes_write(w, event, EVENT_ATTRIBUTES, OTLP_ALL, SV(""));
	json_close_object(w);
	json_close_object(w);
}

/* A list of field `number` of the span, where there are any. */
static void put_each(const struct conversion *c, const char *key,
		     uint32_t number,
		     void (*put)(struct json_writer *w, struct sv bytes))
{
	struct protobuf r = protobuf_reader(c->reader->facts.span);
	struct protobuf_field f;
	bool any = false;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number != number)
			continue;
		if (!any) {
			json_key(c->w, key);
			json_open_array(c->w);
		}
		any = true;
		put(c->w, f.bytes);
	}
	if (any)
		json_close_array(c->w);
}

static void put_scope(const struct conversion *c)
{
	struct sv scope = c->record->source->scope;
	struct protobuf r = protobuf_reader(scope);
	struct protobuf_field f;
	struct json_writer *w = c->w;

	if (!scope.len)
		return;
	json_key(w, "scope");
	json_open_object(w);
	while (protobuf_next(&r, &f) > 0) {
		if (f.number == SCOPE_NAME || f.number == SCOPE_VERSION)
			put_text(w, f.number == SCOPE_NAME ? "name" : "version",
				 f.bytes);
	}
	if (otlp_attributes_any(scope, SCOPE_ATTRIBUTES, OTLP_ALL)) {
		json_key(w, "attributes");
		json_open_object(w);
		otlp_attributes_write(w, scope, SCOPE_ATTRIBUTES, OTLP_ALL,
				      SV(""));
		json_close_object(w);
	}
	json_close_object(w);
}

static void put_metadata(const struct conversion *c)
{
	static const char *const kinds[] = { "UNSPECIFIED", "INTERNAL",
					     "SERVER",      "CLIENT",
					     "PRODUCER",    "CONSUMER" };
	const struct span_facts *f = &c->reader->facts;
	struct sv resource = c->record->source->resource;
	struct json_writer *w = c->w;

	json_key(w, "metadata");
	json_open_object(w);
	if (otlp_attributes_any(f->span, SPAN_ATTRIBUTES, OTLP_LISTS)) {
		json_key(w, "default");
		json_open_object(w);
		otlp_attributes_write(w, f->span, SPAN_ATTRIBUTES, OTLP_LISTS,
				      SV(""));
		json_close_object(w);
	}
	json_key(w, "otel");
	json_open_object(w);
	json_key(w, "name");
	json_put_sv(w, f->name);
	json_key(w, "kind");
	json_put_text(w, kinds[f->kind <= KIND_CONSUMER ? f->kind : 0]);
	put_text(w, "trace_state", f->trace_state);
	put_text(w, "status_message", f->status_message);
	if (f->end_ns && f->end_ns < f->start_ns)
		put_time(w, "end_before_start", (int64_t)f->end_ns);
	put_scope(c);
	if (otlp_attributes_any(resource, RESOURCE_ATTRIBUTES, OTLP_LISTS)) {
		json_key(w, "resource");
		json_open_object(w);
		otlp_attributes_write(w, resource, RESOURCE_ATTRIBUTES,
				      OTLP_LISTS, SV(""));
		json_close_object(w);
	}
	put_each(c, "events", SPAN_EVENTS, put_event);
	json_close_object(w);
	json_close_object(w);
}

static void put_annotations(const struct conversion *c)
{
	struct json_writer *w = c->w;

	json_key(w, "annotations");
	json_open_object(w);
	otlp_attributes_write(w, c->reader->facts.span, SPAN_ATTRIBUTES,
			      OTLP_SCALARS, SV(""));
	otlp_attributes_write(w, c->record->source->resource,
			      RESOURCE_ATTRIBUTES, OTLP_SCALARS,
			      SV("otel.resource."));
	json_close_object(w);
}

bool span_put_xray(struct json_writer *w, const struct span_record *record,
		   struct arena *arena)
{
	struct span_reader reader;
	struct span_values scratch;
	struct segment segment;
	const struct conversion c = { w, &reader, record, &segment };

	reader.source = NULL;
	if (span_read(&reader, record, arena, &segment) != SEGMENT_OK)
		return false;
	json_open_object(w);
	put_head(&c);
	put_http(&c);
	put_aws(&c);
	put_sql(&c);
	put_service(&c);
	put_text(w, "user",
		 SPAN_FIRST(&reader.facts.values, KEY_ENDUSER_ID, KEY_USER_ID));
	put_cause(&c, &scratch);
	put_each(&c, "links", SPAN_LINKS, put_link);
	put_annotations(&c);
	put_metadata(&c);
	json_close_object(w);
	return true;
}
