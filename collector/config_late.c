/* SPDX-License-Identifier: Apache-2.0 */
/* "late_sampling" of the configuration: tracer/keep.h. */
#include "collector/config_read.h"

#define SLOW_S_MAX 86400.0

/* A rule's share, 0 to 1, as millionths. */
static bool read_share(struct json v, uint32_t *ppm)
{
	double share;

	if (!json_to_double(v, &share) || !(share >= 0 && share <= 1))
		return false;
	*ppm = (uint32_t)(share * KEEP_PPM + 0.5);
	return true;
}

static int read_rule(struct config *c, struct json rule, struct keep_rule *out,
		     struct diag *diag)
{
	struct json service = json_get(rule, SV("service"));
	struct json slow = json_get(rule, SV("slow_seconds"));
	double slow_s = 0;

	*out = (struct keep_rule){ .service = SV("*") };
	for (struct json key = json_first(rule); key.doc;
	     key = json_next(rule, key))
		if (!json_string_is(key, SV("service")) &&
		    !json_string_is(key, SV("slow_seconds")) &&
		    !json_string_is(key, SV("share")))
			return diag_set(diag, ERR_INVALID,
					"a late sampling rule has \"service\", "
					"\"slow_seconds\" and \"share\", not "
					"%.*s",
					SV_ARG(json_raw(key)));
	if (service.doc)
		out->service = json_string(service, &c->arena);
	if (!out->service.ptr)
		return diag_set(diag, ERR_INVALID,
				"a late sampling rule's \"service\" must be a "
				"text; * and ? match");
	if (slow.doc && (!json_to_double(slow, &slow_s) ||
			 !(slow_s > 0 && slow_s <= SLOW_S_MAX)))
		return diag_set(diag, ERR_INVALID,
				"a late sampling rule's \"slow_seconds\" must "
				"be a number over 0 and up to %.0f",
				SLOW_S_MAX);
	out->slow_ns = (int64_t)(slow_s * (double)NS_PER_S);
	if (!read_share(json_get(rule, SV("share")), &out->share_ppm))
		return diag_set(diag, ERR_INVALID,
				"a late sampling rule's \"share\" must be a "
				"number from 0 to 1: what is kept of the rest");
	return 0;
}

int config_read_late(struct config *c, struct json root, struct diag *diag)
{
	struct json list = json_get(root, SV("late_sampling"));
	struct keep_rule *rules;
	size_t count = 0;
	int e = 0;

	if (!list.doc)
		return 0;
	if (!json_is(list, JSON_ARRAY))
		return diag_set(diag, ERR_INVALID,
				"\"late_sampling\" must be a list of rules");
	rules = arena_array(&c->arena, KEEP_RULES_MAX, sizeof(*rules));
	if (!rules)
		return ERR_NOMEM;
	for (struct json it = json_first(list); it.doc && !e;
	     it = json_next(list, it)) {
		if (count == KEEP_RULES_MAX)
			return diag_set(diag, ERR_LIMIT,
					"more than %d late sampling rules",
					(int)KEEP_RULES_MAX);
		e = read_rule(c, it, &rules[count++], diag);
	}
	c->keep = (struct keep){ rules, count };
	return e;
}
