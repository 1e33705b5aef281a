/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gRPC says besides messages: statuses, time-outs, and the texts of its
 * headers. Pure. Sources: grpc.io "gRPC over HTTP2" (grpc-timeout, percent
 * encoding), google/rpc/{status,code,error_details}.proto, and OTLP's rules of
 * what is sent again: UNAVAILABLE always, RESOURCE_EXHAUSTED where RetryInfo
 * says when.
 */
#ifndef TALLY_COLLECTOR_DOOR_GRPC_STATUS_H
#define TALLY_COLLECTOR_DOOR_GRPC_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum grpc_status {
	GRPC_OK = 0,
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_NOT_FOUND = 5,
	GRPC_PERMISSION_DENIED = 7,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_ABORTED = 10,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
	GRPC_UNAUTHENTICATED = 16,
};

enum { GRPC_MESSAGE_MAX = 512 }; /* bytes of grpc-message, before escapes */

/* Of what HTTP would have said: 400 is INVALID_ARGUMENT, 413 and 429 are
 * RESOURCE_EXHAUSTED, 404 is UNIMPLEMENTED, since paths name methods here. */
enum grpc_status grpc_status_of_http(unsigned status);

/* "10S", "9971m": at most eight digits and a unit of H M S m u n. Whole
 * milliseconds, rounded up. False: not that. */
bool grpc_timeout_parse(struct sv text, uint64_t *out_ms) MUST_USE;

/* Appends text as grpc-message is sent: bytes outside 0x20 to 0x7e, and '%', as
 * %XX; cut at GRPC_MESSAGE_MAX, never inside a character of UTF-8. */
void grpc_message_put(struct buf *out, struct sv text);

/* Appends grpc-status-details-bin: google.rpc.Status in base64, with RetryInfo
 * of retry_after_s. */
void grpc_details_put(struct buf *out, enum grpc_status status,
		      struct sv message, unsigned retry_after_s);

#endif
