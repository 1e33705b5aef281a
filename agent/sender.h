/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sender: one thread that takes batches from the spools, oldest first, and
 * posts their bytes to the collector. It goes on to the next only when the
 * answer to this one is final:
 *
 *   200             stored                      -> out of the spool
 *   409             some ids conflict, the rest is stored -> out, a warning
 *   409 naming no record, 400, 413, 415, 422
 *                   never will be               -> refused/, a warning
 *   anything else, or no answer                 -> again, for ever, with the
 *                                                  pauses of retry.h
 *
 * It closes the open batch as well when its time has come.
 */
#ifndef TALLY_AGENT_SENDER_H
#define TALLY_AGENT_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/batch.h"
#include "agent/spool.h"
#include "core/base/err.h"
#include "core/client/settings.h"

enum {
	SENDER_PAUSE_MS_MAX = 5000, /* where the spool is in trouble */
	SENDER_CONNECT_MS = 2000,
	SENDER_ANSWER_MS = 30000,
	SENDER_ANSWER_BYTES_MAX = 1 << 20,
	SENDER_SPOOLS_MAX = 64,
};

struct sender;

struct sender_stats {
	uint64_t sent; /* batches with a final answer */
	uint64_t retries;
	uint64_t conflicts;       /* 409 */
	uint64_t refused;         /* whole batches */
	uint64_t records_refused; /* within batches that were stored */
	char trouble[256];        /* why the last try failed; "": it did not */
};

/* Spools are drained in this order; the last is the one that batch fills.
 * They must outlive the sender, and so must settings. */
int sender_start(struct sender **out, const struct env *env,
		 const struct settings *settings, struct spool *const *spools,
		 unsigned spool_count, struct batch *batch,
		 struct diag *diag) MUST_USE;
/* Waits until every spool is empty, at most timeout_ms, or until stop_fd is
 * readable. 0, ERR_TIMEOUT or ERR_CLOSED. */
int sender_drain(struct sender *s, int timeout_ms, int stop_fd) MUST_USE;
void sender_stop(struct sender *s);
struct sender_stats sender_stats(struct sender *s);

#endif
