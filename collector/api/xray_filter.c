/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/xray_filter.h"

#include "collector/door/answer.h"

/* In an expression a group that is not there is an error of the expression. */
static bool find_group(void *arg, struct sv name, struct sv arn,
		       struct sv *expression)
{
	struct xray_filter_groups *g = arg;
	struct xray_group group;

	if (!name.len)
		name.ptr = NULL;
	if (!arn.len)
		arn.ptr = NULL;
	if (xray_group_find(g->api, g->request, name, arn, &group))
		return false;
	*expression = group.filter_expression;
	return true;
}

void xray_filter_groups(struct xray_filter_groups *g, struct api *a,
			struct request *r)
{
	*g = (struct xray_filter_groups){ .api = a, .request = r };
	g->groups = (struct filter_groups){ .find = find_group, .arg = g };
}

bool xray_group_filter(struct api *a, struct request *r, struct sv name,
		       struct sv arn, struct filter *out, bool *any)
{
	struct xray_filter_groups groups;
	struct xray_group group;
	struct diag diag = { 0 };
	int e;

	*any = !name.ptr && !arn.ptr;
	if (*any)
		return true;
	e = xray_group_find(a, r, name, arn, &group);
	if (e == ERR_NOT_FOUND)
		control_invalid(r, "Group not found");
	else if (e && e != ERR_INVALID)
		control_failed(r, e);
	if (e)
		return false;
	xray_filter_groups(&groups, a, r);
	e = filter_parse(out, group.filter_expression, &groups.groups,
			 &r->arena, &diag);
	if (e == ERR_NOMEM)
		control_failed(r, e);
	else if (e)
		control_invalid(r, "The group's FilterExpression: %s",
				diag.text);
	*any = !e && !out->count;
	return !e;
}
