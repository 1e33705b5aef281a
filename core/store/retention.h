/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time by which stored data expires. It is the wall clock, but for one
 * thing: what expires is gone for good, and a clock that is a year ahead for
 * two seconds (NTP, a host that resumes, a typing error) must not empty a
 * store. So a jump ahead is doubted, and followed only after it has lasted
 * RETENTION_DOUBT_S; so long, expiry goes by the last time that was believed.
 *
 * A start is such a jump: nothing is believed yet, and nothing expires for the
 * first RETENTION_DOUBT_S. No time is taken from a checkpoint or a block,
 * since the clock may have been wrong when they were written. The price: of a
 * process that never lives that long nothing expires.
 *
 * A view embeds one and tells it every tick (about once a second; a view reads
 * no clock). The times of frames are not told: they are of another thread's
 * clock and, while a journal is replayed, of the past.
 */
#ifndef TALLY_CORE_STORE_RETENTION_H
#define TALLY_CORE_STORE_RETENTION_H

#include <stdbool.h>

#include "core/sys/env.h"

enum { RETENTION_DOUBT_S = 600 };
/* Further ahead than this of the tick before, a clock is doubted. */
#define RETENTION_AHEAD_NS (86400 * NS_PER_S)

/* Zero: at a start. */
struct retention {
	int64_t now_ns;    /* expiry goes by it; 0: nothing is believed yet */
	int64_t claim_ns;  /* what a doubted clock said last; 0: no doubt */
	int64_t looked_ns; /* now_ns when retention_due last said so */
	int ticks;         /* that the doubt has lasted */
};

/* A second has passed, and the clock says now. Sets now_ns. */
void retention_tick(struct retention *r, struct wall now);
/* Is it time to look for what has expired? Once every_ns of the time that is
 * believed, and never before one is. */
bool retention_due(struct retention *r, int64_t every_ns);

#endif
