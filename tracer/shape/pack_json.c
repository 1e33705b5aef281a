/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document is walked value by value. What lies between two values is copied
 * into the shape, the values are noted; at its end the shape is looked up, and
 * only then the values are written, since what a place has taken already
 * decides what may enter the dictionary.
 */
#include <assert.h>

#include "tracer/shape/pack.h"

struct json_pack {
	struct shapes *s;
	struct shapes_scratch *scratch;
	const struct json_doc *doc;
	const uint8_t *trace_id;
	uint8_t *at; /* where the row goes on */
	bool failed; /* memory is used up, or a limit of the shape */
};

static const struct json_node *node_at(const struct json_pack *p, uint32_t i)
{
	return &p->doc->nodes[i];
}

static struct sv text_of(const struct json_pack *p, uint32_t i)
{
	const struct json_node *n = node_at(p, i);

	return sv_make(p->doc->text.ptr + n->at, n->len);
}

/* Offset behind a value in the text, with a string's quote. */
static uint32_t end_of(const struct json_pack *p, uint32_t i)
{
	const struct json_node *n = node_at(p, i);

	return n->at + n->len + (n->type == JSON_STRING);
}

static bool is_empty(const struct json_pack *p, uint32_t i)
{
	return node_at(p, i)->next == i + 1;
}

/* --- shape and values ---------------------------------------------------------- */

static void note(struct json_pack *p, uint32_t from, uint32_t to, char mark,
		 struct pack_value value)
{
	struct buf *shape = &p->scratch->shape;

	buf_add(shape, p->doc->text.ptr + from, to - from);
	buf_char(shape, mark);
	if (shape->len > SHAPE_TEXT_MAX || !pack_note(p->scratch, value))
		p->failed = true;
}

static void walk_list(struct json_pack *p, uint32_t i, uint32_t key,
		      uint32_t *from)
{
	struct pack_value value = { .form = LIST_MARK, .list = i, .key = key };
	uint32_t end = 0;

	for (uint32_t k = i + 1; k < node_at(p, i)->next;
	     k = node_at(p, k)->next) {
		end = end_of(p, k);
		value.count++;
	}
	note(p, *from, node_at(p, i)->at + 1, LIST_MARK, value);
	*from = end;
}

/* Takes the value at i, whose key is at key (0: none). What came before it,
 * from *from on, goes into the shape; *from moves behind what was taken. */
static void walk(struct json_pack *p, uint32_t i, uint32_t key, uint32_t *from)
{
	const struct json_node *n = node_at(p, i);

	if (p->failed)
		return;
	if (n->type == JSON_OBJECT) {
		for (uint32_t k = i + 1; k < n->next;
		     k = node_at(p, k + 1)->next)
			walk(p, k + 1, k, from);
	} else if (n->type != JSON_ARRAY) {
		note(p, *from, n->at, PLACE_MARK,
		     (struct pack_value){ .text = text_of(p, i) });
		*from = n->at + n->len;
	} else if (!is_empty(p, i)) {
		walk_list(p, i, key, from);
	}
}

/* --- places of a new shape ------------------------------------------------------- */

static enum place_role role_of(struct sv key, struct sv name)
{
	if (sv_eq(key, SV("start_time")))
		return PLACE_START;
	if (sv_eq(key, SV("end_time")))
		return PLACE_END;
	if (sv_eq(name, SV("id")) || sv_eq(name, SV("subsegments/id")))
		return PLACE_ID;
	return PLACE_PLAIN;
}

static void name_place(struct json_pack *p, bool list, struct sv key)
{
	struct sv name = buf_view(&p->scratch->name);
	uint32_t column = shapes_enter(p->s, ENTRY_COLUMN, name);

	if (column == SHAPE_NONE)
		p->failed = true;
	else
		place_put(&p->scratch->places, column,
			  list ? PLACE_LIST : role_of(key, name));
}

/* Columns are named by the keys from the nearest list on, so that the same
 * member of many shapes is one column. */
static void name_places(struct json_pack *p, uint32_t i, struct sv key)
{
	const struct json_node *n = node_at(p, i);
	struct buf *name = &p->scratch->name;
	size_t length = name->len;

	if (n->type != JSON_OBJECT) {
		if (n->type != JSON_ARRAY || !is_empty(p, i))
			name_place(p, n->type == JSON_ARRAY, key);
		return;
	}
	for (uint32_t k = i + 1; k < n->next; k = node_at(p, k + 1)->next) {
		if (name->len)
			buf_char(name, '/');
		buf_sv(name, text_of(p, k));
		name_places(p, k + 1, text_of(p, k));
		name->len = length;
	}
}

/* The shape just built, of the value at i in the list of this key. */
static uint32_t find_shape(struct json_pack *p, uint32_t i, struct sv list)
{
	struct sv shape = buf_view(&p->scratch->shape);
	uint64_t hash = shapes_hash(ENTRY_JSON, shape);
	uint32_t number = shapes_find(p->s, ENTRY_JSON, shape, hash);

	if (number != SHAPE_NONE || !shapes_seen(p->s, hash))
		return number;
	buf_reset(&p->scratch->places);
	buf_reset(&p->scratch->name);
	buf_sv(&p->scratch->name, list);
	name_places(p, i, list);
	if (p->failed || p->scratch->places.failed || p->scratch->name.failed)
		return SHAPE_NONE;
	return shapes_enter_shape(p->s, ENTRY_JSON, shape,
				  buf_view(&p->scratch->places));
}

/* --- rows -------------------------------------------------------------------------- */

static uint32_t put_row(struct json_pack *p, uint32_t i, uint32_t from,
			uint32_t to, struct sv list, unsigned depth);

static void put_list(struct json_pack *p, const struct pack_value *v,
		     unsigned depth)
{
	struct sv key = v->key ? text_of(p, v->key) : SV("");
	uint32_t end = node_at(p, v->list)->next;
	uint32_t from = node_at(p, v->list)->at + 1;

	p->at = varint_put(p->at, v->count);
	for (uint32_t k = v->list + 1; k < end; k = node_at(p, k)->next) {
		(void)put_row(p, k, from, end_of(p, k), key, depth + 1);
		from = end_of(p, k);
	}
}

/* The shape of text[from, to), in which the value at i is; its values are on
 * the stack. SHAPE_NONE: it has none. */
static uint32_t shape_of(struct json_pack *p, uint32_t i, uint32_t from,
			 uint32_t to, struct sv list)
{
	struct buf *shape = &p->scratch->shape;
	size_t first = p->scratch->value_count;

	p->failed = false;
	buf_reset(shape);
	walk(p, i, 0, &from);
	if (p->failed || p->scratch->value_count - first > SHAPE_PLACES_MAX)
		return SHAPE_NONE;
	buf_add(shape, p->doc->text.ptr + from, to - from);
	if (shape->failed || shape->len > SHAPE_TEXT_MAX)
		return SHAPE_NONE;
	return find_shape(p, i, list);
}

/* Writes the row of text[from, to) and returns its shape. */
static uint32_t put_row(struct json_pack *p, uint32_t i, uint32_t from,
			uint32_t to, struct sv list, unsigned depth)
{
	struct shapes_scratch *scratch = p->scratch;
	size_t first = scratch->value_count;
	uint32_t shape = SHAPE_NONE;
	size_t count;

	if (depth <= SHAPE_DEPTH_MAX)
		shape = shape_of(p, i, from, to, list);
	count = scratch->value_count - first;
	if (shape == SHAPE_NONE) {
		shape = SHAPE_VERBATIM_JSON;
		p->at = pack_verbatim(p->at, shape,
				      sv_make(p->doc->text.ptr + from,
					      to - from));
		count = 0;
	} else {
		p->at = varint_put(p->at, shape);
	}
	for (uint32_t k = 0; k < count; k++) {
		/* A copy: the stack may move when it grows. */
		struct pack_value v = scratch->values[first + k];

		if (v.form == LIST_MARK)
			put_list(p, &v, depth);
		else
			p->at = pack_text(p->s, p->at, v.text, p->trace_id,
					  shape, k);
	}
	scratch->value_count = first;
	return shape;
}

bool shape_pack_json(struct shapes *s, const struct json_doc *doc,
		     const uint8_t trace_id[TRACE_ID_SIZE], struct buf *row)
{
	/* What a value may cost over its text: its kind, its length, the shape
	 * and count of a list's element. */
	const size_t over = 32;
	size_t size = doc->text.len + over * ((size_t)doc->count + 1);
	struct json_pack p = {
		.s = s,
		.scratch = shapes_scratch(s),
		.doc = doc,
		.trace_id = trace_id,
		.at = pack_begin(s, size),
	};
	uint32_t shape;

	assert(doc->count && doc->text.len <= UINT32_MAX);
	if (!p.at)
		return false;
	shape = put_row(&p, 0, 0, (uint32_t)doc->text.len, SV(""), 0);
	shapes_count(s, shape == SHAPE_VERBATIM_JSON);
	return pack_end(s, p.at, row);
}
