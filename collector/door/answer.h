/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are not an operation's own: errors, in the form that the
 * request's service and protocol have for them (core/smithy/error.h), or ours
 * for the native API: {"error":{"code","message"}}. A message says what to do.
 */
#ifndef TALLY_COLLECTOR_DOOR_ANSWER_H
#define TALLY_COLLECTOR_DOOR_ANSWER_H

#include "collector/door/operations.h"

/* shape: one of the service's errors or of all services', such as
 * "ThrottlingException"; for the native API the same name is understood and
 * written without "Exception". */
void answer_error(struct request *r, const char *shape, const char *message);
/* An error that no model lists, such as those of signatures. */
void answer_error_as(struct request *r, const struct aws_error *error,
		     const char *message);

#endif
