/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/span.h"

#include <stdio.h>

#include "core/codec/protobuf.h"
#include "core/sys/env.h"

enum { KIND_SERVER = 2, KIND_CLIENT = 3, KIND_PRODUCER = 4, KIND_CONSUMER = 5 };
enum { CODE_ERROR = 2 };

/* The last field of this number, which is what counts of a single one. */
static bool find_bytes(struct sv message, uint32_t number, struct sv *out)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	int e;

	*out = SV("");
	while ((e = protobuf_next(&r, &f)) == 1)
		if (f.number == number && f.type == PROTOBUF_BYTES)
			*out = f.bytes;
	return e == 0;
}

/* The text of a resource's attribute. */
static struct sv resource_text(struct sv resource, struct sv key)
{
	struct protobuf r = protobuf_reader(resource);
	struct protobuf_field f;

	while (protobuf_next(&r, &f) == 1) {
		struct sv name, value, text;

		if (f.number == 1 && f.type == PROTOBUF_BYTES &&
		    find_bytes(f.bytes, 1, &name) && sv_eq(name, key) &&
		    find_bytes(f.bytes, 2, &value) &&
		    find_bytes(value, 1, &text))
			return text;
	}
	return SV("");
}

static bool take_id(struct sv bytes, uint8_t *id, size_t size)
{
	if (bytes.len != size)
		return false;
	memcpy(id, bytes.ptr, size);
	return true;
}

static bool read_status(struct sv status, struct segment *out)
{
	struct protobuf r = protobuf_reader(status);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) == 1) {
		if (f.number == 3 && f.type == PROTOBUF_VARINT)
			out->status = f.value == CODE_ERROR ?
					      SEGMENT_STATUS_FAULT :
					      SEGMENT_STATUS_OK;
		if (f.number == 2 && f.type == PROTOBUF_BYTES)
			out->error_message = f.bytes;
	}
	return e == 0;
}

static enum segment_refusal read_field(const struct protobuf_field *f,
				       uint64_t *kind, struct segment *out)
{
	switch (f->number) {
	case 1:
		return take_id(f->bytes, out->trace_id, TRACE_ID_SIZE) ?
			       SEGMENT_OK :
			       SEGMENT_BAD_TRACE_ID;
	case 2:
		return take_id(f->bytes, out->id, SEGMENT_ID_SIZE) ?
			       SEGMENT_OK :
			       SEGMENT_BAD_ID;
	case 4:
		out->has_parent = f->bytes.len > 0;
		return !out->has_parent || take_id(f->bytes, out->parent_id,
						   SEGMENT_ID_SIZE) ?
			       SEGMENT_OK :
			       SEGMENT_BAD_PARENT_ID;
	case 5:
		out->name = f->bytes;
		break;
	case 6:
		*kind = f->value;
		break;
	case 7:
		out->start_ns = (int64_t)f->value;
		break;
	case 8:
		out->end_ns = (int64_t)f->value;
		break;
	case 15:
		return read_status(f->bytes, out) ? SEGMENT_OK :
						    SEGMENT_NOT_JSON;
	default:
		break;
	}
	return SEGMENT_OK;
}

static enum segment_refusal read_span(struct sv span, struct sv resource,
				      struct segment *out)
{
	static const uint8_t none[TRACE_ID_SIZE];
	struct protobuf r = protobuf_reader(span);
	struct protobuf_field f;
	uint64_t kind = 0;
	int e;

	while ((e = protobuf_next(&r, &f)) == 1) {
		enum segment_refusal refusal = read_field(&f, &kind, out);

		if (refusal != SEGMENT_OK)
			return refusal;
	}
	if (e)
		return SEGMENT_NOT_JSON;
	if (!memcmp(out->id, none, SEGMENT_ID_SIZE))
		return SEGMENT_NO_ID;
	if (!memcmp(out->trace_id, none, TRACE_ID_SIZE))
		return SEGMENT_NO_TRACE_ID;
	if (out->start_ns <= 0)
		return SEGMENT_BAD_START_TIME;
	if (out->end_ns < out->start_ns)
		out->end_ns = out->start_ns;
	out->subsegment = out->has_parent && kind != KIND_SERVER &&
			  kind != KIND_CONSUMER;
	if (out->subsegment && (kind == KIND_CLIENT || kind == KIND_PRODUCER))
		out->ns = SV("remote");
	if (!out->subsegment) {
		struct sv service = resource_text(resource, SV("service.name"));

		if (service.len)
			out->name = service;
	}
	return SEGMENT_OK;
}

enum segment_refusal span_read(struct sv document, struct arena *arena,
			       struct segment *out)
{
	struct sv resource, scope_spans, span;

	(void)arena;
	*out = (struct segment){ .name = SV(""),
				 .ns = SV(""),
				 .origin = SV(""),
				 .request_id = SV(""),
				 .operation = SV(""),
				 .resource = SV(""),
				 .resource_key = SV(""),
				 .error_type = SV(""),
				 .error_message = SV("") };
	if (!find_bytes(document, 1, &resource) ||
	    !find_bytes(document, 2, &scope_spans) ||
	    !find_bytes(scope_spans, 2, &span))
		return SEGMENT_NOT_JSON;
	return read_span(span, resource, out);
}

static void put_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld.%09lld",
			 (long long)(ns / NS_PER_S),
			 (long long)(ns % NS_PER_S));

	json_key(w, key);
	json_put_raw(w, sv_make(text, (size_t)n));
}

void span_put_xray(struct json_writer *w, const struct segment *s)
{
	char trace_id[TRACE_ID_TEXT + 1], id[SEGMENT_ID_TEXT + 1];

	json_open_object(w);
	trace_id_text(s->trace_id, trace_id);
	json_key(w, "trace_id");
	json_put_text(w, trace_id);
	segment_id_text(s->id, id);
	json_key(w, "id");
	json_put_text(w, id);
	if (s->has_parent) {
		segment_id_text(s->parent_id, id);
		json_key(w, "parent_id");
		json_put_text(w, id);
	}
	if (s->subsegment) {
		json_key(w, "type");
		json_put_text(w, "subsegment");
	}
	json_key(w, "name");
	json_put_sv(w, s->name);
	put_time(w, "start_time", s->start_ns);
	put_time(w, "end_time", s->end_ns);
	if (s->ns.len) {
		json_key(w, "namespace");
		json_put_sv(w, s->ns);
	}
	if (s->status == SEGMENT_STATUS_FAULT) {
		json_key(w, "fault");
		json_put_bool(w, true);
	}
	json_close_object(w);
}
