/* SPDX-License-Identifier: Apache-2.0 */
/* A span's segment document: see span.h. */
#include "tracer/span_xray.h"

#include "core/base/hash.h"
#include "tracer/span_stack.h"

/* Seconds, with all digits that are not zeros at the end. */
static void put_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld.%09lld",
			 (long long)(ns / 1000000000),
			 (long long)(ns % 1000000000));

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	json_key(w, key);
	json_put_raw(w, sv_make(text, (size_t)n));
}

static void put_id(struct json_writer *w, const char *key,
		   const uint8_t id[SEGMENT_ID_SIZE])
{
	char text[SEGMENT_ID_TEXT + 1];

	segment_id_text(id, text);
	json_key(w, key);
	json_put_text(w, text);
}

static void put_trace_id(struct json_writer *w, const uint8_t id[TRACE_ID_SIZE])
{
	char text[TRACE_ID_TEXT + 1];

	trace_id_text(id, text);
	json_key(w, "trace_id");
	json_put_text(w, text);
}

static void put_head(const struct conversion *c)
{
	const struct segment *s = c->segment;
	struct json_writer *w = c->w;

	put_trace_id(w, s->trace_id);
	put_id(w, "id", s->id);
	if (s->has_parent)
		put_id(w, "parent_id", s->parent_id);
	if (s->subsegment) {
		json_key(w, "type");
		json_put_text(w, "subsegment");
	}
	put_text(w, "name", s->name);
	put_text(w, "namespace", s->ns);
	put_text(w, "origin", s->origin);
	put_time(w, "start_time", s->start_ns);
	if (s->in_progress)
		put_true(w, "in_progress");
	else
		put_time(w, "end_time", s->end_ns);
	if (s->status == SEGMENT_STATUS_FAULT)
		put_true(w, "fault");
	if (s->status == SEGMENT_STATUS_ERROR ||
	    s->status == SEGMENT_STATUS_THROTTLE)
		put_true(w, "error");
	if (s->status == SEGMENT_STATUS_THROTTLE)
		put_true(w, "throttle");
}

/* --- cause ------------------------------------------------------------------------------------ */

/* Ids are made of where the exception stands, so that they stay the same. */
static void put_exception_id(const struct conversion *c, uint64_t index)
{
	uint8_t bytes[SEGMENT_ID_SIZE];
	struct sv id = sv_make((const char *)c->segment->id, SEGMENT_ID_SIZE);

	put_be64(bytes, hash64_seed(id, index + 1));
	put_id(c->w, "id", bytes);
}

static bool is_exception(struct sv event)
{
	struct protobuf r = protobuf_reader(event);
	struct protobuf_field f;

	while (protobuf_next(&r, &f) > 0)
		if (f.number == EVENT_NAME)
			return sv_eq(f.bytes, SV("exception"));
	return false;
}

static void put_exception(const struct conversion *c, struct sv event,
			  uint64_t index, struct span_values *v)
{
	struct json_writer *w = c->w;

	span_values_read(event, EVENT_ATTRIBUTES, v);
	json_open_object(w);
	put_exception_id(c, index);
	put_text(w, "type", span_text(v, KEY_EXCEPTION_TYPE));
	put_text(w, "message", span_text(v, KEY_EXCEPTION_MESSAGE));
	if (sv_eq(c->segment->ns, SV("aws")) ||
	    sv_eq(c->segment->ns, SV("remote")))
		put_true(w, "remote");
	if (span_has(v, KEY_EXCEPTION_STACK)) {
		json_key(w, "stack");
		json_open_array(w);
		span_stack_write(w, span_text(v, KEY_EXCEPTION_STACK));
		json_close_array(w);
	}
	json_close_object(w);
}

static void put_cause(const struct conversion *c, struct span_values *scratch)
{
	const struct span_facts *f = &c->reader->facts;
	struct protobuf r = protobuf_reader(f->span);
	struct protobuf_field field;
	struct json_writer *w = c->w;
	uint64_t index = 0;

	if (!f->exception.len && !c->segment->error_type.len &&
	    !c->segment->error_message.len)
		return;
	json_key(w, "cause");
	json_open_object(w);
	json_key(w, "exceptions");
	json_open_array(w);
	while (f->exception.len && protobuf_next(&r, &field) > 0)
		if (field.number == SPAN_EVENTS && is_exception(field.bytes))
			put_exception(c, field.bytes, index++, scratch);
	if (!f->exception.len) {
		json_open_object(w);
		put_exception_id(c, 0);
		put_text(w, "type", c->segment->error_type);
		put_text(w, "message", c->segment->error_message);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
}

/* --- what is left ------------------------------------------------------------------------------ */

static void put_link(struct json_writer *w, struct sv link)
{
	struct protobuf r = protobuf_reader(link);
	struct protobuf_field f;
	struct sv trace_id = SV(""), id = SV("");

	while (protobuf_next(&r, &f) > 0) {
		if (f.number == LINK_TRACE_ID)
			trace_id = f.bytes;
		else if (f.number == LINK_SPAN_ID)
			id = f.bytes;
	}
	json_open_object(w);
	if (trace_id.len == TRACE_ID_SIZE)
		put_trace_id(w, (const uint8_t *)trace_id.ptr);
	if (id.len == SEGMENT_ID_SIZE)
		put_id(w, "id", (const uint8_t *)id.ptr);
	json_key(w, "attributes");
	json_open_object(w);
	otlp_attributes_write(w, link, LINK_ATTRIBUTES, OTLP_ALL, SV(""));
	json_close_object(w);
	json_close_object(w);
}

static void put_event(struct json_writer *w, struct sv event)
{
	struct protobuf r = protobuf_reader(event);
	struct protobuf_field f;
	struct sv name = SV("");
	uint64_t time = 0;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number == EVENT_NAME)
			name = f.bytes;
		else if (f.number == EVENT_TIME)
			time = f.value;
	}
	json_open_object(w);
	put_text(w, "name", name);
	if (time <= INT64_MAX)
		put_time(w, "time", (int64_t)time);
	json_key(w, "attributes");
	json_open_object(w);
	otlp_attributes_write(w, event, EVENT_ATTRIBUTES, OTLP_ALL, SV(""));
	json_close_object(w);
	json_close_object(w);
}

/* A list of field `number` of the span, where there are any. */
static void put_each(const struct conversion *c, const char *key,
		     uint32_t number,
		     void (*put)(struct json_writer *w, struct sv bytes))
{
	struct protobuf r = protobuf_reader(c->reader->facts.span);
	struct protobuf_field f;
	bool any = false;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number != number)
			continue;
		if (!any) {
			json_key(c->w, key);
			json_open_array(c->w);
		}
		any = true;
		put(c->w, f.bytes);
	}
	if (any)
		json_close_array(c->w);
}

static void put_scope(const struct conversion *c)
{
	struct sv scope = c->record->source->scope;
	struct protobuf r = protobuf_reader(scope);
	struct protobuf_field f;
	struct json_writer *w = c->w;

	if (!scope.len)
		return;
	json_key(w, "scope");
	json_open_object(w);
	while (protobuf_next(&r, &f) > 0) {
		if (f.number == SCOPE_NAME || f.number == SCOPE_VERSION)
			put_text(w, f.number == SCOPE_NAME ? "name" : "version",
				 f.bytes);
	}
	if (otlp_attributes_any(scope, SCOPE_ATTRIBUTES, OTLP_ALL)) {
		json_key(w, "attributes");
		json_open_object(w);
		otlp_attributes_write(w, scope, SCOPE_ATTRIBUTES, OTLP_ALL,
				      SV(""));
		json_close_object(w);
	}
	json_close_object(w);
}

static void put_metadata(const struct conversion *c)
{
	static const char *const kinds[] = { "UNSPECIFIED", "INTERNAL",
					     "SERVER",      "CLIENT",
					     "PRODUCER",    "CONSUMER" };
	const struct span_facts *f = &c->reader->facts;
	struct sv resource = c->record->source->resource;
	struct json_writer *w = c->w;

	json_key(w, "metadata");
	json_open_object(w);
	if (otlp_attributes_any(f->span, SPAN_ATTRIBUTES, OTLP_LISTS)) {
		json_key(w, "default");
		json_open_object(w);
		otlp_attributes_write(w, f->span, SPAN_ATTRIBUTES, OTLP_LISTS,
				      SV(""));
		json_close_object(w);
	}
	json_key(w, "otel");
	json_open_object(w);
	json_key(w, "name");
	json_put_sv(w, f->name);
	json_key(w, "kind");
	json_put_text(w, kinds[f->kind <= KIND_CONSUMER ? f->kind : 0]);
	put_text(w, "trace_state", f->trace_state);
	put_text(w, "status_message", f->status_message);
	if (f->end_ns && f->end_ns < f->start_ns)
		put_time(w, "end_before_start", (int64_t)f->end_ns);
	put_scope(c);
	if (otlp_attributes_any(resource, RESOURCE_ATTRIBUTES, OTLP_LISTS)) {
		json_key(w, "resource");
		json_open_object(w);
		otlp_attributes_write(w, resource, RESOURCE_ATTRIBUTES,
				      OTLP_LISTS, SV(""));
		json_close_object(w);
	}
	put_each(c, "events", SPAN_EVENTS, put_event);
	json_close_object(w);
	json_close_object(w);
}

static void put_annotations(const struct conversion *c)
{
	struct json_writer *w = c->w;

	json_key(w, "annotations");
	json_open_object(w);
	otlp_attributes_write(w, c->reader->facts.span, SPAN_ATTRIBUTES,
			      OTLP_SCALARS, SV(""));
	otlp_attributes_write(w, c->record->source->resource,
			      RESOURCE_ATTRIBUTES, OTLP_SCALARS,
			      SV("otel.resource."));
	json_close_object(w);
}

bool span_put_xray(struct json_writer *w, const struct span_record *record,
		   struct arena *arena)
{
	struct span_reader reader;
	struct span_values scratch;
	struct segment segment;
	const struct conversion c = { w, &reader, record, &segment };

	reader.source = NULL;
	if (span_read(&reader, record, arena, &segment) != SEGMENT_OK)
		return false;
	json_open_object(w);
	put_head(&c);
	span_xray_put_blocks(&c);
	put_text(w, "user",
		 SPAN_FIRST(&reader.facts.values, KEY_ENDUSER_ID, KEY_USER_ID));
	put_cause(&c, &scratch);
	put_each(&c, "links", SPAN_LINKS, put_link);
	put_annotations(&c);
	put_metadata(&c);
	json_close_object(w);
	return true;
}
