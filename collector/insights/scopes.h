/* SPDX-License-Identifier: Apache-2.0 */
/* What the watch has to look at: of each account and region its groups, and the
 * insights that are active. Read from the catalogue anew each minute. */
#ifndef TALLY_COLLECTOR_INSIGHTS_SCOPES_H
#define TALLY_COLLECTOR_INSIGHTS_SCOPES_H

#include "collector/catalogue/catalogue.h"
#include "collector/insights/count.h"
#include "collector/insights/shapes.h"

struct watched_scope {
	struct scope scope;
	struct group_minute *groups;
	size_t group_count;
	struct insight *active; /* of these and of groups that are gone */
	size_t active_count;
};

struct watched {
	struct watched_scope *scopes;
	size_t count;
};

/* Everything is in the arena. ERR_NOMEM, ERR_LIMIT. */
int watched_load(struct catalogue *c, struct arena *arena,
		 struct watched *out) MUST_USE;

#endif
