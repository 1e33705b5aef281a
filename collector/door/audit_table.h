/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of refusals within a minute: of each (account, caller, address,
 * reason) how many there were. Bounded twice: who finds no room is counted by
 * reason, a reason that finds none as "other". No count is lost.
 *
 * A row is 700 bytes, so the table is 180 KiB, made once. Not for two threads
 * at once.
 */
#ifndef TALLY_COLLECTOR_DOOR_AUDIT_TABLE_H
#define TALLY_COLLECTOR_DOOR_AUDIT_TABLE_H

#include "collector/door/audit.h"

struct audit_table;

enum audit_counted {
	AUDIT_FIRST,    /* of its kind: the caller makes a row of it */
	AUDIT_AGAIN,    /* counted */
	AUDIT_OVERFLOW, /* counted by reason */
};

int audit_table_new(struct audit_table **out) MUST_USE;
void audit_table_free(struct audit_table *t); /* NULL is allowed */
enum audit_counted audit_table_count(struct audit_table *t,
				     const struct audit_row *row) MUST_USE;
/* Calls each with a row for everything that was counted, then forgets all. */
void audit_table_empty(struct audit_table *t,
		       void (*each)(void *arg, const struct audit_row *row),
		       void *arg);

#endif
