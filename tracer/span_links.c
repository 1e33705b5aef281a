/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/span_links.h"

#include "core/sys/env.h"

/* In the order in which they count, as in a segment (segment.c). */
static const struct sv sources[] = {
	SV_INIT("event_source_arn"),
	SV_INIT("queue_url"),
	SV_INIT("messaging.destination.name"),
	SV_INIT("messaging.source.name"),
};
static const struct sv times[] = {
	SV_INIT("SentTimestamp"),
	SV_INIT("sent_timestamp"),
	SV_INIT("messaging.sent_timestamp"),
};

enum {
	SOURCES = sizeof(sources) / sizeof(sources[0]),
	TIMES = sizeof(times) / sizeof(times[0]),
};

static size_t place_of(struct sv key, const struct sv *names, size_t count)
{
	size_t i = 0;

	while (i < count && !sv_eq(key, names[i]))
		i++;
	return i;
}

/* Milliseconds since 1970, as a number or as text; 0: they are not. */
static int64_t sent_ns(const struct otlp_value *v)
{
	int64_t ms = 0;

	if (v->kind == VALUE_INT)
		ms = (int64_t)v->number;
	else if (v->kind != VALUE_STRING || !sv_to_i64(v->bytes, &ms))
		return 0;
	return ms > 0 && ms < INT64_MAX / 1000000 ? ms * 1000000 : 0;
}

static void read_link(struct sv link, struct segment_link *out)
{
	struct protobuf r = protobuf_reader(link);
	size_t source = SOURCES, time = TIMES;
	struct protobuf_field f;
	struct otlp_value value;
	struct sv key;

	*out = (struct segment_link){ .source = SV("") };
	while (protobuf_next(&r, &f) > 0) {
		size_t at;

		if (f.number == LINK_SPAN_ID &&
		    f.bytes.len == sizeof(out->id)) {
			memcpy(out->id, f.bytes.ptr, sizeof(out->id));
			out->has_id = true;
		}
		if (f.number != LINK_ATTRIBUTES ||
		    !otlp_attribute_read(f.bytes, &key, &value))
			continue;
		at = place_of(key, sources, SOURCES);
		if (at < source && value.kind == VALUE_STRING &&
		    value.bytes.len) {
			source = at;
			out->source = value.bytes;
		}
		at = place_of(key, times, TIMES);
		if (at < time && sent_ns(&value)) {
			time = at;
			out->sent_ns = sent_ns(&value);
		}
	}
}

bool span_links_read(const struct span_facts *facts, struct arena *arena,
		     struct segment *out)
{
	size_t max = facts->links < SEGMENT_LINKS_MAX ? facts->links :
							SEGMENT_LINKS_MAX;
	struct segment_link *links = arena_array(arena, max, sizeof(*links));
	struct protobuf r = protobuf_reader(facts->span);
	struct protobuf_field f;
	size_t count = 0;

	if (!links)
		return false;
	while (count < max && protobuf_next(&r, &f) > 0)
		if (f.number == SPAN_LINKS)
			read_link(f.bytes, &links[count++]);
	out->links = links;
	out->link_count = count;
	return true;
}
