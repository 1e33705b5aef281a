/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "collector/alarms/alarms.h"
#include "core/codec/json.h"
#include "core/codec/json_write.h"

static void put_ns(struct json_writer *w, int64_t ns)
{
	char text[48];
	int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;
	int n;

	if (rest < 0) {
		rest += NS_PER_S;
		s--;
	}
	n = snprintf(text, sizeof(text), "%" PRId64 ".%09" PRId64, s, rest);
	json_put_raw(w, sv_make(text, (size_t)n));
}

void alarm_change_encode(const struct alarm_change *c, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open_object(&w);
	json_key(&w, "name");
	json_put_sv(&w, c->name);
	json_key(&w, "from");
	json_put_text(&w, alarm_state_name(c->from));
	json_key(&w, "to");
	json_put_text(&w, alarm_state_name(c->to));
	json_key(&w, "reason");
	json_put_sv(&w, c->reason);
	json_key(&w, "time");
	put_ns(&w, c->time_ns);
	json_close_object(&w);
}

static bool get_state(struct json root, struct sv key, struct arena *arena,
		      enum alarm_state *out)
{
	struct sv name = json_string(json_get(root, key), arena);

	return name.ptr && alarm_state_from(name, out);
}

int alarm_change_decode(struct sv body, struct arena *arena,
			struct alarm_change *out)
{
	struct json_doc *doc = arena_new(arena, struct json_doc);
	struct json root;
	struct sv name, reason;
	int e;

	if (!doc)
		return ERR_NOMEM;
	e = json_parse(doc, arena, body, NULL);
	if (e)
		return e;
	root = json_root(doc);
	name = json_string(json_get(root, SV("name")), arena);
	reason = json_string(json_get(root, SV("reason")), arena);
	*out = (struct alarm_change){ 0 };
	if (!name.ptr || name.len == 0 || name.len > ALARM_NAME_MAX ||
	    !reason.ptr || reason.len > ALARM_REASON_MAX)
		return ERR_INVALID;
	if (!get_state(root, SV("from"), arena, &out->from) ||
	    !get_state(root, SV("to"), arena, &out->to) ||
	    !json_to_ns(json_get(root, SV("time")), &out->time_ns))
		return ERR_INVALID;
	out->name = arena_copy(arena, name);
	out->reason = arena_copy(arena, reason);
	return out->name.ptr && out->reason.ptr ? 0 : ERR_NOMEM;
}

/* SNS gives statistics in capitals, without a percentile's. */
static struct sv statistic_name(struct sv statistic)
{
	static const struct {
		struct sv from, to;
	} names[] = {
		{ { "Sum", 3 }, { "SUM", 3 } },
		{ { "Average", 7 }, { "AVERAGE", 7 } },
		{ { "Minimum", 7 }, { "MINIMUM", 7 } },
		{ { "Maximum", 7 }, { "MAXIMUM", 7 } },
		{ { "SampleCount", 11 }, { "SAMPLE_COUNT", 12 } },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sv_eq(statistic, names[i].from))
			return names[i].to;
	return statistic;
}

static void put_trigger(struct json_writer *w, const struct alarm_definition *d)
{
	struct sv statistic = statistic_name(d->statistic);
	bool extended = sv_eq(statistic, d->statistic);

	json_open_object(w);
	json_key(w, "MetricName");
	json_put_sv(w, d->metric);
	json_key(w, "Namespace");
	json_put_sv(w, d->ns);
	json_key(w, "StatisticType");
	json_put_text(w, extended ? "ExtendedStatistic" : "Statistic");
	json_key(w, extended ? "ExtendedStatistic" : "Statistic");
	json_put_sv(w, statistic);
	json_key(w, "Dimensions");
	json_open_array(w);
	for (size_t i = 0; i < d->dimension_count; i++) {
		json_open_object(w);
		json_key(w, "value");
		json_put_sv(w, d->dimensions[i].value);
		json_key(w, "name");
		json_put_sv(w, d->dimensions[i].name);
		json_close_object(w);
	}
	json_close_array(w);
	json_key(w, "Period");
	json_put_u64(w, d->period_s);
	json_key(w, "EvaluationPeriods");
	json_put_u64(w, d->evaluation_periods);
	json_key(w, "DatapointsToAlarm");
	json_put_u64(w, d->datapoints ? d->datapoints : d->evaluation_periods);
	json_key(w, "ComparisonOperator");
	json_put_text(w, alarm_comparison_name(d->comparison));
	json_key(w, "Threshold");
	json_put_double(w, d->threshold);
	json_key(w, "TreatMissingData");
	json_put_text(w, alarm_missing_name(d->treat_missing));
	json_close_object(w);
}

void alarm_webhook_body(const struct alarm_definition *d,
			const struct scope *scope, const struct alarm_change *c,
			struct buf *out)
{
	struct json_writer w = json_writer(out);
	char account[16];

	snprintf(account, sizeof(account), "%012" PRIu64,
		 scope->account % 1000000000000u);
	json_open_object(&w);
	json_key(&w, "AlarmName");
	json_put_sv(&w, d->name);
	json_key(&w, "AWSAccountId");
	json_put_text(&w, account);
	json_key(&w, "Region");
	json_put_text(&w, scope->region);
	json_key(&w, "NewStateValue");
	json_put_text(&w, alarm_state_name(c->to));
	json_key(&w, "NewStateReason");
	json_put_sv(&w, c->reason);
	json_key(&w, "OldStateValue");
	json_put_text(&w, alarm_state_name(c->from));
	json_key(&w, "StateChangeTime");
	json_put_iso(&w, c->time_ns);
	json_key(&w, "Trigger");
	put_trigger(&w, d);
	json_close_object(&w);
}
