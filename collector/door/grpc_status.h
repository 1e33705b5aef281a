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
#include "core/wire/otlp_answer.h"

enum { GRPC_MESSAGE_MAX = 512 }; /* bytes of grpc-message, before escapes */

/* Of what HTTP would have said, but for one: a path names a method here, so
 * that 404 is UNIMPLEMENTED. */
enum rpc_code grpc_status_of_http(unsigned status);

/* "10S", "9971m": at most eight digits and a unit of H M S m u n. Whole
 * milliseconds, rounded up. False: not that. */
bool grpc_timeout_parse(struct sv text, uint64_t *out_ms) MUST_USE;

/* Appends text as grpc-message is sent: bytes outside 0x20 to 0x7e, and '%', as
 * %XX; cut at GRPC_MESSAGE_MAX, never inside a character of UTF-8. */
void grpc_message_put(struct buf *out, struct sv text);

/* Appends grpc-status-details-bin: google.rpc.Status in base64, with RetryInfo
 * of retry_after_s. */
void grpc_details_put(struct buf *out, enum rpc_code status, struct sv message,
		      unsigned retry_after_s);

#endif
