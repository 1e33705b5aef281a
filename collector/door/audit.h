/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit: who changed what, and who was refused. Every call of the control
 * plane (CLASS_CONTROL), every time that keys or the configuration are read
 * again, and every refusal is a row, kept for AUDIT_DAYS below DATA/audit.
 *
 * Calls are rows of their own. Refusals may be a flood, so of each (account,
 * caller, address, reason) the first within a minute is a row at once, and the
 * minute's end brings one more with the count of all others. Who finds no room
 * in the table of AUDIT_SOURCES_MAX is counted by reason alone, in a row
 * without an address. So counts add up to what happened, exactly; what could
 * not be kept, because the disk is full, is a count in a row of kind "lost".
 *
 * Nothing here waits for the disk: rows become text under a lock, and one
 * thread writes it. A row names the key only once its signature was right:
 * until then what stands in its place may be anything, even a secret that was
 * pasted there. Paths, queries and bodies are never in a row.
 */
#ifndef TALLY_COLLECTOR_DOOR_AUDIT_H
#define TALLY_COLLECTOR_DOOR_AUDIT_H

#include "collector/door/audit_row.h"
#include "collector/door/http.h"
#include "core/sys/env.h"

enum {
	AUDIT_SOURCES_MAX = 256, /* that are told apart within a minute */
	AUDIT_REASONS_MAX = 64,  /* the last counts all others */
	AUDIT_MINUTE_S = 60,
	AUDIT_PENDING_BYTES = 256 << 10, /* rows that wait for the disk */
	AUDIT_LIMIT_MAX = 10000,         /* rows of an answer */
	AUDIT_WAIT_MS = 1000,            /* a question, for what waits */
};

struct audit;

/* dir: below the data folder; made where it is not there. */
int audit_open(struct audit **out, const struct env *env, const char *dir,
	       struct diag *diag) MUST_USE;
/* Writes what waits. NULL is allowed; no call may be under way. */
void audit_close(struct audit *a);

/* All of the following may be called by any thread and never wait for a disk;
 * a may be NULL, which does nothing. */

/* A call of the control plane whose answer is in r (r->status). */
void audit_call(struct audit *a, struct request *r);
/* A refusal whose answer is in r. reason: "unknown_key", "role"; written
 * in small letters, cut at AUDIT_REASON_MAX - 1. */
void audit_refusal(struct audit *a, struct request *r, const char *reason);
/* What the collector did by itself: operation "ReloadKeys", outcome "ok" or
 * why not. Static texts. */
void audit_event(struct audit *a, const char *operation, const char *outcome);
/* One of the above as a row; audit_refusal's are counted as described. */
void audit_add(struct audit *a, const struct audit_row *row);

struct audit_stats {
	uint64_t rows;     /* written */
	uint64_t counted;  /* refusals that are in counts, not rows */
	uint64_t overflow; /* of those, without an address */
	uint64_t lost;     /* rows for which there was no room */
	uint64_t damaged;  /* lines that were read and are not as written */
	uint64_t errors;   /* of the disk */
	uint64_t disk_bytes;
};

void audit_stats(struct audit *a, struct audit_stats *out);

struct audit_query {
	int64_t start_ns, end_ns; /* of rows' times; the end is exclusive */
	uint64_t account;         /* rows of this one only ... */
	bool unowned;             /* ... and those of none */
	struct sv caller;         /* a name or a key's id; empty: any */
	struct sv operation;      /* empty: any */
	size_t limit;             /* 1 to AUDIT_LIMIT_MAX */
};

/* The newest rows, newest first, as JSON objects in the arena. *truncated:
 * there were more. Waits up to AUDIT_WAIT_MS for rows on their way. Reads
 * files: not for the door's path. */
int audit_read(struct audit *a, const struct audit_query *query,
	       struct arena *arena, struct sv **rows, size_t *count,
	       bool *truncated) MUST_USE;

#endif
