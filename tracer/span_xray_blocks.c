/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment says of a call, by the conventions of OpenTelemetry. */
#include "tracer/span_xray.h"

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

void span_xray_put_blocks(const struct conversion *c)
{
	put_http(c);
	put_aws(c);
	put_sql(c);
	put_service(c);
}
