/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/shape/numbers_form.h"

int numbers_writer_new(struct numbers_writer **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : ERR_NOMEM;
}

void numbers_writer_free(struct numbers_writer *w)
{
	if (!w)
		return;
	for (int i = 0; i < NUMBERS_LISTS_MAX; i++)
		free(w->listed[i].index);
	free(w);
}

void numbers_begin(struct numbers_writer *w)
{
	w->listed_count = 0;
}

/* --- bits -------------------------------------------------------------------------- */

struct bit_writer {
	uint8_t *at;
	uint64_t held;
	unsigned count; /* of bits held, below 64 */
};

static void bits_add(struct bit_writer *w, uint64_t v, unsigned width)
{
	w->held |= v << w->count;
	if (w->count + width >= 64) {
		put_le64(w->at, w->held);
		w->at += 8;
		w->held = w->count ? v >> (64 - w->count) : 0;
		w->count = w->count + width - 64;
		if (w->count == 0)
			w->held = 0;
	} else {
		w->count += width;
	}
}

/* Room for `bits` bits at the tail's end; at is NULL where there is none. */
static struct bit_writer bits_open(struct buf *tail, uint64_t bits)
{
	return (struct bit_writer){ .at = (uint8_t *)buf_grow(
					    tail, (size_t)bits / 8 + 16) };
}

static void bits_close(struct bit_writer *w, struct buf *tail)
{
	for (; w->count; w->count -= w->count < 8 ? w->count : 8) {
		*w->at++ = (uint8_t)w->held;
		w->held >>= 8;
	}
	tail->len = (size_t)((char *)w->at - tail->ptr);
	tail->ptr[tail->len] = '\0';
}

/* --- forms ------------------------------------------------------------------------------------ */

static void put_byte(struct buf *head, unsigned byte)
{
	assert(byte < 256);
	buf_char(head, (char)byte);
}

static void put_bits(const struct numbers_facts *f, struct buf *head,
		     struct buf *tail)
{
	struct bit_writer bits = bits_open(tail, f->count * f->width);

	protobuf_varint_put(head, f->least);
	protobuf_varint_put(head, f->scale);
	put_byte(head, f->width);
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++)
		bits_add(&bits, numbers_over(f, f->numbers[i], f->least),
			 f->width);
	bits_close(&bits, tail);
}

static int compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Where the places of a list are kept for those that follow; NULL: not. */
static uint16_t *keep_list(struct numbers_writer *w, size_t count)
{
	struct numbers_kept *l = &w->listed[w->listed_count];

	if (w->listed_count == NUMBERS_LISTS_MAX)
		return NULL;
	if (l->cap < count) {
		free(l->index);
		l->index = malloc(count * sizeof(*l->index));
		l->cap = l->index ? count : 0;
	}
	/* Without memory nobody follows it; the reader counts it all the
	 * same. */
	l->count = l->index ? count : 0;
	l->list_count = w->list_count;
	w->listed_count++;
	return l->index;
}

static void put_list(struct numbers_writer *w, const struct numbers_facts *f,
		     struct buf *head, struct buf *tail)
{
	unsigned width = bit_length(w->list_count - 1);
	uint16_t *kept = keep_list(w, f->count);
	struct bit_writer bits = bits_open(tail, f->count * width);
	uint64_t before = 0;

	for (uint32_t i = 0; i < w->list_count; i++)
		w->list[i] = w->values[w->used[i]];
	qsort(w->list, w->list_count, sizeof(w->list[0]), compare);
	protobuf_varint_put(head, w->list_count);
	for (uint32_t i = 0; i < w->list_count; i++) {
		protobuf_varint_put(head, w->list[i] - before);
		before = w->list[i];
		w->index[numbers_slot(w, before)] = (uint16_t)i;
	}
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++) {
		uint16_t place = w->index[numbers_slot(w, f->numbers[i])];

		if (kept)
			kept[i] = place;
		bits_add(&bits, place, width);
	}
	bits_close(&bits, tail);
}

static void put_usual(const struct numbers_writer *w,
		      const struct numbers_facts *f, struct buf *head)
{
	size_t before = 0;

	protobuf_varint_put(head, w->usual);
	protobuf_varint_put(head, f->count - w->usual_count);
	for (size_t i = 0; i < f->count; i++) {
		if (f->numbers[i] == w->usual)
			continue;
		protobuf_varint_put(head, i - before);
		before = i;
	}
	for (size_t i = 0; i < f->count; i++)
		if (f->numbers[i] != w->usual)
			protobuf_varint_put(head, f->numbers[i]);
}

static void put_lengths(const struct numbers_facts *f, struct buf *head,
			struct buf *tail)
{
	struct bit_writer bits;

	protobuf_varint_put(head, f->base);
	protobuf_varint_put(head, f->scale);
	put_byte(head, f->shortest);
	put_byte(head, f->class_width);
	protobuf_varint_put(head, f->digits);
	bits = bits_open(tail, f->count * f->class_width);
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++)
		bits_add(&bits,
			 bit_length(numbers_over(f, f->numbers[i], f->base)) -
				 f->shortest,
			 f->class_width);
	bits_close(&bits, tail);
	bits = bits_open(tail, f->digits);
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++) {
		uint64_t v = numbers_over(f, f->numbers[i], f->base);
		unsigned n = bit_length(v);

		if (n > 1)
			bits_add(&bits, v & ~(UINT64_C(1) << (n - 1)), n - 1);
	}
	bits_close(&bits, tail);
}

static void put_follower(struct numbers_writer *w,
			 const struct numbers_facts *f, struct buf *head)
{
	const struct numbers_kept *leader = &w->listed[f->leader];
	bool again = numbers_follow(w, leader, f);

	assert(again);
	protobuf_varint_put(head, f->leader);
	for (uint32_t i = 0; i < leader->list_count; i++)
		protobuf_varint_put(head, w->follower[i]);
}

void numbers_put(struct numbers_writer *w, const uint64_t *numbers,
		 size_t count, struct buf *head, struct buf *tail)
{
	struct numbers_facts f;
	enum numbers_form form;

	assert(count <= NUMBERS_MAX);
	protobuf_varint_put(head, count);
	if (!count)
		return;
	form = numbers_choose(w, numbers, count, &f);
	put_byte(head, form);
	switch (form) {
	case NUMBERS_SAME:
		protobuf_varint_put(head, f.least);
		break;
	case NUMBERS_LIST:
		put_list(w, &f, head, tail);
		break;
	case NUMBERS_USUAL:
		put_usual(w, &f, head);
		break;
	case NUMBERS_LENGTHS:
		put_lengths(&f, head, tail);
		break;
	case NUMBERS_FOLLOWS:
		put_follower(w, &f, head);
		break;
	default:
		put_bits(&f, head, tail);
	}
	numbers_forget(w);
}
