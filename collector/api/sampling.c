/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetSamplingTargets and the summaries: what clients report of each rule, and
 * the quota of its reservoir that they get for it. X-Ray SDKs and
 * OpenTelemetry's sampler call it unsigned on the daemon's port.
 */
#include "collector/api/sampling.h"

#include <stdlib.h>

#include "collector/api/xray.h"
#include "collector/door/answer.h"

/* One call. */
struct targets {
	struct api *api;
	struct request *request;
	struct wall now;
	struct sampling_record *records;
	size_t count;
};

static const struct sampling_rule_value *find(const struct targets *t,
					      struct sv name)
{
	for (size_t i = 0; i < t->count; i++)
		if (sv_eq(t->records[i].rule->name, name))
			return t->records[i].rule;
	return NULL;
}

static struct sampling_unprocessed unprocessed(struct sv rule, const char *code,
					       const char *message)
{
	return (struct sampling_unprocessed){ rule, sv_from(code),
					      sv_from(message) };
}

/* --- quotas ------------------------------------------------------------------------ */

static uint64_t count_of(struct shape_integer n)
{
	return n.value > 0 ? (uint64_t)n.value : 0;
}

/* NULL, or why it cannot be taken. */
static const char *report_of(const struct targets *t,
			     const struct sampling_statistics *s,
			     const struct sampling_rule_value **rule,
			     struct reservoir_report *out)
{
	*rule = find(t, s->rule);
	*out = (struct reservoir_report){
		.scope = &t->request->caller.scope,
		.rule = s->rule,
		.requests = count_of(s->requests),
		.sampled = count_of(s->sampled),
		.borrowed = count_of(s->borrowed),
	};
	if (!*rule)
		return "Unknown rule";
	out->reservoir = (uint32_t)(*rule)->reservoir.value;
	if (!sv_to_hex(s->client, out->client, sizeof(out->client)))
		return "ClientID must be 24 hexadecimal digits";
	if (out->sampled > out->requests)
		return "SampledCount is over RequestCount";
	return NULL;
}

static void grant(const struct targets *t,
		  const struct sampling_rule_value *rule,
		  const struct reservoir_grant *g, struct sampling_target *out)
{
	(void)t;
	*out = (struct sampling_target){
		.rule = rule->name,
		.fixed_rate = rule->fixed_rate,
		.interval = { RESERVOIR_INTERVAL_S, true },
	};
	if (!g->granted)
		return;
	out->quota = (struct shape_integer){ g->quota, true };
	/* Whole seconds, as X-Ray tells: it expires earlier than is counted. */
	out->ttl =
		(struct shape_time){ g->expires_ns - g->expires_ns % NS_PER_S,
				     true };
}

/* Under the lock. */
static void take_documents(struct targets *t,
			   const struct sampling_targets_input *in,
			   struct sampling_targets_output *out)
{
	for (size_t i = 0; i < in->documents.count; i++) {
		const struct sampling_statistics *s = &in->documents.items[i];
		const struct sampling_rule_value *rule;
		struct reservoir_report report;
		struct reservoir_grant g;
		const char *why = report_of(t, s, &rule, &report);

		if (why) {
			out->unprocessed.items[out->unprocessed.count++] =
				unprocessed(s->rule, "400", why);
			continue;
		}
		if (reservoirs_report(t->api->reservoirs, &report, t->now.ns,
				      &g)) {
			out->unprocessed.items[out->unprocessed.count++] =
				unprocessed(s->rule, "429",
					    "too many rules are in use");
			continue;
		}
		grant(t, rule, &g, &out->targets.items[out->targets.count++]);
	}
}

/* --- boosts ------------------------------------------------------------------------ */

static struct sampling_target *target_of(struct sampling_targets_output *out,
					 struct sv rule)
{
	for (size_t i = 0; i < out->targets.count; i++)
		if (sv_eq(out->targets.items[i].rule, rule))
			return &out->targets.items[i];
	return NULL;
}

/* The target's boost, where one begins or goes on. 0, or ERR_NOMEM. */
static int boost(struct targets *t, const struct sampling_boost_statistics *s,
		 const struct sampling_rule_value *rule,
		 struct sampling_targets_output *out)
{
	struct sampling_target *target = target_of(out, s->rule);
	int64_t ends_ns;

	if (!reservoirs_boost(t->api->reservoirs, &t->request->caller.scope,
			      s->rule, count_of(s->anomalies) > 0,
			      (uint32_t)rule->boost->cooldown_min.value,
			      t->now.ns, &ends_ns))
		return 0;
	if (!target) {
		target = &out->targets.items[out->targets.count++];
		grant(t, rule, &(struct reservoir_grant){ .granted = false },
		      target);
	}
	target->boost = arena_new(&t->request->arena, struct sampling_boost);
	if (!target->boost)
		return ERR_NOMEM;
	target->boost->rate = rule->boost->max_rate;
	target->boost->ttl = (struct shape_time){ ends_ns, true };
	return 0;
}

static int take_boosts(struct targets *t,
		       const struct sampling_targets_input *in,
		       struct sampling_targets_output *out)
{
	int e = 0;

	out->unprocessed_boosts.set = in->boosts.set;
	for (size_t i = 0; i < in->boosts.count && !e; i++) {
		const struct sampling_boost_statistics *s =
			&in->boosts.items[i];
		const struct sampling_rule_value *rule = find(t, s->rule);

		if (rule && rule->boost)
			e = boost(t, s, rule, out);
		else
			out->unprocessed_boosts
				.items[out->unprocessed_boosts.count++] =
				unprocessed(s->rule, "400",
					    rule ? "The rule has no "
						   "SamplingRateBoost" :
						   "Unknown rule");
	}
	return e;
}

/* --- the calls --------------------------------------------------------------------- */

static int make_room(struct request *r, const struct sampling_targets_input *in,
		     struct sampling_targets_output *out)
{
	size_t n = in->documents.count, boosts = in->boosts.count;

	out->targets.items =
		arena_array(&r->arena, n + boosts, sizeof(*out->targets.items));
	out->unprocessed.items =
		arena_array(&r->arena, n, sizeof(*out->unprocessed.items));
	out->unprocessed_boosts.items = arena_array(
		&r->arena, boosts, sizeof(*out->unprocessed_boosts.items));
	out->targets.set = out->unprocessed.set = true;
	return out->targets.items && out->unprocessed.items &&
			       out->unprocessed_boosts.items ?
		       0 :
		       ERR_NOMEM;
}

void api_sampling_targets(struct api *a, struct request *r)
{
	struct targets t = { .api = a, .request = r, .now = env_wall(a->env) };
	struct sampling_targets_output out = { .targets = { .set = true } };
	struct sampling_targets_input in;
	int e;

	stats_add(&a->stats->sampling_requests, 1);
	if (!answer_read(r, &targets_input_shape, &in))
		return;
	e = make_room(r, &in, &out);
	if (!e)
		e = sampling_rules_all(a, r, &t.records, &t.count);
	if (!e)
		e = sampling_modified(a, r, &out.modified);
	if (!e) {
		pthread_mutex_lock(&a->reservoirs_lock);
		take_documents(&t, &in, &out);
		e = take_boosts(&t, &in, &out);
		pthread_mutex_unlock(&a->reservoirs_lock);
	}
	if (e)
		control_failed(r, e);
	else
		answer_write(r, &targets_output_shape, &out);
}

/* --- summaries --------------------------------------------------------------------- */

struct summing {
	struct request *request;
	struct sampling_summary *items;
	size_t count, max;
	int err;
};

static void add_summary(void *arg, struct sv rule,
			const struct reservoir_minute *m)
{
	struct summing *s = arg;
	struct sampling_summary *out;

	if (s->err || s->count == s->max)
		return;
	out = &s->items[s->count++];
	*out = (struct sampling_summary){
		.rule = arena_copy(&s->request->arena, rule),
		.time = { m->start_ns, true },
		.requests = { (int64_t)m->requests, true },
		.borrowed = { (int64_t)m->borrowed, true },
		.sampled = { (int64_t)m->sampled, true },
	};
	if (!out->rule.ptr)
		s->err = ERR_NOMEM;
}

void api_sampling_summaries(struct api *a, struct request *r)
{
	struct sampling_summaries_output out = { .summaries = { .set = true } };
	struct summing s = {
		.request = r,
		/* Deleted rules among them. */
		.max = (size_t)4 * SAMPLING_RULES_MAX * RESERVOIR_MINUTES,
	};
	struct page_input in;

	if (!answer_read(r, &page_input_shape, &in) ||
	    !xray_no_token(r, in.next_token))
		return;
	s.items = arena_array(&r->arena, s.max, sizeof(*s.items));
	if (!s.items) {
		control_failed(r, ERR_NOMEM);
		return;
	}
	pthread_mutex_lock(&a->reservoirs_lock);
	reservoirs_minutes(a->reservoirs, &r->caller.scope, env_wall(a->env).ns,
			   add_summary, &s);
	pthread_mutex_unlock(&a->reservoirs_lock);
	if (s.err) {
		control_failed(r, s.err);
		return;
	}
	out.summaries.items = s.items;
	out.summaries.count = s.count;
	answer_write(r, &summaries_output_shape, &out);
}
