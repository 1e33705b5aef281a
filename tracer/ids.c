/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/ids.h"

#include "core/codec/protobuf.h"
#include "core/wire/otlp_fields.h"

enum { END_MAX = 16 }; /* bytes of the longest end */

static const struct sv ends[] = {
#define ID(end, whose) SV_INIT(end),
#include "tracer/ids.def"
#undef ID
};

/* The last letters and digits of text, in lower case, before those that end
 * at out: from the back to the front. Returns how many are there now. */
static size_t take_back(struct sv text, char out[END_MAX], size_t count)
{
	for (size_t i = text.len; i > 0 && count < END_MAX; i--) {
		char c = text.ptr[i - 1];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[END_MAX - ++count] = c;
	}
	return count;
}

uint64_t ids_seed(const struct scope *scope)
{
	struct sv region = { scope->region,
			     strnlen(scope->region, REGION_MAX) };

	return hash64_seed(region, scope->account);
}

/* What a name of an id can end with. */
static bool is_last(char c)
{
	return c == 'd' || c == 'D' || c == 'n' || c == 'N' || c == '2';
}

bool ids_is_key(struct sv path, struct sv key)
{
	char back[END_MAX];
	size_t count;

	/* Most names are none of them by their last character. */
	if (!key.len || !is_last(key.ptr[key.len - 1]))
		return false;
	count = take_back(key, back, 0);
	count = take_back(path, back, count);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i].len <= count &&
		    !memcmp(back + END_MAX - ends[i].len, ends[i].ptr,
			    ends[i].len))
			return true;
	return false;
}

struct visit {
	struct arena *arena;
	ids_fn *fn;
	void *arg;
	unsigned left; /* of IDS_MAX */
};

static int visit_text(struct visit *v, struct sv text)
{
	if (!text.len || text.len > REQUEST_ID_MAX || !v->left)
		return 0;
	v->left--;
	return v->fn(v->arg, text);
}

static int visit_object(struct visit *v, struct json object, struct sv path,
			unsigned depth)
{
	struct json key;
	int e = 0;

	if (!json_is(object, JSON_OBJECT))
		return 0;
	for (key = json_first(object); key.doc && !e;
	     key = json_next(object, key)) {
		struct sv name = json_raw(key);
		struct json value = json_member(key);

		name = sv_make(name.ptr + 1, name.len - 2);
		if (json_is(value, JSON_OBJECT)) {
			if (depth < IDS_DEPTH_MAX)
				e = visit_object(v, value, name, depth + 1);
		} else if (json_is(value, JSON_STRING) &&
			   ids_is_key(path, name)) {
			struct sv text = json_string(value, v->arena);

			e = text.ptr ? visit_text(v, text) : ERR_NOMEM;
		}
	}
	return e;
}

static int visit_segment(struct visit *v, struct json body)
{
	struct json key;
	int e = 0;

	v->left = IDS_MAX;
	for (key = json_first(body); key.doc && !e;
	     key = json_next(body, key)) {
		struct sv name = json_raw(key);

		name = sv_make(name.ptr + 1, name.len - 2);
		if (sv_eq(name, SV("aws")) || sv_eq(name, SV("annotations")))
			e = visit_object(v, json_member(key), name, 1);
	}
	return e;
}

/* KeyValue { string key = 1; AnyValue value = 2 { string_value = 1 } } */
static int visit_attribute(struct visit *v, struct sv attribute)
{
	struct protobuf r = protobuf_reader(attribute);
	struct protobuf_field f;
	struct sv key = SV(""), value = SV(""), text = SV("");

	while (protobuf_next(&r, &f) == 1) {
		if (f.type != PROTOBUF_BYTES)
			continue;
		if (f.number == 1)
			key = f.bytes;
		else if (f.number == 2)
			value = f.bytes;
	}
	if (!ids_is_key(SV(""), key))
		return 0;
	r = protobuf_reader(value);
	while (protobuf_next(&r, &f) == 1)
		if (f.number == 1 && f.type == PROTOBUF_BYTES)
			text = f.bytes;
	return visit_text(v, text);
}

/* Whether the key may be one, by the byte it ends with: senders write it first
 * and it is short. True where that is not so. */
static bool may_be_id(struct sv attribute)
{
	const uint8_t *p = (const uint8_t *)attribute.ptr;

	return attribute.len < 3 || p[0] != (1 << 3 | PROTOBUF_BYTES) ||
	       p[1] == 0 || p[1] >= 0x80 || attribute.len < 2U + p[1] ||
	       is_last(attribute.ptr[1 + p[1]]);
}

int ids_visit_span(struct sv span, ids_fn *fn, void *arg)
{
	struct visit v = { .fn = fn, .arg = arg, .left = IDS_MAX };
	struct protobuf r = protobuf_reader(span);
	struct protobuf_field f;
	int e = 0;

	while (!e && protobuf_next(&r, &f) == 1)
		if (f.number == SPAN_ATTRIBUTES && f.type == PROTOBUF_BYTES &&
		    may_be_id(f.bytes))
			e = visit_attribute(&v, f.bytes);
	return e;
}

int ids_visit_segments(const struct segment *segments, uint32_t count,
		       struct arena *arena, ids_fn *fn, void *arg)
{
	struct visit v = { .arena = arena, .fn = fn, .arg = arg };
	int e = 0;

	for (uint32_t i = 0; i < count && !e; i++)
		e = visit_segment(&v, segments[i].json);
	return e;
}

int ids_visit(const struct document *d, const struct document_reading *r,
	      struct arena *arena, ids_fn *fn, void *arg)
{
	struct span_source source;
	struct span_record span;

	if (d->format == DOCUMENT_XRAY)
		return ids_visit_segments(r->segments, r->count, arena, fn,
					  arg);
	return document_to_span(d->bytes, &source, &span) ?
		       ids_visit_span(span.span, fn, arg) :
		       0;
}
