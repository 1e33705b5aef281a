/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "tracer/shape/span_walk.h"

/* What the times and ids of a span and of its events are. */
static enum place_role role_of(enum span_message kind, unsigned nested,
			       uint64_t number)
{
	if (nested)
		return PLACE_PLAIN;
	if (kind == SPAN && number == 2)
		return PLACE_ID;
	if ((kind == SPAN && number == 7) || (kind == EVENT && number == 1))
		return PLACE_START;
	return kind == SPAN && number == 8 ? PLACE_END : PLACE_PLAIN;
}

static bool name_place(struct shapes *s, uint64_t number, enum place_role role)
{
	struct shapes_scratch *scratch = shapes_scratch(s);
	size_t length = scratch->name.len;
	uint32_t column;

	buf_u64(&scratch->name, number);
	column = shapes_enter(s, ENTRY_COLUMN, buf_view(&scratch->name));
	scratch->name.len = length;
	if (column != SHAPE_NONE)
		place_put(&scratch->places, column, role);
	return column != SHAPE_NONE;
}

static void name_key(struct buf *name, struct reader *steps)
{
	uint64_t n = read_varint(steps);
	const uint8_t *key = read_bytes(steps, n);

	assert(key);
	buf_add(name, key, (size_t)n);
	buf_char(name, '.');
}

/* As the place would be called if the attribute were opened for it. */
static bool name_pair(struct shapes *s, uint8_t step, uint64_t number,
		      struct reader *steps)
{
	struct buf *name = &shapes_scratch(s)->name;
	size_t length = name->len;
	bool good;

	buf_u64(name, number);
	buf_char(name, '.');
	name_key(name, steps);
	buf_text(name, "2.");
	good = name_place(s,
			  step == SPAN_PAIR_TEXT ? 1 :
			  step == SPAN_PAIR_BOOL ? 2 :
						   3,
			  PLACE_PLAIN);
	name->len = length;
	return good;
}

/* Columns are named by the numbers of their field and those around it, and
 * by the key of the attribute. */
bool span_places(struct shapes *s, struct sv shape, enum span_message kind)
{
	static const char prefix[][8] = { "span ", "event ", "link " };
	struct shapes_scratch *scratch = shapes_scratch(s);
	struct reader r = reader_of(shape);
	struct buf *name = &scratch->name;
	size_t lengths[SPAN_NESTED_MAX + 2] = { 0 };
	unsigned nested = 0;
	bool good = true;

	assert(kind <= LINK);
	buf_reset(&scratch->places);
	buf_reset(name);
	buf_text(name, prefix[kind]);
	while (r.at < r.end && good) {
		uint8_t step = read_byte(&r);
		uint64_t number = 0;

		if (step == SPAN_CLOSE) {
			assert(nested);
			name->len = lengths[--nested];
			continue;
		}
		if (step != SPAN_SOURCE)
			number = read_varint(&r) >> 3;
		if (step == SPAN_OPEN) {
			lengths[nested++] = name->len;
			buf_u64(name, number);
			buf_char(name, '.');
		} else if (step == SPAN_LITERAL) {
			name_key(name, &r);
		} else if (step >= SPAN_PAIR_TEXT) {
			good = name_pair(s, step, number, &r);
		} else {
			good = name_place(s, number,
					  step == SPAN_LIST ?
						  PLACE_LIST :
						  role_of(kind, nested,
							  number));
		}
	}
	return good && !name->failed && !scratch->places.failed;
}
