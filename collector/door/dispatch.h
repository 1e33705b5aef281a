/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch: which operation of which service a request is for, and in which
 * protocol. In two steps, since a Query request says so in its body:
 *
 *   dispatch_service    the head is there: X-Amz-Target names the service, or
 *                       the path of rpc v2, or a form posted to "/", or else
 *                       the REST path
 *   dispatch_operation  the body is there too
 *
 * What names nothing that the table has is refused in the form of the service
 * that it came nearest to.
 */
#ifndef TALLY_COLLECTOR_DOOR_DISPATCH_H
#define TALLY_COLLECTOR_DOOR_DISPATCH_H

#include "collector/door/operations.h"

enum dispatch_result {
	DISPATCH_OK,
	DISPATCH_UNKNOWN, /* no such operation, or path */
	DISPATCH_METHOD,  /* the path is there, for another method */
	DISPATCH_UNBUILT, /* the service has it, this collector does not */
};

/* Sets r->service and r->protocol, and r->operation where the head tells. */
void dispatch_service(struct request *r);
/* Sets r->operation. daemon: on the X-Ray daemon's port, which has the
 * sampling calls only. */
enum dispatch_result dispatch_operation(struct request *r, bool daemon);

#endif
