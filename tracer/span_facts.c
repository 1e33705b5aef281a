/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/span_facts.h"

enum span_key span_key_find(struct sv name)
{
	switch (name.len) {
#define LENGTH(bytes) \
	break;        \
	case bytes:
#define KEY(id, text)                                  \
	if (!memcmp(name.ptr, text, sizeof(text) - 1)) \
		return KEY_##id;
	case 0:
#include "tracer/span_keys.def"
#undef KEY
#undef LENGTH
	default:
		break;
	}
	return SPAN_KEYS;
}

/* Looks at the key first: most attributes mean nothing here. */
static void take_attribute(struct sv key_value, struct span_values *out)
{
	struct protobuf r = protobuf_reader(key_value);
	enum span_key key = SPAN_KEYS;
	struct protobuf_field f;
	struct sv value = SV("");

	while (protobuf_next(&r, &f) > 0) {
		if (f.number == KEY_VALUE_KEY)
			key = span_key_find(f.bytes);
		else if (f.number == KEY_VALUE_VALUE)
			value = f.bytes;
	}
	if (key == SPAN_KEYS)
		return;
	otlp_value_read(value, &out->of[key]);
	if (out->of[key].kind)
		out->have[key / 64] |= 1ULL << key % 64;
}

void span_values_read(struct sv message, uint32_t number,
		      struct span_values *out)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;

	memset(out->have, 0, sizeof(out->have));
	while (protobuf_next(&r, &f) > 0)
		if (f.number == number && f.type == PROTOBUF_BYTES)
			take_attribute(f.bytes, out);
}

static void take_status(struct sv status, struct span_facts *out)
{
	struct protobuf r = protobuf_reader(status);
	struct protobuf_field f;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number == STATUS_MESSAGE)
			out->status_message = f.bytes;
		else if (f.number == STATUS_CODE)
			out->status = (uint32_t)f.value;
	}
}

static void take_event(struct sv event, struct span_facts *out)
{
	struct protobuf r = protobuf_reader(event);
	struct protobuf_field f;

	while (!out->exception.len && protobuf_next(&r, &f) > 0)
		if (f.number == EVENT_NAME && sv_eq(f.bytes, SV("exception")))
			out->exception = event;
}

static bool all_zero(struct sv bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.ptr[i])
			return false;
	return true;
}

int span_facts_read(struct sv span, struct span_facts *out)
{
	struct protobuf r = protobuf_reader(span);
	struct protobuf_field f;
	int e;

	memset(out, 0, offsetof(struct span_facts, values.of));
	out->trace_id = out->id = out->parent_id = SV("");
	out->name = out->trace_state = out->status_message = SV("");
	out->exception = SV("");
	out->span = span;
	while ((e = protobuf_next(&r, &f)) > 0) {
		switch (f.number) {
		case SPAN_TRACE_ID:
			out->trace_id = f.bytes;
			break;
		case SPAN_ID:
			out->id = f.bytes;
			break;
		case SPAN_PARENT_ID:
			out->parent_id = f.bytes;
			break;
		case SPAN_TRACE_STATE:
			out->trace_state = f.bytes;
			break;
		case SPAN_NAME:
			out->name = f.bytes;
			break;
		case SPAN_KIND:
			out->kind = (uint32_t)f.value;
			break;
		case SPAN_START:
			out->start_ns = f.value;
			break;
		case SPAN_END:
			out->end_ns = f.value;
			break;
		case SPAN_ATTRIBUTES:
			take_attribute(f.bytes, &out->values);
			break;
		case SPAN_EVENTS:
			take_event(f.bytes, out);
			break;
		case SPAN_LINKS:
			out->links++;
			break;
		case SPAN_STATUS:
			take_status(f.bytes, out);
			break;
		case SPAN_FLAGS:
			out->flags = (uint32_t)f.value;
			break;
		default:
			break;
		}
	}
	if (all_zero(out->parent_id))
		out->parent_id = SV("");
	return e;
}

struct sv span_text(const struct span_values *v, enum span_key key)
{
	struct protobuf r;
	struct protobuf_field f;
	struct otlp_value first;

	if (!span_has(v, key))
		return SV("");
	if (v->of[key].kind == VALUE_STRING)
		return v->of[key].bytes;
	if (v->of[key].kind != VALUE_ARRAY)
		return SV("");
	r = protobuf_reader(v->of[key].bytes);
	while (protobuf_next(&r, &f) > 0) {
		if (f.number != 1 || f.type != PROTOBUF_BYTES)
			continue;
		otlp_value_read(f.bytes, &first);
		return first.kind == VALUE_STRING ? first.bytes : SV("");
	}
	return SV("");
}

bool span_number(const struct span_values *v, enum span_key key, int64_t *out)
{
	if (!span_has(v, key))
		return false;
	if (v->of[key].kind == VALUE_INT) {
		*out = (int64_t)v->of[key].number;
		return true;
	}
	return v->of[key].kind == VALUE_STRING &&
	       sv_to_i64(v->of[key].bytes, out);
}

struct sv span_first_text(const struct span_values *v,
			  const enum span_key *keys)
{
	for (; *keys != SPAN_KEYS; keys++) {
		struct sv text = span_text(v, *keys);

		if (text.len)
			return text;
	}
	return SV("");
}
