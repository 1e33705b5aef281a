/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhook: posts JSON to URLs, by the errand process, so that a slow or dead
 * receiver holds up nobody: neither who posts nor other receivers. What goes
 * to one URL goes one after the other, in order. The queue is bounded: over
 * WEBHOOK_QUEUE_MAX a post is refused and counted. A post that fails (no 2xx
 * within WEBHOOK_TIMEOUT_MS) is tried WEBHOOK_TRIES times, 1, 2, 4 ... s apart,
 * and then given up and counted; a later one does not wait for it meanwhile.
 * A receiver may see a post twice: when its answer came too late, or the errand
 * process crashed before it could tell.
 * Only http and https are spoken; redirects are not followed.
 */
#ifndef TALLY_COLLECTOR_ALARMS_WEBHOOK_H
#define TALLY_COLLECTOR_ALARMS_WEBHOOK_H

#include <stdint.h>

#include "collector/errand/errand.h"

enum {
	WEBHOOK_QUEUE_MAX = 1000,
	WEBHOOK_BODY_MAX = ERRAND_BODY_MAX,
	WEBHOOK_URL_MAX = ERRAND_TARGET_MAX,
	WEBHOOK_FLIGHT_MAX = 16, /* of the errands that may be under way */
	WEBHOOK_TIMEOUT_MS = 5000,
	WEBHOOK_TRIES = 5,
};

struct webhook;
struct webhook_stats {
	uint64_t posted, retried, given_up, refused, waiting;
};

struct webhook_options {
	uint32_t timeout_ms; /* 0: WEBHOOK_TIMEOUT_MS */
	uint32_t backoff_ms; /* before the first retry; 0: 1000 */
	uint32_t tries;      /* 0: WEBHOOK_TRIES */
	size_t queue_max;    /* 0: WEBHOOK_QUEUE_MAX */
	/* Count posts with a 2xx, and all that were given up or refused; each
	 * may be NULL. */
	_Atomic uint64_t *sent;
	_Atomic uint64_t *failed;
};

/* The errand process is borrowed, listened to, and closed after this. */
int webhook_open(struct webhook **out, struct errand *errand,
		 const struct webhook_options *options) MUST_USE;
/* Tries what waits once more, without back-off, for five seconds in all. */
void webhook_close(struct webhook *w);
/* Copies url and body. ERR_BUSY: the queue is full; ERR_LIMIT: too long. */
int webhook_post(struct webhook *w, struct sv url, struct sv body) MUST_USE;
void webhook_stats(struct webhook *w, struct webhook_stats *out);

#endif
