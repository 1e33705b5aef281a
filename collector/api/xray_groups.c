/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's groups. Default is always there and holds all traces: only its
 * insights can be set, and what is set of it is a setting, so that it counts
 * for no quota.
 */
#include "collector/api/xray_filter.h"
#include "collector/door/answer.h"
#include "core/base/hash.h"

enum { GROUP_ID_BYTES = 16, GROUP_ID_CHARS = 26 };

#define GROUP_DEFAULT SV("Default")
#define GROUP_DEFAULT_SETTING SV("group/Default")

static bool is_default(struct sv name)
{
	return sv_eq(name, GROUP_DEFAULT);
}

/* As AWS's look: 26 of A-Z and 2-7. */
static struct sv new_arn(struct request *r, struct sv name, struct wall now)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	struct buf b = BUF_INIT;
	struct hash128 h;
	char id[GROUP_ID_CHARS + 1] = "";
	struct sv arn;

	buf_sv(&b, request_id(r));
	buf_sv(&b, name);
	buf_u64(&b, (uint64_t)now.ns);
	h = hash128(buf_view(&b));
	buf_fini(&b);
	for (int i = 0; i < GROUP_ID_CHARS; i++) {
		id[i] = digits[(i < 13 ? h.high : h.low) & 31];
		if (i < 13)
			h.high >>= 5;
		else
			h.low >>= 5;
	}
	arn = control_arn(r, "group/%.*s/%s", SV_ARG(name), id);
	return arn;
}

static bool name_fits(struct request *r, struct sv name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c < ' ' || c == '/' || c == 0x7f) {
			control_invalid(r, "GroupName must not hold '/' nor "
					   "control characters");
			return false;
		}
	}
	return true;
}

/* That it can be read, and the groups that it names are there. */
static bool filter_fits(struct api *a, struct request *r, struct sv expression)
{
	struct xray_filter_groups mine;
	struct filter filter;
	struct diag diag = { 0 };
	int e;

	xray_filter_groups(&mine, a, r);
	e = filter_parse(&filter, expression, &mine.groups, &r->arena, &diag);
	if (e == ERR_NOMEM)
		control_failed(r, e);
	else if (e)
		control_invalid(r, "FilterExpression: %s", diag.text);
	return !e;
}

static bool insights_fit(struct request *r,
			 const struct insights_configuration *c)
{
	if (!c || !c->notifications_enabled.value || c->insights_enabled.value)
		return true;
	control_invalid(r, "NotificationsEnabled may only be true where "
			   "InsightsEnabled is");
	return false;
}

/* Both members, as X-Ray answers. */
static void complete(struct insights_configuration *c)
{
	c->insights_enabled.set = true;
	c->notifications_enabled.set = true;
}

static void answer_group(struct request *r, struct xray_group *group)
{
	struct group_output out = { .group = group };

	answer_write(r, &group_output_shape, &out);
}

/* --- finding ----------------------------------------------------------------------- */

/* The name in group/NAME/ID; empty: it is none. */
static struct sv name_of_arn(const struct request *r, struct sv arn)
{
	struct sv rest, name = { NULL, 0 };

	if (!control_arn_read(r, arn, &rest) ||
	    !sv_eq(sv_cut(&rest, '/'), SV("group")))
		return name;
	return sv_cut(&rest, '/');
}

/* Which group is meant. ERR_INVALID: answered. */
static int named(struct request *r, struct sv name, struct sv arn,
		 struct sv *out)
{
	if (!name.ptr == !arn.ptr) {
		control_invalid(r, "give a GroupName or a GroupARN, and not "
				   "both");
		return ERR_INVALID;
	}
	*out = arn.ptr ? name_of_arn(r, arn) : name;
	return out->len ? 0 : ERR_NOT_FOUND;
}

static int find_default(struct api *a, struct request *r,
			struct xray_group *out, struct catalogue_item *item)
{
	int e = control_get(a, r, CATALOGUE_SETTING, GROUP_DEFAULT_SETTING,
			    &group_shape, out, item);

	if (e != ERR_NOT_FOUND)
		return e;
	*item = (struct catalogue_item){ .revision = 0 };
	*out = (struct xray_group){
		.name = GROUP_DEFAULT,
		.arn = control_arn(r, "group/Default"),
		.insights = arena_new(&r->arena, struct insights_configuration),
	};
	if (!out->insights || !out->arn.ptr)
		return ERR_NOMEM;
	complete(out->insights);
	return 0;
}

static int find(struct api *a, struct request *r, struct sv name, struct sv arn,
		struct xray_group *out, struct catalogue_item *item)
{
	struct sv which;
	int e = named(r, name, arn, &which);

	if (e)
		return e;
	e = is_default(which) ? find_default(a, r, out, item) :
				control_get(a, r, CATALOGUE_GROUP, which,
					    &group_shape, out, item);
	/* An ARN is of one that was made, not of its name. */
	return !e && arn.ptr && !sv_eq(arn, out->arn) ? ERR_NOT_FOUND : e;
}

int xray_group_find(struct api *a, struct request *r, struct sv name,
		    struct sv arn, struct xray_group *out)
{
	struct catalogue_item item;

	return find(a, r, name, arn, out, &item);
}

/* False: answered. */
static bool found(struct request *r, int e)
{
	if (e == ERR_NOT_FOUND)
		control_invalid(r, "Group not found");
	else if (e && e != ERR_INVALID)
		control_failed(r, e);
	return !e;
}

/* --- reading ----------------------------------------------------------------------- */

void api_xray_get_group(struct api *a, struct request *r)
{
	struct group_input in;
	struct xray_group group;

	if (!answer_read(r, &name_group_shape, &in))
		return;
	if (found(r, xray_group_find(a, r, in.name, in.arn, &group)))
		answer_group(r, &group);
}

bool xray_no_token(struct request *r, struct sv token)
{
	if (!token.ptr)
		return true;
	control_invalid(r, "The NextToken is not one that this request was "
			   "answered with");
	return false;
}

void api_xray_get_groups(struct api *a, struct request *r)
{
	struct groups_output out = { .groups = { .set = true } };
	struct catalogue_item *items, item;
	struct page_input in;
	size_t count;
	bool more;
	int e;

	if (!answer_read(r, &get_groups_shape, &in) ||
	    !xray_no_token(r, in.next_token))
		return;
	e = catalogue_list(a->catalogue, &r->caller.scope, CATALOGUE_GROUP,
			   SV(""), XRAY_GROUPS_MAX, &r->arena, &items, &count,
			   &more);
	if (!e)
		out.groups.items = arena_array(&r->arena, count + 1,
					       sizeof(*out.groups.items));
	if (!e && !out.groups.items)
		e = ERR_NOMEM;
	if (!e)
		e = find_default(a, r, &out.groups.items[0], &item);
	for (size_t i = 0; i < count && !e; i++)
		e = control_read(&group_shape, items[i].value, &r->arena,
				 &out.groups.items[i + 1]);
	if (e) {
		control_failed(r, e);
		return;
	}
	out.groups.count = count + 1;
	answer_write(r, &groups_output_shape, &out);
}

/* --- changing ---------------------------------------------------------------------- */

static void answer_changed(struct api *a, struct request *r,
			   const struct catalogue_item *item)
{
	struct xray_group group;
	int e = item ? control_read(&group_shape, item->value, &r->arena,
				    &group) :
		       ERR_NOT_FOUND;

	(void)a;
	if (found(r, e))
		answer_group(r, &group);
}

void api_xray_create_group(struct api *a, struct request *r)
{
	struct group_input in;
	struct xray_group group;
	struct control_plan *p;
	struct catalogue_change *c;
	struct insights_configuration none = { { false, true },
					       { false, true } };

	if (!answer_read(r, &create_group_shape, &in) ||
	    !name_fits(r, in.name) ||
	    !filter_fits(a, r, in.filter_expression) ||
	    !insights_fit(r, in.insights) ||
	    !xray_tags_check(r, in.tags.items, in.tags.count))
		return;
	if (is_default(in.name)) {
		control_invalid(r, "Default is a reserved name");
		return;
	}
	p = control_plan(r);
	if (!p)
		return;
	group = (struct xray_group){
		.name = in.name,
		.arn = new_arn(r, in.name, env_wall(a->env)),
		.filter_expression = in.filter_expression,
		.insights = in.insights ? in.insights : &none,
	};
	complete(group.insights);
	p->kind = CATALOGUE_GROUP;
	p->name = in.name;
	p->answer = answer_changed;
	p->refused[CATALOGUE_EXISTS] =
		(struct control_error){ "InvalidRequestException",
					"A group of this name already exists" };
	p->refused[CATALOGUE_LIMIT] = (struct control_error){
		"InvalidRequestException",
		"There are 25 groups, as many as there may be"
	};
	c = control_put(p, CATALOGUE_GROUP, in.name,
			control_write(&group_shape, &group, &r->arena));
	c->condition = CATALOGUE_IF_ABSENT;
	c->limit = XRAY_GROUPS_MAX;
	if (in.tags.count) {
		struct xray_tags tags;

		tags.tags.items = in.tags.items;
		tags.tags.count = in.tags.count;
		tags.tags.set = true;
		control_put(p, CATALOGUE_TAGS, group.arn,
			    control_write(&tags_shape, &tags, &r->arena));
	}
	control_submit(a, r, p);
}

static void merge_insights(struct insights_configuration *into,
			   const struct insights_configuration *from)
{
	if (from && from->insights_enabled.set)
		into->insights_enabled = from->insights_enabled;
	if (from && from->notifications_enabled.set)
		into->notifications_enabled = from->notifications_enabled;
}

void api_xray_update_group(struct api *a, struct request *r)
{
	struct group_input in;
	struct xray_group group;
	struct catalogue_item item;
	struct control_plan *p;
	struct catalogue_change *c;

	if (!answer_read(r, &update_group_shape, &in) ||
	    !filter_fits(a, r, in.filter_expression) ||
	    !found(r, find(a, r, in.name, in.arn, &group, &item)))
		return;
	if (is_default(group.name) && in.filter_expression.ptr) {
		control_invalid(r, "The group Default takes no "
				   "FilterExpression: it holds all traces");
		return;
	}
	if (in.filter_expression.ptr)
		group.filter_expression = in.filter_expression;
	merge_insights(group.insights, in.insights);
	if (!insights_fit(r, group.insights))
		return;
	p = control_plan(r);
	if (!p)
		return;
	p->kind = is_default(group.name) ? CATALOGUE_SETTING : CATALOGUE_GROUP;
	p->name = is_default(group.name) ? GROUP_DEFAULT_SETTING : group.name;
	p->answer = answer_changed;
	p->again = api_xray_update_group;
	c = control_put(p, p->kind, p->name,
			control_write(&group_shape, &group, &r->arena));
	c->condition = CATALOGUE_IF_REVISION;
	c->revision = item.revision;
	control_submit(a, r, p);
}

static void answer_deleted(struct api *a, struct request *r,
			   const struct catalogue_item *item)
{
	(void)a;
	(void)item;
	answer_write(r, NULL, NULL);
}

void api_xray_delete_group(struct api *a, struct request *r)
{
	struct group_input in;
	struct xray_group group;
	struct control_plan *p;

	if (!answer_read(r, &name_group_shape, &in) ||
	    !found(r, xray_group_find(a, r, in.name, in.arn, &group)))
		return;
	if (is_default(group.name)) {
		control_invalid(r, "The group Default cannot be deleted");
		return;
	}
	p = control_plan(r);
	if (!p)
		return;
	p->answer = answer_deleted;
	p->refused[CATALOGUE_MISSING] =
		(struct control_error){ "InvalidRequestException",
					"Group not found" };
	control_delete(p, CATALOGUE_GROUP, group.name)->condition =
		CATALOGUE_IF_PRESENT;
	control_delete(p, CATALOGUE_TAGS, group.arn);
	control_submit(a, r, p);
}
