/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch: collects records of all sandboxes and closes them into the spool
 * after 200 ms, 256 KB or 500 records, whichever comes first. What cannot be
 * stored (disk full) stays in memory and is tried again; meanwhile the agent
 * begins no invocation, and log lines, then segments, are shed, counted.
 *
 * Everything is copied. Any thread may add; whoever fills a batch pays for
 * storing it, so a fast handler waits for the disk, not memory for ever.
 */
#ifndef TALLY_AGENT_BATCH_H
#define TALLY_AGENT_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/spool.h"
#include "core/base/err.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	BATCH_MS_MAX = 200,
	BATCH_BYTES_MAX = 256 << 10,
	BATCH_COUNT_MAX = 500, /* records of all kinds */
	/* While the spool takes nothing: logs are shed from here on ... */
	BATCH_SHED_LOGS_BYTES = 1 << 20,
	/* ... segments from here on; usage and metrics still fit into a batch
	 * that a collector takes (8 MB). */
	BATCH_SHED_SEGMENTS_BYTES = 4 << 20,
	BATCH_HELD_COUNT_MAX = 4000,
};

struct batch;

struct batch_stats {
	uint64_t records; /* taken in, of all kinds */
	uint64_t logs_shed;
	uint64_t segments_shed;
	uint64_t held; /* in memory, not stored yet */
	uint64_t lost; /* over BATCH_HELD_COUNT_MAX; usage is the last */
};

int batch_new(struct batch **out, const struct env *env,
	      struct spool *spool) MUST_USE;
/* What is still held is forgotten: close it first. */
void batch_free(struct batch *b);

void batch_segment(struct batch *b, struct sv document);
void batch_log(struct batch *b, struct sv group, struct sv stream,
	       struct wall time, struct sv message);
void batch_datum(struct batch *b, const struct datum *datum);
void batch_usage(struct batch *b, const struct usage *usage);

/* Stores what is old enough, or all (now). 0: nothing is held that should
 * have been stored. */
int batch_close(struct batch *b, bool now, struct diag *diag) MUST_USE;
/* Whether an invocation may begin: the spool has room and nothing is held
 * because it could not be stored. */
bool batch_has_room(struct batch *b);
struct batch_stats batch_stats(struct batch *b);

#endif
