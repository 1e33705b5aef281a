/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span is walked field by field: tags, order and attributes' keys make the
 * shape, everything else is a value. Lengths are not kept: they follow from
 * what is inside, if the sender wrote them in as few bytes as it takes. One
 * that did not (or wrote groups, or bits a varint has no room for) could not
 * be given back, and is verbatim.
 */
#ifndef TALLY_TRACER_SHAPE_SPAN_WALK_H
#define TALLY_TRACER_SHAPE_SPAN_WALK_H

#include "tracer/shape/pack.h"

enum {
	SPAN_LITERAL_MAX = 64, /* bytes of a key in the shape */
	SPAN_NESTED_MAX = 32,  /* messages in messages */
};

/* The messages a span consists of. */
enum span_message { SPAN, EVENT, LINK, STATUS, PAIR, ANY, ARRAY, PAIRS, OTHER };

struct span_walk {
	struct shapes_scratch *scratch;
	uint8_t *step;      /* where the shape goes on */
	uint8_t *steps_end; /* SHAPE_TEXT_MAX, with room for one more step */
	const uint8_t *end; /* of the message */
	size_t first;       /* value */
};

/* Leaves message's shape in the scratch, to *shape, and its values on the
 * stack. False: it can have none. */
bool span_walk(struct shapes_scratch *scratch, struct sv message,
	       enum span_message kind, struct sv *shape);
/* Leaves the places of that shape in the scratch. False: no room. */
bool span_places(struct shapes *s, struct sv shape, enum span_message kind);

/* A varint in its shortest form only. */
bool span_varint_long(struct reader *r, uint64_t *out);
static inline bool span_varint(struct reader *r, uint64_t *out)
{
	if (r->at < r->end && *r->at < 0x80) {
		*out = *r->at++;
		return true;
	}
	return span_varint_long(r, out);
}

#endif
