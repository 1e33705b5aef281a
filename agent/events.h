/* SPDX-License-Identifier: Apache-2.0 */
/* Events: the payloads of invocations, read once, checked to be JSON. */
#ifndef TALLY_AGENT_EVENTS_H
#define TALLY_AGENT_EVENTS_H

#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"

enum {
	EVENT_BYTES_MAX = 6 << 20, /* Lambda: a synchronous request */
	EVENTS_MAX = 10000,
	EVENTS_BYTES_MAX = 512 << 20,
};

struct events {
	struct sv *list;
	size_t count;
	struct arena arena;
};

/* One event: of a file ("-": stdin), or {} where path is NULL. */
int events_from_file(struct events *e, const char *path,
		     struct diag *diag) MUST_USE;
/* All files of a folder, in the order of their names; hidden ones are not. */
int events_from_dir(struct events *e, const char *dir,
		    struct diag *diag) MUST_USE;
void events_fini(struct events *e);

#endif
