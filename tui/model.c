/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model.h"

#include <math.h>
#include <stdlib.h>

#include "core/client/answer.h"

/* A copy in the arena, empty where memory ends. */
static struct sv keep(struct arena *a, struct sv text)
{
	struct sv copy = arena_copy(a, text);

	return copy.ptr ? copy : SV("");
}

/* How many of n rows are kept. */
static size_t bounded(size_t n, size_t max, size_t *left_out)
{
	*left_out = n > max ? n - max : 0;
	return n > max ? max : n;
}

/* calloc of a model, whose first member is its arena. */
static void *allocate(size_t size)
{
	struct arena *arena = calloc(1, size);

	if (arena)
		arena->limit = MODEL_BYTES_MAX;
	return arena;
}

static double number_or_nan(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void read_function(struct arena *a, const json_t *from,
			  struct function_row *row)
{
	const json_t *spark = answer_array(from, "spark");
	size_t n = json_array_size(spark);
	size_t skip = n > SPARK_MAX ? n - SPARK_MAX : 0;

	row->name = keep(a, answer_text(from, "name"));
	row->invocations = answer_number(from, "invocations");
	row->errors = answer_number(from, "errors");
	row->throttles = answer_number(from, "throttles");
	row->p50_ms = number_or_nan(from, "p50_ms");
	row->p99_ms = number_or_nan(from, "p99_ms");
	row->cost = keep(a, answer_text(from, "cost"));
	row->cost_order = strtod(answer_string(from, "cost"), NULL);
	if (!isfinite(row->cost_order))
		row->cost_order = 0;
	row->last = answer_number(from, "last");
	row->spark_count = n - skip;
	for (size_t i = skip; i < n; i++)
		row->spark[i - skip] =
			json_number_value(json_array_get(spark, i));
}

struct functions *model_functions_new(const json_t *answer)
{
	const json_t *list = answer_array(answer, "functions");
	struct functions *f = allocate(sizeof(*f));

	if (!f)
		return NULL;
	f->count = bounded(json_array_size(list), FUNCTIONS_MAX, &f->left_out);
	f->rows = arena_array(&f->arena, f->count + 1, sizeof(*f->rows));
	if (!f->rows) {
		model_functions_free(f);
		return NULL;
	}
	for (size_t i = 0; i < f->count; i++)
		read_function(&f->arena, json_array_get(list, i), &f->rows[i]);
	f->start = answer_number(answer, "start");
	f->end = answer_number(answer, "end");
	return f;
}

void model_functions_free(struct functions *f)
{
	if (f)
		arena_fini(&f->arena);
	free(f);
}

static enum alarm_state state_parse(struct sv text)
{
	if (sv_eq(text, SV("ALARM")))
		return ALARM_ALARM;
	return sv_eq(text, SV("OK")) ? ALARM_OK : ALARM_NO_DATA;
}

static int compare_alarms(const void *a, const void *b)
{
	const struct alarm_row *x = a, *y = b;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	return sv_cmp(x->name, y->name);
}

struct alarms *model_alarms_new(const json_t *answer)
{
	const json_t *list = answer_array(answer, "alarms");
	struct alarms *a = allocate(sizeof(*a));

	if (!a)
		return NULL;
	a->count = bounded(json_array_size(list), ALARMS_MAX, &a->left_out);
	a->rows = arena_array(&a->arena, a->count + 1, sizeof(*a->rows));
	if (!a->rows) {
		model_alarms_free(a);
		return NULL;
	}
	for (size_t i = 0; i < a->count; i++) {
		const json_t *from = json_array_get(list, i);
		struct alarm_row *row = &a->rows[i];

		row->name = keep(&a->arena, answer_text(from, "name"));
		row->state_text = keep(&a->arena, answer_text(from, "state"));
		row->state = state_parse(row->state_text);
		row->reason = keep(&a->arena, answer_text(from, "reason"));
		row->metric = keep(&a->arena, answer_text(from, "metric"));
		row->since = answer_number(from, "since");
		a->in_state[row->state]++;
	}
	qsort(a->rows, a->count, sizeof(*a->rows), compare_alarms);
	return a;
}

void model_alarms_free(struct alarms *a)
{
	if (a)
		arena_fini(&a->arena);
	free(a);
}

enum span_status span_status_parse(struct sv text)
{
	if (sv_eq(text, SV("fault")))
		return SPAN_FAULT;
	if (sv_eq(text, SV("error")))
		return SPAN_ERROR;
	return sv_eq(text, SV("throttle")) ? SPAN_THROTTLE : SPAN_OK;
}

static void read_trace(struct arena *a, const json_t *from,
		       struct trace_row *row)
{
	const json_t *id = json_array_get(answer_array(from, "request_ids"), 0);

	row->id = keep(a, answer_text(from, "id"));
	row->root = keep(a, answer_text(from, "root"));
	row->status_text = keep(a, answer_text(from, "status"));
	row->status = span_status_parse(row->status_text);
	row->start = answer_number(from, "start");
	row->duration_s = answer_number(from, "duration");
	row->request_id = SV("");
	if (json_is_string(id))
		row->request_id = keep(a, sv_make(json_string_value(id),
						  json_string_length(id)));
}

struct traces *model_traces_new(const json_t *answer, struct sv function)
{
	const json_t *list = answer_array(answer, "traces");
	struct traces *t = allocate(sizeof(*t));

	if (!t)
		return NULL;
	t->function = keep(&t->arena, function);
	t->count = bounded(json_array_size(list), TRACES_MAX, &t->left_out);
	t->rows = arena_array(&t->arena, t->count + 1, sizeof(*t->rows));
	if (!t->rows) {
		model_traces_free(t);
		return NULL;
	}
	for (size_t i = 0; i < t->count; i++)
		read_trace(&t->arena, json_array_get(list, i), &t->rows[i]);
	t->truncated = answer_bool(answer, "truncated");
	return t;
}

void model_traces_free(struct traces *t)
{
	if (t)
		arena_fini(&t->arena);
	free(t);
}
