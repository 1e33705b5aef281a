/* SPDX-License-Identifier: Apache-2.0 */
/* The native list of the traces that a filter expression selects. */
#include "collector/api/xray_summaries.h"
#include "core/base/hash.h"
#include "tracer/digest.h"
#include "tracer/traces_json.h"

struct list {
	struct json_writer w;
	struct sv function;
	size_t limit, count;
};

static int put_row(void *arg, const struct trace *trace, struct facts *facts)
{
	struct list *l = arg;

	(void)facts;
	if (l->function.len &&
	    !trace_summary_has_name(&trace->summary, l->function))
		return 0;
	traces_json_row(&l->w, &trace->summary);
	return ++l->count == l->limit;
}

/* Goes on until the list is full, all is seen, or it was enough work for one
 * call. */
static int fill(struct api *a, struct search *s, const struct list *l,
		uint64_t *processed)
{
	int e = 1;

	for (unsigned page = 0;
	     e == 1 && l->count < l->limit && page < API_SEARCH_PAGES; page++) {
		e = search_page(a->traces, s);
		*processed += s->processed;
	}
	return e;
}

static uint64_t hash_question(const struct request *r, struct sv filter,
			      struct sv function)
{
	return (hash64(filter) * 31 + hash64(function)) * 31 +
	       r->caller.scope.account;
}

static void put_end(struct list *l, const struct search *s, int e,
		    uint64_t processed, uint64_t question)
{
	char token[SEARCH_TOKEN_TEXT + 1];

	json_close_array(&l->w);
	json_key(&l->w, "truncated");
	json_put_bool(&l->w, e == 1);
	json_key(&l->w, "processed");
	json_put_u64(&l->w, processed);
	if (e == 1) {
		search_token(s, question, token);
		json_key(&l->w, "next");
		json_put_text(&l->w, token);
	}
	json_close_object(&l->w);
}

void api_trace_search(struct api *a, struct request *r,
		      const struct api_search *q)
{
	struct list list = { .w = json_writer(&r->reply),
			     .function = request_query(r, "function"),
			     .limit = q->limit };
	struct sv text = request_query(r, "filter");
	struct sv next = request_query(r, "next");
	uint64_t question = hash_question(r, text, list.function);
	struct diag diag = { 0 };
	struct filter filter;
	struct search s = { .scope = &r->caller.scope,
			    .start_ns = q->start_ns,
			    .end_ns = q->end_ns,
			    .filter = &filter,
			    .found = put_row,
			    .arg = &list };
	uint64_t processed = 0;
	int e = api_filter_parse(a, r, text, &filter, &diag);

	if (e && e != ERR_NOMEM) {
		api_error(r, 400, "InvalidParameterValue", diag.text);
		return;
	}
	if (!e && next.len && !search_token_read(&s, question, next)) {
		api_error(r, 400, "InvalidParameterValue",
			  "next is not what this question was answered with");
		return;
	}
	json_open_object(&list.w);
	json_key(&list.w, "traces");
	json_open_array(&list.w);
	if (!e)
		e = fill(a, &s, &list, &processed);
	put_end(&list, &s, e, processed, question);
	if (e < 0) {
		buf_reset(&r->reply);
		api_error_of(r, e, "trace list");
		return;
	}
	r->content_type = "application/json";
}
