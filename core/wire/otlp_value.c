/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_value.h"

#include <math.h>

#include "core/codec/base64.h"
#include "core/codec/protobuf.h"
#include "core/wire/otlp_fields.h"

void otlp_value_read(struct sv any_value, struct otlp_value *out)
{
	struct protobuf r = protobuf_reader(any_value);
	struct protobuf_field f;

	*out = (struct otlp_value){ 0, 0, SV("") };
	while (protobuf_next(&r, &f) > 0)
		if (f.number <= VALUE_BYTES)
			*out = (struct otlp_value){ (uint8_t)f.number, f.value,
						    f.bytes };
}

bool otlp_attribute_read(struct sv key_value, struct sv *key,
			 struct otlp_value *out)
{
	struct protobuf r = protobuf_reader(key_value);
	struct protobuf_field f;
	int e;

	*key = SV("");
	*out = (struct otlp_value){ 0, 0, SV("") };
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number == KEY_VALUE_KEY)
			*key = f.bytes;
		else if (f.number == KEY_VALUE_VALUE)
			otlp_value_read(f.bytes, out);
	}
	return !e;
}

bool otlp_is_scalar(const struct otlp_value *value)
{
	return value->kind >= VALUE_STRING && value->kind <= VALUE_DOUBLE;
}

static void put_double(struct json_writer *w, double d)
{
	if (isfinite(d))
		json_put_double(w, d);
	else
		json_put_text(w, isnan(d) ? "NaN" :
				 d < 0    ? "-Infinity" :
					    "Infinity");
}

static void put_base64(struct json_writer *w, struct sv bytes)
{
	struct buf text = BUF_INIT;

	base64_put(&text, bytes);
	json_put_sv(w, buf_view(&text));
	buf_fini(&text);
}

static void put_array(struct json_writer *w, struct sv array)
{
	struct protobuf r = protobuf_reader(array);
	struct protobuf_field f;
	struct otlp_value item;

	json_open_array(w);
	while (protobuf_next(&r, &f) > 0) {
		if (f.number != 1)
			continue;
		otlp_value_read(f.bytes, &item);
		otlp_value_write(w, &item);
	}
	json_close_array(w);
}

void otlp_value_write(struct json_writer *w, const struct otlp_value *value)
{
	switch (value->kind) {
	case VALUE_STRING:
		json_put_sv(w, value->bytes);
		return;
	case VALUE_BOOL:
		json_put_bool(w, value->number != 0);
		return;
	case VALUE_INT:
		json_put_i64(w, (int64_t)value->number);
		return;
	case VALUE_DOUBLE:
		put_double(w, protobuf_double(value->number));
		return;
	case VALUE_BYTES:
		put_base64(w, value->bytes);
		return;
	case VALUE_ARRAY:
		if (w->depth + 2 > JSON_WRITE_DEPTH_MAX)
			break;
		put_array(w, value->bytes);
		return;
	case VALUE_KVLIST:
		if (w->depth + 2 > JSON_WRITE_DEPTH_MAX)
			break;
		json_open_object(w);
		otlp_attributes_write(w, value->bytes, 1, OTLP_ALL, SV(""));
		json_close_object(w);
		return;
	default:
		break;
	}
	json_put_null(w);
}

static bool picks(enum otlp_pick pick, const struct otlp_value *value)
{
	return pick == OTLP_ALL ||
	       otlp_is_scalar(value) == (pick == OTLP_SCALARS);
}

static void put_key(struct json_writer *w, struct sv prefix, struct sv key)
{
	struct buf both = BUF_INIT;

	if (!prefix.len) {
		json_key_sv(w, key);
		return;
	}
	buf_sv(&both, prefix);
	buf_sv(&both, key);
	json_key_sv(w, buf_view(&both));
	buf_fini(&both);
}

void otlp_attributes_write(struct json_writer *w, struct sv message,
			   uint32_t number, enum otlp_pick pick,
			   struct sv prefix)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	struct otlp_value value;
	struct sv key;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number != number ||
		    !otlp_attribute_read(f.bytes, &key, &value) ||
		    !picks(pick, &value))
			continue;
		put_key(w, prefix, key);
		otlp_value_write(w, &value);
	}
}

bool otlp_attributes_any(struct sv message, uint32_t number,
			 enum otlp_pick pick)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	struct otlp_value value;
	struct sv key;

	while (protobuf_next(&r, &f) > 0)
		if (f.number == number &&
		    otlp_attribute_read(f.bytes, &key, &value) &&
		    picks(pick, &value))
			return true;
	return false;
}
