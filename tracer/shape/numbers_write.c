/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/shape/numbers_form.h"

enum { SLOTS = 2 * NUMBERS_LIST_MAX };

/* A column's distinct numbers, while it is judged. */
struct numbers_writer {
	uint64_t values[SLOTS];
	uint32_t counts[SLOTS];
	uint16_t used[NUMBERS_LIST_MAX]; /* slots that are taken */
	uint16_t index[SLOTS];           /* in the sorted list */
	uint64_t list[NUMBERS_LIST_MAX];
	uint32_t list_count;
	uint32_t usual_count;
	uint64_t usual;
};

/* What is known of a column before its form is chosen. */
struct column_facts {
	const uint64_t *numbers;
	size_t count;
	uint64_t least, most, scale;
	unsigned width;    /* bits of (most - least) / scale */
	unsigned shortest; /* bits of the shortest, likewise */
	unsigned class_width;
	uint64_t digits; /* bits of all without their first */
	bool listed;     /* the writer has the distinct ones */
};

int numbers_writer_new(struct numbers_writer **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : ERR_NOMEM;
}

void numbers_writer_free(struct numbers_writer *w)
{
	free(w);
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

/* --- distinct numbers ------------------------------------------------------------------ */

static uint32_t slot_of(const struct numbers_writer *w, uint64_t v)
{
	uint32_t i = (uint32_t)((v * 0x9e3779b97f4a7c15u) >> 40) % SLOTS;

	while (w->counts[i] && w->values[i] != v)
		i = (i + 1) % SLOTS;
	return i;
}

static void forget(struct numbers_writer *w)
{
	for (uint32_t i = 0; i < w->list_count; i++)
		w->counts[w->used[i]] = 0;
	w->list_count = 0;
}

/* Counts them; false: there are so many that a list does not pay. */
static bool count_distinct(struct numbers_writer *w, const uint64_t *numbers,
			   size_t count)
{
	size_t most = count / 4 + 4;

	most = most < NUMBERS_LIST_MAX ? most : NUMBERS_LIST_MAX;
	for (size_t i = 0; i < count; i++) {
		uint32_t slot = slot_of(w, numbers[i]);

		if (w->counts[slot]++)
			continue;
		if (w->list_count == most) {
			w->counts[slot] = 0;
			return false;
		}
		w->values[slot] = numbers[i];
		w->used[w->list_count++] = (uint16_t)slot;
	}
	w->usual_count = 0;
	for (uint32_t i = 0; i < w->list_count; i++)
		if (w->counts[w->used[i]] > w->usual_count) {
			w->usual_count = w->counts[w->used[i]];
			w->usual = w->values[w->used[i]];
		}
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* --- which form ---------------------------------------------------------------------------- */

static void find_scale(struct column_facts *f)
{
	static const uint64_t scales[] = { 1000000000, 1000000, 1000 };

	f->scale = 1;
	if (f->most - f->least < 4096)
		return;
	for (size_t k = 0; k < sizeof(scales) / sizeof(scales[0]); k++) {
		size_t i = 0;

		while (i < f->count &&
		       (f->numbers[i] - f->least) % scales[k] == 0)
			i++;
		if (i == f->count) {
			f->scale = scales[k];
			return;
		}
	}
}

static struct column_facts look(const uint64_t *numbers, size_t count)
{
	struct column_facts f = { .numbers = numbers,
				  .count = count,
				  .least = numbers[0],
				  .most = numbers[0] };

	for (size_t i = 1; i < count; i++) {
		f.least = numbers[i] < f.least ? numbers[i] : f.least;
		f.most = numbers[i] > f.most ? numbers[i] : f.most;
	}
	find_scale(&f);
	f.width = bit_length((f.most - f.least) / f.scale);
	return f;
}

static void look_at_lengths(struct column_facts *f)
{
	unsigned shortest = 64;

	f->digits = 0;
	for (size_t i = 0; i < f->count; i++) {
		unsigned n = bit_length((f->numbers[i] - f->least) / f->scale);

		shortest = n < shortest ? n : shortest;
		f->digits += n ? n - 1 : 0;
	}
	f->shortest = shortest;
	f->class_width = bit_length(f->width - shortest);
}

static enum numbers_form choose(const struct numbers_writer *w,
				struct column_facts *f)
{
	enum numbers_form form = NUMBERS_BITS;
	uint64_t n = f->count, best = n * f->width, bits;

	if (f->listed) {
		uint64_t gap = (f->most - f->least) / w->list_count;

		bits = n * bit_length(w->list_count - 1) +
		       8 * w->list_count * protobuf_varint_size(gap) + 16;
		if (bits < best) {
			best = bits;
			form = NUMBERS_LIST;
		}
		bits = (n - w->usual_count) *
			       (7 + 7 * protobuf_varint_size(f->most)) +
		       32;
		if (bits < best) {
			best = bits;
			form = NUMBERS_USUAL;
		}
	}
	if (f->width > 6 && form == NUMBERS_BITS) {
		look_at_lengths(f);
		if (n * f->class_width + f->digits + 32 < best)
			form = NUMBERS_LENGTHS;
	}
	return form;
}

/* --- forms ------------------------------------------------------------------------------------ */

static void put_byte(struct buf *head, unsigned byte)
{
	assert(byte < 256);
	buf_char(head, (char)byte);
}

static void put_bits(const struct column_facts *f, struct buf *head,
		     struct buf *tail)
{
	struct bit_writer bits = bits_open(tail, f->count * f->width);

	protobuf_varint_put(head, f->least);
	protobuf_varint_put(head, f->scale);
	put_byte(head, f->width);
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++)
		bits_add(&bits, (f->numbers[i] - f->least) / f->scale,
			 f->width);
	bits_close(&bits, tail);
}

static void put_list(struct numbers_writer *w, const struct column_facts *f,
		     struct buf *head, struct buf *tail)
{
	unsigned width = bit_length(w->list_count - 1);
	struct bit_writer bits = bits_open(tail, f->count * width);
	uint64_t before = 0;

	for (uint32_t i = 0; i < w->list_count; i++)
		w->list[i] = w->values[w->used[i]];
	qsort(w->list, w->list_count, sizeof(w->list[0]), compare);
	protobuf_varint_put(head, w->list_count);
	for (uint32_t i = 0; i < w->list_count; i++) {
		protobuf_varint_put(head, w->list[i] - before);
		before = w->list[i];
		w->index[slot_of(w, before)] = (uint16_t)i;
	}
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++)
		bits_add(&bits, w->index[slot_of(w, f->numbers[i])], width);
	bits_close(&bits, tail);
}

static void put_usual(const struct numbers_writer *w,
		      const struct column_facts *f, struct buf *head)
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

static void put_lengths(const struct column_facts *f, struct buf *head,
			struct buf *tail)
{
	struct bit_writer bits;

	protobuf_varint_put(head, f->least);
	protobuf_varint_put(head, f->scale);
	put_byte(head, f->shortest);
	put_byte(head, f->class_width);
	protobuf_varint_put(head, f->digits);
	bits = bits_open(tail, f->count * f->class_width);
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++)
		bits_add(&bits,
			 bit_length((f->numbers[i] - f->least) / f->scale) -
				 f->shortest,
			 f->class_width);
	bits_close(&bits, tail);
	bits = bits_open(tail, f->digits);
	if (!bits.at)
		return;
	for (size_t i = 0; i < f->count; i++) {
		uint64_t v = (f->numbers[i] - f->least) / f->scale;
		unsigned n = bit_length(v);

		if (n > 1)
			bits_add(&bits, v & ~(UINT64_C(1) << (n - 1)), n - 1);
	}
	bits_close(&bits, tail);
}

void numbers_put(struct numbers_writer *w, const uint64_t *numbers,
		 size_t count, struct buf *head, struct buf *tail)
{
	struct column_facts f;
	enum numbers_form form;

	assert(count <= NUMBERS_MAX);
	protobuf_varint_put(head, count);
	if (!count)
		return;
	f = look(numbers, count);
	if (f.least == f.most) {
		put_byte(head, NUMBERS_SAME);
		protobuf_varint_put(head, f.least);
		return;
	}
	f.listed = count_distinct(w, numbers, count);
	form = choose(w, &f);
	put_byte(head, form);
	switch (form) {
	case NUMBERS_LIST:
		put_list(w, &f, head, tail);
		break;
	case NUMBERS_USUAL:
		put_usual(w, &f, head);
		break;
	case NUMBERS_LENGTHS:
		put_lengths(&f, head, tail);
		break;
	default:
		put_bits(&f, head, tail);
	}
	forget(w);
}
