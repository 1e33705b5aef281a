/* SPDX-License-Identifier: Apache-2.0 */
/* Reading documents: the hot path of ingest. */
#include "tracer/segment.h"

#include "tracer/segment_members.h"

/* --- values -------------------------------------------------------------------- */

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

#define BIT(c) (UINT64_C(1) << ((c)&63))
#define BITS(from, to) ((BIT(to) - BIT(from)) | BIT(to))

/* Letters and digits of any script are allowed; of what is not ASCII we take
 * all, since the tables that tell them apart are the service's. */
static bool name_is_valid(struct sv name, bool strict)
{
	static const uint64_t allowed[] = {
		BITS('0', '9') | BIT(' ') | BIT('.') | BIT(':') | BIT('/') |
			BIT('%') | BIT('&') | BIT('#') | BIT('=') | BIT('+') |
			BIT('-'),
		BITS('A', 'Z') | BITS('a', 'z') | BIT('_') | BIT('\\') |
			BIT('@'),
	};
	size_t characters = name.len;

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c >= 0x80)
			characters -= (c & 0xc0) == 0x80;
		else if (strict && !(allowed[c >> 6] >> (c & 63) & 1))
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

/* A string; absent, or another kind: empty. ptr NULL: no memory. */
static struct sv read_text(struct json v, struct arena *arena)
{
	const struct json_node *n;

	if (!json_is(v, JSON_STRING))
		return SV("");
	n = &v.doc->nodes[v.index];
	return n->escaped ? json_string(v, arena) :
			    sv_make(v.doc->text.ptr + n->at, n->len);
}

static bool read_http(struct json http, struct arena *arena,
		      struct segment *out)
{
	struct json m[HTTP_MEMBERS];
	int64_t status;

	out->http_status = 0;
	if (!http.doc)
		return true;
	if (!read_members(http, http_member, HTTP_MEMBERS, arena, m))
		return false;
	if (json_to_i64(json_get(m[H_RESPONSE], SV("status")), &status) &&
	    status >= 100 && status <= 999)
		out->http_status = (uint16_t)status;
	out->traced = is_true(json_get(m[H_REQUEST], SV("traced")));
	return true;
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

	out->request_id = out->operation = SV("");
	out->resource = out->resource_key = SV("");
	if (!aws.doc)
		return true;
	if (!read_members(aws, aws_member, AWS_MEMBERS, arena, m))
		return false;
	out->account = read_account(m[A_ACCOUNT]);
	out->request_id = read_text(m[A_REQUEST_ID], arena);
	out->operation = read_text(m[A_OPERATION], arena);
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
	struct json m[EXCEPTION_MEMBERS];
	struct json list;

	out->error_type = out->error_message = SV("");
	if (!json_is(cause, JSON_OBJECT))
		return true;
	list = json_get(cause, SV("exceptions"));
	if (!json_is(list, JSON_ARRAY))
		return true;
	if (!read_members(json_first(list), exception_member, EXCEPTION_MEMBERS,
			  arena, m))
		return false;
	out->error_type = read_text(m[E_TYPE], arena);
	out->error_message = read_text(m[E_MESSAGE], arena);
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
	if (!read_http(m[M_HTTP], arena, out))
		return false;
	out->traced |= is_true(m[M_TRACED]);
	out->status = read_status(m, out->http_status);
	out->ns = read_text(m[M_NAMESPACE], arena);
	out->origin = read_text(m[M_ORIGIN], arena);
	if (json_is(m[M_SUBSEGMENTS], JSON_ARRAY))
		out->nested = m[M_SUBSEGMENTS];
	return out->ns.ptr && out->origin.ptr &&
	       read_links(m[M_LINKS], arena, out) &&
	       read_aws(m[M_AWS], arena, out) &&
	       read_cause(m[M_CAUSE], arena, out);
}

/* --- segments ------------------------------------------------------------------ */

static enum segment_refusal read_name(struct json name, struct arena *arena,
				      struct segment *out)
{
	if (!is_there(name))
		return SEGMENT_NO_NAME;
	if (!json_is(name, JSON_STRING))
		return SEGMENT_BAD_NAME;
	out->name = read_text(name, arena);
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
	if (!read_members(v, segment_member, MEMBERS, arena, m))
		return SEGMENT_NO_MEMORY;
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
	if (!read_members(v, segment_member, MEMBERS, arena, m))
		return SEGMENT_NO_MEMORY;
	out->subsegment = json_string_is(m[M_TYPE], SV("subsegment"));
	refusal = read_ids(m, out);
	if (refusal == SEGMENT_OK)
		refusal = read_common(m, arena, out);
	if (refusal == SEGMENT_OK)
		refusal = read_place(m, out);
	return refusal;
}

/* --- whole documents -------------------------------------------------------------- */

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

/* All segments of a document, as they are found. */
struct list {
	struct arena *arena;
	struct segment *all;
	uint32_t count, cap;
};

/* The next place, which counts only when it is filled. NULL: no memory. */
static struct segment *next_place(struct list *l)
{
	struct segment *all;
	uint32_t cap = l->cap ? 2 * l->cap : 4;

	if (l->count < l->cap)
		return &l->all[l->count];
	all = arena_alloc(l->arena, cap * sizeof(*all));
	if (!all)
		return NULL;
	if (l->count)
		memcpy(all, l->all, l->count * sizeof(*all));
	l->all = all;
	l->cap = cap;
	return &all[l->count];
}

static enum segment_refusal take_nested(struct list *l, uint32_t container)
{
	struct json nested = l->all[container].nested;

	for (struct json it = json_first(nested); it.doc;
	     it = json_next(nested, it)) {
		struct segment *s = next_place(l);
		enum segment_refusal refusal;
		uint32_t at = l->count;

		if (!s)
			return SEGMENT_NO_MEMORY;
		refusal = read_nested(it, &l->all[container], l->arena, s);
		if (refusal != SEGMENT_OK)
			return refusal == SEGMENT_NO_MEMORY ?
				       refusal :
				       SEGMENT_BAD_SUBSEGMENT;
		s->container = container;
		s->depth = l->all[container].depth + 1;
		l->count++;
		refusal = take_nested(l, at);
		if (refusal != SEGMENT_OK)
			return refusal;
	}
	return SEGMENT_OK;
}

static enum segment_refusal take_all(struct list *l, const struct json_doc *doc)
{
	struct segment *s = next_place(l);
	enum segment_refusal refusal;

	if (!s)
		return SEGMENT_NO_MEMORY;
	refusal = read_alone(json_root(doc), l->arena, s);
	if (refusal != SEGMENT_OK)
		return refusal;
	l->count++;
	return take_nested(l, 0);
}

enum segment_refusal segment_take(struct segment_record *record,
				  struct arena *arena)
{
	struct list list = { .arena = arena };
	enum segment_refusal refusal;

	record->read = NULL;
	record->read_count = 0;
	if (record->document.len > SEGMENT_BYTES_MOST)
		return SEGMENT_TOO_LARGE;
	if (!record->parsed) {
		struct json_doc *doc = arena_alloc(arena, sizeof(*doc));
		int e = doc ? json_parse(doc, arena, record->document, NULL) :
			      ERR_NOMEM;

		if (e)
			return e == ERR_NOMEM ? SEGMENT_NO_MEMORY :
						SEGMENT_NOT_JSON;
		record->parsed = doc;
	}
	refusal = take_all(&list, record->parsed);
	if (refusal != SEGMENT_OK)
		return refusal;
	record->read = list.all;
	record->read_count = list.count;
	return SEGMENT_OK;
}

enum segment_refusal segment_check(struct sv document, struct arena *arena,
				   struct segment *out)
{
	struct segment_record record = { .document = document };
	enum segment_refusal refusal = segment_take(&record, arena);

	if (refusal == SEGMENT_OK)
		*out = record.read[0];
	return refusal;
}
