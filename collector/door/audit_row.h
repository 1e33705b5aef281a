/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row of the audit log, and its line in a file: a JSON object whose last
 * member is the CRC-32 of the bytes before it, so that any tool reads it and a
 * damaged line is seen:
 *
 *   {"time":"2026-11-24T09:00:00.123Z","kind":"refusal","caller":"...",
 *    "key":"AKID...","account":"123456789012","region":"us-east-1",
 *    "service":"X-Ray","operation":"PutTraceSegments","address":"192.0.2.7",
 *    "agent":"...","outcome":"signature_mismatch","status":403,"count":17,
 *    "since":"...","id":"...","crc":"1a2b3c4d"}
 *
 * A member that has nothing to say is left out. A count is of things alike
 * between since and time, and the other members are what they have in common.
 */
#ifndef TALLY_COLLECTOR_DOOR_AUDIT_ROW_H
#define TALLY_COLLECTOR_DOOR_AUDIT_ROW_H

#include "collector/door/caller.h"
#include "core/base/arena.h"
#include "core/base/text.h"

enum {
	AUDIT_ADDRESS_MAX = 46, /* INET6_ADDRSTRLEN */
	AUDIT_AGENT_MAX = 128,
	AUDIT_REASON_MAX = 48,
	AUDIT_LINE_MAX = 4 << 10, /* every byte of it may be escaped */
};

enum audit_kind { AUDIT_CALL, AUDIT_REFUSAL, AUDIT_EVENT, AUDIT_LOST };

struct audit_row {
	enum audit_kind kind;
	int64_t time_ns;
	int64_t since_ns; /* 0: of one thing */
	uint64_t count;   /* 0: one */
	unsigned status;  /* HTTP's; 0: none */
	bool owned;       /* scope says whose it is */
	struct scope scope;
	const char *service;   /* static; NULL: not known */
	const char *operation; /* likewise */
	char caller[CALLER_NAME_MAX];
	char key[SIGV4_KEY_ID_MAX + 1];
	char address[AUDIT_ADDRESS_MAX];
	char agent[AUDIT_AGENT_MAX];
	char outcome[AUDIT_REASON_MAX]; /* "ok", or why not */
	char id[37];                    /* the request's */
};

/* Appends a line, with its newline. */
void audit_row_write(const struct audit_row *row, struct buf *out);
/* Whether its CRC holds; without the newline. */
bool audit_line_check(struct sv line) MUST_USE;
/* A line that was checked, as a JSON object without the CRC, in the arena;
 * ptr NULL: no memory. */
struct sv audit_line_object(struct sv line, struct arena *arena) MUST_USE;
/* Copies text, cut so that it and a NUL fit into cap, at a character. */
void audit_copy(char *to, size_t cap, struct sv text);

#endif
