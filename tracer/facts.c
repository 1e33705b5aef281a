/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/facts.h"

#include <assert.h>
#include <stdio.h>

#include "tracer/graph.h"

void facts_init(struct facts *f, const struct assembly *trace,
		const struct document *documents, size_t stride,
		uint64_t account, struct arena *arena)
{
	assert(stride >= sizeof(*documents));
	*f = (struct facts){ .trace = trace,
			     .documents = documents,
			     .stride = stride,
			     .account = account,
			     .arena = arena };
}

static const struct segment *segment_of(const struct facts *f, uint32_t span)
{
	assert(span < f->trace->count);
	return &f->trace->spans[span].segment;
}

/* --- parts and edges ---------------------------------------------------------- */

/* Room for one more of count items of size bytes; NULL: no memory. */
static void *grow(struct facts *f, void *items, uint32_t count, size_t size)
{
	void *more;

	if (count < 16 ? count != 0 : (count & (count - 1)) != 0)
		return items;
	more = arena_array(f->arena, count ? (size_t)count * 2 : 16, size);
	if (!more)
		f->failed = true;
	else if (count)
		memcpy(more, items, count * size);
	return more;
}

static struct facts_part callee(const struct graph_call *call)
{
	return (struct facts_part){
		.name = call->to_name,
		.type = call->to_type,
		.account = call->to_account,
		.span = call->span,
		.inferred = call->inferred,
		.client = sv_eq(call->to_type, SV("client")),
	};
}

static void add_call(void *arg, const struct graph_call *call)
{
	struct facts *f = arg;

	if (call->from_name.ptr) {
		struct facts_edge *edges =
			grow(f, f->edges, f->edge_count, sizeof(*edges));

		if (!edges)
			return;
		f->edges = edges;
		edges[f->edge_count++] = (struct facts_edge){
			.from = { .name = call->from_name,
				  .type = call->from_type,
				  .account = call->from_account,
				  .span = call->from_span,
				  .client = sv_eq(call->from_type,
						  SV("client")) },
			.to = callee(call),
			.span = call->span,
		};
	} else {
		struct facts_part *parts =
			grow(f, f->parts, f->part_count, sizeof(*parts));

		if (!parts)
			return;
		f->parts = parts;
		parts[f->part_count++] = callee(call);
	}
}

static void list_parts(struct facts *f)
{
	f->parts_listed = true;
	graph_calls(f->trace, add_call, f);
}

const struct facts_part *facts_parts(struct facts *f, uint32_t *count)
{
	if (!f->parts_listed)
		list_parts(f);
	*count = f->part_count;
	return f->parts;
}

const struct facts_edge *facts_edges(struct facts *f, uint32_t *count)
{
	if (!f->parts_listed)
		list_parts(f);
	*count = f->edge_count;
	return f->edges;
}

/* --- what a document says ------------------------------------------------------- */

static const struct document *document_of(const struct facts *f, uint32_t span)
{
	const char *first = (const char *)f->documents;

	return (const struct document
			*)(const void *)(first +
					 f->stride * f->trace->spans[span]
							     .document);
}

static struct json convert(struct facts *f, uint32_t span)
{
	struct json none = { NULL, 0 };
	struct json_doc *doc = arena_new(f->arena, struct json_doc);
	struct buf text = BUF_INIT;
	struct json_writer w = json_writer(&text);
	struct sv kept;

	document_put_xray(&w, document_of(f, span));
	kept = arena_copy(f->arena, buf_view(&text));
	if (!doc || text.failed || !kept.ptr ||
	    json_parse(doc, f->arena, kept, NULL)) {
		f->failed = true;
		doc = NULL;
	}
	buf_fini(&text);
	return doc ? json_root(doc) : none;
}

struct json facts_body(struct facts *f, uint32_t span)
{
	struct json body = segment_of(f, span)->json;

	if (body.doc)
		return body;
	if (!f->bodies)
		f->bodies = arena_array(f->arena, f->trace->count,
					sizeof(*f->bodies));
	if (!f->bodies) {
		f->failed = true;
		return body;
	}
	if (!f->bodies[span].doc)
		f->bodies[span] = convert(f, span);
	return f->bodies[span];
}

struct json facts_at(struct facts *f, uint32_t span, const char *path)
{
	struct json v = facts_body(f, span);
	struct sv rest = sv_from(path);

	while (rest.len && v.doc)
		v = json_get(v, sv_cut(&rest, '.'));
	return v;
}

struct sv facts_text(struct facts *f, uint32_t span, const char *path)
{
	struct json v = facts_at(f, span, path);
	struct sv text;

	if (!json_is(v, JSON_STRING))
		return SV("");
	text = json_string(v, f->arena);
	if (text.ptr)
		return text;
	f->failed = true;
	return SV("");
}

struct sv facts_account(struct facts *f, const struct facts_part *part)
{
	uint64_t account = part->account ? part->account : f->account;
	struct sv own = SV("");
	char text[24];
	int n;

	/* Of a form that is no number, as it stands. */
	if (!part->account && part->span != SPAN_NONE)
		own = facts_text(f, part->span, "aws.account_id");
	if (own.len)
		return own;
	n = snprintf(text, sizeof(text), "%012llu",
		     (unsigned long long)account);
	own = arena_copy(f->arena, sv_make(text, (size_t)n));
	if (!own.ptr)
		f->failed = true;
	return own.ptr ? own : SV("");
}

uint32_t facts_exceptions(struct facts *f, uint32_t span,
			  struct facts_exception *out, uint32_t max)
{
	struct json list = facts_at(f, span, "cause.exceptions");
	uint32_t count = 0;

	if (!json_is(list, JSON_ARRAY))
		return 0;
	for (struct json it = json_first(list); it.doc && count < max;
	     it = json_next(list, it)) {
		struct json type = json_get(it, SV("type"));
		struct json message = json_get(it, SV("message"));

		out[count] = (struct facts_exception){ SV(""), SV("") };
		if (json_is(type, JSON_STRING))
			out[count].type = json_string(type, f->arena);
		if (json_is(message, JSON_STRING))
			out[count].message = json_string(message, f->arena);
		if (!out[count].type.ptr || !out[count].message.ptr) {
			f->failed = true;
			return count;
		}
		count++;
	}
	return count;
}

/* --- annotations ---------------------------------------------------------------- */

static bool add_annotation(struct facts *f, const struct facts_annotation *a)
{
	struct facts_annotation *list =
		grow(f, f->annotations, f->annotation_count, sizeof(*list));

	if (!list)
		return false;
	f->annotations = list;
	list[f->annotation_count++] = *a;
	return true;
}

static bool list_annotations(struct facts *f, uint32_t span)
{
	struct json map = json_get(facts_body(f, span), SV("annotations"));

	if (!json_is(map, JSON_OBJECT))
		return true;
	for (struct json it = json_first(map); it.doc;
	     it = json_next(map, it)) {
		struct facts_annotation a = { .key = json_string(it, f->arena),
					      .value = json_member(it),
					      .span = span };

		if (json_is(a.value, JSON_NULL) ||
		    json_is(a.value, JSON_ARRAY) ||
		    json_is(a.value, JSON_OBJECT))
			continue;
		if (!a.key.ptr || !add_annotation(f, &a))
			return false;
	}
	return true;
}

/* Chains those of each segment, in order. */
static void chain_annotations(struct facts *f)
{
	uint32_t *first = arena_array(f->arena, (size_t)f->trace->count + 1,
				      sizeof(*first));

	if (!first) {
		f->failed = true;
		return;
	}
	memset(first, 0xff, ((size_t)f->trace->count + 1) * sizeof(*first));
	for (uint32_t i = f->annotation_count; i-- > 0;) {
		struct facts_annotation *a = &f->annotations[i];
		uint32_t owner = f->trace->spans[a->span].owner;

		a->next = FACTS_NONE;
		if (owner == SPAN_NONE)
			continue;
		a->next = first[owner];
		first[owner] = i;
	}
	f->first_annotation = first;
}

const struct facts_annotation *facts_annotations(struct facts *f,
						 uint32_t *count)
{
	if (!f->annotations_listed) {
		f->annotations_listed = true;
		for (uint32_t i = 0; i < f->trace->count && !f->failed; i++)
			f->failed = !list_annotations(f, i);
		chain_annotations(f);
	}
	*count = f->annotation_count;
	return f->annotations;
}

uint32_t facts_annotations_of(struct facts *f, uint32_t segment)
{
	uint32_t count;

	(void)facts_annotations(f, &count);
	return f->first_annotation ? f->first_annotation[segment] : FACTS_NONE;
}

/* --- the root ------------------------------------------------------------------- */

bool facts_ok(const struct segment *s, enum segment_status status)
{
	if (status != SEGMENT_STATUS_OK)
		return false;
	return s->http_status ? s->http_status >= 200 && s->http_status <= 299 :
				!s->in_progress;
}

int64_t facts_response_ns(const struct facts *f)
{
	const struct segment *root;

	if (f->trace->root == SPAN_NONE)
		return 0;
	root = &f->trace->spans[f->trace->root].segment;
	return root->end_ns - root->start_ns;
}
