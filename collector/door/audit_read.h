/* SPDX-License-Identifier: Apache-2.0 */
/* The question behind audit_read, over files alone. */
#ifndef TALLY_COLLECTOR_DOOR_AUDIT_READ_H
#define TALLY_COLLECTOR_DOOR_AUDIT_READ_H

#include "collector/door/audit.h"
#include "collector/door/audit_files.h"

/* Of several kinds of files together; see audit_read. *damaged: lines that are
 * not as they were written, which are left out. */
int audit_files_query(struct audit_files *const *files, size_t file_count,
		      const struct audit_query *query, struct arena *arena,
		      struct sv **rows, size_t *count, bool *truncated,
		      uint64_t *damaged) MUST_USE;

#endif
