/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/shape/columns_decode.h"

/* --- traces ---------------------------------------------------------------------------- */

static int open_traces(struct columns *c, struct reader *head,
		       struct reader *tail)
{
	const size_t rest = TRACE_ID_SIZE - TRACE_PREFIX;
	struct numbers rows, ids;
	const uint8_t *ends = read_bytes(tail, c->traces * rest);
	uint64_t row = 0, prefix = 0;
	int e = numbers_open(&rows, &c->lists, head, tail, c->arena);

	if (!e)
		e = numbers_open(&ids, &c->lists, head, tail, c->arena);
	if (e)
		return e;
	if (!ends)
		return ERR_CORRUPT;
	c->trace_ids = arena_alloc(c->arena, c->traces * TRACE_ID_SIZE);
	c->firsts = arena_alloc(c->arena, (c->traces + 1) * sizeof(*c->firsts));
	if (!c->trace_ids || !c->firsts)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->traces; i++) {
		uint8_t *id = c->trace_ids + i * TRACE_ID_SIZE;

		c->firsts[i] = (uint32_t)row;
		row += numbers_next(&rows);
		prefix += numbers_next(&ids);
		if (row <= c->firsts[i] || row > c->rows)
			return ERR_CORRUPT;
		for (int k = 0; k < TRACE_PREFIX; k++)
			id[k] = (uint8_t)(prefix >> (24 - 8 * k));
		memcpy(id + TRACE_PREFIX, ends + i * rest, rest);
	}
	c->firsts[c->traces] = (uint32_t)row;
	return row == c->rows && !rows.bad && !ids.bad ? 0 : ERR_CORRUPT;
}

/* --- columns ----------------------------------------------------------------------------- */

static int open_values(struct columns *c, struct column_values *v,
		       unsigned kind, struct reader *head, struct reader *tail)
{
	enum column_form form = column_kind_form(kind);
	uint64_t n;
	int e = 0;

	*v = (struct column_values){ .bytes = head->at };
	if (form == FORM_NONE)
		return 0;
	if (form == FORM_NUMBERS || form == FORM_TEXT)
		e = numbers_open(&v->numbers, &c->lists, head, tail, c->arena);
	if (e || form == FORM_NUMBERS)
		return e;
	n = read_varint(head);
	v->bytes = read_bytes(form == FORM_TEXT ? head : tail, n);
	v->len = (size_t)n;
	return v->bytes && !head->bad ? 0 : ERR_CORRUPT;
}

static int open_column(struct columns *c, struct column_reader *column,
		       struct reader *head, struct reader *tail)
{
	uint64_t name = read_varint(head), set, kind;
	uint8_t count = 0;
	int e;

	if (head->bad || name >= shapes_entries(c->s))
		return ERR_CORRUPT;
	column->name = (uint32_t)name;
	e = numbers_open(&column->kinds, &c->lists, head, tail, c->arena);
	if (e)
		return e;
	set = read_varint(head);
	if (head->bad || set >> COLUMN_KINDS)
		return ERR_CORRUPT;
	for (unsigned k = 0; k < COLUMN_KINDS; k++)
		if (set >> k & 1)
			column->index[k] = ++count;
	if (column->index[COLUMN_LIST] && !numbers_same(&column->kinds, &kind))
		c->mixed = true;
	column->values = arena_alloc(c->arena, count * sizeof(*column->values));
	if (!column->values)
		return ERR_NOMEM;
	for (unsigned k = 0; k < COLUMN_KINDS && !e; k++)
		if (column->index[k])
			e = open_values(c,
					&column->values[column->index[k] - 1],
					k, head, tail);
	return e;
}

static int compare_columns(const void *a, const void *b)
{
	const struct column_reader *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

static int open_columns(struct columns *c, struct reader *head,
			struct reader *tail)
{
	int e = numbers_open(&c->bases, &c->lists, head, tail, c->arena);

	if (!e)
		e = numbers_open(&c->roots, &c->lists, head, tail, c->arena);
	if (!e)
		e = numbers_open(&c->extras, &c->lists, head, tail, c->arena);
	if (e)
		return e;
	c->columns =
		arena_array(c->arena, c->column_count, sizeof(*c->columns));
	if (!c->columns)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->column_count && !e; i++)
		e = open_column(c, &c->columns[i], head, tail);
	if (e)
		return e;
	qsort(c->columns, c->column_count, sizeof(*c->columns),
	      compare_columns);
	return head->at == head->end && tail->at == tail->end ? 0 : ERR_CORRUPT;
}

static int open_head(struct columns *c, struct sv head_bytes,
		     struct reader *tail)
{
	struct reader head = reader_of(head_bytes);
	uint8_t format = read_byte(&head);
	int e;

	if (format != COLUMNS_FORMAT)
		return format > COLUMNS_FORMAT ? ERR_VERSION : ERR_CORRUPT;
	c->rows = (size_t)read_varint(&head);
	c->traces = (size_t)read_varint(&head);
	c->column_count = (size_t)read_varint(&head);
	if (head.bad || c->rows == 0 || c->rows > COLUMNS_ROWS_MAX ||
	    c->traces == 0 || c->traces > c->rows ||
	    c->column_count > (size_t)(head.end - head.at))
		return ERR_CORRUPT;
	e = open_traces(c, &head, tail);
	return e ? e : open_columns(c, &head, tail);
}

int columns_open(struct columns **out, struct arena *arena,
		 const struct shapes *s, struct sv chunk)
{
	struct reader r = reader_of(chunk);
	const uint8_t *frame = read_bytes(&r, COLUMNS_FRAME), *zlib;
	struct columns *c;
	uint32_t length;
	char *head;
	int e;

	*out = NULL;
	if (!frame)
		return ERR_CORRUPT;
	length = get_le32(frame);
	zlib = read_bytes(&r, get_le32(frame + 4));
	if (!zlib || length > COLUMNS_CHUNK_MAX)
		return ERR_CORRUPT;
	c = arena_new(arena, struct columns);
	head = arena_alloc(arena, length);
	if (!c || !head)
		return ERR_NOMEM;
	e = inflate_exact(head, length,
			  sv_make((const char *)zlib, get_le32(frame + 4)));
	if (e)
		return e;
	c->s = s;
	c->arena = arena;
	e = open_head(c, sv_make(head, length), &r);
	if (!e)
		*out = c;
	return e;
}

size_t columns_rows(const struct columns *c)
{
	return c->rows;
}

bool columns_find(const struct columns *c,
		  const uint8_t trace_id[TRACE_ID_SIZE], size_t *first,
		  size_t *count)
{
	size_t low = 0, high = c->traces;

	while (low < high) {
		size_t i = low + (high - low) / 2;
		int order = memcmp(c->trace_ids + i * TRACE_ID_SIZE, trace_id,
				   TRACE_ID_SIZE);

		if (order == 0) {
			*first = c->firsts[i];
			*count = c->firsts[i + 1] - c->firsts[i];
			return true;
		}
		if (order < 0)
			low = i + 1;
		else
			high = i;
	}
	return false;
}

/* --- shapes ------------------------------------------------------------------------------- */

static struct column_reader *find_column(const struct columns *c, uint64_t name)
{
	size_t low = 0, high = c->column_count;

	while (low < high) {
		size_t i = low + (high - low) / 2;

		if (c->columns[i].name == name)
			return &c->columns[i];
		if (c->columns[i].name < name)
			low = i + 1;
		else
			high = i;
	}
	return NULL;
}

static int read_places(struct columns *c, struct shape_reader *shape,
		       struct sv places)
{
	const size_t size = places.len * sizeof(*shape->places);
	struct reader r = reader_of(places);

	shape->places = arena_alloc(c->arena, size);
	shape->lists = arena_alloc(c->arena, size);
	if (!shape->places || !shape->lists)
		return ERR_NOMEM;
	while (r.at < r.end) {
		struct place_reader *p = &shape->places[shape->place_count++];
		uint64_t place = read_varint(&r);

		p->column = find_column(c, place >> PLACE_BITS);
		p->role = place & ((1 << PLACE_BITS) - 1);
		if (r.bad || !p->column)
			return ERR_CORRUPT;
		if (p->role == PLACE_LIST)
			shape->lists[shape->list_count++] = *p;
	}
	return 0;
}

int columns_shape(struct columns *c, uint64_t number, struct shape_reader **out)
{
	struct shape_reader **slot = &c->shapes[number % SHAPE_SLOTS];
	struct shape_reader *shape = *slot;
	enum entry_kind kind;
	struct sv bytes;
	int e;

	while (shape && shape->number != number)
		shape = shape->next;
	*out = shape;
	if (shape)
		return 0;
	if (number >= shapes_entries(c->s) ||
	    !shapes_entry(c->s, (uint32_t)number, &kind, &bytes) ||
	    !shapes_is_shape(kind) ||
	    !shapes_entry(c->s, (uint32_t)number + 1, &kind, &bytes) ||
	    kind != ENTRY_PLACES)
		return ERR_CORRUPT;
	shape = arena_new(c->arena, struct shape_reader);
	if (!shape)
		return ERR_NOMEM;
	shape->number = (uint32_t)number;
	e = read_places(c, shape, bytes);
	if (e)
		return e;
	shape->next = *slot;
	*slot = shape;
	*out = shape;
	return 0;
}
