/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/numbers_form.h"

/* width bits from the one at `bit` on. The caller has checked that they are
 * there; what is behind end is not touched. */
static uint64_t bits_at(const uint8_t *bits, uint64_t bit, unsigned width,
			const uint8_t *end)
{
	const uint8_t *at = bits + bit / 8;
	unsigned shift = (unsigned)(bit % 8);
	uint64_t v = 0;

	if (!width)
		return 0;
	if (end - at >= 9) {
		v = get_le64(at) >> shift;
		if (shift + width > 64)
			v |= (uint64_t)at[8] << (64 - shift);
	} else {
		for (unsigned i = 0; i < 9 && at + i < end; i++)
			if (8 * i >= shift)
				v |= 8 * i - shift < 64 ?
					     (uint64_t)at[i]
						     << (8 * i - shift) :
					     0;
			else
				v |= (uint64_t)at[i] >> shift;
	}
	return width < 64 ? v & ((UINT64_C(1) << width) - 1) : v;
}

static const uint8_t *take_bits(struct reader *tail, uint64_t bits)
{
	return read_bytes(tail, bits / 8 + (bits % 8 != 0));
}

static int open_list(struct numbers *n, struct reader *head,
		     struct reader *tail, struct arena *arena)
{
	uint64_t count = read_varint(head), v = 0;
	uint64_t *list;

	if (count == 0 || count > NUMBERS_LIST_MAX ||
	    count > (size_t)(head->end - head->at))
		return ERR_CORRUPT;
	list = arena_alloc(arena, count * sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	for (uint64_t i = 0; i < count; i++) {
		v += read_varint(head);
		list[i] = v;
	}
	n->list = list;
	n->list_count = (uint32_t)count;
	n->width = (uint8_t)bit_length(count - 1);
	n->bits = take_bits(tail, (uint64_t)n->count * n->width);
	return 0;
}

static void remember_list(const struct numbers *n, struct numbers_lists *lists)
{
	if (lists->count == NUMBERS_LISTS_MAX)
		return;
	lists->lists[lists->count++] =
		(struct numbers_listed){ n->bits, n->count, n->list_count,
					 n->width };
}

static int open_follower(struct numbers *n, const struct numbers_lists *lists,
			 struct reader *head, struct arena *arena)
{
	uint64_t which = read_varint(head);
	const struct numbers_listed *leader;
	uint64_t *list;

	if (which >= lists->count)
		return ERR_CORRUPT;
	leader = &lists->lists[which];
	if (leader->count != n->count ||
	    leader->list_count > (size_t)(head->end - head->at))
		return ERR_CORRUPT;
	list = arena_alloc(arena, leader->list_count * sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < leader->list_count; i++)
		list[i] = read_varint(head);
	n->bits = leader->bits;
	n->width = leader->width;
	n->list = list;
	n->list_count = leader->list_count;
	n->form = NUMBERS_LIST; /* from here on it is one */
	return 0;
}

static int open_usual(struct numbers *n, struct reader *head,
		      struct arena *arena)
{
	uint64_t count, place = 0;
	uint32_t *places;
	uint64_t *list;

	n->base = read_varint(head);
	count = read_varint(head);
	if (count > n->count || count > (size_t)(head->end - head->at))
		return ERR_CORRUPT;
	list = arena_alloc(arena, count * sizeof(*list));
	places = arena_alloc(arena, count * sizeof(*places));
	if (!list || !places)
		return ERR_NOMEM;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t gap = read_varint(head);

		place += gap;
		if (gap >= n->count || place >= n->count || (i && !gap))
			return ERR_CORRUPT;
		places[i] = (uint32_t)place;
	}
	for (uint64_t i = 0; i < count; i++)
		list[i] = read_varint(head);
	n->list = list;
	n->places = places;
	n->list_count = (uint32_t)count;
	return 0;
}

static int open_lengths(struct numbers *n, struct reader *head,
			struct reader *tail)
{
	n->base = read_varint(head);
	n->scale = read_varint(head);
	n->class_least = read_byte(head);
	n->class_width = read_byte(head);
	n->digits_end = read_varint(head);
	if (n->class_least > 64 || n->class_width > 7 ||
	    n->digits_end > (uint64_t)n->count * 63)
		return ERR_CORRUPT;
	n->bits = take_bits(tail, (uint64_t)n->count * n->class_width);
	n->digits = take_bits(tail, n->digits_end);
	return 0;
}

int numbers_open(struct numbers *n, struct numbers_lists *lists,
		 struct reader *head, struct reader *tail, struct arena *arena)
{
	uint64_t count = read_varint(head);
	int e = 0;

	*n = (struct numbers){ .scale = 1 };
	if (head->bad || count > NUMBERS_MAX)
		return ERR_CORRUPT;
	n->count = (uint32_t)count;
	if (!count)
		return 0;
	n->form = read_byte(head);
	switch (n->form) {
	case NUMBERS_SAME:
		n->base = read_varint(head);
		break;
	case NUMBERS_BITS:
		n->base = read_varint(head);
		n->scale = read_varint(head);
		n->width = read_byte(head);
		if (n->width > 64)
			return ERR_CORRUPT;
		n->bits = take_bits(tail, count * n->width);
		break;
	case NUMBERS_LIST:
		e = open_list(n, head, tail, arena);
		if (!e)
			remember_list(n, lists);
		break;
	case NUMBERS_FOLLOWS:
		e = open_follower(n, lists, head, arena);
		break;
	case NUMBERS_USUAL:
		e = open_usual(n, head, arena);
		break;
	case NUMBERS_LENGTHS:
		e = open_lengths(n, head, tail);
		break;
	default:
		e = ERR_CORRUPT;
	}
	n->end = tail->end;
	return e ? e : head->bad || tail->bad ? ERR_CORRUPT : 0;
}

/* How many bits the number at place i has. */
static unsigned length_at(const struct numbers *n, uint32_t i)
{
	return n->class_least + (unsigned)bits_at(n->bits,
						  (uint64_t)i * n->class_width,
						  n->class_width, n->end);
}

static uint64_t next_by_length(struct numbers *n, uint32_t at)
{
	unsigned length = length_at(n, at), digits;
	uint64_t v;

	if (length < 2)
		return n->base + length * n->scale;
	digits = length - 1;
	if (length > 64 || digits > n->digits_end - n->digit) {
		n->bad = true;
		return 0;
	}
	v = bits_at(n->digits, n->digit, digits, n->end);
	n->digit += digits;
	return n->base + (v | UINT64_C(1) << digits) * n->scale;
}

uint64_t numbers_next(struct numbers *n)
{
	uint32_t at = n->at;
	uint64_t v;

	if (at >= n->count) {
		n->bad = true;
		return 0;
	}
	n->at++;
	switch (n->form) {
	case NUMBERS_BITS:
		v = bits_at(n->bits, (uint64_t)at * n->width, n->width, n->end);
		return n->base + v * n->scale;
	case NUMBERS_LIST:
		v = bits_at(n->bits, (uint64_t)at * n->width, n->width, n->end);
		if (v < n->list_count)
			return n->list[v];
		n->bad = true;
		return 0;
	case NUMBERS_USUAL:
		if (n->list_at < n->list_count && n->places[n->list_at] == at)
			return n->list[n->list_at++];
		return n->base;
	case NUMBERS_LENGTHS:
		return next_by_length(n, at);
	default:
		return n->base;
	}
}

void numbers_skip(struct numbers *n, uint64_t count)
{
	uint32_t from = n->at;

	if (count > n->count - n->at) {
		n->bad = true;
		count = n->count - n->at;
	}
	n->at += (uint32_t)count;
	if (n->form == NUMBERS_USUAL) {
		while (n->list_at < n->list_count &&
		       n->places[n->list_at] < n->at)
			n->list_at++;
	} else if (n->form == NUMBERS_LENGTHS) {
		for (; from < n->at; from++) {
			unsigned length = length_at(n, from);

			n->digit += length ? length - 1 : 0;
		}
		if (n->digit > n->digits_end) {
			n->digit = n->digits_end;
			n->bad = true;
		}
	}
}

bool numbers_same(const struct numbers *n, uint64_t *v)
{
	*v = n->base;
	return n->form == NUMBERS_SAME;
}

uint64_t numbers_sum(struct numbers *n, uint64_t count)
{
	uint64_t sum = 0;

	if (n->form == NUMBERS_SAME && count <= n->count - n->at) {
		n->at += (uint32_t)count;
		return count * n->base;
	}
	for (; count && !n->bad; count--)
		sum += numbers_next(n);
	return sum;
}
