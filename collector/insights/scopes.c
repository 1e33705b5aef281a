/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/insights/scopes.h"

#include "collector/api/xray_shapes.h"
#include "core/base/log.h"
#include "core/smithy/message.h"

/* --- whose ------------------------------------------------------------------------- */

struct listing {
	struct scope *scopes;
	size_t count, max;
	bool more;
};

static bool is_same(const struct scope *a, const struct scope *b)
{
	return a->account == b->account && !strcmp(a->region, b->region);
}

static void add_scope(void *arg, const struct scope *scope)
{
	struct listing *l = arg;

	for (size_t i = 0; i < l->count; i++)
		if (is_same(&l->scopes[i], scope))
			return;
	l->more |= l->count == l->max;
	if (l->count < l->max)
		l->scopes[l->count++] = *scope;
}

int watched_scopes(struct catalogue *c, size_t max, struct arena *arena,
		   struct scope **out, size_t *count, bool *more)
{
	static const enum catalogue_kind kinds[] = { CATALOGUE_GROUP,
						     CATALOGUE_SETTING,
						     CATALOGUE_INSIGHT };
	struct listing l = {
		.scopes = arena_array(arena, max, sizeof(*l.scopes)),
		.max = max,
	};
	int e = l.scopes ? 0 : ERR_NOMEM;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !e; i++)
		e = catalogue_scopes(c, kinds[i], add_scope, &l);
	*out = l.scopes;
	*count = l.count;
	*more = l.more;
	return e;
}

/* --- groups ------------------------------------------------------------------------ */

/* What is damaged is passed over. */
static bool read_value(const struct shape *shape,
		       const struct catalogue_item *item, struct arena *arena,
		       void *out)
{
	struct shape_fault fault;
	struct diag diag;

	return !aws_message_read(AWS_REST_JSON, shape, item->value, arena, out,
				 &fault, &diag);
}

static bool has_insights(const struct xray_group *g)
{
	return g->insights && g->insights->insights_enabled.value;
}

/* Its expression is parsed once all groups are there: it may name another. */
static void add_group(struct watched *w, const struct xray_group *group)
{
	if (w->group_count < GROUPS_OF_SCOPE_MAX)
		w->groups[w->group_count++] = (struct group_minute){
			.name = group->name,
			.arn = group->arn,
			.expression = group->filter_expression,
			.insights = has_insights(group),
		};
}

static int load_groups(struct catalogue *c, struct arena *arena,
		       struct watched *w)
{
	struct catalogue_item *items, item;
	struct xray_group group;
	size_t count;
	bool more;
	int e = catalogue_list(c, &w->scope, CATALOGUE_GROUP, SV(""),
			       GROUPS_OF_SCOPE_MAX, arena, &items, &count,
			       &more);

	for (size_t i = 0; i < count && !e; i++)
		if (read_value(&group_shape, &items[i], arena, &group))
			add_group(w, &group);
	if (e)
		return e;
	e = catalogue_get(c, &w->scope, CATALOGUE_SETTING, SV("group/Default"),
			  arena, &item);
	if (!e && read_value(&group_shape, &item, arena, &group) &&
	    has_insights(&group))
		add_group(w, &group);
	return e == ERR_NOT_FOUND || e == ERR_CORRUPT ? 0 : e;
}

static bool find_group(void *arg, struct sv name, struct sv arn,
		       struct sv *expression)
{
	const struct watched *w = arg;

	for (size_t i = 0; i < w->group_count; i++)
		if ((name.len && sv_eq(w->groups[i].name, name)) ||
		    (arn.len && sv_eq(w->groups[i].arn, arn))) {
			*expression = w->groups[i].expression;
			return true;
		}
	return false;
}

/* One that cannot be read any more, since a group that it names is gone, holds
 * nothing. */
static void parse(struct watched *w, struct arena *arena)
{
	const struct filter_groups groups = { find_group, w };
	size_t kept = 0;

	for (size_t i = 0; i < w->group_count; i++) {
		struct group_minute *g = &w->groups[i];
		struct diag diag = { 0 };

		if (filter_parse(&g->filter, g->expression, &groups, arena,
				 &diag))
			log_warn("insights", "group %.*s: %s", SV_ARG(g->name),
				 diag.text);
		else
			w->groups[kept++] = *g;
	}
	w->group_count = kept;
}

/* --- insights ---------------------------------------------------------------------- */

static int load_active(struct catalogue *c, struct arena *arena,
		       struct watched *w)
{
	struct catalogue_item *items;
	size_t count;
	bool more;
	int e = catalogue_list(c, &w->scope, CATALOGUE_INSIGHT, SV(""),
			       INSIGHTS_MAX, arena, &items, &count, &more);

	for (size_t i = 0; i < count && !e; i++) {
		struct insight *insight = &w->active[w->active_count];

		if (w->active_count < GROUPS_OF_SCOPE_MAX &&
		    read_value(&insight_stored_shape, &items[i], arena,
			       insight) &&
		    sv_eq(insight->state, SV("ACTIVE")))
			w->active_count++;
	}
	return e;
}

int watched_load(struct catalogue *c, const struct scope *scope,
		 struct arena *arena, struct watched *out)
{
	int e;

	*out = (struct watched){
		.scope = *scope,
		.groups = arena_array(arena, GROUPS_OF_SCOPE_MAX,
				      sizeof(*out->groups)),
		.active = arena_array(arena, GROUPS_OF_SCOPE_MAX,
				      sizeof(*out->active)),
	};
	if (!out->groups || !out->active)
		return ERR_NOMEM;
	e = load_groups(c, arena, out);
	if (e)
		return e;
	parse(out, arena);
	return load_active(c, arena, out);
}
