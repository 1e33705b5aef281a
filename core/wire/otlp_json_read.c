/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_json.h"

#include <math.h>

#include "core/codec/base64.h"
#include "core/codec/json.h"
#include "core/codec/protobuf.h"

struct reading {
	struct arena *arena;
	struct buf *out;
	struct diag *diag;
};

static int read_message(const struct reading *r, enum otlp_message message,
			struct json object);

static int bad_value(const struct reading *r, const struct otlp_field *f,
		     const char *want)
{
	return diag_set(r->diag, ERR_INVALID, "\"%.*s\" must be %s",
			SV_ARG(f->key), want);
}

/* The text of a number, bare or as a string; ptr NULL: it is neither. */
static struct sv number_text(const struct reading *r, struct json v)
{
	return json_is(v, JSON_NUMBER) ? json_raw(v) : json_string(v, r->arena);
}

static bool read_u64(const struct reading *r, struct json v, uint64_t *out)
{
	int64_t n;

	if (sv_to_u64(number_text(r, v), out))
		return true;
	if (!json_to_i64(v, &n) || n < 0) /* as 1.5e3 is */
		return false;
	*out = (uint64_t)n;
	return true;
}

static bool read_i64(const struct reading *r, struct json v, int64_t *out)
{
	return sv_to_i64(number_text(r, v), out) || json_to_i64(v, out);
}

static bool read_double(const struct reading *r, struct json v, double *out)
{
	struct json_doc doc;
	struct sv text;

	if (json_to_double(v, out))
		return true;
	text = json_string(v, r->arena);
	if (!text.ptr)
		return false;
	if (sv_eq(text, SV("NaN")))
		*out = (double)NAN;
	else if (sv_eq(text, SV("Infinity")))
		*out = (double)INFINITY;
	else if (sv_eq(text, SV("-Infinity")))
		*out = -(double)INFINITY;
	else
		return !json_parse(&doc, r->arena, text, NULL) &&
		       json_to_double(json_root(&doc), out);
	return true;
}

static bool read_enum(const struct reading *r, const struct otlp_field *f,
		      struct json v, int64_t *out)
{
	struct sv name;

	if (read_i64(r, v, out))
		return *out >= INT32_MIN && *out <= INT32_MAX;
	name = json_string(v, r->arena);
	for (size_t i = 0; name.ptr && i < f->names->count; i++) {
		*out = (int64_t)i;
		if (sv_eq(name, f->names->values[i]))
			return true;
	}
	return false;
}

static int put_number(const struct reading *r, const struct otlp_field *f,
		      struct json v)
{
	uint64_t u = 0;
	int64_t i = 0;

	switch ((enum otlp_type)f->type) {
	case OTLP_BOOL:
		if (!json_is(v, JSON_TRUE) && !json_is(v, JSON_FALSE))
			return bad_value(r, f, "true or false");
		u = json_is(v, JSON_TRUE);
		break;
	case OTLP_ENUM:
		if (!read_enum(r, f, v, &i))
			return bad_value(r, f, "a number of the enumeration");
		u = (uint64_t)i;
		break;
	case OTLP_INT64:
	case OTLP_SFIXED64:
		if (!read_i64(r, v, &i))
			return bad_value(r, f, "a whole number of 64 bits");
		u = (uint64_t)i;
		break;
	case OTLP_SINT32:
		if (!read_i64(r, v, &i) || i < INT32_MIN || i > INT32_MAX)
			return bad_value(r, f, "a whole number of 32 bits");
		u = (uint64_t)i << 1 ^ (i < 0 ? UINT64_MAX : 0);
		break;
	case OTLP_UINT32:
	case OTLP_FIXED32:
		if (!read_u64(r, v, &u) || u > UINT32_MAX)
			return bad_value(r, f, "a whole number of 32 bits");
		break;
	default:
		if (!read_u64(r, v, &u))
			return bad_value(r, f, "a whole number of 64 bits");
	}
	if (!u && !f->present)
		return 0;
	if (f->type == OTLP_FIXED32)
		protobuf_put_fixed32(r->out, f->number, (uint32_t)u);
	else if (f->type == OTLP_FIXED64 || f->type == OTLP_SFIXED64)
		protobuf_put_fixed64(r->out, f->number, u);
	else
		protobuf_put_u64(r->out, f->number, u);
	return 0;
}

static int put_double(const struct reading *r, const struct otlp_field *f,
		      struct json v)
{
	double d;

	if (!read_double(r, v, &d))
		return bad_value(r, f, "a number");
	if (protobuf_bits(d) || f->present)
		protobuf_put_fixed64(r->out, f->number, protobuf_bits(d));
	return 0;
}

static int put_packed(const struct reading *r, const struct otlp_field *f,
		      struct json list)
{
	size_t mark;
	uint8_t bytes[8];

	if (!json_is(list, JSON_ARRAY))
		return bad_value(r, f, "a list of numbers");
	if (!json_first(list).doc)
		return 0;
	mark = protobuf_open(r->out, f->number);
	for (struct json it = json_first(list); it.doc;
	     it = json_next(list, it)) {
		uint64_t u = 0;
		double d = 0;

		if (f->type == OTLP_DOUBLES ? !read_double(r, it, &d) :
					      !read_u64(r, it, &u))
			return bad_value(r, f, "a list of numbers");
		if (f->type == OTLP_UINT64S) {
			protobuf_varint_put(r->out, u);
			continue;
		}
		put_le64(bytes, f->type == OTLP_DOUBLES ? protobuf_bits(d) : u);
		buf_add(r->out, bytes, sizeof(bytes));
	}
	protobuf_close(r->out, mark);
	return 0;
}

static int put_hex(const struct reading *r, const struct otlp_field *f,
		   struct sv text)
{
	uint8_t bytes[16];

	/* No id is a byte long, so whatever this belongs to is refused. */
	if (text.len % 2 || text.len > 2 * sizeof(bytes) ||
	    !sv_to_hex(text, bytes, text.len / 2))
		text = SV("\xff");
	else
		text = sv_make((const char *)bytes, text.len / 2);
	if (text.len)
		protobuf_put_bytes(r->out, f->number, text);
	return 0;
}

static int put_text(const struct reading *r, const struct otlp_field *f,
		    struct json v)
{
	struct sv text = json_string(v, r->arena);
	int e;

	if (!text.ptr)
		return json_is(v, JSON_STRING) ? ERR_NOMEM :
						 bad_value(r, f, "a string");
	if (f->type == OTLP_HEX)
		return put_hex(r, f, text);
	if (f->type == OTLP_BASE64) {
		e = base64_parse(r->arena, text, &text);
		if (e)
			return e == ERR_NOMEM ? e : bad_value(r, f, "base64");
	}
	if (text.len || f->present)
		protobuf_put_bytes(r->out, f->number, text);
	return 0;
}

static int put_message(const struct reading *r, const struct otlp_field *f,
		       struct json v)
{
	size_t mark;
	int e;

	if (!json_is(v, JSON_OBJECT))
		return bad_value(r, f, "an object");
	mark = protobuf_open(r->out, f->number);
	e = read_message(r, (enum otlp_message)f->message, v);
	if (!e)
		protobuf_close(r->out, mark);
	return e;
}

static int put_list(const struct reading *r, const struct otlp_field *f,
		    struct json list)
{
	int e = 0;

	if (!json_is(list, JSON_ARRAY))
		return bad_value(r, f, "a list");
	for (struct json it = json_first(list); it.doc && !e;
	     it = json_next(list, it))
		e = put_message(r, f, it);
	return e;
}

static int put_field(const struct reading *r, const struct otlp_field *f,
		     struct json v)
{
	switch ((enum otlp_type)f->type) {
	case OTLP_STRING:
	case OTLP_HEX:
	case OTLP_BASE64:
		return put_text(r, f, v);
	case OTLP_DOUBLE:
		return put_double(r, f, v);
	case OTLP_FIXED64S:
	case OTLP_UINT64S:
	case OTLP_DOUBLES:
		return put_packed(r, f, v);
	case OTLP_NESTED:
		return put_message(r, f, v);
	case OTLP_LIST:
		return put_list(r, f, v);
	default:
		return put_number(r, f, v);
	}
}

/* Senders keep the schema's order, nearly: the search goes on from where the
 * last one was found. */
static const struct otlp_field *find_field(const struct otlp_field *fields,
					   size_t count, size_t *at,
					   struct json key)
{
	const struct json_node *node = &key.doc->nodes[key.index];
	struct sv text = sv_make(key.doc->text.ptr + node->at, node->len);

	for (size_t n = 0; n < count; n++) {
		const struct otlp_field *f = &fields[*at];

		if (++*at == count)
			*at = 0;
		if (node->escaped ? json_string_is(key, f->key) :
				    sv_eq(text, f->key))
			return f;
	}
	return NULL;
}

/* The depth is the parser's: JSON_DEPTH_MAX. */
static int read_message(const struct reading *r, enum otlp_message message,
			struct json object)
{
	size_t count, at = 0;
	const struct otlp_field *fields = otlp_fields(message, &count);
	int e = 0;

	for (struct json key = json_first(object); key.doc && !e;
	     key = json_next(object, key)) {
		const struct otlp_field *f =
			find_field(fields, count, &at, key);
		struct json v = json_member(key);

		if (f && !json_is(v, JSON_NULL))
			e = put_field(r, f, v);
	}
	return e;
}

int otlp_json_read(enum otlp_message message, struct arena *arena,
		   struct sv text, struct buf *out, struct diag *diag)
{
	const struct reading r = { arena, out, diag };
	struct arena_mark mark = arena_mark(arena);
	struct json_doc doc;
	int e = json_parse(&doc, arena, text, diag);

	if (!e && !json_is(json_root(&doc), JSON_OBJECT))
		e = diag_set(diag, ERR_INVALID, "the body must be an object");
	if (!e)
		e = read_message(&r, message, json_root(&doc));
	if (!e && out->failed)
		e = ERR_NOMEM;
	arena_rollback(arena, mark);
	return e;
}
