/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/pack.h"

#include <assert.h>
#include <stdlib.h>

bool pack_room(struct shapes_scratch *scratch)
{
	size_t cap = 2 * scratch->value_cap + SHAPE_PLACES_MAX;
	struct pack_value *values;

	if (scratch->value_cap - scratch->value_count >= SHAPE_PLACES_MAX)
		return true;
	values = realloc(scratch->values, cap * sizeof(*values));
	if (!values)
		return false;
	scratch->values = values;
	scratch->value_cap = cap;
	return true;
}

static uint8_t *put_entry(uint8_t *at, uint32_t number)
{
	*at = VALUE_ENTRY;
	return varint_put(at + 1, number);
}

static void remember(const struct shapes *s, struct shape_memo *memo,
		     uint32_t number)
{
	enum entry_kind kind;
	struct sv text;

	if (!shapes_entry(s, number, &kind, &text))
		return;
	memo->number = number;
	memo->at = (uint32_t)((const uint8_t *)text.ptr - s->text);
	memo->len = (uint32_t)text.len;
}

uint8_t *pack_text(struct shapes *s, uint8_t *at, struct sv text,
		   const uint8_t trace_id[TRACE_ID_SIZE], uint32_t shape,
		   uint32_t place)
{
	struct shape_memo *memo =
		&shapes_scratch(s)->memos[(shape * 37 + place) % SHAPE_MEMOS];
	uint8_t *end;
	uint32_t number;

	if (text.len == memo->len && text.len &&
	    shapes_same(s->text + memo->at, text.ptr, text.len))
		return put_entry(at, memo->number);
	end = value_put_binary(at, text, trace_id);
	if (end)
		return end;
	if (text.len && text.len <= SHAPE_STRING_MAX) {
		number = shapes_string(s, text, shape, place);
		if (number != SHAPE_NONE) {
			remember(s, memo, number);
			return put_entry(at, number);
		}
	}
	return value_put_text(at, text);
}

uint8_t *pack_verbatim(uint8_t *at, uint32_t shape, struct sv text)
{
	return value_put_text(varint_put(at, shape), text);
}

uint8_t *pack_begin(struct shapes *s, size_t size)
{
	struct shapes_scratch *scratch = shapes_scratch(s);

	buf_reset(&scratch->row);
	scratch->value_count = 0;
	return (uint8_t *)buf_grow(&scratch->row, size);
}

bool pack_end(struct shapes *s, const uint8_t *end, struct buf *row)
{
	const uint8_t *begin = (const uint8_t *)shapes_scratch(s)->row.ptr;

	assert(end > begin);
	if (row->failed)
		return false;
	buf_add(row, begin, (size_t)(end - begin));
	return !row->failed;
}
