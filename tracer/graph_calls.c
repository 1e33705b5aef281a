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

	call->to_account = s->account;
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

static bool is_call(const struct segment *s)
{
	return sv_eq(s->ns, SV("aws")) || sv_eq(s->ns, SV("remote"));
}

static void edge_from(const struct assembly *a, uint32_t owner,
		      struct graph_call *call)
{
	call->from_name = a->spans[owner].segment.name;
	call->from_type = a->spans[owner].segment.origin;
	call->from_account = a->spans[owner].segment.account;
	call->from_span = owner;
}

static uint32_t index_of(const struct assembly *a, const struct span *span)
{
	return (uint32_t)(span - a->spans);
}

/* --- what was received ----------------------------------------------------- */

/* The node of a queue, a topic or a stream, by its URL, its ARN or its name. */
static void source_node(struct sv source, struct graph_call *call)
{
	static const struct {
		struct sv begins;
		const char *type;
		char mark; /* behind which its own name begins */
	} kinds[] = {
		{ SV_INIT("arn:aws:sqs:"), "AWS::SQS::Queue", ':' },
		{ SV_INIT("https://sqs."), "AWS::SQS::Queue", '/' },
		{ SV_INIT("arn:aws:sns:"), "AWS::SNS::Topic", ':' },
		{ SV_INIT("arn:aws:kinesis:"), "AWS::Kinesis::Stream", '/' },
		{ SV_INIT("arn:aws:s3:"), "AWS::S3::Bucket", ':' },
		{ SV_INIT("arn:aws:states:"),
		  "AWS::StepFunctions::StateMachine", ':' },
	};

	call->from_name = source;
	call->from_type = SV("remote");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!sv_starts(source, kinds[i].begins))
			continue;
		call->from_name = behind_last(source, kinds[i].mark);
		call->from_type = sv_from(kinds[i].type);
		return;
	}
}

static uint32_t find_span(const struct assembly *a,
			  const uint8_t id[SEGMENT_ID_SIZE])
{
	for (uint32_t i = 0; i < a->count; i++)
		if (!memcmp(a->spans[i].segment.id, id, SEGMENT_ID_SIZE))
			return i;
	return SPAN_NONE;
}

/* One count for each message. Of a link that names no source, and whose id is
 * not in this trace, nobody here knows where it came from. */
static void link_calls(const struct assembly *a, const struct span *span,
		       graph_call_fn *fn, void *arg)
{
	const struct segment *s = &span->segment;

	for (size_t i = 0; i < s->link_count; i++) {
		const struct segment_link *l = &s->links[i];
		struct graph_call call = {
			.to_name = s->name,
			.to_type = s->origin,
			.to_account = s->account,
			.time_ns = s->start_ns,
			.status = s->status,
			.link = true,
			.counted = !s->in_progress,
			.untimed = l->sent_ns <= 0 || l->sent_ns > s->start_ns,
			.span = index_of(a, span),
			.from_span = SPAN_NONE,
		};
		uint32_t from = SPAN_NONE;

		if (!call.untimed)
			call.duration_ns = (uint64_t)(s->start_ns - l->sent_ns);
		if (l->source.len) {
			source_node(l->source, &call);
		} else if (l->has_id) {
			from = find_span(a, l->id);
			if (from != SPAN_NONE)
				from = a->spans[from].owner;
			if (from != SPAN_NONE)
				edge_from(a, from, &call);
		}
		if (call.from_name.ptr)
			fn(arg, &call);
	}
}

/* --- segments and calls ----------------------------------------------------- */

/* What the caller calls whom a segment answered for, where that is another
 * name than its own. */
static struct sv alias_of(const struct assembly *a,
			  const struct segment *caller,
			  const struct segment *callee)
{
	struct graph_call call = { 0 };

	if (!caller->subsegment || !is_call(caller))
		return SV("");
	infer(caller, a->arena, &call);
	return sv_eq(call.to_name, callee->name) ? SV("") : call.to_name;
}

/* work_end_ns: of all the segment began. */
static void segment_calls(const struct assembly *a, const struct span *span,
			  int64_t work_end_ns, graph_call_fn *fn, void *arg)
{
	const struct segment *s = &span->segment;
	struct graph_call call = { .to_name = s->name,
				   .to_type = s->origin,
				   .to_account = s->account,
				   .span = index_of(a, span),
				   .from_span = SPAN_NONE };

	view_of(s, &call);
	call.work_ns = (uint64_t)(work_end_ns - s->start_ns);
	call.root = !s->has_parent;
	fn(arg, &call);
	call.work_ns = 0;
	if (!s->has_parent) {
		struct graph_call client = { .to_name = s->name,
					     .to_type = SV("client"),
					     .to_account = s->account,
					     .time_ns = s->start_ns,
					     .span = SPAN_NONE,
					     .from_span = SPAN_NONE };

		fn(arg, &client);
		call.from_name = s->name;
		call.from_type = SV("client");
		call.from_account = s->account;
		fn(arg, &call);
	} else if (span->parent != SPAN_NONE) {
		const struct span *caller = &a->spans[span->parent];

		if (caller->owner == SPAN_NONE)
			return;
		/* An edge has the caller's view where the caller has one. */
		if (caller->segment.subsegment) {
			view_of(&caller->segment, &call);
			call.span = span->parent;
		}
		call.alias = alias_of(a, &caller->segment, s);
		edge_from(a, caller->owner, &call);
		fn(arg, &call);
	}
}

static void inferred_calls(const struct assembly *a, const struct span *span,
			   graph_call_fn *fn, void *arg)
{
	struct graph_call call = { .inferred = true,
				   .span = index_of(a, span),
				   .from_span = SPAN_NONE };

	infer(&span->segment, a->arena, &call);
	view_of(&span->segment, &call);
	fn(arg, &call);
	if (span->owner == SPAN_NONE)
		return;
	edge_from(a, span->owner, &call);
	fn(arg, &call);
}

/* When the work of each span's segment ended; by index, of segments alone.
 * NULL: no memory, and then a duration is the response time. */
static int64_t *work_ends(const struct assembly *a)
{
	int64_t *ends = arena_array(a->arena, a->count, sizeof(*ends));

	for (uint32_t i = 0; ends && i < a->count; i++) {
		const struct span *span = &a->spans[i];

		if (span->owner != SPAN_NONE &&
		    span->segment.end_ns > ends[span->owner])
			ends[span->owner] = span->segment.end_ns;
	}
	return ends;
}

void graph_calls(const struct assembly *trace, graph_call_fn *fn, void *arg)
{
	const int64_t *ends = work_ends(trace);

	for (uint32_t i = 0; i < trace->count; i++) {
		const struct span *span = &trace->spans[i];

		if (!span->segment.subsegment)
			segment_calls(trace, span,
				      ends ? ends[i] : span->segment.end_ns, fn,
				      arg);
		else if (!span->answered && is_call(&span->segment))
			inferred_calls(trace, span, fn, arg);
		link_calls(trace, span, fn, arg);
	}
}
