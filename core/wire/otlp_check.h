/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of OTLP's messages where they lie: fields that are known have the wire
 * type of the schema, and attributes are not nested deeper than
 * OTLP_NESTING_MAX. Each returns OTLP_OK, why a record is refused (enum
 * otlp_refusal), or ERR_SYNTAX, which refuses the whole body.
 */
#ifndef TALLY_CORE_WIRE_OTLP_CHECK_H
#define TALLY_CORE_WIRE_OTLP_CHECK_H

#include "core/codec/protobuf.h"
#include "core/wire/otlp.h"
#include "core/wire/otlp_fields.h"

int otlp_check_value(struct sv any_value) MUST_USE;
int otlp_check_attribute(struct sv key_value) MUST_USE;
int otlp_check_resource(struct sv resource) MUST_USE;
int otlp_check_scope(struct sv scope) MUST_USE;

/* A message whose fields have one type each, and attributes. types[n] is of
 * field n, up to count; OTLP_UNKNOWN: any. attributes 0: it has none. */
enum { OTLP_UNKNOWN = 0xff };
int otlp_check_flat(struct sv bytes, const uint8_t *types, size_t count,
		    uint32_t attributes) MUST_USE;

/* The worse of two: an error of the body, else what takes precedence. */
static inline int otlp_worse(int a, int b)
{
	if (a < 0 || b < 0)
		return a < b ? a : b;
	return !a || (b && b < a) ? b : a;
}

static inline bool otlp_all_zero(struct sv bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.ptr[i])
			return false;
	return true;
}

#endif
