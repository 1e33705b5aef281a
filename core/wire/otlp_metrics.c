/* SPDX-License-Identifier: Apache-2.0 */
/* Data points: see otlp.h. */
#include <math.h>

#include "core/codec/json_write.h"
#include "core/wire/check.h"
#include "core/wire/otlp_points.h"
#include "core/wire/otlp_text.h"
#include "core/wire/otlp_walk.h"

/* --- a point's dimensions ----------------------------------------------------------- */

/* A number or truth value as text, in the arena. */
static struct sv scalar_text(struct arena *arena,
			     const struct otlp_value *value)
{
	struct buf text = BUF_INIT;
	struct json_writer w = json_writer(&text);
	struct sv out;

	if (value->kind == VALUE_STRING)
		return value->bytes;
	otlp_value_write(&w, value);
	out = arena_copy(arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

/* OTLP_OK, OTLP_BAD_NAME, ERR_NOMEM. Empty texts are no dimensions. */
static int read_dimensions(struct arena *arena, const struct point *p,
			   struct datum *out)
{
	struct protobuf r = protobuf_reader(p->bytes);
	struct dimension *list = arena_array(
		arena,
		p->attribute_count < DIMENSIONS_MAX ? p->attribute_count :
						      DIMENSIONS_MAX,
		sizeof(*list));
	struct protobuf_field f;
	struct otlp_value value;
	struct sv key;

	if (!list)
		return ERR_NOMEM;
	while (protobuf_next(&r, &f) > 0) {
		struct sv text;

		if (f.number != p->attributes)
			continue;
		if (!otlp_attribute_read(f.bytes, &key, &value) ||
		    !otlp_is_scalar(&value))
			return OTLP_BAD_NAME;
		text = scalar_text(arena, &value);
		if (!text.ptr)
			return ERR_NOMEM;
		if (!text.len)
			continue;
		if (out->dimension_count == DIMENSIONS_MAX)
			return OTLP_BAD_NAME;
		list[out->dimension_count++] = (struct dimension){ key, text };
	}
	dimensions_sort(list, out->dimension_count);
	out->dimensions = list;
	return OTLP_OK;
}

/* --- names --------------------------------------------------------------------------- */

/* UCUM's names of what CloudWatch has units for. */
static struct sv unit_of(struct sv unit)
{
	static const struct {
		struct sv from, to;
	} rows[] = {
		{ SV_INIT("s"), SV_INIT("Seconds") },
		{ SV_INIT("ms"), SV_INIT("Milliseconds") },
		{ SV_INIT("us"), SV_INIT("Microseconds") },
		{ SV_INIT("By"), SV_INIT("Bytes") },
		{ SV_INIT("kBy"), SV_INIT("Kilobytes") },
		{ SV_INIT("MBy"), SV_INIT("Megabytes") },
		{ SV_INIT("GBy"), SV_INIT("Gigabytes") },
		{ SV_INIT("TBy"), SV_INIT("Terabytes") },
		{ SV_INIT("bit"), SV_INIT("Bits") },
		{ SV_INIT("%"), SV_INIT("Percent") },
		{ SV_INIT("By/s"), SV_INIT("Bytes/Second") },
		{ SV_INIT("bit/s"), SV_INIT("Bits/Second") },
		{ SV_INIT("1/s"), SV_INIT("Count/Second") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sv_eq(unit, rows[i].from))
			return rows[i].to;
	if (unit.len && unit.ptr[0] == '{') /* "{request}" */
		return SV("Count");
	return unit_is_known(unit) ? unit : SV("None");
}

/* "service.namespace/service.name" */
static struct sv namespace_of(struct arena *arena, struct sv resource)
{
	struct sv space = otlp_text_of(resource, RESOURCE_ATTRIBUTES,
				       SV("service.namespace"));
	struct sv name =
		otlp_text_of(resource, RESOURCE_ATTRIBUTES, SV("service.name"));
	struct buf both = BUF_INIT;
	struct sv out;

	if (!name.len)
		name = SV("OpenTelemetry");
	if (space.len) {
		buf_sv(&both, space);
		buf_char(&both, '/');
	}
	out = both.failed ? (struct sv){ NULL, 0 } :
			    otlp_word(arena, buf_view(&both), name,
				      ".-_/#: ", METRIC_NAME_MAX);
	buf_fini(&both);
	return out;
}

/* --- points to data ------------------------------------------------------------------- */

struct taking {
	struct arena *arena;
	struct records *records;
	struct otlp_refused *refused;
	struct wall received;
	const struct span_source *source; /* whose namespace this is */
	struct sv ns;
	double *values; /* one for each point */
	size_t value_count;
	size_t points;
};

static int make_datum(struct taking *t, const struct metric *m,
		      const struct point *p, struct datum *out)
{
	struct fault fault;
	int why;

	*out = (struct datum){ .ns = t->ns,
			       .name = m->name,
			       .time_ns = (int64_t)p->time_ns,
			       .unit = unit_of(m->unit),
			       .resolution_s = 60 };
	if (p->has_value) {
		t->values[t->value_count] = p->value;
		out->values = &t->values[t->value_count++];
		out->value_count = 1;
	} else {
		out->has_statistics = true;
		out->sample_count = (double)p->count;
		out->sum = p->sum;
		out->minimum = p->min;
		out->maximum = p->max;
	}
	why = read_dimensions(t->arena, p, out);
	if (why)
		return why;
	why = otlp_judge_time(out->time_ns, t->received);
	if (why || datum_check(out, &fault))
		return why;
	return isfinite(p->value) && fabs(p->value) <= 0x1p360 &&
			       isfinite(p->sum) && isfinite(p->min) &&
			       isfinite(p->max) ?
		       OTLP_BAD_NAME :
		       OTLP_BAD_VALUE;
}

static int take_point(void *arg, const struct metric *m, const struct point *p,
		      int refusal)
{
	struct taking *t = arg;
	struct datum *out = &t->records->data[t->records->datum_count];
	int why = refusal;

	if (!why && p->time_ns > INT64_MAX)
		why = OTLP_BAD_TIME;
	if (!why && p->empty) {
		t->refused->counts[OTLP_OK]++;
		return 0; /* there is nothing to store */
	}
	if (!why)
		why = make_datum(t, m, p, out);
	if (why < 0)
		return why;
	t->refused->counts[why]++;
	t->records->datum_count += !why;
	return 0;
}

static int take_metric(void *arg, const struct span_source *source, int refusal,
		       struct sv bytes)
{
	struct taking *t = arg;

	if (t->source != source) {
		t->ns = namespace_of(t->arena, source->resource);
		t->source = source;
		if (!t->ns.ptr)
			return ERR_NOMEM;
	}
	return otlp_points(bytes, refusal, take_point, t);
}

static int count_metric(void *arg, const struct span_source *source,
			int refusal, struct sv bytes)
{
	struct taking *t = arg;

	(void)source;
	(void)refusal;
	t->points += otlp_points_count(bytes);
	return t->points > OTLP_RECORDS_MAX ? ERR_LIMIT : 0;
}

int otlp_metrics_decode(struct arena *arena, struct sv body,
			struct wall received, struct records *out,
			struct otlp_refused *refused, struct diag *diag)
{
	struct taking t = { .arena = arena,
			    .records = out,
			    .refused = refused,
			    .received = received };
	struct arena_mark mark = arena_mark(arena);
	int e = otlp_walk(arena, body, count_metric, &t);

	arena_rollback(arena, mark);
	*refused = (struct otlp_refused){ 0 };
	out->datum_count = 0;
	if (e)
		return otlp_walk_fail(diag, e);
	out->data = arena_array(arena, t.points + 1, sizeof(*out->data));
	t.values = arena_array(arena, t.points + 1, sizeof(*t.values));
	if (!out->data || !t.values)
		return ERR_NOMEM;
	return otlp_walk_fail(diag, otlp_walk(arena, body, take_metric, &t));
}
