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
	uint8_t *at;        /* where the row goes on */
	uint8_t *shape;     /* where the shape goes on */
	uint8_t *shape_end; /* SHAPE_TEXT_MAX, with room for a copy */
	size_t first;       /* value of the shape */
	bool failed;        /* memory is used up, or a limit of the shape */
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

/* Appends text[from, to) to the shape. */
static bool add_text(struct json_pack *p, uint32_t from, uint32_t to)
{
	const uint8_t *text = (const uint8_t *)p->doc->text.ptr;
	size_t n = to - from;

	if (p->shape > p->shape_end || n > (size_t)(p->shape_end - p->shape)) {
		p->failed = true;
		return false;
	}
	pack_copy(p->shape, text + from, n, text + p->doc->text.len);
	p->shape += n;
	return true;
}

static void add_shape(struct json_pack *p, uint32_t from, uint32_t to,
		      uint8_t mark)
{
	if (add_text(p, from, to))
		*p->shape++ = mark;
}

/* The walk_* functions take a value, and what is before it from `from` on
 * goes into the shape; they return where they came to. Nodes are passed along
 * in a register: through p they would be loaded again after every byte that
 * is written. */
static uint32_t walk_list(struct json_pack *p, const struct json_node *nodes,
			  uint32_t i, uint32_t key, uint32_t from)
{
	struct pack_value *v = pack_note(p->scratch, p->first);

	if (!v) {
		p->failed = true;
		return from;
	}
	add_shape(p, from, nodes[i].at + 1, LIST_MARK);
	v->form = LIST_MARK;
	v->list = i;
	v->key = key;
	v->count = 0;
	for (uint32_t k = i + 1; k < nodes[i].next; k = nodes[k].next) {
		from = end_of(p, k);
		v->count++;
	}
	return from;
}

static uint32_t walk_members(struct json_pack *p, const struct json_node *nodes,
			     uint32_t i, uint32_t from);

/* The value at i, whose key is at key (0: none). */
static inline uint32_t walk(struct json_pack *p, const struct json_node *nodes,
			    uint32_t i, uint32_t key, uint32_t from)
{
	const struct json_node *n = &nodes[i];

	if (n->type == JSON_OBJECT)
		return walk_members(p, nodes, i, from);
	if (n->type == JSON_ARRAY)
		return n->next == i + 1 ? from :
					  walk_list(p, nodes, i, key, from);
	add_shape(p, from, n->at, PLACE_MARK);
	if (!pack_note_text(p->scratch, p->first, PLACE_MARK,
			    p->doc->text.ptr + n->at, n->len))
		p->failed = true;
	return n->at + n->len;
}

static uint32_t walk_members(struct json_pack *p, const struct json_node *nodes,
			     uint32_t i, uint32_t from)
{
	uint32_t end = nodes[i].next;

	for (uint32_t k = i + 1; k < end && !p->failed; k = nodes[k + 1].next)
		from = walk(p, nodes, k + 1, k, from);
	return from;
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

/* The entry of a shape, that of the value at i in the list of this key. */
static uint32_t find_shape(struct json_pack *p, struct sv shape, uint32_t i,
			   struct sv list)
{
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
	const size_t over = 32; /* marks, and what pack_copy writes too much */

	buf_reset(shape);
	p->shape = (uint8_t *)buf_grow(shape, SHAPE_TEXT_MAX + over);
	p->failed = !p->shape || !pack_room(p->scratch);
	if (p->failed)
		return SHAPE_NONE;
	p->shape_end = p->shape + SHAPE_TEXT_MAX;
	p->first = p->scratch->value_count;
	from = walk(p, p->doc->nodes, i, 0, from);
	if (p->failed || !add_text(p, from, to))
		return SHAPE_NONE;
	return find_shape(
		p, sv_make(shape->ptr, (size_t)((char *)p->shape - shape->ptr)),
		i, list);
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
			p->at = pack_text(p->s, p->at, sv_make(v.text, v.len),
					  p->trace_id, shape, k);
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
	uint8_t *begin = p.at;
	uint32_t shape;

	assert(doc->count && doc->text.len <= UINT32_MAX);
	if (!p.at)
		return false;
	shape = put_row(&p, 0, 0, (uint32_t)doc->text.len, SV(""), 0);
	if ((size_t)(p.at - begin) > doc->text.len + 8) {
		/* Arrays of digits have more shapes than text. */
		shape = SHAPE_VERBATIM_JSON;
		p.at = pack_verbatim(begin, shape, doc->text);
	}
	shapes_count(s, shape == SHAPE_VERBATIM_JSON);
	return pack_end(s, p.at, row);
}
