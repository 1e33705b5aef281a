/* SPDX-License-Identifier: Apache-2.0 */
#include "core/smithy/message.h"

#include <assert.h>

#include "core/codec/json_write.h"
#include "core/codec/xml_write.h"

static int read_json(const struct shape *shape, struct sv body,
		     struct arena *arena, void *in, struct shape_fault *fault,
		     struct diag *diag)
{
	struct json_doc *doc = arena_new(arena, struct json_doc);
	int e = doc ? json_parse(doc, arena, body.len ? body : SV("{}"), diag) :
		      ERR_NOMEM;

	return e ? e : shape_read_json(shape, json_root(doc), arena, in, fault);
}

static int read_cbor(const struct shape *shape, struct sv body,
		     struct arena *arena, void *in, struct shape_fault *fault,
		     struct diag *diag)
{
	struct cbor_doc *doc = arena_new(arena, struct cbor_doc);
	int e = doc ? cbor_parse(doc, arena, body.len ? body : SV("\xa0"),
				 diag) :
		      ERR_NOMEM;

	return e ? e : shape_read_cbor(shape, cbor_root(doc), arena, in, fault);
}

static int read_form(const struct shape *shape, struct sv body,
		     struct arena *arena, void *in, struct shape_fault *fault,
		     struct diag *diag)
{
	struct form_doc *doc = arena_new(arena, struct form_doc);
	int e = doc ? form_parse(doc, arena, body, diag) : ERR_NOMEM;

	return e ? e : shape_read_form(shape, form_root(doc), arena, in, fault);
}

int aws_message_read(enum aws_protocol protocol, const struct shape *shape,
		     struct sv body, struct arena *arena, void *in,
		     struct shape_fault *fault, struct diag *diag)
{
	switch (protocol) {
	case AWS_JSON_1_0:
	case AWS_JSON_1_1:
	case AWS_REST_JSON:
	case AWS_RPC_JSON:
		return read_json(shape, body, arena, in, fault, diag);
	case AWS_RPC_CBOR:
		return read_cbor(shape, body, arena, in, fault, diag);
	case AWS_QUERY:
		return read_form(shape, body, arena, in, fault, diag);
	}
	assert(false);
	return ERR_INVALID;
}

static void write_query(const struct aws_service *service,
			const char *operation, const struct shape *shape,
			const void *out, struct sv request_id, struct buf *body)
{
	struct xml_writer w = xml_writer(body);

	assert(service->xmlns);
	xml_open_response(&w, operation, service->xmlns, shape != NULL);
	if (shape)
		shape_write_xml(shape, out, &w);
	xml_close_response(&w, request_id);
}

static void write_json(const struct shape *shape, const void *out,
		       struct buf *body)
{
	struct json_writer w = json_writer(body);

	shape_write_json(shape, out, &w);
}

static void write_cbor(const struct shape *shape, const void *out,
		       struct buf *body)
{
	struct cbor_writer w = cbor_writer(body);

	shape_write_cbor(shape, out, &w);
	assert(body->failed || cbor_is_complete(&w));
}

void aws_message_write(const struct aws_service *service,
		       enum aws_protocol protocol, const char *operation,
		       const struct shape *shape, const void *out,
		       struct sv request_id, struct buf *body,
		       struct aws_answer *answer)
{
	*answer = (struct aws_answer){
		.status = 200,
		.content_type = aws_content_type(protocol),
		.smithy_protocol = aws_smithy_protocol(protocol),
	};
	if (protocol == AWS_QUERY)
		write_query(service, operation, shape, out, request_id, body);
	else if (!shape &&
		 (protocol == AWS_REST_JSON || protocol == AWS_RPC_JSON))
		buf_text(body, "{}");
	else if (!shape && protocol == AWS_RPC_CBOR)
		answer->content_type = NULL;
	else if (shape && protocol == AWS_RPC_CBOR)
		write_cbor(shape, out, body);
	else if (shape)
		write_json(shape, out, body);
}
