/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passing over rows. It is enough to count how often each shape comes: that
 * is how many values of each column are passed, and most columns move on by
 * any number at once. Only the lengths of lists and their elements' shapes are
 * read on the way. Where a column has lists and other values, nobody knows
 * which is which without reading its kinds in turn, and rows are walked.
 */
#include "tracer/shape/columns_decode.h"

static bool skip_values(struct column_reader *c, uint64_t kind, uint64_t count)
{
	struct column_values *v = column_values(c, kind);
	enum column_form form = column_kind_form((unsigned)kind);

	if (!count)
		return true;
	if (!v)
		return false;
	switch (form) {
	case FORM_NUMBERS:
		numbers_skip(&v->numbers, count);
		return !v->numbers.bad;
	case FORM_TEXT:
		return column_bytes(v, numbers_sum(&v->numbers, count)) &&
		       !v->numbers.bad;
	case FORM_BYTES8:
		return column_bytes(v, 8 * count) != NULL;
	case FORM_BYTES16:
		return column_bytes(v, 16 * count) != NULL;
	default:
		return true;
	}
}

/* count values of a column, whatever their kinds. */
static bool skip_column(struct column_reader *c, uint64_t count)
{
	uint64_t counts[COLUMN_KINDS] = { 0 }, kind;

	if (!count)
		return true;
	if (numbers_same(&c->kinds, &kind)) {
		numbers_skip(&c->kinds, count);
		return !c->kinds.bad && kind < COLUMN_KINDS &&
		       skip_values(c, kind, count);
	}
	for (; count && !c->kinds.bad; count--) {
		kind = numbers_next(&c->kinds);
		if (kind >= COLUMN_KINDS)
			return false;
		counts[kind]++;
	}
	for (unsigned k = 0; k < COLUMN_KINDS; k++)
		if (!skip_values(c, k, counts[k]))
			return false;
	return !c->kinds.bad;
}

static int skip_walking(struct columns *c, uint64_t number, unsigned depth)
{
	struct shape_reader *shape;
	int e = columns_shape(c, number, &shape);

	if (e)
		return e;
	for (uint32_t i = 0; i < shape->place_count; i++) {
		struct column_reader *column = shape->places[i].column;
		uint64_t kind = numbers_next(&column->kinds), count;
		struct column_values *v, *inner;

		if (shape->places[i].role != PLACE_LIST) {
			if (!skip_values(column, kind, 1))
				return ERR_CORRUPT;
			continue;
		}
		v = column_values(column, kind);
		inner = column_values(column, COLUMN_SHAPES);
		if (kind != COLUMN_LIST || !v || depth > SHAPE_DEPTH_MAX)
			return ERR_CORRUPT;
		for (count = numbers_next(&v->numbers); count; count--) {
			if (!inner || inner->numbers.at >= inner->numbers.count)
				return ERR_CORRUPT;
			e = skip_walking(c, numbers_next(&inner->numbers),
					 depth + 1);
			if (e)
				return e;
		}
	}
	return 0;
}

/* Counts a row's shape and those of its lists' elements. */
static int count_row(struct columns *c, uint64_t number, unsigned depth)
{
	struct shape_reader *shape;
	int e = columns_shape(c, number, &shape);

	if (e)
		return e;
	shape->skipped++;
	for (uint32_t i = 0; i < shape->list_count; i++) {
		struct column_reader *column = shape->lists[i].column;
		struct column_values *v = column_values(column, COLUMN_LIST);
		struct column_values *inner =
			column_values(column, COLUMN_SHAPES);
		uint64_t count;

		if (!v || depth > SHAPE_DEPTH_MAX)
			return ERR_CORRUPT;
		for (count = numbers_next(&v->numbers); count && !e; count--) {
			if (!inner || inner->numbers.at >= inner->numbers.count)
				return ERR_CORRUPT;
			e = count_row(c, numbers_next(&inner->numbers),
				      depth + 1);
		}
		if (e)
			return e;
	}
	return 0;
}

static void forget_counts(struct columns *c)
{
	for (int i = 0; i < SHAPE_SLOTS; i++)
		for (struct shape_reader *s = c->shapes[i]; s; s = s->next)
			s->skipped = 0;
}

/* Passes over what the counted shapes have. */
static int skip_counted(struct columns *c)
{
	for (int i = 0; i < SHAPE_SLOTS; i++)
		for (struct shape_reader *s = c->shapes[i]; s; s = s->next)
			for (uint32_t k = 0; k < s->place_count; k++) {
				struct place_reader *p = &s->places[k];

				if (p->role == PLACE_LIST)
					numbers_skip(&p->column->kinds,
						     s->skipped);
				else if (!skip_column(p->column, s->skipped))
					return ERR_CORRUPT;
			}
	return 0;
}

int columns_skip(struct columns *c, size_t row)
{
	size_t count = row - c->at;
	int e = 0;

	if (!count)
		return 0;
	forget_counts(c);
	for (; !e && count; count--)
		e = c->mixed ? skip_walking(c, numbers_next(&c->roots), 0) :
			       count_row(c, numbers_next(&c->roots), 0);
	if (!e && !c->mixed)
		e = skip_counted(c);
	if (e)
		return e;
	numbers_skip(&c->extras, row - c->at);
	while (c->firsts[c->at_trace] < row) {
		numbers_skip(&c->bases, 1);
		c->at_trace++;
	}
	c->at = row;
	return c->extras.bad || c->bases.bad ? ERR_CORRUPT : 0;
}
