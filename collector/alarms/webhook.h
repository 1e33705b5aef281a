/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhook: posts JSON to URLs, from a thread of its own, so that a slow or
 * dead receiver holds up nobody. The queue is bounded: over WEBHOOK_QUEUE_MAX
 * a post is refused and counted. A post that fails (no 2xx within
 * WEBHOOK_TIMEOUT_MS) is tried WEBHOOK_TRIES times, 1, 2, 4 ... s apart, and
 * then given up and counted; a later one does not wait for it meanwhile.
 * Only http and https are spoken; redirects are not followed.
 */
#ifndef TALLY_COLLECTOR_ALARMS_WEBHOOK_H
#define TALLY_COLLECTOR_ALARMS_WEBHOOK_H

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum {
	WEBHOOK_QUEUE_MAX = 1000,
	WEBHOOK_BODY_MAX = 64 << 10,
	WEBHOOK_TIMEOUT_MS = 5000,
	WEBHOOK_TRIES = 5,
	WEBHOOK_ANSWER_MAX = 64 << 10, /* read and thrown away */
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
};

int webhook_open(struct webhook **out,
		 const struct webhook_options *options) MUST_USE;
/* Tries what waits once more, without back-off, for five seconds in all. */
void webhook_close(struct webhook *w);
/* Copies url and body. ERR_BUSY: the queue is full; ERR_LIMIT: too long. */
int webhook_post(struct webhook *w, struct sv url, struct sv body) MUST_USE;
void webhook_stats(struct webhook *w, struct webhook_stats *out);

#endif
