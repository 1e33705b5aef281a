/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door: between HTTP and the operations. Every request of every protocol
 * goes through the two functions below, in this order:
 *
 *   door_head     who asks (door/auth.h), may the body come
 *   door_request  is the signature true, which operation (door/dispatch.h),
 *                 may this caller (door/operations.h), then the operation
 *
 * What is refused is counted by reason and answered in the protocol's form.
 */
#ifndef TALLY_COLLECTOR_DOOR_DOOR_H
#define TALLY_COLLECTOR_DOOR_DOOR_H

#include "collector/door/operations.h"
#include "collector/stats.h"

struct door {
	const struct env *env;
	struct stats *stats;
	/* Whom a listener without keys speaks for. */
	struct scope scope;
	bool daemon; /* the X-Ray daemon's port: sampling calls, without keys */
	/* Calls the handler of r->operation. */
	http_handler_fn *serve;
	void *arg;
};

/* http_handler_fn; arg is a struct door. */
void door_request(void *arg, struct request *r);

#endif
