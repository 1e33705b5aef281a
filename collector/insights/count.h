/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each group of a scope had in a minute: its traces that began in it, how
 * many ended in a fault at their root, and which services those faults came
 * from (tracer/rootcause.h). One walk over the minute's traces for all groups.
 */
#ifndef TALLY_COLLECTOR_INSIGHTS_COUNT_H
#define TALLY_COLLECTOR_INSIGHTS_COUNT_H

#include "tracer/filter.h"
#include "tracer/traces_set.h"

enum {
	GROUP_CAUSES_MAX = 32, /* services told apart in a minute */
	GROUPS_OF_SCOPE_MAX = 32,
};

struct group_cause {
	struct sv name, type, account; /* in the arena */
	uint64_t faults;               /* traces */
};

struct group_minute {
	/* Given: */
	struct sv name, arn, expression;
	struct filter filter; /* of expression; count 0: all traces */
	bool insights;        /* causes are wanted */
	/* Counted: */
	uint64_t traces, faults;
	struct group_cause causes[GROUP_CAUSES_MAX]; /* most first */
	size_t cause_count;
};

/* Counts the minute from start_ns on. *cut: there were more traces than are
 * looked at for one question, so it is at least so many. ERR_NOMEM, ERR_IO. */
int groups_count(struct traces *t, const struct scope *scope, int64_t start_ns,
		 struct group_minute *groups, size_t count, struct arena *arena,
		 bool *cut) MUST_USE;

#endif
