/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of a column of numbers, for its writer and its reader. */
#ifndef TALLY_TRACER_SHAPE_NUMBERS_FORM_H
#define TALLY_TRACER_SHAPE_NUMBERS_FORM_H

#include "tracer/shape/numbers.h"

enum numbers_form {
	NUMBERS_SAME,  /* varint number */
	NUMBERS_BITS,  /* varint least, varint scale, byte width */
	NUMBERS_LIST,  /* varint how many, varint what each is over the last */
	NUMBERS_USUAL, /* varint number, varint exceptions; of each varint how
			* far behind the one before; of each varint number */
	NUMBERS_LENGTHS, /* varint least, varint scale, byte shortest, byte
			  * class width, varint digits */
	NUMBERS_FORMS,
};

/* How many bits it takes to write v: 0 for 0. */
static inline unsigned bit_length(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

#endif
