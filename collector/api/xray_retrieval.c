/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's trace retrieval: StartTraceRetrieval, ListRetrievedTraces,
 * GetRetrievedTracesGraph, CancelTraceRetrieval. It reads what BatchGetTraces
 * and GetTraceGraph read.
 */
#include "collector/api/retrievals.h"
#include "collector/api/xray.h"
#include "collector/api/xray_map.h"
#include "collector/api/xray_retrieval_shapes.h"
#include "collector/api/xray_services.h"
#include "collector/door/answer.h"
#include "core/base/hash.h"
#include "core/wire/otlp_json.h"
#include "tracer/traces.h"

enum {
	LIST_TRACES_MAX = 5, /* of one page: the model's limits */
	LIST_SPANS_MAX = 100,
	/* Documents of one page, so that it fits what a request may use. */
	LIST_BYTES = 4 << 20,
	TOKEN_CHARS = 2 * (4 + 4 + 8), /* trace, span, hash of the question */
	TRACE_ID_CHARS = 35,
};

/* --- starting and cancelling ------------------------------------------------------- */

void api_xray_start_retrieval(struct api *a, struct request *r)
{
	struct start_retrieval in;
	struct start_retrieval_output out;
	struct retrieval q;
	char token[RETRIEVAL_TOKEN_CHARS + 1];
	uint8_t id[TRACE_ID_SIZE];
	int e;

	if (!answer_read(r, &start_retrieval_shape, &in))
		return;
	if (in.start_time.ns > in.end_time.ns) {
		control_invalid(r, "EndTime must not be before StartTime");
		return;
	}
	for (size_t i = 0; i < in.ids.count; i++)
		if (!trace_id_parse(in.ids.items[i], id)) {
			control_invalid(r, "TraceIds has an item that is no "
					   "trace id");
			return;
		}
	q = (struct retrieval){
		.start_ns = in.start_time.ns,
		.end_ns = in.end_time.ns,
		.ids = in.ids.items,
		.count = in.ids.count,
	};
	e = retrievals_start(a->retrievals, &r->caller.scope, &q, request_id(r),
			     env_wall(a->env).ns, token);
	if (e == ERR_LIMIT) {
		stats_add(&a->stats->refused_retrievals, 1);
		answer_error(r, "ThrottledException",
			     "too many retrievals are open: they end after an "
			     "hour");
		return;
	}
	if (e) {
		control_failed(r, e);
		return;
	}
	out.token = sv_from(token);
	answer_write(r, &start_retrieval_output_shape, &out);
}

/* False: answered. */
static bool found(struct request *r, int e)
{
	if (e == ERR_NOT_FOUND)
		answer_error(r, "ResourceNotFoundException",
			     "no retrieval has this token; it may be older "
			     "than an hour");
	else if (e)
		control_failed(r, e);
	return !e;
}

void api_xray_cancel_retrieval(struct api *a, struct request *r)
{
	struct retrieval_input in;

	if (answer_read(r, &cancel_retrieval_shape, &in) &&
	    found(r, retrievals_cancel(a->retrievals, &r->caller.scope,
				       in.token, env_wall(a->env).ns)))
		answer_write(r, NULL, NULL);
}

static struct sv status_of(const struct retrieval *q)
{
	return q->cancelled ? SV("CANCELLED") : SV("COMPLETE");
}

/* --- listing ----------------------------------------------------------------------- */

/* Where a page begins: in the list of ids, and in that trace's documents. */
struct place {
	uint32_t trace, span;
};

/* A page's token is good for its retrieval and format alone. */
static uint64_t hash_question(const struct retrieval_input *in)
{
	return hash64_seed(in->token, hash64(in->format));
}

static bool token_read(struct sv token, uint64_t question, struct place *out)
{
	uint8_t bytes[TOKEN_CHARS / 2];

	*out = (struct place){ 0, 0 };
	if (!token.ptr)
		return true;
	if (token.len != TOKEN_CHARS ||
	    !sv_to_hex(token, bytes, sizeof(bytes)) ||
	    get_le64(bytes + 8) != question)
		return false;
	*out = (struct place){ get_le32(bytes), get_le32(bytes + 4) };
	return true;
}

static struct sv token_write(struct arena *arena, uint64_t question,
			     struct place at)
{
	uint8_t bytes[TOKEN_CHARS / 2];
	char *text = arena_alloc(arena, TOKEN_CHARS);

	if (!text)
		return (struct sv){ NULL, 0 };
	put_le32(bytes, at.trace);
	put_le32(bytes + 4, at.span);
	put_le64(bytes + 8, question);
	hex_from(text, bytes, sizeof(bytes));
	return sv_make(text, TOKEN_CHARS);
}

/* One page that is being made. */
struct page {
	struct api *api;
	struct request *request;
	const struct retrieval *q;
	bool otel;
	struct place at;
	size_t spans, bytes; /* that are on it */
	struct list_retrieved_output out;
};

/* ERR_INVALID: it did not come as a span. */
static int put_document(const struct page *p, const struct document *d,
			struct buf *out)
{
	struct json_writer w = json_writer(out);

	if (!p->otel)
		document_put_xray(&w, d);
	else if (d->format != DOCUMENT_OTLP ||
		 otlp_json_write(OTLP_RESOURCE_SPANS, d->bytes, &w))
		return ERR_INVALID;
	return out->failed ? ERR_NOMEM : 0;
}

static int make_span(struct page *p, const struct trace_document *d,
		     struct xray_span *out)
{
	char id[2 * SEGMENT_ID_SIZE];
	struct buf text = BUF_INIT;
	int e = put_document(p, &d->document, &text);

	hex_from(id, d->segment_id, SEGMENT_ID_SIZE);
	if (!e) {
		out->id =
			arena_copy(&p->request->arena, sv_make(id, sizeof(id)));
		out->document = arena_copy(&p->request->arena, buf_view(&text));
		if (!out->id.ptr || !out->document.ptr)
			e = ERR_NOMEM;
		p->bytes += text.len;
	}
	buf_fini(&text);
	return e;
}

/* 1: the page is full, and this trace has more. */
static int put_spans(struct page *p, const struct trace *trace,
		     struct retrieved_trace *out)
{
	size_t room = trace->document_count;

	room = room < LIST_SPANS_MAX ? room : LIST_SPANS_MAX;
	out->spans.items = arena_array(&p->request->arena, room,
				       sizeof(*out->spans.items));
	out->spans.set = true;
	if (!out->spans.items)
		return ERR_NOMEM;
	for (; p->at.span < trace->document_count; p->at.span++) {
		int e;

		if (p->spans == LIST_SPANS_MAX ||
		    (p->spans && p->bytes >= LIST_BYTES))
			return 1;
		e = make_span(p, &trace->documents[p->at.span],
			      &out->spans.items[out->spans.count]);
		if (e)
			return e;
		out->spans.count++;
		p->spans++;
	}
	return 0;
}

static struct sv id_text(struct arena *arena, const uint8_t id[TRACE_ID_SIZE])
{
	char text[TRACE_ID_CHARS + 1];

	trace_id_text(id, text);
	return arena_copy(arena, sv_from(text));
}

static bool is_in_range(const struct retrieval *q,
			const struct trace_summary *s)
{
	return s->end_ns >= q->start_ns && s->start_ns <= q->end_ns;
}

/* The trace at the place, if it is there and in the range. 1: the page is full,
 * and it goes on here. */
static int put_trace(struct page *p)
{
	struct arena *arena = &p->request->arena;
	struct retrieved_trace *out = &p->out.traces.items[p->out.traces.count];
	struct arena_mark mark = arena_mark(arena);
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;
	int e;

	if (!trace_id_parse(p->q->ids[p->at.trace], id))
		return 0;
	e = traces_get(p->api->traces, &p->request->caller.scope, id, arena,
		       &trace);
	if (e)
		return e == ERR_NOT_FOUND ? 0 : e;
	if (!is_in_range(p->q, &trace.summary)) {
		arena_rollback(arena, mark);
		return 0;
	}
	*out = (struct retrieved_trace){
		.id = id_text(arena, id),
		.duration = { (double)(trace.summary.end_ns -
				       trace.summary.start_ns) /
				      (double)NS_PER_S,
			      true },
	};
	if (!out->id.ptr)
		return ERR_NOMEM;
	e = put_spans(p, &trace, out);
	if (e >= 0 && out->spans.count)
		p->out.traces.count++;
	return e;
}

static int fill(struct page *p)
{
	while (p->at.trace < p->q->count) {
		int e;

		if (p->out.traces.count == LIST_TRACES_MAX)
			return 1;
		e = put_trace(p);
		if (e)
			return e;
		p->at.trace++;
		p->at.span = 0;
	}
	return 0;
}

void api_xray_list_retrieved(struct api *a, struct request *r)
{
	struct retrieval_input in;
	struct retrieval q;
	struct page p = { .api = a, .request = r, .q = &q };
	int e;

	if (!answer_read(r, &list_retrieved_shape, &in) ||
	    !found(r, retrievals_get(a->retrievals, &r->caller.scope, in.token,
				     env_wall(a->env).ns, &r->arena, &q)))
		return;
	p.otel = sv_eq(in.format, SV("OTEL"));
	if (!token_read(in.next_token, hash_question(&in), &p.at)) {
		control_invalid(r, "The NextToken is not one that this "
				   "request was answered with");
		return;
	}
	p.out.status = status_of(&q);
	p.out.format = p.otel ? SV("OTEL") : SV("XRAY");
	p.out.traces.set = true;
	p.out.traces.items = arena_array(&r->arena, LIST_TRACES_MAX,
					 sizeof(*p.out.traces.items));
	e = !p.out.traces.items ? ERR_NOMEM : q.cancelled ? 0 : fill(&p);
	if (e == 1) {
		p.out.next_token =
			token_write(&r->arena, hash_question(&in), p.at);
		e = p.out.next_token.ptr ? 0 : ERR_NOMEM;
	}
	if (e == ERR_INVALID)
		control_invalid(r, "a trace has segments in X-Ray's form: ask "
				   "for it with the TraceFormat XRAY");
	else if (e)
		control_failed(r, e);
	else
		answer_write(r, &list_retrieved_output_shape, &p.out);
}

/* --- the graph --------------------------------------------------------------------- */

/* The ids of traces that are there and in the range, in their order. */
static int ids_in_range(struct api *a, struct request *r,
			const struct retrieval *q, struct sv **out,
			size_t *count)
{
	struct sv *ids = arena_array(&r->arena, q->count, sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; ids && i < q->count; i++) {
		struct arena_mark mark = arena_mark(&r->arena);
		uint8_t id[TRACE_ID_SIZE];
		struct trace trace;
		int e = trace_id_parse(q->ids[i], id) ?
				traces_get(a->traces, &r->caller.scope, id,
					   &r->arena, &trace) :
				ERR_NOT_FOUND;

		if (!e && is_in_range(q, &trace.summary))
			ids[n++] = q->ids[i];
		arena_rollback(&r->arena, mark);
		if (e && e != ERR_NOT_FOUND)
			return e;
	}
	*out = ids;
	*count = n;
	return ids ? 0 : ERR_NOMEM;
}

/* False: answered. */
static bool wrap(struct request *r, const struct xray_services *page,
		 struct retrieved_graph_output *out)
{
	out->services.items = arena_array(&r->arena, page->count,
					  sizeof(*out->services.items));
	if (!out->services.items) {
		control_failed(r, ERR_NOMEM);
		return false;
	}
	for (size_t i = 0; i < page->count; i++) {
		out->services.items[i].service = &page->items[i];
		out->services.items[i].links.set = true;
	}
	out->services.count = page->count;
	out->next_token = page->next_token;
	return true;
}

void api_xray_retrieved_graph(struct api *a, struct request *r)
{
	struct retrieved_graph_output out = { .services = { .set = true } };
	struct xray_question question = { .scope = &r->caller.scope };
	struct xray_services page = { .count = 0 };
	struct retrieval_input in;
	struct retrieval q;
	struct graph graph;
	struct sv *ids;
	size_t count;
	int e;

	if (!answer_read(r, &retrieved_graph_shape, &in) ||
	    !found(r, retrievals_get(a->retrievals, &r->caller.scope, in.token,
				     env_wall(a->env).ns, &r->arena, &q)))
		return;
	out.status = status_of(&q);
	if (q.cancelled) {
		answer_write(r, &retrieved_graph_output_shape, &out);
		return;
	}
	e = ids_in_range(a, r, &q, &ids, &count);
	if (!e)
		e = xray_traces_graph(a, r, ids, count, &graph);
	if (e) {
		xray_map_failed(r, e);
		return;
	}
	question.hash = hash_question(&in);
	question.token = in.next_token;
	e = xray_services_page(&graph, &question, &r->arena, &page);
	if (e)
		xray_map_failed(r, e);
	else if (wrap(r, &page, &out))
		answer_write(r, &retrieved_graph_output_shape, &out);
	graph_fini(&graph);
}
