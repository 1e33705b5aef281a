/* SPDX-License-Identifier: Apache-2.0 */
/* Spans: see otlp.h. */
#include "core/wire/otlp_walk.h"

static int check_event(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = OTLP_UNKNOWN,
		[EVENT_TIME] = PROTOBUF_FIXED64,
		[EVENT_NAME] = PROTOBUF_BYTES,
		[EVENT_ATTRIBUTES] = PROTOBUF_BYTES,
		[EVENT_DROPPED] = PROTOBUF_VARINT,
	};

	return otlp_check_flat(bytes, types, sizeof(types), EVENT_ATTRIBUTES);
}

static int check_link(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = OTLP_UNKNOWN,
		[LINK_TRACE_ID] = PROTOBUF_BYTES,
		[LINK_SPAN_ID] = PROTOBUF_BYTES,
		[LINK_TRACE_STATE] = PROTOBUF_BYTES,
		[LINK_ATTRIBUTES] = PROTOBUF_BYTES,
		[LINK_DROPPED] = PROTOBUF_VARINT,
		[LINK_FLAGS] = PROTOBUF_FIXED32,
	};

	return otlp_check_flat(bytes, types, sizeof(types), LINK_ATTRIBUTES);
}

static int check_status(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = OTLP_UNKNOWN,
		[1] = OTLP_UNKNOWN,
		[STATUS_MESSAGE] = PROTOBUF_BYTES,
		[STATUS_CODE] = PROTOBUF_VARINT,
	};

	return otlp_check_flat(bytes, types, sizeof(types), 0);
}

/* --- a span -------------------------------------------------------------------------- */

struct span_head {
	struct sv trace_id, id, parent_id;
	uint64_t start, end;
};

static int judge_head(const struct span_head *h)
{
	if (h->trace_id.len != OTLP_TRACE_ID_SIZE || otlp_all_zero(h->trace_id))
		return OTLP_BAD_TRACE_ID;
	if (h->id.len != OTLP_SPAN_ID_SIZE || otlp_all_zero(h->id))
		return OTLP_BAD_SPAN_ID;
	if (h->parent_id.len && h->parent_id.len != OTLP_SPAN_ID_SIZE)
		return OTLP_BAD_PARENT_ID;
	if (!h->start)
		return OTLP_NO_START;
	if (h->start > INT64_MAX || h->end > INT64_MAX)
		return OTLP_BAD_TIME;
	return OTLP_OK;
}

/* OTLP_OK, why it is refused, or ERR_SYNTAX. */
static int check_span(struct sv span)
{
	struct protobuf r = protobuf_reader(span);
	struct span_head head = { 0 };
	struct protobuf_field f;
	int refusal = OTLP_OK;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		switch (PROTOBUF_TAG(f.number, f.type)) {
		case PROTOBUF_TAG(SPAN_ATTRIBUTES, PROTOBUF_BYTES):
			e = otlp_check_attribute(f.bytes);
			break;
		case PROTOBUF_TAG(SPAN_TRACE_ID, PROTOBUF_BYTES):
			head.trace_id = f.bytes;
			continue;
		case PROTOBUF_TAG(SPAN_ID, PROTOBUF_BYTES):
			head.id = f.bytes;
			continue;
		case PROTOBUF_TAG(SPAN_PARENT_ID, PROTOBUF_BYTES):
			head.parent_id = f.bytes;
			continue;
		case PROTOBUF_TAG(SPAN_START, PROTOBUF_FIXED64):
			head.start = f.value;
			continue;
		case PROTOBUF_TAG(SPAN_END, PROTOBUF_FIXED64):
			head.end = f.value;
			continue;
		case PROTOBUF_TAG(SPAN_TRACE_STATE, PROTOBUF_BYTES):
		case PROTOBUF_TAG(SPAN_NAME, PROTOBUF_BYTES):
		case PROTOBUF_TAG(SPAN_KIND, PROTOBUF_VARINT):
		case PROTOBUF_TAG(SPAN_DROPPED_ATTRIBUTES, PROTOBUF_VARINT):
		case PROTOBUF_TAG(SPAN_DROPPED_EVENTS, PROTOBUF_VARINT):
		case PROTOBUF_TAG(SPAN_DROPPED_LINKS, PROTOBUF_VARINT):
		case PROTOBUF_TAG(SPAN_FLAGS, PROTOBUF_FIXED32):
			continue;
		case PROTOBUF_TAG(SPAN_EVENTS, PROTOBUF_BYTES):
			e = check_event(f.bytes);
			break;
		case PROTOBUF_TAG(SPAN_LINKS, PROTOBUF_BYTES):
			e = check_link(f.bytes);
			break;
		case PROTOBUF_TAG(SPAN_STATUS, PROTOBUF_BYTES):
			e = check_status(f.bytes);
			break;
		default:
			e = f.number > SPAN_FLAGS ? 0 : ERR_SYNTAX;
		}
		if (!e)
			continue;
		if (e < 0)
			return e;
		refusal = otlp_worse(refusal, e);
	}
	if (e)
		return e;
	return otlp_worse(refusal, judge_head(&head));
}

/* --- a request ------------------------------------------------------------------------ */

struct taking {
	struct records *records;
	struct otlp_refused *refused;
};

static int take_span(void *arg, const struct span_source *source, int refusal,
		     struct sv span)
{
	struct taking *t = arg;
	size_t size = source->resource.len + source->resource_schema.len +
		      source->scope.len + source->scope_schema.len + span.len;
	int why = check_span(span);

	why = otlp_worse(refusal, why);
	if (why < 0)
		return why;
	if (size > SPAN_BYTES_MAX)
		why = OTLP_TOO_LARGE;
	t->refused->counts[why]++;
	if (!why)
		t->records->spans[t->records->span_count++] =
			(struct span_record){ source, span };
	return 0;
}

int otlp_traces_decode(struct arena *arena, struct sv body, struct records *out,
		       struct otlp_refused *refused, struct diag *diag)
{
	struct taking t = { out, refused };
	size_t count = otlp_walk_count(body);

	*refused = (struct otlp_refused){ 0 };
	out->span_count = 0;
	if (count > OTLP_RECORDS_MAX)
		return otlp_walk_fail(diag, ERR_LIMIT);
	out->spans = arena_array(arena, count, sizeof(*out->spans));
	if (!out->spans)
		return ERR_NOMEM;
	return otlp_walk_fail(diag, otlp_walk(arena, body, take_span, &t));
}
