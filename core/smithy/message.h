/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages: an operation's input from a whole body, and its output as one, in
 * each of the protocols (facts: docs of Smithy; awsJson, restJson1, rpcv2Cbor,
 * awsQuery). Input of nothing at all is an empty structure, as clients send it
 * where no member is given.
 *
 * Operations without output answer: awsJson and CBOR an empty body (CBOR
 * without a content type), REST and rpc v2 JSON an empty object, Query
 * <OpResponse> without a result.
 */
#ifndef TALLY_CORE_SMITHY_MESSAGE_H
#define TALLY_CORE_SMITHY_MESSAGE_H

#include "core/smithy/error.h"
#include "core/smithy/shape.h"

/* Fills *in, a struct of shape->size, which borrows from body and arena. 0;
 * ERR_INVALID: it breaks a rule of its shape (fault says it, its rule is set)
 * or, of a form, its names do not go together; ERR_SYNTAX, ERR_LIMIT: it is no
 * such document, diag says where; ERR_NOMEM. */
int aws_message_read(enum aws_protocol protocol, const struct shape *shape,
		     struct sv body, struct arena *arena, void *in,
		     struct shape_fault *fault, struct diag *diag) MUST_USE;

/* Appends the body to *body and fills *answer. shape NULL: no output. */
void aws_message_write(const struct aws_service *service,
		       enum aws_protocol protocol, const char *operation,
		       const struct shape *shape, const void *out,
		       struct sv request_id, struct buf *body,
		       struct aws_answer *answer);

#endif
