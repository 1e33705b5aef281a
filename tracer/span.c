/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/span.h"

#include "core/codec/utf8.h"
#include "tracer/span_links.h"

enum {
	FLAG_HAS_REMOTE = 0x100, /* the next bit says something */
	FLAG_REMOTE = 0x200,     /* the parent is in another process */
};

/* --- names ------------------------------------------------------------------------------ */

/* What X-Ray takes in a segment's name, besides all that is not ASCII. */
static bool name_takes(unsigned char c, bool strict)
{
	static const char others[] = " _.:/%&#=+\\-@";

	if (c >= 0x80)
		return true;
	if (!strict)
		return c >= 0x20 && c != 0x7f;
	return (c >= '0' && c <= '9') ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       memchr(others, c, sizeof(others) - 1);
}

static bool is_clean(struct sv name, bool strict)
{
	if (!name.len || name.len > SEGMENT_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c >= 0x80 || !name_takes(c, strict))
			return false;
	}
	return true;
}

/* At most SEGMENT_NAME_MAX characters that a name may have; the others are left
 * out. ptr NULL: no memory. */
static struct sv clean_name(struct sv name, bool strict, struct arena *arena)
{
	const unsigned char *p = (const unsigned char *)name.ptr;
	size_t at = 0, n = 0;
	char *to;

	if (is_clean(name, strict))
		return name;
	to = arena_alloc(arena, name.len + 1);
	if (!to)
		return (struct sv){ NULL, 0 };
	for (size_t count = 0; at < name.len && count < SEGMENT_NAME_MAX;) {
		size_t len = p[at] < 0x80 ? 1 :
					    utf8_length(p + at, p + name.len);

		if (!len || !name_takes(p[at], strict)) {
			at++;
			continue;
		}
		memcpy(to + n, p + at, len);
		at += len;
		n += len;
		count++;
	}
	return n ? sv_make(to, n) : SV("unnamed");
}

static struct sv without_prefix(struct sv s, struct sv prefix)
{
	return sv_starts(s, prefix) ?
		       sv_make(s.ptr + prefix.len, s.len - prefix.len) :
		       s;
}

/* The host of "scheme://user@host:port/...", or empty. */
static struct sv host_of(struct sv url)
{
	const char *at = url.len ? memmem(url.ptr, url.len, "//", 2) : NULL;
	struct sv host;

	if (!at)
		return SV("");
	host = sv_make(at + 2, url.len - (size_t)(at + 2 - url.ptr));
	for (size_t i = 0; i < host.len; i++)
		if (host.ptr[i] == '/' || host.ptr[i] == '?')
			host.len = i;
	for (size_t i = 0; i < host.len; i++)
		if (host.ptr[i] == '@')
			host = sv_make(host.ptr + i + 1, host.len - i - 1);
	return sv_cut(&host, ':');
}

/* "name@host" of a database; empty: it is none; ptr NULL: no memory. */
static struct sv database_name(const struct span_values *v, struct arena *arena)
{
	struct sv name = SPAN_FIRST(v, KEY_DB_NAME, KEY_DB_NAMESPACE);
	struct sv host = SPAN_FIRST(v, KEY_SERVER_ADDRESS, KEY_NET_PEER_NAME,
				    KEY_NET_PEER_IP);
	char *text;

	if (!name.len)
		return SV("");
	if (!host.len)
		host = host_of(span_text(v, KEY_DB_CONNECTION));
	if (!host.len)
		return name;
	text = arena_alloc(arena, name.len + 1 + host.len);
	if (!text)
		return (struct sv){ NULL, 0 };
	memcpy(text, name.ptr, name.len);
	text[name.len] = '@';
	memcpy(text + name.len + 1, host.ptr, host.len);
	return sv_make(text, name.len + 1 + host.len);
}

static struct sv call_name(const struct span_facts *f, struct arena *arena)
{
	const struct span_values *v = &f->values;
	struct sv name = span_text(v, KEY_AWS_REMOTE_SERVICE);

	if (name.len)
		return without_prefix(without_prefix(name, SV("AWS.SDK.")),
				      SV("AWS::"));
	name = SPAN_FIRST(v, KEY_PEER_SERVICE, KEY_SERVICE_PEER_NAME,
			  KEY_AWS_SERVICE);
	if (name.len)
		return name;
	name = database_name(v, arena);
	if (name.len || !name.ptr)
		return name;
	name = SPAN_FIRST(v, KEY_RPC_SERVICE, KEY_HTTP_HOST, KEY_SERVER_ADDRESS,
			  KEY_NET_PEER_NAME);
	return name.len ? name : f->name;
}

static struct sv service_name(const struct span_reader *r)
{
	struct sv name = span_text(&r->facts.values, KEY_AWS_LOCAL_SERVICE);

	if (!name.len)
		name = SPAN_FIRST(&r->resource, KEY_SERVICE_NAME,
				  KEY_FAAS_NAME);
	if (!name.len)
		name = SPAN_FIRST(&r->facts.values, KEY_RPC_SERVICE,
				  KEY_HTTP_HOST, KEY_NET_PEER_NAME);
	return name.len ? name : r->facts.name;
}

static bool is_call(const struct span_facts *f)
{
	return f->kind != KIND_INTERNAL && f->kind != KIND_SERVER;
}

static struct sv name_of(const struct span_reader *r, bool segment,
			 struct arena *arena)
{
	struct sv name = segment            ? service_name(r) :
			 is_call(&r->facts) ? call_name(&r->facts, arena) :
					      r->facts.name;

	return name.ptr ? clean_name(name, segment, arena) : name;
}

/* --- what it is -------------------------------------------------------------------------- */

static bool is_segment(const struct span_facts *f)
{
	if (!f->parent_id.len || f->kind == KIND_SERVER)
		return true;
	if (f->flags & FLAG_HAS_REMOTE)
		return f->flags & FLAG_REMOTE;
	return f->kind == KIND_CONSUMER;
}

static bool is_aws_call(const struct span_values *v)
{
	struct sv remote = span_text(v, KEY_AWS_REMOTE_SERVICE);

	return span_text(v, KEY_AWS_SERVICE).len ||
	       sv_eq(SPAN_FIRST(v, KEY_RPC_SYSTEM, KEY_RPC_SYSTEM_NAME),
		     SV("aws-api")) ||
	       sv_starts(remote, SV("AWS.SDK.")) ||
	       sv_starts(remote, SV("AWS::"));
}

static struct sv namespace_of(const struct span_facts *f)
{
	if (is_aws_call(&f->values))
		return SV("aws");
	return f->kind == KIND_CLIENT || f->kind == KIND_PRODUCER ?
		       SV("remote") :
		       SV("");
}

static struct sv origin_of(const struct span_values *resource)
{
	static const struct {
		struct sv platform, origin;
	} rows[] = {
		{ SV_INIT("aws_lambda"), SV_INIT("AWS::Lambda::Function") },
		{ SV_INIT("aws_ec2"), SV_INIT("AWS::EC2::Instance") },
		{ SV_INIT("aws_eks"), SV_INIT("AWS::EKS::Container") },
		{ SV_INIT("aws_app_runner"),
		  SV_INIT("AWS::AppRunner::Service") },
		{ SV_INIT("aws_elastic_beanstalk"),
		  SV_INIT("AWS::ElasticBeanstalk::Environment") },
	};
	struct sv platform = span_text(resource, KEY_CLOUD_PLATFORM);
	struct sv launch = span_text(resource, KEY_ECS_LAUNCH);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sv_eq(platform, rows[i].platform))
			return rows[i].origin;
	if (sv_eq(platform, SV("aws_ecs")))
		return sv_eq(launch, SV("ec2"))     ? SV("AWS::ECS::EC2") :
		       sv_eq(launch, SV("fargate")) ? SV("AWS::ECS::Fargate") :
						      SV("AWS::ECS::Container");
	/* Lambda's layers say which function it is, not always where. */
	return !platform.len && span_has(resource, KEY_FAAS_NAME) ?
		       SV("AWS::Lambda::Function") :
		       SV("");
}

static void read_resource_of_call(const struct span_values *v,
				  struct segment *out)
{
	static const struct {
		struct sv member;
		enum span_key keys[4];
	} rows[] = {
		{ SV_INIT("table_name"),
		  { KEY_AWS_TABLE_NAME, KEY_AWS_TABLE_NAME_OLD,
		    KEY_AWS_TABLE_NAMES, SPAN_KEYS } },
		{ SV_INIT("queue_url"),
		  { KEY_AWS_QUEUE_URL, KEY_AWS_QUEUE_URL_OLD,
		    KEY_AWS_SQS_QUEUE_URL, SPAN_KEYS } },
		{ SV_INIT("function_name"),
		  { KEY_FAAS_INVOKED_NAME, KEY_AWS_LAMBDA_ARN, SPAN_KEYS } },
		{ SV_INIT("bucket_name"), { KEY_AWS_S3_BUCKET, SPAN_KEYS } },
		{ SV_INIT("topic_arn"), { KEY_AWS_TOPIC_ARN, SPAN_KEYS } },
		{ SV_INIT("stream_name"), { KEY_AWS_STREAM_NAME, SPAN_KEYS } },
		{ SV_INIT("state_machine_arn"),
		  { KEY_AWS_STATE_MACHINE, SPAN_KEYS } },
	};

	out->resource = out->resource_key = SV("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		out->resource = span_first_text(v, rows[i].keys);
		if (!out->resource.len)
			continue;
		out->resource_key = rows[i].member;
		return;
	}
}

/* "GetItem", also of "DynamoDB/GetItem". */
static struct sv operation_of(const struct span_values *v)
{
	struct sv method = SPAN_FIRST(v, KEY_AWS_OPERATION, KEY_RPC_METHOD);

	for (size_t i = method.len; i > 0; i--)
		if (method.ptr[i - 1] == '/')
			return sv_make(method.ptr + i, method.len - i);
	return method;
}

static enum segment_status status_of(const struct span_facts *f,
				     uint16_t *http_status)
{
	int64_t status = 0;

	if (!span_number(&f->values, KEY_HTTP_RESPONSE_STATUS, &status))
		(void)span_number(&f->values, KEY_HTTP_STATUS, &status);
	*http_status = status >= 100 && status <= 999 ? (uint16_t)status : 0;
	if (status == 429)
		return SEGMENT_STATUS_THROTTLE;
	if (status >= 500 && status <= 599)
		return SEGMENT_STATUS_FAULT;
	if (status >= 400 && status <= 499)
		return SEGMENT_STATUS_ERROR;
	return f->status == STATUS_ERROR ? SEGMENT_STATUS_FAULT :
					   SEGMENT_STATUS_OK;
}

static void read_error(const struct span_facts *f, struct segment *out)
{
	struct protobuf r = protobuf_reader(f->exception);
	struct protobuf_field field;
	struct otlp_value value;
	struct sv key;

	out->error_type = out->error_message = SV("");
	while (protobuf_next(&r, &field) > 0) {
		if (field.number != EVENT_ATTRIBUTES ||
		    !otlp_attribute_read(field.bytes, &key, &value) ||
		    value.kind != VALUE_STRING)
			continue;
		if (sv_eq(key, SV("exception.type")))
			out->error_type = value.bytes;
		else if (sv_eq(key, SV("exception.message")))
			out->error_message = value.bytes;
	}
	if (f->exception.len || f->status != STATUS_ERROR)
		return;
	out->error_type = span_text(&f->values, KEY_ERROR_TYPE);
	out->error_message = f->status_message;
}

static void read_times(const struct span_facts *f, struct segment *out)
{
	out->start_ns = (int64_t)f->start_ns;
	out->in_progress = !f->end_ns;
	out->end_ns = f->end_ns > f->start_ns ? (int64_t)f->end_ns :
						out->start_ns;
}

static enum segment_refusal read_ids(const struct span_facts *f,
				     struct segment *out)
{
	if (f->id.len != SEGMENT_ID_SIZE)
		return SEGMENT_BAD_ID;
	if (f->trace_id.len != TRACE_ID_SIZE)
		return SEGMENT_BAD_TRACE_ID;
	memcpy(out->id, f->id.ptr, SEGMENT_ID_SIZE);
	memcpy(out->trace_id, f->trace_id.ptr, TRACE_ID_SIZE);
	out->has_parent = f->parent_id.len > 0;
	if (!out->has_parent)
		return SEGMENT_OK;
	if (f->parent_id.len != SEGMENT_ID_SIZE)
		return SEGMENT_BAD_PARENT_ID;
	memcpy(out->parent_id, f->parent_id.ptr, SEGMENT_ID_SIZE);
	return SEGMENT_OK;
}

enum segment_refusal span_read(struct span_reader *reader,
			       const struct span_record *record,
			       struct arena *arena, struct segment *out)
{
	const struct span_facts *f = &reader->facts;
	enum segment_refusal refusal;

	memset(out, 0, sizeof(*out));
	if (span_facts_read(record->span, &reader->facts))
		return SEGMENT_NOT_JSON;
	refusal = read_ids(f, out);
	if (refusal != SEGMENT_OK)
		return refusal;
	if (!f->start_ns || f->start_ns > INT64_MAX || f->end_ns > INT64_MAX)
		return SEGMENT_BAD_START_TIME;
	if (reader->source != record->source) {
		span_values_read(record->source->resource, RESOURCE_ATTRIBUTES,
				 &reader->resource);
		reader->source = record->source;
	}
	out->subsegment = !is_segment(f);
	read_times(f, out);
	out->status = status_of(f, &out->http_status);
	out->ns = out->subsegment ? namespace_of(f) : SV("");
	out->origin = out->subsegment ? SV("") : origin_of(&reader->resource);
	out->request_id = SPAN_FIRST(&f->values, KEY_AWS_REQUEST_ID,
				     KEY_AWS_REQUEST_ID_OLD,
				     KEY_FAAS_INVOCATION_ID,
				     KEY_FAAS_EXECUTION);
	out->operation =
		is_aws_call(&f->values) ||
				span_has(&f->values, KEY_AWS_OPERATION) ?
			operation_of(&f->values) :
			SV("");
	read_resource_of_call(&f->values, out);
	read_error(f, out);
	if (f->links && !span_links_read(f, arena, out))
		return SEGMENT_NO_MEMORY;
	out->name = name_of(reader, !out->subsegment, arena);
	return out->name.ptr ? SEGMENT_OK : SEGMENT_NO_MEMORY;
}
