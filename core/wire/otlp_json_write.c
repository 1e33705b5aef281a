/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_json.h"

#include <math.h>

#include "core/codec/base64.h"
#include "core/codec/protobuf.h"

static enum protobuf_type wire_type(const struct otlp_field *f)
{
	switch ((enum otlp_type)f->type) {
	case OTLP_BOOL:
	case OTLP_UINT32:
	case OTLP_ENUM:
	case OTLP_INT64:
	case OTLP_SINT32:
		return PROTOBUF_VARINT;
	case OTLP_FIXED32:
		return PROTOBUF_FIXED32;
	case OTLP_FIXED64:
	case OTLP_SFIXED64:
	case OTLP_DOUBLE:
		return PROTOBUF_FIXED64;
	default:
		return PROTOBUF_BYTES;
	}
}

static void write_double(struct json_writer *w, double d)
{
	if (isnan(d))
		json_put_text(w, "NaN");
	else if (isinf(d))
		json_put_text(w, d < 0 ? "-Infinity" : "Infinity");
	else
		json_put_double(w, d);
}

static void write_text_number(struct json_writer *w, bool has_sign, uint64_t v)
{
	char digits[24];

	if (has_sign)
		snprintf(digits, sizeof(digits), "%lld", (long long)v);
	else
		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);
	json_put_text(w, digits);
}

static void write_hex(struct json_writer *w, struct sv bytes)
{
	struct buf text = BUF_INIT;
	char *to = buf_grow(&text, 2 * bytes.len);

	if (to)
		hex_from(to, (const uint8_t *)bytes.ptr, bytes.len);
	json_put_sv(w, sv_make(to ? to : "", to ? 2 * bytes.len : 0));
	buf_fini(&text);
}

static void write_base64(struct json_writer *w, struct sv bytes)
{
	struct buf text = BUF_INIT;

	base64_put(&text, bytes);
	json_put_sv(w, buf_view(&text));
	buf_fini(&text);
}

static int write_packed(struct json_writer *w, const struct otlp_field *f,
			struct sv bytes)
{
	struct protobuf r = protobuf_reader(bytes);

	while (r.at < r.end) {
		uint64_t v;

		if (f->type == OTLP_UINT64S) {
			if (!protobuf_varint(&r, &v))
				return ERR_SYNTAX;
		} else if (r.end - r.at < 8) {
			return ERR_SYNTAX;
		} else {
			v = get_le64(r.at);
			r.at += 8;
		}
		if (f->type == OTLP_DOUBLES)
			write_double(w, protobuf_double(v));
		else
			write_text_number(w, false, v);
	}
	return 0;
}

static int write_value(struct json_writer *w, const struct otlp_field *f,
		       const struct protobuf_field *v)
{
	switch ((enum otlp_type)f->type) {
	case OTLP_STRING:
		json_put_sv(w, v->bytes);
		return 0;
	case OTLP_HEX:
		write_hex(w, v->bytes);
		return 0;
	case OTLP_BASE64:
		write_base64(w, v->bytes);
		return 0;
	case OTLP_BOOL:
		json_put_bool(w, v->value != 0);
		return 0;
	case OTLP_ENUM:
		json_put_i64(w, (int32_t)v->value);
		return 0;
	case OTLP_UINT32:
	case OTLP_FIXED32:
		json_put_u64(w, (uint32_t)v->value);
		return 0;
	case OTLP_SINT32:
		json_put_i64(w, protobuf_zigzag((uint32_t)v->value));
		return 0;
	case OTLP_INT64:
	case OTLP_SFIXED64:
		write_text_number(w, true, v->value);
		return 0;
	case OTLP_FIXED64:
		write_text_number(w, false, v->value);
		return 0;
	case OTLP_DOUBLE:
		write_double(w, protobuf_double(v->value));
		return 0;
	case OTLP_FIXED64S:
	case OTLP_UINT64S:
	case OTLP_DOUBLES:
		return write_packed(w, f, v->bytes);
	case OTLP_NESTED:
	case OTLP_LIST:
		return otlp_json_write((enum otlp_message)f->message, v->bytes,
				       w);
	}
	return 0;
}

static bool is_list(const struct otlp_field *f)
{
	return f->type == OTLP_LIST || f->type == OTLP_FIXED64S ||
	       f->type == OTLP_UINT64S || f->type == OTLP_DOUBLES;
}

/* All of field f in the message; of what is no list the last one counts. */
static int write_field(struct json_writer *w, const struct otlp_field *f,
		       struct sv bytes)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field v, last;
	bool any = false;
	int e;

	while ((e = protobuf_next(&r, &v)) > 0) {
		if (v.number != f->number)
			continue;
		if (v.type != wire_type(f))
			return ERR_SYNTAX;
		if (!any)
			json_key_sv(w, f->key);
		if (!any && is_list(f))
			json_open_array(w);
		any = true;
		last = v;
		if (is_list(f))
			e = write_value(w, f, &v);
		if (e < 0)
			return e;
	}
	if (e < 0 || !any)
		return e;
	if (!is_list(f))
		return write_value(w, f, &last);
	json_close_array(w);
	return 0;
}

int otlp_json_write(enum otlp_message message, struct sv bytes,
		    struct json_writer *w)
{
	size_t count;
	const struct otlp_field *fields = otlp_fields(message, &count);
	int e = 0;

	if (w->depth + 3 > JSON_WRITE_DEPTH_MAX)
		return ERR_LIMIT;
	json_open_object(w);
	for (size_t i = 0; i < count && !e; i++)
		e = write_field(w, &fields[i], bytes);
	if (!e)
		json_close_object(w);
	return e;
}
