/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/answer.h"

#include <assert.h>

#include "core/codec/json_write.h"

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

void answer_error_as(struct request *r, const struct aws_error *error,
		     const char *message)
{
	const struct aws_service *aws = r->service ? r->service->aws : NULL;
	struct aws_answer answer;

	buf_reset(&r->reply);
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
