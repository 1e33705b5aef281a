/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spools: agents that run at the same time share a base folder and have a
 * subfolder each (0, 1, 2, ...): the first that nobody holds. Batches that an
 * earlier agent left in another subfolder are taken along and sent first.
 */
#ifndef TALLY_AGENT_SPOOLS_H
#define TALLY_AGENT_SPOOLS_H

#include <stdint.h>

#include "agent/spool.h"
#include "core/base/err.h"

enum { SPOOLS_MAX = 64 };

struct spools {
	struct spool *list[SPOOLS_MAX]; /* those with leftovers, then own */
	unsigned count;
	struct spool *own; /* is list[count - 1] */
};

/* base NULL: $XDG_STATE_HOME/tallyscope/spool, or below ~/.local/state. */
int spools_open(struct spools *s, const struct env *env, const char *base,
		uint64_t bytes_max, struct diag *diag) MUST_USE;
void spools_close(struct spools *s);
/* Batches not taken yet, and their bytes. */
uint64_t spools_files(const struct spools *s, uint64_t *bytes);

#endif
