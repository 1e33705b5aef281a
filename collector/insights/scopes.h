/* SPDX-License-Identifier: Apache-2.0 */
/* What the watch has to look at: accounts and regions, of each its groups and
 * the insights that are active. Read from the catalogue anew each minute. */
#ifndef TALLY_COLLECTOR_INSIGHTS_SCOPES_H
#define TALLY_COLLECTOR_INSIGHTS_SCOPES_H

#include "collector/catalogue/catalogue.h"
#include "collector/insights/count.h"
#include "collector/insights/shapes.h"

/* Those that have a group, or a setting, or an insight, each once; at most max,
 * others are left out (*more). In the arena. */
int watched_scopes(struct catalogue *c, size_t max, struct arena *arena,
		   struct scope **out, size_t *count, bool *more) MUST_USE;

struct watched {
	struct scope scope;
	struct group_minute *groups;
	size_t group_count;
	struct insight *active; /* of these and of groups that are gone */
	size_t active_count;
};

/* Everything is in the arena. */
int watched_load(struct catalogue *c, const struct scope *scope,
		 struct arena *arena, struct watched *out) MUST_USE;

#endif
