/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of AWS services, in the form that each protocol has for them
 * (docs of Smithy: awsJson, restJson1, rpcv2Cbor, awsQuery, and the trait
 * awsQueryCompatible). Clients look in different places, so all are filled:
 *
 *   awsJson         body __type and message
 *   rest-json       the same, and the header x-amzn-ErrorType
 *   rpc v2 CBOR     a map of __type (with the service's namespace) and message
 *   rpc v2 JSON     the same as JSON
 *   Query           <ErrorResponse> with the query code
 *   a service that was Query before (CloudWatch) has in JSON and CBOR also the
 *   header x-amzn-query-error: CODE;Sender, without which old scripts, which
 *   compare codes, break.
 */
#ifndef TALLY_CORE_SMITHY_ERROR_H
#define TALLY_CORE_SMITHY_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/smithy/shape.h"

enum aws_protocol {
	AWS_JSON_1_0,
	AWS_JSON_1_1,
	AWS_REST_JSON,
	AWS_QUERY,
	AWS_RPC_CBOR,
	AWS_RPC_JSON,
};

struct aws_error {
	const char *shape;
	const char *code; /* the query code; NULL: the shape's name */
	uint16_t status;
	bool receiver; /* our fault, not the sender's */
};

struct aws_service {
	const char *name;      /* as people call it */
	const char *namespace; /* of shapes: "com.amazonaws.cloudwatch" */
	const char *xmlns;     /* of Query answers; NULL: it has no Query */
	bool query_compatible;
	const struct aws_error *errors; /* of its model */
	size_t error_count;
	/* Which of them a request gets that breaks a rule of its shape. */
	const char *missing, *invalid;
};

extern const struct aws_service aws_cloudwatch, aws_xray, aws_logs, aws_ce,
	aws_budgets, aws_lambda;

/* The service's error of this name, or one that all services have; NULL. */
const struct aws_error *aws_error_find(const struct aws_service *service,
				       const char *shape);
/* For what a shape's reader refused: fault->text is the message. */
const struct aws_error *aws_error_of_fault(const struct aws_service *service,
					   const struct shape_fault *fault);

enum { AWS_QUERY_ERROR_MAX = 96, AWS_TYPE_MAX = 128 };

/* What stands around the body. */
struct aws_answer {
	unsigned status;
	const char *content_type;
	const char *error_type;      /* header x-amzn-ErrorType; NULL: none */
	const char *smithy_protocol; /* header of rpc v2; NULL: none */
	char query_error
		[AWS_QUERY_ERROR_MAX]; /* x-amzn-query-error; "": none */
};

const char *aws_content_type(enum aws_protocol protocol);
const char *aws_smithy_protocol(enum aws_protocol protocol);

/* Appends the body to *body and fills *answer. */
void aws_error_write(const struct aws_service *service,
		     enum aws_protocol protocol, const struct aws_error *error,
		     struct sv message, struct sv request_id, struct buf *body,
		     struct aws_answer *answer);

#endif
