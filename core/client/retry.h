/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retry: whether a call is tried again, and after what pause. Pure: the clock
 * and the dice are the caller's. Pauses double from min to max, and each is
 * between half and all of that, so that many clients who were refused together
 * do not come back together. A Retry-After of the server is a lower bound,
 * itself bounded.
 *
 * A retry of a write that is stored as records has no effect twice: batches are
 * known by producer and sequence, others by amz-sdk-invocation-id. What sets
 * something (an alarm, a rule) sets it to the same again.
 */
#ifndef TALLY_CORE_CLIENT_RETRY_H
#define TALLY_CORE_CLIENT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum {
	RETRY_MS_MIN = 100,
	RETRY_MS_MAX = 5000,
	RETRY_AFTER_MS_MAX = 60000,
};

/* ms until try number failures + 1; failures from 1 (assert), random of all
 * 64 bits, retry_after_ms 0: the server said nothing. */
uint64_t retry_pause_ms(unsigned failures, uint64_t retry_after_ms,
			uint64_t random);
/* 429, 500, 502, 503, 504. */
bool retry_status(long status);
/* Codes by which AWS's services say "slow down", also with status 400. */
bool retry_code_is_throttle(struct sv code);
/* Codes that a signature of a wrong time gets; others get them as well. */
bool retry_code_is_signature(struct sv code);

#endif
