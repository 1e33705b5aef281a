/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door: between HTTP and the operations. Every request of every protocol
 * goes through the two functions below, in this order:
 *
 *   door_head     who claims to ask (door/auth.h), is there room for the
 *                 body (door/admission.h)
 *   door_request  is the signature true, is the caller not too fast
 *                 (door/rate.h), which operation (door/dispatch.h), may this
 *                 caller (door/operations.h), is there room for its work, then
 *                 the operation: questions in threads of their own
 *                 (door/readers.h)
 *
 * What is refused is counted by reason and answered in the protocol's form.
 */
#ifndef TALLY_COLLECTOR_DOOR_DOOR_H
#define TALLY_COLLECTOR_DOOR_DOOR_H

#include "collector/door/admission.h"
#include "collector/door/audit.h"
#include "collector/door/auth.h"
#include "collector/door/network.h"
#include "collector/door/operations.h"
#include "collector/door/rate.h"
#include "collector/door/readers.h"
#include "collector/door/work.h"
#include "collector/stats.h"

enum {
	/* On the X-Ray daemon's port: of its sampling calls. */
	DOOR_DAEMON_BODY_MAX = 64 << 10,
};

struct door {
	const struct env *env;
	struct stats *stats;
	struct auth *auth;
	struct admission *admission;
	struct rates *rates;
	struct readers *readers;
	struct work *work;
	struct audit *audit; /* may be NULL */
	/* Not NULL: the X-Ray daemon's port, which has sampling calls only,
	 * needs no keys, and is for these. Its caller is the collector's own
	 * account, with the role ingest. */
	const struct networks *daemon;
	struct scope scope; /* the collector's own */
	/* Calls the handler of r->operation. */
	http_handler_fn *serve;
	void *arg;
};

/* http_head_fn and http_handler_fn; arg is a struct door. */
bool door_head(void *arg, struct request *r);
void door_request(void *arg, struct request *r);
/* http_refuse_fn. */
void door_refuse(void *arg, struct request *r, unsigned status,
		 const char *code, const char *message);
/* The answer is there: audits what has to be. */
void door_answered(void *arg, struct request *r);
void door_done(void *arg, struct request *r);

#endif
