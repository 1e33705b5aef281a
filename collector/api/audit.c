/* SPDX-License-Identifier: Apache-2.0 */
/* Who changed what and who was refused, for an account's admin. What belongs
 * to no account (who asks is not known yet, the collector itself) is for the
 * admins of the collector's own. */
#include "collector/api/api.h"

enum { AUDIT_DEFAULT_S = 7 * 86400 };

void api_audit(struct api *a, struct request *r)
{
	struct audit_query query = {
		.account = r->caller.scope.account,
		.unowned = r->caller.scope.account == a->ingest.scope.account,
		.caller = request_query(r, "caller"),
		.operation = request_query(r, "operation"),
	};
	uint64_t limit = API_LIMIT_DEFAULT;
	struct json_writer w = json_writer(&r->reply);
	struct sv *rows;
	bool truncated;
	size_t count;
	int e;

	_Static_assert((int)API_LIMIT_MAX <= (int)AUDIT_LIMIT_MAX, "one limit");
	if (!api_query_number(r, "limit", API_LIMIT_MAX, &limit) ||
	    !api_query_range(a, r, AUDIT_DEFAULT_S, &query.start_ns,
			     &query.end_ns))
		return;
	query.limit = limit;
	e = audit_read(a->audit, &query, &r->arena, &rows, &count, &truncated);
	if (e) {
		api_error_of(r, e, "row of the audit log");
		return;
	}
	json_open_object(&w);
	json_key(&w, "rows");
	json_open_array(&w);
	for (size_t i = 0; i < count; i++)
		json_put_raw(&w, rows[i]);
	json_close_array(&w);
	json_key(&w, "truncated");
	json_put_bool(&w, truncated);
	json_close_object(&w);
	r->content_type = "application/json";
}
