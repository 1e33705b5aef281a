/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/door.h"

#include "collector/door/answer.h"
#include "collector/door/dispatch.h"

static void refuse_unknown(struct door *d, struct request *r,
			   enum dispatch_result why)
{
	stats_add(&d->stats->refused_unknown, 1);
	if (why == DISPATCH_METHOD && !r->service->aws) {
		answer_error(r, "MethodNotAllowed",
			     "this path takes another method; see the API's "
			     "page");
		return;
	}
	if (why == DISPATCH_UNKNOWN && !r->service->aws) {
		answer_error(r, "NotFound",
			     "there is no such path; see the API's page");
		return;
	}
	/* The services that have paths say 404, those with names 400. */
	answer_error_as(
		r,
		&(struct aws_error){
			"UnknownOperationException", "InvalidAction",
			r->protocol == AWS_REST_JSON ? 404 : 400, false },
		why == DISPATCH_UNBUILT ? "the service has this operation, but "
					  "this collector does not" :
					  "there is no such operation here");
}

static void identify(struct door *d, struct request *r)
{
	r->caller = (struct caller){
		.kind = CALLER_LISTENER,
		.role = d->daemon ? KEY_INGEST : KEY_ADMIN,
		.scope = d->scope,
	};
}

void door_request(void *arg, struct request *r)
{
	struct door *d = arg;
	enum dispatch_result why;

	dispatch_service(r);
	identify(d, r);
	why = dispatch_operation(r, d->daemon);
	if (why != DISPATCH_OK) {
		refuse_unknown(d, r, why);
		return;
	}
	if (!operation_allows(r->operation, &r->caller)) {
		answer_error(r, "AccessDeniedException",
			     "the key's role does not allow this operation");
		return;
	}
	if (r->method == METHOD_GET)
		stats_add(&d->stats->api_requests, 1);
	d->serve(d->arg, r);
}
