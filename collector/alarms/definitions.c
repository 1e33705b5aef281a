/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "collector/alarms/state.h"

bool alarm_text_copy(struct arena *arena, struct sv from, struct sv *to)
{
	*to = arena_copy(arena, from.ptr ? from : SV(""));
	return to->ptr != NULL;
}

bool definition_copy(struct arena *arena, const struct alarm_definition *from,
		     struct alarm_definition *to)
{
	struct dimension *dims =
		arena_array(arena, from->dimension_count, sizeof(*dims));

	*to = *from;
	to->dimensions = dims;
	if (!dims || !alarm_text_copy(arena, from->name, &to->name) ||
	    !alarm_text_copy(arena, from->ns, &to->ns) ||
	    !alarm_text_copy(arena, from->metric, &to->metric) ||
	    !alarm_text_copy(arena, from->statistic, &to->statistic) ||
	    !alarm_text_copy(arena, from->webhook, &to->webhook))
		return false;
	for (size_t i = 0; i < from->dimension_count; i++)
		if (!alarm_text_copy(arena, from->dimensions[i].name,
				     &dims[i].name) ||
		    !alarm_text_copy(arena, from->dimensions[i].value,
				     &dims[i].value))
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct alarm_definition *x = a, *y = b;

	return sv_cmp(x->name, y->name);
}

void definitions_free(struct definitions *d)
{
	if (d) {
		arena_fini(&d->arena);
		free(d);
	}
}

static int definitions_check(const struct definitions *d, struct diag *diag)
{
	for (size_t i = 0; i < d->count; i++) {
		int e = alarm_definition_check(&d->list[i], diag);

		if (e)
			return e;
		if (i && sv_eq(d->list[i - 1].name, d->list[i].name))
			return diag_set(diag, ERR_INVALID,
					"two alarms are called %.*s",
					SV_ARG(d->list[i].name));
	}
	return 0;
}

int definitions_new(const struct alarm_definition *list, size_t count,
		    struct definitions **out, struct diag *diag)
{
	struct definitions *d;
	int e;

	if (count > ALARMS_MAX)
		return diag_set(diag, ERR_LIMIT, "%zu alarms, at most %d",
				count, ALARMS_MAX);
	d = calloc(1, sizeof(*d));
	if (!d)
		return ERR_NOMEM;
	d->refs = 1;
	d->list = arena_array(&d->arena, count, sizeof(*d->list));
	for (size_t i = 0; d->list && i < count; i++, d->count++)
		if (!definition_copy(&d->arena, &list[i], &d->list[i]))
			break;
	if (!d->list || d->count < count) {
		definitions_free(d);
		return ERR_NOMEM;
	}
	if (count)
		qsort(d->list, count, sizeof(*d->list), by_name);
	e = definitions_check(d, diag);
	if (e) {
		definitions_free(d);
		return e;
	}
	*out = d;
	return 0;
}

const struct alarm_definition *definition_find(const struct definitions *d,
					       struct sv name)
{
	const struct alarm_definition key = { .name = name };

	if (!d->count)
		return NULL;
	return bsearch(&key, d->list, d->count, sizeof(*d->list), by_name);
}

bool alarms_defined(const struct alarms *a, struct sv name)
{
	return definition_find(a->definitions, name) != NULL;
}
