/* SPDX-License-Identifier: Apache-2.0 */
/* rootcause.json = #[...]: causes by example. */
#include "tracer/rootcause.h"

struct matcher {
	enum rootcause_kind kind;
	struct arena *scratch;
};

static bool text_is(struct json v, struct sv text)
{
	return json_is(v, JSON_NULL) || json_string_is(v, text);
}

static bool flag_is(struct json v, bool flag)
{
	return json_is(v, JSON_NULL) ||
	       json_is(v, flag ? JSON_TRUE : JSON_FALSE);
}

/* An account may be written as a number, which has no leading zeros. */
static bool account_is(struct json v, struct sv account)
{
	struct sv raw = json_raw(v);

	if (!json_is(v, JSON_NUMBER))
		return text_is(v, account);
	while (account.len > 1 && account.ptr[0] == '0')
		account = sv_make(account.ptr + 1, account.len - 1);
	return sv_eq(raw, account);
}

static uint32_t length(struct json list)
{
	uint32_t n = 0;

	for (struct json it = json_first(list); it.doc;
	     it = json_next(list, it))
		n++;
	return n;
}

typedef bool item_fn(const struct matcher *m, struct json v, const void *items,
		     uint32_t i);

static bool list_is(const struct matcher *m, struct json list,
		    const void *items, uint32_t count, item_fn *is)
{
	uint32_t i = 0;

	if (json_is(list, JSON_NULL))
		return true;
	if (!json_is(list, JSON_ARRAY) || length(list) != count)
		return false;
	for (struct json it = json_first(list); it.doc;
	     it = json_next(list, it))
		if (!is(m, it, items, i++))
			return false;
	return true;
}

static bool exception_is(const struct matcher *m, struct json v,
			 const void *items, uint32_t i)
{
	const struct facts_exception *e =
		&((const struct facts_exception *)items)[i];

	if (!json_is(v, JSON_OBJECT))
		return false;
	for (struct json it = json_first(v); it.doc; it = json_next(v, it)) {
		struct sv key = json_string(it, m->scratch);
		bool is = false;

		if (sv_eq(key, SV("Name")))
			is = text_is(json_member(it), e->type);
		else if (sv_eq(key, SV("Message")))
			is = text_is(json_member(it), e->message);
		if (!is)
			return false;
	}
	return true;
}

static bool entity_is(const struct matcher *m, struct json v, const void *items,
		      uint32_t i)
{
	const struct rootcause_entity *e =
		&((const struct rootcause_entity *)items)[i];

	if (!json_is(v, JSON_OBJECT))
		return false;
	for (struct json it = json_first(v); it.doc; it = json_next(v, it)) {
		struct sv key = json_string(it, m->scratch);
		struct json member = json_member(it);
		double number;
		bool is = false;

		if (sv_eq(key, SV("Name")))
			is = text_is(member, e->name);
		else if (sv_eq(key, SV("Remote")))
			is = flag_is(member, e->remote);
		else if (sv_eq(key, SV("Coverage")))
			is = json_is(member, JSON_NULL) ||
			     (m->kind == ROOTCAUSE_SLOW &&
			      json_to_double(member, &number) &&
			      number - e->coverage < 1e-9 &&
			      e->coverage - number < 1e-9);
		else if (sv_eq(key, SV("Exceptions")))
			is = list_is(m, member, e->exceptions,
				     e->exception_count, exception_is);
		if (!is)
			return false;
	}
	return true;
}

static bool name_is(const struct matcher *m, struct json v, const void *items,
		    uint32_t i)
{
	(void)m;
	return text_is(v, ((const struct sv *)items)[i]);
}

static bool service_is(const struct matcher *m, struct json v,
		       const void *items, uint32_t i)
{
	const struct rootcause_service *s =
		&((const struct rootcause_service *)items)[i];

	if (!json_is(v, JSON_OBJECT))
		return false;
	for (struct json it = json_first(v); it.doc; it = json_next(v, it)) {
		struct sv key = json_string(it, m->scratch);
		struct json member = json_member(it);
		bool is = false;

		if (sv_eq(key, SV("Name")))
			is = text_is(member, s->name);
		else if (sv_eq(key, SV("Names")))
			is = list_is(m, member, &s->name, 1, name_is);
		else if (sv_eq(key, SV("Type")))
			is = text_is(member, s->type);
		else if (sv_eq(key, SV("AccountId")))
			is = account_is(member, s->account);
		else if (sv_eq(key, SV("Inferred")))
			is = flag_is(member, s->inferred);
		else if (sv_eq(key, SV("EntityPath")))
			is = list_is(m, member, s->entities, s->entity_count,
				     entity_is);
		if (!is)
			return false;
	}
	return true;
}

bool rootcause_is(struct json object, const struct rootcause *cause,
		  enum rootcause_kind kind, struct arena *scratch)
{
	const struct matcher m = { kind, scratch };

	if (!json_is(object, JSON_OBJECT))
		return false;
	for (struct json it = json_first(object); it.doc;
	     it = json_next(object, it)) {
		struct sv key = json_string(it, scratch);
		bool is = false;

		if (sv_eq(key, SV("Services")))
			is = list_is(&m, json_member(it), cause->services,
				     cause->service_count, service_is);
		else if (sv_eq(key, SV("ClientImpacting")))
			is = flag_is(json_member(it), cause->client_impacting);
		if (!is)
			return false;
	}
	return true;
}
