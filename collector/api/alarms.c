/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/api.h"

static void put_alarm(struct json_writer *w, const struct alarm_status *s)
{
	const struct alarm_definition *d = &s->definition;

	json_open_object(w);
	json_key(w, "name");
	json_put_sv(w, d->name);
	json_key(w, "state");
	json_put_text(w, alarm_state_name(s->state));
	json_key(w, "reason");
	json_put_sv(w, s->reason);
	json_key(w, "since");
	json_put_seconds(w, s->since_ns);
	json_key(w, "namespace");
	json_put_sv(w, d->ns);
	json_key(w, "metric");
	json_put_sv(w, d->metric);
	json_key(w, "dimensions");
	api_put_dimensions(w, d->dimensions, d->dimension_count);
	json_key(w, "statistic");
	json_put_sv(w, d->statistic);
	json_key(w, "period");
	json_put_u64(w, d->period_s);
	json_key(w, "threshold");
	json_put_double(w, d->threshold);
	json_key(w, "comparison");
	json_put_text(w, alarm_comparison_name(d->comparison));
	json_key(w, "datapoints");
	json_put_u64(w, d->datapoints ? d->datapoints : d->evaluation_periods);
	json_key(w, "evaluation_periods");
	json_put_u64(w, d->evaluation_periods);
	json_key(w, "treat_missing_data");
	json_put_text(w, alarm_missing_name(d->treat_missing));
	json_close_object(w);
}

void api_alarms(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	struct alarm_status *list;
	size_t count;
	int e = alarms_list(a->alarms, &r->caller.scope, &r->arena, &list,
			    &count);

	if (e) {
		api_error_of(r, e, "alarm");
		return;
	}
	json_open_object(&w);
	json_key(&w, "alarms");
	json_open_array(&w);
	for (size_t i = 0; i < count; i++)
		put_alarm(&w, &list[i]);
	json_close_array(&w);
	json_close_object(&w);
	r->content_type = "application/json";
}

void api_alarm_history(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	uint64_t limit = API_LIMIT_DEFAULT;
	struct alarm_change *list;
	bool truncated;
	size_t count;
	int e;

	if (!api_query_number(r, "limit", API_LIMIT_MAX, &limit))
		return;
	e = alarms_history(a->alarms, &r->caller.scope,
			   request_query(r, "name"), limit, &r->arena, &list,
			   &count, &truncated);
	if (e) {
		api_error_of(r, e, "alarm");
		return;
	}
	json_open_object(&w);
	json_key(&w, "changes");
	json_open_array(&w);
	for (size_t i = 0; i < count; i++) {
		json_open_object(&w);
		json_key(&w, "name");
		json_put_sv(&w, list[i].name);
		json_key(&w, "time");
		json_put_seconds(&w, list[i].time_ns);
		json_key(&w, "from");
		json_put_text(&w, alarm_state_name(list[i].from));
		json_key(&w, "to");
		json_put_text(&w, alarm_state_name(list[i].to));
		json_key(&w, "reason");
		json_put_sv(&w, list[i].reason);
		json_close_object(&w);
	}
	json_close_array(&w);
	json_key(&w, "truncated");
	json_put_bool(&w, truncated);
	json_close_object(&w);
	r->content_type = "application/json";
}
