/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/span_walk.h"

enum { STEP_MAX = 24 + 2 * PROTOBUF_VARINT_MAX + SPAN_LITERAL_MAX };

/* What the fields of messages are. What is not in here is a value by its wire
 * type. */
enum { FIELDS = 16 };

struct field_rule {
	uint8_t step;
	uint8_t inner; /* enum span_message */
};

static const struct field_rule rules[OTHER + 1][FIELDS] = {
	[SPAN] = { [1] = { SPAN_ID, OTHER },
		   [2] = { SPAN_ID, OTHER },
		   [4] = { SPAN_ID, OTHER },
		   [9] = { SPAN_OPEN, PAIR },
		   [11] = { SPAN_LIST, EVENT },
		   [13] = { SPAN_LIST, LINK },
		   [15] = { SPAN_OPEN, STATUS } },
	[EVENT] = { [3] = { SPAN_OPEN, PAIR } },
	[LINK] = { [1] = { SPAN_ID, OTHER },
		   [2] = { SPAN_ID, OTHER },
		   [4] = { SPAN_OPEN, PAIR } },
	[PAIR] = { [1] = { SPAN_LITERAL, OTHER }, [2] = { SPAN_OPEN, ANY } },
	[ANY] = { [5] = { SPAN_OPEN, ARRAY }, [6] = { SPAN_OPEN, PAIRS } },
	[ARRAY] = { [1] = { SPAN_OPEN, ANY } },
	[PAIRS] = { [1] = { SPAN_OPEN, PAIR } },
};

bool span_varint_long(struct reader *r, uint64_t *out)
{
	const uint8_t *at = r->at;
	uint64_t v = 0;

	for (unsigned shift = 0; at < r->end && shift < 70; shift += 7) {
		uint8_t b = *at++;

		if (shift == 63 && b > 1)
			return false;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			r->at = at;
			*out = v;
			return b != 0 || shift == 0;
		}
	}
	return false;
}

static void put_step(struct span_walk *w, unsigned step, uint64_t tag)
{
	*w->step++ = (uint8_t)step;
	if (tag < 0x80)
		*w->step++ = (uint8_t)tag;
	else
		w->step = varint_put(w->step, tag);
}

static void put_literal(struct span_walk *w, const uint8_t *from, size_t n)
{
	*w->step++ = (uint8_t)n;
	pack_copy(w->step, from, n, w->end);
	w->step += n;
}

/* An attribute of one text or number, as all senders write it, is one step:
 *
 *   0a klen key 12 vlen ( 0a len text | 10 varint | 18 varint )
 *
 * with every length below 128. Anything else is left to the general way. */
static bool take_pair(struct span_walk *w, uint64_t tag, const uint8_t *pair,
		      size_t n)
{
	unsigned form = SPAN_PAIR_TEXT;
	uint64_t number = 0;
	struct reader r;
	size_t key;

	if (n < 6 || n >= 0x80 || pair[0] != 0x0a ||
	    pair[1] > SPAN_LITERAL_MAX || (size_t)pair[1] + 6 > n)
		return false;
	key = pair[1];
	r = (struct reader){ pair + 2 + key, pair + n, false };
	if (r.at[0] != 0x12 || r.at[1] != n - key - 4 || tag >= 0x80)
		return false;
	if (r.at[2] == 0x18 || r.at[2] == 0x10) {
		form = r.at[2] == 0x18 ? SPAN_PAIR_INT : SPAN_PAIR_BOOL;
		r.at += 3;
		if (!span_varint(&r, &number) || r.at != r.end)
			return false;
	} else if (r.at[2] != 0x0a || r.at[3] != n - key - 6) {
		return false;
	}
	put_step(w, form, tag);
	put_literal(w, pair + 2, key);
	return form == SPAN_PAIR_TEXT ?
		       pack_note_text(w->scratch, w->first, form,
				      pair + key + 6, n - key - 6) :
		       pack_note_number(w->scratch, w->first, form, number);
}

static bool take_list(struct span_walk *w, struct reader *r, uint64_t tag,
		      unsigned inner, struct sv first)
{
	struct pack_value *list = pack_note(w->scratch, w->first);
	struct reader ahead = *r;
	uint64_t next, n;

	if (!list)
		return false;
	list->form = SPAN_LIST;
	list->text = first.ptr;
	list->list = (uint32_t)first.len;
	list->key = inner;
	list->count = 1;
	while (span_varint(&ahead, &next) && next == tag &&
	       span_varint(&ahead, &n) && read_bytes(&ahead, n)) {
		*r = ahead;
		list->count++;
	}
	list->len = (uint32_t)((const char *)r->at - first.ptr);
	put_step(w, SPAN_LIST, tag);
	return true;
}

static bool walk(struct span_walk *w, const uint8_t *at, const uint8_t *end,
		 unsigned kind, unsigned depth);

static bool take_bytes(struct span_walk *w, struct reader *r, uint64_t tag,
		       struct field_rule rule, unsigned depth)
{
	unsigned form = SPAN_TEXT;
	const uint8_t *bytes;
	uint64_t n;

	if (!span_varint(r, &n) || !(bytes = read_bytes(r, n)))
		return false;
	switch (rule.step) {
	case SPAN_OPEN:
		if (rule.inner == PAIR && take_pair(w, tag, bytes, (size_t)n))
			return true;
		put_step(w, SPAN_OPEN, tag);
		if (!walk(w, bytes, bytes + n, rule.inner, depth + 1))
			return false;
		*w->step++ = SPAN_CLOSE;
		return true;
	case SPAN_LITERAL:
		if (n > SPAN_LITERAL_MAX)
			break;
		put_step(w, SPAN_LITERAL, tag);
		put_literal(w, bytes, (size_t)n);
		return true;
	case SPAN_LIST:
		return take_list(w, r, tag, rule.inner,
				 sv_make((const char *)bytes, (size_t)n));
	case SPAN_ID:
		form = SPAN_ID;
		break;
	default:
		break;
	}
	put_step(w, form, tag);
	return pack_note_text(w->scratch, w->first, form, bytes, (size_t)n);
}

static bool take_number(struct span_walk *w, struct reader *r, uint64_t tag)
{
	unsigned form = SPAN_VARINT;
	const uint8_t *bytes;
	uint64_t number;

	switch (tag & 7) {
	case PROTOBUF_VARINT:
		if (!span_varint(r, &number))
			return false;
		break;
	case PROTOBUF_FIXED64:
		form = SPAN_FIXED64;
		bytes = read_bytes(r, 8);
		if (!bytes)
			return false;
		number = get_le64(bytes);
		break;
	case PROTOBUF_FIXED32:
		form = SPAN_FIXED32;
		bytes = read_bytes(r, 4);
		if (!bytes)
			return false;
		number = get_le32(bytes);
		break;
	default:
		return false;
	}
	put_step(w, form, tag);
	return pack_note_number(w->scratch, w->first, form, number);
}

static bool walk(struct span_walk *w, const uint8_t *at, const uint8_t *end,
		 unsigned kind, unsigned depth)
{
	struct reader r = { at, end, false };
	uint64_t tag;

	if (depth > SPAN_NESTED_MAX)
		return false;
	while (r.at < r.end) {
		struct field_rule rule = { 0, OTHER };
		bool good;

		if (!span_varint(&r, &tag) || tag < 8 || tag > UINT32_MAX ||
		    w->step > w->steps_end)
			return false;
		if (tag < 8 * FIELDS)
			rule = rules[kind][tag >> 3];
		good = (tag & 7) == PROTOBUF_BYTES ?
			       take_bytes(w, &r, tag, rule, depth) :
			       take_number(w, &r, tag);
		if (!good)
			return false;
	}
	return true;
}

bool span_walk(struct shapes_scratch *scratch, struct sv message,
	       enum span_message kind, struct sv *shape)
{
	struct span_walk w = { .scratch = scratch,
			       .end = (const uint8_t *)message.ptr +
				      message.len,
			       .first = scratch->value_count };

	buf_reset(&scratch->shape);
	w.step =
		(uint8_t *)buf_grow(&scratch->shape, SHAPE_TEXT_MAX + STEP_MAX);
	if (!w.step || !pack_room(scratch))
		return false;
	w.steps_end = w.step + SHAPE_TEXT_MAX;
	if (kind == SPAN)
		*w.step++ = SPAN_SOURCE;
	if (!walk(&w, (const uint8_t *)message.ptr, w.end, kind, 0))
		return false;
	shape->ptr = scratch->shape.ptr;
	shape->len = (size_t)((char *)w.step - scratch->shape.ptr);
	return true;
}
