/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/answer.h"

#include <assert.h>
#include <strings.h>

#include "core/codec/deflate.h"
#include "core/codec/json_write.h"
#include "core/smithy/message.h"
#include "core/wire/otlp_answer.h"

/* {"error":{"code","message"}}; the code is the shape's name without its
 * "Exception". */
static void put_native(struct request *r, const struct aws_error *error,
		       const char *message)
{
	struct sv code = sv_from(error->shape);
	struct json_writer w = json_writer(&r->reply);

	if (sv_ends(code, SV("Exception")))
		code.len -= strlen("Exception");
	json_open_object(&w);
	json_key(&w, "error");
	json_open_object(&w);
	json_key(&w, "code");
	json_put_sv(&w, code);
	json_key(&w, "message");
	json_put_text(&w, message);
	json_close_object(&w);
	json_close_object(&w);
	buf_char(&r->reply, '\n');
	r->status = error->status;
	r->content_type = "application/json";
}

/* OpenTelemetry's exporters: google.rpc.Status in their own encoding. */
static bool is_otlp(const struct request *r)
{
	return r->service == service_of(SERVICE_NATIVE) &&
	       sv_starts(r->target_path, SV("/v1/"));
}

static void put_otlp(struct request *r, const struct aws_error *error,
		     const char *message)
{
	const struct sv json = SV("application/json");
	struct sv type = request_header(r, "Content-Type");
	enum otlp_encoding encoding =
		type.len >= json.len &&
				!strncasecmp(type.ptr, json.ptr, json.len) ?
			OTLP_JSON :
			OTLP_PROTOBUF;
	enum rpc_code code = rpc_code_of_http(error->status);

	/* AWS says 403 of who is not known as well. */
	if (error->status == 403 &&
	    !sv_starts(sv_from(error->shape), SV("AccessDenied")))
		code = RPC_UNAUTHENTICATED;
	otlp_status_put(&r->reply, encoding, code, sv_from(message), 0);
	r->status = error->status;
	r->content_type = otlp_content_type(encoding);
}

void answer_error_as(struct request *r, const struct aws_error *error,
		     const char *message)
{
	const struct aws_service *aws = r->service ? r->service->aws : NULL;
	struct aws_answer answer;

	buf_reset(&r->reply);
	if (r->grpc) {
		buf_text(&r->reply, message);
		r->status = error->status;
		return;
	}
	if (is_otlp(r)) {
		put_otlp(r, error, message);
		return;
	}
	if (!aws) {
		put_native(r, error, message);
		return;
	}
	aws_error_write(aws, r->protocol, error, sv_from(message),
			request_id(r), &r->reply, &answer);
	r->status = answer.status;
	r->content_type = answer.content_type;
	r->error_type = answer.error_type;
	r->smithy_protocol = answer.smithy_protocol;
	memcpy(r->query_error, answer.query_error, sizeof(r->query_error));
	r->wants_id = true;
}

void answer_error(struct request *r, const char *shape, const char *message)
{
	const struct aws_service *aws = r->service ? r->service->aws : NULL;
	const struct aws_error *error =
		aws_error_find(aws ? aws : &aws_xray, shape);

	assert(error);
	answer_error_as(r, error, message);
}

void answer_fault(struct request *r, const struct shape_fault *fault)
{
	answer_error_as(r, aws_error_of_fault(r->service->aws, fault),
			fault->text);
}

/* --- by shapes -------------------------------------------------------------------- */

bool answer_plain_body(struct request *r, size_t bytes_max)
{
	struct sv coding = request_header(r, "Content-Encoding");
	struct buf plain = { .limit = r->body.limit };
	int e;

	if (r->inflated || !coding.len || sv_eq(coding, SV("identity")))
		return true;
	if (!sv_eq(coding, SV("gzip"))) {
		answer_error(r, "SerializationException",
			     "Content-Encoding must be gzip or identity");
		return false;
	}
	e = inflate_gzip(&plain, buf_view(&r->body), bytes_max);
	if (!e) {
		buf_fini(&r->body);
		r->body = plain;
		r->inflated = true;
		return true;
	}
	buf_fini(&plain);
	if (e == ERR_LIMIT)
		answer_error(r, "RequestEntityTooLargeException",
			     "the body is too large once it is decompressed");
	else if (e == ERR_SYNTAX)
		answer_error(r, "SerializationException",
			     "the gzip body is damaged");
	else
		answer_error(r, "ServiceUnavailableException",
			     "the collector is busy: send the same again");
	return false;
}

bool answer_read(struct request *r, const struct shape *shape, void *in)
{
	struct sv body = r->protocol == AWS_QUERY && r->method == METHOD_GET ?
				 r->target_query :
				 buf_view(&r->body);
	struct shape_fault fault = { .rule = SHAPE_RULE_NONE };
	struct diag diag = { 0 };
	int e = aws_message_read(r->protocol, shape, body, &r->arena, in,
				 &fault, &diag);

	if (!e)
		return true;
	if (e == ERR_NOMEM)
		answer_error(r, "ServiceUnavailableException",
			     "the collector is busy: send the same again");
	else if (fault.rule != SHAPE_RULE_NONE)
		answer_fault(r, &fault);
	else
		answer_error(r, "SerializationException",
			     diag.text[0] ? diag.text :
					    "the request is nested too deep");
	return false;
}

void answer_write(struct request *r, const struct shape *shape, const void *out)
{
	struct aws_answer answer;

	buf_reset(&r->reply);
	aws_message_write(r->service->aws, r->protocol, r->operation->name,
			  shape, out, request_id(r), &r->reply, &answer);
	r->status = answer.status;
	r->content_type = answer.content_type;
	r->smithy_protocol = answer.smithy_protocol;
	r->wants_id = true;
}
