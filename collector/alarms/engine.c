/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: pure. The rule and its table are CloudWatch's ("Configuring how
 * CloudWatch alarms treat missing data"); tests/unit/collector/alarms_test.c
 * has all its cells.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "collector/alarms/alarms.h"

static const char *const state_names[] = { "OK", "ALARM", "INSUFFICIENT_DATA" };
static const char *const comparison_names[] = {
	"GreaterThanOrEqualToThreshold",
	"GreaterThanThreshold",
	"LessThanThreshold",
	"LessThanOrEqualToThreshold",
};
static const char *const comparison_words[] = {
	"greater than or equal to",
	"greater than",
	"less than",
	"less than or equal to",
};
static const char *const missing_names[] = { "missing", "ignore", "breaching",
					     "notBreaching" };

static bool name_from(const char *const *names, int count, struct sv name,
		      int *out)
{
	for (int i = 0; i < count; i++)
		if (sv_eq(name, sv_from(names[i]))) {
			*out = i;
			return true;
		}
	return false;
}

const char *alarm_state_name(enum alarm_state state)
{
	return state_names[state];
}

const char *alarm_comparison_name(enum alarm_comparison c)
{
	return comparison_names[c];
}

const char *alarm_missing_name(enum alarm_missing m)
{
	return missing_names[m];
}

bool alarm_state_from(struct sv name, enum alarm_state *out)
{
	int i;

	if (!name_from(state_names, 3, name, &i))
		return false;
	*out = (enum alarm_state)i;
	return true;
}

bool alarm_comparison_from(struct sv name, enum alarm_comparison *out)
{
	int i;

	if (!name_from(comparison_names, 4, name, &i))
		return false;
	*out = (enum alarm_comparison)i;
	return true;
}

bool alarm_missing_from(struct sv name, enum alarm_missing *out)
{
	int i;

	if (!name_from(missing_names, 4, name, &i))
		return false;
	*out = (enum alarm_missing)i;
	return true;
}

/* --- definitions ---------------------------------------------------------------- */

static uint32_t needed(const struct alarm_definition *d)
{
	return d->datapoints ? d->datapoints : d->evaluation_periods;
}

static bool names_ok(const struct alarm_definition *d)
{
	if (d->name.len == 0 || d->name.len > ALARM_NAME_MAX ||
	    !sv_is_utf8(d->name))
		return false;
	if (d->ns.len == 0 || d->ns.len > METRIC_NAME_MAX ||
	    d->metric.len == 0 || d->metric.len > METRIC_NAME_MAX)
		return false;
	return d->dimension_count <= DIMENSIONS_MAX;
}

static bool webhook_ok(struct sv url)
{
	if (url.len == 0)
		return true;
	if (url.len > ALARM_URL_MAX || memchr(url.ptr, 0, url.len))
		return false;
	return sv_starts(url, SV("http://")) || sv_starts(url, SV("https://"));
}

int alarm_definition_check(const struct alarm_definition *d, struct diag *diag)
{
	uint64_t span_s = (uint64_t)d->evaluation_periods * d->period_s;

	if (!names_ok(d))
		return diag_set(diag, ERR_INVALID,
				"an alarm needs a name of 1 to 255 bytes, a "
				"namespace and a metric, and at most 30 "
				"dimensions");
	if (!series_statistic_known(d->statistic))
		return diag_set(diag, ERR_INVALID,
				"alarm %.*s: statistic must be Sum, Average, "
				"Minimum, Maximum, SampleCount or pNN",
				SV_ARG(d->name));
	if (d->period_s == 0 || d->period_s % 60 || d->period_s > 86400)
		return diag_set(diag, ERR_INVALID,
				"alarm %.*s: period must be a multiple of 60 "
				"seconds, at most a day",
				SV_ARG(d->name));
	if (d->evaluation_periods == 0 || span_s > 86400)
		return diag_set(diag, ERR_INVALID,
				"alarm %.*s: evaluation periods times period "
				"must be more than 0 and at most a day",
				SV_ARG(d->name));
	if (d->datapoints > d->evaluation_periods)
		return diag_set(diag, ERR_INVALID,
				"alarm %.*s: datapoints to alarm must not be "
				"more than evaluation periods",
				SV_ARG(d->name));
	if (!isfinite(d->threshold))
		return diag_set(diag, ERR_INVALID,
				"alarm %.*s: threshold must be a number",
				SV_ARG(d->name));
	if (!webhook_ok(d->webhook))
		return diag_set(diag, ERR_INVALID,
				"alarm %.*s: webhook must be an http or https "
				"URL of at most 2048 bytes",
				SV_ARG(d->name));
	return 0;
}

/* --- words ---------------------------------------------------------------------- */

/* The shortest that reads back, with a point: 3.0, 0.25. */
static void put_number(struct buf *out, double v)
{
	char text[32];

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_text(out, text);
	if (!strpbrk(text, ".ein"))
		buf_text(out, ".0");
}

static void put_point(struct buf *out, const struct alarm_point *p)
{
	time_t seconds = (time_t)(p->time_ns / NS_PER_S);
	struct tm tm;
	char text[32];

	put_number(out, p->value);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), " (%d/%m/%y %H:%M:%S)", &tm);
	buf_text(out, text);
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/* What was judged: the n newest real points of the range, how many were bad. */
struct basis {
	const struct alarm_point *points;
	uint32_t range; /* of points */
	uint32_t real;  /* judged */
	uint32_t bad;   /* of them */
	uint32_t fill;  /* missing */
};

/* The judged points that speak for the state, newest first. */
static void put_points(const struct alarm_definition *d, const struct basis *b,
		       bool bad, struct buf *out)
{
	uint32_t seen = 0, shown = 0;

	for (uint32_t i = b->range; i-- > 0 && seen < b->real;) {
		const struct alarm_point *p = &b->points[i];

		if (!p->present)
			continue;
		seen++;
		if (alarm_breaches(d, p->value) != bad)
			continue;
		if (shown == ALARM_REASON_POINTS) {
			buf_text(out, ", ...");
			return;
		}
		buf_text(out, shown++ ? ", " : "");
		put_point(out, p);
	}
}

static void put_crossed(const struct alarm_definition *d, const struct basis *b,
			enum alarm_state state, struct buf *out)
{
	bool bad = state == ALARM_ALARM;
	uint32_t count = bad ? b->bad : b->real - b->bad;
	uint32_t least = bad ? needed(d) :
			       d->evaluation_periods - needed(d) + 1;

	buf_format(out, "%u out of the last %u datapoints [", count,
		   d->evaluation_periods);
	put_points(d, b, bad, out);
	buf_format(out, "] %s %s%s the threshold (",
		   count == 1 ? "was" : "were", bad ? "" : "not ",
		   comparison_words[d->comparison]);
	put_number(out, d->threshold);
	buf_format(out, ") (minimum %u datapoint%s for %s transition).", least,
		   plural(least), bad ? "OK -> ALARM" : "ALARM -> OK");
}

static void put_reason(const struct alarm_definition *d, const struct basis *b,
		       enum alarm_state state, struct buf *out)
{
	bool treated = d->treat_missing == ALARM_BREACHING ||
		       d->treat_missing == ALARM_NOT_BREACHING;
	const char *as = d->treat_missing == ALARM_BREACHING ? "Breaching" :
							       "NonBreaching";
	uint32_t said = state == ALARM_ALARM ? b->bad : b->real - b->bad;

	if (state == ALARM_INSUFFICIENT_DATA) {
		buf_format(out, "Insufficient Data: %u datapoint%s %s unknown.",
			   d->evaluation_periods, plural(d->evaluation_periods),
			   d->evaluation_periods == 1 ? "was" : "were");
		return;
	}
	buf_text(out, "Threshold Crossed: ");
	if (said)
		put_crossed(d, b, state, out);
	else
		buf_format(out, "no datapoints were received for %u period%s",
			   b->fill, plural(b->fill));
	if (b->fill && treated)
		buf_format(out, "%s%u missing datapoint%s %s treated as [%s].",
			   said ? " " : " and ", b->fill, plural(b->fill),
			   b->fill == 1 ? "was" : "were", as);
	else if (!said)
		buf_char(out, '.');
}

/* --- the rule ------------------------------------------------------------------- */

uint32_t alarm_range(const struct alarm_definition *d)
{
	uint32_t n = d->evaluation_periods;

	/* CloudWatch does not say how many; its example has 5 for 3. */
	return n + (n / 3 > 2 ? n / 3 : 2);
}

bool alarm_breaches(const struct alarm_definition *d, double value)
{
	switch (d->comparison) {
	case ALARM_GREATER_OR_EQUAL:
		return value >= d->threshold;
	case ALARM_GREATER:
		return value > d->threshold;
	case ALARM_LESS:
		return value < d->threshold;
	case ALARM_LESS_OR_EQUAL:
		return value <= d->threshold;
	}
	return false;
}

/* The newest `most` real points; *oldest_bad is the age of the oldest bad one,
 * the newest point having age 1. */
static struct basis look(const struct alarm_definition *d,
			 const struct alarm_point *points, uint32_t most,
			 uint32_t *oldest_bad)
{
	struct basis b = { .points = points, .range = alarm_range(d) };

	*oldest_bad = 0;
	for (uint32_t age = 1; age <= b.range && b.real < most; age++) {
		const struct alarm_point *p = &points[b.range - age];

		if (!p->present)
			continue;
		b.real++;
		if (alarm_breaches(d, p->value)) {
			b.bad++;
			*oldest_bad = age;
		}
	}
	b.fill = d->evaluation_periods - b.real;
	return b;
}

/* Step 3 of the rule, policies missing and ignore: fewer than N real points. */
static enum alarm_state judge_few(const struct alarm_definition *d,
				  const struct basis *b, uint32_t oldest_bad,
				  enum alarm_state previous)
{
	bool ignore = d->treat_missing == ALARM_IGNORE;

	if (b->real == 0)
		return ignore ? previous : ALARM_INSUFFICIENT_DATA;
	if (b->bad >= needed(d))
		return ALARM_ALARM;
	if (b->bad < b->real)
		return ALARM_OK;
	if (!ignore && oldest_bad >= needed(d))
		return ALARM_ALARM;
	return previous;
}

enum alarm_state alarm_judge(const struct alarm_definition *d,
			     const struct alarm_point *points,
			     enum alarm_state previous, struct buf *reason)
{
	uint32_t n = d->evaluation_periods, m = needed(d), oldest_bad;
	enum alarm_state state;
	struct basis b;

	assert(n >= 1 && m >= 1 && m <= n);
	/* With N real points in the range the newest N are judged, whether
	 * they are the last N or not: steps 1 and 2 of the rule in one. */
	b = look(d, points, n, &oldest_bad);
	if (b.fill == 0 || d->treat_missing == ALARM_NOT_BREACHING)
		state = b.bad >= m ? ALARM_ALARM : ALARM_OK;
	else if (d->treat_missing == ALARM_BREACHING)
		state = b.bad + b.fill >= m ? ALARM_ALARM : ALARM_OK;
	else
		state = judge_few(d, &b, oldest_bad, previous);
	if (reason)
		put_reason(d, &b, state, reason);
	return state;
}
