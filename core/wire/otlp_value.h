/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP's attributes: AnyValue and KeyValue, read where they lie, and written as
 * plain JSON. The bytes must follow the schema, nested OTLP_NESTING_MAX deep
 * at most (otlp_check_value).
 */
#ifndef TALLY_CORE_WIRE_OTLP_VALUE_H
#define TALLY_CORE_WIRE_OTLP_VALUE_H

#include "core/codec/json_write.h"

/* An AnyValue. */
struct otlp_value {
	uint8_t kind;    /* VALUE_STRING, ...; 0: it is empty */
	uint64_t number; /* of VALUE_BOOL, VALUE_INT, VALUE_DOUBLE */
	struct sv bytes; /* of the others: text, or the message */
};

void otlp_value_read(struct sv any_value, struct otlp_value *out);
/* False: the bytes are not a KeyValue. */
bool otlp_attribute_read(struct sv key_value, struct sv *key,
			 struct otlp_value *out);
/* Text, a number or a truth value. */
bool otlp_is_scalar(const struct otlp_value *value);

/* As JSON: text, a number, true, a list, an object; bytes as base64; what JSON
 * has no number for as text ("NaN"); nothing as null. */
void otlp_value_write(struct json_writer *w, const struct otlp_value *value);

enum otlp_pick { OTLP_ALL, OTLP_SCALARS, OTLP_LISTS };
/* Members, key and value, of those attributes (field `number` of message) that
 * are picked; prefix stands before each key. */
void otlp_attributes_write(struct json_writer *w, struct sv message,
			   uint32_t number, enum otlp_pick pick,
			   struct sv prefix);
/* Whether there are any of them. */
bool otlp_attributes_any(struct sv message, uint32_t number,
			 enum otlp_pick pick);

#endif
