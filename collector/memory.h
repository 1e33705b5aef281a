/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: how the one number that a collector is given (memory_max_bytes, or a
 * share of what the machine or its control group has) is divided. Every part
 * that can grow gets a share in 64ths, which are limits of its own; together
 * they are the whole, so nothing has to be taken from another in time of need:
 *
 *   64ths  at 256 MiB  what                                      at most
 *       5      20 MiB  code, stacks, the allocator
 *       5      20 MiB  connections: their memory for a head, an
 *                      eighth of it those of gRPC                 488 MiB
 *      12      48 MiB  what the threads of HTTP and gRPC work on,
 *                      HTTP_THREADS at once (door/work.h): what
 *                      one request decodes to, or its answer     256 MiB
 *      16      64 MiB  load (door/admission.h)                   512 MiB
 *       8      32 MiB  traces: the head, and a block being made  128 MiB
 *       8      32 MiB  logs: the same                            128 MiB
 *       6      24 MiB  series: names, open rows                  192 MiB
 *       4      16 MiB  ledger: filters, sums, the open segment   480 MiB
 *
 * What the allocator keeps beyond that is given back (memory_keep.h).
 *
 * With more memory than all parts can use the rest is left to the machine.
 */
#ifndef TALLY_COLLECTOR_MEMORY_H
#define TALLY_COLLECTOR_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

#define MEMORY_MIN ((uint64_t)128 << 20)
#define MEMORY_MAX ((uint64_t)1 << 40)

struct memory_plan {
	uint64_t max_bytes;       /* of the whole */
	uint32_t connections_max; /* of the HTTP port */
	uint32_t grpc_connections_max;
	size_t load_bytes;        /* bodies, messages, answers on their way */
	size_t request_bytes;     /* what one request decodes to */
	size_t answer_bytes;      /* of log lines in one answer */
	size_t reply_bytes;       /* one answer as it is sent */
	size_t traces_head_bytes;
	size_t logs_head_bytes;
	size_t series_max;
	size_t rows_max; /* of series, open */
	size_t ledger_filter_bytes;
	size_t ledger_sums_max;
	size_t ledger_segment_entries;
	size_t ledger_inflight_max; /* counted as load */
};

/* max_bytes: MEMORY_MIN to MEMORY_MAX (assert). */
void memory_plan(struct memory_plan *out, uint64_t max_bytes);

/* Where nothing is configured: half of the machine's memory, or three quarters
 * of what the control group allows, whichever is less. */
uint64_t memory_default(void);

/* "268435456", "256M", "2G", "512K" (powers of 1024). ERR_INVALID: not that,
 * or not from MEMORY_MIN to MEMORY_MAX. */
int memory_parse(struct sv text, uint64_t *out, struct diag *diag) MUST_USE;

#endif
