/* SPDX-License-Identifier: Apache-2.0 */
#include "core/smithy/shape_source.h"

#include <math.h>

#include "core/codec/base64.h"

static const struct cursor nothing;

/* Text that a codec gave, or its reason for none. */
static int text_or(struct sv text, bool is_text, struct sv *out)
{
	if (!is_text)
		return ERR_INVALID;
	*out = text;
	return text.ptr ? 0 : ERR_NOMEM;
}

static int blob_of_base64(struct arena *a, struct sv text, struct sv *out)
{
	int err = base64_parse(a, text, out);

	return err == ERR_SYNTAX ? ERR_INVALID : err;
}

/* --- JSON ----------------------------------------------------------------------- */

static struct json json_at(struct cursor v)
{
	return (struct json){ v.doc, v.index };
}

static struct cursor json_cursor(struct json v)
{
	return (struct cursor){ v.doc, v.index };
}

static bool from_json_is_null(struct cursor v)
{
	return !v.doc || json_is(json_at(v), JSON_NULL);
}

static int from_json_text(struct cursor v, struct arena *a, struct sv *out)
{
	bool is_text = json_is(json_at(v), JSON_STRING);

	return text_or(json_string(json_at(v), a), is_text, out);
}

static int from_json_blob(struct cursor v, struct arena *a, struct sv *out)
{
	struct sv text;
	int err = from_json_text(v, a, &text);

	return err ? err : blob_of_base64(a, text, out);
}

static bool from_json_integer(struct cursor v, int64_t *out)
{
	return json_to_i64(json_at(v), out);
}

/* Smithy's JSON has words for what JSON cannot say. */
static bool from_json_real(struct cursor v, double *out)
{
	struct json j = json_at(v);

	if (json_to_double(j, out))
		return true;
	*out = (double)NAN;
	return json_is(j, JSON_NUMBER) || json_string_is(j, SV("NaN")) ||
	       json_string_is(j, SV("Infinity")) ||
	       json_string_is(j, SV("-Infinity"));
}

static bool from_json_boolean(struct cursor v, bool *out)
{
	*out = json_is(json_at(v), JSON_TRUE);
	return *out || json_is(json_at(v), JSON_FALSE);
}

static bool from_json_time(struct cursor v, int64_t *ns)
{
	return json_to_ns(json_at(v), ns);
}

static bool from_json_enter(struct cursor v, enum shape_kind kind,
			    struct cursor *container)
{
	*container = v;
	return json_is(json_at(v),
		       kind == SHAPE_LIST_KIND ? JSON_ARRAY : JSON_OBJECT);
}

static struct cursor from_json_first(struct cursor container)
{
	return json_cursor(json_first(json_at(container)));
}

static struct cursor from_json_next(struct cursor container, struct cursor it)
{
	return json_cursor(json_next(json_at(container), json_at(it)));
}

static int from_json_key(struct cursor it, enum shape_kind kind,
			 struct arena *a, struct sv *out)
{
	(void)kind;
	return from_json_text(it, a, out);
}

static struct cursor from_json_value(struct cursor it, enum shape_kind kind)
{
	if (kind == SHAPE_LIST_KIND)
		return it;
	return json_cursor(json_member(json_at(it)));
}

const struct shape_source shape_source_json = {
	.is_null = from_json_is_null,
	.text = from_json_text,
	.blob = from_json_blob,
	.integer = from_json_integer,
	.real = from_json_real,
	.boolean = from_json_boolean,
	.time = from_json_time,
	.enter = from_json_enter,
	.first = from_json_first,
	.next = from_json_next,
	.key = from_json_key,
	.value = from_json_value,
};

/* --- CBOR ----------------------------------------------------------------------- */

static struct cbor cbor_at(struct cursor v)
{
	return (struct cbor){ v.doc, v.index };
}

static struct cursor cbor_cursor(struct cbor v)
{
	return (struct cursor){ v.doc, v.index };
}

static bool from_cbor_is_null(struct cursor v)
{
	return !v.doc || cbor_is(cbor_at(v), CBOR_NULL) ||
	       cbor_is(cbor_at(v), CBOR_UNDEFINED);
}

static int from_cbor_text(struct cursor v, struct arena *a, struct sv *out)
{
	bool is_text = cbor_is(cbor_at(v), CBOR_TEXT);

	return text_or(cbor_text(cbor_at(v), a), is_text, out);
}

static int from_cbor_blob(struct cursor v, struct arena *a, struct sv *out)
{
	bool is_blob = cbor_is(cbor_at(v), CBOR_BYTES);

	return text_or(cbor_bytes(cbor_at(v), a), is_blob, out);
}

static bool from_cbor_integer(struct cursor v, int64_t *out)
{
	return cbor_to_i64(cbor_at(v), out);
}

static bool from_cbor_real(struct cursor v, double *out)
{
	return cbor_to_double(cbor_at(v), out);
}

static bool from_cbor_boolean(struct cursor v, bool *out)
{
	return cbor_to_bool(cbor_at(v), out);
}

static bool from_cbor_time(struct cursor v, int64_t *ns)
{
	return cbor_to_ns(cbor_at(v), ns);
}

static bool from_cbor_enter(struct cursor v, enum shape_kind kind,
			    struct cursor *container)
{
	*container = v;
	return cbor_is(cbor_at(v),
		       kind == SHAPE_LIST_KIND ? CBOR_ARRAY : CBOR_MAP);
}

static struct cursor from_cbor_first(struct cursor container)
{
	return cbor_cursor(cbor_first(cbor_at(container)));
}

static struct cursor from_cbor_next(struct cursor container, struct cursor it)
{
	return cbor_cursor(cbor_next(cbor_at(container), cbor_at(it)));
}

static int from_cbor_key(struct cursor it, enum shape_kind kind,
			 struct arena *a, struct sv *out)
{
	(void)kind;
	return from_cbor_text(it, a, out);
}

static struct cursor from_cbor_value(struct cursor it, enum shape_kind kind)
{
	if (kind == SHAPE_LIST_KIND)
		return it;
	return cbor_cursor(cbor_member(cbor_at(it)));
}

const struct shape_source shape_source_cbor = {
	.is_null = from_cbor_is_null,
	.text = from_cbor_text,
	.blob = from_cbor_blob,
	.integer = from_cbor_integer,
	.real = from_cbor_real,
	.boolean = from_cbor_boolean,
	.time = from_cbor_time,
	.enter = from_cbor_enter,
	.first = from_cbor_first,
	.next = from_cbor_next,
	.key = from_cbor_key,
	.value = from_cbor_value,
};

/* --- form ----------------------------------------------------------------------- */

static struct form form_of(struct cursor v)
{
	return (struct form){ v.doc, v.index };
}

static struct cursor form_cursor(struct form v)
{
	return (struct cursor){ v.doc, v.index };
}

static bool from_form_is_null(struct cursor v)
{
	return !v.doc;
}

static int from_form_text(struct cursor v, struct arena *a, struct sv *out)
{
	(void)a;
	*out = form_value(form_of(v));
	return out->ptr ? 0 : ERR_INVALID;
}

static int from_form_blob(struct cursor v, struct arena *a, struct sv *out)
{
	struct sv text = form_value(form_of(v));

	return text.ptr ? blob_of_base64(a, text, out) : ERR_INVALID;
}

static bool from_form_integer(struct cursor v, int64_t *out)
{
	return form_to_i64(form_of(v), out);
}

static bool from_form_real(struct cursor v, double *out)
{
	return form_to_double(form_of(v), out);
}

static bool from_form_boolean(struct cursor v, bool *out)
{
	return form_to_bool(form_of(v), out);
}

static bool from_form_time(struct cursor v, int64_t *ns)
{
	return form_to_ns(form_of(v), ns);
}

/* Items stand below `member`, entries below `entry`; a list or map that is
 * empty is written `Name=`. */
static bool from_form_enter(struct cursor v, enum shape_kind kind,
			    struct cursor *container)
{
	struct form f = form_of(v);
	struct sv value = form_value(f);

	*container = v;
	if (kind == SHAPE_STRUCTURE)
		return !value.ptr;
	if (value.ptr) {
		*container = nothing;
		return value.len == 0;
	}
	f = form_get(f, kind == SHAPE_LIST_KIND ? SV("member") : SV("entry"));
	*container = form_cursor(f);
	return form_count(f) > 0;
}

static struct cursor from_form_first(struct cursor container)
{
	return form_cursor(form_first(form_of(container)));
}

static struct cursor from_form_next(struct cursor container, struct cursor it)
{
	return form_cursor(form_next(form_of(container), form_of(it)));
}

static int from_form_key(struct cursor it, enum shape_kind kind,
			 struct arena *a, struct sv *out)
{
	(void)a;
	*out = kind == SHAPE_STRUCTURE ?
		       form_name(form_of(it)) :
		       form_value(form_get(form_of(it), SV("key")));
	return out->ptr ? 0 : ERR_INVALID;
}

static struct cursor from_form_value(struct cursor it, enum shape_kind kind)
{
	if (kind != SHAPE_MAP_KIND)
		return it;
	return form_cursor(form_get(form_of(it), SV("value")));
}

const struct shape_source shape_source_form = {
	.query = true,
	.is_null = from_form_is_null,
	.text = from_form_text,
	.blob = from_form_blob,
	.integer = from_form_integer,
	.real = from_form_real,
	.boolean = from_form_boolean,
	.time = from_form_time,
	.enter = from_form_enter,
	.first = from_form_first,
	.next = from_form_next,
	.key = from_form_key,
	.value = from_form_value,
};
