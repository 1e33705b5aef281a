/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/http_internal.h"

void reply_error(struct request *r, unsigned status, const char *code,
		 const char *message)
{
	const struct http_options *o = &r->http->options;

	if (o->refuse) {
		o->refuse(o->arg, r, status, code, message);
		return;
	}
	buf_reset(&r->reply);
	buf_format(&r->reply,
		   "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code,
		   message);
	r->content_type = "application/json";
	r->status = status;
}

/* What did not fit is a prefix: it is not sent as if it were the answer. Nor
 * is one more large answer while others wait for slow readers. */
static void reply_limit(struct exchange *x)
{
	struct request *r = &x->request;
	struct http *h = r->http;
	size_t len = r->reply.len;
	bool large = len > HTTP_REPLY_SMALL;

	r->reply.limit = 0; /* what is said of it below goes always */
	if (large && !r->reply.failed) {
		x->reply_bytes = len;
		if (atomic_fetch_add(h->replies_bytes, len) + len <=
		    h->options.replies_max)
			return;
		atomic_fetch_sub(h->replies_bytes, len);
		x->reply_bytes = 0;
	}
	if (!large && !r->reply.failed)
		return;
	count(h->options.shed_replies);
	r->error_type = NULL;
	if (large && r->reply.failed) {
		buf_fini(&r->reply);
		reply_error(
			r, 400, "ResponseTooLarge",
			"the answer is over the limit of one: ask for less");
		return;
	}
	buf_fini(&r->reply);
	reply_error(r, 503, "ServiceUnavailable",
		    "no memory for the answer now: send the same again");
	r->retry_after_s = 1;
}

enum MHD_Result reply_queue(struct exchange *x)
{
	struct request *r = &x->request;
	struct MHD_Response *response;
	enum MHD_Result result;
	size_t len;
	char *bytes;
	char text[40];

	/* While it stops, libmicrohttpd takes a response and forgets it, and
	 * then asks for it again: it was told, and is not to be told twice. */
	if (x->answered)
		return MHD_NO;
	reply_limit(x);
	x->answered = true;
	if (r->http->options.answered)
		r->http->options.answered(r->http->options.arg, r);
	arena_fini(&r->arena); /* a slow reader need not keep them */
	buf_fini(&r->body);
	r->path = r->target_path = r->target_query = (struct sv){ NULL, 0 };
	x->arguments = NULL;
	x->argument_count = 0;
	exchange_phase(x, CONNECTION_REPLY);
	len = r->reply.len;
	bytes = buf_detach(&r->reply);

	response = MHD_create_response_from_buffer(
		len, bytes ? bytes : (void *)"",
		bytes ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response) {
		free(bytes);
		return MHD_NO;
	}
	if (r->content_type)
		MHD_add_response_header(response, "Content-Type",
					r->content_type);
	if (r->retry_after_s) {
		snprintf(text, sizeof(text), "%u", r->retry_after_s);
		MHD_add_response_header(response, "Retry-After", text);
	}
	if (r->error_type)
		MHD_add_response_header(response, "x-amzn-ErrorType",
					r->error_type);
	if (r->smithy_protocol)
		MHD_add_response_header(response, "smithy-protocol",
					r->smithy_protocol);
	if (r->query_error[0])
		MHD_add_response_header(response, "x-amzn-query-error",
					r->query_error);
	if (r->wants_id)
		MHD_add_response_header(response, "x-amzn-RequestId",
					request_id(r).ptr);
	result = MHD_queue_response(x->connection, r->status, response);
	MHD_destroy_response(response);
	return result;
}

void reply_too_large(struct exchange *x)
{
	static const char *const units[] = { "bytes", "KiB", "MiB" };
	size_t most = x->request.body_max;
	size_t unit = 0;
	char text[64];

	while (unit < 2 && most && most % 1024 == 0) {
		most /= 1024;
		unit++;
	}
	count(x->request.http->options.too_large);
	snprintf(text, sizeof(text),
		 "the body is over %zu %s: send less at once", most,
		 units[unit]);
	reply_error(&x->request, 413, "RequestTooLarge", text);
}
