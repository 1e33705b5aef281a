/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission: whether there is room for one more request. All that grows with
 * load (bodies on their way in, messages until every view has applied them
 * with their copies in the journal's queue, answers on their way out) is
 * counted in one number against one budget, which is a share of the
 * configured memory (collector/memory.h). As it fills, work is refused in the
 * order of what it is worth, before anything of it is parsed and where the
 * head tells its size, before the body is read:
 *
 *   of the budget   from then on refused
 *   50 %            questions, and the debug lines of native batches
 *   75 %            telemetry; of native batches all but usage
 *   92 %            what may bring usage
 *   97 %            changes of settings
 *   never           health
 *
 * The journal's budget is a measure of the same kind: from
 * ADMISSION_TELEMETRY_PERCENT of it in use by frames that a view still needs,
 * it counts as if so much of the memory were. Else a view that lags would fill
 * it, and usage would be refused with all the rest.
 *
 * A level that has been reached is left again ADMISSION_BACK_PERCENT lower, so
 * that it does not flap. A body of known size must also fit below the line of
 * its class.
 *
 * Fairness: what a verified caller (a key, a token's subject) has under way is
 * counted. While half the budget is used, or half of ADMISSION_REQUESTS are
 * under way, a caller with more than its equal share among those active is
 * refused first. One that is alone has no share to keep to. Signatures are
 * checked before, so nobody can use up the share of another.
 *
 * A body's bytes are counted as announced, before its signature can be known,
 * and ids of keys are no secrets. So what is on its way in the name of one key
 * is at most a quarter of the budget (one body always may), and who announces
 * in another's name harms this one alone. A body of unknown length counts as the
 * longest that its operation takes. Short ones (AUTH_HEAD_BYTES) come as they
 * like: door/connections.h limits how many there are.
 *
 * Every refusal is an error in the form of the request's protocol, with
 * Retry-After, and is counted by class.
 */
#ifndef TALLY_COLLECTOR_DOOR_ADMISSION_H
#define TALLY_COLLECTOR_DOOR_ADMISSION_H

#include <stdatomic.h>

#include "collector/door/operations.h"
#include "collector/stats.h"
#include "core/sys/env.h"

enum {
	ADMISSION_READ_PERCENT = 50,
	ADMISSION_TELEMETRY_PERCENT = 75,
	ADMISSION_USAGE_PERCENT = 92,
	ADMISSION_CONTROL_PERCENT = 97,
	ADMISSION_BACK_PERCENT = 8,
	ADMISSION_REQUESTS = 128,    /* under way, of all callers */
	ADMISSION_ARRIVING_PART = 4, /* of the budget, for one key's bodies */
	ADMISSION_ARRIVING = 1024,   /* counts; keys may share one */
	ADMISSION_CALLERS = 256,     /* with requests under way; over it they
				    * share one count */
	ADMISSION_ACTIVE_MS = 500,   /* so long after its last request a caller
				    * still has a share */
	ADMISSION_RETRY_AFTER_S = 1,
};

/* What is refused now; each level with those before it. */
enum admission_level {
	ADMISSION_ALL,     /* nothing is */
	ADMISSION_NO_READ, /* and no debug lines */
	ADMISSION_NO_TELEMETRY,
	ADMISSION_NO_USAGE,
	ADMISSION_NO_CONTROL,
	ADMISSION_LEVELS,
};

struct admission;

struct admission_options {
	const struct env *env;
	struct stats *stats;
	size_t budget_bytes;
};

/* Percent of another budget that is in use; must not wait. */
typedef unsigned admission_gauge_fn(void *arg);

int admission_new(struct admission **out,
		  const struct admission_options *options) MUST_USE;
void admission_free(struct admission *a); /* no request is under way */

/* Before there are requests. */
void admission_watch(struct admission *a, admission_gauge_fn *gauge, void *arg);

/* The one number: who holds memory that grows with load adds it here when he
 * takes it and subtracts it when he gives it back. */
_Atomic size_t *admission_used(struct admission *a);
size_t admission_budget(const struct admission *a);
enum admission_level admission_level(struct admission *a);
/* What it refuses: "none", "read" or "read, telemetry" ... */
const char *admission_level_name(enum admission_level level);

/* With the head, after dispatch_service: by the class of r->operation, where
 * it is known, and body_bytes as announced (0: not known; over r->body_max is
 * the caller's to refuse). False: refused, the error is r's reply. */
bool admission_head(struct admission *a, struct request *r,
		    size_t body_bytes) MUST_USE;
/* With the body, after the caller and operation are known and before anything
 * is parsed. False: as above. True: r counts for its caller until
 * admission_done. */
bool admission_request(struct admission *a, struct request *r) MUST_USE;
/* Once for each request that ended, admitted or not. */
void admission_done(struct admission *a, struct request *r);

/* The caller makes requests faster than its key allows (door/rate.h): leaves
 * the error as r's reply and counts it. */
void admission_refuse_rate(struct admission *a, struct request *r);

struct admission_stats {
	size_t used_bytes, budget_bytes;
	enum admission_level level;
	size_t requests; /* under way */
	size_t callers;  /* active */
};
void admission_stats(struct admission *a, struct admission_stats *out);

#endif
