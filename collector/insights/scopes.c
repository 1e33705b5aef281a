/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/insights/scopes.h"

#include "collector/api/xray_shapes.h"
#include "collector/insights/watch.h"
#include "core/base/log.h"
#include "core/smithy/message.h"

struct loading {
	struct arena *arena;
	struct watched *out;
	int err;
};

static bool is_scope(const struct scope *a, const struct scope *b)
{
	return a->account == b->account && !strcmp(a->region, b->region);
}

/* NULL: an error is noted. */
static struct watched_scope *need_scope(struct loading *l,
					const struct scope *scope)
{
	struct watched *out = l->out;
	struct watched_scope *s;

	for (size_t i = out->count; i > 0; i--)
		if (is_scope(&out->scopes[i - 1].scope, scope))
			return &out->scopes[i - 1];
	if (out->count == WATCH_SCOPES_MAX) {
		l->err = ERR_LIMIT;
		return NULL;
	}
	s = &out->scopes[out->count];
	*s = (struct watched_scope){
		.scope = *scope,
		.groups = arena_array(l->arena, GROUPS_OF_SCOPE_MAX,
				      sizeof(*s->groups)),
		.active = arena_array(l->arena, GROUPS_OF_SCOPE_MAX,
				      sizeof(*s->active)),
	};
	if (!s->groups || !s->active) {
		l->err = ERR_NOMEM;
		return NULL;
	}
	out->count++;
	return s;
}

/* What is damaged is passed over. */
static bool read_value(struct loading *l, const struct shape *shape,
		       const struct catalogue_item *item, void *out)
{
	struct sv value = arena_copy(l->arena, item->value);
	struct shape_fault fault;
	struct diag diag;

	return value.ptr && !aws_message_read(AWS_REST_JSON, shape, value,
					      l->arena, out, &fault, &diag);
}

/* Its expression is parsed once all groups are there: it may name another. */
static void add_group(struct loading *l, const struct scope *scope,
		      const struct xray_group *group)
{
	struct watched_scope *s = need_scope(l, scope);
	struct group_minute *g;

	if (!s || s->group_count == GROUPS_OF_SCOPE_MAX)
		return;
	g = &s->groups[s->group_count++];
	g->name = group->name;
	g->arn = group->arn;
	g->expression = group->filter_expression;
	g->insights = group->insights &&
		      group->insights->insights_enabled.value;
}

static void load_group(void *arg, const struct scope *scope,
		       const struct catalogue_item *item)
{
	struct loading *l = arg;
	struct xray_group group;

	if (!l->err && read_value(l, &group_shape, item, &group))
		add_group(l, scope, &group);
}

static void load_default(void *arg, const struct scope *scope,
			 const struct catalogue_item *item)
{
	struct loading *l = arg;
	struct xray_group group;

	if (!l->err && sv_eq(item->name, SV("group/Default")) &&
	    read_value(l, &group_shape, item, &group) && group.insights &&
	    group.insights->insights_enabled.value)
		add_group(l, scope, &group);
}

static void load_insight(void *arg, const struct scope *scope,
			 const struct catalogue_item *item)
{
	struct loading *l = arg;
	struct arena_mark mark = arena_mark(l->arena);
	struct watched_scope *s;
	struct insight insight;

	if (l->err)
		return;
	if (!read_value(l, &insight_stored_shape, item, &insight) ||
	    !sv_eq(insight.state, SV("ACTIVE"))) {
		arena_rollback(l->arena, mark);
		return;
	}
	s = need_scope(l, scope);
	if (s && s->active_count < GROUPS_OF_SCOPE_MAX)
		s->active[s->active_count++] = insight;
}

/* --- expressions ------------------------------------------------------------------- */

static bool find_group(void *arg, struct sv name, struct sv arn,
		       struct sv *expression)
{
	const struct watched_scope *s = arg;

	for (size_t i = 0; i < s->group_count; i++)
		if ((name.len && sv_eq(s->groups[i].name, name)) ||
		    (arn.len && sv_eq(s->groups[i].arn, arn))) {
			*expression = s->groups[i].expression;
			return true;
		}
	return false;
}

/* One that cannot be read any more, since a group that it names is gone, holds
 * nothing. */
static void parse(struct watched_scope *s, struct arena *arena)
{
	const struct filter_groups groups = { find_group, s };
	size_t kept = 0;

	for (size_t i = 0; i < s->group_count; i++) {
		struct group_minute *g = &s->groups[i];
		struct diag diag = { 0 };

		if (!filter_parse(&g->filter, g->expression, &groups, arena,
				  &diag))
			s->groups[kept++] = *g;
		else
			log_warn("insights", "group %.*s: %s", SV_ARG(g->name),
				 diag.text);
	}
	s->group_count = kept;
}

int watched_load(struct catalogue *c, struct arena *arena, struct watched *out)
{
	struct loading l = { .arena = arena, .out = out };
	int e;

	*out = (struct watched){
		.scopes = arena_array(arena, WATCH_SCOPES_MAX,
				      sizeof(*out->scopes)),
	};
	if (!out->scopes)
		return ERR_NOMEM;
	e = catalogue_each(c, CATALOGUE_GROUP, load_group, &l);
	if (!e)
		e = catalogue_each(c, CATALOGUE_SETTING, load_default, &l);
	if (!e)
		e = catalogue_each(c, CATALOGUE_INSIGHT, load_insight, &l);
	for (size_t i = 0; i < out->count && !e && !l.err; i++)
		parse(&out->scopes[i], arena);
	return e ? e : l.err;
}
