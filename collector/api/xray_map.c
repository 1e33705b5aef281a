/* SPDX-License-Identifier: Apache-2.0 */
/* X-Ray's questions about the service map: GetServiceGraph and GetTraceGraph.
 * Rules: the API reference of X-Ray. */
#include "collector/api/xray_map.h"

#include "collector/api/xray_filter.h"
#include "collector/api/xray_services.h"
#include "collector/door/answer.h"
#include "core/base/hash.h"
#include "tracer/traces_set.h"

void xray_map_failed(struct request *r, int e)
{
	if (e == ERR_INVALID)
		control_invalid(r, "NextToken is not one that this request "
				   "was answered with");
	else
		answer_error(r, "ServiceUnavailableException",
			     "the collector is busy: ask again");
}

bool xray_range_fits(struct request *r, const struct shape_time *start,
		     const struct shape_time *end, int64_t hours_max)
{
	if (start->ns < 0 || end->ns <= start->ns) {
		control_invalid(r, "EndTime must be after StartTime");
		return false;
	}
	if (end->ns - start->ns > hours_max * 3600 * NS_PER_S) {
		control_invalid(
			r,
			"StartTime and EndTime may be at most %d hours apart",
			(int)hours_max);
		return false;
	}
	return true;
}

void xray_question_begin(struct buf *b, const struct request *r)
{
	buf_format(b, "%d %llu %s", (int)r->operation->id,
		   (unsigned long long)r->caller.scope.account,
		   r->caller.scope.region);
}

void xray_question_text(struct buf *b, struct sv text)
{
	buf_format(b, " %d %zu ", text.ptr != NULL, text.len);
	buf_sv(b, text);
}

uint64_t xray_question_end(struct buf *b)
{
	uint64_t hash = hash64(buf_view(b));

	buf_fini(b);
	return hash;
}

/* --- GetServiceGraph ------------------------------------------------------------- */

static uint64_t hash_graph(const struct request *r,
			   const struct get_service_graph *in)
{
	struct buf b = BUF_INIT;

	xray_question_begin(&b, r);
	buf_format(&b, " %lld %lld", (long long)in->start_time.ns,
		   (long long)in->end_time.ns);
	xray_question_text(&b, in->group_name);
	xray_question_text(&b, in->group_arn);
	return xray_question_end(&b);
}

/* A group's map is that of the traces it selects now, each asked; the map of
 * all is kept ready. */
static int make_graph(struct api *a, struct request *r,
		      const struct get_service_graph *in,
		      const struct filter *filter, struct graph *out)
{
	struct traces_set set = { .scope = &r->caller.scope,
				  .start_ns = in->start_time.ns,
				  .end_ns = in->end_time.ns,
				  .filter = filter };

	return filter ? traces_set_map(a->traces, &set, out) :
			traces_map(a->traces, set.scope, set.start_ns,
				   set.end_ns, out);
}

void api_xray_service_graph(struct api *a, struct request *r)
{
	struct get_service_graph_output out = { 0 };
	struct get_service_graph in;
	struct xray_services page;
	struct xray_question q;
	struct filter filter;
	struct graph graph;
	bool all;
	int e;

	if (!answer_read(r, &get_service_graph_shape, &in) ||
	    !xray_range_fits(r, &in.start_time, &in.end_time,
			     XRAY_GRAPH_HOURS_MAX) ||
	    !xray_group_filter(a, r, in.group_name, in.group_arn, &filter,
			       &all))
		return;
	q = (struct xray_question){
		.scope = &r->caller.scope,
		.hash = hash_graph(r, &in),
		.token = in.next_token,
		.start_ns = in.start_time.ns,
		.end_ns = in.end_time.ns,
	};
	e = make_graph(a, r, &in, all ? NULL : &filter, &graph);
	if (e) {
		xray_map_failed(r, e);
		return;
	}
	e = xray_services_page(&graph, &q, &r->arena, &page);
	if (e) {
		xray_map_failed(r, e);
	} else {
		out.start_time = in.start_time;
		out.end_time = in.end_time;
		out.services.items = page.items;
		out.services.count = page.count;
		out.services.set = true;
		/* An expression that changed holds for old traces too. */
		out.contains_old_group_versions.set = true;
		out.next_token = page.next_token;
		answer_write(r, &get_service_graph_output_shape, &out);
	}
	graph_fini(&graph);
}

/* --- GetTraceGraph ----------------------------------------------------------------- */

int xray_traces_graph(struct api *a, struct request *r, const struct sv *ids,
		      size_t count, struct graph *out)
{
	uint8_t(*parsed)[TRACE_ID_SIZE] =
		arena_array(&r->arena, count + 1, sizeof(*parsed));
	size_t missing;

	if (!parsed)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		if (!trace_id_parse(ids[i], parsed[i]))
			return ERR_SYNTAX;
	return traces_ids_map(a->traces, &r->caller.scope, parsed, count, out,
			      &missing);
}

static uint64_t hash_ids(const struct request *r,
			 const struct get_trace_graph *in)
{
	struct buf b = BUF_INIT;

	xray_question_begin(&b, r);
	for (size_t i = 0; i < in->trace_ids.count; i++)
		xray_question_text(&b, in->trace_ids.items[i]);
	return xray_question_end(&b);
}

void api_xray_trace_graph(struct api *a, struct request *r)
{
	struct get_trace_graph_output out = { 0 };
	struct get_trace_graph in;
	struct xray_services page;
	struct xray_question q;
	struct graph graph;
	int e;

	if (!answer_read(r, &get_trace_graph_shape, &in))
		return;
	if (in.trace_ids.count > API_XRAY_IDS_MAX) {
		control_invalid(r, "TraceIds has more than %d items",
				API_XRAY_IDS_MAX);
		return;
	}
	e = xray_traces_graph(a, r, in.trace_ids.items, in.trace_ids.count,
			      &graph);
	if (e == ERR_SYNTAX) {
		control_invalid(r, "TraceIds has an item that is no trace id");
		return;
	}
	if (e) {
		xray_map_failed(r, e);
		return;
	}
	q = (struct xray_question){ .scope = &r->caller.scope,
				    .hash = hash_ids(r, &in),
				    .token = in.next_token };
	e = xray_services_page(&graph, &q, &r->arena, &page);
	if (e) {
		xray_map_failed(r, e);
	} else {
		out.services.items = page.items;
		out.services.count = page.count;
		out.services.set = true;
		out.next_token = page.next_token;
		answer_write(r, &get_trace_graph_output_shape, &out);
	}
	graph_fini(&graph);
}
