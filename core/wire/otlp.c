/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp.h"

#include <stdio.h>

#include "core/codec/protobuf.h"
#include "core/wire/otlp_fields.h"

/* --- attributes ----------------------------------------------------------------- */

static int check_key_value(struct sv bytes, unsigned depth);

/* What repeats in an ArrayValue (AnyValue) or KeyValueList (KeyValue). */
static int check_list(struct sv bytes, unsigned depth,
		      int (*check)(struct sv bytes, unsigned depth))
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	if (depth == OTLP_NESTING_MAX)
		return OTLP_TOO_DEEP;
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != 1)
			continue;
		e = f.type == PROTOBUF_BYTES ? check(f.bytes, depth + 1) :
					       ERR_SYNTAX;
		if (e)
			return e;
	}
	return e;
}

static int check_value(struct sv bytes, unsigned depth)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		switch (PROTOBUF_TAG(f.number, f.type)) {
		case PROTOBUF_TAG(VALUE_STRING, PROTOBUF_BYTES):
		case PROTOBUF_TAG(VALUE_BOOL, PROTOBUF_VARINT):
		case PROTOBUF_TAG(VALUE_INT, PROTOBUF_VARINT):
		case PROTOBUF_TAG(VALUE_DOUBLE, PROTOBUF_FIXED64):
		case PROTOBUF_TAG(VALUE_BYTES, PROTOBUF_BYTES):
			continue;
		case PROTOBUF_TAG(VALUE_ARRAY, PROTOBUF_BYTES):
			e = check_list(f.bytes, depth, check_value);
			break;
		case PROTOBUF_TAG(VALUE_KVLIST, PROTOBUF_BYTES):
			e = check_list(f.bytes, depth, check_key_value);
			break;
		default:
			e = f.number > VALUE_BYTES ? 0 : ERR_SYNTAX;
		}
		if (e)
			return e;
	}
	return e;
}

static int check_key_value(struct sv bytes, unsigned depth)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number > KEY_VALUE_VALUE)
			continue;
		if (f.type != PROTOBUF_BYTES)
			return ERR_SYNTAX;
		if (f.number == KEY_VALUE_VALUE) {
			e = check_value(f.bytes, depth);
			if (e)
				return e;
		}
	}
	return e;
}

int otlp_check_value(struct sv value)
{
	return check_value(value, 0);
}

int otlp_check_attribute(struct sv key_value)
{
	return check_key_value(key_value, 0);
}

/* The worse of two: an error of the body, else what comes first. */
static int worse(int a, int b)
{
	if (a < 0 || b < 0)
		return a < b ? a : b;
	return !a || (b && b < a) ? b : a;
}

/* --- resource and scope ----------------------------------------------------------- */

/* A Resource, InstrumentationScope, Event or Link: messages whose fields have
 * one type each, and attributes. types[n] is of field n; 0xff: unknown. */
static int check_flat(struct sv bytes, const uint8_t *types, size_t count,
		      uint32_t attributes)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int refusal = OTLP_OK;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number >= count || types[f.number] == 0xff)
			continue;
		if (f.type != types[f.number])
			return ERR_SYNTAX;
		if (f.number == attributes) {
			refusal = worse(refusal, check_key_value(f.bytes, 0));
			if (refusal < 0)
				return refusal;
		}
	}
	return e ? e : refusal;
}

static int check_resource(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = 0xff,
		[RESOURCE_ATTRIBUTES] = PROTOBUF_BYTES,
		[RESOURCE_DROPPED] = PROTOBUF_VARINT,
	};

	return check_flat(bytes, types, sizeof(types), RESOURCE_ATTRIBUTES);
}

static int check_scope(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = 0xff,
		[SCOPE_NAME] = PROTOBUF_BYTES,
		[SCOPE_VERSION] = PROTOBUF_BYTES,
		[SCOPE_ATTRIBUTES] = PROTOBUF_BYTES,
		[SCOPE_DROPPED] = PROTOBUF_VARINT,
	};

	return check_flat(bytes, types, sizeof(types), SCOPE_ATTRIBUTES);
}

static int check_event(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = 0xff,
		[EVENT_TIME] = PROTOBUF_FIXED64,
		[EVENT_NAME] = PROTOBUF_BYTES,
		[EVENT_ATTRIBUTES] = PROTOBUF_BYTES,
		[EVENT_DROPPED] = PROTOBUF_VARINT,
	};

	return check_flat(bytes, types, sizeof(types), EVENT_ATTRIBUTES);
}

static int check_link(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = 0xff,
		[LINK_TRACE_ID] = PROTOBUF_BYTES,
		[LINK_SPAN_ID] = PROTOBUF_BYTES,
		[LINK_TRACE_STATE] = PROTOBUF_BYTES,
		[LINK_ATTRIBUTES] = PROTOBUF_BYTES,
		[LINK_DROPPED] = PROTOBUF_VARINT,
		[LINK_FLAGS] = PROTOBUF_FIXED32,
	};

	return check_flat(bytes, types, sizeof(types), LINK_ATTRIBUTES);
}

static int check_status(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = 0xff,
		[1] = 0xff,
		[STATUS_MESSAGE] = PROTOBUF_BYTES,
		[STATUS_CODE] = PROTOBUF_VARINT,
	};

	return check_flat(bytes, types, sizeof(types), 0);
}

/* --- a span -------------------------------------------------------------------------- */

static bool all_zero(struct sv bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.ptr[i])
			return false;
	return true;
}

struct span_head {
	struct sv trace_id, id, parent_id;
	uint64_t start, end;
};

static int judge_head(const struct span_head *h)
{
	if (h->trace_id.len != OTLP_TRACE_ID_SIZE || all_zero(h->trace_id))
		return OTLP_BAD_TRACE_ID;
	if (h->id.len != OTLP_SPAN_ID_SIZE || all_zero(h->id))
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
			e = check_key_value(f.bytes, 0);
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
		refusal = worse(refusal, e);
	}
	if (e)
		return e;
	return worse(refusal, judge_head(&head));
}

/* --- a request ------------------------------------------------------------------------ */

struct walk {
	struct arena *arena;
	struct records *records;
	struct otlp_refused *refused;
};

/* A message that comes twice is one: its parts one behind the other. */
static bool join(struct arena *arena, struct sv *to, struct sv more)
{
	char *both;

	if (!to->len) {
		*to = more;
		return true;
	}
	both = arena_alloc(arena, to->len + more.len);
	if (!both)
		return false;
	memcpy(both, to->ptr, to->len);
	memcpy(both + to->len, more.ptr, more.len);
	*to = sv_make(both, to->len + more.len);
	return true;
}

/* What stands once in ResourceSpans or ScopeSpans, wherever in it: the message
 * 1 and the schema_url 3; and how many of field 2 there are. */
struct once {
	struct sv message, schema;
	size_t count;
};

static int read_once(struct arena *arena, struct sv bytes, struct once *out)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	*out = (struct once){ SV(""), SV(""), 0 };
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number > 3)
			continue;
		if (f.type != PROTOBUF_BYTES)
			return ERR_SYNTAX;
		if (f.number == 2)
			out->count++;
		else if (f.number == 3)
			out->schema = f.bytes;
		else if (!join(arena, &out->message, f.bytes))
			return ERR_NOMEM;
	}
	return e;
}

static int walk_spans(struct walk *w, struct sv bytes,
		      const struct span_source *source, int refusal)
{
	struct protobuf r = protobuf_reader(bytes);
	size_t around = source->resource.len + source->resource_schema.len +
			source->scope.len + source->scope_schema.len;
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		int why;

		if (f.number != 2)
			continue;
		why = check_span(f.bytes);
		if (why < 0)
			return why;
		why = worse(refusal, why);
		if (around + f.bytes.len > SPAN_BYTES_MAX)
			why = OTLP_TOO_LARGE;
		w->refused->counts[why]++;
		if (!why)
			w->records->spans[w->records->span_count++] =
				(struct span_record){ source, f.bytes };
	}
	return e;
}

static int walk_scope(struct walk *w, struct sv bytes,
		      const struct once *resource, int refusal)
{
	struct span_source *source;
	struct once scope;
	int e = read_once(w->arena, bytes, &scope);

	if (e)
		return e;
	e = worse(refusal, check_scope(scope.message));
	if (e < 0 || !scope.count)
		return e < 0 ? e : 0;
	source = arena_new(w->arena, struct span_source);
	if (!source)
		return ERR_NOMEM;
	*source = (struct span_source){ .resource = resource->message,
					.resource_schema = resource->schema,
					.scope = scope.message,
					.scope_schema = scope.schema };
	return walk_spans(w, bytes, source, e);
}

static int walk_resource(struct walk *w, struct sv bytes)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	struct once resource;
	int e = read_once(w->arena, bytes, &resource);
	int refusal;

	if (e)
		return e;
	refusal = check_resource(resource.message);
	if (refusal < 0)
		return refusal;
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != 2)
			continue;
		e = walk_scope(w, f.bytes, &resource, refusal);
		if (e)
			return e;
	}
	return e;
}

/* How many records there are, as far as the bytes can be read: fields 1, 2, 2
 * within each other. */
static size_t count_records(struct sv body, unsigned level)
{
	struct protobuf r = protobuf_reader(body);
	struct protobuf_field f;
	size_t n = 0;

	while (protobuf_next(&r, &f) > 0)
		if (f.type == PROTOBUF_BYTES && f.number == (level ? 2 : 1))
			n += level == 2 ? 1 : count_records(f.bytes, level + 1);
	return n;
}

static int decode_fail(struct diag *diag, int err)
{
	if (err == ERR_LIMIT)
		return diag_set(diag, err,
				"more than %d records in one request: send "
				"smaller batches",
				(int)OTLP_RECORDS_MAX);
	if (err == ERR_SYNTAX)
		return diag_set(diag, err,
				"the body is not a protobuf message of this "
				"kind, or is cut off");
	return err;
}

int otlp_traces_decode(struct arena *arena, struct sv body, struct records *out,
		       struct otlp_refused *refused, struct diag *diag)
{
	struct walk w = { arena, out, refused };
	struct protobuf r = protobuf_reader(body);
	struct protobuf_field f;
	size_t count = count_records(body, 0);
	int e;

	*refused = (struct otlp_refused){ 0 };
	out->span_count = 0;
	if (count > OTLP_RECORDS_MAX)
		return decode_fail(diag, ERR_LIMIT);
	out->spans = arena_array(arena, count, sizeof(*out->spans));
	if (!out->spans)
		return ERR_NOMEM;
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != 1)
			continue;
		e = f.type == PROTOBUF_BYTES ? walk_resource(&w, f.bytes) :
					       ERR_SYNTAX;
		if (e)
			break;
	}
	return e ? decode_fail(diag, e) : 0;
}

/* --- what was refused ------------------------------------------------------------------- */

uint32_t otlp_refused_sum(const struct otlp_refused *refused)
{
	uint32_t n = 0;

	for (size_t i = OTLP_OK + 1; i < OTLP_REFUSALS; i++)
		n += refused->counts[i];
	return n;
}

void otlp_refused_text(const struct otlp_refused *refused,
		       enum otlp_signal signal, char text[OTLP_MESSAGE_MAX])
{
	static const char *const whys[OTLP_REFUSALS] = {
		[OTLP_TOO_LARGE] = "over 256 KiB",
		[OTLP_TOO_DEEP] = "with attributes nested over 12 deep",
		[OTLP_BAD_TRACE_ID] = "without a valid trace id",
		[OTLP_BAD_SPAN_ID] = "without a valid span id",
		[OTLP_BAD_PARENT_ID] = "with a bad parent span id",
		[OTLP_NO_START] = "without a start time",
		[OTLP_BAD_TIME] = "with a time after 2262",
	};
	static const char *const nouns[OTLP_SIGNALS] = {
		[OTLP_TRACES] = "spans",
		[OTLP_METRICS] = "data points",
		[OTLP_LOGS] = "log records",
	};
	uint32_t sum = otlp_refused_sum(refused);
	const char *between = ": ";
	int n = 0;

	text[0] = '\0';
	if (!sum)
		return;
	n = snprintf(text, OTLP_MESSAGE_MAX, "%u %s refused", sum,
		     nouns[signal]);
	for (size_t i = OTLP_OK + 1; i < OTLP_REFUSALS; i++) {
		if (!refused->counts[i] || n >= OTLP_MESSAGE_MAX)
			continue;
		n += snprintf(text + n, OTLP_MESSAGE_MAX - (size_t)n, "%s%u %s",
			      between, refused->counts[i], whys[i]);
		between = ", ";
	}
}
