/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/segment.h"

#include <assert.h>

static const struct {
	const char *code;
	const char *text;
} refusals[SEGMENT_REFUSALS] = {
	[SEGMENT_OK] = { "", "accepted" },
	[SEGMENT_TOO_LARGE] = { "DocumentTooLarge",
				"the document is over 64 KB" },
	[SEGMENT_NOT_JSON] = { "ParseError",
			       "the document is not a JSON object" },
	[SEGMENT_NO_ID] = { "MissingId", "id is missing" },
	[SEGMENT_BAD_ID] = { "InvalidId", "id is not 16 hex digits" },
	[SEGMENT_NO_TRACE_ID] = { "MissingTraceId", "trace_id is missing" },
	[SEGMENT_BAD_TRACE_ID] = { "InvalidTraceId",
				   "trace_id is neither 1-8hex-24hex nor 32 "
				   "hex digits" },
	[SEGMENT_NO_NAME] = { "MissingName", "name is missing or empty" },
	[SEGMENT_BAD_NAME] = { "InvalidName",
			       "name is over 200 characters or has a "
			       "character that is not allowed" },
	[SEGMENT_NO_START_TIME] = { "MissingStartTime",
				    "start_time is missing" },
	[SEGMENT_BAD_START_TIME] = { "InvalidStartTime",
				     "start_time is not a number of seconds" },
	[SEGMENT_BAD_END_TIME] = { "InvalidEndTime",
				   "end_time is not a number of seconds" },
	[SEGMENT_NO_END_TIME] = { "MissingEndTime",
				  "end_time is missing and in_progress is not "
				  "true" },
	[SEGMENT_BAD_TYPE] = { "InvalidType",
			       "type is there and not \"subsegment\"" },
	[SEGMENT_NO_PARENT_ID] = { "MissingParentId",
				   "a subsegment sent alone has no "
				   "parent_id" },
	[SEGMENT_BAD_PARENT_ID] = { "InvalidParentId",
				    "parent_id is not 16 hex digits" },
	[SEGMENT_BAD_SUBSEGMENT] = { "InvalidSubsegment",
				     "a nested subsegment lacks a valid id, "
				     "name or start_time" },
	[SEGMENT_NO_MEMORY] = { "InternalFailure",
				"no memory at the moment; send it again" },
};

const char *segment_refusal_code(enum segment_refusal refusal)
{
	assert(refusal < SEGMENT_REFUSALS);
	return refusals[refusal].code;
}

const char *segment_refusal_text(enum segment_refusal refusal)
{
	assert(refusal < SEGMENT_REFUSALS);
	return refusals[refusal].text;
}

const char *segment_status_text(enum segment_status status)
{
	static const char *const texts[] = { "ok", "error", "throttle",
					     "fault" };

	assert(status <= SEGMENT_STATUS_FAULT);
	return texts[status];
}

bool trace_id_parse(struct sv text, uint8_t id[TRACE_ID_SIZE])
{
	if (text.len == 2 * TRACE_ID_SIZE)
		return sv_to_hex(text, id, TRACE_ID_SIZE);
	return text.len == TRACE_ID_TEXT && text.ptr[0] == '1' &&
	       text.ptr[1] == '-' && text.ptr[10] == '-' &&
	       sv_to_hex(sv_make(text.ptr + 2, 8), id, 4) &&
	       sv_to_hex(sv_make(text.ptr + 11, 24), id + 4, 12);
}

void trace_id_text(const uint8_t id[TRACE_ID_SIZE],
		   char text[TRACE_ID_TEXT + 1])
{
	text[0] = '1';
	text[1] = '-';
	hex_from(text + 2, id, 4);
	text[10] = '-';
	hex_from(text + 11, id + 4, 12);
	text[TRACE_ID_TEXT] = '\0';
}

void segment_id_text(const uint8_t id[SEGMENT_ID_SIZE],
		     char text[SEGMENT_ID_TEXT + 1])
{
	hex_from(text, id, SEGMENT_ID_SIZE);
	text[SEGMENT_ID_TEXT] = '\0';
}

static bool is_there(struct json v)
{
	return v.doc && !json_is(v, JSON_NULL);
}

static bool read_id(struct json v, uint8_t id[SEGMENT_ID_SIZE])
{
	struct sv raw;

	if (!json_is(v, JSON_STRING))
		return false;
	raw = json_raw(v); /* an escaped id is no id: it fails as hex */
	return raw.len == SEGMENT_ID_TEXT + 2 &&
	       sv_to_hex(sv_make(raw.ptr + 1, SEGMENT_ID_TEXT), id,
			 SEGMENT_ID_SIZE);
}

static bool read_trace_id(struct json v, uint8_t id[TRACE_ID_SIZE])
{
	struct sv raw;

	if (!json_is(v, JSON_STRING))
		return false;
	raw = json_raw(v);
	return trace_id_parse(sv_make(raw.ptr + 1, raw.len - 2), id);
}

/* Letters and digits of any script are allowed; of what is not ASCII we take
 * all, since the tables that tell them apart are the service's. */
static bool name_is_valid(struct sv name, bool strict)
{
	static const char others[] = " _.:/%&#=+\\-@";
	size_t characters = 0;

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if ((c & 0xc0) != 0x80)
			characters++;
		if (strict && c < 0x80 && !(c >= '0' && c <= '9') &&
		    !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    !memchr(others, c, sizeof(others) - 1))
			return false;
	}
	return characters <= SEGMENT_NAME_MAX;
}

static bool is_true(struct json v)
{
	return json_is(v, JSON_TRUE);
}

/* SDKs set the flags wide (JS: 404 is error and fault, 429 all three), so a
 * response status that names a class decides; flags speak where it does not. */
static enum segment_status read_status(struct json v, uint16_t http)
{
	if (http == 429)
		return SEGMENT_STATUS_THROTTLE;
	if (http >= 500 && http <= 599)
		return SEGMENT_STATUS_FAULT;
	if (http >= 400 && http <= 499)
		return SEGMENT_STATUS_ERROR;
	if (is_true(json_get(v, SV("fault"))))
		return SEGMENT_STATUS_FAULT;
	if (is_true(json_get(v, SV("throttle"))))
		return SEGMENT_STATUS_THROTTLE;
	if (is_true(json_get(v, SV("error"))))
		return SEGMENT_STATUS_ERROR;
	return SEGMENT_STATUS_OK;
}

static uint16_t read_http_status(struct json http)
{
	int64_t status;

	if (json_to_i64(json_get(json_get(http, SV("response")), SV("status")),
			&status) &&
	    status >= 100 && status <= 999)
		return (uint16_t)status;
	return 0;
}

/* A string member; absent, of another kind: empty. ptr NULL: no memory. */
static struct sv read_text(struct json object, struct sv key,
			   struct arena *arena)
{
	struct json v = json_get(object, key);

	return json_is(v, JSON_STRING) ? json_string(v, arena) : SV("");
}

/* Members of "aws" that name what an SDK call was about. */
static bool read_resource(struct json aws, struct arena *arena,
			  struct segment *out)
{
	static const struct sv keys[] = {
		{ "table_name", 10 },        { "queue_url", 9 },
		{ "function_name", 13 },     { "bucket_name", 11 },
		{ "topic_arn", 9 },          { "stream_name", 11 },
		{ "state_machine_arn", 17 },
	};

	out->resource = out->resource_key = SV("");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct sv text = read_text(aws, keys[i], arena);

		if (!text.ptr)
			return false;
		if (text.len == 0)
			continue;
		out->resource = text;
		out->resource_key = keys[i];
		break;
	}
	return true;
}

/* What is optional; false: no memory. */
static bool read_extras(struct json v, struct arena *arena, struct segment *out)
{
	struct json aws = json_get(v, SV("aws"));
	struct json http = json_get(v, SV("http"));
	struct json cause = json_get(v, SV("cause"));
	struct json exception = { 0 };

	if (json_is(cause, JSON_OBJECT)) {
		struct json list = json_get(cause, SV("exceptions"));

		if (json_is(list, JSON_ARRAY))
			exception = json_first(list);
	}
	out->http_status = read_http_status(http);
	out->status = read_status(v, out->http_status);
	out->traced =
		is_true(json_get(v, SV("traced"))) ||
		is_true(json_get(json_get(http, SV("request")), SV("traced")));
	out->ns = read_text(v, SV("namespace"), arena);
	out->origin = read_text(v, SV("origin"), arena);
	out->request_id = read_text(aws, SV("request_id"), arena);
	out->operation = read_text(aws, SV("operation"), arena);
	out->error_type = read_text(exception, SV("type"), arena);
	out->error_message = read_text(exception, SV("message"), arena);
	return out->ns.ptr && out->origin.ptr && out->request_id.ptr &&
	       out->operation.ptr && out->error_type.ptr &&
	       out->error_message.ptr && read_resource(aws, arena, out);
}

static enum segment_refusal read_name(struct json v, struct arena *arena,
				      struct segment *out)
{
	struct json name = json_get(v, SV("name"));

	if (!is_there(name))
		return SEGMENT_NO_NAME;
	if (!json_is(name, JSON_STRING))
		return SEGMENT_BAD_NAME;
	out->name = json_string(name, arena);
	if (!out->name.ptr)
		return SEGMENT_NO_MEMORY;
	if (out->name.len == 0)
		return SEGMENT_NO_NAME;
	/* SDKs clean the names of segments only. */
	if (!name_is_valid(out->name, !out->subsegment))
		return SEGMENT_BAD_NAME;
	return SEGMENT_OK;
}

static enum segment_refusal read_times(struct json v, struct segment *out)
{
	struct json start = json_get(v, SV("start_time"));
	struct json end = json_get(v, SV("end_time"));

	if (!is_there(start))
		return SEGMENT_NO_START_TIME;
	if (!json_to_ns(start, &out->start_ns) || out->start_ns < 0)
		return SEGMENT_BAD_START_TIME;
	out->in_progress = !is_there(end);
	out->end_ns = out->start_ns;
	if (!out->in_progress && !json_to_ns(end, &out->end_ns))
		return SEGMENT_BAD_END_TIME;
	if (out->end_ns < out->start_ns)
		out->end_ns = out->start_ns;
	return SEGMENT_OK;
}

/* The members a segment sent alone and a nested one have in common, but ids
 * of trace and parent. */
static enum segment_refusal read_common(struct json v, struct arena *arena,
					struct segment *out)
{
	enum segment_refusal refusal = read_name(v, arena, out);

	if (refusal == SEGMENT_OK)
		refusal = read_times(v, out);
	if (refusal == SEGMENT_OK && !read_extras(v, arena, out))
		refusal = SEGMENT_NO_MEMORY;
	return refusal;
}

static enum segment_refusal read_nested(struct json v,
					const struct segment *parent,
					struct arena *arena,
					struct segment *out)
{
	memset(out, 0, sizeof(*out));
	out->json = v;
	out->subsegment = true;
	out->has_parent = true;
	memcpy(out->trace_id, parent->trace_id, TRACE_ID_SIZE);
	memcpy(out->parent_id, parent->id, SEGMENT_ID_SIZE);
	if (!json_is(v, JSON_OBJECT) ||
	    !read_id(json_get(v, SV("id")), out->id))
		return SEGMENT_BAD_SUBSEGMENT;
	return read_common(v, arena, out);
}

static enum segment_refusal read_ids(struct json v, struct segment *out)
{
	struct json id = json_get(v, SV("id"));
	struct json trace_id = json_get(v, SV("trace_id"));

	if (!is_there(id))
		return SEGMENT_NO_ID;
	if (!read_id(id, out->id))
		return SEGMENT_BAD_ID;
	if (!is_there(trace_id))
		return SEGMENT_NO_TRACE_ID;
	if (!read_trace_id(trace_id, out->trace_id))
		return SEGMENT_BAD_TRACE_ID;
	return SEGMENT_OK;
}

static enum segment_refusal read_place(struct json v, struct segment *out)
{
	struct json type = json_get(v, SV("type"));
	struct json parent = json_get(v, SV("parent_id"));

	if (out->in_progress && !is_true(json_get(v, SV("in_progress"))))
		return SEGMENT_NO_END_TIME;
	if (is_there(type) && !out->subsegment)
		return SEGMENT_BAD_TYPE;
	out->has_parent = is_there(parent);
	if (!out->has_parent)
		return out->subsegment ? SEGMENT_NO_PARENT_ID : SEGMENT_OK;
	if (!read_id(parent, out->parent_id))
		return SEGMENT_BAD_PARENT_ID;
	return SEGMENT_OK;
}

static enum segment_refusal read_alone(struct json v, struct arena *arena,
				       struct segment *out)
{
	enum segment_refusal refusal;

	memset(out, 0, sizeof(*out));
	if (!json_is(v, JSON_OBJECT))
		return SEGMENT_NOT_JSON;
	out->json = v;
	out->subsegment =
		json_string_is(json_get(v, SV("type")), SV("subsegment"));
	refusal = read_ids(v, out);
	if (refusal == SEGMENT_OK)
		refusal = read_common(v, arena, out);
	if (refusal == SEGMENT_OK)
		refusal = read_place(v, out);
	return refusal;
}

struct walk {
	struct arena *arena;
	segment_walk_fn *fn;
	void *arg;
};

/* Depth is bounded by the parser: a level takes two of JSON_DEPTH_MAX. */
static int walk_children(const struct walk *w, const struct segment *parent,
			 unsigned depth)
{
	struct json list = json_get(parent->json, SV("subsegments"));
	struct json it;

	if (!json_is(list, JSON_ARRAY))
		return 0;
	for (it = json_first(list); it.doc; it = json_next(list, it)) {
		struct segment nested;
		enum segment_refusal refusal =
			read_nested(it, parent, w->arena, &nested);
		int e;

		if (refusal == SEGMENT_NO_MEMORY)
			return ERR_NOMEM;
		if (refusal != SEGMENT_OK)
			return ERR_INVALID;
		e = w->fn(w->arg, &nested, parent, depth);
		if (!e)
			e = walk_children(w, &nested, depth + 1);
		if (e)
			return e;
	}
	return 0;
}

int segment_walk(const struct segment *root, struct arena *arena,
		 segment_walk_fn *fn, void *arg)
{
	struct walk w = { .arena = arena, .fn = fn, .arg = arg };
	int e = fn(arg, root, NULL, 0);

	return e ? e : walk_children(&w, root, 1);
}

static int visit_nothing(void *arg, const struct segment *segment,
			 const struct segment *parent, unsigned depth)
{
	(void)arg;
	(void)segment;
	(void)parent;
	(void)depth;
	return 0;
}

enum segment_refusal segment_check(struct sv document, struct arena *arena,
				   struct segment *out)
{
	struct json_doc *doc;
	enum segment_refusal refusal;
	int e;

	if (document.len > SEGMENT_BYTES_MAX)
		return SEGMENT_TOO_LARGE;
	doc = arena_new(arena, struct json_doc);
	if (!doc)
		return SEGMENT_NO_MEMORY;
	e = json_parse(doc, arena, document, NULL);
	if (e == ERR_NOMEM)
		return SEGMENT_NO_MEMORY;
	if (e)
		return SEGMENT_NOT_JSON;
	refusal = read_alone(json_root(doc), arena, out);
	if (refusal != SEGMENT_OK)
		return refusal;
	e = segment_walk(out, arena, visit_nothing, NULL);
	if (e == ERR_NOMEM)
		return SEGMENT_NO_MEMORY;
	return e ? SEGMENT_BAD_SUBSEGMENT : SEGMENT_OK;
}
