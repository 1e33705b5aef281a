/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource and scope of spans, one entry for both: a request says them once
 * for many spans, and the next span is most often from where the last was.
 */
#include "tracer/shape/pack.h"

enum { SOURCE_PARTS = 4 };

static void source_parts(const struct span_source *source,
			 struct sv parts[SOURCE_PARTS])
{
	parts[0] = source->resource;
	parts[1] = source->resource_schema;
	parts[2] = source->scope;
	parts[3] = source->scope_schema;
}

static bool source_is(const struct shapes *s, uint32_t number,
		      const struct sv parts[SOURCE_PARTS])
{
	enum entry_kind kind;
	struct sv bytes;
	struct reader r;

	if (!shapes_entry(s, number, &kind, &bytes) || kind != ENTRY_SOURCE)
		return false;
	r = reader_of(bytes);
	for (int i = 0; i < SOURCE_PARTS; i++)
		if (read_varint(&r) != parts[i].len)
			return false;
	for (int i = 0; i < SOURCE_PARTS; i++) {
		const uint8_t *part = read_bytes(&r, parts[i].len);

		if (parts[i].len && memcmp(part, parts[i].ptr, parts[i].len))
			return false;
	}
	return true;
}

uint32_t pack_source(struct shapes *s, const struct span_source *source)
{
	struct shapes_scratch *scratch = shapes_scratch(s);
	struct buf *bytes = &scratch->name;
	struct sv parts[SOURCE_PARTS];
	uint32_t number;
	uint64_t hash;

	source_parts(source, parts);
	if (source_is(s, scratch->source, parts))
		return scratch->source;
	buf_reset(bytes);
	for (int i = 0; i < SOURCE_PARTS; i++)
		protobuf_varint_put(bytes, parts[i].len);
	for (int i = 0; i < SOURCE_PARTS; i++)
		if (parts[i].len)
			buf_sv(bytes, parts[i]);
	if (bytes->failed || bytes->len > SHAPE_TEXT_MAX)
		return SHAPE_NONE;
	hash = shapes_hash(ENTRY_SOURCE, buf_view(bytes));
	number = shapes_find(s, ENTRY_SOURCE, buf_view(bytes), hash);
	if (number == SHAPE_NONE && shapes_seen(s, hash))
		number = shapes_enter(s, ENTRY_SOURCE, buf_view(bytes));
	if (number != SHAPE_NONE)
		scratch->source = number;
	return number;
}
