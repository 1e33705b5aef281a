/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids: made once, by the agent, from the kernel's random numbers. A request id
 * is what makes a usage record billable exactly once, so it must never repeat:
 * 122 random bits (UUID version 4, RFC 4122 4.4).
 */
#ifndef TALLY_AGENT_IDS_H
#define TALLY_AGENT_IDS_H

#include <stddef.h>

#include "core/sys/env.h"

enum {
	REQUEST_ID_SIZE = 37, /* 36 characters and a NUL */
	SEGMENT_ID_SIZE = 17, /* X-Ray: 16 hex */
	TRACE_ID_SIZE = 36,   /* X-Ray: 1-8hex-24hex */
};

/* 2*bytes hex digits and a NUL; bytes is at most 32 (assert). */
void id_hex(char *out, size_t bytes);
void id_request(char out[REQUEST_ID_SIZE]);
/* Its first part is the time: X-Ray refuses ids of another month. */
void id_trace(char out[TRACE_ID_SIZE], struct wall now);

#endif
