/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch: which operation of which service a request is for, and in which
 * protocol. By the head, in this order:
 *
 *   X-Amz-Target: Service.Operation        awsJson
 *   /service/Service/operation/Operation   rpc v2; the header smithy-protocol
 *                                          says whether CBOR or JSON
 *   POST / of a form, or GET /?Action=     Query: Action and Version
 *   anything else                          REST: method and path
 *
 * A Query request says in its body which operation, so dispatch has a second
 * step, when the body is there. Paths are compared segment by segment, each
 * decoded by itself: an encoded slash is part of a name.
 *
 * What names nothing that the table has is refused in the form of the service
 * that it came nearest to, as that service would: 404 by REST and rpc v2, else
 * 400. An endpoint with a path in front (http://host/prefix) is not supported,
 * and the refusal says so.
 */
#ifndef TALLY_COLLECTOR_DOOR_DISPATCH_H
#define TALLY_COLLECTOR_DOOR_DISPATCH_H

#include "collector/door/operations.h"

/* A body that comes with GET says nothing here, and may come before anybody
 * knows who sends it: not enough of it to be worth announcing. */
enum { DISPATCH_GET_BODY_MAX = 1 << 10 };

enum dispatch_result {
	DISPATCH_OK,
	DISPATCH_UNKNOWN,   /* no such operation, or path */
	DISPATCH_METHOD,    /* the path is there, for another method */
	DISPATCH_UNBUILT,   /* the service has it, this collector does not */
	DISPATCH_PREFIX,    /* a name, but the path is not its protocol's */
	DISPATCH_PROTOCOL,  /* rpc v2, but neither CBOR nor JSON */
	DISPATCH_NO_ACTION, /* Query without an Action */
	DISPATCH_VERSION,   /* Query of another Version of the service */
	DISPATCH_CODING,    /* the body's Content-Encoding cannot be undone */
	DISPATCH_TOO_LARGE, /* the operation that it names takes less */
};

/* What of a head decides. ptr NULL: not sent. */
struct dispatch_head {
	enum method method;
	struct sv path, query; /* as sent */
	struct sv target;      /* X-Amz-Target */
	struct sv content_type;
	struct sv smithy_protocol;
};

struct dispatch {
	const struct service *service; /* never NULL: else the nearest */
	enum aws_protocol protocol;
	const struct operation *operation; /* NULL: none, or not known yet */
	enum dispatch_result result;
	bool by_body; /* a form: dispatch_by_body tells the rest */
};

/* Touches nothing but the head. */
struct dispatch dispatch_by_head(const struct dispatch_head *head);
/* Completes what is by_body. form: the body, after decompression. */
void dispatch_by_body(struct dispatch *d, struct sv form);

/* The same for requests. Sets r->service and r->protocol, and r->operation
 * where the head tells; lowers r->body_max to what the operation, or the most
 * that one of the service's takes where the body names it. */
void dispatch_service(struct request *r);
/* Sets r->operation; a form that is compressed becomes plain (answer.h).
 * daemon: on the X-Ray daemon's port, which has the sampling calls only. */
enum dispatch_result dispatch_operation(struct request *r, bool daemon);
/* Leaves the refusal as r's reply. why is not DISPATCH_OK. */
void dispatch_refuse(struct request *r, enum dispatch_result why);

#endif
