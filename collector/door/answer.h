/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operation of an AWS service reads and writes, by its shapes and in
 * the protocol of the request (core/smithy/message.h); and
 * answers that are not an operation's own: errors, in the form that the
 * request's service and protocol have for them (core/smithy/error.h), or ours
 * for the native API: {"error":{"code","message"}}. A message says what to do.
 */
#ifndef TALLY_COLLECTOR_DOOR_ANSWER_H
#define TALLY_COLLECTOR_DOOR_ANSWER_H

#include "collector/door/operations.h"
#include "core/smithy/shape.h"

/* shape: one of the service's errors or of all services', such as
 * "ThrottlingException"; for the native API the same name is understood and
 * written without "Exception". */
void answer_error(struct request *r, const char *shape, const char *message);
/* An error that no model lists, such as those of signatures. */
void answer_error_as(struct request *r, const struct aws_error *error,
		     const char *message);

/* The error of a request that breaks a rule of its shape. */
void answer_fault(struct request *r, const struct shape_fault *fault);

/* Makes r->body what it was before Content-Encoding: gzip, at most bytes_max
 * bytes; nothing where there is none, or was done before. False: the error is
 * r's reply. */
bool answer_plain_body(struct request *r, size_t bytes_max) MUST_USE;
/* Fills *in, a struct of shape->size, from the request; text is borrowed from
 * r->body and r->arena. False: the error is r's reply. */
bool answer_read(struct request *r, const struct shape *shape,
		 void *in) MUST_USE;
/* Status 200 and *out; shape NULL: the operation has no output. */
void answer_write(struct request *r, const struct shape *shape,
		  const void *out);

#endif
