/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that turn one trace into counts of the service map. */
#include "tracer/graph.h"

#include <strings.h>

static const struct aws_service {
	const char *sent; /* any case; boto's names and the JS client's */
	const char *type;
	const char *resource_key; /* of "aws"; NULL: none is known */
	const char *resource_type;
} services[] = {
	{ "dynamodb", "AWS::DynamoDB", "table_name", "AWS::DynamoDB::Table" },
	{ "lambda", "AWS::Lambda", "function_name", "AWS::Lambda" },
	{ "sqs", "AWS::SQS", "queue_url", "AWS::SQS::Queue" },
	{ "sns", "AWS::SNS", "topic_arn", "AWS::SNS::Topic" },
	{ "s3", "AWS::S3", "bucket_name", "AWS::S3::Bucket" },
	{ "kinesis", "AWS::Kinesis", "stream_name", "AWS::Kinesis::Stream" },
	{ "sfn", "AWS::StepFunctions", "state_machine_arn",
	  "AWS::StepFunctions::StateMachine" },
	{ "stepfunctions", "AWS::StepFunctions", "state_machine_arn",
	  "AWS::StepFunctions::StateMachine" },
	{ "logs", "AWS::CloudWatchLogs", NULL, NULL },
	{ "cloudwatchlogs", "AWS::CloudWatchLogs", NULL, NULL },
	{ "events", "AWS::EventBridge", NULL, NULL },
	{ "eventbridge", "AWS::EventBridge", NULL, NULL },
	{ "secretsmanager", "AWS::SecretsManager", NULL, NULL },
	{ "ssm", "AWS::SSM", NULL, NULL },
	{ "sts", "AWS::STS", NULL, NULL },
	{ "kms", "AWS::KMS", NULL, NULL },
	{ "firehose", "AWS::Firehose", NULL, NULL },
};

static const struct aws_service *find_service(struct sv name)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strlen(services[i].sent) == name.len &&
		    !strncasecmp(services[i].sent, name.ptr, name.len))
			return &services[i];
	return NULL;
}

static struct sv behind_last(struct sv s, char mark)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.ptr[i - 1] == mark)
			return sv_make(s.ptr + i, s.len - i);
	return s;
}

/* A resource's own name, of what the SDKs send: a URL, an ARN or a name. A
 * function's ARN may carry a qualifier behind its name. */
static struct sv resource_name(struct sv resource, struct sv key)
{
	static const char mark[] = ":function:";
	const char *at;

	if (sv_eq(key, SV("queue_url")))
		return behind_last(resource, '/');
	if (!sv_eq(key, SV("function_name")))
		return sv_ends(key, SV("_arn")) ? behind_last(resource, ':') :
						  resource;
	at = memmem(resource.ptr, resource.len, mark, sizeof(mark) - 1);
	if (at) {
		size_t skip = (size_t)(at - resource.ptr) + sizeof(mark) - 1;

		resource = sv_make(resource.ptr + skip, resource.len - skip);
	}
	return sv_cut(&resource, ':');
}

static struct sv unknown_service(struct sv name, struct arena *arena)
{
	char *text = arena_alloc(arena, name.len + 5);

	if (!text)
		return SV("AWS");
	memcpy(text, "AWS::", 5);
	memcpy(text + 5, name.ptr, name.len);
	return sv_make(text, name.len + 5);
}

/* What answers a call whose callee sent no segment. */
static void infer(const struct segment *s, struct arena *arena,
		  struct graph_call *call)
{
	const struct aws_service *service;

	call->to_name = s->name;
	call->to_type = SV("remote");
	if (!sv_eq(s->ns, SV("aws")))
		return;
	service = find_service(s->name);
	if (!service) {
		call->to_type = unknown_service(s->name, arena);
		return;
	}
	call->to_type = sv_from(service->type);
	call->to_name = sv_from(service->type + strlen("AWS::"));
	if (s->resource.len &&
	    sv_eq(s->resource_key, sv_from(service->resource_key))) {
		struct sv name = resource_name(s->resource, s->resource_key);

		if (name.len) {
			call->to_type = sv_from(service->resource_type);
			call->to_name = name;
		}
	}
}

/* Time, duration and status of a (sub)segment. */
static void view_of(const struct segment *s, struct graph_call *call)
{
	call->time_ns = s->start_ns;
	call->duration_ns = (uint64_t)(s->end_ns - s->start_ns);
	call->status = s->status;
	call->counted = !s->in_progress;
}

static void edge_from(const struct assembly *a, uint32_t owner,
		      struct graph_call *call)
{
	call->from_name = a->spans[owner].segment.name;
	call->from_type = a->spans[owner].segment.origin;
}

static void segment_calls(const struct assembly *a, const struct span *span,
			  graph_call_fn *fn, void *arg)
{
	const struct segment *s = &span->segment;
	struct graph_call call = { .to_name = s->name, .to_type = s->origin };

	view_of(s, &call);
	call.root = !s->has_parent;
	fn(arg, &call);
	if (!s->has_parent) {
		struct graph_call client = { .to_name = s->name,
					     .to_type = SV("client"),
					     .time_ns = s->start_ns };

		fn(arg, &client);
		call.from_name = s->name;
		call.from_type = SV("client");
		fn(arg, &call);
	} else if (span->parent != SPAN_NONE) {
		const struct span *caller = &a->spans[span->parent];

		if (caller->owner == SPAN_NONE)
			return;
		/* An edge has the caller's view where the caller has one. */
		if (caller->segment.subsegment)
			view_of(&caller->segment, &call);
		edge_from(a, caller->owner, &call);
		fn(arg, &call);
	}
}

static void inferred_calls(const struct assembly *a, const struct span *span,
			   graph_call_fn *fn, void *arg)
{
	struct graph_call call = { .inferred = true };

	infer(&span->segment, a->arena, &call);
	view_of(&span->segment, &call);
	fn(arg, &call);
	if (span->owner == SPAN_NONE)
		return;
	edge_from(a, span->owner, &call);
	fn(arg, &call);
}

void graph_calls(const struct assembly *trace, graph_call_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct span *span = &trace->spans[i];
		struct sv ns = span->segment.ns;

		if (!span->segment.subsegment)
			segment_calls(trace, span, fn, arg);
		else if (!span->answered &&
			 (sv_eq(ns, SV("aws")) || sv_eq(ns, SV("remote"))))
			inferred_calls(trace, span, fn, arg);
	}
}
