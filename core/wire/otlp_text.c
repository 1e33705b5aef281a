/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_text.h"

#include "core/codec/protobuf.h"
#include "core/codec/utf8.h"
#include "core/wire/native.h"
#include "core/wire/otlp_fields.h"

struct sv otlp_field_text(struct sv message, uint32_t number)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	struct sv out = SV("");

	while (protobuf_next(&r, &f) > 0)
		if (f.number == number)
			out = f.bytes;
	return out;
}

struct sv otlp_text_of(struct sv message, uint32_t number, struct sv name)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	struct otlp_value value;
	struct sv key;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number != number ||
		    !otlp_attribute_read(f.bytes, &key, &value) ||
		    !sv_eq(key, name))
			continue;
		if (value.kind == VALUE_ARRAY)
			otlp_value_read(otlp_field_text(value.bytes, 1),
					&value);
		return value.kind == VALUE_STRING ? value.bytes : SV("");
	}
	return SV("");
}

static bool is_word(char c, const char *also)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr(also, c));
}

struct sv otlp_word(struct arena *arena, struct sv prefix, struct sv text,
		    const char *also, size_t max)
{
	size_t n = prefix.len + text.len < max ? prefix.len + text.len : max;
	char *to = arena_alloc(arena, n);

	if (!to)
		return (struct sv){ NULL, 0 };
	for (size_t i = 0; i < n; i++) {
		to[i] = i < prefix.len ? prefix.ptr[i] :
					 text.ptr[i - prefix.len];
		if (!is_word(to[i], also))
			to[i] = '_';
	}
	return sv_make(to, n);
}

struct sv otlp_line(struct arena *arena, struct sv text, const char *but,
		    size_t max)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	char *to = arena_alloc(arena, text.len);
	size_t at = 0, n = 0;

	if (!to)
		return (struct sv){ NULL, 0 };
	while (at < text.len) {
		size_t len = p[at] < 0x80 ? 1 :
					    utf8_length(p + at, p + text.len);

		if (n + (len ? len : 1) > max)
			break;
		if (!len || p[at] < 0x20 || p[at] == 0x7f ||
		    strchr(but, p[at])) {
			to[n++] = '_';
			at++;
			continue;
		}
		memcpy(to + n, p + at, len);
		n += len;
		at += len;
	}
	return sv_make(to, n);
}

int otlp_judge_time(int64_t time_ns, struct wall received)
{
	const int64_t day_ns = 86400 * NS_PER_S, hour_ns = 3600 * NS_PER_S;

	if (time_ns < received.ns - NATIVE_AGE_DAYS_MAX * day_ns)
		return OTLP_TOO_OLD;
	if (time_ns > received.ns + NATIVE_AHEAD_HOURS_MAX * hour_ns)
		return OTLP_TOO_NEW;
	return OTLP_OK;
}
