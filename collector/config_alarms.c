/* SPDX-License-Identifier: Apache-2.0 */
/* "alarms" of the configuration. */
#include <stdlib.h>

#include "collector/config_read.h"

static int alarm_text(struct config *c, struct json alarm, const char *name,
		      struct sv *out, bool required, struct diag *diag)
{
	struct json v = json_get(alarm, sv_from(name));

	if (!v.doc && !required)
		return 0;
	*out = json_string(v, &c->arena);
	if (out->ptr)
		return 0;
	return diag_set(diag, ERR_INVALID, "an alarm's \"%s\" must be a text",
			name);
}

static int alarm_number(struct json alarm, const char *name, uint32_t *out,
			uint32_t otherwise, struct diag *diag)
{
	struct json v = json_get(alarm, sv_from(name));
	int64_t n = otherwise;

	if (v.doc && (!json_to_i64(v, &n) || n < 1 || n > 86400))
		return diag_set(diag, ERR_INVALID,
				"an alarm's \"%s\" must be a whole number from "
				"1 to 86400",
				name);
	*out = (uint32_t)n;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct dimension *x = a;
	const struct dimension *y = b;

	return sv_cmp(x->name, y->name);
}

static int alarm_dimensions(struct config *c, struct json alarm,
			    struct alarm_definition *d, struct diag *diag)
{
	struct json object = json_get(alarm, SV("dimensions"));
	struct dimension *list;
	size_t n = 0;

	if (!object.doc)
		return 0;
	list = arena_array(&c->arena, DIMENSIONS_MAX, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	for (struct json key = json_first(object); key.doc;
	     key = json_next(object, key)) {
		if (n == DIMENSIONS_MAX)
			return diag_set(diag, ERR_LIMIT,
					"an alarm has more than %d dimensions",
					(int)DIMENSIONS_MAX);
		list[n].name = json_string(key, &c->arena);
		list[n].value = json_string(json_member(key), &c->arena);
		if (!list[n].name.ptr || !list[n].value.ptr)
			return diag_set(diag, ERR_INVALID,
					"an alarm's \"dimensions\" must be an "
					"object of texts");
		n++;
	}
	qsort(list, n, sizeof(*list), by_name);
	d->dimensions = list;
	d->dimension_count = n;
	return 0;
}

/* Names of an enumeration: what the config says, and what it means. */
static int alarm_names(struct config *c, struct json alarm,
		       struct alarm_definition *d, struct diag *diag)
{
	struct sv comparison = { NULL, 0 };
	struct sv missing = SV("missing");
	int e = alarm_text(c, alarm, "comparison", &comparison, true, diag);

	if (!e)
		e = alarm_text(c, alarm, "treat_missing_data", &missing, false,
			       diag);
	if (e)
		return e;
	if (!alarm_comparison_from(comparison, &d->comparison))
		return diag_set(diag, ERR_INVALID,
				"'%.*s' is no comparison; for example "
				"GreaterThanOrEqualToThreshold",
				SV_ARG(comparison));
	if (!alarm_missing_from(missing, &d->treat_missing))
		return diag_set(diag, ERR_INVALID,
				"'%.*s' is no treat_missing_data; missing, "
				"ignore, breaching or notBreaching",
				SV_ARG(missing));
	return 0;
}

static int read_alarm(struct config *c, struct json alarm,
		      struct alarm_definition *d, struct diag *diag)
{
	int e = alarm_text(c, alarm, "name", &d->name, true, diag);

	if (!e)
		e = alarm_text(c, alarm, "namespace", &d->ns, true, diag);
	if (!e)
		e = alarm_text(c, alarm, "metric", &d->metric, true, diag);
	if (!e)
		e = alarm_text(c, alarm, "statistic", &d->statistic, true,
			       diag);
	if (!e)
		e = alarm_text(c, alarm, "webhook", &d->webhook, false, diag);
	if (!e)
		e = alarm_number(alarm, "period", &d->period_s, 60, diag);
	if (!e)
		e = alarm_number(alarm, "evaluation_periods",
				 &d->evaluation_periods, 1, diag);
	if (!e)
		e = alarm_number(alarm, "datapoints_to_alarm", &d->datapoints,
				 d->evaluation_periods, diag);
	if (!e)
		e = alarm_dimensions(c, alarm, d, diag);
	if (!e)
		e = alarm_names(c, alarm, d, diag);
	if (e)
		return e;
	if (!json_to_double(json_get(alarm, SV("threshold")), &d->threshold))
		return diag_set(diag, ERR_INVALID,
				"an alarm's \"threshold\" must be a number");
	return alarm_definition_check(d, diag);
}

int config_read_alarms(struct config *c, struct json root, struct diag *diag)
{
	struct json list = json_get(root, SV("alarms"));
	size_t count = 0;
	int e = 0;

	if (!list.doc)
		return 0;
	if (!json_is(list, JSON_ARRAY))
		return diag_set(diag, ERR_INVALID, "\"alarms\" must be a list");
	for (struct json it = json_first(list); it.doc;
	     it = json_next(list, it))
		count++;
	c->alarms = arena_array(&c->arena, count, sizeof(*c->alarms));
	if (!c->alarms)
		return ERR_NOMEM;
	c->alarm_count = 0;
	for (struct json it = json_first(list); it.doc && !e;
	     it = json_next(list, it))
		e = read_alarm(c, it, &c->alarms[c->alarm_count++], diag);
	return e;
}
