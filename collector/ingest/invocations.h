/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calls of AWS's SDKs are stored already. A client that retries a call,
 * because its answer was lost, sends the same amz-sdk-invocation-id (Smithy,
 * "Retry behaviour"; every attempt is signed anew, and equal calls within one
 * second have equal signatures, so a signature tells nothing). Here is, for
 * each id of a scope, the hash of the body that came with it.
 *
 * As with batches (producers.h) an id is reserved before its frame is appended
 * and confirmed when the frame is applied; only confirmed ones are in the
 * checkpoint, so a crash forgets exactly what was not durable.
 *
 * The last INVOCATIONS_MAX are remembered, the oldest goes first, and is
 * counted: a retry comes within seconds, and the ring holds more calls than the
 * journal takes in that time from one client. An id that comes again with other
 * bytes is no retry, whatever its sender thinks: it is stored as a call of its
 * own, since nothing may be lost.
 */
#ifndef TALLY_COLLECTOR_INGEST_INVOCATIONS_H
#define TALLY_COLLECTOR_INGEST_INVOCATIONS_H

#include "core/store/view.h"
#include "core/sys/env.h"

enum {
	INVOCATIONS_FORMAT = 1,
	INVOCATIONS_MAX = 65536,
	INVOCATION_ID_MAX = 64, /* bytes; SDKs send a UUID. Longer: ignored */
};

enum invocation_state {
	INVOCATION_NEW,   /* reserved now: append it, or withdraw */
	INVOCATION_KNOWN, /* same bytes, durable or in flight */
	INVOCATION_OTHER, /* other bytes: a call of its own, not reserved */
};

struct invocations;

int invocations_open(struct invocations **out, const struct env *env,
		     const char *dir, struct diag *diag) MUST_USE;
void invocations_close(struct invocations *v);
struct view *invocations_view(struct invocations *v);

/* Any thread. id: 1 to INVOCATION_ID_MAX bytes (assert); hash: of the body. */
enum invocation_state invocations_admit(struct invocations *v,
					const struct scope *scope, struct sv id,
					uint64_t hash);
/* Undoes an INVOCATION_NEW whose frame did not become durable. */
void invocations_withdraw(struct invocations *v, const struct scope *scope,
			  struct sv id, uint64_t hash);

struct invocations_stats {
	uint64_t remembered;
	uint64_t forgotten; /* the oldest, for want of room, since start */
};
void invocations_stats(struct invocations *v, struct invocations_stats *out);

#endif
