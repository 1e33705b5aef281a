/* SPDX-License-Identifier: Apache-2.0 */
/* What it cost: one request, and a month. */
#include "billing/statement.h"
#include "collector/api/api.h"
#include "core/base/log.h"

void api_usage_get(struct api *a, struct request *r)
{
	size_t skip = sizeof("/api/v1/usage/") - 1;
	struct sv id = sv_make(r->path.ptr + skip, r->path.len - skip);
	struct json_writer w = json_writer(&r->reply);
	const struct price_set *prices;
	struct ledger_record record;
	int e = ledger_find(a->ledger, r->caller.scope.account, id, &r->arena,
			    &record);

	if (e) {
		api_error_of(r, e, "usage record");
		return;
	}
	(void)pricebook_refresh(a->prices, NULL); /* the old one stays */
	prices = pricebook_acquire(a->prices);
	usage_json(&w, &record.scope, &record.usage, prices);
	pricebook_release(a->prices, prices);
	r->content_type = "application/json";
}

void api_statement(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	struct sv text = request_query(r, "month");
	struct wall now = env_wall(a->env);
	struct month month = month_of(now);
	const struct price_set *prices;
	struct statement statement;
	struct diag diag = { 0 };
	int e;

	if (text.len && !month_parse(&month, text)) {
		api_error(r, 400, "InvalidParameterValue",
			  "month must be YYYY-MM");
		return;
	}
	if (pricebook_refresh(a->prices, &diag))
		log_warn("prices", "%s", diag.text);
	prices = pricebook_acquire(a->prices);
	e = statement_make(&statement, &r->arena, a->ledger, prices,
			   r->caller.scope.account, month, now);
	if (e)
		api_error_of(r, e, "statement");
	else
		statement_json(&w, &statement);
	pricebook_release(a->prices, prices);
	if (!e)
		r->content_type = "application/json";
}
