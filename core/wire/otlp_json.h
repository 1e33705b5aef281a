/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP in JSON, to protobuf and back, so that everything behind the door knows
 * one form. The JSON is protobuf's own with OTLP's exceptions: ids are hex
 * (either case), enums are numbers (names are understood as well), and keys are
 * lowerCamelCase. 64-bit integers may be text or numbers. Keys that the schema
 * has not got are passed over, null is as if it were not there.
 *
 * An id that is not hex becomes one that is refused with its record alone; any
 * other value of the wrong kind is an error of the body, by its key.
 */
#ifndef TALLY_CORE_WIRE_OTLP_JSON_H
#define TALLY_CORE_WIRE_OTLP_JSON_H

#include "core/base/arena.h"
#include "core/codec/json_write.h"
#include "core/wire/otlp_schema.h"

/* text, a JSON document, to the message's bytes, appended to out. What it needs
 * on its way is in the arena, and given back. ERR_SYNTAX: no JSON; ERR_INVALID:
 * a value of the wrong kind; ERR_LIMIT: over JSON_DEPTH_MAX, or out's limit
 * (diag says what); ERR_NOMEM. */
int otlp_json_read(enum otlp_message message, struct arena *arena,
		   struct sv text, struct buf *out, struct diag *diag) MUST_USE;

/* A message's bytes as one JSON object; fields that are not known are left out.
 * ERR_SYNTAX: they are not a message of this kind; ERR_LIMIT: nested deeper
 * than a writer can. What was written then is cut short. */
int otlp_json_write(enum otlp_message message, struct sv bytes,
		    struct json_writer *w) MUST_USE;

#endif
