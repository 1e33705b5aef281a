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

/* The members that are read, found in one pass over an object; of a repeated
 * key the first. This is the hot path of ingest: looking each up by itself
 * took three quarters of the time of a check. */
enum member {
	M_ID,
	M_TRACE_ID,
	M_PARENT_ID,
	M_NAME,
	M_START_TIME,
	M_END_TIME,
	M_IN_PROGRESS,
	M_TYPE,
	M_NAMESPACE,
	M_ORIGIN,
	M_AWS,
	M_HTTP,
	M_CAUSE,
	M_ERROR,
	M_FAULT,
	M_THROTTLE,
	M_TRACED,
	M_SUBSEGMENTS,
	M_LINKS,
	MEMBERS,
};

enum aws_member {
	A_REQUEST_ID,
	A_OPERATION,
	A_ACCOUNT,
	A_RESOURCE, /* and all behind: what an SDK call was about */
	AWS_MEMBERS = A_RESOURCE + 7,
};

#define KEY(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}
static const struct sv member_keys[MEMBERS] = {
	[M_ID] = KEY("id"),
	[M_TRACE_ID] = KEY("trace_id"),
	[M_PARENT_ID] = KEY("parent_id"),
	[M_NAME] = KEY("name"),
	[M_START_TIME] = KEY("start_time"),
	[M_END_TIME] = KEY("end_time"),
	[M_IN_PROGRESS] = KEY("in_progress"),
	[M_TYPE] = KEY("type"),
	[M_NAMESPACE] = KEY("namespace"),
	[M_ORIGIN] = KEY("origin"),
	[M_AWS] = KEY("aws"),
	[M_HTTP] = KEY("http"),
	[M_CAUSE] = KEY("cause"),
	[M_ERROR] = KEY("error"),
	[M_FAULT] = KEY("fault"),
	[M_THROTTLE] = KEY("throttle"),
	[M_TRACED] = KEY("traced"),
	[M_SUBSEGMENTS] = KEY("subsegments"),
	[M_LINKS] = KEY("links"),
};
static const struct sv aws_keys[AWS_MEMBERS] = {
	[A_REQUEST_ID] = KEY("request_id"),
	[A_OPERATION] = KEY("operation"),
	[A_ACCOUNT] = KEY("account_id"),
	[A_RESOURCE] = KEY("table_name"),
	KEY("queue_url"),
	KEY("function_name"),
	KEY("bucket_name"),
	KEY("topic_arn"),
	KEY("stream_name"),
	KEY("state_machine_arn"),
};

static size_t find_key(struct json key, const struct sv *keys, size_t count)
{
	const struct json_node *node = &key.doc->nodes[key.index];
	const char *text = key.doc->text.ptr + node->at;

	for (size_t i = 0; i < count; i++)
		if (node->escaped ?
			    json_string_is(key, keys[i]) :
			    node->len == keys[i].len &&
				    !memcmp(text, keys[i].ptr, node->len))
			return i;
	return count;
}

static void read_members(struct json object, const struct sv *keys,
			 size_t count, struct json *out)
{
	struct json key;

	memset(out, 0, count * sizeof(*out));
	if (!json_is(object, JSON_OBJECT))
		return;
	for (key = json_first(object); key.doc; key = json_next(object, key)) {
		size_t i = find_key(key, keys, count);

		if (i < count && !out[i].doc)
			out[i] = json_member(key);
	}
}

/* SDKs set the flags wide (JS: 404 is error and fault, 429 all three), so a
 * response status that names a class decides; flags speak where it does not. */
static enum segment_status read_status(const struct json m[MEMBERS],
				       uint16_t http)
{
	if (http == 429)
		return SEGMENT_STATUS_THROTTLE;
	if (http >= 500 && http <= 599)
		return SEGMENT_STATUS_FAULT;
	if (http >= 400 && http <= 499)
		return SEGMENT_STATUS_ERROR;
	if (is_true(m[M_FAULT]))
		return SEGMENT_STATUS_FAULT;
	if (is_true(m[M_THROTTLE]))
		return SEGMENT_STATUS_THROTTLE;
	if (is_true(m[M_ERROR]))
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

/* A string; absent, or another kind: empty. ptr NULL: no memory. */
static struct sv read_text(struct json v, struct arena *arena)
{
	return json_is(v, JSON_STRING) ? json_string(v, arena) : SV("");
}

/* Twelve digits; some send a number. */
static uint64_t read_account(struct json v)
{
	struct sv raw = { 0 };
	uint64_t account;

	if (json_is(v, JSON_STRING)) {
		raw = json_raw(v);
		raw = sv_make(raw.ptr + 1, raw.len - 2);
	} else if (json_is(v, JSON_NUMBER)) {
		raw = json_raw(v);
	}
	return raw.len <= 12 && sv_to_u64(raw, &account) ? account : 0;
}

/* False: no memory. */
static bool read_aws(struct json aws, struct arena *arena, struct segment *out)
{
	struct json m[AWS_MEMBERS];

	read_members(aws, aws_keys, AWS_MEMBERS, m);
	out->account = read_account(m[A_ACCOUNT]);
	out->request_id = read_text(m[A_REQUEST_ID], arena);
	out->operation = read_text(m[A_OPERATION], arena);
	out->resource = out->resource_key = SV("");
	for (size_t i = A_RESOURCE; i < AWS_MEMBERS; i++) {
		out->resource = read_text(m[i], arena);
		if (!out->resource.ptr)
			return false;
		if (!out->resource.len)
			continue;
		out->resource_key = aws_keys[i];
		break;
	}
	return out->request_id.ptr && out->operation.ptr;
}

static bool read_cause(struct json cause, struct arena *arena,
		       struct segment *out)
{
	struct json exception = { 0 };

	if (json_is(cause, JSON_OBJECT)) {
		struct json list = json_get(cause, SV("exceptions"));

		if (json_is(list, JSON_ARRAY))
			exception = json_first(list);
	}
	out->error_type = read_text(json_get(exception, SV("type")), arena);
	out->error_message =
		read_text(json_get(exception, SV("message")), arena);
	return out->error_type.ptr && out->error_message.ptr;
}

/* A time that SQS and its like give: milliseconds since 1970, as text too. */
static int64_t read_sent(struct json v, struct arena *arena)
{
	struct sv text = read_text(v, arena);
	int64_t ms = 0;

	if (text.len ? !sv_to_i64(text, &ms) : !json_to_i64(v, &ms))
		return 0;
	return ms > 0 && ms < INT64_MAX / 1000000 ? ms * 1000000 : 0;
}

/* Of attributes, what was received from where and sent when: by the names of
 * SQS's records, and of OpenTelemetry's conventions for messages. */
static bool read_link(struct json v, struct arena *arena,
		      struct segment_link *out)
{
	static const char *const sources[] = { "event_source_arn", "queue_url",
					       "messaging.destination.name",
					       "messaging.source.name" };
	static const char *const times[] = { "SentTimestamp", "sent_timestamp",
					     "messaging.sent_timestamp" };
	struct json attributes = json_get(v, SV("attributes"));

	out->has_id = read_id(json_get(v, SV("id")), out->id);
	out->source = SV("");
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (out->source.len)
			break;
		out->source = read_text(
			json_get(attributes, sv_from(sources[i])), arena);
		if (!out->source.ptr)
			return false;
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (!out->sent_ns)
			out->sent_ns = read_sent(
				json_get(attributes, sv_from(times[i])), arena);
	return true;
}

static bool read_links(struct json list, struct arena *arena,
		       struct segment *out)
{
	struct segment_link *links;
	size_t count = 0;

	if (!json_is(list, JSON_ARRAY) || !json_first(list).doc)
		return true;
	links = arena_array(arena, SEGMENT_LINKS_MAX, sizeof(*links));
	if (!links)
		return false;
	for (struct json it = json_first(list);
	     it.doc && count < SEGMENT_LINKS_MAX; it = json_next(list, it))
		if (json_is(it, JSON_OBJECT) &&
		    !read_link(it, arena, &links[count++]))
			return false;
	out->links = links;
	out->link_count = count;
	return true;
}

/* What is optional; false: no memory. */
static bool read_extras(const struct json m[MEMBERS], struct arena *arena,
			struct segment *out)
{
	out->http_status = read_http_status(m[M_HTTP]);
	out->status = read_status(m, out->http_status);
	out->traced = is_true(m[M_TRACED]) ||
		      is_true(json_get(json_get(m[M_HTTP], SV("request")),
				       SV("traced")));
	out->ns = read_text(m[M_NAMESPACE], arena);
	out->origin = read_text(m[M_ORIGIN], arena);
	if (json_is(m[M_SUBSEGMENTS], JSON_ARRAY))
		out->nested = m[M_SUBSEGMENTS];
	return out->ns.ptr && out->origin.ptr &&
	       read_links(m[M_LINKS], arena, out) &&
	       read_aws(m[M_AWS], arena, out) &&
	       read_cause(m[M_CAUSE], arena, out);
}

static enum segment_refusal read_name(struct json name, struct arena *arena,
				      struct segment *out)
{
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

static enum segment_refusal read_times(struct json start, struct json end,
				       struct segment *out)
{
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
static enum segment_refusal read_common(const struct json m[MEMBERS],
					struct arena *arena,
					struct segment *out)
{
	enum segment_refusal refusal = read_name(m[M_NAME], arena, out);

	if (refusal == SEGMENT_OK)
		refusal = read_times(m[M_START_TIME], m[M_END_TIME], out);
	if (refusal == SEGMENT_OK && !read_extras(m, arena, out))
		refusal = SEGMENT_NO_MEMORY;
	return refusal;
}

static enum segment_refusal read_nested(struct json v,
					const struct segment *parent,
					struct arena *arena,
					struct segment *out)
{
	struct json m[MEMBERS];

	memset(out, 0, sizeof(*out));
	out->json = v;
	out->subsegment = true;
	out->has_parent = true;
	memcpy(out->trace_id, parent->trace_id, TRACE_ID_SIZE);
	memcpy(out->parent_id, parent->id, SEGMENT_ID_SIZE);
	read_members(v, member_keys, MEMBERS, m);
	if (!read_id(m[M_ID], out->id))
		return SEGMENT_BAD_SUBSEGMENT;
	return read_common(m, arena, out);
}

static enum segment_refusal read_ids(const struct json m[MEMBERS],
				     struct segment *out)
{
	if (!is_there(m[M_ID]))
		return SEGMENT_NO_ID;
	if (!read_id(m[M_ID], out->id))
		return SEGMENT_BAD_ID;
	if (!is_there(m[M_TRACE_ID]))
		return SEGMENT_NO_TRACE_ID;
	if (!read_trace_id(m[M_TRACE_ID], out->trace_id))
		return SEGMENT_BAD_TRACE_ID;
	return SEGMENT_OK;
}

static enum segment_refusal read_place(const struct json m[MEMBERS],
				       struct segment *out)
{
	if (out->in_progress && !is_true(m[M_IN_PROGRESS]))
		return SEGMENT_NO_END_TIME;
	if (is_there(m[M_TYPE]) && !out->subsegment)
		return SEGMENT_BAD_TYPE;
	out->has_parent = is_there(m[M_PARENT_ID]);
	if (!out->has_parent)
		return out->subsegment ? SEGMENT_NO_PARENT_ID : SEGMENT_OK;
	if (!read_id(m[M_PARENT_ID], out->parent_id))
		return SEGMENT_BAD_PARENT_ID;
	return SEGMENT_OK;
}

static enum segment_refusal read_alone(struct json v, struct arena *arena,
				       struct segment *out)
{
	enum segment_refusal refusal;
	struct json m[MEMBERS];

	memset(out, 0, sizeof(*out));
	if (!json_is(v, JSON_OBJECT))
		return SEGMENT_NOT_JSON;
	out->json = v;
	read_members(v, member_keys, MEMBERS, m);
	out->subsegment = json_string_is(m[M_TYPE], SV("subsegment"));
	refusal = read_ids(m, out);
	if (refusal == SEGMENT_OK)
		refusal = read_common(m, arena, out);
	if (refusal == SEGMENT_OK)
		refusal = read_place(m, out);
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
	struct json list = parent->nested;
	struct json it;

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

enum segment_refusal segment_read(const struct json_doc *doc,
				  struct arena *arena, struct segment *out)
{
	return read_alone(json_root(doc), arena, out);
}

enum segment_refusal segment_check_parsed(const struct json_doc *doc,
					  struct arena *arena,
					  struct segment *out)
{
	enum segment_refusal refusal = segment_read(doc, arena, out);
	int e;

	if (refusal != SEGMENT_OK)
		return refusal;
	e = segment_walk(out, arena, visit_nothing, NULL);
	if (e == ERR_NOMEM)
		return SEGMENT_NO_MEMORY;
	return e ? SEGMENT_BAD_SUBSEGMENT : SEGMENT_OK;
}

enum segment_refusal segment_check(struct sv document, struct arena *arena,
				   struct segment *out)
{
	struct json_doc *doc;
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
	return segment_check_parsed(doc, arena, out);
}

struct list {
	struct arena *arena;
	struct segment *all;
	uint32_t count, cap;
};

static int add_to_list(void *arg, const struct segment *segment,
		       const struct segment *parent, unsigned depth)
{
	struct list *l = arg;

	(void)parent;
	if (l->count == l->cap) {
		uint32_t cap = l->cap ? 2 * l->cap : 4;
		struct segment *all =
			arena_alloc(l->arena, cap * sizeof(*l->all));

		if (!all)
			return ERR_NOMEM;
		if (l->count)
			memcpy(all, l->all, l->count * sizeof(*all));
		l->all = all;
		l->cap = cap;
	}
	l->all[l->count] = *segment;
	l->all[l->count].depth = depth;
	for (uint32_t i = l->count; depth && i-- > 0;)
		if (l->all[i].depth == depth - 1) {
			l->all[l->count].container = i;
			break;
		}
	l->count++;
	return 0;
}

enum segment_refusal segment_take(struct segment_record *record,
				  struct arena *arena)
{
	struct list list = { .arena = arena };
	struct segment root;
	enum segment_refusal refusal;
	int e;

	record->read = NULL;
	record->read_count = 0;
	if (record->document.len > SEGMENT_BYTES_MAX)
		return SEGMENT_TOO_LARGE;
	if (!record->parsed) {
		struct json_doc *doc = arena_new(arena, struct json_doc);

		e = doc ? json_parse(doc, arena, record->document, NULL) :
			  ERR_NOMEM;
		if (e)
			return e == ERR_NOMEM ? SEGMENT_NO_MEMORY :
						SEGMENT_NOT_JSON;
		record->parsed = doc;
	}
	refusal = segment_read(record->parsed, arena, &root);
	if (refusal != SEGMENT_OK)
		return refusal;
	e = segment_walk(&root, arena, add_to_list, &list);
	if (e)
		return e == ERR_NOMEM ? SEGMENT_NO_MEMORY :
					SEGMENT_BAD_SUBSEGMENT;
	record->read = list.all;
	record->read_count = list.count;
	return SEGMENT_OK;
}
