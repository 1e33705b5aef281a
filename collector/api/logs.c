/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/api.h"

void api_logs(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	struct logs_query q = {
		.group = request_query(r, "group"),
		.stream = request_query(r, "stream"),
		.request_id = request_query(r, "request_id"),
		.contains = request_query(r, "contains"),
	};
	struct sv order = request_query(r, "order");
	uint64_t limit = API_LIMIT_DEFAULT * 10;
	struct log_event *events;
	bool truncated;
	size_t count;
	int e;

	if (!api_query_time(r, "start", &q.start_ns) ||
	    !api_query_time(r, "end", &q.end_ns) ||
	    !api_query_number(r, "limit", LOGS_LIMIT_MAX, &limit))
		return;
	if (order.len && !sv_eq(order, SV("asc")) &&
	    !sv_eq(order, SV("desc"))) {
		api_error(r, 400, "InvalidParameterValue",
			  "order must be asc or desc");
		return;
	}
	q.descending = sv_eq(order, SV("desc"));
	q.limit = limit;
	e = logs_read(a->logs, &r->caller.scope, &q, &r->arena, &events, &count,
		      &truncated);
	if (e) {
		api_error_of(r, e, "log event");
		return;
	}
	json_open_object(&w);
	json_key(&w, "events");
	json_open_array(&w);
	for (size_t i = 0; i < count; i++)
		api_put_event(&w, &events[i]);
	json_close_array(&w);
	json_key(&w, "truncated");
	json_put_bool(&w, truncated);
	json_close_object(&w);
	r->content_type = "application/json";
}
