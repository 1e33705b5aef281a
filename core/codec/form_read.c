/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the tree: names and values. The parser is form.c. */
#include <assert.h>
#include <math.h>

#include "core/codec/form.h"
#include "core/codec/json.h"
#include "core/codec/time_text.h"

static const struct form none;

static const struct form_node *node_of(struct form v)
{
	assert(v.index < v.doc->count);
	return &v.doc->nodes[v.index];
}

struct form form_first(struct form v)
{
	if (!v.doc || node_of(v)->count == 0)
		return none;
	return (struct form){ v.doc, v.index + 1 };
}

struct form form_next(struct form v, struct form it)
{
	uint32_t next;

	if (!it.doc)
		return none;
	next = node_of(it)->next;
	return next < node_of(v)->next ? (struct form){ it.doc, next } : none;
}

struct form form_get(struct form v, struct sv name)
{
	for (struct form it = form_first(v); it.doc; it = form_next(v, it))
		if (sv_eq(node_of(it)->name, name))
			return it;
	return none;
}

struct form form_at(struct form v, struct sv path)
{
	while (path.ptr)
		v = form_get(v, sv_cut(&path, '.'));
	return v;
}

uint32_t form_count(struct form v)
{
	return v.doc ? node_of(v)->count : 0;
}

struct sv form_name(struct form v)
{
	return v.doc ? node_of(v)->name : (struct sv){ NULL, 0 };
}

struct sv form_value(struct form v)
{
	return v.doc ? node_of(v)->value : (struct sv){ NULL, 0 };
}

bool form_to_i64(struct form v, int64_t *out)
{
	return sv_to_i64(form_value(v), out);
}

static bool skip_digits(struct sv s, size_t *i)
{
	size_t start = *i;

	while (*i < s.len && s.ptr[*i] >= '0' && s.ptr[*i] <= '9')
		++*i;
	return *i > start;
}

/* RFC 8259, 6, save that zeros may stand in front. */
static bool is_number(struct sv s)
{
	size_t i = s.len && s.ptr[0] == '-';

	if (!skip_digits(s, &i))
		return false;
	if (i < s.len && s.ptr[i] == '.') {
		i++;
		if (!skip_digits(s, &i))
			return false;
	}
	if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
		i++;
		if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
			i++;
		if (!skip_digits(s, &i))
			return false;
	}
	return i == s.len;
}

bool form_to_double(struct form v, double *out)
{
	struct sv s = form_value(v);
	struct json_node node = { .len = (uint32_t)s.len,
				  .next = 1,
				  .type = JSON_NUMBER };
	const struct json_doc doc = { s, &node, 1 };

	if (is_number(s))
		return json_to_double(json_root(&doc), out);
	if (sv_eq(s, SV("NaN")))
		*out = (double)NAN;
	else if (sv_eq(s, SV("Infinity")))
		*out = (double)INFINITY;
	else if (sv_eq(s, SV("-Infinity")))
		*out = -(double)INFINITY;
	else
		return false;
	return true;
}

bool form_to_bool(struct form v, bool *out)
{
	*out = sv_eq(form_value(v), SV("true"));
	return *out || sv_eq(form_value(v), SV("false"));
}

bool form_to_ns(struct form v, int64_t *out)
{
	return time_from_text(form_value(v), out);
}
