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
	NUMBERS_LENGTHS, /* varint base, varint scale, byte shortest, byte
			  * class width, varint digits */
	NUMBERS_FOLLOWS, /* varint which LIST; of each number in it a varint */
	NUMBERS_FORMS,
};

/* How many bits it takes to write v: 0 for 0. */
static inline unsigned bit_length(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* --- the writer's ------------------------------------------------------------ */

enum { NUMBERS_SLOTS = 2 * NUMBERS_LIST_MAX };

/* A column that was written as LIST: the place in it of each number. */
struct numbers_kept {
	uint16_t *index;
	size_t count, cap;
	uint32_t list_count;
};

/* A column's distinct numbers, while it is judged. */
struct numbers_writer {
	uint64_t values[NUMBERS_SLOTS];
	uint32_t counts[NUMBERS_SLOTS];
	uint16_t used[NUMBERS_LIST_MAX]; /* slots that are taken */
	uint16_t index[NUMBERS_SLOTS];   /* in the sorted list */
	uint64_t list[NUMBERS_LIST_MAX];
	uint32_t list_count;
	uint32_t usual_count;
	uint64_t usual;
	struct numbers_kept listed[NUMBERS_LISTS_MAX];
	uint32_t listed_count;
	/* What goes with each place of a list, if it was met this turn. */
	uint64_t follower[NUMBERS_LIST_MAX];
	uint32_t turn[NUMBERS_LIST_MAX], turns;
};

/* What is known of a column before its form is chosen. */
struct numbers_facts {
	const uint64_t *numbers;
	size_t count;
	uint64_t least, most, scale;
	unsigned width; /* bits of (most - least) / scale */
	/* Of LENGTHS, which count from the least, or from about zero where
	 * that makes the lengths more alike. */
	uint64_t base;
	unsigned shortest;
	unsigned class_width;
	uint64_t digits; /* bits of all without their first */
	bool listed;     /* the writer has the distinct ones */
	uint32_t leader; /* which LIST it follows */
};

/* v over base, scaled. Most scales are 1, and a division is dear. */
static inline uint64_t numbers_over(const struct numbers_facts *f, uint64_t v,
				    uint64_t base)
{
	return f->scale == 1 ? v - base : (v - base) / f->scale;
}

/* Looks at a column and decides; the writer knows its distinct numbers if
 * f->listed, until numbers_forget. */
enum numbers_form numbers_choose(struct numbers_writer *w,
				 const uint64_t *numbers, size_t count,
				 struct numbers_facts *f);
void numbers_forget(struct numbers_writer *w);
/* Where v is, or would be, among the distinct ones. */
uint32_t numbers_slot(const struct numbers_writer *w, uint64_t v);
/* Whether each place of the list goes with one number only; then that is in
 * w->follower. */
bool numbers_follow(struct numbers_writer *w, const struct numbers_kept *leader,
		    const struct numbers_facts *f);

#endif
