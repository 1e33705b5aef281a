/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling rules: made, changed, deleted and told. */
#include <stdlib.h>

#include "collector/api/sampling.h"
#include "collector/api/xray.h"
#include "collector/door/answer.h"

#define RULE_DEFAULT SV("Default")
#define RULE_DEFAULT_SETTING SV("sampling-rule/Default")
/* Written with every change, so that its time is that of the last. */
#define RULES_CHANGED SV("sampling-rules/changed")

static bool is_default(struct sv name)
{
	return sv_eq(name, RULE_DEFAULT);
}

static enum catalogue_kind kind_of(struct sv name)
{
	return is_default(name) ? CATALOGUE_SETTING : CATALOGUE_SAMPLING_RULE;
}

static struct sv stored_name(struct sv name)
{
	return is_default(name) ? RULE_DEFAULT_SETTING : name;
}

/* --- finding ----------------------------------------------------------------------- */

static int make_default(struct request *r, struct sampling_rule_value *out)
{
	const struct sv any = SV("*");

	*out = (struct sampling_rule_value){
		.name = RULE_DEFAULT,
		.arn = control_arn(r, "sampling-rule/Default"),
		.resource_arn = any,
		.priority = { SAMPLING_DEFAULT_PRIORITY, true },
		.fixed_rate = { 1, true },
		.reservoir = { SAMPLING_DEFAULT_RESERVOIR, true },
		.service_name = any,
		.service_type = any,
		.host = any,
		.method = any,
		.path = any,
		.version = { 1, true },
		.attributes = { .set = true },
	};
	return out->arn.ptr ? 0 : ERR_NOMEM;
}

int sampling_rule_find(struct api *a, struct request *r, struct sv name,
		       struct sampling_rule_value *out,
		       struct catalogue_item *item)
{
	struct catalogue_item mine;
	int e;

	if (!item)
		item = &mine;
	e = control_get(a, r, kind_of(name), stored_name(name),
			&rule_value_shape, out, item);
	if (e != ERR_NOT_FOUND || !is_default(name))
		return e;
	*item = (struct catalogue_item){ .revision = 0 };
	return make_default(r, out);
}

int sampling_rule_exists(struct api *a, struct request *r, struct sv name)
{
	struct sampling_rule_value rule;

	return sampling_rule_find(a, r, name, &rule, NULL);
}

/* Which rule is meant, by its name or ARN. ERR_INVALID: answered. */
static int named(struct request *r, struct sv name, struct sv arn,
		 struct sv *out)
{
	struct sv rest;

	if (!name.ptr == !arn.ptr) {
		control_invalid(r, "give a RuleName or a RuleARN, and not "
				   "both");
		return ERR_INVALID;
	}
	*out = name;
	if (!arn.ptr)
		return 0;
	if (!control_arn_read(r, arn, &rest) ||
	    !sv_eq(sv_cut(&rest, '/'), SV("sampling-rule")) || !rest.len)
		return ERR_NOT_FOUND;
	*out = rest;
	return 0;
}

/* False: answered. */
static bool found(struct request *r, int e)
{
	if (e == ERR_NOT_FOUND)
		control_invalid(r, "There is no sampling rule of this name or "
				   "ARN");
	else if (e && e != ERR_INVALID)
		control_failed(r, e);
	return !e;
}

static int compare(const void *x, const void *y)
{
	const struct sampling_rule_value *a =
		((const struct sampling_record *)x)->rule;
	const struct sampling_rule_value *b =
		((const struct sampling_record *)y)->rule;
	const struct sampling_rule one = {
		.name = a->name, .priority = (uint32_t)a->priority.value
	};
	const struct sampling_rule two = {
		.name = b->name, .priority = (uint32_t)b->priority.value
	};

	return sampling_rule_compare(&one, &two);
}

static void make_record(struct sampling_record *out,
			struct sampling_rule_value *rule,
			const struct catalogue_item *item)
{
	*out = (struct sampling_record){
		.rule = rule,
		.created = { item->created.ns, true },
		.modified = { item->modified.ns, true },
	};
}

int sampling_rules_all(struct api *a, struct request *r,
		       struct sampling_record **out, size_t *count)
{
	struct sampling_rule_value *rules;
	struct catalogue_item *items, item;
	struct sampling_record *records;
	bool more;
	size_t n;
	int e = catalogue_list(a->catalogue, &r->caller.scope,
			       CATALOGUE_SAMPLING_RULE, SV(""),
			       SAMPLING_RULES_MAX, &r->arena, &items, &n,
			       &more);

	if (e)
		return e;
	rules = arena_array(&r->arena, n + 1, sizeof(*rules));
	records = arena_array(&r->arena, n + 1, sizeof(*records));
	if (!rules || !records)
		return ERR_NOMEM;
	e = sampling_rule_find(a, r, RULE_DEFAULT, &rules[n], &item);
	if (e)
		return e;
	make_record(&records[n], &rules[n], &item);
	for (size_t i = 0; i < n; i++) {
		e = control_read(&rule_value_shape, items[i].value, &r->arena,
				 &rules[i]);
		if (e)
			return e;
		make_record(&records[i], &rules[i], &items[i]);
	}
	qsort(records, n + 1, sizeof(*records), compare);
	*out = records;
	*count = n + 1;
	return 0;
}

int sampling_modified(struct api *a, struct request *r, struct shape_time *out)
{
	struct catalogue_item item;
	int e = catalogue_get(a->catalogue, &r->caller.scope, CATALOGUE_SETTING,
			      RULES_CHANGED, &r->arena, &item);

	*out = (struct shape_time){ e ? 0 : item.modified.ns, true };
	return e == ERR_NOT_FOUND ? 0 : e;
}

/* OpenTelemetry's sampler sends no body at all, which is an empty input. */
void api_sampling_rules(struct api *a, struct request *r)
{
	struct sampling_rules_output out = { .records = { .set = true } };
	struct page_input in;
	int e;

	stats_add(&a->stats->sampling_requests, 1);
	if (!answer_read(r, &page_input_shape, &in) ||
	    !xray_no_token(r, in.next_token))
		return;
	e = sampling_rules_all(a, r, &out.records.items, &out.records.count);
	if (e)
		control_failed(r, e);
	else
		answer_write(r, &rules_output_shape, &out);
}

/* --- what a rule may say ----------------------------------------------------------- */

static bool is_rate(struct shape_double v)
{
	return !v.set || (v.value >= 0 && v.value <= 1);
}

static bool name_fits(struct sv name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c < ' ' || c == '/' || c == 0x7f)
			return false;
	}
	return name.len > 0;
}

/* What the shape has no word for. False: answered. */
static bool rule_fits(struct request *r, const struct sampling_rule_value *v)
{
	const char *why = NULL;

	if (!is_rate(v->fixed_rate))
		why = "FixedRate must be from 0 to 1";
	else if (v->boost && !is_rate(v->boost->max_rate))
		why = "MaxRate must be from 0 to 1";
	else if (v->version.set && v->version.value != 1)
		why = "Version must be 1";
	if (why)
		control_invalid(r, "%s", why);
	return !why;
}

/* --- changing ---------------------------------------------------------------------- */

static void answer_record(struct request *r, struct sampling_rule_value *rule,
			  const struct catalogue_item *item)
{
	struct sampling_record record;
	struct sampling_record_output out = { .record = &record };

	make_record(&record, rule, item);
	answer_write(r, &record_output_shape, &out);
}

static void answer_changed(struct api *a, struct request *r,
			   const struct catalogue_item *item)
{
	struct sampling_rule_value rule;
	int e = item ? control_read(&rule_value_shape, item->value, &r->arena,
				    &rule) :
		       ERR_NOT_FOUND;

	(void)a;
	if (found(r, e))
		answer_record(r, &rule, item);
}

/* Puts rule, and the mark of the last change. */
static struct catalogue_change *
plan_rule(struct request *r, struct control_plan *p,
	  const struct sampling_rule_value *rule)
{
	struct catalogue_change *c;

	p->kind = kind_of(rule->name);
	p->name = stored_name(rule->name);
	p->answer = answer_changed;
	c = control_put(p, p->kind, p->name,
			control_write(&rule_value_shape, rule, &r->arena));
	control_put(p, CATALOGUE_SETTING, RULES_CHANGED, rule->name);
	return c;
}

void api_create_sampling_rule(struct api *a, struct request *r)
{
	struct sampling_rule_input in;
	struct sampling_rule_value *rule;
	struct control_plan *p;
	struct catalogue_change *c;

	if (!answer_read(r, &create_rule_shape, &in) ||
	    !rule_fits(r, in.rule) ||
	    !xray_tags_check(r, in.tags.items, in.tags.count))
		return;
	rule = in.rule;
	if (rule->arn.ptr || !name_fits(rule->name)) {
		control_invalid(r, rule->arn.ptr ?
					   "A rule is made by its RuleName; "
					   "its RuleARN follows from it" :
					   "SamplingRule must have a RuleName "
					   "without '/' or control characters");
		return;
	}
	if (is_default(rule->name)) {
		control_invalid(r, "The rule Default is there already");
		return;
	}
	rule->arn = control_arn(r, "sampling-rule/%.*s", SV_ARG(rule->name));
	rule->attributes.set = true;
	p = control_plan(r);
	if (!p)
		return;
	p->refused[CATALOGUE_EXISTS] = (struct control_error){
		"InvalidRequestException",
		"A sampling rule of this name already exists"
	};
	p->refused[CATALOGUE_LIMIT] = (struct control_error){
		"RuleLimitExceededException",
		"There are 25 sampling rules, as many as there may be"
	};
	c = plan_rule(r, p, rule);
	c->condition = CATALOGUE_IF_ABSENT;
	c->limit = SAMPLING_RULES_MAX;
	if (in.tags.count) {
		struct xray_tags tags;

		tags.tags.items = in.tags.items;
		tags.tags.count = in.tags.count;
		tags.tags.set = true;
		control_put(p, CATALOGUE_TAGS, rule->arn,
			    control_write(&tags_shape, &tags, &r->arena));
	}
	control_submit(a, r, p);
}

static void merge_text(struct sv *into, struct sv from)
{
	if (from.ptr)
		*into = from;
}

static void merge(struct sampling_rule_value *rule,
		  const struct sampling_rule_value *u)
{
	merge_text(&rule->resource_arn, u->resource_arn);
	merge_text(&rule->service_name, u->service_name);
	merge_text(&rule->service_type, u->service_type);
	merge_text(&rule->host, u->host);
	merge_text(&rule->method, u->method);
	merge_text(&rule->path, u->path);
	if (u->priority.set)
		rule->priority = u->priority;
	if (u->fixed_rate.set)
		rule->fixed_rate = u->fixed_rate;
	if (u->reservoir.set)
		rule->reservoir = u->reservoir;
	if (u->attributes.set)
		rule->attributes = u->attributes;
	if (u->boost)
		rule->boost = u->boost;
}

static bool changes_default(const struct sampling_rule_value *u)
{
	return !u->priority.set && !u->resource_arn.ptr &&
	       !u->service_name.ptr && !u->service_type.ptr && !u->host.ptr &&
	       !u->method.ptr && !u->path.ptr && !u->attributes.count;
}

void api_update_sampling_rule(struct api *a, struct request *r)
{
	struct sampling_rule_input in;
	struct sampling_rule_value rule;
	struct catalogue_item item;
	struct control_plan *p;
	struct catalogue_change *c;
	struct sv name;
	int e;

	if (!answer_read(r, &update_rule_shape, &in) || !rule_fits(r, in.rule))
		return;
	e = named(r, in.rule->name, in.rule->arn, &name);
	if (!e)
		e = sampling_rule_find(a, r, name, &rule, &item);
	if (!found(r, e))
		return;
	if (is_default(name) && !changes_default(in.rule)) {
		control_invalid(r, "Of the rule Default only FixedRate, "
				   "ReservoirSize and SamplingRateBoost can be "
				   "changed");
		return;
	}
	merge(&rule, in.rule);
	p = control_plan(r);
	if (!p)
		return;
	p->again = api_update_sampling_rule;
	c = plan_rule(r, p, &rule);
	c->condition = CATALOGUE_IF_REVISION;
	c->revision = item.revision;
	control_submit(a, r, p);
}

void api_delete_sampling_rule(struct api *a, struct request *r)
{
	struct sampling_name_input in;
	struct sampling_rule_value rule;
	struct catalogue_item *item;
	struct control_plan *p;
	struct catalogue_change *c;
	struct sv name;
	int e;

	if (!answer_read(r, &delete_rule_shape, &in))
		return;
	p = control_plan(r);
	item = arena_new(&r->arena, struct catalogue_item);
	if (!p || !item) {
		control_failed(r, ERR_NOMEM);
		return;
	}
	e = named(r, in.name, in.arn, &name);
	if (!e)
		e = sampling_rule_find(a, r, name, &rule, item);
	if (!found(r, e))
		return;
	if (is_default(name)) {
		control_invalid(r, "The rule Default cannot be deleted");
		return;
	}
	/* What is told is what was deleted: of this revision. */
	p->told = item;
	p->answer = answer_changed;
	p->again = api_delete_sampling_rule;
	c = control_delete(p, CATALOGUE_SAMPLING_RULE, name);
	c->condition = CATALOGUE_IF_REVISION;
	c->revision = item->revision;
	control_delete(p, CATALOGUE_TAGS, rule.arn);
	control_put(p, CATALOGUE_SETTING, RULES_CHANGED, name);
	control_submit(a, r, p);
}
