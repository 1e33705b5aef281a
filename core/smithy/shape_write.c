/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "core/codec/base64.h"
#include "core/codec/json_write.h"
#include "core/codec/time_text.h"
#include "core/codec/xml_write.h"
#include "core/smithy/shape.h"

/* What the walk over a struct asks of a writer, once for each format. */
struct sink {
	void (*open)(void *w, enum shape_kind kind, size_t count);
	void (*close)(void *w, enum shape_kind kind);
	void (*open_member)(void *w, const struct shape_member *m);
	void (*open_item)(void *w);
	void (*open_entry)(void *w, struct sv key);
	/* Behind a member or item, and behind an entry's value. */
	void (*close_place)(void *w);
	void (*close_entry)(void *w);
	void (*string)(void *w, struct sv text);
	void (*blob)(void *w, struct sv bytes);
	void (*integer)(void *w, int64_t v);
	void (*real)(void *w, double v);
	void (*boolean)(void *w, bool v);
	void (*time)(void *w, int64_t ns);
};

/* --- the walk -------------------------------------------------------------------- */

struct group {
	const struct sv *keys;
	const unsigned char *items;
	size_t count;
	bool set;
};

/* Lists and maps of any type, copied as bytes: see SHAPE_LIST, SHAPE_MAP. */
static struct group load_group(enum shape_kind kind, const void *in)
{
	struct group g = { 0 };

	if (kind == SHAPE_LIST_KIND) {
		SHAPE_LIST(const unsigned char) list;

		memcpy(&list, in, sizeof(list));
		g = (struct group){ NULL, list.items, list.count, list.set };
	} else {
		SHAPE_MAP(const unsigned char) map;

		memcpy(&map, in, sizeof(map));
		g = (struct group){ map.keys, map.values, map.count, map.set };
	}
	return g;
}

/* What is to be written of a member, NULL where it is not there. */
static const void *load_member(const struct shape_member *m, const void *in)
{
	const unsigned char *at = (const unsigned char *)in + m->offset;
	const void *inner;

	switch (m->type->kind) {
	case SHAPE_STRING:
	case SHAPE_BLOB:
		return ((const struct sv *)(const void *)at)->ptr ? at : NULL;
	case SHAPE_INTEGER:
		return ((const struct shape_integer *)(const void *)at)->set ?
			       at :
			       NULL;
	case SHAPE_DOUBLE:
		return ((const struct shape_double *)(const void *)at)->set ?
			       at :
			       NULL;
	case SHAPE_BOOLEAN:
		return ((const struct shape_boolean *)(const void *)at)->set ?
			       at :
			       NULL;
	case SHAPE_TIMESTAMP:
		return ((const struct shape_time *)(const void *)at)->set ?
			       at :
			       NULL;
	case SHAPE_LIST_KIND:
	case SHAPE_MAP_KIND:
		return load_group(m->type->kind, at).set ? at : NULL;
	case SHAPE_STRUCTURE:
		memcpy(&inner, at, sizeof(inner));
		return inner;
	}
	assert(false);
	return NULL;
}

static void write_structure(const struct sink *s, void *w,
			    const struct shape *shape, const void *in);

static size_t size_of(const struct shape_type *t)
{
	static const size_t sizes[] = {
		[SHAPE_STRING] = sizeof(struct sv),
		[SHAPE_INTEGER] = sizeof(struct shape_integer),
		[SHAPE_DOUBLE] = sizeof(struct shape_double),
		[SHAPE_BOOLEAN] = sizeof(struct shape_boolean),
		[SHAPE_TIMESTAMP] = sizeof(struct shape_time),
		[SHAPE_BLOB] = sizeof(struct sv),
		[SHAPE_LIST_KIND] = sizeof(SHAPE_LIST(char)),
		[SHAPE_MAP_KIND] = sizeof(SHAPE_MAP(char)),
	};

	return t->kind == SHAPE_STRUCTURE ? t->of->size : sizes[t->kind];
}

static void write_value(const struct sink *s, void *w,
			const struct shape_type *t, const void *in);

static void write_group(const struct sink *s, void *w,
			const struct shape_type *t, const void *in)
{
	struct group g = load_group(t->kind, in);

	s->open(w, t->kind, g.count);
	for (size_t i = 0; i < g.count; i++) {
		if (g.keys)
			s->open_entry(w, g.keys[i]);
		else
			s->open_item(w);
		write_value(s, w, t->item, g.items + i * size_of(t->item));
		s->close_place(w);
		if (g.keys)
			s->close_entry(w);
	}
	s->close(w, t->kind);
}

static void write_value(const struct sink *s, void *w,
			const struct shape_type *t, const void *in)
{
	switch (t->kind) {
	case SHAPE_STRING:
		s->string(w, *(const struct sv *)in);
		break;
	case SHAPE_BLOB:
		s->blob(w, *(const struct sv *)in);
		break;
	case SHAPE_INTEGER:
		s->integer(w, ((const struct shape_integer *)in)->value);
		break;
	case SHAPE_DOUBLE:
		s->real(w, ((const struct shape_double *)in)->value);
		break;
	case SHAPE_BOOLEAN:
		s->boolean(w, ((const struct shape_boolean *)in)->value);
		break;
	case SHAPE_TIMESTAMP:
		s->time(w, ((const struct shape_time *)in)->ns);
		break;
	case SHAPE_LIST_KIND:
	case SHAPE_MAP_KIND:
		write_group(s, w, t, in);
		break;
	case SHAPE_STRUCTURE:
		write_structure(s, w, t->of, in);
		break;
	}
}

static void write_members(const struct sink *s, void *w,
			  const struct shape *shape, const void *in)
{
	for (size_t i = 0; i < shape->member_count; i++) {
		const struct shape_member *m = &shape->members[i];
		const void *value = load_member(m, in);

		if (!value)
			continue;
		s->open_member(w, m);
		write_value(s, w, m->type, value);
		s->close_place(w);
	}
}

static void write_structure(const struct sink *s, void *w,
			    const struct shape *shape, const void *in)
{
	size_t count = 0;

	for (size_t i = 0; i < shape->member_count; i++)
		count += load_member(&shape->members[i], in) != NULL;
	s->open(w, SHAPE_STRUCTURE, count);
	write_members(s, w, shape, in);
	s->close(w, SHAPE_STRUCTURE);
}

static void no_place(void *w)
{
	(void)w;
}

static void no_close(void *w, enum shape_kind kind)
{
	(void)w;
	(void)kind;
}

/* --- JSON ------------------------------------------------------------------------ */

static void json_open(void *w, enum shape_kind kind, size_t count)
{
	(void)count;
	if (kind == SHAPE_LIST_KIND)
		json_open_array(w);
	else
		json_open_object(w);
}

static void json_close(void *w, enum shape_kind kind)
{
	if (kind == SHAPE_LIST_KIND)
		json_close_array(w);
	else
		json_close_object(w);
}

static void json_open_member(void *w, const struct shape_member *m)
{
	json_key(w, m->name);
}

static void json_open_entry(void *w, struct sv key)
{
	json_key_sv(w, key);
}

static void json_string_out(void *w, struct sv text)
{
	json_put_sv(w, text);
}

static void json_blob(void *w, struct sv bytes)
{
	struct buf *out = ((struct json_writer *)w)->out;

	json_put_raw(w, SV("\"")); /* the comma, and the quote */
	base64_put(out, bytes);
	buf_char(out, '"');
}

static void json_integer(void *w, int64_t v)
{
	json_put_i64(w, v);
}

static void json_real(void *w, double v)
{
	if (isfinite(v))
		json_put_double(w, v);
	else
		json_put_text(w, isnan(v) ? "NaN" :
				 v < 0    ? "-Infinity" :
					    "Infinity");
}

static void json_boolean(void *w, bool v)
{
	json_put_bool(w, v);
}

static void json_time(void *w, int64_t ns)
{
	json_put_raw(w, SV("")); /* the comma */
	time_put_seconds(((struct json_writer *)w)->out, ns);
}

void shape_write_json(const struct shape *shape, const void *in,
		      struct json_writer *w)
{
	static const struct sink sink = {
		.open = json_open,
		.close = json_close,
		.open_member = json_open_member,
		.open_item = no_place,
		.open_entry = json_open_entry,
		.close_place = no_place,
		.close_entry = no_place,
		.string = json_string_out,
		.blob = json_blob,
		.integer = json_integer,
		.real = json_real,
		.boolean = json_boolean,
		.time = json_time,
	};

	write_structure(&sink, w, shape, in);
}

/* --- CBOR ------------------------------------------------------------------------ */

static void cbor_open(void *w, enum shape_kind kind, size_t count)
{
	assert(count <= UINT32_MAX);
	if (kind == SHAPE_LIST_KIND)
		cbor_put_array(w, (uint32_t)count);
	else
		cbor_put_map(w, (uint32_t)count);
}

static void cbor_open_member(void *w, const struct shape_member *m)
{
	cbor_put_text(w, m->name);
}

static void cbor_open_entry(void *w, struct sv key)
{
	cbor_put_sv(w, key);
}

static void cbor_string(void *w, struct sv text)
{
	cbor_put_sv(w, text);
}

static void cbor_blob(void *w, struct sv bytes)
{
	cbor_put_bytes(w, bytes);
}

static void cbor_integer(void *w, int64_t v)
{
	cbor_put_i64(w, v);
}

static void cbor_real(void *w, double v)
{
	cbor_put_double(w, v);
}

static void cbor_boolean(void *w, bool v)
{
	cbor_put_bool(w, v);
}

static void cbor_time(void *w, int64_t ns)
{
	cbor_put_seconds(w, ns);
}

void shape_write_cbor(const struct shape *shape, const void *in,
		      struct cbor_writer *w)
{
	static const struct sink sink = {
		.open = cbor_open,
		.close = no_close,
		.open_member = cbor_open_member,
		.open_item = no_place,
		.open_entry = cbor_open_entry,
		.close_place = no_place,
		.close_entry = no_place,
		.string = cbor_string,
		.blob = cbor_blob,
		.integer = cbor_integer,
		.real = cbor_real,
		.boolean = cbor_boolean,
		.time = cbor_time,
	};

	write_structure(&sink, w, shape, in);
}

/* --- Query XML ------------------------------------------------------------------- */

static void xml_open_group(void *w, enum shape_kind kind, size_t count)
{
	(void)w;
	(void)kind;
	(void)count;
}

static void xml_open_member(void *w, const struct shape_member *m)
{
	xml_open(w, m->query ? m->query : m->name);
}

static void xml_open_item(void *w)
{
	xml_open(w, "member");
}

static void xml_open_entry(void *w, struct sv key)
{
	xml_open(w, "entry");
	xml_element(w, "key", key);
	xml_open(w, "value");
}

static void xml_close_place(void *w)
{
	xml_close(w);
}

static void xml_string(void *w, struct sv text)
{
	xml_put_sv(w, text);
}

static void xml_blob(void *w, struct sv bytes)
{
	base64_put(((struct xml_writer *)w)->out, bytes);
}

static void xml_integer(void *w, int64_t v)
{
	xml_put_i64(w, v);
}

static void xml_real(void *w, double v)
{
	xml_put_double(w, v);
}

static void xml_boolean(void *w, bool v)
{
	xml_put_bool(w, v);
}

static void xml_time(void *w, int64_t ns)
{
	xml_put_iso(w, ns);
}

void shape_write_xml(const struct shape *shape, const void *in,
		     struct xml_writer *w)
{
	static const struct sink sink = {
		.open = xml_open_group,
		.close = no_close,
		.open_member = xml_open_member,
		.open_item = xml_open_item,
		.open_entry = xml_open_entry,
		.close_place = xml_close_place,
		.close_entry = xml_close_place,
		.string = xml_string,
		.blob = xml_blob,
		.integer = xml_integer,
		.real = xml_real,
		.boolean = xml_boolean,
		.time = xml_time,
	};

	write_members(&sink, w, shape, in);
}
