/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value's text as bytes that say the same in less, and back. Only forms that
 * print in exactly one way are taken: lower-case hex, UUIDs, X-Ray's trace
 * ids, decimal numbers without exponent, leading zeros or -0.
 */
#ifndef TALLY_TRACER_SHAPE_VALUE_H
#define TALLY_TRACER_SHAPE_VALUE_H

#include "tracer/shape/inner.h"

enum { VALUE_BYTES_MAX = 1 + PROTOBUF_VARINT_MAX + 16 }; /* but for text */

/* Writes text as a value of binary kind, at most VALUE_BYTES_MAX bytes; the
 * end of it, or NULL if it is none. */
uint8_t *value_put_binary(uint8_t *to, struct sv text,
			  const uint8_t trace_id[TRACE_ID_SIZE]);
/* kind, length and text; needs VALUE_BYTES_MAX and the text's length. */
uint8_t *value_put_text(uint8_t *to, struct sv text);
uint8_t *value_put_number(uint8_t *to, uint64_t bits);

/* Reads a value of any kind and appends its text. r->bad where it is none, or
 * names no entry of kind TEXT. */
void value_get(const struct shapes *s, struct reader *r,
	       const uint8_t trace_id[TRACE_ID_SIZE], struct buf *out);

#endif
