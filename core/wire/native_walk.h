/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker: reads over the wire bytes with the schema at hand, before
 * protobuf-c allocates anything for them. The schema does not nest in itself,
 * so three levels are the deepest there is; unknown fields are opaque. What a
 * small message could make large is counted: empty submessages (2 bytes each),
 * unknown fields, and all fields together.
 *
 * It also finds texts with a NUL inside, which protobuf-c's C strings would
 * silently cut.
 */
#ifndef TALLY_CORE_WIRE_NATIVE_WALK_H
#define TALLY_CORE_WIRE_NATIVE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/wire/native.h"

enum {
	NATIVE_DIMENSIONS_MAX = BATCH_RECORDS_MAX * DIMENSIONS_MAX,
	NATIVE_REFUSALS_MAX = 4 * BATCH_RECORDS_MAX,
};

enum native_message {
	MESSAGE_BATCH,
	MESSAGE_SEGMENT,
	MESSAGE_DATUM,
	MESSAGE_DIMENSION,
	MESSAGE_STATISTICS,
	MESSAGE_STREAM,
	MESSAGE_EVENT,
	MESSAGE_USAGE,
	MESSAGE_ANSWER,
	MESSAGE_REFUSAL,
	MESSAGE_COUNT,
};

struct native_walk {
	uint32_t counts[MESSAGE_COUNT];
	uint32_t fields, unknown;
	bool nul; /* a text of the message itself has one */
	/* Bit i of [kind]: a text of record i has a NUL. */
	uint8_t record_nul[RECORD_USAGE + 1][BATCH_RECORDS_MAX / 8 + 1];
	const char *what; /* on an error: what is wrong */
};

/* *w zeroed; message is MESSAGE_BATCH or MESSAGE_ANSWER. 0, ERR_SYNTAX or
 * ERR_LIMIT. */
int native_walk(struct native_walk *w, enum native_message message,
		struct sv bytes) MUST_USE;

static inline bool native_walk_nul(const struct native_walk *w,
				   enum record_kind kind, size_t index)
{
	return w->record_nul[kind][index / 8] >> index % 8 & 1;
}

#endif
