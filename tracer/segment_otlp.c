/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/segment_otlp.h"

enum { SERVER = 2, CLIENT = 3, INTERNAL = 1, STATUS_ERROR = 2 };

struct out {
	struct json_writer *w;
	struct arena *arena;
};

/* --- attributes ---------------------------------------------------------------------- */

static void open_attribute(struct json_writer *w, struct sv key)
{
	json_open_object(w);
	json_key(w, "key");
	json_put_sv(w, key);
	json_key(w, "value");
	json_open_object(w);
}

static void close_attribute(struct json_writer *w)
{
	json_close_object(w);
	json_close_object(w);
}

static void put_string(struct json_writer *w, struct sv key, struct sv text)
{
	open_attribute(w, key);
	json_key(w, "stringValue");
	json_put_sv(w, text);
	close_attribute(w);
}

static bool is_whole(struct sv number)
{
	for (size_t i = 0; i < number.len; i++)
		if (strchr(".eE", number.ptr[i]))
			return false;
	return true;
}

/* A scalar; nothing of what is none. 64-bit numbers are text in protobuf's
 * JSON. */
static void put_value(struct out *o, struct sv key, struct json v)
{
	struct json_writer *w = o->w;
	int64_t whole;

	if (json_is(v, JSON_STRING)) {
		struct sv text = json_string(v, o->arena);

		put_string(w, key, text.ptr ? text : SV(""));
		return;
	}
	if (!json_is(v, JSON_NUMBER) && !json_is(v, JSON_TRUE) &&
	    !json_is(v, JSON_FALSE))
		return;
	open_attribute(w, key);
	if (!json_is(v, JSON_NUMBER)) {
		json_key(w, "boolValue");
		json_put_bool(w, json_is(v, JSON_TRUE));
	} else if (is_whole(json_raw(v)) && json_to_i64(v, &whole)) {
		json_key(w, "intValue");
		json_put_sv(w, json_raw(v));
	} else {
		json_key(w, "doubleValue");
		json_put_raw(w, json_raw(v));
	}
	close_attribute(w);
}

/* "http.request.url" */
static struct json at(struct json object, const char *path)
{
	struct sv rest = sv_from(path);

	while (rest.ptr && object.doc)
		object = json_get(object, sv_cut(&rest, '.'));
	return object;
}

struct mapping {
	const char *path, *key;
};

static void put_mapped(struct out *o, struct json segment,
		       const struct mapping *map, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_value(o, sv_from(map[i].key), at(segment, map[i].path));
}

/* --- the resource ---------------------------------------------------------------------- */

static void put_platform(struct out *o, struct sv origin)
{
	static const struct {
		struct sv origin, platform;
	} rows[] = {
		{ SV_INIT("AWS::EC2::Instance"), SV_INIT("aws_ec2") },
		{ SV_INIT("AWS::ECS::Container"), SV_INIT("aws_ecs") },
		{ SV_INIT("AWS::ECS::EC2"), SV_INIT("aws_ecs") },
		{ SV_INIT("AWS::ECS::Fargate"), SV_INIT("aws_ecs") },
		{ SV_INIT("AWS::EKS::Container"), SV_INIT("aws_eks") },
		{ SV_INIT("AWS::Lambda::Function"), SV_INIT("aws_lambda") },
		{ SV_INIT("AWS::ElasticBeanstalk::Environment"),
		  SV_INIT("aws_elastic_beanstalk") },
		{ SV_INIT("AWS::AppRunner::Service"),
		  SV_INIT("aws_app_runner") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!sv_eq(origin, rows[i].origin))
			continue;
		put_string(o->w, SV("cloud.provider"), SV("aws"));
		put_string(o->w, SV("cloud.platform"), rows[i].platform);
	}
}

static void put_resource(struct out *o, const struct segment *s)
{
	static const struct mapping map[] = {
		{ "service.version", "service.version" },
		{ "aws.account_id", "cloud.account.id" },
		{ "aws.region", "cloud.region" },
		{ "aws.ec2.instance_id", "host.id" },
		{ "aws.ec2.availability_zone", "cloud.availability_zone" },
		{ "aws.ec2.instance_size", "host.type" },
		{ "aws.ec2.ami_id", "host.image.id" },
		{ "aws.ecs.container", "container.name" },
		{ "aws.ecs.container_id", "container.id" },
		{ "aws.ecs.container_arn", "aws.ecs.container.arn" },
		{ "aws.ecs.cluster_arn", "aws.ecs.cluster.arn" },
		{ "aws.ecs.task_arn", "aws.ecs.task.arn" },
		{ "aws.ecs.task_family", "aws.ecs.task.family" },
		{ "aws.ecs.launch_type", "aws.ecs.launchtype" },
		{ "aws.eks.cluster_name", "k8s.cluster.name" },
		{ "aws.eks.pod", "k8s.pod.name" },
		{ "aws.xray.sdk", "telemetry.sdk.name" },
		{ "aws.xray.sdk_version", "telemetry.sdk.version" },
		{ "aws.xray.sdk_language", "telemetry.sdk.language" },
		{ "aws.xray.auto_instrumentation", "telemetry.auto.version" },
	};
	struct json_writer *w = o->w;

	json_key(w, "resource");
	json_open_object(w);
	json_key(w, "attributes");
	json_open_array(w);
	/* A subsegment alone does not say whose it is. */
	if (!s->subsegment) {
		put_string(w, SV("service.name"), s->name);
		put_platform(o, s->origin);
		put_mapped(o, s->json, map, sizeof(map) / sizeof(map[0]));
	}
	json_close_array(w);
	json_close_object(w);
}

/* --- a span -------------------------------------------------------------------------------- */

static void put_hex(struct json_writer *w, const char *key,
		    const uint8_t *bytes, size_t n)
{
	char text[2 * TRACE_ID_SIZE];

	hex_from(text, bytes, n);
	json_key(w, key);
	json_put_sv(w, sv_make(text, 2 * n));
}

static void put_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)ns);
	json_key(w, key);
	json_put_text(w, text);
}

static bool is_call(const struct segment *s)
{
	return sv_eq(s->ns, SV("aws")) || sv_eq(s->ns, SV("remote"));
}

static void put_annotations(struct out *o, struct json annotations)
{
	struct json_writer *w = o->w;
	struct json it;

	if (!json_is(annotations, JSON_OBJECT) || !json_first(annotations).doc)
		return;
	for (it = json_first(annotations); it.doc;
	     it = json_next(annotations, it)) {
		struct sv key = json_string(it, o->arena);

		if (key.ptr)
			put_value(o, key, json_member(it));
	}
	open_attribute(w, SV("aws.xray.annotations"));
	json_key(w, "arrayValue");
	json_open_object(w);
	json_key(w, "values");
	json_open_array(w);
	for (it = json_first(annotations); it.doc;
	     it = json_next(annotations, it)) {
		json_open_object(w);
		json_key(w, "stringValue");
		json_put_raw(w, json_raw(it));
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
	close_attribute(w);
}

static void put_metadata(struct out *o, struct json metadata)
{
	struct json it;

	if (!json_is(metadata, JSON_OBJECT))
		return;
	for (it = json_first(metadata); it.doc; it = json_next(metadata, it)) {
		struct sv name = json_string(it, o->arena);
		struct buf key = BUF_INIT;

		buf_text(&key, "aws.xray.metadata.");
		buf_sv(&key, name.ptr ? name : SV(""));
		put_string(o->w, buf_view(&key), json_raw(json_member(it)));
		buf_fini(&key);
	}
}

static void put_attributes(struct out *o, const struct segment *s)
{
	static const struct mapping map[] = {
		{ "http.request.method", "http.request.method" },
		{ "http.request.url", "url.full" },
		{ "http.request.user_agent", "user_agent.original" },
		{ "http.request.client_ip", "client.address" },
		{ "http.request.x_forwarded_for", "aws.xray.x_forwarded_for" },
		{ "http.response.status", "http.response.status_code" },
		{ "http.response.content_length", "http.response.body.size" },
		{ "aws.operation", "aws.operation" },
		{ "aws.request_id", "aws.request_id" },
		{ "aws.table_name", "aws.table_name" },
		{ "aws.queue_url", "aws.queue_url" },
		{ "aws.topic_arn", "aws.sns.topic.arn" },
		{ "aws.bucket_name", "aws.s3.bucket" },
		{ "aws.stream_name", "aws.kinesis.stream_name" },
		{ "aws.function_name", "faas.invoked_name" },
		{ "aws.state_machine_arn",
		  "aws.step_functions.state_machine.arn" },
		{ "sql.url", "db.connection_string" },
		{ "sql.database_type", "db.system.name" },
		{ "sql.user", "db.user" },
		{ "sql.sanitized_query", "db.query.text" },
		{ "user", "user.id" },
	};
	/* Of a segment they stand with the resource. */
	static const struct mapping place[] = {
		{ "aws.account_id", "aws.account_id" },
		{ "aws.region", "aws.region" },
	};
	struct json_writer *w = o->w;

	json_key(w, "attributes");
	json_open_array(w);
	put_mapped(o, s->json, map, sizeof(map) / sizeof(map[0]));
	if (s->subsegment)
		put_mapped(o, s->json, place, sizeof(place) / sizeof(place[0]));
	if (sv_eq(s->ns, SV("aws"))) {
		put_string(w, SV("rpc.system"), SV("aws-api"));
		put_string(w, SV("rpc.service"), s->name);
	} else if (is_call(s)) {
		put_string(w, SV("peer.service"), s->name);
	}
	put_annotations(o, json_get(s->json, SV("annotations")));
	put_metadata(o, json_get(s->json, SV("metadata")));
	json_close_array(w);
}

/* --- what happened -------------------------------------------------------------------------- */

/* As runtimes print one: a frame a line. */
static void put_stack(struct out *o, struct json exception)
{
	struct json stack = json_get(exception, SV("stack")), it;
	struct buf text = BUF_INIT;

	if (!json_is(stack, JSON_ARRAY) || !json_first(stack).doc)
		return;
	for (it = json_first(stack); it.doc; it = json_next(stack, it)) {
		struct sv label =
			json_string(json_get(it, SV("label")), o->arena);
		struct sv path =
			json_string(json_get(it, SV("path")), o->arena);
		struct json line = json_get(it, SV("line"));

		buf_text(&text, text.len ? "\n    at " : "    at ");
		buf_sv(&text, label.len ? label : SV("<anonymous>"));
		buf_text(&text, " (");
		buf_sv(&text, path.ptr ? path : SV(""));
		if (json_is(line, JSON_NUMBER)) {
			buf_char(&text, ':');
			buf_sv(&text, json_raw(line));
		}
		buf_char(&text, ')');
	}
	put_string(o->w, SV("exception.stacktrace"), buf_view(&text));
	buf_fini(&text);
}

static void put_events(struct out *o, const struct segment *s)
{
	struct json list = at(s->json, "cause.exceptions"), it;
	struct json_writer *w = o->w;

	if (!json_is(list, JSON_ARRAY) || !json_first(list).doc)
		return;
	json_key(w, "events");
	json_open_array(w);
	for (it = json_first(list); it.doc; it = json_next(list, it)) {
		json_open_object(w);
		put_time(w, "timeUnixNano", s->end_ns);
		json_key(w, "name");
		json_put_text(w, "exception");
		json_key(w, "attributes");
		json_open_array(w);
		put_value(o, SV("exception.type"), json_get(it, SV("type")));
		put_value(o, SV("exception.message"),
			  json_get(it, SV("message")));
		put_stack(o, it);
		json_close_array(w);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_links(struct out *o, const struct segment *s)
{
	struct json list = json_get(s->json, SV("links")), it;
	struct json_writer *w = o->w;
	bool any = false;

	for (it = json_first(list); json_is(list, JSON_ARRAY) && it.doc;
	     it = json_next(list, it)) {
		uint8_t trace_id[TRACE_ID_SIZE], id[SEGMENT_ID_SIZE];
		struct sv trace =
			json_string(json_get(it, SV("trace_id")), o->arena);
		struct sv span = json_string(json_get(it, SV("id")), o->arena);

		if (!trace_id_parse(trace, trace_id) ||
		    !sv_to_hex(span, id, sizeof(id)))
			continue;
		if (!any) {
			json_key(w, "links");
			json_open_array(w);
		}
		any = true;
		json_open_object(w);
		put_hex(w, "traceId", trace_id, sizeof(trace_id));
		put_hex(w, "spanId", id, sizeof(id));
		json_close_object(w);
	}
	if (any)
		json_close_array(w);
}

static int put_span(void *arg, const struct segment *s,
		    const struct segment *parent, unsigned depth)
{
	struct out *o = arg;
	struct json_writer *w = o->w;

	(void)parent;
	(void)depth;
	json_open_object(w);
	put_hex(w, "traceId", s->trace_id, TRACE_ID_SIZE);
	put_hex(w, "spanId", s->id, SEGMENT_ID_SIZE);
	if (s->has_parent)
		put_hex(w, "parentSpanId", s->parent_id, SEGMENT_ID_SIZE);
	json_key(w, "name");
	json_put_sv(w, s->name);
	json_key(w, "kind");
	json_put_i64(w, !s->subsegment ? SERVER :
			is_call(s)     ? CLIENT :
					 INTERNAL);
	put_time(w, "startTimeUnixNano", s->start_ns);
	if (!s->in_progress)
		put_time(w, "endTimeUnixNano", s->end_ns);
	put_attributes(o, s);
	put_events(o, s);
	put_links(o, s);
	json_key(w, "status");
	json_open_object(w);
	if (s->status != SEGMENT_STATUS_OK) {
		if (s->error_message.len) {
			json_key(w, "message");
			json_put_sv(w, s->error_message);
		}
		json_key(w, "code");
		json_put_i64(w, STATUS_ERROR);
	}
	json_close_object(w);
	json_close_object(w);
	return 0;
}

bool segment_put_otlp(struct json_writer *w, struct sv document,
		      struct arena *arena)
{
	struct out o = { w, arena };
	struct segment root;
	int e;

	if (segment_check(document, arena, &root) != SEGMENT_OK)
		return false;
	json_open_object(w);
	put_resource(&o, &root);
	json_key(w, "scopeSpans");
	json_open_array(w);
	json_open_object(w);
	json_key(w, "spans");
	json_open_array(w);
	e = segment_walk(&root, arena, put_span, &o);
	json_close_array(w);
	json_close_object(w);
	json_close_array(w);
	json_close_object(w);
	return !e;
}
