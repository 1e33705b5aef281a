/* SPDX-License-Identifier: Apache-2.0 */
#include "core/smithy/error.h"

#include <assert.h>

#include "core/codec/cbor.h"
#include "core/codec/json_write.h"
#include "core/codec/xml_write.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Of all services: what is refused before an operation sees it. */
static const struct aws_error common[] = {
	{ "SerializationException", "MalformedInput", 400, false },
	{ "UnknownOperationException", "InvalidAction", 400, false },
	{ "ThrottlingException", "Throttling", 400, false },
	{ "RequestEntityTooLargeException", "RequestEntityTooLarge", 413,
	  false },
	{ "ServiceUnavailableException", "ServiceUnavailable", 503, true },
	{ "InternalFailure", NULL, 500, true },
	{ "AccessDeniedException", "AccessDenied", 403, false },
	{ "NotFound", NULL, 404, false },
	{ "MethodNotAllowed", NULL, 405, false },
};

static const struct aws_error *find(const struct aws_error *errors,
				    size_t count, const char *shape)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(errors[i].shape, shape))
			return &errors[i];
	return NULL;
}

const struct aws_error *aws_error_find(const struct aws_service *service,
				       const char *shape)
{
	const struct aws_error *e =
		find(service->errors, service->error_count, shape);

	return e ? e : find(common, COUNT(common), shape);
}

const struct aws_error *aws_error_of_fault(const struct aws_service *service,
					   const struct shape_fault *fault)
{
	const struct aws_error *e;

	assert(fault->rule != SHAPE_RULE_NONE);
	e = aws_error_find(service, fault->rule == SHAPE_RULE_KIND ?
					    "SerializationException" :
				    fault->rule == SHAPE_RULE_REQUIRED ?
					    service->missing :
					    service->invalid);
	assert(e);
	return e;
}

const char *aws_content_type(enum aws_protocol protocol)
{
	static const char *const types[] = {
		[AWS_JSON_1_0] = "application/x-amz-json-1.0",
		[AWS_JSON_1_1] = "application/x-amz-json-1.1",
		[AWS_REST_JSON] = "application/json",
		[AWS_QUERY] = "text/xml",
		[AWS_RPC_CBOR] = "application/cbor",
		[AWS_RPC_JSON] = "application/json",
	};

	assert((size_t)protocol < COUNT(types));
	return types[protocol];
}

const char *aws_smithy_protocol(enum aws_protocol protocol)
{
	return protocol == AWS_RPC_CBOR ? "rpc-v2-cbor" :
	       protocol == AWS_RPC_JSON ? "rpc-v2-json" :
					  NULL;
}

static const char *code_of(const struct aws_error *e)
{
	return e->code ? e->code : e->shape;
}

static void put_json(struct buf *out, const char *type, struct sv message)
{
	struct json_writer w = json_writer(out);

	json_open_object(&w);
	json_key(&w, "__type");
	json_put_text(&w, type);
	json_key(&w, "message");
	json_put_sv(&w, message);
	json_close_object(&w);
}

/* The type as "com.amazonaws.cloudwatch#InvalidFormatFault". */
static void put_cbor(struct buf *out, const struct aws_service *service,
		     const struct aws_error *error, struct sv message)
{
	struct cbor_writer w = cbor_writer(out);
	char type[AWS_TYPE_MAX];
	int n = snprintf(type, sizeof(type), "%s#%s", service->namespace,
			 error->shape);

	assert(n > 0 && n < (int)sizeof(type));
	cbor_put_map(&w, 2);
	cbor_put_text(&w, "__type");
	cbor_put_text(&w, type);
	cbor_put_text(&w, "message");
	cbor_put_sv(&w, message);
}

void aws_error_write(const struct aws_service *service,
		     enum aws_protocol protocol, const struct aws_error *error,
		     struct sv message, struct sv request_id, struct buf *body,
		     struct aws_answer *answer)
{
	int n;

	*answer = (struct aws_answer){
		.status = error->status,
		.content_type = aws_content_type(protocol),
		.smithy_protocol = aws_smithy_protocol(protocol),
	};
	if (protocol == AWS_QUERY) {
		assert(service->xmlns);
		xml_error(body, service->xmlns, !error->receiver,
			  sv_from(code_of(error)), message, request_id);
		return;
	}
	if (protocol == AWS_REST_JSON)
		answer->error_type = error->shape;
	if (service->query_compatible) {
		n = snprintf(answer->query_error, sizeof(answer->query_error),
			     "%s;%s", code_of(error),
			     error->receiver ? "Receiver" : "Sender");
		assert(n > 0 && n < (int)sizeof(answer->query_error));
	}
	if (protocol == AWS_RPC_CBOR)
		put_cbor(body, service, error, message);
	else
		put_json(body, error->shape, message);
}
