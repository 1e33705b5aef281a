/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's GetTraceSummaries. Rules: the API reference of X-Ray; where it is
 * silent (docs/api.md has them): FixedRate is a share of the traces by their
 * ids; PartialScan looks at the latest share of the time alone, and without a
 * value at one page.
 */
#include "collector/api/xray_summaries.h"

#include <math.h>

#include "collector/api/xray.h"
#include "collector/door/answer.h"
#include "core/base/hash.h"
#include "tracer/summary_json.h"

/* --- the question ---------------------------------------------------------------- */

struct sampling_strategy {
	struct sv name;
	struct shape_double value;
};

struct get_trace_summaries {
	struct shape_time start_time, end_time;
	struct sv range_type, filter, next_token;
	struct shape_boolean sampling;
	struct sampling_strategy *strategy;
};

static const struct shape_type text_type = { .kind = SHAPE_STRING };
static const struct shape_type flag_type = { .kind = SHAPE_BOOLEAN };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type double_type = { .kind = SHAPE_DOUBLE };
static const char *const range_words[] = { "TraceId", "Event", "Service",
					   NULL };
static const struct shape_type range_type = { .kind = SHAPE_STRING,
					      .words = range_words };
static const char *const strategy_words[] = { "PartialScan", "FixedRate",
					      NULL };
static const struct shape_type strategy_name_type = { .kind = SHAPE_STRING,
						      .words = strategy_words };
static const struct shape_member strategy_members[] = {
	SHAPE_OPTIONAL(struct sampling_strategy, name, "Name",
		       &strategy_name_type),
	SHAPE_OPTIONAL(struct sampling_strategy, value, "Value", &double_type),
};
static const struct shape strategy_shape = SHAPE_OF(
	struct sampling_strategy, "SamplingStrategy", strategy_members);
static const struct shape_type strategy_type = { .kind = SHAPE_STRUCTURE,
						 .of = &strategy_shape };
static const struct shape_member members[] = {
	SHAPE_REQUIRED(struct get_trace_summaries, start_time, "StartTime",
		       &time_type),
	SHAPE_REQUIRED(struct get_trace_summaries, end_time, "EndTime",
		       &time_type),
	SHAPE_OPTIONAL(struct get_trace_summaries, range_type, "TimeRangeType",
		       &range_type),
	SHAPE_OPTIONAL(struct get_trace_summaries, sampling, "Sampling",
		       &flag_type),
	SHAPE_OPTIONAL(struct get_trace_summaries, strategy, "SamplingStrategy",
		       &strategy_type),
	SHAPE_OPTIONAL(struct get_trace_summaries, filter, "FilterExpression",
		       &text_type),
	SHAPE_OPTIONAL(struct get_trace_summaries, next_token, "NextToken",
		       &text_type),
};
static const struct shape summaries_shape = SHAPE_OF(
	struct get_trace_summaries, "GetTraceSummariesRequest", members);

static void refuse(struct request *r, const char *message)
{
	answer_error(r, "InvalidRequestException", message);
}

/* --- groups -------------------------------------------------------------------- */

struct group_finder {
	struct api *a;
	struct request *r;
};

static bool find_group(void *arg, struct sv name, struct sv arn,
		       struct sv *expression)
{
	struct group_finder *g = arg;
	struct xray_group group;

	if (xray_group_find(g->a, g->r, name, arn, &group))
		return false;
	*expression = group.filter_expression.ptr ? group.filter_expression :
						    SV("");
	return true;
}

int api_filter_parse(struct api *a, struct request *r, struct sv text,
		     struct filter *out, struct diag *diag)
{
	struct group_finder finder = { a, r };
	const struct filter_groups groups = { find_group, &finder };

	return filter_parse(out, text, &groups, &r->arena, diag);
}

/* --- the answer ----------------------------------------------------------------- */

struct page {
	struct request *r;
	struct json_writer w;
	struct search search;
	bool one_page;
};

static bool is_in(const struct search *s, int64_t ns)
{
	return ns >= s->start_ns && ns < s->end_ns;
}

/* The latest of what made the trace a match in time; by id, nothing did. */
static int64_t matched_ns(const struct search *s, const struct assembly *a)
{
	int64_t latest = 0;

	if (s->by == TRACES_BY_ID)
		return 0;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct segment *segment = &a->spans[i].segment;

		if (segment->subsegment)
			continue;
		if (is_in(s, segment->end_ns) && segment->end_ns > latest)
			latest = segment->end_ns;
		if (s->by == TRACES_BY_EVENT && is_in(s, segment->start_ns) &&
		    segment->start_ns > latest)
			latest = segment->start_ns;
	}
	/* It was under way all the time. */
	return latest ? latest : s->start_ns;
}

static int put_summary(void *arg, const struct trace *trace,
		       struct facts *facts)
{
	struct page *p = arg;

	summary_json_xray(&p->w, trace, facts,
			  matched_ns(&p->search, &trace->assembly));
	return p->r->reply.len >= XRAY_SUMMARIES_BYTES;
}

static uint64_t hash_question(const struct request *r,
			      const struct get_trace_summaries *in)
{
	const int64_t numbers[] = {
		in->start_time.ns,
		in->end_time.ns,
		(int64_t)r->caller.scope.account,
		in->strategy ? (int64_t)(in->strategy->value.value * 1e6) : -1,
		in->sampling.set ? in->sampling.value : -1,
	};
	struct sv bytes = sv_make((const char *)numbers, sizeof(numbers));
	uint64_t h = hash64(bytes);

	h = h * 31 + hash64(in->filter);
	h = h * 31 + hash64(in->range_type);
	return h * 31 + (in->strategy ? hash64(in->strategy->name) : 0);
}

/* False: an error is in the reply. */
static bool apply_sampling(struct request *r,
			   const struct get_trace_summaries *in, struct page *p)
{
	const struct sampling_strategy *s = in->strategy;
	bool fixed = s && sv_eq(s->name, SV("FixedRate"));
	double share = s && s->value.set ? s->value.value : 1;

	if (in->sampling.set ? !in->sampling.value : !s)
		return true;
	if (!(share > 0 && share <= 1)) {
		refuse(r, "SamplingStrategy.Value must be above 0 and at most "
			  "1");
		return false;
	}
	if (fixed && !s->value.set) {
		refuse(r, "SamplingStrategy.Value is missing: FixedRate needs "
			  "one");
		return false;
	}
	if (fixed) {
		p->search.share_ppm = (uint32_t)lround(share * 1e6);
		if (!p->search.share_ppm)
			p->search.share_ppm = 1;
	} else if (s && s->value.set) {
		int64_t range = p->search.end_ns - p->search.start_ns;

		p->search.start_ns =
			p->search.end_ns - (int64_t)((double)range * share);
	} else {
		p->one_page = true;
	}
	return true;
}

static bool begin(struct api *a, struct request *r,
		  const struct get_trace_summaries *in, struct filter *filter,
		  struct page *p)
{
	struct diag diag = { 0 };
	int e;

	if (in->start_time.ns < 0 || in->end_time.ns <= in->start_time.ns) {
		refuse(r, "EndTime must be after StartTime");
		return false;
	}
	e = api_filter_parse(a, r, in->filter.ptr ? in->filter : SV(""), filter,
			     &diag);
	if (e == ERR_NOMEM) {
		answer_error(r, "ThrottledException",
			     "the collector is busy: ask again");
		return false;
	}
	if (e) {
		refuse(r, diag.text);
		return false;
	}
	p->search = (struct search){
		.scope = &r->caller.scope,
		.start_ns = in->start_time.ns,
		.end_ns = in->end_time.ns,
		.by = sv_eq(in->range_type, SV("Event"))   ? TRACES_BY_EVENT :
		      sv_eq(in->range_type, SV("Service")) ? TRACES_BY_SERVICE :
							     TRACES_BY_ID,
		.filter = filter,
		.found_max = XRAY_SUMMARIES_PAGE,
		.found = put_summary,
		.arg = p,
	};
	if (!apply_sampling(r, in, p))
		return false;
	if (in->next_token.ptr &&
	    !search_token_read(&p->search, hash_question(r, in),
			       in->next_token)) {
		refuse(r, "NextToken is not one that this request was answered "
			  "with");
		return false;
	}
	return true;
}

void api_xray_trace_summaries(struct api *a, struct request *r)
{
	struct page p = { .r = r, .w = json_writer(&r->reply) };
	struct get_trace_summaries in;
	struct filter filter;
	int64_t from_ns;
	int e;

	if (!answer_read(r, &summaries_shape, &in) ||
	    !begin(a, r, &in, &filter, &p))
		return;
	from_ns = p.search.start_ns;
	json_open_object(&p.w);
	json_key(&p.w, "TraceSummaries");
	json_open_array(&p.w);
	e = search_page(a->traces, &p.search);
	json_close_array(&p.w);
	if (e < 0 || r->reply.failed) {
		buf_reset(&r->reply);
		answer_error(r, "ThrottledException",
			     "the collector is busy: ask again");
		return;
	}
	if (e && p.search.cursor.start_ns > from_ns)
		from_ns = p.search.cursor.start_ns;
	json_key(&p.w, "ApproximateTime");
	json_put_seconds(&p.w, from_ns);
	json_key(&p.w, "TracesProcessedCount");
	json_put_u64(&p.w, p.search.processed);
	if (e && !p.one_page) {
		char token[SEARCH_TOKEN_TEXT + 1];

		search_token(&p.search, hash_question(r, &in), token);
		json_key(&p.w, "NextToken");
		json_put_text(&p.w, token);
	}
	json_close_object(&p.w);
	r->content_type = "application/json";
	r->wants_id = true;
}
