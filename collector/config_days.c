/* SPDX-License-Identifier: Apache-2.0 */
/* "trace_days" of the configuration: how long traces are kept. */
#include <stdlib.h>

#include "collector/config_read.h"

static bool read_days(struct json v, int64_t *days)
{
	return json_to_i64(v, days) && *days >= 1 && *days <= TRACES_DAYS_MAX;
}

static int refuse(struct diag *diag)
{
	return diag_set(diag, ERR_INVALID,
			"\"trace_days\" must be an object of accounts, or "
			"\"default\", and days, whole numbers from 1 to %d",
			(int)TRACES_DAYS_MAX);
}

static bool read_account(struct json key, struct arena *arena, uint64_t *out)
{
	struct sv text = json_string(key, arena);

	return text.len == 12 && sv_to_u64(text, out);
}

int config_read_days(struct config *c, struct json root, struct diag *diag)
{
	struct json map = json_get(root, SV("trace_days"));
	struct traces_days *list;
	size_t count = 0;

	if (!map.doc)
		return 0;
	if (!json_is(map, JSON_OBJECT))
		return refuse(diag);
	list = arena_array(&c->arena, CONFIG_DAYS_MAX, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	for (struct json key = json_first(map); key.doc;
	     key = json_next(map, key)) {
		int64_t days;

		if (!read_days(json_member(key), &days))
			return refuse(diag);
		if (json_string_is(key, SV("default"))) {
			c->trace_days_default = (uint32_t)days;
			continue;
		}
		if (count == CONFIG_DAYS_MAX)
			return diag_set(diag, ERR_LIMIT,
					"\"trace_days\" of more than %d "
					"accounts",
					(int)CONFIG_DAYS_MAX);
		list[count].days = (uint32_t)days;
		if (!read_account(key, &c->arena, &list[count++].account))
			return refuse(diag);
	}
	c->trace_days = list;
	c->trace_day_count = count;
	return 0;
}
