/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shed: what of a native batch is refused while memory is short. The door lets
 * batches in longer than other telemetry, since they may bring usage; what
 * else they bring is known only here, and goes in the order of
 * door/admission.h: first the log lines of level DEBUG and TRACE, then all but
 * usage. These records are refused by name (SHED_CODE) in an answer that
 * accepts the rest. A batch of which nothing would be left is refused as a
 * whole, so that its sender keeps it and sends it again.
 */
#ifndef TALLY_COLLECTOR_INGEST_SHED_H
#define TALLY_COLLECTOR_INGEST_SHED_H

#include "collector/door/admission.h"
#include "collector/stats.h"
#include "core/wire/native.h"

enum {
	/* How far into a line its level is looked for: a JSON object's keys
	 * may stand in any order. */
	SHED_LEVEL_WITHIN = 512,
};

enum shed_kind {
	SHED_SEGMENT,
	SHED_DATUM,
	SHED_DEBUG,
	SHED_LOG, /* other than debug */
	SHED_USAGE,
	SHED_KINDS,
};

struct shed {
	uint32_t counts[SHED_KINDS];
};

/* The line says of itself that it is of level DEBUG or TRACE: as a word of
 * capitals among its first three ("2026-11-24T10:00:00Z\tID\tDEBUG\ttext",
 * "[DEBUG]\t..."), or as "level" of a JSON object, in any case. */
bool shed_is_debug(struct sv message);

/* Adds the refusals that the level asks for, in order, and counts them in
 * *out. ERR_BUSY: nothing would be left; ERR_NOMEM. */
int shed_records(struct arena *arena, struct native_batch *batch,
		 enum admission_level level, struct shed *out) MUST_USE;
/* It came from shed_records. */
bool shed_refused(const struct native_refusal *refusal);
/* All of a batch that was given up, but what was refused as bad. */
void shed_all(const struct records *records,
	      const struct native_refusal *refusals, size_t refusal_count,
	      struct shed *out);
void shed_count(struct stats *stats, const struct shed *shed);

#endif
