/* SPDX-License-Identifier: Apache-2.0 */
/* Traces, the service map, and one request with its logs and its cost. */
#include "collector/api/api.h"
#include "collector/api/xray_summaries.h"
#include "collector/door/answer.h"

#include "billing/statement.h"
#include "tracer/traces_json.h"

/* Lines of every request of the trace, oldest first. */
static int put_logs(struct api *a, struct request *r, struct json_writer *w,
		    const struct trace *trace)
{
	const struct trace_summary *s = &trace->summary;
	int e = 0;

	json_key(w, "logs");
	json_open_array(w);
	for (size_t i = 0; i < s->request_id_count && !e; i++) {
		const struct logs_query query = {
			.request_id = s->request_ids[i],
			.limit = API_TRACE_LOGS_MAX,
		};
		struct log_event *events;
		bool truncated;
		size_t n;

		if (query.request_id.len > LOGS_ID_MAX)
			continue; /* not a function's */
		e = logs_read(a->logs, &r->caller.scope, &query, &r->arena,
			      &events, &n, &truncated);
		for (size_t k = 0; !e && k < n; k++)
			api_put_event(w, &events[k]);
	}
	json_close_array(w);
	return e;
}

static int put_usage(struct api *a, struct request *r, struct json_writer *w,
		     const struct trace *trace)
{
	const struct trace_summary *s = &trace->summary;
	const struct price_set *prices;
	int e = 0;

	(void)pricebook_refresh(a->prices, NULL); /* the old one stays */
	prices = pricebook_acquire(a->prices);
	json_key(w, "usage");
	json_open_array(w);
	for (size_t i = 0; i < s->request_id_count && !e; i++) {
		struct ledger_record record;

		e = ledger_find(a->ledger, r->caller.scope.account,
				s->request_ids[i], &r->arena, &record);
		if (!e)
			usage_json(w, &record.scope, &record.usage, prices);
		else if (e == ERR_NOT_FOUND)
			e = 0; /* an id of another service */
	}
	json_close_array(w);
	pricebook_release(a->prices, prices);
	return e;
}

void api_trace_get(struct api *a, struct request *r)
{
	struct sv id = r->path;
	struct json_writer w = json_writer(&r->reply);
	uint8_t trace_id[TRACE_ID_SIZE];
	struct trace trace;
	int e;

	id = sv_make(id.ptr + sizeof("/api/v1/traces/") - 1,
		     id.len - (sizeof("/api/v1/traces/") - 1));
	e = traces_find(a->traces, &r->caller.scope, id, trace_id);
	if (!e)
		e = traces_get(a->traces, &r->caller.scope, trace_id, &r->arena,
			       &trace);
	if (!e && sv_eq(request_query(r, "format"), SV("otlp"))) {
		traces_json_otlp(&w, &trace);
		r->content_type = "application/json";
		return;
	}
	if (!e) {
		json_open_object(&w);
		traces_json_trace(&w, &trace);
		e = traces_json_spans(&w, &trace.assembly, &r->arena);
		if (!e)
			e = put_logs(a, r, &w, &trace);
		if (!e)
			e = put_usage(a, r, &w, &trace);
	}
	if (e) {
		api_error_of(r, e, "trace or request");
		return;
	}
	json_close_object(&w);
	r->content_type = "application/json";
}

void api_trace_list(struct api *a, struct request *r)
{
	uint64_t limit = API_LIMIT_DEFAULT;
	struct json_writer w = json_writer(&r->reply);
	struct trace_list list;
	int64_t start, end;
	int e;

	if (!api_query_range(a, r, 6 * 3600, &start, &end) ||
	    !api_query_number(r, "limit", API_LIMIT_MAX, &limit))
		return;
	if (request_query(r, "filter").len || request_query(r, "next").len) {
		const struct api_search q = { start, end, limit };

		api_trace_search(a, r, &q);
		return;
	}
	e = traces_recent(a->traces, &r->caller.scope, start, end,
			  request_query(r, "function"), limit, &r->arena,
			  &list);
	if (e) {
		api_error_of(r, e, "trace list");
		return;
	}
	traces_json_list(&w, &list);
	r->content_type = "application/json";
}

void api_map(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	struct graph graph;
	int64_t start, end;
	int e;

	if (!api_query_range(a, r, 3600, &start, &end))
		return;
	e = traces_map(a->traces, &r->caller.scope, start, end, &graph);
	if (e) {
		api_error_of(r, e, "service map");
		return;
	}
	traces_json_map(&w, &graph, start, end);
	graph_fini(&graph);
	r->content_type = "application/json";
}

/* --- X-Ray's BatchGetTraces ------------------------------------------------------ */

static int put_trace(struct api *a, struct request *r, struct json_writer *w,
		     struct sv id, bool *found)
{
	uint8_t trace_id[TRACE_ID_SIZE];
	struct trace trace;
	int e;

	*found = false;
	if (!trace_id_parse(id, trace_id))
		return 0;
	e = traces_get(a->traces, &r->caller.scope, trace_id, &r->arena,
		       &trace);
	if (e)
		return e == ERR_NOT_FOUND ? 0 : e;
	*found = true;
	traces_json_batch_trace(w, &trace);
	return 0;
}

static int batch_get(struct api *a, struct request *r, struct json list)
{
	struct json_writer w = json_writer(&r->reply);
	struct sv missing[API_XRAY_IDS_MAX];
	size_t missing_count = 0, count = 0;
	int e = 0;

	json_open_object(&w);
	json_key(&w, "Traces");
	json_open_array(&w);
	for (struct json it = json_first(list); it.doc && !e;
	     it = json_next(list, it)) {
		struct sv id = json_string(it, &r->arena);
		bool found;

		if (!id.ptr)
			return ERR_INVALID;
		if (count++ == API_XRAY_IDS_MAX)
			return ERR_LIMIT;
		e = put_trace(a, r, &w, id, &found);
		if (!e && !found)
			missing[missing_count++] = id;
	}
	json_close_array(&w);
	json_key(&w, "UnprocessedTraceIds");
	json_open_array(&w);
	for (size_t i = 0; i < missing_count; i++)
		json_put_sv(&w, missing[i]);
	json_close_array(&w);
	json_close_object(&w);
	return e;
}

void api_xray_batch_get(struct api *a, struct request *r)
{
	struct json_doc doc;
	struct diag diag = { 0 };
	struct json list;
	int e = json_parse(&doc, &r->arena, buf_view(&r->body), &diag);

	r->content_type = "application/json";
	r->wants_id = true;
	if (e) {
		answer_error(r, "InvalidRequestException", diag.text);
		return;
	}
	if (json_is(json_get(json_root(&doc), SV("NextToken")), JSON_STRING)) {
		/* All are answered at once: no token was ever given out. */
		answer_error(r, "InvalidRequestException",
			     "The NextToken is not one that this request was "
			     "answered with");
		return;
	}
	list = json_get(json_root(&doc), SV("TraceIds"));
	e = json_is(list, JSON_ARRAY) ? batch_get(a, r, list) : ERR_INVALID;
	if (e == ERR_INVALID)
		answer_error(r, "InvalidRequestException",
			     "TraceIds must be a list of strings");
	else if (e == ERR_LIMIT)
		answer_error(r, "InvalidRequestException",
			     "more than 100 trace ids in one call");
	else if (e)
		ingest_reply_error(r, e);
}
