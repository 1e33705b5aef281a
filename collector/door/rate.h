/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rate: how many requests a second a key may make (door/auth.h says which it
 * is and what it may). A token bucket that holds one second's worth, at least
 * RATE_BURST_MIN, kept as one number: the time at which the bucket would be
 * full again (the generic cell rate algorithm, ITU-T I.371). So a full bucket
 * is one whose time has passed, and needs no entry.
 *
 * The table is bounded: RATE_ENTRIES in sets of RATE_WAYS. In a full set the
 * bucket that is nearest to being full makes room and is counted: its caller
 * may then make at most one burst too many. Only ids that have been verified
 * come here, so nobody can push others out with made-up ones. Each set belongs
 * to one of RATE_LOCKS mutexes, held for some comparisons.
 */
#ifndef TALLY_COLLECTOR_DOOR_RATE_H
#define TALLY_COLLECTOR_DOOR_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/sys/env.h"

enum {
	RATE_ENTRIES = 4096,
	RATE_WAYS = 8,
	RATE_LOCKS = 16,
	RATE_BURST_MIN = 10, /* requests */
};

struct rates;

int rates_new(struct rates **out) MUST_USE; /* ERR_NOMEM */
void rates_free(struct rates *r);

/* True: the caller `id` may make one more request now, and it is counted.
 * rate: requests a second; 0: no limit. now must not run back; where it does,
 * it is as if it stood still. Any thread. */
bool rate_take(struct rates *r, struct sv id, uint64_t rate,
	       struct instant now) MUST_USE;

struct rate_stats {
	uint64_t refused;
	uint64_t evicted; /* buckets that were not full and made room */
};
void rate_stats(struct rates *r, struct rate_stats *out);

#endif
