/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetSamplingRules and GetSamplingTargets, as X-Ray SDKs and OpenTelemetry's
 * sampler call them, unsigned, on the daemon's port. One rule: Default, which
 * samples everything, because here a trace costs nothing but its bytes.
 */
#include "collector/api/api.h"
#include "collector/door/answer.h"

enum {
	SAMPLING_INTERVAL_S = 10,
	SAMPLING_QUOTA = 100,       /* requests a second, before the rate */
	SAMPLING_QUOTA_TTL_S = 300, /* as X-Ray's: about five minutes */
	SAMPLING_STATISTICS_MAX = 25,
};

void api_sampling_rules(struct api *a, struct request *r)
{
	buf_format(&r->reply,
		   "{\"SamplingRuleRecords\":[{\"SamplingRule\":{"
		   "\"RuleName\":\"Default\",\"RuleARN\":"
		   "\"arn:aws:xray:%s:%012llu:sampling-rule/Default\","
		   "\"ResourceARN\":\"*\",\"Priority\":10000,"
		   "\"FixedRate\":1.0,\"ReservoirSize\":%d,"
		   "\"ServiceName\":\"*\",\"ServiceType\":\"*\",\"Host\":\"*\","
		   "\"HTTPMethod\":\"*\",\"URLPath\":\"*\",\"Version\":1,"
		   "\"Attributes\":{}},\"CreatedAt\":0,\"ModifiedAt\":0}]}",
		   r->caller.scope.region,
		   (unsigned long long)r->caller.scope.account,
		   (int)SAMPLING_QUOTA);
	stats_add(&a->stats->sampling_requests, 1);
	r->content_type = "application/json";
	r->wants_id = true;
}

static void put_target(struct json_writer *w, struct sv rule, int64_t now_s)
{
	json_open_object(w);
	json_key(w, "RuleName");
	json_put_sv(w, rule);
	json_key(w, "FixedRate");
	json_put_double(w, 1.0);
	json_key(w, "ReservoirQuota");
	json_put_i64(w, SAMPLING_QUOTA);
	json_key(w, "ReservoirQuotaTTL");
	json_put_i64(w, now_s + SAMPLING_QUOTA_TTL_S);
	json_key(w, "Interval");
	json_put_i64(w, SAMPLING_INTERVAL_S);
	json_close_object(w);
}

static void put_unprocessed(struct json_writer *w, struct sv rule)
{
	json_open_object(w);
	json_key(w, "RuleName");
	json_put_sv(w, rule);
	json_key(w, "ErrorCode");
	json_put_text(w, "400");
	json_key(w, "Message");
	json_put_text(w, "Unknown rule");
	json_close_object(w);
}

/* Writes the targets of rules that are there (known), or the rest. */
static bool put_each(struct request *r, struct json_writer *w, struct json list,
		     bool known, int64_t now_s)
{
	size_t count = 0;

	for (struct json it = json_first(list); it.doc;
	     it = json_next(list, it)) {
		struct sv rule =
			json_string(json_get(it, SV("RuleName")), &r->arena);

		if (!rule.ptr || ++count > SAMPLING_STATISTICS_MAX)
			return false;
		if (sv_eq(rule, SV("Default")) != known)
			continue;
		if (known)
			put_target(w, rule, now_s);
		else
			put_unprocessed(w, rule);
	}
	return true;
}

void api_sampling_targets(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	int64_t now_s = env_wall(a->env).ns / NS_PER_S;
	struct json_doc doc;
	struct json list;
	bool ok;

	stats_add(&a->stats->sampling_requests, 1);
	ok = !json_parse(&doc, &r->arena, buf_view(&r->body), NULL);
	if (ok) {
		list = json_get(json_root(&doc),
				SV("SamplingStatisticsDocuments"));
		ok = json_is(list, JSON_ARRAY);
	}
	if (ok) {
		json_open_object(&w);
		json_key(&w, "SamplingTargetDocuments");
		json_open_array(&w);
		ok = put_each(r, &w, list, true, now_s);
		json_close_array(&w);
		json_key(&w, "LastRuleModification");
		json_put_i64(&w, 0);
		json_key(&w, "UnprocessedStatistics");
		json_open_array(&w);
		ok = ok && put_each(r, &w, list, false, now_s);
		json_close_array(&w);
		json_close_object(&w);
	}
	r->content_type = "application/json";
	r->wants_id = true;
	if (!ok)
		answer_error(r, "InvalidRequestException",
			     "SamplingStatisticsDocuments must be a list of at "
			     "most 25 documents with a RuleName");
}
