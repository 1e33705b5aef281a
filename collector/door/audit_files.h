/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the audit log: lines are appended to the newest one, which is
 * closed when it is full or has been open for a week; the oldest goes when
 * there are too many or its last line is older than AUDIT_DAYS. Refusals, which
 * strangers cause, have files of their own: they cannot push out the calls.
 *
 *   DATA/audit/calls-00000001.jsonl      DATA/audit/refusals-00000001.jsonl
 *
 * The first line of each is {"format":"tallyscope-audit","version":1}; a file
 * of another version is not read, and not appended to. A line that a crash has
 * torn stays, damaged, and the next one begins behind it.
 */
#ifndef TALLY_COLLECTOR_DOOR_AUDIT_FILES_H
#define TALLY_COLLECTOR_DOOR_AUDIT_FILES_H

#include "core/base/text.h"
#include "core/sys/env.h"

enum {
	AUDIT_DAYS = 90,
	AUDIT_FILE_BYTES = 4 << 20,
	AUDIT_FILES_MAX = 64, /* of one kind */
	AUDIT_FILE_DAYS = 7,  /* then another one is begun */
	AUDIT_PATH_MAX = 600,
};

#define AUDIT_FORMAT "{\"format\":\"tallyscope-audit\",\"version\":1}"

struct audit_files;

/* name: "calls". dir is there. */
int audit_files_open(struct audit_files **out, const struct env *env,
		     const char *dir, const char *name,
		     struct diag *diag) MUST_USE;
void audit_files_close(struct audit_files *f); /* NULL is allowed */

/* One thread. Appends whole lines; now is the time of the last. On an error
 * nothing was appended. */
int audit_files_append(struct audit_files *f, struct sv lines,
		       struct wall now) MUST_USE;
int audit_files_sync(struct audit_files *f) MUST_USE;
/* now_ns: the time that is believed (core/store/retention.h). */
void audit_files_expire(struct audit_files *f, int64_t now_ns);

/* Any thread. Calls each with every line, newest first, of the files that may
 * have some from start_ns on, until it returns false. */
int audit_files_read(struct audit_files *f, int64_t start_ns,
		     bool (*each)(void *arg, struct sv line),
		     void *arg) MUST_USE;
uint64_t audit_files_bytes(struct audit_files *f);

#endif
