/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP/HTTP: POST /v1/traces, /v1/metrics, /v1/logs; and what comes by gRPC,
 * which the door brings to the same paths. Source: the public OTLP
 * specification, "OTLP/HTTP" and "OTLP/gRPC". */
#include <strings.h>

#include "collector/door/answer.h"
#include "collector/ingest/otlp.h"
#include "core/wire/otlp_answer.h"

struct exchange_state {
	struct request *request;
	enum otlp_signal signal;
	enum otlp_encoding encoding;
};

static void on_done(void *arg, const struct otlp_result *result)
{
	struct exchange_state *x = arg;
	struct request *r = x->request;
	struct sv message = sv_from(result->message);
	enum rpc_code code = rpc_code_of_err(result->err);

	buf_reset(&r->reply);
	r->content_type = otlp_content_type(x->encoding);
	r->status = code == RPC_OK               ? 200 :
		    code == RPC_INVALID_ARGUMENT ? 400 :
						   503;
	if (code == RPC_OK) {
		otlp_response_put(&r->reply, x->signal, x->encoding,
				  result->rejected, message);
	} else {
		if (code == RPC_UNAVAILABLE)
			r->retry_after_s = INGEST_RETRY_AFTER_S;
		if (r->grpc)
			buf_sv(&r->reply, message);
		else
			otlp_status_put(&r->reply, x->encoding, code, message,
					r->retry_after_s);
	}
	request_send(r);
}

static bool is_type(struct sv header, struct sv type)
{
	return header.len >= type.len &&
	       !strncasecmp(header.ptr, type.ptr, type.len) &&
	       (header.len == type.len || header.ptr[type.len] == ';' ||
		header.ptr[type.len] == ' ');
}

static void post(struct ingest *in, struct request *r, enum otlp_signal signal)
{
	struct sv type = request_header(r, "Content-Type");
	struct exchange_state *x = arena_new(&r->arena, struct exchange_state);
	struct otlp_call call = {
		.signal = signal,
		.encoding = OTLP_PROTOBUF,
		.scope = &r->caller.scope,
		.body = &r->body,
	};

	stats_add(&in->stats->otlp_requests, 1);
	stats_add(&in->stats->otlp_bytes, r->body.len);
	if (is_type(type, SV("application/json"))) {
		call.encoding = OTLP_JSON;
	} else if (!is_type(type, SV("application/x-protobuf"))) {
		stats_add(&in->stats->refused_body, 1);
		answer_error_as(
			r,
			&(struct aws_error){ .shape = "UnsupportedMediaType",
					     .status = 415 },
			"Content-Type must be application/x-protobuf "
			"or application/json");
		return;
	}
	if (!answer_plain_body(r, HTTP_BODY_MAX))
		return;
	if (!x) {
		ingest_reply_error(r, ERR_NOMEM);
		return;
	}
	*x = (struct exchange_state){ r, signal, call.encoding };
	request_defer(r); /* first: done may be called before this returns */
	otlp_submit(in, &call, on_done, x);
}

void otlp_traces_post(struct ingest *in, struct request *r)
{
	post(in, r, OTLP_TRACES);
}

void otlp_metrics_post(struct ingest *in, struct request *r)
{
	post(in, r, OTLP_METRICS);
}

void otlp_logs_post(struct ingest *in, struct request *r)
{
	post(in, r, OTLP_LOGS);
}
