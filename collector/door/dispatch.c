/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/dispatch.h"

static bool path_matches(const char *route, struct sv path)
{
	struct sv want = sv_from(route);

	if (want.ptr[want.len - 1] == '/')
		return sv_starts(path, want) && path.len > want.len;
	return sv_eq(path, want);
}

/* By path; *path_known: there is one for another method. */
static const struct operation *find_path(const struct request *r,
					 bool *path_known)
{
	*path_known = false;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *op = operation_at(i);

		if (!op->path || !path_matches(op->path, r->path))
			continue;
		*path_known = true;
		if (op->method == r->method)
			return op;
	}
	return NULL;
}

void dispatch_service(struct request *r)
{
	bool path_known;

	r->operation = find_path(r, &path_known);
	r->protocol = AWS_REST_JSON;
	if (r->operation)
		r->service = service_of(r->operation->service);
	else if (r->method == METHOD_POST)
		r->service = service_of(SERVICE_XRAY);
	else
		r->service = service_of(SERVICE_NATIVE);
}

static bool on_daemon(const struct operation *op)
{
	return op->id == OPERATION_GetSamplingRules ||
	       op->id == OPERATION_GetSamplingTargets ||
	       op->id == OPERATION_GetHealth;
}

enum dispatch_result dispatch_operation(struct request *r, bool daemon)
{
	bool path_known = false;

	if (!r->operation)
		r->operation = find_path(r, &path_known);
	if (r->operation && daemon && !on_daemon(r->operation))
		r->operation = NULL;
	if (!r->operation)
		return path_known ? DISPATCH_METHOD : DISPATCH_UNKNOWN;
	return r->operation->built ? DISPATCH_OK : DISPATCH_UNBUILT;
}
