/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "core/smithy/shape_source.h"

/* What lists and maps of any type look like; copied as bytes. */
struct any_list {
	void *items;
	size_t count;
	bool set;
};

struct any_map {
	struct sv *keys;
	void *values;
	size_t count;
	bool set;
};

_Static_assert(sizeof(struct any_list) == sizeof(SHAPE_LIST(struct sv)) &&
		       sizeof(struct any_map) == sizeof(SHAPE_MAP(struct sv)),
	       "lists and maps of any type are alike");

/* Where a value stands; a chain on the stack, drawn only for a fault. */
struct place {
	const struct place *up;
	const char *name;  /* of a member; NULL: the index-th item */
	const char *group; /* of an item: member or entry */
	size_t index;      /* from one */
	bool required;
};

struct reader {
	const struct shape_source *src;
	struct arena *arena;
	struct shape_fault *fault;
	unsigned depth;
};

/* --- faults ---------------------------------------------------------------------- */

static void draw_place(const struct place *p, char *out, size_t *len)
{
	size_t room;
	int n;

	if (!p)
		return;
	draw_place(p->up, out, len);
	room = SHAPE_PATH_MAX - *len;
	if (p->name)
		n = snprintf(out + *len, room, "%s%s", *len ? "." : "",
			     p->name);
	else
		n = snprintf(out + *len, room, ".%s.%zu", p->group, p->index);
	assert(n >= 0);
	*len += (size_t)n < room ? (size_t)n : room - 1;
}

static void fault_text(struct shape_fault *f, const char *text)
{
	size_t n = strlen(text), room = sizeof(f->text) - 1 - f->text_len;

	n = n < room ? n : room;
	memcpy(f->text + f->text_len, text, n);
	f->text_len += n;
	f->text[f->text_len] = '\0';
}

/* The line "BEFORE path AFTER"; ends open, for more by fault_text. */
static void fault_begin(struct reader *r, enum shape_rule rule,
			const struct place *place, const char *before,
			const char *after)
{
	struct shape_fault *f = r->fault;
	char path[SHAPE_PATH_MAX] = "";
	size_t len = 0;

	if (++f->count > SHAPE_FAULTS_MAX)
		return;
	draw_place(place, path, &len);
	if (f->count == 1) {
		f->rule = rule;
		memcpy(f->path, path, sizeof(path));
	} else {
		fault_text(f, "\n");
	}
	fault_text(f, len ? before : "The request");
	fault_text(f, path);
	fault_text(f, after);
}

static void fault_end(struct reader *r, const char *text)
{
	if (r->fault->count <= SHAPE_FAULTS_MAX)
		fault_text(r->fault, text);
}

static void fault(struct reader *r, enum shape_rule rule,
		  const struct place *place, const char *after)
{
	fault_begin(r, rule, place, "The parameter ", after);
}

static void fault_number(struct reader *r, enum shape_rule rule,
			 const struct place *place, const char *before,
			 const char *after, int64_t n, const char *end)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	fault_begin(r, rule, place, before, after);
	fault_end(r, text);
	fault_end(r, end);
}

static void fault_kind(struct reader *r, enum shape_kind kind,
		       const struct place *place)
{
	static const char *const words[] = {
		[SHAPE_STRING] = " must be a string.",
		[SHAPE_INTEGER] = " must be an integer.",
		[SHAPE_DOUBLE] = " must be a number.",
		[SHAPE_BOOLEAN] = " must be true or false.",
		[SHAPE_TIMESTAMP] = " must be a timestamp.",
		[SHAPE_BLOB] = " must be a blob.",
		[SHAPE_LIST_KIND] = " must be a list.",
		[SHAPE_MAP_KIND] = " must be a map.",
		[SHAPE_STRUCTURE] = " must be a structure.",
	};

	fault(r, SHAPE_RULE_KIND, place, words[kind]);
}

/* --- rules ----------------------------------------------------------------------- */

static bool below(const struct shape_type *t, size_t n)
{
	return t->limits & SHAPE_MIN && t->min > 0 && n < (uint64_t)t->min;
}

static bool above(const struct shape_type *t, size_t n)
{
	return t->limits & SHAPE_MAX && t->max >= 0 && n > (uint64_t)t->max;
}

static void check_length(struct reader *r, const struct shape_type *t,
			 const struct place *place, size_t n)
{
	if (below(t, n) && n == 0 && place->required)
		fault(r, SHAPE_RULE_REQUIRED, place, " is required.");
	else if (below(t, n))
		fault_number(r, SHAPE_RULE_LENGTH, place, "The parameter ",
			     " must be longer than ", t->min - 1,
			     " characters.");
	else if (above(t, n))
		fault_number(r, SHAPE_RULE_LENGTH, place, "The parameter ",
			     " must be shorter than ", t->max + 1,
			     " characters.");
}

static void check_words(struct reader *r, const struct shape_type *t,
			const struct place *place, struct sv text)
{
	const char *const *w;

	for (w = t->words; *w; w++)
		if (sv_eq(sv_from(*w), text))
			return;
	fault(r, SHAPE_RULE_WORD, place, " must be a value in the set [ ");
	for (w = t->words; *w; w++) {
		if (w != t->words)
			fault_end(r, ", ");
		fault_end(r, *w);
	}
	fault_end(r, " ].");
}

static void check_string(struct reader *r, const struct shape_type *t,
			 const struct place *place, struct sv text)
{
	unsigned before = r->fault->count;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	check_length(r, t, place, n);
	if (t->words && r->fault->count == before)
		check_words(r, t, place, text);
}

static void check_integer(struct reader *r, const struct shape_type *t,
			  const struct place *place, int64_t v)
{
	if (t->limits & SHAPE_MIN && v < t->min)
		fault_number(r, SHAPE_RULE_RANGE, place, "The parameter ",
			     " must be greater than or equal to ", t->min, ".");
	else if (t->limits & SHAPE_MAX && v > t->max)
		fault_number(r, SHAPE_RULE_RANGE, place, "The parameter ",
			     " must be less than or equal to ", t->max, ".");
}

/* False: so many that they are not read. */
static bool check_count(struct reader *r, const struct shape_type *t,
			const struct place *place, size_t n)
{
	if (below(t, n) && n == 0 && place->required)
		fault(r, SHAPE_RULE_REQUIRED, place, " is required.");
	else if (below(t, n))
		fault_number(r, SHAPE_RULE_LENGTH, place, "The collection ",
			     " must not have a size less than ", t->min, ".");
	if (!above(t, n))
		return true;
	fault_number(r, SHAPE_RULE_LENGTH, place, "The collection ",
		     " must not have a size greater than ", t->max, ".");
	return false;
}

/* --- values ---------------------------------------------------------------------- */

static int read_value(struct reader *r, const struct shape_type *t,
		      struct cursor v, const struct place *place, void *out);

static int read_text(struct reader *r, const struct shape_type *t,
		     struct cursor v, const struct place *place, struct sv *out)
{
	bool blob = t->kind == SHAPE_BLOB;
	int err = blob ? r->src->blob(v, r->arena, out) :
			 r->src->text(v, r->arena, out);

	if (err == ERR_INVALID)
		fault_kind(r, t->kind, place);
	else if (!err && blob)
		check_length(r, t, place, out->len);
	else if (!err)
		check_string(r, t, place, *out);
	return err == ERR_INVALID ? 0 : err;
}

static void read_integer(struct reader *r, const struct shape_type *t,
			 struct cursor v, const struct place *place,
			 struct shape_integer *out)
{
	out->set = r->src->integer(v, &out->value);
	if (out->set)
		check_integer(r, t, place, out->value);
	else
		fault_kind(r, t->kind, place);
}

static void read_double(struct reader *r, const struct shape_type *t,
			struct cursor v, const struct place *place,
			struct shape_double *out)
{
	out->set = r->src->real(v, &out->value);
	if (!out->set)
		fault_kind(r, t->kind, place);
	else if (!isfinite(out->value))
		fault(r, SHAPE_RULE_RANGE, place, " must be a finite number.");
}

static size_t count_items(struct reader *r, struct cursor container)
{
	size_t n = 0;

	for (struct cursor it = r->src->first(container); it.doc;
	     it = r->src->next(container, it))
		n++;
	return n;
}

static size_t size_of(const struct shape_type *t)
{
	switch (t->kind) {
	case SHAPE_STRING:
	case SHAPE_BLOB:
		return sizeof(struct sv);
	case SHAPE_INTEGER:
		return sizeof(struct shape_integer);
	case SHAPE_DOUBLE:
		return sizeof(struct shape_double);
	case SHAPE_BOOLEAN:
		return sizeof(struct shape_boolean);
	case SHAPE_TIMESTAMP:
		return sizeof(struct shape_time);
	case SHAPE_LIST_KIND:
		return sizeof(struct any_list);
	case SHAPE_MAP_KIND:
		return sizeof(struct any_map);
	case SHAPE_STRUCTURE:
		return t->of->size;
	}
	assert(false);
	return 0;
}

/* The items of a list or the values of a map, and the keys of one. */
static int read_items(struct reader *r, const struct shape_type *t,
		      struct cursor container, const struct place *up,
		      unsigned char *items, struct sv *keys)
{
	static const struct shape_type any_key = { .kind = SHAPE_STRING };
	struct place place = { .up = up, .group = keys ? "entry" : "member" };
	size_t size = size_of(t->item);
	int err = 0;

	for (struct cursor it = r->src->first(container); it.doc && !err;
	     it = r->src->next(container, it)) {
		struct cursor v = r->src->value(it, t->kind);

		place.index++;
		if (keys) {
			err = r->src->key(it, t->kind, r->arena, keys);
			if (err == ERR_INVALID)
				fault_kind(r, SHAPE_MAP_KIND, &place);
			else if (!err)
				check_string(r, t->key ? t->key : &any_key,
					     &place, *keys);
			keys++;
		}
		if (err && err != ERR_INVALID)
			return err;
		err = 0;
		if (r->src->is_null(v))
			fault_kind(r, t->item->kind, &place);
		else
			err = read_value(r, t->item, v, &place, items);
		items += size;
	}
	return err;
}

static int read_group(struct reader *r, const struct shape_type *t,
		      struct cursor v, const struct place *place, void *out)
{
	bool map = t->kind == SHAPE_MAP_KIND;
	struct sv *keys = NULL;
	struct cursor container;
	void *items;
	size_t n;

	if (!r->src->enter(v, t->kind, &container)) {
		fault_kind(r, t->kind, place);
		return 0;
	}
	n = count_items(r, container);
	if (!check_count(r, t, place, n))
		return 0;
	items = arena_array(r->arena, n, size_of(t->item));
	if (map)
		keys = arena_array(r->arena, n, sizeof(*keys));
	if (!items || (map && !keys))
		return ERR_NOMEM;
	if (map)
		memcpy(out, &(struct any_map){ keys, items, n, true },
		       sizeof(struct any_map));
	else
		memcpy(out, &(struct any_list){ items, n, true },
		       sizeof(struct any_list));
	return read_items(r, t, container, place, items, keys);
}

/* The member of this name; most documents have them in the order of the
 * table, so the search starts behind the last one found. */
static const struct shape_member *find_member(const struct reader *r,
					      const struct shape *shape,
					      struct sv name, size_t *hint)
{
	for (size_t i = 0; i < shape->member_count; i++) {
		size_t k = (*hint + i) % shape->member_count;
		const struct shape_member *m = &shape->members[k];
		bool query = r->src->query && m->query;

		if (sv_eq(sv_from(query ? m->query : m->name), name)) {
			*hint = k + 1;
			return m;
		}
	}
	return NULL;
}

static int read_member(struct reader *r, const struct shape_member *m,
		       struct cursor v, const struct place *up,
		       unsigned char *out)
{
	struct place place = { .up = up,
			       .name = m->query ? m->query : m->name,
			       .required = m->required };
	void *inner;

	if (m->type->kind != SHAPE_STRUCTURE)
		return read_value(r, m->type, v, &place, out + m->offset);
	inner = arena_array(r->arena, 1, m->type->of->size);
	if (!inner)
		return ERR_NOMEM;
	memcpy(out + m->offset, &inner, sizeof(inner));
	return read_value(r, m->type, v, &place, inner);
}

static void check_required(struct reader *r, const struct shape *shape,
			   const struct place *up, uint64_t have)
{
	for (size_t i = 0; i < shape->member_count; i++) {
		const struct shape_member *m = &shape->members[i];
		struct place place = { .up = up,
				       .name = m->query ? m->query : m->name };

		if (m->required && !(have >> i & 1))
			fault(r, SHAPE_RULE_REQUIRED, &place, " is required.");
	}
}

static int read_structure(struct reader *r, const struct shape *shape,
			  struct cursor v, const struct place *place,
			  unsigned char *out)
{
	uint64_t met = 0, have = 0;
	struct cursor container;
	size_t hint = 0;

	assert(shape->member_count <= SHAPE_MEMBERS_MAX);
	if (!r->src->enter(v, SHAPE_STRUCTURE, &container)) {
		fault_kind(r, SHAPE_STRUCTURE, place);
		return 0;
	}
	for (struct cursor it = r->src->first(container); it.doc;
	     it = r->src->next(container, it)) {
		struct cursor value = r->src->value(it, SHAPE_STRUCTURE);
		const struct shape_member *m;
		struct sv name;
		uint64_t bit;
		int err = r->src->key(it, SHAPE_STRUCTURE, r->arena, &name);

		if (err == ERR_INVALID)
			continue; /* CBOR: a key that is no text, so no name */
		if (err)
			return err;
		m = find_member(r, shape, name, &hint);
		bit = m ? (uint64_t)1 << (m - shape->members) : 0;
		if (!m || met & bit)
			continue;
		met |= bit;
		if (r->src->is_null(value))
			continue;
		have |= bit;
		err = read_member(r, m, value, place, out);
		if (err)
			return err;
	}
	check_required(r, shape, place, have);
	return 0;
}

/* Into *out, which is zero: a member's place, or for a structure its struct. */
static int read_value(struct reader *r, const struct shape_type *t,
		      struct cursor v, const struct place *place, void *out)
{
	struct shape_boolean *flag = out;
	struct shape_time *time = out;
	int err;

	switch (t->kind) {
	case SHAPE_STRING:
	case SHAPE_BLOB:
		return read_text(r, t, v, place, out);
	case SHAPE_INTEGER:
		read_integer(r, t, v, place, out);
		return 0;
	case SHAPE_DOUBLE:
		read_double(r, t, v, place, out);
		return 0;
	case SHAPE_BOOLEAN:
		flag->set = r->src->boolean(v, &flag->value);
		if (!flag->set)
			fault_kind(r, t->kind, place);
		return 0;
	case SHAPE_TIMESTAMP:
		time->set = r->src->time(v, &time->ns);
		if (!time->set)
			fault_kind(r, t->kind, place);
		return 0;
	case SHAPE_LIST_KIND:
	case SHAPE_MAP_KIND:
	case SHAPE_STRUCTURE:
		break;
	}
	if (r->depth == SHAPE_DEPTH_MAX)
		return ERR_LIMIT;
	r->depth++;
	err = t->kind == SHAPE_STRUCTURE ?
		      read_structure(r, t->of, v, place, out) :
		      read_group(r, t, v, place, out);
	r->depth--;
	return err;
}

static int read_root(const struct shape_source *src, const struct shape *shape,
		     struct cursor v, struct arena *arena, void *out,
		     struct shape_fault *fault)
{
	const struct shape_type root = { .kind = SHAPE_STRUCTURE, .of = shape };
	struct reader r = { .src = src, .arena = arena, .fault = fault };
	int err;

	fault->rule = SHAPE_RULE_NONE;
	fault->count = 0;
	fault->text_len = 0;
	fault->path[0] = fault->text[0] = '\0';
	memset(out, 0, shape->size);
	err = read_value(&r, &root, v, NULL, out);
	return err ? err : fault->count ? ERR_INVALID : 0;
}

int shape_read_json(const struct shape *shape, struct json v,
		    struct arena *arena, void *out, struct shape_fault *fault)
{
	struct cursor at = { v.doc, v.index };

	return read_root(&shape_source_json, shape, at, arena, out, fault);
}

int shape_read_cbor(const struct shape *shape, struct cbor v,
		    struct arena *arena, void *out, struct shape_fault *fault)
{
	struct cursor at = { v.doc, v.index };

	return read_root(&shape_source_cbor, shape, at, arena, out, fault);
}

int shape_read_form(const struct shape *shape, struct form v,
		    struct arena *arena, void *out, struct shape_fault *fault)
{
	struct cursor at = { v.doc, v.index };

	return read_root(&shape_source_form, shape, at, arena, out, fault);
}
