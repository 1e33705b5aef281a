/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's resource policies. They are kept and told as they came; nobody is let
 * in by one, since here no service of AWS's calls: who may what is with the
 * keys (docs/decisions/front-door.md).
 */
#include "collector/api/xray.h"
#include "collector/door/answer.h"

static bool name_fits(struct request *r, struct sv name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (!((c >= '0' && c <= '9') ||
		      ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		      (c && strchr("_+=,.@-", c)))) {
			control_invalid(r, "PolicyName takes letters, digits "
					   "and _ + = , . @ -");
			return false;
		}
	}
	return true;
}

/* A JSON object with a Statement. */
static bool document_fits(struct request *r, struct sv document)
{
	struct json statement;
	struct json_doc doc;

	if (document.len > XRAY_POLICY_BYTES_MAX) {
		answer_error(r, "PolicySizeLimitExceededException",
			     "A policy has at most 5 KB");
		return false;
	}
	if (!json_parse(&doc, &r->arena, document, NULL)) {
		statement = json_get(json_root(&doc), SV("Statement"));
		if (json_is(statement, JSON_ARRAY) ||
		    json_is(statement, JSON_OBJECT))
			return true;
	}
	answer_error(r, "MalformedPolicyDocumentException",
		     "PolicyDocument must be a JSON object with a Statement");
	return false;
}

static int make_policy(struct request *r, const struct catalogue_item *item,
		       struct resource_policy *out)
{
	char text[24];
	int e = control_read(&policy_shape, item->value, &r->arena, out);

	if (e)
		return e;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)item->version);
	out->revision_id = arena_copy(&r->arena, sv_from(text));
	out->updated = (struct shape_time){ item->modified.ns, true };
	return out->revision_id.ptr ? 0 : ERR_NOMEM;
}

static void answer_put(struct api *a, struct request *r,
		       const struct catalogue_item *item)
{
	struct resource_policy policy;
	struct policy_output out = { .policy = &policy };
	int e = item ? make_policy(r, item, &policy) : ERR_BUSY;

	(void)a;
	if (e)
		control_failed(r, e);
	else
		answer_write(r, &policy_output_shape, &out);
}

/* What a given PolicyRevisionId asks for: the item is of that version now.
 * False: answered. */
static bool revision_fits(struct api *a, struct request *r,
			  const struct policy_input *in,
			  struct catalogue_item *item, bool *there)
{
	uint64_t wanted;
	int e = catalogue_get(a->catalogue, &r->caller.scope,
			      CATALOGUE_RESOURCE_POLICY, in->name, &r->arena,
			      item);

	*there = !e;
	if (e && e != ERR_NOT_FOUND) {
		control_failed(r, e);
		return false;
	}
	if (e)
		*item = (struct catalogue_item){ .version = 0 };
	if (!in->revision_id.ptr ||
	    (sv_to_u64(in->revision_id, &wanted) && wanted == item->version))
		return true;
	answer_error(r, "InvalidPolicyRevisionIdException",
		     "The PolicyRevisionId is not that of the latest revision");
	return false;
}

void api_xray_put_policy(struct api *a, struct request *r)
{
	struct policy_input in;
	struct resource_policy policy;
	struct catalogue_item item;
	struct control_plan *p;
	struct catalogue_change *c;
	bool there;

	if (!answer_read(r, &put_policy_shape, &in) || !name_fits(r, in.name) ||
	    !document_fits(r, in.document) ||
	    !revision_fits(a, r, &in, &item, &there))
		return;
	p = control_plan(r);
	if (!p)
		return;
	policy = (struct resource_policy){ .name = in.name,
					   .document = in.document };
	p->kind = CATALOGUE_RESOURCE_POLICY;
	p->name = in.name;
	p->answer = answer_put;
	p->again = api_xray_put_policy;
	p->refused[CATALOGUE_LIMIT] = (struct control_error){
		"PolicyCountLimitExceededException",
		"An account has at most 5 resource policies"
	};
	c = control_put(p, p->kind, in.name,
			control_write(&policy_shape, &policy, &r->arena));
	c->limit = XRAY_POLICIES_MAX;
	if (in.revision_id.ptr) {
		c->condition = CATALOGUE_IF_REVISION;
		c->revision = item.revision;
	}
	control_submit(a, r, p);
}

static void answer_deleted(struct api *a, struct request *r,
			   const struct catalogue_item *item)
{
	(void)a;
	(void)item;
	answer_write(r, NULL, NULL);
}

void api_xray_delete_policy(struct api *a, struct request *r)
{
	struct policy_input in;
	struct catalogue_item item;
	struct control_plan *p;
	struct catalogue_change *c;
	bool there;

	if (!answer_read(r, &delete_policy_shape, &in) ||
	    !revision_fits(a, r, &in, &item, &there))
		return;
	if (!there) {
		control_invalid(r, "There is no resource policy of this name");
		return;
	}
	p = control_plan(r);
	if (!p)
		return;
	p->answer = answer_deleted;
	p->again = api_xray_delete_policy;
	c = control_delete(p, CATALOGUE_RESOURCE_POLICY, in.name);
	c->condition = in.revision_id.ptr ? CATALOGUE_IF_REVISION :
					    CATALOGUE_IF_PRESENT;
	c->revision = item.revision;
	control_submit(a, r, p);
}

void api_xray_list_policies(struct api *a, struct request *r)
{
	struct policies_output out = { .policies = { .set = true } };
	struct catalogue_item *items;
	struct page_input in;
	size_t count;
	bool more;
	int e;

	if (!answer_read(r, &list_policies_shape, &in) ||
	    !xray_no_token(r, in.next_token))
		return;
	e = catalogue_list(a->catalogue, &r->caller.scope,
			   CATALOGUE_RESOURCE_POLICY, SV(""), XRAY_POLICIES_MAX,
			   &r->arena, &items, &count, &more);
	if (!e)
		out.policies.items = arena_array(&r->arena, count,
						 sizeof(*out.policies.items));
	if (!e && !out.policies.items)
		e = ERR_NOMEM;
	for (size_t i = 0; i < count && !e; i++)
		e = make_policy(r, &items[i], &out.policies.items[i]);
	if (e) {
		control_failed(r, e);
		return;
	}
	out.policies.count = count;
	answer_write(r, &policies_output_shape, &out);
}
