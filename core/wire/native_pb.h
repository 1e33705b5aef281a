/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf-c with its memory from an arena: nothing it makes is freed one by
 * one. For core/wire alone. */
#ifndef TALLY_CORE_WIRE_NATIVE_PB_H
#define TALLY_CORE_WIRE_NATIVE_PB_H

#include "core/base/arena.h"
#include "core/wire/telemetry.pb-c.h"

/* bytes have been walked (native_walk.h). NULL: *err is ERR_NOMEM or
 * ERR_SYNTAX. */
ProtobufCMessage *native_pb_unpack(const ProtobufCMessageDescriptor *type,
				   struct arena *arena, struct sv bytes,
				   int *err) MUST_USE;
/* Appends message. ERR_LIMIT: out does not hold it (and is as it was). */
int native_pb_pack(struct buf *out, const ProtobufCMessage *message) MUST_USE;

#endif
