/* SPDX-License-Identifier: Apache-2.0 */
/* X-Ray's questions about the service map: GetServiceGraph. Rules: the API
 * reference of X-Ray. */
#include "collector/api/api.h"
#include "collector/api/xray_services.h"
#include "collector/door/answer.h"
#include "core/base/hash.h"

enum { XRAY_GRAPH_HOURS_MAX = 6 };

static void refuse(struct request *r, const char *message)
{
	answer_error(r, "InvalidRequestException", message);
}

/* For an err of a view or a page. */
static void fail(struct request *r, int e)
{
	if (e == ERR_INVALID)
		refuse(r, "NextToken is not one that this request was "
			  "answered with");
	else
		answer_error(r, "ServiceUnavailableException",
			     "the collector is busy: ask again");
}

/* False: an error is in the reply. */
static bool check_range(struct request *r, const struct shape_time *start,
			const struct shape_time *end)
{
	if (start->ns < 0 || end->ns <= start->ns) {
		refuse(r, "EndTime must be after StartTime");
		return false;
	}
	if (end->ns - start->ns > XRAY_GRAPH_HOURS_MAX * 3600 * NS_PER_S) {
		refuse(r, "StartTime and EndTime may be at most 6 hours apart");
		return false;
	}
	return true;
}

static uint64_t hash_question(const struct request *r, const void *bytes,
			      size_t size)
{
	struct sv what = sv_make(bytes, size);

	return hash64(what) * 31 + (uint64_t)r->operation->id +
	       r->caller.scope.account;
}

void api_xray_service_graph(struct api *a, struct request *r)
{
	struct get_service_graph_output out = { 0 };
	struct get_service_graph in;
	struct xray_services page;
	struct xray_question q;
	struct graph graph;
	int64_t range[2];
	int e;

	if (!answer_read(r, &get_service_graph_shape, &in) ||
	    !check_range(r, &in.start_time, &in.end_time))
		return;
	range[0] = in.start_time.ns;
	range[1] = in.end_time.ns;
	e = traces_map(a->traces, &r->caller.scope, range[0], range[1], &graph);
	if (e) {
		fail(r, e);
		return;
	}
	q = (struct xray_question){
		.scope = &r->caller.scope,
		.hash = hash_question(r, range, sizeof(range)),
		.token = in.next_token,
		.start_ns = range[0],
		.end_ns = range[1],
	};
	e = xray_services_page(&graph, &q, &r->arena, &page);
	if (e) {
		fail(r, e);
	} else {
		out = (struct get_service_graph_output){
			.start_time = in.start_time,
			.end_time = in.end_time,
			.services = { page.items, page.count, true },
			.contains_old_group_versions = { false, true },
			.next_token = page.next_token,
		};
		answer_write(r, &get_service_graph_output_shape, &out);
	}
	graph_fini(&graph);
}
