/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/check.h"

#include <assert.h>
#include <math.h>

#include "core/codec/json.h"

static bool invalid(struct fault *f, struct sv message)
{
	*f = (struct fault){ SV("InvalidParameterValue"), message };
	return false;
}

static bool missing(struct fault *f, struct sv message)
{
	*f = (struct fault){ SV("MissingParameter"), message };
	return false;
}

/* UTF-8 without control characters, from 1 to max bytes, not blank. */
static bool text_ok(struct sv s, size_t max)
{
	bool blank = true;

	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		blank &= c == ' ';
	}
	return !blank && sv_is_utf8(s);
}

/* Letters, digits and what else is in `also`; 1 to max bytes. */
static bool word_ok(struct sv s, size_t max, const char *also)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z'))
			continue;
		if (!c || !strchr(also, c))
			return false;
	}
	return true;
}

static bool time_ok(int64_t ns)
{
	return ns > 0 && ns < RECORD_TIME_NS_MAX;
}

bool segment_record_check(struct segment_record *r, struct arena *arena,
			  struct fault *f)
{
	struct json_doc *doc;
	int err;

	if (r->document.len == 0)
		return missing(f, SV("document: a segment document is needed"));
	if (r->document.len > SEGMENT_BYTES_MAX)
		return invalid(f, SV("document: longer than 64 KB"));
	doc = arena_new(arena, struct json_doc);
	err = doc ? json_parse(doc, arena, r->document, NULL) : ERR_NOMEM;
	if (err == ERR_NOMEM) {
		*f = (struct fault){ 0 };
		return false;
	}
	if (err || !json_is(json_root(doc), JSON_OBJECT)) {
		*f = (struct fault){ SV("ParseError"),
				     SV("document: not a JSON object") };
		return false;
	}
	r->parsed = doc;
	return true;
}

bool unit_is_known(struct sv unit)
{
	static const char *const units[] = {
		"None",
		"Count",
		"Milliseconds",
		"Seconds",
		"Microseconds",
		"Bytes",
		"Kilobytes",
		"Megabytes",
		"Gigabytes",
		"Terabytes",
		"Bits",
		"Kilobits",
		"Megabits",
		"Gigabits",
		"Terabits",
		"Percent",
		"Bytes/Second",
		"Kilobytes/Second",
		"Megabytes/Second",
		"Gigabytes/Second",
		"Terabytes/Second",
		"Bits/Second",
		"Kilobits/Second",
		"Megabits/Second",
		"Gigabits/Second",
		"Terabits/Second",
		"Count/Second",
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (sv_eq(unit, sv_from(units[i])))
			return true;
	return false;
}

static int dimension_cmp(const struct dimension *a, const struct dimension *b)
{
	int c = sv_cmp(a->name, b->name);

	return c ? c : sv_cmp(a->value, b->value);
}

void dimensions_sort(struct dimension *d, size_t count)
{
	assert(count <= DIMENSIONS_MAX);
	for (size_t i = 1; i < count; i++) {
		struct dimension one = d[i];
		size_t at = i;

		for (; at && dimension_cmp(&one, &d[at - 1]) < 0; at--)
			d[at] = d[at - 1];
		d[at] = one;
	}
}

static bool dimensions_check(const struct datum *d, struct fault *f)
{
	if (d->dimension_count > DIMENSIONS_MAX)
		return invalid(f, SV("dimensions: more than 30"));
	for (size_t i = 0; i < d->dimension_count; i++) {
		const struct dimension *one = &d->dimensions[i];
		int order = i ? sv_cmp(one[-1].name, one->name) : -1;

		if (!text_ok(one->name, DIMENSION_NAME_MAX) ||
		    one->name.ptr[0] == ':')
			return invalid(f, SV("dimensions: a name must have 1 "
					     "to 255 bytes of UTF-8 without "
					     "control characters, and no colon "
					     "in front"));
		if (!text_ok(one->value, DIMENSION_VALUE_MAX))
			return invalid(f, SV("dimensions: a value must have 1 "
					     "to 1024 bytes of UTF-8 without "
					     "control characters"));
		if (order == 0)
			return invalid(f, SV("dimensions: a name is given "
					     "twice"));
		assert(order < 0);
	}
	return true;
}

/* CloudWatch: -2^360 to 2^360, no NaN, no infinity. */
static bool value_ok(double v)
{
	return isfinite(v) && fabs(v) <= 0x1p360;
}

static bool statistics_check(const struct datum *d, struct fault *f)
{
	if (!value_ok(d->sample_count) || !value_ok(d->sum) ||
	    !value_ok(d->minimum) || !value_ok(d->maximum))
		return invalid(f, SV("statistics: a number is not finite or "
				     "outside of +-2^360"));
	if (d->sample_count <= 0)
		return invalid(f, SV("statistics: sample_count must be above "
				     "0"));
	if (d->minimum > d->maximum)
		return invalid(f, SV("statistics: minimum is above maximum"));
	return true;
}

static bool values_check(const struct datum *d, struct fault *f)
{
	if (d->value_count > DATUM_VALUES_MAX)
		return invalid(f, SV("values: more than 150"));
	for (size_t i = 0; i < d->value_count; i++) {
		if (!value_ok(d->values[i]))
			return invalid(f, SV("values: a number is not finite "
					     "or outside of +-2^360"));
		if (d->counts && (!value_ok(d->counts[i]) || d->counts[i] <= 0))
			return invalid(f, SV("counts: every one must be "
					     "finite and above 0"));
	}
	return true;
}

bool datum_check(const struct datum *d, struct fault *f)
{
	if (d->ns.len == 0)
		return missing(f, SV("namespace: is needed"));
	if (!word_ok(d->ns, METRIC_NAME_MAX, ".-_/#: ") || d->ns.ptr[0] == ':')
		return invalid(f, SV("namespace: must have 1 to 255 of A-Z a-z "
				     "0-9 . - _ / # : and spaces, and no colon "
				     "in front"));
	if (d->name.len == 0)
		return missing(f, SV("name: is needed"));
	if (!text_ok(d->name, METRIC_NAME_MAX))
		return invalid(f, SV("name: must have 1 to 255 bytes of UTF-8 "
				     "without control characters"));
	if (!dimensions_check(d, f))
		return false;
	if (!time_ok(d->time_ns))
		return invalid(f, SV("time_ns: must be after 1970 and before "
				     "2100"));
	if (!unit_is_known(d->unit))
		return invalid(f, SV("unit: is none of CloudWatch's"));
	if (d->resolution_s != 1 && d->resolution_s != 60)
		return invalid(f, SV("resolution_s: must be 1 or 60"));
	if (d->has_statistics && d->value_count) {
		*f = (struct fault){ SV("InvalidParameterCombination"),
				     SV("values and statistics: only one of "
					"them can be given") };
		return false;
	}
	if (d->has_statistics)
		return statistics_check(d, f);
	if (d->value_count == 0)
		return missing(f, SV("values or statistics: one of them is "
				     "needed"));
	return values_check(d, f);
}

bool log_event_check(const struct log_event *e, struct fault *f)
{
	if (e->group.len == 0)
		return missing(f, SV("group: is needed"));
	if (!word_ok(e->group, LOG_NAME_MAX, "._-/#"))
		return invalid(f, SV("group: must have 1 to 512 of A-Z a-z 0-9 "
				     ". _ - / #"));
	if (e->stream.len == 0)
		return missing(f, SV("stream: is needed"));
	if (!text_ok(e->stream, LOG_NAME_MAX) ||
	    memchr(e->stream.ptr, ':', e->stream.len) ||
	    memchr(e->stream.ptr, '*', e->stream.len))
		return invalid(f, SV("stream: must have 1 to 512 bytes of "
				     "UTF-8 without : * and control "
				     "characters"));
	if (!time_ok(e->time_ns))
		return invalid(f, SV("time_ns: must be after 1970 and before "
				     "2100"));
	if (e->message.len > LOG_MESSAGE_MAX)
		return invalid(f, SV("message: longer than 1 MB"));
	if (!sv_is_utf8(e->message))
		return invalid(f, SV("message: is not UTF-8"));
	return true;
}

bool usage_check(const struct usage *u, struct fault *f)
{
	if (u->id.len == 0)
		return missing(f, SV("id: is needed"));
	if (!text_ok(u->id, USAGE_ID_MAX))
		return invalid(f, SV("id: must have 1 to 128 bytes of UTF-8 "
				     "without control characters"));
	if (u->source.len == 0)
		return missing(f, SV("source: is needed"));
	if (!word_ok(u->source, USAGE_SOURCE_MAX, "._-/"))
		return invalid(f, SV("source: must have 1 to 64 of A-Z a-z 0-9 "
				     ". _ - /"));
	if (u->resource.len == 0)
		return missing(f, SV("resource: is needed"));
	if (!text_ok(u->resource, RESOURCE_MAX))
		return invalid(f, SV("resource: must have 1 to 256 bytes of "
				     "UTF-8 without control characters"));
	if (!time_ok(u->time_ns))
		return invalid(f, SV("time_ns: must be after 1970 and before "
				     "2100"));
	if (u->memory_mb < MEMORY_MB_MIN || u->memory_mb > MEMORY_MB_MAX)
		return invalid(f, SV("memory_mb: must be 128 to 10240"));
	if (u->max_memory_mb > 2 * MEMORY_MB_MAX)
		return invalid(f, SV("max_memory_mb: must be at most 20480"));
	if (u->duration_us > BILLED_MS_MAX * 1000ull)
		return invalid(f, SV("duration_us: longer than a run can be"));
	if (u->init_us > BILLED_MS_MAX * 1000ull)
		return invalid(f, SV("init_us: longer than a run can be"));
	if (u->billed_ms > BILLED_MS_MAX)
		return invalid(f, SV("billed_ms: longer than a run can be"));
	if ((unsigned)u->architecture > ARCH_ARM64)
		return invalid(f, SV("architecture: must be 0 or 1"));
	if ((unsigned)u->status > RUN_OUT_OF_MEMORY)
		return invalid(f, SV("status: must be 0 to 3"));
	if (u->trace_id.len && !word_ok(u->trace_id, USAGE_TRACE_ID_MAX, "-"))
		return invalid(f, SV("trace_id: must have at most 64 of A-Z "
				     "a-z 0-9 -"));
	return true;
}
