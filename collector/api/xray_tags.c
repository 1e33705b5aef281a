/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of X-Ray's groups and sampling rules: one list for each ARN. */
#include "collector/api/xray.h"
#include "collector/api/sampling.h"
#include "collector/door/answer.h"

/* The letters, numbers and separators of Unicode are taken as they are: what
 * is not ASCII is one of them here. */
static bool is_tag_char(unsigned char c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr(" +-=._:/@", c));
}

static bool tag_fits(struct request *r, const struct xray_tag *tag)
{
	if (sv_starts(tag->key, SV("aws:"))) {
		control_invalid(r, "Tag keys that begin with aws: are "
				   "reserved");
		return false;
	}
	for (size_t i = 0; i < tag->key.len + tag->value.len; i++) {
		unsigned char c =
			(unsigned char)(i < tag->key.len ?
						tag->key.ptr[i] :
						tag->value
							.ptr[i - tag->key.len]);

		if (!is_tag_char(c)) {
			control_invalid(r, "Tags take letters, digits, blanks "
					   "and + - = . _ : / @");
			return false;
		}
	}
	return true;
}

bool xray_tags_check(struct request *r, const struct xray_tag *tags,
		     size_t count)
{
	if (count > XRAY_TAGS_MAX) {
		answer_error(r, "TooManyTagsException",
			     "A resource has at most 50 tags");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!tag_fits(r, &tags[i]))
			return false;
		for (size_t k = 0; k < i; k++)
			if (sv_eq(tags[i].key, tags[k].key)) {
				control_invalid(r, "a tag key is given twice");
				return false;
			}
	}
	return true;
}

int xray_resource_find(struct api *a, struct request *r, struct sv arn)
{
	struct xray_group group;
	struct sv rest;

	if (!control_arn_read(r, arn, &rest))
		return ERR_NOT_FOUND;
	if (sv_starts(rest, SV("group/")))
		return xray_group_find(a, r, (struct sv){ NULL, 0 }, arn,
				       &group);
	if (sv_starts(rest, SV("sampling-rule/")))
		return sampling_rule_exists(
			a, r, sv_make(rest.ptr + 14, rest.len - 14));
	return ERR_NOT_FOUND;
}

/* Fills *tags and *item with what the ARN has. False: answered. */
static bool tags_of(struct api *a, struct request *r, struct sv arn,
		    struct xray_tags *tags, struct catalogue_item *item)
{
	int e = xray_resource_find(a, r, arn);

	if (e == ERR_NOT_FOUND) {
		answer_error(r, "ResourceNotFoundException",
			     "no group and no sampling rule has this ARN");
		return false;
	}
	if (!e)
		e = control_get(a, r, CATALOGUE_TAGS, arn, &tags_shape, tags,
				item);
	if (e == ERR_NOT_FOUND) {
		*tags = (struct xray_tags){ .tags = { .set = true } };
		*item = (struct catalogue_item){ .revision = 0 };
		e = 0;
	}
	if (e)
		control_failed(r, e);
	return !e;
}

void api_xray_list_tags(struct api *a, struct request *r)
{
	struct catalogue_item item;
	struct xray_tags tags;
	struct tag_input in;

	if (!answer_read(r, &list_tags_shape, &in) ||
	    !xray_no_token(r, in.next_token))
		return;
	if (tags_of(a, r, in.arn, &tags, &item))
		answer_write(r, &tags_shape, &tags);
}

static void answer_done(struct api *a, struct request *r,
			const struct catalogue_item *item)
{
	(void)a;
	(void)item;
	answer_write(r, NULL, NULL);
}

static void submit(struct api *a, struct request *r, struct sv arn,
		   const struct xray_tags *tags,
		   const struct catalogue_item *item,
		   void (*again)(struct api *a, struct request *r))
{
	struct control_plan *p = control_plan(r);
	struct catalogue_change *c;

	if (!p)
		return;
	p->answer = answer_done;
	p->again = again;
	c = control_put(p, CATALOGUE_TAGS, arn,
			control_write(&tags_shape, tags, &r->arena));
	c->condition = CATALOGUE_IF_REVISION;
	c->revision = item->revision;
	control_submit(a, r, p);
}

static struct xray_tag *find_tag(struct xray_tag *tags, size_t count,
				 struct sv key)
{
	for (size_t i = 0; i < count; i++)
		if (sv_eq(tags[i].key, key))
			return &tags[i];
	return NULL;
}

void api_xray_tag(struct api *a, struct request *r)
{
	struct catalogue_item item;
	struct xray_tags tags;
	struct tag_input in;
	struct xray_tag *all;
	size_t count;

	if (!answer_read(r, &tag_resource_shape, &in) ||
	    !xray_tags_check(r, in.tags.items, in.tags.count) ||
	    !tags_of(a, r, in.arn, &tags, &item))
		return;
	count = tags.tags.count;
	all = arena_array(&r->arena, count + in.tags.count, sizeof(*all));
	if (!all) {
		control_failed(r, ERR_NOMEM);
		return;
	}
	if (count)
		memcpy(all, tags.tags.items, count * sizeof(*all));
	for (size_t i = 0; i < in.tags.count; i++) {
		struct xray_tag *old =
			find_tag(all, count, in.tags.items[i].key);

		*(old ? old : &all[count++]) = in.tags.items[i];
	}
	if (count > XRAY_TAGS_MAX) {
		answer_error(r, "TooManyTagsException",
			     "A resource has at most 50 tags");
		return;
	}
	tags.tags.items = all;
	tags.tags.count = count;
	submit(a, r, in.arn, &tags, &item, api_xray_tag);
}

void api_xray_untag(struct api *a, struct request *r)
{
	struct catalogue_item item;
	struct xray_tags tags;
	struct tag_input in;
	size_t kept = 0;

	if (!answer_read(r, &untag_resource_shape, &in) ||
	    !tags_of(a, r, in.arn, &tags, &item))
		return;
	for (size_t i = 0; i < tags.tags.count; i++) {
		bool gone = false;

		for (size_t k = 0; k < in.keys.count && !gone; k++)
			gone = sv_eq(in.keys.items[k], tags.tags.items[i].key);
		if (!gone)
			tags.tags.items[kept++] = tags.tags.items[i];
	}
	tags.tags.count = kept;
	submit(a, r, in.arn, &tags, &item, api_xray_untag);
}
