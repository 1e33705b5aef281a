/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the collector and its errand process say to each other: one message a
 * datagram of a SOCK_SEQPACKET pair, so that the kernel keeps them apart and no
 * length has to be believed. Both read with the same care, because either may
 * have been taken over by what it met.
 *
 *   request   0        4            8      16            20          24
 *             | kind   | timeout_ms |  id  | target size | body size | bytes
 *   answer    0        4            8      16            20          24
 *             | kind   | status     |  id  | result      | text size | bytes
 *
 * Little-endian; the sizes add up to the message exactly.
 */
#ifndef TALLY_COLLECTOR_ERRAND_MESSAGE_H
#define TALLY_COLLECTOR_ERRAND_MESSAGE_H

#include <stdint.h>

#include "core/base/text.h"

enum {
	ERRAND_TARGET_MAX = 2048,
	ERRAND_BODY_MAX = 64 << 10,
	ERRAND_TEXT_MAX = 120,
	ERRAND_TIMEOUT_MS_MAX = 60000,
	ERRAND_HEAD_SIZE = 24,
	ERRAND_MESSAGE_MAX =
		ERRAND_HEAD_SIZE + ERRAND_TARGET_MAX + ERRAND_BODY_MAX,
};

enum errand_kind {
	ERRAND_WEBHOOK = 1, /* target: an http or https URL; body: JSON */
};

struct errand_request {
	enum errand_kind kind;
	uint32_t timeout_ms; /* 1 to ERRAND_TIMEOUT_MS_MAX */
	uint64_t id;         /* errand_ask gives it */
	struct sv target;    /* without a NUL */
	struct sv body;
};

enum errand_result {
	ERRAND_DONE,    /* by its own measure: a webhook got a 2xx */
	ERRAND_FAILED,  /* tried, and did not work */
	ERRAND_REFUSED, /* not tried: the errand process had no room */
	/* These the collector's side finds out itself, no message says them. */
	ERRAND_LOST, /* the process ended on the way */
	ERRAND_LATE, /* no answer in its time and a grace */
};

struct errand_answer {
	uint64_t id;
	enum errand_result result;
	uint32_t status; /* of HTTP; 0: none came */
	struct sv text;  /* why, for a log line */
};

/* The writer's request must be within the limits above (assert). */
void errand_request_write(const struct errand_request *r, struct buf *out);
void errand_answer_write(const struct errand_answer *a, struct buf *out);
/* Told after a crash: what was under way is lost, the next one works. */
void errand_restarted_write(struct buf *out);

/* Borrows from `message`. ERR_SYNTAX: sizes do not add up, or an unknown kind;
 * ERR_LIMIT: over one of the limits; ERR_INVALID: a NUL in the target. */
int errand_request_parse(struct sv message,
			 struct errand_request *out) MUST_USE;
/* As above. *restarted: it is that message, and *out is empty. */
int errand_answer_parse(struct sv message, struct errand_answer *out,
			bool *restarted) MUST_USE;

#endif
