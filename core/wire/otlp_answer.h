/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is answered to OTLP's exports: an Export...ServiceResponse, empty or
 * with partialSuccess, and google.rpc.Status for a request of which nothing was
 * taken; each in the request's own encoding.
 */
#ifndef TALLY_CORE_WIRE_OTLP_ANSWER_H
#define TALLY_CORE_WIRE_OTLP_ANSWER_H

#include "core/wire/otlp.h"

/* google.rpc.Code, as far as they are used; gRPC's status codes too. */
enum rpc_code {
	RPC_OK = 0,
	RPC_UNKNOWN = 2,
	RPC_INVALID_ARGUMENT = 3,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_NOT_FOUND = 5,
	RPC_PERMISSION_DENIED = 7,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
	RPC_UNAUTHENTICATED = 16,
};

/* What an error of a body or of the journal is to a client: only
 * RPC_UNAVAILABLE asks it to send the same again. */
enum rpc_code rpc_code_of_err(int err);
/* What the door says by HTTP's status. */
enum rpc_code rpc_code_of_http(unsigned status);

/* "application/x-protobuf", "application/json" */
const char *otlp_content_type(enum otlp_encoding encoding);
/* message is left out where it is empty. */
void otlp_response_put(struct buf *out, enum otlp_signal signal,
		       enum otlp_encoding encoding, uint64_t rejected,
		       struct sv message);
/* retry_after_s 0: no google.rpc.RetryInfo. */
void otlp_status_put(struct buf *out, enum otlp_encoding encoding,
		     enum rpc_code code, struct sv message,
		     unsigned retry_after_s);

#endif
