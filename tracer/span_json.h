/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a span as plain JSON, for its segment document (span_xray.c). */
#ifndef TALLY_TRACER_SPAN_JSON_H
#define TALLY_TRACER_SPAN_JSON_H

#include "core/codec/json_write.h"
#include "tracer/span_facts.h"

/* An attribute's value: text, number, true, a list, an object; bytes as base64;
 * what JSON has no number for as text ("NaN"); nothing as null. */
void span_json_value(struct json_writer *w, const struct span_value *value);
/* Text, a number or a truth value: what an annotation may be. */
bool span_is_scalar(const struct span_value *value);

enum span_pick { SPAN_ALL, SPAN_SCALARS, SPAN_LISTS };
/* Members, key and value, of those attributes (field `number` of message) that
 * are picked; prefix stands before each key. False: there were none. */
bool span_json_attributes(struct json_writer *w, struct sv message,
			  uint32_t number, enum span_pick pick,
			  struct sv prefix);
bool span_has_attributes(struct sv message, uint32_t number,
			 enum span_pick pick);

/* The frames of a stack trace as it is printed by Node.js, Python or Java:
 * members of a list {"path","line","label"}, the innermost first, at most
 * SPAN_FRAMES_MAX. */
enum { SPAN_FRAMES_MAX = 100 };
void span_json_stack(struct json_writer *w, struct sv stack);

#endif
