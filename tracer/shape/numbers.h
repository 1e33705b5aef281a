/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column of numbers, in the form that is smallest for it:
 *
 *   SAME     one number for all
 *   BITS     what is over the least one, in as many bits as the largest takes
 *   LIST     the numbers that occur; then which of them, in bits
 *   USUAL    the one most are; then the others and where they are
 *   LENGTHS  what is over the least one: how many bits it has, in bits of
 *            their own; then these bits without the first, which is 1
 *   FOLLOWS  what goes with each number of a LIST before it: where an
 *            attribute is the same whenever the name is, it costs nothing
 *
 * Lists and headers go to the head, which is compressed with those of other
 * columns; bits go to the tail, which is not. Times that are whole micro- or
 * milliseconds are divided first. The reader checks all it reads.
 */
#ifndef TALLY_TRACER_SHAPE_NUMBERS_H
#define TALLY_TRACER_SHAPE_NUMBERS_H

#include "core/base/arena.h"
#include "tracer/shape/inner.h"

enum {
	NUMBERS_MAX = 1 << 22,   /* of one column */
	NUMBERS_LIST_MAX = 2048, /* that occur */
	NUMBERS_LISTS_MAX = 64,  /* columns that others may follow */
};

/* Working memory of the writer. */
struct numbers_writer;
int numbers_writer_new(struct numbers_writer **out) MUST_USE;
void numbers_writer_free(struct numbers_writer *w);
/* The next column is the first of a chunk. */
void numbers_begin(struct numbers_writer *w);
/* Appends count numbers; head->failed or tail->failed says what did not fit. */
void numbers_put(struct numbers_writer *w, const uint64_t *numbers,
		 size_t count, struct buf *head, struct buf *tail);

/* Reads forward from the first. */
struct numbers {
	uint32_t count, at; /* at: of the next one */
	uint8_t form, width, class_width, class_least;
	bool bad; /* more was asked for than there is */
	uint64_t base, scale;
	const uint8_t *bits; /* width each; or classes of class_width each */
	const uint8_t *digits;
	uint64_t digit, digits_end; /* in bits */
	const uint64_t *list;       /* or the exceptions */
	const uint32_t *places;     /* of the exceptions */
	uint32_t list_count, list_at;
	const uint8_t *end; /* of the tail */
};

/* The LIST columns of a chunk so far; {0} before the first. */
struct numbers_lists {
	struct numbers_listed {
		const uint8_t *bits;
		uint32_t count, list_count;
		uint8_t width;
	} lists[NUMBERS_LISTS_MAX];
	uint32_t count;
};

/* ERR_CORRUPT, ERR_NOMEM. Lists are in arena, bits stay in tail's bytes. */
int numbers_open(struct numbers *n, struct numbers_lists *lists,
		 struct reader *head, struct reader *tail,
		 struct arena *arena) MUST_USE;
uint64_t numbers_next(struct numbers *n);
void numbers_skip(struct numbers *n, uint64_t count);
/* Whether all are the same one: *v. */
bool numbers_same(const struct numbers *n, uint64_t *v);
/* The sum of the next count numbers, which it skips. */
uint64_t numbers_sum(struct numbers *n, uint64_t count);

#endif
